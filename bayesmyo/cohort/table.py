"""A delimited file as text cells with their lines, or every reason why it cannot be one.

Every cell stays the text that was typed: `007`, `NA` and `1E5` are patients' ids until a study says otherwise.
"""

import csv
import hashlib
import io
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bayesmyo.cohort.typed_cells import TYPED, Origin
from bayesmyo.errors import CohortError, Fault
from bayesmyo.limits import CELL, CELLS, COLUMNS, NAME
from bayesmyo.study.study import DataFormat

CONTROL = re.compile("[\u0080-\u009f]")
UTF_16 = ("looks like UTF-16", 'save it as "CSV UTF-8", or set data.encoding = "utf-16"', "D03")
ZIP = ("is an Excel workbook or a zip file", "export the sheet as CSV, or name it .xlsx if that is what it is", "D05")
SIGNATURES = {
    b"PK\x03\x04": ZIP,
    b"\xd0\xcf\x11\xe0": ("is an old Excel workbook", "save it as .xlsx, or export the sheet as CSV", "D05"),
    b"PAR1": ("is a Parquet file", "name it .parquet", "D43"),
    b"\x1f\x8b": ("is compressed (gzip)", "unpack it first", "D06"),
    b"BZh": ("is compressed (bzip2)", "unpack it first", "D06"),
    b"\xfd7zXZ": ("is compressed (xz)", "unpack it first", "D06"),
    b"\x28\xb5\x2f\xfd": ("is compressed (zstd)", "unpack it first", "D06"),
    b"\xff\xfe": UTF_16,
    b"\xfe\xff": UTF_16,
}
NO_ROWS = Fault("file", "has a header but no data rows", code="D02")
TOO_MANY = f"holds more than {CELLS:,} cells"
TOO_MANY_CELLS = Fault("file", TOO_MANY, mend="bayesmyo is for cohorts of 10 to 50 patients", code="D44")


@dataclass(frozen=True)
class Looks:
    """How a sheet is shown, beyond its cells.

    hidden, hidden_columns: lines and columns that are hidden
    merged, white: (line, column) of cells merged with others, and of those in white letters
    """

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

    def inside(self, beside: str) -> str:
        """How a message about a place in it begins."""
        place = self.place(beside)
        return f"{place}, " if place else ""

    def take(self, rows: Sequence[int]) -> "Table":
        """Some of the rows, by their positions."""
        origins = None if self.origins is None else [self.origins[n] for n in rows]
        texts, lines = [self.rows[n] for n in rows], [self.lines[n] for n in rows]
        return replace(self, rows=texts, lines=lines, origins=origins)

    def at(self, lines: Iterable[int]) -> str:
        """`lines 2, 3`, or rows."""
        return lines_text([*lines], word=self.word)

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


def refused(source: str, what: str, mend: str = "", code: str = "", where: str = "file", got: str = "") -> CohortError:
    """The error of a file with a single fault."""
    return CohortError(source, [Fault(where, what, got, mend, code)])


def parse_table(raw: bytes, source: str, form: DataFormat) -> Table:
    """The bytes of a delimited file as a Table. Raises CohortError with every fault of its shape."""
    text = _decode(raw, source, form)
    if text.count(form.delimiter) + text.count("\n") + text.count("\r") > CELLS:
        raise CohortError(source, [TOO_MANY_CELLS])
    records, faults = _records(text, form)
    if not records:
        raise CohortError(source, faults) if faults else refused(source, "holds nothing but blank lines", code="D01")
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
    for n, name in enumerate(header) if "\0" in text else ():
        if nul := [line for line, cells in [(first, header), *body] if "\0" in "".join(cells[n : n + 1])]:
            faults.append(Fault(f'{lines_text(nul)}, column "{name}"', "contains a NUL byte", code="D07"))
    if faults:
        raise CohortError(source, faults)
    return Table(source, hashlib.sha256(raw).hexdigest(), tuple(header), [c for _, c in body], [n for n, _ in body])


def named_or_filled(header: list[str], rows: Iterable[Sequence[str]]) -> list[int]:
    """Positions of the columns that are any: spreadsheets leave some without a name or a filled cell beside a table."""
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


def _decode(raw: bytes, source: str, form: DataFormat) -> str:
    if not raw:
        raise refused(source, "is empty (0 bytes)", code="D01")
    other = next((why for signature, why in SIGNATURES.items() if raw.startswith(signature)), None)
    if other is None and raw[:200].count(0) > len(raw[:200]) // 4:
        other = UTF_16
    declared = form.encoding.lower().replace("-", "").replace("_", "").startswith("utf16")
    if other and not (declared and other is UTF_16):
        raise refused(source, *other)
    no_text = f"is not {form.encoding.upper()}"
    if declared and not other and b"\0" not in raw[:200]:
        raise refused(source, no_text, "leave data.encoding out if the file is UTF-8", "D03")
    encoding = "utf-8-sig" if form.encoding.lower().replace("_", "-") in ("utf-8", "utf8") else form.encoding
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        line = len((raw[: error.start] + b"?").splitlines())
        odd = raw.decode("utf-8", "surrogateescape")  # each byte that is not UTF-8 becomes U+DC00 and that byte
        usual = "cp1252" if re.search("[\udc80-\udc9f]", odd) else "latin-1"
        mend = f'set data.encoding = "{usual}" if that is what the file is' if encoding == "utf-8-sig" else ""
        raise refused(source, f"byte 0x{raw[error.start]:02X} {no_text}", mend, "D04", f"line {line}") from None
    except UnicodeError:
        raise refused(source, no_text, code="D04") from None
    control = None if encoding.startswith("utf") else CONTROL.search(text)
    if control:  # a sign of cp1252, such as a dash or the euro, where latin-1 has none
        line = text.count("\n", 0, control.start()) + 1
        mend = 'set data.encoding = "cp1252": in it that is a dash, a quote or a currency sign'
        what = f"holds the control character {ord(control[0]):#06x}, which no one types"
        raise refused(source, what, mend, "D04", f"line {line}")
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
        what, mend = "a quote is opened and never closed, or closed inside a cell", 'write " inside a quoted cell as ""'
        if large := "field larger" in str(error):
            what, mend = f"holds a cell of more than {CELL:,} characters", "is a quote never closed?"
        return records, [Fault(f"line {start}", what, mend=mend, code="D44" if large else "D17")]
    finally:
        csv.field_size_limit(previous_limit)
    return records, []


def _no_delimiter(header: list[str], form: DataFormat) -> Fault | None:
    """Why the whole header is one column: every other fault would only follow from this one."""
    other = next((sign for sign in ";\t,|" if sign != form.delimiter and sign in header[0]), "")
    if len(header) > 1 or not other:
        return None
    typed = r"\t" if other == "\t" else other
    mend = f'set data.delimiter = "{typed}"'
    if other == form.decimal:
        mend = 'it is the declared decimal sign: export with ";" between cells, or leave data.decimal out'
    what = f"only 1 column found, and {header[0].count(other)} '{typed}' in it"
    return Fault("header", what, mend=mend, code="D09" if other == "\t" else "D08")


def no_header_fault(
    line: int, header: Sequence[str], body: Sequence[tuple[int, Sequence[str]]], word: str = "line"
) -> Fault | None:
    """Why the first record cannot be the header; body: the records after it, with their lines."""
    title = sum(map(bool, header)) == 1 and any(len(cells) > 1 for _, cells in body)
    comment = header[0].startswith(("#", "%")) and any(len(cells) != len(header) for _, cells in body)
    if not (title or comment):
        return None
    above = next((n for n, cells in body if sum(bool(cell.strip()) for cell in cells) > 1), line + 1) - 1
    mend = f"remove what is above the header, or set data.skip_lines = {above}"
    return Fault(f"{word} {line}", "looks like a title or a comment, not like names of columns", mend=mend, code="D16")


def too_wide(header: Sequence[str]) -> Fault | None:
    """Why a header has more columns, or longer names, than are looked at one against the other."""
    if len(header) > COLUMNS:
        what, mend = f"has more than {COLUMNS:,} columns", "keep those that the study names"
        return Fault("header", what, f"{len(header):,}", mend, "D44")
    if long := [n for n, name in enumerate(header, 1) if len(name) > NAME]:
        what = f"has a column name of more than {NAME} characters"
        return Fault(f"header, {lines_text(long, word='field')}", what, mend="shorten it", code="D44")
    return None


def header_faults(header: Sequence[str]) -> list[Fault]:
    """Columns without a name, or with the name of another; nothing else where there are too many to compare."""
    if wide := too_wide(header):
        return [wide]
    fields = defaultdict(list)
    for n, name in enumerate(header, 1):
        fields[name].append(n)
    return [
        *(Fault(f"header, field {n}", "has no column name", code="D14") for n in fields.pop("", ())),
        *(
            Fault("header", f'column "{name}" appears {len(at)} times', lines_text(at, word="field"), code="D13")
            for name, at in fields.items()
            if len(at) > 1
        ),
    ]


def lines_text(lines: Sequence[int], most: int = 5, word: str = "line") -> str:
    """Where in a table, as messages say it: `line 4`, `lines 4, 11`, `lines 2, 3, 4, 5, 6 and 195 more`; or rows."""
    shown = ", ".join(str(n) for n in lines[:most])
    more = f" and {len(lines) - most} more" if len(lines) > most else ""
    return f"{word}{'s' if len(lines) > 1 else ''} {shown}{more}"
