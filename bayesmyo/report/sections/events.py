"""What happened to patients: how many, when, and on what it depends."""

from collections.abc import Mapping

import numpy as np

from bayesmyo import figures
from bayesmyo.assess.curves import at_risk, observed_curve
from bayesmyo.assess.other_priors import DOUBLE, HALF, log_prior
from bayesmyo.assess.reweight import TRUSTED, reweight
from bayesmyo.assess.sensitivity import CONTRACTED, HALF_SD, NINETY
from bayesmyo.assess.verdict import DATA, PRIOR, SILENT, UNKNOWN
from bayesmyo.cohort.cohort import CENSORED, Episodes
from bayesmyo.figures.events import expected, ticks_to
from bayesmyo.model.event import TimeToEvent
from bayesmyo.report.blocks import Block, Cell, Heading, Paragraph, Section, Span, Table, counted, note
from bayesmyo.report.draws import quantiles
from bayesmyo.report.numbers import count, fixed, number
from bayesmyo.report.pictures import picture
from bayesmyo.report.results import Results
from bayesmyo.study.parameters import Parameter, all_parameters

NAME, TITLE = "events", "What happened to patients"
ABOUT = (
    "A curve of what was observed counts only who was still followed; that of the model is the average over new patients, "
    "as if nothing else ended follow-up."
)
RATIOS = (
    "A hazard ratio says by how much one usual difference between patients in the course of an outcome, as the study "
    "declares it, or a covariate multiplies the rate. “Mostly the prior”: the interval is hardly narrower than before "
    "the data. “Turns on the prior”: priors of the event half or twice as wide would move it by more than half its SD."
)
HAZARD_RATIO = "hazard ratio"


def events(r: Results) -> Section | None:
    """None where the study has no events."""
    if not r.study.events:
        return None
    if r.fit.shared:
        return Section(
            NAME, TITLE, (note("A shared copy of a fit holds no patients, and nothing that happened to them."),)
        )
    blocks: list[Block] = [Paragraph(ABOUT)]
    for name in r.study.events:
        blocks += of_event(r, name)
    if sum(bool(e.reasons) for e in r.study.events.values()) > 1 and r.fit.cohort.exits is not None:
        caption = "Reasons for which patients have left by each time, one on top of the other"
        drawn = figures.cumulative_incidence(r.study, r.fit.cohort)
        blocks += [Heading("Reasons to leave"), picture(drawn, "figure-reasons", caption, f"{caption}. {_reasons(r)}")]
    return Section(NAME, TITLE, tuple(blocks))


def of_event(r: Results, name: str) -> list[Block]:
    label, e = r.study.label(name), r.fit.cohort.events[name]
    blocks: list[Block] = [Heading(label), Paragraph(happened(r, name, e))]
    if held := r.held(name):
        return [*blocks, Paragraph(held, "withheld")]
    over_time = curve(r, name, e)
    words = "; ".join("{}: {} at risk, observed {}, expected {} ({})".format(*row) for row in over_time.rows)
    caption = f"{label}: {over_time.headers[2]}, and what is expected of new patients, {r.study.interval:.0%} interval"
    drawn = figures.event_curve(r.fit, name, patients=r.patient_level)
    blocks += [picture(drawn, f"figure-event-{name}", caption, f"{caption}. {words}."), over_time]
    ratios = [p for p in all_parameters(r.study) if p.outcome == name and p.natural_unit == HAZARD_RATIO]
    return [*blocks, Paragraph(RATIOS), hazard_ratios(r, name, ratios)] if ratios else blocks


def happened(r: Results, name: str, e: Episodes) -> str:
    """How many of how many, between when, and how often."""
    unit, had = r.study.time.unit, e.take(e.status != CENSORED)
    who, of = len(np.unique(had.patient)), len(np.unique(e.patient))
    middle = (e.stop + e.end) / 2
    total = float(np.sum(middle - e.start))
    if not len(had):
        return f"None of {counted(of, 'patient')} had it in {number(total)} patient-{unit}s."
    times = np.sort((had.stop + had.end) / 2)
    between = (
        f"from {unit} {number(float(times[0]))} to {number(float(times[-1]))}"
        if len(had) > 1
        else f"at {unit} {number(float(times[0]))}"
    )
    many = f", {len(had)} times in all" if len(had) > who else ""
    known = " (where only two visits tell, the middle between them)" if np.any(had.stop < had.end) else ""
    rate = f"{number(len(had) / total)} per patient-{unit}" if total > 0 else "at once"
    return (
        f"{who} of {counted(of, 'patient')} had it{many}, {between}{known}: {rate}, in {number(total)} patient-{unit}s."
    )


def curve(r: Results, name: str, e: Episodes) -> Table:
    """Numbers at risk, what was observed by then, and what the model expects."""
    event = r.study.events[name]
    times = ticks_to(r.study, float(e.end.max(initial=0.0)) or 1.0)
    risk, observed = (
        at_risk(e.start, e.end, np.maximum(times, 1e-9)),
        observed_curve(e, event.recurrent).at(np.array(times)),
    )
    modelled = not event.recurrent or TimeToEvent(r.study, name).counts
    model = np.stack(expected(r.fit, name, times, {})) if modelled else np.full((3, len(times)), np.nan)
    rows: list[tuple[Cell, ...]] = []
    for t, n, seen, (lower, median, upper) in zip(times, risk, observed, model.T.tolist(), strict=True):
        shown = (fixed(median, ".2f"), Span(fixed(lower, ".2f"), fixed(upper, ".2f"))) if modelled else ("-", "-")
        rows.append((f"{r.study.time.unit} {t:g}", count(int(n)), fixed(float(seen), ".2f"), *shown))
    what = "mean number" if event.recurrent else "share without it"
    headers = ("time", "at risk", what, "expected of new patients", f"{r.study.interval:.0%} interval")
    return Table(f"event_{name}", f"{r.study.label(name)} over time", headers, tuple(rows))


def hazard_ratios(r: Results, name: str, ratios: list[Parameter]) -> Table:
    """Each hazard ratio beside its prior, and whether the data have said it."""
    rows: list[tuple[Cell, ...]] = []
    tail = (1 - r.study.interval) / 2
    by = {f"{o}_{way}": f"{r.study.label(o)}, {way}" for o, way in r.study.events[name].depends.items()}
    now = log_prior(r.fit, outcomes=(name,))
    others = {spread: log_prior(r.fit, spread, (name,)) - now for spread in (HALF, DOUBLE)}
    for p in ratios:
        draws = r.fit.group("posterior")[p.full_name].values
        lower, median, upper = quantiles(np.exp(draws), r.study.interval)
        assert p.prior is not None
        before = Span(*(fixed(float(np.exp(p.prior.quantile(q))), ".2f") for q in (tail, 1 - tail)))
        low, high = (p.prior.quantile(q) for q in NINETY)
        said = verdict(draws, low, high, others)
        rows.append((by.get(p.name, p.name), median, Span(lower, upper), before, said))
    interval = f"{r.study.interval:.0%}"
    headers = ("by", "hazard ratio", f"{interval} interval", f"prior {interval} interval", "verdict")
    return Table(f"hazard_ratios_{name}", f"Hazard ratios of {r.study.label(name)}", headers, tuple(rows))


def verdict(draws: np.ndarray, low: float, high: float, others: Mapping[float, np.ndarray]) -> str:
    """Whether the data have said it. It is told either way, with its prior beside it.

    draws: of a log hazard ratio; low, high: its prior's central 90 %; others: log densities of the event's priors, half
        and twice as wide, less those of its own
    """
    first, middle, last = np.quantile(draws, [NINETY[0], 0.5, NINETY[1]])
    if 1 - ((last - first) / (high - low)) ** 2 < CONTRACTED and low <= middle <= high:
        return PRIOR
    for log_ratio in others.values():
        chosen, _, k = reweight(log_ratio.reshape(-1))
        if k > TRUSTED:
            return UNKNOWN
        if abs(np.median(draws.reshape(-1)[chosen]) - middle) > HALF_SD * draws.std():
            return SILENT
    return DATA


def _reasons(r: Results) -> str:
    had = ((r.study.label(name), r.fit.cohort.events[name].happened) for name, e in r.study.events.items() if e.reasons)
    return "; ".join(f"{label}: {n} of {len(r.fit.cohort)}" for label, n in had) + "."
