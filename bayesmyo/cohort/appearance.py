"""What the sheet of a workbook shows that its values do not say: cells struck out, hidden or merged, numbers typed as text."""

import re
from collections.abc import Iterator

from bayesmyo.cohort import cells
from bayesmyo.cohort.parts import Part, Parts, columns_of_patients, columns_of_visits
from bayesmyo.cohort.table import Table, lines_text
from bayesmyo.study.study import Study

PERCENT = re.compile(r"[+-]?[0-9.,]{1,40}\s?%")


def asked(study: Study, table: Table) -> list[str]:
    """The columns of a table that the study reads, in the order of the table."""
    named = {*columns_of_visits(study), *columns_of_patients(study)}
    return [name for name in table.header if name in named and name not in study.data.identifying]


def appearance_faults(study: Study, part: Part) -> None:
    """Cells of which nobody can say whether they count: struck out, or shown as nothing by their number format."""
    names, table = asked(study, part.table), part.table
    struck: dict[int, list[str]] = {}
    for name in names:
        for line, text, origin in zip(table.lines, table.column(name), table.was(name), strict=True):
            if origin.struck:
                struck.setdefault(line, []).append(name)
            if origin.held and not text.strip():
                what, mend = (
                    "shows nothing and holds a number",
                    "empty it if nothing was measured, or format it as a number",
                )
                part.book.add(line, name, what, origin.held, mend, "D71")
    whole = [line for line, of in struck.items() if len(of) > 1 and study.patient in of]
    if whole:
        mend = "delete what does not count; otherwise take the line through it away"
        part.book.rows(whole, "the row is struck out", mend=mend, code="D72")
    for line, of in struck.items():
        for name in of if line not in whole else ():
            mend = "empty it if it does not count; otherwise write what counts, without a line through it"
            part.book.add(line, name, "is struck out, in whole or in part", "", mend, "D72")
    _merged_faults(study, part)


def _merged_faults(study: Study, part: Part) -> None:
    """Cells that are empty because they are merged with a filled one: nobody can say whether what it shows holds for them.

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
        table, place = part.table, part.table.place(parts.visits.table.source)
        whose = f"{place}: " if part is parts.patients and place else ""
        if hidden := table.looks.hidden:
            rows = lines_text(hidden, word=table.word)
            one = len(hidden) == 1
            yield (
                f"{whose}{len(hidden)} row{' is' if one else 's are'} hidden in the sheet, by a filter or by hand ({rows}): read like the others; "
                f"delete {'it' if one else 'them'} if {'it does' if one else 'they do'} not belong to the study. [D73]"
            )
        columns = [name for name in asked(study, table) if name in table.looks.hidden_columns]
        if columns:
            yield f"{whose}Hidden in the sheet and read: column{'s' if len(columns) > 1 else ''} {', '.join(columns)}. [D73]"
        white = [(n, name) for name in asked(study, table) for n in table.lines if (n, name) in table.looks.white]
        if white:
            where, they = (
                lines_text(sorted({n for n, _ in white}), word=table.word),
                ("cell is" if len(white) == 1 else "cells are"),
            )
            yield f"{whose}{len(white)} {they} in white letters ({where}), and read like the others; empty what does not count. [D73]"
        for name in asked(study, table):
            percent = [
                n
                for n, text in zip(table.lines, table.column(name), strict=True)
                if "%" in text and PERCENT.fullmatch(text.strip())
            ]
            if percent and part is parts.visits:
                where = lines_text(percent, word=table.word)
                yield f'Column "{name}": {len(percent)} cells with a percent sign ({where}), read as the number before it. [D56]'
            if name != study.patient and (lines := _numbers_as_text(study, table, name)):
                where = lines_text(lines, word=table.word)
                yield f'{whose}Column "{name}": {len(lines)} number{"s" * (len(lines) > 1)} typed as text among numbers ({where}), read as the study writes numbers. [D74]'


def _numbers_as_text(study: Study, table: Table, name: str) -> list[int]:
    """Lines of the texts that are numbers in a column in which most cells are numbers."""
    was, texts = table.was(name), table.column(name)
    if sum(origin.kind == "number" for origin in was) <= sum(bool(text.strip()) for text in texts) / 2:
        return []
    typed = zip(table.lines, texts, was, strict=True)
    return [
        line
        for line, text, origin in typed
        if origin.kind == "text"
        and not cells.is_missing(text, study.data)
        and cells.number(text, study.data) is not None
    ]
