"""Prior against data: would another prior have said something else?

Every top-level prior is made half and twice as wide (the SD of a normal, half-normal or t, the log-SD of a log-normal, one over a
rate), all together, and everything is asked again: by sampling again, or by reweighting the draws, p'(theta) / p(theta), where
Pareto k says that this can be trusted, with the priors of the outcomes that a number is about. One verdict for each number:

    the data say      the data have narrowed it down, and neither prior changes the answer
    the prior says    the posterior's 90 % interval is hardly narrower than the prior's, contracted by less than 0.2, and in the same
                      place: its median lies inside the prior's interval. Not asked of a new patient, whose interval is mostly the
                      spread between patients, which no data narrow
    do not report     half or twice as wide priors cross a decision, move a probability by more than 0.05, or the number itself by more
                      than half a posterior SD, each beyond Monte Carlo error
    not judged        the draws cannot be reweighted, or the chains of a refit disagree

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

from bayesmyo.assess.diagnostics import batch_error, shift
from bayesmyo.assess.estimate import DecisionResult, Estimate, table
from bayesmyo.assess.leave_one_out import SMOOTHED, TRUSTED, evenly, reweight
from bayesmyo.assess.refits import Refits
from bayesmyo.cohort.prediction import TruthPrediction
from bayesmyo.cohort.truth import Truth, from_priors, with_effects
from bayesmyo.components.decisions import Decision
from bayesmyo.components.estimands import Estimand
from bayesmyo.components.numbers import probability_text, significant
from bayesmyo.components.priors import Prior
from bayesmyo.model.fit import Fit
from bayesmyo.model.marginal import log_marginal
from bayesmyo.seeds import PREDICT, address
from bayesmyo.study.parameters import all_parameters

Array = np.ndarray
Said = Mapping[str, Array]
HALF, DOUBLE = 0.5, 2.0
CONTRACTED, MOVED, HALF_SD = 0.2, 0.05, 0.5
ROUGH = 1.05  # R-hat of a refit that is not believed
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


@dataclass(frozen=True)
class Answer:
    """What draws say: a probability, and of a decision whether it is met, and by what margin."""

    probability: float | None = None
    met: bool | None = None
    margin: float = 0.0


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
    Raises StorageError for a fit without patient data.
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
        return Answer()
    direction, value = threshold
    return Answer(float(np.mean(draws > value if direction == "above" else draws < value)))


def _decided(decision: Decision, draws: Array) -> Answer:
    verdict = decision.judge(draws)
    return Answer(verdict.probability, verdict.met, verdict.margin)


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
        return f"{sentence[:-1]} (the prior says: {_width(s.contraction)})."
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
    said = {spread: found[of] for spread, found in ((HALF, other.half), (DOUBLE, other.double)) if found is not None}
    now, then = judge(draws), {spread: judge(found) for spread, found in said.items()}
    why = "; ".join(dict.fromkeys(filter(None, (_moves(judge, draws, found) for found in said.values()))))
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


def _moves(judge: Callable[[Array], Answer], draws: Array, other: Array) -> str:
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
        distance, sure = apart(lambda x: float(np.median(x)))
        if abs(shift(draws, other)) > HALF_SD and not distance <= sure:
            return f"it moves from {significant(float(np.median(draws)))} to {significant(float(np.median(other)))}"
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


def prior_estimands(fit: Fit) -> dict[str, Array]:
    """Draws of every estimand from the priors, (draw,) each, for patients with these patients' covariates."""
    rng = np.random.default_rng(address(fit.seed, PREDICT, cell=2))
    study, patients = fit.study, len(fit.cohort)
    with np.errstate(all="ignore"):
        one = fit.truth.take(evenly(math.prod(fit.truth.shape), PRIOR_DRAWS))
        truth = with_effects(study, from_priors(study, rng, (PRIOR_DRAWS,)), patients, rng)
        truth = Truth(truth.outcomes, truth.correlations, _padded(one.covariates))
        prediction = TruthPrediction(study, truth, seed=address(fit.seed, PREDICT))
        return {name: e.of(prediction) for name, e in study.estimands.items()}


def _padded(covariates: Mapping[str, Array]) -> dict[str, Array]:
    """Imputed columns (draw, patient) repeated up to as many draws as there are from the priors."""
    return {k: np.resize(v, (PRIOR_DRAWS, v.shape[-1])) if np.ndim(v) > 1 else v for k, v in covariates.items()}


def _sampled_again(refits: Refits) -> Callable[[tuple[str, ...]], _Other]:
    half, double = (refits.with_spread(spread) for spread in (HALF, DOUBLE))
    trusted = (r.estimands if not r.rhat > ROUGH else None for r in (half, double))
    found = _Other(next(trusted), next(trusted), "refit", None)
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
            weights.append(reweight((alpha - 1) * log_density)[1])
        for name, draws in fit.estimands.items():
            one = draws.reshape(-1)[chosen]
            found[name].append(_sense(one, *weights))
    return {name: (prior, data) for name, (prior, data) in found.items()}


def _sense(draws: Array, lower: Array, upper: Array) -> float:
    if draws.min() == draws.max():
        return 0.0
    one = draws[None, :]
    return float(array_stats.power_scale_sense(one, lower[None, :], upper[None, :], ALPHAS[0], ALPHAS[1]))
