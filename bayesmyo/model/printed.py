"""What an abstract would print of a simulated cohort: the numbers of [published], computed as the paper computed them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from bayesmyo.cohort.cohort import Cohort
from bayesmyo.components.estimands import Criteria, all_met
from bayesmyo.model.simulate import Simulated
from bayesmyo.study.abstract import Number, Responders, Spread, When, last_digit, rounded
from bayesmyo.study.study import Study

Array = np.ndarray
SUMMARIES: dict[str, Callable[[Array], Any]] = {"mean": np.mean, "sd": partial(np.std, ddof=1), "median": np.median}
SAID = {"mean": "mean", "sd": "SD of", "median": "median"}


@dataclass(frozen=True)
class Printed:
    """One printed number.

    name: its place under [published], `numbers.mrc_gain.mean`; words: what it is
    value, digit: as printed, and what its last digit is worth
    """

    name: str
    words: str
    value: float
    digit: float


def printed(study: Study) -> tuple[Printed, ...]:
    """What [published] prints, in its order."""
    return study.once(_printed)


def _printed(study: Study) -> tuple[Printed, ...]:
    a = study.published
    assert a is not None
    listed: list[Printed] = []
    if a.follow_up is not None:
        listed += _of_spread(a.follow_up, study.time.unit)
    if a.lost is not None:
        listed.append(Printed("lost", "patients lost", a.lost.count, 1.0))
    for name, n in a.numbers.items():
        for key, (value, digit) in n.printed(a.patients).items():
            listed.append(Printed(f"numbers.{name}.{key}", _words(study, n, key), value, digit))
    for name, r in a.responders.items():
        listed.append(Printed(f"responders.{name}", f"patients who count as {name.replace('_', ' ')}", r.count, 1.0))
    return tuple(listed)


def print_of(study: Study, simulated: Simulated, cohort: Cohort) -> Array:
    """(number,) the same of a simulated cohort, rounded as the paper rounds; NaN where nobody could compute it.

    cohort: that of the simulation, as a clinic recorded it
    """
    computed = _computed(study, simulated, cohort)
    return np.array([rounded(x, p.digit) for x, p in zip(computed, printed(study), strict=True)])


def _computed(study: Study, simulated: Simulated, cohort: Cohort) -> Iterator[float]:
    a = study.published
    assert a is not None
    if a.follow_up is not None:
        yield float(np.mean(simulated.follow_up))
        if a.follow_up.sd is not None:
            yield float(np.std(simulated.follow_up, ddof=1))
    if a.lost is not None:
        yield float(simulated.lost.sum())
    for n in a.numbers.values():
        window = n.window or usual_window(study)
        value = measured(cohort, n.outcome, n.at, window)
        if n.from_ is not None:
            value = value - measured(cohort, n.outcome, n.from_, window)
        known = value[np.isfinite(value)]
        for key in n.printed(a.patients):
            yield float(SUMMARIES[key](known)) if len(known) > 1 else np.nan
    for r in a.responders.values():
        yield float(np.sum(responded(study, cohort, r) & ~simulated.lost))


def measured(cohort: Cohort, outcome: str, when: float | When, window: float) -> Array:
    """(patient,) a measurement of each: the first, the last if it is another, or the nearest to a time; NaN where there
    is none.
    """
    m = cohort.measurements[outcome]
    time = np.asarray(m.time, dtype=float)
    chosen = np.full(len(cohort), np.nan)
    if when == "last":
        order = np.lexsort((time, m.patient))
        order = order[np.concatenate([[False], np.diff(m.patient[order]) == 0])]  # without the first of each
    elif when == "first":
        order = np.lexsort((-time, m.patient))
    else:
        apart = np.abs(time - when)
        order = np.lexsort((-apart, m.patient))
        order = order[apart[order] <= window]
    chosen[m.patient[order]] = m.value[order]  # the last that is written stays
    return chosen


def responded(study: Study, cohort: Cohort, r: Responders) -> Array:
    """(patient,) whether measurements meet the criteria; who was not measured does not."""
    rule = study.responses.get(r.rule)
    window = rule.window if rule is not None and rule.window else usual_window(study)

    def level(outcome: str, time: float) -> Array:
        return measured(cohort, outcome, "first" if time == -np.inf else r.at, window)

    def meet(criteria: Criteria) -> Array:
        return np.broadcast_to(all_met(criteria, np.inf, -np.inf, level), len(cohort))

    if rule is None:
        return meet(r.criteria)
    taken = np.zeros(len(cohort), dtype=bool)
    for category, criteria in rule.categories.items():
        mine = meet(criteria) & ~taken
        if category == r.category:
            return mine
        taken |= mine
    return np.zeros(len(cohort), dtype=bool)


def usual_window(study: Study) -> float:
    """Half of what lies between two planned visits, where it is least."""
    return study.once(_usual_window)


def _usual_window(study: Study) -> float:
    assert study.design is not None
    v = study.design.visits
    gaps = [*np.diff(v.first), *([v.then_every] if v.then_every else [])]
    return float(min(gaps)) / 2 if gaps else np.inf


def _of_spread(f: Spread, unit: str) -> Iterator[Printed]:
    for key, value in (("mean", f.mean), ("sd", f.sd)):
        if value is not None:
            words = f"{SAID[key]} follow-up ({unit}s)"
            yield Printed(f"follow_up.{key}", words, value, f.rounded or last_digit(value))


def _words(study: Study, n: Number, key: str) -> str:
    """`mean change of CPK from first to last visit (IU/L)`."""
    named = study.named[n.outcome]
    at = _when(n.at, study.time.unit)
    if n.from_ is None:
        return f"{SAID[key]} {named.label} at {at} ({named.unit})"
    return f"{SAID[key]} change of {named.label} from {_when(n.from_, study.time.unit)} to {at} ({named.unit})"


def _when(when: float | When, unit: str) -> str:
    return f"{when} visit" if isinstance(when, str) else f"{unit} {when:g}"


__all__ = ["Printed", "print_of", "printed"]
