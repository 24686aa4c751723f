"""Covariates of patients and visits from a table, and what data can get wrong about them."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from bayesmyo.cohort import cells
from bayesmyo.cohort.cohort import Cohort
from bayesmyo.cohort.faults import FaultBook, typed
from bayesmyo.cohort.table import Table, lines_text
from bayesmyo.errors import Fault, did_you_mean
from bayesmyo.study.covariates import coded, table_column, transformed, used, with_products
from bayesmyo.study.predictors import Predictor, predictors
from bayesmyo.study.study import Study

NONE = float("nan")
FAR = 4.0  # declared scales
SAME = 1e-7  # share of a column's length that lies outside the others, below which it is a combination of them


def parse_column(study: Study, name: str, table: Table, column: int, book: FaultBook) -> list[float]:
    """One covariate in every row: a number, or the position of a level; NaN where nothing is written."""
    c = study.covariates[name]
    found = []
    for line, row in zip(table.lines, table.rows, strict=True):
        text, value = row[column].strip(), NONE
        if c.levels and text.startswith("'") and text[1:] in c.levels:  # made inert for spreadsheets
            text = text[1:]
        if c.levels and text in c.levels:  # a declared level may be a word that elsewhere means missing
            value = float(c.levels.index(text))
        elif not cells.is_missing(text, study.data):
            if c.levels:
                mend = did_you_mean(text, c.levels)
                book.add(
                    line, table_column(study, name), f"is no level of {name}", text, mend.replace("allowed:", "levels:")
                )
            else:
                cell = cells.parse(text, study.data, censoring=False)
                if isinstance(cell, cells.Bad):
                    book.add(line, table_column(study, name), cell.what, text, cell.mend)
                elif not np.isfinite(_transformed(study, name, cell.value)):
                    book.add(
                        line,
                        table_column(study, name),
                        f"has no {c.transform}",
                        text,
                        "the transform is declared in the study",
                    )
                else:
                    value = cell.value
        found.append(value)
    return found


def _transformed(study: Study, name: str, value: float) -> float:
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(transformed(study.covariates[name], value))


def of_patients(
    study: Study, table: Table, ids: Sequence[str], name: str, values: Sequence[float], book: FaultBook
) -> dict[str, float]:
    """Patient -> value of a patient-level covariate. A patient's rows may leave it empty, but not contradict each other."""
    stated: dict[str, dict[float, int]] = defaultdict(dict)
    for line, patient, value in zip(table.lines, ids, values, strict=True):
        if not np.isnan(value):
            stated[patient].setdefault(value, line)
    for places in stated.values():
        if len(places) > 1:
            where = f'{lines_text(sorted(places.values()))}, column "{table_column(study, name)}"'
            mend = 'correct it, or declare varies = "visits"'
            book.whole.append(Fault(where, f"one patient has several values of {name}", mend=mend))
    return {patient: next(iter(places)) for patient, places in stated.items()}


def missing_faults(study: Study, cohort: Cohort, first_line: Mapping[str, int]) -> Iterator[Fault]:
    """Patients without a value of a covariate that is not imputed."""
    for name in used(study, "patients"):
        absent = [p for p, v in zip(cohort.patients, cohort.covariates[name], strict=True) if np.isnan(v)]
        if absent and study.covariates[name].missing == "refused":
            where = f'{lines_text(sorted(first_line[p] for p in absent))}, column "{table_column(study, name)}"'
            numeric = study.covariates[name].levels is None
            mend = (
                'fill it in, or declare missing = "imputed"'
                if numeric
                else 'fill it in, or declare a level such as "unknown"'
            )
            yield Fault(where, f"{len(absent)} of {len(cohort)} patients have no {name}", mend=mend)


def data_faults(study: Study, cohort: Cohort) -> Iterator[Fault]:
    """What makes a coefficient unidentifiable: a level that nobody has, a covariate that says nothing, collinear ones, a knot outside."""
    values = {n: cohort.covariates[n] for n in used(study, "patients")}
    for m in cohort.measurements.values():
        for name in used(study, "visits"):
            values[name] = np.concatenate([values.get(name, np.array([])), m.covariates[name]])
    unclear = set()
    for name, found in values.items():
        c, seen = study.covariates[name], np.unique(found[~np.isnan(found)])
        where = f'column "{table_column(study, name)}"'
        if len(seen) < 2:
            unclear.add(name)
            only = (
                "no value"
                if not len(seen)
                else f"a single value, {typed(c.levels[int(seen[0])]) if c.levels else f'{seen[0]:g}'}"
            )
            yield Fault(
                where,
                f"{name} has {only}",
                mend="a covariate that does not vary says nothing: remove it from the outcomes",
            )
        elif c.levels and len(seen) < len(c.levels):
            unclear.add(name)
            absent = [typed(level) for k, level in enumerate(c.levels) if k not in seen]
            yield Fault(
                where,
                f"no patient or visit has the level {', '.join(absent)} of {name}",
                mend="remove the level, or merge it with another",
            )
    for outcome in study.outcomes:
        m = cohort.measurements[outcome]
        for p in predictors(study, outcome):
            for knot in p.trajectory.knots():
                if not m.time.min() <= knot <= m.time.max():
                    what = (
                        f"the knot {knot:g} lies outside the times of {outcome}, {m.time.min():g} to {m.time.max():g}"
                    )
                    yield Fault(f'column "{study.time.column}"', what, mend="move the knot in the study")
            if not unclear.intersection(p.covariates + p.moderators):
                yield from _collinear(study, cohort, p)


def covariate_notices(study: Study, cohort: Cohort) -> Iterator[str]:
    """What a reader should know of the covariates though nothing is wrong."""
    for name in used(study, "patients"):
        c, values = study.covariates[name], cohort.covariates[name]
        known = values[~np.isnan(values)]
        if len(known) < len(values):
            yield f"{len(values) - len(known)} of {len(values)} patients have no {name}: it is imputed in the model."
        if c.levels:
            few = [level for k, level in enumerate(c.levels) if np.sum(known == k) == 1]
            yield from (
                f"A single patient has {name} {level}: its coefficient is nearly the prior alone." for level in few
            )
        elif len(known):
            coded_values = coded(study, name, known)[name]
            if abs(np.median(coded_values)) > FAR or coded_values.std() > FAR:
                yield (
                    f"{name}: the median, {np.median(known):.4g}, and the spread are far from the declared typical {c.typical:g} and "
                    f"scale {c.scale:g}: is the unit right?"
                )


def _collinear(study: Study, cohort: Cohort, p: Predictor) -> Iterator[Fault]:
    m = cohort.measurements[p.outcome]
    columns = visit_columns(study, cohort, p.outcome)
    for names, what in ((p.level_columns, "covariates"), (p.change_columns, "moderators")):
        basis = np.ones((len(m), 1))
        for name in names:
            column = np.nan_to_num(np.broadcast_to(columns[name], (len(m),)))[:, None]
            rest = column - basis @ np.linalg.lstsq(basis, column, rcond=None)[0]
            if np.linalg.norm(rest) <= SAME * max(1.0, np.linalg.norm(column)):
                text = f"{name} is a combination of the {what} named before it"
                yield Fault(f"{what} of {p.outcome}", text, mend="remove one of them")
                break
            basis = np.hstack([basis, column])


def visit_columns(study: Study, cohort: Cohort, outcome: str) -> dict[str, np.ndarray]:
    """Design columns at each measurement of an outcome, (n,); NaN where a patient's covariate is missing."""
    m = cohort.measurements[outcome]
    base: dict[str, np.ndarray] = {}
    for name in used(study):
        if study.covariates[name].varies == "patients":
            base |= {k: v[m.patient] for k, v in coded(study, name, cohort.covariates[name]).items()}
        else:
            base |= coded(study, name, m.covariates[name])
    return with_products(study, base, study.covariates)
