"""Are as many measurements at the ends of the range as the model predicts, and does it predict impossible ones?"""

from dataclasses import dataclass

import numpy as np

from bayesmyo.assess.checks.check import CheckResult
from bayesmyo.assess.checks.findings import Finding, finding, span, verdict
from bayesmyo.assess.checks.moments import subject
from bayesmyo.assess.checks.remedies import at_end
from bayesmyo.assess.replicated import Replicated, replicated
from bayesmyo.inference.fit import Fit
from bayesmyo.study.study import Outcome


@dataclass(frozen=True)
class Ends:
    """Shares of measurements at each end of the range, and beyond it, where no measurement can be.

    The ends are those of the family, or the declared minimum and maximum. A continuous family without ends is asked whether as
    many measurements are tied at the extreme. share: the difference that matters; ties: the share of ties that matters
    """

    name: str = "ceiling and floor"
    share: float = 0.03
    ties: float = 0.05

    def run(self, fit: Fit) -> CheckResult:
        replicates = replicated(fit)
        findings: list[Finding] = []
        for r in replicates.outcomes.values():
            o = fit.study.outcomes[r.outcome]
            if o.family.ordinal or o.family.binary:
                continue
            lower, upper = _ends(o)
            for end, sign in ((lower, -1.0), (upper, 1.0)):
                if end is not None and r.lower < end < r.upper:
                    findings += self._declared(fit, r, end, sign)
                elif not o.family.counts and not (sign < 0 and o.family.has_zero_part):
                    findings += self._tied(fit, r, sign)
        return verdict(self.name, "Shares at the ends of the range are", fit, replicates, findings)

    def _declared(self, fit: Fit, r: Replicated, end: float, sign: float) -> list[Finding]:
        o = fit.study.outcomes[r.outcome]
        word = "top" if sign > 0 else "bottom"
        remedy = at_end(o, r.y, sign > 0)
        found = []
        data, drawn = sign * r.y >= sign * end, sign * r.drawn >= sign * end
        shares, observed = drawn.mean(axis=-1), float(data.mean())
        beyond = (sign * r.drawn > sign * end).mean(axis=-1)
        or_beyond = "" if not beyond.any() else ", or above" if sign > 0 else ", or below"
        misfit = (
            f"{observed:.0%} of the measurements of {subject(fit.study, r.outcome)} are at the {word} of the range, {end:g} {o.unit}{or_beyond} "
            f"({span(shares, '.0%')} is predicted): {remedy}."
        )
        matters = abs(observed - float(shares.mean())) > self.share
        found.append(finding(r.outcome, f"share at the {word}", observed, shares, matters, misfit))
        if beyond.any():
            misfit = (
                f"The model predicts {beyond.mean():.0%} of the measurements of {subject(fit.study, r.outcome)} beyond what is possible "
                f"({'above' if sign > 0 else 'below'} {end:g} {o.unit}): {remedy}."
            )
            seen = float((sign * r.y > sign * end).mean())
            matters = float(beyond.mean()) - seen > self.share
            found.append(finding(r.outcome, f"share beyond the {word}", seen, beyond, matters, misfit))
        return found

    def _tied(self, fit: Fit, r: Replicated, sign: float) -> list[Finding]:
        """Measurements tied at their extreme, beside replicates rounded as the data are."""
        if (r.upper if sign > 0 else -r.lower) < np.inf:
            return []  # cut off there by a limit of measurement, which the check of censored cells looks at
        o = fit.study.outcomes[r.outcome]
        rounded = _rounded(r.drawn, r.y)
        ends = (sign * rounded).max(axis=-1)[:, None]
        end = sign * float((sign * r.y).max())
        observed, shares = float(np.mean(r.y == end)), np.mean(sign * rounded == ends, axis=-1)
        misfit = (
            f"{observed:.0%} of the measurements of {subject(fit.study, r.outcome)} are {end:g} {o.unit}, the "
            f"{'largest' if sign > 0 else 'smallest'} of all ({span(shares, '.0%')} tied there is predicted): is it a limit of what can be "
            f"measured? Then declare it (censoring); if it is an end of the scale, try the family ordered_beta."
        )
        word = "largest" if sign > 0 else "smallest"
        matters = observed - float(shares.mean()) > self.ties
        return [finding(r.outcome, f"share tied at the {word}", observed, shares, matters, misfit)]


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
