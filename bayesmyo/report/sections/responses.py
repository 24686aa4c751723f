"""Categories of response, the patients who were lost among them, with bounds."""

from bayesmyo import figures
from bayesmyo.assess.responses import Responses
from bayesmyo.report.answered import category, response, titled
from bayesmyo.report.blocks import Block, Heading, Paragraph, Section, Table, claims, note, table
from bayesmyo.report.pictures import picture
from bayesmyo.report.results import Results


def responses(r: Results) -> Section:
    if not r.responses:
        why = (
            "A shared copy of a fit holds no patients, and no response of theirs."
            if r.fit.shared
            else "The study declares no rule of response."
        )
        return Section("responses", "Categories of response", (note(why),))
    blocks: list[Block] = [
        Paragraph(
            "There is no agreed rule of response: the study's own comes first, and the others show how much hangs on "
            "it. Each patient is judged on the expected trajectory, draw by draw. Who was last measured in an outcome "
            "of the rule before its time is predicted from the own trajectory; the bounds need no such prediction: "
            "none, or all, of those who were not measured then have the category."
        )
    ]
    for one in r.responses:
        blocks += of_rule(r, one)
    blocks += map(note, dict.fromkeys(n for one in r.responses for n in one.notes))
    return Section("responses", "Categories of response", tuple(blocks))


def of_rule(r: Results, one: Responses) -> list[Block]:
    said = [(c.name, c.sentence) for c in one.categories]
    blocks: list[Block] = [Heading(f"Rule “{one.name}”{titled(one)}"), *claims(said), counts(r, one)]
    if one.rule and r.patient_level and not any(c.withheld for c in one.categories):
        blocks += [
            picture(
                figures.responses(r.fit, one.name, r.claims), f"figure-response-{one.name}", f"Response by the rule {one.name}, patient by patient",
                "The probability of each category in each patient. "
                + " ".join(f"{c.name}: {c.median} ({c.lower} to {c.upper}) of {one.patients} patients." for c in one.categories),
            ),
            each(r, one),
        ]  # fmt: skip
    return blocks


def counts(r: Results, one: Responses) -> Table:
    """Patients by category, from the cells that a terminal shows too."""
    columns = {
        "category": "name",
        "criteria": "criteria",
        "patients": "patients",
        f"{one.interval:.0%} interval": "interval",
    }
    columns |= {"mean": "mean", "if none or all of the unseen had it": "bounds", "verdict": "verdict"}
    since = f"from {r.study.time.unit} {one.at - one.window:g} on" if one.window else "by then"
    missing = f"{one.not_seen} of {one.patients} without all its outcomes {since}"
    caption = f"Patients by category, rule {one.name}, at {r.study.time.unit} {one.at:g}: {missing}"
    return table(f"responses_{one.name}", caption, columns, map(category, one.categories))


def each(r: Results, one: Responses) -> Table:
    """Patient by patient, by pseudonym."""
    columns = {"patient": "patient", f"last measured ({r.study.time.unit})": "last", "judged": "judged"}
    own = [(c.name, f"in {c.name}") for c in one.categories]
    caption = f"Probability of each category in each patient, rule {one.name}"
    return table(f"responses_{one.name}_by_patient", caption, [*columns.items(), *own], map(response, one.each))
