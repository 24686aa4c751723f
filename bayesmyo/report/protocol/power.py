"""How often each decision is met, how many patients it takes, and where a study with looks would stop."""

from collections.abc import Sequence

from bayesmyo.figures.drift_curves import drift_curves
from bayesmyo.figures.power_curves import power_curves
from bayesmyo.report.blocks import Block, Cell, Heading, Section, Span, Table, note
from bayesmyo.report.numbers import count, fixed, number
from bayesmyo.report.pictures import picture
from bayesmyo.report.protocol.looks import looks
from bayesmyo.report.sections.planning import share
from bayesmyo.simulation.power.answer import PowerAnswer
from bayesmyo.simulation.power.drift import DRIFT
from bayesmyo.simulation.power.operating import FOR, DecisionPower
from bayesmyo.simulation.power.rates import Rate
from bayesmyo.simulation.power.words import called, rounded_up


def power(answer: PowerAnswer, target: float) -> Section:
    """Operating characteristics of every decision."""
    last = answer.last()
    methods = list(dict.fromkeys(m.split(FOR)[0] for d in last for m in d.comparators if FOR in m))
    rows = tuple(_row(d, methods) for d in last)
    headers = (
        *("decision", "truth and design", "patients", "true value", "studies", "not fitted"),
        *("met", "Monte Carlo error", "exact 95% interval", "if those not fitted had not met it, or had"),
        *("mean probability", *(f"by {m}" for m in methods)),
    )
    caption = "How often each decision is met; where it is not right to be met this is the type I error"
    blocks: list[Block] = []
    if any(d.rate.value is not None for d in last):
        words = "; ".join(
            f"{d.decision}, {called(d.labels)}, {d.look} patients: {share(d.rate.value, d.rate.mcse)}" for d in last
        )
        over_drift = any(DRIFT in d.labels for d in last)
        drawn = drift_curves(answer.decisions) if over_drift else power_curves(answer.decisions, target)
        over = "over how far published numbers lie from the truth" if over_drift else "by the number of patients"
        blocks.append(picture(drawn, "figure-power", f"How often each decision is met, {over}", words))
    blocks.append(Table("power", caption, headers, rows))
    if methods:
        blocks.append(note("Other methods judge the same rule on the same cohorts, as a flat prior would make it."))
    return Section("power", "Power", (*blocks, *_thresholds(answer), *_smallest(answer), *looks(answer)))


def _thresholds(answer: PowerAnswer) -> list[Block]:
    """What probability decisions should ask for, and what follows."""
    if not answer.thresholds:
        return []
    rows: list[tuple[Cell, ...]] = []
    for t in answer.thresholds:
        n, design = t.number, called({k: v for k, v in t.labels.items() if k != "patients"})
        ends = "-" if n.lower is None or n.upper is None else f"{n.lower:.4f} to {n.upper:.4f}"
        solved = "-" if n.value is None else rounded_up(n.value)
        for j in t.scenarios:
            what = f"{j.scenario} (not right to be met)" if j.null else j.scenario
            who = (t.decision, design, str(t.labels.get("patients", "-")), what, count(j.declared.of))
            rows.append((*who, f"{t.declared:g}", *_met(j.declared), solved, ends, *_met(j.solved)))
    headers = (
        *("decision", "design", "patients", "truth", "studies", "declared", "met", "Monte Carlo error"),
        *("solved for", "95% interval", "met with that", "its Monte Carlo error"),
    )
    allowed = f"{100 * answer.thresholds[0].number.alpha:g}%"
    caption = f"The probability that is asked for: as declared, and with a type I error of at most {allowed}"
    return [Heading("The threshold"), Table("thresholds", caption, headers, tuple(rows))]


def _met(r: Rate | None) -> tuple[Cell, Cell]:
    """A share of studies and its Monte Carlo error."""
    return (share(r.value, r.mcse), fixed(r.mcse or None, ".4f")) if r else ("-", "-")


def _smallest(answer: PowerAnswer) -> list[Block]:
    """How many patients a power asks for."""
    rows: list[tuple[Cell, ...]] = []
    for s in answer.smallest:
        value = "-" if s.number.value is None else f"{s.number.value:g}"
        ends = (
            f"{s.number.lower:g} to {s.number.upper:g}"
            if s.number.lower is not None and s.number.upper is not None
            else "-"
        )
        rows.append((s.decision, called(s.labels), share(s.number.target, None), value, ends, s.number.sentence))
    long = any(s.axis == "follow_up" for s in answer.smallest)
    what, heading, least = (
        ("follow-up", "How long a follow-up", "shortest follow-up")
        if long
        else ("patients", "How many patients", "smallest number of patients")
    )
    headers = ("decision", "truth and design", "power asked for", what, "95% interval", "in words")
    caption = f"The {least} with that power; the interval is Monte Carlo error"
    return [Heading(heading), Table("smallest", caption, headers, tuple(rows))] if rows else []


def _row(d: DecisionPower, methods: Sequence[str]) -> tuple[Cell, ...]:
    r, lost = d.rate, sum(d.failed.values())
    bounds = Span(share(d.worst, r.mcse), share(d.best, r.mcse)) if lost else "-"
    beside = [d.comparators.get(f"{m}{FOR}{d.decision}") for m in methods]
    what = called(d.labels) + (" (not right to be met)" if d.null else "")
    exact = Span(share(r.lower, r.mcse), share(r.upper, r.mcse)) if r.of else "-"
    who = (d.decision, what, count(d.look), number(None if d.assurance else d.truth), count(d.replicates), count(lost))
    met = (
        share(r.value, r.mcse),
        fixed(r.mcse or None, ".3f"),
        exact,
        bounds,
        share(d.expected.value, d.expected.mcse),
    )
    return (*who, *met, *(share(b.value, b.mcse) if b else number(None) for b in beside))
