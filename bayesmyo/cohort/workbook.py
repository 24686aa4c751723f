"""A sheet of a workbook (.xlsx) as text cells with their rows, or every reason why it cannot be one.

A workbook is a zip of XML files, and both can be made to explode: it is looked through once, under limits, before anything understands
it (`zipped`), and its cells are counted as they stream by, whatever size it says it has. No formula is run and no link is followed.
"""

import hashlib
import io
import warnings
import zipfile
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import openpyxl

from bayesmyo.cohort import zipped
from bayesmyo.cohort.markup import Markup, markup
from bayesmyo.cohort.table import (
    NO_ROWS,
    TOO_MANY_CELLS,
    Looks,
    Table,
    header_faults,
    lines_text,
    named_or_filled,
    no_header_fault,
)
from bayesmyo.cohort.typed_cells import TYPED, Origin, typed
from bayesmyo.errors import CohortError, Fault, did_you_mean
from bayesmyo.limits import CELLS, COLUMNS
from bayesmyo.study.study import DataFormat

OLD = b"\xd0\xcf\x11\xe0"

Records = dict[int, dict[int, tuple[str, Origin]]]  # row -> column -> text and what it was, filled cells only


def parse_workbook(raw: bytes, source: str, form: DataFormat, sheet: str | None, date: str | None = None) -> Table:
    """One sheet of a workbook as a Table. Raises CohortError with every fault of its shape.

    sheet: its name; not needed where a single sheet is filled; date: the pattern in which dates become text
    """
    with _understood(raw, source):
        book = _open(raw)
        opened = book[_sheet(book, source, sheet)]
        records: Records = {}
        white: set[tuple[int, int]] = set()
        for cell in _stream(opened, source):
            white |= {(cell.row, cell.column)} if _white(cell) else set()
            struck = bool(cell.font is not None and cell.font.strike)
            value = float(cell.value) if type(cell.value) is int else cell.value  # as the spreadsheet program holds it
            text = typed(value, form.decimal, date, cell.number_format, struck, cell.data_type == "e")
            records.setdefault(cell.row, {})[cell.column] = text or ("", TYPED)
        beside = markup(raw, opened)
    return _table(raw, source, form, records, beside, white)


def _white(cell: Any) -> bool:
    """Whether a cell's letters are white on no ground, by which people hide what shall not be seen."""
    colour = None if cell.font is None else cell.font.color
    if colour is None or cell.fill.fill_type is not None:
        return False
    return (
        colour.rgb == "FFFFFFFF"
        if colour.type == "rgb"
        else (colour.type, colour.value, colour.tint) == ("theme", 0, 0)
    )


def headers(raw: bytes, source: str, skip: int = 0) -> dict[str, tuple[str, ...]]:
    """The first filled row of each sheet below the rows that are skipped; () where there is none."""
    found: dict[str, tuple[str, ...]] = {}
    with _understood(raw, source):
        for sheet in _open(raw).worksheets:
            filled = (cell for cell in _stream(sheet, source) if cell.row > skip)
            first: int | None = None
            cells: list[str] = []
            for cell in filled:
                first = cell.row if first is None else first
                if cell.row > first or len(cells) > COLUMNS:
                    break
                cells.append(str(cell.value).strip(" \t"))
            found[sheet.title] = tuple(cells)
    return found


@contextmanager
def _understood(raw: bytes, source: str) -> Iterator[None]:
    """Whatever is done with a sound workbook; what its parser trips over becomes a fault."""
    _sound(raw, source)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles and extensions that no cell depends on
            yield
    except CohortError:
        raise
    except Exception as error:  # openpyxl raises whatever its parts do on files that are not what they seem
        what = f"cannot be understood as a workbook ({type(error).__name__})"
        raise CohortError(
            source, [Fault("file", what, mend="save it again as .xlsx, or export the sheet as CSV", code="D05")]
        ) from None


def _sound(raw: bytes, source: str) -> None:
    """Refuse what is no workbook, or would be far larger than it looks."""

    def refused(what: str, mend: str, code: str = "D05") -> CohortError:
        return CohortError(source, [Fault("file", what, mend=mend, code=code)])

    if not raw:
        raise CohortError(source, [Fault("file", "is empty (0 bytes)", code="D01")])
    if raw.startswith(OLD):
        raise refused("is an old workbook, or one with a password", "save it as .xlsx without a password")
    again = "save it again as .xlsx, or export the sheet as CSV"
    try:
        zipped.look_through(raw)
    except zipped.TooLarge as why:
        mend = "copy the sheet of the table into a new workbook, or export it as CSV"
        raise refused(str(why), mend, "D44") from None
    except zipped.Strange as why:
        raise refused(str(why), again) from None
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError, ValueError, OSError):
        raise refused("is not a workbook, or is damaged", again) from None


def _open(raw: bytes) -> Any:
    return openpyxl.load_workbook(io.BytesIO(raw), read_only=True, data_only=True, keep_links=False)


def _sheet(book: Any, source: str, wanted: str | None) -> str:
    """The name of the sheet to read: the one asked for, or the only one with anything in it."""
    names = [sheet.title for sheet in book.worksheets]
    if wanted is not None and wanted not in names:
        mend = did_you_mean(wanted, names).replace("allowed:", "sheets:")
        raise CohortError(source, [Fault("file", "has no such sheet", f'"{wanted}"', mend, "D41")])
    if wanted is not None:
        return wanted
    filled = [sheet.title for sheet in book.worksheets if next(_stream(sheet, source), None) is not None]
    if len(filled) > 1:
        listed = ", ".join(f'"{name}"' for name in filled)
        raise CohortError(
            source,
            [Fault("file", f"has several sheets: {listed}", mend=f'say which: data.sheet = "{filled[0]}"', code="D41")],
        )
    if not filled:
        raise CohortError(source, [Fault("file", "holds nothing but empty cells", code="D01")])
    return filled[0]


def _stream(sheet: Any, source: str) -> Iterator[Any]:
    """The filled cells, counted as they stream by, whatever size the sheet says it has."""
    seen = 0
    sheet.reset_dimensions()
    for cells in sheet.iter_rows():
        seen += 1 + len(cells)
        if seen > CELLS:
            raise CohortError(source, [TOO_MANY_CELLS])
        for cell in cells:
            if cell.value is not None and cell.value != "":
                yield cell


def _table(
    raw: bytes, source: str, form: DataFormat, records: Records, beside: Markup, white: Collection[tuple[int, int]]
) -> Table:
    uncomputed = [(row, column) for row, column in beside.uncomputed if column not in records.get(row, {})]
    written = sorted({row for row in (*records, *(row for row, _ in uncomputed)) if row > form.skip_lines})
    if not written:
        raise CohortError(source, [Fault("file", "holds nothing but empty cells", code="D01")])
    first, empty = written[0], ("", TYPED)
    last = {row: max(records.get(row, {}), default=0) for row in written}
    for row, column in uncomputed:
        last[row] = max(last.get(row, 0), column)
    width = last[first]
    if width > COLUMNS or len(written) * width > CELLS:
        raise CohortError(source, [TOO_MANY_CELLS])
    full = [[records.get(row, {}).get(column, empty) for column in range(1, width + 1)] for row in written]
    header, body = [text.strip(" \t") for text, _ in full[0]], full[1:]
    filled = [(row, [text for text, _ in records.get(row, {}).values()]) for row in written[1:]]
    if no_header := no_header_fault(first, header, filled, "row"):
        raise CohortError(source, [no_header])
    kept = named_or_filled(header, ([text for text, _ in cells] for cells in body))
    names = [header[n] for n in kept]
    faults = header_faults(names)
    places: dict[str, list[int]] = {}
    for row, column in uncomputed:
        places.setdefault(header[column - 1] if column <= width else "", []).append(row)
    for name, rows in places.items():
        where, mend = (
            f'{lines_text(rows, word="row")}, column "{name}"',
            "open and save the workbook in a spreadsheet program",
        )
        faults.append(Fault(where, "holds a formula that was never computed", mend=mend, code="D42"))
    if beyond := [row for row in written if last[row] > width]:
        what, mend = "a cell is filled to the right of the header", "name its column, or empty it"
        faults.append(Fault(lines_text(beyond, word="row"), what, mend=mend, code="D11"))
    if len(written) == 1 and not faults:
        faults.append(NO_ROWS)
    if faults:
        raise CohortError(source, faults)
    texts = [[cells[n][0] for n in kept] for cells in body]
    origins = [
        [replace(cells[n][1], struck=True) if (row, n + 1) in beside.struck else cells[n][1] for n in kept]
        for row, cells in zip(written[1:], body, strict=True)
    ]
    named = {n + 1: header[n] for n in kept}
    hidden = tuple(row for row in written[1:] if row in beside.hidden_rows)
    columns = tuple(name for n, name in named.items() if any(a <= n <= b for a, b in beside.hidden_columns))
    merged = frozenset((row, named[c]) for row, c in beside.covered(records, width) if c in named)
    looks = Looks(hidden, columns, merged, frozenset((row, named[c]) for row, c in white if c in named))
    return Table(
        source, hashlib.sha256(raw).hexdigest(), tuple(names), texts, written[1:], "row", origins=origins, looks=looks
    )
