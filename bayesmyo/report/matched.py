"""Truths that could have printed an abstract, as blocks: what was printed, what it fixes, and what it leaves open."""

from collections.abc import Sequence

from bayesmyo.components.numbers import significant
from bayesmyo.report.blocks import SPACE, Block, Cell, Heading, Items, Paragraph, Span, table
from bayesmyo.report.numbers import declared, fixed, number
from bayesmyo.simulation.match import LEFT, NAME, Match, MatchedParameter, Range

Cells = dict[str, Cell]
BAND = "90% interval"


def match(matched: Match) -> list[Block]:
    """What was printed beside what the truths print that were found; then every parameter before and after."""
    printed = {"printed number": "words", "printed": "value", "truths print": "median", BAND: "interval", "p": "tail"}
    rows: list[Cells] = [
        {"words": n.words, "value": declared(n.value), **_range(n.rebuilt), "tail": fixed(n.tail, ".2f")}
        for n in matched.numbers
    ]
    unknown = {"parameter": "name", "prior": "before", "with it": "median", BAND: "interval", "SD left": "left"}
    told = sorted((p for p in matched.parameters if p.left <= LEFT), key=lambda p: p.left)
    blocks: list[Block] = [
        Heading(matched.source),
        table("printed", "What was printed, and what the truths print that were found", printed, rows),
        SPACE,
        table("truths", "What it says of parameters, in the units of scenarios: the most first", unknown, _unknowns(told)),
        SPACE,
    ]  # fmt: skip
    if matched.design:
        caption = "Follow-up and loss, which [design] states"
        blocks += [table("design", caption, unknown, _unknowns(matched.design)), SPACE]
    made = f"Made of {matched.kept:,} of {matched.simulated:,} simulated cohorts."
    if matched.impossible:
        blocks += [Paragraph("What was printed and cannot be"), Items(matched.impossible), SPACE]
    return [*blocks, Items((*matched.sentences, made))]


def added(text: str, matched: Match) -> str:
    """The text of a study with the scenario, in place of an earlier one."""
    kept, skip = [], False
    for line in text.splitlines():
        if line.lstrip().startswith("["):
            header = line.strip().strip("[]").split("]")[0].strip()
            skip = header == f"scenarios.{NAME}" or header.startswith(f"scenarios.{NAME}.")
        if not skip:
            kept.append(line)
    return "\n".join(kept).rstrip() + "\n\n" + matched.scenario


def _unknowns(listed: Sequence[MatchedParameter]) -> list[Cells]:
    return [
        {"name": p.name, "before": _text(p.before), **_range(p.after), "left": fixed(p.left, ".0%")} for p in listed
    ]


def _range(r: Range) -> Cells:
    return {"median": number(r.median), "interval": Span(number(r.lower), number(r.upper))}


def _text(r: Range) -> str:
    return f"{significant(r.median)} ({significant(r.lower)} to {significant(r.upper)})"
