"""Simulation studies beside a fit: would a study like this have told us, and does the method mean what it says?"""

from collections.abc import Mapping
from typing import Any

from bayesmyo.components.numbers import Number
from bayesmyo.report.blocks import Block, Cell, Heading, Paragraph, Section, Span, Table, note
from bayesmyo.report.numbers import count, fixed
from bayesmyo.report.results import Results
from bayesmyo.report.simulations import Simulated

LEAST_P = 0.0001
UNFINISHED = "UNFINISHED: replicates are missing, and the numbers will move. The same command does the rest."


def planning(r: Results) -> Section:
    blocks: list[Block] = [Heading("Power"), *power(r.power), Heading("Calibration"), *calibration(r.calibration)]
    return Section("planning", "Power and calibration", tuple(blocks))


def power(study: Simulated | None) -> list[Block]:
    """How often each decision is met in simulated studies."""
    if study is None:
        return [note("Operating characteristics of the decisions: NOT STATED. No power study was given (--power).")]
    rows = tuple(_power(c) for c in study.rows)
    counts = ("patients", "simulated studies", "failed fits", "met")
    chances = ("probability", "Monte Carlo error", "exact 95% interval", "if the failed had not met it, or had")
    headers = ("decision", "truth", *counts, *chances)
    caption = (
        "How often each decision is met in simulated studies; where it ought not to be met this is the type I error"
    )
    words = [Paragraph(sentence(c)) for c in study.rows]
    return [
        *([] if study.complete else [Paragraph(UNFINISHED, "failed")]),
        *words,
        Table("power", caption, headers, rows),
    ]


def sentence(c: Mapping[str, Any]) -> str:
    """One cell and decision, its numbers as in the table."""
    done = c["replicates"] - c["failed"]
    what = "wrongly met" if c["null"] else "met"
    if c["probability"] is None:
        return f"With {c['patients']:,} patients ({c['truth']}) no study could be fitted."
    failed = f"; {c['failed']:,} more could not be fitted" if c["failed"] else ""
    return (
        f"With {c['patients']:,} patients ({c['truth']}) {c['decision']} is {what} with probability "
        f"{share(c['probability'], c['mcse'])} (exact 95% interval {share(c['lower'], c['mcse'])} to "
        f"{share(c['upper'], c['mcse'])}; {done:,} simulated studies{failed})."
    )


def _power(c: Mapping[str, Any]) -> tuple[Cell, ...]:
    p, low, high, worst, best = (share(c[k], c["mcse"]) for k in ("probability", "lower", "upper", "worst", "best"))
    truth = c["truth"] + (" (not to be met)" if c["null"] else "")
    bounds = Span(worst, best) if c["failed"] else "-"
    counts = (count(c[k]) for k in ("patients", "replicates", "failed", "met"))
    return (c["decision"], truth, *counts, p, fixed(c["mcse"], ".3f"), Span(low, high), bounds)


def calibration(study: Simulated | None) -> list[Block]:
    """Whether truths lie among draws as they should."""
    if study is None:
        return [note("Calibration of the method by simulation: NOT STATED. No calibration was given (--calibration).")]
    kind = {True: "passed", False: "failed", None: "note"}[study.passed]
    headers = tuple(study.rows[0]) if study.rows else ("quantity",)
    rows = tuple(tuple(_calibration(k, row[k]) for k in headers) for row in study.rows)
    caption = "Calibration: truths drawn, cohorts simulated from them and fitted; p is of uniform ranks"
    return [
        *([] if study.complete else [Paragraph(UNFINISHED, "failed")]), *[Paragraph(s, kind) for s in study.sentences],
        Table("calibration", caption, headers, rows, folded=True),
    ]  # fmt: skip


def _calibration(key: str, value: Any) -> Cell:
    if key in ("p", "adjusted"):
        return Number(value, said="<0.0001" if value < LEAST_P else f"{value:.2g}")
    if key.startswith("coverage"):
        return fixed(value, ".2f")
    if isinstance(value, bool):
        return "yes" if value else "no"
    return count(value) if isinstance(value, int) else str(value) or "-"


def share(p: float | None, mcse: float | None) -> Number:
    """A share of replicates, which may truly be none or all of them."""
    return fixed(p, ".3f" if mcse is not None and 0 < mcse < 0.005 else ".2f")
