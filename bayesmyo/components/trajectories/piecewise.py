"""Straight lines that meet at knots: treatment phases, each with its own slope."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any, ClassVar, Literal

from bayesmyo.components.component import Coefficient, Scale, key
from bayesmyo.components.in_r import minus, number, together
from bayesmyo.components.priors import normal
from bayesmyo.components.trajectories.trajectory import Trajectory, increasing, slope, spoken


@dataclass(frozen=True, kw_only=True)
class Piecewise(Trajectory):
    """eta(t) = intercept + sum over pieces j of slope_j * (time spent in piece j between `origin` and t).

    knots: the times, in the study's unit and after `origin`, at which the slope may change; they are chosen before
        the data are seen (a change of dose, say), not searched for
    intercept: level at `origin`; default prior Normal(typical, spread)
    slope_1, ..., slope_{K + 1}: change per unit of time before the first knot, between knots, and after the last;
        default prior of each Normal(0, 2 * spread) over a typical follow-up
    A trend before treatment has an origin before 0, from which it is believed to run, and a knot at 0:
    `{ kind = "piecewise", origin = -12, knots = [0] }`.
    """

    kind: Literal["piecewise"] = "piecewise"
    also: ClassVar[tuple[str, ...]] = ("knots",)
    at: tuple[float, ...] = key("knots")
    runs_on: ClassVar[bool] = True
    elsewhere: ClassVar[str] = "try other knots, or the trajectory spline"

    @property
    def sentence(self) -> str:
        return f"changes in straight lines that meet at {spoken(self.at)}"

    @property
    def formula(self) -> str:
        bends = [f" + (slope_{j + 1} - slope_{j}) * max(0, t - {knot:g})" for j, knot in enumerate(self.at, start=1)]
        return f"intercept + slope_1 * (t - origin){''.join(bends)}"

    def coefficients(self, scale: Scale) -> tuple[Coefficient, ...]:
        return (
            Coefficient("intercept", "level", normal(scale.typical, scale.spread)),
            *(slope(scale, f"slope_{j}", clock=partial(self._length, j - 1)) for j in range(1, len(self.at) + 2)),
        )

    def _length(self, piece: int, follow_up: float) -> float:
        """How long a piece lasts: the last one to the end of a typical follow-up, but no shorter than the one
        before."""
        ends = [self.origin, *self.at]
        lengths = [later - earlier for earlier, later in pairwise(ends)] or [follow_up]
        lengths.append(max(self.origin + follow_up - ends[-1], lengths[-1]))
        return lengths[piece] if lengths[piece] > 0 else follow_up  # knots in disorder are a fault of their own

    def _curve(self, t: Any, coefficients: Mapping[str, Any], xp: Any) -> Any:
        # negative before the origin, as it should be: the first piece reaches back as far as it is asked to
        spent = [xp.minimum(t, self.at[0]) - self.origin]
        spent += [xp.minimum(xp.maximum(t, earlier), later) - earlier for earlier, later in pairwise(self.at)]
        spent += [xp.maximum(t, self.at[-1]) - self.at[-1]]
        level = coefficients["intercept"]
        for j, time in enumerate(spent, start=1):
            level = level + coefficients[f"slope_{j}"] * time
        return level

    def r_terms(self, time: str, first: float) -> Mapping[str, str]:
        terms = [together(minus(f"pmin({time}, {number(self.at[0])})", self.origin))]
        terms += [f"pmax({minus(f'pmin({time}, {number(b)})', a)}, 0)" for a, b in pairwise(self.at)]
        terms += [f"pmax({minus(time, self.at[-1])}, 0)"]
        return {"intercept": "1"} | {f"slope_{j}": term for j, term in enumerate(terms, start=1)}

    def knots(self) -> tuple[float, ...]:
        return self.at

    def _faults(self) -> Iterator[tuple[str, str]]:
        if not self.at:
            yield "knots", 'must name at least one time (a line without knots is kind = "linear")'
            return
        if not increasing(self.at):
            yield "knots", "must be in increasing order, each once"
        if not min(self.at) > self.origin:
            yield "knots", f"must lie after the origin ({self.origin:g})"


def trend(origin: float) -> str:
    """As a study writes it where patients were already changing before treatment, from that time on."""
    return f'{{ kind = "piecewise", origin = {origin:g}, knots = [0] }}'
