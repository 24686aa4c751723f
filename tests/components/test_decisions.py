"""Verdicts on draws that can be counted."""

import numpy as np
import pytest

from bayesmyo.components.decisions import DECISIONS, Dual, Equivalence, OneSided, Precision, Probability
from bayesmyo.components.numbers import Number, Written

DRAWS = np.array([[0.1, 0.2, 0.3, 0.4, 0.5], [0.6, 0.7, 0.8, 0.9, 1.0]])


@pytest.mark.parametrize(
    ("rule", "probability", "met"),
    [
        ({"below": 0.55, "probability": 0.5}, 0.5, True),
        ({"below": 0.55, "probability": 0.6}, 0.5, False),
        ({"above": 0.15, "probability": 0.9}, 0.9, True),
        ({"above": 0.5, "probability": 0.6}, 0.5, False),
        ({"below": 0.5, "probability": 0.5}, 0.4, False),
        ({"above": 0.0, "probability": 0.99}, 1.0, True),
    ],
    ids=["exactly enough", "too little", "above", "equal is not above", "equal is not below", "all of them"],
)
def test_a_verdict_counts_the_draws_beyond_the_threshold(rule, probability, met):
    verdict = Probability(estimand="e", **rule).judge(DRAWS)
    assert (verdict.met, verdict.probability) == (met, pytest.approx(probability))
    assert verdict.margin == pytest.approx(probability - rule["probability"])


def test_a_verdict_in_a_sentence():
    verdict = Probability(estimand="cpk_ratio", below=0.55, probability=0.9).judge(DRAWS)
    assert verdict.sentence == "The probability that cpk_ratio is below 0.55 is 0.500; at least 0.9 was asked: not met."


ONE = {
    Probability: {"above": 0.0, "probability": 0.9},
    Dual: {"null": 0.0, "relevant": 0.5, "probability": 0.9},
    Equivalence: {"low": -0.5, "high": 0.5, "probability": 0.9},
    Precision: {"width": 2.0, "interval": 0.9},
}


class Quoting(Written):
    """Writes a word in the place of every amount."""

    def quantile(self, p, value):
        return Number(value, said="QUOTED")


def test_what_quotes_the_number_is_withheld_with_it():
    """A sentence quotes where it writes an amount of the estimand's draws."""
    for cls in DECISIONS:
        sentence = cls(estimand="e", **ONE[cls]).judge(DRAWS, written=Quoting()).sentence
        assert ("QUOTED" in sentence) == cls.quotes, cls.kind


def test_a_claim_of_one_side_is_what_a_one_sided_test_can_be_asked():
    claims = {cls.kind: cls(estimand="e", **ONE[cls]).one_sided for cls in DECISIONS}
    assert claims.pop("probability") == OneSided(above=True, threshold=0.0, probability=0.9)
    assert set(claims.values()) == {None}
    assert Probability(estimand="e", below=0.5, probability=0.8).one_sided == OneSided(False, 0.5, 0.8)


def test_every_rule_is_told_to_a_lay_reader():
    said = {cls.kind: cls(estimand="e", **ONE[cls]).terms(" kg") for cls in DECISIONS}
    assert said == {
        "probability": "above 0 kg with a probability of at least 0.9",
        "dual": "above 0 kg with a probability of at least 0.9, and its median above 0.5 kg",
        "equivalence": "between -0.5 and 0.5 kg with a probability of at least 0.9",
        "precision": "known to within 2 kg, the width of its 90% interval",
    }


# --- the dual criterion


@pytest.mark.parametrize(
    ("rule", "probability", "margin", "met"),
    [
        ({"null": 0.15, "relevant": 0.5, "probability": 0.8}, 0.9, 0.0, True),
        ({"null": 0.15, "relevant": 0.5, "probability": 0.95}, 0.9, -0.05, False),
        ({"null": 0.15, "relevant": 0.65, "probability": 0.8}, 0.9, -0.1, False),
        ({"null": 0.95, "relevant": 0.65, "probability": 0.8}, 0.9, 0.1, True),
        ({"null": 0.95, "relevant": 0.45, "probability": 0.8}, 0.9, -0.1, False),
        ({"null": 0.0, "relevant": 0.15, "probability": 0.9}, 1.0, 0.1, True),
    ],
    ids=["both", "not sure", "not relevant", "downward", "downward, not relevant", "the smaller margin"],
)
def test_a_dual_verdict_wants_certainty_and_relevance(rule, probability, margin, met):
    verdict = Dual(estimand="e", **rule).judge(DRAWS)
    assert (verdict.met, verdict.probability) == (met, pytest.approx(probability))
    assert verdict.margin == pytest.approx(margin)


def test_a_dual_verdict_in_a_sentence():
    gained = Dual(estimand="gain", null=0, relevant=0.5, probability=0.975).judge(DRAWS)
    assert gained.sentence == (
        "The probability that gain is above 0 is more than 0.999 (at least 0.975 was asked), "
        "and its median, 0.550, is above 0.5, which is relevant: met."
    )
    small = Dual(estimand="gain", null=0, relevant=0.6, probability=0.975).judge(DRAWS)
    assert small.sentence.endswith("and its median, 0.550, is not above 0.6, which is relevant: not met.")


# --- equivalence


@pytest.mark.parametrize(
    ("low", "high", "probability", "met"),
    [(0.15, 0.95, 0.8, True), (0.25, 0.95, 0.7, False), (0.1, 1.0, 0.8, True), (-1, 2, 1.0, True)],
    ids=["just enough", "too little", "the ends are outside", "all"],
)
def test_an_equivalence_counts_the_draws_between(low, high, probability, met):
    verdict = Equivalence(estimand="e", low=low, high=high, probability=0.8).judge(DRAWS)
    assert (verdict.met, verdict.probability) == (met, pytest.approx(probability))
    assert verdict.margin == pytest.approx(probability - 0.8)


def test_an_equivalence_in_a_sentence():
    verdict = Equivalence(estimand="e", low=0.15, high=0.95, probability=0.9).judge(DRAWS, "the gain")
    asked = "at least 0.9 was asked: not met"
    assert verdict.sentence == f"The probability that the gain is between 0.15 and 0.95 is 0.800; {asked}."


# --- precision

EVEN = np.linspace(0, 1, 1001)[None]


@pytest.mark.parametrize(
    ("rule", "margin", "met"),
    [({"width": 1.0}, 0.05, True), ({"width": 0.95}, 0.0, False), ({"width": 0.6, "interval": 0.5}, 0.1, True)],
    ids=["narrower", "as wide as asked", "of half the mass"],
)
def test_a_precision_has_a_width_and_no_probability(rule, margin, met):
    verdict = Precision(estimand="e", **rule).judge(EVEN + 3)
    assert (verdict.met, verdict.probability) == (met, None)
    assert verdict.margin == pytest.approx(margin, abs=1e-12)


def test_a_precision_in_a_sentence():
    verdict = Precision(estimand="e", width=0.5).judge(EVEN, "the gain")
    assert verdict.sentence == (
        "The 95% interval of the gain is 0.950 wide (0.0250 to 0.975); narrower than 0.5 was asked: not met."
    )


# --- of every decision


STATED = {
    "probability": {"above": 0.2, "probability": 0.9},
    "dual": {"null": 0.1, "relevant": 0.2, "probability": 0.9},
    "equivalence": {"low": 0.2, "high": 0.6, "probability": 0.9},
    "precision": {"width": 0.5},
}


@pytest.mark.parametrize("decision", [d(estimand="e", **STATED[d.kind]) for d in DECISIONS], ids=lambda d: d.kind)
def test_a_verdict_is_met_where_its_margin_is_not_negative_and_says_so(decision, rng):
    for centre in np.linspace(0, 1, 11):
        draws = centre + 0.1 * rng.standard_normal((2, 100))
        verdict = decision.judge(draws, "the gain")
        assert verdict.met == (verdict.margin >= 0)
        assert verdict.sentence.endswith(": met." if verdict.met else ": not met.")
        assert "the gain" in verdict.sentence
        assert verdict.probability is None or 0 <= verdict.probability <= 1
    assert decision.faults() == ()


@pytest.mark.parametrize(
    ("decision", "words"),
    [
        (Probability(estimand="x", above=0.5, probability=0.9), "the probability that x is above 0.5 is at least 0.9"),
        (
            Probability(estimand="x", below=-2, probability=0.975),
            "the probability that x is below -2 is at least 0.975",
        ),
        (
            Dual(estimand="x", null=0, relevant=-0.5, probability=0.95),
            "the probability that x is below 0 is at least 0.95, and its median is below -0.5, which is relevant",
        ),
        (
            Equivalence(estimand="x", low=-1, high=1, probability=0.8),
            "the probability that x is between -1 and 1 is at least 0.8",
        ),
        (Precision(estimand="x", width=0.4, interval=0.8), "the 80% interval of x is narrower than 0.4"),
    ],
)
def test_a_rule_in_words(decision, words):
    assert decision.rule() == words
    assert decision.rule("the change, on average,") == words.replace(" x ", " the change, on average, ")
