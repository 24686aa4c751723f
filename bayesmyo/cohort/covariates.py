"""Covariates of patients and visits from a table, and what data can get wrong about them."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

import numpy as np

from bayesmyo.cohort import cells
from bayesmyo.cohort.cohort import Cohort
from bayesmyo.cohort.faults import typed
from bayesmyo.cohort.parts import Part
from bayesmyo.cohort.spelling import difference, fold
from bayesmyo.cohort.table import lines_text
from bayesmyo.cohort.typed_cells import Origin
from bayesmyo.cohort.unlike import middle
from bayesmyo.cohort.values import MISSING, SENTINELS, shown_otherwise
from bayesmyo.errors import Fault, allowed_words, did_you_mean
from bayesmyo.limits import NAME
from bayesmyo.study.covariates import coded, columns_of, table_column, transformed, used, with_products
from bayesmyo.study.predictors import Predictor, predictors
from bayesmyo.study.study import Covariate, DataFormat, Study

NONE = float("nan")
FAR = 4.0  # declared scales
FEW = 5  # patients of one level, below which a contrast rests on them and on the prior
SAME = 1e-7  # share of a column's length that lies outside the others, below which it is a combination of them


def parse_column(study: Study, name: str, part: Part) -> list[float]:
    """One covariate in every row of a table: a number, or the position of a level; NaN where nothing is written. (n,)"""
    c, column = study.covariates[name], table_column(study, name)
    found, understood = [], dict[tuple[str, Origin, bool], float | cells.Bad]()
    meanings = {**{level: level for level in c.levels or ()}, **(c.map or {})}
    texts = {*part.table.column(column)} if c.levels else ()
    known = {text: cells.meant(text, meanings, study.data) for text in texts}
    for line, typed_text, origin in zip(
        part.table.lines, part.table.column(column), part.table.was(column), strict=True
    ):
        text, value = typed_text.strip(), NONE
        if c.levels and (said := known[typed_text]) is not None:  # a level may be a word that elsewhere means missing
            value = float(c.levels.index(meanings[said]))
        elif not cells.is_missing(text, study.data):
            key = (text, origin, part.book.few(column))
            if key not in understood:
                understood[key] = _level(name, c, text, key[2]) if c.levels else _number(study, name, text, origin)
            read = understood[key]
            if isinstance(read, cells.Bad):
                part.book.add(line, column, read.what, text, read.mend, read.code)
            else:
                value = read
        found.append(value)
    return found


def _level(name: str, c: Covariate, text: str, suggest: bool) -> cells.Bad:
    """Why a text is no level, and, where that is asked for, which it was meant to be."""
    assert c.levels is not None
    if len(text) > NAME:
        return cells.Bad(f"has more than {NAME:,} characters, which no level has", "correct the cell", "D44")
    if level := _spellings(c.levels).get(fold(text)):
        what = f"differs from the level {typed(level)} of {name} only in {difference([level, text]).text}"
        return cells.Bad(what, f"write {level}, or declare covariates.{name}.map", "D25")
    if cells.number(text, DataFormat()) in SENTINELS:
        return cells.Bad(
            f"is no level of {name}", f"{allowed_words(c.levels).replace('allowed:', 'levels:')}; {MISSING}", "D26"
        )
    near = (did_you_mean(text, c.levels) if suggest else allowed_words(c.levels)).replace("allowed:", "levels:")
    mend = f'{near}{" Or" if near.endswith("?") else "; or"} say what it stands for: covariates.{name}.map = {{ "..." = "{c.levels[0]}" }}'
    return cells.Bad(f"is no level of {name}", mend, "D26")


@cache
def _spellings(levels: tuple[str, ...]) -> dict[str, str]:
    """What is the same on paper -> the first of the levels that is so."""
    return {fold(level): level for level in levels[::-1]}


def _number(study: Study, name: str, text: str, origin: Origin) -> float | cells.Bad:
    cell = cells.parse(text, study.data, censoring=False, percent=study.covariates[name].unit.startswith("%"))
    cell = shown_otherwise(cell, text, origin, study) or cell
    if isinstance(cell, cells.Bad):
        return cell
    if cell.value <= 0 and not np.isfinite(_transformed(study, name, cell.value)):
        what = f"has no {study.covariates[name].transform}"
        return cells.Bad(what, "correct the cell, or the transform that is declared in the study", "D36")
    return _outside(study.covariates[name], cell.value) or cell.value


def _outside(c: Covariate, value: float) -> cells.Bad | None:
    """Why a number is not legal, where the study declares a range."""
    if not (what := c.beyond(value)):
        return None
    if value in SENTINELS:
        return cells.Bad(what, MISSING, "D34")
    unit = f"; is the unit, {c.unit}, right?" if c.unit else ""
    return cells.Bad(what, f"correct it if it is a typing error{unit}", "D36")


def spaced_levels(study: Study, name: str, part: Part) -> list[int]:
    """Lines whose level has white space around it; it is read without."""
    if study.covariates[name].levels is None:
        return []
    written = part.table.column(table_column(study, name))
    return [n for n, text in zip(part.table.lines, written, strict=True) if text.strip() and text != text.strip()]


def _transformed(study: Study, name: str, value: float) -> float:
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(transformed(study.covariates[name], value))


def of_patients(study: Study, part: Part, name: str, values: Sequence[float]) -> dict[str, float]:
    """Patient -> value of a patient-level covariate. A patient's rows may leave it empty, but not contradict each other."""
    stated: dict[str, dict[float, int]] = defaultdict(dict)
    for line, patient, value in zip(part.table.lines, part.ids, values, strict=True):
        if not np.isnan(value) and patient.strip():
            stated[patient].setdefault(value, line)
    for places in stated.values():
        if len(places) > 1:
            of_visits, column = study.time.column in part.table.header, table_column(study, name)
            mend = 'correct it, or declare varies = "visits"' if of_visits else "keep one row"
            what = f"one patient has several values of {name}"
            part.book.rows(list(places.values()), what, mend=mend, code="D23", column=column)
    return {patient: next(iter(places)) for patient, places in stated.items()}


def missing_faults(study: Study, cohort: Cohort, first_line: Mapping[str, int], word: str) -> Iterator[Fault]:
    """Patients without a value of a covariate that is not imputed."""
    for name in used(study, "patients"):
        absent = [p for p, v in zip(cohort.patients, cohort.covariates[name], strict=True) if np.isnan(v)]
        if absent and study.covariates[name].missing == "refused":
            where = (
                f'{lines_text(sorted(first_line[p] for p in absent), word=word)}, column "{table_column(study, name)}"'
            )
            numeric = study.covariates[name].levels is None
            mend = (
                'fill it in, or declare missing = "imputed"'
                if numeric
                else 'fill it in, or declare a level such as "unknown"'
            )
            yield Fault(where, f"{len(absent)} of {len(cohort)} patients have no {name}", mend=mend, code="D62")


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
                code="D27",
            )
        elif c.levels and len(seen) < len(c.levels) and not c.group:
            unclear.add(name)
            absent = [typed(level) for k, level in enumerate(c.levels) if k not in seen]
            yield Fault(
                where,
                f"no patient or visit has the level {', '.join(absent)} of {name}",
                mend="remove the level, or merge it with another",
                code="D27",
            )
    for outcome in study.outcomes:
        m = cohort.measurements[outcome]
        for p in predictors(study, outcome):
            for knot in p.trajectory.knots():
                if not m.time.min() <= knot <= m.time.max():
                    what = (
                        f"the knot {knot:g} lies outside the times of {outcome}, {m.time.min():g} to {m.time.max():g}"
                    )
                    yield Fault(f'column "{study.time.column}"', what, mend="move the knot in the study", code="D63")
            if p.trajectory.visits_planned():
                yield from _unplanned(study, cohort, outcome, p)
            if not unclear.intersection(p.covariates + p.moderators):
                yield from _collinear(study, cohort, p)


def _unplanned(study: Study, cohort: Cohort, outcome: str, p: Predictor) -> Iterator[Fault]:
    """Measurements at times that no visit is planned for, and two of one patient at one planned visit."""
    m, where = cohort.measurements[outcome], f'column "{study.time.column}"'
    plan = ", ".join(f"{time:g}" for time in p.trajectory.visits_planned())
    lost = [(int(line), t) for line, t in zip(m.line, m.time, strict=True) if not p.trajectory.planned(float(t))]
    if lost:
        line, t = lost[0]
        what = f"{len(lost)} of {len(m)} measurements of {outcome} are outside the windows of the planned visits {plan}"
        mend = "widen the window, plan a visit then, or leave the rows out"
        yield Fault(where, what, f"{t:g} in line {line}", mend, "D63")
        return
    visit, seen = p.trajectory.visit(m.time, np), dict[tuple[int, int], int]()
    for line, patient, k in zip(m.line.tolist(), m.patient.tolist(), visit.tolist(), strict=True):
        if (patient, k) in seen:
            what = f"two measurements of {outcome} of one patient belong to one planned visit"
            got = f"lines {seen[patient, k]} and {line}"
            yield Fault(where, what, got, "narrow the window, or leave one of them out", "D63")
            return
        seen[patient, k] = line


def level_counts(study: Study, cohort: Cohort) -> dict[str, dict[str, int]]:
    """Of each categorical covariate, how many patients have each level; of one that varies, at how many visits it is so."""
    found = {}
    for name in used(study):
        c = study.covariates[name]
        if not c.levels:
            continue
        if c.varies == "patients":
            values = cohort.covariates[name]
        else:
            at = {
                (p, t): v
                for m in cohort.measurements.values()
                for p, t, v in zip(m.patient.tolist(), m.time.tolist(), m.covariates[name].tolist(), strict=True)
            }
            values = np.array([*at.values()])
        found[name] = {
            level: int(np.sum(values == k)) for k, level in enumerate(c.levels) if k < len(c.levels) - c.group
        }
    return found


def covariate_notices(study: Study, cohort: Cohort) -> Iterator[str]:
    """What a reader should know of the covariates though nothing is wrong."""
    for name in used(study, "patients"):
        c, values = study.covariates[name], cohort.covariates[name]
        known = values[~np.isnan(values)]
        if len(known) < len(values):
            yield f"{len(values) - len(known)} of {len(values)} patients have no {name}: it is imputed in the model. [D62]"
        if c.levels:
            counts = {level: int(np.sum(known == k)) for k, level in enumerate(c.levels)}
            for level, count in counts.items():
                asked = [
                    n
                    for n, e in study.estimands.items()
                    if e.contrast and e.contrast.covariate == name and level in (e.contrast.level, e.contrast.reference)
                ]
                if count == 1:
                    yield f"A single patient has {name} {level}: its coefficient is nearly the prior alone. [D40]"
                elif asked and count < FEW:
                    yield (
                        f"{count} patients have {name} {level}, which {' and '.join(asked)} contrast{'s' if len(asked) == 1 else ''}: "
                        "the answer rests on them and, for much of it, on the prior. [D40]"
                    )
        elif len(known):
            centre, spread = middle(coded(study, name, known)[name])
            if abs(centre) > FAR or spread > FAR:
                yield (
                    f"{name}: the median, {np.median(known):.4g}, or the spread is far from the declared typical {c.typical:g} and "
                    f"scale {c.scale:g}: is the unit right? [D64]"
                )


def _collinear(study: Study, cohort: Cohort, p: Predictor) -> Iterator[Fault]:
    m = cohort.measurements[p.outcome]
    columns = visit_columns(study, cohort, p.outcome)
    for named, what in ((p.covariates, "covariates"), (p.moderators, "moderators")):
        names = columns_of(
            study, [n for n in named if not study.covariates[n].group]
        )  # of a group all are told apart by its prior
        basis = np.full((len(m), 1 + len(names)), len(m) ** -0.5)  # orthonormal, as far as it is filled
        for n, name in enumerate(names, 1):
            column = np.nan_to_num(np.broadcast_to(columns[name], (len(m),)))
            rest, before = column, basis[:, :n]
            for _ in range(2):  # the second time takes away what rounding left
                rest = rest - before @ (before.T @ rest)
            if np.linalg.norm(rest) <= SAME * max(1.0, np.linalg.norm(column)):
                text = f"{name} is a combination of the {what} named before it"
                yield Fault(f"{what} of {p.outcome}", text, mend="remove one of them", code="D40")
                break
            basis[:, n] = rest / np.linalg.norm(rest)


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
