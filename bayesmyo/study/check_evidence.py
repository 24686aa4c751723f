"""What [evidence.*] may get wrong though it is well formed: numbers that cannot be, and estimands that the study cannot
state."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from bayesmyo.components.numbers import listing
from bayesmyo.components.priors import Prior
from bayesmyo.errors import Fault
from bayesmyo.study import check_estimands
from bayesmyo.study.evidence import Evidence, scale_of, unstated
from bayesmyo.study.faults import Faults, positive
from bayesmyo.study.predictors import predictors
from bayesmyo.study.study import Covariate, Outcome, Study

WAYS = (
    {"events", "patients"}, {"mean", "sd", "patients"}, {"mean", "se"}, {"mean", "interval"}, {"median", "interval"},
)  # fmt: skip
WRITE = "write mean and se; mean, sd and patients; mean or median, and interval; or events and patients"
PLAIN = "a level, change, slope or ratio of an outcome"
IN_WHOM = ("population average", "average patient")


def evidence(
    where: str, e: Evidence, outcomes: Sequence[str], read: Mapping[str, Outcome], covariates: Mapping[str, Covariate]
) -> Faults:
    """Faults of one [evidence.NAME].

    Parameters
    ----------
    outcomes
        Names of all.
    read
        Those of them that could be read.
    """
    if not e.source.strip():
        yield Fault(f"{where}.source", "is empty: say who gave the number, as one would cite it")
    if not 0 <= e.like_ours <= 1:
        yield Fault(f"{where}.like_ours", "must be a probability between 0 and 1", f"{e.like_ours:g}")
    yield from _tau(where, e)
    numbers = [*_numbers(where, e)]
    yield from numbers
    asked = [*_asked(where, e)]
    yield from asked
    if asked:
        return
    places = {f"{where}.what.given": f"{where}.covariates", f"{where}.what.outcome": f"{where}.outcome"}
    said = [*check_estimands.estimand(f"{where}.what", e.estimand, outcomes, read, covariates)]
    yield from (replace(fault, where=places.get(fault.where, fault.where)) for fault in said)
    o = read.get(e.outcome)
    if o is None or said:
        return
    if why := unstated(e.what, o):
        yield Fault(f"{where}.what", f"cannot be used: {why}", f'"{e.what.kind}"', f"state {PLAIN} for which it does")
    elif not numbers:
        yield from _possible(where, e, o)


def _asked(where: str, e: Evidence) -> Faults:
    """Estimands that are no level of one outcome, or say what evidence cannot."""
    what, inside = e.what, f"{where}.what"
    if what.amount_of is None:
        yield Fault(f"{inside}.kind", f"must be {PLAIN}", f'"{what.kind}"', "other estimands are not offered yet")
        return
    if what.amount_of != e.outcome:
        yield Fault(f"{inside}.outcome", f"is another than that of the table, {e.outcome}", f'"{what.amount_of}"')
    if what.given:
        yield Fault(f"{inside}.given", "says in whom", mend="write it beside `what`, as covariates")
    for key, said in (("events", what.strategies), ("above", what.above), ("below", what.below)):
        if said is not None and said != {}:
            yield Fault(f"{inside}.{key}", "is of a question, not of a published number", mend="leave it out")
    if what.population not in IN_WHOM:
        mend = f"allowed: {', '.join(IN_WHOM)}"
        yield Fault(f"{inside}.population", "is not whom a publication speaks of", f'"{what.population}"', mend)
    if what.predicts != "expected value":
        yield Fault(f"{inside}.predicts", "a published number is of expected values", f'"{what.predicts}"')


def _numbers(where: str, e: Evidence) -> Faults:
    """A number that is said in no way or in two, or that cannot be."""
    said = {*e.said}
    if said not in WAYS and said - {"patients"} not in WAYS:
        yield Fault(where, "must say its number in one way", listing(e.said) if e.said else "none", WRITE)
    yield from positive(where, se=e.se, sd=e.sd, patients=e.patients)
    if not 0 < e.mass < 1:
        yield Fault(f"{where}.mass", "must lie between 0 and 1", f"{e.mass:g}", "0.95 is a 95 % interval")
    if e.events is not None and e.patients is not None and not 0 <= e.events <= e.patients:
        yield Fault(f"{where}.events", f"must be between none and all {e.patients} patients", f"{e.events}")
    if e.interval is not None and e.centre is not None and not e.interval[0] < e.centre < e.interval[1]:
        low, high = e.interval
        what = f"does not lie around the {'mean' if e.mean is not None else 'median'}, {e.centre:g}"
        yield Fault(f"{where}.interval", what, f"{low:g} to {high:g}", "write [lower, upper]")


def _possible(where: str, e: Evidence, o: Outcome) -> Faults:
    """Numbers that the estimand cannot be, and ways that do not lead to its scale."""
    link = scale_of(e.what, o.family)
    counts = o.family.binary and link is o.family
    if e.events is not None and not counts:
        yield Fault(f"{where}.events", "so many of so many is the level of an outcome of no and yes", mend=WRITE)
        return
    for key, values in (("mean", (e.mean,)), ("median", (e.median,)), ("interval", e.interval or ())):
        for value in values:
            if value is not None and not bool(np.all(link.check_expected(np.array(value)))):
                yield Fault(f"{where}.{key}", f"must be {link.expected()}", f"{value:g}")
                return
    if e.sd is not None and not link.additive:
        what = f"patients who differ by it on the {link.link_name} have another SD there"
        yield Fault(f"{where}.sd", what, f"{e.sd:g}", "write events and patients" if counts else "write an interval")


def _tau(where: str, e: Evidence) -> Faults:
    """A prior of the SD between studies that is none."""
    if not e.tau:
        return
    try:
        prior = Prior.parse(e.tau)
    except ValueError as error:
        yield Fault(f"{where}.tau", str(error), f'"{e.tau}"')
        return
    if not prior.fits("positive"):
        yield Fault(f"{where}.tau", "is an SD, which is positive", f'"{e.tau}"', 'such as "halfnormal(0.5)"')


def together(known: Mapping[str, Evidence]) -> Faults:
    """Tables about one estimand that contradict each other, or say the same number twice."""
    for first, second in _pairs(known):
        one, other = known[first], known[second]
        for key in ("like_ours", "tau"):
            if getattr(one, key) != getattr(other, key):
                what = f"differs from evidence.{first}, which is about the same number: they are one meta-analysis"
                yield Fault(f"evidence.{second}.{key}", what, f"{getattr(other, key)}", "write the same in both")
        if one == other:
            yield Fault(f"evidence.{second}", f"says what evidence.{first} says, and would count twice")


def _pairs(known: Mapping[str, Evidence]) -> Iterator[tuple[str, str]]:
    """Each table with the first about the same estimand."""
    firsts: list[str] = []
    for name, e in known.items():
        first = next((other for other in firsts if known[other].estimand == e.estimand), None)
        if first is None:
            firsts.append(name)
        else:
            yield first, name


def averaged(where: str, e: Evidence, study: Study) -> Faults:
    """Averages over patients that do not follow from population parameters in a closed form.

    Parameters
    ----------
    study
        With the outcome, which has no fault of its own.
    """
    location = predictors(study, e.outcome)[0]
    bent = [effect.coefficient for effect in location.effects if not effect.linear]
    if e.what.population == "average patient":
        return
    mend = 'write population = "average patient" in what, if the number is that of a typical patient'
    if bent:
        what = f"patients differ in their {bent[0].replace('_', '-')}, and the average over them is no closed form"
        yield Fault(f"{where}.what", what, mend=mend)
    elif study.outcomes[e.outcome].family.binary and len(location.effects) > 2:
        yield Fault(
            f"{where}.what", "patients differ in three ways or more: use of their average is not offered", mend=mend
        )
