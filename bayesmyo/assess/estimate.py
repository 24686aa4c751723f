"""The verb `estimate`: every estimand, parameter and decision of a fit, with its population, unit and uncertainty."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar, Protocol

import numpy as np
import pandas as pd

from bayesmyo.assess.checks import CheckResult
from bayesmyo.assess.diagnostics import Diagnostics, diagnose, quantile_errors, sd_error
from bayesmyo.components.estimands import Estimand
from bayesmyo.components.numbers import PLAIN, Written
from bayesmyo.model.fit import Fit
from bayesmyo.study import describe
from bayesmyo.study.parameters import all_parameters
from bayesmyo.study.study import Study


@dataclass(frozen=True)
class Estimate:
    """One estimand. The interval is equal-tailed; mean, sd and mcse are None where the posterior mean does not exist.

    outcome: None where the estimand looks at several; when: the times it looks at, by their TOML keys
    verdict: prior against data, as in `sensitivity.py`; None where it was not asked
    withheld: the sentence says why nothing is to be reported; the numbers are for whoever mends the model, not for a reader
    mcse: Monte Carlo standard error of the mean; mcse_median, mcse_lower, mcse_upper: of the quantiles, always there
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
    verdict: str | None = None
    withheld: bool = False
    mcse_median: float | None = None
    mcse_lower: float | None = None
    mcse_upper: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """The JSON form: `at`, or `from` and `to`; `probability` as {"above" or "below": threshold, "value": p}."""
        found = asdict(self)
        found |= found.pop("when")
        direction, threshold, value = (found.pop(k) for k in ("direction", "threshold", "probability"))
        found["probability"] = None if direction is None else {direction: threshold, "value": value}
        return found


@dataclass(frozen=True)
class ParameterEstimate:
    """One population parameter on the link scale, with its prior's interval beside the posterior's."""

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
class DecisionResult:
    """One decision: `margin` says by how much its rule is met, or missed; `probability` is None where the rule asks for none; `withheld` as in `Estimate`."""

    name: str
    kind: str
    estimand: str
    outcomes: tuple[str, ...]
    met: bool
    probability: float | None
    margin: float
    sentence: str
    verdict: str | None = None
    withheld: bool = False


def estimates(fit: Fit) -> list[Estimate]:
    """Every estimand of the study, in its order."""
    draws = fit.estimands
    found, errors = diagnose(draws), quantile_errors(draws, _tails(fit.study))
    return [
        _estimate(fit.study, name, e, draws[name], found[name], errors[name]) for name, e in fit.study.estimands.items()
    ]


def parameter_estimates(fit: Fit) -> list[ParameterEstimate]:
    """Every population parameter of the study, on the link scale."""
    listed, posterior = all_parameters(fit.study), fit.group("posterior")
    draws = {p.full_name: posterior[p.full_name].values for p in listed}
    found, errors = diagnose(draws), quantile_errors(draws, _tails(fit.study))
    tail = (1 - fit.study.interval) / 2
    rows = []
    for p in listed:
        values, d, (e_lower, e_median, e_upper) = draws[p.full_name], found[p.full_name], errors[p.full_name]
        lower, median, upper = np.quantile(values, _tails(fit.study))
        assert p.prior is not None
        rows.append(
            ParameterEstimate(
                p.full_name, p.outcome, p.unit, float(values.mean()), float(values.std(ddof=1)), float(median),
                float(lower), float(upper), d.mcse, d.ess_bulk, d.ess_tail, d.rhat,
                str(p.prior), p.prior.quantile(tail), p.prior.quantile(1 - tail),
                sd_error(values), e_median, e_lower, e_upper,
            )
        )  # fmt: skip
    return rows


def verdicts(fit: Fit, written: Mapping[str, Written] | None = None) -> list[DecisionResult]:
    """Every decision of the study, judged on the draws of its estimand; `written`: how numbers are written, by decision."""
    found = []
    for name, decision in fit.study.decisions.items():
        e = fit.study.estimands[decision.estimand]
        subject = f"{describe.number(fit.study, e)}, {describe.population(e)},"
        verdict = decision.judge(fit.estimands[decision.estimand], subject, (written or {}).get(name, PLAIN))
        found.append(
            DecisionResult(
                name, decision.kind, decision.estimand, e.outcomes,
                verdict.met, verdict.probability, verdict.margin, verdict.sentence,
            )
        )  # fmt: skip
    return found


class Sentenced(Protocol):
    """Any result with a sentence that a reader may repeat unless it is withheld, and the outcomes of which it speaks."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def sentence(self) -> str: ...

    @property
    def withheld(self) -> bool: ...

    @property
    def outcomes(self) -> tuple[str, ...]: ...


def withhold[T: Sentenced](rows: list[T], failed: Sequence[CheckResult]) -> list[T]:
    """The same rows; where a check has failed, every row that speaks of its outcomes is withheld, and its sentence is the reason.

    A failed check that names no outcome speaks of all of them.
    """
    return [replace(r, sentence=reason, withheld=True) if (reason := reasons(r.outcomes, failed)) else r for r in rows]


def reasons(outcomes: Sequence[str], failed: Sequence[CheckResult]) -> str:
    """Why nothing is said of these outcomes; empty where it may be. Of a check, what it says of them alone."""
    found = [
        " ".join(r.by_outcome[o] for o in outcomes if o in r.by_outcome) or r.sentence
        for r in failed
        if not r.outcomes or set(r.outcomes) & set(outcomes)
    ]
    return "withheld: " + " ".join(found) if found else ""


def estimate(fit: Fit) -> pd.DataFrame:
    """Every estimand as a table, one row each: median and equal-tailed interval in `unit`, of the named population.

    No check is asked here, so nothing is withheld: see `bayesmyo.check` first. The command `estimate` asks all of them.

    >>> bayesmyo.estimate(fit)[["unit", "population"]].loc["cpk_ratio_12"].tolist()
    ['ratio', 'population average']
    """
    return table([e.as_dict() for e in estimates(fit)])


def parameters(fit: Fit) -> pd.DataFrame:
    """Every population parameter as a table, on the link scale, with its prior's interval beside the posterior's.

    >>> bayesmyo.parameters(fit).loc["cpk.half_time", "unit"]
    'month'
    """
    return table([asdict(p) for p in parameter_estimates(fit)])


def decisions(fit: Fit) -> pd.DataFrame:
    """Every decision as a table: whether it is met, with what probability and by what margin.

    >>> bayesmyo.decisions(fit)["met"].to_dict()
    {'cpk_halved': True}
    """
    return table([asdict(d) for d in verdicts(fit)])


def table(rows: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Rows of plain values as a table, named by their first column."""
    frame = pd.DataFrame(list(rows))
    return frame.set_index("name") if "name" in frame else frame


def _tails(study: Study) -> list[float]:
    tail = (1 - study.interval) / 2
    return [tail, 0.5, 1 - tail]


def _estimate(
    study: Study, name: str, e: Estimand, draws: np.ndarray, d: Diagnostics, errors: Sequence[float]
) -> Estimate:
    o = study.outcomes[e.outcomes[0]]
    lower, median, upper = (float(q) for q in np.quantile(draws, _tails(study)))
    arithmetic = e.predicts == "measurement" or describe.summary(study, e) == "mean"
    moments = (
        e.bounded
        or o.family.mean_has_moments()
        or not arithmetic
        or e.population in ("these patients", "average patient")
    )
    direction, threshold = e.threshold(o.better) or (None, None)
    probability = None
    if threshold is not None:
        probability = float((draws > threshold).mean() if direction == "above" else (draws < threshold).mean())
    return Estimate(
        name=name, kind=e.kind, outcome=e.outcomes[0] if len(e.outcomes) == 1 else None, outcomes=e.outcomes,
        unit=e.unit(study.named, study.time.unit), population=e.population,
        predicts=e.predicts, summary=describe.summary(study, e), when=e.when(),
        mean=float(draws.mean()) if moments else None, sd=float(draws.std(ddof=1)) if moments else None,
        median=median, lower=lower, upper=upper, interval=study.interval, mcse=d.mcse if moments else None, ess=d.ess_bulk,
        direction=direction, threshold=threshold, probability=probability,
        given=dict(e.given), contrast=asdict(e.contrast) if e.contrast else None,
        sentence=sentence(study, e, median, lower, upper, direction, threshold, probability),
        mcse_lower=errors[0], mcse_median=errors[1], mcse_upper=errors[2],
    )  # fmt: skip


def sentence(
    study: Study, e: Estimand, median: float, lower: float, upper: float,
    direction: str | None, threshold: float | None, probability: float | None, written: Written = PLAIN,
) -> str:  # fmt: skip
    """What a clinician may repeat: who, what, how much, how sure."""
    clock = study.time.unit
    unit = e.unit(study.named, clock)
    amount, ends = e.amount(median, unit, clock, written), e.ends(lower, upper, clock, written)
    text = f"{describe.who(study, e)}, {describe.number(study, e)} is {amount} ({study.interval:.0%} interval {ends})"
    if direction is not None and probability is not None:
        event = e.event(direction, threshold or 0.0, clock)
        text += f"; the probability that {event} is {written.chance(probability)}"
    return text + "."
