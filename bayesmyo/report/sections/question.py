"""The question, as only its author can state it."""

from bayesmyo.report.blocks import NOT_STATED, Block, Heading, Paragraph, Section, Table, Terms, stated
from bayesmyo.report.numbers import declared
from bayesmyo.report.results import Results


def question(r: Results) -> Section:
    s = r.stated
    blocks: list[Block] = [
        Paragraph("Stated by the author in the table [report] of the study; nothing here is computed."),
        Terms((
            ("Goal of the analysis", stated(s.goal)), ("Why Bayesian", stated(s.why_bayesian)), ("Design", stated(s.design)),
            ("Setting", stated(s.setting)), ("Dates", stated(s.dates)), ("Eligibility", stated(s.eligibility)),
            ("Source of the data", stated(s.data)), ("Follow-up", stated(s.follow_up)),
        )),
        Heading("The estimand, by the five attributes of ICH E9(R1)"),
        Terms(estimand(r)),
        Heading("What was fixed, and when"),
        Terms((
            ("Decision rules: who set them, and when", stated(s.decisions)), ("Several outcomes and decisions", stated(s.multiplicity)),
            ("Specified before the data were seen", stated(s.prespecified)), ("Deviations since", stated(s.deviations)),
            ("Limits", stated(s.limits)),
        )),
        variables(r),
    ]  # fmt: skip
    return Section("question", "The question", tuple(blocks))


def estimand(r: Results) -> tuple[tuple[str, str], ...]:
    e = r.stated.estimand
    terms = ("Treatment", "Population", "Variable", "Intercurrent events and their strategies", "Summary measure")
    if e is None:
        return tuple((t, NOT_STATED) for t in terms)
    return tuple(
        (t, stated(v))
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
        low, high = (declared(end).text if end is not None else "no limit" for end in ends)
        better = f"{o.better} is better"
        rows.append((r.study.label(name), o.unit, f"{low} to {high}", better, declared(o.typical), declared(o.scale)))
    return Table(
        "variables", "Outcomes, with the typical value and the spread between patients on which default priors stand",
        ("outcome", "unit", "range", "direction", "typical", "spread"), tuple(rows),
    )  # fmt: skip
