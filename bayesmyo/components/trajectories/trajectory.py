"""The contract of a trajectory."""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from bayesmyo.components.component import Coefficient, Component, Nature, Scale
from bayesmyo.components.priors import normal


@dataclass(frozen=True, kw_only=True)
class Trajectory(Component):
    """How an outcome moves in time.

    origin: the time, in the study's unit, at which the first coefficient is the level (0: first treatment).
    """

    origin: float = 0.0

    @property
    @abstractmethod
    def sentence(self) -> str:
        """What follows the outcome's name in words: "stays level"."""

    @property
    @abstractmethod
    def formula(self) -> str:
        """The linear predictor in formula; `t` is the study's time and "(t - origin)" the time since the origin."""

    @property
    @abstractmethod
    def r_formula(self) -> str:
        """The right-hand side in R; `time` is the time since the origin."""

    @abstractmethod
    def coefficients(self, scale: Scale) -> tuple[Coefficient, ...]:
        """The coefficients in order, with default priors on the link scale."""

    @abstractmethod
    def curve(self, t: Any, coefficients: Mapping[str, Any], xp: Any) -> Any:
        """The linear predictor at times t (study's unit), broadcast against each coefficient.

        `xp` is `numpy` or `pytensor.tensor`. Linear in every coefficient whose nature is a level, a difference or a
        rate.
        """

    def knots(self) -> tuple[float, ...]:
        """Times at which the curve is allowed to turn; each must lie inside the data."""
        return ()

    def faults(self) -> tuple[tuple[str, str], ...]:
        """(key, what is wrong) of fields that do not go together; empty where the trajectory can be used."""
        return ()


def slope(
    scale: Scale, name: str = "slope", nature: Nature = "rate", clock: Callable[[float], float] = float
) -> Coefficient:
    """A change per unit of `clock(time)`; by default Normal(0, 2 * spread) over a typical follow-up."""
    per = clock(scale.follow_up) if scale.follow_up else 1.0
    prior = normal(0.0, 2 * scale.spread / per) if scale.follow_up else None
    return Coefficient(name, nature, prior, needs="study.time.typical (a typical follow-up)", per=per)


def increasing(times: tuple[float, ...]) -> bool:
    """Whether each time is later than the one before."""
    return all(earlier < later for earlier, later in pairwise(times))


def spoken(times: tuple[float, ...]) -> str:
    """Times as one says them: "0, 3 and 6"."""
    *first, last = (f"{time:g}" for time in times)
    return f"{', '.join(first)} and {last}" if first else last
