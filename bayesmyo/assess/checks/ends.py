"""Are as many measurements at the ends of the range as the model predicts, and does it predict impossible ones?"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bayesmyo.assess.checks.findings import Finding, Predictive, finding, span
from bayesmyo.assess.checks.moments import subject
from bayesmyo.assess.checks.remedies import at_end
from bayesmyo.assess.replicated import Replicated
from bayesmyo.components.families import suited
from bayesmyo.components.families.family import BETWEEN_ENDS
from bayesmyo.inference.fit import Fit
from bayesmyo.study.study import Outcome


@dataclass(frozen=True)
class Ends(Predictive):
    """Shares of measurements at each end of the range, and beyond it, where no measurement can be.

    The ends are those of the family, or the declared minimum and maximum. A continuous family without ends is asked
    whether as many measurements are tied at the extreme.
    share: the difference that matters; ties: the share of ties that matters
    """

    name: str = "ceiling and floor"
    share: float = 0.03
    ties: float = 0.05
    told: ClassVar[str] = "Shares at the ends of the range are"

    def judge(self, fit: Fit, r: Replicated) -> Iterator[Finding]:
        o = fit.study.outcomes[r.outcome]
        if o.family.ordinal or o.family.binary:
            return
        for end, sign in zip(_ends(o), (-1.0, 1.0), strict=True):
            if end is not None and r.lower < end < r.upper:
                yield from self._declared(fit, r, end, sign)
            elif not o.family.counts and not (sign < 0 and o.family.has_zero_part):
                yield from self._tied(fit, r, sign)

    def _declared(self, fit: Fit, r: Replicated, end: float, sign: float) -> Iterator[Finding]:
        o, whose = fit.study.outcomes[r.outcome], subject(fit.study, r.outcome)
        word, over = ("top", "above") if sign > 0 else ("bottom", "below")
        remedy = at_end(o, r.y, sign > 0)
        observed, shares = (np.mean(sign * y >= sign * end, axis=-1) for y in (r.y, r.drawn))
        seen, beyond = (np.mean(sign * y > sign * end, axis=-1) for y in (r.y, r.drawn))
        misfit = (
            f"{observed:.0%} of the measurements of {whose} are at the {word} of the range, {end:g} {o.unit}"
            f"{f', or {over}' if beyond.any() else ''} ({span(shares, '.0%')} is predicted): {remedy}."
        )
        matters = bool(abs(observed - shares.mean()) > self.share)
        yield finding(r.outcome, f"share at the {word}", float(observed), shares, matters, misfit)
        if beyond.any():
            misfit = (
                f"The model predicts {beyond.mean():.0%} of the measurements of {whose} beyond what is possible "
                f"({over} {end:g} {o.unit}): {remedy}."
            )
            matters = bool(beyond.mean() - seen > self.share)
            yield finding(r.outcome, f"share beyond the {word}", float(seen), beyond, matters, misfit)

    def _tied(self, fit: Fit, r: Replicated, sign: float) -> Iterator[Finding]:
        """Measurements tied at their extreme, beside replicates rounded as the data are."""
        if (r.upper if sign > 0 else -r.lower) < np.inf:
            return  # cut off there by a limit of measurement, which the check of censored cells looks at
        o, word = fit.study.outcomes[r.outcome], "largest" if sign > 0 else "smallest"
        rounded = sign * _rounded(r.drawn, r.y)
        end = sign * float((sign * r.y).max())
        observed, shares = float(np.mean(r.y == end)), np.mean(rounded == rounded.max(axis=-1)[:, None], axis=-1)
        misfit = (
            f"{observed:.0%} of the measurements of {subject(fit.study, r.outcome)} are {end:g} {o.unit}, the {word} "
            f"of all ({span(shares, '.0%')} tied there is predicted): is it a limit of what can be measured? Then "
            f"declare it (censoring); if it is an end of the scale, try the family {suited(BETWEEN_ENDS)}."
        )
        matters = observed - float(shares.mean()) > self.ties
        yield finding(r.outcome, f"share tied at the {word}", observed, shares, matters, misfit)


def _ends(o: Outcome) -> tuple[float | None, float | None]:
    if o.family.score:
        return o.family.ends()
    if o.family.counts or o.family.has_zero_part:
        return None, o.maximum  # zeros have a check of their own
    return o.minimum, o.maximum


def _rounded(values: np.ndarray, like: np.ndarray) -> np.ndarray:
    """Values rounded to the grid on which the others lie; as they are where those lie on none."""
    distinct = np.unique(like)
    if len(distinct) < 3:
        return values
    step = float(np.diff(distinct).min())
    steps = (distinct - distinct[0]) / step
    if np.abs(steps - np.round(steps)).max() > 1e-3 or steps[-1] > 1e5:
        return values
    return distinct[0] + step * np.round((values - distinct[0]) / step)
