"""Tipping points: the least amount by which those who left would have to fare otherwise for a conclusion to change."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from bayesmyo.assess.what_if import Draws, WhatIf
from bayesmyo.components.estimands import Estimand
from bayesmyo.components.numbers import listing, significant

Array = np.ndarray
HALVINGS = 12  # between two of the amounts
LOST = {"lost", "lost to follow-up"}


@dataclass(frozen=True)
class TippingPoint:
    """The least amount at which a conclusion changes.

    Attributes
    ----------
    kind, name : str
        "decision" or "estimand"; an estimand concludes where its interval lies on one side of its threshold.
    group : str
        The group whose leavers alone fare otherwise; "" for all.
    d, spreads : float, optional
        As in `Row`; None where no amount that was looked at changes it.
    left : int
        Of these patients, how many had left for the reasons asked about before the latest time it looks at.
    before, after : str
        The conclusion as the fit has it, and beyond the tipping point.
    """

    kind: str
    name: str
    estimand: str
    outcomes: tuple[str, ...]
    group: str
    d: float | None
    spreads: float | None
    left: int
    before: str
    after: str
    sentence: str
    withheld: bool = False


def tipping_points(asked: WhatIf) -> list[TippingPoint]:
    """Of every conclusion, for all who left, or for those of one group alone."""
    start, points = asked.seen(np.zeros(asked.groups)), []
    for kind, name, estimand in conclusions(asked):
        if not (before := start.conclusion(kind, name)):
            continue
        for group, direction in zip(asked.levels or ("",), np.eye(asked.groups), strict=True):
            tipped = [t for side in _sides(asked) if (t := _flip(asked, kind, name, before, side, direction))]
            x, after = min(tipped, key=lambda t: abs(t[0])) if tipped else (None, before)
            points.append(_point(asked, (kind, name, estimand, group), direction, x, before, after))
    return points


def whether(asked: WhatIf, draws: Draws) -> list[TippingPoint]:
    """Does another course without an amount, or with one of a prior, change a conclusion?"""
    start, points = asked.seen(np.zeros(asked.groups)), []
    for kind, name, estimand in conclusions(asked):
        if not (before := start.conclusion(kind, name)):
            continue
        e, after = asked.study.estimands[estimand], draws.conclusion(kind, name) or "no conclusion"
        gone, who = _who(asked, e, "")
        what = f"be the same ({before})" if after == before else f"change ({before}, then {after})"
        by = f", {asked.course.amount} ~ {asked.prior}" if asked.prior else ""
        said = f"{name}: had {who} {asked.course.had}{by}, the conclusion would {what}."
        points.append(TippingPoint(kind, name, estimand, e.outcomes, "", None, None, gone, before, after, said))
    return points


def conclusions(asked: WhatIf) -> list[tuple[str, str, str]]:
    """(kind, name, estimand) of what concludes."""
    decisions = [("decision", n, d.estimand) for n, d in asked.study.decisions.items() if d.estimand in asked.asked]
    return decisions + [("estimand", n, n) for n in asked.asked]


def _sides(asked: WhatIf) -> list[list[float]]:
    """Amounts from zero outwards, to either side."""
    values = sorted({0.0, *asked.values()}, key=abs)
    return [s for s in ([v for v in values if v <= 0], [v for v in values if v >= 0]) if len(s) > 1]


def _flip(
    asked: WhatIf, kind: str, name: str, before: str, side: Sequence[float], direction: Array
) -> tuple[float, str] | None:
    """The least amount on one side by which a conclusion changes, and to what: by halving between two amounts."""

    def at(x: float) -> str:
        return asked.seen(x * direction).conclusion(kind, name)

    for low, high in pairwise(side):
        if at(high) == before:
            continue
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            low, high = (middle, high) if at(middle) == before else (low, middle)
        return high, at(high)
    return None


def _point(
    asked: WhatIf, of: tuple[str, str, str, str], direction: Array, x: float | None, before: str, after: str
) -> TippingPoint:
    kind, name, estimand, group = of
    e = asked.study.estimands[estimand]
    gone, who = _who(asked, e, group)
    d, spreads = (None, None) if x is None else asked.told(np.array([x]), e.outcomes)
    far = max(_sides(asked), key=lambda s: abs(s[-1]))[-1]
    them = " than patients like them" if asked.course.benefit else ""
    amount = _amount(asked, e, far if x is None else x, direction) + them
    must, had = asked.course.verb
    if gone == 0 and e.population == "these patients":
        when = f"{asked.study.time.unit} {max(e.times()):g}"
        said = f"{who} all left after {when}: nothing about them changes the conclusion ({before})"
    elif x is None:
        said = f"even had {who} {had} {amount}, the conclusion would be the same ({before})"
    else:
        change = f"for the conclusion to change ({before}, then {after or 'no conclusion'})"
        said = f"{who} would have had to {must} {amount} {change}"
    return TippingPoint(kind, name, estimand, e.outcomes, group, d, spreads, gone, before, after, f"{name}: {said}.")


def _who(asked: WhatIf, e: Estimand, group: str) -> tuple[int, str]:
    """How many had left before the latest time that an estimand looks at, and what they are called."""
    time = max(e.times())
    gone, ever = asked.left.by(time), asked.left.who
    if group:
        own = asked.fit.cohort.covariates[asked.group] == asked.levels.index(group)
        gone, ever = gone & own, ever & own
    n = int(gone.sum())
    by = f" by {asked.study.time.unit} {time:g}" if n < ever.sum() else ""
    left = f"left ({listing(asked.reasons, 'or')})"
    one, many = ("was lost", "were lost") if {*asked.reasons} <= LOST else (left, left)
    of = f" with {asked.study.covariates[asked.group].label or asked.group} {group}" if group else ""
    if n == 0:
        return 0, f"those{of} who {many}"
    return n, f"the one patient{of} who {one}{by}" if n == 1 else f"the {n}{of} who {many}{by}"


def _amount(asked: WhatIf, e: Estimand, x: float, direction: Array) -> str:
    """An amount as a reader understands it: in units, as a ratio, or what it makes of those who left on average."""
    if not asked.course.benefit:
        return f"{abs(x):.0%} of the way back to their own start"
    own = [o for o in e.outcomes if o in asked.units]
    said = [_in_unit(asked, e, o, x, direction) for o in own]
    if len(own) > 1:
        said = [f"{s} in {asked.study.named[o].label}" for s, o in zip(said, own, strict=True)]
    each = f" with each {asked.study.time.unit}" if asked.course.per_time else ""
    return f"{listing(said)}{each}"


def _in_unit(asked: WhatIf, e: Estimand, outcome: str, x: float, direction: Array) -> str:
    o, d, word = asked.study.outcomes[outcome], abs(x * asked.units[outcome]), "worse" if x < 0 else "better"
    if o.family.additive:
        return f"{significant(d, 2)} {o.unit} {word}"
    if o.family.multiplicative:
        return f"{word} by a factor of {significant(float(np.exp(d)), 3)}"
    size, time, link = significant(d, 2), max(e.times()), o.family.link_name
    gone = asked.left.by(time)
    if asked.course.per_time or not gone.any():
        return f"{size} {word} on the {link} scale"
    moved, own = (p.each(outcome, time) for p in (asked.draws(x * direction).prediction, asked.fit.prediction))
    apart = abs(float(np.median((moved - own)[..., gone].mean(axis=-1))))
    return f"{significant(apart, 2)} {o.unit} {word} ({size} on the {link} scale)"


__all__ = ["TippingPoint", "conclusions", "tipping_points", "whether"]
