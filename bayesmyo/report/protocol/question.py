"""What only the author knows, what is to be estimated, and when the answer is yes."""

from dataclasses import fields

from bayesmyo.components.decisions import Decision
from bayesmyo.report.blocks import Block, Heading, Section, Terms
from bayesmyo.report.sections.question import author
from bayesmyo.study import describe
from bayesmyo.study.statements import Statements
from bayesmyo.study.study import Study


def question(study: Study, s: Statements) -> Section:
    blocks: list[Block] = [
        *author(s),
        Heading("What is to be estimated"),
        Terms(
            tuple(
                (name, f"{describe.number(study, e)}, {describe.population(e)} ({describe.summary(study, e)})")
                for name, e in study.estimands.items()
            )
        ),
        Heading("When the answer is yes"),
        Terms(tuple((name, _rule(d)) for name, d in study.decisions.items())),
    ]
    return Section("question", "The question", tuple(blocks))


def _rule(d: Decision) -> str:
    """A decision by its keys, as the study file states it."""
    pairs = [(f.metadata.get("key", f.name), getattr(d, f.name)) for f in fields(d) if f.name != "kind"]
    return f"{d.kind}: " + ", ".join(
        f"{k} {v:g}" if isinstance(v, float) else f"{k} {v}" for k, v in pairs if v is not None
    )
