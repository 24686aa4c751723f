"""The same change in every unit of time."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from bayesmyo.components.component import Coefficient, Scale
from bayesmyo.components.priors import normal
from bayesmyo.components.trajectories.trajectory import Trajectory


@dataclass(frozen=True, kw_only=True)
class Linear(Trajectory):
    """eta(t) = intercept + slope * (t - origin).

    intercept: level at `origin`; default prior Normal(typical, spread)
    slope: change per unit of time; default prior Normal(0, 2 * spread) per typical follow-up.
    A straight line never stops: over years it leaves any clinical range. See `plateau`.
    """

    kind: Literal["linear"] = "linear"
    sentence: ClassVar[str] = "changes by the same amount in every unit of time"
    formula: ClassVar[str] = "intercept + slope * (t - origin)"
    r_formula: ClassVar[str] = "1 + time"

    def coefficients(self, scale: Scale) -> tuple[Coefficient, ...]:
        slope = normal(0.0, 2 * scale.spread / scale.follow_up) if scale.follow_up else None
        return (
            Coefficient("intercept", "level", normal(scale.typical, scale.spread)),
            Coefficient("slope", "rate", slope, needs="study.time.typical (a typical follow-up)"),
        )

    def curve(self, t: Any, coefficients: Mapping[str, Any], xp: Any) -> Any:
        return coefficients["intercept"] + coefficients["slope"] * (t - self.origin)
