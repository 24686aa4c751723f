"""Other models: the same questions, asked of the same measurements by another likelihood."""

from statistics import NormalDist

from bayesmyo.assess.beside import Beside
from bayesmyo.assess.estimate import DecisionResult, Estimate
from bayesmyo.components.numbers import Number
from bayesmyo.report.answered import estimate
from bayesmyo.report.blocks import WITHHELD, Block, Cell, Heading, Paragraph, Section, Table, note
from bayesmyo.report.numbers import fixed
from bayesmyo.report.results import Results

APART = "Not compared, because the other study asks something else by that name"


def other_models(r: Results) -> Section:
    blocks: list[Block] = []
    if not r.beside:
        families = "; ".join(f"{r.study.label(o)}: {out.family.kind}" for o, out in r.study.outcomes.items())
        how = (
            "Fit a second study with another family or trajectory, and write the report again with --beside "
            "SECOND_FIT; bayesmyo compare ranks the two where it can."
        )
        blocks.append(note(f"Another likelihood: NOT DONE ({families}). {how}"))
    for n, other in enumerate(r.beside, 1):
        blocks += one(r, other, n)
    return Section("other-models", "Other models", tuple(blocks))


def one(r: Results, other: Beside, n: int) -> list[Block]:
    """Another model: how it differs, whether it may be believed, and its answers beside those of this one."""
    blocks: list[Block] = [Heading(other.title)]
    how = "; ".join(other.differs) if other.differs else "the same likelihood; its priors, or what else it asks, differ"
    blocks.append(Paragraph(f"The same measurements, by another model. {how[0].upper()}{how[1:]}."))
    blocks += [Paragraph(f"Its check {c.name} failed. {c.sentence}", "failed") for c in other.failed]
    here = {e.name: e for e in r.estimates}
    rules = {d.name: d for d in r.decisions}
    blocks += [
        Paragraph(turned(rules[d.name], d), "withheld")
        for d in other.decisions
        if both(r, rules[d.name], d) and rules[d.name].met != d.met
    ]
    agreed = [d.name for d in other.decisions if both(r, rules[d.name], d) and rules[d.name].met == d.met]
    if agreed:
        blocks.append(Paragraph(f"Both models come to the same decision: {', '.join(agreed)}.", "passed"))
    rows = [_estimand(r, here[e.name], e) for e in other.estimates] + [
        _decision(r, rules[d.name], d) for d in other.decisions
    ]
    interval = f"{r.study.interval:.0%}"
    ends = (f"{interval} lower", f"{interval} upper")
    headers = ("number", "unit", "median, this model", *ends, "median, other model", *ends, "moves by (SD)")
    blocks.append(Table(f"other_model_{n}", f"This model, and “{other.title}”", headers, tuple(rows)))
    if other.apart:
        blocks.append(note(f"{APART}: {', '.join(other.apart)}."))
    return blocks


def both(r: Results, here: Estimate | DecisionResult, there: Estimate | DecisionResult) -> bool:
    """Whether both may be claimed."""
    return r.says(here) and not there.withheld


def turned(here: DecisionResult, there: DecisionResult) -> str:
    words = {True: "met", False: "not met"}
    return (
        f"The decision {here.name} depends on the model: it is {words[here.met]} here, and {words[there.met]} under "
        "the other."
    )


def moved(here: Estimate, there: Estimate) -> Number:
    """How far the median moves, in SDs of this posterior: those of a normal one with the same interval, which the mean
    need not exist for."""
    sd = (here.upper - here.lower) / (2 * NormalDist().inv_cdf((1 + here.interval) / 2))
    if not sd > 0:
        return fixed(None, "")
    return fixed((there.median - here.median) / sd, "+.1f")


def _estimand(r: Results, here: Estimate, there: Estimate) -> tuple[Cell, ...]:
    own, theirs = ([estimate(e)[k] for k in ("median", "lower", "upper")] for e in (here, there))
    return (here.name, here.unit, *own, *theirs, moved(here, there) if both(r, here, there) else "-")


def _decision(r: Results, here: DecisionResult, there: DecisionResult) -> tuple[Cell, ...]:
    words = ["met" if d.met else "not met" for d in (here, there)]
    own, theirs = (WITHHELD if d.withheld else word for d, word in zip((here, there), words, strict=True))
    return (here.name, "decision", own, "", "", theirs, "", "", "")
