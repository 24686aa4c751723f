"""Residuals with an SD of each planned visit and a correlation of each two: no structure is assumed."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Any, ClassVar, Literal

import numpy as np

from bayesmyo.components.component import Scale
from bayesmyo.components.correlation import CorrelationMatrix
from bayesmyo.components.in_r import number
from bayesmyo.components.priors import Joint, Prior
from bayesmyo.components.residuals.residual import Residual, Role
from bayesmyo.components.trajectories.trajectory import Trajectory


@dataclass(frozen=True, kw_only=True)
class Unstructured(Residual):
    """An SD of each planned visit and a correlation of each two visits, with the trajectory `visits`.

    eta: of the prior of the correlations, LKJ(eta) (Lewandowski et al. 2009): 1 is uniform over correlation matrices
    sigma: a predictor of its own with a value at each visit, as if `[outcomes.NAME.sigma]` had the same trajectory:
        `sigma_start` on the log, and what is added to it at later visits, `sigma_change_2` ...
    residual_correlation_1_2 ...: of the first and the second visit, and so on. Patients have no effects of their own:
    what they differ in is
        in these correlations.
    """

    kind: Literal["unstructured"] = "unstructured"
    eta: float = 1.0
    by_visit: ClassVar[bool] = True

    @property
    def sentence(self) -> str:
        return (
            "What patients differ in is in their residuals, which have an SD of each planned visit "
            "and a correlation of each two."
        )

    def written(self, outcome: str) -> tuple[str, ...]:
        return (f"({outcome}[i, t] - eta[i, t]) over visits t ~ MvNormal(0, SDs sigma and residual correlations)",)

    def parameters(self, scale: Scale, trajectory: Trajectory) -> dict[str, tuple[Role, Prior | Joint | None, str]]:
        visits = len(trajectory.visits_planned())
        return {
            "residual_correlation": ("correlation", CorrelationMatrix("residual_correlation", visits, self.eta), "")
        }

    def covariance(self, t: Any, sigma: Any, values: Mapping[str, Any], trajectory: Trajectory, xp: Any) -> Any:
        visit = trajectory.visit(t, xp)
        first, second = visit[..., :, None], visit[..., None, :]
        low, high = xp.minimum(first, second), xp.maximum(first, second)
        correlation: Any = xp.where(xp.equal(first, second), 1.0, 0.0)
        for i, j in combinations(range(len(trajectory.visits_planned())), 2):
            both = xp.equal(low, i) & xp.equal(high, j)
            correlation = correlation + xp.where(both, values[f"residual_correlation_{i + 1}_{j + 1}"], 0.0)
        return sigma[..., :, None] * sigma[..., None, :] * correlation

    def r_arguments(self, time: str, patient: str, trajectory: Trajectory) -> tuple[str, ...]:
        middles = ", ".join(number((a + b) / 2) for a, b in pairwise(trajectory.visits_planned()))
        visit = f"findInterval({time}, c({middles}))"
        return (
            f"correlation = nlme::corSymm(form = ~ I({visit} + 1) | {patient})",
            f"weights = nlme::varIdent(form = ~ 1 | {visit})",
        )

    def total(self, sigma: Any, values: Mapping[str, Any], xp: Any) -> Any:
        return sigma

    def faults(self, trajectory: Trajectory) -> tuple[str, ...]:
        if not trajectory.visits_planned():
            return ('needs planned visits: trajectory = { kind = "visits", at = [0, 4, 8], window = 1 }',)
        return () if np.isfinite(self.eta) and self.eta > 0 else ("eta must be positive",)
