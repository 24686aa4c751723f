"""The same change in every unit of time, or of its square root."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from bayesmyo.components.component import Coefficient, Scale
from bayesmyo.components.in_r import minus, together
from bayesmyo.components.priors import normal
from bayesmyo.components.trajectories.trajectory import Trajectory, slope


@dataclass(frozen=True, kw_only=True)
class Linear(Trajectory):
    """eta(t) = intercept + slope * (t - origin), or intercept + slope * sqrt(t - origin).

    intercept: level at `origin`; default prior Normal(typical, spread)
    slope: change per unit of time (with `transform`: of its square root, in outcome units); default prior
        Normal(0, 2 * spread) over a typical follow-up
    transform: `none`, or `sqrt` for the square root of the time since `origin`, fast at first and then slower; before
        `origin` the level is then the intercept. A transform is one of these words, never text that is evaluated.
    A straight line never stops: over years it leaves any clinical range. See `plateau`.
    """

    kind: Literal["linear"] = "linear"
    transform: Literal["none", "sqrt"] = "none"
    elsewhere: ClassVar[str] = (
        "a straight line through what levels off or turns looks like this; try the trajectory plateau, or log"
    )

    @property
    def runs_on(self) -> bool:
        return self.transform == "none"

    @property
    def sentence(self) -> str:
        unit = "unit of time" if self.transform == "none" else "unit of the square root of time"
        return f"changes by the same amount in every {unit}"

    @property
    def formula(self) -> str:
        clock = "(t - origin)" if self.transform == "none" else "sqrt(max(0, (t - origin)))"
        return f"intercept + slope * {clock}"

    def coefficients(self, scale: Scale) -> tuple[Coefficient, ...]:
        line = slope(scale) if self.transform == "none" else slope(scale, nature="difference", clock=math.sqrt)
        return (Coefficient("intercept", "level", normal(scale.typical, scale.spread)), line)

    def _curve(self, t: Any, coefficients: Mapping[str, Any], xp: Any) -> Any:
        elapsed = t - self.origin
        if self.transform == "sqrt":
            elapsed = xp.sqrt(xp.maximum(elapsed, 0.0))
        return coefficients["intercept"] + coefficients["slope"] * elapsed

    def r_terms(self, time: str, first: float) -> Mapping[str, str]:
        if self.transform == "sqrt":
            return {"intercept": "1", "slope": f"sqrt({self.r_elapsed(time, first)})"}
        return {"intercept": "1", "slope": together(minus(time, self.origin))}
