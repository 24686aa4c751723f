"""A study in calendar time: patients come one after another, and at any date only what has happened by then is known.

Dates are in the study's unit of time since the first visit of the first patient. A patient's own time t is the date
entry + t.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from bayesmyo.cohort.cohort import CENSORED, Episodes
from bayesmyo.cohort.events import met_by
from bayesmyo.cohort.fates import without_later
from bayesmyo.model.schedule import by
from bayesmyo.model.simulate import Simulated
from bayesmyo.simulation.cell import Cell
from bayesmyo.simulation.row import Quantity
from bayesmyo.study.design import Design
from bayesmyo.study.study import Study

FEWEST = 2  # patients of an interim look


def enrolled(s: Simulated, date: float) -> int:
    """How many patients have had their first visit by a date."""
    return int(np.count_nonzero(by(_arrivals(s), date)))


def enrolment(s: Simulated, patients: int) -> float:
    """The date at which so many patients have had their first visit."""
    return float(_arrivals(s)[patients - 1])


def end(s: Simulated) -> float:
    """The date at which nothing more is to be seen of any patient."""
    last = [max(until, own[-1]) for until, own in zip(s.follow_up, s.visits, strict=True)]
    return float(np.max(_entry(s) + last))


def expected_end(design: Design, patients: int) -> float:
    """The date at which a study of so many patients is expected to end, if nobody is lost; infinite without an
    accrual.
    """
    if design.accrual is None:
        return np.inf
    return (patients - 1) / design.accrual + min(design.typical_follow_up, design.latest) - design.visits.first[0]


def seen(study: Study, s: Simulated, date: float) -> Simulated:
    """What is known of a simulated study at a date.

    Visits after it are not seen, events and exits after it have not happened yet; patients keep their places, and of
    those who are still to come there is nothing.
    """
    assert s.whole is not None
    own = clocks(s, date)
    there = by(_arrivals(s), date)
    measurements = {name: m.take(by(m.time, own[m.patient])) for name, m in s.whole.measurements.items()}
    visited = np.array(
        [max((t for t in visits if by(t, c)), default=0.0) for visits, c in zip(s.visits, own, strict=True)]
    )
    events = {}
    for name, event in study.events.items():
        if event.when:
            events[name] = met_by(study, name, measurements, len(s.whole))
        else:
            by_visits = event.at is None and not event.reasons
            known = until(s.whole.events[name], visited if by_visits else own)
            events[name] = known.take(there[known.patient])
    exits = s.whole.exits
    if exits is not None:
        still = tuple("" if t > c else why for t, c, why in zip(exits.time, own, exits.reason, strict=True))
        exits = replace(exits, time=np.minimum(exits.time, np.maximum(own, 0.0)), reason=still)
    cohort = replace(s.whole, measurements=measurements, events=events, exits=exits).first(len(s.whole))
    follow_up = np.minimum(s.follow_up, np.maximum(own, 0.0))
    return replace(s, cohort=without_later(study, cohort), follow_up=follow_up, lost=s.lost & (s.follow_up <= own))


def clocks(s: Simulated, date: float) -> np.ndarray:
    """(patient,) a date on each patient's own clock."""
    return date - _entry(s)


def held(cell: Cell, simulated: Simulated) -> list[tuple[int, float]]:
    """The interim looks that take place in calendar time, (what it is called, its date): not those before two patients
    have entered, nor those after the end.
    """
    interim = cell.stages[:-1]
    when = cell.dates or [enrolment(simulated, n) for n in interim]
    last = end(simulated)
    return [
        (look, date)
        for look, date in zip(interim, when, strict=True)
        if date < last and enrolled(simulated, date) >= FEWEST
    ]


def dates(cell: Cell, simulated: Simulated) -> Iterator[Quantity]:
    """When each look took place, and how many patients had entered."""
    for look, date in [*held(cell, simulated), (cell.patients, end(simulated))]:
        yield Quantity("look", "patients", look, mean=float(enrolled(simulated, date)))
        yield Quantity("look", "date", look, mean=date)


def until(episodes: Episodes, known: np.ndarray) -> Episodes:
    """Episodes as they are known when nothing after a time of each patient is: an event that is not known to have
    happened by then is censored. known: (patient,)
    """
    begun = episodes.take(episodes.start < known[episodes.patient])
    limit = known[begun.patient]
    future = begun.end > limit
    stop = np.where(future, np.minimum(begun.stop, limit), begun.stop)
    cut = replace(
        begun,
        stop=stop,
        end=np.where(future, stop, begun.end),
        status=np.where(future, CENSORED, begun.status).astype(begun.status.dtype),
    )
    return cut.take(~future | (cut.stop > cut.start))  # who was at risk for no time says nothing


def _entry(s: Simulated) -> np.ndarray:
    assert s.entry is not None
    return s.entry


def _arrivals(s: Simulated) -> np.ndarray:
    """(patient,) dates of first visits, which are as planned."""
    return _entry(s) + np.array([own[0] for own in s.visits])
