"""In plain language: what studies of this size would find, and how far the simulation is."""

from collections.abc import Sequence

from bayesmyo.report.blocks import Block, Paragraph, Section, counted
from bayesmyo.report.sections.planning import UNFINISHED
from bayesmyo.report.simulations import dry_run
from bayesmyo.simulation.power.answer import PowerAnswer
from bayesmyo.simulation.power.words import designed
from bayesmyo.simulation.store import Results

MOST = 12  # sentences


def standing(found: Results) -> str:
    """What kind of page this is, in a line."""
    if dry := dry_run(found.plan.engine):
        return dry
    if not found.complete:
        return UNFINISHED
    return f"A study that is planned: {counted(len(found.replicates), 'simulated cohort')}, each fitted as the real one would be."


def summary(found: Results, answer: PowerAnswer) -> Section:
    blocks: list[Block] = []
    if dry := dry_run(found.plan.engine):
        blocks.append(Paragraph(dry, "failed"))
    if not found.complete:
        blocks.append(Paragraph(UNFINISHED, "failed"))
    said = () if dry else _chosen(answer)
    blocks += [Paragraph(s, "claim") for s in said]
    if said and len(said) < len(answer.sentences):
        blocks.append(Paragraph("What every design would find is in the table under Power.", "note"))
    if failed := int((found.replicates["stage"] != "done").sum()):
        blocks.append(
            Paragraph(
                f"{failed:,} of {len(found.replicates):,} cohorts could not be fitted; they are counted beside.", "note"
            )
        )
    return Section("summary", "In plain language", tuple(blocks))


def _chosen(answer: PowerAnswer) -> Sequence[str]:
    """All sentences, or where they are many those of one design and the middle number of patients, and how many patients it takes."""
    last = answer.last()
    if len(answer.sentences) <= MOST or not last:
        return answer.sentences
    numbers = sorted({d.look for d in last})
    first = designed(last[0].labels)
    own = [
        s
        for d, s in zip(last, answer.sentences, strict=False)
        if d.look == numbers[len(numbers) // 2] and designed(d.labels) == first
    ]
    return [*own, *answer.sentences[len(last) :]]
