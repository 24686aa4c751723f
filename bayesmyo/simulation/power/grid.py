"""The cells of a power study: every combination of scenario, number of patients, follow-up, visits and loss that is
asked for.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product
from typing import Any

from bayesmyo.components.families import Family
from bayesmyo.errors import Fault, InputError, did_you_mean
from bayesmyo.inference.engines import known_engine
from bayesmyo.model import completed
from bayesmyo.model.simulate import MOST_PATIENTS
from bayesmyo.model.truth import Truth
from bayesmyo.simulation.calendar import expected_end
from bayesmyo.simulation.cell import Cell, population
from bayesmyo.simulation.given import NO_DESIGN, known, posterior_draws
from bayesmyo.simulation.options import Axes, PowerOptions
from bayesmyo.simulation.plan import Plan, usual
from bayesmyo.simulation.power import search, threshold
from bayesmyo.simulation.power.claims import weighed
from bayesmyo.simulation.power.comparators import checked
from bayesmyo.simulation.power.drift import drifted, refused
from bayesmyo.simulation.power.predictive import Predictive
from bayesmyo.study.design import Design, FollowUp, Loss
from bayesmyo.study.study import Study

POSTERIOR = "posterior"  # the label of truths that are draws of a fit
MOST = 500  # cells
FEWEST = 2  # patients: fewer have no spread between them


def cells(
    study: Study, axes: Axes, *, analysis: Study | None = None, posterior: Truth | None = None
) -> tuple[Cell, ...]:
    """The cells in the order of the axes, patients last.

    analysis: another study that analyses what this one simulates; estimands are matched by name
    posterior: draws of a fit, from which each replicate draws its truth, instead of scenarios: the power of the next
        study
    Raises InputError with every fault.
    """
    faults = [*_study_faults(study, analysis or study), *_axis_faults(study, axes, posterior is not None)]
    names = axes.scenarios or tuple(study.scenarios)
    faults += refused(study, names, axes.drift, posterior is not None, analysis not in (None, study))
    if faults:
        raise InputError("this power study", faults)
    # default priors follow the declared follow-up, and those of an analysis do not change with the design that is tried
    study = replace(study, time=replace(study.time, typical=study.typical_follow_up), text="")
    assert study.design is not None
    truths: list[tuple[str, str | Truth]] = [(name, name) for name in axes.scenarios or study.scenarios]
    if posterior is not None:
        truths = [(POSTERIOR, population(posterior))]
    analysed: dict[str, list[tuple[dict[str, str | float], Study]]]
    analysed = {label: [({}, analysis or study)] for label, _ in truths}
    if axes.drift:
        analysed = {label: list(drifted(study, label, axes.drift)) for label, _ in truths}
    listed = []
    numbers = axes.patients or (study.design.patients,)
    for (label, truth), (varied, design), n in product(truths, _designs(study.design, axes), numbers):
        looks = tuple(sorted(k for k in axes.looks if k < n))
        dates = tuple(sorted(t for t in axes.look_at if t < expected_end(design, n)))
        labels: dict[str, str | float] = {"scenario": label, **varied, "patients": n}
        simulated = replace(study, design=replace(design, patients=n))
        for more, analyses in analysed[label]:
            every = (*looks, n) if looks else ()
            listed.append(Cell(simulated, truth, n, analyses, {**labels, **more}, every, dates=dates))
    return tuple(listed)


def power_plan(asked: PowerOptions) -> Plan:
    """The plan of a power study. Raises InputError, UsageError, before anything is compiled."""
    known(asked.study, asked.fit, asked.analysis)
    known_engine(asked.engine)
    posterior = None if asked.fit is None else posterior_draws(asked.fit, asked.study, same_model=False)
    if (solve := asked.solved) and solve.what == "follow-up":
        asked = replace(asked, follow_up=solve.start)
    listed = cells(asked.study, asked, analysis=asked.analysis, posterior=posterior)
    unsolved = threshold.refused if asked.solve == "threshold" else search.refused
    if asked.solve and (faults := list(unsolved(listed))):
        raise InputError("this power study", faults)
    ahead = None
    if asked.predictive is not None and asked.futility is not None:
        ahead = Predictive(asked.futility, asked.predictive)
        if faults := list(completed.refused(listed[0].analysis, "--predictive")):
            raise InputError("this power study", faults)
    beside = checked(asked.comparators)
    plan = Plan(
        "power",
        listed,
        asked.replicates,
        asked.seed,
        asked.engine,
        usual(asked.engine),
        comparators=beside,
        mcse=asked.mcse,
        predictive=ahead,
    )
    weighed(asked.weights or {}, plan)
    return plan


def _designs(design: Design, axes: Axes) -> Iterator[tuple[dict[str, str | float], Design]]:
    """What differs from the study's own design, in words, and the design."""
    schedules: list[tuple[str, Any]] = [*(("every", v) for v in axes.every), *(("visits", v) for v in axes.visits)]
    varying = (axes.follow_up or (None,), schedules or (None,), axes.loss or (None,), axes.accrual or (None,))
    for mean, schedule, hazard, accrual in product(*varying):
        varied: dict[str, str | float] = {}
        changed = design
        if mean is not None:
            changed, varied["follow_up"] = changed.followed(mean), mean
        if schedule is not None:
            name, value = schedule
            if name == "visits":
                visits = replace(design.visits, first=value, then_every=None)
                varied[name] = " ".join(f"{t:g}" for t in value)
            else:
                visits = replace(design.visits, then_every=value)
                varied[name] = value
            changed = replace(changed, visits=visits)
        if hazard is not None:
            changed, varied["loss"] = replace(changed, loss=Loss(hazard=hazard)), hazard
        if accrual is not None:
            changed, varied["accrual"] = replace(changed, accrual=accrual), accrual
        yield varied, changed


def _study_faults(study: Study, analysis: Study) -> Iterator[Fault]:
    if study.design is None:
        yield NO_DESIGN
    if not analysis.decisions:
        where, what = (
            "study" if analysis is study else "--analysis",
            "has no decisions: power is how often a decision is met",
        )
        yield Fault(where, what, mend="write a table [decisions.my_rule] about an estimand")
    if analysis is study:
        return
    for name, o in analysis.outcomes.items():
        where = f"--analysis outcome {name}"
        if name not in study.outcomes:
            yield Fault(where, "is not simulated", mend=did_you_mean(name, list(study.outcomes)))
        elif not _of_one_kind(o.family, study.outcomes[name].family):
            yield Fault(where, f"is {o.family.kind}, and {study.outcomes[name].family.kind} is simulated")
    if not set(analysis.estimands) & set(study.estimands):
        what = "shares no estimand with the study, so that no true value is known"
        yield Fault("--analysis", what, mend="give them the same names")
    for name, c in analysis.covariates.items():
        if name not in study.covariates or study.covariates[name].levels != c.levels:
            yield Fault(f"--analysis covariate {name}", "is not simulated, or has other levels")


def _of_one_kind(analysed: Family, simulated: Family) -> bool:
    """Whether measurements of one family are, as far as can be known before, measurements of another: counts,
    categories, or numbers.
    """
    if analysed.kind == simulated.kind:
        return True
    return analysed.counts == simulated.counts and analysed.texts() is None and simulated.texts() is None


def _axis_faults(study: Study, axes: Axes, given: bool) -> Iterator[Fault]:
    for name in axes.scenarios:
        if name not in study.scenarios:
            yield Fault("--scenario", "is not in this study", f'"{name}"', did_you_mean(name, list(study.scenarios)))
    if given and axes.scenarios:
        yield Fault("--scenario", "and --from-fit do not go together", mend="truths come from one of them")
    if not given and not study.scenarios:
        mend = "write a table [scenarios.my_scenario], or give --from-fit"
        yield Fault("study", "has no scenario: nobody knows what is true", mend=mend)
    whole = {"--patients": axes.patients, "--looks": axes.looks}
    positive = {
        "--follow-up": axes.follow_up,
        "--every": axes.every,
        "--accrual": axes.accrual,
        "--look-at": axes.look_at,
    }
    for where, listed in whole.items():
        for n in listed:
            if not FEWEST <= n <= MOST_PATIENTS:
                yield Fault(where, f"must lie between {FEWEST} and {MOST_PATIENTS:,}", str(n))
    for where, values in positive.items():
        yield from (Fault(where, "must be positive", f"{v:g}") for v in values if not v > 0)
    yield from (Fault("--loss", "must not be negative", f"{v:g}") for v in axes.loss if not v >= 0)
    f = None if study.design is None or axes.follow_up else study.design.follow_up
    end = math.inf if f is None or isinstance(f, FollowUp) else f
    schedules = [(times, " ".join(f"{t:g}" for t in times)) for times in axes.visits]
    disordered = (said for times, said in schedules if list(times) != sorted(set(times)) or times[0] < 0)
    yield from (Fault("--visits", "must list increasing times, none before zero", said) for said in disordered)
    beyond = f"has a visit after the end of follow_up ({end:g}), which nobody would have"
    yield from (Fault("--visits", beyond, said) for times, said in schedules if times[-1] > end)
    axis: Sequence[Any]
    for where, axis in {
        "--scenario": axes.scenarios,
        **whole,
        **positive,
        "--loss": axes.loss,
        "--drift": axes.drift,
    }.items():
        twice = (v for v in dict.fromkeys(axis) if axis.count(v) > 1)
        yield from (Fault(where, "names one value twice", str(v)) for v in twice)
    if study.design is not None:
        largest = max(axes.patients or (study.design.patients,))
        late = (n for n in axes.looks if n >= largest)
        yield from (Fault("--looks", f"must be fewer than all patients, {largest}", str(n)) for n in late)
        yield from _date_faults(study.design, axes)
    spacings = (*axes.every, *axes.visits)
    varied = (
        axes.scenarios or study.scenarios,
        axes.patients,
        axes.follow_up,
        spacings,
        axes.loss,
        axes.accrual,
        axes.drift,
    )
    size = math.prod(max(1, len(values)) for values in varied)
    if size > MOST:
        yield Fault("this grid", f"has more than {MOST} cells", str(size), "ask for fewer values")


def _date_faults(design: Design, axes: Axes) -> Iterator[Fault]:
    """Dates at which nothing is to be looked at: nobody knows when, before there are patients, after the end."""
    where, numbers = "--look-at", axes.patients or (design.patients,)
    if not axes.look_at or any(not v > 0 for v in (*axes.look_at, *axes.accrual)):
        return
    if axes.looks:
        yield Fault(where, "and --looks do not go together", mend="look at dates, or after so many patients")
    if len(axes.look_at) >= min(numbers):
        yield Fault(where, "has as many looks as there are patients", str(len(axes.look_at)), "look less often")
    changed = [d for _, d in _designs(design, axes)]
    if any(d.accrual is None for d in changed):
        yield Fault(where, "needs to know when patients enter", mend="give --accrual, or accrual in [design]")
        return
    fewest, last = max(1 / d.accrual for d in changed if d.accrual), max(expected_end(d, max(numbers)) for d in changed)
    for date in axes.look_at:
        if date < fewest:
            what = f"is before two patients are expected, at {fewest:.3g}"
            yield Fault(where, what, f"{date:g}", "look later")
        elif date >= last:
            yield Fault(where, f"is not before the end, expected at {last:.4g}", f"{date:g}", "look earlier")
