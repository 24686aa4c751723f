"""When the first of some events comes to a patient: times, and how likely each is, given what is known by then.

The mean of what a patient is at the first of events or at a time t, whichever comes first, is a sum over these times.
With h_k the hazard of event k and P_k(s) the probability of none by s, each given the patient's own effects,

    E[x(min(T, t))] = P(t) x(t) + integral from 0 to t of x(s) sum_k f_k(s) prod_(j != k) P_j(s) ds,

f_k = h_k P_k, P the product of all P_k: given the effects events are independent. The integral is a Gauss-Legendre rule
on pieces that end at kinks, and the same looks at a hazard give its running integral (the integral of the polynomial
through them), so that the time costs as many looks as the probability.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from bayesmyo.cohort.cohort import Episodes
from bayesmyo.model.event import TimeToEvent
from bayesmyo.model.hazards import POWER, TOWARDS_ZERO, between
from bayesmyo.model.truth import Truth

Array = np.ndarray
COUNT = 10  # looks at each piece
X, W = np.polynomial.legendre.leggauss(COUNT)


def _running() -> Array:
    """(node, node) the integrals from -1 to each node of the polynomial through values at the nodes.

    Of Legendre polynomials they are (P_(n+1) - P_(n-1)) / (2 n + 1).
    """
    known = np.polynomial.legendre.legvander(X, COUNT)
    before = np.concatenate([-np.ones((COUNT, 1)), known[:, : COUNT - 1]], axis=1)
    integrals = (known[:, 1:] - before) / (2 * np.arange(COUNT) + 1)
    return np.asarray(integrals @ np.linalg.inv(known[:, :COUNT]))


RUNNING = _running()


@dataclass(frozen=True, eq=False)
class People:
    """Patients whose effects are known: effects by submodel and name, and design columns, (..., patient) each."""

    effects: Mapping[str, Mapping[str, Array]]
    columns: Mapping[str, Array]


@dataclass(frozen=True, eq=False)
class Seen:
    """What is known of an event of each patient, (patient,): none by `free`, and one by `by`; equal where it is known
    when, and infinite `by` where none is known.
    """

    free: Array
    by: Array

    @classmethod
    def nothing(cls, patients: int = 1) -> "Seen":
        """Of patients to come."""
        return cls(np.zeros(patients), np.full(patients, np.inf))

    @classmethod
    def of(cls, episodes: Episodes, patients: int) -> "Seen":
        """Of the first event of each patient of a cohort."""
        return cls(*episodes.first(patients))


def amount(event: TimeToEvent, truth: Truth, people: People, start: Array, stop: Array) -> Array:
    """(..., patient) the hazard integrated from start to stop, (patient,) each."""
    total: Array = np.zeros((*truth.shape, 1))
    for t, w in _pieces([event], start, stop):
        total = total + (event.hazard(truth, t, people.effects, people.columns) * w).sum(axis=-1)
    return total


def none(event: TimeToEvent, truth: Truth, people: People, until: Array, seen: Seen) -> Array:
    """(..., patient) the probability of no event until a time, (patient,), given what is known."""
    open_ = (seen.free < until) & (until < seen.by)
    start = np.where(open_, seen.free, until)
    left = np.exp(-amount(event, truth, people, start, until))
    beyond = _beyond(event, truth, people, seen)
    return np.asarray(np.where(seen.by <= until, 0.0, (left - beyond) / (1 - beyond)))


def stops(
    events: Sequence[TimeToEvent], truth: Truth, people: People, until: float, seen: Sequence[Seen],
    kinks: Sequence[float] = (),
) -> Iterator[tuple[Array, Array]]:  # fmt: skip
    """Times at which patients stop, (patient,) or (1,), each with its probability, (..., patient): the first of some
    events, or `until`.

    Parameters
    ----------
    seen
        What is known of each event.
    kinks
        Times at which what is looked at may bend.
    """
    last = np.minimum(until, np.min([s.by for s in seen], axis=0))
    first = np.minimum(np.min([s.free for s in seen], axis=0), last)
    uncertain = [(e, s, _beyond(e, truth, people, s)) for e, s in zip(events, seen, strict=True)]
    total: list[Array] = [np.zeros((*truth.shape, 1)) for _ in events]
    for t, w in _pieces(events, first, last, kinks, [s.free for s in seen]):
        left, ended = [], []
        for k, (event, s, beyond) in enumerate(uncertain):
            known = (s.free < last) & (s.by > s.free)  # who may have it in the time that is looked at
            h = event.hazard(truth, t, people.effects, people.columns) * (known[:, None] & (t > s.free[:, None]))
            free = np.exp(-total[k][..., None] - (h * w / W) @ RUNNING.T)
            total[k] = total[k] + (h * w).sum(axis=-1)
            left.append((free - beyond[..., None]) / (1 - beyond[..., None]))
            ended.append(h * free / (1 - beyond[..., None]))
        share = sum(f * _product(left[:k] + left[k + 1 :]) for k, f in enumerate(ended)) * w
        for node in range(COUNT):
            yield t[..., node], share[..., node]
    rest = [(np.exp(-of) - beyond) / (1 - beyond) for of, (_, _, beyond) in zip(total, uncertain, strict=True)]
    yield last, _product(rest)


def _beyond(event: TimeToEvent, truth: Truth, people: People, seen: Seen) -> Array:
    """(..., patient) how likely it had not happened by the end of the time in which it is known to have; zero where no
    such time is known, or its moment is.
    """
    inside = np.isfinite(seen.by) & (seen.by > seen.free)
    if not inside.any():
        return np.zeros((*truth.shape, 1))
    return np.exp(-amount(event, truth, people, seen.free, np.where(inside, seen.by, seen.free))) * inside


def _pieces(
    events: Sequence[TimeToEvent], first: Array, last: Array, kinks: Sequence[float] = (), cuts: Sequence[Array] = ()
) -> Iterator[tuple[Array, Array]]:
    """(patient, node) times and weights of each piece between two times of each patient."""
    pole = any(e.rule.pole for e in events)
    inner = [np.full(1, k) for k in {*kinks, *(k for e in events for k in e.rule.kinks)}]
    inner += [*cuts, *(last * TOWARDS_ZERO[:, None] if pole else ())]
    edges = np.sort(np.stack(np.broadcast_arrays(first, last, *(np.clip(k, first, last) for k in inner))), axis=0)
    for a, b in pairwise(edges):
        if not np.any(b > a):
            continue
        t, w = between(a, b, count=COUNT)
        if pole and np.any(a <= 0):  # t = b s^8 takes the pole at zero away
            s, at_zero = (1 + X) / 2, (a <= 0)[:, None]
            t = np.where(at_zero, b[:, None] * s**POWER, t)
            w = np.where(at_zero, b[:, None] * POWER * s ** (POWER - 1) * W / 2, w)
        yield t, w


def _product(factors: Sequence[Array]) -> Array:
    product: Array = np.ones(1)
    for factor in factors:
        product = product * factor
    return product


__all__ = ["People", "Seen", "none", "stops"]
