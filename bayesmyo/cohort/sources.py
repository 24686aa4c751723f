"""A path -> Table: text, a workbook or a Parquet file, each by its own module, loaded when such a file is opened."""

import os
from importlib import import_module
from pathlib import Path

from bayesmyo.cohort.table import Table, parse_table, refused
from bayesmyo.files import opened
from bayesmyo.limits import TABLE_BYTES
from bayesmyo.study.study import DataFormat

WORKBOOKS = (".xlsx", ".xlsm")
PARQUET = (".parquet", ".pq")


def read_table(path: str | Path, form: DataFormat, date: str | None = None, sheet: str | None = None) -> Table:
    """Read a table as text cells; the suffix says what it is, and anything but a workbook or Parquet is delimited text.

    date: how the study writes calendar dates, for formats whose dates are not text; sheet: of a workbook
    Raises CohortError with every fault of the file's shape.
    """
    path = Path(path)
    raw = _bytes(path)
    suffix = path.suffix.lower()
    if suffix in WORKBOOKS:
        return _bounded(import_module("bayesmyo.cohort.workbook").parse_workbook(raw, path.name, form, sheet, date))
    if suffix in PARQUET:
        return _bounded(import_module("bayesmyo.cohort.parquet").parse_parquet(raw, path.name, form, date))
    return parse_table(raw, path.name, form)


def _bounded(table: Table) -> Table:
    """A table whose texts are together no longer than a text file may be, though its file holds one of them once."""
    if sum(len(text) for row in table.rows for text in row) > TABLE_BYTES:
        what = f"holds texts of more than {TABLE_BYTES:,} characters together"
        raise refused(table.source, what, "is this the right file?", "D44")
    return table


def is_workbook(path: str | Path) -> bool:
    return Path(path).suffix.lower() in WORKBOOKS


def sheet_headers(path: str | Path, skip: int = 0) -> dict[str, tuple[str, ...]]:
    """The header of each sheet of a workbook, below the lines that are skipped; () of an empty one.

    Raises CohortError.
    """
    path = Path(path)
    return import_module("bayesmyo.cohort.workbook").headers(_bytes(path), path.name, skip)


def _bytes(path: Path) -> bytes:
    """All of a regular file, which is not written to meanwhile."""
    if not path.is_file():
        what = "is a folder, not a table" if path.is_dir() else "is not a regular file"
        raise refused(str(path), what if path.exists() else "does not exist", code="D46")
    try:
        with opened(path) as file:
            before, raw, after = os.fstat(file.fileno()), file.read(TABLE_BYTES + 1), os.fstat(file.fileno())
    except OSError as error:
        raise refused(path.name, "cannot be read", code="D46", got=error.strerror or "") from None
    if len(raw) > TABLE_BYTES:
        raise refused(path.name, f"is larger than {TABLE_BYTES:,} bytes", "is this the right file?", "D44")
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns) or len(raw) != after.st_size:
        raise refused(path.name, "changed while it was read", "try again", "D45")
    return raw
