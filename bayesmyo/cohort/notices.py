"""What a reader should know of a table though nothing is wrong."""

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence

import numpy as np

from bayesmyo.cohort import measured, slips
from bayesmyo.cohort.cohort import Cohort
from bayesmyo.cohort.copies import copies
from bayesmyo.cohort.covariates import spaced_levels
from bayesmyo.cohort.fates import NO_BASELINE, NO_OUTCOME, Visits
from bayesmyo.cohort.faults import typed as quoted
from bayesmyo.cohort.parts import Part, Parts, columns_of_patients, columns_of_visits, without_visits
from bayesmyo.cohort.table import Table
from bayesmyo.cohort.times import BEFORE
from bayesmyo.components.numbers import in_sentence, listing, significant
from bayesmyo.components.trajectories import trend
from bayesmyo.study.covariates import table_column
from bayesmyo.study.covariates import used as in_use
from bayesmyo.study.study import Study

LATE = 5.0  # typical follow-ups
MOST_COLUMNS = 20  # that are named


def notices(
    study: Study, parts: Parts, rows: Visits, exits: Mapping[str, float], cohort: Cohort, lacking: Collection[str]
) -> Iterator[str]:
    """Of the patients and what was measured. Each sentence ends with its entry in the catalogue.

    exits: patient -> end of follow-up, where the table states one; lacking: patients without the required baseline
    """
    table, patients = parts.visits.table, cohort.patients
    of_patient = Counter(p for p, _ in {(p, t) for _, p, t in rows.used})
    everyone = dict.fromkeys(p for p in parts.visits.ids if p.strip())
    if lacking:
        none = (
            f"{len(lacking)} of {len(lacking) + len(patients)} patients have no baseline, which data.require_baseline"
        )
        where = table.at(rows.aside(NO_BASELINE))
        yield f"{none} asks for, and are set aside ({where}); {len(patients)} remain. [D39]"
    if lost := {p for p in everyone if p not in of_patient and p not in lacking}:
        fates = zip(table.lines, parts.visits.ids, rows.fates, strict=True)
        lines = [n for n, p, fate in fates if p in lost and fate == NO_OUTCOME]
        none = f"{len(lost)} of {len(everyone)} patients have no measurement that is used"
        yield f"{none}{f' ({table.at(lines)})' if lines else ''} and are not in the cohort. [D39]"
    if absent := without_visits(parts):
        assert parts.patients is not None
        whose, of = parts.patients.table.at(absent), len(parts.patients.table.rows)
        yield f"{named(parts.patients, parts)}: {len(absent)} of {of} patients have no visit ({whose}). [D57]"
    if single := {p for p in patients if of_patient[p] == 1}:
        where = table.at(n for n, p, _ in rows.used if p in single)
        asked = ". Does the id say which visit it was?" if 1 < len(single) == len(patients) else "."
        yield (
            f"{len(single)} of {len(patients)} patients have a single visit ({where}): "
            f"kept, they inform the start, not the change{asked} [D39]"
        )
    yield from _times(study, rows)
    if study.time.exit is not None:
        yield _exits(study, cohort, exits)
    yield from copies(study, cohort, table.word)
    yield from measured.times(study, cohort, table.word)
    yield from _never_so_late(study, cohort)
    for name, m in cohort.measurements.items():
        o = study.outcomes[name]
        if len(m):
            yield from measured.outcome(study, name, parts, m, len(patients))
        if o.map and not o.family.ordinal:
            numbers = {text: f"{value:g}" for text, value in o.map.items()}
            yield from read_by_map(study.label(name), o.column, numbers, parts.visits, rows.fates)
    for name in in_use(study):
        column = table_column(study, name)
        part = parts.holding(column)
        yield from measured.covariate(study, name, part, cohort)
        if levels := study.covariates[name].map:
            yield from read_by_map(name, column, levels, part, rows.fates if part is parts.visits else None)


def _never_so_late(study: Study, cohort: Cohort) -> Iterator[str]:
    """Questions about times by which an outcome was no longer measured, though others were."""
    last = {name: float(m.time.max(initial=0.0)) for name, m in cohort.measurements.items()}
    for name, end in last.items():
        asked = {n: max(e.times(), default=0.0) for n, e in study.estimands.items() if name in e.outcomes}
        if later := [n for n, time in asked.items() if end < time <= max(last.values())]:
            looks = "looks" if len(later) == 1 else "look"
            clock = f"{study.time.unit} {end:g}"
            yield f"{study.label(name)}: last measured at {clock}; {', '.join(later)} {looks} beyond it. [D63]"


def _times(study: Study, rows: Visits) -> Iterator[str]:
    table, unit = rows.part.table, study.time.unit
    times = [t for _, _, t in rows.used]
    longest = study.design.latest if study.design else LATE * study.time.typical if study.time.typical else None
    first, last = min(times, default=0.0), max(times, default=0.0)
    if early := [n for n, _, t in rows.used if t < 0]:
        plausible = longest is None or first >= -longest
        why = f"{_kept(study, first, len(early) == 1)}." if plausible else _implausible(unit, first)
        yield f"{_before(early, table, unit)}: kept{why} [D50]"
        yield from _never_after(rows, unit)
    if aside := rows.aside(BEFORE):
        yield f"{_before(aside, table, unit)}: set aside. [D50]"
    if study.time.date is not None:
        since = f"the date in {study.time.since}" if study.time.since else "each patient's first visit"
        yield f"Dates were turned into {unit}s since {since}; no date is stored. [D38]"
    if later := [name for name, e in study.estimands.items() if max(e.times()) > last]:
        looks = "looks" if len(later) == 1 else "look"
        yield f"The last visit is at {unit} {last:g}; {', '.join(later)} {looks} beyond it. [D63]"
    begin = max(0.0, first)  # where time is an age
    usual = study.typical_follow_up if study.time.since is not None else None
    if usual and begin > usual:
        yield f"Nobody is seen before {unit} {begin:.4g}: is the date in {study.time.since} right? [D63]"
    if longest and (far := [n for n, _, t in rows.used if t - begin > longest]):
        later_than = f"{table.at(far).capitalize()}: later than {unit} {longest:g}"
        yield f"{later_than}, longer than the study expects to follow anyone: is it a {unit}? [D63]"


def _before(lines: Sequence[int], table: Table, unit: str) -> str:
    return f"{len(lines)} visit{' lies' if len(lines) == 1 else 's lie'} before {unit} 0 ({table.at(lines)})"


def _implausible(unit: str, first: float) -> str:
    return f", the earliest at {unit} {first:.4g}: is its date right?"


def _never_after(rows: Visits, unit: str) -> Iterator[str]:
    """Patients who have visits before time zero alone, though others have some after it."""
    after = {p for _, p, t in rows.used if t >= 0}
    if after and (never := [(n, p) for n, p, _ in rows.used if p not in after]):
        people = len({p for _, p in never})
        whose = "one patient" if people == 1 else f"{people} patients"
        where = f"before {unit} 0 ({rows.part.table.at(n for n, _ in never)})"
        yield f"Every visit of {whose} lies {where}: is the start of treatment right? [D50]"


def _kept(study: Study, first: float, one: bool) -> str:
    """What the visits before time zero are kept for, the earliest of them at `first`."""
    level = [name for name, o in study.outcomes.items() if o.trajectory.start > first]
    if not level:
        return ", the curves run through them"
    whose = "" if len(level) == len(study.outcomes) else f" of {listing([in_sentence(study.label(n)) for n in level])}"
    return (
        f", {'it tells' if one else 'they tell'} the level{whose} at the start; where patients were already changing, "
        f"declare a trend before treatment, such as trajectory = {trend(math.floor(first))}"
    )


def _exits(study: Study, cohort: Cohort, exits: Mapping[str, float]) -> str:
    """Of how many patients it is known when their follow-up ended, and how many were not measured as long."""
    last = np.full(len(cohort), -np.inf)
    for m in cohort.measurements.values():
        np.maximum.at(last, m.patient, m.time)
    gaps = [exits[p] - t for p, t in zip(cohort.patients, last.tolist(), strict=True) if p in exits]
    known = f"The end of follow-up (column {study.time.exit}) is known of {len(gaps)} of {len(cohort)} patients"
    if early := [gap for gap in gaps if gap > 0]:
        by = f"{'' if len(early) == 1 else 'up to '}{significant(max(early), 2)} {study.time.unit}s"
        were = "was" if len(early) == 1 else "were"
        return f"{known}; {len(early)} of them {were} last measured before it, by {by}. [D67]"
    return f"{known}{'; nobody was last measured before it' if gaps else ''}. [D67]"


def named(part: Part, parts: Parts) -> str:
    """How a sentence begins that is about one of two tables."""
    place = part.table.place(parts.visits.table.source)
    return place.replace("sheet", "Sheet", 1) if place.startswith("sheet ") else place


def read_by_map(
    label: str, column: str, meant: Mapping[str, str], part: Part, fates: Sequence[str] | None = None
) -> Iterator[str]:
    """The cells of one column that stand for something else, as its map says; not those of rows that are set aside."""
    table = part.table
    places: dict[str, list[int]] = defaultdict(list)
    for line, text, fate in zip(table.lines, table.column(column), fates or [""] * len(table.rows), strict=True):
        if not fate and text.strip() in meant:
            places[text.strip()].append(line)
    if places:
        total = sum(map(len, places.values()))
        each = "; ".join(f"{table.at(lines)}: {quoted(text)} -> {meant[text]}" for text, lines in places.items())
        yield f"{label}: {total} cell{'' if total == 1 else 's'} read by map ({each}). [D68]"


def table_notices(study: Study, parts: Parts, rows: Visits) -> Iterator[str]:
    """Of ids, of the order of rows, and of columns and cells that are not used as they stand."""
    word = rows.part.table.word
    yield from slips.ids(rows.used, word)
    yield from slips.order(rows.used, word)
    yield from slips.late(rows.used, word, study.time.unit)
    yield from _unused(study, parts)
    for name in in_use(study):
        part = parts.holding(table_column(study, name))
        if spaced := spaced_levels(study, name, part):
            where = f'Column "{table_column(study, name)}": white space around a level ({part.table.at(spaced)})'
            yield f"{where}, read without it. [D24]"


def _unused(study: Study, parts: Parts) -> Iterator[str]:
    known = {study.patient, study.time.column, *columns_of_visits(study), *columns_of_patients(study)}
    known |= {*study.data.identifying}
    for part in parts.all():
        if unused := [h for h in part.table.header if h not in known]:
            where = f"{named(part, parts)}: columns" if part is parts.patients else "Columns"
            more = f" and {len(unused) - MOST_COLUMNS} more" if len(unused) > MOST_COLUMNS else ""
            yield f"{where} not used: {', '.join(unused[:MOST_COLUMNS])}{more}. [D66]"
