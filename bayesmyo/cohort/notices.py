"""What a reader should know of a table though nothing is wrong."""

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence

import numpy as np

from bayesmyo.cohort import measured, slips
from bayesmyo.cohort.cohort import Cohort
from bayesmyo.cohort.copies import copies
from bayesmyo.cohort.covariates import spaced_levels
from bayesmyo.cohort.fates import NO_BASELINE, NO_OUTCOME, Fates
from bayesmyo.cohort.faults import typed as quoted
from bayesmyo.cohort.parts import Part, Parts, without_visits
from bayesmyo.cohort.table import lines_text
from bayesmyo.cohort.times import BEFORE
from bayesmyo.components.numbers import in_sentence, listing, significant
from bayesmyo.study.covariates import table_column
from bayesmyo.study.covariates import used as in_use
from bayesmyo.study.study import Study

LATE = 5.0  # typical follow-ups
MOST_COLUMNS = 20  # that are named


def notices(
    study: Study, parts: Parts, times: Sequence[float], exits: Mapping[str, float], fates: Fates, cohort: Cohort,
    lacking: Collection[str],
) -> Iterator[str]:  # fmt: skip
    """Of the patients and what was measured. Each sentence ends with its entry in the catalogue.

    exits: patient -> end of follow-up, where the table states one; lacking: patients without the required baseline
    """
    visits, patients, lines = Counter(parts.visits.ids), cohort.patients, parts.visits.table.lines
    word = parts.visits.table.word
    of_patient = Counter(
        p for p, _ in {(p, t) for p, t, fate in zip(parts.visits.ids, times, fates, strict=True) if not fate}
    )
    everyone = [p for p in visits if p.strip()]
    where = [n for n, fate in zip(lines, fates, strict=True) if fate == NO_BASELINE]
    if lacking:
        yield (
            f"{len(lacking)} of {len(lacking) + len(patients)} patients have no baseline, which data.require_baseline asks for, and "
            f"are set aside ({lines_text(where, word=word)}); {len(patients)} remain. [D39]"
        )
    if lost := {p for p in everyone if p not in of_patient and p not in lacking}:
        where = [
            n for n, p, fate in zip(lines, parts.visits.ids, fates, strict=True) if p in lost and fate == NO_OUTCOME
        ]
        at = f" ({lines_text(where, word=word)})" if where else ""
        yield f"{len(lost)} of {len(everyone)} patients have no measurement that is used{at} and are not in the cohort. [D39]"
    if absent := without_visits(parts):
        assert parts.patients is not None
        whose, of = lines_text(absent, word=parts.patients.table.word), len(parts.patients.table.rows)
        yield f"{named(parts.patients, parts)}: {len(absent)} of {of} patients have no visit ({whose}). [D57]"
    if single := {p for p in patients if of_patient[p] == 1}:
        where = [n for n, p, fate in zip(lines, parts.visits.ids, fates, strict=True) if p in single and not fate]
        asked = ". Does the id say which visit it was?" if 1 < len(single) == len(patients) else "."
        yield (
            f"{len(single)} of {len(patients)} patients have a single visit ({lines_text(where, word=word)}): "
            f"kept, they inform the start, not the change{asked} [D39]"
        )
    yield from _times(study, parts, times, fates)
    if study.time.exit is not None:
        yield _exits(study, cohort, exits)
    twins = slips.twins(cohort)
    for same in twins.values():
        yield (
            f"Two patients have {len(same) // 2} rows of the same times and values ({lines_text(same, word=word)}): "
            "are they one patient? [D69]"
        )
    yield from copies(study, cohort, twins, word)
    yield from measured.times(study, cohort, word)
    for name, m in cohort.measurements.items():
        o = study.outcomes[name]
        yield from measured.outcome(study, name, parts, m, len(patients))
        if o.map and o.family.texts() is None:
            numbers = {text: f"{value:g}" for text, value in o.map.items()}
            yield from read_by_map(study.label(name), o.column, numbers, parts.visits, fates)
    for name in in_use(study):
        column = table_column(study, name)
        part = parts.holding(column)
        yield from measured.covariate(study, name, part, cohort)
        if levels := study.covariates[name].map:
            yield from read_by_map(name, column, levels, part, fates if part is parts.visits else None)


def _times(study: Study, parts: Parts, times: Sequence[float], fates: Fates) -> Iterator[str]:
    part, unit = parts.visits, study.time.unit
    rows = [(n, t) for n, t, fate in zip(part.table.lines, times, fates, strict=True) if not fate]
    longest = study.design.latest if study.design else LATE * study.time.typical if study.time.typical else None
    first = min((t for _, t in rows), default=0.0)
    if early := [n for n, t in rows if t < 0]:
        one = len(early) == 1
        where = f"before {unit} 0 ({lines_text(early, word=part.table.word)})"
        plausible = longest is None or first >= -longest
        kept = (
            f"{_kept(study, first, one)}." if plausible else f", the earliest at {unit} {first:.4g}: is its date right?"
        )
        yield f"{len(early)} visit{' lies' if one else 's lie'} {where}: kept{kept} [D50]"
        yield from _never_after(part, times, fates, unit)
    if BEFORE in fates:
        aside = [n for n, fate in zip(part.table.lines, fates, strict=True) if fate == BEFORE]
        one = len(aside) == 1
        yield f"{len(aside)} visit{' lies' if one else 's lie'} before {unit} 0 ({lines_text(aside, word=part.table.word)}): set aside. [D50]"
    if study.time.date is not None:
        since = f"the date in {study.time.since}" if study.time.since else "each patient's first visit"
        yield f"Dates were turned into {unit}s since {since}; no date is stored. [D38]"
    last = max((t for _, t in rows), default=0.0)
    if later := [name for name, e in study.estimands.items() if max(e.times()) > last]:
        looks = "looks" if len(later) == 1 else "look"
        yield f"The last visit is at {unit} {last:g}; {', '.join(later)} {looks} beyond it. [D63]"
    begin = max(0.0, first)  # where time is an age
    usual = study.typical_follow_up if study.time.since is not None else None
    if usual and begin > usual:
        yield f"Nobody is seen before {unit} {begin:.4g}: is the date in {study.time.since} right? [D63]"
    if longest and (far := [n for n, t in rows if t - begin > longest]):
        yield f"{lines_text(far, word=part.table.word).capitalize()}: later than {unit} {longest:g}, longer than the study expects to follow anyone: is it a {unit}? [D63]"


def _never_after(part: Part, times: Sequence[float], fates: Fates, unit: str) -> Iterator[str]:
    """Patients who have visits before time zero alone, though others have some after it."""
    rows = [r for r in zip(part.table.lines, part.ids, times, fates, strict=True) if not r[3]]
    after = {p for _, p, t, _ in rows if t >= 0}
    if after and (never := [(n, p) for n, p, _, _ in rows if p not in after]):
        where = lines_text([n for n, _ in never], word=part.table.word)
        one = len({p for _, p in never}) == 1
        yield (
            f"Every visit of {'one patient' if one else f'{len({p for _, p in never})} patients'} lies before {unit} 0 ({where}): is the "
            "start of treatment right? [D50]"
        )


def _kept(study: Study, first: float, one: bool) -> str:
    """What the visits before time zero are kept for, the earliest of them at `first`."""
    level = [name for name, o in study.outcomes.items() if o.trajectory.start > first]
    if not level:
        return ", the curves run through them"
    whose = "" if len(level) == len(study.outcomes) else f" of {listing([in_sentence(study.label(n)) for n in level])}"
    return (
        f", {'it tells' if one else 'they tell'} the level{whose} at the start; where patients were already changing, declare "
        f'a trend before treatment, such as trajectory = {{ kind = "piecewise", origin = {math.floor(first)}, knots = [0] }}'
    )


def _exits(study: Study, cohort: Cohort, exits: Mapping[str, float]) -> str:
    """Of how many patients it is known when their follow-up ended, and how many were not measured as long."""
    last = np.full(len(cohort), -np.inf)
    for m in cohort.measurements.values():
        np.maximum.at(last, m.patient, m.time)
    gaps = [exits[p] - t for p, t in zip(cohort.patients, last.tolist(), strict=True) if p in exits]
    early = [gap for gap in gaps if gap > 0]
    text = f"The end of follow-up (column {study.time.exit}) is known of {len(gaps)} of {len(cohort)} patients"
    if early:
        by = f"by {'' if len(early) == 1 else 'up to '}{significant(max(early), 2)} {study.time.unit}s"
        text += f"; {len(early)} of them {'was' if len(early) == 1 else 'were'} last measured before it, {by}"
    return f"{text}{'' if early else '; nobody was last measured before it' if gaps else ''}. [D67]"


def named(part: Part, parts: Parts) -> str:
    """How a sentence begins that is about one of two tables."""
    place = part.table.place(parts.visits.table.source)
    return place.replace("sheet", "Sheet", 1) if place.startswith("sheet ") else place


def read_by_map(
    label: str, column: str, meant: Mapping[str, str], part: Part, fates: Fates | None = None
) -> Iterator[str]:
    """The cells of one column that stand for something else, as its map says; not those of rows that are set aside."""
    places: dict[str, list[int]] = defaultdict(list)
    fates = fates or [""] * len(part.table.rows)
    for line, text, fate in zip(part.table.lines, part.table.column(column), fates, strict=True):
        if not fate and text.strip() in meant:
            places[text.strip()].append(line)
    if places:
        total = sum(map(len, places.values()))
        each = [
            f"{lines_text(lines, word=part.table.word)}: {quoted(text)} -> {meant[text]}"
            for text, lines in places.items()
        ]
        yield f"{label}: {total} cell{'' if total == 1 else 's'} read by map ({'; '.join(each)}). [D68]"


def table_notices(study: Study, parts: Parts, times: Sequence[float], fates: Fates) -> Iterator[str]:
    """Of ids, of the order of rows, and of columns and cells that are not used as they stand."""
    part = parts.visits
    rows = [(n, p, t) for n, p, t, fate in zip(part.table.lines, part.ids, times, fates, strict=True) if not fate]
    yield from slips.ids(rows, part.table.word)
    yield from slips.order(rows, part.table.word)
    yield from slips.late(rows, part.table.word, study.time.unit)
    yield from _unused(study, parts)
    for name in in_use(study):
        each = parts.holding(table_column(study, name))
        if spaced := spaced_levels(study, name, each):
            where = lines_text(spaced, word=each.table.word)
            yield f'Column "{table_column(study, name)}": white space around a level ({where}), read without it. [D24]'


def _unused(study: Study, parts: Parts) -> Iterator[str]:
    known = {study.patient, study.time.column, study.time.since, study.time.exit, *study.data.identifying}
    for o in study.outcomes.values():
        known |= {o.column, *o.beside, o.recorded.column if o.recorded else None}
    known |= {table_column(study, n) for n in in_use(study)}
    for each in parts.all():
        if unused := [h for h in each.table.header if h not in known]:
            where = f"{named(each, parts)}: columns" if each is parts.patients else "Columns"
            more = f" and {len(unused) - MOST_COLUMNS} more" if len(unused) > MOST_COLUMNS else ""
            yield f"{where} not used: {', '.join(unused[:MOST_COLUMNS])}{more}. [D66]"
