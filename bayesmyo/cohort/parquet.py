"""A Parquet file as text cells with their rows, or every reason why it cannot be one."""

import hashlib
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from bayesmyo.cohort import pages
from bayesmyo.cohort.table import NO_ROWS, TOO_MANY_CELLS, Table, header_faults, refused
from bayesmyo.cohort.typed_cells import TYPED, typed
from bayesmyo.cohort.zipped import TooLarge
from bayesmyo.errors import CohortError, Fault
from bayesmyo.limits import PARQUET_INFLATED
from bayesmyo.study.study import DataFormat

TYPES = [getattr(pa.types, f"is_{kind}") for kind in ("integer", "floating", "decimal", "boolean", "string")]
TYPES += [getattr(pa.types, f"is_{kind}") for kind in ("large_string", "date", "timestamp", "null")]
INDEX = "__index_level_"  # columns in which pandas keeps an index


def parse_parquet(raw: bytes, source: str, form: DataFormat, date: str | None = None) -> Table:
    """The bytes of a Parquet file as a Table, rows counted from 1. Raises CohortError with every fault of its shape.

    date: the pattern in which dates become text
    """
    if not raw:
        raise refused(source, "is empty (0 bytes)", code="D01")
    try:
        pages.look_through(raw)
        columns = _columns(raw, source, form)
    except TooLarge as why:
        raise refused(source, str(why), "write the table of visits alone, or export it as CSV", "D44") from None
    except (pa.ArrowException, OSError, MemoryError, ValueError, OverflowError, LookupError):
        mend = "write it again, or export it as CSV"
        raise refused(source, "is not a Parquet file, or is damaged", mend, "D43") from None
    cells = ([typed(value, form.decimal, date) or ("", TYPED) for value in column] for column in columns.values())
    rows = [*zip(*cells, strict=True)]
    if not rows:
        raise CohortError(source, [NO_ROWS])
    texts, origins = ([[cell[n] for cell in row] for row in rows] for n in (0, 1))
    digest, lines = hashlib.sha256(raw).hexdigest(), list(range(1, len(rows) + 1))
    return Table(source, digest, tuple(columns), texts, lines, "row", origins=origins)


def _columns(raw: bytes, source: str, form: DataFormat) -> dict[str, list[Any]]:
    """The values of each column; refused before they are read where they are no cells."""
    schema = pq.ParquetFile(pa.BufferReader(raw)).schema_arrow
    texts = [f.name for f in schema if pa.types.is_string(f.type) or pa.types.is_large_string(f.type)]
    file = pq.ParquetFile(pa.BufferReader(raw), read_dictionary=texts)
    schema = file.schema_arrow
    names = [field.name for field in schema if not field.name.startswith(INDEX)]
    faults = header_faults(names)
    kept = [field for field in schema if field.name in names and field.name not in form.identifying]
    for field in kept:
        kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
        if not any(is_kind(kind) for is_kind in TYPES):
            what = f'column "{field.name}" holds {field.type}, not single values'
            faults.append(Fault("header", what, mend="write numbers, texts or dates", code="D43"))
    if faults:
        raise CohortError(source, faults)
    table = file.read(columns=[field.name for field in kept])
    table.validate(full=True)
    if sum(_characters(table.column(name)) for name in table.column_names) > PARQUET_INFLATED:
        raise CohortError(source, [TOO_MANY_CELLS])
    unread: dict[str, list[Any]] = {name: [""] * table.num_rows for name in names}
    return unread | {name: _days(table.column(name)).to_pylist() for name in table.column_names}


def _characters(column: Any) -> int:
    """How long the texts of a column are together, before they are written out: a dictionary holds each text once."""
    if not pa.types.is_dictionary(column.type):
        return 0
    lengths = (pc.take(pc.binary_length(pc.cast(part.dictionary, pa.string())), part.indices) for part in column.chunks)
    return sum(pc.sum(of_part).as_py() or 0 for of_part in lengths)


def _days(column: Any) -> Any:
    """Times to the microsecond: Python has no finer ones."""
    if pa.types.is_timestamp(column.type):
        return column.cast(pa.timestamp("us"), safe=False)
    return column
