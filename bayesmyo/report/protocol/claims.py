"""What a claim would be worth: for a protocol."""

from bayesmyo.report.blocks import Block, Cell, Paragraph, Section, Span, Table, note
from bayesmyo.report.numbers import count, number
from bayesmyo.report.sections.planning import share
from bayesmyo.report.simulations import dry_run
from bayesmyo.simulation.power.answer import PowerAnswer
from bayesmyo.simulation.power.claims import Claim
from bayesmyo.simulation.power.rates import Rate
from bayesmyo.simulation.power.words import called, extreme_sentence

READING = (
    "A claim is a decision that is met when a study ends, at whichever look. How often a claim is true follows from what "
    "was held possible before (assurance), and is no property of the rule alone. Bias and coverage among claims are those "
    "of studies that end with one, which is what is published."
)


def claims(answer: PowerAnswer) -> Section:
    """How often each claim is made and is true, what its estimate is then worth, and its error at its worst."""
    rows = tuple(_row(c) for c in answer.claims if c.made.of)
    if not rows:
        return Section("claims", "", ())
    headers = (
        "decision", "truth and design", "patients", "what it is", "claimed", "true, if claimed", "95% Monte Carlo interval",
        "false, if claimed", "bias", "bias, if claimed", "coverage", "coverage, if claimed",
    )  # fmt: skip
    caption = "What a claim would be worth; bias is of the posterior median, in outcome units"
    dry = dry_run(answer.results.plan.engine)
    blocks: list[Block] = [Paragraph(extreme_sentence(x), "claim") for x in answer.extremes if not dry]
    return Section(
        "claims", "What a claim would be worth", (*blocks, Table("claims", caption, headers, rows), note(READING))
    )


def _row(c: Claim) -> tuple[Cell, ...]:
    true, false = c.true or Rate(0, 0, None, None, None, None), c.false or Rate(0, 0, None, None, None, None)
    between = "-" if true.lower is None else Span(share(true.lower, true.mcse), share(true.upper, true.mcse))
    shares = (share(r.value, r.mcse) for r in (c.coverage, c.coverage_made))
    biases = tuple(number(m.value, m.mcse or 0.0) for m in (c.bias, c.bias_made))
    return (
        c.decision, called(c.labels), count(c.patients), c.which, share(c.made.value, c.made.mcse), share(true.value, true.mcse), between,
        share(false.value, false.mcse), *biases, *shares,
    )  # fmt: skip
