"""Which patient, and which choice, carries a conclusion."""

from collections.abc import Iterable

from bayesmyo import figures
from bayesmyo.assess.estimate import DecisionResult
from bayesmyo.assess.verdict import WITHHELD as WHY
from bayesmyo.components.numbers import chance, chance_error
from bayesmyo.report.answered import left_out
from bayesmyo.report.blocks import WITHHELD, Block, Cell, Paragraph, Section, Span, Table, claims, note, table
from bayesmyo.report.numbers import count, number
from bayesmyo.report.pictures import picture
from bayesmyo.report.results import Results

NOT_DONE = (
    "NOT DONE: no patient was left out and the model not sampled again. The option --refit of this command does both "
    "exactly, in minutes."
)
HOW = (
    "Each patient was left out in turn, and the model sampled again without that patient; pseudonyms stand for "
    "patients."
)
MOVES = "How far each patient, left out, moves the answer that it moves most"


def influence(r: Results) -> Section:
    left = r.influence
    if left is None:
        left_out = next((c for c in r.checks if c.name == "leave-one-out prediction"), None)
        blocks: list[Block] = [note(NOT_DONE)]
        if left_out is not None:
            blocks.append(Paragraph(f"By reweighting, single measurements alone were left out. {left_out.sentence}"))
        return Section("influence", "Influence of single patients", tuple(blocks))
    names = dict.fromkeys(f.decision for f in left.decisions)
    said = [(d.name, d.sentence if not r.says(d) else s) for s, d in zip(left.sentences, _of(r, names), strict=True)]
    if not said:
        said = [("", WHY + r.held() if r.held() else "The study declares no decision that a patient could flip.")]
    blocks = [Paragraph(HOW), *claims(said), flips(r)]
    if r.patient_level and left.patients:
        shifts = "; ".join(f"{p.patient}: {p.moved} by {number(p.shift)}" for p in left.patients)
        drawn = picture(figures.influence(left), "figure-influence", MOVES, f"In SDs of the posterior. {shifts}.")
        blocks += [by_patient(r), drawn]
    return Section("influence", "Influence of single patients", tuple(blocks))


def _of(r: Results, names: Iterable[str]) -> list[DecisionResult]:
    rules = {d.name: d for d in r.decisions}
    return [rules[name] for name in names]


def flips(r: Results) -> Table:
    """Decisions by how far leaving out one patient moves them."""
    assert r.influence is not None
    rows: list[tuple[Cell, ...]] = []
    for name in r.study.decisions:
        own = [f for f in r.influence.decisions if f.decision == name]
        if not own:
            continue
        p = [f.probability_without for f in own if f.probability_without is not None]
        (d,), flipped = _of(r, [name]), count(sum(f.flips for f in own))
        if not r.says(d):
            # that it flips may be why it is withheld; that it does not is a claim
            rows.append((name, *([WITHHELD] * 3), flipped if flipped.value else WITHHELD))
            continue
        # as the table of decisions writes it, and the sentences here
        span = Span(*(chance(v, chance_error(v, d.ess)) for v in (min(p), max(p)))) if p else "-"
        rows.append((name, "yes" if d.met else "no", d.chance, span, flipped))
    chances = ("probability with all", "probability without one")
    headers = ("decision", "met with all", *chances, "patients without whom it flips")
    return Table("flips", "Decisions, judged again without each patient", headers, tuple(rows))


def by_patient(r: Results) -> Table:
    """Patient by patient, from the cells that a terminal shows too."""
    assert r.influence is not None
    columns = {
        "patient": "patient",
        "measurements": "measurements",
        f"last {r.study.time.unit}": "last",
        "moves most": "moved",
    }
    columns |= {"by (SD)": "shift", "log score": "score", "flips": "flips", "refit": "refit"}
    rows = [(cells := left_out(p)) | {"flips": cells["flips"] or "none"} for p in r.influence.patients]
    return table("influence", "Patients, the most influential first", columns, rows)
