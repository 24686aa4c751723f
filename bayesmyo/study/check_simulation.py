"""What the tables for simulation, [design] and [scenarios.*], may get wrong though they are well formed."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import islice

import numpy as np

from bayesmyo.errors import Fault, did_you_mean
from bayesmyo.limits import STUDY_PATIENTS, STUDY_VISITS
from bayesmyo.study import scenarios as truths
from bayesmyo.study.design import Design, FollowUp, Randomised, Scenario
from bayesmyo.study.faults import Faults, negative, positive, unknown, unknown_keys
from bayesmyo.study.parameters import Parameter, correlations, parameters
from bayesmyo.study.predictors import CORRELATIONS
from bayesmyo.study.study import Covariate, Outcome, Study

JITTERS = 4.0  # SDs of the jitter that a window must hold: beyond it is one visit in 16,000
# of design priors that are looked at together: draws, and the share that may be impossible
SEED, DRAWS, MOST = 2005, 200, 0.05
LEAST = 1e-6  # eigenvalue of correlations
NO_PRIOR = "has no design prior in this scenario"


def design(d: Design, exposures: Sequence[str] | None, covariates: Mapping[str, Covariate]) -> Faults:
    """Numbers of [design] that no cohort can have. exposures: the outcomes' columns, None where some outcome is
    unreadable."""
    f, visits = d.follow_up, d.visits
    together = [
        *positive("design", patients=d.patients, accrual=d.accrual),
        *positive("design.visits", then_every=visits.then_every),
    ]
    if isinstance(f, FollowUp):
        together += positive("design.follow_up", mean=f.mean, sd=f.sd, maximum=f.maximum)
    else:
        together += positive("design", follow_up=f)
    for name in d.balanced or ():
        together += _balanced(name, covariates)
    together += negative("design.visits.jitter", visits.jitter)
    if d.loss is not None:
        together += negative("design.loss.hazard", d.loss.hazard)
    if not 0 <= d.missing < 1:
        together.append(Fault("design.missing", "must be a share below 1", f"{d.missing:g}"))
    for column, mean in d.exposure.items():
        if exposures is not None:
            together += unknown_keys("design.exposure", [column], exposures, "is no outcome's exposure")
        if mean < 1:
            together.append(Fault(f"design.exposure.{column}", "must be at least 1", f"{mean:g}"))
    together += _first(visits.first, f)
    yield from together
    if not together and visits.then_every and (d.latest - visits.first[-1]) / visits.then_every > STUDY_VISITS:
        what = f"plans more than {STUDY_VISITS:,} visits of each patient"
        yield Fault("design.visits.then_every", what, f"{visits.then_every:g}", "plan fewer")
    if d.patients > STUDY_PATIENTS:
        yield Fault("design.patients", f"must be at most {STUDY_PATIENTS:,}", str(d.patients))


def _first(first: tuple[float, ...], follow_up: FollowUp | float) -> Faults:
    """Planned visits out of order, or after the end."""
    if not first or list(first) != sorted(set(first)):
        yield Fault("design.visits.first", "must list increasing times", str(list(first)))
    elif not isinstance(follow_up, FollowUp) and 0 < follow_up < first[-1]:
        what = f"lie after the end of follow_up ({follow_up:g}): nobody would have them"
        yield Fault("design.visits.first", what, f"{first[-1]:g}")


def _balanced(name: str, covariates: Mapping[str, Covariate]) -> Faults:
    """Why the groups of a covariate cannot be balanced between patients."""
    where, c = "design.balanced", covariates.get(name)
    if c is None:
        yield from unknown(where, name, covariates, "names no covariate")
    elif not c.levels or c.varies != "patients":
        yield Fault(where, "names a covariate that has no groups of patients", f'"{name}"', "name one with levels")


def randomised(d: Design, covariates: Mapping[str, Covariate], outcomes: Mapping[str, Outcome]) -> Faults:
    """Why the groups of a covariate cannot be allocated by blocks."""
    r, where = d.randomised, "design.randomised"
    if r is None:
        return
    named = {n for o in outcomes.values() for n in o.named}
    used = {*named, *(part for n in named if n in covariates for part in covariates[n].product or ())}
    for key, name in (("covariate", r.covariate), *(("strata", name) for name in r.strata)):
        c = covariates.get(name)
        if c is None:
            yield from unknown(f"{where}.{key}", name, covariates, "names no covariate")
        elif not c.levels or c.varies != "patients":
            what = "names a covariate that has no groups of patients"
            yield Fault(f"{where}.{key}", what, f'"{name}"', "name one with levels")
        elif name not in used:
            what, mend = "names a covariate that no outcome uses", "let the analysis adjust for it, or leave it out"
            yield Fault(f"{where}.{key}", what, f'"{name}"', mend)
    if r.covariate in (d.balanced or ()):
        yield Fault(where, "and design.balanced both allocate", f'"{r.covariate}"', "name it in one of them")
    if r.covariate in r.strata or len(set(r.strata)) < len(r.strata):
        yield Fault(f"{where}.strata", "must name other covariates, each once", ", ".join(r.strata))
    levels = covariates[r.covariate].levels if r.covariate in covariates else ()
    yield from _blocks(r, len(levels or ()), where)


def _blocks(r: Randomised, groups: int, where: str) -> Faults:
    """A ratio that is not one of these groups, and blocks that cannot hold it. groups: how many, 0 where not known"""
    if r.ratio is not None and (min(r.ratio, default=0) < 1 or (groups and len(r.ratio) != groups)):
        what = f"must be {groups or 'some'} whole numbers from 1, one for each level"
        yield Fault(f"{where}.ratio", what, str(list(r.ratio)))
        return
    total = sum(r.parts(groups))
    if not r.blocks:
        yield Fault(f"{where}.blocks", "names no size", mend=f"write [{2 * total}]" if total else "")
    for size in r.blocks if total else ():
        if size < 1 or size % total:
            yield Fault(f"{where}.blocks", f"must be multiples of {total}, the sum of the ratio", str(size))


def errors(d: Design, outcomes: Mapping[str, Outcome]) -> Faults:
    """Known errors of simulated measurements: each column's, and no other's."""
    columns = sorted({o.error for o in outcomes.values() if o.error})
    for column in columns:
        if column not in d.error:
            yield Fault(f"design.error.{column}", "is missing: how large is the error of a measurement?")
    for column, size in d.error.items():
        if column in columns:
            yield from negative(f"design.error.{column}", size)
        else:
            yield from unknown_keys("design.error", [column], columns, "is no outcome's error")


def planned(d: Design, outcomes: Mapping[str, Outcome]) -> Faults:
    """Visits of simulated patients at times that an outcome with a level of each planned visit does not know."""
    times, step = list(d.visits.first), d.visits.then_every
    if step and step > 0 and len(times):
        times += [times[-1] + step * k for k in range(1, int((d.latest - times[-1]) / step) + 1)][:STUDY_VISITS]
    for name, o in outcomes.items():
        if not o.trajectory.visits_planned() or o.trajectory.faults():
            continue
        if beyond := [t for t in times if t <= d.latest and not o.trajectory.planned(t)]:
            what = f"plans a visit that the trajectory of {name} does not"
            yield Fault("design.visits", what, f"{beyond[0]:g}", f"add it to outcomes.{name}.trajectory.at")
        elif d.visits.jitter * JITTERS > o.trajectory.reach():
            what, mend = f"takes visits out of the windows of {name}", "a quarter of the window is enough"
            yield Fault("design.visits.jitter", what, f"{d.visits.jitter:g}", mend)


def scenario(
    name: str, s: Scenario, study: Study, scenarios: Mapping[str, Scenario], names: Mapping[str, list[str]]
) -> Faults:
    """Faults of one [scenarios.NAME].

    It is a whole truth: with what it takes over by `like`, every parameter has a value it can have, or a design prior.
    """
    where, outcomes = f"scenarios.{name}", [*names["outcomes"], *names["events"]]
    if s.like is not None and s.like not in names["scenarios"]:
        yield from unknown(f"{where}.like", s.like, names["scenarios"], "names no other scenario")
        return
    chain, last = [name], s.like
    while last is not None and last in scenarios and last not in chain:
        chain.append(last)
        last = scenarios[last].like
    if last in chain:
        yield Fault(f"{where}.like", "goes round in a circle", " -> ".join([*chain, str(last)]))
    if last is not None:  # what it takes over has faults of its own
        return
    values = truths.stated_values(scenarios, name)
    between = [CORRELATIONS] if correlations(study) else []
    or_event = "or event " if names["events"] else ""
    faults = [
        Fault(f"{where}.{outcome}", f"is not an outcome {or_event}of this study", mend=did_you_mean(outcome, outcomes))
        for outcome in values
        if outcome not in (*outcomes, *between)
    ]
    known = {}
    for outcome in study.declared:
        with suppress(ValueError):  # a prior that cannot be read is a fault of its own
            known[outcome] = parameters(study, outcome)
    for outcome, listed in known.items():
        of = "event" if outcome in study.events else "outcome"
        faults += _values(listed, values.get(outcome, {}), f"{where}.{outcome}", of)
    together = [*_together(s, values, f"{where}.together")]
    faults += together
    if not faults and len(known) == len(outcomes):
        faults += _correlations(study, values, where, truths.together(scenarios, name))
    # what it takes over has its faults where it is stated
    taken_over = {f"{where}.{o}.{k}" for o, listed in values.items() for k in listed if k not in s.values.get(o, {})}
    yield from (fault for fault in faults if fault.where not in taken_over)


def _together(s: Scenario, values: truths.Stated, where: str) -> Faults:
    """Correlations between what has no design prior, or that no distribution has."""
    drawn = [f"{o}.{key}" for o, listed in values.items() for key, v in listed.items() if isinstance(v, str)]
    faults: list[Fault] = []
    pairs: dict[tuple[str, str], float] = {}
    for first, listed in s.together.items():
        faults += unknown_keys(where, [first], drawn, NO_PRIOR)
        for second, r in listed.items():
            faults += unknown_keys(f"{where}.{first}", [second], drawn, NO_PRIOR)
            if first == second or not -1 < r < 1:
                what = "must lie between -1 and 1, and be of two parameters"
                faults.append(Fault(f"{where}.{first}.{second}", what, f"{r:g}"))
            pairs[min(first, second), max(first, second)] = r
    yield from faults
    if not faults and pairs and np.linalg.eigvalsh(truths.copula(pairs)[1]).min() < LEAST:
        yield Fault(where, "are impossible together", mend="move them towards zero")


def _correlations(study: Study, values: truths.Stated, where: str, together: Mapping[tuple[str, str], float]) -> Faults:
    """Correlations between outcomes that are known, and all correlations together those of some distribution."""
    inside = f"{where}.{CORRELATIONS}"
    known, stated = correlations(study), values.get(CORRELATIONS, {})
    faults = [*unknown_keys(inside, stated, known, "is no correlation between two outcomes")]
    for key, value in stated.items():
        faults += _value(known[key], value, f"{inside}.{key}") if key in known else []
    if faults:
        yield from faults
    elif not any(isinstance(v, str) for listed in values.values() for v in listed.values()):
        if truths.contradictory(study, values):
            at = inside if known else where
            what = "are impossible together: no patients can be correlated so"
            yield Fault(at, what, mend="move them towards zero")
    else:
        rng = np.random.default_rng(SEED)
        drawn = islice(truths.draws(values, rng, together), DRAWS)
        bad = sum(not truths.possible(study, d) for d in drawn) / DRAWS
        if bad > MOST:
            what = f"its design priors are impossible together in {bad:.0%} of draws"
            why = "(thresholds out of order, or correlations of no patients)"
            yield Fault(where, f"{what} {why}", mend="narrow them, or move correlations towards zero")


def _values(known: Mapping[str, Parameter], stated: Mapping[str, float | str], where: str, of: str) -> Faults:
    """Every parameter of an outcome or event has a value, each a possible one, and nothing else has."""
    yield from unknown_keys(where, stated, known, f"is not a parameter of this {of}")
    for key, parameter in known.items():
        if key in stated:
            yield from _value(parameter, stated[key], f"{where}.{key}")
        elif not parameter.pooled:  # each cohort draws its own
            yield Fault(f"{where}.{key}", "is missing: a scenario states every parameter")
    fixed = {k: v for k, v in stated.items() if not isinstance(v, str)}
    if thresholds := truths.disordered(known, fixed):
        yield Fault(where, "the thresholds must increase", str(thresholds))


def _value(parameter: Parameter, value: float | str, where: str) -> Faults:
    """What is wrong with one value, a number or a design prior."""
    if isinstance(value, str):
        what, mend = truths.uncertain(parameter, value)
        if what:
            yield Fault(where, what, f'"{value}"', mend)
    elif what := truths.impossible(parameter, value):
        yield Fault(where, what, f"{value:g}")
