"""Every estimand, parameter and decision of a fit by its draws. What of it may be said: `claims.py`."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from bayesmyo.assess.diagnostics import Diagnostics, batch_error, diagnose, quantile_errors, sd_error
from bayesmyo.components.decisions import Decision
from bayesmyo.components.estimands import Estimand
from bayesmyo.components.numbers import Number, Written, apart, chance, chance_error, interval_errors
from bayesmyo.inference.fit import Fit, known_fit
from bayesmyo.study import describe
from bayesmyo.study.parameters import all_parameters
from bayesmyo.study.study import Study

UNSURE = " The margin is within Monte Carlo error: draw more before relying on it."


class Said:
    """A result that is told in a sentence."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return asdict(self)


class Interval(Said):
    """A median with its interval, and the Monte Carlo errors of all three: numbers that are written with as many digits
    as they deserve.
    """

    unit: str
    median: float
    lower: float
    upper: float
    mcse_lower: float
    mcse_median: float
    mcse_upper: float

    def number(self, value: float | None, error: float | None = None) -> Number:
        """A number in this unit, with as many digits as tell the ends of the interval apart, and none below its Monte
        Carlo error.
        """
        return Number(value, error or 0.0, self.unit, apart(self.lower, self.upper))

    @property
    def numbers(self) -> tuple[Number, Number, Number]:
        """Lower end, median and upper end."""
        errors = interval_errors(self.mcse_lower, self.mcse_median, self.mcse_upper)
        lower, median, upper = map(self.number, (self.lower, self.median, self.upper), errors)
        return lower, median, upper


@dataclass(frozen=True)
class Estimate(Interval):
    """One estimand, in `unit`.

    Attributes
    ----------
    outcome : str, optional
        None where the estimand looks at several.
    population, predicts, summary : str
        Of whom it speaks, whether of what is expected or of a measurement, and whether of a mean or a median.
    when : dict
        The times it looks at, by their TOML keys.
    mean, sd, mcse : float, optional
        Of the posterior, and the Monte Carlo standard error of the mean; None where the posterior mean does not exist.
    median, lower, upper, interval : float
        The equal-tailed interval that holds the share `interval` of the posterior.
    ess : float
        Effective draws.
    direction, threshold, probability : optional
        The probability that it lies "above" or "below" the threshold; None where it has none.
    sentence : str
        What may be repeated, or why nothing may.
    mcse_median, mcse_lower, mcse_upper : float
        Monte Carlo standard errors of the quantiles.
    verdict : str, optional
        Prior against data, as in `sensitivity.py`; None where it was not asked.
    withheld : bool
        Whether nothing is to be reported: the numbers are for whoever mends the model, not for a reader.
    events : dict, optional
        What is done about events, by event; None where nothing is said.
    """

    name: str
    kind: str
    outcome: str | None
    outcomes: tuple[str, ...]
    unit: str
    population: str
    predicts: str
    summary: str
    when: dict[str, float]
    mean: float | None
    sd: float | None
    median: float
    lower: float
    upper: float
    interval: float
    mcse: float | None
    ess: float
    direction: str | None
    threshold: float | None
    probability: float | None
    given: dict[str, str | float]
    contrast: dict[str, str | float] | None
    sentence: str
    mcse_median: float
    mcse_lower: float
    mcse_upper: float
    verdict: str | None = None
    withheld: bool = False
    events: dict[str, str] | None = None

    @property
    def chance(self) -> Number:
        """The probability beside the number."""
        return _chance(self.probability, self.ess)

    @property
    def written(self) -> Written:
        """How its numbers are written in a sentence that looks at the draws itself."""
        tail, (lower, median, upper) = (1 - self.interval) / 2, self.numbers
        return Written({tail: lower, 0.5: median, 1 - tail: upper}, self.ess)

    def as_dict(self) -> dict[str, Any]:
        """The JSON form: `at`, or `from` and `to`; `probability` as {"above" or "below": threshold, "value": p};
        `events` where something is said of any.
        """
        fields = {k: v for k, v in super().as_dict().items() if k != "events" or v}
        fields |= fields.pop("when")
        direction, threshold, value = (fields.pop(k) for k in ("direction", "threshold", "probability"))
        fields["probability"] = None if direction is None else {direction: threshold, "value": value}
        return fields


@dataclass(frozen=True)
class ParameterEstimate(Interval):
    """One population parameter, in `unit`, on the link scale.

    Attributes
    ----------
    mean, sd, median, lower, upper : float
        Of the posterior, with the study's interval.
    mcse, mcse_sd, mcse_median, mcse_lower, mcse_upper : float
        Monte Carlo standard errors of these.
    ess_bulk, ess_tail, rhat : float
        Effective draws in the middle and in the tails, and how well chains agree (1 is perfect).
    prior : str
        The prior as a study writes it.
    prior_lower, prior_upper : float
        Its interval.
    """

    name: str
    outcome: str
    unit: str
    mean: float
    sd: float
    median: float
    lower: float
    upper: float
    mcse: float
    ess_bulk: float
    ess_tail: float
    rhat: float
    prior: str
    prior_lower: float
    prior_upper: float
    mcse_sd: float
    mcse_median: float
    mcse_lower: float
    mcse_upper: float


@dataclass(frozen=True)
class DecisionResult(Said):
    """One decision about an estimand.

    Attributes
    ----------
    met : bool
        Its rule is satisfied, and, where `verdict` is known, neither the prior alone nor a prior that decides makes it
        so.
    probability : float, optional
        That the rule asks for; None where it asks for none.
    margin : float
        By how much the rule is satisfied, or missed where it is negative.
    mcse : float
        Monte Carlo standard error of the margin, NaN with too few draws to know.
    ess : float
        Effective draws of the estimand.
    verdict, withheld
        As in `Estimate`.
    """

    name: str
    kind: str
    estimand: str
    outcomes: tuple[str, ...]
    met: bool
    probability: float | None
    margin: float
    mcse: float
    ess: float
    sentence: str
    verdict: str | None = None
    withheld: bool = False

    @property
    def chance(self) -> Number:
        """The probability that the rule looks at."""
        return _chance(self.probability, self.ess)


def _chance(p: float | None, ess: float) -> Number:
    return chance(p, 0.0 if p is None else chance_error(p, ess))


def estimates(fit: Fit) -> list[Estimate]:
    """Every estimand of the study, in its order."""
    draws = fit.estimands
    known, errors = diagnose(draws), quantile_errors(draws, tails(fit.study))
    asked = fit.study.estimands.items()
    return [estimate_of(fit.study, name, e, draws[name], known[name], errors[name]) for name, e in asked]


def parameter_estimates(fit: Fit) -> list[ParameterEstimate]:
    """Every population parameter of the study, on the link scale."""
    listed, posterior = all_parameters(fit.study), fit.group("posterior")
    draws = {p.full_name: posterior[p.full_name].values for p in listed}
    quantiles, known = tails(fit.study), diagnose(draws)
    errors = quantile_errors(draws, quantiles)
    rows = []
    for p in listed:
        name, values, d = p.full_name, draws[p.full_name], known[p.full_name]
        assert p.prior is not None
        moments = float(values.mean()), float(values.std(ddof=1))
        lower, median, upper = (float(q) for q in np.quantile(values, quantiles))
        e_lower, e_median, e_upper = errors[name]
        diagnosed = d.mcse, d.ess_bulk, d.ess_tail, d.rhat
        prior_lower, _, prior_upper = (p.prior.quantile(q) for q in quantiles)
        mcse = sd_error(values), e_median, e_lower, e_upper
        said = *moments, median, lower, upper, *diagnosed, str(p.prior), prior_lower, prior_upper, *mcse
        rows.append(ParameterEstimate(name, p.outcome, p.unit, *said))
    return rows


def verdicts(fit: Fit) -> list[DecisionResult]:
    """Every decision of the study, judged on the draws of its estimand, and written as that is.

    A verdict that other draws from the same posterior could turn says so.
    """
    of = {e.name: e for e in estimates(fit)}
    rows = []
    for name, decision in fit.study.decisions.items():
        e, draws, row = fit.study.estimands[decision.estimand], fit.estimands[decision.estimand], of[decision.estimand]
        verdict = decision.judge(draws, describe.subject(fit.study, e), row.written)
        error = batch_error(partial(_margin, decision), draws)
        said = verdict.sentence + (UNSURE if abs(verdict.margin) < 2 * error else "")
        judged = verdict.met, verdict.probability, verdict.margin
        rows.append(DecisionResult(name, decision.kind, decision.estimand, e.outcomes, *judged, error, row.ess, said))
    return rows


def _margin(decision: Decision, draws: np.ndarray) -> float:
    return decision.judge(draws).margin


def parameters(fit: Fit) -> pd.DataFrame:
    """Every population parameter as a table, on the link scale, with its prior's interval beside the posterior's.

    Parameters
    ----------
    fit : Fit
        A fit, or a shared copy of one.

    Returns
    -------
    pandas.DataFrame
        One row for each parameter: the posterior in `unit`, its Monte Carlo errors, and the prior.

    Examples
    --------
    >>> bayesmyo.parameters(fit).loc["cpk.half_time", "unit"]
    'month'
    """
    known_fit(fit)
    return table([asdict(p) for p in parameter_estimates(fit)])


def table(rows: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Rows of plain values as a table, named by their first column."""
    frame = pd.DataFrame(list(rows))
    return frame.set_index("name") if "name" in frame else frame


def tails(study: Study) -> list[float]:
    """The quantiles of lower end, median and upper end of an interval."""
    tail = (1 - study.interval) / 2
    return [tail, 0.5, 1 - tail]


def estimate_of(
    study: Study, name: str, e: Estimand, draws: np.ndarray, d: Diagnostics, errors: Sequence[float]
) -> Estimate:
    """An estimand by its (chain, draw) draws, their diagnostics and the Monte Carlo errors of its quantiles."""
    o = study.declared[e.outcomes[0]]
    lower, median, upper = (float(q) for q in np.quantile(draws, tails(study)))
    arithmetic = e.predicts == "measurement" or describe.summary(study, e) == "mean"
    finite = e.population in ("these patients", "average patient") or o.family.mean_has_moments()
    moments = e.bounded or finite or not arithmetic
    direction, threshold = e.threshold(o.better) or (None, None)
    probability = None
    if threshold is not None:
        probability = float((draws > threshold).mean() if direction == "above" else (draws < threshold).mean())
    row = Estimate(
        name=name,
        kind=e.kind,
        outcome=e.outcomes[0] if len(e.outcomes) == 1 else None,
        outcomes=e.outcomes,
        unit=e.unit(study.named, study.time.unit),
        population=e.population,
        predicts=e.predicts,
        summary=describe.summary(study, e),
        when=e.when(),
        mean=float(draws.mean()) if moments else None,
        sd=float(draws.std(ddof=1)) if moments else None,
        median=median,
        lower=lower,
        upper=upper,
        interval=study.interval,
        mcse=d.mcse if moments else None,
        ess=d.ess_bulk,
        direction=direction,
        threshold=threshold,
        probability=probability,
        given=dict(e.given),
        contrast=asdict(e.contrast) if e.contrast else None,
        events={k: str(v) for k, v in e.strategies.items()} or None,
        sentence="",
        mcse_lower=errors[0],
        mcse_median=errors[1],
        mcse_upper=errors[2],
    )
    return replace(row, sentence=sentence(study, e, row))


def sentence(study: Study, e: Estimand, row: Estimate) -> str:
    """What a clinician may repeat: who, what, how much, how sure."""
    return f"{describe.who(study, e)}, {describe.number(study, e)} is {amount(study, e, row)}."


def amount(study: Study, e: Estimand, row: Estimate) -> str:
    """How much, and how sure."""
    clock, (lower, median, upper) = study.time.unit, row.numbers
    text = f"{e.amount(median, clock)} ({study.interval:.0%} interval {e.ends(lower, upper, clock)})"
    if row.direction is not None and row.probability is not None:
        event = e.chance_of(row.direction, row.threshold or 0.0, clock)
        text += f"; the probability that {event} is {row.chance}"
    return text
