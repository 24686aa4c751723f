"""A change that is fast at first and ever slower, but never stops."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from bayesmyo.components.component import Coefficient, Scale
from bayesmyo.components.priors import normal
from bayesmyo.components.trajectories.trajectory import Trajectory, slope


@dataclass(frozen=True, kw_only=True)
class Log(Trajectory):
    """eta(t) = intercept + slope * log(1 + (t - origin)), and intercept before `origin`.

    intercept: level at `origin`; default prior Normal(typical, spread)
    slope: change, in outcome units, each time that 1 + (time since `origin`) grows by the factor e = 2.718;
        default prior Normal(0, 2 * spread) over a typical follow-up
    The 1 is one unit of the study's time: the same study in days and in months states two different curves (in days
    more of the change comes early). Where a change is known to level off, `plateau` says by when.
    """

    kind: Literal["log"] = "log"
    sentence: ClassVar[str] = "changes fast at first and ever more slowly, in proportion to the log of 1 + time"
    formula: ClassVar[str] = "intercept + slope * log(1 + max(0, (t - origin)))"
    elsewhere: ClassVar[str] = "try the trajectory plateau, or spline"

    def coefficients(self, scale: Scale) -> tuple[Coefficient, ...]:
        # not a rate: a change per unit of log time has the unit of the outcome
        return (
            Coefficient("intercept", "level", normal(scale.typical, scale.spread)),
            slope(scale, nature="difference", clock=math.log1p),
        )

    def _curve(self, t: Any, coefficients: Mapping[str, Any], xp: Any) -> Any:
        return coefficients["intercept"] + coefficients["slope"] * xp.log1p(xp.maximum(t - self.origin, 0.0))

    def r_terms(self, time: str, first: float) -> Mapping[str, str]:
        return {"intercept": "1", "slope": f"log1p({self.r_elapsed(time, first)})"}
