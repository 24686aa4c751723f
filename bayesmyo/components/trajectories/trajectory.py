"""The contract of a trajectory."""

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import inf
from typing import Any, ClassVar, Literal

from bayesmyo.components.component import Coefficient, Component, Nature, Scale
from bayesmyo.components.in_r import minus
from bayesmyo.components.priors import normal


@dataclass(frozen=True, kw_only=True)
class Trajectory(Component):
    """How an outcome moves in time.

    origin: the time, in the study's unit, at which the first coefficient is the level (0: first treatment)
    before: what an outcome does before the start of treatment, which is time 0, or an earlier origin. It stands at the
        `level` that it has at the start, in every trajectory: visits before treatment tell that level. Or the curve
        runs on backwards as a `trend`, where it can: for times that are no times of treatment, such as centred ages.
        A trend before treatment is declared with an earlier origin, from which it is believed to run, and a knot at
        the start of treatment: { kind = "piecewise", origin = -12, knots = [0] }, or a spline with such knots.
    """

    origin: float = 0.0
    before: Literal["level", "trend"] = "level"

    moves: ClassVar[bool] = True  # something changes in time, which covariates can moderate and patients differ in
    levels_off: ClassVar[bool] = False  # it approaches a level and stays there: what is lost again is not seen
    elsewhere: ClassVar[str] = "try another trajectory"  # what to try where measurements do not follow the curve

    @property
    def runs_on(self) -> bool:
        """Whether the curve has a meaning before its origin."""
        return False

    @property
    @abstractmethod
    def sentence(self) -> str:
        """What follows the outcome's name in words: "stays level"."""

    @property
    @abstractmethod
    def formula(self) -> str:
        """The linear predictor in formula; `t` is the study's time and "(t - origin)" the time since the origin.

        Written "(t)" or "(t - origin)", the time is held at the start before it (`written`).
        """

    @abstractmethod
    def coefficients(self, scale: Scale) -> tuple[Coefficient, ...]:
        """The coefficients in order, with default priors on the link scale."""

    @abstractmethod
    def _curve(self, t: Any, coefficients: Mapping[str, Any], xp: Any) -> Any:
        """What `curve` says, of times that are not before the start."""

    def curve(self, t: Any, coefficients: Mapping[str, Any], xp: Any) -> Any:
        """The linear predictor at times t, on the link scale.

        It is linear in every coefficient whose nature is a level, a difference or a rate. Before the start it is what
        it is at the start.

        Parameters
        ----------
        t
            In the study's unit, broadcast against each coefficient.
        coefficients
            By name.
        xp
            `numpy` or `pytensor.tensor`.
        """
        return self._curve(t if self.start == -inf else xp.maximum(t, self.start), coefficients, xp)

    def placed(self, follow_up: float | None) -> "Trajectory":
        """The same for a study whose typical follow-up is known."""
        return self

    @property
    def start(self) -> float:
        """The time before which the outcome stands at the level that it has there; -inf where the curve runs on."""
        return -inf if self.before == "trend" else min(0.0, self.origin)

    @property
    def written(self) -> str:
        """The formula with the origin as a number, and "max(t, 0)" where the curve would else run on."""
        time = f"max(t, {self.start:g})" if self.runs_on and self.start > -inf else "t"
        sign = "-" if self.origin > 0 else "+"
        since = time if self.origin == 0 else f"({time} {sign} {abs(self.origin):g})"
        return self.formula.replace("(t)", f"({time})").replace("(t - origin)", since)

    @property
    def earlier(self) -> str:
        """What to try where measurements before the start do not lie at the level there."""
        return (
            "if they were already changing, declare a trend before treatment (the trajectory piecewise with an earlier "
            "origin and a knot at the start of treatment), or leave such visits out (study.time.before)"
        )

    def r_terms(self, time: str, first: float) -> Mapping[str, str]:
        """What each coefficient multiplies in a formula of R; several that share a term stand under the last one's
        name.

        Parameters
        ----------
        time
            R's name of the study's time.
        first
            The earliest time in the table.

        Returns
        -------
        mapping
            Empty where no formula is this curve.
        """
        return {}

    def r_curve(self, time: str, first: float, larger: str = "pmax") -> str:
        """A curve that is not linear in its coefficients, in R with their names; empty where it is, or where R has
        none.

        Parameters
        ----------
        larger
            What gives the larger of two numbers: `pmax` in R, `fmax` in Stan.
        """
        return ""

    def r_starts(self, middle: Mapping[str, float], spread: float) -> Mapping[str, float]:
        """Where R's search for such a curve may begin: from the middles of the priors; spread: a change for the
        better."""
        return middle

    def r_elapsed(self, time: str, first: float, larger: str = "pmax") -> str:
        """The time since the origin in R, and zero before it."""
        since = minus(time, self.origin)
        return f"{larger}({since}, 0)" if first < self.origin else since

    def final(self, coefficients: Mapping[str, Any]) -> Any:
        """The level that a curve approaches which levels off."""
        raise NotImplementedError(f"{type(self).__name__} approaches no level")

    def until(self, left: Any, coefficients: Mapping[str, Any]) -> Any:
        """The time since the origin after which such a share of the way to that level is left, on the link scale."""
        raise NotImplementedError(f"{type(self).__name__} approaches no level")

    def planned(self, t: float) -> bool:
        """Whether it says anything of a time."""
        return True

    def visits_planned(self) -> tuple[float, ...]:
        """The times of planned visits, where it has a level of each; empty where it is a curve."""
        return ()

    def reach(self) -> float:
        """How far from its planned time a visit may be."""
        return inf

    def visit(self, t: Any, xp: Any) -> Any:
        """Which planned visit, counted from zero, is nearest to times t."""
        raise NotImplementedError(f"{type(self).__name__} plans no visits")

    def knots(self) -> tuple[float, ...]:
        """Times at which the curve is allowed to turn; each must lie inside the data."""
        return ()

    def faults(self) -> tuple[tuple[str, str], ...]:
        """(key, what is wrong) of fields that do not go together; empty where the trajectory can be used."""
        backwards = (
            'cannot be "trend" here: this curve stands still before its origin. A trend before treatment is declared '
            'with an earlier origin and a knot at 0, such as { kind = "piecewise", origin = -12, knots = [0] }'
        )
        cannot = self.before == "trend" and not self.runs_on
        return (*((("before", backwards),) if cannot else ()), *self._faults())

    def _faults(self) -> Iterable[tuple[str, str]]:
        """Those of one kind of trajectory."""
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
