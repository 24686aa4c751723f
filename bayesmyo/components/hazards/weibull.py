"""A rate that rises or falls with a power of time."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

from bayesmyo.components.component import Coefficient, Scale
from bayesmyo.components.hazards.hazard import FRAILTY, Hazard, rate
from bayesmyo.components.priors import Alone

EARLIEST = 1e-12  # of `over`, before which the log of time is held


@dataclass(frozen=True, kw_only=True)
class Weibull(Hazard):
    """h(t) = exp(hazard) * shape * (t / over)^(shape - 1).

    hazard: events per unit of time on average from zero to `over`, whatever the shape is; default prior as of a
        constant hazard, so that `typical` keeps its meaning
    shape: above 1 the rate rises, below 1 it falls; default prior log-normal(0, 0.5), which holds 0.38 to 2.7 (95 %)
    over: a time in the study's unit (default: a typical follow-up)
    Reference: Weibull (1951), https://doi.org/10.1115/1.4010337.
    """

    kind: Literal["weibull"] = "weibull"
    over: float | None = None
    sentence: ClassVar[str] = "becomes more or less likely with a power of time"
    elsewhere: ClassVar[str] = 'the hazard "piecewise" with knots'

    @property
    def formula(self) -> str:
        over = "over" if self.over is None else f"{self.over:g}"
        return f"exp(hazard) * shape * (t / {over})^(shape - 1)"

    def own(self, scale: Scale) -> tuple[Coefficient, ...]:
        return (rate(scale), Coefficient("shape", "shape", Alone.parse("lognormal(0, 0.5)"), bare=True))

    def placed(self, follow_up: float | None) -> Hazard:
        return self if self.over is not None or follow_up is None else replace(self, over=follow_up)

    def curve(self, t: Any, coefficients: Mapping[str, Any], xp: Any) -> Any:
        over, shape = self.over or 1.0, coefficients["shape"]
        log_time = xp.log(xp.maximum(t / over, EARLIEST))
        return coefficients["hazard"] + coefficients[FRAILTY] + xp.log(shape) + (shape - 1.0) * log_time

    @property
    def pole(self) -> bool:
        return True

    def faults(self) -> tuple[tuple[str, str], ...]:
        return (("over", "must be positive"),) if self.over is not None and self.over <= 0 else ()
