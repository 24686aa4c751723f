"""A level of its own at each planned visit: no curve is assumed, and nothing is said between visits."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar, Literal

from bayesmyo.components.component import Coefficient, Scale
from bayesmyo.components.in_r import minus, number
from bayesmyo.components.priors import normal
from bayesmyo.components.trajectories.trajectory import Trajectory, increasing, spoken


@dataclass(frozen=True, kw_only=True)
class PlannedVisits(Trajectory):
    """eta(t) = start + change_k * B_k(t), where B_k is one at the visit planned for the k-th time and zero elsewhere.

    at: the times of the planned visits, in the study's unit; window: how far from its time a visit may be. A
        measurement outside all windows is refused, and nothing can be asked of other times
    start: level at the first visit; default prior Normal(typical, spread)
    change_2, change_3, ...: level at each later visit minus that at the first; default prior Normal(0, 2 * spread)
    With `residual = { kind = "unstructured" }`, without patients' own effects, the mixed model for repeated measures
    (Mallinckrodt et al. 2008, https://doi.org/10.1177/009286150804200402).
    """

    kind: Literal["visits"] = "visits"
    at: tuple[float, ...]
    window: float
    elsewhere: ClassVar[str] = (
        "measurements at a visit do not scatter around one level; try covariates that tell groups apart"
    )

    @property
    def earlier(self) -> str:
        return "plan a visit before the start, or leave such visits out (study.time.before)"

    @property
    def sentence(self) -> str:
        return f"has a level of its own at each of the visits planned for {spoken(self.at)}"

    @property
    def formula(self) -> str:
        return "start" + "".join(f" + change_{k} * B_{k}(t)" for k in range(2, len(self.at) + 1))

    def coefficients(self, scale: Scale) -> tuple[Coefficient, ...]:
        change = normal(0.0, 2 * scale.spread)
        return (
            Coefficient("start", "level", normal(scale.typical, scale.spread)),
            *(Coefficient(f"change_{k}", "difference", change) for k in range(2, len(self.at) + 1)),
        )

    def visit(self, t: Any, xp: Any) -> Any:
        """Which planned visit, counted from zero, is nearest to times t."""
        return sum(((t > (a + b) / 2) * 1 for a, b in pairwise(self.at)), 0 * (t > 0))

    def _curve(self, t: Any, coefficients: Mapping[str, Any], xp: Any) -> Any:
        nearest, level = self.visit(t, xp), coefficients["start"] + 0.0 * t
        for k in range(2, len(self.at) + 1):
            level = level + xp.where(xp.equal(nearest, k - 1), coefficients[f"change_{k}"], 0.0)
        return level

    def visits_planned(self) -> tuple[float, ...]:
        return self.at

    def reach(self) -> float:
        return self.window

    def planned(self, t: float) -> bool:
        return any(abs(t - time) <= self.window for time in self.at)

    def r_terms(self, time: str, first: float) -> Mapping[str, str]:
        terms = {"start": "1"}
        for k, at in enumerate(self.at[1:], start=2):
            terms[f"change_{k}"] = f"I(as.numeric(abs({minus(time, at)}) <= {number(self.window)}))"
        return terms

    def _faults(self) -> Iterator[tuple[str, str]]:
        if len(self.at) < 2:
            yield "at", "must name at least two times"
        if not increasing(self.at):
            yield "at", "must be in increasing order, each once"
        if self.window < 0:
            yield "window", "must be zero or more"
        elif any(b - a <= 2 * self.window for a, b in pairwise(self.at)):
            yield "window", "is so wide that the windows of two visits overlap"
