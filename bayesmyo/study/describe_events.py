"""An event of a study in words and in formula."""

from collections.abc import Iterator

from bayesmyo.components.families.link import Link
from bayesmyo.components.numbers import in_sentence, listing
from bayesmyo.study.covariates import columns
from bayesmyo.study.predictors import Predictor, predictors
from bayesmyo.study.study import Event, Study

WAYS = {
    "level": "the level",
    "slope": "the slope",
    "area": "the mean level since the start",
}


def event_words(study: Study, name: str) -> str:
    """The model of one event in a few sentences."""
    event = study.events[name]
    text = f"{study.label(name)} ({_known(event)}) {event.hazard.sentence}."
    if event.effects:
        text += " Patients differ in their rate beyond that (a frailty)."
    if event.covariates:
        verb = "multiply" if len(event.covariates) > 1 else "multiplies"
        text += f" {listing(list(event.covariates)).capitalize()} {verb} it."
    if event.after == "set aside":
        text += " Visits after it are set aside."
    if event.terminal:
        text += " There is no course after it."
    for outcome, way in event.depends.items():
        text += f" It depends on {_way(way)} of {in_sentence(study.label(outcome))}, {_unit(study, outcome, way)}."
    return text


def event_formula(study: Study, name: str) -> list[str]:
    """The model of one event in formula, one line each; h[i, t] is the hazard of patient i at time t."""
    event, p = study.events[name], predictors(study, name)[0]
    since = "time since the event before" if event.clock == "gap" else "time"
    more = [*(f"{column} * {column}[i]" for c in event.covariates for column in columns(study, c))]
    more += [f"{outcome}_{way} * m_{outcome}[i, t]" for outcome, way in event.depends.items()]
    more += ["b_frailty[i]"] if event.effects else []
    factor = f" * exp({' + '.join(more)})" if more else ""
    alone = p.hazard.written.replace(", ", "; ")
    alone = f"({alone})" if factor and ";" in alone else alone
    lines = [f"h[i, t] = {alone}{factor}, t the {since}"]
    lines += [line for outcome, way in event.depends.items() for line in _standing(study, outcome, way)]
    return lines + (["b_frailty[i] ~ Normal(0, sd_frailty)"] if event.effects else [])


def _known(event: Event) -> str:
    again = ", may recur" if event.recurrent else ""
    if event.reasons:
        return f"an event: the end of follow-up, for the reason {listing(list(event.reasons), 'or')}"
    if event.at:
        return f"an event, dated in column {event.at}{again}"
    if event.column:
        return f"an event, known between visits: column {event.column}{again}"
    return f"an event, known between visits: the first at which criteria are met{again}"


def _way(way: str) -> str:
    return WAYS.get(way, f"each patient's own {way.replace('_', ' ')}")


def _unit(study: Study, outcome: str, way: str) -> str:
    """What one unit of the dependence is, in words."""
    p = predictors(study, outcome)[0]
    link: Link = study.outcomes[outcome].family
    one = _one(p, link)
    if way == "slope":
        return f"per change of {one} over a typical follow-up"
    if way in WAYS:
        return f"per {one}"
    return f"per usual difference between patients in it (that of {one} over a typical follow-up where it is a rate)"


def _one(p: Predictor, link: Link) -> str:
    """One usual difference between patients, as a reader knows it: from the typical value upwards."""
    low, high = (float(link.inverse(p.scale.typical + k * p.scale.spread)) for k in (0, 1))
    if link.anchored:
        return f"{p.scale.spread:.3g} on the {link.link_name} scale"
    unit = f" {p.scale.unit}" if p.scale.unit else ""
    return f"factor of {high / low:.3g}" if link.multiplicative else f"step from {low:.3g} to {high:.3g}{unit}"


def _standing(study: Study, outcome: str, way: str) -> Iterator[str]:
    """What a hazard sees of an outcome's course."""
    p = predictors(study, outcome)[0]
    eta = f"(eta_{outcome}[i, t] - {p.scale.typical:.4g}) / {p.scale.spread:.4g}"
    if way == "level":
        yield f"m_{outcome}[i, t] = {eta}"
    elif way == "slope":
        yield f"m_{outcome}[i, t] = {p.scale.follow_up:g} * d/dt {eta}"
    elif way == "area":
        yield f"m_{outcome}[i, t] = mean over 0 to t of {eta}"
    else:
        per = next(c.per for c in p.coefficients if c.name == way)
        yield f"m_{outcome}[i, t] = b_{way}[i] * {per / p.scale.spread:.4g}"
