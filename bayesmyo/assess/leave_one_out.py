"""Each patient left out in turn: what the others say of everything, and how well they predict the one.

The posterior of the others is exact: the patient's measurements are taken away, the patient's index stays, and the model that was
compiled once samples again. Where the model would have to be compiled again (a patient with censored cells), and where speed is
asked for, the posterior of all is reweighted by 1 / p(y_i) instead, with Pareto-smoothed weights; the patient's effects are
integrated out of p(y_i), which is what makes those weights stable. A Pareto k above 0.7 says that they are not, and then the
model is sampled again after all.

References: Vehtari, Gelman and Gabry (2017), https://doi.org/10.1007/s11222-016-9696-4; Merkle, Furr and Rabe-Hesketh (2019),
https://doi.org/10.1007/s11336-019-09679-0.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from arviz_stats.base import array_stats
from scipy.special import logsumexp

from bayesmyo.assess.diagnostics import diagnose
from bayesmyo.cohort.cohort import Cohort
from bayesmyo.cohort.prediction import TruthPrediction
from bayesmyo.cohort.truth import Truth
from bayesmyo.model.compiled import Compiled
from bayesmyo.model.engines import Sampling
from bayesmyo.model.fit import Fit, posterior_truth
from bayesmyo.model.marginal import log_marginal
from bayesmyo.seeds import PREDICT, SAMPLE, address

Array = np.ndarray
REFIT = Sampling(draws=400, tune=250, chains=2)
SCORED = 1000  # draws, at most, whose weights are smoothed
TRUSTED = 0.7  # Pareto k


@dataclass(frozen=True, eq=False)
class LeftOut:
    """What the others say without one patient.

    patient: pseudonym; measurements: how many were taken away; last: the time of the latest of them, in the study's unit
    method: "refit", or "importance" (Pareto-smoothed weights on the posterior of all); pareto_k: of those weights
    score: log predictive density of all the patient's measurements given the others, in outcome units; mcse: its Monte Carlo error
    estimands: (chain, draw) or (draw,) of the others, by name; rhat: the worst of a refit over estimands; divergences: in a refit
    """

    patient: str
    measurements: int
    last: float
    method: str
    score: float
    mcse: float
    estimands: dict[str, Array]
    pareto_k: float = float("nan")
    rhat: float = float("nan")
    divergences: int = 0


def leave_one_out(
    fit: Fit, *, exact: bool = True, sampling: Sampling = REFIT, progress: Callable[[int, int], None] | None = None
) -> list[LeftOut]:
    """Leave out each patient who has measurements, in the cohort's order.

    exact: sample again without each patient, wherever that does not ask for another compilation; False reweights wherever that can be
    trusted; progress: called with patients done and patients in all
    Raises StorageError for a fit without patient data, UsageError where nobody else has a measurement of an outcome.
    """
    cohort = _censored_first(fit.cohort)
    whole = fit.truth.take(evenly(math.prod(fit.truth.shape), SCORED))
    compiled = Compiled(fit.study, fit.engine, sampling, cohort)
    patients = sorted(set(np.concatenate([m.patient for m in cohort.measurements.values()]).tolist()))
    shared = {i: compiled.takes(cohort.without(i)) for i in patients}
    found: dict[int, LeftOut] = {}
    for i in sorted(patients, key=lambda i: not shared[i]):
        one = _Without(fit, cohort, i)
        reweighted = None if exact and shared[i] else one.reweighted(whole)
        found[i] = reweighted or one.refitted(compiled)
        if progress:
            progress(len(found), len(patients))
    return [found[i] for i in patients]


def evenly(size: int, most: int) -> Array:
    """Positions of at most so many of `size` draws, evenly spread over all of them."""
    return np.unique(np.linspace(0, size - 1, min(size, most)).round().astype(int))


@dataclass(frozen=True, eq=False)
class _Without:
    """One patient, about to be left out."""

    fit: Fit
    cohort: Cohort
    patient: int

    def reweighted(self, whole: Truth) -> LeftOut | None:
        """By weights on the posterior of all; None where these cannot be trusted."""
        log_density = log_marginal(self.fit.study, self.cohort, whole, self.patient)
        log_weights, k = array_stats.psislw(log_density)  # of 1 / p(y_i)
        if k > TRUSTED:
            return None
        weights = np.exp(log_weights - logsumexp(log_weights))
        score = float(logsumexp(log_density, b=weights))
        spread = float(np.sqrt(np.sum((weights * np.expm1(log_density - score)) ** 2)))
        positions = (np.arange(len(weights)) + 0.5) / len(weights)
        chosen = np.minimum(np.searchsorted(np.cumsum(weights), positions), len(weights) - 1)
        return replace(self._result("importance", whole.take(chosen), score, spread), pareto_k=float(k))

    def refitted(self, compiled: Compiled) -> LeftOut:
        """By sampling again."""
        study, others = self.fit.study, self.cohort.without(self.patient)
        draws = compiled.draws(others, address(self.fit.seed, SAMPLE, replicate=1 + self.patient))
        truth = posterior_truth(study, others, draws.posterior)
        log_density = log_marginal(study, self.cohort, truth, self.patient)
        score = float(logsumexp(log_density) - np.log(log_density.size))
        mcse = diagnose({"density": np.exp(log_density - score)})["density"].mcse  # relative: of the logarithm
        found = self._result("refit", truth, score, mcse)
        rhats = [d.rhat for d in diagnose(found.estimands).values() if np.isfinite(d.rhat)]
        divergences = int(np.sum(draws.stats.get("diverging", 0)))
        return replace(found, rhat=max(rhats, default=float("nan")), divergences=divergences)

    def _result(self, method: str, truth: Truth, score: float, mcse: float) -> LeftOut:
        study, i = self.fit.study, self.patient
        prediction = TruthPrediction(study, truth.without(i), seed=address(self.fit.seed, PREDICT))
        estimands = {name: e.of(prediction) for name, e in study.estimands.items()}
        own = [m.time[m.patient == i] for m in self.cohort.measurements.values()]
        last = max(float(t.max()) for t in own if len(t))
        name = self.cohort.pseudonyms()[i]
        return LeftOut(name, sum(map(len, own)), last, method, score, mcse, estimands)


def _censored_first(cohort: Cohort) -> Cohort:
    """The same cohort with censored cells first: then they stay where they are when a patient without any is left out."""
    order = {name: np.argsort(m.side == 0, kind="stable") for name, m in cohort.measurements.items()}
    return replace(cohort, measurements={name: m.take(order[name]) for name, m in cohort.measurements.items()})
