"""Rows as the tables that `read_results` gives."""

import pyarrow as pa

from bayesmyo.simulation.parts import SCHEMA, tables
from bayesmyo.simulation.store import Results


def frames(rows):
    """(replicates, quantities) of rows."""
    found = tables(pa.Table.from_pylist([r.as_dict() for r in rows], schema=SCHEMA))
    return found["replicates"].to_pandas(), found["quantities"].to_pandas()


def results(plan, rows):
    """All rows of a plan, as a folder that holds no more of them."""
    return Results(plan, *frames(rows), complete=True)
