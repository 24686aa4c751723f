"""What a fit says, on posteriors whose summaries are known by hand."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from bayesmyo.assess.checks import CheckResult
from bayesmyo.assess.diagnostics import diagnose, quantile_errors
from bayesmyo.assess.estimate import (
    estimates,
    parameter_estimates,
    parameters,
    sentence,
    verdicts,
)
from bayesmyo.assess.said import decisions, estimate
from bayesmyo.assess.withhold import withhold
from bayesmyo.components.numbers import probability_text, significant
from bayesmyo.inference.engines import Draws
from bayesmyo.model import simulate_scenario
from bayesmyo.report import documents
from bayesmyo.study import parse_study
from tests.conftest import SMALL, fit_of, independent_draws

LEVEL = '\n[estimands.{}]\nkind = "level"\noutcome = "{}"\nat = 12\npopulation = "{}"\n{}\n'
STUDY = parse_study(
    SMALL.replace('title = "Small"', 'title = "Small"\ntreatment = "IVIG"')
    + LEVEL.format("cpk_mean", "cpk", "population average", 'summary = "mean"')
    + LEVEL.format("cpk_median", "cpk", "population average", "above = 150")
    + LEVEL.format("cpk_mean_these", "cpk", "these patients", 'summary = "mean"')
    + LEVEL.format("cpk_new", "cpk", "new patient", 'predicts = "measurement"')
    + LEVEL.format("strength_average", "strength", "average patient", "below = 50")
    + LEVEL.format("strength_mean", "strength", "population average", 'summary = "mean"')
)
RATIOS = np.linspace(0.2, 0.8, 1000).reshape(4, 250)  # of the geometric mean of cpk at month 12 to that at month 0


@pytest.fixture(scope="module")
def grid():
    """A fit in which cpk_ratio_12 runs evenly from 0.2 to 0.8, and the strength at month 12 is 56 in every draw."""
    cohort = simulate_scenario(STUDY, "improves", seed=4).cohort
    draws = independent_draws(STUDY, cohort, draws=250)
    p = draws.posterior
    p["cpk.start"][:], p["cpk.half_time"][:] = np.log(800), 3.0
    p["cpk.asymptote"][:] = np.log(800) + np.log(RATIOS) / (1 - 2**-4)
    p["strength.intercept"][:], p["strength.slope"][:] = 50.0, 0.5
    return fit_of(STUDY, cohort, draws)


@pytest.fixture(scope="module")
def found(grid):
    return {e.name: e for e in estimates(grid)}


def test_every_estimand_is_there_in_the_studys_order(found):
    assert list(found) == list(STUDY.estimands)


def test_median_interval_and_probability_are_those_of_the_draws(found):
    e = found["cpk_ratio_12"]
    assert (e.lower, e.median, e.upper) == pytest.approx((0.215, 0.5, 0.785))
    assert (e.mean, e.sd) == pytest.approx((0.5, RATIOS.std(ddof=1)))
    assert (e.direction, e.threshold, e.probability, e.interval) == ("below", 1.0, 1.0, 0.95)


def test_the_interval_is_the_studys_own(grid):
    narrow = parse_study(STUDY.text.replace('patient = "patient"', 'patient = "patient"\ninterval = 0.5'))
    draws = Draws({str(k): v.values for k, v in grid.group("posterior").data_vars.items()}, {})
    e = estimates(fit_of(narrow, grid.cohort, draws))[0]
    assert (e.interval, e.lower, e.upper) == pytest.approx((0.5, 0.35, 0.65))
    assert "(50% interval 0.4 to 0.7)" in e.sentence  # so few draws leave one digit


def test_monte_carlo_error_and_effective_draws_are_those_of_the_estimand(found):
    d = diagnose({"x": RATIOS})["x"]
    assert found["cpk_ratio_12"].mcse == pytest.approx(d.mcse)
    assert found["cpk_ratio_12"].ess == pytest.approx(d.ess_bulk)


def test_a_posterior_of_one_value_is_that_value(found):
    e = found["strength_average"]
    assert (e.mean, e.lower, e.median, e.upper, e.sd) == pytest.approx((56, 56, 56, 56, 0))
    assert e.probability == 0
    assert np.isnan(e.ess)


def test_an_arithmetic_average_over_a_log_normal_population_has_no_moments(found):
    for name in ("cpk_mean", "cpk_new"):
        assert (found[name].mean, found[name].sd, found[name].mcse) == (None, None, None)
        assert found[name].lower < found[name].median < found[name].upper
    for name in ("cpk_median", "cpk_mean_these", "strength_mean", "cpk_ratio_12"):
        assert None not in (found[name].mean, found[name].sd, found[name].mcse)


def test_a_level_has_no_probability_unless_a_threshold_is_declared(found):
    assert found["cpk_mean"].probability is None
    assert (found["cpk_median"].direction, found["cpk_median"].threshold) == ("above", 150)
    levels = np.exp(np.log(800) + np.log(RATIOS))
    assert found["cpk_median"].probability == (levels > 150).mean()


def test_the_number_says_what_it_is_of(found):
    assert {name: (e.summary, e.population) for name, e in found.items()} == {
        "cpk_ratio_12": ("geometric mean", "population average"),
        "cpk_mean": ("mean", "population average"),
        "cpk_median": ("geometric mean", "population average"),
        "cpk_mean_these": ("mean", "these patients"),
        "cpk_new": ("measurement", "new patient"),
        "strength_average": ("mean", "average patient"),
        "strength_mean": ("mean", "population average"),
    }


def test_sentences(found, snapshot):
    assert [e.sentence for e in found.values()] == snapshot


# --- the JSON form


def test_json_has_at_or_from_and_to(found):
    level, ratio = found["cpk_median"].as_dict(), found["cpk_ratio_12"].as_dict()
    assert level["at"] == 12
    assert (ratio["from"], ratio["to"]) == (0, 12)
    assert level.keys() - ratio.keys() == {"at"}
    assert ratio.keys() - level.keys() == {"from", "to"}


def test_json_gives_a_probability_with_its_threshold(found):
    assert found["cpk_median"].as_dict()["probability"].keys() == {"above", "value"}
    assert found["cpk_ratio_12"].as_dict()["probability"] == {"below": 1.0, "value": 1.0}
    assert found["cpk_mean"].as_dict()["probability"] is None


def test_json_has_null_where_nothing_can_be_said(found):
    row = json.loads(documents.document(rows=[found["strength_average"].as_dict()]))["rows"][0]
    assert row["ess"] is None
    assert row["mcse"] is None
    assert row["median"] == pytest.approx(56)


# --- decisions


def test_a_decision_is_judged_on_the_draws_of_its_estimand(grid):
    (d,) = verdicts(grid)
    assert (d.name, d.estimand, d.met) == ("cpk_halved", "cpk_ratio_12", False)
    assert (d.probability, d.margin) == pytest.approx((0.5, -0.4))
    assert "not met" in d.sentence


# --- parameters


def test_parameters_are_on_the_link_scale_beside_their_priors(grid):
    rows = {p.name: p for p in parameter_estimates(grid)}
    assert len(rows) == 13
    start, sigma = rows["cpk.start"], rows["strength.sigma"]
    assert (start.median, start.unit, start.outcome) == (pytest.approx(np.log(800)), "log IU/L", "cpk")
    prior = np.log(1200) + np.array([-1.96, 1.96]) * np.log(2.5)
    assert (start.prior_lower, start.prior_upper) == pytest.approx(tuple(prior), rel=1e-4)
    assert (sigma.mean, sigma.sd) == pytest.approx((4, 0.02), rel=0.05)
    assert sigma.lower < sigma.median < sigma.upper
    assert sigma.rhat == pytest.approx(1, abs=0.02)


# --- withheld


def test_the_reason_stands_in_place_of_every_sentence(grid):
    failed = [CheckResult("a", False, "Too few draws."), CheckResult("b", False, "Chains apart.")]
    for rows in (estimates(grid), verdicts(grid)):
        held = withhold(rows, failed)
        assert {r.sentence for r in held} == {"withheld: Too few draws. Chains apart."}
        assert [r.name for r in held] == [r.name for r in rows]
        assert withhold(rows, []) == rows


@pytest.mark.parametrize(
    ("outcome", "held"), [("cpk", {"cpk_ratio_12", "cpk_mean", "cpk_median", "cpk_mean_these", "cpk_new"}),
     ("strength", {"strength_average", "strength_mean"})]
)  # fmt: skip
def test_a_check_that_names_outcomes_withholds_what_speaks_of_them(grid, outcome, held):
    failed = [CheckResult("time course", False, "It bends.", outcomes=(outcome,))]
    rows = withhold(estimates(grid), failed)
    assert {r.name for r in rows if r.sentence.startswith("withheld: It bends.")} == held
    untouched = {e.name: e.sentence for e in estimates(grid) if e.name not in held}
    assert {r.name: r.sentence for r in rows if r.name not in held} == untouched
    (d,) = withhold(verdicts(grid), failed)
    assert d.sentence.startswith("withheld: ") is (outcome == "cpk")
    both = [*failed, CheckResult("rhat", False, "Chains apart.")]
    for r in withhold(estimates(grid), both):
        assert r.sentence == ("withheld: It bends. Chains apart." if r.name in held else "withheld: Chains apart.")


def test_the_reason_is_what_a_check_says_of_these_outcomes_alone(grid):
    said = {"cpk": "CPK bends.", "strength": "Strength jumps."}
    failed = [CheckResult("time course", False, " ".join(said.values()), outcomes=("cpk", "strength"), by_outcome=said)]
    for r in withhold(estimates(grid), failed):
        assert r.withheld
        assert r.sentence == f"withheld: {said[r.outcome]}"


# --- shares, times and their decisions

MORE = """
[estimands.response]
kind = "share"
at = 12
criteria = { strength = { of = "change", at_least = 5 }, cpk = { of = "ratio", at_most = 0.5 } }
[estimands.response_these]
kind = "share"
at = 12
criteria = { strength = { at_least = 50 }, cpk = { at_most = 300 } }
population = "these patients"
above = 0.5
[estimands.response_measured]
kind = "share"
at = 12
criteria = { cpk = { at_most = 300 } }
predicts = "measurement"
[estimands.halved]
kind = "time to"
outcome = "cpk"
at_most = 400
within = 24
[estimands.strong]
kind = "time to"
outcome = "strength"
at_least = 53
within = 12
population = "average patient"
[estimands.never]
kind = "time to"
outcome = "strength"
at_least = 90
within = 12
population = "these patients"
[decisions.dual]
kind = "dual"
estimand = "response"
null = 0.1
relevant = 0.3
probability = 0.9
[decisions.narrow]
kind = "precision"
estimand = "halved"
width = 2
[decisions.same]
kind = "equivalence"
estimand = "response_these"
low = 0.2
high = 0.8
probability = 0.9
"""


@pytest.fixture(scope="module")
def more(grid):
    study = parse_study(STUDY.text + MORE)
    draws = Draws({str(k): v.values for k, v in grid.group("posterior").data_vars.items()}, {})
    return fit_of(study, grid.cohort, draws)


def test_sentences_of_shares_and_times(more, snapshot):
    found = {e.name: e.sentence for e in estimates(more)}
    assert [found[name] for name in more.study.estimands if name not in STUDY.estimands] == snapshot


def test_sentences_of_their_decisions(more, snapshot):
    assert [(d.name, d.kind, d.sentence) for d in verdicts(more)] == snapshot


def test_a_time_that_half_of_the_draws_never_reach_is_beyond_the_last(more):
    found = {e.name: e for e in estimates(more)}
    halved, never = found["halved"], found["never"]
    log_halved = np.log(400 / 800) / (np.log(RATIOS) / (1 - 2**-4))
    inside = log_halved < 1
    times = np.where(inside, -3 * np.log2(np.where(inside, 1 - log_halved, 1)), 24)
    assert halved.median == pytest.approx(np.median(np.minimum(times, 24)), abs=1e-4)
    assert halved.probability == pytest.approx((times < 24).mean())
    assert (never.median, never.probability, never.unit) == (12, 0, "months")
    assert "is beyond month 12" in never.sentence
    assert found["strong"].median == pytest.approx(6)


def test_a_share_speaks_of_its_outcomes_and_has_moments(more):
    found = {e.name: e for e in estimates(more)}
    e = found["response"]
    assert (e.outcome, e.outcomes, e.unit, e.summary) == (
        None,
        ("strength", "cpk"),
        "share of patients",
        "expected value",
    )
    assert None not in (e.mean, e.sd, e.mcse)
    row = e.as_dict()
    assert (row["from"], row["at"], row["probability"]) == (0, 12, None)
    assert found["halved"].as_dict()["within"] == 24
    assert (found["response_these"].direction, found["response_these"].threshold) == ("above", 0.5)
    assert {d.name: d.outcomes for d in verdicts(more)}["dual"] == ("strength", "cpk")


def test_a_precision_has_no_probability_in_json(more):
    narrow = next(d for d in verdicts(more) if d.name == "narrow")
    assert narrow.probability is None
    assert '"probability": null' in documents.document(decisions=[vars(narrow)])


# --- tables


def test_tables_are_indexed_by_name(grid):
    table = estimate(grid)
    assert list(table.index) == list(STUDY.estimands)
    assert table.loc["cpk_ratio_12", "median"] == pytest.approx(0.5)
    assert parameters(grid).loc["strength.intercept", "median"] == 50
    assert not decisions(grid).loc["cpk_halved", "met"]


def test_a_study_without_decisions_has_an_empty_table(small_cohort):
    bare = parse_study(SMALL.replace(SMALL[SMALL.index("[decisions") : SMALL.index("[design]")], ""))
    assert decisions(fit_of(bare, small_cohort, independent_draws(bare, small_cohort))).empty


# --- words


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.5, "0.500"), (-3.14159, "-3.14"), (999.4, "999"), (999.6, "1,000"), (-999.6, "-1,000"), (1234567, "1,234,567")],
)
def test_three_significant_digits_without_exponent(value, text):
    assert significant(value) == text


@pytest.mark.parametrize(("p", "text"), [(1.0, "more than 0.999"), (0.0, "less than 0.001"), (0.9512, "0.951")])
def test_a_probability_never_claims_certainty(p, text):
    assert probability_text(p) == text


@pytest.mark.parametrize(("draws", "decimals"), [(100_000, 3), (400, 2)])
def test_a_sentence_has_the_digits_that_the_monte_carlo_error_leaves(grid, rng, draws, decimals):
    """The median of n draws with an SD of 0.1 is known to 0.13 / sqrt(n): to 0.0004 and 0.006."""
    values = 0.5 + 0.1 * rng.standard_normal((4, draws // 4))
    lower, median, upper = np.quantile(values, [0.025, 0.5, 0.975])
    errors = quantile_errors({"": values}, (0.025, 0.5, 0.975))[""]
    e = next(e for e in estimates(grid) if e.name == "cpk_ratio_12")
    e = replace(
        e, median=median, lower=lower, upper=upper, mcse_lower=errors[0], mcse_median=errors[1], mcse_upper=errors[2]
    )
    told = re.search(r"is (\S+) \(95% interval", sentence(grid.study, grid.study.estimands["cpk_ratio_12"], e))[1]
    assert abs(float(told) - median) <= 0.5001 * 10.0**-decimals
    assert len(told.partition(".")[2]) == decimals


def test_a_check_that_names_numbers_withholds_those_alone(grid):
    """One side question that other priors would answer otherwise takes no other answer with it, not even of the same
    outcome.
    """
    failed = [
        CheckResult("prior sensitivity", False, "cpk_mean: it turns on the prior.", numbers=("cpk_mean", "cpk_halved"))
    ]
    rows = {e.name: e for e in withhold(estimates(grid), failed)}
    assert [name for name, e in rows.items() if e.withheld] == ["cpk_mean"]
    assert rows["cpk_mean"].sentence == "withheld: cpk_mean: it turns on the prior."
    assert rows["cpk_ratio_12"].outcomes == rows["cpk_mean"].outcomes
    assert [d.withheld for d in withhold(verdicts(grid), failed)] == [True]
