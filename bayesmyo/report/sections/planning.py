"""Simulation studies beside a fit: would a study like this have told us, and does the method mean what it says?"""

from collections.abc import Mapping, Sequence
from typing import Any

from bayesmyo.report.blocks import Block, Cell, Number, Paragraph, Section, Table
from bayesmyo.report.numbers import count, decimals
from bayesmyo.report.results import Results

Rows = Sequence[Mapping[str, Any]]


def planning(r: Results) -> Section:
    blocks: list[Block] = [*power(r.power), *calibration(r.calibration)]
    return Section("planning", "Power and calibration", tuple(blocks))


def power(cells: Rows) -> list[Block]:
    """Of the cells of a power study. Each: scenario, patients, decision, replicates, failed, met, probability, mcse."""
    if not cells:
        return [Paragraph("Operating characteristics of the decisions: NOT STATED. No power study was given.", "note")]
    rows: list[tuple[Cell, ...]] = []
    sentences = []
    for c in cells:
        p, mcse = float(c["probability"]), float(c["mcse"])
        shown = chance_of(p, mcse)
        rows.append((
            str(c["scenario"]), count(int(c["patients"])), str(c["decision"]), count(int(c["replicates"])), count(int(c["failed"])), count(int(c["met"])),
            shown, decimals(mcse, 3),
        ))  # fmt: skip
        sentences.append(
            f"In the scenario {c['scenario']} with {int(c['patients']):,} patients, {c['decision']} is met with probability {shown.text} "
            f"(Monte Carlo error {mcse:.3f}; {int(c['replicates']):,} simulated cohorts, {int(c['failed']):,} of which could not be fitted)."
        )
    headers = (
        "scenario",
        "patients",
        "decision",
        "simulated cohorts",
        "failed fits",
        "met",
        "probability",
        "Monte Carlo error",
    )
    caption = (
        "How often each decision is met in simulated cohorts; under a scenario without change this is the type I error"
    )
    return [*[Paragraph(s) for s in sentences], Table("power", caption, headers, tuple(rows))]


def calibration(rows: Rows) -> list[Block]:
    """Of the table of a calibration, whatever its columns: the first names the quantity."""
    if not rows:
        return [Paragraph("Calibration of the method by simulation: NOT STATED. No calibration was given.", "note")]
    headers = tuple(str(k) for k in rows[0])
    found = tuple(tuple(_cell(row.get(h)) for h in headers) for row in rows)
    return [
        Table(
            "calibration",
            "Calibration: cohorts simulated from known truths, fitted, and compared with them",
            headers,
            found,
        )
    ]


def chance_of(p: float, mcse: float) -> Number:
    """A share of replicates, which may truly be all or none of them."""
    return Number(p, f"{p:.3f}" if mcse < 0.005 else f"{p:.2f}")


def _cell(value: Any) -> Cell:
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "-"}[value]
    if isinstance(value, int):
        return count(value)
    return decimals(value, 3) if isinstance(value, float) else str(value)
