"""What estimands and decisions may get wrong though they are well formed: names, and numbers that cannot be formed."""

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np

from bayesmyo.components.decisions import Decision
from bayesmyo.components.estimands import Estimand
from bayesmyo.errors import Fault, did_you_mean
from bayesmyo.study.check_responses import of_criterion
from bayesmyo.study.study import Covariate, Outcome


def estimand(
    name: str, e: Estimand, names: Mapping[str, list[str]], read: Mapping[str, Outcome], values: Mapping[str, Any]
) -> list[Fault]:
    where, found, outcomes = f"estimands.{name}", [], names["outcomes"]
    known = [read[o] for o in e.outcomes if o in read]
    found += _given(where, e, values["covariates"], known if len(known) == len(e.outcomes) else [])
    found += _possible(where, {"above": e.above, "below": e.below}, e)
    if e.above is not None and e.below is not None:
        found.append(Fault(where, "give above or below, not both"))
    found += _population(where, e)
    if e.contrast is not None and e.contrast.by == "ratio" and not (e.is_level or _of_ratio(e)):
        mend = "leave it out, or compare levels"
        found.append(
            Fault(f"{where}.contrast.by", f"two groups' {e.kind} is compared by its difference", '"ratio"', mend)
        )
    o = read.get(e.amount_of or "")
    found += _ratio(where, e, o)
    found += _criteria(where, e, outcomes, read)
    own = [Fault(f"{where}.{key}" if key else where, *told) for key, *told in e.faults()]
    if o is not None and not own:
        found += _before(where, e, o)
    if not own:
        found += _unplanned(where, e, known)
    return found + own + (_summary(where, e, o) if e.amount_of is not None else [])


def _of_ratio(e: Estimand) -> bool:
    """Whether it is the ratio of two levels, whose neutral value is one."""
    return e.difference_on == "log"


def _criteria(where: str, e: Estimand, outcomes: Sequence[str], read: Mapping[str, Outcome]) -> list[Fault]:
    """Outcomes that the study has not, and levels that cannot be reached or missed."""
    found, asked = [], e.asks()
    places = {outcome: key for key, (outcome, _) in asked.items() if key}
    for name in (o for o in e.outcomes if o not in outcomes):
        at, got = (places[name], "") if name in places else ("outcome", f'"{name}"')
        found.append(Fault(f"{where}.{at}", "is not an outcome of this study", got, did_you_mean(name, outcomes)))
    measured = e.predicts == "measurement" and bool(e.measured)
    for key, (outcome, c) in asked.items():
        first, *_, last = (e.times()[0], *e.times())
        found += of_criterion(f"{where}.{key}" if key else where, c, last, first, read.get(outcome), measured)
    return found


def _population(where: str, e: Estimand) -> list[Fault]:
    """Populations of which a kind of estimand cannot speak, or whose measurements it cannot predict."""
    found = []
    if e.population not in e.populations:
        mend = f"allowed: {', '.join(e.populations)}"
        found.append(Fault(f"{where}.population", e.unspoken, f'"{e.population}"', mend))
    elif e.predicts == "measurement" and e.population not in e.measured:
        if not e.measured:
            what = f"a {e.kind} estimand is of expected values"
            found.append(Fault(f"{where}.predicts", what, '"measurement"', "leave it out"))
        else:
            what = "a measurement is predicted for a new patient only"
            found.append(Fault(f"{where}.predicts", what, f'population "{e.population}"'))
    return found


def _summary(where: str, e: Estimand, o: Outcome | None) -> list[Fault]:
    """Summaries that the family does not have."""
    found = []
    if e.predicts == "measurement" and e.summary is not None:
        found.append(Fault(f"{where}.summary", "a measurement is one value: it has no summary"))
    if o is None or e.summary != "median" or o.family.geometric:
        return found
    what = f"is the mean for the family {o.family.kind}"
    if o.family.link_name != "identity":
        mend = "leave it out: levels are expected values"
        found.append(Fault(f"{where}.summary", what, '"median"', mend))
    elif not e.is_level:
        found.append(Fault(f"{where}.summary", what, '"median"', "leave it out"))
    return found


def _possible(where: str, stated: Mapping[str, float | None], e: Estimand) -> list[Fault]:
    """Thresholds that the number cannot pass."""
    ends = e.possible()
    if ends is None:
        return []
    low, high = ends
    words = f"a number between {low:g} and {high:g}" if np.isfinite(high) else "a positive number"
    return [
        Fault(f"{where}.{k}", f"must be {words}: a {e.kind} is nothing else", f"{v:g}")
        for k, v in stated.items()
        if v is not None and not low <= v <= high
    ]


def _ratio(where: str, e: Estimand, o: Outcome | None) -> list[Fault]:
    """Numbers that cannot be formed from what the family measures."""
    if o is None or not e.relative:
        return []
    if o.family.anchored:
        at, mend = ("kind", 'ask for the "change"') if _of_ratio(e) else ("contrast.by", "leave it out")
        return [Fault(f"{where}.{at}", "scores of grades have no ratio", '"ratio"', mend)]
    if o.family.ends()[0] != 0 and o.family.link_name == "identity" and e.is_level:
        return [
            Fault(
                f"{where}.contrast.by",
                "levels that may be negative have no ratio",
                '"ratio"',
                "compare them by their difference",
            )
        ]
    if e.predicts == "measurement" and bool(np.all(o.family.check(np.zeros(1)))):
        mend = "ask for the ratio of expected values"
        return [Fault(f"{where}.predicts", "a measurement may be zero, and then has no ratio", '"measurement"', mend)]
    return []


def _unplanned(where: str, e: Estimand, known: Sequence[Outcome]) -> list[Fault]:
    """Times of which a trajectory says nothing, and measurements at two times whose residuals hang together."""
    found = []
    for o in known:
        for key, t in e.when().items():
            if not o.trajectory.planned(t):
                plan = ", ".join(f"{time:g}" for time in o.trajectory.visits_planned())
                found.append(Fault(f"{where}.{key}", f"no visit is planned then: {plan}", f"{t:g}"))
        if e.predicts == "measurement" and e.compares and o.residual is not None:
            what = "measurements at two times hang together by the residual of the outcome"
            found.append(Fault(f"{where}.predicts", what, '"measurement"', "ask for expected values"))
    return found


def _before(where: str, e: Estimand, o: Outcome) -> list[Fault]:
    """A change that is zero (or none) by definition: at both times the outcome stands at the level before the start."""
    start = min(part.trajectory.start for part in o.parts.values())
    key, last = [*e.when().items()][-1]
    if not e.compares or last > start:
        return []
    none = "one" if _of_ratio(e) else "zero"
    what = f"is {none} by definition: before {start:g} {e.amount_of} stands at its level there"
    mend = f'declare a trend before treatment, such as {{ kind = "piecewise", origin = {e.times()[0]:g}, knots = [0] }}'
    return [Fault(f"{where}.{key}", what, f"{last:g}", mend)]


def _unmoderated(where: str, e: Estimand, o: Outcome, covariates: Mapping[str, Covariate]) -> list[Fault]:
    """A contrast that is zero (or one) by definition: the covariate shifts the level alone, and the change cancels it."""
    c = e.contrast
    if c is None or o.family.link_name != e.difference_on:
        return []
    named = [*o.moderators, *(name for part in o.predictors.values() for name in (*part.covariates, *part.moderators))]
    if c.covariate in {p for n in named if n in covariates for p in covariates[n].product or (n,)}:
        return []
    none = "one" if _of_ratio(e) else "zero"
    what = f"is {none} by definition: {c.covariate} shifts the level of {e.amount_of} alone"
    return [Fault(f"{where}.contrast", what, mend="name it among the moderators, or compare levels")]


def _given(where: str, e: Estimand, covariates: Mapping[str, Covariate], known: Sequence[Outcome]) -> list[Fault]:
    """Covariate values that an estimand sets, and groups that it compares; `known` are its outcomes, if all could be read."""
    found = []
    named = [n for o in known for n in o.named]
    parts = {p for n in named if n in covariates for p in covariates[n].product or (n,)}
    outcomes = " and ".join(e.outcomes)
    if known and e.contrast is not None and e.contrast.covariate in covariates and e.contrast.covariate not in parts:
        mend = f"name it among the covariates or moderators of {outcomes}"
        found.append(
            Fault(
                f"{where}.contrast",
                "compares groups in which the outcome does not differ",
                f'"{e.contrast.covariate}"',
                mend,
            )
        )
    stated = [("given", k, v) for k, v in e.given.items()]
    if e.contrast is not None:
        stated += [("contrast", e.contrast.covariate, v) for v in (e.contrast.level, e.contrast.reference)]
        if e.contrast.level == e.contrast.reference:
            found.append(Fault(f"{where}.contrast", "compares a group with itself", f'"{e.contrast.level}"'))
        if e.contrast.covariate in e.given:
            found.append(
                Fault(f"{where}.given", "sets the covariate that the contrast compares", f'"{e.contrast.covariate}"')
            )
    if known and not found:
        found += _unmoderated(where, e, known[0], covariates)
    if e.contrast is not None and e.predicts == "measurement":
        found.append(
            Fault(f"{where}.predicts", "groups are compared by their expected values", '"measurement"', "leave it out")
        )
    for name in e.given:
        if known and name in covariates and name not in parts:
            found.append(Fault(f"{where}.given", f"has no part in the outcome {outcomes}", f'"{name}"', "leave it out"))
    for key, name, value in stated:
        found += covariate_value(f"{where}.{key}", name, value, covariates)
    return found


def covariate_value(where: str, name: str, value: Any, covariates: Mapping[str, Covariate]) -> list[Fault]:
    """What is wrong with one value of a covariate that a question sets."""
    c = covariates.get(name)
    if c is None or c.product:
        usable = [n for n, other in covariates.items() if not other.product]
        mend = did_you_mean(name, usable) if usable else "the study declares no covariate"
        return [Fault(where, "is no covariate with a column", f'"{name}"', mend)]
    if c.levels:
        known = value in c.levels
        return (
            [] if known else [Fault(where, f"is no level of {name}", f'"{value}"', did_you_mean(str(value), c.levels))]
        )
    if not isinstance(value, Real) or not np.isfinite(float(value)):
        return [Fault(where, f"{name} is a number", f'"{value}"')]
    if (c.transform == "log" and value <= 0) or (c.transform == "sqrt" and value < 0):
        return [Fault(where, f"{name} has no {c.transform}", f"{value:g}")]
    return []


def decision(name: str, d: Decision, estimands: list[str], read: Mapping[str, Estimand]) -> list[Fault]:
    where, found = f"decisions.{name}", []
    if d.estimand not in estimands:
        mend = did_you_mean(d.estimand, estimands)
        found.append(Fault(f"{where}.estimand", "is not an estimand of this study", f'"{d.estimand}"', mend))
    found += [Fault(f"{where}.{key}" if key else where, what, got) for key, what, got in d.faults()]
    if d.estimand in read:
        found += _possible(where, d.thresholds(), read[d.estimand])
    return found
