"""All that a manuscript takes, as named parts, and as files."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bayesmyo.cohort.cohort import Cohort
from bayesmyo.errors import UsageError
from bayesmyo.inference.fit import Fit
from bayesmyo.report.blocks import Block, Heading, Items, Paragraph, Table
from bayesmyo.report.paper.baseline import baseline
from bayesmyo.report.paper.flow import flow
from bayesmyo.report.paper.latex import latex
from bayesmyo.report.paper.methods import methods
from bayesmyo.report.paper.sample_size import sample_size
from bayesmyo.report.paper.word import word
from bayesmyo.report.tables import csv_text
from bayesmyo.study.asks import modelled_otherwise
from bayesmyo.study.study import Study


@dataclass(frozen=True)
class Manuscript:
    """Tables and paragraphs of a manuscript.

    Attributes
    ----------
    title : str
        Of the study.
    parts : mapping of str to tuple of Block
        "baseline" and "flow", and where they were asked for "methods" and "sample_size".
    """

    title: str
    parts: Mapping[str, tuple[Block, ...]]

    def __str__(self) -> str:
        """The words of a part, paragraph by paragraph, without its tables."""
        return "\n\n".join(words for blocks in self.parts.values() for words in _words(blocks))

    def files(self) -> dict[str, str]:
        """Name of file -> content: all of it as LaTeX and as HTML for Word, each table as CSV, each text as it is."""
        named = [(Heading(name.replace("_", " ").capitalize()), *blocks) for name, blocks in self.parts.items()]
        every = [b for blocks in named for b in blocks]
        made = {"manuscript.tex": latex(every), "manuscript.html": word(self.title, every)}
        for name, blocks in self.parts.items():
            made |= {f"{t.name}.csv": csv_text(t) for t in blocks if isinstance(t, Table)}
            if words := _words(blocks):
                made[f"{name}.txt"] = "\n\n".join(words) + "\n"
        return made


def manuscript(
    study: Study,
    cohort: Cohort,
    *,
    fit: Fit | None = None,
    power: str | Path | None = None,
    by: str = "",
    smallest: int = 1,
) -> Manuscript:
    """What a manuscript takes: who the patients are, their flow, what was done, and how their number was chosen.

    Parameters
    ----------
    study : Study
        The question.
    cohort : Cohort
        As read from the table, by `bayesmyo.read_cohort`: every declared covariate is described.
    fit : Fit, optional
        Whose methods are told.
    power : str or Path, optional
        A folder of `bayesmyo.power`, whose sample size is told.
    by : str
        A categorical covariate, for a column of each of its levels in the table of patients.
    smallest : int
        No count of patients below it is shown in that table.

    Returns
    -------
    Manuscript
        `str()` of it is its text, and `files()` all of it for LaTeX, Word and a spreadsheet.

    Raises
    ------
    UsageError
        For a fit of another model, and a folder of anything else.

    Examples
    --------
    >>> list(bayesmyo.manuscript(study, cohort).parts)
    ['baseline', 'flow']
    """
    if smallest < 1:
        raise UsageError("--smallest-cell", "must be one or more", str(smallest))
    if fit is not None and (differs := modelled_otherwise(fit.study, study)):
        what = f"is of another model: not the study's {' and '.join(differs)}"
        raise UsageError("--fit", what, f'"{fit.study.title}"', "name a fit of this study")
    parts: dict[str, tuple[Block, ...]] = {
        "baseline": (baseline(study, cohort, by, smallest),),
        "flow": (flow(study, cohort),),
    }
    if fit is not None:
        parts["methods"] = tuple(methods(fit))
    if power is not None:
        parts["sample_size"] = tuple(sample_size(power))
    return Manuscript(study.title, parts)


def _words(blocks: Iterable[Block]) -> list[str]:
    words: list[str] = []
    for b in blocks:
        match b:
            case Paragraph(text) | Heading(text):
                words.append(text)
            case Items(items):
                words += items
    return words
