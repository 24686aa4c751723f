"""What a covariate of visits, such as treatment on and off, does to each of these patients, where the study asks for
it."""

from bayesmyo import figures
from bayesmyo.assess.claims import each_claims
from bayesmyo.assess.each_patient import measurements, own_effects
from bayesmyo.assess.estimate import Estimate
from bayesmyo.report.answered import estimate
from bayesmyo.report.blocks import Block, Heading, Paragraph, Table, note, table
from bayesmyo.report.numbers import count, declared
from bayesmyo.report.pictures import picture
from bayesmyo.report.results import Results
from bayesmyo.study import describe

HOW = (
    "Each patient's own number rests on that patient's measurements and leans on those of the others: the fewer "
    "measurements, the closer to the average, so that a wild visit is not taken for an effect. It says what was seen "
    "while the patient was treated and while not; whether it was the treatment, only a random order of the two can "
    "say."
)


def each_patient(r: Results) -> list[Block]:
    """Blocks of the answers; none where the study asks for no patient's own effect."""
    names = own_effects(r.study)
    if not names or r.fit.shared:
        return []
    blocks: list[Block] = [Heading("Each patient"), Paragraph(HOW)]
    for name in names:
        if why := r.held(*r.study.estimands[name].outcomes):
            blocks.append(Paragraph(f"{name}: {why}", "withheld"))
            continue
        rows = each_claims(r.fit, name, r.failed)
        said = said_of([row for row in rows if not row.withheld])
        blocks += [Paragraph(said)] if said else []
        if not r.patient_level:
            continue
        caption, drawn = f"{name}, patient by patient", figures.each_patient(r.fit, name, rows)
        blocks += [picture(drawn, f"figure-each-patient-{name}", caption, _alternative(rows)), each(r, name, rows)]
    if not r.patient_level:
        blocks.append(note("Single patients are not shown (the option --patient-level shows them, by pseudonym)."))
    return blocks


def said_of(rows: list[Estimate]) -> str:
    """Of how many patients it is likely, and of how many all but certain; empty where there is no threshold."""
    chances = [r.probability for r in rows if r.probability is not None]
    if not chances:
        return ""
    event = f"{rows[0].direction} {declared(rows[0].threshold)} {rows[0].unit}"
    likely, sure = (sum(p > 0.5 for p in chances), sum(p >= 0.95 for p in chances))
    return (
        f"It is more likely than not {event} in {likely} of {len(rows)} patients, with a probability of 0.95 or more "
        f"in {sure}; in {sum(p <= 0.05 for p in chances)} that probability is 0.05 or less."
    )


def _alternative(rows: list[Estimate]) -> str:
    ordered = sorted(rows, key=lambda r: r.median)
    return f"Median and interval of each patient, in order. {' '.join(r.sentence for r in ordered)}"


def each(r: Results, name: str, rows: list[Estimate]) -> Table:
    """Patient by patient, by pseudonym."""
    e, interval, event = r.study.estimands[name], f"{r.study.interval:.0%}", "probability"
    if rows[0].direction:
        event += f" of being {rows[0].direction} {declared(rows[0].threshold)}"
    columns = {k: k for k in ("measurements", "median")} | {f"{interval} {end}": end for end in ("lower", "upper")}
    columns = {"patient": "name", **columns, "unit": "unit", event: "probability"}
    cells = [estimate(row) | {"measurements": count(n)} for row, n in zip(rows, measurements(r.fit, e), strict=True)]
    return table(f"each_patient_{name}", f"Each patient: {describe.own_number(r.study, e)}", columns, cells)
