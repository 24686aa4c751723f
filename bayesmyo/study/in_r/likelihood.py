"""The call that fits an outcome by likelihood: lme4, nlme, glmmTMB or ordinal."""

import math
from collections.abc import Mapping
from dataclasses import replace

from bayesmyo.components.families.link import CALLED
from bayesmyo.components.in_r import Call
from bayesmyo.components.residuals import Residual
from bayesmyo.study.in_r.terms import NoEquivalent, Terms, column, correlated, inner, known, noted, terms
from bayesmyo.study.parameters import parameters
from bayesmyo.study.predictors import LOCATION, blocks
from bayesmyo.study.study import Study

NONE = "no equivalent in lme4, nlme, glmmTMB or ordinal"


def likelihood(study: Study, outcome: str, first: float = 0.0) -> str:
    """The call that fits an outcome by likelihood, two where it is in two parts that know nothing of each other, or why
    there is none.

    Parameters
    ----------
    first
        The earliest time in the table, in the study's unit: on it hangs whether anything before the start is held at
        its level.
    """
    parts = terms(study, outcome, first)
    try:
        return noted(_told(study, outcome, parts), parts, "this outcome alone")
    except NoEquivalent as why:
        return f"{NONE} ({why})"


def _told(study: Study, outcome: str, parts: list[Terms]) -> str:
    o, (location, *rest) = study.outcomes[outcome], parts
    if o.censoring:
        raise NoEquivalent("censored cells")
    if outcome in study.correlate_residuals:
        raise NoEquivalent("residuals that are correlated with those of another outcome")
    if fixed := known(study, outcome):
        raise NoEquivalent(f"{', '.join(p.name for p in fixed)}: known, not estimated")
    if (o.residual is not None or o.predictors) and any(study.covariates[n].group for n in o.named):
        raise NoEquivalent("groups, and more")
    if o.error is not None:
        raise NoEquivalent("known errors of measurements")
    if o.residual is not None:
        return _hanging_together(location, o.residual)
    if rest and not o.family.r_apart:
        return _in_one(location, *rest)
    if any(len({e.predictor for e in b.effects if e.outcome == outcome}) > 1 for b in blocks(study)):
        raise NoEquivalent("the effects of its parts are correlated")
    return "; ".join(_alone(part) for part in parts)


def _call(t: Terms) -> Call | None:
    return t.outcome.family.r_call(column(t.study, t.outcome.column), t.predictor.name)


def _sayable(t: Terms) -> None:
    if t.why_not:
        raise NoEquivalent(t.why_not)


def _alone(t: Terms) -> str:
    """The call of one predictor, which knows nothing of others."""
    call, curve, p = _call(t), t.curve(), t.predictor
    if call is None:
        raise NoEquivalent(f"family {t.outcome.family.kind}")
    if curve and not call.normal:
        raise NoEquivalent(f"trajectory {p.trajectory.kind} with family {t.outcome.family.kind}")
    if curve and (p.covariates or p.moderators):
        raise NoEquivalent(f"covariates on a {p.trajectory.kind}")
    if curve:
        return _curved(t, call, curve)
    _sayable(t)
    return _linear(t, call)


def _in_one(location: Terms, part: Terms, *more: Terms) -> str:
    """One call for the location and one parameter of the family: zeros that are no counts, or a residual SD of each
    group."""
    call, p, called = _call(part), part.predictor, CALLED[part.predictor.name]
    if call is None or more or not call.inside or location.curve():
        raise NoEquivalent(f"the {called} has a predictor of its own")
    _sayable(location)
    _sayable(part)
    if not call.by_group:
        inside = call.inside.replace("{}", part.formula)
        return _linear(location, replace(call, arguments=(inside, *call.arguments)))
    own = p.effects or p.moderators or p.trajectory.moves
    if not location.predictor.effects or own or len(p.covariates) != 1:
        raise NoEquivalent(f"the {called} is more than one value in each group")
    if not part.study.covariates[p.covariates[0]].levels:
        raise NoEquivalent(f"the {called} follows a number")
    return _nlme(location, call.response, (call.inside.replace("{}", part.covariate(p.covariates[0])),))


def _hanging_together(t: Terms, residual: Residual) -> str:
    """A normal outcome whose residuals have a covariance, by nlme."""
    call = _call(t)
    if t.outcome.predictors or call is None or not call.normal:
        raise NoEquivalent("residuals that hang together, and more")
    _sayable(t)
    return _nlme(t, call.response, residual.r_arguments(t.time, t.patient, t.outcome.trajectory))


def _linear(t: Terms, call: Call) -> str:
    """A predictor that is linear in all its coefficients."""
    own = [t.own] if correlated(t.study, t.predictor) else [[term] for term in t.own]
    right = [*t.fixed, *(f"({inner(terms)} | {t.patient})" for terms in own)]
    if t.exposure and t.predictor.name == LOCATION:
        right.append(f"offset({t.exposure})")
    function = call.mixed if t.own or t.outcome.family.per_row() else call.alone
    return f"{function}({call.response} ~ {' + '.join(right)}, {', '.join(['data = d', *call.arguments])})"


def _nlme(t: Terms, response: str, told: tuple[str, ...]) -> str:
    """A linear mixed model by nlme, or without patients' effects a linear one. told: what it is told of residuals"""
    random = f"random = ~ {inner(t.own)} | {t.patient}"
    if len(t.predictor.effects) > 1 and not correlated(t.study, t.predictor):
        random = f"random = list({t.patient} = nlme::pdDiag(~ {inner(t.own)}))"
    arguments = ["data = d", *([random] if t.own else []), *told, "na.action = na.omit"]
    return f"nlme::{'lme' if t.own else 'gls'}({response} ~ {' + '.join(t.fixed)}, {', '.join(arguments)})"


def _curved(t: Terms, call: Call, curve: str) -> str:
    """Patients differ in a half-time by factors, so that its logarithm is what is normal."""
    p = t.predictor
    called, starts = {c.name: c.name for c in p.coefficients}, dict(_starts(t))
    for c in (e.coefficient for e in p.effects if not e.linear):
        called[c], curve, starts[c] = f"log_{c}", curve.replace(c, f"exp(log_{c})"), math.log(starts[c])
    start = ", ".join(f"{called[c]} = {value:.3g}" for c, value in starts.items())
    told = ", ".join(["data = d", *call.arguments])
    if not p.effects:
        return f"stats::nls({call.response} ~ {curve}, {told}, start = c({start}))"
    varying = " + ".join(called[e.coefficient] for e in p.effects)
    random = f"random = {varying} ~ 1 | {t.patient}"
    if len(p.effects) > 1 and not correlated(t.study, p):
        random = f"random = nlme::pdDiag({varying} ~ 1), groups = ~ {t.patient}"
    fixed = f"fixed = {' + '.join(called.values())} ~ 1"
    return f"nlme::nlme({call.response} ~ {curve}, {told}, {fixed}, {random}, start = c({start}), na.action = na.omit)"


def _starts(t: Terms) -> Mapping[str, float]:
    """Where a search may begin, by coefficient."""
    p, listed = t.predictor, parameters(t.study, t.predictor.outcome)
    priors = {c.name: listed[p.prefix + c.name].prior for c in p.coefficients}
    middle = {c: float(prior.quantile(0.5)) for c, prior in priors.items() if prior is not None}
    return p.trajectory.r_starts(middle, p.scale.spread if t.outcome.better == "higher" else -p.scale.spread)
