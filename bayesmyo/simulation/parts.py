"""Rows as Parquet: a part for every few replicates, and the final tables. Equal rows are equal bytes.

A part holds one line per replicate, its quantities nested in it, so that a replicate is there whole or not at all.
"""

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from bayesmyo.errors import StorageError
from bayesmyo.simulation.row import Quantity, Row

Verdicts = Mapping[tuple[str, int], bool]  # (decision, look) -> whether it was met; empty where the replicate failed
# of a replicate: its cell, its number, its stage, and the verdict of each decision
Outcome = tuple[str, int, str, Verdicts]

TYPES = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}
# everything that the bytes of a table depend on, but its content and pyarrow's version
WRITER: dict[str, Any] = {
    "version": "2.6", "data_page_version": "1.0", "compression": "zstd", "compression_level": 3, "use_dictionary": True,
    "write_statistics": True, "row_group_size": 65_536, "write_page_checksum": True, "store_schema": True,
}  # fmt: skip


def _columns(dataclass: type[Any], *without: str) -> list[tuple[str, pa.DataType]]:
    """The fields of a dataclass as columns; what may be None may be missing."""
    hints = get_type_hints(dataclass)
    return [(f.name, TYPES[_plain(hints[f.name])]) for f in fields(dataclass) if f.name not in without]


def _plain(hint: Any) -> Any:
    if get_origin(hint) is Literal:
        return str
    (plain,) = set(get_args(hint) or (hint,)) - {NoneType}
    return plain


OF_A_ROW, OF_A_QUANTITY = _columns(Row, "quantities"), _columns(Quantity)
SCHEMA = pa.schema([*OF_A_ROW, ("quantities", pa.list_(pa.struct(OF_A_QUANTITY)))])


def encode(rows: Sequence[Mapping[str, Any]], origin: Mapping[str, str]) -> bytes:
    """Rows as the bytes of a part, which says where it comes from."""
    strange = sorted({k for row in rows for k in row} - set(SCHEMA.names))
    if strange:
        raise ValueError(f"a row has {', '.join(strange)}, which no column takes")
    return write(pa.Table.from_pylist(list(rows), schema=SCHEMA.with_metadata(dict(origin))))


def write(table: pa.Table) -> bytes:
    """The bytes of a table: the same for the same values."""
    out = io.BytesIO()
    pq.write_table(table.combine_chunks(), out, **WRITER)
    return out.getvalue()


def decode(content: bytes, schema: pa.Schema | None = SCHEMA) -> pa.Table:
    """The table of some bytes. Raises ValueError where they are no part of ours."""
    try:
        table = pq.read_table(io.BytesIO(content), page_checksum_verification=True)
    except (pa.ArrowException, OSError) as error:
        raise ValueError(f"is not a table ({type(error).__name__})") from None
    if schema is not None and not table.schema.equals(schema):
        raise ValueError("has other columns than this version of bayesmyo writes")
    return table


def origin(table: pa.Table) -> dict[str, str]:
    """What a part says of where it comes from."""
    stored = table.schema.metadata or {}
    return {k.decode(): v.decode() for k, v in stored.items() if not k.startswith(b"ARROW")}


def outcomes(table: pa.Table) -> Iterator[Outcome]:
    """The outcome of each replicate of a part."""
    nested = table["quantities"].combine_chunks()
    parents, flat = pc.list_parent_indices(nested), nested.flatten()
    kept = pc.and_(pc.equal(flat.field("kind"), "decision"), pc.is_valid(flat.field("met")))
    verdicts: list[dict[tuple[str, int], bool]] = [{} for _ in range(table.num_rows)]
    columns = (parents, flat.field("name"), flat.field("look"), flat.field("met"))
    for row, name, look, met in zip(*(c.filter(kept).to_pylist() for c in columns), strict=True):
        verdicts[row][name, look] = met
    heads = (table[c].to_pylist() for c in ("cell", "replicate", "stage"))
    yield from zip(*heads, verdicts, strict=True)


def outcome(row: Mapping[str, Any]) -> Outcome:
    """The outcome of one row."""
    decisions = (q for q in row["quantities"] if q["kind"] == "decision" and q["met"] is not None)
    return row["cell"], row["replicate"], row["stage"], {(q["name"], q["look"]): q["met"] for q in decisions}


def gather(parts: Sequence[pa.Table], asked: Mapping[str, range]) -> pa.Table:
    """The rows that are asked for, once each, by cell (in the order of `asked`) and replicate.

    A replicate may be there twice, after a crash or in two shards, but then with the same bits. Raises StorageError
    where it is not, and where there is a row of another cell.
    """
    whole = pa.concat_tables([SCHEMA.empty_table(), *(p.replace_schema_metadata() for p in parts)])
    place = pc.index_in(whole["cell"], value_set=pa.array(list(asked), pa.string()))
    if place.null_count:
        raise StorageError("There are rows of a cell that the plan does not have.")
    cell, replicate = place.to_numpy(), whole["replicate"].to_numpy()
    starts, stops = (np.array([getattr(r, end) for r in asked.values()], dtype=int) for end in ("start", "stop"))
    order = np.lexsort((replicate, cell))
    order = order[(replicate[order] >= starts[cell[order]]) & (replicate[order] < stops[cell[order]])]
    again = np.zeros(len(order), dtype=bool)
    again[1:] = (np.diff(cell[order]) == 0) & (np.diff(replicate[order]) == 0)
    twice = np.flatnonzero(again)
    pairs = (whole.take(order[twice - 1]).to_pylist(), whole.take(order[twice]).to_pylist())
    for first, second in zip(*pairs, strict=True):
        if json.dumps(first) != json.dumps(second):
            raise StorageError(_differ(first, second))
    return whole.take(order[~again])


def _differ(first: Mapping[str, Any], second: Mapping[str, Any]) -> str:
    where = [k for k in first if json.dumps(first[k]) != json.dumps(second[k])]
    return (
        f"Replicate {first['replicate']} of cell {first['cell']} is there twice and not the same ({', '.join(where)}): "
        "it was computed by other versions or on another kind of processor. Keep one of the two folders and do the "
        "rest again."
    )


def tables(rows: pa.Table) -> dict[str, pa.Table]:
    """The final tables: one line per replicate, and one per quantity with its cell and replicate before it."""
    nested = rows["quantities"].combine_chunks()
    parents, flat = pc.list_parent_indices(nested), nested.flatten()
    address = {c: rows[c].combine_chunks().take(parents) for c in ("cell", "replicate")}
    quantities = pa.table(address | {name: flat.field(name) for name, _ in OF_A_QUANTITY})
    return {"replicates": rows.drop_columns("quantities"), "quantities": quantities}
