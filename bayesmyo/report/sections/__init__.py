"""The sections of a report, in reading order: each takes the results and returns blocks.

summary.py       in plain language, a page that stands alone; first_page.py, its figure and who left
question.py      what only the author knows
patients.py      patients, rows and visits
model.py         in words, formula and code
priors.py        beside posteriors, and what they believe
course.py        every outcome over time
events.py        what happened to patients; only where the study has events
answers.py       estimands and decisions, and each_patient.py where the study asks for it
responses.py     categories of response
left.py          who left, and what would change if they fared worse; only where the study says who
checks.py        what was looked at, and drawn
influence.py     single patients
prior_or_data.py would another prior have said something else
other_models.py  would another likelihood
planning.py      power and calibration, where they are given
checklist.py     28 items
reproduce.py     versions, seed, hashes, commands
references.py    what the methods rest on

To add one: a function of `Results` that returns a `Section`, or None where it has nothing to say, and its line in SECTIONS.
"""

from collections.abc import Callable

from bayesmyo.report.blocks import Section
from bayesmyo.report.results import Results
from bayesmyo.report.sections.answers import answers
from bayesmyo.report.sections.checklist import checklist
from bayesmyo.report.sections.checks import checks
from bayesmyo.report.sections.course import course
from bayesmyo.report.sections.events import events
from bayesmyo.report.sections.influence import influence
from bayesmyo.report.sections.left import left
from bayesmyo.report.sections.model import model
from bayesmyo.report.sections.other_models import other_models
from bayesmyo.report.sections.patients import patients
from bayesmyo.report.sections.planning import planning
from bayesmyo.report.sections.prior_or_data import prior_or_data
from bayesmyo.report.sections.priors import priors
from bayesmyo.report.sections.question import question
from bayesmyo.report.sections.references import references
from bayesmyo.report.sections.reproduce import reproduce
from bayesmyo.report.sections.responses import responses
from bayesmyo.report.sections.summary import summary

SECTIONS: tuple[Callable[[Results], Section | None], ...] = (
    summary, question, patients, model, priors, course, events, answers, responses, left, checks, influence, prior_or_data, other_models, planning, checklist,
    reproduce, references,
)  # fmt: skip

__all__ = ["SECTIONS"]
