"""What a covariate of visits, such as treatment on and off, does to each of these patients, where the study asks for it."""

from bayesmyo import figures
from bayesmyo.assess.each_patient import each_estimate, measurements, own_effects
from bayesmyo.assess.estimate import Estimate
from bayesmyo.report.blocks import Block, Cell, Heading, Number, Paragraph, Table
from bayesmyo.report.numbers import count, declared
from bayesmyo.report.pictures import picture
from bayesmyo.report.results import Results
from bayesmyo.study import describe

HOW = (
    "Each patient's own number rests on that patient's measurements and leans on those of the others: the fewer measurements, the closer "
    "to the average, so that a wild visit is not taken for an effect. It says what was seen while the patient was treated and while not; "
    "whether it was the treatment, only a random order of the two can say."
)


def each_patient(r: Results) -> list[Block]:
    """Blocks of the answers; none where the study asks for no patient's own effect."""
    names = own_effects(r.study)
    if not names or r.fit.shared:
        return []
    found: list[Block] = [Heading("Each patient"), Paragraph(HOW)]
    for name in names:
        if why := r.held(*r.study.estimands[name].outcomes):
            found.append(Paragraph(f"{name}: {why}", "withheld"))
            continue
        rows = each_estimate(r.fit, name)
        said = said_of(rows)
        found += [Paragraph(said)] if said else []
        if not r.patient_level:
            continue
        shown = picture(
            figures.each_patient(r.fit, name),
            f"figure-each-patient-{name}",
            f"{name}, patient by patient",
            _alternative(rows),
        )
        found += [shown, table(r, name, rows)]
    if not r.patient_level:
        found.append(
            Paragraph("Single patients are not shown (the option --patient-level shows them, by pseudonym).", "note")
        )
    return found


def said_of(rows: list[Estimate]) -> str:
    """Of how many patients it is likely, and of how many all but certain; empty where there is no threshold."""
    chances = [r.probability for r in rows if r.probability is not None]
    if not chances:
        return ""
    event = f"{rows[0].direction} {declared(rows[0].threshold).text} {rows[0].unit}"
    likely, sure, unlikely = (sum(test(p) for p in chances) for test in (_likely, _sure, _unlikely))
    return (
        f"It is more likely than not {event} in {likely} of {len(rows)} patients, with a probability of 0.95 or more in {sure}; "
        f"in {unlikely} that probability is 0.05 or less."
    )


def _likely(p: float) -> bool:
    return p > 0.5


def _sure(p: float) -> bool:
    return p >= 0.95


def _unlikely(p: float) -> bool:
    return p <= 0.05


def _alternative(rows: list[Estimate]) -> str:
    return "Median and interval of each patient, in order. " + " ".join(
        r.sentence for r in sorted(rows, key=lambda r: r.median)
    )


def table(r: Results, name: str, rows: list[Estimate]) -> Table:
    """Patient by patient, by pseudonym."""
    e, interval = r.study.estimands[name], f"{r.study.interval:.0%}"
    first = rows[0]
    event = (
        f"probability of being {first.direction} {declared(first.threshold).text}" if first.direction else "probability"
    )
    headers = ("patient", "measurements", "median", f"{interval} lower", f"{interval} upper", "unit", event)
    cells: list[tuple[Cell, ...]] = []
    for row, n in zip(rows, measurements(r.fit, e), strict=True):
        how = row.written
        p = Number(row.probability, how.chance(row.probability)) if row.probability is not None else Number(None, "-")
        values = (Number(v, how.amount(v)) for v in (row.median, row.lower, row.upper))
        cells.append((row.name, count(n), *values, row.unit, p))
    caption = f"Each patient: {describe.own_number(r.study, e)}"
    return Table(f"each_patient_{name}", caption, headers, tuple(cells))
