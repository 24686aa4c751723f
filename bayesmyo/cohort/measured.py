"""Notices of numbers: what was measured, what it was counted per, when, and of numeric covariates."""

from collections import Counter
from collections.abc import Iterator

import numpy as np

from bayesmyo.cohort.cohort import MEASURED, Cohort, Measurements
from bayesmyo.cohort.parts import Part, Parts
from bayesmyo.cohort.table import lines_text
from bayesmyo.cohort.unlike import FACTORS, FEWEST, Numbers, both_ways, lone, middle, other_unit, rescaled
from bayesmyo.cohort.values import SENTINELS, factors, units
from bayesmyo.components.numbers import listing
from bayesmyo.study.covariates import transformed
from bayesmyo.study.study import MONTHS_PER, Outcome, Study

FAR = 4.0  # spreads between patients, from the declared typical value
FAR_BY_A_FACTOR = 3.0  # the same, where a usual factor explains it
SHARES = 2.0  # the same, where every value lies between 0 and 1 and the scale goes on, if its end halves the distance
EXPLAINED = 1.0  # spreads within which a factor explains it
ALONE = 8.0  # spreads, as declared: further from all others than any unit explains
NO_ZERO = 3.0  # spreads of the typical value from zero, beyond which nobody has zero
LEAST_COUNT = 88  # of events, that may stand for "missing": 9 falls are a number
OF_TIME = (7.0, 12.0, 30.4375, 365.25)  # days in a week, months in a year, days in a month and in a year
CALENDAR = (1900.0, 2100.0)  # years
LEAST_RATIO = 6.0  # of two units of time, below which visits do not show which it is


def outcome(study: Study, name: str, parts: Parts, m: Measurements, patients: int) -> Iterator[str]:
    """Of one outcome and its exposure."""
    o, label, word = study.outcomes[name], study.label(name), parts.visits.table.word
    texts = o.family.texts() or {}
    if labels := [text for text, value in texts.items() if value not in m.value]:
        yield f"{label}: nobody has {', '.join(labels)}; the thresholds beside it are known from the prior alone. [D37]"
    if absent := patients - len(np.unique(m.patient)):
        yield f"{absent} of {patients} patients have no {label}: predicted from the others. [D39]"
    yield from _whole(study, name, m)
    if len(np.unique(m.value)) == 1 and len(m) > 1:
        yield f"{label}: every value is {m.value[0]:g}. [D40]"
    coded_missing = np.zeros(len(m), dtype=bool)
    if not texts:
        typed = _typed(study, name, parts, m)
        for value in _sentinels(o, typed):
            coded_missing |= typed == value
            yield _missing(label, value, m.line[typed == value], word)
    if m.exposure is not None and o.exposure is not None:
        for value in [v for v in lone(m.exposure, np.log(m.exposure)) if v >= LEAST_COUNT]:
            coded_missing |= m.exposure == value
            yield _missing(o.exposure, value, m.line[m.exposure == value], word)
        rest = m.take(~coded_missing)
        by = rescaled(Numbers(rest.patient, rest.time, m.exposure[~coded_missing]), both_ways(OF_TIME))
        yield from _told(o.exposure, rest, by, word)
    yield from _scaled(study, name, m.take(~coded_missing), word)
    if o.plausible is not None:
        low, high = o.plausible
        odd = (m.value < low) & (m.side >= 0) | (m.value > high) & (m.side <= 0)
        if odd.any():
            where = _at(m.line[odd], word)
            declared = f"outside the plausible {low:g} to {high:g} {o.unit} that the study declares"
            yield f"{label}: {declared} ({where}): kept. [D61]"
    for unit, count in units(study, o, parts.visits).items() if o.recorded else ():
        factor = o.recorded.factors.get(unit, 1.0) if o.recorded else 1.0
        if factor != 1:
            yield f"{label}: {count} cells in {unit}, times {factor:g} = {o.unit}. [D56]"


def _at(lines: np.ndarray, word: str) -> str:
    return lines_text(lines.tolist(), word=word)


def _typed(study: Study, name: str, parts: Parts, m: Measurements) -> np.ndarray:
    """The values of an outcome before their conversion. (n,)"""
    if study.outcomes[name].recorded is None:
        return m.value
    part = parts.visits
    of_line = dict(zip(part.table.lines, factors(study, study.outcomes[name], part), strict=True))
    return np.round(m.value / np.array([of_line[n] or 1.0 for n in m.line.tolist()]), 9)


def _sentinels(o: Outcome, typed: np.ndarray) -> list[float]:
    """Values that may stand for "missing": alone beyond all others, or again and again among others that are not."""
    if o.family.counts:
        return [v for v in lone(typed, np.log1p(typed)) if v >= LEAST_COUNT and v != o.maximum]
    often = repeated(typed)
    with np.errstate(divide="ignore"):
        alone = lone(typed, np.log(typed) if o.family.multiplicative and typed.min() > 0 else typed)
    return sorted({*often, *alone} - {o.minimum, o.maximum})


def repeated(values: np.ndarray) -> list[float]:
    """Numbers that often stand for "missing" and come more often than all like them."""
    counts = Counter(values.tolist())
    return [
        v
        for v in sorted(SENTINELS)
        if counts[v] > 1 and not any(n >= counts[v] for w, n in counts.items() if w != v and abs(w - v) <= abs(v))
    ]


def _missing(label: str, value: float, lines: np.ndarray, word: str) -> str:
    times = "once" if len(lines) == 1 else f"{len(lines)} times"
    return f"{label}: {value:g} occurs {times} ({_at(lines, word)}); if it means missing, add it to data.missing. [D34]"


def _whole(study: Study, name: str, m: Measurements) -> Iterator[str]:
    """A column whose middle lies far from the declared typical value, and the factor that would explain it."""
    o, scale = study.outcomes[name], study.scale(name)
    centre = float(np.median(m.value) if m.exposure is None else m.value.sum() / m.exposure.sum())

    def away(value: float) -> float:
        legal = bool(o.family.check_expected(np.asarray(value)))
        return abs(float(o.family.link(value)) - scale.typical) / scale.spread if legal else np.inf

    if o.typical is None or not np.isfinite(away(centre)):
        return
    top = _top(o)
    tried = [] if o.family.counts else both_ways(FACTORS).tolist()
    least, enough = FAR_BY_A_FACTOR, EXPLAINED
    if top is not None and top > 1 and m.value.min() >= 0 and m.value.max() <= 1 and not o.family.counts:
        tried, least, enough = [float(top)], SHARES, away(centre) / 2
    explaining = [f for f in tried if away(centre * f) < enough]
    if away(centre) <= (least if explaining else FAR):
        return
    undone = listing([_multiplied(1 / f) for f in explaining], "or").capitalize()
    hint = f" {undone} it would not be." if explaining else ""
    if m.exposure is None:
        middle_is, unit, asked = f"the median, {centre:.4g} {o.unit}, is", f" {o.unit}", "is the unit right?"
    else:
        middle_is, unit = f"{centre:.4g} {o.unit} per {o.exposure} in all is", ""
        asked = f"is that counted per {o.exposure} too?"
    declared = f"far from the declared typical {o.typical:g}{unit}"
    yield f"{study.label(name)}: {middle_is} {declared}: {asked}{hint} [D64]"


def _top(o: Outcome) -> float | None:
    """The largest legal value: measured in shares of it, a value is divided by it."""
    top = o.family.ends()[1]
    return o.maximum if top is None else top


def _multiplied(by: float) -> str:
    """What undoes a factor."""
    return f"divided by {by:.4g}" if by > 1 else f"times {1 / by:.4g}"


def _scaled(study: Study, name: str, m: Measurements, word: str) -> Iterator[str]:
    """Cells in another unit than the others."""
    o = study.outcomes[name]
    if o.family.ordinal or (o.family.counts and not o.family.exposed):
        return
    scale = study.scale(name)
    if o.family.exposed:
        people, m_of = np.unique(m.patient, return_inverse=True)
        exposure = np.ones(len(m)) if m.exposure is None else m.exposure
        events, per = (np.bincount(m_of, weights=w) for w in (m.value, exposure))
        rates = Numbers(people, np.zeros(len(people)), (events + 0.5) / per, least=scale.spread)
        by = rescaled(rates, both_ways(FACTORS))[m_of]
    else:
        level = None if o.family.multiplicative else _on_link(o, m.value)
        known = [*FACTORS, *(o.recorded.factors.values() if o.recorded else ())]
        known += [top] if (top := _top(o)) is not None and top > 1 else []
        low, high = o.family.inverse(np.array([scale.typical - scale.spread, scale.typical]))
        least = float(np.log(high / low)) if 0 < low < high else 0.0
        by = rescaled(Numbers(m.patient, m.time, m.value, level, scale.spread, least), both_ways(known))
    yield from _told(study.label(name), m, by, word)
    if o.family.additive and o.family.ends() == (None, None):
        far = _far(m.value, m.value, by, scale.typical, scale.spread, o.minimum)
        yield from _told_far(study.label(name), m.line[far], word)


def _far(
    value: np.ndarray, x: np.ndarray, by: np.ndarray, typical: float, width: float, minimum: float | None
) -> np.ndarray:
    """Numbers further from all others than any unit explains, or zero where that is none of what is measured. (n,)

    x: (n,) on the scale on which they differ; by: (n,) the factor that explains each, or NaN
    typical, width: the typical value and the spread on that scale, as declared
    Zero is what a formula makes of an empty cell.
    """
    centre, spread = middle(x, width)
    far = np.isnan(by) & (np.abs(x - centre) > ALONE * spread)
    if abs(typical) > NO_ZERO * width and minimum != 0:
        far |= np.isin(value, lone(value, x, {0.0}))
    return far


def _told_far(label: str, lines: np.ndarray, word: str) -> Iterator[str]:
    if len(lines):
        where = _at(lines, word)
        yield f"{label}: far from all others ({where}): is it right? A minimum and a maximum may be declared. [D64]"


def _on_link(o: Outcome, values: np.ndarray) -> np.ndarray:
    """Values on the link scale; those at an end of the scale, as far as the furthest that is not. (n,)"""
    legal = o.family.check_expected(values)
    if not legal.any():
        return np.zeros(len(values))
    inside = values[legal]
    return np.asarray(o.family.link(np.clip(values, inside.min(), inside.max())))


def _told(label: str, m: Measurements, by: np.ndarray, word: str) -> Iterator[str]:
    by = np.where(m.side == MEASURED, by, np.nan)  # of a limit it is not known how far the value lies
    for factor in np.unique(by[~np.isnan(by)]):
        cells, it = _cells_at(m.line[by == factor], word)
        like = f"would be like the others if {_multiplied(factor)}"
        yield f"{label}: {cells} {like}: {'is it' if it else 'are they'} in another unit? [D64]"


def _cells_at(lines: np.ndarray, word: str) -> tuple[str, bool]:
    """`3 cells (lines 2, 4, 9)`, and whether it is a single one."""
    return f"{len(lines)} cell{'' if len(lines) == 1 else 's'} ({_at(lines, word)})", len(lines) == 1


def times(study: Study, cohort: Cohort, word: str) -> Iterator[str]:
    """Patients whose visits lie as if counted in another unit; dates have none."""
    own = MONTHS_PER.get(study.time.unit)
    if own is None or study.time.date is not None:
        return
    others = {u: own / m for u, m in MONTHS_PER.items() if max(own / m, m / own) > LEAST_RATIO}
    patient, time, line = (
        np.concatenate([getattr(m, key) for m in cohort.measurements.values()]) for key in ("patient", "time", "line")
    )
    people = other_unit(patient, time, [*others.values()])
    for unit, factor in others.items():
        if whose := [p for p, by in people.items() if by == factor]:
            of = "one patient" if len(whose) == 1 else f"{len(whose)} patients"
            where = _at(np.unique(line[np.isin(patient, whose)]), word)
            yield f"The visits of {of} ({where}) lie as if counted in {unit}s: are they in {study.time.unit}s? [D63]"


def covariate(study: Study, name: str, part: Part, cohort: Cohort) -> Iterator[str]:
    """Of a numeric covariate: numbers that may mean "missing", in another unit, or far from all others."""
    c, word = study.covariates[name], part.table.word
    if c.typical is None or c.scale is None:
        return
    m = _cells(study, name, part, cohort)
    x, width = transformed(c, m.value), float(np.log(c.scale) if c.transform == "log" else c.scale)
    told = np.zeros(len(m), dtype=bool)
    for value in sorted({*repeated(m.value), *lone(m.value, x)} - {c.minimum, c.maximum}):
        told |= m.value == value
        yield _missing(name, value, m.line[m.value == value], word)
    if (c.unit or "").startswith("year") and c.typical < CALENDAR[0]:
        years = (m.value >= CALENDAR[0]) & (m.value <= CALENDAR[1]) & (m.value % 1 == 0)
        if years.any():
            cells, one = _cells_at(m.line[years], word)
            yield f"{name}: {cells} {'is a year' if one else 'are years'} of the calendar: of birth? [D64]"
        told |= years
    rest, of_rest = m.take(~told), x[~told]
    if len(rest) < FEWEST:
        return
    level = None if c.transform == "log" else of_rest
    by = rescaled(Numbers(rest.patient, rest.time, rest.value, level, width), both_ways(FACTORS))
    yield from _told(name, rest, by, word)
    far = _far(rest.value, of_rest, by, float(transformed(c, np.asarray(c.typical))), width, c.minimum)
    yield from _told_far(name, rest.line[far], word)


def _cells(study: Study, name: str, part: Part, cohort: Cohort) -> Measurements:
    """What is known of a covariate, each patient or each visit once, as if it were measured."""
    if study.covariates[name].varies == "patients":
        first = dict(zip(reversed(part.ids), reversed(part.table.lines), strict=True))
        line = np.array([first.get(p, 0) for p in cohort.patients])
        patient, value, time = np.arange(len(cohort)), cohort.covariates[name], np.zeros(len(cohort))
    else:
        every = cohort.measurements.values()
        line, at = np.unique(np.concatenate([m.line for m in every]), return_index=True)
        patient, time = (np.concatenate([getattr(m, key) for m in every])[at] for key in ("patient", "time"))
        value = np.concatenate([m.covariates[name] for m in every])[at]
    known = ~np.isnan(value)
    return Measurements(patient, time, value, np.zeros(len(value), dtype=np.int8), line).take(known)
