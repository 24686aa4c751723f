"""Operating characteristics, of rows whose answers are known."""

import json
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from bayesmyo.components.decisions import Dual, Equivalence, Precision, Probability
from bayesmyo.report import documents
from bayesmyo.simulation.cell import Cell
from bayesmyo.simulation.plan import Plan
from bayesmyo.simulation.power import sequential, words
from bayesmyo.simulation.power.answer import power_answer
from bayesmyo.simulation.power.operating import decisions, estimands
from bayesmyo.simulation.power.rates import mean, rate, root_mean_square
from bayesmyo.simulation.power.smallest import smallest_n
from bayesmyo.simulation.row import Quantity, Row
from bayesmyo.study import read_study
from tests.conftest import ROOT
from tests.simulation.frames import frames, of, results

STUDY = read_study(ROOT / "tests" / "reference" / "one_arm.toml")


def cell(scenario="four", patients=23, looks=()):
    return Cell(STUDY, scenario, patients, STUDY, {"scenario": scenario, "patients": patients}, looks)


def study_of(cells, **options):
    return Plan("power", tuple(cells), 10, engine="mock", **options)


def analysed(c, replicate, estimate, error, truth=4.0, look=None, freedom=np.inf):
    """A row whose posterior is normal around an estimate."""
    look = look or c.patients
    reach = 1.96 * error
    p = float(stats.norm.sf(-estimate / error))
    slope = Quantity(
        "estimand",
        "slope",
        look,
        truth=truth,
        mean=estimate,
        sd=error,
        median=estimate,
        lower=estimate - reach,
        upper=estimate + reach,
    )
    rule = Quantity("decision", "rises", look, truth=truth, probability=p, met=p >= 0.975)
    beside = Quantity("comparator", "t test for rises", look, truth=truth, probability=p, met=p >= 0.9)
    about = Quantity(
        "comparator",
        "t test: slope",
        look,
        truth=truth,
        median=estimate + 1,
        lower=estimate - reach,
        upper=estimate + reach,
        probability=p,
        met=True,
    )
    return Row(c.key, replicate, rhat=1.0, ess=400.0, patients=look, quantities=(slope, rule, beside, about))


def simulated(c, n, truth, error, rng, failed=0):
    rows = [analysed(c, i, truth + error * rng.standard_normal(), error, truth) for i in range(n)]
    return rows + [Row(c.key, n + i, "fit" if i % 2 else "crashed", "no memory") for i in range(failed)]


# --- rates


def test_a_share_has_its_error_and_its_exact_interval():
    r = rate(np.array([True] * 7 + [False] * 3))
    theirs = stats.binomtest(7, 10).proportion_ci(0.95, method="exact")
    assert (r.met, r.of, r.value) == (7, 10, 0.7)
    assert r.mcse == pytest.approx(np.sqrt(0.7 * 0.3 / 10))
    np.testing.assert_allclose([r.lower, r.upper], theirs)
    assert rate(np.zeros(0, dtype=bool)).value is None
    assert rate(np.zeros(20, dtype=bool)).upper == pytest.approx(1 - 0.025 ** (1 / 20))


def test_monte_carlo_errors_are_those_of_the_estimates(rng):
    """Over many simulation studies, estimates scatter as far as each says it does."""
    drawn = rng.normal(0.3, 2.0, size=(3000, 100))
    for function in (mean, root_mean_square):
        found = [function(x) for x in drawn]
        spread = np.std([f.value for f in found])
        assert spread == pytest.approx(np.mean([f.mcse for f in found]), rel=0.05)
    assert np.mean([root_mean_square(x).value for x in drawn]) == pytest.approx(np.hypot(0.3, 2.0), rel=0.01)


# --- decisions


def test_power_is_met_of_those_done_and_failures_are_counted_beside(rng):
    c = cell()
    rows = simulated(c, 400, 4.0, 1.5, rng, failed=20)
    (d,) = decisions(study_of([c]), *frames(rows))
    met = sum(of(r, "decision")["rises"].met for r in rows if r.stage == "done")
    assert (d.replicates, d.rate.of, d.rate.met, d.failed) == (420, 400, met, {"crashed": 10, "fit": 10})
    assert (d.worst, d.best) == (met / 420, (met + 20) / 420)
    exact = stats.norm.sf(1.96 - 4 / 1.5)
    assert abs(d.rate.value - exact) < 3 * d.rate.mcse
    assert (d.true, d.null, d.error.value, d.power) == (400, False, None, d.rate)
    assert (d.truth, d.varies, d.assurance) == (4.0, False, False)
    assert d.comparators.keys() == {"t test for rises", "t test: slope"}
    assert d.comparators["t test for rises"].value == pytest.approx(
        np.mean([of(r, "comparator")["t test for rises"].met for r in rows if r.stage == "done"])
    )


def test_what_is_met_though_it_is_not_true_is_type_1_error(rng):
    c = cell("null")
    (d,) = decisions(study_of([c]), *frames(simulated(c, 2000, 1e-13, 1.5, rng)))  # zero, but for rounding
    assert d.null
    assert d.power.value is None
    assert abs(d.error.value - 0.025) < 3 * d.error.mcse
    assert "though the true value is 0 ms per day" in words.sentence(STUDY, d)
    assert words.sentence(STUDY, d).endswith("its type I error there.")


def test_a_cell_of_which_nothing_is_done():
    c = cell()
    (d,) = decisions(study_of([c]), *frames([Row(c.key, 0, "fit", "no memory")]))
    assert (d.rate.value, d.worst, d.best, d.null) == (None, 0.0, 1.0, False)
    assert "nothing can be said of rises: none of 1 replicates was finished" in words.sentence(STUDY, d)


@pytest.mark.parametrize(
    ("rule", "truths", "expected"),
    [
        (Probability(estimand="slope", above=0.5, probability=0.9), [0.4, 0.5, 0.5 + 1e-12, 0.6],
         [False, False, False, True]),
        (Probability(estimand="slope", below=0.5, probability=0.9), [0.4, 0.5, 0.6], [True, False, False]),
        (Dual(estimand="slope", null=0, relevant=0.5, probability=0.9), [-0.1, 0.4, 0.5, 0.6],
         [False, False, False, True]),
        (Equivalence(estimand="slope", low=-1, high=1, probability=0.9), [-1.0, 0.0, 1.0, 2.0],
         [False, True, False, False]),
        (Precision(estimand="slope", width=1.0), [0.0], None),
    ],
)  # fmt: skip
def test_when_a_decision_is_right_to_be_met(rule, truths, expected):
    found = rule.right(np.array(truths))
    assert found is None if expected is None else found.tolist() == expected


def test_over_a_design_prior_power_is_assurance(rng):
    """Against its closed form: Phi((m - z e) / sqrt(s^2 + e^2)) (O'Hagan, Stevens and Campbell 2005)."""
    c = cell("hope")
    truths = rng.normal(0.5, 0.3, 3000)
    rows = [analysed(c, i, t + 0.2 * rng.standard_normal(), 0.2, t) for i, t in enumerate(truths)]
    (d,) = decisions(study_of([c]), *frames(rows))
    assert abs(d.rate.value - 0.6177428695) < 3 * d.rate.mcse
    assert d.assurance
    assert d.true == (truths > 0).sum()
    assert d.power.met + d.error.met == d.rate.met
    text = words.sentence(STUDY, d)
    assert "over all that the scenario hope holds possible" in text
    assert re.search(r"it was right to be met in 9\d%, and was met in 6\d% of those and in", text)


def test_the_sentence_is_one_that_can_be_repeated(rng):
    c = cell()
    (d,) = decisions(study_of([c]), *frames(simulated(c, 397, 4.0, 1.5, rng, failed=3)))
    p, low, high = (f"{100 * v:.0f}%" for v in (d.rate.value, d.worst, d.best))
    assert words.sentence(STUDY, d) == (
        f"With 23 patients, a true average slope of reaction time from day 0 to 9 of 4.00 ms per day would have met rises in {p} of studies "
        f"(Monte Carlo error {100 * d.rate.mcse:.1f} points; 3 of 400 fits failed: between {low} and {high} however they would have ended)."
    )


# --- estimands


def test_bias_coverage_and_errors_of_sign_and_magnitude(rng):
    """Of a normal estimate with a third of the effect as its error: Gelman and Carlin (2014), by their formulas."""
    c, truth, error = cell(), 1.0, 2.0
    rows = simulated(c, 4000, truth, error, rng)
    found = {e.method: e for e in estimands(study_of([c]), *frames(rows)) if e.estimand == "slope"}
    e = found["posterior"]
    assert abs(e.bias.value) < 3 * e.bias.mcse
    assert abs(e.coverage.value - 0.95) < 3 * e.coverage.mcse
    assert e.error.value == pytest.approx(error, rel=0.03)
    assert e.width.value == pytest.approx(2 * 1.96 * error)
    high, low = stats.norm.sf(1.96 - truth / error), stats.norm.cdf(-1.96 - truth / error)
    assert abs(e.significant.value - (high + low)) < 3 * e.significant.mcse
    assert abs(e.sign.value - low / (high + low)) < 3 * e.sign.mcse
    draws = truth + error * np.random.default_rng(1).standard_normal(400_000)
    exaggeration = np.abs(draws[np.abs(draws) > 1.96 * error]).mean() / truth
    assert abs(e.magnitude.value - exaggeration) < 4 * e.magnitude.mcse
    assert found["t test"].bias.value == pytest.approx(e.bias.value + 1)


def test_without_an_effect_there_is_no_error_of_sign(rng):
    c = cell("null")
    (e, _) = estimands(study_of([c]), *frames(simulated(c, 50, 1e-14, 1.0, rng)))
    assert (e.sign, e.magnitude) == (None, None)
    assert e.significant.of == 50


def test_a_comparator_that_fails_is_counted(rng):
    c = cell()
    rows = simulated(c, 10, 4.0, 1.0, rng)
    failed = Quantity("comparator", "t test: slope", 23, truth=4.0)
    rows[0] = replace(rows[0], quantities=(*rows[0].quantities[:3], failed))
    found = {e.method: e for e in estimands(study_of([c]), *frames(rows)) if e.estimand == "slope"}
    assert (found["t test"].answered, found["t test"].done) == (9, 10)


# --- looks


def looked(c, replicate, estimates):
    """A row that was looked at: look -> (estimate, error)."""
    quantities = [q for look, (x, s) in estimates.items() for q in analysed(c, replicate, x, s, 0.0, look).quantities]
    return Row(c.key, replicate, rhat=1.0, ess=400.0, patients=c.patients, quantities=tuple(quantities))


def test_a_study_stops_at_its_first_success_or_when_it_is_futile():
    met = np.array(
        [[True, False, True], [False, True, False], [False, False, True], [False, False, False], [False, True, True]]
    )
    p = np.array([[0.99, 0.5, 0.99], [0.5, 0.99, 0.5], [0.5, 0.6, 0.99], [0.5, 0.5, 0.5], [0.05, 0.99, 0.99]])
    where, why = sequential.stopped(met, np.zeros(met.shape, dtype=bool))
    assert (where.tolist(), why.tolist()) == ([0, 1, 2, 2, 1], [1, 1, 1, -1, 1])
    where, why = sequential.stopped(met, p < 0.1)
    assert (where.tolist(), why.tolist()) == ([0, 1, 2, 2, 0], [1, 1, 1, -1, -1])


def test_looks_on_the_way_raise_the_type_1_error_to_what_is_known(rng):
    """Two looks at half and all of the data, each at one-sided 0.025: 0.0415 overall, by the bivariate normal
    distribution.
    """
    c, n = cell("null", 20, looks=(10, 20)), 2500
    first, second = rng.standard_normal((2, n))
    rows = [
        looked(c, i, {10: (a * 10**-0.5, 10**-0.5), 20: ((a + b) / 2 * 10**-0.5, 20**-0.5)})
        for i, (a, b) in enumerate(zip(first, second, strict=True))
    ]
    s = sequential.sequences(study_of([c]), frames(rows)[1])[0]
    below = stats.multivariate_normal([0, 0], [[1, np.sqrt(0.5)], [np.sqrt(0.5), 1]]).cdf([1.96, 1.96])
    assert abs(s.success.value - (1 - below)) < 3 * s.success.mcse
    assert s.stops[0].success.met + s.stops[1].success.met == s.success.met
    assert s.patients.value == pytest.approx(20 - 10 * s.stops[0].success.value)
    futile = sequential.sequences(study_of([c]), frames(rows)[1], futility=0.3)[0]
    assert abs(futile.stops[0].futility.value - 0.3) < 3 * futile.stops[0].futility.mcse
    assert futile.success.met <= s.success.met
    assert futile.patients.value < s.patients.value
    assert s.null
    text = words.sequence_sentence(futile)
    assert "Looked at after 10, 20 patients" in text
    assert ", its type I error over all looks; " in text


# --- the smallest number of patients


def exact_power(n):
    shift, limit = 4 / np.sqrt(43.010381 / n), stats.t.ppf(0.975, n - 1)
    return stats.nct.sf(limit, n - 1, shift) + stats.nct.cdf(-limit, n - 1, shift)


@pytest.mark.parametrize(("target", "exact"), [(0.5, 13), (0.8, 24)])
def test_the_smallest_number_is_that_of_the_exact_power_curve(rng, target, exact):
    assert exact_power(exact - 1) < target <= exact_power(exact)
    n = [6, 10, 15, 18, 23, 30]
    found = [smallest_n(n, rng.binomial(400, [exact_power(k) for k in n]), [400] * len(n), target) for _ in range(20)]
    assert abs(np.mean([f.value for f in found]) - exact) < 1
    assert np.mean([f.lower <= exact <= f.upper for f in found]) >= 0.85
    assert all(f.reached == "within" for f in found)


def test_nothing_is_said_beyond_what_was_simulated():
    none = smallest_n([6, 10], [10, 20], [100, 100], 0.8)
    assert (none.value, none.upper, none.reached) == (None, None, "nowhere")
    assert "is not reached with up to 10 patients" in none.sentence
    already = smallest_n([10, 6], [96, 90], [100, 100], 0.8)
    assert (already.value, already.reached) == (None, "everywhere")
    assert "is reached with 6 patients already" in already.sentence
    with pytest.raises(ValueError, match="two numbers of patients"):
        smallest_n([6], [1], [2], 0.8)


def test_assurance_that_levels_off_is_not_forced_on_a_line():
    n, exact = [6, 10, 15, 18, 23, 50, 200], [0.26143, 0.428168, 0.563647, 0.619465, 0.686635, 0.833916, 0.933587]
    found = smallest_n(n, [round(4000 * p) for p in exact], [4000] * len(n), 0.65)
    assert found.method == "monotone"
    assert found.value == 21
    assert smallest_n(n, [round(4000 * p) for p in exact], [4000] * len(n), 0.977).reached == "nowhere"


# --- all together


def test_an_answer_has_tables_and_one_strict_json(rng):
    cells = [cell(s, n) for s in ("four", "null") for n in (6, 23)]
    rows = [
        r for c in cells for r in simulated(c, 60, 4.0 if c.truths == "four" else 0.0, 15 / np.sqrt(c.patients), rng)
    ]
    found = power_answer(results(study_of(cells), rows))
    assert [s.labels["scenario"] for s in found.smallest] == ["four"]
    table = found.table()
    assert isinstance(table, pd.DataFrame)
    assert table[["scenario", "patients", "decision", "replicates", "met"]].notna().all().all()
    assert {"probability", "mcse", "worst", "best", "comparators_t test for rises_value"} <= set(table.columns)
    for part in (*found.decisions, *found.estimands, *found.smallest):
        assert json.loads(documents.document(part=part.as_dict()))
    assert len(found.sentences) == 4 + 1 + 2  # of cells, of the smallest number, of the worst error and power
