"""The model in words, in formula and as code."""

import json

from bayesmyo.cohort.cohort import Cohort
from bayesmyo.report.blocks import Block, Code, Heading, Paragraph, Section, note
from bayesmyo.report.results import Results
from bayesmyo.study import describe, in_r
from bayesmyo.study.describe_events import event_formula, event_words
from bayesmyo.study.study import Study

IN_R = "The same in R"


def model(r: Results) -> Section:
    study, blocks = r.study, in_words(r.study, None if r.fit.shared else r.fit.cohort)
    parameterisation = json.loads(str(r.fit.tree.attrs.get("parameterisation", "{}")))
    if parameterisation:
        listed = "; ".join(f"{study.label(o)}: {how}" for o, how in parameterisation.items() if o in study.outcomes)
        blocks.append(Paragraph(f"How patients' effects are sampled: {listed}." if listed else ""))
    return Section("model", "The model", tuple(b for b in blocks if not (isinstance(b, Paragraph) and not b.text)))


def in_words(study: Study, cohort: Cohort | None = None) -> list[Block]:
    """The model of each outcome in words, in formula, and in R; cohort: the patients whose times the lines for R are
    for."""
    how = describe.correlation_words(study)
    blocks: list[Block] = [
        Paragraph(
            f"{how[0].upper()}{how[1:]}. Time is counted in {study.time.unit}s. Each patient has a curve for each "
            "outcome; patients' own curves scatter around that of the population, and how much they do is learned "
            "from the data."
        )
    ]
    for name in study.outcomes:
        blocks += [
            Heading(study.label(name)),
            Paragraph(describe.words(study, name)),
            Code("The model in formula", "\n".join(describe.formula(study, name))),
            *elsewhere(study, name, cohort.earliest(name) if cohort else 0.0),
        ]
    for name in study.events:
        formula = Code("The model in formula", "\n".join(event_formula(study, name)))
        blocks += [Heading(study.label(name)), Paragraph(event_words(study, name)), formula]
    if any(isinstance(b, Code) and b.what == IN_R for b in blocks):
        blocks.append(
            Code(
                "d in R: the table that `bayesmyo validate --write CLEAN.csv` writes",
                "\n".join(in_r.table(study)),
                folded=True,
            )
        )
    return blocks


def elsewhere(study: Study, outcome: str, first: float = 0.0) -> list[Block]:
    """The same model in R, where a package there has it. first: the earliest time in the table."""
    calls = (in_r.likelihood(study, outcome, first), in_r.brms(study, outcome, first))
    same = [call for call in calls if not call.startswith("no ")]
    return [Code(IN_R, "\n".join(same), folded=True)] if same else [note("No package of R has a short equivalent.")]
