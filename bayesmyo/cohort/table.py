"""A delimited file as text cells with their lines, or every reason why it cannot be one.

Every cell stays the text that was typed: `007`, `NA` and `1E5` are patients' ids until a study says otherwise.
"""

import csv
import hashlib
import io
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from bayesmyo.cohort.typed_cells import TYPED, Origin
from bayesmyo.errors import CohortError, Fault
from bayesmyo.limits import CELL, CELLS, COLUMNS, NAME
from bayesmyo.study.study import DataFormat

CONTROL = re.compile("[\u0080-\u009f]")
UTF_16 = ("looks like UTF-16", 'save it as "CSV UTF-8", or set data.encoding = "utf-16"', "D03")
SIGNATURES = {
    b"PK\x03\x04": ("is an Excel workbook or a zip file", "export the sheet as CSV, or name it .xlsx if that is what it is", "D05"),
    b"\xd0\xcf\x11\xe0": ("is an old Excel workbook", "save it as .xlsx, or export the sheet as CSV", "D05"),
    b"PAR1": ("is a Parquet file", "name it .parquet", "D43"),
    b"\x1f\x8b": ("is compressed (gzip)", "unpack it first", "D06"),
    b"BZh": ("is compressed (bzip2)", "unpack it first", "D06"),
    b"\xfd7zXZ": ("is compressed (xz)", "unpack it first", "D06"),
    b"\x28\xb5\x2f\xfd": ("is compressed (zstd)", "unpack it first", "D06"),
    b"\xff\xfe": UTF_16,
    b"\xfe\xff": UTF_16,
}  # fmt: skip
NO_ROWS = Fault("file", "has a header but no data rows", code="D02")
TOO_MANY_CELLS = Fault(
    "file", f"holds more than {CELLS:,} cells", mend="bayesmyo is for cohorts of 10 to 50 patients", code="D44"
)


@dataclass(frozen=True)
class Looks:
    """How a sheet is shown, beyond its cells: lines that are hidden, hidden columns, and (line, column) of cells merged with others, and of those in white letters."""

    hidden: tuple[int, ...] = ()
    hidden_columns: tuple[str, ...] = ()
    merged: frozenset[tuple[int, str]] = frozenset()
    white: frozenset[tuple[int, str]] = frozenset()


@dataclass(frozen=True)
class Table:
    """Rows of text cells under a header.

    lines: (n,) where each row is in its file, counted as its reader counts: `word` is "line", or "row" of a sheet
    sheet, others: of a workbook with several sheets, the name of this one and the headers of the others
    origins: what each cell was before it was text; None where all were typed as text; looks: how a sheet is shown
    """

    source: str
    sha256: str
    header: tuple[str, ...]
    rows: list[list[str]]
    lines: list[int]
    word: str = "line"
    sheet: str = ""
    others: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    origins: list[list[Origin]] | None = None
    looks: Looks = Looks()

    def place(self, beside: str = "") -> str:
        """How a message names the table: its sheet, and its file unless that is named already."""
        sheet = f'sheet "{self.sheet}"' if self.sheet else ""
        return ", ".join(filter(None, ("" if self.source == beside else self.source, sheet)))

    def column(self, name: str) -> list[str]:
        """The cells of one column. (n,)"""
        at = self.header.index(name)
        return [row[at] for row in self.rows]

    def was(self, name: str) -> list[Origin]:
        """What the cells of one column were before they were text. (n,)"""
        if self.origins is None:
            return [TYPED] * len(self.rows)
        at = self.header.index(name)
        return [row[at] for row in self.origins]


def parse_table(raw: bytes, source: str, form: DataFormat) -> Table:
    """The bytes of a delimited file as a Table. Raises CohortError with every fault of its shape."""
    text = _decode(raw, source, form)
    if text.count(form.delimiter) + text.count("\n") + text.count("\r") > CELLS:
        raise CohortError(source, [TOO_MANY_CELLS])
    records, faults = _records(text, form)
    if not records:
        raise CohortError(source, faults or [Fault("file", "holds nothing but blank lines", code="D01")])
    (first, header), body = records[0], records[1:]
    header = [name.strip(" \t") for name in header]
    if stop := _no_delimiter(header, form) or no_header_fault(first, header, body) or too_wide(header):
        raise CohortError(source, [stop])
    faults += _widths(len(header), body)
    if not faults and not all(header):
        kept = named_or_filled(header, (cells for _, cells in body))
        header, body = [header[n] for n in kept], [(line, [cells[n] for n in kept]) for line, cells in body]
    faults = header_faults(header) + faults
    if not body and not faults:
        faults.append(NO_ROWS)
    for n, nul in (_nul([(first, header), *body], len(header)) if "\0" in text else {}).items():
        faults.append(Fault(f'{lines_text(nul)}, column "{header[n]}"', "contains a NUL byte", code="D07"))
    if faults:
        raise CohortError(source, faults)
    return Table(source, hashlib.sha256(raw).hexdigest(), tuple(header), [c for _, c in body], [n for n, _ in body])


def named_or_filled(header: list[str], rows: Iterable[Sequence[str]]) -> list[int]:
    """Positions of the columns that are any: one without a name, in which no cell is filled, is what spreadsheets leave beside a table."""
    nameless = {n for n, name in enumerate(header) if not name}
    if nameless:
        for cells in rows:
            nameless -= {n for n in nameless if cells[n].strip()}
    return [n for n in range(len(header)) if n not in nameless or len(nameless) == len(header)]


def _widths(width: int, body: list[tuple[int, list[str]]]) -> list[Fault]:
    """Rows that are longer or shorter than the header."""
    rows: dict[int, list[tuple[int, list[str]]]] = defaultdict(list)
    for line, cells in body:
        if len(cells) != width:
            rows[len(cells)].append((line, cells))
    faults = []
    for fields, of_it in sorted(rows.items()):
        code, hint = "D12", "a cell is missing"
        if fields > width:
            code, hint = "D11", "is there a delimiter or a decimal comma inside an unquoted cell?"
            if not any("".join(cells[width:]).strip() for _, cells in of_it):
                code, hint = "D10", "remove the delimiter at the end of the line"
        where = lines_text([line for line, _ in of_it])
        faults.append(Fault(where, f"{fields} fields, the header has {width}", mend=hint, code=code))
    return faults


def _nul(records: list[tuple[int, list[str]]], width: int) -> dict[int, list[int]]:
    """The lines with a NUL byte in each column that has one, by the column's position."""
    lines: dict[int, list[int]] = defaultdict(list)
    for line, cells in records:
        for n, cell in enumerate(cells[:width]):
            if "\0" in cell:
                lines[n].append(line)
    return dict(sorted(lines.items()))


def _decode(raw: bytes, source: str, form: DataFormat) -> str:
    if not raw:
        raise CohortError(source, [Fault("file", "is empty (0 bytes)", code="D01")])
    found = next((why for signature, why in SIGNATURES.items() if raw.startswith(signature)), None)
    if found is None and raw[:200].count(0) > len(raw[:200]) // 4:
        found = UTF_16
    declared = form.encoding.lower().replace("-", "").replace("_", "").startswith("utf16")
    if found and not (declared and found is UTF_16):
        raise CohortError(source, [Fault("file", found[0], mend=found[1], code=found[2])])
    if declared and not found and b"\0" not in raw[:200]:
        mend = "leave data.encoding out if the file is UTF-8"
        raise CohortError(source, [Fault("file", f"is not {form.encoding.upper()}", mend=mend, code="D03")])
    encoding = "utf-8-sig" if form.encoding.lower().replace("_", "-") in ("utf-8", "utf8") else form.encoding
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        line = len((raw[: error.start] + b"?").splitlines())
        odd = raw.decode("utf-8", "surrogateescape")  # each byte that is not UTF-8 becomes U+DC00 and that byte
        usual = "cp1252" if re.search("[\udc80-\udc9f]", odd) else "latin-1"
        mend = f'set data.encoding = "{usual}" if that is what the file is' if encoding == "utf-8-sig" else ""
        what = f"byte 0x{raw[error.start]:02X} is not {form.encoding.upper()}"
        raise CohortError(source, [Fault(f"line {line}", what, mend=mend, code="D04")]) from None
    except UnicodeError:
        raise CohortError(source, [Fault("file", f"is not {form.encoding.upper()}", code="D04")]) from None
    control = None if encoding.startswith("utf") else CONTROL.search(text)
    if control:  # a sign of cp1252, such as a dash or the euro, where latin-1 has none
        line = text.count("\n", 0, control.start()) + 1
        mend = 'set data.encoding = "cp1252": in it that is a dash, a quote or a currency sign'
        what = f"holds the control character {ord(control[0]):#06x}, which no one types"
        raise CohortError(source, [Fault(f"line {line}", what, mend=mend, code="D04")])
    return text


def _records(text: str, form: DataFormat) -> tuple[list[tuple[int, list[str]]], list[Fault]]:
    """Each record with the line on which it starts; declared lines above the header and blank lines are passed over."""
    previous_limit = csv.field_size_limit(CELL)
    records: list[tuple[int, list[str]]] = []
    stream, above = io.StringIO(text, newline=""), form.skip_lines
    for _ in range(above):
        stream.readline()
    start = 1 + above
    reader = csv.reader(stream, delimiter=form.delimiter, strict=True)
    try:
        for cells in reader:
            if len(cells) > 1 or "".join(cells).strip():
                records.append((start, cells))
            start = above + reader.line_num + 1
    except csv.Error as error:
        if "field larger" in str(error):
            what = f"holds a cell of more than {CELL:,} characters"
            return records, [Fault(f"line {start}", what, mend="is a quote never closed?", code="D44")]
        return records, [
            Fault(
                f"line {start}",
                "a quote is opened and never closed, or closed inside a cell",
                mend='write " inside a quoted cell as ""',
                code="D17",
            )
        ]
    finally:
        csv.field_size_limit(previous_limit)
    return records, []


def _no_delimiter(header: list[str], form: DataFormat) -> Fault | None:
    """Why the whole header is one column: every other fault would only follow from this one."""
    for other, typed in ((";", ";"), ("\t", r"\t"), (",", ","), ("|", "|")):
        if len(header) == 1 and other != form.delimiter and other in header[0]:
            what = f"only 1 column found, and {header[0].count(other)} '{typed}' in it"
            code = "D09" if other == "\t" else "D08"
            mend = f'set data.delimiter = "{typed}"'
            if other == form.decimal:
                mend = 'it is the declared decimal sign: export with ";" between cells, or leave data.decimal out'
            return Fault("header", what, mend=mend, code=code)
    return None


def no_header_fault(
    line: int, header: Sequence[str], body: Sequence[tuple[int, Sequence[str]]], word: str = "line"
) -> Fault | None:
    """Why the first record cannot be the header; body: the records after it, with their lines."""
    title = sum(map(bool, header)) == 1 and any(len(cells) > 1 for _, cells in body)
    comment = header[0].startswith(("#", "%")) and any(len(cells) != len(header) for _, cells in body)
    if title or comment:
        what = "looks like a title or a comment, not like names of columns"
        above = next((n for n, cells in body if sum(bool(cell.strip()) for cell in cells) > 1), line + 1) - 1
        mend = f"remove what is above the header, or set data.skip_lines = {above}"
        return Fault(f"{word} {line}", what, mend=mend, code="D16")
    return None


def too_wide(header: Sequence[str]) -> Fault | None:
    """Why a header has more columns, or longer names, than are looked at one against the other."""
    if len(header) > COLUMNS:
        return Fault(
            "header", f"has more than {COLUMNS:,} columns", f"{len(header):,}", "keep those that the study names", "D44"
        )
    if long := [n for n, name in enumerate(header, 1) if len(name) > NAME]:
        what = f"has a column name of more than {NAME} characters"
        return Fault(f"header, {lines_text(long, word='field')}", what, mend="shorten it", code="D44")
    return None


def header_faults(header: Sequence[str]) -> list[Fault]:
    """Columns without a name, or with the name of another; nothing else where there are too many to compare."""
    if wide := too_wide(header):
        return [wide]
    faults = [
        Fault(f"header, field {n}", "has no column name", code="D14") for n, name in enumerate(header, 1) if not name
    ]
    fields = defaultdict(list)
    for n, name in enumerate(header, 1):
        fields[name].append(n)
    for name, at in fields.items():
        if len(at) > 1 and name:
            where = lines_text(at, word="field")
            faults.append(Fault("header", f'column "{name}" appears {len(at)} times', where, code="D13"))
    return faults


def lines_text(lines: list[int] | tuple[int, ...], most: int = 5, word: str = "line") -> str:
    """`line 4`, `lines 4, 11`, `lines 2, 3, 4, 5, 6 and 195 more`; or rows."""
    shown = ", ".join(str(n) for n in lines[:most])
    more = f" and {len(lines) - most} more" if len(lines) > most else ""
    return f"{word}{'s' if len(lines) > 1 else ''} {shown}{more}"
