"""Covariates of patients and visits from a table, and what data can get wrong about them."""

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
from bayesmyo.cohort.values import MISSING, SENTINELS
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
    """One covariate in every row of a table: a number, or the position of a level; NaN where it is empty. (n,)"""
    c, column = study.covariates[name], table_column(study, name)
    meanings = {**{level: level for level in c.levels or ()}, **(c.map or {})}

    def understood(text: str, origin: Origin) -> tuple[float, cells.Bad | None]:
        if c.levels and (said := cells.meant(text, meanings, study.data)) is not None:
            return float(c.levels.index(meanings[said])), None  # a level may be a word that elsewhere means missing
        if cells.is_missing(text, study.data):
            return NONE, None
        return (NONE, _level(name, c, text.strip(), part)) if c.levels else _number(study, c, text, origin)

    return part.understood(column, understood)


def _level(name: str, c: Covariate, text: str, part: Part) -> cells.Bad:
    """Why a text is no level, and, where few are none, which it was meant to be."""
    assert c.levels is not None
    none = f"is no level of {name}"
    if len(text) > NAME:
        return cells.Bad(f"has more than {NAME:,} characters, which no level has", "correct the cell", "D44")
    if level := _spellings(c.levels).get(fold(text)):
        what = f"differs from the level {typed(level)} of {name} only in {difference([level, text]).text}"
        return cells.Bad(what, f"write {level}, or declare covariates.{name}.map", "D25")
    if cells.number(text, DataFormat()) in SENTINELS:
        return cells.Bad(none, f"{allowed_words(c.levels).replace('allowed:', 'levels:')}; {MISSING}", "D26")
    near = did_you_mean(text, c.levels) if part.book.few(c.column or name) else allowed_words(c.levels)
    mend = f"{near.replace('allowed:', 'levels:')}{' Or' if near.endswith('?') else '; or'} say what it stands for: "
    return cells.Bad(none, f'{mend}covariates.{name}.map = {{ "..." = "{c.levels[0]}" }}', "D26")


@cache
def _spellings(levels: tuple[str, ...]) -> dict[str, str]:
    """What is the same on paper -> the first of the levels that is so."""
    return {fold(level): level for level in levels[::-1]}


def _number(study: Study, c: Covariate, text: str, origin: Origin) -> tuple[float, cells.Bad | None]:
    cell = cells.parse(text, study.data, percent=c.unit.startswith("%"), origin=origin)
    if isinstance(cell, cells.Bad):
        return NONE, cell
    with np.errstate(divide="ignore", invalid="ignore"):
        if cell.value <= 0 and not np.isfinite(transformed(c, cell.value)):
            mend = "correct the cell, or the transform that is declared in the study"
            return NONE, cells.Bad(f"has no {c.transform}", mend, "D36")
    if not (what := c.beyond(cell.value)):
        return cell.value, None
    unit = f"; is the unit, {c.unit}, right?" if c.unit else ""
    wrong = cells.Bad(what, f"correct it if it is a typing error{unit}", "D36")
    return NONE, cells.Bad(what, MISSING, "D34") if cell.value in SENTINELS else wrong


def spaced_levels(study: Study, name: str, part: Part) -> list[int]:
    """Lines whose level has white space around it; it is read without."""
    if study.covariates[name].levels is None:
        return []
    written = part.table.column(table_column(study, name))
    return [n for n, text in zip(part.table.lines, written, strict=True) if text.strip() and text != text.strip()]


def of_patients(study: Study, part: Part, name: str, values: Sequence[float]) -> dict[str, float]:
    """Patient -> value of a patient-level covariate. A patient's rows may leave it empty, not contradict each other."""
    of_visits = study.time.column in part.table.header
    mend = 'correct it, or declare varies = "visits"' if of_visits else "keep one row"
    return part.of_patients(table_column(study, name), values, name, mend)


def missing_faults(study: Study, cohort: Cohort, first_line: Mapping[str, int], word: str) -> Iterator[Fault]:
    """Patients without a value of a covariate that is not imputed."""
    for name in used(study, "patients"):
        absent = [p for p, v in zip(cohort.patients, cohort.covariates[name], strict=True) if np.isnan(v)]
        if absent and study.covariates[name].missing == "refused":
            lines = lines_text(sorted(first_line[p] for p in absent), word=word)
            numeric = study.covariates[name].levels is None
            mend = f"fill it in, or declare {'missing = "imputed"' if numeric else 'a level such as "unknown"'}"
            where = f'{lines}, column "{table_column(study, name)}"'
            yield Fault(where, f"{len(absent)} of {len(cohort)} patients have no {name}", mend=mend, code="D62")


def data_faults(study: Study, cohort: Cohort, alone: bool = False) -> Iterator[Fault]:
    """What makes a coefficient unidentifiable: a level that nobody has, covariates that say nothing, a knot outside.

    alone: the patients are not fitted, so that only visits that no coefficient is of are faults
    """
    if alone:
        for outcome in study.outcomes:
            for p in predictors(study, outcome):
                if p.trajectory.visits_planned():
                    yield from _unplanned(study, cohort, outcome, p)
        return
    values = {n: cohort.covariates[n] for n in used(study, "patients")}
    for name in used(study, "visits"):
        values[name] = np.concatenate([m.covariates[name] for m in cohort.measurements.values()])
    unclear = set()
    for name, given in values.items():
        c, seen, fault = study.covariates[name], np.unique(given[~np.isnan(given)]), None
        if len(seen) < 2:
            one = typed(c.levels[int(seen[0])]) if len(seen) and c.levels else "".join(f"{v:g}" for v in seen)
            mend = "a covariate that does not vary says nothing: remove it from the outcomes"
            fault = f"{name} has {f'a single value, {one}' if len(seen) else 'no value'}", mend
        elif c.levels and len(seen) < len(c.levels) and not c.group:
            absent = ", ".join(typed(level) for k, level in enumerate(c.levels) if k not in seen)
            fault = (
                f"no patient or visit has the level {absent} of {name}",
                "remove the level, or merge it with another",
            )
        if fault:
            unclear.add(name)
            yield Fault(f'column "{table_column(study, name)}"', fault[0], mend=fault[1], code="D27")
    for outcome in study.outcomes:
        times = cohort.measurements[outcome].time
        for p in predictors(study, outcome):
            for knot in p.trajectory.knots():
                if not times.min() <= knot <= times.max():
                    within = f"the times of {outcome}, {times.min():g} to {times.max():g}"
                    what, mend = f"the knot {knot:g} lies outside {within}", "move the knot in the study"
                    yield Fault(f'column "{study.time.column}"', what, mend=mend, code="D63")
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
    """How many patients have each level of the categorical covariates.

    Returns
    -------
    dict
        Covariate -> level -> number of patients; of a covariate that varies, the number of visits at which it is so.
    """
    counts = {}
    for name in used(study):
        c = study.covariates[name]
        if not c.levels:
            continue
        values = cohort.covariates.get(name)
        if values is None:
            every = cohort.measurements.values()
            visits = np.concatenate([np.column_stack([m.patient, m.time, m.covariates[name]]) for m in every])
            values = visits[np.unique(visits[:, :2], axis=0, return_index=True)[1], 2]
        levels = enumerate(c.levels[: len(c.levels) - c.group])
        counts[name] = {level: int(np.sum(values == k)) for k, level in levels}
    return counts


def covariate_notices(study: Study, cohort: Cohort) -> Iterator[str]:
    """What a reader should know of the covariates though nothing is wrong."""
    for name in used(study, "patients"):
        c, values = study.covariates[name], cohort.covariates[name]
        known = values[~np.isnan(values)]
        if len(known) < len(values):
            absent = f"{len(values) - len(known)} of {len(values)} patients have no {name}"
            yield f"{absent}: it is imputed in the model. [D62]"
        if c.levels:
            for k, level in enumerate(c.levels):
                count = int(np.sum(known == k))
                contrasts = {n: e.contrast for n, e in study.estimands.items() if e.contrast}
                asked = [n for n, of in contrasts.items() if of.covariate == name and level in (of.level, of.reference)]
                if count == 1:
                    yield f"A single patient has {name} {level}: its coefficient is nearly the prior alone. [D40]"
                elif asked and count < FEW:
                    contrast = f"{' and '.join(asked)} contrast{'s' if len(asked) == 1 else ''}"
                    yield (
                        f"{count} patients have {name} {level}, which {contrast}: "
                        "the answer rests on them and, for much of it, on the prior. [D40]"
                    )
        elif len(known):
            centre, spread = middle(coded(study, name, known)[name])
            if abs(centre) > FAR or spread > FAR:
                declared = f"the declared typical {c.typical:g} and scale {c.scale:g}"
                median = f"{name}: the median, {np.median(known):.4g}"
                yield f"{median}, or the spread is far from {declared}: is the unit right? [D64]"


def _collinear(study: Study, cohort: Cohort, p: Predictor) -> Iterator[Fault]:
    m = cohort.measurements[p.outcome]
    columns = visit_columns(study, cohort, p.outcome)
    for named, what in ((p.covariates, "covariates"), (p.moderators, "moderators")):
        # the levels of a group are all told apart by its prior
        names = columns_of(study, [n for n in named if not study.covariates[n].group])
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
        own = name not in m.covariates
        base |= coded(study, name, cohort.covariates[name][m.patient] if own else m.covariates[name])
    return with_products(study, base, study.covariates)
