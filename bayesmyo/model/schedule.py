"""When patients come, how long they stay, and when they are seen: what a [design] plans, and what becomes of it."""

import numpy as np

from bayesmyo.study.design import Design, FollowUp

ROUNDING = 1e-9  # of planned times that are sums of intervals


def by(time: np.ndarray | float, date: np.ndarray | float) -> np.ndarray:
    """Whether it is not after a date, but for rounding."""
    return np.asarray(time <= date + ROUNDING * np.maximum(1.0, np.abs(date)))


def draw_follow_up(design: Design, patients: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """(patient,) end of observation, and (patient,) whether it was a loss before the potential follow-up was over."""
    f = design.follow_up
    if isinstance(f, FollowUp):
        potential = np.minimum(rng.gamma((f.mean / f.sd) ** 2, f.sd**2 / f.mean, patients), f.maximum)
    else:
        potential = np.full(patients, float(f))
    if design.loss is None or design.loss.hazard == 0:
        return potential, np.zeros(patients, dtype=bool)
    loss = rng.exponential(1 / design.loss.hazard, patients)
    return np.minimum(potential, loss), loss < potential


def draw_entries(design: Design, patients: int, rng: np.random.Generator) -> np.ndarray:
    """(patient,) the date of each patient's time zero: first visits are a Poisson process that begins with the
    first.
    """
    assert design.accrual is not None
    gaps = rng.exponential(1 / design.accrual, patients - 1)
    return np.concatenate([[0.0], np.cumsum(gaps)]) - design.visits.first[0]


def draw_visits(design: Design, end: float, rng: np.random.Generator) -> np.ndarray:
    """Visit times of one patient, in hundredths of the time unit: the first as planned, later ones jittered.

    end: of observation, after which there are none; but who has stayed as long as a protocol says has all visits that
        it plans
    """
    return kept_visits(design, end, rng)[1]


def kept_visits(design: Design, end: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """When the visits that take place were planned, and when they are."""
    planned, end = planned_visits(design, end)
    moved = planned + np.concatenate([[0.0], design.visits.jitter * rng.standard_normal(len(planned) - 1)])
    moved[1:] = np.maximum(moved[1:], planned[0] + 0.01)
    times, which = np.round(moved, 2), np.arange(len(moved))
    if np.any(times[1:] <= times[:-1]):
        times, which = np.unique(times, return_index=True)
    kept = (times <= end) | (times == planned[0])
    return planned[which][kept], times[kept]


def planned_visits(design: Design, end: float) -> tuple[np.ndarray, float]:
    """When visits are planned until the end of observation, and after when none takes place: never, where everyone who
    has stayed as long as a protocol says has them all.
    """
    v, f = design.visits, design.follow_up
    planned = np.array(v.first, dtype=float)
    if v.then_every:
        later = np.arange(v.first[-1] + v.then_every, max(end, v.first[-1]) + v.then_every, v.then_every)
        planned = np.concatenate([planned, later])
    if not isinstance(f, FollowUp):
        planned = planned[(planned <= f + ROUNDING * max(1.0, f)) | (planned == planned[0])]
        end = np.inf if end >= f else end
    return planned, end
