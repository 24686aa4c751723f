"""Power in sentences that a clinician may repeat: how many patients, what is true, how often it would have shown, how
sure that is.
"""

import math
from collections.abc import Mapping

from bayesmyo.components.numbers import Number, listing
from bayesmyo.simulation.power.claims import Claim, Extreme
from bayesmyo.simulation.power.differences import Difference
from bayesmyo.simulation.power.drift import TRUST
from bayesmyo.simulation.power.grid import POSTERIOR
from bayesmyo.simulation.power.operating import DecisionPower
from bayesmyo.simulation.power.rates import Rate
from bayesmyo.simulation.power.sequential import Sequence, Stop
from bayesmyo.simulation.power.threshold import ROUNDING, Threshold, ThresholdOf
from bayesmyo.study.study import Study


def sentence(study: Study, d: DecisionPower) -> str:
    """How often one decision would have been met in one cell. study: the one that analyses"""
    who = f"With {d.look} patients{_varied(d.labels)}"
    if d.rate.value is None:
        return f"{who}, nothing can be said of {d.decision}: none of {d.replicates} replicates was finished."
    share, error = percent(d.rate.value), f"Monte Carlo error {100 * (d.rate.mcse or 0):.1f} points"
    if d.rate.met in (0, d.rate.of):  # an error of zero would claim to know it
        error = f"{d.rate.of} studies: exact 95% interval {percent(d.rate.lower)} to {percent(d.rate.upper)}"
    lost = sum(d.failed.values())
    if lost:
        between = f"between {percent(d.worst)} and {percent(d.best)} however they would have ended"
        error += f"; {lost} of {d.replicates} fits failed: {between}"
    if d.assurance:
        over = f"over all that {_believed(d)} holds possible ({error})"
        text = f"{who}, {d.decision} would have been met in {share} of studies, {over}"
        if d.true is not None and d.power is not None and d.error is not None:
            listed = [
                f"{percent(r.value)} of {which}"
                for r, which in ((d.power, "those"), (d.error, "the others"))
                if r.value is not None
            ]
            text += (
                f"; it was right to be met in {percent(d.true / d.rate.of)}, and was met in {' and in '.join(listed)}"
            )
        return text + "."
    if d.null:
        though = f"though {_true(study, d)} ({error}): its type I error there."
        return f"{who}, {d.decision} would have been met in {share} of studies {though}"
    return f"{who}, {_true(study, d)} would have met {d.decision} in {share} of studies ({error})."


def sequence_sentence(s: Sequence) -> str:
    """How a study with interim looks would have ended."""
    n = s.stops[-1].look

    def when(stop: Stop) -> str:
        if s.duration is not None and stop is s.stops[-1]:
            return "at the end"
        return f"at {s.unit} {stop.date:g}" if stop.date is not None else f"after {stop.look}"

    early = [f"{percent(stop.success.value)} {when(stop)}" for stop in s.stops if stop.success.value is not None]
    futile = [f"{percent(stop.futility.value)} {when(stop)}" for stop in s.stops[:-1] if stop.futility.value]
    under = f" ({called(s.labels)})" if s.labels.keys() - {"patients"} else ""
    dates = [f"{stop.date:g}" for stop in s.stops if stop.date is not None]
    looked = f"Looked at after {', '.join(str(stop.look) for stop in s.stops)} patients{under}"
    if dates:
        looked = f"Looked at {s.unit} {listing(dates)} and when all {n} patients are through{under}"
    elif s.duration is not None:
        when_entered = listing([str(stop.look) for stop in s.stops[:-1]])
        looked = f"Looked at when {when_entered} patients have entered and when all {n} are through{under}"
    text = f"{looked}, {s.decision} would have been met in {percent(s.success.value)} of studies"
    text += f" ({', '.join(early)})" if early else ""
    text += ", its type I error over all looks" if s.null else ""
    if futile or s.ahead:
        below = f" (predictive probability of success below {100 * (s.futility or 0):g}%)" if s.ahead else ""
        text += f"; {', '.join(futile) or 'none'} would have stopped for futility{below}"
    if s.futility is not None:
        text += f", without which it would have been met in {percent(s.unbound.value)}"
        text += ", the type I error where futility does not bind" if s.null else ""
    text += f"; {s.patients.value or n:.1f} patients are expected instead of {n}"
    if s.duration is not None and s.longest is not None and s.duration.value is not None:
        text += f", and {s.duration.value:.1f} {s.unit}s instead of {s.longest.value or 0:.1f}"
    return text + "."


def claim_sentence(c: Claim) -> str:
    """What a claim would be worth over a design prior."""
    text = f"With {c.patients} patients{_varied(c.labels)}, {c.decision} would be claimed"
    text += f" in {percent(c.made.value)} of studies"
    text += f" over {c.over} (assurance)"
    if c.true is None or c.false is None or c.true.value is None:
        return text + "; how often a claim is true cannot be said."
    between = f"95% Monte Carlo interval {percent(c.true.lower)} to {percent(c.true.upper)}"
    text += f"; a claim that is made would be true in {percent(c.true.value)} ({between})"
    text += f" and false in {percent(c.false.value)}"
    if c.coverage_made.value is None:
        return text + "."
    covers = f"{percent(c.coverage_made.value)} of claims (in {percent(c.coverage.value)} of all studies)"
    return f"{text}; the interval would hold the true value in {covers}."


def extreme_sentence(x: Extreme) -> str:
    """The type I error, or the power, at its worst."""
    where = f"with {x.labels['patients']} patients ({called(x.labels)})" if "patients" in x.labels else called(x.labels)
    which = "largest type I error" if x.error else "smallest power"
    trust = f" with trust {x.labels[TRUST]}" if TRUST in x.labels else ""
    cells = f"of the {x.cells} simulated cells{trust}" if x.cells > 1 else f"in the one simulated cell{trust}"
    true = "it is never true" if x.error else "it is true"
    together = ", allowing for having chosen the worst of them" if x.cells > 1 else ""
    bound = f"{'at most' if x.error else 'at least'} {percent(x.limit)} (95% confidence{together})"
    return (
        f"The {which} of {x.decision} {cells} in which {true} is {percent(x.rate.value)}, {where}; "
        f"with its Monte Carlo error {bound}."
    )


def threshold_sentence(t: ThresholdOf) -> str:
    """The probability that a decision should ask for, what its errors and its power then are, and how sure that is."""
    n, design = t.number, {k: v for k, v in t.labels.items() if k != "patients"}
    who = f"With {t.labels.get('patients', '?')} patients{f' ({called(design)})' if design else ''}, {t.decision}"
    null, others = ([j for j in t.scenarios if j.null is side] for side in (True, False))
    allowed = f"a type I error of at most {100 * n.alpha:g}%"
    if not null:
        return f"{who} has no threshold to solve for: there is no scenario in which it ought not to be met."
    if n.value is None and n.lower is None:
        few = (
            f"{n.cohorts:,} cohorts in which it ought not to be met are too few to solve for a threshold with {allowed}"
        )
        return f"{who}: {few}; {n.enough:,} would do."
    if n.value is None:
        ties = "too many cohorts have the largest probability that their draws can give"
        return f"{who} has no threshold below 1 with {allowed}: {ties}."
    least = next(j for j in null if j.scenario == t.least_favourable)
    which = "" if len(null) == 1 else ", the least favourable scenario"
    text = f"{who} has {allowed} when the probability that is asked for is at least {rounded_up(n.value)} ({_ends(n)}; "
    text += f"{least.declared.of:,} cohorts under {least.scenario}{which}); "
    text += f"with the declared {t.declared:g} it is {_with_error(least.declared)} there."
    for j in others:
        if j.solved is not None and j.solved.of:
            before = f"instead of {percent(j.declared.value)}"
            text += f" Under {j.scenario} it would then be met in {_with_error(j.solved, ' of studies')}, {before}."
    return text


def difference_sentence(d: Difference) -> str:
    """What one schedule of visits gains over another."""
    n, under = d.labels.get("patients", "?"), called(d.labels)
    more = "more" if d.value >= 0 else "less"
    what = ", in error" if d.null else ""
    text = f"With {n} patients ({under}), {d.schedule} instead of {d.than} would have met {d.decision}"
    text += f" {100 * abs(d.value):.1f} points"
    return f"{text} {more} often{what} (Monte Carlo error {100 * d.mcse:.1f} points, that of two sets of cohorts)."


def rounded_up(value: float) -> str:
    """A threshold with four decimals, or as many as it takes below 1: no more cohorts reach it than the value."""
    decimals = next(d for d in range(4, 17) if math.ceil(value * 10**d - ROUNDING) < 10**d)
    return f"{math.ceil(value * 10**decimals - ROUNDING) / 10**decimals:g}"


def _ends(n: Threshold) -> str:
    """The interval of a threshold, or what it lacks."""
    if n.lower is not None and n.upper is not None:
        return f"95% interval {n.lower:.4f} to {n.upper:.4f}, from Monte Carlo error alone"
    return f"too few cohorts for an interval: {n.enough:,} of each such scenario would do"


def _with_error(r: Rate, of: str = "") -> str:
    """A share in percent with its Monte Carlo error; of none or all, with its exact interval."""
    if r.met in (0, r.of):
        return f"{percent(r.value)}{of} (exact 95% interval {percent(r.lower)} to {percent(r.upper)})"
    return f"{100 * (r.value or 0):.1f}%{of} (Monte Carlo error {100 * (r.mcse or 0):.1f} points)"


def called(labels: Mapping[str, str | float]) -> str:
    """What a cell is called: its scenario, and all else that varies but the number of patients."""
    words = []
    for k, v in sorted(labels.items(), key=lambda pair: (pair[0] != "scenario", pair[0])):
        if k != "patients":
            value = f"{v:g}" if isinstance(v, float | int) else v
            words.append(value if k == "scenario" else f"{k.replace('_', ' ')} {value}")
    return ", ".join(words) or "this study"


def designed(labels: Mapping[str, str | float]) -> str:
    """What a cell's design is called, whatever its scenario."""
    return called({k: v for k, v in labels.items() if k != "scenario"})


def percent(value: float | None) -> str:
    """A share in percent, with a decimal near the ends."""
    if value is None:
        return "-"
    points = 100 * value
    return f"{points:.0f}%" if 1 <= points <= 99 or points in (0, 100) else f"{points:.1f}%"


def _believed(d: DecisionPower) -> str:
    """What truths were drawn from."""
    name = str(d.labels.get("scenario", POSTERIOR))
    return "the posterior of the fit" if name == POSTERIOR else f"the scenario {name}"


def _true(study: Study, d: DecisionPower) -> str:
    """The true value of the estimand, as what meets a decision."""
    e = study.estimands[d.estimand]
    if d.truth is None:
        return f"the true {d.estimand}, which is not known,"
    about = "about " if d.varies else ""
    amount = e.amount(Number(d.truth, unit=e.unit(study.named, study.time.unit)), study.time.unit)
    if abs(d.truth) < 1e-9:
        amount = amount.replace(amount.split()[0], "0", 1)
    number = e.sentence(study.named, study.time.unit)
    if e.contrast is not None:
        than = f"{'divided by' if e.relative else 'minus'} that with {e.contrast.reference},"
        number = f"difference: {number} with {e.contrast.covariate} {e.contrast.level} {than}"
    text = f"a true {number} of {about}{amount}"
    return f"the true value is {about}{amount}" if d.null else text


def _varied(labels: Mapping[str, str | float]) -> str:
    return f" ({designed(labels)})" if labels.keys() - {"scenario", "patients"} else ""
