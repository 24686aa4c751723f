"""Estimands on a prediction whose levels are known."""

from dataclasses import dataclass, field

import numpy as np
import pytest

from bayesmyo.components.estimands import (
    ESTIMANDS,
    Change,
    Contrast,
    Criterion,
    EventFree,
    ExpectedEvents,
    Level,
    Named,
    OfOutcome,
    Ratio,
    RestrictedMeanTime,
    Share,
    Slope,
    TimeTo,
    all_met,
)
from bayesmyo.components.estimands.events import OfEvent
from bayesmyo.components.numbers import Number

TIMES = {"from_": 2.0, "to": 6.0}
CRITERIA = {"cpk": Criterion(at_most=200), "mrc": Criterion(of="change", at_least=0.5)}
WITHIN = {"within": 24.0, "at_least": 60.5}
LOST = {"event": "lost", "at": 6.0}
STATED = {Level: {"at": 6.0}, Share: {"criteria": CRITERIA, "at": 6.0, "from_": 2.0}, TimeTo: WITHIN}
STATED |= dict.fromkeys((EventFree, RestrictedMeanTime, ExpectedEvents), LOST)
ALL = [cls(**({"outcome": "cpk"} if issubclass(cls, OfOutcome) else {}), **STATED.get(cls, TIMES)) for cls in ESTIMANDS]
EVERY = pytest.mark.parametrize("estimand", ALL, ids=lambda e: e.kind)
OF_LEVELS = pytest.mark.parametrize(
    "estimand", [e for e in ALL if not isinstance(e, Share | TimeTo | OfEvent)], ids=lambda e: e.kind
)
NAMED = {"cpk": Named("CPK", "IU/L"), "mrc": Named("mean MRC grade", "grade"), "lost": Named("loss to follow-up", "")}


@dataclass
class Levels:
    """A prediction whose level at time t is 10 t, plus 0, 1 or 2 by draw, times `dose` where that is given; it
    remembers what was asked.
    """

    asked: list = field(default_factory=list)

    def level(self, outcome, time, population, summary, predicts, given):
        self.asked.append((outcome, time, population, summary, predicts, given))
        return (10 * time + np.array([[0.0, 1.0, 2.0]])) * given.get("dose", 1) ** (time / 2)

    def share(self, criteria, at, from_, population, predicts, given, free):
        self.asked.append((criteria, at, from_, population, predicts, given))
        return np.array([[0.1, 0.2, 0.3]]) * given.get("dose", 1)

    def event(self, event, at, what, population, given):
        self.asked.append((event, at, what, population, given))
        return {"free": 0.01, "time": 1, "number": 2}[what] * np.array([[1.0, 2.0, 3.0]]) * given.get("dose", 1)


@pytest.mark.parametrize(
    ("estimand", "expected"),
    [
        (Level(outcome="cpk", at=6), [60, 61, 62]),
        (Change(outcome="cpk", **TIMES), [40, 40, 40]),
        (Ratio(outcome="cpk", **TIMES), [60 / 20, 61 / 21, 62 / 22]),
        (Slope(outcome="cpk", **TIMES), [10, 10, 10]),
        (Share(**STATED[Share]), [0.1, 0.2, 0.3]),
        (TimeTo(outcome="cpk", **WITHIN), [6.05, 5.95, 5.85]),
        (EventFree(**LOST), [0.01, 0.02, 0.03]),
        (RestrictedMeanTime(**LOST), [1, 2, 3]),
        (ExpectedEvents(**LOST), [2, 4, 6]),
    ],
    ids=lambda e: getattr(e, "kind", ""),
)
def test_the_number_by_hand(estimand, expected):
    np.testing.assert_allclose(estimand.of(Levels()), [expected])


@OF_LEVELS
def test_population_summary_and_what_is_predicted_are_passed_on(estimand):
    levels = Levels()
    asked = {"population": "new patient", "summary": "mean", "predicts": "measurement", "given": {"sex": "f"}}
    type(estimand)(**{**vars(estimand), **asked}).of(levels)
    assert {ask[1] for ask in levels.asked} >= {*estimand.times()}
    asked = ("cpk", "new patient", "mean", "measurement", {"sex": "f"})
    assert all((ask[0], *ask[2:]) == asked for ask in levels.asked)


@OF_LEVELS
def test_by_default_it_speaks_of_the_population_average(estimand):
    levels = Levels()
    estimand.of(levels)
    assert {ask[2:5] for ask in levels.asked} == {("population average", None, "expected value")}
    assert all(ask[5] == {} for ask in levels.asked)


@pytest.mark.parametrize(
    ("estimand", "expected"),
    [
        (Level(outcome="cpk", at=2), [2 * 20 - 3 * 20, 2 * 21 - 3 * 21, 2 * 22 - 3 * 22]),
        (Change(outcome="cpk", **TIMES),
         [(8 * 6 - 2 * 2 - 27 * 6 + 3 * 2) * 10 + d * (8 - 2 - 27 + 3) for d in range(3)]),
        (Slope(outcome="cpk", **TIMES),
         [((8 * 6 - 2 * 2 - 27 * 6 + 3 * 2) * 10 + d * (8 - 2 - 27 + 3)) / 4 for d in range(3)]),
        (Ratio(outcome="cpk", **TIMES), [4 / 9] * 3),
        (Share(**STATED[Share]), [-0.1, -0.2, -0.3]),
        (EventFree(**LOST), [-0.01, -0.02, -0.03]),
    ],
    ids=lambda e: getattr(e, "kind", ""),
)  # fmt: skip
def test_two_groups_are_compared_by_their_difference_or_by_the_ratio_of_their_ratios(estimand, expected):
    """The dose multiplies the level by dose^(t / 2): at times 2 and 6 by 2 and 8, or by 3 and 27."""
    contrast = Contrast(covariate="dose", level=2, reference=3)
    np.testing.assert_allclose(type(estimand)(**{**vars(estimand), "contrast": contrast}).of(Levels()), [expected])


@OF_LEVELS
def test_both_groups_of_a_contrast_have_what_is_given(estimand):
    levels = Levels()
    stated = {"given": {"sex": "f"}, "contrast": Contrast(covariate="dose", level=2, reference=3)}
    type(estimand)(**{**vars(estimand), **stated}).of(levels)
    n = len(levels.asked) // 2
    assert [ask[1] for ask in levels.asked[:n]] == [ask[1] for ask in levels.asked[n:]]
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


@dataclass
class Course:
    """A prediction of one draw, whose level follows a course in time."""

    course: object

    def level(self, outcome, time, population, summary, predicts, given):
        return np.array([[self.course(time)]])


def test_what_it_says_it_is_a_difference_of_is_what_its_value_shows():
    """Shifted by 5 a difference of levels is the same; at 5 times the level a difference of logs is."""
    for e in (e for e in ALL if e.amount_of):
        base, shifted, times = (
            e.of(Course(lambda t, a=a, b=b: a + b * (50 + 2 * t))) for a, b in ((0, 1), (5, 1), (0, 5))
        )
        assert np.allclose(base, shifted) == (e.difference_on == "identity"), e.kind
        assert np.allclose(base, times) == (e.difference_on == "log"), e.kind
        longer = type(e)(**{**vars(e), "to": 10.0}).of(Course(lambda t: 50 + 2 * t)) if hasattr(e, "to") else base
        assert (e.difference_on == "identity" and np.allclose(base, longer)) == e.per_time, e.kind


def test_what_says_it_is_a_level_is_that_of_an_outcome_that_stands_still():
    for e in (e for e in ALL if e.amount_of):
        assert (e.of(Course(lambda t: 7.25)).item() == 7.25) == e.is_level, e.kind


def test_what_is_said_of_whom():
    assert Level(outcome="cpk", at=6).whom == "on average over all such patients"
    assert Level(outcome="cpk", at=6, population="new patient").whom == "in a new patient"
    assert TimeTo(outcome="cpk", **WITHIN).whom == "over all such patients"
    assert TimeTo(outcome="cpk", population="average patient", **WITHIN).whom == "in the average patient"
    assert Share(**STATED[Share]).whom == "among all such patients"
    assert Share(**STATED[Share], population="these patients").whom == "among these patients"


def test_a_level_has_no_natural_threshold():
    assert Level(outcome="cpk", at=6).threshold("lower") is None


def test_the_difference_of_two_groups_levels_has_one():
    level = Level(outcome="cpk", at=6, contrast=Contrast(covariate="dose", level=2, reference=3))
    assert level.threshold("lower") == ("below", 0.0)
    assert level.threshold("higher") == ("above", 0.0)


def test_no_effect_is_one_where_two_groups_levels_are_divided():
    groups = Contrast(covariate="dose", level=2, reference=3, by="ratio")
    level = Level(outcome="cpk", at=6, contrast=groups)
    assert level.threshold("lower") == ("below", 1.0)
    assert level.unit({"cpk": Named("CPK", "IU/L")}, "month") == "ratio"
    assert level.amount(Number(0.51234, unit="ratio"), "month") == "0.512"
    np.testing.assert_allclose(level.of(Levels()), [[8 / 27] * 3])


@pytest.mark.parametrize(
    ("estimand", "unit", "sentence"),
    [
        (Level(outcome="cpk", at=6), "IU/L", "CPK at month 6"),
        (
            Share(**STATED[Share]),
            "share of patients",
            "share of patients with CPK at most 200 IU/L and mean MRC grade up by at least 0.5 grade since month 2, "
            "at month 6",
        ),
        (
            Share(criteria={"cpk": Criterion(at_most=200)}, at=6, predicts="measurement"),
            "share of patients",
            "share of patients measured with CPK at most 200 IU/L at month 6",
        ),
        (TimeTo(outcome="cpk", **WITHIN), "months", "time until the average curve of CPK is at least 60.5 IU/L"),
        (
            TimeTo(outcome="cpk", population="average patient", at_most=3, within=9),
            "months",
            "time until the curve of CPK is at most 3 IU/L",
        ),
        (Change(outcome="cpk", **TIMES), "IU/L", "change in CPK from month 2 to 6"),
        (Ratio(outcome="cpk", **TIMES), "ratio", "ratio of CPK at month 6 to month 2"),
        (Slope(outcome="cpk", **TIMES), "IU/L per month", "average slope of CPK from month 2 to 6"),
    ],
    ids=lambda e: getattr(e, "kind", ""),
)
def test_unit_and_sentence(estimand, unit, sentence):
    assert (estimand.unit(NAMED, "month"), estimand.sentence(NAMED, "month")) == (unit, sentence)


# --- shares and their criteria


def test_a_share_hands_on_all_that_it_was_told():
    levels = Levels()
    Share(**STATED[Share], population="these patients", predicts="measurement", given={"sex": "f"}).of(levels)
    assert levels.asked == [(CRITERIA, 6.0, 2.0, "these patients", "measurement", {"sex": "f"})]


def test_a_share_looks_at_the_outcomes_of_its_criteria():
    share = Share(**STATED[Share])
    assert (share.outcomes, share.compares, share.when()) == (("cpk", "mrc"), True, {"from": 2.0, "at": 6.0})
    level = Share(criteria={"cpk": Criterion(at_most=200)}, at=6)
    assert (level.compares, level.when()) == (False, {"at": 6})


LATER, EARLIER = np.array([1.0, 2.0, 3.0, 4.0]), np.array([2.0, 2.0, 2.0, 2.0])


@pytest.mark.parametrize(
    ("criterion", "met", "words"),
    [
        (Criterion(at_least=2), [0, 1, 1, 1], "CPK at least 2 IU/L"),
        (Criterion(at_most=2), [1, 1, 0, 0], "CPK at most 2 IU/L"),
        (Criterion(at_least=2, at_most=3), [0, 1, 1, 0], "CPK from 2 to 3 IU/L"),
        (Criterion(of="change", at_least=1), [0, 0, 1, 1], "CPK up by at least 1 IU/L since month 0"),
        (Criterion(of="change", at_least=-1), [1, 1, 1, 1], "CPK down by at most 1 IU/L since month 0"),
        (Criterion(of="change", at_most=-1), [1, 0, 0, 0], "CPK down by at least 1 IU/L since month 0"),
        (Criterion(of="change", at_most=1), [1, 1, 1, 0], "CPK up by at most 1 IU/L since month 0"),
        (Criterion(of="change", at_least=0), [0, 1, 1, 1], "CPK no lower than at month 0"),
        (Criterion(of="change", at_most=0), [1, 1, 0, 0], "CPK no higher than at month 0"),
        (Criterion(of="change", at_least=-1, at_most=1), [1, 1, 1, 0], "CPK changed by -1 to 1 IU/L since month 0"),
        (Criterion(of="ratio", at_most=0.5), [1, 0, 0, 0], "CPK at most 0.5 times that at month 0"),
        (Criterion(of="ratio", at_least=0.5, at_most=1.5), [1, 1, 1, 0], "CPK from 0.5 to 1.5 times that at month 0"),
    ],
    ids=lambda c: c if isinstance(c, str) else "",
)
def test_what_meets_a_criterion_and_how_it_is_said(criterion, met, words):
    np.testing.assert_array_equal(criterion.met(LATER, EARLIER), np.array(met, dtype=bool))
    assert criterion.words("CPK", "IU/L", "month 0") == words


def test_all_criteria_are_met_by_one_and_the_same_patient():
    levels = {("a", 6): LATER, ("b", 6): LATER[::-1], ("b", 0): EARLIER}
    criteria = {"a": Criterion(at_least=2), "b": Criterion(of="change", at_least=0)}
    found = all_met(criteria, 6, 0, lambda outcome, time: levels[outcome, time])
    np.testing.assert_array_equal(found, [False, True, True, False])


# --- the time until a level is reached


@dataclass
class Curve:
    """A prediction whose level is a function of time and draw."""

    of: object

    def level(self, outcome, time, population, summary, predicts, given):
        return self.of(time, np.array([1.0, 2.0, 3.0, 4.0]))


@pytest.mark.parametrize(
    ("curve", "asked", "expected"),
    [
        (lambda t, k: 100 * 2.0 ** (-t / k), {"at_most": 25}, [2, 4, 6, 8]),
        (lambda t, k: 100 * 2.0 ** (-t / k), {"at_most": 3}, [np.log2(100 / 3) * k for k in (1, 2, 3)] + [20]),
        (lambda t, k: 100 - 100 * 2.0 ** (-t / k), {"at_least": 75}, [2, 4, 6, 8]),
        (lambda t, k: k + 0 * t, {"at_least": 2.5}, [20, 20, 0, 0]),
        (lambda t, k: k + 0 * t, {"at_most": 2.5}, [0, 0, 20, 20]),
        (lambda t, k: (t / 20) ** 8 * k, {"at_least": 1}, [20 * k ** (-1 / 8) for k in (1, 2, 3, 4)]),
        (lambda t, k: np.sin(t * np.pi / 20) * k, {"at_least": 2.5},
         [20, 20, *(np.arcsin(2.5 / k) * 20 / np.pi for k in (3, 4))]),
    ],
    ids=["half-times", "one never", "rising", "at once or never", "at once or never, falling", "steep",
     "there and back"],
)  # fmt: skip
def test_the_first_time_is_found_between_looks(curve, asked, expected):
    found = TimeTo(outcome="cpk", within=20, **asked).of(Curve(curve))
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_levels_beyond_all_numbers_give_a_time_all_the_same():
    with np.errstate(over="ignore"):
        found = TimeTo(outcome="cpk", within=20, at_most=5).of(Curve(lambda t, k: np.exp(800.0 * k - 200 * t)))
    assert np.isfinite(found).all()
    assert (np.diff(found) >= 0).all()
    assert found[0] == pytest.approx(4, abs=1)


def test_who_never_gets_there_is_beyond_the_last_time():
    e = TimeTo(outcome="cpk", at_most=5, within=24)
    assert e.threshold("lower") == ("below", 24)
    assert e.chance_of("below", 24, "month") == "it is reached by month 24"
    assert e.chance_of("below", 6, "month") == "it is below 6.00"
    assert [e.amount(Number(v, unit="months"), "month") for v in (6.1, 24)] == ["6.10 months", "beyond month 24"]
    ends = [e.ends(*map(Number, v), "month") for v in ((3, 9), (3, 24), (24, 24))]
    assert ends == ["3.00 to 9.00", "3.00 to beyond month 24", "all of it beyond month 24"]


def test_a_difference_of_times_is_a_number_like_others():
    e = TimeTo(outcome="cpk", at_most=5, within=24, contrast=Contrast(covariate="dose", level=2, reference=3))
    assert e.threshold("higher") == ("below", 0.0)
    assert e.amount(Number(24, unit="months"), "month") == "24.0 months"
    assert e.possible() == (-24, 24)
