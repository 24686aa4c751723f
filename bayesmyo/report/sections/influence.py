"""Which patient, and which choice, carries a conclusion."""

from bayesmyo import figures
from bayesmyo.report.blocks import Block, Cell, Number, Paragraph, Section, Table
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
    sentences = found.sentences or ("The study declares no decision that a patient could flip.",)
    blocks = [
        Paragraph(
            "Each patient was left out in turn, and the model sampled again without that patient; pseudonyms stand for patients."
        ),
        *[Paragraph(r.held() or s, "withheld" if r.held() else "claim") for s in sentences],
        flips(r),
    ]
    if r.patient_level and found.patients:
        blocks += [by_patient(r), picture(
            figures.influence(found), "figure-influence", "How far each patient, left out, moves the answer that it moves most",
            "In SDs of the posterior. " + "; ".join(f"{p.patient}: {p.moved} by {number(p.shift).text}" for p in found.patients) + ".",
        )]  # fmt: skip
    return Section("influence", "Influence of single patients", tuple(blocks))


def flips(r: Results) -> Table:
    """Decisions by how far leaving out one patient moves them."""
    assert r.influence is not None
    rows: list[tuple[Cell, ...]] = []
    for name in r.study.decisions:
        own = [f for f in r.influence.decisions if f.decision == name]
        if not own:
            continue
        p = [f.probability_without for f in own if f.probability_without is not None]
        span = f"{chance(min(p)).text} to {chance(max(p)).text}" if p else "-"
        flipped = count(sum(f.flips for f in own))
        rows.append((name, "yes" if own[0].met else "no", chance(own[0].probability), span, flipped))
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
