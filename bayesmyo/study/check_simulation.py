"""What the tables for simulation, [design] and [scenarios.*], may get wrong though they are well formed."""

from collections.abc import Mapping, Sequence

import numpy as np

from bayesmyo.errors import Fault, did_you_mean
from bayesmyo.study.parameters import LINEAR_ROLES, Parameter, correlations, parameters
from bayesmyo.study.predictors import CORRELATIONS, correlation_matrix, effects
from bayesmyo.study.study import Design, Scenario, Study


def design(design: Design, exposures: Sequence[str] | None) -> list[Fault]:
    """Numbers of [design] that no cohort can have. exposures: the outcomes' columns, None where some outcome is unreadable."""
    positive = {
        "patients": design.patients, "follow_up.mean": design.follow_up.mean, "follow_up.sd": design.follow_up.sd,
        "follow_up.maximum": design.follow_up.maximum, "visits.then_every": design.visits.then_every,
    }  # fmt: skip
    found = [Fault(f"design.{k}", "must be positive", f"{v:g}") for k, v in positive.items() if v <= 0]
    if design.visits.jitter < 0:
        found.append(Fault("design.visits.jitter", "must not be negative", f"{design.visits.jitter:g}"))
    if design.loss is not None and design.loss.hazard < 0:
        found.append(Fault("design.loss.hazard", "must not be negative", f"{design.loss.hazard:g}"))
    if not 0 <= design.missing < 1:
        found.append(Fault("design.missing", "must be a share below 1", f"{design.missing:g}"))
    for column, mean in design.exposure.items():
        if exposures is not None and column not in exposures:
            mend = did_you_mean(column, exposures)
            found.append(Fault(f"design.exposure.{column}", "is no outcome's exposure", mend=mend))
        if mean < 1:
            found.append(Fault(f"design.exposure.{column}", "must be at least 1", f"{mean:g}"))
    first = design.visits.first
    if not first or list(first) != sorted(set(first)):
        found.append(Fault("design.visits.first", "must list increasing times", str(list(first))))
    return found


def scenario(
    name: str, s: Scenario, study: Study, scenarios: Mapping[str, Scenario], names: Mapping[str, list[str]]
) -> list[Fault]:
    """A scenario is a whole truth: with what it takes over by `like`, every parameter has a value it can have."""
    where = f"scenarios.{name}"
    values: dict[str, dict[str, float]] = {}
    seen: list[str] = []
    chain: str | None = name
    while chain is not None and chain in scenarios and chain not in seen:
        seen.append(chain)
        current = scenarios[chain]
        values = {o: {**current.values.get(o, {}), **values.get(o, {})} for o in {**current.values, **values}}
        chain = current.like
    if s.like is not None and s.like not in names["scenarios"]:
        mend = did_you_mean(s.like, names["scenarios"])
        return [Fault(f"{where}.like", "names no other scenario", f'"{s.like}"', mend)]
    if chain in seen:
        return [Fault(f"{where}.like", "goes round in a circle", " -> ".join([*seen, str(chain)]))]
    if chain is not None:  # what it takes over has faults of its own
        return []
    found = [
        Fault(f"{where}.{outcome}", "is not an outcome of this study", mend=did_you_mean(outcome, names["outcomes"]))
        for outcome in values
        if outcome not in names["outcomes"] and (outcome != CORRELATIONS or study.correlate != "across outcomes")
    ]
    for outcome in study.outcomes:
        found += _values(study, outcome, values.get(outcome, {}), f"{where}.{outcome}")
    if not found and len(study.outcomes) == len(names["outcomes"]):
        found += _correlations(study, values, where)
    return found


def _correlations(study: Study, values: Mapping[str, Mapping[str, float]], where: str) -> list[Fault]:
    """Correlations between outcomes that are known, and all correlations together those of some distribution."""
    where = f"{where}.{CORRELATIONS}" if study.correlate == "across outcomes" else where
    known, stated = correlations(study), values.get(CORRELATIONS, {})
    what = "is no correlation between two outcomes"
    found = [Fault(f"{where}.{k}", what, mend=did_you_mean(k, list(known))) for k in stated if k not in known]
    found += [Fault(f"{where}.{k}", "must lie between -1 and 1", f"{v:g}") for k, v in stated.items() if not -1 < v < 1]
    if not found:
        between = dict.fromkeys(known, 0.0) | dict(stated)
        every = [e for outcome in study.outcomes for e in effects(study, outcome)]
        matrix = correlation_matrix(study, every, lambda o, k: between[k] if o == CORRELATIONS else values[o][k])
        if every and np.linalg.eigvalsh(matrix).min() < 1e-6:
            found.append(
                Fault(where, "are impossible together: no patients can be correlated so", mend="move them towards zero")
            )
    return found


def _values(study: Study, outcome: str, stated: Mapping[str, float], where: str) -> list[Fault]:
    """Every parameter of an outcome has a value, each a possible one, and nothing else has."""
    try:
        known = parameters(study, outcome)
    except ValueError:  # a prior that cannot be read is a fault of its own
        return []
    what = "is not a parameter of this outcome"
    found = [Fault(f"{where}.{key}", what, mend=did_you_mean(key, list(known))) for key in stated if key not in known]
    for key, parameter in known.items():
        if key not in stated:
            found.append(Fault(f"{where}.{key}", "is missing: a scenario states every parameter"))
        elif what := _impossible(parameter, stated[key]):
            found.append(Fault(f"{where}.{key}", what, f"{stated[key]:g}"))
    thresholds = [stated[key] for key, p in known.items() if p.role == "threshold" and key in stated]
    if thresholds != sorted(set(thresholds)):
        found.append(Fault(where, "the thresholds must increase", str(thresholds)))
    return found


def _impossible(p: Parameter, value: float) -> str:
    """Why a parameter cannot have this value; empty where it can."""
    if p.role == "correlation" and not -1 < value < 1:
        return "must lie between -1 and 1"
    if p.support == "positive" and value <= 0:
        return "must be positive"
    if p.role in LINEAR_ROLES and p.natural_unit.startswith("ratio") and value <= 0:
        return "must be a positive ratio (1 is no change)"
    if p.role == "level" and not p.family.anchored and not p.family.check_expected(value):
        return f"must be {p.family.expected()}"
    return ""
