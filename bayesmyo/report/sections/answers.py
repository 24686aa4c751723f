"""What was asked and what the fit answers: every estimand and decision as a sentence bound to its draws, and as a table."""

from bayesmyo import figures
from bayesmyo.assess.estimate import DecisionResult, Estimate
from bayesmyo.assess.sensitivity import EMPTY
from bayesmyo.components.numbers import chance_error
from bayesmyo.report.blocks import Block, Cell, Heading, Number, Paragraph, Section, Table, claims
from bayesmyo.report.numbers import chance, declared, error_of, number
from bayesmyo.report.pictures import picture
from bayesmyo.report.results import Results
from bayesmyo.report.sections.cautions import compared
from bayesmyo.report.sections.each_patient import each_patient

WITHHELD = "withheld"
HOW = (
    "Every number names whose it is: “these patients” is the average over the patients in the table; “all such patients” the average over all "
    "patients like them, which is less certain; a new patient is one to come. An interval of 95 % holds the number with probability 0.95, if the model "
    "and its priors are right."
)


def answers(r: Results) -> Section:
    blocks: list[Block] = [
        Paragraph(HOW.replace("95 %", f"{r.study.interval:.0%}").replace("0.95", f"{r.study.interval:g}"))
    ]
    if not r.estimates:
        blocks.append(Paragraph("The study declares no estimand: nothing was asked.", "note"))
        return Section("answers", "Answers", tuple(blocks))
    over_time = [e for e in r.study.estimands.values() if e.compares and e.contrast is None]
    during = f"during {r.study.treatment}" if r.study.treatment else "over time"
    if over_time:
        blocks.append(Paragraph(f"Without a control group every change is a change {during}, never an effect.", "note"))
    if r.contrasts:
        blocks.append(Paragraph(compared(r), "note"))
    blocks += claims([(e.name, e.sentence) for e in r.estimates])
    blocks += [estimands(r), resolution(r)]
    claimed = [e for e in r.estimates if r.says(e)]
    if not r.fit.shared and len(claimed) == len(r.estimates):
        blocks.append(
            picture(figures.estimates(r.fit), "figure-estimates", "Every estimand, with the interval of the prior alone behind it", alternative(r, claimed))
        )  # fmt: skip
    elif not r.fit.shared:
        blocks.append(
            Paragraph("The figure of all estimands is left out, because some of them are withheld.", "withheld")
        )
    if r.decisions:
        blocks += [Heading("Decisions"), *claims([(d.name, d.sentence) for d in r.decisions]), decisions(r)]
    blocks += each_patient(r)
    if r.correlations:
        blocks += [Heading("How patients' outcomes hang together"), *correlations(r)]
    blocks.append(
        Paragraph(
            "No Bayes factor is reported: none means anything without the odds that were given to the models before the data.",
            "note",
        )
    )
    return Section("answers", "Answers", tuple(blocks))


def estimands(r: Results) -> Table:
    interval = f"{r.study.interval:.0%}"
    headers = (
        "estimand",
        "population",
        "median",
        f"{interval} lower",
        f"{interval} upper",
        "unit",
        "probability",
        "of being",
        "prior or data",
    )
    return Table(
        "estimands", "Every estimand, with its uncertainty", headers, tuple(_estimand(r, e) for e in r.estimates)
    )


def _estimand(r: Results, e: Estimate) -> tuple[Cell, ...]:
    who = e.population + (", one measurement" if e.predicts == "measurement" else "")
    who += f" ({e.summary})" if e.summary in ("mean", "geometric mean") else ""
    of = f"{e.direction} {declared(e.threshold).text}" if e.direction else "-"
    if not r.says(e):
        return (e.name, who, *([WITHHELD] * 3), e.unit, WITHHELD, of, _verdict(r, e))
    how = e.written
    p = Number(e.probability, how.chance(e.probability)) if e.probability is not None else Number(None, "-")
    bounds = (Number(v, how.amount(v)) for v in (e.median, e.lower, e.upper))
    return (e.name, who, *bounds, e.unit, p, of, _verdict(r, e))


def _verdict(r: Results, row: Estimate | DecisionResult) -> str:
    """Prior against data; nothing of what no check lets through."""
    return WITHHELD if r.held(*row.outcomes) and row.verdict != EMPTY else row.verdict or "-"


def resolution(r: Results) -> Table:
    """What the number of draws leaves open."""
    rows: list[tuple[Cell, ...]] = []
    for e in r.estimates:
        lower, median, upper = (error_of(v or None) for v in e.errors)
        p = error_of(chance_error(e.probability, e.ess)) if e.probability is not None else Number(None, "-")
        rows.append((e.name, e.unit, median, lower, upper, p, number(e.ess)))
    headers = (
        "estimand",
        "unit",
        "error of the median",
        "of the lower end",
        "of the upper end",
        "of the probability",
        "effective draws",
    )
    caption = "Monte Carlo errors: by so much would other draws from the same posterior give other numbers; no digit below them is shown"
    return Table("monte_carlo_errors", caption, headers, tuple(rows), folded=True)


def alternative(r: Results, rows: list[Estimate]) -> str:
    """The figure's numbers, those of the table."""
    parts = []
    for e in rows:
        how = e.written
        lower, median, upper = (how.amount(v) for v in (e.lower, e.median, e.upper))
        parts.append(f"{e.name} ({e.population}): {median} ({lower} to {upper}) {e.unit}")
    return f"Median and {r.study.interval:.0%} interval of each estimand. " + "; ".join(parts) + "."


def decisions(r: Results) -> Table:
    headers = (
        "decision",
        "kind",
        "estimand",
        "met",
        "probability",
        "margin",
        "Monte Carlo error of the margin",
        "prior or data",
    )
    return Table(
        "decisions",
        "Every decision, and the margin by which its rule is met or missed",
        headers,
        tuple(_decision(r, d) for d in r.decisions),
    )


def _decision(r: Results, d: DecisionResult) -> tuple[Cell, ...]:
    if not r.says(d):
        return (d.name, d.kind, d.estimand, *([WITHHELD] * 3), "-", _verdict(r, d))
    p = Number(None, "-") if d.probability is None else chance(d.probability, chance_error(d.probability, d.ess))
    return (
        d.name,
        d.kind,
        d.estimand,
        "yes" if d.met else "no",
        p,
        number(d.margin, d.mcse),
        error_of(d.mcse),
        _verdict(r, d),
    )


def correlations(r: Results) -> list[Block]:
    """Sentences about changes, and the table of all."""
    own = [c for c in r.correlations if c.first.endswith(" change") and c.second.endswith(" change")] or list(
        r.correlations
    )
    rows: list[tuple[Cell, ...]] = []
    for c in r.correlations:
        before = f"{c.prior_lower:.2f} to {c.prior_upper:.2f}"
        if r.held(*c.outcomes):
            rows.append((c.first, c.second, WITHHELD, WITHHELD, before))
        else:
            rows.append(
                (c.first, c.second, Number(c.median, f"{c.median:.2f}"), f"{c.lower:.2f} to {c.upper:.2f}", before)
            )
    interval = f"{r.study.interval:.0%} interval"
    headers = ("patients' own", "and", "correlation", interval, f"prior's {interval}")
    caption = (
        "Correlations between what patients start with and how they change; with few patients much of them is prior. Here a change is a rise; "
        "the sentences tell improvements, so r has the other sign there where a fall is one"
    )
    said = [(f"{c.first} with {c.second}", c.sentence) for c in own]
    return [*claims(said), Table("correlations", caption, headers, tuple(rows))]
