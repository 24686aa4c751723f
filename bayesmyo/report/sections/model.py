"""The model in words, in formula and as code."""

import json

from bayesmyo.components.numbers import listing
from bayesmyo.report.blocks import Block, Code, Heading, Paragraph, Section
from bayesmyo.report.results import Results
from bayesmyo.study import describe, in_r
from bayesmyo.study.study import Study


def model(r: Results) -> Section:
    study, blocks = r.study, in_words(r.study)
    parameterisation = json.loads(str(r.fit.tree.attrs.get("parameterisation", "{}")))
    if parameterisation:
        listed = "; ".join(f"{study.label(o)}: {how}" for o, how in parameterisation.items() if o in study.outcomes)
        blocks.append(Paragraph(f"How patients' effects are sampled: {listed}." if listed else ""))
    return Section("model", "The model", tuple(b for b in blocks if not (isinstance(b, Paragraph) and not b.text)))


def in_words(study: Study) -> list[Block]:
    """The model of each outcome in words, in formula, and in R."""
    how = describe.correlation_words(study)
    blocks: list[Block] = [
        Paragraph(
            f"{how[0].upper()}{how[1:]}. Time is counted in {study.time.unit}s. Each patient has a curve for each outcome; "
            "patients' own curves scatter around that of the population, and how much they do is learned from the data."
        )
    ]
    for name in study.outcomes:
        blocks += [
            Heading(study.label(name)),
            Paragraph(describe.words(study, name)),
            Code("The model in formula", "\n".join(describe.formula(study, name))),
            *elsewhere(study, name),
        ]
    return blocks


def elsewhere(study: Study, outcome: str) -> list[Block]:
    """The same model in R, where a package there has it."""
    calls = {"lme4": in_r.lme4(study, outcome), "brms": in_r.brms(study, outcome)}
    same = {package: call for package, call in calls.items() if not call.startswith("no ")}
    if not same:
        return [Paragraph("Neither lme4 nor brms has a short equivalent.", "note")]
    text = "\n".join(f"{package}: {call}" for package, call in same.items())
    return [Code(f"The same for {listing(list(same))}, in R", text)]
