"""Patients left out: against fits that never saw them, and what follows for decisions, comparisons and priors."""

from dataclasses import replace

import numpy as np
import pytest

from bayesmyo.assess.compare import comparisons
from bayesmyo.assess.diagnostics import diagnose
from bayesmyo.assess.influence import of_left_out
from bayesmyo.assess.leave_one_out import WithoutPatient, leave_one_out
from bayesmyo.assess.other_priors import log_prior
from bayesmyo.assess.refits import Refits
from bayesmyo.assess.reweight import TRUSTED
from bayesmyo.assess.sensitivity import contraction, prior_sensitivities
from bayesmyo.assess.verdict import DATA, PRIOR, SILENT
from bayesmyo.cohort.cohort import RIGHT
from bayesmyo.errors import StorageError, UsageError
from bayesmyo.inference.compiled import Compiled
from bayesmyo.inference.engines import Sampling
from bayesmyo.inference.fit import fit, posterior_truth
from bayesmyo.inference.store import save_fit, share
from bayesmyo.model import simulate, simulate_scenario
from bayesmyo.model.prediction import TruthPrediction
from bayesmyo.model.truth import from_priors
from bayesmyo.report.answered import influence as shown_influence
from bayesmyo.report.terminal import show
from bayesmyo.study import parse_study
from bayesmyo.study.design import Visits
from tests.conftest import SMALL, fit_of, independent_draws

ONE = (
    SMALL[: SMALL.index("[outcomes.cpk]")]
    + """
[estimands.change]
kind = "change"
outcome = "strength"
from = 0
to = 24
[decisions.gained]
kind = "probability"
estimand = "change"
above = 5
probability = 0.9
[design]
patients = 12
follow_up = { mean = 24, sd = 12, maximum = 60 }
visits = { first = [0, 1, 3], then_every = 6, jitter = 0.3 }
[scenarios.improves]
strength = { intercept = 50, slope = 0.5, sd_intercept = 8, sd_slope = 0.8, correlation = -0.4, sigma = 4 }
"""
)
SAMPLING = Sampling(draws=1000, tune=400, chains=2)
REFITTED = Sampling(draws=600, tune=300, chains=2)


@pytest.fixture(scope="module")
def one():
    return parse_study(ONE)


@pytest.fixture(scope="module")
def cohort(one):
    return simulate_scenario(one, "improves", seed=4).cohort


@pytest.fixture(scope="module")
def fitted(one, cohort):
    return fit(one, cohort, sampling=SAMPLING)


@pytest.fixture(scope="module")
def compiled(one, cohort):
    return Compiled(one, "nuts", REFITTED, cohort)


@pytest.fixture(scope="module")
def refits(fitted, compiled):
    return Refits(fitted, compiled=compiled)


@pytest.fixture(scope="module")
def left_out(fitted, refits):
    return leave_one_out(fitted, refits=refits)


def dropped(cohort, patient):
    """The cohort as if the table had never held the patient."""
    others = cohort.without(patient)
    measured = {k: replace(m, patient=m.patient - (m.patient > patient)) for k, m in others.measurements.items()}
    patients = tuple(p for i, p in enumerate(cohort.patients) if i != patient)
    return replace(others, patients=patients, measurements=measured)


@pytest.mark.sampling
def test_left_out_equals_a_fit_that_never_saw_the_patient(one, cohort, left_out):
    compiled = Compiled(one, "nuts", SAMPLING)
    for patient in (0, 7):
        others = dropped(cohort, patient)
        never = fit_of(one, others, compiled.draws(others, 99))
        for name, draws in never.estimands.items():
            other = left_out[patient].estimands[name]
            (a, b) = (diagnose({name: d})[name].mcse for d in (draws, other))
            assert abs(draws.mean() - other.mean()) < 4 * np.hypot(a, b)
            assert other.std() == pytest.approx(draws.std(), rel=0.2)


@pytest.mark.sampling
def test_reweighting_finds_what_sampling_again_finds(fitted, refits, left_out):
    quick = leave_one_out(fitted, exact=False, refits=refits)
    assert [q.patient for q in quick] == [e.patient for e in left_out] == list(fitted.cohort.pseudonyms())
    for q, e in zip(quick, left_out, strict=True):
        assert e.method == "refit"
        assert q.method == ("importance" if q.pareto_k <= TRUSTED else "refit")
        assert abs(q.score - e.score) < 4 * np.hypot(q.mcse, e.mcse) + 0.02
    assert sum(q.method == "importance" for q in quick) >= 9


@pytest.mark.sampling
def test_scores_are_those_of_the_multivariate_normal(fitted, refits, left_out):
    """The closed form of a Gaussian outcome, averaged over the draws of a refit."""
    from scipy import special, stats

    truth, m = refits.without(0).truth, fitted.cohort.only(0).measurements["strength"]
    v = {k: x.reshape(-1) for k, x in truth.outcomes["strength"].values.items()}
    z = np.stack([np.ones_like(m.time), m.time], axis=1)
    densities = []
    for k in range(0, len(v["sigma"]), 5):
        off = v["correlation"][k] * v["sd_intercept"][k] * v["sd_slope"][k]
        between = np.array([[v["sd_intercept"][k] ** 2, off], [off, v["sd_slope"][k] ** 2]])
        within = z @ between @ z.T + v["sigma"][k] ** 2 * np.eye(len(m))
        densities.append(stats.multivariate_normal(v["intercept"][k] + v["slope"][k] * m.time, within).logpdf(m.value))
    assert left_out[0].score == pytest.approx(special.logsumexp(densities) - np.log(len(densities)), abs=0.1)


@pytest.mark.sampling
def test_new_patients_cover_patients_who_were_held_out(one, compiled):
    """Truths from the priors: each is fitted from 12 patients, and 300 others are set beside its new patients at month
    13.

    The figures over 100 cohorts of several families are in docs/evidence.md (scripts/held_out.py).
    """
    month, masses = 13.0, np.array([0.5, 0.8, 0.95])
    everyone = parse_study(ONE.replace("sd = 12, maximum = 60", "sd = 0.1, maximum = 60").replace(", jitter = 0.3", ""))
    everyone = replace(
        everyone, design=replace(everyone.design, visits=Visits(first=(0.0, 1.0, month), then_every=6.0))
    )
    covered = {"expected value": [], "measurement": []}
    for k in range(24):
        rng = np.random.default_rng([7, k])
        truth = from_priors(one, rng)
        people = simulate(one, truth, rng).cohort
        prediction = TruthPrediction(one, posterior_truth(one, people, compiled.draws(people, k).posterior), seed=k)
        others = simulate(everyone, truth, rng, 300)
        m, own = others.cohort.measurements["strength"], others.truth.outcomes["strength"]
        line = [own.values[c] + own.effects[c] for c in ("intercept", "slope")]
        held_out = {"expected value": line[0] + line[1] * month, "measurement": m.value[m.time == month]}
        for predicts, values in held_out.items():
            drawn = prediction.level("strength", month, "new patient", predicts=predicts)
            low, high = np.quantile(drawn, [(1 - masses) / 2, (1 + masses) / 2])
            assert len(values) == 300
            covered[predicts].append(np.mean((values[:, None] >= low) & (values[:, None] <= high), axis=0))
    for shares in covered.values():
        error = np.std(shares, axis=0, ddof=1) / np.sqrt(len(shares))
        assert (error < 0.035).all()
        assert (np.abs(np.mean(shares, axis=0) - masses) < 3 * error + 0.005).all()


@pytest.mark.sampling
def test_a_study_is_not_ranked_against_itself_but_against_a_wrong_one(one, cohort, fitted):
    again = fit(one, cohort, seed=5, sampling=SAMPLING)
    rows = comparisons([fitted, again], ["first", "again"])
    assert not any(r.ranked for r in rows)
    assert rows[1].sentence.startswith("The data cannot rank")
    text = ONE.replace('trajectory = { kind = "linear" }', 'trajectory = { kind = "linear" }\neffects = ["intercept"]')
    text = text.replace(", sd_slope = 0.8, correlation = -0.4", "")
    alike = fit(parse_study(text), cohort, sampling=SAMPLING)
    rows = comparisons([alike, fitted], ["alike", "differing"])
    assert [r.name for r in rows] == ["differing", "alike"]
    assert rows[1].ranked
    assert rows[1].difference == pytest.approx(rows[1].score - rows[0].score)
    assert "differing predicts patients better than alike" in rows[1].sentence


@pytest.mark.sampling
def test_wide_data_say_and_narrow_priors_do_not(one, cohort, fitted, refits):
    both = prior_sensitivities(fitted), prior_sensitivities(fitted, refits=refits, power_scaling=True)
    quick, slow = ([row for row in rows if row.kind in ("estimand", "decision")] for rows in both)
    for a, b in zip(quick, slow, strict=True):
        assert a.verdict == b.verdict == DATA
        assert a.contraction > 0.9
        for x, y in ((a.median_half, b.median_half), (a.median_double, b.median_double)):
            assert x == pytest.approx(y, abs=0.35 * float(fitted.estimands["change"].std()))
    assert not any(r.conflict for r in slow)


@pytest.mark.sampling
def test_a_planted_conflict_of_prior_and_data_is_found(cohort):
    text = ONE.replace("scale = 10", 'scale = 10\npriors = { slope = "normal(-1, 0.1)" }')
    wrong = fit(parse_study(text), cohort, sampling=SAMPLING)
    rows = {r.name: r for r in prior_sensitivities(wrong, refits=Refits(wrong, REFITTED), power_scaling=True)}
    assert rows["change"].conflict
    assert rows["gained"].verdict in (PRIOR, SILENT)
    assert rows["gained"].sentence.endswith("Prior and data pull apart: look at the priors.")


def test_without_data_the_prior_says(one, cohort):
    """Draws of the mock engine are draws from the priors: nothing has contracted."""
    mock = fit(one, cohort, engine="mock", sampling=Sampling(draws=2000, tune=1, chains=2))
    row = prior_sensitivities(mock)[0]
    assert row.contraction == pytest.approx(0.0, abs=0.15)
    assert row.verdict in (PRIOR, SILENT)


def test_log_prior_is_the_sum_of_the_densities(cohort):
    from scipy import stats

    half = {"sd_intercept": 9.0, "sd_slope": 0.7, "sigma": 6.0}
    whole = {"intercept": (48.0, 11.0), "slope": (0.2, 0.8)}
    stated = [f'{k} = "halfnormal({sd})"' for k, sd in half.items()]
    stated += [f'{k} = "normal({m}, {sd})"' for k, (m, sd) in whole.items()]
    study = parse_study(ONE.replace("scale = 10", f"scale = 10\npriors = {{ {', '.join(stated)} }}"))
    mock = fit(study, cohort, engine="mock", sampling=Sampling(draws=10, tune=1, chains=1))
    posterior = {k: mock.group("posterior")[f"strength.{k}"].values for k in (*half, *whole)}

    def log_density(spread):
        found = sum(stats.halfnorm(scale=spread * sd).logpdf(posterior[k]) for k, sd in half.items())
        return found + sum(stats.norm(m, spread * sd).logpdf(posterior[k]) for k, (m, sd) in whole.items())

    change = log_prior(mock, 2.0) - log_prior(mock)
    np.testing.assert_allclose(change, log_density(2.0) - log_density(1.0), rtol=1e-8)


def test_contraction_of_normals(rng):
    prior, posterior = rng.normal(0, 4, 100_000), rng.normal(1, 1, 100_000)
    assert contraction(posterior, prior) == pytest.approx(1 - 1 / 16, abs=0.005)
    assert contraction(prior, prior) == 0.0


def test_patients_who_differ_in_nothing_are_left_out(cohort):
    text = ONE.replace('trajectory = { kind = "linear" }', 'trajectory = { kind = "linear" }\neffects = []')
    text = text.replace(", sd_intercept = 8, sd_slope = 0.8, correlation = -0.4", "")
    mock = fit(parse_study(text), cohort, engine="mock", sampling=Sampling(draws=200, tune=1, chains=2))
    assert len(leave_one_out(mock)) == 12
    assert len(prior_sensitivities(mock, power_scaling=True)) == 2


def test_a_patient_without_whom_nobody_is_left_is_told(small, small_cohort):
    m = small_cohort.measurements["cpk"]
    alone = replace(small_cohort, measurements={**small_cohort.measurements, "cpk": m.take(m.patient == 2)})
    mock = fit(small, alone, engine="mock", sampling=Sampling(draws=200, tune=1, chains=2))
    found = leave_one_out(mock)
    assert [one.method for one in found].count("impossible") == 1
    assert found[2].method == "impossible"
    assert {f.patient for f in of_left_out(mock, found).decisions} == {one.patient for one in found} - {"P03"}
    with pytest.raises(UsageError, match="P03: cannot be left out"):
        comparisons([mock, mock])


def test_noise_alone_is_no_clear_flip(one, cohort, rng):
    """A decision on the edge: refits of the same posterior flip it often, and never clearly more often than by
    chance.
    """
    fake = fit(one, cohort, engine="mock", sampling=Sampling(draws=10, tune=1, chains=2))
    edge = 5 + 1.2816 * 2
    object.__setattr__(fake, "__dict__", {**fake.__dict__, "estimands": {"change": rng.normal(edge, 2, (4, 1000))}})
    rows = [without(f"P{i}", rng.normal(edge, 2, (2, 400))) for i in range(200)]
    found = of_left_out(fake, rows).decisions
    assert sum(f.flips for f in found) > 20
    assert (
        sum(f.flips and f.clear for f in found) <= 6
    )  # of 200: three errors, which are themselves known from ten stretches


def without(patient, draws, score=-1.0):
    return WithoutPatient(patient, 3, 12.0, "refit", score, 0.01, {"change": draws})


def test_a_flip_is_told_with_its_patient(one, cohort, rng):
    fake = fit(one, cohort, engine="mock", sampling=Sampling(draws=10, tune=1, chains=2))
    object.__setattr__(fake, "__dict__", {**fake.__dict__, "estimands": {"change": rng.normal(8, 2, (2, 20_000))}})
    rows = [without("P01", rng.normal(8, 2, (2, 20_000))), without("P02", rng.normal(4, 2, (2, 20_000)))]
    found = of_left_out(fake, rows)
    assert [p.patient for p in found.patients] == ["P02", "P01"]
    assert found.patients[0].flips == ("gained",)
    assert found.patients[0].shift == pytest.approx(-2.0, abs=0.15)
    assert [f.flips for f in found.decisions] == [False, True]
    assert found.sentences[0].startswith("gained is met with all patients, but not met without P02 (probability 0.3")


def test_influence_as_text_names_what_flips_and_what_is_rough(one, cohort, rng, capsys):
    fake = fit(one, cohort, engine="mock", sampling=Sampling(draws=10, tune=1, chains=2))
    object.__setattr__(fake, "__dict__", {**fake.__dict__, "estimands": {"change": rng.normal(8, 2, (2, 20_000))}})
    left = [without("P01", rng.normal(8, 2, (2, 20_000))), without("P02", rng.normal(4, 2, (2, 20_000)))]
    show(*shown_influence(of_left_out(fake, [left[0], replace(left[1], rhat=1.2)]), one))
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split()[0] == "P02"
    assert lines[1].split()[-1] == "gained"
    assert lines[2].split()[0] == "P01"
    assert "gained" not in lines[2]
    assert "- gained is met with all patients, but not met without P02" in lines[4]
    assert lines[5].startswith("- The short refits without P02 did not converge well")


def test_a_shared_copy_cannot_leave_out(one, cohort):
    mock = fit(one, cohort, engine="mock", sampling=Sampling(draws=10, tune=1, chains=1))
    with pytest.raises(StorageError, match="shared copy"):
        leave_one_out(share(mock))


def mocked(text, cohort=None):
    study = parse_study(text)
    cohort = cohort or simulate_scenario(study, "improves", seed=4).cohort
    return fit(study, cohort, engine="mock", sampling=Sampling(draws=10, tune=1, chains=1))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('unit = "points"', 'unit = "kg"', "different units"),
        ("[outcomes.strength]", "[outcomes.power]", "different outcomes"),
        ("patients = 12", "patients = 13", "different patients"),
        ("sigma = 4 }", "sigma = 5 }", "different measurements"),
    ],
)
def test_fits_that_measure_different_things_are_not_compared(old, new, message):
    other = ONE.replace(old, new)
    if "power" in new:
        other = other.replace('outcome = "strength"', 'outcome = "power"').replace("\nstrength = {", "\npower = {")
    with pytest.raises(UsageError, match=message):
        comparisons([mocked(ONE), mocked(other)])


def test_a_density_is_not_compared_with_a_probability(one):
    cohort = simulate_scenario(one, "improves", seed=4).cohort
    m = cohort.measurements["strength"]
    at_ceiling = replace(m, value=np.clip(m.value, 0, 55) * 100 / 55)
    cohort = replace(cohort, measurements={"strength": at_ceiling})
    bounded = ONE[: ONE.index("[scenarios")].replace(
        'kind = "gaussian"', 'kind = "ordered_beta", lower = 0, upper = 100'
    )
    with pytest.raises(UsageError, match="a probability in one likelihood where the other has a density"):
        comparisons([mocked(ONE[: ONE.index("[scenarios")], cohort), mocked(bounded, cohort)])


def test_a_single_fit_is_not_compared(one, cohort):
    with pytest.raises(UsageError, match="two fits or more"):
        comparisons([mocked(ONE)])


@pytest.mark.sampling
def test_the_commands_say_the_same(run, fitted, left_out, tmp_path):
    path = tmp_path / "fit.nc"
    save_fit(fitted, path)
    said = run("influence", path, "--quick", "--json")
    assert said.code == 0
    assert {p["patient"] for p in said.json["patients"]} == {one.patient for one in left_out}
    shifts = [abs(p["shift"]) for p in said.json["patients"]]
    assert shifts == sorted(shifts, reverse=True)
    copy = tmp_path / "again.nc"
    copy.write_bytes(path.read_bytes())
    compared = run("compare", path, copy, "--json")
    assert compared.code == 0
    assert [c["ranked"] for c in compared.json["comparisons"]] == [False, False]
    checked = run("check", path, "--refit", "--json")
    names = [c["name"] for c in checked.json["checks"]]
    failed = [c["name"] for c in checked.json["checks"] if not c["passed"]]
    flips = any(f.flips and f.clear for f in of_left_out(fitted, left_out).decisions)
    assert failed == (["influence"] if flips else [])
    assert checked.code == int(flips)
    assert names[0] == "convergence"
    assert names[-2:] == ["influence", "prior sensitivity"]


def test_a_fit_that_is_not_trusted_is_not_built_upon(run, one, cohort, tmp_path):
    paths = [tmp_path / "one.nc", tmp_path / "other.nc"]
    for path in paths:
        save_fit(fit(one, cohort, engine="mock", sampling=Sampling(draws=10, tune=1, chains=2)), path)
    for words in (("influence", paths[0]), ("compare", *paths)):
        result = run(*words)
        assert (result.code, result.out) == (1, "")
        assert "does not draw from the posterior" in result.err


def test_limits_in_one_study_alone_are_named(good_fit, small_cohort):
    text = SMALL.replace('better = "lower"', 'better = "lower"\ncensoring = { above = 100000 }')
    study = parse_study(text)
    m = small_cohort.measurements["cpk"]
    other = replace(
        small_cohort,
        measurements={
            **small_cohort.measurements,
            "cpk": replace(m, side=np.where(m.value == m.value.max(), RIGHT, m.side)),
        },
    )
    limited = fit_of(study, other, independent_draws(study, other))
    with pytest.raises(UsageError, match="is read with limits in one fit and without in the other"):
        comparisons([good_fit, limited])
