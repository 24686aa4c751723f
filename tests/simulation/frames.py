"""Rows as the tables that `read_results` gives."""

import pyarrow as pa

from bayesmyo.simulation.parts import SCHEMA, tables


def frames(rows):
    """(replicates, quantities) of rows."""
    found = tables(pa.Table.from_pylist([r.as_dict() for r in rows], schema=SCHEMA))
    return found["replicates"].to_pandas(), found["quantities"].to_pandas()
