"""What a sheet shows that its values do not say: cells struck out, hidden or merged, numbers typed as text."""

import re
from collections.abc import Iterator
from itertools import compress

from bayesmyo.cohort import cells
from bayesmyo.cohort.parts import Part, Parts, columns_of_patients, columns_of_visits
from bayesmyo.cohort.table import Table
from bayesmyo.study.study import Study

PERCENT = re.compile(r"[+-]?[0-9.,]{1,40}\s?%")


def asked(study: Study, table: Table) -> list[str]:
    """The columns of a table that the study reads, in the order of the table."""
    named = {*columns_of_visits(study), *columns_of_patients(study)}
    return [name for name in table.header if name in named and name not in study.data.identifying]


def appearance_faults(study: Study, part: Part) -> None:
    """Cells of which nobody can say whether they count: struck out, or shown as nothing by their number format."""
    table = part.table
    struck: dict[int, list[str]] = {}
    for name in asked(study, table):
        for line, text, origin in zip(table.lines, table.column(name), table.was(name), strict=True):
            if origin.struck:
                struck.setdefault(line, []).append(name)
            if origin.held and not text.strip():
                mend = "empty it if nothing was measured, or format it as a number"
                part.book.add(line, name, "shows nothing and holds a number", origin.held, mend, "D71")
    if whole := [line for line, names in struck.items() if len(names) > 1 and study.patient in names]:
        mend = "delete what does not count; otherwise take the line through it away"
        part.book.rows(whole, "the row is struck out", mend=mend, code="D72")
    for line, name in [(line, name) for line, names in struck.items() if line not in whole for name in names]:
        mend = "empty it if it does not count; otherwise write what counts, without a line through it"
        part.book.add(line, name, "is struck out, in whole or in part", "", mend, "D72")
    _merged_faults(study, part)


def _merged_faults(study: Study, part: Part) -> None:
    """Cells that are empty because they are merged with a filled one: does what it shows hold for them?

    What is known of a patient once may be merged over the patient's rows, and a note below the table over all columns.
    """
    table, once = part.table, columns_of_patients(study)
    if not table.looks.merged:
        return
    notes = {n for n, row in zip(table.lines, table.rows, strict=True) if sum(bool(text.strip()) for text in row) == 1}
    for name in asked(study, table):
        texts = table.column(name)
        known = {p for p, text in zip(part.ids, texts, strict=True) if name in once and text.strip()}
        for line, patient, covered in zip(table.lines, part.ids, merged(table, name), strict=True):
            if covered and patient.strip() and patient not in known and line not in notes and name != study.time.column:
                what, mend = "is merged with a filled cell", "unmerge the cells, and fill in each that was measured"
                part.book.add(line, name, what, "", mend, "D71")


def merged(table: Table, column: str) -> list[bool]:
    """Which cells of a column are empty because they are merged with one above or beside. (n,)"""
    return [(line, column) in table.looks.merged for line in table.lines]


def appearance_notices(study: Study, parts: Parts) -> Iterator[str]:
    """What is read all the same."""
    for part in parts.all():
        table, names = part.table, asked(study, part.table)
        place = table.place(parts.visits.table.source) if part is parts.patients else ""
        for said in (*_of_sheet(table, names), *_of_columns(study, table, names, part is parts.visits)):
            yield f"{place}: {said}" if place else said


def _of_sheet(table: Table, names: list[str]) -> Iterator[str]:
    if hidden := table.looks.hidden:
        are, it, do = ("row is", "it", "it does") if len(hidden) == 1 else ("rows are", "them", "they do")
        yield (
            f"{len(hidden)} {are} hidden in the sheet, by a filter or by hand ({table.at(hidden)}): read like the "
            f"others; delete {it} if {do} not belong to the study. [D73]"
        )
    if columns := [name for name in names if name in table.looks.hidden_columns]:
        yield f"Hidden in the sheet and read: column{'s' if len(columns) > 1 else ''} {', '.join(columns)}. [D73]"
    if white := [n for name in names for n in table.lines if (n, name) in table.looks.white]:
        cells_are = f"{len(white)} {'cell is' if len(white) == 1 else 'cells are'} in white letters"
        where = table.at(sorted({*white}))
        yield f"{cells_are} ({where}), and read like the others; empty what does not count. [D73]"


def _of_columns(study: Study, table: Table, names: list[str], of_visits: bool) -> Iterator[str]:
    for name in names:
        cells_of = zip(table.lines, table.column(name), strict=True)
        percent = [n for n, text in cells_of if "%" in text and PERCENT.fullmatch(text.strip())]
        if percent and of_visits:
            with_sign = f"{len(percent)} cells with a percent sign ({table.at(percent)})"
            yield f'Column "{name}": {with_sign}, read as the number before it. [D56]'
        if name != study.patient and (lines := _numbers_as_text(study, table, name)):
            typed = f"{len(lines)} number{'s' * (len(lines) > 1)} typed as text among numbers ({table.at(lines)})"
            yield f'Column "{name}": {typed}, read as the study writes numbers. [D74]'


def _numbers_as_text(study: Study, table: Table, name: str) -> list[int]:
    """Lines of the texts that are numbers in a column in which most cells are numbers."""
    was, texts = table.was(name), table.column(name)
    if sum(origin.kind == "number" for origin in was) <= sum(bool(text.strip()) for text in texts) / 2:
        return []
    form, typed = study.data, [origin.kind == "text" for origin in was]
    written = compress(zip(table.lines, texts, strict=True), typed)
    return [n for n, text in written if not cells.is_missing(text, form) and cells.number(text, form) is not None]
