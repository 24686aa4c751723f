"""Exact posteriors of models in which patients differ in one thing: quadrature over patients, importance sampling.

No sampler and no compilation: families, curves and priors are the NumPy ones that simulate.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy import optimize, special, stats

from bayesmyo.cohort.cohort import Cohort
from bayesmyo.components.families.thresholds import InducedDirichlet
from bayesmyo.components.priors import Prior
from bayesmyo.model.measured import visit_predictors
from bayesmyo.model.prediction import TruthPrediction
from bayesmyo.model.truth import OutcomeTruth, Truth, patient_columns
from bayesmyo.model.visits import cells, trailing
from bayesmyo.study.parameters import Part, joints, parameters
from bayesmyo.study.predictors import effects
from bayesmyo.study.study import Study

Array = np.ndarray
ROUNDS = (
    400,
    400,
    1000,
)  # draws of importance samples, each from a t distribution that is fitted to the draws of the one before
DF = 6


class Quadrature:
    """The posterior of a study with one outcome, in whose parameters `fixed` (by name) are known.

    key: of the effect in which patients differ; other effects are zero (those of the other part of a hurdle)
    """

    def __init__(
        self, study: Study, cohort: Cohort, key: str = "", fixed: Mapping[str, float] | None = None, nodes: int = 24
    ):
        self.study, self.cohort = study, cohort
        self.outcome = next(iter(study.outcomes))
        self.family = study.outcomes[self.outcome].family
        self.cells = cells(study.outcomes[self.outcome], cohort.measurements[self.outcome])
        self.fixed = dict(fixed or {})
        self.keys = [e.key for e in effects(study, self.outcome)]
        self.key = key or self.keys[0]
        self.columns = patient_columns(study, cohort.covariates)
        listed = parameters(study, self.outcome)
        self.priors = {n: p.prior for n, p in listed.items() if isinstance(p.prior, Prior) and n not in self.fixed}
        self.joint = next((j for _, j in joints(listed)), None)
        assert self.joint is None or (isinstance(self.joint, InducedDirichlet) and self.joint.link == "logit")
        assert all(isinstance(p.prior, Prior | Part) for p in listed.values())
        z, w = np.polynomial.hermite_e.hermegauss(nodes)
        self.z, self.log_w = z, np.log(w / w.sum())

    def values(self, x: Array) -> dict[str, Array]:
        """(draw, free number) -> every parameter by name, (draw,)."""
        found = {n: np.full(len(x), v) for n, v in self.fixed.items()}
        for column, (name, prior) in zip(x.T, self.priors.items(), strict=False):
            found[name] = np.exp(column) if prior.support == "positive" else column
        if self.joint:
            log = special.log_softmax(np.column_stack([x[:, len(self.priors) :], np.zeros(len(x))]), axis=1)
            below, above = np.exp(log).cumsum(1)[:, :-1], np.exp(log)[:, ::-1].cumsum(1)[:, ::-1][:, 1:]
            found |= dict(zip(self.joint.names, (np.log(below) - np.log(above)).T, strict=True))
        return found

    def log_prior(self, x: Array, spread: float) -> Array:
        """Of the free numbers, with the spread of every prior but that of the thresholds multiplied."""
        total = np.zeros(len(x))
        for column, prior in zip(x.T, self.priors.values(), strict=False):
            positive = prior.support == "positive"
            total = total + prior.scaled(spread).log_density(np.exp(column) if positive else column) + positive * column
        if self.joint:
            log = special.log_softmax(np.column_stack([x[:, len(self.priors) :], np.zeros(len(x))]), axis=1)
            total = total + log @ np.array(
                self.joint.concentrations
            )  # the shares' density, and the Jacobian of the softmax
        return total

    def log_likelihood(self, x: Array) -> Array:
        values = self.values(x)
        m, patients = self.cohort.measurements[self.outcome], len(self.cohort)
        aux, total = trailing(values), np.full((patients, len(x)), -np.inf)
        for z, log_w in zip(self.z, self.log_w, strict=True):
            moved = {k: np.zeros((len(x), patients)) for k in self.keys}
            moved[self.key] = np.broadcast_to((values[f"sd_{self.key}"] * z)[:, None], (len(x), patients))
            truth = Truth({self.outcome: OutcomeTruth(values, moved)}, {}, self.columns)
            log = self.family.log_density(self.cells, visit_predictors(self.study, truth, self.outcome, m), aux)
            summed = np.zeros((patients, len(x)))
            np.add.at(summed, m.patient, np.broadcast_to(log, (len(x), len(m))).T)
            total = np.logaddexp(total, summed + log_w)
        return total.sum(0)

    def run(self, asked: tuple[str, ...], spread: float, seed: int) -> dict[str, Any]:
        """Mean, SD and 95 % interval of parameters and of the study's `contrast`; ess: effective draws of the importance sample."""

        def log_posterior(x: Array) -> Array:
            found = self.log_likelihood(x) + self.log_prior(x, spread)
            return np.where(np.isfinite(found), found, -1e300)

        size = len(self.priors) + (len(self.joint.names) if self.joint else 0)
        start = np.zeros(size)
        for k, prior in enumerate(self.priors.values()):
            start[k] = np.log(prior.quantile(0.5)) if prior.support == "positive" else prior.quantile(0.5)
        step = 1e-4 * np.eye(size)

        def gradient(x: Array) -> Array:
            return -(log_posterior(x + step) - log_posterior(x - step)) / 2e-4

        mode = optimize.minimize(
            lambda x: -log_posterior(x[None])[0],
            start,
            jac=gradient,
            method="BFGS",
            options={"gtol": 1e-2, "maxiter": 60},
        )
        centre, covariance = mode.x, mode.hess_inv
        rng = np.random.default_rng(seed)
        for draws in ROUNDS:
            factor = np.linalg.cholesky(1.2 * covariance)
            t = rng.standard_normal((draws, size)) / np.sqrt(rng.chisquare(DF, (draws, 1)) / DF)
            x = centre + t @ factor.T
            log = log_posterior(x) - stats.multivariate_t.logpdf(x, centre, factor @ factor.T, df=DF)
            weight = special.softmax(log)
            centre = weight @ x
            covariance = (x - centre).T @ ((x - centre) * weight[:, None]) + 1e-6 * np.eye(size)
        values = self.values(x)
        numbers = {name: values[name] for name in asked if name != "contrast"}
        if "contrast" in asked:
            truth = Truth({self.outcome: OutcomeTruth(values)}, {}, self.columns)
            numbers["contrast"] = next(iter(self.study.estimands.values())).of(TruthPrediction(self.study, truth))
        return {
            "numbers": {name: summary(v, weight) for name, v in numbers.items()},
            "ess": round(1 / float((weight**2).sum())),
        }


def summary(values: Array, weight: Array) -> list[float]:
    """Mean, SD, and the quantiles 2.5, 50 and 97.5 % of weighted draws."""
    mean = float(weight @ values)
    order = np.argsort(values)
    reached = np.cumsum(weight[order])
    quantiles = [float(values[order][np.searchsorted(reached, q)]) for q in (0.025, 0.5, 0.975)]
    return [float(f"{v:.5g}") for v in (mean, float(np.sqrt(weight @ (values - mean) ** 2)), *quantiles)]
