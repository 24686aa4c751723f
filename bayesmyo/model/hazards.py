"""Cumulative hazards by quadrature: where to look at a hazard, and how much each look counts.

An integral over time is a sum over Gauss-Legendre nodes, 15 to a piece, with pieces that end wherever the integrand has
a kink (the knots of hazards and trajectories, the start of treatment). Where a hazard may be infinite at zero, as
t^(shape - 1) is, pieces shrink towards it by factors of 8, and in the first, t = end * s^8 takes the pole away.

References
----------
Rizopoulos (2012), https://doi.org/10.1201/b12208, section 4.5 (Gauss rules in joint models).
"""

from dataclasses import dataclass

import numpy as np

Array = np.ndarray
NODES, WEIGHTS = np.polynomial.legendre.leggauss(15)
TOWARDS_ZERO = 8.0 ** -np.arange(1, 5)
POWER = 8


@dataclass(frozen=True)
class Rule:
    """The pieces of an integral over time.

    kinks: times at which the integrand may bend or jump; pole: whether it may be infinite at zero; flat: whether it is
    constant between kinks, so that one look at each piece is enough
    """

    kinks: tuple[float, ...] = ()
    pole: bool = False
    flat: bool = False

    def nodes(self, start: float, stop: float, count: int = 15) -> tuple[Array, Array]:
        """(node,) times and weights for the integral from start to stop, so many to a piece; none where that is
        nothing."""
        if not stop > start:
            return np.zeros(0), np.zeros(0)
        edges = {start, stop, *(k for k in self.kinks if start < k < stop)}
        if self.pole:
            edges |= {e for e in stop * TOWARDS_ZERO if e > start}
        ends = np.array(sorted(edges))
        times, weights = between(ends[:-1], ends[1:], self.flat, count)
        if self.pole and start == 0.0:
            times[0], weights[0] = from_zero(ends[1])
        return times.ravel(), weights.ravel()


def between(a: Array, b: Array, flat: bool = False, count: int = 15) -> tuple[Array, Array]:
    """(..., node) Gauss-Legendre times and weights from a to b, (...,)."""
    x, w = np.polynomial.legendre.leggauss(1 if flat else count)
    half = (b - a)[..., None] / 2
    return (a + b)[..., None] / 2 + half * x, half * w


def from_zero(b: Array) -> tuple[Array, Array]:
    """(..., node) times and weights from zero to b, (..., 1), where the integrand may be infinite at zero."""
    s = (1 + NODES) / 2
    return b * s**POWER, b * POWER * s ** (POWER - 1) * WEIGHTS / 2


@dataclass(frozen=True, eq=False)
class Looks:
    """Where a likelihood looks at the hazard of each patient.

    patient, time, weight: (look,) whose, when, and how much of the integral; since: (look,) when its clock began
    bracket: (look,) which bracket an integral belongs to, an interval in which an event happened; -1 where it is time
        survived
    exact: (event,) looks at the times of events; of: (bracket,) whose each bracket is
    episode: (look,) to which episode it belongs
    """

    patient: Array
    time: Array
    weight: Array
    since: Array
    bracket: Array
    exact: Array
    of: Array
    episode: Array


def looks(rule: Rule, patient: Array, start: Array, stop: Array, end: Array, status: Array, gap: bool = False) -> Looks:
    """Where to look for episodes, as a `Cohort` has them; gap: clocks begin with each episode."""
    parts: list[tuple[Array, ...]] = []
    exact: list[int] = []
    of: list[int] = []
    count = 0

    def add(i: int, times: Array, weights: Array, clock: float, bracket: int) -> None:
        nonlocal count
        full = np.ones(len(times))
        parts.append((full * patient[i], times + clock, weights, full * clock, full * bracket, full * i))
        count += len(times)

    for i in range(len(patient)):
        since = float(start[i]) if gap else 0.0
        add(i, *rule.nodes(start[i] - since, stop[i] - since), since, -1)
        if status[i] == 1:
            exact.append(count)
            add(i, np.array([stop[i] - since]), np.zeros(1), since, -1)
        elif status[i] == 2:
            add(i, *rule.nodes(stop[i] - since, end[i] - since), since, len(of))
            of.append(patient[i])
    stacked = [np.concatenate(p) for p in zip(*parts, strict=True)] if parts else [np.zeros(0)] * 6
    whole = np.int64
    who, time, weight, began, bracket, episode = stacked
    return Looks(
        who.astype(whole),
        time,
        weight,
        began,
        bracket.astype(whole),
        np.array(exact, dtype=whole),
        np.array(of, dtype=whole),
        episode.astype(whole),
    )
