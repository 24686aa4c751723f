"""Rows as the tables that `read_results` gives."""

import pyarrow as pa

from bayesmyo.simulation.parts import SCHEMA, tables
from bayesmyo.simulation.row import Quantity, Row
from bayesmyo.simulation.store import Results


def frames(rows):
    """(replicates, quantities) of rows."""
    found = tables(pa.Table.from_pylist([r.as_dict() for r in rows], schema=SCHEMA))
    return found["replicates"].to_pandas(), found["quantities"].to_pandas()


def results(plan, rows):
    """All rows of a plan, as a folder that holds no more of them."""
    return Results(plan, *frames(rows), complete=True)


def row_of(columns):
    """The row whose `as_dict` this is."""
    return Row(**dict(columns) | {"quantities": tuple(Quantity(**q) for q in columns["quantities"])})


def of(row, kind):
    """The quantities of one kind by name, at the last look."""
    return {q.name: q for q in row.quantities if q.kind == kind}
