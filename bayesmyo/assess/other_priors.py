"""What would be said under priors half and twice as wide or centred elsewhere, and before any data.

Wider: the SD of a normal, half-normal or t, the log-SD of a log-normal, one over a rate; the thresholds of grades keep
their priors, and so do correlations, but where one is what is asked: there LKJ(eta) is also made twice and half as
concentrated. Centred elsewhere: the levels at the start, which the declared typical value sets, half a prior SD lower
and higher. Power-scaling says when prior or likelihood count more: Kallioinen et al. (2024),
https://doi.org/10.1007/s11222-023-10366-5.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from arviz_stats.base import array_stats

from bayesmyo.assess.asked import draws_of
from bayesmyo.assess.diagnostics import diagnose
from bayesmyo.assess.refits import ROUGH, Refitted
from bayesmyo.assess.reweight import MOST, TRUSTED, evenly, reweight
from bayesmyo.components.priors import Alone
from bayesmyo.inference.fit import Fit
from bayesmyo.model.marginal import log_marginal
from bayesmyo.model.published import published
from bayesmyo.model.truth import Truth, correlation_matrix, from_priors, with_effects
from bayesmyo.seeds import PREDICT, address
from bayesmyo.study.parameters import Parameter, all_parameters
from bayesmyo.study.predictors import CORRELATIONS, blocks
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


def prior_draws(fit: Fit, each: str = "") -> Said:
    """Draws of every number from the priors, (draw,) each, for patients with these patients' covariates."""
    rng = np.random.default_rng(address(fit.seed, PREDICT, cell=2))
    study, patients = fit.study, len(fit.cohort)
    with np.errstate(all="ignore"):
        one = fit.truth.take(evenly(math.prod(fit.truth.shape), PRIOR_DRAWS))
        truth = with_effects(study, from_priors(study, rng, (PRIOR_DRAWS,)), patients, rng)
        # imputed columns (draw, patient) are repeated up to as many draws as there are from the priors
        wide = {k: np.resize(v, (PRIOR_DRAWS, patients)) if np.ndim(v) > 1 else v for k, v in one.covariates.items()}
        return draws_of(fit, replace(truth, covariates=wide), each)


def sampled_again(fit: Fit, runs: Sequence[Refitted], own: bool = False, each: str = "") -> OtherPriors:
    """By sampling again, under all priors together; None where the chains disagree.

    Levels centred elsewhere are asked of the draws under wider priors, reweighted: those reach as far. And so are other
    priors of correlations, where `own` asks for them.
    runs: under priors half and twice as wide
    """
    study = fit.study
    narrow, wide = (None if r.rhat > ROUGH else _agreed(draws_of(fit, r.truth, each)) for r in runs)
    lower = higher = None
    if wide is not None:
        lower, higher = _elsewhere(wide, study, runs[1].truth, DOUBLE)
    if own:
        narrow, wide = (
            said and _resampled(said, log_lkj(study, r.truth, 1 / spread))[0]
            for said, r, spread in ((narrow, runs[0], HALF), (wide, runs[1], DOUBLE))
        )
    return OtherPriors(narrow, wide, "refit", None, lower, higher)


def _agreed(said: Said) -> Said:
    """Those of which a refit's chains agree."""
    known = diagnose(dict(said))
    return {name: draws for name, draws in said.items() if not known[name].rhat > ROUGH}


def reweighted(fit: Fit, outcomes: tuple[str, ...], said: Said | None = None, own: bool = False) -> OtherPriors:
    """By reweighting the draws, under other priors of these outcomes; None where the weights cannot be trusted.

    said: draws of the numbers that are asked (default: of the estimands); own: under other priors of correlations too
    """
    said = fit.estimands if said is None else said
    now = log_prior(fit, outcomes=outcomes)

    def under(spread: float) -> tuple[Said | None, float]:
        ratio = log_prior(fit, spread, outcomes) - now
        return _resampled(said, ratio + log_lkj(fit.study, fit.truth, 1 / spread, outcomes) if own else ratio)

    (half, k_half), (double, k_double) = under(HALF), under(DOUBLE)
    lower, higher = _elsewhere(said, fit.study, fit.truth, 1.0, outcomes)
    return OtherPriors(half, double, "importance", max(k_half, k_double), lower, higher)


def log_lkj(study: Study, truth: Truth, times: float, outcomes: tuple[str, ...] | None = None) -> Array:
    """By how much the log density of LKJ(times * eta) is higher than that of LKJ(eta), of the matrices of these
    outcomes."""
    eta, total = Alone.parse(study.correlation_prior).values[0], np.zeros(truth.shape)
    for block in blocks(study):
        if len(block.effects) > 1 and (outcomes is None or {e.outcome for e in block.effects} & set(outcomes)):
            matrix = correlation_matrix(study, truth, block.effects)
            total = total + (times - 1) * eta * np.linalg.slogdet(matrix)[1]
    return total


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


def leading(fit: Fit, outcomes: tuple[str, ...], moved: Callable[[Array], float], draws: Array) -> Parameter | None:
    """The parameter of these outcomes whose prior alone moves a number most; None where none can be changed.

    moved: how far other draws of the number are from those at hand, `draws`. Weights of one prior alone are mild: they point
    the way even where those of all priors together cannot be trusted.
    """
    draws, moves = draws.reshape(-1), {}
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
