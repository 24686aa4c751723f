"""What the tables for simulation, [design] and [scenarios.*], may get wrong though they are well formed."""

from collections.abc import Mapping, Sequence

import numpy as np

from bayesmyo.errors import Fault, did_you_mean
from bayesmyo.limits import STUDY_PATIENTS, STUDY_VISITS
from bayesmyo.study import scenarios as truths
from bayesmyo.study.design import Design, FollowUp, Scenario
from bayesmyo.study.parameters import Parameter, Pooled, correlations, parameters
from bayesmyo.study.predictors import CORRELATIONS
from bayesmyo.study.study import Covariate, Outcome, Study

JITTERS = 4.0  # SDs of the jitter that a window must hold: beyond it is one visit in 16,000
SEED, DRAWS, MOST = (
    2005,
    200,
    0.05,
)  # of design priors that are looked at together: draws, and the share that may be impossible


def design(design: Design, exposures: Sequence[str] | None, covariates: Mapping[str, Covariate]) -> list[Fault]:
    """Numbers of [design] that no cohort can have. exposures: the outcomes' columns, None where some outcome is unreadable."""
    f = design.follow_up
    positive: dict[str, float | None] = {"patients": design.patients, "visits.then_every": design.visits.then_every}
    if isinstance(f, FollowUp):
        positive |= {"follow_up.mean": f.mean, "follow_up.sd": f.sd, "follow_up.maximum": f.maximum}
    else:
        positive["follow_up"] = f
    found = [
        Fault(f"design.{k}", "must be positive", f"{v:g}") for k, v in positive.items() if v is not None and v <= 0
    ]
    found += [fault for name in design.balanced or () for fault in _balanced(name, covariates)]
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
    elif not isinstance(f, FollowUp) and 0 < f < first[-1]:
        what = f"lie after the end of follow_up ({f:g}): nobody would have them"
        found.append(Fault("design.visits.first", what, f"{first[-1]:g}"))
    if not found and design.visits.then_every and (design.latest - first[-1]) / design.visits.then_every > STUDY_VISITS:
        what = f"plans more than {STUDY_VISITS:,} visits of each patient"
        found.append(Fault("design.visits.then_every", what, f"{design.visits.then_every:g}", "plan fewer"))
    if design.patients > STUDY_PATIENTS:
        found.append(Fault("design.patients", f"must be at most {STUDY_PATIENTS:,}", str(design.patients)))
    return found


def _balanced(name: str, covariates: Mapping[str, Covariate]) -> list[Fault]:
    """Why the groups of a covariate cannot be balanced between patients."""
    where, c = "design.balanced", covariates.get(name)
    if c is None:
        return [Fault(where, "names no covariate", f'"{name}"', did_you_mean(name, list(covariates)))]
    if not c.levels or c.varies != "patients":
        return [Fault(where, "names a covariate that has no groups of patients", f'"{name}"', "name one with levels")]
    return []


def errors(d: Design, outcomes: Mapping[str, Outcome]) -> list[Fault]:
    """Known errors of simulated measurements: each column's, and no other's."""
    columns = {o.error for o in outcomes.values() if o.error}
    found = [
        Fault(f"design.error.{c}", "is missing: how large is the error of a measurement?")
        for c in sorted(columns - {*d.error})
    ]
    for column, size in d.error.items():
        if column not in columns:
            found.append(
                Fault(f"design.error.{column}", "is no outcome's error", mend=did_you_mean(column, sorted(columns)))
            )
        elif size < 0:
            found.append(Fault(f"design.error.{column}", "must not be negative", f"{size:g}"))
    return found


def planned(d: Design, outcomes: Mapping[str, Outcome]) -> list[Fault]:
    """Visits of simulated patients at times that an outcome with a level of each planned visit does not know."""
    times, step = list(d.visits.first), d.visits.then_every
    if step and step > 0 and len(times):
        times += [times[-1] + step * k for k in range(1, int((d.latest - times[-1]) / step) + 1)][:STUDY_VISITS]
    found = []
    for name, o in outcomes.items():
        if not o.trajectory.visits_planned() or o.trajectory.faults():
            continue
        if beyond := [t for t in times if t <= d.latest and not o.trajectory.planned(t)]:
            what = f"plans a visit that the trajectory of {name} does not"
            found.append(Fault("design.visits", what, f"{beyond[0]:g}", f"add it to outcomes.{name}.trajectory.at"))
        elif d.visits.jitter * JITTERS > o.trajectory.reach():
            what = f"takes visits out of the windows of {name}"
            found.append(
                Fault("design.visits.jitter", what, f"{d.visits.jitter:g}", "a quarter of the window is enough")
            )
    return found


def scenario(
    name: str, s: Scenario, study: Study, scenarios: Mapping[str, Scenario], names: Mapping[str, list[str]]
) -> list[Fault]:
    """A scenario is a whole truth: with what it takes over by `like`, every parameter has a value it can have, or a design prior."""
    where = f"scenarios.{name}"
    values: dict[str, dict[str, float | str]] = {}
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
        if outcome not in names["outcomes"] and (outcome != CORRELATIONS or not correlations(study))
    ]
    for outcome in study.outcomes:
        found += _values(study, outcome, values.get(outcome, {}), f"{where}.{outcome}")
    if not found and len(study.outcomes) == len(names["outcomes"]):
        found += _correlations(study, values, where)
    taken_over = {
        f"{where}.{o}.{k}" for o, listed in values.items() for k in listed if k not in s.values.get(o, {})
    }  # their faults are those of the scenario that states them
    return [fault for fault in found if fault.where not in taken_over]


def _correlations(study: Study, values: truths.Stated, where: str) -> list[Fault]:
    """Correlations between outcomes that are known, and all correlations together those of some distribution."""
    inside = f"{where}.{CORRELATIONS}"
    known, stated = correlations(study), values.get(CORRELATIONS, {})
    what = "is no correlation between two outcomes"
    found = [Fault(f"{inside}.{k}", what, mend=did_you_mean(k, list(known))) for k in stated if k not in known]
    for key, value in stated.items():
        found += _value(known[key], value, f"{inside}.{key}") if key in known else []
    if found:
        return found
    mend = "move them towards zero"
    numbers = {o: {k: v for k, v in listed.items() if not isinstance(v, str)} for o, listed in values.items()}
    if all(len(numbers[o]) == len(listed) for o, listed in values.items()):
        if truths.contradictory(study, numbers):
            what = "are impossible together: no patients can be correlated so"
            found.append(Fault(inside if known else where, what, mend=mend))
        return found
    rng = np.random.default_rng(SEED)
    drawn = [
        {o: {k: truths.number(v, rng) for k, v in listed.items()} for o, listed in values.items()} for _ in range(DRAWS)
    ]
    bad = sum(not truths.possible(study, d) for d in drawn) / DRAWS
    if bad > MOST:
        what = f"its design priors are impossible together in {bad:.0%} of draws (thresholds out of order, or correlations of no patients)"
        found.append(Fault(where, what, mend="narrow them, or move correlations towards zero"))
    return found


def _values(study: Study, outcome: str, stated: Mapping[str, float | str], where: str) -> list[Fault]:
    """Every parameter of an outcome has a value, each a possible one, and nothing else has."""
    try:
        known = parameters(study, outcome)
    except ValueError:  # a prior that cannot be read is a fault of its own
        return []
    what = "is not a parameter of this outcome"
    found = [Fault(f"{where}.{key}", what, mend=did_you_mean(key, list(known))) for key in stated if key not in known]
    for key, parameter in known.items():
        if key not in stated and isinstance(parameter.prior, Pooled):
            continue  # each cohort draws its own
        if key not in stated:
            found.append(Fault(f"{where}.{key}", "is missing: a scenario states every parameter"))
        else:
            found += _value(parameter, stated[key], f"{where}.{key}")
    fixed = {k: v for k, v in stated.items() if not isinstance(v, str)}
    if thresholds := truths.disordered(known, fixed):
        found.append(Fault(where, "the thresholds must increase", str(thresholds)))
    return found


def _value(parameter: Parameter, value: float | str, where: str) -> list[Fault]:
    """What is wrong with one value, a number or a design prior."""
    if isinstance(value, str):
        what, mend = truths.uncertain(parameter, value)
        return [Fault(where, what, f'"{value}"', mend)] if what else []
    return [Fault(where, what, f"{value:g}")] if (what := truths.impossible(parameter, value)) else []
