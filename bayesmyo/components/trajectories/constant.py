"""No change in time."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from bayesmyo.components.component import Coefficient, Scale
from bayesmyo.components.priors import normal
from bayesmyo.components.trajectories.trajectory import Trajectory


@dataclass(frozen=True, kw_only=True)
class Constant(Trajectory):
    """eta(t) = intercept: what a patient had is what the patient keeps."""

    kind: Literal["constant"] = "constant"
    also: ClassVar[tuple[str, ...]] = ("flat",)
    sentence: ClassVar[str] = "stays level"
    formula: ClassVar[str] = "intercept"
    moves: ClassVar[bool] = False
    elsewhere: ClassVar[str] = "the outcome changes; try the trajectory linear or plateau"

    @property
    def earlier(self) -> str:
        return self.elsewhere

    def coefficients(self, scale: Scale) -> tuple[Coefficient, ...]:
        return (Coefficient("intercept", "level", normal(scale.typical, scale.spread)),)

    def _curve(self, t: Any, coefficients: Mapping[str, Any], xp: Any) -> Any:
        return coefficients["intercept"] + 0.0 * t

    def r_terms(self, time: str, first: float) -> Mapping[str, str]:
        return {"intercept": "1"}
