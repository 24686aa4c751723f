"""The tables of a report as CSV files: full values, and no text that a spreadsheet runs as a formula."""

import csv
import io
import re

from bayesmyo.components.numbers import Number
from bayesmyo.report.blocks import Cell, Table
from bayesmyo.report.page import Page
from bayesmyo.study.clean import inert


def csv_files(page: Page) -> dict[str, str]:
    """File name -> content, one for each table."""
    return {f"{slug(t.name)}.csv": csv_text(t) for t in page.tables}


def csv_text(t: Table) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([inert(h) for h in t.headers])
    writer.writerows([[_written(c) for c in row] for row in t.rows])
    return out.getvalue()


def slug(name: str) -> str:
    """A name that is safe as that of a file."""
    return re.sub(r"[^a-z0-9_-]+", "-", name.lower())[:64]


def _written(cell: Cell) -> str:
    if isinstance(cell, Number):
        return "" if cell.value is None else f"{cell.value:.10g}" if isinstance(cell.value, float) else str(cell.value)
    return inert(str(cell))
