"""In plain language: what studies of this size would find, and how far the simulation is."""

from bayesmyo.report.blocks import Block, Paragraph, Section, counted, note
from bayesmyo.report.sections.planning import UNFINISHED
from bayesmyo.report.simulations import dry_run
from bayesmyo.simulation.power.answer import PowerAnswer
from bayesmyo.simulation.store import Results


def standing(results: Results) -> str:
    """What kind of page this is, in a line."""
    if dry := dry_run(results.plan.engine):
        return dry
    if not results.complete:
        return UNFINISHED
    return (
        f"A study that is planned: {counted(len(results.replicates), 'simulated cohort')}, each fitted as the real "
        "one would be."
    )


def summary(results: Results, answer: PowerAnswer) -> Section:
    blocks: list[Block] = []
    if dry := dry_run(results.plan.engine):
        blocks.append(Paragraph(dry, "failed"))
    if not results.complete:
        blocks.append(Paragraph(UNFINISHED, "failed"))
    said = () if dry else answer.chosen()
    blocks += [Paragraph(s, "claim") for s in said]
    if said and len(said) < len(answer.sentences):
        blocks.append(note("What every design would find is in the table under Power."))
    if failed := int((results.replicates["stage"] != "done").sum()):
        blocks.append(
            note(f"{failed:,} of {len(results.replicates):,} cohorts could not be fitted; they are counted beside.")
        )
    return Section("summary", "In plain language", tuple(blocks))
