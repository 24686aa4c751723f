"""Do measurements scatter as much late as early, and as much at high levels as at low ones, as the model predicts?"""

from dataclasses import dataclass

import numpy as np

from bayesmyo.assess.checks.check import CheckResult
from bayesmyo.assess.checks.findings import Finding, finding, span, verdict
from bayesmyo.assess.checks.moments import free_effects, spread, subject
from bayesmyo.assess.checks.remedies import at_end, crowded, is_scale, positive
from bayesmyo.assess.replicated import Replicated, replicated
from bayesmyo.inference.fit import Fit

FEWEST = 20  # measurements with a residual


@dataclass(frozen=True)
class Variance:
    """The spread of residuals in the last third of the visits over that in the first; the same for predicted levels.

    Residuals are in SDs that the model predicts, so both ratios are about one where it is right. ratio: that matters
    """

    name: str = "variance"
    ratio: float = 1.4

    def run(self, fit: Fit) -> CheckResult:
        replicates = replicated(fit)
        findings: list[Finding] = []
        for r in replicates.outcomes.values():
            if len(np.unique(r.y)) > 2 and np.isfinite(r.expected).any(axis=0).sum() >= FEWEST:
                findings += [self._over(fit, r, r.time, "time"), self._over(fit, r, r.level, "level")]
        return verdict(
            self.name, "Residual spread over time and over predicted levels is", fit, replicates, findings,
            none="too few measurements have a spread of their own",
            lacking=True,
        )  # fmt: skip

    def _over(self, fit: Fit, r: Replicated, by: np.ndarray, what: str) -> Finding:
        there = np.flatnonzero(np.isfinite(r.expected).any(axis=0))
        low, high = np.quantile(by[there], [1 / 3, 2 / 3])
        first, last = there[by[there] <= low], there[by[there] >= high]

        def ratio(z: np.ndarray) -> np.ndarray:
            return np.log(np.maximum(spread(z[:, last]), 1e-6) / np.maximum(spread(z[:, first]), 1e-6))

        data, drawn = ratio(r.residual), ratio(r.expected)
        difference = float(np.median(data) - np.median(drawn))
        times = np.exp(np.median(data))
        early, late = (max(float(np.median(r.level[cells])), 1e-6) for cells in (first, last))
        follows = bool(np.log(late / early) * np.sign(difference) >= abs(difference) / 2)
        unit = fit.study.time.unit
        where = (
            f"from {unit} {high:.3g} as up to {unit} {low:.3g}" if what == "time" else "at high levels as at low ones"
        )
        misfit = (
            f"Residuals of {subject(fit.study, r.outcome)} are {times:.2f} times as large {where} "
            f"({span(np.exp(drawn), '.2f')} is predicted): {self._remedy(fit, r, what, difference > 0, follows)}."
        )
        return finding(
            r.outcome,
            f"ratio of spreads over {what}",
            data,
            drawn,
            abs(difference) > np.log(self.ratio),
            misfit,
            np.exp,
        )

    @staticmethod
    def _remedy(fit: Fit, r: Replicated, what: str, grows: bool, in_proportion: bool) -> str:
        """in_proportion: the level changes over time as the spread does, in the same direction and at least half as much."""
        o = fit.study.outcomes[r.outcome]
        free = free_effects(fit.study, r.outcome)
        plain = o.family.link_name == "identity"
        if plain and what == "level" and not grows and crowded(r.y):
            return f"scatter that shrinks at high levels looks like a ceiling; {at_end(o, r.y, top=True)}"
        if plain and what == "level" and is_scale(o, r.y):
            return "scatter that shrinks at low levels looks like a floor; try the family ordered_beta"
        if plain and r.y.min() >= 0 and (grows if what == "level" else in_proportion):
            return f"scatter in proportion to the level looks like this; try the family {positive(r.y)}"
        if what == "time" and grows and free:
            return f'patients may drift apart; try adding "{free[0]}" to effects'
        if what == "time":
            return (
                "the model's spread does not change with time; were measurements taken otherwise later? "
                "Try a trajectory that can turn, or a covariate of visits"
            )
        return "the family does not allow for it; try another family or trajectory, or a covariate of visits, and look for wild measurements"
