"""Are as many measurements beyond the limits of what can be measured as the model predicts?"""

from dataclasses import dataclass

import numpy as np

from bayesmyo.assess.checks.check import CheckResult
from bayesmyo.assess.checks.findings import Finding, finding, span, verdict
from bayesmyo.assess.checks.moments import subject
from bayesmyo.assess.replicated import Replicated, known_range, replicated
from bayesmyo.cohort.cohort import BETWEEN, MEASURED
from bayesmyo.inference.fit import Fit


@dataclass(frozen=True)
class Censored:
    """The share of measurements at or beyond the limit, where limits of one size leave its place known.

    Limits of several sizes are treated as the innermost: everything beyond `<20` is known to lie beyond `<50`.
    share: the difference that matters
    """

    name: str = "censored cells"
    share: float = 0.04

    def run(self, fit: Fit) -> CheckResult:
        replicates = replicated(fit)
        findings: list[Finding] = []
        unjudged: dict[str, str] = {}
        for r in replicates.outcomes.values():
            m = fit.cohort.measurements[r.outcome]
            between = int(np.sum(m.side == BETWEEN))
            if known_range(m) is None:
                unjudged[r.outcome] = (
                    f"the limits of its {int(np.sum(m.side != MEASURED))} censored cells are too different"
                )
            elif between:
                unjudged[r.outcome] = f"{between} cells lie between two limits"
            if np.isfinite(r.lower):
                findings.append(self._share(fit, r, r.lower, -1.0))
            if np.isfinite(r.upper):
                findings.append(self._share(fit, r, r.upper, 1.0))
        return verdict(
            self.name, "Shares beyond the limits of measurement are", fit, replicates, findings, unjudged=unjudged,
            none="no cell is known only to a limit",
        )  # fmt: skip

    def _share(self, fit: Fit, r: Replicated, limit: float, sign: float) -> Finding:
        observed, drawn = float(np.mean(sign * r.y >= sign * limit)), np.mean(sign * r.drawn >= sign * limit, axis=-1)
        o = fit.study.outcomes[r.outcome]
        word = "above" if sign > 0 else "below"
        misfit = (
            f"{observed:.0%} of the measurements of {subject(fit.study, r.outcome)} are at or {word} {limit:g} {o.unit}, the limit of what was "
            f"measured ({span(drawn, '.0%')} is predicted): is that the laboratory's limit at all visits? Else the tail is not that of the "
            f"family {o.family.kind}; try another family, or another trajectory."
        )
        matters = abs(observed - float(drawn.mean())) > self.share
        return finding(r.outcome, f"share at or {word} {limit:g}", observed, drawn, matters, misfit)
