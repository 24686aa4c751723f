"""A smooth curve of no particular shape."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar, Literal

import numpy as np
import scipy

from bayesmyo.components.component import Coefficient, Scale, key
from bayesmyo.components.in_r import number
from bayesmyo.components.priors import halfnormal, normal
from bayesmyo.components.trajectories.trajectory import Trajectory, increasing, slope, spoken


@dataclass(frozen=True, kw_only=True)
class Spline(Trajectory):
    """A natural cubic spline: cubic between the knots, smooth at them, straight before the first and after the last.

    eta(t) = start + sum over k = 2, ..., K of change_k * B_k(t), where B_k is 1 at knot k and 0 at the others;
    penalised, eta(t) = start + slope * (t - origin) + smooth * sum over j = 1, ..., K - 2 of wiggle_j * phi_j(t).

    knots: at least 3 times in the study's unit; the first is `origin`
    penalised: shrink the curve towards a straight line, as far as the data ask for
    start: level at `origin`; default prior Normal(typical, spread)
    change_k: level at knot k minus the start; default prior Normal(0, 2 * spread)
    slope: change from the first to the last knot, per unit of time; default prior Normal(0, 2 * spread) over a typical
        follow-up
    smooth: typical (root mean square) deviation from the straight line between the end knots, on the link scale;
        default prior HalfNormal(spread)
    wiggle_j: how much of direction j the deviation holds, no unit; default prior Normal(0, 1)

    The phi_j span the natural splines that are 0 at both end knots, and their penalty (the integral of the squared
    second derivative) is a multiple of the identity: independent Normal(0, 1) wiggles are the mixed-model form of the
    smoothing spline. They run from the slowest to the fastest. Patients may differ in start, changes and slope; the
    deviation of a penalised spline is the same in all.

    References: natural splines from truncated powers, Hastie, Tibshirani and Friedman (2009, section 5.2.1),
    https://doi.org/10.1007/978-0-387-84858-7; the penalty as a prior, Wahba (1983),
    https://doi.org/10.1111/j.2517-6161.1983.tb01239.x; as a mixed model, Ruppert, Wand and Carroll (2003),
    https://doi.org/10.1017/CBO9780511755453.
    """

    kind: Literal["spline"] = "spline"
    also: ClassVar[tuple[str, ...]] = ("smooth",)
    at: tuple[float, ...] = key("knots")
    penalised: bool = False
    runs_on: ClassVar[bool] = True
    elsewhere: ClassVar[str] = "try more knots"

    @property
    def sentence(self) -> str:
        if self.penalised:
            return f"follows a straight line with smooth deviations (a penalised spline with knots {spoken(self.at)})"
        return f"follows a smooth curve through levels of its own at {spoken(self.at)}, straight beyond"

    @property
    def formula(self) -> str:
        if self.penalised:
            wiggles = " + ".join(f"wiggle_{j} * phi_{j}(t)" for j in range(1, len(self.at) - 1))
            return f"start + slope * (t - origin) + smooth * ({wiggles})"
        return " + ".join(["start", *(f"change_{k} * B_{k}(t)" for k in range(2, len(self.at) + 1))])

    def coefficients(self, scale: Scale) -> tuple[Coefficient, ...]:
        start = Coefficient("start", "level", normal(scale.typical, scale.spread))
        if not self.penalised:
            prior = normal(0.0, 2 * scale.spread)
            return (start, *(Coefficient(name, "difference", prior) for name in self._names))
        wiggles = (Coefficient(name, "shape", normal(0.0, 1.0)) for name in self._names)
        return (start, slope(scale), Coefficient("smooth", "shape", halfnormal(scale.spread)), *wiggles)

    def _curve(self, t: Any, coefficients: Mapping[str, Any], xp: Any) -> Any:
        knots = _scaled(self.at)
        functions = _truncated_powers((t - self.at[0]) / (self.at[-1] - self.at[0]), knots, xp)
        bent: Any = 0.0
        for function, row in zip(functions, _weights(self.at, self.penalised), strict=True):
            # the coefficients first: they are scalars in most models, and the times many. Added one by one, because
            # Python's sum() rounds floats in another way than arrays
            weight: Any = 0.0
            for name, share in zip(self._names, row, strict=True):
                weight = weight + coefficients[name] * float(share)
            bent = bent + weight * function
        if not self.penalised:
            return coefficients["start"] + bent
        return coefficients["start"] + coefficients["slope"] * (t - self.origin) + coefficients["smooth"] * bent

    def r_terms(self, time: str, first: float) -> Mapping[str, str]:
        """The same curves in another basis: the changes are not R's coefficients. A penalty R draws from another
        prior."""
        if self.penalised:
            return {}
        start, *inner, end = map(number, self.at)
        basis = f"splines::ns({time}, knots = c({', '.join(inner)}), Boundary.knots = c({start}, {end}))"
        return {"start": "1", "changes": basis}

    def knots(self) -> tuple[float, ...]:
        return self.at

    def _faults(self) -> Iterator[tuple[str, str]]:
        if len(self.at) < 3:
            yield "knots", "must name at least three times"
        if not increasing(self.at):
            yield "knots", "must be in increasing order, each once"
        if self.at and self.at[0] != self.origin:
            yield "origin", f"must be the first knot ({self.at[0]:g}): the start is the level there"

    @property
    def _names(self) -> tuple[str, ...]:
        if self.penalised:
            return tuple(f"wiggle_{j}" for j in range(1, len(self.at) - 1))
        return tuple(f"change_{k}" for k in range(2, len(self.at) + 1))


def _scaled(at: tuple[float, ...]) -> list[float]:
    """The knots on [0, 1], where their cubes are harmless."""
    return [(knot - at[0]) / (at[-1] - at[0]) for knot in at]


def _truncated_powers(x: Any, knots: list[float], xp: Any) -> list[Any]:
    """K - 1 functions of scaled time that span the natural splines of K knots that are 0 at the first.

    Beyond the last knot their straight lines are written out: differences of cubes would cancel there.
    """
    inside, beyond = xp.minimum(xp.maximum(x, 0.0), 1.0), xp.maximum(x - 1.0, 0.0)

    def power(knot: float) -> Any:
        return xp.maximum(inside - knot, 0.0) ** 3 / (1.0 - knot)

    *first, last = knots[:-1]
    return [x, *(power(knot) - power(last) + 3 * (last - knot) * beyond for knot in first)]


def _second_derivatives(x: np.ndarray, knots: list[float]) -> np.ndarray:
    """(n, K - 1) second derivatives of `_truncated_powers` between the knots."""
    power = [6 * np.maximum(x - knot, 0.0) / (1.0 - knot) for knot in knots[:-1]]
    return np.stack([np.zeros_like(x), *(p - power[-1] for p in power[:-1])], axis=-1)


@lru_cache(maxsize=64)
def _weights(at: tuple[float, ...], penalised: bool) -> np.ndarray:
    """(function, coefficient) how much of each truncated power is in each B_k, or in each phi_j."""
    knots = _scaled(at)
    cardinal = np.linalg.inv(np.stack(_truncated_powers(np.array(knots[1:]), knots, np), axis=-1))
    if not penalised:
        return cardinal
    tied = cardinal[:, :-1]  # without the last knot's: 0 at both ends
    # four Gauss points between two knots integrate a product of cubics exactly
    point, share = np.polynomial.legendre.leggauss(4)
    left, width = np.array(knots[:-1])[:, None], np.diff(knots)[:, None]
    x, share = (left + width * (point + 1) / 2).ravel(), (width * share / 2).ravel()
    bends = _second_derivatives(x, knots) @ tied
    values = np.stack(_truncated_powers(x, knots, np), axis=-1) @ tied
    square, vectors = scipy.linalg.eigh(values.T * share @ values, bends.T * share @ bends)
    directions = tied @ vectors[:, ::-1]
    # an eigenvector's sign is the library's whim; let each direction rise from the first knot
    directions = directions * np.where(directions[0] < 0, -1.0, 1.0)
    return directions / np.sqrt(square.sum())
