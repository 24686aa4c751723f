"""A report: sections put together, and written as HTML, Markdown and tables."""

from dataclasses import dataclass, replace

from bayesmyo.report.blocks import Section, Table
from bayesmyo.report.results import Results
from bayesmyo.report.sections import SECTIONS
from bayesmyo.report.standing import standing


@dataclass(frozen=True)
class Page:
    """title: of the study; sections in reading order; trusted: whether no check failed; standing: how they stand, in a
    sentence."""

    title: str
    sections: tuple[Section, ...]
    trusted: bool
    standing: str

    @property
    def tables(self) -> tuple[Table, ...]:
        return tuple(b for s in self.sections for b in s.blocks if isinstance(b, Table))


def page(r: Results) -> Page:
    """All sections of a report: the first stands alone, the others fold."""
    first, *others = (made for section in SECTIONS if (made := section(r)))
    sections = (first, *(replace(section, folded=True) for section in others))
    return Page(r.study.title, sections, not r.failed, standing(r.checks))
