"""Parquet files: small, and large once they are unpacked; and what they say of themselves, changed by hand."""

import io
import random
import struct
from collections.abc import Callable, Iterator
from functools import partial

import pyarrow as pa
import pyarrow.parquet as pq

from tests.hostile.case import Case, declaring

VISITS = {"patient": ["A", "A", "B"], "month": [0, 3, 0], "strength": [50, 55, 60], "cpk": [900, 800, 700]}


def parquet(columns: dict[str, object], **how: object) -> bytes:
    out = io.BytesIO()
    pq.write_table(
        pa.table({k: v if isinstance(v, pa.Array | pa.ChunkedArray) else pa.array(v) for k, v in columns.items()}),
        out,
        **how,
    )
    return out.getvalue()


def same(text: str, rows: int) -> pa.Array:
    """One text in every row, held once."""
    return pa.DictionaryArray.from_arrays(pa.nulls(rows, pa.int32()).fill_null(0), [text])


def texts(length: int, rows: int, **how: object) -> bytes:
    """Long texts, the same in every row."""
    return parquet(
        {"patient": same("A" * length, rows), "month": range(rows), "strength": [50] * rows, "cpk": [900] * rows}, **how
    )


def remark(values: object, **how: object) -> bytes:
    rows = len(values)  # type: ignore[arg-type]
    return parquet(
        {"patient": ["A"] * rows, "month": range(rows), "strength": [50] * rows, "cpk": [900] * rows, "remark": values},
        **how,
    )


def footed(footer: bytes, before: bytes = b"") -> bytes:
    return b"PAR1" + before + footer + struct.pack("<I", len(footer)) + b"PAR1"


def number(value: int) -> bytes:
    """A signed number of the compact protocol."""
    value, out = value << 1 if value >= 0 else (-value << 1) - 1, b""
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


def unsigned(value: int) -> bytes:
    out = b""
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


def schema(elements: bytes, count: int, rows: int = 1, groups: bytes = b"", number_of_groups: int = 0) -> bytes:
    """A footer with these elements of a schema and these groups of rows."""
    return (
        b"\x15\x02"
        + b"\x19\xfc"
        + unsigned(count)
        + elements
        + b"\x16"
        + number(rows)
        + b"\x19\xfc"
        + unsigned(number_of_groups)
        + groups
        + b"\x00"
    )


NODE, LEAF = b"\x48\x01a\x15\x02\x00", b"\x15\x0c\x25\x02\x18\x01a\x00"  # one child; a text


def lied(raw: bytes, old: int, new: int) -> bytes:
    """The same file with a number in its heads and its footer changed for another of as many bytes."""
    assert len(number(old)) == len(number(new))
    return raw.replace(number(old), number(new))


def crafted(rng: random.Random) -> Iterator[tuple[str, Callable[[], bytes]]]:
    yield "what it should be", partial(parquet, VISITS)
    for codec in ("zstd", "gzip", "snappy", "brotli", "lz4", "none"):
        yield (
            f"two texts of 90 MB, {codec}",
            partial(
                lambda c: remark(
                    ["A" * 90_000_000, "B"] if c in ("zstd", "gzip", "brotli") else ["A" * 600_000, "B"], compression=c
                ),
                codec,
            ),
        )
        yield (
            f"a text of 90,000 characters in 1,500 rows, {codec}",
            partial(
                lambda c: remark(
                    [f"{n:04}" + "A" * (90_000 if c in ("zstd", "brotli") else 500) for n in range(1_000)],
                    compression=c,
                    use_dictionary=False,
                ),
                codec,
            ),
        )
    yield (
        "one text of a million characters in 300,000 rows",
        partial(lambda: texts(900_000, 300_000, compression="zstd")),
    )
    yield (
        "one remark of 90,000 characters in 100,000 rows",
        partial(lambda: remark(same("a@" * 45_000, 100_000), compression="zstd")),
    )
    yield (
        "one remark of 400 characters in 100,000 rows",
        partial(lambda: remark(same("a@" * 200, 100_000), compression="zstd")),
    )
    yield (
        "texts as differences",
        partial(
            lambda: remark(
                ["A" * 90_000] * 500,
                compression="zstd",
                use_dictionary=False,
                column_encoding={"remark": "DELTA_BYTE_ARRAY"},
            )
        ),
    )
    yield (
        "texts as lengths",
        partial(
            lambda: remark(
                [f"{n}" for n in range(60_000)],
                compression="zstd",
                use_dictionary=False,
                column_encoding={"remark": "DELTA_LENGTH_BYTE_ARRAY"},
            )
        ),
    )
    yield (
        "an id of a million characters",
        partial(lambda: parquet(VISITS | {"patient": ["A" * 1_000_000, "A", "B"]}, compression="zstd")),
    )
    yield (
        "two million rows of nothing",
        partial(
            lambda: parquet(
                {
                    "patient": pa.nulls(2_000_000, pa.string()),
                    "month": pa.nulls(2_000_000, pa.int64()),
                    "strength": pa.nulls(2_000_000, pa.int64()),
                    "cpk": pa.nulls(2_000_000, pa.int64()),
                }
            )
        ),
    )
    yield (
        "149,000 rows of one patient",
        partial(
            lambda: parquet(
                {
                    "patient": ["A"] * 149_000,
                    "month": pa.array([0] * 149_000),
                    "strength": [50] * 149_000,
                    "cpk": [900] * 149_000,
                }
            )
        ),
    )
    yield (
        "149,000 rows of empty cells",
        partial(
            lambda: parquet(
                {
                    "patient": pa.nulls(149_000, pa.string()),
                    "month": pa.nulls(149_000, pa.int64()),
                    "strength": pa.nulls(149_000, pa.int64()),
                    "cpk": pa.nulls(149_000, pa.int64()),
                }
            )
        ),
    )
    yield "a billion rows", partial(lambda: lied(parquet(VISITS), 3, 60))
    for count in (1_500, 9_000):
        yield (
            f"{count:,} columns",
            partial(
                lambda c: parquet(
                    VISITS | {f"c{n}": pa.nulls(3, pa.int8()) for n in range(c)},
                    store_schema=False,
                    write_statistics=False,
                    compression="none",
                )[:10_000_000],
                min(count, 3_000),
            ),
        )
    yield (
        "100,000 columns",
        partial(lambda: footed(schema(b"\x48\x01a\x15" + number(100_000) + b"\x00" + LEAF * 100_000, 100_001))),
    )
    yield "100,000 columns within each other", partial(lambda: footed(schema(NODE * 100_000 + LEAF, 100_001)))
    yield "12 columns within each other", partial(lambda: footed(schema(NODE * 12 + LEAF, 13)))
    yield (
        "a column of two thousand million columns",
        partial(lambda: footed(schema(b"\x48\x01a\x15" + number(2**31 - 1) + b"\x00" + LEAF, 2))),
    )
    yield (
        "400,000 empty groups of rows",
        partial(lambda: footed(schema(NODE + LEAF, 2, groups=b"\x00" * 400_000, number_of_groups=400_000))),
    )
    yield (
        "4,000 groups of 200 empty columns",
        partial(
            lambda: footed(
                schema(
                    NODE + LEAF,
                    2,
                    groups=(b"\x19\xfc" + unsigned(200) + b"\x00" * 200 + b"\x00") * 4_000,
                    number_of_groups=4_000,
                )
            )
        ),
    )
    yield "a list longer than the file", partial(lambda: footed(b"\x15\x02\x19\xfc" + unsigned(2**40) + b"\x00"))
    yield "lists within lists", partial(lambda: footed(b"\x15\x02" + b"\x19\x19" * 400_000))
    yield "structures within structures", partial(lambda: footed(b"\x1c" * 900_000))
    yield "nothing but a footer", partial(lambda: footed(b""))
    yield "a footer longer than the file", partial(lambda: b"PAR1" + struct.pack("<I", 2**31) + b"PAR1")
    yield "a footer of a negative size", partial(lambda: b"PAR1" + b"\x00" * 40 + struct.pack("<i", -1) + b"PAR1")
    yield "words beside the columns of 900,000 bytes", _worded
    yield "lists", partial(lambda: parquet(VISITS | {"strength": [[1]] * 3}))
    yield "a map of lists of maps", partial(lambda: parquet(VISITS | {"strength": pa.array([[{"a": [1]}]] * 3)}))
    yield (
        "times of an unknown zone",
        partial(lambda: parquet(VISITS | {"strength": pa.array([1, 2, 3], pa.timestamp("us", "Nowhere/Town"))})),
    )
    yield (
        "times beyond the calendar",
        partial(lambda: parquet(VISITS | {"strength": pa.array([2**62, -(2**62), 0], pa.timestamp("us"))})),
    )
    yield (
        "dates beyond the calendar",
        partial(lambda: parquet(VISITS | {"strength": pa.array([2**30, -(2**30), 0], pa.date32())})),
    )
    yield (
        "decimals of 70 digits",
        partial(lambda: parquet(VISITS | {"strength": pa.array([10**69, 1, 2], pa.decimal256(76, 0))})),
    )
    yield "sizes of pages that lie", _swollen
    for n in range(6):
        yield f"damaged {n}", partial(_damaged, rng.randrange(2**32))


def _worded() -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table(VISITS).replace_schema_metadata({"a": "b" * 600_000}), out, store_schema=False)
    return out.getvalue()


def _swollen() -> bytes:
    """A page whose head says that it unpacks to two thousand million bytes."""
    raw = remark(["x" * 70_000_000, "b"], compression="zstd", use_dictionary=False)
    return raw.replace(number(70_000_000 + 9), number(2_000_000_000))


def _damaged(seed: int) -> bytes:
    rng = random.Random(seed)
    raw = bytearray(remark([f"{n}" for n in range(2_000)]))
    for _ in range(rng.randrange(1, 30)):
        raw[rng.randrange(4, len(raw) - 8)] = rng.randrange(256)
    return bytes(raw)


def cases(rng: random.Random) -> Iterator[Case]:
    for n, (name, make) in enumerate(crafted(rng)):
        yield Case(name, f"parquet-{n:02}.parquet", make, declaring())
