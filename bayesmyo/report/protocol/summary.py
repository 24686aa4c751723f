"""In plain language: what studies of this size would find, and how far the simulation is."""

from bayesmyo.report.blocks import Block, Paragraph, Section, counted
from bayesmyo.report.sections.planning import UNFINISHED
from bayesmyo.report.simulations import dry_run
from bayesmyo.simulation.power.answer import PowerAnswer
from bayesmyo.simulation.store import Results


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
    said = () if dry else answer.chosen()
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
