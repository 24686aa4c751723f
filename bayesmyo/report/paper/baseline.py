"""Table 1: every declared covariate and every outcome at baseline, of all patients and of each group."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from bayesmyo.cohort.cohort import Cohort
from bayesmyo.errors import UsageError, did_you_mean
from bayesmyo.figures.parts import per_exposure
from bayesmyo.report.blocks import Cell, Table
from bayesmyo.report.numbers import number
from bayesmyo.study.study import NEW, Covariate, Study

QUARTILES = (0.25, 0.5, 0.75)
DIVIDED = "; a count that would tell a suppressed one is suppressed too"


@dataclass(frozen=True)
class Column:
    """A group of patients. who: (patient,) whether each belongs to it"""

    title: str
    who: np.ndarray


def baseline(study: Study, cohort: Cohort, by: str = "", smallest: int = 1) -> Table:
    """Who the patients are, as the first table of a paper tells it.

    Of a number the median and quartiles, of a level how many patients and their share of those whose level is known;
    how many are missing wherever any is. An outcome's baseline is its last measurement up to the start (or up to the
    time that `require_baseline` declares), a limit standing for a cell known only to it. A covariate of visits is that
    of the first visit.

    Parameters
    ----------
    study : Study
        With its covariates.
    cohort : Cohort
        As read from the table; of a fit it has the covariates that the model uses.
    by : str
        A categorical covariate of patients, for a column of each of its levels.
    smallest : int
        No count of patients below it is shown, but for zero, nor quartiles of fewer patients.

    Returns
    -------
    Table
        One row for each number and each level.

    Raises
    ------
    UsageError
        For a covariate that has no levels.
    """
    columns = [Column("all", np.ones(len(cohort), dtype=bool)), *_groups(study, cohort, by)]
    known = {**cohort.described, **cohort.covariates}
    rows: list[tuple[Cell, ...]] = []
    for name, c in study.covariates.items():
        if name != by and name in known:
            rows += _covariate(c.label or name, c, known[name], columns, smallest)
    for name in study.outcomes:
        unit, values = study.outcomes[name].unit, at_baseline(study, cohort, name)
        rows += _numbers(f"{study.label(name)} at baseline", unit, values, columns, smallest)
    hidden = f"; counts below {smallest} are suppressed{DIVIDED}" if smallest > 1 else ""
    caption = f"Patients at baseline: median (first to third quartile), or number (share of those known){hidden}"
    return Table("baseline", caption, ("characteristic", *(_title(c, smallest) for c in columns)), tuple(rows))


def _title(c: Column, smallest: int) -> str:
    n = int(c.who.sum())
    return f"{c.title} (n {'<' if 0 < n < smallest else '='} {max(n, smallest) if n else n})"


def _groups(study: Study, cohort: Cohort, by: str) -> list[Column]:
    if not by:
        return []
    known = [n for n, c in study.covariates.items() if c.levels and c.varies == "patients" and not c.group]
    if by not in known:
        some = f"those that do: {', '.join(known)}" if known else "the study has no categorical covariate of patients"
        what = "does not tell groups of patients apart"
        raise UsageError("--by", what, f'"{by}"', did_you_mean(by, known) or some)
    value = {**cohort.described, **cohort.covariates}.get(by)
    if value is None:
        raise UsageError("--by", "is not in this cohort", f'"{by}"', "read it from the table: a fit holds what it uses")
    levels = study.covariates[by].levels or ()
    return [Column(level, value == k) for k, level in enumerate(levels)]


def at_baseline(study: Study, cohort: Cohort, outcome: str) -> np.ndarray:
    """(patient,) the last measurement of an outcome up to its baseline; NaN where there is none."""
    m, required = cohort.measurements[outcome], study.data.require_baseline
    until = required.until if required is not None and outcome in (required.outcomes or study.outcomes) else 0.0
    values = np.full(len(cohort), np.nan)
    for n in np.argsort(m.time, kind="stable"):
        if m.time[n] <= until:
            values[m.patient[n]] = per_exposure(m)[n]
    return values


def _covariate(
    label: str, c: Covariate, values: np.ndarray, columns: Sequence[Column], smallest: int
) -> Iterator[tuple[Cell, ...]]:
    if not c.levels:
        yield from _numbers(label, c.unit, values, columns, smallest)
        return
    counts = np.array(
        [
            [np.sum(values[col.who] == k) for k, level in enumerate(c.levels) if not (c.group and level == NEW)]
            + [np.sum(np.isnan(values[col.who]))]
            for col in columns
        ]
    )
    hidden = suppressed(counts, smallest)
    for k, level in enumerate([level for level in c.levels if not (c.group and level == NEW)]):
        of = counts[:, :-1].sum(axis=1)
        yield (f"{label}: {level}", *(_share(counts[g, k], of[g], hidden[g, k], smallest) for g in range(len(columns))))
    if counts[0, -1]:
        yield (f"{label}: missing", *(_count(counts[g, -1], hidden[g, -1], smallest) for g in range(len(columns))))


def _numbers(
    label: str, unit: str, values: np.ndarray, columns: Sequence[Column], smallest: int
) -> Iterator[tuple[Cell, ...]]:
    named = f"{label}, {unit}" if unit and unit.lower() not in label.lower() else label
    own = [values[col.who & np.isfinite(values)] for col in columns]
    yield (named, *(_quartiles(v, smallest) for v in own))
    missing = np.array([[len(v), np.sum(col.who) - len(v)] for v, col in zip(own, columns, strict=True)])
    if missing[0, 1]:
        hidden = suppressed(missing, smallest)
        yield (f"{label}: missing", *(_count(m[1], h[1], smallest) for m, h in zip(missing, hidden, strict=True)))


def _quartiles(values: np.ndarray, smallest: int) -> str:
    if len(values) < max(smallest, 1):
        return "-"
    first, median, third = (float(q) for q in np.quantile(values, QUARTILES))
    return f"{number(median)} ({number(first)} to {number(third)})"


def suppressed(counts: np.ndarray, smallest: int) -> np.ndarray:
    """(group, kind) which counts are not shown: those below `smallest` but for zero, and where one alone is hidden in a
    row or a column, from whose sum it would follow, the smallest other one there too.

    counts: (group, kind), the first group being the sum of the others where there are others
    """
    hidden = (counts > 0) & (counts < smallest)
    for _ in range(counts.size):
        before = hidden.copy()
        for line, own in [*zip(counts, hidden, strict=True), *zip(counts.T, hidden.T, strict=True)]:
            rest = np.flatnonzero(~own & (line > 0))
            if own.sum() == 1 and len(rest):
                own[rest[np.argmin(line[rest])]] = True
        if (hidden == before).all():
            break
    return hidden


def _share(n: int, of: int, hidden: bool, smallest: int) -> str:
    if hidden:
        return _hidden(n, smallest)
    return f"{n} ({n / of:.0%})" if of else f"{n}"


def _count(n: int, hidden: bool, smallest: int) -> str:
    return _hidden(n, smallest) if hidden else f"{n}"


def _hidden(n: int, smallest: int) -> str:
    return f"<{smallest}" if n < smallest else "suppressed"
