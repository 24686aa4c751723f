"""Estimands on a prediction whose levels are known, and verdicts on draws that can be counted."""

from dataclasses import dataclass, field

import numpy as np
import pytest

from bayesmyo.components.decisions import Probability
from bayesmyo.components.estimands import ESTIMANDS, Change, Contrast, Level, Ratio, Slope

TIMES = {"from_": 2.0, "to": 6.0}
EVERY = pytest.mark.parametrize(
    "estimand",
    [cls(outcome="cpk", **({"at": 6.0} if cls is Level else TIMES)) for cls in ESTIMANDS],
    ids=lambda e: e.kind,
)


@dataclass
class Levels:
    """A prediction whose level at time t is 10 t, plus 0, 1 or 2 by draw, times `dose` where that is given; it remembers what was asked."""

    asked: list = field(default_factory=list)

    def level(self, outcome, time, population, summary, predicts, given):
        self.asked.append((outcome, time, population, summary, predicts, given))
        return (10 * time + np.array([[0.0, 1.0, 2.0]])) * given.get("dose", 1) ** (time / 2)


@pytest.mark.parametrize(
    ("estimand", "expected"),
    [
        (Level(outcome="cpk", at=6), [60, 61, 62]),
        (Change(outcome="cpk", **TIMES), [40, 40, 40]),
        (Ratio(outcome="cpk", **TIMES), [60 / 20, 61 / 21, 62 / 22]),
        (Slope(outcome="cpk", **TIMES), [10, 10, 10]),
    ],
    ids=lambda e: getattr(e, "kind", ""),
)
def test_the_number_by_hand(estimand, expected):
    np.testing.assert_allclose(estimand.of(Levels()), [expected])


@EVERY
def test_population_summary_and_what_is_predicted_are_passed_on(estimand):
    levels = Levels()
    asked = {"population": "new patient", "summary": "mean", "predicts": "measurement", "given": {"sex": "f"}}
    type(estimand)(**{**vars(estimand), **asked}).of(levels)
    assert levels.asked == [("cpk", t, "new patient", "mean", "measurement", {"sex": "f"}) for t in estimand.times()]


@EVERY
def test_by_default_it_speaks_of_the_population_average(estimand):
    levels = Levels()
    estimand.of(levels)
    assert {ask[2:5] for ask in levels.asked} == {("population average", None, "expected value")}
    assert all(ask[5] == {} for ask in levels.asked)


@pytest.mark.parametrize(
    ("estimand", "expected"),
    [
        (Level(outcome="cpk", at=2), [2 * 20 - 3 * 20, 2 * 21 - 3 * 21, 2 * 22 - 3 * 22]),
        (Change(outcome="cpk", **TIMES), [(8 * 6 - 2 * 2 - 27 * 6 + 3 * 2) * 10 + d * (8 - 2 - 27 + 3) for d in range(3)]),
        (Slope(outcome="cpk", **TIMES), [((8 * 6 - 2 * 2 - 27 * 6 + 3 * 2) * 10 + d * (8 - 2 - 27 + 3)) / 4 for d in range(3)]),
        (Ratio(outcome="cpk", **TIMES), [4 / 9] * 3),
    ],
    ids=lambda e: getattr(e, "kind", ""),
)  # fmt: skip
def test_two_groups_are_compared_by_their_difference_or_by_the_ratio_of_their_ratios(estimand, expected):
    """The dose multiplies the level by dose^(t / 2): at times 2 and 6 by 2 and 8, or by 3 and 27."""
    contrast = Contrast(covariate="dose", level=2, reference=3)
    np.testing.assert_allclose(type(estimand)(**{**vars(estimand), "contrast": contrast}).of(Levels()), [expected])


@EVERY
def test_both_groups_of_a_contrast_have_what_is_given(estimand):
    levels = Levels()
    stated = {"given": {"sex": "f"}, "contrast": Contrast(covariate="dose", level=2, reference=3)}
    type(estimand)(**{**vars(estimand), **stated}).of(levels)
    assert [ask[1] for ask in levels.asked] == [*estimand.times()] * 2
    n = len(estimand.times())
    assert [ask[5] for ask in levels.asked] == [{"sex": "f", "dose": 2}] * n + [{"sex": "f", "dose": 3}] * n


@EVERY
def test_a_stated_threshold_holds_whatever_is_better(estimand):
    for side in ("above", "below"):
        stated = type(estimand)(**{**vars(estimand), side: 0.25})
        assert [stated.threshold(b) for b in ("higher", "lower")] == [(side, 0.25)] * 2


@pytest.mark.parametrize(
    ("cls", "neutral"), [(Change, 0.0), (Slope, 0.0), (Ratio, 1.0)], ids=["change", "slope", "ratio"]
)
def test_by_default_the_threshold_is_any_change_for_the_better(cls, neutral):
    estimand = cls(outcome="cpk", **TIMES)
    assert estimand.threshold("higher") == ("above", neutral)
    assert estimand.threshold("lower") == ("below", neutral)


def test_a_level_has_no_natural_threshold():
    assert Level(outcome="cpk", at=6).threshold("lower") is None


def test_the_difference_of_two_groups_levels_has_one():
    level = Level(outcome="cpk", at=6, contrast=Contrast(covariate="dose", level=2, reference=3))
    assert level.threshold("lower") == ("below", 0.0)
    assert level.threshold("higher") == ("above", 0.0)


@pytest.mark.parametrize(
    ("estimand", "unit", "sentence"),
    [
        (Level(outcome="cpk", at=6), "IU/L", "CPK at month 6"),
        (Change(outcome="cpk", **TIMES), "IU/L", "change in CPK from month 2 to 6"),
        (Ratio(outcome="cpk", **TIMES), "ratio", "ratio of CPK at month 6 to month 2"),
        (Slope(outcome="cpk", **TIMES), "IU/L per month", "average slope of CPK from month 2 to 6"),
    ],
    ids=lambda e: getattr(e, "kind", ""),
)
def test_unit_and_sentence(estimand, unit, sentence):
    assert (estimand.unit("IU/L", "month"), estimand.sentence("CPK", "month")) == (unit, sentence)


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
