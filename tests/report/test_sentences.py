"""Every number in a sentence is that of its table, and both are those of the draws, whatever the posterior."""

import re
from dataclasses import replace

import numpy as np
import pytest

from bayesmyo.assess import claims as said_of
from bayesmyo.assess.checks import CheckResult
from bayesmyo.assess.estimate import verdicts
from bayesmyo.assess.verdict import DATA, PRIOR, SILENT, UNKNOWN
from bayesmyo.components.decisions import Dual, Equivalence, Precision, Probability
from bayesmyo.report import results as module
from bayesmyo.report.blocks import Number, Paragraph, Table
from bayesmyo.report.results import results
from bayesmyo.report.sections.answers import answers
from bayesmyo.report.sections.prior_or_data import table as prior_table
from bayesmyo.report.sections.summary import first, main, plain, rules, summary, told
from bayesmyo.study import parse_study
from tests.conftest import SMALL, fit_of, independent_draws

FIGURE = r"(-?[\d,]*\.?\d+)"
CHANCE = r"((?:more than |less than )?\d\.\d+)"
SAID = re.compile(
    rf" is {FIGURE}(?: \S+)? \(95% interval {FIGURE} to {FIGURE}\)(?:; the probability that it is (above|below) \S+ is {CHANCE})?"
)
ASKED = """
[estimands.strength_change]
kind = "change"
outcome = "strength"
from = 0
to = 12

[estimands.strength_level]
kind = "level"
outcome = "strength"
at = 12
population = "these patients"

[estimands.share]
kind = "share"
at = 12
criteria = { strength = { of = "change", at_least = 3 }, cpk = { at_most = 300 } }

[decisions.gain]
kind = "probability"
estimand = "strength_change"
above = 5
probability = 0.5

[decisions.relevant]
kind = "dual"
estimand = "strength_change"
null = 0
relevant = 6
probability = 0.9

[decisions.alike]
kind = "equivalence"
estimand = "strength_change"
low = 4
high = 8
probability = 0.5

[decisions.sharp]
kind = "precision"
estimand = "strength_change"
width = 2

[design]"""

OURS = """
[estimands.strength_ours]
kind = "change"
outcome = "strength"
from = 0
to = 12
population = "these patients"

"""


@pytest.fixture(scope="module")
def asked():
    return parse_study(SMALL.replace("[design]", ASKED, 1))


def fuzzed(study, cohort, seed):
    """A posterior that has moved, widened, and mixes badly or well."""
    rng = np.random.default_rng(seed)
    draws = independent_draws(study, cohort, draws=100)
    posterior = {}
    for name, values in draws.posterior.items():
        scale = 0.05 if ".sd_" in name or name.endswith(("sigma", "half_time")) else 0.3
        shift = rng.normal(0, scale) * (1 + 10 * (name == "strength.slope"))
        wide = shift + rng.choice([0.01, 0.3]) * scale * rng.standard_normal(
            values.shape[:2] + (1,) * (values.ndim - 2)
        )
        posterior[name] = (
            np.clip(values + wide, -0.9, 0.9)
            if "correlation" in name
            else np.abs(values + wide)
            if scale == 0.05
            else values + wide
        )
    return fit_of(study, cohort, replace(draws, posterior=posterior))


def no_check_fails(monkeypatch):
    monkeypatch.setattr(module, "check", lambda fit: [CheckResult("convergence", True, "not looked at")])
    monkeypatch.setattr(said_of, "affordable", lambda fit: False)  # nothing is sampled here


def shown(row):
    return [str(cell) for cell in row]


def tables(section):
    return {b.name: {str(row[0]): row for row in b.rows} for b in section.blocks if isinstance(b, Table)}


def by_hand(decision, draws):
    """Whether a decision is met, written again."""
    match decision:
        case Probability(below=None, above=above):
            return np.mean(draws > above) >= decision.probability
        case Probability(below=below):
            return np.mean(draws < below) >= decision.probability
        case Dual():
            return np.mean(draws > decision.null) >= decision.probability and np.median(draws) > decision.relevant
        case Equivalence():
            return np.mean((draws > decision.low) & (draws < decision.high)) >= decision.probability
        case Precision():
            return np.ptp(np.quantile(draws, [0.025, 0.975])) < decision.width


@pytest.mark.parametrize("seed", range(8))
def test_a_fuzzed_posterior_never_yields_a_sentence_that_disagrees_with_its_table(
    asked, small_cohort, monkeypatch, seed
):
    no_check_fails(monkeypatch)
    fit = fuzzed(asked, small_cohort, seed)
    r = results(fit)
    section = answers(r)
    found = tables(section)
    claimed = 0
    for e in r.estimates:
        row = found["estimands"][e.name]
        if not r.says(e):
            assert shown(row)[2:5] == ["withheld"] * 3
            assert e.sentence.startswith("withheld: ")
            continue
        claimed += 1
        said = SAID.search(e.sentence)
        assert said, e.sentence
        assert list(said.groups()[:3]) == shown(row)[2:5]
        if said[4] is not None:
            assert said[5] == shown(row)[6]
            assert shown(row)[7].startswith(said[4])
        # and the table is that of the draws
        draws = fit.estimands[e.name]
        np.testing.assert_allclose([c.value for c in row[2:5]], np.quantile(draws, [0.5, 0.025, 0.975]), rtol=1e-12)
        for cell in row[2:5]:
            assert float(str(cell).replace(",", "")) == pytest.approx(
                cell.value, abs=0.3 * max(np.ptp(draws), 1e-12), rel=0.06
            )
    for d in r.decisions:
        row, decision = found["decisions"][d.name], asked.decisions[d.name]
        if not r.says(d):
            assert "withheld" in shown(row)
            continue
        claimed += 1
        met = by_hand(decision, fit.estimands[d.estimand]) and d.verdict != PRIOR
        assert shown(row)[3] == ("yes" if met else "no")
        assert (": not met." if not met else ": met." if d.verdict == DATA else ": met, but ") in d.sentence
        if isinstance(row[4], Number) and row[4].value is not None:
            assert f" is {row[4]}" in d.sentence
        if decision.kind == "dual":
            assert f"its median, {shown(found['estimands'][d.estimand])[2]}," in d.sentence
        if decision.kind == "precision":
            assert f"({' to '.join(shown(found['estimands'][d.estimand])[3:5])})" in d.sentence
    assert claimed
    texts = [b.text for b in section.blocks if isinstance(b, Paragraph) and b.kind == "claim"]
    assert all(e.sentence in texts for e in r.estimates if r.says(e))


@pytest.mark.parametrize("seed", range(8, 11))
def test_the_plain_words_say_the_same(asked, small_cohort, monkeypatch, seed):
    no_check_fails(monkeypatch)
    r = results(fuzzed(asked, small_cohort, seed))
    found = tables(answers(r))["estimands"]
    for outcome in asked.outcomes:
        e = main(r, outcome)
        words, row = plain(r, e), shown(found[e.name])
        if "withheld" in row:
            continue
        numbers = {n.lstrip("-") for n in row[2:5]}
        figures = re.findall(r"[\d,]*\.?\d+", words.split(" from month ")[0].replace("95% probability", ""))
        gone = {share_gone(n) for n in row[2:5]} if e.kind == "ratio" and " fell " in words else set()
        assert set(figures) == numbers | gone, words
        neutral = 1.0 if e.kind == "ratio" else 0.0
        draws = r.fit.estimands[e.name]
        low, high = np.quantile(draws, [0.025, 0.975])
        direction = " rose " if low > neutral else " fell " if high < neutral else "may have risen or fallen"
        assert direction in words
    states = {d.name.replace("_", " "): d for d in r.decisions}
    for item in rules(r).items:
        d = states[item.split("“")[1].split("”")[0]]
        met = ": met." if d.verdict == DATA else ": met, not judged against other priors."
        assert item.endswith("withheld." if not r.says(d) else "not met." if not d.met else met)


def test_rules_say_what_the_study_asks(asked, small_cohort, monkeypatch):
    no_check_fails(monkeypatch)
    r = results(fuzzed(asked, small_cohort, 8))
    said = {item.split("“")[1].split("”")[0]: item for item in rules(r).items}
    assert "cpk at month 12 to month 0" in said["cpk halved"].lower()
    assert ": below 0.5 with a probability of at least 0.9)" in said["cpk halved"]
    assert ": above 5 points with a probability of at least 0.5)" in said["gain"]
    assert "probability of at least 0.9, and its median above 6 points)" in said["relevant"]
    assert ": between 4 and 8 points with a probability of at least 0.5)" in said["alike"]
    assert "known to within 2 points, the width of its 95% interval)" in said["sharp"]


def test_the_same_number_of_these_patients_is_told_too(asked, small_cohort, monkeypatch):
    no_check_fails(monkeypatch)
    ours = ASKED.replace("[estimands.share]", OURS + "[estimands.share]")
    study = parse_study(SMALL.replace("[design]", ours, 1))
    r = results(fuzzed(study, small_cohort, 8))
    assert [e.name for e in told(r, "strength")] == ["strength_change", "strength_ours"]
    assert [e.name for e in told(r, "cpk")] == ["cpk_ratio_12"]


def share_gone(ratio):
    """100 (1 - ratio), of a ratio as it is written, with as many digits as that leaves."""
    whole, _, decimals = ratio.partition(".")
    shown = str(100 * 10 ** len(decimals) - 100 * int(whole + decimals)).rjust(len(decimals) + 1, "0")
    kept = max(0, len(decimals) - 2)
    cut = len(shown) - len(decimals)
    return f"{shown[:cut]}.{shown[cut : cut + kept]}" if kept else shown[:cut]


def test_other_tables_write_the_same_numbers_alike(good):
    """The median of an estimand is one text, in the answers and under other priors."""
    answer = tables(answers(good))["estimands"]
    for row in prior_table(good).rows:
        if str(row[1]) == "estimand":
            assert str(row[4]) == str(answer[str(row[0])][2])


def test_a_verdict_within_monte_carlo_error_says_so(asked, small_cohort):
    draws = independent_draws(asked, small_cohort, draws=100)
    change = fit_of(asked, small_cohort, draws).estimands["strength_change"]
    barely = f"above = {float(np.median(change)) - 1e-6:.9f}"
    study = parse_study(SMALL.replace("[design]", ASKED.replace("above = 5", barely), 1))
    rules = {d.name: d.sentence for d in verdicts(fit_of(study, small_cohort, draws))}
    assert "within Monte Carlo error" in rules["gain"]
    assert "within Monte Carlo error" not in rules["cpk_halved"]


@pytest.mark.parametrize("seed", range(11, 19))
def test_no_sentence_of_the_first_page_claims_more_than_its_verdict(asked, small_cohort, monkeypatch, seed):
    """One that is mostly the prior is no change for the better; what is not judged says so; what turns on the prior is
    withheld; and none is withheld for another's sake."""
    no_check_fails(monkeypatch)
    r = results(fuzzed(asked, small_cohort, seed))
    page = summary(r)
    claimed = [b.text for b in page.blocks if isinstance(b, Paragraph) and b.kind == "claim"]
    held = " ".join(b.text for b in page.blocks if isinstance(b, Paragraph) and b.kind == "withheld")
    for e in first(r):
        if e.verdict == SILENT:
            assert e.withheld
            assert e.name in held
            assert not any(str(e.numbers[1]) in text and e.name in text for text in claimed)
            continue
        assert not e.withheld
        words = plain(r, e)
        assert words in claimed
        assert ("for the better" in words) <= (e.verdict in (DATA, UNKNOWN))
        assert words.endswith("Other priors would not change this.") is (e.verdict == DATA)
        assert ("mostly the prior" in words) is (e.verdict == PRIOR)
        assert ("is not judged" in words) is (e.verdict == UNKNOWN)
    for c in r.correlations:
        assert c.withheld is (c.verdict == SILENT)
        assert c.sentence.endswith("Other priors would not change this.") is (c.verdict == DATA)
        if not c.withheld:
            sure = c.lower > 0 or c.upper < 0
            assert (" may " in c.sentence) is not sure


def test_a_weak_answer_withholds_itself_alone(good):
    """The first question is told first, whatever becomes of the others."""
    (e,) = good.estimates
    weak = replace(e, name="weak", verdict=SILENT, withheld=True, sentence="withheld: weak: it turns on the prior.")
    r = replace(good, estimates=(e, weak))
    paragraphs = [b for b in summary(r).blocks if isinstance(b, Paragraph) and b.kind in ("claim", "withheld")]
    assert [p.kind for p in paragraphs] == ["claim", "withheld"]
    assert "CPK fell" in paragraphs[0].text
    assert paragraphs[1].text == "weak. It turns on the prior."
