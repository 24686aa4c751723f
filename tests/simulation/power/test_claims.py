"""What a claim would be worth, against closed forms of normal studies whose rows are made here."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, stats

from bayesmyo.errors import UsageError
from bayesmyo.report import documents
from bayesmyo.simulation.cell import Cell
from bayesmyo.simulation.options import PowerOptions
from bayesmyo.simulation.plan import Plan
from bayesmyo.simulation.power import words
from bayesmyo.simulation.power.answer import power_answer
from bayesmyo.simulation.power.claims import claims, extremes
from bayesmyo.simulation.power.grid import power_plan
from bayesmyo.simulation.power.rates import among, mean_among
from bayesmyo.simulation.row import Quantity, Row
from bayesmyo.study import read_study
from tests.conftest import ROOT
from tests.simulation.frames import frames, results

STUDY = read_study(ROOT / "tests" / "reference" / "one_arm.toml")
LIMIT = stats.norm.ppf(0.975)
CENTER, SPREAD, ERROR = 0.5, 0.3, 0.2  # of the design prior, and of an estimate


def cell(scenario="hope", patients=23, looks=()):
    return Cell(STUDY, scenario, patients, STUDY, {"scenario": scenario, "patients": patients}, looks)


def plan_of(*cells):
    return Plan("power", cells, 10, engine="mock")


def row(c, replicate, answers, truth):
    """A row whose posterior is normal: look -> (mean, SD)."""
    quantities = []
    for look, (mean, sd) in answers.items():
        p = float(stats.norm.sf(-mean / sd))
        limits = {"median": mean, "lower": mean - LIMIT * sd, "upper": mean + LIMIT * sd}
        quantities.append(Quantity("estimand", "slope", look, truth=truth, **limits))
        quantities.append(Quantity("decision", "rises", look, truth=truth, probability=p, met=p >= 0.975))
    return Row(c.key, replicate, rhat=1.0, ess=400.0, patients=c.patients, quantities=tuple(quantities))


def flat(c, truths, rng):
    """Rows of an analysis with a flat prior: the posterior is normal around an estimate."""
    drawn = truths + ERROR * rng.standard_normal(len(truths))
    return [row(c, i, {c.patients: (x, ERROR)}, float(t)) for i, (x, t) in enumerate(zip(drawn, truths, strict=True))]


def near(value, mcse, exact):
    assert abs(value - exact) < 3 * mcse


# --- over a design prior


def test_claims_over_a_normal_design_prior_are_true_as_often_as_the_integral_says(rng):
    """An estimate x ~ N(t, s), t ~ N(m, d), is claimed to be above zero where x > 1.96 s: assurance is
    Phi((m - 1.96 s) / sqrt(s^2 + d^2)), and P(t > 0, claimed) an integral over t.
    """
    c = cell()
    (claim,) = claims(plan_of(c), frames(flat(c, rng.normal(CENTER, SPREAD, 3000), rng))[1])
    assurance = stats.norm.cdf((CENTER - LIMIT * ERROR) / np.hypot(ERROR, SPREAD))
    near(claim.made.value, claim.made.mcse, assurance)

    def claimed_at(t):
        return stats.norm.pdf(t, CENTER, SPREAD) * stats.norm.sf(LIMIT - t / ERROR)

    exact = integrate.quad(claimed_at, 0, 4)[0] / integrate.quad(claimed_at, -4, 4)[0]
    near(claim.true.value, claim.true.mcse, exact)
    assert claim.true.lower < exact < claim.true.upper
    assert claim.false.value == pytest.approx(1 - claim.true.value)
    assert (claim.false.lower, claim.false.upper) == pytest.approx((1 - claim.true.upper, 1 - claim.true.lower))
    bias = integrate.dblquad(
        lambda x, t: (x - t) * stats.norm.pdf(x, t, ERROR) * stats.norm.pdf(t, CENTER, SPREAD), -1, 2, LIMIT * ERROR, 4
    )[0]
    near(claim.bias_made.value, claim.bias_made.mcse, bias / assurance)
    near(claim.bias.value, claim.bias.mcse, 0)
    assert (claim.which, claim.right, claim.over) == ("assurance", None, "all that the scenario hope holds possible")


def test_claims_of_an_analysis_that_believes_the_design_prior_are_worth_what_all_are(rng):
    """The conjugate posterior under the prior that truths come from: given any data the median is unbiased and the
    interval covers, and so do they given a claim.
    """
    c, n = cell(), 3000
    truths = rng.normal(CENTER, SPREAD, n)
    x = truths + ERROR * rng.standard_normal(n)
    precision = 1 / SPREAD**2 + 1 / ERROR**2
    mean, sd = (CENTER / SPREAD**2 + x / ERROR**2) / precision, precision**-0.5
    rows = [row(c, i, {c.patients: (m, sd)}, float(t)) for i, (m, t) in enumerate(zip(mean, truths, strict=True))]
    (claim,) = claims(plan_of(c), frames(rows)[1])
    near(claim.bias_made.value, claim.bias_made.mcse, 0)
    near(claim.coverage_made.value, claim.coverage_made.mcse, 0.95)
    near(claim.coverage.value, claim.coverage.mcse, 0.95)
    # P(true | claimed) is the mean posterior probability of those that are claimed
    p = stats.norm.cdf(mean / sd)
    near(claim.true.value, claim.true.mcse, p[p >= 0.975].mean())


# --- under one truth


def test_estimates_that_are_claimed_exaggerate_by_the_truncated_normal(rng):
    """E(x | x > c) = t + s phi(a) / (1 - Phi(a)) with a = (c - t) / s; of those, x - 1.96 s <= t <= x + 1.96 s covers."""
    c, truth = cell("four"), 0.3
    (claim,) = claims(plan_of(c), frames(flat(c, np.full(3000, truth), rng))[1])
    a = LIMIT - truth / ERROR
    near(claim.made.value, claim.made.mcse, stats.norm.sf(a))
    near(claim.bias_made.value, claim.bias_made.mcse, ERROR * stats.norm.pdf(a) / stats.norm.sf(a))
    covered = stats.norm.cdf(LIMIT) - stats.norm.cdf(max(a, -LIMIT))
    near(claim.coverage_made.value, claim.coverage_made.mcse, covered / stats.norm.sf(a))
    near(claim.coverage.value, claim.coverage.mcse, 0.95)
    assert (claim.which, claim.true.value, claim.right) == ("power", 1.0, True)


def test_a_claim_is_what_holds_at_the_look_at_which_a_study_ends():
    c = cell("four", 20, looks=(10, 20))
    rows = [
        row(c, 0, {10: (5.0, 1.0), 20: (1.0, 1.0)}, 4.0),  # claimed at the first look: one unit too high
        row(c, 1, {10: (0.0, 1.0), 20: (4.5, 1.0)}, 4.0),  # at the second
        row(c, 2, {10: (0.0, 1.0), 20: (1.0, 1.0)}, 4.0),
    ]
    (claim,) = claims(plan_of(c), frames(rows)[1])
    assert (claim.made.met, claim.made.of) == (2, 3)
    assert claim.bias_made.value == pytest.approx((1 + 0.5) / 2)
    assert claim.bias.value == pytest.approx((1 + 0.5 - 3) / 3)
    (futile,) = claims(plan_of(c), frames(rows)[1], futility=0.6)
    assert (futile.made.met, futile.bias.value) == (1, pytest.approx((1 - 4 - 4) / 3))


# --- over scenarios with weights


def mixture(rng, n=2000, power=0.8, error=0.05):
    four, null = cell("four"), cell("null")
    rows = [
        row(c, i, {c.patients: (10.0 if claimed else 0.0, 1.0)}, t)
        for c, t, p, many in ((four, 4.0, power, n), (null, 0.0, error, n // 2))
        for i, claimed in enumerate(rng.random(many) < p)
    ]
    return plan_of(four, null), rows


def test_weights_give_bayes_rule(rng):
    plan, rows = mixture(rng)
    *_, claim = claims(plan, frames(rows)[1], weights={"null": 0.7, "four": 0.3})
    near(claim.made.value, claim.made.mcse, 0.3 * 0.8 + 0.7 * 0.05)
    near(claim.true.value, claim.true.mcse, 0.3 * 0.8 / (0.3 * 0.8 + 0.7 * 0.05))
    assert claim.labels["scenario"] == "null 0.7, four 0.3"
    assert claim.over == "the scenarios null (0.7) and four (0.3)"
    total = 0.3 * 0.8 + 0.7 * 0.05
    near(claim.bias_made.value, claim.bias_made.mcse, (0.3 * 0.8 * 6 + 0.7 * 0.05 * 10) / total)


def test_the_interval_of_a_weighted_share_holds_it_as_often_as_it_says(rng):
    """With few claims, of which many studies have none: the exact share is known."""
    w, exact, found = (0.5, 0.5), 0.6 / (0.6 + 0.02), []
    for _ in range(200):
        made = [rng.random(60) < p for p in (0.6, 0.02)]
        right = [np.ones(60, dtype=bool), np.zeros(60, dtype=bool)]
        r = among(w, made, right, (True, False))
        found.append(r.lower <= exact <= r.upper)
    assert np.mean(found) > 0.95 - 3 * np.sqrt(0.95 * 0.05 / 200)


def test_errors_of_weighted_shares_and_means_are_those_of_the_estimates(rng):
    shares, means = [], []
    for _ in range(400):
        made = [rng.random(n) < p for n, p in ((300, 0.7), (150, 0.2))]
        right = [rng.random(len(m)) < p for m, p in zip(made, (0.9, 0.3), strict=True)]
        shares.append(among((0.4, 0.6), made, right))
        means.append(mean_among((0.4, 0.6), made, [rng.normal(k, 2, len(m)) for k, m in enumerate(made)]))
    for several, exact in ((shares, (0.28 * 0.9 + 0.12 * 0.3) / 0.4), (means, 0.12 / 0.4)):
        values, errors = np.array([(r.value, r.mcse) for r in several]).T
        assert values.std() == pytest.approx(errors.mean(), rel=0.1)
        assert abs(values.mean() - exact) < 4 * values.std() / np.sqrt(400)


def test_no_claim_says_nothing_of_claims():
    plan, rows = mixture(np.random.default_rng(1), 40, 0.0, 0.0)
    *_, claim = claims(plan, frames(rows)[1], weights={"null": 0.5, "four": 0.5})
    assert (claim.made.value, claim.true.value, claim.bias_made.value) == (0.0, None, None)
    assert words.claim_sentence(claim).endswith("(assurance); how often a claim is true cannot be said.")
    assert claims(plan, frames([])[1], weights={"null": 0.5, "four": 0.5})[0].made.value is None


# --- at its worst


def test_the_limit_of_the_largest_error_holds_for_all_cells_together(rng):
    """Five null cells, each with 100 studies: the limit is not below the largest true error in 95 of 100 studies."""
    errors, held = np.array([0.05, 0.05, 0.05, 0.04, 0.02]), []
    cells = [cell("null", n) for n in (5, 6, 7, 8, 9)]
    (c, *_) = claims(plan_of(cells[0]), frames(flat(cells[0], np.zeros(2), rng))[1])
    for _ in range(400):
        met = rng.binomial(100, errors)
        made = [among((1.0,), [np.ones(100, dtype=bool)], [np.arange(100) < k]) for k in met]
        listed = [replace(c, labels=each.labels, made=m) for each, m in zip(cells, made, strict=True)]
        (worst,) = extremes(listed)
        assert (worst.rate.met, worst.cells) == (met.max(), 5)
        assert worst.limit == pytest.approx(stats.beta.ppf(0.95 ** (1 / 5), met.max() + 1, 100 - met.max()))
        held.append(worst.limit >= errors.max())
    assert np.mean(held) >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / 400)


def test_error_and_power_are_each_judged_at_their_worst(rng):
    cells = [cell(s, n) for s in ("four", "null") for n in (6, 23)]
    rows = [r for c, t in zip(cells, (0.2, 0.6, 0, 0), strict=True) for r in flat(c, np.full(400, float(t)), rng)]
    found = power_answer(results(plan_of(*cells), rows), weights={"four": 0.5, "null": 0.5})
    power, error = found.extremes
    assert (power.error, power.labels["patients"], power.cells) == (False, 6, 2)
    assert power.limit < power.rate.value
    assert error.error
    assert error.limit > error.rate.value
    said = words.extreme_sentence(power)
    assert said.startswith("The smallest power of rises of the 2 simulated cells in which it is true is ")
    assert said in found.sentences
    assert len(found.about) == len(found.sentences)
    table = found.claim_table()
    assert isinstance(table, pd.DataFrame)
    assert table["scenario"].tolist() == ["four", "four", "null", "null", *["four 0.5, null 0.5"] * 2]
    assert {"made_value", "true_lower", "bias_made_value", "coverage_made_value"} <= set(table.columns)
    for part in (*found.claims, *found.extremes):
        assert json.loads(documents.document(part=part.as_dict()))


# --- what cannot be asked


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ({"null": 0.5, "four": 0.4}, "must add up to 1; got 0.9"),
        ({"null": 0.5, "fours": 0.5}, 'names no scenario that is simulated; got "fours"; did you mean "four"?'),
        ({"null": 1.5, "four": -0.5}, "weights null: must lie between 0 and 1; got 1.5"),
        ((0.5, 0.5), "must be shares by the names of scenarios"),
    ],
)
def test_weights_that_are_none(weights, said):
    with pytest.raises(UsageError) as error:
        power_plan(PowerOptions(STUDY, "out", weights=weights))
    assert said in str(error.value)
