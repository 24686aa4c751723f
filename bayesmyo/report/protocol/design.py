"""Whom, and when; and what is taken to be true."""

from collections.abc import Mapping, Sequence

from bayesmyo.components.numbers import listing
from bayesmyo.model import planned
from bayesmyo.report.blocks import Block, Cell, Heading, Paragraph, Section, Span, Table
from bayesmyo.report.numbers import number
from bayesmyo.report.sections.planning import share
from bayesmyo.simulation.cell import Cell as Simulation
from bayesmyo.simulation.power.words import designed
from bayesmyo.study import describe
from bayesmyo.study.scenarios import stated_values
from bayesmyo.study.study import Study

PREDICTIVE = "Truths are draws from the posterior of a fit: what is asked is the predictive power of a further study."


def design(cells: Sequence[Simulation]) -> Section:
    """Every design that was simulated, what it comes to, and what is true."""
    study, unit = cells[0].study, cells[0].study.time.unit
    designs = {}
    for c in cells:
        label = designed(c.labels)
        if c.study.design is not None and label not in designs:
            designs[label] = c.study.design
    schedules = {label: planned.schedule(study, d) for label, d in designs.items()}
    times = [t for t in next(iter(schedules.values())).seen if t > next(iter(designs.values())).visits.first[0]]
    rows: list[tuple[Cell, ...]] = []
    for label, s in schedules.items():
        low, mean, high = (f"{v:.3g}" for v in s.visits)
        seen = (share(s.seen[t], None) for t in times)
        rows.append((label, f"{mean} ({low} to {high})", number(s.last[1]), share(s.lost, None), *seen))
    seen_at = (f"has the visit planned for {unit} {t:g}, or a later one" for t in times)
    headers = ("design", "visits of a patient (nine of ten)", f"last visit, {unit}", "lost before the end", *seen_at)
    numbers = listing([f"{n:,}" for n in sorted({c.patients for c in cells})])
    text = describe.design(study, next(iter(designs.values())), numbers)
    blocks: list[Block] = [
        Paragraph(text if len(designs) == 1 else f"{len(designs)} designs were simulated; the first: {text}"),
        Table("designs", "What each design comes to: shares of patients", headers, tuple(rows)),
    ]
    return Section("design", "Whom, and when", (*blocks, *_truths(cells)))


def _truths(cells: Sequence[Simulation]) -> list[Block]:
    """What is true in each scenario, and which decisions would be right."""
    named = {c.truths: c for c in cells if isinstance(c.truths, str)}
    blocks: list[Block] = []
    rows: list[tuple[Cell, ...]] = []
    for scenario, c in named.items():
        study = c.study
        title = study.scenarios[scenario].title
        for estimand, v in planned.true_values(study, scenario, c.analysis.decisions).items():
            reach = Span(number(v.lower), number(v.upper)) if v.lower is not None else "-"
            right = "; ".join(f"{d}: {v.verdict(d)}" for d in v.right)
            rows.append((scenario + (f" ({title})" if title else ""), estimand, number(v.value), reach, right or "-"))
    if rows:
        value, nine = "true value (the median, where it varies)", "nine of ten true values"
        caption = "True values; where a decision is not right to be met, its power is its type I error"
        headers = ("scenario", "estimand", value, nine, "right to be met")
        blocks += [Heading("What is taken to be true"), Table("truths", caption, headers, tuple(rows))]
    if named:
        blocks.append(_values({name: c.study for name, c in named.items()}))
    if any(not isinstance(c.truths, str) for c in cells):
        blocks.append(Paragraph(PREDICTIVE))
    return blocks


def _values(studies: Mapping[str, Study]) -> Table:
    """Every parameter that the scenarios state, an SD between patients among them."""
    stated_in = {name: stated_values(study.scenarios, name) for name, study in studies.items()}
    keys = dict.fromkeys((o, k) for values in stated_in.values() for o, own in values.items() for k in own)
    listed = {(o, k): [values.get(o, {}).get(k, "-") for values in stated_in.values()] for o, k in keys}
    rows = tuple(
        (f"{o}: {k}", *(f"{v:g}" if isinstance(v, float | int) else str(v) for v in values))
        for (o, k), values in listed.items()
    )
    caption = "What each scenario states: levels in outcome units, SDs and correlations on the scale of the model"
    return Table("scenario_values", caption, ("parameter", *stated_in), rows, folded=len(rows) > 20)
