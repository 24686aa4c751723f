"""Which patient, and which choice, carries a conclusion."""

from collections.abc import Iterable

from bayesmyo import figures
from bayesmyo.assess.claims import WITHHELD
from bayesmyo.assess.estimate import DecisionResult
from bayesmyo.components.numbers import chance_error
from bayesmyo.report.blocks import Block, Cell, Number, Paragraph, Section, Table, claims
from bayesmyo.report.numbers import chance, count, number
from bayesmyo.report.pictures import picture
from bayesmyo.report.results import Results


def influence(r: Results) -> Section:
    found = r.influence
    if found is None:
        left_out = next((c for c in r.checks if c.name == "leave-one-out prediction"), None)
        blocks: list[Block] = [
            Paragraph(
                "NOT DONE: no patient was left out and the model not sampled again. The option --refit of this command does both exactly, in minutes.",
                "note",
            )
        ]
        if left_out is not None:
            blocks.append(Paragraph(f"By reweighting, single measurements alone were left out. {left_out.sentence}"))
        return Section("influence", "Influence of single patients", tuple(blocks))
    names = dict.fromkeys(f.decision for f in found.decisions)
    said = [(d.name, d.sentence if not r.says(d) else s) for s, d in zip(found.sentences, _of(r, names), strict=True)]
    if not said:
        said = [("", WITHHELD + r.held() if r.held() else "The study declares no decision that a patient could flip.")]
    blocks = [
        Paragraph(
            "Each patient was left out in turn, and the model sampled again without that patient; pseudonyms stand for patients."
        ),
        *claims(said),
        flips(r),
    ]
    if r.patient_level and found.patients:
        blocks += [by_patient(r), picture(
            figures.influence(found), "figure-influence", "How far each patient, left out, moves the answer that it moves most",
            "In SDs of the posterior. " + "; ".join(f"{p.patient}: {p.moved} by {number(p.shift).text}" for p in found.patients) + ".",
        )]  # fmt: skip
    return Section("influence", "Influence of single patients", tuple(blocks))


def _of(r: Results, names: Iterable[str]) -> list[DecisionResult]:
    found = {d.name: d for d in r.decisions}
    return [found[name] for name in names]


def _chance(d: DecisionResult, p: float) -> Number:
    """As the table of decisions writes it, and the sentences here."""
    return chance(p, chance_error(p, d.ess))


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
            rows.append((name, *(["withheld"] * 3), flipped if flipped.value else "withheld"))
            continue
        whole = Number(None, "-") if d.probability is None else _chance(d, d.probability)
        span = f"{_chance(d, min(p)).text} to {_chance(d, max(p)).text}" if p else "-"
        rows.append((name, "yes" if d.met else "no", whole, span, flipped))
    headers = (
        "decision",
        "met with all",
        "probability with all",
        "probability without one",
        "patients without whom it flips",
    )
    return Table("flips", "Decisions, judged again without each patient", headers, tuple(rows))


def by_patient(r: Results) -> Table:
    assert r.influence is not None
    rows: list[tuple[Cell, ...]] = [
        (p.patient, count(p.measurements), number(p.last), p.moved, number(p.shift), Number(p.score, f"{p.score:.1f}"),
         ", ".join(p.flips) or "none", "rough" if p.rough else "good")
        for p in r.influence.patients
    ]  # fmt: skip
    headers = (
        "patient",
        "measurements",
        f"last {r.study.time.unit}",
        "moves most",
        "by (SD)",
        "log score",
        "flips",
        "refit",
    )
    return Table("influence", "Patients, the most influential first", headers, tuple(rows))
