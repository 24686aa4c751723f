"""What [events.*] may get wrong though they are well formed: how it is known, on what it depends, who is at risk."""

import math
from collections.abc import Collection, Mapping, Sequence

from bayesmyo.components.numbers import listing
from bayesmyo.errors import Fault, did_you_mean
from bayesmyo.study import check_covariates
from bayesmyo.study.check_responses import of_criterion
from bayesmyo.study.covariates import of_patients
from bayesmyo.study.faults import Faults, unknown_keys
from bayesmyo.study.predictors import predictors
from bayesmyo.study.study import Covariate, Event, Outcome, Study, Time

KNOWN_BY = ("reasons", "at", "column", "when")
WAYS = ("level", "slope", "area")


def time(time: Time | None) -> Faults:
    """A reason without the time of the exit says of nobody when."""
    if time is not None and time.reason is not None and time.exit is None:
        mend = "declare exit, the column that says when"
        yield Fault("study.time.reason", "says why follow-up ended, and no column says when", f'"{time.reason}"', mend)


def together(events: Mapping[str, Event], others: Mapping[str, Collection[str]], missing: Sequence[str]) -> Faults:
    """Names that are taken, and reasons that are none, or of two events.

    Parameters
    ----------
    others
        Other tables with their names.
    missing
        Cells that mean that nothing is known.
    """
    owners: dict[str, str] = {}
    for name, event in events.items():
        where = f"events.{name}"
        for table in (table for table, names in others.items() if name in names):
            yield Fault(where, f"is a name in {table} too", mend="choose another name")
        for reason in event.reasons:
            at = f"{where}.reasons"
            if not reason.strip() or reason in missing:
                what, mend = "names a cell that means that no reason is known", "leave it out"
                yield Fault(at, what, f'"{reason}"', mend)
            elif reason != reason.strip():
                yield Fault(at, "must be a text without white space around it", f'"{reason}"')
            elif reason in owners:
                yield Fault(at, f"names a reason of {owners[reason]} too", f'"{reason}"', "a reason has one meaning")
            owners.setdefault(reason, where)


def event(
    name: str, e: Event, time: Time | None, outcomes: Sequence[str], read: Mapping[str, Outcome],
    covariates: Mapping[str, Covariate],
) -> Faults:  # fmt: skip
    """Faults of one [events.NAME]; outcomes: the names of all, read: those that could be read."""
    where = f"events.{name}"
    stated = [key for key in KNOWN_BY if getattr(e, key)]
    if len(stated) != 1:
        mend = "say in one way when it happened: reasons of exits, at, column, or when"
        yield Fault(where, f"needs exactly one of {listing([*KNOWN_BY])}", ", ".join(stated), mend)
    if e.reasons and time is not None and (time.reason is None or time.exit is None):
        mend = "declare both in study.time: when follow-up ended, and why"
        yield Fault(f"{where}.reasons", "needs the columns exit and reason", mend=mend)
    if e.recurrent and e.reasons:
        yield Fault(f"{where}.recurrent", "follow-up ends once", mend="leave it out")
    if e.recurrent and e.terminal:
        yield Fault(f"{where}.terminal", "happens once", mend="leave recurrent out")
    if e.after is not None and e.ends:
        yield Fault(f"{where}.after", "nobody is seen after it", f'"{e.after}"', "leave it out")
    if e.clock == "gap" and not (e.recurrent and e.at):
        what = "counts time since the event before, which is known of a recurrent event with exact times (at) alone"
        yield Fault(f"{where}.clock", what, '"gap"', "leave it out")
    if e.confirmed and not e.when:
        yield Fault(f"{where}.confirmed", "is of criteria (when) alone", mend="leave it out")
    if e.typical is not None and not 0 < e.typical < 1:
        yield Fault(f"{where}.typical", "must be a share between 0 and 1", f"{e.typical:g}")
    yield from (Fault(f"{where}.hazard.{key}", what) for key, what in e.hazard.faults())
    for outcome, criterion in e.when.items():
        yield from unknown_keys(f"{where}.when", [outcome], outcomes, "is not an outcome of this study")
        at = f"{where}.when.{outcome}"
        yield from of_criterion(at, criterion, math.inf, 0.0, read.get(outcome), measured=True)
    yield from unknown_keys(f"{where}.depends", e.depends, outcomes, "is not an outcome of this study")
    yield from check_covariates.part(where, e, covariates)


def dependence(study: Study, name: str) -> Faults:
    """What the rate cannot depend on, because it is known at visits alone."""
    e, where, steady = study.events[name], f"events.{name}", of_patients(study)
    for covariate in e.covariates:
        if covariate not in steady:
            what = "varies between visits, and nobody knows it between them"
            yield Fault(f"{where}.covariates", what, f'"{covariate}"', "name covariates of patients")
    for outcome, way in e.depends.items():
        if outcome not in study.outcomes:
            continue
        o, at = study.outcomes[outcome], f"{where}.depends.{outcome}"
        effects = [effect.key for effect in predictors(study, outcome)[0].effects]
        known = dict.fromkeys([*WAYS, *effects])
        if of_visits := [n for n in (*o.covariates, *o.moderators) if n not in steady]:
            what = f"depends on {listing(of_visits)}, which nobody knows between visits: so is its expected course"
            yield Fault(at, what, mend="leave it out")
        elif o.trajectory.visits_planned():
            what = "has a level at each planned visit, and no course between them"
            yield Fault(at, what, mend="leave it out, or declare another trajectory")
        elif way not in known:
            what = "is neither a way to depend on a course nor one of its effects"
            yield Fault(at, what, f'"{way}"', did_you_mean(way, [*known]))
