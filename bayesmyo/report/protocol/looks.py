"""Where a study with interim looks would stop."""

from bayesmyo.report.blocks import Block, Cell, Heading, Paragraph, Table
from bayesmyo.report.numbers import count, fixed
from bayesmyo.report.sections.planning import share
from bayesmyo.simulation.power.answer import PowerAnswer
from bayesmyo.simulation.power.words import called

AHEAD = (
    "A study stops for futility where the predictive probability of success at its end is below {below}. At an interim "
    "look the rest of the study is simulated from the posterior (the parameters, and the effects of the patients so far; "
    "losses, missed visits and patients to come as the design says), each of at most {cohorts} completed cohorts is "
    "analysed as the study would be, and the probability is the share of them that meet the decision. Fewer are analysed "
    "where the others could not change what is decided."
)


def looks(answer: PowerAnswer) -> list[Block]:
    """Where a study with interim looks would stop."""
    rows: list[tuple[Cell, ...]] = []
    for s in answer.looks:
        for stop in s.stops:
            met, futile = (share(r.value, r.mcse) for r in (stop.success, stop.futility))
            when = count(stop.look) if stop.date is None else f"{s.unit} {stop.date:g}"
            expected = (share(stop.predictive.value, stop.predictive.mcse),) if stop.predictive else ()
            entered = fixed(stop.patients.value, ".1f")
            rows.append((s.decision, called(s.labels), when, entered, met, futile, *expected))
    headers = [
        "decision",
        "truth and design",
        "look after",
        "patients who have entered",
        "stopped: met",
        "stopped: futile, or ended unmet",
    ]
    headers += ["predictive probability of success, on average"] if any(s.ahead for s in answer.looks) else []
    caption = "Shares of all studies that stop at each look"
    blocks: list[Block] = [Heading("Interim looks"), *_rules(answer)]
    return [*blocks, Table("looks", caption, tuple(headers), tuple(rows)), *_bound(answer)] if rows else []


def _rules(answer: PowerAnswer) -> list[Block]:
    """How looks judge futility."""
    below = next((f"{100 * s.futility:g}%" for s in answer.looks if s.futility is not None), None)
    if below is None:
        return []
    if not any(s.ahead for s in answer.looks):
        return [
            Paragraph(f"A study stops for futility where the probability that its decision looks at is below {below}.")
        ]
    cohorts = answer.results.plan.predictive
    return [Paragraph(AHEAD.format(below=below, cohorts=cohorts.cohorts if cohorts else 0))]


def _bound(answer: PowerAnswer) -> list[Block]:
    """How often decisions are met with stopping for futility, and without."""
    rows: list[tuple[Cell, ...]] = []
    for s in answer.looks:
        if s.futility is not None:
            met = (share(r.value, r.mcse) for r in (s.success, s.unbound))
            what = called(s.labels) + (" (not right to be met)" if s.null else "")
            rows.append((s.decision, what, str(s.labels.get("patients", "-")), *met))
    headers = ("decision", "truth and design", "patients", "met, stopping for futility", "met, never stopping for it")
    caption = "Shares of all studies that meet a decision at any look; the last column holds where stopping for futility does not bind"
    return [Table("futility", caption, headers, tuple(rows))] if rows else []
