"""What criteria may get wrong, in a response rule or in a share: outcomes, limits that nobody can meet, categories in disorder."""

import re
from collections.abc import Mapping, Sequence

import numpy as np

from bayesmyo.components.estimands import Criteria, Criterion
from bayesmyo.components.families import Family
from bayesmyo.errors import Fault, did_you_mean
from bayesmyo.study.study import Outcome, Response

NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


def response(name: str, r: Response, outcomes: Sequence[str], read: Mapping[str, Outcome]) -> list[Fault]:
    where, found = f"responses.{name}", []
    listed = list(r.categories)
    if not r.outcomes:
        mend = "write at least one category with criteria, remission = { strength = { at_least = 4.5 } }"
        found.append(Fault(f"{where}.categories", "ask nothing of any outcome", mend=mend))
    if not 0 <= r.window <= r.at:
        found.append(Fault(f"{where}.window", f"must lie between 0 and at, {r.at:g}", f"{r.window:g}"))
    for category, criteria in r.categories.items():
        inside = f"{where}.categories.{category}"
        if not NAME.fullmatch(category):
            mend = "use lower-case letters, digits and _, a letter first, at most 40"
            found.append(Fault(inside, "is not a usable name", mend=mend))
        if not criteria and category != listed[-1] and r.outcomes:
            mend = "the category that takes everyone else comes last"
            found.append(Fault(inside, "has no criteria, and takes all patients from those after it", mend=mend))
        found += of_criteria(inside, criteria, r.at, r.from_, outcomes, read, measured=False)
    return found


def rule(name: str, responses: Sequence[str]) -> list[Fault]:
    """The rule that the study calls its own must be one of its responses."""
    if name in responses or not name:
        return []
    mend = did_you_mean(name, responses) or f"declare [responses.{name}]"
    return [Fault("study.rule", "is not one of the study's responses", f'"{name}"', mend)]


def of_criteria(
    where: str,
    criteria: Criteria,
    at: float,
    from_: float,
    outcomes: Sequence[str],
    read: Mapping[str, Outcome],
    measured: bool,
) -> list[Fault]:
    """Faults of criteria by outcome; `measured`: they are asked of measurements, else of expected values."""
    found = []
    for outcome, c in criteria.items():
        inside = f"{where}.{outcome}"
        if outcome not in outcomes:
            found.append(Fault(inside, "is not an outcome of this study", mend=did_you_mean(outcome, outcomes)))
        found += of_criterion(inside, c, at, from_, read.get(outcome), measured)
    return found


def of_criterion(where: str, c: Criterion, at: float, from_: float, o: Outcome | None, measured: bool) -> list[Fault]:
    """Faults of one criterion; the outcome is None where it could not be read."""
    found = []
    if c.at_least is None and c.at_most is None:
        found.append(Fault(where, "asks nothing", mend="give at_least, at_most or both"))
    elif c.at_least is not None and c.at_most is not None and c.at_least > c.at_most:
        found.append(Fault(f"{where}.at_most", f"must not lie below at_least, {c.at_least:g}", f"{c.at_most:g}"))
    if c.compares and from_ >= at:
        what = f"compares with the time from, {from_:g}, which must come before at"
        found.append(Fault(f"{where}.of", what, f"{at:g}"))
    return found + (_possible(where, c, o.family, measured) if o is not None else [])


def _possible(where: str, c: Criterion, family: Family, measured: bool) -> list[Fault]:
    """Limits outside what the family can be, which everyone or nobody meets; ratios that cannot be formed."""
    limits = {k: v for k, v in (("at_least", c.at_least), ("at_most", c.at_most)) if v is not None}
    if c.of == "change":
        low, high = family.ends()
        if low is None or high is None:
            return []
        what = f"is more than the whole range, {high - low:g}: everyone or nobody could meet it"
        return [Fault(f"{where}.{k}", what, f"{v:g}") for k, v in limits.items() if abs(v) > high - low]
    if c.of == "ratio":
        if family.anchored:
            return [Fault(f"{where}.of", "scores of grades have no ratio", '"ratio"', 'ask for the "change"')]
        if measured and bool(np.all(family.check(np.zeros(1)))):
            mend = "ask for the ratio of expected values"
            return [Fault(f"{where}.of", "a measurement may be zero, and then has no ratio", '"ratio"', mend)]
        what = "is a limit of a ratio, which is positive"
        return [Fault(f"{where}.{k}", what, f"{v:g}") for k, v in limits.items() if v <= 0]
    return [
        Fault(f"{where}.{k}", f"must be {words}: everyone or nobody could meet it", f"{v:g}")
        for k, v in limits.items()
        if (words := _outside(family, v, measured))
    ]


def _outside(family: Family, value: float, measured: bool) -> str:
    """What a limit of a level must be, where it is not; empty where it can be met and missed."""
    low, high = family.ends()
    if family.ordinal and low is not None and high is not None:
        inside = low <= value <= high if measured else low < value < high
        return "" if inside else f"{'from' if measured else 'between'} {low:g} {'to' if measured else 'and'} {high:g}"
    if family.check_expected(value) or (measured and family.check(value)):
        return ""
    return family.support() if measured else family.expected()
