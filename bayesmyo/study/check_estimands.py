"""What estimands and decisions may get wrong though they are well formed: names, and numbers that cannot be formed."""

from collections.abc import Iterable, Mapping, Sequence
from numbers import Real
from typing import Any, cast

import numpy as np

from bayesmyo.components.decisions import Decision
from bayesmyo.components.estimands import Estimand
from bayesmyo.components.estimands.estimand import FAILS, STOPS, Strategy
from bayesmyo.components.trajectories import trend
from bayesmyo.errors import Fault, did_you_mean
from bayesmyo.study.check_responses import NO_COURSE, NO_EVENT, of_criterion, terminal
from bayesmyo.study.faults import Faults, unknown
from bayesmyo.study.study import Covariate, Event, Outcome

POLICY: Strategy = "treatment policy"
CANNOT = {
    FAILS: ("counts who had it as meeting no criteria", "share"),
    STOPS: ("asks for the level at one time", "level, change, ratio or share"),
}


def estimand(
    where: str,
    e: Estimand,
    outcomes: Sequence[str],
    read: Mapping[str, Outcome | Event],
    covariates: Mapping[str, Covariate],
) -> Faults:
    """Faults of one estimand.

    Parameters
    ----------
    where
        Its table, as faults name it.
    outcomes
        Names of the study's outcomes, or of its events where it asks about one.
    read
        Those of them that have no fault of their own, and the events.
    """
    asked = [read[o] for o in e.outcomes if o in read]
    differing = [*asked, *(read[name] for name in e.events if name in read)]
    yield from _groups(where, e, covariates, differing if len(asked) == len(e.outcomes) else [])
    yield from _possible(where, {"above": e.above, "below": e.below}, e)
    if e.above is not None and e.below is not None:
        yield Fault(where, "give above or below, not both")
    yield from _population(where, e)
    if e.contrast is not None and e.contrast.by == "ratio" and not (e.is_level or e.divides):
        what, mend = f"two groups' {e.kind} is compared by its difference", "leave it out, or compare levels"
        yield Fault(f"{where}.contrast.by", what, '"ratio"', mend)
    o = cast("Outcome | None", read.get(e.amount_of or ""))
    if o is not None and e.relative:
        yield from _ratio(where, e, o)
    yield from _criteria(where, e, outcomes, read)
    own = [Fault(f"{where}.{key}" if key else where, *told) for key, *told in e.faults()]
    if o is not None and not own:
        yield from _before(where, e, o)
    if not own:
        yield from _unplanned(where, e, asked)
    yield from own
    if e.amount_of is not None:
        yield from _summary(where, e, o)


def strategies(name: str, e: Estimand, events: Sequence[str], read: Mapping[str, Event]) -> Faults:
    """What one [estimands.NAME] says of events.

    Parameters
    ----------
    events
        Names of the study's events.
    read
        Those of them that could be read.
    """
    where = f"estimands.{name}"
    if e.of_event is None:
        for event in e.events:
            yield from unknown(f"{where}.{'events' if event in e.strategies else 'free'}", event, events, NO_EVENT)
    for event, strategy in e.strategies.items():
        if event in events or not e.allowed:
            yield from _strategy(f"{where}.events.{event}", e, strategy, event, read.get(event))
        elif event not in e.events:
            yield from unknown(f"{where}.events", event, events, NO_EVENT)
    for event in terminal(read, e.settled) if e.of_event is None else ():
        mend = f"write events = {{ {event} = {_others(e)} }}"
        yield Fault(f"{where}.events", f"says nothing of {event}, {NO_COURSE}", mend=mend)


def _strategy(where: str, e: Estimand, strategy: Strategy, name: str, event: Event | None) -> Faults:
    """A strategy that the estimand cannot follow, or for which the wrong visits are used."""
    got = f'"{strategy}"'
    if not e.allowed:
        yield Fault(where, f"{e.kind} is of the event itself, as if no other happened", got, "leave it out")
    elif strategy not in e.allowed:
        what, kinds = CANNOT[strategy]
        yield Fault(where, f"{what}, which a {e.kind} estimand has not", got, f"ask for a {kinds}")
    elif event is None:
        return
    elif strategy == POLICY and event.ends:
        yield Fault(where, "nobody is seen after it, whatever the policy", got, f"write {_others(e)}")
    elif strategy == POLICY and event.after == "set aside":
        mend = f"leave it out of [events.{name}], or choose another strategy: it holds for the whole study"
        yield Fault(where, 'needs the visits after it, and after = "set aside" takes them out', got, mend)
    elif strategy != POLICY and not event.ends and event.after != "set aside":
        mend = f'write after = "set aside" in [events.{name}]: it holds for the whole study'
        yield Fault(where, "needs the course without what comes after it, and visits after it are used", got, mend)


def _others(e: Estimand) -> str:
    """The strategies that it can follow where nobody is seen after an event."""
    return " or ".join(f'"{way}"' for way in reversed(e.allowed) if way != POLICY)


def _none(e: Estimand) -> str:
    """The number that means no change."""
    return "one" if e.divides else "zero"


def _criteria(where: str, e: Estimand, outcomes: Sequence[str], read: Mapping[str, Any]) -> Faults:
    """Outcomes that the study has not, and levels that cannot be reached or missed."""
    asked = e.asks()
    places = {outcome: key for key, (outcome, _) in asked.items() if key}
    for name in (o for o in e.outcomes if o not in outcomes):
        word, article = ("event", "an event") if e.of_event else ("outcome", "an outcome")
        at, got = (places[name], "") if name in places else (word, f'"{name}"')
        mend = did_you_mean(name, outcomes) if outcomes else f"declare [{word}s.{name}]"
        yield Fault(f"{where}.{at}", f"is not {article} of this study", got, mend)
    measured = e.predicts == "measurement" and bool(e.measured)
    for key, (outcome, c) in asked.items():
        first, *_, last = (e.times()[0], *e.times())
        yield from of_criterion(f"{where}.{key}" if key else where, c, last, first, read.get(outcome), measured)


def _population(where: str, e: Estimand) -> Faults:
    """Populations of which a kind of estimand cannot speak, or whose measurements it cannot predict."""
    if e.population not in e.populations:
        yield Fault(f"{where}.population", e.unspoken, f'"{e.population}"', f"allowed: {', '.join(e.populations)}")
    elif e.predicts == "measurement" and not e.measured:
        yield _expected(where, f"a {e.kind} estimand is of expected values")
    elif e.predicts == "measurement" and e.population not in e.measured:
        what = "a measurement is predicted for a new patient only"
        yield Fault(f"{where}.predicts", what, f'population "{e.population}"')


def _expected(where: str, what: str, mend: str = "leave it out") -> Fault:
    """Why an estimand cannot be of measurements."""
    return Fault(f"{where}.predicts", what, '"measurement"', mend)


def _summary(where: str, e: Estimand, o: Outcome | None) -> Faults:
    """Summaries that the family does not have."""
    at = f"{where}.summary"
    if e.predicts == "measurement" and e.summary is not None:
        yield Fault(at, "a measurement is one value: it has no summary")
    if o is None or e.summary != "median" or o.family.geometric:
        return
    bare = o.family.additive
    if not bare or not e.is_level:
        mend = "leave it out" if bare else "leave it out: levels are expected values"
        yield Fault(at, f"is the mean for the family {o.family.kind}", '"median"', mend)


def _possible(where: str, stated: Mapping[str, float | None], e: Estimand) -> Faults:
    """Thresholds that the number cannot pass."""
    low, high = e.possible() or (-np.inf, np.inf)
    words = f"a number between {low:g} and {high:g}" if np.isfinite(high) else "a positive number"
    for key, value in stated.items():
        if value is not None and not low <= value <= high:
            yield Fault(f"{where}.{key}", f"must be {words}: a {e.kind} is nothing else", f"{value:g}")


def _ratio(where: str, e: Estimand, o: Outcome) -> Faults:
    """Ratios that cannot be formed from what the family measures."""
    if o.family.anchored:
        at, mend = ("kind", 'ask for the "change"') if e.divides else ("contrast.by", "leave it out")
        yield Fault(f"{where}.{at}", "scores of grades have no ratio", '"ratio"', mend)
    elif o.family.ends()[0] != 0 and o.family.additive and e.is_level:
        what, mend = "levels that may be negative have no ratio", "compare them by their difference"
        yield Fault(f"{where}.contrast.by", what, '"ratio"', mend)
    elif e.predicts == "measurement" and bool(np.all(o.family.check(np.zeros(1)))):
        what = "a measurement may be zero, and then has no ratio"
        yield _expected(where, what, "ask for the ratio of expected values")


def _unplanned(where: str, e: Estimand, asked: Sequence[Outcome | Event]) -> Faults:
    """Times of which a trajectory says nothing, and measurements at two times whose residuals hang together."""
    for o in asked:
        for key, t in e.when().items():
            if not o.trajectory.planned(t):
                plan = ", ".join(f"{time:g}" for time in o.trajectory.visits_planned())
                yield Fault(f"{where}.{key}", f"no visit is planned then: {plan}", f"{t:g}")
        if e.stops and o.trajectory.visits_planned():
            what = "stop a course at an event, and between planned visits there is none"
            yield Fault(f"{where}.events", what, mend="declare another trajectory")
        if e.predicts == "measurement" and e.compares and o.residual is not None:
            what = "measurements at two times hang together by the residual of the outcome"
            yield _expected(where, what, "ask for expected values")


def _before(where: str, e: Estimand, o: Outcome) -> Faults:
    """A change that is zero (or one) by definition: at both times the outcome stands at the level before the start."""
    start = min(part.trajectory.start for part in o.parts.values())
    key, last = [*e.when().items()][-1]
    if e.compares and last <= start:
        what = f"is {_none(e)} by definition: before {start:g} {e.amount_of} stands at its level there"
        mend = f"declare a trend before treatment, such as {trend(e.times()[0])}"
        yield Fault(f"{where}.{key}", what, f"{last:g}", mend)


def _groups(where: str, e: Estimand, covariates: Mapping[str, Covariate], asked: Sequence[Outcome | Event]) -> Faults:
    """Covariate values that an estimand sets, and groups that it compares.

    Parameters
    ----------
    asked
        Its outcomes, if all could be read, and the events that it looks at.
    """
    c, outcomes = e.contrast, " and ".join(e.outcomes)
    parts = _factors((name for o in asked for name in o.named), covariates)
    stated = [("given", name, value) for name, value in e.given.items()]
    if c is not None:
        at, faults = f"{where}.contrast", []
        stated += [("contrast", c.covariate, value) for value in (c.level, c.reference)]
        if asked and c.covariate in covariates and c.covariate not in parts:
            what = "compares groups in which the outcome does not differ"
            mend = f"name it among the covariates or moderators of {outcomes}"
            faults.append(Fault(at, what, f'"{c.covariate}"', mend))
        if c.level == c.reference:
            faults.append(Fault(at, "compares a group with itself", f'"{c.level}"'))
        if c.covariate in e.given:
            what = "sets the covariate that the contrast compares"
            faults.append(Fault(f"{where}.given", what, f'"{c.covariate}"'))
        if asked and not faults and not e.stops and _cancelled(e, c.covariate, asked[0], covariates):
            what = f"is {_none(e)} by definition: {c.covariate} shifts the level of {e.amount_of} alone"
            faults.append(Fault(at, what, mend="name it among the moderators, or compare levels"))
        yield from faults
        if e.predicts == "measurement":
            yield _expected(where, "groups are compared by their expected values")
    for name in e.given:
        if asked and name in covariates and name not in parts:
            yield Fault(f"{where}.given", f"has no part in the outcome {outcomes}", f'"{name}"', "leave it out")
    for key, name, value in stated:
        yield from covariate_value(f"{where}.{key}", name, value, covariates)


def _factors(names: Iterable[str], covariates: Mapping[str, Covariate]) -> set[str]:
    """The covariates that the named ones are, or are products of."""
    return {factor for name in names if name in covariates for factor in covariates[name].product or (name,)}


def _cancelled(e: Estimand, covariate: str, o: Outcome | Event, covariates: Mapping[str, Covariate]) -> bool:
    """Whether a covariate shifts the level alone, which a difference of two levels cancels."""
    moving = [*o.moderators, *(name for part in o.predictors.values() for name in (*part.covariates, *part.moderators))]
    return o.family.link_name == e.difference_on and covariate not in _factors(moving, covariates)


def covariate_value(where: str, name: str, value: Any, covariates: Mapping[str, Covariate]) -> Faults:
    """What is wrong with one value of a covariate that a question sets.

    Parameters
    ----------
    where
        The key that sets it, as faults name it.
    value
        A level, or a number.
    """
    c = covariates.get(name)
    if c is None or c.product:
        usable = [n for n, other in covariates.items() if not other.product]
        mend = did_you_mean(name, usable) if usable else "the study declares no covariate"
        yield Fault(where, "is no covariate with a column", f'"{name}"', mend)
    elif c.levels:
        if value not in c.levels:
            yield Fault(where, f"is no level of {name}", f'"{value}"', did_you_mean(str(value), c.levels))
    elif not isinstance(value, Real) or not np.isfinite(float(value)):
        yield Fault(where, f"{name} is a number", f'"{value}"')
    elif (c.transform == "log" and value <= 0) or (c.transform == "sqrt" and value < 0):
        yield Fault(where, f"{name} has no {c.transform}", f"{value:g}")


def decision(name: str, d: Decision, estimands: Sequence[str], read: Mapping[str, Estimand]) -> Faults:
    """Faults of one [decisions.NAME]; estimands: the names of all, read: those that could be read."""
    where = f"decisions.{name}"
    yield from unknown(f"{where}.estimand", d.estimand, estimands, "is not an estimand of this study")
    for key, what, got in d.faults():
        yield Fault(f"{where}.{key}" if key else where, what, got)
    if d.estimand in read:
        yield from _possible(where, d.thresholds(), read[d.estimand])
