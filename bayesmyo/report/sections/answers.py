"""What was asked and what the fit answers: every estimand and decision as a sentence bound to its draws, and as a
table."""

from bayesmyo import figures
from bayesmyo.assess.correlations import Correlation
from bayesmyo.assess.estimate import DecisionResult, Estimate
from bayesmyo.assess.verdict import explained
from bayesmyo.report.answered import correlation, decision, estimate, of_changes, verdict_of
from bayesmyo.report.blocks import WITHHELD, Block, Cell, Heading, Paragraph, Section, Span, Table, claims, note, table
from bayesmyo.report.numbers import error_of, number
from bayesmyo.report.pictures import picture
from bayesmyo.report.results import Results
from bayesmyo.report.sections.cautions import compared
from bayesmyo.report.sections.each_patient import each_patient

HOW = (
    "Every number names whose it is: “these patients” is the average over the patients in the table; “all such "
    "patients” the average over all patients like them, which is less certain; a new patient is one to come. An "
    "interval of 95 % holds the number with probability 0.95, if the model and its priors are right."
)
FEW = 8  # rows of a table that is open
BEHIND = "Every estimand, with the interval of the prior alone behind it"
NO_FACTOR = (
    "No Bayes factor is reported: none means anything without the odds that were given to the models before the data."
)


def answers(r: Results) -> Section:
    blocks: list[Block] = [
        Paragraph(HOW.replace("95 %", f"{r.study.interval:.0%}").replace("0.95", f"{r.study.interval:g}"))
    ]
    if not r.estimates:
        blocks.append(note("The study declares no estimand: nothing was asked."))
        return Section("answers", "Answers", tuple(blocks))
    over_time = [e for e in r.study.estimands.values() if e.compares and e.contrast is None]
    during = f"during {r.study.treatment}" if r.study.treatment else "over time"
    if over_time:
        blocks.append(note(f"Without a control group every change is a change {during}, never an effect."))
    if r.contrasts:
        blocks.append(note(compared(r)))
    blocks += claims([(e.name, e.sentence) for e in r.estimates])
    blocks += [estimands(r), *map(note, explained(map(verdict_of, r.estimates))), resolution(r)]
    said = [e for e in r.estimates if r.says(e)]
    if said and not r.fit.shared:
        blocks.append(
            picture(figures.estimates(r.fit, said=r.claims), "figure-estimates", BEHIND, alternative(r, said))
        )
    if r.decisions:
        blocks += [Heading("Decisions"), *claims([(d.name, d.sentence) for d in r.decisions]), decisions(r)]
    blocks += each_patient(r)
    if r.correlations:
        blocks += [Heading("How patients' outcomes hang together"), *correlations(r)]
    return Section("answers", "Answers", (*blocks, note(NO_FACTOR)))


def estimands(r: Results) -> Table:
    """Every estimand, from the cells that a terminal shows too."""
    interval = f"{r.study.interval:.0%}"
    ends = {f"{interval} {end}": end for end in ("lower", "upper")}
    columns = {"estimand": "name", "population": "who", "median": "median", **ends, "unit": "unit"}
    columns |= {"probability": "probability", "of being": "event", "verdict": "verdict"}
    rows = [estimate(e) | {"who": _who(e), "verdict": _verdict(r, e)} for e in r.estimates]
    return table("estimands", "Every estimand, with its uncertainty", columns, rows)


def _who(e: Estimate) -> str:
    """Whose number it is."""
    one = ", one measurement" if e.predicts == "measurement" else ""
    return e.population + one + (f" ({e.summary})" if e.summary in ("mean", "geometric mean") else "")


def _verdict(r: Results, row: Estimate | DecisionResult | Correlation) -> str:
    """Prior against data; of what a check withholds, that it is withheld."""
    return WITHHELD if row.withheld and r.held(*row.outcomes) else verdict_of(row) or "-"


def resolution(r: Results) -> Table:
    """What the number of draws leaves open."""
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (e.name, e.unit, *(error_of(n.error or None) for n in (median, lower, upper)), error_of(e.chance.error or None), number(e.ess))
        for e in r.estimates for lower, median, upper in [e.numbers]
    )  # fmt: skip
    errors = ("error of the median", "of the lower end", "of the upper end", "of the probability")
    headers = ("estimand", "unit", *errors, "effective draws")
    caption = (
        "Monte Carlo errors: by so much would other draws from the same posterior give other numbers; no digit below "
        "them is shown"
    )
    return Table("monte_carlo_errors", caption, headers, rows, folded=True)


def alternative(r: Results, rows: list[Estimate]) -> str:
    """The figure's numbers, those of the table."""
    parts = [
        f"{e.name} ({e.population}): {median} ({Span(lower, upper)}) {e.unit}"
        for e in rows for lower, median, upper in [e.numbers]
    ]  # fmt: skip
    return f"Median and {r.study.interval:.0%} interval of each estimand. " + "; ".join(parts) + "."


def decisions(r: Results) -> Table:
    """Every decision, from the cells that a terminal shows too."""
    columns = {k: k for k in ("kind", "estimand", "met", "probability", "margin")}
    columns = {"decision": "name", **columns, "Monte Carlo error of the margin": "error", "verdict": "verdict"}
    rows = [decision(d) | {"verdict": _verdict(r, d)} for d in r.decisions]
    return table("decisions", "Every decision, and the margin by which its rule is met or missed", columns, rows)


def correlations(r: Results) -> list[Block]:
    """Sentences about changes, and the table of all."""
    interval = f"{r.study.interval:.0%} interval"
    columns = {
        "patients' own": "first",
        "and": "second",
        "correlation": "r",
        interval: "interval",
        "before the data": "before",
        f"prior's {interval}": "prior",
        "verdict": "verdict",
    }
    caption = (
        "Correlations between what patients start with and how they change; with few patients much of them is prior. "
        "Here a change is a rise; the sentences tell improvements, so r has the other sign there where a fall is one"
    )
    rows = [correlation(c) | {"verdict": _verdict(r, c)} for c in r.correlations]
    said = [(f"{c.first} with {c.second}", c.sentence) for c in of_changes(r.correlations)]
    return [*claims(said), table("correlations", caption, columns, rows, folded=len(rows) > FEW)]
