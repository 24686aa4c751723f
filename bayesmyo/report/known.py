"""What was known before the first patient, as blocks: a forest of sources, the prior that they make, its worth."""

from collections.abc import Sequence

from bayesmyo.assess.evidence import Known, Range, cited
from bayesmyo.report.blocks import SPACE, Block, Cell, Code, Heading, Items, Paragraph, Span, note, table
from bayesmyo.report.numbers import declared, fixed, number
from bayesmyo.study.study import Study

Cells = dict[str, Cell]
NONE = "The study states no evidence. A table of what a paper gave begins like this; its keys are in the vocabulary:"


def evidence(rows: Sequence[Known], study: Study) -> list[Block]:
    """Each estimand that is known of."""
    if not rows:
        return [Paragraph(NONE), Code("In the study file:", _example(next(iter(study.outcomes))))]
    return [block for k in rows for block in (*_of_one(k, study), SPACE)][:-1]


def sources(study: Study) -> list[Block]:
    """What was published and counts in the answers, with its source and how far it is trusted."""
    return [note(f"Note: published numbers count: {said}.") for said in cited(study)]


def _example(outcome: str) -> str:
    return "\n".join([
        "[evidence.first_author_2020]",
        'source = "First Author 2020, doi:..."',
        f'outcome = "{outcome}"',
        'what = { kind = "level", at = 0 }',
        "mean = 1.0      # in the unit of the outcome",
        "se = 0.1",
        "patients = 40",
        "like_ours = 0.8 # how sure you are that it holds for your patients",
    ])  # fmt: skip


def _of_one(k: Known, study: Study) -> list[Block]:
    band = f"{study.interval:.0%} interval"
    name = k.names[0]
    unit = f" ({k.unit})" if k.unit else ""
    below = ("source", "stated", "with the others")
    forest = {"evidence": "name", "patients": "patients", "median": "median", band: "interval", "Box's p": "box"}
    forest |= {"source": "source", "stated": "stated", "with the others": "drawn"}
    prior = {"like_ours": "weight", "median": "median", band: "interval", "worth": "worth"}
    blocks: list[Block] = [
        Heading(f"{k.estimand[:1].upper()}{k.estimand[1:]}{unit}"),
        table(f"forest_{name}", "Published numbers, and what they say together", forest, _forest(k), below=below),
        Paragraph(_between(k, study)),
        SPACE,
        table(f"prior_{name}", "The prior that it makes, as far as it is trusted", prior, _trusted(k)),
        SPACE,
        Items(k.sentences),
    ]
    if k.parameter:
        outcome, _, parameter = k.parameter.partition(".")
        line = f'[outcomes.{outcome}]\npriors = {{ {parameter} = "{k.prior}" }}'
        blocks.append(Code("A fit uses it. The same as a line of the study, in place of the tables:", line))
    return blocks


def _forest(k: Known) -> list[Cells]:
    rows: list[Cells] = [
        {"name": s.name, "source": s.source, "patients": fixed(s.patients, ",d"), **_range(s.estimate),
         "box": fixed(s.box, ".3f"), "stated": s.number,
         "drawn": f"with the others {number(s.drawn.median)} ({_range(s.drawn)['interval']})"}
        for s in k.sources
    ]  # fmt: skip
    blank: Cells = {"patients": number(None), "box": number(None), "source": "", "stated": "", "drawn": ""}
    for what, of in (
        ("mean of such studies", k.mean),
        ("another such study", k.next_study),
        ("default priors", k.default),
    ):
        rows.append({"name": what, **blank, **_range(of)})
    return rows


def _between(k: Known, study: Study) -> str:
    """How much studies differ, in a sentence."""
    where = {"log": " on the log", "logit": " on the logit"}.get(k.scale, f" {k.unit}")
    t = k.tau
    shown = f"{number(t.median)} ({number(t.lower)} to {number(t.upper)}){where}"
    return f"SD between studies: {shown}; its prior is {k.tau_prior}."


def _trusted(k: Known) -> list[Cells]:
    return [
        {"weight": declared(t.like_ours), **_range(t.prior), "worth": "-" if t.worth is None else fixed(t.worth, ".1f")}
        for t in k.trusted
    ]


def _range(r: Range) -> Cells:
    return {"median": number(r.median), "interval": Span(number(r.lower), number(r.upper))}
