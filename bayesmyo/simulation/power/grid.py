"""The cells of a power study: every combination of scenario, number of patients, follow-up, visits and loss that is asked for."""

import math
from collections.abc import Iterator
from dataclasses import replace
from itertools import product

from bayesmyo.components.families import Family
from bayesmyo.errors import Fault, InputError, did_you_mean
from bayesmyo.inference.engines import known_engine
from bayesmyo.model.simulate import MOST_PATIENTS
from bayesmyo.model.truth import Truth
from bayesmyo.simulation.cell import Cell, population
from bayesmyo.simulation.given import known, posterior_draws
from bayesmyo.simulation.options import Axes, PowerOptions
from bayesmyo.simulation.plan import Plan
from bayesmyo.simulation.power.comparators import checked
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
    posterior: draws of a fit, from which each replicate draws its truth, instead of scenarios: the power of the next study
    Raises InputError with every fault.
    """
    if found := [*_study_faults(study, analysis or study), *_axis_faults(study, axes, posterior is not None)]:
        raise InputError("this power study", found)
    assert study.design is not None
    # default priors follow the declared follow-up, and those of an analysis do not change with the design that is tried
    pinned = replace(study.time, typical=study.typical_follow_up)
    study = replace(study, time=pinned, text="")
    truths: list[tuple[str, str | Truth]] = [(name, name) for name in axes.scenarios or study.scenarios]
    if posterior is not None:
        truths = [(POSTERIOR, population(posterior))]
    assert study.design is not None
    listed = []
    for (label, truth), (varied, design), n in product(
        truths, _designs(study.design, axes), axes.patients or (study.design.patients,)
    ):
        looks = tuple(sorted(k for k in axes.looks if k < n))
        labels: dict[str, str | float] = {"scenario": label, **varied, "patients": n}
        simulated = replace(study, design=replace(design, patients=n))
        listed.append(Cell(simulated, truth, n, analysis or study, labels, (*looks, n) if looks else ()))
    return tuple(listed)


def power_plan(asked: PowerOptions) -> Plan:
    """The plan of a power study. Raises InputError, UsageError, before anything is compiled."""
    known(asked.study, asked.fit, asked.analysis)
    known_engine(asked.engine)
    posterior = None if asked.fit is None else posterior_draws(asked.fit, asked.study, same_model=False)
    listed = cells(asked.study, asked, analysis=asked.analysis, posterior=posterior)
    beside = checked(asked.comparators)
    return Plan("power", listed, asked.replicates, asked.seed, asked.engine, comparators=beside, mcse=asked.mcse)


def _designs(design: Design, axes: Axes) -> Iterator[tuple[dict[str, str | float], Design]]:
    """What differs from the study's own design, in words, and the design."""
    schedules: list[tuple[str, float | tuple[float, ...]]] = [("every", v) for v in axes.every] + [
        ("visits", v) for v in axes.visits
    ]
    for mean, schedule, hazard in product(axes.follow_up or (None,), schedules or (None,), axes.loss or (None,)):
        varied: dict[str, str | float] = {}
        changed = design
        if mean is not None:
            f = design.follow_up
            scaled: FollowUp | float = mean
            if isinstance(f, FollowUp):
                scaled = replace(f, mean=mean, sd=f.sd * mean / f.mean, maximum=f.maximum * mean / f.mean)
            changed, varied["follow_up"] = replace(changed, follow_up=scaled), mean
        if schedule is not None:
            name, value = schedule
            if isinstance(value, tuple):
                visits = replace(design.visits, first=value, then_every=None)
                varied[name] = " ".join(f"{t:g}" for t in value)
            else:
                visits = replace(design.visits, then_every=value)
                varied[name] = value
            changed = replace(changed, visits=visits)
        if hazard is not None:
            changed, varied["loss"] = replace(changed, loss=Loss(hazard=hazard)), hazard
        yield varied, changed


def _study_faults(study: Study, analysis: Study) -> list[Fault]:
    found = []
    if study.design is None:
        found.append(
            Fault(
                "study", "has no [design]: nobody knows whom to simulate", mend="declare patients, follow_up and visits"
            )
        )
    if not analysis.decisions:
        what = "has no decisions: power is how often a decision is met"
        found.append(
            Fault(
                "study" if analysis is study else "--analysis",
                what,
                mend="write a table [decisions.my_rule] about an estimand",
            )
        )
    if analysis is not study:
        for name, o in analysis.outcomes.items():
            if name not in study.outcomes:
                found.append(
                    Fault(
                        f"--analysis outcome {name}", "is not simulated", mend=did_you_mean(name, list(study.outcomes))
                    )
                )
            elif not _of_one_kind(o.family, study.outcomes[name].family):
                what = f"is {o.family.kind}, and {study.outcomes[name].family.kind} is simulated"
                found.append(Fault(f"--analysis outcome {name}", what))
        if not set(analysis.estimands) & set(study.estimands):
            found.append(
                Fault(
                    "--analysis",
                    "shares no estimand with the study, so that no true value is known",
                    mend="give them the same names",
                )
            )
        for name, c in analysis.covariates.items():
            if name not in study.covariates or study.covariates[name].levels != c.levels:
                found.append(Fault(f"--analysis covariate {name}", "is not simulated, or has other levels"))
    return found


def _of_one_kind(analysed: Family, simulated: Family) -> bool:
    """Whether measurements of one family are, as far as can be known before, measurements of another: counts, categories, or numbers."""
    if analysed.kind == simulated.kind:
        return True
    return analysed.counts == simulated.counts and analysed.texts() is None and simulated.texts() is None


def _axis_faults(study: Study, axes: Axes, given: bool) -> list[Fault]:
    found = [
        Fault("--scenario", "is not in this study", f'"{name}"', did_you_mean(name, list(study.scenarios)))
        for name in axes.scenarios
        if name not in study.scenarios
    ]
    if given and axes.scenarios:
        found.append(Fault("--scenario", "and --from-fit do not go together", mend="truths come from one of them"))
    if not given and not study.scenarios:
        found.append(
            Fault(
                "study",
                "has no scenario: nobody knows what is true",
                mend="write a table [scenarios.my_scenario], or give --from-fit",
            )
        )
    whole = {"--patients": (axes.patients, FEWEST), "--looks": (axes.looks, FEWEST)}
    for where, (values, least) in whole.items():
        found += [
            Fault(where, f"must lie between {least} and {MOST_PATIENTS:,}", str(v))
            for v in values
            if not least <= v <= MOST_PATIENTS
        ]
    numbers = {"--follow-up": axes.follow_up, "--every": axes.every}
    for where, listed in numbers.items():
        found += [Fault(where, "must be positive", f"{v:g}") for v in listed if not v > 0]
    found += [Fault("--loss", "must not be negative", f"{v:g}") for v in axes.loss if not v >= 0]
    for times in axes.visits:
        if list(times) != sorted(set(times)) or times[0] < 0:
            found.append(
                Fault("--visits", "must list increasing times, none before zero", " ".join(f"{t:g}" for t in times))
            )
    f = None if study.design is None else study.design.follow_up
    if f is not None and not isinstance(f, FollowUp) and not axes.follow_up:
        what = f"has a visit after the end of follow_up ({f:g}), which nobody would have"
        found += [
            Fault("--visits", what, " ".join(f"{t:g}" for t in times))
            for times in axes.visits
            if times and times[-1] > f
        ]
    for where, axis in {
        "--scenario": axes.scenarios,
        **{k: v for k, (v, _) in whole.items()},
        **numbers,
        "--loss": axes.loss,
    }.items():
        found += [
            Fault(where, "names one value twice", str(v))
            for v in dict.fromkeys(v for v in axis if list(axis).count(v) > 1)
        ]
    if axes.looks and study.design is not None:
        largest = max(axes.patients or (study.design.patients,))
        found += [
            Fault("--looks", f"must be fewer than all patients, {largest}", str(v)) for v in axes.looks if v >= largest
        ]
    schedules = len(axes.every) + len(axes.visits)
    lengths = (
        len(axes.scenarios or study.scenarios),
        len(axes.patients),
        len(axes.follow_up),
        schedules,
        len(axes.loss),
    )
    size = math.prod(max(1, n) for n in lengths)
    if size > MOST:
        found.append(Fault("this grid", f"has more than {MOST} cells", str(size), "ask for fewer values"))
    return found
