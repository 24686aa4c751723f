"""Prior against data: would another prior have said something else?

Every top-level prior is made half and twice as wide, and everything is asked again: by sampling again, or by reweighting the draws
with the priors of the outcomes that a number is about, where Pareto k says that this can be trusted. One verdict for each number:

    the data say      the data have narrowed it down, and neither prior changes the answer
    the prior says    the posterior's 90 % interval is hardly narrower than the prior's, contracted by less than 0.2, and in the same
                      place: its median lies inside the prior's interval. Not asked of a new patient, whose interval is mostly the
                      spread between patients, which no data narrow
    do not report     half or twice as wide priors cross a decision, move a probability by more than 0.05, or the number itself by more
                      than half a posterior SD, each beyond Monte Carlo error
    not judged        the draws cannot be reweighted, or the chains of a refit disagree

contraction = 1 - (posterior width / prior width)^2 of the central 90 % (Schad, Betancourt and Vasishth 2021,
https://doi.org/10.1037/met0000275, with widths in place of SDs, which heavy-tailed priors may not have). Power-scaling says
whether prior and data pull apart.
"""

import math
from collections.abc import Callable, Sequence
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
    power_scale,
    prior_estimands,
    reweighted,
    sampled_again,
)
from bayesmyo.assess.refits import Refits
from bayesmyo.components.decisions import Decision
from bayesmyo.components.estimands import Estimand
from bayesmyo.components.numbers import probability_text, significant
from bayesmyo.model.fit import Fit

Array = np.ndarray
CONTRACTED, MOVED, HALF_SD = 0.2, 0.05, 0.5
SENSITIVE = 0.05  # of power-scaling
NINETY = (0.05, 0.95)
DATA, PRIOR, SILENT, UNKNOWN = "the data say", "the prior says", "do not report", "not judged"


@dataclass(frozen=True)
class PriorSensitivity:
    """One number (an estimand or a decision) under priors half and twice as wide.

    contraction: near 1 the data have said all, near 0 nothing; negative where the prior was sure of something else
    probability: of the estimand's threshold or the decision's rule; median: of the estimand; each also under the other priors
    method: "importance" or "refit"; pareto_k: the worse of the two reweightings, None for a refit
    prior_sense, likelihood_sense: change under power-scaling of prior and likelihood, above 0.05 sensitive; None where not computed
    verdict: "the data say", "the prior says", "do not report", or "not judged" where reweighting cannot be trusted
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
    fit: Fit, *, refits: Refits | None = None, power_scaling: bool = False
) -> list[PriorSensitivity]:
    """Every estimand and every decision of the study under wider and narrower priors.

    refits: sample again under both (the model is compiled once); None reweights the draws, in a second
    power_scaling: also compute how much the number follows prior and likelihood; half a minute for 23 patients
    Raises StorageError for a fit without patient data.
    """
    again = sampled_again(refits) if refits else None
    other = cache(lambda outcomes: again or reweighted(fit, outcomes))
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
    """The same rows, each with its verdict, which its sentence then says; one that is not to be reported is withheld.

    sensitivities: of the same kind as the rows, in the same order
    """
    return [
        replace(row, verdict=s.verdict, sentence=_with_verdict(row.sentence, s), withheld=s.verdict == SILENT)
        for row, s in zip(rows, sensitivities, strict=True)
    ]


def _with_verdict(sentence: str, s: PriorSensitivity) -> str:
    if s.verdict == SILENT:
        return f"withheld: {s.sentence}"
    if s.verdict == PRIOR:
        return f"{sentence} The prior says so: {_width(s.contraction)}."
    if s.verdict == UNKNOWN:
        return f"{sentence} Whether the data or the prior say so is not judged: check with --refit."
    return f"{sentence} The data say so."


def _row(
    fit: Fit, name: str, of: str, kind: str, judge: Callable[[Array], Answer],
    elsewhere: Callable[[tuple[str, ...]], OtherPriors], before: Array,
    senses: tuple[float, float] | None,
) -> PriorSensitivity:  # fmt: skip
    """One number; `of` is the estimand it is about, `before` its draws from the prior."""
    e, draws = fit.study.estimands[of], fit.estimands[of]
    other = elsewhere(e.outcomes)
    shrunk = contraction(draws, before, e)
    said = {spread: found[of] for spread, found in ((HALF, other.half), (DOUBLE, other.double)) if found is not None}
    now, then = judge(draws), {spread: judge(found) for spread, found in said.items()}
    why = "; ".join(dict.fromkeys(filter(None, (_moves(judge, draws, found, e) for found in said.values()))))
    low, high = np.nanquantile(before, NINETY)
    contained = shrunk < CONTRACTED and e.population != "new patient" and bool(low <= np.median(draws) <= high)
    verdict = SILENT if why else PRIOR if contained else DATA if len(said) == 2 else UNKNOWN
    prior_sense, likelihood_sense = senses or (None, None)
    p_half, p_double = (then[c].probability if c in then else None for c in (HALF, DOUBLE))
    median_half, median_double = (float(np.median(said[c])) if c in said else None for c in (HALF, DOUBLE))
    found = PriorSensitivity(
        name, kind, e.outcomes, shrunk, float(np.median(draws)), median_half, median_double,
        now.probability, p_half, p_double,
        other.method, other.pareto_k, prior_sense, likelihood_sense, verdict, _sentence(name, verdict, shrunk, why),
    )  # fmt: skip
    if found.conflict:
        return replace(found, sentence=found.sentence + " Prior and data pull apart: look at the priors.")
    return found


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


def _sentence(name: str, verdict: str, contraction: float, why: str) -> str:
    """why: what other priors change."""
    if verdict == SILENT:
        return f"{name}: do not report; with priors half or twice as wide {why}."
    if verdict == PRIOR:
        return f"{name}: the prior says; {_width(contraction)}."
    if verdict == UNKNOWN:
        return f"{name}: not judged; sample again under other priors (bayesmyo check --refit)."
    return f"{name}: the data say; priors half and twice as wide change nothing that matters."


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
