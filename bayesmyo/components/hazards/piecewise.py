"""A rate that is constant between given times."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar, Literal

from bayesmyo.components.component import Coefficient, Scale, key
from bayesmyo.components.hazards.hazard import FRAILTY, Hazard, rate
from bayesmyo.components.trajectories.trajectory import increasing, spoken


@dataclass(frozen=True, kw_only=True)
class PiecewiseHazard(Hazard):
    """h(t) = exp(hazard_j) in piece j: before the first knot, between knots, and after the last.

    knots: times in the study's unit after zero, at which the rate may jump; a knot belongs to the piece that ends there
    hazard_1, ..., hazard_{K + 1}: events per unit of time in each piece; default priors independent, as of a constant
        hazard. A piece without an event keeps its prior but for the time that was survived in it.
    Reference: Friedman (1982), https://doi.org/10.1214/aos/1176345693.
    """

    kind: Literal["piecewise"] = "piecewise"
    at: tuple[float, ...] = key("knots")
    elsewhere: ClassVar[str] = "other knots of the hazard"

    @property
    def sentence(self) -> str:
        return f"has a rate of its own before and after {spoken(self.at)}"

    @property
    def formula(self) -> str:
        ends = [0.0, *self.at]
        pieces = [f"exp(hazard_{j}) for {a:g} < t <= {b:g}" for j, (a, b) in enumerate(pairwise(ends), start=1)]
        return ", ".join([*pieces, f"exp(hazard_{len(ends)}) after {ends[-1]:g}"])

    def own(self, scale: Scale) -> tuple[Coefficient, ...]:
        return tuple(rate(scale, f"hazard_{j}") for j in range(1, len(self.at) + 2))

    def curve(self, t: Any, coefficients: Mapping[str, Any], xp: Any) -> Any:
        level = coefficients["hazard_1"] + 0.0 * t
        for j, knot in enumerate(self.at, start=1):
            level = xp.where(t > knot, coefficients[f"hazard_{j + 1}"], level)
        return level + coefficients[FRAILTY]

    def knots(self) -> tuple[float, ...]:
        return self.at

    def faults(self) -> Iterator[tuple[str, str]]:
        if not self.at:
            yield "knots", 'must name at least one time (one rate for all times is kind = "constant")'
            return
        if not increasing(self.at):
            yield "knots", "must be in increasing order, each once"
        if min(self.at) <= 0:
            yield "knots", "must lie after zero"
