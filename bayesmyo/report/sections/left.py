"""Those who left: who, when and why, and how much worse they would have had to fare for a conclusion to change."""

import numpy as np

from bayesmyo import figures
from bayesmyo.assess.tip import Tip
from bayesmyo.assess.what_if import is_death
from bayesmyo.cohort.cohort import Exits
from bayesmyo.report.answered import tipping
from bayesmyo.report.blocks import Block, Paragraph, Section, Table, claims, counted, note, table
from bayesmyo.report.numbers import count, plain
from bayesmyo.report.pictures import picture
from bayesmyo.report.results import Results

NAME, TITLE = "left", "Patients who left"


def left(r: Results) -> Section | None:
    """None where the study has no column that says when follow-up ended, or why."""
    if r.study.time.exit is None and r.study.time.reason is None:
        return None
    if r.fit.shared:
        return Section(NAME, TITLE, (note("A shared copy of a fit holds no patients, and does not say who left."),))
    exits = r.fit.cohort.exits
    if exits is None:
        return Section(NAME, TITLE, (note("The fit does not say when follow-up ended, and why."),))
    reasons = tuple(dict.fromkeys(reason for reason in exits.reason if reason))
    if not reasons:
        return Section(NAME, TITLE, (note("Nobody left for a stated reason: all were still in care when last seen."),))
    blocks: list[Block] = [
        Paragraph(
            "Every other number takes it that those who left would have gone on as their own measurements and patients "
            "like them say. No data can tell. Below, their expected course is moved from the exit on, by the same amount "
            "for all of them, until a conclusion changes; nothing is fitted again."
        ),
        when(r, exits, reasons),
    ]
    if not r.study.responses and all(e.of_event for e in r.study.estimands.values()):
        blocks[0] = note("Nothing is asked about an outcome: what those who left would have done changes no answer.")
        return Section(NAME, TITLE, tuple(blocks))
    for reason in reasons:
        if is_death(r.study, reason):
            blocks.append(note(f"After an exit for the reason {reason} there is no course: nothing is asked about it."))
            continue
        blocks += of_reason(r, next(told for told in r.tips if tuple(told.reasons) == (reason,)))
    return Section(NAME, TITLE, tuple(blocks))


def when(r: Results, exits: Exits, reasons: tuple[str, ...]) -> Table:
    """How many left for each reason, and when."""
    unit, rows = r.study.time.unit, []
    for reason in (*reasons, ""):
        own = exits.time[[x == reason for x in exits.reason]]
        times = [plain(float(f(own))) if len(own) else "-" for f in (np.min, np.median, np.max)]
        cells = dict(zip(("first", "median", "last"), times, strict=True))
        rows.append({"reason": reason or "still in care", "patients": count(len(own)), **cells})
    columns = {
        "reason": "reason",
        "patients": "patients",
        f"first ({unit})": "first",
        "median": "median",
        "last": "last",
    }
    return table("exits", "When follow-up ended, and why", columns, rows)


def of_reason(r: Results, told: Tip) -> list[Block]:
    """What those who left for one reason could change."""
    blocks: list[Block] = [*claims([(p.name, p.sentence) for p in told.points if p.kind == "decision"])]
    columns = {k: k for k in ("conclusion", "of", "by the fit", "tips at", "then")}
    slug = "_".join("".join(c if c.isalnum() else " " for c in " ".join(told.reasons).lower()).split())
    if told.points:
        where = "negative is worse, in the outcome's unit on the link scale"
        caption = f"Where conclusions change by a shift of those who left ({', '.join(told.reasons)}; {where})"
        blocks.append(table(f"tipping_{slug}", caption, columns, map(tipping, told.points)))
    held = {p.estimand for p in told.points if p.withheld}
    moved = dict.fromkeys(row.name for row in told.rows if row.kind == "estimand")
    decided = [d.estimand for d in r.study.decisions.values() if d.estimand in moved]
    drawn = [
        name
        for name in dict.fromkeys(decided or moved)
        if name not in held and not r.held(*r.study.estimands[name].outcomes)
    ]
    for name in drawn[:1]:
        said = [p.sentence for p in told.points if p.estimand == name]
        drawing = figures.tipping_curve(r.fit, name, told)
        caption = f"{name}, if {counted(told.left, 'patient')} who left ({', '.join(told.reasons)}) fared otherwise"
        alternative = " ".join([f"The median and its interval by the amount of the shift of {name}.", *said])
        blocks.append(picture(drawing, f"figure-left-{slug}", caption, alternative))
    return blocks
