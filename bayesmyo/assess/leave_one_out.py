"""Each patient left out in turn: what the others say of everything, and how well they predict the one.

The posterior of the others is exact: the patient's measurements are taken away, the patient's index stays, and the model that was
compiled once samples again; only a patient with censored cells, or an effect of each observation, asks for a compilation of its own.
Where speed is asked for, the posterior of all is reweighted by 1 / p(y_i) instead, with Pareto-smoothed weights; the patient's effects
are integrated out of p(y_i), which is what makes those weights stable. A Pareto k above 0.7 says that they are not, and then the
model is sampled again after all. A patient without whom nobody has a measurement of some outcome cannot be left out, and is told.

References: Vehtari, Gelman and Gabry (2017), https://doi.org/10.1007/s11222-016-9696-4; Merkle, Furr and Rabe-Hesketh (2019),
https://doi.org/10.1007/s11336-019-09679-0.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from arviz_stats.base import array_stats
from scipy.special import logsumexp

from bayesmyo.assess.diagnostics import diagnose
from bayesmyo.assess.refits import Refits, estimands
from bayesmyo.cohort.truth import Truth
from bayesmyo.model.fit import Fit
from bayesmyo.model.marginal import log_marginal

Array = np.ndarray
SMOOTHED = 1000  # draws, at most, whose weights are smoothed
TRUSTED = 0.7  # Pareto k
FEWEST = 100  # draws


@dataclass(frozen=True, eq=False)
class WithoutPatient:
    """What the others say without one patient.

    patient: pseudonym; measurements: how many were taken away; last: the time of the latest of them, in the study's unit
    method: "refit", "importance" (Pareto-smoothed weights on the posterior of all; pareto_k: theirs), or "impossible": then there is
        no score and no estimand
    score: log predictive density of all the patient's measurements given the others, in outcome units; mcse: its Monte Carlo error
    estimands: draws of the others, by name; rhat: the worst over estimands of a refit; divergences: in a refit
    """

    patient: str
    measurements: int
    last: float
    method: str
    score: float
    mcse: float
    estimands: Mapping[str, Array]
    pareto_k: float = float("nan")
    rhat: float = float("nan")
    divergences: int = 0


def leave_one_out(
    fit: Fit, *, exact: bool = True, refits: Refits | None = None, progress: Callable[[int, int], None] | None = None
) -> list[WithoutPatient]:
    """Leave out each patient who has measurements, in the cohort's order.

    exact: sample again without each patient; False reweights wherever that can be trusted
    progress: called with patients done and patients in all
    Raises StorageError for a fit without patient data.
    """
    refits = refits or Refits(fit)
    measurements = refits.cohort.measurements.values()
    patients = sorted(set(np.concatenate([m.patient for m in measurements]).tolist()))
    possible = [i for i in patients if all(len(m) for m in refits.cohort.without(i).measurements.values())]
    shared = {i: refits.shares(i) for i in possible}
    whole = fit.truth.take(evenly(math.prod(fit.truth.shape), SMOOTHED))
    found: dict[int, WithoutPatient] = {}
    for i in set(patients) - set(possible):
        found[i] = WithoutPatient(*_who(refits, i), "impossible", float("nan"), float("nan"), {})
    for i in sorted(possible, key=lambda i: not shared[i]):
        reweighted = None if exact else _reweighted(refits, whole, i)
        found[i] = reweighted or _refitted(refits, i)
        if progress:
            progress(len(found), len(patients))
    return [found[i] for i in patients]


def _reweighted(refits: Refits, whole: Truth, patient: int) -> WithoutPatient | None:
    """By weights on the posterior of all; None where they cannot be trusted."""
    log_density = log_marginal(refits.fit.study, refits.cohort, whole, patient)
    chosen, weights, k = reweight(-log_density)
    if not k <= TRUSTED:
        return None
    score = float(logsumexp(log_density, b=weights))
    mcse = float(np.sqrt(np.sum((weights * np.expm1(log_density - score)) ** 2)))
    said = estimands(refits.fit, whole.take(chosen).without(patient))
    return WithoutPatient(*_who(refits, patient), "importance", score, mcse, said, pareto_k=k)


def _refitted(refits: Refits, patient: int) -> WithoutPatient:
    """By sampling again."""
    again = refits.without(patient)
    log_density = log_marginal(refits.fit.study, refits.cohort, again.truth, patient)
    score = float(logsumexp(log_density) - np.log(log_density.size))
    relative = diagnose({"density": np.exp(log_density - score), "score": log_density})
    rhat = float(np.nanmax([again.rhat, relative["score"].rhat]))
    who = _who(refits, patient)
    return WithoutPatient(
        *who, "refit", score, relative["density"].mcse, again.estimands, rhat=rhat, divergences=again.divergences
    )


def _who(refits: Refits, patient: int) -> tuple[str, int, float]:
    own = [m.time[m.patient == patient] for m in refits.cohort.measurements.values()]
    return refits.cohort.pseudonyms()[patient], sum(map(len, own)), max(float(t.max()) for t in own if len(t))


def evenly(size: int, most: int) -> Array:
    """Positions of at most so many of `size` draws, evenly spread over all of them."""
    return np.unique(np.linspace(0, size - 1, min(size, most)).round().astype(int))


def reweight(log_ratio: Array) -> tuple[Array, Array, float]:
    """Draws (n,) of one distribution made draws of another, whose log density is higher by `log_ratio` up to a constant.

    Returns positions (n,) resampled in proportion to Pareto-smoothed weights, the weights (n,), and Pareto k: above 0.7 neither
    is to be trusted (Vehtari et al. 2024, https://www.jmlr.org/papers/v25/19-556.html); minus infinity where the two are the same,
    infinity where a weight is not finite or there are too few draws to know.
    """
    n = len(log_ratio)
    same = np.arange(n), np.full(n, 1 / n)
    if not np.isfinite(log_ratio).all():
        return *same, math.inf
    if np.ptp(log_ratio) == 0:
        return *same, -math.inf
    if n < FEWEST:
        return *same, math.inf
    with np.errstate(all="ignore"):  # weights may be extreme; then they are not trusted
        log_weights, k = array_stats.psislw(-log_ratio)
    weights = np.exp(log_weights - logsumexp(log_weights))
    if not (np.isfinite(k) and np.isfinite(weights).all()):
        return *same, math.inf
    at = (np.arange(n) + 0.5) / n
    return np.minimum(np.searchsorted(np.cumsum(weights), at), n - 1), weights, float(k)
