"""A sheet of a workbook (.xlsx) as text cells with their rows, or every reason why it cannot be one.

A workbook is a zip of XML files, and both can be made to explode: it is looked through once, under limits, before
anything understands it (`zipped`), and its cells are counted as they stream by, whatever size it says it has. No
formula is run and no link is followed.
"""

import hashlib
import io
import warnings
import zipfile
import zlib
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from itertools import groupby, islice
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
    refused,
)
from bayesmyo.cohort.typed_cells import TYPED, Origin, typed
from bayesmyo.errors import CohortError, Fault, did_you_mean
from bayesmyo.limits import CELLS, COLUMNS
from bayesmyo.study.study import DataFormat

EMPTY = "holds nothing but empty cells"
AGAIN = "save it again as .xlsx, or export the sheet as CSV"
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
    theme = (colour.type, colour.value, colour.tint) == ("theme", 0, 0)
    return colour.rgb == "FFFFFFFF" if colour.type == "rgb" else theme


def headers(raw: bytes, source: str, skip: int = 0) -> dict[str, tuple[str, ...]]:
    """The first filled row of each sheet below the rows that are skipped; () where there is none."""
    first: dict[str, tuple[str, ...]] = {}
    with _understood(raw, source):
        for sheet in _open(raw).worksheets:
            filled = (cell for cell in _stream(sheet, source) if cell.row > skip)
            row = next((cells for _, cells in groupby(filled, lambda cell: cell.row)), iter(()))
            first[sheet.title] = tuple(str(cell.value).strip(" \t") for cell in islice(row, COLUMNS + 1))
    return first


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
        raise refused(source, what, AGAIN, "D05") from None


def _sound(raw: bytes, source: str) -> None:
    """Refuse what is no workbook, or would be far larger than it looks."""
    if not raw:
        raise refused(source, "is empty (0 bytes)", code="D01")
    if raw.startswith(OLD):
        what = "is an old workbook, or one with a password"
        raise refused(source, what, "save it as .xlsx without a password", "D05")
    try:
        zipped.look_through(raw)
    except zipped.TooLarge as why:
        mend = "copy the sheet of the table into a new workbook, or export it as CSV"
        raise refused(source, str(why), mend, "D44") from None
    except zipped.Strange as why:
        raise refused(source, str(why), AGAIN, "D05") from None
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError, ValueError, OSError):
        raise refused(source, "is not a workbook, or is damaged", AGAIN, "D05") from None


def _open(raw: bytes) -> Any:
    return openpyxl.load_workbook(io.BytesIO(raw), read_only=True, data_only=True, keep_links=False)


def _sheet(book: Any, source: str, wanted: str | None) -> str:
    """The name of the sheet to read: the one asked for, or the only one with anything in it."""
    names = [sheet.title for sheet in book.worksheets]
    if wanted is not None:
        if wanted not in names:
            mend = did_you_mean(wanted, names).replace("allowed:", "sheets:")
            raise refused(source, "has no such sheet", mend, "D41", got=f'"{wanted}"')
        return wanted
    filled = [sheet.title for sheet in book.worksheets if next(_stream(sheet, source), None) is not None]
    if not filled:
        raise refused(source, EMPTY, code="D01")
    if len(filled) > 1:
        listed = ", ".join(f'"{name}"' for name in filled)
        raise refused(source, f"has several sheets: {listed}", f'say which: data.sheet = "{filled[0]}"', "D41")
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
    last = {row: max(columns) for row, columns in records.items()}
    for row, column in uncomputed:
        last[row] = max(last.get(row, 0), column)
    written = sorted(row for row in last if row > form.skip_lines)
    if not written:
        raise refused(source, EMPTY, code="D01")
    width = last[written[0]]
    if width > COLUMNS or len(written) * width > CELLS:
        raise CohortError(source, [TOO_MANY_CELLS])
    empty = "", TYPED
    full = [[records.get(row, {}).get(column, empty) for column in range(1, width + 1)] for row in written]
    header, body, lines = [text.strip(" \t") for text, _ in full[0]], full[1:], written[1:]
    filled = [(row, [text for text, _ in records.get(row, {}).values()]) for row in lines]
    if no_header := no_header_fault(written[0], header, filled, "row"):
        raise CohortError(source, [no_header])
    kept = named_or_filled(header, ([text for text, _ in cells] for cells in body))
    named = {n + 1: header[n] for n in kept}
    if faults := _faults(header, named, uncomputed, [row for row in written if last[row] > width]):
        raise CohortError(source, faults)
    if not lines:
        raise CohortError(source, [NO_ROWS])
    texts = [[cells[n][0] for n in kept] for cells in body]
    origins = [
        [replace(cells[n][1], struck=True) if (row, n + 1) in beside.struck else cells[n][1] for n in kept]
        for row, cells in zip(lines, body, strict=True)
    ]
    looks = Looks(
        tuple(row for row in lines if row in beside.hidden_rows),
        tuple(name for n, name in named.items() if any(a <= n <= b for a, b in beside.hidden_columns)),
        frozenset((row, named[c]) for row, c in beside.covered(records, width) if c in named),
        frozenset((row, named[c]) for row, c in white if c in named),
    )
    digest = hashlib.sha256(raw).hexdigest()
    return Table(source, digest, tuple(named.values()), texts, lines, "row", origins=origins, looks=looks)


def _faults(
    header: list[str], named: Mapping[int, str], uncomputed: list[tuple[int, int]], beyond: list[int]
) -> list[Fault]:
    """Of a header, of cells whose formula was never computed, and of rows that go on beyond the header."""
    faults = header_faults([*named.values()])
    places: dict[str, list[int]] = {}
    for row, column in uncomputed:
        places.setdefault("".join(header[column - 1 : column]), []).append(row)
    for name, rows in places.items():
        where, mend = lines_text(rows, word="row"), "open and save the workbook in a spreadsheet program"
        what = "holds a formula that was never computed"
        faults.append(Fault(f'{where}, column "{name}"', what, mend=mend, code="D42"))
    if beyond:
        what, mend = "a cell is filled to the right of the header", "name its column, or empty it"
        faults.append(Fault(lines_text(beyond, word="row"), what, mend=mend, code="D11"))
    return faults
