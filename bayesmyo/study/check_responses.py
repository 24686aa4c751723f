"""What criteria may get wrong, in a response rule or a share: outcomes, limits nobody can meet, categories in
disorder."""

import re
from collections.abc import Collection, Mapping, Sequence

import numpy as np

from bayesmyo.components.estimands import Criterion
from bayesmyo.components.families import Family
from bayesmyo.errors import Fault, did_you_mean
from bayesmyo.study.faults import Faults, unknown, unknown_keys
from bayesmyo.study.study import Event, Outcome, Response

NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
NO_EVENT = "is not an event of this study"
NO_COURSE = "after which there is no course"
USABLE = "use lower-case letters, digits and _, a letter first, at most 40"

ZERO = 'what is expected is never zero: a share with predicts = "measurement" is the probability of zero'


def response(name: str, r: Response, outcomes: Sequence[str], read: Mapping[str, Outcome]) -> Faults:
    """Faults of one [responses.NAME]; outcomes: the names of all, read: those that could be read."""
    where = f"responses.{name}"
    if not r.outcomes:
        mend = "write at least one category with criteria, remission = { strength = { at_least = 4.5 } }"
        yield Fault(f"{where}.categories", "ask nothing of any outcome", mend=mend)
    if not 0 <= r.window <= r.at:
        yield Fault(f"{where}.window", f"must lie between 0 and at, {r.at:g}", f"{r.window:g}")
    for category, criteria in r.categories.items():
        inside = f"{where}.categories.{category}"
        if not NAME.fullmatch(category):
            yield Fault(inside, "is not a usable name", mend=USABLE)
        if not criteria and category != [*r.categories][-1] and r.outcomes:
            mend = "the category that takes everyone else comes last"
            yield Fault(inside, "has no criteria, and takes all patients from those after it", mend=mend)
        for outcome, c in criteria.items():
            yield from unknown_keys(inside, [outcome], outcomes, "is not an outcome of this study")
            yield from of_criterion(f"{inside}.{outcome}", c, r.at, r.from_, read.get(outcome), measured=False)


def free(name: str, r: Response, events: Sequence[str], read: Mapping[str, Event]) -> Faults:
    """Events of which a rule asks to be free that are none, and deaths of which it says nothing; `events` and `read` as
    the outcomes of `response`."""
    where = f"responses.{name}.free"
    for event, t in r.free.items():
        yield from unknown(where, event, events, NO_EVENT)
        if not 0 < t <= r.at:
            yield Fault(f"{where}.{event}", f"must come after zero, and not after at, {r.at:g}", f"{t:g}")
    for event in terminal(read, r.free):
        yield Fault(where, f"says nothing of {event}, {NO_COURSE}", mend=f"write free = {{ {event} = {r.at:g} }}")


def terminal(events: Mapping[str, Event], settled: Collection[str]) -> list[str]:
    """The deaths among events of which nothing is said."""
    return [name for name, event in events.items() if event.terminal and name not in settled]


def rule(name: str, responses: Sequence[str]) -> Faults:
    """The rule that the study calls its own must be one of its responses."""
    if name:
        mend = did_you_mean(name, responses) or f"declare [responses.{name}]"
        yield from unknown("study.rule", name, responses, "is not one of the study's responses", mend)


def of_criterion(where: str, c: Criterion, at: float, from_: float, o: Outcome | None, measured: bool) -> Faults:
    """Faults of one criterion.

    Parameters
    ----------
    at, from_
        The times that it compares, in the study's unit.
    o
        Its outcome, None where that could not be read.
    measured
        Whether it is asked of measurements, else of expected values.
    """
    if c.at_least is None and c.at_most is None:
        yield Fault(where, "asks nothing", mend="give at_least, at_most or both")
    elif c.at_least is not None and c.at_most is not None and c.at_least > c.at_most:
        yield Fault(f"{where}.at_most", f"must not lie below at_least, {c.at_least:g}", f"{c.at_most:g}")
    if c.compares and from_ >= at:
        what = f"compares with the time from, {from_:g}, which must come before at"
        yield Fault(f"{where}.of", what, f"{at:g}")
    if o is not None:
        yield from _possible(where, c, o.family, measured)


def _possible(where: str, c: Criterion, family: Family, measured: bool) -> Faults:
    """Limits outside what the family can be, which everyone or nobody meets; ratios that cannot be formed."""
    if c.of == "ratio" and family.anchored:
        yield Fault(f"{where}.of", "scores of grades have no ratio", '"ratio"', 'ask for the "change"')
    elif c.of == "ratio" and measured and bool(np.all(family.check(np.zeros(1)))):
        what = "a measurement may be zero, and then has no ratio"
        yield Fault(f"{where}.of", what, '"ratio"', "ask for the ratio of expected values")
    else:
        outside = {"change": _beyond_range, "ratio": _no_ratio, "level": _outside}[c.of]
        for key, value in (("at_least", c.at_least), ("at_most", c.at_most)):
            if value is not None and (what := outside(family, value, measured)):
                none = c.of == "level" and value == 0 and family.has_zero_part and not measured
                yield Fault(f"{where}.{key}", what, f"{value:g}", ZERO if none else "")


def _beyond_range(family: Family, value: float, measured: bool) -> str:
    low, high = family.ends()
    if low is None or high is None or abs(value) <= high - low:
        return ""
    return f"is more than the whole range, {high - low:g}: everyone or nobody could meet it"


def _no_ratio(family: Family, value: float, measured: bool) -> str:
    return "is a limit of a ratio, which is positive" if value <= 0 else ""


def _outside(family: Family, value: float, measured: bool) -> str:
    """What a limit of a level must be, where it is not; empty where it can be met and missed."""
    low, high = family.ends()
    if family.ordinal and low is not None and high is not None:
        inside = low <= value <= high if measured else low < value < high
        words = f"{'from' if measured else 'between'} {low:g} {'to' if measured else 'and'} {high:g}"
    else:
        inside = bool(family.check_expected(value) or (measured and family.check(value)))
        words = family.support() if measured else family.expected()
    return "" if inside else f"must be {words}: everyone or nobody could meet it"
