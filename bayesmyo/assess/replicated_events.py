"""When events would have happened to these patients: replicates for the predictive checks of events."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np

from bayesmyo.cohort.cohort import CENSORED, HAPPENED, INTERVAL, Cohort, Episodes
from bayesmyo.inference.fit import Fit
from bayesmyo.model.event import MOST_EVENTS, TimeToEvent, observed
from bayesmyo.model.hazards import between
from bayesmyo.model.truth import Truth
from bayesmyo.seeds import PREDICT, address
from bayesmyo.study.design import FollowUp
from bayesmyo.study.study import Study

MOST = 200  # draws
CELLS = 64  # of the time of a patient, in which the hazard is about constant
AT_ONCE = 2_000_000  # numbers in one array


@dataclass(frozen=True, eq=False)
class ReplicatedEvents:
    """One event of these patients beside its replicates, one under each of some draws.

    Attributes
    ----------
    submodel : TimeToEvent
        Of the event.
    episodes : Episodes
        As they were observed.
    truths : tuple of Truth
        The draws, one by one, with the effects of these patients.
    drawn : tuple of Episodes
        What would have been observed under each.
    seed : int
        Of what else must be drawn.
    """

    submodel: TimeToEvent
    episodes: Episodes
    truths: tuple[Truth, ...]
    drawn: tuple[Episodes, ...]
    seed: int

    @property
    def name(self) -> str:
        return self.submodel.name

    def pairs(self) -> Iterator[tuple[Truth, Episodes]]:
        """Each draw and its replicate."""
        return zip(self.truths, self.drawn, strict=True)


@lru_cache(maxsize=4)
def replicated_events(fit: Fit, event: str) -> ReplicatedEvents:
    """Replicates of one event of a fit, always the same.

    A patient is followed in a replicate as long as in the data: to the exit, and where the event itself ended the
    follow-up as long as it could have lasted (`could_last`).
    """
    submodel, total = TimeToEvent(fit.study, event), int(np.prod(fit.truth.shape))
    chosen = np.linspace(0, total - 1, min(MOST, total)).astype(np.int64)
    seed = address(fit.seed, PREDICT, cell=6, replicate=list(fit.study.events).index(event))
    rng = np.random.default_rng(seed)
    episodes, truth = fit.cohort.events[event], fit.truth.take(chosen)
    first, until = at_risk_from(fit.cohort, episodes), could_last(fit.study, fit.cohort, event)
    by_visits = bool(np.any(episodes.status == INTERVAL)) or not (submodel.event.reasons or submodel.event.at)
    visits = _visits(fit.cohort, episodes) if by_visits else []
    with np.errstate(all="ignore"):
        drawn = tuple(
            observed(submodel, times, until, visits, by_visits=True)
            if by_visits
            else _exactly(times, first, until, submodel.event.recurrent)
            for times in happening(submodel, truth, until, rng, first)
        )
    return ReplicatedEvents(
        submodel, episodes, tuple(truth.take(np.asarray(d)) for d in range(len(chosen))), drawn, seed + 1
    )


def happening(
    submodel: TimeToEvent, truth: Truth, until: np.ndarray, rng: np.random.Generator, first: np.ndarray
) -> Iterator[list[np.ndarray]]:
    """What `TimeToEvent.happen` draws, under each of many truths, (draw,).

    In total time the hazard is that of a Poisson process, whatever happened before: tabulated once in short cells, it
    says how many events there are, and where. In gap time events are drawn one after another.
    """
    draws = truth.shape[0]
    if submodel.event.recurrent and submodel.event.clock == "gap":
        for d in range(draws):
            yield submodel.happen(truth.take(np.asarray(d)), until, rng, first)
        return
    patients, zero = len(until), np.zeros(len(until))
    even = first[:, None] + (until - first)[:, None] * np.linspace(0, 1, CELLS + 1)
    edges = edges_of(submodel, first, until, zero, even)
    t, w = between(edges[:, :-1], edges[:, 1:])
    who = np.broadcast_to(np.arange(patients)[:, None, None], t.shape).ravel()
    step = max(1, AT_ONCE // t.size)
    for begin in range(0, draws, step):
        some = truth.take(np.arange(begin, min(begin + step, draws)))
        eta = np.broadcast_to(submodel.log_hazards(some, who, t.ravel()), (*some.shape, t.size))
        amount = (np.exp(eta).reshape(*some.shape, *t.shape) * w).sum(axis=-1)
        total = np.concatenate([np.zeros((*amount.shape[:-1], 1)), np.cumsum(amount, axis=-1)], axis=-1)
        number = rng.poisson(np.minimum(total[..., -1], MOST_EVENTS))
        for own, many in zip(total, number, strict=True):
            yield [
                np.interp(np.sort(rng.random(n)) * h[-1], h, e)[: None if submodel.event.recurrent else 1]
                for n, h, e in zip(many, own, edges, strict=True)
            ]


def edges_of(
    submodel: TimeToEvent, start: np.ndarray, stop: np.ndarray, since: np.ndarray, more: np.ndarray | None = None
) -> np.ndarray:
    """(row, edge) cells from start to stop, in each of which a hazard whose clock began at `since` is smooth."""
    poles = np.max(stop - since, initial=0.0) * 8.0 ** -np.arange(1, 12) if submodel.rule.pole else ()
    cuts = np.array([*submodel.rule.kinks, *poles]) + since[:, None]
    inner = np.clip(cuts, start[:, None], stop[:, None])
    ends = np.stack([start, stop], axis=1) if more is None else more
    return np.sort(np.concatenate([ends, inner], axis=1), axis=1)


@dataclass(frozen=True, eq=False)
class Looked:
    """The hazard of a draw in the stretches of episodes, (row, node): logs, and how much each adds to the integral.

    episode: (row,) whose stretch each is
    """

    episode: np.ndarray
    time: np.ndarray
    log_hazard: np.ndarray
    amount: np.ndarray


def looked(
    submodel: TimeToEvent, truth: Truth, e: Episodes, start: np.ndarray, stop: np.ndarray, rows: np.ndarray
) -> Looked:
    """The hazard from start to stop of some episodes, by quadrature as in `hazards.py`."""
    since = e.start if submodel.event.clock == "gap" else np.zeros(len(e))
    edges = edges_of(submodel, start[rows], stop[rows], since[rows])
    t, w = between(edges[:, :-1], edges[:, 1:])
    patient, began = (np.broadcast_to(x[rows][:, None, None], t.shape).ravel() for x in (e.patient, since))
    eta = np.broadcast_to(submodel.log_hazards(truth, patient, t.ravel(), began), t.size).reshape(
        len(t), t.shape[1] * t.shape[2]
    )
    return Looked(rows, t.reshape(eta.shape), eta, np.exp(eta) * w.reshape(eta.shape))


def at_risk_from(cohort: Cohort, episodes: Episodes) -> np.ndarray:
    """(patient,) since when each is at risk; zero for who never is."""
    first = np.full(len(cohort), np.inf)
    np.minimum.at(first, episodes.patient, episodes.start)
    return np.where(np.isfinite(first), first, 0.0)


def could_last(study: Study, cohort: Cohort, event: str) -> np.ndarray:
    """(patient,) until when each could have been seen to have an event; zero for who is never at risk.

    Who did not have it: to the end of the last episode. Who had it: to the exit. Where the event is the exit, nobody
    knows: to the follow-up that the design plans, or else to the latest exit of patients who are still in care.
    """
    e, exits = cohort.events[event], cohort.exits
    last, seen = np.full(len(cohort), -np.inf), np.full(len(cohort), -np.inf)
    np.maximum.at(last, e.patient, e.end)
    for m in cohort.measurements.values():
        np.maximum.at(seen, m.patient, m.time)
    end = seen if exits is None else exits.time
    if study.events[event].reasons:
        staying = end if exits is None else exits.time[np.array(exits.reason) == ""]
        longest = float(np.max(staying if len(staying) else end))
        if study.design is not None:
            planned = study.design.follow_up
            longest = planned.maximum if isinstance(planned, FollowUp) else float(planned)
        end = np.full(len(cohort), longest)
    final = e.take(e.end == last[e.patient])
    open_ended = np.zeros(len(cohort), dtype=bool)
    open_ended[final.patient[final.status == CENSORED]] = True
    end = np.where(open_ended, last, np.maximum(last, end))
    return np.where(np.isfinite(last), end, 0.0)


def _visits(cohort: Cohort, episodes: Episodes) -> list[np.ndarray]:
    """Times of visits of each patient who is at risk."""
    own: list[list[np.ndarray]] = [[] for _ in cohort.patients]
    listed = [(m.patient, m.time) for m in cohort.measurements.values()]
    listed += [(episodes.patient, t) for t in (episodes.start, episodes.stop, episodes.end)]
    for patient, time in listed:
        for i in np.intersect1d(patient, episodes.patient):
            own[i].append(time[patient == i])
    return [np.unique(np.concatenate(times)) if times else np.zeros(0) for times in own]


def _exactly(times: list[np.ndarray], first: np.ndarray, until: np.ndarray, recurrent: bool) -> Episodes:
    """Episodes of patients whose events are known to the moment."""
    rows: list[tuple[int, float, float, int]] = []
    for i, own in enumerate(times):
        edges = [float(first[i]), *(own if recurrent else own[:1]).tolist()]
        rows += [(i, a, b, HAPPENED) for a, b in pairwise(edges)]
        if until[i] > edges[-1] and (recurrent or not len(own)):
            rows.append((i, edges[-1], float(until[i]), CENSORED))
    patient, start, stop, status = (np.array(c) for c in zip(*rows, strict=True)) if rows else [np.zeros(0)] * 4
    whole = np.int64
    return Episodes(patient.astype(whole), start, stop, stop, status.astype(whole), np.zeros(len(rows), dtype=whole))


__all__ = ["ReplicatedEvents", "at_risk_from", "could_last", "happening", "replicated_events"]
