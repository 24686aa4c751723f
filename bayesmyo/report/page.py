"""A report: sections put together, and written as HTML, Markdown and tables."""

from dataclasses import dataclass

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
    """All sections of a report."""
    return Page(
        r.study.title, tuple(made for section in SECTIONS if (made := section(r))), not r.failed, standing(r.checks)
    )
