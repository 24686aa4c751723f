"""The analysis that is planned: its model, its priors, and what they hold likely of the estimands."""

from bayesmyo.model import planned
from bayesmyo.report.blocks import Block, Heading, Paragraph, Section, Table, stated
from bayesmyo.report.numbers import spread
from bayesmyo.report.sections.model import in_words
from bayesmyo.report.sections.priors import prior_cells
from bayesmyo.study import describe
from bayesmyo.study.statements import Statements
from bayesmyo.study.study import Study


def analysis(study: Study, said: Statements) -> Section:
    """The analysis that is planned: its model and its priors."""
    lines = describe.priors(study)
    rows = tuple((f"{p.outcome}: {p.parameter}", *prior_cells(p)) for p in lines)
    headers = ("parameter", "prior", "clinical unit", f"prior median ({study.interval:.0%} interval)")
    table = Table("priors", "Priors of the analysis, in clinical units", headers, rows, folded=len(rows) > 30)
    why = [Paragraph(stated(said.priors))] if said.priors else []
    return Section("model", "The analysis", (*in_words(study), Heading("Priors"), *why, table, *_believed(study)))


def _believed(study: Study) -> list[Block]:
    """What the priors hold likely of the estimands."""
    if study.design is None:
        return []
    rows = tuple((name, spread(m, low, high)) for name, (low, m, high) in planned.prior_values(study).items())
    caption = "What these priors hold likely of the estimands, in outcome units"
    headers = ("estimand", f"prior median ({study.interval:.0%} interval)")
    return [Table("prior_estimands", caption, headers, rows)] if rows else []
