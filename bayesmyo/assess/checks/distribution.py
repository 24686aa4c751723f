"""Are measurements distributed around the patients' curves as the family says?"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bayesmyo.assess.checks.findings import Finding, Predictive, finding, span
from bayesmyo.assess.checks.moments import extreme, skewness, spread, subject
from bayesmyo.assess.checks.remedies import is_scale, positive, skewed, wider
from bayesmyo.assess.replicated import Replicated
from bayesmyo.components.families import suited
from bayesmyo.components.families.family import BETWEEN_ENDS, FAR_OFF
from bayesmyo.inference.fit import Fit
from bayesmyo.study.study import Outcome


@dataclass(frozen=True)
class Distribution(Predictive):
    """Spread, skewness and most extreme of the residuals around the patients' curves, in SDs that the model predicts.

    For spread and skewness a residual beyond 3 SD counts as 3: a few wild measurements are for the third statistic.
    ratio: of spreads that matters; skew: difference in skewness that matters; far: ratio of the extremes that matters
    """

    name: str = "distribution"
    ratio: float = 1.15
    skew: float = 0.4
    far: float = 1.3
    told: ClassVar[str] = "Spread, skewness and most extreme residual are"
    none: ClassVar[str] = "two values have no distribution to look at"

    def judge(self, fit: Fit, r: Replicated) -> Iterator[Finding]:
        if len(np.unique(r.y)) > 2:
            for looked_at in (self._spread, self._skewness, self._extreme):
                yield looked_at(fit.study.outcomes[r.outcome], fit, r)

    def _spread(self, o: Outcome, fit: Fit, r: Replicated) -> Finding:
        data, drawn = spread(inner(r.residual)), spread(inner(r.expected))
        ratio = float(np.median(data) / np.median(drawn))
        wide = wider(o.family, "other effects") or "other effects, or another family"
        misfit = (
            f"Measurements of {subject(fit.study, r.outcome)} scatter {ratio:.2f} times as much around the patients' "
            f"curves as the family says ({span(drawn, '.2f')} is predicted): try "
            f"{wide if ratio > 1 else 'a simpler family'}."
        )
        return finding(r.outcome, "spread", data, drawn, abs(np.log(ratio)) > np.log(self.ratio), misfit)

    def _skewness(self, o: Outcome, fit: Fit, r: Replicated) -> Finding:
        data, drawn = skewness(inner(r.residual)), skewness(inner(r.expected))
        observed, predicted = float(np.median(data)), float(np.median(drawn))
        above = observed > predicted
        if above and o.family.multiplicative:
            remedy = "another family, or a covariate that explains the high measurements"
        elif is_scale(o, r.y):
            remedy = suited(BETWEEN_ENDS)
        elif above:
            remedy = positive(r.y) if r.y.min() >= 0 else suited(FAR_OFF)
        else:
            remedy = f"{suited(FAR_OFF)}, or declare a limit of measurement"
        misfit = (
            f"Residuals of {subject(fit.study, r.outcome)} have a skewness of {observed:.2f} "
            f"({span(drawn, '.2f')} is predicted), a long tail {'above' if above else 'below'} that the family "
            f"{o.family.kind} has not: try {remedy}."
        )
        return finding(r.outcome, "skewness", data, drawn, abs(observed - predicted) > self.skew, misfit)

    def _extreme(self, o: Outcome, fit: Fit, r: Replicated) -> Finding:
        data, drawn = extreme(r.residual), extreme(r.expected)
        size = np.nan_to_num(np.abs(np.median(r.residual, axis=0)))
        i, whose = int(size.argmax()), subject(fit.study, r.outcome)
        far = float(np.exp(np.median(data) - np.median(drawn)))
        predicted = f"({span(np.exp(drawn), '.1f')} is predicted for the most extreme)"
        if far > 1:
            remedy = o.family.heavier_tailed or "a family with a heavier tail"
            if o.family.additive and skewed(r.y):
                remedy = positive(r.y)
            of = f"{o.unit} of {fit.cohort.pseudonyms()[r.patient[i]]} at {fit.study.time.unit} {r.time[i]:g}"
            misfit = (
                f"A measurement of {whose}, {r.y[i]:.4g} {of}, lies {size[i]:.1f} SD from the patient's curve "
                f"{predicted}: look it up in the record, or try {remedy}."
            )
        else:
            misfit = (
                f"No measurement of {whose} lies further than {size[i]:.1f} SD from its patient's curve {predicted}: "
                "are values cut off, or does it have ends?"
            )
        matters = abs(np.log(far)) > np.log(self.far)
        return finding(r.outcome, "most extreme residual", data, drawn, matters, misfit, np.exp)


def inner(z: np.ndarray) -> np.ndarray:
    return np.clip(z, -3.0, 3.0)
