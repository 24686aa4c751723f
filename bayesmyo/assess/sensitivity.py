"""Prior against data: would another prior have said something else?

Every top-level prior is made half and twice as wide, and every level at the start is centred half a prior SD lower and
higher; then everything that is told is asked again: by reweighting the draws with the priors of the outcomes that a number is about,
where Pareto k says that this can be trusted, and else by sampling again. One verdict for each number:

    robust to the prior  the data have narrowed it down, and no other prior changes the answer
    mostly the prior     the posterior's 90 % interval is hardly narrower than the prior's, contracted by less than 0.2,
                         and in the same place: its median lies inside the prior's interval. Not asked of a new patient
                         or of one of these, whose interval is mostly the spread between patients, which no data narrow.
                         A decision whose rule is satisfied, and would be by the prior alone, must be contracted by 0.5,
                         of whomever it speaks; and so must a correlation that is away from zero, and was before the
                         data. It is told as such; but where the measurements hold nothing of a number, whatever the
                         model (`cohort/evidence.py`), it is not told at all
    turns on the prior   other priors cross a decision, move a probability by more than 0.05, or the number itself by
                         more than half a posterior SD, each beyond Monte Carlo error: it is not told

It is not judged where the draws cannot be reweighted, and the model was not sampled again, or its chains disagree.

contraction = 1 - (posterior width / prior width)^2 of the central 90 % (Schad, Betancourt and Vasishth 2021,
https://doi.org/10.1037/met0000275, with widths in place of SDs, which heavy-tailed priors may not have). Power-scaling
says whether prior and data pull apart.
"""

from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from functools import cache, partial
from typing import Any

import numpy as np
import pandas as pd

from bayesmyo.assess.asked import Asked, Judge, asked_of, draws_of
from bayesmyo.assess.diagnostics import batch_error, shift
from bayesmyo.assess.estimate import table
from bayesmyo.assess.other_priors import (
    DOUBLE,
    HALF,
    OtherPriors,
    Said,
    leading,
    power_scale,
    prior_draws,
    reweighted,
    sampled_again,
)
from bayesmyo.assess.refits import Refits
from bayesmyo.assess.verdict import DATA, DISAGREE, PRIOR, SILENT, UNKNOWN, PriorSensitivity, width
from bayesmyo.components.numbers import probability_text, significant
from bayesmyo.inference.fit import Fit
from bayesmyo.study.parameters import Parameter

Array = np.ndarray
CONTRACTED, MOVED, HALF_SD = 0.2, 0.05, 0.5
NARROWED = 0.5  # contraction that a decision needs which the prior alone would meet
NINETY = (0.05, 0.95)
WIDER, ELSEWHERE = "with priors half or twice as wide", "with the typical level half a prior SD lower or higher"
MATRIX = (
    "What correlation_prior in [study] holds likely counts here: justify it from outside these data, or collect more "
    "patients."
)


def prior_sensitivities(
    fit: Fit,
    *,
    refits: Refits | None = None,
    always: bool = True,
    power_scaling: bool = False,
    each: str = "",
) -> list[PriorSensitivity]:
    """Every number that is told of a fit, under wider and narrower priors.

    refits: sample again under both (the model is compiled once); None reweights the draws, in a second
    always: False reweights, and samples again only where that cannot be trusted
    power_scaling: also compute how much estimands follow prior and likelihood; half a minute for 23 patients
    each: instead this estimand in each patient
    Raises StorageError for a fit without patient data.
    """
    asked, now, before = asked_of(fit, each), draws_of(fit, fit.truth, each), prior_draws(fit, each)
    runs = cache(lambda: refits.with_spreads(HALF, DOUBLE) if refits else [])
    again = cache(lambda own: sampled_again(fit, runs(), own, each))

    @cache
    def other(outcomes: tuple[str, ...], own: bool) -> OtherPriors:
        if refits and always:
            return again(own)
        said = reweighted(fit, outcomes, now, own)
        return again(own) if refits and not said.known else said

    senses = power_scale(fit) if power_scaling else {}
    nothing = OtherPriors(None, None, "none", None)
    return [_row(fit, a, nothing if a.fact else other(a.outcomes, a.own), now, before, senses.get(a.of)) for a in asked]


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
        One row for each number that is told (estimands, decisions, correlations, categories of response): its
        `verdict`, and what it would be under the other priors.

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
    ['robust to the prior']
    """
    rows = prior_sensitivities(fit, refits=Refits(fit) if refit else None, power_scaling=refit)
    return table([asdict(r) for r in rows])


def _row(
    fit: Fit, a: Asked, other: OtherPriors, every: Said, prior: Said, senses: tuple[float, float] | None
) -> PriorSensitivity:
    """One number, of which `every` holds the draws, and `prior` those before the data."""
    draws, before = every[a.of], prior[a.of]
    half, double, *elsewhere = (
        None if said is None else said.get(a.of) for said in (other.half, other.double, other.lower, other.higher)
    )
    shrunk, now = contraction(draws, before, a.relative), a.judge(draws)
    alone = a.judge(before).met
    why = "" if a.fact else _why(a, draws, (half, double), elsewhere)
    if why:
        verdict = SILENT
    elif a.fact or _priors_own(a, draws, before, shrunk) or (_there_before(a, draws, before) and shrunk < NARROWED):
        verdict = PRIOR
    else:
        verdict = DATA if half is not None and double is not None else UNKNOWN
    lead = leading(fit, a.outcomes, partial(_apart, a, draws), draws) if verdict == SILENT and not a.own else None
    row = PriorSensitivity(
        name=a.name,
        kind=a.kind,
        outcomes=a.outcomes,
        contraction=shrunk,
        median=float(np.median(draws)),
        median_half=None if half is None else float(np.median(half)),
        median_double=None if double is None else float(np.median(double)),
        probability=now.probability,
        probability_half=None if half is None else a.judge(half).probability,
        probability_double=None if double is None else a.judge(double).probability,
        method=other.method,
        pareto_k=other.pareto_k,
        prior_sense=senses[0] if senses else None,
        likelihood_sense=senses[1] if senses else None,
        verdict=verdict,
        sentence=f"{a.name}: {a.fact or _sentence(verdict, shrunk, why, MATRIX if a.own else _mend(lead), other.method)}",
        prior_meets=alone,
        led_by=lead.full_name if lead else None,
        fact=a.fact,
    )
    pulled = " Prior and data pull apart: look at the priors." if row.conflict else ""
    return replace(row, sentence=row.sentence + pulled)


def _priors_own(a: Asked, draws: Array, before: Array, shrunk: float) -> bool:
    """Whether the posterior is the prior: hardly narrower, and in the same place."""
    low, high = np.nanquantile(before, NINETY)
    return shrunk < CONTRACTED and not a.spread and bool(low <= np.median(draws) <= high)


def _there_before(a: Asked, draws: Array, before: Array) -> bool:
    """Whether the prior alone would say it too: that a decision is met, or on which side of zero a correlation lies."""
    if not a.own:
        return bool(a.judge(before).met and a.judge(draws).met)
    (low, high), (first, last) = np.nanquantile(draws, NINETY), np.nanquantile(before, NINETY)
    return bool((low > 0 and first > 0) or (high < 0 and last < 0))


def _why(a: Asked, draws: Array, wider: Iterable[Array | None], elsewhere: Iterable[Array | None]) -> str:
    """What other priors change, kind of prior by kind; empty where nothing that matters."""
    parts = []
    for which, others in ((WIDER, wider), (ELSEWHERE, elsewhere)):
        moves = (_moves(a, draws, other) for other in others if other is not None)
        changes = list(dict.fromkeys(filter(None, moves)))
        if changes:
            same = changes[0].rpartition("to ")[0]  # "it moves from 0.98 to 0.93 or to 0.99"
            parts.append(f"{which} {' or '.join([changes[0], *(c.removeprefix(same) for c in changes[1:])])}")
    return "; ".join(parts)


def _apart(a: Asked, draws: Array, other: Array) -> float:
    """How far other draws are from those at hand: by the margin of a decision, or in SDs."""
    if a.judge(draws).met is not None:
        return abs(a.judge(other).margin - a.judge(draws).margin)
    return abs(shift(draws, other)) if not a.bounded else abs(float(np.mean(other) - np.mean(draws)))


def _moves(a: Asked, draws: Array, other: Array) -> str:
    """What another prior changes, beyond twice the Monte Carlo error; empty where nothing that matters."""

    def apart(statistic: Callable[[Array], float]) -> tuple[float, float]:
        errors = (batch_error(statistic, draws), batch_error(statistic, other))
        return abs(statistic(other) - statistic(draws)), 2 * float(np.hypot(*errors))

    judge: Judge = a.judge
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
        place: Callable[[Array], Any] = np.mean if a.bounded else np.median
        distance, sure = apart(lambda x: float(place(x)))
        moved = distance / float(np.std(draws)) if a.bounded and np.ptp(draws) else abs(shift(draws, other))
        if moved > HALF_SD and not distance <= sure:
            return f"it moves from {significant(place(draws))} to {significant(place(other))}"
    return ""


def _sentence(verdict: str, contraction: float, why: str, mend: str, method: str) -> str:
    """why: what other priors change; mend: what to do about it."""
    if verdict == SILENT:
        return f"it {SILENT}; {why}. {mend}"
    if verdict == PRIOR:
        return f"this is {PRIOR}; {width(contraction)}."
    if verdict == UNKNOWN:
        what_to_do = DISAGREE if method == "refit" else "sample again under other priors (bayesmyo check --refit)"
        return f"not judged; {what_to_do}."
    return f"{DATA}; other priors change nothing that matters."


def _mend(lead: Parameter | None) -> str:
    """What to do about priors that decide."""
    if lead is None:
        return "Justify the priors from outside these data, or collect more."
    priors = f'priors = {{ {lead.name} = "..." }} in [{lead.link.table}.{lead.outcome}]'
    return (
        f"The prior of {lead.full_name}, {lead.prior}, moves it most: write {priors}, "
        "as wide as what is known from outside these data leaves it, and say why; or collect more."
    )


def contraction(draws: Array, before: Array, relative: bool = False) -> float:
    """1 - (width of the posterior / width of the prior)^2, of the central 90 %; on the log for ratios."""

    def wide_of(x: Array) -> float:
        low, high = np.nanquantile(np.log(x) if relative else x, NINETY)
        return float(high - low)

    with np.errstate(all="ignore"):
        wide = wide_of(before)
        return 1 - (wide_of(draws) / wide) ** 2 if wide > 0 and np.isfinite(wide) else 1.0 if wide > 0 else 0.0
