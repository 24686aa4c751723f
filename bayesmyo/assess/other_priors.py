"""What would be said under priors half and twice as wide, before any data, and when prior or likelihood count a little more or less.

Wider: the SD of a normal, half-normal or t, the log-SD of a log-normal, one over a rate; correlations and the thresholds of grades keep
their priors. Power-scaling: Kallioinen et al. (2024), https://doi.org/10.1007/s11222-023-10366-5.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from arviz_stats.base import array_stats

from bayesmyo.assess.refits import ROUGH, Refits, estimands
from bayesmyo.assess.reweight import MOST, TRUSTED, evenly, reweight
from bayesmyo.cohort.truth import Truth, from_priors, with_effects
from bayesmyo.components.priors import Prior
from bayesmyo.model.fit import Fit
from bayesmyo.model.marginal import log_marginal
from bayesmyo.seeds import PREDICT, address
from bayesmyo.study.parameters import all_parameters

Array = np.ndarray
Said = Mapping[str, Array]
HALF, DOUBLE = 0.5, 2.0
ALPHAS = (0.99, 1.01)
PRIOR_DRAWS = 1000


@dataclass(frozen=True, eq=False)
class OtherPriors:
    """What is said under other priors; None where it cannot be known without sampling again."""

    half: Said | None
    double: Said | None
    method: str
    pareto_k: float | None


def prior_estimands(fit: Fit) -> dict[str, Array]:
    """Draws of every estimand from the priors, (draw,) each, for patients with these patients' covariates."""
    rng = np.random.default_rng(address(fit.seed, PREDICT, cell=2))
    study, patients = fit.study, len(fit.cohort)
    with np.errstate(all="ignore"):
        one = fit.truth.take(evenly(math.prod(fit.truth.shape), PRIOR_DRAWS))
        truth = with_effects(study, from_priors(study, rng, (PRIOR_DRAWS,)), patients, rng)
        truth = Truth(truth.outcomes, truth.correlations, _padded(one.covariates))
        return estimands(fit, truth)


def _padded(covariates: Mapping[str, Array]) -> dict[str, Array]:
    """Imputed columns (draw, patient) repeated up to as many draws as there are from the priors."""
    return {k: np.resize(v, (PRIOR_DRAWS, v.shape[-1])) if np.ndim(v) > 1 else v for k, v in covariates.items()}


def sampled_again(refits: Refits) -> OtherPriors:
    """By sampling again, under all priors together; None where the chains disagree."""
    half, double = (refits.with_spread(spread) for spread in (HALF, DOUBLE))
    trusted = (r.estimands if not r.rhat > ROUGH else None for r in (half, double))
    return OtherPriors(next(trusted), next(trusted), "refit", None)


def reweighted(fit: Fit, outcomes: tuple[str, ...]) -> OtherPriors:
    """By reweighting the draws, under other priors of these outcomes; None where the weights cannot be trusted."""
    now = log_prior(fit, outcomes=outcomes)
    found: dict[float, Said | None] = {}
    worst = -math.inf
    for spread in (HALF, DOUBLE):
        chosen, _, k = reweight((log_prior(fit, spread, outcomes) - now).reshape(-1))
        worst = max(worst, k)
        found[spread] = {n: d.reshape(-1)[chosen] for n, d in fit.estimands.items()} if k <= TRUSTED else None
    return OtherPriors(found[HALF], found[DOUBLE], "importance", worst)


def log_prior(fit: Fit, spread: float = 1.0, outcomes: tuple[str, ...] | None = None) -> Array:
    """(chain, draw) log density of the top-level parameters under priors whose spread is multiplied by a factor.

    outcomes: whose parameters (default: of all). Correlations of three effects or more, and thresholds, have a joint prior that
        stays as it is: it is left out
    """
    posterior = fit.group("posterior")
    total: Array = np.zeros((posterior.sizes["chain"], posterior.sizes["draw"]))
    for p in all_parameters(fit.study):
        if isinstance(p.prior, Prior) and (outcomes is None or p.outcome in outcomes):
            total = total + p.prior.scaled(spread).log_density(posterior[p.full_name].values)
    return total


def power_scale(fit: Fit) -> dict[str, tuple[float, float]]:
    """Of each estimand, how much it follows the prior and the likelihood (effects integrated out) under power-scaling."""
    chosen = evenly(math.prod(fit.truth.shape), MOST)
    whole = fit.truth.take(chosen)
    likelihood = np.sum([log_marginal(fit.study, fit.cohort, whole, i) for i in range(len(fit.cohort))], axis=0)
    found: dict[str, list[float]] = {name: [] for name in fit.estimands}
    for log_density in (log_prior(fit).reshape(-1)[chosen], likelihood):
        lower, upper = (reweight((alpha - 1) * log_density)[1] for alpha in ALPHAS)
        for name, draws in fit.estimands.items():
            found[name].append(_sense(draws.reshape(-1)[chosen], lower, upper))
    return {name: (prior, data) for name, (prior, data) in found.items()}


def _sense(draws: Array, lower: Array, upper: Array) -> float:
    if draws.min() == draws.max():
        return 0.0
    one = draws[None, :]
    return float(array_stats.power_scale_sense(one, lower[None, :], upper[None, :], ALPHAS[0], ALPHAS[1]))
