"""What only the author knows, what is to be estimated, and when the answer is yes."""

from bayesmyo.report.blocks import Block, Heading, Section, Terms
from bayesmyo.report.sections.question import author
from bayesmyo.study import describe
from bayesmyo.study.statements import Statements
from bayesmyo.study.study import Study


def question(study: Study, s: Statements) -> Section:
    def subject(estimand: str) -> str:
        return describe.subject(study, study.estimands[estimand])

    blocks: list[Block] = [
        *author(s),
        Heading("What is to be estimated"),
        Terms(tuple(describe.estimands(study).items())),
        Heading("When the answer is yes"),
        Terms(tuple((name, d.rule(subject(d.estimand))) for name, d in study.decisions.items())),
    ]
    return Section("question", "The question", tuple(blocks))
