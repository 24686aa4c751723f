"""Are measurements distributed around the patients' curves as the family says?"""

from dataclasses import dataclass

import numpy as np

from bayesmyo.assess.checks.check import CheckResult
from bayesmyo.assess.checks.findings import Finding, finding, span, verdict
from bayesmyo.assess.checks.moments import extreme, skewness, spread, subject
from bayesmyo.assess.checks.remedies import is_scale, positive, skewed, wider
from bayesmyo.assess.replicated import Replicated, replicated
from bayesmyo.inference.fit import Fit


@dataclass(frozen=True)
class Distribution:
    """Spread, skewness and most extreme of the residuals around the patients' curves, in SDs that the model predicts.

    For spread and skewness a residual beyond 3 SD counts as 3: a few wild measurements are for the third statistic.
    ratio: of spreads that matters; skew: difference in skewness that matters; far: ratio of the extremes that matters
    """

    name: str = "distribution"
    ratio: float = 1.15
    skew: float = 0.4
    far: float = 1.3

    def run(self, fit: Fit) -> CheckResult:
        replicates = replicated(fit)
        findings: list[Finding] = []
        for r in replicates.outcomes.values():
            if len(np.unique(r.y)) > 2:
                findings += [self._spread(fit, r), self._skewness(fit, r), self._extreme(fit, r)]
        return verdict(
            self.name, "Spread, skewness and most extreme residual are", fit, replicates, findings,
            none="two values have no distribution to look at",
        )  # fmt: skip

    def _spread(self, fit: Fit, r: Replicated) -> Finding:
        data, drawn = spread(inner(r.residual)), spread(inner(r.expected))
        ratio = float(np.median(data) / np.median(drawn))
        family = fit.study.outcomes[r.outcome].family
        wide = wider(family, "other effects") or "other effects, or another family"
        remedy = wide if ratio > 1 else "a simpler family"
        misfit = (
            f"Measurements of {subject(fit.study, r.outcome)} scatter {ratio:.2f} times as much around the patients' curves as "
            f"the family says ({span(drawn, '.2f')} is predicted): try {remedy}."
        )
        return finding(r.outcome, "spread", data, drawn, abs(np.log(ratio)) > np.log(self.ratio), misfit)

    def _skewness(self, fit: Fit, r: Replicated) -> Finding:
        data, drawn = skewness(inner(r.residual)), skewness(inner(r.expected))
        observed = float(np.median(data))
        o = fit.study.outcomes[r.outcome]
        bounded = is_scale(o, r.y)
        if observed > np.median(drawn):
            remedy = "ordered_beta" if bounded else positive(r.y) if r.y.min() >= 0 else "student_t"
            if o.family.link_name == "log":
                remedy = "another family, or a covariate that explains the high measurements"
        else:
            remedy = "ordered_beta" if bounded else "student_t, or declare a limit of measurement"
        misfit = (
            f"Residuals of {subject(fit.study, r.outcome)} have a skewness of {observed:.2f} ({span(drawn, '.2f')} is predicted), "
            f"a long tail {'above' if observed > np.median(drawn) else 'below'} that the family {o.family.kind} has not: try {remedy}."
        )
        matters = abs(observed - float(np.median(drawn))) > self.skew
        return finding(r.outcome, "skewness", data, drawn, matters, misfit)

    def _extreme(self, fit: Fit, r: Replicated) -> Finding:
        data, drawn = extreme(r.residual), extreme(r.expected)
        size = np.nan_to_num(np.abs(np.median(r.residual, axis=0)))
        i = int(size.argmax())
        o, far = fit.study.outcomes[r.outcome], float(np.exp(np.median(data) - np.median(drawn)))
        value = (
            f"{r.y[i]:.4g} {o.unit} of {fit.cohort.pseudonyms()[r.patient[i]]} at {fit.study.time.unit} {r.time[i]:g}"
        )
        if far > 1:
            remedy = o.family.heavier_tailed or "a family with a heavier tail"
            if o.family.link_name == "identity" and skewed(r.y):
                remedy = positive(r.y)
            misfit = (
                f"A measurement of {subject(fit.study, r.outcome)}, {value}, lies {size[i]:.1f} SD from the patient's curve "
                f"({span(np.exp(drawn), '.1f')} is predicted for the most extreme): look it up in the record, or try {remedy}."
            )
        else:
            misfit = (
                f"No measurement of {subject(fit.study, r.outcome)} lies further than {size[i]:.1f} SD from its patient's curve "
                f"({span(np.exp(drawn), '.1f')} is predicted for the most extreme): are values cut off, or does it have ends?"
            )
        return finding(
            r.outcome, "most extreme residual", data, drawn, abs(np.log(far)) > np.log(self.far), misfit, np.exp
        )


def inner(z: np.ndarray) -> np.ndarray:
    return np.clip(z, -3.0, 3.0)
