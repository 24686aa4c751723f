"""An exponential approach from a start to an asymptote: recovery that levels off."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from bayesmyo.components.component import Coefficient, Scale
from bayesmyo.components.priors import lognormal, normal
from bayesmyo.components.trajectories.trajectory import Trajectory

MONTHS = 3.0  # to half of a recovery under treatment
SHORTEST, LONGEST, UNITLESS = 1 / 12, 1 / 2, 1 / 5  # of a typical follow-up


@dataclass(frozen=True, kw_only=True)
class Plateau(Trajectory):
    """eta(t) = asymptote + (start - asymptote) * 2 ** (-(t - origin) / half_time), and start before `origin`.

    start: level at `origin`; default prior Normal(typical, spread)
    asymptote: level approached; default prior Normal(typical, 2 * spread)
    half_time: time to half of the change *on the link scale* (2.5 months on the log of CPK is 1.17 months in
        IU/L for a fall from 795 to 150); default prior LogNormal(log h, 0.5), h = 3 months, but no less than a twelfth
        and no more than half of the typical follow-up, which is all that a study can tell; a fifth of it where its unit
        has no months. Where patients differ in it, they do so log-normally: its SD is that of a patient's log
        half-time. Not identified where nothing changes: ask for a change between two times, never for the asymptote.
        A plateau cannot relapse.
    end: state the end as the `asymptote` or as the `change` from the start; patients' changes and starts are then
        correlated by construction (about -0.9 for CPK), so prefer the asymptote.
    """

    kind: Literal["plateau"] = "plateau"
    also: ClassVar[tuple[str, ...]] = ("exponential",)
    end: Literal["asymptote", "change"] = "asymptote"
    sentence: ClassVar[str] = "moves from a start towards a plateau, half of the remaining way in each half-time"
    formula: ClassVar[str] = "asymptote + (start - asymptote) * 2^(-max(0, (t - origin)) / half_time)"
    levels_off: ClassVar[bool] = True
    elsewhere: ClassVar[str] = "a relapse or a second phase looks like this; try the trajectory spline or piecewise"

    def coefficients(self, scale: Scale) -> tuple[Coefficient, ...]:
        if self.end == "asymptote":
            end = Coefficient("asymptote", "level", normal(scale.typical, 2 * scale.spread))
        else:
            end = Coefficient("change", "difference", normal(0.0, 2 * scale.spread))
        usual = usual_half_time(scale)
        half_time = None if usual is None else lognormal(math.log(usual), 0.5)
        return (
            Coefficient("start", "level", normal(scale.typical, scale.spread)),
            end,
            Coefficient(
                "half_time", "duration", half_time, needs="study.time.typical, a typical follow-up, or priors.half_time"
            ),
        )

    def _curve(self, t: Any, coefficients: Mapping[str, Any], xp: Any) -> Any:
        start = coefficients["start"]
        change = coefficients["change"] if self.end == "change" else coefficients["asymptote"] - start
        elapsed = xp.maximum(t - self.origin, 0.0)
        return start + change * (1.0 - xp.exp2(-elapsed / coefficients["half_time"]))

    def final(self, coefficients: Mapping[str, Any]) -> Any:
        return coefficients["start"] + coefficients["change"] if self.end == "change" else coefficients["asymptote"]

    def until(self, left: Any, coefficients: Mapping[str, Any]) -> Any:
        return -coefficients["half_time"] * np.log2(left)

    def r_starts(self, middle: Mapping[str, float], spread: float) -> Mapping[str, float]:
        """Where nothing changes the half-time says nothing, and a search ends at once."""
        still = 0.0 if self.end == "change" else middle["start"]
        return {**middle, self.end: still + spread} if middle[self.end] == still else middle

    def r_curve(self, time: str, first: float, larger: str = "pmax") -> str:
        change = "change" if self.end == "change" else "(asymptote - start)"
        elapsed = self.r_elapsed(time, first, larger)
        elapsed = elapsed if first < self.origin or self.origin == 0 else f"({elapsed})"
        return f"start + {change} * (1 - 2^(-{elapsed} / half_time))"


def usual_half_time(scale: Scale) -> float | None:
    """The median of the default prior, in the time unit; None where neither the unit nor a typical follow-up says how
    long a time is."""
    follow_up = scale.follow_up
    if scale.month is None:
        return None if follow_up is None else UNITLESS * follow_up
    if follow_up is None:
        return MONTHS * scale.month
    return min(max(MONTHS * scale.month, SHORTEST * follow_up), LONGEST * follow_up)
