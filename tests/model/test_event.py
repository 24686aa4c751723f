"""Events: hazards integrated, densities and times against closed forms, adaptive quadrature and each other."""

from dataclasses import replace

import numpy as np
import pytensor
import pytest
from scipy import integrate, stats

import bayesmyo
from bayesmyo.cohort.cohort import Episodes
from bayesmyo.components.estimands import Criterion
from bayesmyo.inference.build import build
from bayesmyo.inference.fit import posterior_truth
from bayesmyo.inference.recover import recover
from bayesmyo.model.event import TimeToEvent, observed
from bayesmyo.model.hazards import Rule
from bayesmyo.model.marginal import log_marginal
from bayesmyo.model.prediction import TruthPrediction
from bayesmyo.model.simulate import simulate
from bayesmyo.model.truth import OutcomeTruth, Truth, from_priors, with_effects

HEAD = """
[study]
title = "Events"
patient = "patient"
time = { column = "month", unit = "month", typical = 24, exit = "exit_month", reason = "why" }
[design]
patients = 12
follow_up = 24
visits = { first = [0, 3, 6], then_every = 6, jitter = 0.3 }
[outcomes.cpk]
column = "cpk"
unit = "IU/L"
better = "lower"
typical = 600
scale = 2.7
"""
LOGNORMAL = 'family = { kind = "lognormal" }\n'


def study(event, outcome=LOGNORMAL, trajectory='trajectory = { kind = "linear" }\n'):
    return bayesmyo.parse_study(HEAD + outcome + trajectory + "[events.lost]\ntypical = 0.4\n" + event)


def alone(event):
    """One event whose hazard depends on nothing, in studies of one outcome."""
    return study(f'reasons = ["lost"]\n{event}')


def truth_of(s, **values):
    """A truth with these values of the event's parameters, and those of the outcome at the middle of their priors."""
    middle = {n: np.asarray(p.prior.quantile(0.5)) for n, p in bayesmyo.study.parameters.parameters(s, "cpk").items()}
    own = {k: np.asarray(float(v)) for k, v in values.items()}
    return Truth({"cpk": OutcomeTruth(middle), "lost": OutcomeTruth(own)})


def episodes(*rows):
    """(patient, start, stop, end, status)"""
    patient, start, stop, end, status = (np.array(c) for c in zip(*rows, strict=True))
    line = np.zeros(len(rows), dtype=np.int64)
    return Episodes(patient, start.astype(float), stop.astype(float), end.astype(float), status, line)


# --- quadrature


@pytest.mark.parametrize("shape", [0.4, 0.6, 0.77, 1.3, 2.2, 5])
@pytest.mark.parametrize(("start", "stop"), [(0, 24), (0, 0.3), (3, 17), (0.01, 20)])
@pytest.mark.parametrize("rise", [-6, 0, 6])
def test_cumulative_hazards_are_those_of_adaptive_quadrature(shape, start, stop, rise):
    """exp(rise t / 24) d(t^shape), which has no pole in t^shape."""
    t, w = Rule(pole=True).nodes(start, stop)
    ours = (w * shape * t ** (shape - 1) * np.exp(rise * t / 24)).sum()
    ends = start**shape, stop**shape
    exact = integrate.quad(lambda u: np.exp(rise * u ** (1 / shape) / 24), *ends, epsabs=0, epsrel=1e-13, limit=500)[0]
    assert ours == pytest.approx(exact, rel=1e-8)


def test_pieces_end_at_kinks():
    t, w = Rule((3.0, 12.0), flat=True).nodes(1.0, 20.0)
    assert w.tolist() == pytest.approx([2, 9, 8])
    t, w = Rule((3.0,)).nodes(0.0, 10.0)
    assert (w * np.abs(t - 3)).sum() == pytest.approx((9 + 49) / 2, rel=1e-12)


# --- densities


def test_density_of_a_weibull_is_the_closed_form():
    s = alone('hazard = { kind = "weibull", over = 10 }')
    rate, k = 0.04, 1.7
    truth = with_effects(s, truth_of(s, hazard=np.log(rate), shape=k), 3, np.random.default_rng(1))
    cohort = simulate(s, truth, np.random.default_rng(1)).cohort
    cohort = replace(cohort, events={"lost": episodes((0, 0, 7, 7, 1), (1, 2, 15, 15, 0), (2, 0, 5, 9, 2))})

    def h(t):
        return rate * 10 * (t / 10) ** k

    density = TimeToEvent(s, "lost").log_density(truth, cohort)
    exact = [np.log(rate * k * 0.7 ** (k - 1)) - h(7), -(h(15) - h(2)), np.log(np.exp(-h(5)) - np.exp(-h(9)))]
    assert density.tolist() == pytest.approx(exact, rel=1e-9)


def test_density_of_a_line_in_the_log_hazard_is_the_closed_form():
    s = study('reasons = ["lost"]\nhazard = { kind = "constant" }\ndepends = { cpk = "level" }')
    truth = with_effects(s, truth_of(s, hazard=-4.0, cpk_level=1.3), 2, np.random.default_rng(2))
    cohort = simulate(s, truth, np.random.default_rng(1)).cohort
    cohort = replace(cohort, events={"lost": episodes((0, 0, 20, 20, 1), (1, 0, 11, 11, 0))})
    own = truth.outcomes["cpk"]
    density = TimeToEvent(s, "lost").log_density(truth, cohort)
    for i, (stop, status) in enumerate([(20, 1), (11, 0)]):
        start = own.values["intercept"] + own.effects["intercept"][i]
        slope = own.values["slope"] + own.effects["slope"][i]
        spread = np.log(2.7)
        level, rise = -4.0 + 1.3 * (start - np.log(600)) / spread, 1.3 * slope / spread
        cumulative = np.exp(level) * np.expm1(rise * stop) / rise
        assert density[i] == pytest.approx(status * (level + rise * stop) - cumulative, rel=1e-10)


@pytest.mark.parametrize("clock", ["total", "gap"])
def test_density_of_recurrent_events_goes_by_its_clock(clock):
    s = study(
        f'at = "relapse"\nrecurrent = true\nfrailty = false\nclock = "{clock}"\nhazard = {{ kind = "weibull", over = 10 }}'
    )
    rate, k = 0.05, 0.8
    truth = with_effects(s, truth_of(s, hazard=np.log(rate), shape=k), 1, np.random.default_rng(2))
    cohort = simulate(s, truth, np.random.default_rng(1)).cohort
    cohort = replace(cohort, events={"lost": episodes((0, 0, 4, 4, 1), (0, 4, 9, 9, 1), (0, 9, 20, 20, 0))})

    def h(t):
        return rate * 10 * (t / 10) ** k

    def log_rate(t):
        return np.log(rate * k) + (k - 1) * np.log(t / 10)

    density = TimeToEvent(s, "lost").log_density(truth, cohort)
    total = [log_rate(4) - h(4), log_rate(9) - h(9) + h(4), h(9) - h(20)]
    gap = [log_rate(4) - h(4), log_rate(5) - h(5), -h(11)]
    assert density.tolist() == pytest.approx(total if clock == "total" else gap, rel=1e-8)


# --- the model that is sampled says the same as NumPy

OUTCOMES = {
    "lognormal": LOGNORMAL,
    "poisson": 'family = { kind = "poisson" }\n',
    "lognormal, ou": LOGNORMAL + 'effects = ["intercept"]\nresidual = { kind = "ou" }\n',
    "lognormal, non-centred": LOGNORMAL + 'parameterisation = "non-centred"\n',
}
EVENTS = {
    "level": 'reasons = ["lost"]\nhazard = { kind = "constant" }\ndepends = { cpk = "level" }',
    "slope": 'reasons = ["lost"]\nhazard = { kind = "weibull" }\ndepends = { cpk = "slope" }\nfrailty = true',
    "area": 'reasons = ["lost"]\nhazard = { kind = "piecewise", knots = [3, 12] }\ndepends = { cpk = "area" }',
    "an effect": 'column = "relapse"\nhazard = { kind = "constant" }\ndepends = { cpk = "intercept" }\nrecurrent = '
    "true",
    "nothing": 'column = "relapse"\nhazard = { kind = "piecewise", knots = [6] }',
}


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("outcome", OUTCOMES)
def test_the_model_says_of_events_what_numpy_says(outcome, event):
    says_the_same(study(EVENTS[event], OUTCOMES[outcome]))


def test_a_frailty_may_be_correlated_with_effects_of_outcomes():
    s = study(EVENTS["slope"])
    says_the_same(replace(s, correlate="across outcomes", text=""))


def says_the_same(s):
    rng = np.random.default_rng(3)
    simulated = simulate(s, from_priors(s, rng), rng)
    model = build(s, simulated.cohort)
    free, every = [model.pymc.rvs_to_values[v] for v in model.pymc.free_RVs], model.pymc.unobserved_RVs
    start = model.pymc.initial_point()
    point = [0.2 * rng.standard_normal(np.shape(start[v.name])) for v in free]
    said = model.pymc.replace_rvs_by_values([model.pymc["lost"], *every])
    density, *values = pytensor.function(free, said, mode="FAST_COMPILE", on_unused_input="ignore")(*point)
    raw = {v.name: np.asarray(x)[None, None] for v, x in zip(every, values, strict=True)}
    posterior = recover(model, raw, model.data, rng)
    truth = posterior_truth(s, simulated.cohort, posterior)
    assert TimeToEvent(s, "lost").log_density(truth, simulated.cohort).sum() == pytest.approx(float(density), rel=1e-8)


# --- simulation


@pytest.mark.parametrize(
    ("event", "trajectory"),
    [
        (EVENTS["level"], "linear"),
        (EVENTS["slope"], "plateau"),
        (EVENTS["area"], "linear"),
        ('at = "relapse"\nhazard = { kind = "weibull", over = 5 }', "linear"),
    ],
)
def test_simulated_times_follow_their_distribution(event, trajectory):
    """10,000 twins of one patient; what their hazards have added up to is exponential."""
    s = study(event, trajectory=f'trajectory = {{ kind = "{trajectory}" }}\n')
    rng = np.random.default_rng(4)
    one = with_effects(s, from_priors(s, rng), 1, rng)
    twins = replace(
        one,
        outcomes={
            k: OutcomeTruth(o.values, {e: np.repeat(v, 10_000) for e, v in o.effects.items()})
            for k, o in one.outcomes.items()
        },
    )
    submodel, end = TimeToEvent(s, "lost"), 60.0
    times = np.array([t[0] for t in submodel.happen(twins, np.full(10_000, end), rng) if len(t)])
    grid = np.linspace(0, end, 400)
    cumulative = np.array([submodel.cumulative(one, np.array([0]), t)[0] for t in grid])
    share = -np.expm1(-np.interp(times, grid, cumulative)) / -np.expm1(-cumulative[-1])
    assert stats.kstest(share, "uniform").pvalue > 0.01
    assert len(times) / 10_000 == pytest.approx(-np.expm1(-cumulative[-1]), abs=0.02)


def test_recurrent_events_are_a_poisson_process():
    s = study('at = "relapse"\nrecurrent = true\nfrailty = false\nhazard = { kind = "constant" }')
    truth = with_effects(s, truth_of(s, hazard=np.log(0.2)), 4000, np.random.default_rng(5))
    times = TimeToEvent(s, "lost").happen(truth, np.full(4000, 10.0), np.random.default_rng(6))
    counts = np.array([len(t) for t in times])
    assert counts.mean() == pytest.approx(2, abs=4 * np.sqrt(2 / 4000))
    assert counts.var() == pytest.approx(2, abs=0.2)
    assert stats.kstest(np.concatenate(times) / 10, "uniform").pvalue > 0.01


def test_competing_reasons_end_follow_up_once():
    text = HEAD + LOGNORMAL + 'trajectory = { kind = "linear" }\n'
    text += '[events.lost]\nreasons = ["lost"]\nhazard = { kind = "constant" }\ntypical = 0.5\n'
    text += '[events.died]\nreasons = ["died"]\nhazard = { kind = "constant" }\ntypical = 0.5\n'
    s = bayesmyo.parse_study(text)
    rng = np.random.default_rng(7)
    truth = replace(from_priors(s, rng))
    rates = {"lost": 0.03, "died": 0.01}
    outcomes = dict(truth.outcomes) | {n: OutcomeTruth({"hazard": np.log(r)}) for n, r in rates.items()}
    many = simulate(s, replace(truth, outcomes=outcomes), rng, 4000).cohort
    reasons = np.array(many.exits.reason)
    free = np.exp(-0.04 * 24)
    for name, rate in rates.items():
        assert np.mean(reasons == name) == pytest.approx(rate / 0.04 * (1 - free), abs=0.03)
        assert many.events[name].happened == np.sum(reasons == name)
    assert all(np.all(m.time <= many.exits.time[m.patient] + 1e-9) for m in many.measurements.values())


def test_what_visits_tell_of_events():
    s = study('column = "relapse"\nhazard = { kind = "constant" }')
    one = observed(
        TimeToEvent(s, "lost"), [np.array([4.0]), np.zeros(0), np.array([20.0])], np.full(3, 24.0),
        [np.array([0, 3, 6.0]), np.array([0, 5.0]), np.array([0, 10.0])], by_visits=True,
    )  # fmt: skip
    assert one.patient.tolist() == [0, 1, 2]
    assert one.stop.tolist() == [3, 5, 10]
    assert one.end.tolist() == [6, 5, 10]
    assert one.status.tolist() == [2, 0, 0]


def test_what_outcomes_define_follows_from_them(tmp_path):
    """A simulated event that is met by measurements is the one that is read of the same table."""
    s = study('when = { cpk = { at_most = 300 } }\nconfirmed = true\nhazard = { kind = "constant" }')
    truth = from_priors(s, np.random.default_rng(5))
    cohort = simulate(s, truth, np.random.default_rng(5), 40).cohort
    (tmp_path / "table.csv").write_text(bayesmyo.to_csv(s, cohort))
    again = bayesmyo.read_cohort(s, tmp_path / "table.csv").events["lost"]
    assert 5 < again.happened < 40
    for name in ("patient", "start", "stop", "end", "status"):
        np.testing.assert_allclose(getattr(cohort.events["lost"], name), getattr(again, name))


# --- what is asked


def test_estimands_of_a_constant_rate_are_the_closed_forms():
    s = study('at = "relapse"\nrecurrent = true\nhazard = { kind = "constant" }')
    sd, rate = 0.6, 0.05
    truth = truth_of(s, hazard=np.log(rate), sd_frailty=sd)
    prediction = TruthPrediction(s, with_effects(s, truth, 5, np.random.default_rng(1)), seed=1)
    x, w = np.polynomial.hermite_e.hermegauss(60)
    rates = rate * np.exp(sd * x)
    free, time = np.exp(-rates * 12), -np.expm1(-rates * 12) / rates
    w = w / w.sum()
    every = "population average"
    assert prediction.event("lost", 12, "free", every) == pytest.approx((w * free).sum(), abs=1e-4)
    assert prediction.event("lost", 12, "time", every) == pytest.approx((w * time).sum(), abs=1e-3)
    assert prediction.event("lost", 12, "number", every) == pytest.approx(12 * rate * np.exp(sd**2 / 2), rel=1e-3)
    assert prediction.event("lost", 12, "free", "average patient") == pytest.approx(np.exp(-rate * 12), rel=1e-12)


def test_who_had_an_event_meets_no_criteria():
    """The composite strategy, against 400,000 new patients drawn here."""
    s = study('reasons = ["lost"]\nhazard = { kind = "constant" }\ndepends = { cpk = "level" }')
    truth = truth_of(s, hazard=-3.5, cpk_level=1.2)
    values = {k: float(v) for k, v in truth.outcomes["cpk"].values.items()}
    prediction = TruthPrediction(s, with_effects(s, truth, 5, np.random.default_rng(1)), seed=1)
    criteria = {"cpk": Criterion(at_most=500)}
    ours = prediction.share(criteria, 12, 0, "population average", free={"lost": 24})
    rng = np.random.default_rng(2)
    sds, r = np.array([values["sd_intercept"], values["sd_slope"]]), values["correlation"]
    start, slope = (rng.standard_normal((400_000, 2)) @ np.linalg.cholesky([[1, r], [r, 1]]).T * sds).T
    start, slope = start + values["intercept"], slope + values["slope"]
    level, rise = -3.5 + 1.2 * (start - np.log(600)) / np.log(2.7), 1.2 * slope / np.log(2.7)
    free = np.exp(-np.exp(level) * np.expm1(rise * 24) / rise)
    met = np.exp(start + 12 * slope) <= 500
    assert ours == pytest.approx((met * free).mean(), abs=0.003)
    assert abs(met.mean() * free.mean() - (met * free).mean()) > 0.02  # the same patients are seldom lost
    assert prediction.share(criteria, 12, 0, "these patients", free={"lost": 24}) <= prediction.share(
        criteria, 12, 0, "these patients"
    )


def test_a_patient_is_scored_by_what_was_measured_and_what_happened():
    """Effects integrated by a grid of 81 x 81 around what the measurements say of them."""
    s = study(EVENTS["level"])
    truth = truth_of(s, hazard=-3.5, cpk_level=1.2)
    known = with_effects(s, truth, 12, np.random.default_rng(1))
    cohort = simulate(s, known, np.random.default_rng(8)).cohort
    values = {k: float(v) for k, v in truth.outcomes["cpk"].values.items()}
    m, spread = cohort.measurements["cpk"], np.log(2.7)
    x, w = np.polynomial.hermite_e.hermegauss(81)
    w = w / w.sum()
    for i in range(6):
        own = m.patient == i
        t, y = m.time[own], np.log(m.value[own])
        z = np.column_stack([np.ones_like(t), t])
        r = values["correlation"] * values["sd_intercept"] * values["sd_slope"]
        between = np.array([[values["sd_intercept"] ** 2, r], [r, values["sd_slope"] ** 2]])
        curve = values["intercept"] + values["slope"] * t
        spoken = np.linalg.inv(np.linalg.inv(between) + z.T @ z / values["sigma"] ** 2)
        centre = spoken @ z.T @ (y - curve) / values["sigma"] ** 2
        alone_ = stats.multivariate_normal(curve, z @ between @ z.T + values["sigma"] ** 2 * np.eye(len(t))).logpdf(y)
        a, b = np.meshgrid(x, x, indexing="ij")
        effects = centre + np.stack([a, b], axis=-1) @ np.linalg.cholesky(spoken).T
        level = -3.5 + 1.2 * (values["intercept"] + effects[..., 0] - np.log(600)) / spread
        rise = 1.2 * (values["slope"] + effects[..., 1]) / spread + 1e-12
        end, gone = cohort.exits.time[i], cohort.exits.reason[i] == "lost"
        density = np.exp((level + rise * end) * gone - np.exp(level) * np.expm1(rise * end) / rise)
        exact = alone_ - y.sum() + np.log((w[:, None] * w * density).sum())
        flat = Truth({k: OutcomeTruth({n: v[None] for n, v in o.values.items()}) for k, o in truth.outcomes.items()})
        assert log_marginal(s, cohort, flat, i, points=2048)[0] == pytest.approx(exact, abs=2e-3)
