"""What is said of one new patient, in sentences that may be repeated."""

from collections.abc import Sequence

from bayesmyo.assess.predicted import Basis, Chance, Expected, likely
from bayesmyo.components.estimands.estimand import Given
from bayesmyo.components.numbers import Number, chance_error, in_sentence, interval_errors, listing, significant
from bayesmyo.study.covariates import used
from bayesmyo.study.study import Study


def of_level(study: Study, name: str, row: Expected, basis: Basis) -> str:
    """What is expected of an outcome, and what a measurement may be."""
    middle, first, last = row.mcse
    errors = interval_errors(first, middle, last)
    lower, median, upper = (Number(v, e) for v, e in zip((row.lower, row.median, row.upper), errors, strict=True))
    o, label = study.outcomes[row.outcome], in_sentence(study.label(row.outcome))
    when = f"at {study.time.unit} {row.time:g}"
    unit = f" {o.unit}" if o.unit else ""
    course = f"{median}{unit} expected ({study.interval:.0%} interval {lower} to {upper})"
    if row.categories:
        error = max(chance_error(p, basis.effective) for p in row.categories.values())
        measured = likely([*row.categories.items()], error)
        return f"{name}, {label} {when}, {after(study, basis)}: {course}; measured, {measured}."
    low, high = significant(row.measured_lower), significant(row.measured_upper)
    return f"{name}, {label} {when}, {after(study, basis)}: {course}; a measurement between {low} and {high}."


def of_chance(study: Study, name: str, row: Chance, basis: Basis) -> str:
    """How probable it is."""
    when = f"at {study.time.unit} {row.time:g}" if row.kind != "event" else f"by {study.time.unit} {row.time:g}"
    what = row.words.removesuffix(" by then")
    rule = f" ({row.name})" if row.kind == "category" else ""
    return f"{name}, {what} {when}{rule}, {after(study, basis)}: probability {row.number}."


def after(study: Study, basis: Basis) -> str:
    """What is known of the patient."""
    if basis.time is None:
        return "before any visit"
    visits = "1 visit" if basis.known == 1 else f"{basis.known} visits"
    return f"after {visits} (to {study.time.unit} {basis.time:g})"


def notes(study: Study, times: Sequence[float], given: Given, last: float) -> tuple[str, ...]:
    """What else a reader should know. last: the latest visit"""
    told = []
    if at_visits := [c for c in used(study, "visits") if c not in given]:
        what = f"Visits to come have {listing(at_visits)} at the reference or typical value"
        told.append(f"{what}: state another, as in --given {at_visits[0]}=VALUE.")
    if past := [f"{t:g}" for t in times if t <= last]:
        what = f"The patient has been seen after {study.time.unit} {listing(past)}"
        told.append(f"{what}: what stands there looks back once those visits are known.")
    return tuple(told)


def untrusted(basis: Basis) -> str:
    """Why nothing is said where the weights cannot be believed."""
    k = f"Pareto k {basis.pareto_k:.2f}" if basis.pareto_k < 100 else "Pareto k beyond all bounds"
    return (
        f"withheld: the draws of the fit are worth {basis.effective:.0f} that agree with this patient ({k}), too few: "
        "fit again with the patient in the table, or with more draws."
    )


__all__ = ["after", "notes", "of_chance", "of_level", "untrusted"]
