"""A Parquet file is read as the text that a person would have typed."""

import io
import random
from datetime import date, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bayesmyo.cohort.parquet import parse_parquet
from bayesmyo.cohort.sources import read_table
from bayesmyo.errors import CohortError
from bayesmyo.limits import PARQUET_CELLS
from bayesmyo.study.study import DataFormat
from tests.conftest import DATA

pd = pytest.importorskip("pandas")


def written(columns, **how):
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out, **how)
    return out.getvalue()


def read(raw, date=None, **form):
    return parse_parquet(raw, "cohort.parquet", DataFormat(**form), date)


def refused(raw, *fragments, **form):
    with pytest.raises(CohortError) as raised:
        read(raw, **form)
    assert all(f in str(raised.value) for f in fragments), str(raised.value)


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([1, None], ["1", ""]),
        ([0.5, float("nan")], ["0.5", ""]),
        ([2.0, 1e-7], ["2", "1e-07"]),
        ([float("inf"), 0.0], ["inf", "0"]),
        (["007", "NA"], ["007", "NA"]),
        ([True, False], ["TRUE", "FALSE"]),
        ([date(2024, 3, 4), None], ["2024-03-04", ""]),
        ([datetime(2024, 3, 4, 9, 30), datetime(2024, 3, 4)], ["2024-03-04 09:30:00", "2024-03-04"]),
        ([Decimal("1.50"), None], ["1.5", ""]),
        (pa.array(["a", "b"]).dictionary_encode(), ["a", "b"]),
        (pa.array([None, None], pa.null()), ["", ""]),
        (pa.array([1709510400_000000_001, None], pa.timestamp("ns")), ["2024-03-04", ""]),
    ],
)
def test_values_become_what_would_have_been_typed(values, texts):
    table = read(written({"x": values}))
    assert [row[0] for row in table.rows] == texts
    assert (table.lines, table.word) == ([1, 2], "row")


def test_the_same_cohort_as_the_delimited_file(tmp_path):
    frame = pd.read_csv(DATA / "ivig.csv")
    frame.set_index(frame.index * 3).to_parquet(tmp_path / "ivig.parquet")  # with an index that is no column
    found, typed = read_table(tmp_path / "ivig.parquet", DataFormat()), read_table(DATA / "ivig.csv", DataFormat())
    assert found.header == typed.header

    def plain(table):
        return [[r[0], *(float(c) if c else None for c in r[1:])] for r in table.rows]

    assert plain(found) == plain(typed)


def test_numbers_and_dates_follow_the_declared_format():
    raw = written({"when": [date(2024, 3, 4)], "mrc": [2.5]})
    assert read(raw, date="DD/MM/YYYY", decimal=",", delimiter=";").rows == [["04/03/2024", "2,5"]]


@pytest.mark.parametrize("values", [[[1, 2]], [{"a": 1}], [b"x"]])
def test_what_is_no_single_value_is_refused_unless_it_is_not_read(values):
    raw = written({"mrc": [1.0], "blob": values})
    refused(raw, 'column "blob" holds', "[D43]")
    assert read(raw, identifying=("blob",)).rows == [["1", ""]]


def test_what_is_no_table():
    refused(b"", "is empty")
    refused(written({"x": pa.array([], pa.int64())}), "no data rows")
    refused(b"patient,month\n", "is not a Parquet file, or is damaged")


def test_more_cells_than_declared_are_refused_before_they_are_read():
    refused(written({"x": pa.array([None] * (PARQUET_CELLS + 1), pa.null())}), f"more than {PARQUET_CELLS:,} cells")
    refused(written({"x": pa.repeat("a" * 1000, 400_000)}), "[D44]")


def test_a_damaged_file_is_a_table_or_a_message():
    raw = written({"patient": ["A", "B"] * 50, "mrc": [1.5, 2.5] * 50}, compression="zstd")
    rng, refusals = random.Random(3), 0
    for _ in range(300):
        broken = bytearray(raw[: rng.randrange(len(raw))] if rng.random() < 0.2 else raw)
        for _ in range(rng.randrange(1, 4)):
            if broken:
                broken[rng.randrange(len(broken))] ^= 1 << rng.randrange(8)
        try:
            read(bytes(broken))
        except CohortError:
            refusals += 1
    assert refusals > 100
