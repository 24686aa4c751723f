"""The same rate at every time."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from bayesmyo.components.component import Coefficient, Scale
from bayesmyo.components.hazards.hazard import FRAILTY, Hazard, rate


@dataclass(frozen=True, kw_only=True)
class ConstantHazard(Hazard):
    """h(t) = exp(hazard): who has had no event yet is as likely to have one next month as in any month before.

    hazard: events per unit of time; default prior Normal(log of what `typical` implies, 1) on the log
    """

    kind: Literal["constant"] = "constant"
    also: ClassVar[tuple[str, ...]] = ("exponential",)
    sentence: ClassVar[str] = "is as likely at one time as at another"
    formula: ClassVar[str] = "exp(hazard)"
    elsewhere: ClassVar[str] = 'a hazard that moves with time ("weibull", or "piecewise" with knots)'

    def own(self, scale: Scale) -> tuple[Coefficient, ...]:
        return (rate(scale),)

    def curve(self, t: Any, coefficients: Mapping[str, Any], xp: Any) -> Any:
        return coefficients["hazard"] + coefficients[FRAILTY] + 0.0 * t
