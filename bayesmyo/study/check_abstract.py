"""What [published] may get wrong though it is well formed: numbers that no patients can have."""

from collections.abc import Mapping, Sequence

import numpy as np

from bayesmyo.components.numbers import listing
from bayesmyo.errors import Fault
from bayesmyo.study import check_responses
from bayesmyo.study.abstract import Abstract, Count, Number, Responders, When
from bayesmyo.study.faults import Faults, positive, unknown, unknown_keys
from bayesmyo.study.study import Outcome, Response

SAY = "write mean, sd, median, or interval"
NEAR = 1e-9


def abstract(
    a: Abstract, outcomes: Sequence[str], read: Mapping[str, Outcome], responses: Mapping[str, Response]
) -> Faults:
    """Faults of [published]; arguments as of `check_responses.response`, and the responses that could be read."""
    if not a.source.strip():
        yield Fault("published.source", "is empty: say who printed it, as one would cite it")
    if a.patients < 2:
        yield Fault("published.patients", "must be at least 2: fewer have no spread between them", str(a.patients))
        return
    if a.follow_up is None and a.lost is None and not a.numbers and not a.responders:
        yield Fault("published", "says nothing", mend="write follow_up, lost, numbers or responders")
    if a.follow_up is not None:
        f = a.follow_up
        yield from positive("published.follow_up", mean=f.mean, sd=f.sd, rounded=f.rounded)
    for name, c in a.counts:
        yield from _count(f"published.{name}", c, a.patients)
    for name, n in a.numbers.items():
        yield from _number(f"published.numbers.{name}", n, a.patients, outcomes, read)
    for name, r in a.responders.items():
        yield from _responders(f"published.responders.{name}", r, outcomes, read, responses)
    yield from _together(a)


def _count(where: str, c: Count, patients: int) -> Faults:
    of = patients if c.of is None else c.of
    if not 1 <= of <= patients:
        yield Fault(f"{where}.of", f"must be between 1 and all {patients} patients", str(of))
    elif not 0 <= c.count <= of:
        yield Fault(f"{where}.count", f"must be between none and all {of} patients", str(c.count))
    if c.percent is not None and not 0 <= c.percent <= 100:
        yield Fault(f"{where}.percent", "must lie between 0 and 100", f"{c.percent:g}")


def _together(a: Abstract) -> Faults:
    """Categories of one rule, and the lost, that are more patients than there are."""
    rules = dict.fromkeys(r.rule for r in a.responders.values() if r.rule and r.of is None)
    for rule in rules:
        counts = {name: r.count for name, r in a.responders.items() if r.rule == rule and r.of is None}
        counts |= {"lost": a.lost.count} if a.lost is not None else {}
        if (total := sum(counts.values())) > a.patients:
            yield Fault("published.responders", f"{listing([*counts])} are more than {a.patients} patients", str(total))


def _number(where: str, n: Number, patients: int, outcomes: Sequence[str], read: Mapping[str, Outcome]) -> Faults:
    """A number of an outcome that is said in no way or in two, of no two times, or that no patients can have."""
    yield from unknown(f"{where}.outcome", n.outcome, outcomes, "names no outcome")
    said = n.printed(patients)
    if not said:
        yield Fault(where, "says no number", mend=SAY)
    if n.sd is not None and n.interval is not None:
        yield Fault(f"{where}.interval", "says the SD a second time", mend="leave one of the two out")
    if not 0 < n.mass < 1:
        yield Fault(f"{where}.mass", "must lie between 0 and 1", f"{n.mass:g}", "0.95 is a 95 % interval")
    if n.interval is not None and not n.interval[0] < (n.interval[1] if n.mean is None else n.mean) <= n.interval[1]:
        low, high = n.interval
        yield Fault(f"{where}.interval", "does not lie around the mean", f"{low:g} to {high:g}", "write [lower, upper]")
    yield from positive(where, sd=n.sd, rounded=n.rounded, window=n.window)
    yield from _times(where, n.at, n.from_)
    o = read.get(n.outcome)
    if o is not None:
        yield from _possible(where, n, {key: value for key, (value, _) in said.items()}, patients, o)


def _times(where: str, at: float | When, from_: float | When | None = None) -> Faults:
    if at == "first" and from_ is not None:
        yield Fault(f"{where}.at", "is the first visit, before which there is nothing to compare with")
    if from_ == "last":
        yield Fault(f"{where}.from", "is the last visit, after which there is nothing")
    if isinstance(at, float) and isinstance(from_, float) and not from_ < at:
        yield Fault(f"{where}.from", f"must come before at, {at:g}", f"{from_:g}")


def _possible(where: str, n: Number, said: Mapping[str, float], patients: int, o: Outcome) -> Faults:
    """Centres outside the range of the outcome, and SDs that no patients within it have."""
    low, high = _range(o)
    if n.from_ is not None:
        low, high = low - high, high - low
    for key in ("mean", "median"):
        if key in said and not low <= said[key] <= high:
            what = "is more than any change can be" if n.from_ is not None else "is no value of this outcome"
            yield Fault(f"{where}.{key}", what, f"{said[key]:g}", f"from {low:g} to {high:g}")
    if "sd" in said and np.isfinite([low, high]).all():
        mean = min(max(said.get("mean", (low + high) / 2), low), high)
        most = float(np.sqrt((mean - low) * (high - mean) * patients / (patients - 1)))
        if said["sd"] > most * (1 + NEAR):
            what = f"is more than {most:.3g}, the most that {patients} patients between {low:g} and {high:g} can have"
            yield Fault(f"{where}.{'sd' if n.sd is not None else 'interval'}", what, f"{said['sd']:.4g}")


def _range(o: Outcome) -> tuple[float, float]:
    """The least and the largest that can be measured."""
    low, high = o.family.ends()
    lows = [x for x in (low, o.minimum) if x is not None]
    highs = [x for x in (high, o.maximum) if x is not None]
    return max(lows, default=-np.inf), min(highs, default=np.inf)


def _responders(
    where: str, r: Responders, outcomes: Sequence[str], read: Mapping[str, Outcome], responses: Mapping[str, Response]
) -> Faults:
    """A category of no rule, or criteria that nobody can be judged by."""
    if bool(r.criteria) == bool(r.rule):
        yield Fault(where, "must say how patients are judged in one way", mend="write rule and category, or criteria")
    elif r.rule:
        yield from unknown(f"{where}.rule", r.rule, responses, "is not one of the study's responses")
        if r.rule in responses:
            categories = responses[r.rule].categories
            yield from unknown(f"{where}.category", r.category, categories, f"is not a category of {r.rule}")
    for outcome, c in r.criteria.items():
        yield from unknown_keys(f"{where}.criteria", [outcome], outcomes, "is not an outcome of this study")
        at = r.at if isinstance(r.at, float) else np.inf
        yield from check_responses.of_criterion(
            f"{where}.criteria.{outcome}", c, at, -np.inf, read.get(outcome), measured=True
        )
    if r.at == "first":
        yield Fault(f"{where}.at", "is the first visit, before any response", '"first"', 'write "last" or a time')
