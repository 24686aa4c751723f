"""Numbers unlike the others: in another unit, on another scale, or standing for "missing".

A slip of unit multiplies. So logarithms are compared, robustly, with median and median absolute deviation: a patient
with the other patients, a cell with those around it, and with all. Where patients do not differ by factors, a number
close to zero is a large factor and no distance: there it must lie far away on the outcome's own scale too.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from bayesmyo.cohort.values import SENTINELS

FACTORS = (10.0, 12.0, 60.0, 100.0, 1000.0, 1e6)  # units of mass and time, percent
FAR = 4.0  # robust spreads, of logarithms
APART = 6.0  # the same, of a cell from those around it
BEYOND = 3.5  # spreads between patients, on the link scale
WIDER = 1.25  # times the declared spread between patients: as wide as a few with another unit may make it
NEAR = 3.5  # robust spreads, within which a factor explains where a number lies
CLEAR = 1.5  # times as far as the furthest number that nothing explains
NORMAL = 1.4826  # SDs of a normal distribution in one median absolute deviation
LEAST_GROUP = 3  # patients, and a fifth of all: of fewer than these it is seen that they are unlike the others
EMPTY = 1.5  # spreads between two groups, where nobody is
EXPLAINS = 1.5  # spreads, within which a factor explains how far two groups lie apart
WHOLLY = 0.95  # share of the cells of a group on its side of the middle between the two
MOST = 0.75  # share of a patient's visits that a unit of time explains: of few, all
LEAST = 0.1  # spread of logarithms
LEAST_OF_TIMES = 0.2  # the same, of times
FEWEST = 5  # numbers, below which none is unlike the others
AROUND = 4  # cells of the same patient, nearest in order of time
ABOUT = 31  # cells of the cohort, at about the same time
LONE = 2.5  # robust spreads from the middle, beyond which a number stands alone


def middle(x: np.ndarray, least: float = 0.0) -> tuple[float, float]:
    """Median and robust spread, no smaller than `least`."""
    centre = float(np.median(x))
    return centre, max(NORMAL * float(np.median(np.abs(x - centre))), least)


def both_ways(factors: Sequence[float]) -> np.ndarray:
    """Factors and their reciprocals."""
    return np.array([f for k in factors for f in (k, 1 / k)])


def explained(
    distance: np.ndarray, spread: float | np.ndarray, far: float, factors: np.ndarray, away: np.ndarray | bool = True
) -> np.ndarray:
    """The factor of each logarithm that lies `far` spreads from where it should, near the factor's own; else NaN. (n,)

    Each lies clearly further away than all that no factor explains: where some lie half as far, others may well lie
        there.
    away: (n,) whether a number is far from where it should be on the outcome's own scale too
    """
    off, spreads = np.abs(distance[:, None] - np.log(factors)), np.where(away, np.abs(distance) / spread, 0.0)
    fits = (spreads > far) & (off.min(axis=1) <= NEAR * spread)
    fits &= spreads > CLEAR * spreads[~fits].max(initial=0.0)
    return np.where(fits, factors[off.argmin(axis=1)], np.nan)


@dataclass(frozen=True)
class Numbers:
    """What is compared, (n,) each: cells of patients over time.

    level: on the outcome's own scale, on which patients differ by about `spread`; None where they differ by factors
    least: how far the logarithms of different patients lie apart at least, as declared
    """

    patient: np.ndarray
    time: np.ndarray
    value: np.ndarray
    level: np.ndarray | None = None
    spread: float = 1.0
    least: float = LEAST

    def take(self, cells: np.ndarray) -> "Numbers":
        """Some of them: a mask (n,) or positions."""
        level = None if self.level is None else self.level[cells]
        return Numbers(self.patient[cells], self.time[cells], self.value[cells], level, self.spread, self.least)


def rescaled(numbers: Numbers, factors: np.ndarray) -> np.ndarray:
    """What each cell seems to have been multiplied by, one of `factors`; NaN where it is like the others. (n,)"""
    by = np.full(len(numbers.value), np.nan)
    cells = np.lexsort((numbers.time, numbers.patient))
    cells = cells[numbers.value[cells] > 0]
    if len(cells) >= FEWEST:
        taken = numbers.take(cells)
        groups = two_groups(taken, factors)
        by[cells] = groups if np.isfinite(groups).any() else _Comparison(taken, factors).all_ways()
    return by


def two_groups(numbers: Numbers, factors: np.ndarray) -> np.ndarray:
    """The factor by which the smaller of two groups of patients far apart differs; NaN for all others. (n,)

    Where half of the patients are in another unit, the median lies between the two, and no patient is unlike the
    others.
    """
    by = np.full(len(numbers.value), np.nan)
    people, whose = np.unique(numbers.patient, return_inverse=True)
    if len(people) < 2 * LEAST_GROUP or (numbers.level is None and numbers.least <= LEAST):
        return by
    own = medians(np.log(numbers.value), whose)
    order = np.argsort(own)
    least = max(LEAST_GROUP, len(people) // 5)
    gaps = np.diff(own[order])[least - 1 : len(people) - least]
    split = least + int(gaps.argmax())
    low, high = order[:split], order[split:]
    within = np.concatenate([own[low] - own[low].mean(), own[high] - own[high].mean()])
    spread = max(float(np.sqrt(np.sum(within**2) / (len(own) - 2))), numbers.least)
    apart = float(np.median(own[high]) - np.median(own[low]))
    factor = float(factors[np.abs(apart - np.log(factors)).argmin()])
    if apart < FAR * spread or gaps.max() < EMPTY * spread or abs(apart - np.log(factor)) > EXPLAINS * spread:
        return by
    if numbers.level is not None:
        levels = [np.median(numbers.level[np.isin(whose, group)]) for group in (low, high)]
        if levels[1] - levels[0] < BEYOND * numbers.spread:
            return by
    few, sign = (high, 1.0) if len(high) < len(low) else (low, -1.0)
    cells = np.isin(whose, few)
    between = float(np.median(own[high]) + np.median(own[low])) / 2
    if np.mean(sign * (np.log(numbers.value[cells]) - between) > 0) >= WHOLLY:  # else some of their cells are, not they
        by[cells] = factor**sign
    return by


def medians(values: np.ndarray, whose: np.ndarray) -> np.ndarray:
    """The median of each patient's values, all at once. whose: (n,) patients, counted from 0, each at least once"""
    ordered = values[np.lexsort((values, whose))]
    counts = np.bincount(whose)
    first = np.cumsum(counts) - counts
    return np.asarray((ordered[first + (counts - 1) // 2] + ordered[first + counts // 2]) / 2)


class _Comparison:
    """Positive numbers, of each patient in the order of time, less what all patients share in the course of time."""

    def __init__(self, numbers: Numbers, factors: np.ndarray) -> None:
        self._factors = factors
        self._counts = np.unique(numbers.patient, return_counts=True)[1]
        self._whose = np.repeat(np.arange(len(self._counts)), self._counts)
        self._x = without_course(numbers.time, np.log(numbers.value))
        self._least = max(numbers.least, LEAST)
        self._spread = middle(self._x, self._least)[1]
        self._link, self._away = self._x, 0.0
        if numbers.level is not None:
            self._link = without_course(numbers.time, numbers.level)
            between = middle(medians(self._link, self._whose))[1]
            self._away = BEYOND * float(np.clip(between, numbers.spread / 2, WIDER * numbers.spread))

    def all_ways(self) -> np.ndarray:
        """Cells unlike all, several alike; those of patients unlike the others; those unlike the patient's own. (n,)"""
        by = self._explained(self._x, self._link, self._spread, FAR)
        for factor in np.unique(by[~np.isnan(by)]):
            if np.sum(by == factor) == 1:  # of one cell its patient's own say more
                by[by == factor] = np.nan
        for judged in (self._patients(), self._beside()):
            by = np.where(np.isnan(by), judged, by)
        return by

    def _explained(self, x: np.ndarray, link: np.ndarray, spread: float | np.ndarray, far: float) -> np.ndarray:
        return explained(x, spread, far, self._factors, np.abs(link) >= self._away)

    def _patients(self) -> np.ndarray:
        if len(self._counts) < FEWEST:
            return np.full(len(self._x), np.nan)
        typical, link = (medians(v, self._whose) for v in (self._x, self._link))
        centre, spread = middle(typical, self._least)
        whole = self._explained(typical - centre, link - np.median(link), spread, FAR)
        factor, off = whole[self._whose], self._x - centre
        return np.where(np.abs(off - np.log(factor)) < np.abs(off), factor, np.nan)

    def _beside(self) -> np.ndarray:
        x, link = around(self._x, self._counts), around(self._link, self._counts)
        if not np.isfinite(x).any():
            return x
        spread = np.full(len(x), middle(x[np.isfinite(x)], LEAST)[1])
        end = np.cumsum(self._counts)
        for edge in (end - self._counts, end - 1):
            at = edge[self._counts > 1]  # all lie on one side of it: more of a patient's own course is left
            spread[at] = middle(x[at], float(spread[at].max()))[1]
        by = self._explained(np.nan_to_num(x), np.nan_to_num(link), spread, APART)
        likely = np.abs(self._x - np.nan_to_num(np.log(by))) < FAR * self._spread  # what it would be is like the others
        odd = (np.abs(self._x) > LONE * self._spread) & (self._x * x > 0)
        likely &= odd | (self._counts > AROUND)[self._whose]  # which of two or three is odd, the others must say
        return np.where(likely, by, np.nan)


def without_course(time: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Numbers less the median of those at about the same time: what all share in the course of time is no slip. (n,)"""
    order, width = np.argsort(time, kind="stable"), min(ABOUT, len(x))
    medians = np.median(np.lib.stride_tricks.sliding_window_view(x[order], width), axis=1)
    without = np.empty(len(x))
    without[order] = x[order] - medians[np.clip(np.arange(len(x)) - width // 2, 0, len(medians) - 1)]
    return without


def around(x: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """How far each number lies from the median of the patient's nearest in time; NaN where there is no other. (n,)

    x: (n,) patient after patient, in order of time; counts: of each patient
    """
    start, count = (np.repeat(v, counts) for v in (np.cumsum(counts) - counts, counts))
    at = np.arange(len(x)) - start
    first = np.clip(at - AROUND // 2, 0, np.maximum(count - AROUND - 1, 0))
    near = first[:, None] + np.arange(AROUND + 1)
    other = (near < count[:, None]) & (near != at[:, None])
    values = np.where(other, x[np.minimum(start[:, None] + near, len(x) - 1)], np.nan)
    alone = ~other.any(axis=1)
    values[alone] = x[alone, None]
    return np.where(alone, np.nan, x - np.nanmedian(values, axis=1))


def other_unit(patient: np.ndarray, time: np.ndarray, factors: Sequence[float]) -> dict[int, float]:
    """Patients whose visits lie where others' would in another unit of time -> its factor, one of `factors`.

    Two things must say so: when the first, second ... visit after time zero was, and how long patients went from one
    visit to the next. Who missed visits is unlike the others in the one, who left early in the other. And a unit is one
    for all visits of a patient: all of two or three, and most of more, lie nearer to where the factor puts them than to
    where others have theirs; the median of two would follow one that chance moved to the start.
    """
    order = np.lexsort((time, patient))
    patient, time = patient[order], time[order]
    once = np.append(True, (np.diff(patient) != 0) | (np.diff(time) != 0))[: len(time)]
    patient, time = patient[once], time[once]
    people, counts = np.unique(patient[time > 0], return_counts=True)
    people, counts = people[counts > 1], counts[counts > 1]
    if len(people) < FEWEST:
        return {}
    kept = np.isin(patient, people)
    time, whose = time[kept], np.searchsorted(people, patient[kept])
    after, of = np.log(time[time > 0]), whose[time > 0]
    k = np.arange(len(after)) - np.repeat(np.cumsum(counts) - counts, counts)
    off = after - medians(after, k)[k]
    same = np.diff(whose) == 0
    between = medians(np.log(np.diff(time)[same]), whose[1:][same])
    when = medians(off, of)
    (of_when, most_when), (of_between, most_between) = middle(when, LEAST_OF_TIMES), middle(between, LEAST_OF_TIMES)
    when, between = when - of_when, between - of_between
    agree = (when * between > 0) & (np.abs(when) > FAR * most_when) & (np.abs(between) > FAR * most_between)
    by = explained((when + between) / 2, max(most_when, most_between), FAR, np.asarray(factors), agree)
    nearer = np.abs(off - of_when - np.log(by)[of]) < np.abs(off - of_when)
    most = np.bincount(of, nearer) >= MOST * counts
    return {p: float(f) for p, f, so in zip(people.tolist(), by, most, strict=True) if so}


def lone(values: np.ndarray, on_scale: np.ndarray, candidates: Collection[float] = SENTINELS) -> list[float]:
    """Numbers that often stand for "missing" and lie beyond all others, alone, or are negative where no other is.

    on_scale: (n,) the values on the scale on which they differ
    """
    ordinary = ~np.isin(values, [*candidates])
    if ordinary.sum() < FEWEST:
        return []
    others = on_scale[ordinary]
    low, high = float(others.min()), float(others.max())
    least, most = ((high - low) / share + np.finfo(float).tiny for share in (4, 3))
    centre, spread = middle(others, least)
    spread = min(spread, most)  # of two groups, the deviations say how far they lie apart

    def stands_alone(v: float) -> bool:
        x = float(on_scale[values == v][0])
        beyond = not low - spread <= x <= high + spread or (v < 0 <= float(values[ordinary].min()))
        return beyond and abs(x - centre) > LONE * spread

    return [v for v in sorted({*values[~ordinary].tolist()}) if stands_alone(v)]
