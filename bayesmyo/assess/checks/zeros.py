"""Are as many measurements zero as the model predicts, early and late?"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bayesmyo.assess.checks.findings import Finding, Predictive, finding, span
from bayesmyo.assess.checks.moments import subject
from bayesmyo.assess.checks.remedies import zeros
from bayesmyo.assess.replicated import Replicated
from bayesmyo.inference.fit import Fit


@dataclass(frozen=True)
class Zeros(Predictive):
    """The share of zeros in counts, or in what has a table of zeros: at all visits, in the earlier and the later half.

    share: the difference that matters
    """

    name: str = "zeros"
    share: float = 0.05
    told: ClassVar[str] = "The share of zeros is"
    none: ClassVar[str] = "no outcome is a count or a hurdle"

    def judge(self, fit: Fit, r: Replicated) -> Iterator[Finding]:
        o, unit = fit.study.outcomes[r.outcome], fit.study.time.unit
        apart = {o.family.more_zeros, o.family.fewer_zeros} & o.predictors.keys()
        if not apart and not (o.family.counts and o.family.multiplicative):
            return
        early, middle = r.time < np.median(r.time), f"{np.median(r.time):.3g}"
        halves = ((early, f"before {unit} {middle}"), (~early, f"from {unit} {middle}"))
        for chosen, when in ((np.full(len(r), True), "at all visits"), *halves):
            if chosen.any():
                yield self._share(fit, r, chosen, when)

    def _share(self, fit: Fit, r: Replicated, chosen: np.ndarray, when: str) -> Finding:
        observed, drawn = float(np.mean(r.y[chosen] == 0)), np.mean(r.drawn[:, chosen] == 0, axis=-1)
        o = fit.study.outcomes[r.outcome]
        more = observed > float(drawn.mean())
        remedy = zeros(fit.study, r.outcome, more, not bool(chosen.all()))
        misfit = (
            f"{observed:.0%} of the measurements of {subject(fit.study, r.outcome)} {when} are zero "
            f"({span(drawn, '.0%')} is predicted), {'more' if more else 'fewer'} than the family "
            f"{o.family.kind} allows: {remedy}."
        )
        matters = abs(observed - float(drawn.mean())) > self.share
        return finding(r.outcome, f"share of zeros {when}", observed, drawn, matters, misfit)
