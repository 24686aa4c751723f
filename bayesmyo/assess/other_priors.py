"""What would be said under priors half and twice as wide or centred elsewhere, and before any data.

Wider: the SD of a normal, half-normal or t, the log-SD of a log-normal, one over a rate; correlations and the
thresholds of grades keep their priors. Centred elsewhere: the levels at the start, which the declared typical value
sets, half a prior SD lower and higher. Power-scaling says when prior or likelihood count more: Kallioinen et al.
(2024), https://doi.org/10.1007/s11222-023-10366-5.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from arviz_stats.base import array_stats

from bayesmyo.assess.refits import ROUGH, Refits, estimands
from bayesmyo.assess.reweight import MOST, TRUSTED, evenly, reweight
from bayesmyo.inference.fit import Fit
from bayesmyo.model.marginal import log_marginal
from bayesmyo.model.published import published
from bayesmyo.model.truth import Truth, from_priors, with_effects
from bayesmyo.seeds import PREDICT, address
from bayesmyo.study.parameters import Parameter, all_parameters
from bayesmyo.study.predictors import CORRELATIONS
from bayesmyo.study.study import Study

Array = np.ndarray
Said = Mapping[str, Array]
HALF, DOUBLE = 0.5, 2.0
LOWER, HIGHER = -0.5, 0.5  # prior SDs
ALPHAS = (0.99, 1.01)
PRIOR_DRAWS = 1000


@dataclass(frozen=True, eq=False)
class OtherPriors:
    """What is said under other priors; None where it cannot be known without sampling again.

    half, double: with priors as wide as that; lower, higher: with levels centred there
    """

    half: Said | None
    double: Said | None
    method: str
    pareto_k: float | None
    lower: Said | None = None
    higher: Said | None = None

    @property
    def known(self) -> bool:
        """Whether everything could be judged that a verdict needs: the widths."""
        return self.half is not None and self.double is not None


def prior_estimands(fit: Fit) -> dict[str, Array]:
    """Draws of every estimand from the priors, (draw,) each, for patients with these patients' covariates."""
    rng = np.random.default_rng(address(fit.seed, PREDICT, cell=2))
    study, patients = fit.study, len(fit.cohort)
    with np.errstate(all="ignore"):
        one = fit.truth.take(evenly(math.prod(fit.truth.shape), PRIOR_DRAWS))
        truth = with_effects(study, from_priors(study, rng, (PRIOR_DRAWS,)), patients, rng)
        # imputed columns (draw, patient) are repeated up to as many draws as there are from the priors
        wide = {k: np.resize(v, (PRIOR_DRAWS, patients)) if np.ndim(v) > 1 else v for k, v in one.covariates.items()}
        return estimands(fit, replace(truth, covariates=wide))


def sampled_again(refits: Refits) -> OtherPriors:
    """By sampling again, under all priors together; None where the chains disagree.

    Levels centred elsewhere are asked of the draws under wider priors, reweighted: those reach as far.
    """
    half, double = refits.with_spreads(HALF, DOUBLE)
    narrow, wide = (r.estimands if not r.rhat > ROUGH else None for r in (half, double))
    lower = higher = None
    if wide is not None:
        lower, higher = _elsewhere(wide, refits.fit.study, double.truth, DOUBLE)
    return OtherPriors(narrow, wide, "refit", None, lower, higher)


def reweighted(fit: Fit, outcomes: tuple[str, ...]) -> OtherPriors:
    """By reweighting the draws, under other priors of these outcomes; None where the weights cannot be trusted."""
    now = log_prior(fit, outcomes=outcomes)
    (half, k_half), (double, k_double) = (
        _resampled(fit.estimands, log_prior(fit, spread, outcomes) - now) for spread in (HALF, DOUBLE)
    )
    lower, higher = _elsewhere(fit.estimands, fit.study, fit.truth, 1.0, outcomes)
    return OtherPriors(half, double, "importance", max(k_half, k_double), lower, higher)


def _elsewhere(
    said: Said, study: Study, truth: Truth, spread: float, outcomes: tuple[str, ...] | None = None
) -> tuple[Said | None, Said | None]:
    """What draws under priors of a spread say under those of the study, with levels lower and higher."""
    now = _log_prior(study, truth, outcomes, spread)
    lower, higher = (_log_prior(study, truth, outcomes, move=move) - now for move in (LOWER, HIGHER))
    return _resampled(said, lower)[0], _resampled(said, higher)[0]


def _resampled(said: Said, log_ratio: Array) -> tuple[Said | None, float]:
    """Draws of estimands made draws under other priors, and Pareto k; None where the weights cannot be trusted."""
    chosen, _, k = reweight(log_ratio.reshape(-1))
    return ({n: d.reshape(-1)[chosen] for n, d in said.items()} if k <= TRUSTED else None), k


def log_prior(fit: Fit, spread: float = 1.0, outcomes: tuple[str, ...] | None = None) -> Array:
    """(chain, draw) log density of the top-level parameters under priors whose spread is multiplied by a factor.

    outcomes: whose parameters (default: of all). Correlations of three effects or more, and thresholds, have a joint
        prior that
        stays as it is: it is left out
    """
    return _log_prior(fit.study, fit.truth, outcomes, spread)


def _log_prior(
    study: Study, truth: Truth, outcomes: tuple[str, ...] | None, spread: float = 1.0, move: float = 0.0
) -> Array:
    """The same of any truths; move: prior SDs by which the centre of levels is moved."""
    total: Array = np.zeros(truth.shape)
    for p in all_parameters(study):
        if p.own and (outcomes is None or p.outcome in outcomes):
            prior = p.own.moved(move) if p.role == "level" else p.own
            total = total + prior.scaled(spread).log_density(_values(truth, p))
    values = {name: o.values for name, o in truth.outcomes.items()}
    for known in published(study):
        if outcomes is None or known.outcome in outcomes:
            total = total + known.log_density(values, spread=spread)
    return total


def _values(truth: Truth, p: Parameter) -> Array:
    """Draws of a parameter."""
    return np.asarray(
        truth.correlations[p.name] if p.outcome == CORRELATIONS else truth.outcomes[p.outcome].values[p.name]
    )


def leading(fit: Fit, outcomes: tuple[str, ...], moved: Callable[[Array], float], of: str) -> Parameter | None:
    """The parameter of these outcomes whose prior alone moves an estimand most; None where none can be changed.

    moved: how far other draws of the estimand are from those at hand. Weights of one prior alone are mild: they point
    the way even where those of all priors together cannot be trusted.
    """
    draws, moves = fit.estimands[of].reshape(-1), {}
    for p in all_parameters(fit.study):
        own = p.own
        if not own or p.outcome not in outcomes or own.scaled(DOUBLE) == own:
            continue
        values = _values(fit.truth, p)
        now = own.log_density(values)
        priors = [own.scaled(HALF), own.scaled(DOUBLE)]
        if p.role == "level":
            priors += [own.moved(LOWER), own.moved(HIGHER)]
        other = [reweight((prior.log_density(values) - now).reshape(-1))[0] for prior in priors]
        moves[p.full_name] = max(moved(draws[chosen]) for chosen in other), p
    return max(moves.values(), key=lambda pair: pair[0])[1] if moves else None


def power_scale(fit: Fit) -> dict[str, tuple[float, float]]:
    """Of each estimand, how much it follows prior and likelihood (effects integrated out) under power-scaling."""
    chosen = evenly(math.prod(fit.truth.shape), MOST)
    whole = fit.truth.take(chosen)
    likelihood = np.sum([log_marginal(fit.study, fit.cohort, whole, i) for i in range(len(fit.cohort))], axis=0)
    densities = log_prior(fit).reshape(-1)[chosen], likelihood
    weights = [[reweight((alpha - 1) * log_density)[1][None, :] for alpha in ALPHAS] for log_density in densities]

    def sense(draws: Array, scaled: list[Array]) -> float:
        return float(array_stats.power_scale_sense(draws, *scaled, *ALPHAS)) if np.ptp(draws) else 0.0

    thinned = {name: draws.reshape(1, -1)[:, chosen] for name, draws in fit.estimands.items()}
    return {name: (sense(draws, weights[0]), sense(draws, weights[1])) for name, draws in thinned.items()}
