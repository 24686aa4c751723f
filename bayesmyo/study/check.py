"""What a well-formed study may still get wrong: names that point nowhere, numbers that make no sense together.

Each check sees the document (for names) and the tables that could be read, so that one fault does not hide another.
"""

import re
from collections.abc import Mapping
from typing import Any

from bayesmyo.components.decisions import Decision, Probability
from bayesmyo.components.estimands import Estimand, Slope
from bayesmyo.components.estimands.estimand import Contrast
from bayesmyo.components.families import StudentT
from bayesmyo.components.priors import Prior
from bayesmyo.errors import Fault, did_you_mean
from bayesmyo.study import check_simulation
from bayesmyo.study.parameters import parameters
from bayesmyo.study.study import DataFormat, Outcome, Study

NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
RESERVED = {"chain", "draw", "patient", "visit", "outcome", "coefficient", "time", "like", "title"}


def faults(document: Mapping[str, Any], values: Mapping[str, Any]) -> list[Fault]:
    """Every fault of meaning; `values` holds the tables that could be read."""
    found: list[Fault] = []
    names = {
        k: list(document[k]) if isinstance(document.get(k), dict) else []
        for k in ("outcomes", "estimands", "decisions", "scenarios")
    }
    if not document.get("outcomes"):
        found.append(Fault("outcomes", "no outcome is declared", mend="write at least one table [outcomes.my_outcome]"))
    for kind, listed in names.items():
        found += [_name_fault(f"{kind}.{name}") for name in listed if not NAME.fullmatch(name) or name in RESERVED]
    interval = values.get("interval", 0.95)
    if interval is not None and not 0 < interval < 1:
        found.append(Fault("study.interval", "must lie between 0 and 1", f"{interval:g}", "0.95 is a 95 % interval"))
    time = values.get("time")
    if time is not None and time.typical is not None and time.typical <= 0:
        found.append(Fault("study.time.typical", "must be positive", f"{time.typical:g}"))
    found += _format(values["data"]) + _columns(values)
    if values["design"] is not None:
        found += check_simulation.design(values["design"])
    faulty = {name: _outcome(name, o) for name, o in values["outcomes"].items()}
    found += [fault for listed in faulty.values() for fault in listed]
    whole = {name: o for name, o in values["outcomes"].items() if not faulty[name]}
    for name, estimand in values["estimands"].items():
        found += _estimand(name, estimand, names["outcomes"], whole)
    for name, decision in values["decisions"].items():
        found += _decision(name, decision, names["estimands"])
    if time is not None:
        draft = Study(
            title="", patient="", time=time, correlate=values.get("correlate") or "within outcomes",
            outcomes=whole, design=values["design"],
        )  # fmt: skip
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
    found = []
    for where, column in used:
        if column is None:
            continue
        if column in owners:
            found.append(Fault(where, f"is the same column as {owners[column]}", f'"{column}"'))
        owners.setdefault(column, where)
    return found


def _outcome(name: str, o: Outcome) -> list[Fault]:
    where = f"outcomes.{name}"
    found = []
    log = o.family.link_name == "log"
    if not o.family.check(o.typical):
        found.append(Fault(f"{where}.typical", f"must be {o.family.support()}", f"{o.typical:g}"))
    if log and o.scale <= 1:
        found.append(
            Fault(
                f"{where}.scale",
                "must be a ratio above 1, because the family works on the log",
                f"{o.scale:g}",
                "2.5 means that patients differ by factors of about 2.5",
            )
        )
    if not log and o.scale <= 0:
        found.append(Fault(f"{where}.scale", "must be positive", f"{o.scale:g}"))
    if o.minimum is not None and o.maximum is not None and o.minimum >= o.maximum:
        found.append(Fault(f"{where}.maximum", f"must be above the minimum, {o.minimum:g}", f"{o.maximum:g}"))
    if (o.minimum is not None and o.typical < o.minimum) or (o.maximum is not None and o.typical > o.maximum):
        found.append(Fault(f"{where}.typical", "lies outside minimum to maximum", f"{o.typical:g}"))
    if o.parameterisation == "integrated" and not o.family.normal:
        why = f"the family {o.family.kind}"
        found.append(
            Fault(f"{where}.parameterisation", f"effects cannot be integrated out for {why}", mend='leave "auto"')
        )
    if o.censoring and not o.family.censorable:
        mend = "use gaussian or lognormal" if isinstance(o.family, StudentT) else ""
        found.append(Fault(f"{where}.censoring", f"is not available for the family {o.family.kind}", mend=mend))
    return found


def _priors(study: Study, outcome: str) -> list[Fault]:
    """Effects and priors must name coefficients and parameters; a prior must fit what it describes."""
    o, where, found = study.outcomes[outcome], f"outcomes.{outcome}", []
    varying = [c.name for c in study.coefficients(outcome) if c.may_vary]
    for effect in o.effects or ():
        if effect not in varying:
            found.append(
                Fault(f"{where}.effects", "patients cannot differ in it", f'"{effect}"', did_you_mean(effect, varying))
            )
    parsed = {}
    for name, text in o.priors.items():
        try:
            parsed[name] = Prior.parse(text)
        except ValueError as error:
            found.append(Fault(f"{where}.priors.{name}", str(error), f'"{text}"'))
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
        elif prior.support != known[name].support and known[name].support != "real":
            mend = {"positive": 'a positive one is needed, such as "halfnormal(1)"', "correlation": 'write "lkj(2)"'}
            found.append(
                Fault(f"{where}.priors.{name}", "has the wrong support", f'"{prior}"', mend[known[name].support])
            )
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


def _estimand(name: str, e: Estimand, outcomes: list[str], read: Mapping[str, Outcome]) -> list[Fault]:
    where, found = f"estimands.{name}", []
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
    if isinstance(e, Contrast) and e.to <= e.from_:
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
    if o is not None and e.summary == "median" and not o.family.geometric and isinstance(e, Slope | Contrast):
        found.append(
            Fault(f"{where}.summary", f"is the mean for the family {o.family.kind}", '"median"', "leave it out")
        )
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
