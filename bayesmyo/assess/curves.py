"""Curves of events as observed, without a model: Kaplan and Meier, Aalen and Johansen, mean counts, Turnbull."""

from dataclasses import dataclass

import numpy as np

from bayesmyo.cohort.cohort import CENSORED, INTERVAL, Episodes

ENOUGH, MOST = 1e-6, 20_000  # of an EM algorithm: the gradient left, and steps


@dataclass(frozen=True, eq=False)
class Curve:
    """A curve in steps.

    Attributes
    ----------
    time : ndarray (step,)
        In the study's unit; infinite for what had not happened by the end.
    value : ndarray (step,)
        From that time on.
    at_risk, events : ndarray (step,)
        How many could have had it just before, and how many had it.
    first : float
        The value before the first step.
    since : ndarray (step,), optional
        Where a step is known only to lie between `since` and `time`; None where times are known.
    """

    time: np.ndarray
    value: np.ndarray
    at_risk: np.ndarray
    events: np.ndarray
    first: float
    since: np.ndarray | None = None

    def at(self, times: np.ndarray) -> np.ndarray:
        """The value at some times, (time,). Where a step lies somewhere in a stretch, it is spread over it evenly."""
        before = np.concatenate([[self.first], self.value])
        if self.since is None:
            return before[np.searchsorted(self.time, times, side="right")]
        value = np.full(np.shape(times), self.first)
        for a, b, change in zip(self.since, self.time, np.diff(before), strict=True):
            passed = np.where(times >= b, 1.0, np.clip((times - a) / (b - a), 0.0, 1.0) if a < b < np.inf else 0.0)
            value = value + change * passed
        return value


def at_risk(start: np.ndarray, stop: np.ndarray, times: np.ndarray) -> np.ndarray:
    """How many are under observation just before each time, (time,)."""
    return np.asarray(((start[:, None] < times) & (times <= stop[:, None])).sum(axis=0))


def _steps(start: np.ndarray, stop: np.ndarray, happened: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Times at which it happened, how many were at risk, and how many had it."""
    time, events = np.unique(stop[happened], return_counts=True)
    return time, at_risk(start, stop, time), events


def kaplan_meier(start: np.ndarray, stop: np.ndarray, happened: np.ndarray) -> Curve:
    """The share without the event, of patients who come under observation late or leave early.

    Parameters
    ----------
    start, stop : ndarray (n,)
        At risk after start and up to stop.
    happened : ndarray (n,)
        Whether the event was at stop; else it had not happened by then.

    Returns
    -------
    Curve
        From 1 downwards.

    References
    ----------
    Kaplan and Meier (1958), https://doi.org/10.1080/01621459.1958.10501452; with late entry Tsai, Jewell and Wang
    (1987), https://doi.org/10.1093/biomet/74.4.883.
    """
    time, n, d = _steps(start, stop, happened)
    return Curve(time, np.cumprod(1 - d / n), n, d, 1.0)


def mean_count(start: np.ndarray, stop: np.ndarray, happened: np.ndarray) -> Curve:
    """The mean number of events of a patient so far, where they happen again and again.

    Parameters
    ----------
    start, stop, happened : ndarray (n,)
        Stretches of patients, as `kaplan_meier` has them: the next begins where one ends in an event.

    Returns
    -------
    Curve
        From 0 upwards.

    References
    ----------
    Aalen (1978), https://doi.org/10.1214/aos/1176344247; of counts Lawless and Nadeau (1995),
    https://doi.org/10.1080/00401706.1995.10484300.
    """
    time, n, d = _steps(start, stop, happened)
    return Curve(time, np.cumsum(d / n), n, d, 0.0)


def cumulative_incidence(start: np.ndarray, stop: np.ndarray, reason: np.ndarray, reasons: int) -> list[Curve]:
    """The share to whom each of several reasons has happened, each of which rules the others out.

    Parameters
    ----------
    start, stop : ndarray (n,)
        At risk after start and up to stop.
    reason : ndarray (n,)
        Position of what happened at stop; -1 for nothing.
    reasons : int
        How many there are.

    Returns
    -------
    list of Curve
        One for each reason, all at the same times, from 0 upwards; with the share without any they add up to 1.

    References
    ----------
    Aalen and Johansen (1978), https://www.jstor.org/stable/4615704.
    """
    any_of_them = kaplan_meier(start, stop, reason >= 0)
    without = np.concatenate([[1.0], any_of_them.value[:-1]])  # just before each time
    curves = []
    for k in range(reasons):
        d = np.array([np.sum((stop == t) & (reason == k)) for t in any_of_them.time], dtype=int)
        share = np.cumsum(without * d / any_of_them.at_risk)
        curves.append(Curve(any_of_them.time, share, any_of_them.at_risk, d, 0.0))
    return curves


def turnbull(left: np.ndarray, right: np.ndarray) -> Curve:
    """The share without an event that is known only to lie between two times: the most likely curve of all.

    Found by the EM algorithm on the innermost intervals, until no shift of mass would make the data more likely.

    Parameters
    ----------
    left, right : ndarray (n,)
        It happened after left and by right; at that time where both are the same; later than left where right is
        infinite.

    Returns
    -------
    Curve
        From 1 downwards; where in a stretch it falls, the data do not say. `at_risk` are those who may have it in the
        stretch or later; `events` the expected number of them in the stretch.

    References
    ----------
    Turnbull (1976), https://doi.org/10.1111/j.2517-6161.1976.tb01597.x; when to stop Gentleman and Geyer (1994),
    https://doi.org/10.1093/biomet/81.3.618.
    """
    pairs, count = np.unique(np.stack([left, right], axis=1), axis=0, return_counts=True)
    left, right = pairs[:, 0], pairs[:, 1]
    # of ends at one time, that of an exact time comes first, then closed right ends, then open left ends
    ends = np.concatenate(
        [np.stack([left, np.where(left == right, 0, 2)], 1), np.stack([right, np.ones(len(right))], 1)]
    )
    known, place = np.unique(ends, axis=0, return_inverse=True)
    begin, end = place.reshape(2, -1)
    inner = [k for k in range(len(known) - 1) if known[k, 1] != 1 and known[k + 1, 1] == 1]
    since, time = known[inner, 0], known[[k + 1 for k in inner], 0]
    inside = ((begin[:, None] <= inner) & (np.array(inner) < end[:, None])).astype(float)
    mass, share = np.full(len(inner), 1 / max(1, len(inner))), count / max(1, int(count.sum()))
    for _ in range(MOST):
        gain = (share / (inside @ mass)) @ inside
        mass = mass * gain
        if gain.max(initial=0.0) < 1 + ENOUGH:
            break
    possible = (right[:, None] >= time) & ((left[:, None] >= since) | np.isfinite(right)[:, None])
    return Curve(time, 1 - np.cumsum(mass), count @ possible, mass * count.sum(), 1.0, since)


def observed_curve(episodes: Episodes, recurrent: bool) -> Curve:
    """What was observed of an event: the share without it, or of one that recurs the mean number.

    An event that recurs and is known to lie between two visits counts from the later one on.
    """
    e = episodes
    if recurrent:
        return mean_count(e.start, e.end, e.status != CENSORED)
    if np.any(e.status == INTERVAL):
        return turnbull(e.stop, np.where(e.status == CENSORED, np.inf, e.end))
    return kaplan_meier(e.start, e.stop, e.status != CENSORED)


__all__ = ["Curve", "at_risk", "cumulative_incidence", "kaplan_meier", "mean_count", "observed_curve", "turnbull"]
