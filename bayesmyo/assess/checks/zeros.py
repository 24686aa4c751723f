"""Are as many measurements zero as the model predicts, early and late?"""

from dataclasses import dataclass

import numpy as np

from bayesmyo.assess.checks.check import CheckResult
from bayesmyo.assess.checks.findings import Finding, finding, span, verdict
from bayesmyo.assess.checks.moments import subject
from bayesmyo.assess.checks.remedies import zeros
from bayesmyo.assess.replicated import Replicated, replicated
from bayesmyo.inference.fit import Fit


@dataclass(frozen=True)
class Zeros:
    """The share of zeros in counts, and wherever zeros have a table of their own: over all visits, over the earlier and over the later half.

    share: the difference that matters
    """

    name: str = "zeros"
    share: float = 0.05

    def run(self, fit: Fit) -> CheckResult:
        replicates = replicated(fit)
        findings: list[Finding] = []
        for r in replicates.outcomes.values():
            o = fit.study.outcomes[r.outcome]
            apart = {o.family.more_zeros, o.family.fewer_zeros} & o.predictors.keys()
            if apart or (o.family.counts and o.family.link_name == "log"):
                middle = np.median(r.time)
                findings.append(self._share(fit, r, np.full(len(r), True), "at all visits"))
                if (r.time < middle).any():
                    findings.append(self._share(fit, r, r.time < middle, f"before {fit.study.time.unit} {middle:.3g}"))
                findings.append(self._share(fit, r, r.time >= middle, f"from {fit.study.time.unit} {middle:.3g}"))
        return verdict(
            self.name, "The share of zeros is", fit, replicates, findings, none="no outcome is a count or a hurdle"
        )

    def _share(self, fit: Fit, r: Replicated, chosen: np.ndarray, when: str) -> Finding:
        observed, drawn = float(np.mean(r.y[chosen] == 0)), np.mean(r.drawn[:, chosen] == 0, axis=-1)
        o = fit.study.outcomes[r.outcome]
        more = observed > float(drawn.mean())
        remedy = zeros(fit.study, r.outcome, more, not bool(chosen.all()))
        misfit = (
            f"{observed:.0%} of the measurements of {subject(fit.study, r.outcome)} {when} are zero ({span(drawn, '.0%')} is predicted), "
            f"{'more' if more else 'fewer'} than the family {o.family.kind} allows: {remedy}."
        )
        matters = abs(observed - float(drawn.mean())) > self.share
        return finding(r.outcome, f"share of zeros {when}", observed, drawn, matters, misfit)
