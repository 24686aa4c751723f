"""What a well-formed study may still get wrong: names that point nowhere, numbers that make no sense together.

Each check sees the document (for names) and the tables that could be read, so that one fault does not hide another.
"""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from bayesmyo.components.decisions import Decision, Probability
from bayesmyo.components.estimands import Estimand, Ratio
from bayesmyo.components.estimands.estimand import Between
from bayesmyo.components.families import Cumulative
from bayesmyo.components.families.thresholds import parse_joint
from bayesmyo.components.priors import Prior
from bayesmyo.errors import Fault, did_you_mean
from bayesmyo.study import check_covariates, check_simulation
from bayesmyo.study.covariates import columns
from bayesmyo.study.parameters import JOINT, Jointly, Part, parameter_list, parameters
from bayesmyo.study.predictors import ZERO, predictors
from bayesmyo.study.study import MONTHS_PER, Covariate, DataFormat, Limits, Outcome, Study

NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
WIDEST = 4.0  # logits between patients; at 4, a patient one SD away has odds 55 times as high
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
        for k in ("covariates", "outcomes", "estimands", "decisions", "scenarios")
    }
    if not document.get("outcomes"):
        found.append(Fault("outcomes", "no outcome is declared", mend="write at least one table [outcomes.my_outcome]"))
    for table, listed in names.items():
        found += [_name_fault(f"{table}.{name}") for name in listed if not NAME.fullmatch(name) or name in RESERVED]
    interval = values.get("interval", 0.95)
    if interval is not None and not 0 < interval < 1:
        found.append(Fault("study.interval", "must lie between 0 and 1", f"{interval:g}", "0.95 is a 95 % interval"))
    time = values.get("time")
    if time is not None and time.unit not in MONTHS_PER and time.unit.removesuffix("s") in MONTHS_PER:
        found.append(
            Fault("study.time.unit", "is written in the singular", f'"{time.unit}"', f'"{time.unit.removesuffix("s")}"')
        )
    if time is not None and time.typical is not None and time.typical <= 0:
        found.append(Fault("study.time.typical", "must be positive", f"{time.typical:g}"))
    found += _format(values["data"]) + _columns(values)
    covariates = values["covariates"]
    for name, c in covariates.items():
        found += check_covariates.covariate(name, c, covariates)
    found += check_covariates.correlation_prior(values.get("correlation_prior"))
    unclear = bool(found)
    if values["design"] is not None:
        read = values["outcomes"]
        exposures = [o.exposure for o in read.values() if o.exposure] if len(read) == len(names["outcomes"]) else None
        found += check_simulation.design(values["design"], exposures)
    faulty = {name: _outcome(name, o, covariates) for name, o in values["outcomes"].items()}
    found += [fault for listed in faulty.values() for fault in listed]
    whole = {name: o for name, o in values["outcomes"].items() if not faulty[name]}
    for name, estimand in values["estimands"].items():
        found += _estimand(name, estimand, names, whole, values)
    for name, decision in values["decisions"].items():
        found += _decision(name, decision, names["estimands"])
    if time is not None and not unclear:
        draft = Study(
            title="", patient="", time=time, correlate=values.get("correlate") or "within outcomes",
            correlation_prior=values.get("correlation_prior") or "lkj(2)",
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


def _format(data: DataFormat | None) -> list[Fault]:
    found = []
    if data is not None:
        if len(data.delimiter) != 1 or data.delimiter in '"\r\n':
            found.append(
                Fault("data.delimiter", "must be one character", repr(data.delimiter), r'such as ",", ";" or "\t"')
            )
        if data.delimiter == data.decimal:
            found.append(Fault("data.decimal", "is also the delimiter", repr(data.decimal)))
        try:
            "".encode(data.encoding)
        except (LookupError, ValueError):
            found.append(
                Fault("data.encoding", "is not an encoding", repr(data.encoding), 'such as "utf-8" or "latin-1"')
            )
    return found


def _columns(values: Mapping[str, Any]) -> list[Fault]:
    """No column may serve twice."""
    owners: dict[str, str] = {}
    used = [
        ("study.patient", values.get("patient")),
        ("study.time.column", values["time"].column if values.get("time") else None),
    ]
    used += [(f"outcomes.{name}.column", o.column) for name, o in values["outcomes"].items()]
    used += [(f"covariates.{n}.column", c.column or n) for n, c in values["covariates"].items() if not c.product]
    found = []
    for where, column in used:
        if column is None:
            continue
        if column in owners:
            found.append(Fault(where, f"is the same column as {owners[column]}", f'"{column}"'))
        owners.setdefault(column, where)
    for name, o in values["outcomes"].items():
        if o.exposure in owners:
            found.append(
                Fault(f"outcomes.{name}.exposure", f"is the same column as {owners[o.exposure]}", f'"{o.exposure}"')
            )
    return found


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


def _outcome(name: str, o: Outcome, covariates: Mapping[str, Covariate]) -> list[Fault]:
    where = f"outcomes.{name}"
    found = [Fault(f"{where}.family.{key}", what) for key, what in o.family.faults()]
    found += [Fault(f"{where}.trajectory.{key}", what) for key, what in o.trajectory.faults()]
    if found:
        return found
    found += _typical(where, o) + _scale(where, o) + _range(where, o) + _zero(where, o)
    found += check_covariates.part(where, o, covariates)
    if o.zero is not None:
        found += check_covariates.part(f"{where}.zero", o.zero, covariates)
    if o.parameterisation == "integrated" and not o.family.normal:
        why = f"the family {o.family.kind}"
        found.append(
            Fault(f"{where}.parameterisation", f"effects cannot be integrated out for {why}", mend='leave "auto"')
        )
    if o.censoring and not o.family.censorable:
        found.append(Fault(f"{where}.censoring", f"is not available for the family {o.family.kind}"))
    if isinstance(o.censoring, Limits):
        below, above = o.censoring.below, o.censoring.above
        if below is None and above is None:
            found.append(Fault(f"{where}.censoring", "needs above or below, or both", mend="such as { above = 30 }"))
        elif below is not None and above is not None and below >= above:
            found.append(Fault(f"{where}.censoring.above", f"must lie above the lower limit, {below:g}", f"{above:g}"))
    if o.exposure is not None and not o.family.exposed:
        mend = "use poisson or negative_binomial for counts"
        found.append(Fault(f"{where}.exposure", f"has no meaning for the family {o.family.kind}", mend=mend))
    if o.map is not None and o.family.texts() is not None:
        found.append(Fault(f"{where}.map", "the family has levels of its own", mend="leave the map out"))
    return found


def _typical(where: str, o: Outcome) -> list[Fault]:
    if o.family.anchored:
        mend = "say with family.shares how plausible each category is at the start"
        return (
            [Fault(f"{where}.typical", f"is not a key for the family {o.family.kind}", mend=mend)]
            if o.typical is not None
            else []
        )
    if o.typical is None:
        return [Fault(f"{where}.typical", "is missing")]
    if not o.family.check_expected(o.typical):
        return [Fault(f"{where}.typical", f"must be {o.family.expected()}", f"{o.typical:g}")]
    return []


def _scale(where: str, o: Outcome) -> list[Fault]:
    if o.family.link_name == "log" and o.scale <= 1:
        mend = "2.5 means that patients differ by factors of about 2.5"
        return [
            Fault(
                f"{where}.scale", "must be a ratio above 1, because the family works on the log", f"{o.scale:g}", mend
            )
        ]
    if o.family.link_name == "log" and o.scale > 20:
        mend = "2.5 means that patients differ by factors of about 2.5; a spread in the outcome's unit is not meant"
        return [
            Fault(f"{where}.scale", "is a ratio between patients, and no patients differ so much", f"{o.scale:g}", mend)
        ]
    if o.scale <= 0:
        return [Fault(f"{where}.scale", "must be positive", f"{o.scale:g}")]
    if (
        o.family.link_name == "logit"
        and not o.family.anchored
        and o.typical is not None
        and bool(o.family.check_expected(o.typical))
        and o.family.spread(o.scale, o.typical) > WIDEST
    ):
        what = f"is wider than a score bounded at both ends allows around {o.typical:g}"
        return [
            Fault(
                f"{where}.scale",
                what,
                f"{o.scale:g}",
                "declare a smaller scale: how far patients' expected scores differ",
            )
        ]
    return []


def _range(where: str, o: Outcome) -> list[Fault]:
    found = []
    if o.minimum is not None and o.maximum is not None and o.minimum >= o.maximum:
        found.append(Fault(f"{where}.maximum", f"must be above the minimum, {o.minimum:g}", f"{o.maximum:g}"))
    t = o.typical
    if t is not None and ((o.minimum is not None and t < o.minimum) or (o.maximum is not None and t > o.maximum)):
        found.append(Fault(f"{where}.typical", "lies outside minimum to maximum", f"{t:g}"))
    if o.plausible is not None and o.plausible[0] >= o.plausible[1]:
        found.append(Fault(f"{where}.plausible", "must be a lower and a higher value", str(list(o.plausible))))
    return found


def _zero(where: str, o: Outcome) -> list[Fault]:
    expected = ZERO in o.family.predictors()
    if o.zero is None:
        mend = f"write a table [{where}.zero] with typical, scale and trajectory"
        return (
            [Fault(f"{where}.zero", f"is missing: the family {o.family.kind} has a zero part", mend=mend)]
            if expected
            else []
        )
    if not expected:
        mend = "use hurdle_lognormal"
        return [Fault(f"{where}.zero", f"the family {o.family.kind} has no zero part", mend=mend)]
    found = [Fault(f"{where}.zero.trajectory.{key}", what) for key, what in o.zero.trajectory.faults()]
    if not 0 < o.zero.typical < 1:
        found.append(Fault(f"{where}.zero.typical", "must be a probability between 0 and 1", f"{o.zero.typical:g}"))
    elif o.zero.scale > WIDEST * o.zero.typical * (1 - o.zero.typical):
        what = f"is wider than a probability of {o.zero.typical:g} allows"
        found.append(Fault(f"{where}.zero.scale", what, f"{o.zero.scale:g}", "declare a smaller scale"))
    if o.zero.scale <= 0:
        found.append(Fault(f"{where}.zero.scale", "must be positive", f"{o.zero.scale:g}"))
    return found


def _priors(study: Study, outcome: str) -> list[Fault]:
    """Effects and priors must name coefficients and parameters; a prior must fit what it describes."""
    o, where, found = study.outcomes[outcome], f"outcomes.{outcome}", []
    for predictor in predictors(study, outcome):
        chosen, inside = (
            (o.zero.effects if o.zero else (), f"{where}.zero") if predictor.name == ZERO else (o.effects, where)
        )
        varying = [c.name for c in predictor.coefficients if c.may_vary]
        for effect in chosen or ():
            if effect not in varying:
                mend = did_you_mean(effect, varying)
                found.append(Fault(f"{inside}.effects", "patients cannot differ in it", f'"{effect}"', mend))
    if o.parameterisation == "integrated" and "half_time" in (o.effects or ()):
        what = "effects on a half-time cannot be integrated out"
        found.append(Fault(f"{where}.parameterisation", what, mend='leave "auto"'))
    parsed = {}
    for name, text in o.priors.items():
        try:
            if name == JOINT and isinstance(o.family, Cumulative):
                parse_joint(text, len(o.family.categories), o.family.link_)
            else:
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
        elif isinstance(known[name].prior, Part | Jointly):
            key = JOINT if isinstance(known[name].prior, Part) else "study.correlation_prior"
            mend = f'state the prior of all of them, {key} = "{known[name].prior}"'
            found.append(Fault(f"{where}.priors.{name}", "has no prior of its own", mend=mend))
        elif prior.support != known[name].support and known[name].support != "real":
            needed = {"positive": 'a positive one is needed, such as "halfnormal(1)"', "correlation": 'write "lkj(2)"'}
            what = "has the wrong support"
            found.append(Fault(f"{where}.priors.{name}", what, f'"{prior}"', needed[known[name].support]))
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


def _estimand(
    name: str, e: Estimand, names: Mapping[str, list[str]], read: Mapping[str, Outcome], values: Mapping[str, Any]
) -> list[Fault]:
    where, found, outcomes = f"estimands.{name}", [], names["outcomes"]
    found += _given(where, e, values["covariates"], read.get(e.outcome))
    found += _ratio(where, e, read.get(e.outcome))
    if e.outcome not in outcomes:
        found.append(
            Fault(
                f"{where}.outcome",
                "is not an outcome of this study",
                f'"{e.outcome}"',
                did_you_mean(e.outcome, outcomes),
            )
        )
    if e.above is not None and e.below is not None:
        found.append(Fault(where, "give above or below, not both"))
    if isinstance(e, Between) and e.to <= e.from_:
        found.append(Fault(f"{where}.to", f"must come after from, {e.from_:g}", f"{e.to:g}"))
    if e.predicts == "measurement" and e.population != "new patient":
        found.append(
            Fault(
                f"{where}.predicts", "a measurement is predicted for a new patient only", f'population "{e.population}"'
            )
        )
    if e.predicts == "measurement" and e.summary is not None:
        found.append(Fault(f"{where}.summary", "a measurement is one value: it has no summary"))
    o = read.get(e.outcome)
    if o is not None and e.summary == "median" and not o.family.geometric and o.family.link_name != "identity":
        mend = "leave it out: levels are expected values"
        found.append(Fault(f"{where}.summary", f"is the mean for the family {o.family.kind}", '"median"', mend))
    elif o is not None and e.summary == "median" and not o.family.geometric and isinstance(e, Between):
        found.append(
            Fault(f"{where}.summary", f"is the mean for the family {o.family.kind}", '"median"', "leave it out")
        )
    return found


def _ratio(where: str, e: Estimand, o: Outcome | None) -> list[Fault]:
    """Numbers that cannot be formed from what the family measures."""
    if o is None or not isinstance(e, Ratio):
        return []
    if o.family.anchored:
        return [Fault(f"{where}.kind", "scores of grades have no ratio", '"ratio"', 'ask for the "change"')]
    if e.predicts == "measurement" and bool(np.all(o.family.check(np.zeros(1)))):
        mend = "ask for the ratio of expected values"
        return [Fault(f"{where}.predicts", "a measurement may be zero, and then has no ratio", '"measurement"', mend)]
    return []


def _unmoderated(where: str, e: Estimand, o: Outcome, covariates: Mapping[str, Covariate]) -> list[Fault]:
    """A contrast that is zero (or one) by definition: the covariate shifts the level alone, and the change cancels it."""
    c = e.contrast
    if c is None or not isinstance(e, Between):
        return []
    named = [*o.moderators, *(o.zero.covariates + o.zero.moderators if o.zero else ())]
    if c.covariate in {p for n in named if n in covariates for p in covariates[n].product or (n,)}:
        return []
    cancels = o.family.link_name == "log" if isinstance(e, Ratio) else o.family.link_name == "identity"
    if not cancels:
        return []
    what = f"is {'one' if isinstance(e, Ratio) else 'zero'} by definition: {c.covariate} shifts the level of {e.outcome} alone"
    return [Fault(f"{where}.contrast", what, mend="name it among the moderators, or compare levels")]


def _given(where: str, e: Estimand, covariates: Mapping[str, Covariate], o: Outcome | None) -> list[Fault]:
    """Covariate values that an estimand sets, and groups that it compares."""
    found = []
    named = [*o.covariates, *o.moderators, *(o.zero.covariates + o.zero.moderators if o.zero else ())] if o else []
    parts = {p for n in named if n in covariates for p in covariates[n].product or (n,)}
    if (
        o is not None
        and e.contrast is not None
        and e.contrast.covariate in covariates
        and e.contrast.covariate not in parts
    ):
        mend = f"name it among the covariates or moderators of {e.outcome}"
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
    if o is not None and not found:
        found += _unmoderated(where, e, o, covariates)
    if e.contrast is not None and e.predicts == "measurement":
        found.append(
            Fault(f"{where}.predicts", "groups are compared by their expected values", '"measurement"', "leave it out")
        )
    for name in e.given:
        if o is not None and name in covariates and name not in parts:
            found.append(
                Fault(f"{where}.given", f"has no part in the outcome {e.outcome}", f'"{name}"', "leave it out")
            )
    for key, name, value in stated:
        c = covariates.get(name)
        if c is None or c.product:
            usable = [n for n, other in covariates.items() if not other.product]
            mend = did_you_mean(name, usable) if usable else "the study declares no covariate"
            found.append(Fault(f"{where}.{key}", "is no covariate with a column", f'"{name}"', mend))
        elif c.levels and value not in c.levels:
            found.append(
                Fault(f"{where}.{key}", f"is no level of {name}", f'"{value}"', did_you_mean(str(value), c.levels))
            )
        elif not c.levels and isinstance(value, str):
            found.append(Fault(f"{where}.{key}", f"{name} is a number", f'"{value}"'))
        elif not isinstance(value, str) and (
            (c.transform == "log" and value <= 0) or (c.transform == "sqrt" and value < 0)
        ):
            found.append(Fault(f"{where}.{key}", f"{name} has no {c.transform}", f"{value:g}"))
    return found


def _decision(name: str, d: Decision, estimands: list[str]) -> list[Fault]:
    where, found = f"decisions.{name}", []
    if d.estimand not in estimands:
        found.append(
            Fault(
                f"{where}.estimand",
                "is not an estimand of this study",
                f'"{d.estimand}"',
                did_you_mean(d.estimand, estimands),
            )
        )
    if isinstance(d, Probability):
        if (d.above is None) == (d.below is None):
            found.append(Fault(where, "give exactly one of above and below"))
        if not 0 < d.probability < 1:
            found.append(Fault(f"{where}.probability", "must lie between 0 and 1", f"{d.probability:g}"))
    return found
