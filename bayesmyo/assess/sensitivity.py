"""Prior against data: would another prior have said something else?

Every top-level prior is made half and twice as wide, and every level at the start is centred half a prior SD lower and
higher; then everything is asked again: by reweighting the draws with the priors of the outcomes that a number is about,
where Pareto k says that this can be trusted, and else by sampling again. One verdict for each number:

    the data say           the data have narrowed it down, and no other prior changes the answer
    the prior says         the posterior's 90 % interval is hardly narrower than the prior's, contracted by less than
                           0.2, and in the same place: its median lies inside the prior's interval. Not asked of a new
                           patient, whose interval is mostly the spread between patients, which no data narrow. A
                           decision whose rule is satisfied, and would be by the prior alone, must be contracted by 0.5,
                           of whomever it speaks
    do not report          other priors cross a decision, move a probability by more than 0.05, or the number itself by
                           more than half a posterior SD, each beyond Monte Carlo error
    the data hold nothing  a fact of the measurements, whatever the model: see `cohort/evidence.py`
    not judged             the draws cannot be reweighted, and the model was not sampled again, or its chains disagree

contraction = 1 - (posterior width / prior width)^2 of the central 90 % (Schad, Betancourt and Vasishth 2021,
https://doi.org/10.1037/met0000275, with widths in place of SDs, which heavy-tailed priors may not have). Power-scaling
says whether prior and data pull apart.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache, partial
from typing import Any

import numpy as np
import pandas as pd

from bayesmyo.assess.diagnostics import batch_error, shift
from bayesmyo.assess.estimate import DecisionResult, Estimate, table
from bayesmyo.assess.other_priors import (
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
DISAGREE = "sampled again under other priors, the chains disagree; a simpler model, or more data, would tell"
WIDER, ELSEWHERE = "with priors half or twice as wide", "with the typical level half a prior SD lower or higher"


@dataclass(frozen=True)
class PriorSensitivity:
    """One number (an estimand or a decision) under priors half and twice as wide.

    Attributes
    ----------
    contraction : float
        Near 1 the data have said all, near 0 nothing; negative where the prior was sure of something else.
    median, probability : float
        Of the estimand, and of its threshold or the decision's rule; each also under the other priors.
    method : str
        "importance", "refit", or "none" where there is nothing to judge.
    pareto_k : float, optional
        The worse of the two reweightings of widths; None for a refit.
    prior_sense, likelihood_sense : float, optional
        Change under power-scaling of prior and likelihood, above 0.05 sensitive; None where not computed.
    verdict : str
        "the data say", "the prior says", "do not report", "the data hold nothing", or "not judged".
    prior_meets : bool, optional
        Whether the prior alone would meet the decision; None of an estimand.
    led_by : str, optional
        The parameter whose prior alone moves the number most, where the verdict is "do not report".
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


Judge = Callable[[Array], Answer]


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
        said = reweighted(fit, outcomes)
        return again(refits) if refits and not said.known else said

    before = prior_estimands(fit)
    senses = power_scale(fit) if power_scaling else {}
    asked: list[tuple[str, str, str, Judge]] = []
    for name, e in fit.study.estimands.items():
        threshold = e.threshold(fit.study.declared[e.outcomes[0]].better)
        asked.append((name, "estimand", name, partial(_beyond, threshold)))
    asked += [(name, "decision", d.estimand, partial(_decided, d)) for name, d in fit.study.decisions.items()]
    rows = []
    for name, kind, of, judge in asked:
        fact = lacking(fit.study, fit.cohort, fit.study.estimands[of])
        said = OtherPriors(None, None, "none", None) if fact else other(fit.study.estimands[of].outcomes)
        rows.append(_row(fit, name, kind, of, judge, said, before[of], senses.get(of), fact))
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
    """Prior against data: would priors half or twice as wide, or centred elsewhere, have said something else.

    Parameters
    ----------
    fit : Fit
        A fit, with its patients.
    refit : bool
        Sample again under both widths; False reweights the draws, in a second.

    Returns
    -------
    pandas.DataFrame
        One row for each estimand and decision: its `verdict`, and the numbers under the other priors.

    Raises
    ------
    StorageError
        For a fit without patient data.

    References
    ----------
    Schad, Betancourt and Vasishth (2021), https://doi.org/10.1037/met0000275; Kallioinen et al. (2024),
    https://doi.org/10.1007/s11222-023-10366-5

    Examples
    --------
    >>> bayesmyo.prior_sensitivity(fit, refit=False)["verdict"].unique().tolist()
    ['the data say']
    """
    rows = prior_sensitivities(fit, refits=Refits(fit) if refit else None, power_scaling=refit)
    return table([asdict(r) for r in rows])


def judged[T: (Estimate, DecisionResult)](rows: Sequence[T], sensitivities: Sequence[PriorSensitivity]) -> list[T]:
    """The same rows, each with its verdict, which its sentence then says.

    One that is not to be reported is withheld, and a decision is met only where the data say so or nobody has judged
    it.
    sensitivities: of the same kind as the rows, in the same order
    """
    said = []
    for row, s in zip(rows, sensitivities, strict=True):
        rule = isinstance(row, DecisionResult) and row.met
        text, withheld = _with_verdict(row.sentence, s, rule), s.verdict in (SILENT, EMPTY)
        row = replace(row, verdict=s.verdict, sentence=text, withheld=withheld)
        if isinstance(row, DecisionResult):
            row = replace(row, met=rule and s.verdict in (DATA, UNKNOWN))
        said.append(row)
    return said


def _with_verdict(sentence: str, s: PriorSensitivity, rule: bool) -> str:
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
        what_to_do = DISAGREE if s.method == "refit" else "check with --refit"
        unjudged = f"hether the data or the prior say so is not judged: {what_to_do}"
        return concluding(sentence, f"met, but w{unjudged}") if rule else f"{sentence} W{unjudged}."
    return f"{sentence} Other priors would not change this."


def _row(
    fit: Fit,
    name: str,
    kind: str,
    of: str,
    judge: Judge,
    other: OtherPriors,
    before: Array,
    senses: tuple[float, float] | None,
    fact: str,
) -> PriorSensitivity:
    """One number about the estimand `of`; before: its draws from the prior; fact: why the data hold nothing of it."""
    e, draws = fit.study.estimands[of], fit.estimands[of]
    half, double, *elsewhere = (
        None if said is None else said[of] for said in (other.half, other.double, other.lower, other.higher)
    )
    shrunk, alone, now = contraction(draws, before, e), judge(before).met, judge(draws)
    why = _why(judge, draws, (half, double), elsewhere, e)
    if fact:
        verdict = EMPTY
    elif why:
        verdict = SILENT
    elif _priors_own(draws, before, shrunk, e) or (alone and now.met and shrunk < NARROWED):
        verdict = PRIOR
    else:
        verdict = DATA if other.known else UNKNOWN
    lead = leading(fit, e.outcomes, partial(_apart, judge, draws, e), of) if verdict == SILENT else None
    row = PriorSensitivity(
        name=name,
        kind=kind,
        outcomes=e.outcomes,
        contraction=shrunk,
        median=float(np.median(draws)),
        median_half=None if half is None else float(np.median(half)),
        median_double=None if double is None else float(np.median(double)),
        probability=now.probability,
        probability_half=None if half is None else judge(half).probability,
        probability_double=None if double is None else judge(double).probability,
        method=other.method,
        pareto_k=other.pareto_k,
        prior_sense=senses[0] if senses else None,
        likelihood_sense=senses[1] if senses else None,
        verdict=verdict,
        sentence=f"{name}: {fact or _sentence(verdict, shrunk, why, lead, other.method)}",
        prior_meets=alone,
        led_by=lead.full_name if lead else None,
    )
    pulled = " Prior and data pull apart: look at the priors." if row.conflict else ""
    return replace(row, sentence=row.sentence + pulled)


def _priors_own(draws: Array, before: Array, shrunk: float, e: Estimand) -> bool:
    """Whether the posterior is the prior: hardly narrower, and in the same place."""
    low, high = np.nanquantile(before, NINETY)
    return shrunk < CONTRACTED and e.population != "new patient" and bool(low <= np.median(draws) <= high)


def _why(
    judge: Judge, draws: Array, wider: Iterable[Array | None], elsewhere: Iterable[Array | None], e: Estimand
) -> str:
    """What other priors change, kind of prior by kind; empty where nothing that matters."""
    parts = []
    for which, others in ((WIDER, wider), (ELSEWHERE, elsewhere)):
        moves = (_moves(judge, draws, other, e) for other in others if other is not None)
        changes = list(dict.fromkeys(filter(None, moves)))
        if changes:
            same = changes[0].rpartition("to ")[0]  # "it moves from 0.98 to 0.93 or to 0.99"
            parts.append(f"{which} {' or '.join([changes[0], *(c.removeprefix(same) for c in changes[1:])])}")
    return "; ".join(parts)


def _apart(judge: Judge, draws: Array, e: Estimand, other: Array) -> float:
    """How far other draws are from those at hand: by the margin of a decision, or in SDs."""
    if judge(draws).met is not None:
        return abs(judge(other).margin - judge(draws).margin)
    return abs(shift(draws, other)) if not e.bounded else abs(float(np.mean(other) - np.mean(draws)))


def _moves(judge: Judge, draws: Array, other: Array, e: Estimand) -> str:
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
            p, q = probability_text(now.probability), probability_text(then.probability)
            return f"its probability moves from {p} to {q}"
    if now.met is None:
        # a share of 23 patients goes in steps, and its median jumps where its mean hardly moves
        place: Callable[[Array], Any] = np.mean if e.bounded else np.median
        distance, sure = apart(lambda x: float(place(x)))
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
        what_to_do = DISAGREE if method == "refit" else "sample again under other priors (bayesmyo check --refit)"
        return f"not judged; {what_to_do}."
    return "the data say; other priors change nothing that matters."


def _mend(lead: Parameter | None) -> str:
    """What to do about priors that decide."""
    if lead is None:
        return "Justify the priors from outside these data, or collect more."
    priors = f'priors = {{ {lead.name} = "..." }} in [{lead.link.table}.{lead.outcome}]'
    return (
        f"The prior of {lead.full_name}, {lead.prior}, moves it most: write {priors}, "
        "as wide as what is known from outside these data leaves it, and say why; or collect more."
    )


def _width(contraction: float) -> str:
    wide = math.sqrt(1 - contraction)
    return f"the interval is {'' if wide >= 0.995 else f'{wide:.0%} '}as wide as before the data"


def contraction(draws: Array, before: Array, e: Estimand) -> float:
    """1 - (width of the posterior / width of the prior)^2, of the central 90 %; on the log for ratios."""

    def width(x: Array) -> float:
        low, high = np.nanquantile(np.log(x) if e.relative else x, NINETY)
        return float(high - low)

    with np.errstate(all="ignore"):
        wide = width(before)
        return 1 - (width(draws) / wide) ** 2 if wide > 0 and np.isfinite(wide) else 1.0 if wide > 0 else 0.0
