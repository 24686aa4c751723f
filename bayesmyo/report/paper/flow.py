"""The flow of patients: in the table, left out with the reason, used, and how follow-up ended."""

from collections import Counter
from collections.abc import Iterator

import numpy as np

from bayesmyo.cohort.cohort import Cohort
from bayesmyo.components.numbers import in_sentence
from bayesmyo.figures.axes import looks
from bayesmyo.report.blocks import Cell, Table
from bayesmyo.report.numbers import count
from bayesmyo.study.study import Study

STILL = "still in care when last seen"


def flow(study: Study, cohort: Cohort) -> Table:
    """Every patient accounted for: those of the table are those left out and those used, and of these each has one end
    of follow-up.

    Parameters
    ----------
    study : Study
        With the times and the reasons.
    cohort : Cohort
        As read from the table; of a fit it does not know who was left out.

    Returns
    -------
    Table
        Steps in order, with their numbers of patients.
    """
    return Table("flow", "Flow of patients", ("step", "patients"), tuple(_steps(study, cohort)))


def _steps(study: Study, cohort: Cohort) -> Iterator[tuple[Cell, ...]]:
    out = sum(cohort.left_out.values())
    yield "in the table", count(len(cohort) + out)
    for why, n in cohort.left_out.items():
        yield f"  left out: {why}", count(n)
    yield "used in the analysis", count(len(cohort))
    last = last_seen(cohort)
    for t in looks(study, float(last.max())):
        yield f"  measured at {study.time.unit} {t:g} or later", count(int(np.sum(last >= t)))
    for name, event in study.events.items():
        if not event.reasons:
            yield f"  with {in_sentence(study.label(name))}", count(_had(cohort, name))
    if cohort.exits is not None and study.time.reason is not None:
        reasons = Counter(cohort.exits.reason)
        for why, n in reasons.most_common():
            if why:
                yield f"  left: {why}", count(n)
        yield f"  {STILL}", count(reasons[""])


def _had(cohort: Cohort, event: str) -> int:
    _, by = cohort.events[event].first(len(cohort))
    return int(np.sum(np.isfinite(by)))


def last_seen(cohort: Cohort) -> np.ndarray:
    """(patient,) the time of each patient's last measurement; -inf where there is none."""
    last = np.full(len(cohort), -np.inf)
    for m in cohort.measurements.values():
        np.maximum.at(last, m.patient, m.time)
    return last
