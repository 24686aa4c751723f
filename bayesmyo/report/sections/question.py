"""The question, as only its author can state it."""

from bayesmyo.components.numbers import Number
from bayesmyo.report.blocks import NOT_STATED, Block, Heading, Paragraph, Section, Table, Terms, stated
from bayesmyo.report.numbers import declared
from bayesmyo.report.results import Results
from bayesmyo.study.statements import Statements

Pairs = tuple[tuple[str, str], ...]


def question(r: Results) -> Section:
    return Section("question", "The question", (*author(r.stated), variables(r)))


def author(s: Statements) -> list[Block]:
    """What only the author knows: stated, and NOT STATED."""
    parts: tuple[tuple[str, Pairs], ...] = (
        ("", (
            ("Goal of the analysis", stated(s.goal)), ("Why Bayesian", stated(s.why_bayesian)), ("Design", stated(s.design)),
            ("Setting", stated(s.setting)), ("Dates", stated(s.dates)), ("Eligibility", stated(s.eligibility)),
            ("Source of the data", stated(s.data)), ("Follow-up", stated(s.follow_up)),
        )),
        ("The estimand, by the five attributes of ICH E9(R1)", estimand(s)),
        ("What was fixed, and when", (
            ("Decision rules: who set them, and when", stated(s.decisions)), ("Several outcomes and decisions", stated(s.multiplicity)),
            ("Specified before the data were seen", stated(s.prespecified)), ("Deviations since", stated(s.deviations)),
            ("Limits", stated(s.limits)),
        )),
    )  # fmt: skip
    blocks: list[Block] = [
        Paragraph("Stated by the author in the table [report] of the study; nothing here is computed.")
    ]
    for title, pairs in parts:
        given = tuple(pair for pair in pairs if pair[1] != NOT_STATED)
        blocks += [Heading(title)] if given and title else []
        blocks += [Terms(given)] if given else []
    missing = tuple(pair for _, pairs in parts for pair in pairs if pair[1] == NOT_STATED)
    if missing:
        every = sum(len(pairs) for _, pairs in parts)
        blocks.append(
            Terms(missing, f"{len(missing)} of {every} items are not stated: {', '.join(t for t, _ in missing)}.")
        )
    return blocks


def estimand(s: Statements) -> Pairs:
    e = s.estimand
    terms = ("Treatment", "Population", "Variable", "Intercurrent events and their strategies", "Summary measure")
    if e is None:
        return tuple((f"Estimand: {t[0].lower()}{t[1:]}", NOT_STATED) for t in terms)
    return tuple(
        (f"Estimand: {t[0].lower()}{t[1:]}", stated(v))
        for t, v in zip(terms, (e.treatment, e.population, e.variable, e.intercurrent_events, e.summary), strict=True)
    )


def variables(r: Results) -> Table:
    """Every outcome: unit, range, direction, and the clinical scale that its priors stand on."""
    rows = []
    for name, o in r.study.outcomes.items():
        ends = [
            end if end is not None else limit
            for end, limit in zip(o.family.ends(), (o.minimum, o.maximum), strict=True)
        ]
        low, high = (declared(end) if end is not None else "no limit" for end in ends)
        reach = f"{low} to {high}" if any(end is not None for end in ends) else "no limits declared"
        spread = declared(o.scale)
        if o.family.multiplicative:
            spread = Number(o.scale, said=f"times {spread}")
        better = f"{o.better} is better"
        rows.append((r.study.label(name), o.unit, reach, better, declared(o.typical), spread))
    return Table(
        "variables", "Outcomes, with the typical value and the spread between patients on which default priors stand",
        ("outcome", "unit", "range", "direction", "typical", "spread"), tuple(rows),
    )  # fmt: skip
