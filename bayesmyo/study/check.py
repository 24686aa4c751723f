"""What a well-formed study may still get wrong: names that point nowhere, numbers that make no sense together.

Each check sees the document (for names) and the tables that could be read, so that one fault does not hide another.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bayesmyo.components.priors import Prior
from bayesmyo.errors import Fault, did_you_mean
from bayesmyo.study import (
    check_covariates,
    check_data,
    check_estimands,
    check_outcomes,
    check_responses,
    check_simulation,
)
from bayesmyo.study.covariates import columns, of_patients
from bayesmyo.study.parameters import JOINT, Jointly, Parameter, Part, Pooled, parameter_list, parameters
from bayesmyo.study.predictors import LOCATION, predictors
from bayesmyo.study.study import Study

NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
RESERVED = {
    "chain",
    "draw",
    "patient",
    "visit",
    "outcome",
    "coefficient",
    "time",
    "like",
    "title",
    "correlations",
    "covariates",
}


def faults(document: Mapping[str, Any], values: Mapping[str, Any]) -> list[Fault]:
    """Every fault of meaning; `values` holds the tables that could be read."""
    found: list[Fault] = []
    names = {
        k: list(document[k]) if isinstance(document.get(k), dict) else []
        for k in ("covariates", "groups", "outcomes", "estimands", "decisions", "responses", "scenarios")
    }
    if not document.get("outcomes"):
        found.append(Fault("outcomes", "no outcome is declared", mend="write at least one table [outcomes.my_outcome]"))
    for table, listed in names.items():
        found += [_name_fault(f"{table}.{name}") for name in listed if not NAME.fullmatch(name) or name in RESERVED]
    interval = values.get("interval", 0.95)
    if interval is not None and not 0 < interval < 1:
        found.append(Fault("study.interval", "must lie between 0 and 1", f"{interval:g}", "0.95 is a 95 % interval"))
    time = values.get("time")
    found += check_data.data_format(values["data"], names["outcomes"]) + check_data.columns(values)
    found += check_data.time(time)
    covariates = values["covariates"]
    for name, c in covariates.items():
        found += check_covariates.covariate(name, c, covariates)
    found += check_covariates.correlation_prior(values.get("correlation_prior"))
    unclear = bool(found)
    if values["design"] is not None:
        read = values["outcomes"]
        complete = len(read) == len(names["outcomes"])
        exposures = [o.exposure for o in read.values() if o.exposure] if complete else None
        found += check_simulation.design(values["design"], exposures, covariates)
        found += check_simulation.errors(values["design"], read) if complete else []
        found += check_simulation.planned(values["design"], read)
    faulty = {name: check_outcomes.outcome(name, o, covariates) for name, o in values["outcomes"].items()}
    found += [fault for listed in faulty.values() for fault in listed]
    found += check_outcomes.together(values.get("correlate_residuals") or (), values["outcomes"], names["outcomes"])
    whole = {name: o for name, o in values["outcomes"].items() if not faulty[name]}
    for name, estimand in values["estimands"].items():
        found += check_estimands.estimand(name, estimand, names, whole, values)
    for name, decision in values["decisions"].items():
        found += check_estimands.decision(name, decision, names["estimands"], values["estimands"])
    for name, response in values["responses"].items():
        found += check_responses.response(name, response, names["outcomes"], whole)
    found += check_responses.rule(values.get("rule") or "", names["responses"])
    if time is not None and not unclear:
        if values["design"] is None and "design" in document:  # its own faults are enough: it would have said how long
            time = replace(time, typical=time.typical or 1.0)
        draft = Study(
            title="", patient="", time=time, correlate=values.get("correlate") or "within outcomes",
            correlation_prior=values.get("correlation_prior") or "lkj(2)",
            correlate_residuals=tuple(n for n in values.get("correlate_residuals") or () if n in whole),
            covariates=covariates, outcomes=whole, design=values["design"],
        )  # fmt: skip
        found += _design_columns(draft)
        for name in whole:
            found += _priors(draft, name)
        for name, scenario in values["scenarios"].items():
            found += check_simulation.scenario(name, scenario, draft, values["scenarios"], names)
    return found


def _name_fault(where: str) -> Fault:
    name = where.split(".", 1)[1]
    if name in RESERVED:
        return Fault(where, "is a reserved word; choose another name")
    return Fault(where, "is not a usable name", mend="use lower-case letters, digits and _, a letter first, at most 40")


def _design_columns(study: Study) -> list[Fault]:
    """Names of design columns that two covariates would share."""
    owners: dict[str, str] = {}
    found = []
    for name in study.covariates:
        for column in columns(study, name):
            if column in owners:
                what = f'its coefficient "{column}" would be named as one of {owners[column]}'
                found.append(Fault(f"covariates.{name}", what, mend="choose another name"))
            owners.setdefault(column, name)
    return found


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


def _priors(study: Study, outcome: str) -> list[Fault]:
    """Effects and priors must name coefficients and parameters; a prior must fit what it describes."""
    o, where, found = study.outcomes[outcome], f"outcomes.{outcome}", []
    for predictor in predictors(study, outcome):
        chosen, inside = (
            o.parts[predictor.name].effects,
            where if predictor.name == LOCATION else f"{where}.{predictor.name}",
        )
        varying = [c.name for c in predictor.coefficients if c.may_vary]
        varying += [n for n in predictor.covariates if n not in of_patients(study)]
        for effect in chosen or ():
            if effect in varying:
                continue
            mend = did_you_mean(effect, varying)
            if effect in predictor.covariates:
                mend = f'only in what varies within a patient: declare varies = "visits" for {effect}, or leave it out'
            elif effect in study.covariates and effect not in of_patients(study):
                mend = "name it among the covariates too"
            found.append(Fault(f"{inside}.effects", "patients cannot differ in it", f'"{effect}"', mend))
    how = {"integrated": "integrated out", "informed": "informed by measurements"}.get(o.parameterisation)
    if o.residual is not None:
        how = "integrated out with residuals"
    if how and (curved := [e.coefficient for e in predictors(study, outcome)[0].effects if not e.linear]):
        what = f"effects on a {curved[0].replace('_', '-')} cannot be {how}"
        found.append(Fault(f"{where}.parameterisation", what, mend='leave "auto"'))
    parsed = {}
    for name, text in o.priors.items():
        try:
            if o.family.joint(name, text) is None:
                parsed[name] = Prior.parse(text)
        except ValueError as error:
            found.append(Fault(f"{where}.priors.{name}", str(error), f'"{text}"'))
    if found:
        return found
    names = [p.name for p in parameter_list(study, outcome)]
    for name in dict.fromkeys(n for n in names if names.count(n) > 1):
        what = f'two of its parameters would be called "{name}", one of them the coefficient of a covariate'
        found.append(Fault(where, what, mend="choose another name for the covariate or its level"))
    if found:
        return found
    known = parameters(study, outcome)
    for name, prior in parsed.items():
        if name not in known:
            found.append(
                Fault(
                    f"{where}.priors.{name}", "is not a parameter of this outcome", mend=did_you_mean(name, list(known))
                )
            )
        elif isinstance(known[name].prior, Part | Jointly | Pooled):
            prior_of = known[name].prior
            key = (
                prior_of.sd
                if isinstance(prior_of, Pooled)
                else JOINT
                if isinstance(prior_of, Part)
                else "study.correlation_prior"
            )
            mend = f'state the prior of all of them, {key} = "{known[name].prior}"'
            found.append(Fault(f"{where}.priors.{name}", "has no prior of its own", mend=mend))
        elif not prior.fits(known[name].support):
            what, at = "has the wrong support", f"{where}.priors.{name}"
            found.append(Fault(at, what, f'"{prior}"', _supported(prior, known[name])))
    for name, parameter in known.items():
        if parameter.prior is None:
            found.append(
                Fault(
                    f"{where}.priors.{name}",
                    "has no default prior here",
                    mend=f"state it, or declare {parameter.needs}",
                )
            )
    return found
