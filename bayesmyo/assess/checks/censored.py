"""Are as many measurements beyond the limits of what can be measured as the model predicts?"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bayesmyo.assess.checks.findings import Finding, Predictive, finding, span
from bayesmyo.assess.checks.moments import subject
from bayesmyo.assess.replicated import Replicated, known_range
from bayesmyo.cohort.cohort import BETWEEN, MEASURED
from bayesmyo.inference.fit import Fit


@dataclass(frozen=True)
class Censored(Predictive):
    """The share of measurements at or beyond the limit, where limits of one size leave its place known.

    Limits of several sizes are treated as the innermost: everything beyond `<20` is known to lie beyond `<50`.
    share: the difference that matters
    """

    name: str = "censored cells"
    share: float = 0.04
    told: ClassVar[str] = "Shares beyond the limits of measurement are"
    none: ClassVar[str] = "no cell is known only to a limit"

    def judge(self, fit: Fit, r: Replicated) -> Iterator[Finding | str]:
        m = fit.cohort.measurements[r.outcome]
        between = int(np.sum(m.side == BETWEEN))
        if known_range(m) is None:
            yield f"the limits of its {int(np.sum(m.side != MEASURED))} censored cells are too different"
        elif between:
            yield f"{between} cells lie between two limits"
        for limit, sign in ((r.lower, -1.0), (r.upper, 1.0)):
            if np.isfinite(limit):
                yield self._share(fit, r, limit, sign)

    def _share(self, fit: Fit, r: Replicated, limit: float, sign: float) -> Finding:
        observed, drawn = (np.mean(sign * y >= sign * limit, axis=-1) for y in (r.y, r.drawn))
        o = fit.study.outcomes[r.outcome]
        place = f"at or {'above' if sign > 0 else 'below'} {limit:g}"
        misfit = (
            f"{observed:.0%} of the measurements of {subject(fit.study, r.outcome)} are {place} {o.unit}, the limit of "
            f"what was measured ({span(drawn, '.0%')} is predicted): is that the laboratory's limit at all visits? "
            f"Else the tail is not that of the family {o.family.kind}; try another family, or another trajectory."
        )
        matters = bool(abs(observed - drawn.mean()) > self.share)
        return finding(r.outcome, f"share {place}", observed, drawn, matters, misfit)
