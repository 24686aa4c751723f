"""How the number of patients was chosen, as the paragraph of a protocol or a paper, from a power study."""

from pathlib import Path

from bayesmyo.components.numbers import listing
from bayesmyo.errors import UsageError
from bayesmyo.report.blocks import Block, Heading, Items, Paragraph
from bayesmyo.report.sections.planning import UNFINISHED, sentence
from bayesmyo.report.sections.references import REPORTING
from bayesmyo.report.simulations import dry_run, powers
from bayesmyo.simulation.power.answer import power_answer
from bayesmyo.simulation.store import read_results
from bayesmyo.study import describe


def sample_size(folder: str | Path) -> list[Block]:
    """What a power study found of the number of patients: design, rule, how often it is met, with Monte Carlo errors.

    Parameters
    ----------
    folder : str or Path
        Of `bayesmyo.power`.

    Returns
    -------
    list of Block
        A paragraph and its references.

    Raises
    ------
    UsageError
        For a folder of anything else.
    StorageError
        Where the folder cannot be read.
    """
    results = read_results(folder)
    if results.plan.kind != "power":
        raise UsageError(str(folder), "was written by `bayesmyo calibrate`", mend="name a folder of `bayesmyo power`")
    answer, cells = power_answer(results), results.plan.cells
    study = cells[0].study
    said = [dry_run(results.plan.engine), "" if results.complete else UNFINISHED]
    numbers = listing([f"{n:,}" for n in sorted({c.patients for c in cells})])
    said.append("How many patients are needed was asked of simulated studies, each analysed as the study is to be.")
    if study.design is not None:
        said.append(f"Simulated were studies of {describe.design(study, study.design, numbers)}")
    said += [sentence(row) for row in powers(answer)]
    said += list(dict.fromkeys(s.number.sentence for s in answer.smallest))
    cited = [r for r in REPORTING if r.startswith("ADEMP")]
    return [Paragraph(" ".join(filter(None, said))), Heading("References"), Items(tuple(cited))]
