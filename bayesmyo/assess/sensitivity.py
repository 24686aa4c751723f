"""Prior against data: would another prior have said something else?

Every top-level prior is made half and twice as wide, and every level at the start is centred half a prior SD lower and higher; then
everything is asked again: by reweighting the draws with the priors of the outcomes that a number is about, where Pareto k says that this
can be trusted, and else by sampling again. One verdict for each number:

    the data say           the data have narrowed it down, and no other prior changes the answer
    the prior says         the posterior's 90 % interval is hardly narrower than the prior's, contracted by less than 0.2, and in the same
                           place: its median lies inside the prior's interval. Not asked of a new patient, whose interval is mostly the
                           spread between patients, which no data narrow. A decision whose rule is satisfied, and would be by the prior
                           alone, must be contracted by 0.5, of whomever it speaks
    do not report          other priors cross a decision, move a probability by more than 0.05, or the number itself by more than half a
                           posterior SD, each beyond Monte Carlo error
    the data hold nothing  a fact of the measurements, whatever the model: see `cohort/evidence.py`
    not judged             the draws cannot be reweighted, and the model was not sampled again, or its chains disagree

contraction = 1 - (posterior width / prior width)^2 of the central 90 % (Schad, Betancourt and Vasishth 2021,
https://doi.org/10.1037/met0000275, with widths in place of SDs, which heavy-tailed priors may not have). Power-scaling says
whether prior and data pull apart.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache, partial

import numpy as np
import pandas as pd

from bayesmyo.assess.diagnostics import batch_error, shift
from bayesmyo.assess.estimate import DecisionResult, Estimate, table
from bayesmyo.assess.other_priors import (
    DOUBLE,
    HALF,
    OtherPriors,
    leading,
    power_scale,
    prior_estimands,
    reweighted,
    sampled_again,
)
from bayesmyo.assess.refits import Refits
from bayesmyo.cohort.evidence import lacking
from bayesmyo.components.decisions import Decision, concluding
from bayesmyo.components.estimands import Estimand
from bayesmyo.components.numbers import probability_text, significant
from bayesmyo.inference.fit import Fit
from bayesmyo.study.parameters import Parameter

Array = np.ndarray
CONTRACTED, MOVED, HALF_SD = 0.2, 0.05, 0.5
NARROWED = 0.5  # contraction that a decision needs which the prior alone would meet
SENSITIVE = 0.05  # of power-scaling
NINETY = (0.05, 0.95)
DATA, PRIOR, SILENT, UNKNOWN = "the data say", "the prior says", "do not report", "not judged"
EMPTY = "the data hold nothing"
WIDER, ELSEWHERE = "with priors half or twice as wide", "with the typical level half a prior SD lower or higher"


@dataclass(frozen=True)
class PriorSensitivity:
    """One number (an estimand or a decision) under priors half and twice as wide.

    contraction: near 1 the data have said all, near 0 nothing; negative where the prior was sure of something else
    probability: of the estimand's threshold or the decision's rule; median: of the estimand; each also under the other priors
    method: "importance", "refit", or "none" where there is nothing to judge; pareto_k: the worse of the two reweightings of widths, None
        for a refit
    prior_meets: whether the prior alone would meet the decision; None of an estimand
    led_by: the parameter whose prior alone moves the number most, where the verdict is "do not report"
    prior_sense, likelihood_sense: change under power-scaling of prior and likelihood, above 0.05 sensitive; None where not computed
    verdict: "the data say", "the prior says", "do not report", "the data hold nothing", or "not judged"
    """

    name: str
    kind: str
    outcomes: tuple[str, ...]
    contraction: float
    median: float
    median_half: float | None
    median_double: float | None
    probability: float | None
    probability_half: float | None
    probability_double: float | None
    method: str
    pareto_k: float | None
    prior_sense: float | None
    likelihood_sense: float | None
    verdict: str
    sentence: str
    prior_meets: bool | None = None
    led_by: str | None = None

    @property
    def conflict(self) -> bool:
        """Prior and data pull apart: the number follows both (Kallioinen et al. 2024)."""
        senses = (self.prior_sense, self.likelihood_sense)
        return all(sense is not None and sense > SENSITIVE for sense in senses)


@dataclass(frozen=True)
class Answer:
    """What draws say: a probability, and of a decision whether it is met, and by what margin."""

    probability: float | None = None
    met: bool | None = None
    margin: float = 0.0


def prior_sensitivities(
    fit: Fit, *, refits: Refits | None = None, always: bool = True, power_scaling: bool = False
) -> list[PriorSensitivity]:
    """Every estimand and every decision of the study under wider and narrower priors.

    refits: sample again under both (the model is compiled once); None reweights the draws, in a second
    always: False reweights, and samples again only where that cannot be trusted
    power_scaling: also compute how much the number follows prior and likelihood; half a minute for 23 patients
    Raises StorageError for a fit without patient data.
    """
    again = cache(sampled_again)

    @cache
    def other(outcomes: tuple[str, ...]) -> OtherPriors:
        if refits and always:
            return again(refits)
        found = reweighted(fit, outcomes)
        return again(refits) if refits and not found.known else found

    before = prior_estimands(fit)
    senses = power_scale(fit) if power_scaling else {}
    rows = []
    for name, e in fit.study.estimands.items():
        threshold = e.threshold(fit.study.outcomes[e.outcomes[0]].better)
        rows.append(
            _row(fit, name, name, "estimand", partial(_beyond, threshold), other, before[name], senses.get(name))
        )
    for name, d in fit.study.decisions.items():
        judge = partial(_decided, d)
        rows.append(_row(fit, name, d.estimand, "decision", judge, other, before[d.estimand], senses.get(d.estimand)))
    return rows


def _beyond(threshold: tuple[str, float] | None, draws: Array) -> Answer:
    if threshold is None:
        return Answer()
    direction, value = threshold
    return Answer(float(np.mean(draws > value if direction == "above" else draws < value)))


def _decided(decision: Decision, draws: Array) -> Answer:
    verdict = decision.judge(draws)
    return Answer(verdict.probability, verdict.met, verdict.margin)


def prior_sensitivity(fit: Fit, *, refit: bool = True) -> pd.DataFrame:
    """The same as a table, one row for each estimand and decision; `refit` samples again under both priors.

    >>> bayesmyo.prior_sensitivity(fit, refit=False)["verdict"].unique().tolist()
    ['the data say']
    """
    rows = prior_sensitivities(fit, refits=Refits(fit) if refit else None, power_scaling=refit)
    return table([asdict(r) for r in rows])


def judged[T: (Estimate, DecisionResult)](rows: Sequence[T], sensitivities: Sequence[PriorSensitivity]) -> list[T]:
    """The same rows, each with its verdict, which its sentence then says; one that is not to be reported is withheld, and a decision is
    met only where the data say so or nobody has judged it.

    sensitivities: of the same kind as the rows, in the same order
    """
    return [_judged(row, s) for row, s in zip(rows, sensitivities, strict=True)]


def _judged[T: (Estimate, DecisionResult)](row: T, s: PriorSensitivity) -> T:
    withheld = s.verdict in (SILENT, EMPTY)
    if isinstance(row, DecisionResult):
        text, met = _with_verdict(row.sentence, s, row.met), row.met and s.verdict in (DATA, UNKNOWN)
        return replace(row, verdict=s.verdict, sentence=text, withheld=withheld, met=met)
    return replace(row, verdict=s.verdict, sentence=_with_verdict(row.sentence, s), withheld=withheld)


def _with_verdict(sentence: str, s: PriorSensitivity, rule: bool = False) -> str:
    """The sentence of a number, or of a decision whose rule the draws satisfy or not, with what was judged of it."""
    if s.verdict == EMPTY:
        return f"withheld: {'not met: ' if s.kind == 'decision' else ''}{s.sentence.removeprefix(f'{s.name}: ')}"
    if s.verdict == SILENT:
        return f"withheld: {s.sentence}"
    if s.verdict == PRIOR:
        if rule:
            return concluding(sentence, f"not met: the prior says so, not the data ({_width(s.contraction)})")
        return f"{sentence} The prior says so: {_width(s.contraction)}."
    if s.verdict == UNKNOWN:
        unjudged = f"hether the data or the prior say so is not judged: {_unjudged(s.method)}"
        return concluding(sentence, f"met, but w{unjudged}") if rule else f"{sentence} W{unjudged}."
    return f"{sentence} Other priors would not change this."


def _unjudged(method: str) -> str:
    """What to do where nothing could be judged."""
    if method == "refit":
        return "sampled again under other priors, the chains disagree; a simpler model, or more data, would tell"
    return "check with --refit"


def _row(
    fit: Fit, name: str, of: str, kind: str, judge: Callable[[Array], Answer],
    elsewhere: Callable[[tuple[str, ...]], OtherPriors], before: Array,
    senses: tuple[float, float] | None,
) -> PriorSensitivity:  # fmt: skip
    """One number; `of` is the estimand it is about, `before` its draws from the prior."""
    e, draws = fit.study.estimands[of], fit.estimands[of]
    fact = lacking(fit.study, fit.cohort, e)
    other = OtherPriors(None, None, "none", None) if fact else elsewhere(e.outcomes)
    shrunk, alone = contraction(draws, before, e), judge(before).met
    said = {spread: found[of] for spread, found in ((HALF, other.half), (DOUBLE, other.double)) if found is not None}
    moved = [found[of] for found in (other.lower, other.higher) if found is not None]
    now, then = judge(draws), {spread: judge(found) for spread, found in said.items()}
    why = _why(judge, draws, said.values(), moved, e)
    if fact:
        verdict = EMPTY
    elif why:
        verdict = SILENT
    elif _priors_own(draws, before, shrunk, e) or (alone and now.met and shrunk < NARROWED):
        verdict = PRIOR
    else:
        verdict = DATA if other.known else UNKNOWN
    lead = leading(fit, e.outcomes, partial(_apart, judge, draws, e), of) if verdict == SILENT else None
    prior_sense, likelihood_sense = senses or (None, None)
    p_half, p_double = (then[c].probability if c in then else None for c in (HALF, DOUBLE))
    median_half, median_double = (float(np.median(said[c])) if c in said else None for c in (HALF, DOUBLE))
    row = PriorSensitivity(
        name, kind, e.outcomes, shrunk, float(np.median(draws)), median_half, median_double,
        now.probability, p_half, p_double,
        other.method, other.pareto_k, prior_sense, likelihood_sense, verdict,
        f"{name}: {fact or _sentence(verdict, shrunk, why, lead, other.method)}", alone, lead.full_name if lead else None,
    )  # fmt: skip
    if row.conflict:
        return replace(row, sentence=row.sentence + " Prior and data pull apart: look at the priors.")
    return row


def _priors_own(draws: Array, before: Array, shrunk: float, e: Estimand) -> bool:
    """Whether the posterior is the prior: hardly narrower, and in the same place."""
    low, high = np.nanquantile(before, NINETY)
    return shrunk < CONTRACTED and e.population != "new patient" and bool(low <= np.median(draws) <= high)


def _why(
    judge: Callable[[Array], Answer], draws: Array, wider: Iterable[Array], elsewhere: Iterable[Array], e: Estimand
) -> str:
    """What other priors change, kind of prior by kind; empty where nothing that matters."""
    parts = []
    for which, others in ((WIDER, wider), (ELSEWHERE, elsewhere)):
        changes = list(dict.fromkeys(filter(None, (_moves(judge, draws, other, e) for other in others))))
        if changes:
            same = changes[0].rpartition("to ")[0]  # "it moves from 0.98 to 0.93 or to 0.99"
            parts.append(f"{which} {' or '.join([changes[0], *(c.removeprefix(same) for c in changes[1:])])}")
    return "; ".join(parts)


def _apart(judge: Callable[[Array], Answer], draws: Array, e: Estimand, other: Array) -> float:
    """How far other draws are from those at hand: by the margin of a decision, or in SDs."""
    if judge(draws).met is not None:
        return abs(judge(other).margin - judge(draws).margin)
    return abs(shift(draws, other)) if not e.bounded else abs(float(np.mean(other) - np.mean(draws)))


def _moves(judge: Callable[[Array], Answer], draws: Array, other: Array, e: Estimand) -> str:
    """What another prior changes, beyond twice the Monte Carlo error; empty where nothing that matters."""

    def apart(statistic: Callable[[Array], float]) -> tuple[float, float]:
        errors = (batch_error(statistic, draws), batch_error(statistic, other))
        return abs(statistic(other) - statistic(draws)), 2 * float(np.hypot(*errors))

    now, then = judge(draws), judge(other)
    if now.met != then.met:
        distance, sure = apart(lambda x: judge(x).margin)
        if not distance <= sure:
            return f"the decision becomes {'met' if then.met else 'not met'}"
    if now.probability is not None and then.probability is not None:
        distance, sure = apart(lambda x: judge(x).probability or 0.0)
        if distance > MOVED and not distance <= sure:
            return f"its probability moves from {probability_text(now.probability)} to {probability_text(then.probability)}"
    if now.met is None:
        # a share of 23 patients goes in steps, and its median jumps where its mean hardly moves
        place: Callable[[Array], float] = (
            (lambda x: float(np.mean(x))) if e.bounded else (lambda x: float(np.median(x)))
        )
        distance, sure = apart(place)
        moved = distance / float(np.std(draws)) if e.bounded and np.ptp(draws) else abs(shift(draws, other))
        if moved > HALF_SD and not distance <= sure:
            return f"it moves from {significant(place(draws))} to {significant(place(other))}"
    return ""


def _sentence(verdict: str, contraction: float, why: str, lead: Parameter | None, method: str) -> str:
    """why: what other priors change; lead: the parameter whose prior does most of it."""
    if verdict == SILENT:
        return f"do not report; {why}. {_mend(lead)}"
    if verdict == PRIOR:
        return f"the prior says; {_width(contraction)}."
    if verdict == UNKNOWN:
        if method == "refit":
            return f"not judged; {_unjudged(method)}."
        return "not judged; sample again under other priors (bayesmyo check --refit)."
    return "the data say; other priors change nothing that matters."


def _mend(lead: Parameter | None) -> str:
    """What to do about priors that decide."""
    if lead is None:
        return "Justify the priors from outside these data, or collect more."
    return (
        f'The prior of {lead.full_name}, {lead.prior}, moves it most: write priors = {{ {lead.name} = "..." }} in [outcomes.{lead.outcome}], '
        "as wide as what is known from outside these data leaves it, and say why; or collect more."
    )


def _width(contraction: float) -> str:
    wide = math.sqrt(1 - contraction)
    return (
        "the interval is as wide as before the data"
        if wide >= 0.995
        else f"the interval is {wide:.0%} as wide as before the data"
    )


def contraction(draws: Array, before: Array, e: Estimand) -> float:
    """1 - (width of the posterior / width of the prior)^2, of the central 90 %; on the log for ratios. Negative where it is wider."""

    def width(x: Array) -> float:
        low, high = np.nanquantile(np.log(x) if e.relative else x, NINETY)
        return float(high - low)

    with np.errstate(all="ignore"):
        wide = width(before)
        return 1 - (width(draws) / wide) ** 2 if wide > 0 and np.isfinite(wide) else 1.0 if wide > 0 else 0.0
