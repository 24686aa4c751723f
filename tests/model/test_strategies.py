"""What is done about events that come first: one set of events, four right answers, against NumPy and closed forms."""

import numpy as np
import pytest

import bayesmyo
from bayesmyo.cohort.cohort import Episodes
from bayesmyo.errors import UsageError
from bayesmyo.model.prediction import TruthPrediction
from bayesmyo.model.truth import OutcomeTruth, Truth

STUDY = """
[study]
title = "Strategies"
patient = "patient"
time = { column = "month", unit = "month", typical = 24, exit = "exit_month", reason = "why" }
[covariates.arm]
levels = ["usual", "new"]
[design]
patients = 40
follow_up = 24
visits = { first = [0, 3, 6], then_every = 6 }
[outcomes.strength]
column = "strength"
unit = "kg"
better = "higher"
typical = 30
scale = 6
family = { kind = "gaussian" }
trajectory = { kind = "linear" }
moderators = ["arm"]
[events.switch]
at = "switched"
typical = 0.4
after = "set aside"
hazard = { kind = "constant" }
covariates = ["arm"]
[events.rescue]
at = "rescued"
typical = 0.2
after = "set aside"
hazard = { kind = "constant" }
"""
DEPENDS = STUDY.replace('covariates = ["arm"]\n[events.r', 'depends = { strength = "level" }\n[events.r')
AT, LIMIT = 12.0, 28.0
POPULATION = "population average"
ANSWERS = {
    "hypothetical": 'events = { switch = "hypothetical" }',
    "while": 'events = { switch = "while on treatment" }',
    "composite": 'events = { switch = "composite" }',
    "both": 'events = { switch = "while on treatment", rescue = "composite" }',
    "first": 'events = { switch = "while on treatment", rescue = "while on treatment" }',
}


def asked(text, kind="level", events="", more=""):
    what = f"criteria = {{ strength = {{ at_least = {LIMIT} }} }}" if kind == "share" else 'outcome = "strength"'
    when = f"from = 0\nto = {AT}" if kind == "change" else f"at = {AT}"
    lines = f'[estimands.asked]\nkind = "{kind}"\n{what}\n{when}\n{events}\n{more}\n'
    return bayesmyo.parse_study(text + lines)


def truth_of(study, effects=None, arm=(0.0, 0.0, 1.0, 1.0)):
    """Strength 30 - 0.4 t (SD 5 and 0.3, correlation -0.3), 0.2 per month less in the other arm."""
    strength = {
        "intercept": 30.0, "slope": -0.4, "slope_arm_new": -0.2, "sd_intercept": 5.0, "sd_slope": 0.3,
        "correlation": -0.3, "sigma": 2.0,
    }  # fmt: skip
    switch = {"hazard": np.log(0.06)}
    switch |= {"strength_level": -1.1} if study.events["switch"].depends else {"arm_new": np.log(2.0)}
    own = {"strength": strength, "switch": switch, "rescue": {"hazard": np.log(0.03)}}
    known = {name: {k: np.asarray(v) for k, v in values.items()} for name, values in own.items()}
    effects = {"strength": effects or {}, "switch": {}, "rescue": {}}
    columns = {"arm_new": np.array(arm)} if len(arm) else {}
    return Truth({name: OutcomeTruth(v, effects[name]) for name, v in known.items()}, {}, columns)


def number(study, truth, events=None, **more):
    return float(study.estimands["asked"].of(TruthPrediction(study, truth, seed=4, events=events or {}, **more)))


def patients(n, depends):
    """Starts, slopes and times of both events of many patients, in NumPy alone."""
    rng = np.random.default_rng(11)
    new = rng.integers(2, size=n)
    z = rng.standard_normal((n, 2)) @ np.linalg.cholesky([[1, -0.3], [-0.3, 1]]).T
    start, slope = 30 + 5 * z[:, 0], -0.4 - 0.2 * new + 0.3 * z[:, 1]
    wanted = rng.exponential(size=n)
    if depends:  # the log hazard is a straight line in time: H(t) = level (exp(rise t) - 1) / rise
        level, rise = 0.06 * np.exp(-1.1 * (start - 30) / 6), -1.1 * slope / 6
        with np.errstate(invalid="ignore"):
            switch = np.log1p(rise * wanted / level) / rise
        switch = np.where(np.isnan(switch), np.inf, switch)
    else:
        switch = wanted / (0.06 * 2.0**new)
    return start, slope, switch, rng.exponential(size=n) / 0.03


def by_hand(kind, strategy, depends, n=1_000_000):
    start, slope, switch, rescue = patients(n, depends)
    first = np.minimum(switch, rescue) if strategy == "first" else switch
    until = np.full(n, AT) if strategy in ("hypothetical", "composite") else np.minimum(first, AT)
    level = start + slope * until
    if kind == "level":
        return level.mean()
    if kind == "change":
        return (level - start).mean()
    failed = switch < AT if strategy == "composite" else rescue < until if strategy == "both" else np.zeros(n, bool)
    return ((level >= LIMIT) & ~failed).mean()


@pytest.mark.parametrize("depends", [False, True])
@pytest.mark.parametrize(
    ("kind", "strategy"),
    [
        ("level", "hypothetical"), ("level", "while"), ("level", "first"), ("change", "while"),
        ("share", "hypothetical"), ("share", "while"), ("share", "composite"), ("share", "both"), ("share", "first"),
    ],
)  # fmt: skip
def test_the_same_events_give_each_strategy_its_own_right_answer(kind, strategy, depends):
    study = asked(DEPENDS if depends else STUDY, kind, ANSWERS[strategy])
    ours, exact = number(study, truth_of(study)), by_hand(kind, strategy, depends)
    assert ours == pytest.approx(exact, abs=0.003 if kind == "share" else 0.015)


def test_strategies_differ_by_far_more_than_they_are_known_to():
    answers = [by_hand("share", strategy, True, 100_000) for strategy in ANSWERS]
    assert np.min(np.diff(np.sort(answers))) > 0.02


@pytest.mark.parametrize("population", ["average patient", POPULATION, "these patients"])
def test_a_straight_line_stopped_at_a_constant_rate_is_the_closed_form(population):
    """E[min(T, t)] = (1 - exp(-h t)) / h; in two arms of equal size, whose slopes are -0.4 and -0.6."""
    study = asked(STUDY, "level", ANSWERS["while"], f'population = "{population}"')
    rates, slopes = np.array([0.06, 0.12]), np.array([-0.4, -0.6])
    each = 30 + slopes * -np.expm1(-rates * AT) / rates
    exact = each[0] if population == "average patient" else each.mean()
    effects = {"intercept": np.zeros(4), "slope": np.zeros(4)} if population == "these patients" else None
    points = 3e-4 if population == POPULATION else 1e-6  # quasi-Monte Carlo, of patients with an SD of 5
    assert number(study, truth_of(study, effects)) == pytest.approx(exact, abs=points)


def test_a_contrast_of_groups_that_differ_in_the_rate_alone():
    text = STUDY.replace('moderators = ["arm"]\n', "")
    more = 'contrast = { covariate = "arm", level = "new", reference = "usual" }'
    study = asked(text, "change", ANSWERS["while"], more)
    exact = -0.4 * (-np.expm1(-0.12 * AT) / 0.12 + np.expm1(-0.06 * AT) / 0.06)
    assert number(study, truth_of(study)) == pytest.approx(exact, abs=1e-4)


def episodes(*rows):
    """(patient, start, stop, end, status)"""
    columns = [np.array(c, dtype=float) for c in zip(*rows, strict=True)]
    patient, start, stop, end, status = columns
    return Episodes(patient.astype(int), start, stop, end, status.astype(int), np.zeros(len(rows), dtype=int))


def test_these_patients_stop_where_they_are_known_to_have():
    """One switched at month 5, one between months 3 and 9, one left at month 4 without, one was seen without at 20."""
    study = asked(STUDY, "level", ANSWERS["while"], 'population = "these patients"')
    effects = {"intercept": np.array([1.0, -2, 3, 4]), "slope": np.array([0.1, 0.2, -0.1, 0.3])}
    seen = {"switch": episodes((0, 0, 5, 5, 1), (1, 0, 3, 9, 2), (2, 0, 4, 4, 0), (3, 0, 20, 20, 0))}
    between = 3 + 1 / 0.06 - 6 * np.exp(-0.06 * 6) / -np.expm1(-0.06 * 6)
    after = 4 - np.expm1(-0.12 * (AT - 4)) / 0.12
    stops = np.array([5.0, between, after, AT])
    slopes = np.array([-0.4, -0.4, -0.6, -0.6]) + effects["slope"]
    exact = (30 + effects["intercept"] + slopes * stops).mean()
    assert number(study, truth_of(study, effects), seen) == pytest.approx(exact, abs=1e-6)


def test_what_is_known_of_two_events_goes_together():
    """Switched between months 3 and 9, or rescued, of which nothing is known after month 5: drawn here by rejection."""
    study = asked(STUDY, "level", ANSWERS["first"], 'population = "these patients"')
    effects = {"intercept": np.zeros(4), "slope": np.zeros(4)}
    every = range(4)
    seen = {
        "switch": episodes(*((i, 0, 3, 9, 2) for i in every)),
        "rescue": episodes(*((i, 0, 5, 5, 0) for i in every)),
    }
    rng = np.random.default_rng(3)
    exact = []
    for rate, slope in ((0.06, -0.4), (0.12, -0.6)):
        switch = rng.exponential(1 / rate, 2_000_000)
        switch = switch[(switch > 3) & (switch <= 9)]
        stops = np.minimum(switch, 5 + rng.exponential(1 / 0.03, len(switch)))
        exact.append((30 + slope * np.minimum(stops, AT)).mean())
    assert number(study, truth_of(study, effects), seen) == pytest.approx(np.mean(exact), abs=0.004)


def test_a_new_patient_stops_at_a_time_drawn_with_the_effects():
    study = asked(DEPENDS, "change", ANSWERS["while"], 'population = "new patient"')
    truth = truth_of(study)
    shape = (2, 20_000)
    many = Truth(
        {n: OutcomeTruth({k: np.full(shape, float(v)) for k, v in o.values.items()}) for n, o in truth.outcomes.items()},
        {}, truth.covariates,
    )  # fmt: skip
    values = study.estimands["asked"].of(TruthPrediction(study, many, seed=2)).ravel()
    _, slope, switch, _ = patients(1_000_000, depends=True)
    exact = slope * np.minimum(switch, AT)
    assert values.mean() == pytest.approx(exact.mean(), abs=0.06)
    tails = [0.1, 0.25, 0.5, 0.75, 0.9]
    assert np.quantile(values, tails) == pytest.approx(np.quantile(exact, tails), abs=0.12)


def test_a_rate_without_bound_at_zero_is_integrated():
    """A Weibull hazard with shape 0.5: E[min(T, t)] is the integral of the probability of none."""
    text = STUDY.replace(
        'hazard = { kind = "constant" }\ncovariates = ["arm"]', 'hazard = { kind = "weibull", over = 10 }'
    )
    study = asked(
        text.replace('moderators = ["arm"]\n', ""), "level", ANSWERS["while"], 'population = "average patient"'
    )
    truth = truth_of(study)
    outcomes = {**truth.outcomes, "switch": OutcomeTruth({"hazard": np.log(0.05), "shape": np.asarray(0.5)})}
    u = np.linspace(0, np.sqrt(AT), 200_001)  # t = u^2, where H = 0.05 * 10 * (t / 10)^0.5 is a straight line
    survived = 2 * u * np.exp(-0.5 * u / np.sqrt(10))
    stopped = np.trapezoid(survived, u)
    assert number(study, Truth(outcomes, {}, {})) == pytest.approx(30 - 0.4 * stopped, abs=1e-5)


def test_composite_is_what_free_does_at_the_time_that_is_asked():
    composite, free = (asked(DEPENDS, "share", how) for how in (ANSWERS["composite"], f"free = {{ switch = {AT} }}"))
    assert number(composite, truth_of(composite)) == number(free, truth_of(free))


def test_a_share_of_these_patients_is_judged_where_each_stopped():
    study = asked(STUDY, "share", ANSWERS["while"], 'population = "these patients"')
    effects = {"intercept": np.array([0.0, 0, 0, 0]), "slope": np.zeros(4)}
    seen = {"switch": episodes((0, 0, 4, 4, 1), (1, 0, 6, 6, 1), (2, 0, 3, 3, 1), (3, 0, 30, 30, 0))}
    levels = 30 - np.array([0.4 * 4, 0.4 * 6, 0.6 * 3, 0.6 * 12])
    assert number(study, truth_of(study, effects), seen) == pytest.approx((levels >= LIMIT).mean(), abs=1e-9)


def test_before_an_event_can_come_nothing_stops():
    text = asked(STUDY, "level", ANSWERS["while"]).text.replace(f"at = {AT}", "at = -1", 1)
    study = bayesmyo.parse_study(text)
    assert number(study, truth_of(study)) == pytest.approx(30, abs=1e-9)  # the level at the start


def test_a_course_that_stops_has_one_time_for_all_draws():
    study = asked(STUDY)
    prediction = TruthPrediction(study, truth_of(study)).stopped(("switch",))
    with pytest.raises(UsageError, match="is not an event of this study"):
        TruthPrediction(study, truth_of(study)).stopped(("swich",))
    assert prediction.level("strength", [0, AT], POPULATION).shape == (2,)


def test_a_simulated_cohort_has_no_visits_after_what_sets_them_aside(tmp_path):
    study = asked(STUDY)
    cohort = bayesmyo.simulate(study, truth_of(study, arm=()), np.random.default_rng(3), patients=40).cohort
    free, by = np.min([e.first(len(cohort)) for e in cohort.events.values()], axis=0)
    m = cohort.measurements["strength"]
    assert cohort.events["switch"].happened > 10
    assert np.all(m.time <= np.where(np.isfinite(by), free, np.inf)[m.patient])
    rows = cohort.rows
    assert set(rows.set_aside) == {"after switch", "after rescue"}
    assert rows.used == len(m)
    assert rows.used + sum(map(len, rows.set_aside.values())) == rows.rows
    (tmp_path / "table.csv").write_text(bayesmyo.to_csv(study, cohort))
    again = bayesmyo.read_cohort(study, tmp_path / "table.csv")
    assert again.measurements["strength"].time == pytest.approx(m.time)
    assert again.events["switch"].stop == pytest.approx(cohort.events["switch"].stop)
