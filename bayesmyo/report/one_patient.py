"""One new patient, for a terminal and as a page of its own."""

from pathlib import Path

from bayesmyo import figures
from bayesmyo.assess.predicted import Basis, Chance, Expected, PatientPrediction, Seen
from bayesmyo.assess.words_of_one import after
from bayesmyo.components.numbers import Number, interval_errors
from bayesmyo.errors import UsageError
from bayesmyo.files import writable, write_bytes
from bayesmyo.report.answered import told
from bayesmyo.report.blocks import (
    SPACE,
    WITHHELD,
    Block,
    Cell,
    Heading,
    Items,
    Paragraph,
    Section,
    Span,
    Table,
    claims,
    note,
)  # fmt: skip
from bayesmyo.report.html import html
from bayesmyo.report.markdown import markdown
from bayesmyo.report.numbers import count, fixed, number
from bayesmyo.report.page import Page
from bayesmyo.report.pictures import picture
from bayesmyo.study.study import Study

NO_DEVICE = (
    "This is no medical device. It says what a statistical model expects of a patient such as those of its cohort; no "
    "decision about a person may rest on it alone."
)
METHODS = (
    "Dynamic prediction: Rizopoulos (2011), https://doi.org/10.1111/j.1541-0420.2010.01546.x",
    "Importance resampling: Rubin (1987), https://doi.org/10.1080/01621459.1987.10478461",
    "Whether its weights can be trusted: Vehtari, Simpson, Gelman, Yao and Gabry (2024), https://www.jmlr.org/papers/v25/19-556.html",
    "A measurement in its prediction from those before: Rosenblatt (1952), https://doi.org/10.1214/aoms/1177729394",
)
FORMS = {".html": html, ".htm": html, ".md": markdown}


def predicted(p: PatientPrediction, study: Study) -> list[Block]:
    """What is predicted when all visits are known, for a terminal."""
    known = p.last
    blocks: list[Block] = [Heading(f"{p.patient}, {after(study, known)}"), *strange(p)]
    blocks += [levels(p, study, known), SPACE]
    if of_now := [c for c in p.chances if c.known == known.known]:
        blocks += [chances(p, study, of_now), SPACE]
    if p.seen:
        blocks += [seen(p, study), SPACE]
    held = [c.sentence for c in p.chances if c.known == known.known and c.withheld]
    held += [row.sentence for row in p.levels if row.known == known.known and row.withheld]
    blocks += [Paragraph(reason[:1].upper() + reason[1:], "failed") for reason in dict.fromkeys(held)]
    return [*blocks, *map(note, p.notes), SPACE]


def strange(p: PatientPrediction) -> list[Block]:
    """In which way the patient is unlike the cohort."""
    return [Paragraph(sentence, "failed") for sentence in p.unlike]


def levels(p: PatientPrediction, study: Study, basis: Basis, folded: bool = False) -> Table:
    """Every outcome at every time, from what was known then."""
    headers = ("outcome", study.time.unit, "expected", f"{p.interval:.0%} interval", "a measurement", "unit")
    rows = tuple(_level(study, row) for row in p.levels if row.known == basis.known)
    caption = f"Expected course and a measurement, {after(study, basis)}"
    return Table(f"levels_{basis.known}", caption, headers, rows, folded)


def _level(study: Study, row: Expected) -> tuple[Cell, ...]:
    errors = interval_errors(row.mcse[1], row.mcse[0], row.mcse[2])
    lower, median, upper = (Number(v, e) for v, e in zip((row.lower, row.median, row.upper), errors, strict=True))
    measured: Cell = Span(number(row.measured_lower), number(row.measured_upper))
    if row.categories:
        measured = ", ".join(f"{name} {share:.0%}" for name, share in row.categories.items() if share >= 0.005)
    cells = told(row, median=median, interval=Span(lower, upper), measured=measured)
    return study.label(row.outcome), f"{row.time:g}", cells["median"], cells["interval"], cells["measured"], row.unit


def chances(p: PatientPrediction, study: Study, rows: list[Chance], folded: bool = False) -> Table:
    """Every criterion, category and event at every time, from what was known then."""
    basis = p.basis[rows[0].known]
    headers = ("what", study.time.unit, "probability", "which")
    cells = tuple((row.name, f"{row.time:g}", WITHHELD if row.withheld else row.number, row.words) for row in rows)
    caption = f"How probable it is, {after(study, basis)}"
    return Table(f"chances_{basis.known}", caption, headers, cells, folded, below=("which",))


def seen(p: PatientPrediction, study: Study) -> Table:
    """Every measurement beside what was predicted of it."""
    headers = (study.time.unit, "outcome", "measured", "predicted before", f"{p.interval:.0%} interval", "p", "unit")
    rows = tuple(_seen(study, row) for row in p.seen)
    return Table("seen", "Each measurement, and what was predicted of it from the visits before", headers, rows)


def _seen(study: Study, row: Seen) -> tuple[Cell, ...]:
    sign = {"below": "<", "above": ">", "between": "from "}.get(row.limit, "")
    measured = Number(row.value, said=f"{sign}{number(row.value)}")
    ends = Span(number(row.lower), number(row.upper))
    numbers = (number(row.median), ends, fixed(row.p, ".2g")) if not row.withheld else (WITHHELD,) * 3
    return f"{row.time:g}", study.label(row.outcome), measured, *numbers, study.outcomes[row.outcome].unit


def patient_page(p: PatientPrediction, study: Study, failed: bool) -> Page:
    """One patient as a page that a reader may keep."""
    sections = (_first(p, study), _course(p, study), _visits(p, study), _basis(p, study))
    return Page(f"{study.title}: {p.patient}, a new patient", sections, not failed, NO_DEVICE)


def _first(p: PatientPrediction, study: Study) -> Section:
    now = [c for c in p.chances if c.known == p.last.known]
    said = [(row.outcome, row.sentence) for row in p.levels if row.known == p.last.known]
    blocks: list[Block] = [
        Paragraph(NO_DEVICE, "note"),
        *strange(p),
        *claims([*said, *((c.name, c.sentence) for c in now)]),
    ]
    blocks.append(levels(p, study, p.last))
    blocks += [chances(p, study, now)] if now else []
    return Section("predicted", "What is predicted", (*blocks, *map(note, p.notes)))


def _course(p: PatientPrediction, study: Study) -> Section:
    blocks = []
    for name in study.outcomes:
        label = study.label(name)
        caption = f"{label}: what was predicted before and after each visit, the population behind"
        told = "; ".join(row.sentence for row in p.levels if row.known == p.last.known and row.outcome == name)
        blocks.append(picture(figures.new_patient(p, name), f"figure-{name}", caption, f"{caption}. {told}"))
    return Section("course", "The course", tuple(blocks))


def _visits(p: PatientPrediction, study: Study) -> Section:
    blocks: list[Block] = [seen(p, study)] if p.seen else [Paragraph("Nothing has been measured yet.")]
    for basis in p.basis[:-1]:
        blocks.append(levels(p, study, basis, folded=True))
        rows = [c for c in p.chances if c.known == basis.known]
        blocks += [chances(p, study, rows, folded=True)] if rows else []
    return Section("visits", "Before and after each visit", tuple(blocks))


def _basis(p: PatientPrediction, study: Study) -> Section:
    text = (
        "Nothing was fitted again: the draws of the cohort's fit are weighted by how likely they make what is known of the "
        "patient, and the patient's own effects are drawn given both. Pareto k above 0.7 says that too few draws carry "
        "the weight; then no number stands here."
    )
    headers = ("known", "Pareto k", "effective draws", "numbers")
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (after(study, b), fixed(b.pareto_k, ".2f"), count(round(b.effective)), "printed" if b.reliable else WITHHELD)
        for b in p.basis
    )
    table = Table("basis", "How far the numbers can be believed", headers, rows)
    return Section("basis", "What it rests on", (Paragraph(text), table, Items(METHODS)))


def page_path(path: str | Path, force: bool = False) -> Path:
    """Where a page goes. Raises UsageError for a file of another kind, StorageError where it cannot be written."""
    named = Path(path)
    if named.suffix.lower() not in FORMS:
        raise UsageError(str(named), "is neither .html nor .md", mend="name a file such as patient.html")
    writable(named, force)
    return named


def write_patient(p: PatientPrediction, path: str | Path, *, failed: bool = False, force: bool = False) -> Path:
    """Write one new patient as a page, which needs neither network nor script. It says that it is no device.

    Parameters
    ----------
    p : PatientPrediction
        Of `bayesmyo.predict`.
    path : str or Path
        A file that ends in .html or .md.
    failed : bool
        A check of the fit has failed, and the page says so.
    force : bool
        Replace a file that exists.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    UsageError
        For a file of another kind.
    StorageError
        Where the file cannot be written.

    Examples
    --------
    >>> bayesmyo.write_patient(one, "patient.html").name  # doctest: +SKIP
    'patient.html'
    """
    named = page_path(path, force)
    write_bytes(named, FORMS[named.suffix.lower()](patient_page(p, p.states[0].study, failed)).encode())
    return named


__all__ = ["predicted", "write_patient"]
