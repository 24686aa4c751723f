"""Categories of response, the patients who were lost among them, with bounds."""

from bayesmyo import figures
from bayesmyo.assess.responses import Category, Responses
from bayesmyo.report.blocks import Block, Cell, Heading, Number, Paragraph, Section, Table, claims
from bayesmyo.report.numbers import chance, count, number
from bayesmyo.report.pictures import picture
from bayesmyo.report.results import Results

WITHHELD = "withheld"


def responses(r: Results) -> Section:
    if not r.responses:
        why = (
            "A shared copy of a fit holds no patients, and no response of theirs."
            if r.fit.shared
            else "The study declares no rule of response."
        )
        return Section("responses", "Categories of response", (Paragraph(why, "note"),))
    blocks: list[Block] = [
        Paragraph(
            "There is no agreed rule of response: the study's own comes first, and the others show how much hangs on it. Each patient is judged on the "
            "expected trajectory, draw by draw. Who was last measured in an outcome of the rule before its time is predicted from the own trajectory; the bounds need no "
            "such prediction: none, or all, of those who were not measured then have the category."
        )
    ]
    for one in r.responses:
        blocks += of_rule(r, one)
    blocks += [Paragraph(note, "note") for note in dict.fromkeys(n for one in r.responses for n in one.notes)]
    return Section("responses", "Categories of response", tuple(blocks))


def of_rule(r: Results, one: Responses) -> list[Block]:
    own = " (the study's own rule)" if one.rule else ""
    title = f": {one.title}" if one.title else ""
    found: list[Block] = [Heading(f"Rule “{one.name}”{own}{title}")]
    found += [*claims([(c.name, c.sentence) for c in one.categories]), table(r, one)]
    if one.rule and r.patient_level and not r.held(*one.outcomes):
        found += [
            picture(
                figures.responses(r.fit, one.name), f"figure-response-{one.name}", f"Response by the rule {one.name}, patient by patient",
                "The probability of each category in each patient. "
                + " ".join(f"{c.name}: {c.median} ({c.lower} to {c.upper}) of {one.patients} patients." for c in one.categories),
            ),
            each(r, one),
        ]  # fmt: skip
    return found


def table(r: Results, one: Responses) -> Table:
    headers = (
        "category",
        "criteria",
        "patients",
        f"{one.interval:.0%} interval",
        "mean",
        "if none or all of the unseen had it",
    )
    rows = tuple(_row(r, c) for c in one.categories)
    since = f"from {r.study.time.unit} {one.at - one.window:g} on" if one.window else "by then"
    caption = f"Patients by category, rule {one.name}, at {r.study.time.unit} {one.at:g}: {one.not_seen} of {one.patients} without all its outcomes {since}"
    return Table(f"responses_{one.name}", caption, headers, rows)


def _row(r: Results, c: Category) -> tuple[Cell, ...]:
    if r.held(*c.outcomes):
        return (c.name, c.criteria, *([WITHHELD] * 4))
    mean = Number(c.mean, f"{c.mean:.1f}")
    return (c.name, c.criteria, count(c.median), f"{c.lower} to {c.upper}", mean, f"{c.worst} to {c.best}")


def each(r: Results, one: Responses) -> Table:
    """Patient by patient, by pseudonym."""
    names = [c.name for c in one.categories]
    rows: list[tuple[Cell, ...]] = []
    for p in one.each:
        seen = number(p.last_seen) if p.last_seen is not None else Number(None, "-")
        rows.append(
            (p.patient, seen, "seen" if p.seen else "predicted", *(chance(p.probabilities[n], 0.01) for n in names))
        )
    headers = ("patient", f"last measured ({r.study.time.unit})", "judged", *names)
    return Table(
        f"responses_{one.name}_by_patient",
        f"Probability of each category in each patient, rule {one.name}",
        headers,
        tuple(rows),
    )
