"""A delimited file as text cells with their lines, or every reason why it cannot be one.

Every cell stays the text that was typed: `007`, `NA` and `1E5` are patients' ids until a study says otherwise.
"""

import csv
import hashlib
import io
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from bayesmyo.errors import CohortError, Fault
from bayesmyo.study.study import DataFormat

MAXIMUM_BYTES = 200_000_000
MAXIMUM_CELL = 100_000
UTF_16 = ("looks like UTF-16", 'save it as "CSV UTF-8", or set data.encoding = "utf-16"')
SIGNATURES = {
    b"PK\x03\x04": ("is a zip file or an Excel workbook", "export the sheet as CSV"),
    b"\xd0\xcf\x11\xe0": ("is an old Excel workbook", "export the sheet as CSV"),
    b"\x1f\x8b": ("is compressed (gzip)", "unpack it first"),
    b"BZh": ("is compressed (bzip2)", "unpack it first"),
    b"\xfd7zXZ": ("is compressed (xz)", "unpack it first"),
    b"\xff\xfe": UTF_16,
    b"\xfe\xff": UTF_16,
}


@dataclass(frozen=True)
class Table:
    """Rows of text cells under a header. lines: (n,) the line on which each row starts."""

    source: str
    sha256: str
    header: tuple[str, ...]
    rows: list[list[str]]
    lines: list[int]


def read_table(path: str | Path, form: DataFormat) -> Table:
    """Read a delimited text file. Raises CohortError with every fault of its shape."""
    path = Path(path)
    if not path.is_file():
        what = (
            "is a folder, not a table"
            if path.is_dir()
            else "does not exist"
            if not path.exists()
            else "is not a regular file"
        )
        raise CohortError(str(path), [Fault("file", what)])
    try:
        if path.stat().st_size > MAXIMUM_BYTES:
            raise CohortError(path.name, [Fault("file", f"is larger than {MAXIMUM_BYTES:,} bytes")])
        raw = path.read_bytes()
    except OSError as error:
        raise CohortError(path.name, [Fault("file", "cannot be read", error.strerror or "")]) from None
    return parse_table(raw, path.name, form)


def parse_table(raw: bytes, source: str, form: DataFormat) -> Table:
    """The bytes of a delimited file as a Table. Raises CohortError."""
    text = _decode(raw, source, form)
    records, faults = _records(text, form)
    if not records:
        raise CohortError(source, faults or [Fault("file", "holds nothing but blank lines")])
    (first, header), body = records[0], records[1:]
    header = [name.strip(" \t") for name in header]
    if no_header := _no_header(first, header, body, form):
        raise CohortError(source, [no_header])
    faults += _header(header)
    if not body and not faults:
        faults.append(Fault("file", "has a header but no data rows"))
    width = len(header)
    for fields in sorted({len(cells) for _, cells in body} - {width}):
        hint = (
            "is there a delimiter at the end of the line, or inside an unquoted cell?"
            if fields > width
            else "a cell is missing"
        )
        where = lines_text([line for line, cells in body if len(cells) == fields])
        faults.append(Fault(where, f"{fields} fields, the header has {width}", mend=hint))
    for n, name in enumerate(header if "\0" in text else ()):
        if nul := [line for line, cells in records if "\0" in "".join(cells[n : n + 1])]:
            faults.append(Fault(f'{lines_text(nul)}, column "{name}"', "contains a NUL byte"))
    if faults:
        raise CohortError(source, faults)
    return Table(source, hashlib.sha256(raw).hexdigest(), tuple(header), [c for _, c in body], [n for n, _ in body])


def _decode(raw: bytes, source: str, form: DataFormat) -> str:
    if not raw:
        raise CohortError(source, [Fault("file", "is empty (0 bytes)")])
    found = next((why for signature, why in SIGNATURES.items() if raw.startswith(signature)), None)
    if found is None and raw[:200].count(0) > len(raw[:200]) // 4:
        found = UTF_16
    declared = form.encoding.lower().replace("-", "").replace("_", "").startswith("utf16")
    if found and not (declared and found is UTF_16):
        raise CohortError(source, [Fault("file", found[0], mend=found[1])])
    encoding = "utf-8-sig" if form.encoding.lower().replace("_", "-") in ("utf-8", "utf8") else form.encoding
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        line = len((raw[: error.start] + b"?").splitlines())
        mend = 'set data.encoding = "latin-1" if that is what the file is' if encoding == "utf-8-sig" else ""
        raise CohortError(
            source, [Fault(f"line {line}", f"byte 0x{raw[error.start]:02X} is not {form.encoding.upper()}", mend=mend)]
        ) from None
    except UnicodeError as error:
        raise CohortError(source, [Fault("file", f"is not {form.encoding.upper()}", str(error))]) from None


def _records(text: str, form: DataFormat) -> tuple[list[tuple[int, list[str]]], list[Fault]]:
    """Each record with the line on which it starts; blank lines are passed over."""
    previous_limit = csv.field_size_limit(MAXIMUM_CELL)
    records: list[tuple[int, list[str]]] = []
    start = 1
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=form.delimiter, strict=True)
    try:
        for cells in reader:
            if len(cells) > 1 or "".join(cells).strip():
                records.append((start, cells))
            start = reader.line_num + 1
    except csv.Error as error:
        if "field larger" in str(error):
            return records, [Fault(f"line {start}", f"holds a cell of more than {MAXIMUM_CELL:,} characters")]
        return records, [
            Fault(
                f"line {start}",
                "a quote is opened and never closed, or closed inside a cell",
                mend='write " inside a quoted cell as ""',
            )
        ]
    finally:
        csv.field_size_limit(previous_limit)
    return records, []


def _no_header(line: int, header: list[str], body: list[tuple[int, list[str]]], form: DataFormat) -> Fault | None:
    """Why the first line cannot be the header at all: every other fault would only follow from this one."""
    for other, typed in ((";", ";"), ("\t", r"\t"), (",", ","), ("|", "|")):
        if len(header) == 1 and other != form.delimiter and other in header[0]:
            what = f"only 1 column found, and {header[0].count(other)} '{typed}' in it"
            return Fault("header", what, mend=f'set data.delimiter = "{typed}"')
    title = sum(map(bool, header)) == 1 and any(len(cells) > 1 for _, cells in body)
    comment = header[0].startswith(("#", "%")) and any(len(cells) != len(header) for _, cells in body)
    if title or comment:
        what = "looks like a title or a comment, not like names of columns"
        return Fault(f"line {line}", what, mend="remove the lines above the header")
    return None


def _header(header: list[str]) -> list[Fault]:
    faults = [Fault(f"header, field {n}", "has no column name") for n, name in enumerate(header, 1) if not name]
    for name, count in Counter(header).items():
        if count > 1 and name:
            fields = [n for n, other in enumerate(header, 1) if other == name]
            faults.append(
                Fault("header", f'column "{name}" appears {count} times', f"fields {', '.join(map(str, fields))}")
            )
    return faults


def lines_text(lines: list[int] | tuple[int, ...], most: int = 5) -> str:
    """`line 4`, `lines 4, 11`, `lines 2, 3, 4, 5, 6 and 195 more`."""
    shown = ", ".join(str(n) for n in lines[:most])
    more = f" and {len(lines) - most} more" if len(lines) > most else ""
    return f"line{'s' if len(lines) > 1 else ''} {shown}{more}"
