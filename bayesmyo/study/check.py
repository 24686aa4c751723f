"""What a well-formed study may still get wrong: names that point nowhere, numbers that make no sense together.

Each check sees the document (for names) and the tables that could be read, so that one fault does not hide another.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bayesmyo.components.priors import Prior
from bayesmyo.errors import Fault, did_you_mean
from bayesmyo.study import (
    check_abstract,
    check_covariates,
    check_data,
    check_estimands,
    check_events,
    check_evidence,
    check_outcomes,
    check_responses,
    check_simulation,
)
from bayesmyo.study.check_responses import NAME, USABLE
from bayesmyo.study.covariates import columns, of_patients
from bayesmyo.study.faults import Faults, unknown_keys
from bayesmyo.study.parameters import Parameter, parameter_list, parameters
from bayesmyo.study.predictors import LOCATION, Predictor, predictors
from bayesmyo.study.study import DataFormat, Event, Study

NAMED = (
    "covariates", "groups", "outcomes", "events", "evidence", "estimands", "decisions", "responses", "scenarios"
)  # fmt: skip
RESERVED = {
    "chain", "draw", "patient", "visit", "outcome", "coefficient", "time", "like", "title", "together", "correlations",
    "covariates",
}  # fmt: skip
RATE_NEEDS = (
    "typical (the share of patients to whom it happens within a typical follow-up), and study.time.typical or [design]"
)


def faults(document: Mapping[str, Any], values: Mapping[str, Any]) -> Faults:
    """Every fault of meaning of a study.

    Parameters
    ----------
    document
        The text as TOML, for the names in it.
    values
        The tables that could be read, by their names in `Study`.
    """
    names = {k: list(document[k]) if isinstance(document.get(k), dict) else [] for k in NAMED}
    covariates, time = values["covariates"], values.get("time")
    general = [*_head(document, values, names)]
    for name, c in covariates.items():
        general += check_covariates.covariate(name, c, covariates)
    general += check_covariates.correlation_prior(values.get("correlation_prior") or "lkj(2)")
    yield from general
    yield from _design(values, names)
    faulty = {name: [*check_outcomes.outcome(name, o, covariates)] for name, o in values["outcomes"].items()}
    for listed in faulty.values():
        yield from listed
    yield from check_outcomes.together(values.get("correlate_residuals") or (), values["outcomes"], names["outcomes"])
    whole = {name: o for name, o in values["outcomes"].items() if not faulty[name]}
    happening: dict[str, Event] = {}
    for name, event in values["events"].items():
        of_event = [*check_events.event(name, event, time, names["outcomes"], whole, covariates)]
        happening |= {} if of_event else {name: event}
        yield from of_event
    for name, known in values["evidence"].items():
        yield from check_evidence.evidence(f"evidence.{name}", known, names["outcomes"], whole, covariates)
    yield from check_evidence.together(values["evidence"])
    for name, estimand in values["estimands"].items():
        table = "events" if estimand.of_event else "outcomes"
        read = {**({} if estimand.of_event else whole), **values["events"]}
        yield from check_estimands.estimand(f"estimands.{name}", estimand, names[table], read, covariates)
        yield from check_estimands.strategies(name, estimand, names["events"], values["events"])
    for name, decision in values["decisions"].items():
        yield from check_estimands.decision(name, decision, names["estimands"], values["estimands"])
    for name, response in values["responses"].items():
        yield from check_responses.response(name, response, names["outcomes"], whole)
        yield from check_responses.free(name, response, names["events"], values["events"])
    yield from check_responses.rule(values.get("rule") or "", names["responses"])
    if values["published"] is not None:
        yield from check_abstract.abstract(values["published"], names["outcomes"], whole, values["responses"])
    if time is None or general:
        return
    if values["design"] is None and "design" in document:  # its own faults are enough: it would have said how long
        time = replace(time, typical=time.typical or 1.0)
    stated = {key: values[key] for key in ("correlate", "correlation_prior") if values.get(key)}
    stated["correlate_residuals"] = tuple(n for n in values.get("correlate_residuals") or () if n in whole)
    draft = Study(
        title="", patient="", time=time, covariates=covariates, outcomes=whole, events=happening,
        design=values["design"], **stated,
    )  # fmt: skip
    yield from _design_columns(draft)
    for name in draft.declared:
        yield from _declared(draft, name)
    for name, known in values["evidence"].items():
        if known.outcome in draft.outcomes:
            yield from check_evidence.averaged(f"evidence.{name}", known, draft)
    for name, scenario in values["scenarios"].items():
        yield from check_simulation.scenario(name, scenario, draft, values["scenarios"], names)


def _head(document: Mapping[str, Any], values: Mapping[str, Any], names: Mapping[str, list[str]]) -> Faults:
    """The names of all tables, [study] and [data]."""
    if not document.get("outcomes"):
        yield Fault("outcomes", "no outcome is declared", mend="write at least one table [outcomes.my_outcome]")
    for where, name in ((f"{table}.{name}", name) for table, listed in names.items() for name in listed):
        if name in RESERVED:
            yield Fault(where, "is a reserved word; choose another name")
        elif not NAME.fullmatch(name):
            yield Fault(where, "is not a usable name", mend=USABLE)
    interval = values.get("interval", 0.95)
    if interval is not None and not 0 < interval < 1:
        yield Fault("study.interval", "must lie between 0 and 1", f"{interval:g}", "0.95 is a 95 % interval")
    yield from check_data.data_format(values["data"], names["outcomes"])
    yield from check_data.columns(values)
    yield from check_data.time(values.get("time"))
    yield from check_events.time(values.get("time"))
    taken = {table: names[table] for table in ("covariates", "groups", "outcomes")}
    yield from check_events.together(values["events"], taken, (values["data"] or DataFormat()).missing)


def _design(values: Mapping[str, Any], names: Mapping[str, list[str]]) -> Faults:
    design, outcomes = values["design"], values["outcomes"]
    if design is None:
        return
    complete = len(outcomes) == len(names["outcomes"])
    exposures = [o.exposure for o in outcomes.values() if o.exposure] if complete else None
    yield from check_simulation.design(design, exposures, values["covariates"])
    if complete:
        yield from check_simulation.errors(design, outcomes)
        yield from check_simulation.randomised(design, values["covariates"], outcomes)
    yield from check_simulation.planned(design, outcomes)


def _design_columns(study: Study) -> Faults:
    """Names of design columns that two covariates would share."""
    owners: dict[str, str] = {}
    for name in study.covariates:
        for column in columns(study, name):
            if column in owners:
                what = f'its coefficient "{column}" would be named as one of {owners[column]}'
                yield Fault(f"covariates.{name}", what, mend="choose another name")
            owners.setdefault(column, name)


def _declared(study: Study, outcome: str) -> Faults:
    """Of an outcome or an event: effects and priors must name coefficients and parameters; a prior must fit what it
    describes."""
    o, of = study.declared[outcome], "event" if outcome in study.events else "outcome"
    where, parsed = f"{of}s.{outcome}", {}
    if of == "event":
        faults = [*check_events.dependence(study, outcome)]
    else:
        faults = [fault for p in predictors(study, outcome) for fault in _effects(study, p, where)]
        faults += _curved(study, outcome, where)
    for name, text in o.priors.items():
        try:
            if o.family.joint(name, text) is None:
                parsed[name] = Prior.parse(text)
        except ValueError as error:
            faults.append(Fault(f"{where}.priors.{name}", str(error), f'"{text}"'))
    if not faults:
        names = [p.name for p in parameter_list(study, outcome)]
        for name in dict.fromkeys(n for n in names if names.count(n) > 1):
            what = f'two of its parameters would be called "{name}", one of them the coefficient of a covariate'
            faults.append(Fault(where, what, mend="choose another name for the covariate or its level"))
    yield from faults or _priors(parameters(study, outcome), parsed, f"{where}.priors", of)


def _effects(study: Study, p: Predictor, where: str) -> Faults:
    """Effects that name nothing in which patients could differ."""
    inside = where if p.name == LOCATION else f"{where}.{p.name}"
    of_visits = [n for n in p.covariates if n not in of_patients(study)]
    varying = [*(c.name for c in p.coefficients if c.may_vary), *of_visits]
    for effect in study.outcomes[p.outcome].parts[p.name].effects or ():
        if effect in varying:
            continue
        mend = did_you_mean(effect, varying)
        if effect in p.covariates:
            mend = f'only in what varies within a patient: declare varies = "visits" for {effect}, or leave it out'
        elif effect in study.covariates and effect not in of_patients(study):
            mend = "name it among the covariates too"
        yield Fault(f"{inside}.effects", "patients cannot differ in it", f'"{effect}"', mend)


def _curved(study: Study, outcome: str, where: str) -> Faults:
    """Effects on what the curve is not linear in, which nothing integrates out."""
    o = study.outcomes[outcome]
    how = {"integrated": "integrated out", "informed": "informed by measurements"}.get(o.parameterisation)
    if o.residual is not None and o.integrable:
        how = "integrated out with residuals"
    if how and (curved := [e.coefficient for e in predictors(study, outcome)[0].effects if not e.linear]):
        what = f"effects on a {curved[0].replace('_', '-')} cannot be {how}"
        yield Fault(f"{where}.parameterisation", what, mend='leave "auto"')


def _priors(known: Mapping[str, Parameter], stated: Mapping[str, Prior], where: str, of_what: str) -> Faults:
    """Stated priors of no parameter, of one that has none of its own, or of the wrong support; and priors that are
    missing."""
    for name, prior in stated.items():
        at = f"{where}.{name}"
        if name not in known:
            yield from unknown_keys(where, [name], known, f"is not a parameter of this {of_what}")
        elif of := known[name].together:
            yield Fault(at, "has no prior of its own", mend=f'state the prior of all of them, {of.stated} = "{of}"')
        elif not prior.fits(known[name].support):
            yield Fault(at, "has the wrong support", f'"{prior}"', _supported(prior, known[name]))
    for name, p in known.items():
        if p.prior is None:
            needs = RATE_NEEDS if of_what == "event" else p.needs
            yield Fault(f"{where}.{name}", "has no default prior here", mend=f"state it, or declare {needs}")


def _supported(prior: Prior, parameter: Parameter) -> str:
    """What to write instead of a prior with the wrong support."""
    if parameter.support == "correlation":
        return 'write "lkj(2)"'
    if parameter.role == "duration":  # half of a prior around zero would hold a time near zero likely
        return 'a positive one is needed, such as "lognormal(1.1, 0.5)": its median is 3'
    half = prior.halved()
    if half and prior.quantile(0.5) == 0:
        return f'a positive one is needed; did you mean "{half}"?'
    if half and prior.below(0.0) < 0.5:
        return f'a positive one is needed, such as "{prior} T[0, ]"'
    return f'a positive one is needed, such as "{half or "halfnormal(1)"}"'
