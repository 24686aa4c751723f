"""Prior against data: would another prior have said something else?

Every top-level prior is made half and twice as wide (the SD of a normal, half-normal or t, the log-SD of a log-normal, one over a
rate), all together, and everything is asked again: by sampling again, or by reweighting the draws, p'(theta) / p(theta), where
Pareto k says that this can be trusted, with the priors of the outcomes that a number is about. One verdict for each number:

    the data say      the data have narrowed it down, and neither prior changes the answer
    the prior says    the posterior's 90 % interval is hardly narrower than the prior's, contracted by less than 0.2, and in the same
                      place: its median lies inside the prior's interval
    do not report     half or twice as wide priors cross a decision, or move its probability by more than 0.05

contraction = 1 - (posterior width / prior width)^2 of the central 90 % (Schad, Betancourt and Vasishth 2021,
https://doi.org/10.1037/met0000275, with widths in place of SDs, which heavy-tailed priors may not have). Power-scaling says
whether prior and data pull apart (Kallioinen et al. 2024, https://doi.org/10.1007/s11222-023-10366-5). Correlations and the
thresholds of grades keep their priors.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache, partial

import numpy as np
import pandas as pd
from arviz_stats.base import array_stats

from bayesmyo.assess.estimate import DecisionResult, Estimate, table
from bayesmyo.assess.leave_one_out import SMOOTHED, TRUSTED, evenly, reweight
from bayesmyo.assess.refits import Refits
from bayesmyo.cohort.prediction import TruthPrediction
from bayesmyo.cohort.truth import Truth, from_priors, with_effects
from bayesmyo.components.decisions import Decision
from bayesmyo.components.estimands import Estimand
from bayesmyo.components.numbers import probability_text
from bayesmyo.components.priors import Prior
from bayesmyo.model.fit import Fit
from bayesmyo.model.marginal import log_marginal
from bayesmyo.seeds import PREDICT, address
from bayesmyo.study.parameters import all_parameters

Array = np.ndarray
Said = Mapping[str, Array]
Answer = tuple[float | None, bool | None]  # a probability, and whether a decision is met
HALF, DOUBLE = 0.5, 2.0
CONTRACTED, MOVED = 0.2, 0.05
SENSITIVE = 0.05  # of power-scaling
ALPHAS = (0.99, 1.01)
PRIOR_DRAWS = 1000
NINETY = (0.05, 0.95)
DATA, PRIOR, SILENT, UNKNOWN = "the data say", "the prior says", "do not report", "not judged"


@dataclass(frozen=True)
class PriorSensitivity:
    """One number (an estimand or a decision) under priors half and twice as wide.

    contraction: near 1 the data have said all, near 0 nothing; negative where the prior was sure of something else; probability: of the estimand's threshold or the decision's rule, and
    the same under the other priors; median, lower and upper: of the estimand, likewise
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


@dataclass(frozen=True, eq=False)
class _Other:
    """What is said under other priors; None where it cannot be known without sampling again."""

    half: Said | None
    double: Said | None
    method: str
    pareto_k: float | None


def prior_sensitivities(
    fit: Fit, *, refits: Refits | None = None, power_scaling: bool = False
) -> list[PriorSensitivity]:
    """Every estimand and every decision of the study under wider and narrower priors.

    refits: sample again under both (the model is compiled once); None reweights the draws, in a second
    power_scaling: also compute how much the number follows prior and likelihood; half a minute for 23 patients
    Raises StorageError for a fit without patient data, if refits or power-scaling are asked for.
    """
    other = _sampled_again(refits) if refits else cache(partial(_reweighted, fit))
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
        return None, None
    direction, value = threshold
    return float(np.mean(draws > value if direction == "above" else draws < value)), None


def _decided(decision: Decision, draws: Array) -> Answer:
    verdict = decision.judge(draws)
    return verdict.probability, verdict.met


def prior_sensitivity(fit: Fit, *, refit: bool = True) -> pd.DataFrame:
    """The same as a table, one row for each estimand and decision; `refit` samples again under both priors."""
    rows = prior_sensitivities(fit, refits=Refits(fit) if refit else None, power_scaling=refit)
    return table([asdict(r) for r in rows])


def judged[T: (Estimate, DecisionResult)](rows: Sequence[T], sensitivities: Sequence[PriorSensitivity]) -> list[T]:
    """The same rows, each with its verdict, which its sentence then says; one that is not to be reported is withheld.

    sensitivities: of the same kind as the rows, in the same order
    """
    return [
        replace(row, verdict=s.verdict, sentence=_with_verdict(row.sentence, s))
        for row, s in zip(rows, sensitivities, strict=True)
    ]


def _with_verdict(sentence: str, s: PriorSensitivity) -> str:
    if s.verdict == SILENT:
        return f"withheld: {s.sentence}"
    if s.verdict == PRIOR:
        wide = math.sqrt(1 - s.contraction)
        return f"{sentence[:-1]} (the prior says: the interval is {wide:.0%} as wide as before the data)."
    return f"{sentence[:-1]} ({'prior against data not judged' if s.verdict == UNKNOWN else s.verdict})."


def _row(
    fit: Fit, name: str, of: str, kind: str, judge: Callable[[Array], Answer],
    elsewhere: Callable[[tuple[str, ...]], _Other], before: Array,
    senses: tuple[float, float] | None,
) -> PriorSensitivity:  # fmt: skip
    """One number; `of` is the estimand it is about, `before` its draws from the prior."""
    e, draws = fit.study.estimands[of], fit.estimands[of]
    other = elsewhere(e.outcomes)
    shrunk = contraction(draws, before, e)
    (p, met), (p_half, met_half), (p_double, met_double) = (
        judge(said[of]) if said is not None else (None, None) for said in (fit.estimands, other.half, other.double)
    )
    median_half, median_double = (
        float(np.median(said[of])) if said is not None else None for said in (other.half, other.double)
    )
    known = other.half is not None and other.double is not None
    moved = max((abs(q - p) for q in (p_half, p_double) if q is not None and p is not None), default=0.0)
    crossed = any(m is not None and m != met for m in (met_half, met_double))
    low, high = np.nanquantile(before, NINETY)
    silent = shrunk < CONTRACTED and bool(low <= np.median(draws) <= high)
    verdict = SILENT if crossed or moved > MOVED else PRIOR if silent else DATA if known else UNKNOWN
    prior_sense, likelihood_sense = senses or (None, None)
    text = _sentence(name, verdict, shrunk, (p_half, p, p_double), crossed)
    found = PriorSensitivity(
        name, kind, e.outcomes, shrunk, float(np.median(draws)), median_half, median_double, p, p_half, p_double,
        other.method, other.pareto_k, prior_sense, likelihood_sense, verdict, text,
    )  # fmt: skip
    if found.conflict:
        return replace(found, sentence=found.sentence + " Prior and data pull apart: look at the priors.")
    return found


def _sentence(
    name: str, verdict: str, contraction: float, p: tuple[float | None, float | None, float | None], crossed: bool
) -> str:
    """p: the probability under priors half, once and twice as wide."""
    if verdict == SILENT:
        what = "the decision changes" if crossed else "its probability moves"
        found = ", ".join("?" if one is None else probability_text(one) for one in p)
        span = f" (probability {found})" if p[1] is not None else ""
        return f"{name}: do not report; with priors half, once and twice as wide {what}{span}."
    if verdict == PRIOR:
        wide = math.sqrt(1 - contraction)
        return f"{name}: the prior says; the posterior's interval is {wide:.0%} as wide as the prior's."
    if verdict == UNKNOWN:
        return f"{name}: not judged; sample again under other priors (bayesmyo check --refit)."
    return f"{name}: the data say; priors half and twice as wide leave it as it is."


def contraction(draws: Array, before: Array, e: Estimand) -> float:
    """1 - (width of the posterior / width of the prior)^2, of the central 90 %; on the log for ratios. Negative where it is wider."""

    def width(x: Array) -> float:
        low, high = np.nanquantile(np.log(x) if e.relative else x, NINETY)
        return float(high - low)

    with np.errstate(all="ignore"):
        wide = width(before)
        return 1 - (width(draws) / wide) ** 2 if wide > 0 and np.isfinite(wide) else 1.0 if wide > 0 else 0.0


def prior_estimands(fit: Fit) -> dict[str, Array]:
    """Draws of every estimand from the priors, (draw,) each, for patients with these patients' covariates."""
    rng = np.random.default_rng(address(fit.seed, PREDICT, cell=2))
    study = fit.study
    with np.errstate(all="ignore"):
        truth = from_priors(study, rng, (PRIOR_DRAWS,))
        if not fit.shared:
            one = fit.truth.take(evenly(math.prod(fit.truth.shape), PRIOR_DRAWS))
            truth = with_effects(study, truth, len(fit.cohort), rng)
            truth = Truth(truth.outcomes, truth.correlations, _padded(one.covariates))
        prediction = TruthPrediction(study, truth, seed=address(fit.seed, PREDICT))
        return {name: e.of(prediction) for name, e in study.estimands.items()}


def _padded(covariates: Mapping[str, Array]) -> dict[str, Array]:
    """Imputed columns (draw, patient) repeated up to as many draws as there are from the priors."""
    return {k: np.resize(v, (PRIOR_DRAWS, v.shape[-1])) if np.ndim(v) > 1 else v for k, v in covariates.items()}


def _sampled_again(refits: Refits) -> Callable[[tuple[str, ...]], _Other]:
    found = _Other(refits.with_spread(HALF).estimands, refits.with_spread(DOUBLE).estimands, "refit", None)
    return lambda outcomes: found


def _reweighted(fit: Fit, outcomes: tuple[str, ...]) -> _Other:
    now = log_prior(fit, outcomes=outcomes)
    found: dict[float, Said | None] = {}
    worst = -math.inf
    for spread in (HALF, DOUBLE):
        chosen, _, k = reweight((log_prior(fit, spread, outcomes) - now).reshape(-1))
        worst = max(worst, k)
        found[spread] = {n: d.reshape(-1)[chosen] for n, d in fit.estimands.items()} if k <= TRUSTED else None
    return _Other(found[HALF], found[DOUBLE], "importance", worst)


def log_prior(fit: Fit, spread: float = 1.0, outcomes: tuple[str, ...] | None = None) -> Array:
    """(chain, draw) log density of the top-level parameters under priors whose spread is multiplied by a factor.

    outcomes: whose parameters (default: of all). Correlations of three effects or more, and thresholds, have a joint prior that stays as it is: it is left out.
    """
    posterior = fit.group("posterior")
    total: Array = np.zeros((posterior.sizes["chain"], posterior.sizes["draw"]))
    for p in all_parameters(fit.study):
        if isinstance(p.prior, Prior) and (outcomes is None or p.outcome in outcomes):
            total = total + p.prior.scaled(spread).log_density(posterior[p.full_name].values)
    return total


def power_scale(fit: Fit) -> dict[str, tuple[float, float]]:
    """Of each estimand, how much it follows the prior and the likelihood (effects integrated out) under power-scaling."""
    chosen = evenly(math.prod(fit.truth.shape), SMOOTHED)
    whole = fit.truth.take(chosen)
    likelihood = np.sum([log_marginal(fit.study, fit.cohort, whole, i) for i in range(len(fit.cohort))], axis=0)
    found: dict[str, list[float]] = {name: [] for name in fit.estimands}
    for log_density in (log_prior(fit).reshape(-1)[chosen], likelihood):
        weights = []
        for alpha in ALPHAS:
            log_weights, _ = array_stats.psislw(-(alpha - 1) * log_density)
            weights.append(np.exp(log_weights - log_weights.max()))
        for name, draws in fit.estimands.items():
            one = draws.reshape(-1)[chosen]
            lower, upper = (w / w.sum() for w in weights)
            found[name].append(float(_sense(one, lower, upper)))
    return {name: (prior, data) for name, (prior, data) in found.items()}


def _sense(draws: Array, lower: Array, upper: Array) -> float:
    if draws.min() == draws.max():
        return 0.0
    one = draws[None, :]
    return float(array_stats.power_scale_sense(one, lower[None, :], upper[None, :], ALPHAS[0], ALPHAS[1]))
