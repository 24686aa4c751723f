"""Priors in clinical units beside posteriors, where they come from, and what they believe of patients before any
data."""

import numpy as np

from bayesmyo import figures
from bayesmyo.assess.checks import CheckResult
from bayesmyo.assess.evidence import evidence
from bayesmyo.report.blocks import WITHHELD, Block, Cell, Heading, Paragraph, Section, Span, Table, Terms, stated
from bayesmyo.report.draws import quantiles
from bayesmyo.report.known import evidence as of_evidence
from bayesmyo.report.numbers import fixed, number, spread
from bayesmyo.report.pictures import picture
from bayesmyo.report.results import Results
from bayesmyo.study import describe
from bayesmyo.study.describe import PriorLine
from bayesmyo.study.parameters import Parameter, all_parameters

NEW_PATIENT = "One measurement of a new patient by the priors alone"


def priors(r: Results) -> Section:
    rationale = next(c for c in r.checks if c.name == "prior rationale")
    blocks: list[Block] = [
        Paragraph(
            "Default priors stand on the typical value and the spread that the study declares for each outcome, never "
            "on the data. Levels are in outcome units. Where the model works on the log, differences and SDs are "
            "factors; where it works on the logit, differences are odds ratios, and SDs stay on the logit."
        ),
        *why(r, rationale),
        table(r),
        written(r),
        *known(r),
        Heading("What the priors believe of patients"),
        Paragraph(r.prior_check.sentence, "passed" if r.prior_check.passed else "failed"),
        beliefs(r),
        picture(figures.priors(r.study), "figure-priors", NEW_PATIENT, alternative(r)),
    ]
    return Section("priors", "Priors, beside what the data made of them", tuple(blocks))


def known(r: Results) -> list[Block]:
    """What was published before, and what it comes to; nothing where the study states none."""
    if not r.study.evidence:
        return []
    rows = evidence(r.study)
    alternative = " ".join(sentence for k in rows for sentence in k.sentences)
    return [
        Heading("What was known before the first patient"),
        Paragraph("It is part of the model: the priors above hold beside it, and where it does not."),
        *of_evidence(rows, r.study),
        picture(figures.evidence(r.study, rows), "figure-evidence", "What was published, and its prior", alternative),
    ]


def why(r: Results, rationale: CheckResult) -> list[Block]:
    """What the author says of the priors; of defaults alone, where they come from is enough."""
    if not r.stated.priors.strip() and not any(p.stated for p in describe.priors(r.study)):
        return [Paragraph(f"{rationale.sentence} The author says no more of them.", "plain")]
    return [
        Terms((("Why these priors, and from what source", stated(r.stated.priors)),)),
        Paragraph(rationale.sentence, "passed" if rationale.passed else "failed"),
    ]


def table(r: Results) -> Table:
    """Every parameter: its prior, and both intervals in clinical units."""
    interval = f"{r.study.interval:.0%}"
    lines = {f"{p.outcome}.{p.parameter}": p for p in describe.priors(r.study)}
    rows: list[tuple[Cell, ...]] = []
    for p in all_parameters(r.study):
        line = lines[p.full_name]
        outcomes = (p.outcome,) if p.outcome in r.study.outcomes else tuple(r.study.outcomes)
        posterior = (WITHHELD, WITHHELD) if r.held(*outcomes) else _posterior(r, p)
        _, unit, reach = prior_cells(line)
        rows.append((p.full_name.replace(".", ": ", 1), unit, reach, *posterior))
    before, after = f"prior: typical value ({interval} between)", f"posterior {interval} interval"
    headers = ("parameter", "clinical unit", before, "posterior median", after)
    caption = "Priors and posteriors of every parameter, in clinical units"
    return Table("priors_and_posteriors", caption, headers, tuple(rows))


def written(r: Results) -> Table:
    """Every prior as a study file writes it, on the scale of the model."""
    rows = tuple(
        (f"{p.outcome}: {p.parameter}", p.prior, "stated" if p.stated else "default") for p in describe.priors(r.study)
    )
    caption = "Priors as a study file writes them, on the scale of the model"
    return Table("priors_as_written", caption, ("parameter", "prior", "from"), rows, folded=True)


def prior_cells(line: PriorLine) -> tuple[Cell, Cell, Cell]:
    """A prior as it is written, its clinical unit, and what it holds likely there."""
    reach = spread(line.median, line.lower, line.upper)
    return line.prior + ("" if line.stated else " (default)"), line.natural_unit, reach


def _posterior(r: Results, p: Parameter) -> tuple[Cell, Cell]:
    draws = np.asarray(p.natural(r.fit.group("posterior")[p.full_name].values), dtype=float)
    lower, median, upper = quantiles(draws, r.study.interval)
    return median, Span(lower, upper)


def beliefs(r: Results) -> Table:
    """What a measurement of a new patient would be, at a few times."""
    rows: list[tuple[Cell, ...]] = []
    for b in r.beliefs:
        what = f"{r.study.label(b.outcome)}, {r.study.time.unit} {b.time:g}"
        rows.append((what, b.unit, *map(number, (b.median, b.lower, b.upper)), fixed(b.plausible, ".0%")))
    headers = ("measurement of a new patient", "unit", "median", "lower", "upper", "in the plausible range")
    caption = f"What the priors believe, with {r.study.interval:.0%} intervals"
    return Table("prior_beliefs", caption, headers, tuple(rows))


def alternative(r: Results) -> str:
    parts = [
        f"{r.study.label(b.outcome)} at {r.study.time.unit} {b.time:g}: {spread(b.median, b.lower, b.upper)} {b.unit}"
        for b in r.beliefs
    ]
    return "Median and interval of one measurement of a new patient drawn from the priors. " + "; ".join(parts) + "."
