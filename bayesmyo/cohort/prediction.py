"""Truth -> levels in outcome units: one formula for a simulated truth and for posterior draws.

This module alone decides between the average patient and the average over patients.
"""

from collections.abc import Mapping
from functools import cached_property

import numpy as np

from bayesmyo.cohort.truth import OutcomeTruth, Truth, draw_effects, effects_covariance
from bayesmyo.components.estimands.estimand import Population, Predicts, Summary
from bayesmyo.study.study import Study

NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(41)
WEIGHTS = WEIGHTS / WEIGHTS.sum()


class TruthPrediction:
    """Levels under a Truth, (chain, draw) each for a posterior and a single number for a scenario.

    seed: fixes the new patient (one for each draw, the same at every time and in every estimand) and its measurements.
    """

    def __init__(self, study: Study, truth: Truth, seed: int = 0):
        self.study = study
        self.truth = truth
        self.seed = seed

    def level(
        self,
        outcome: str,
        time: float,
        population: Population,
        summary: Summary | None = None,
        predicts: Predicts = "expected value",
    ) -> np.ndarray:
        """The level of one outcome at one time, in outcome units, shape of the truth.

        summary "median" averages on the link scale and returns to outcome units (a geometric mean where the link is the
        log); "mean" averages expected measurements. By default what the family reports. A population average integrates
        the expected value over new patients by Gauss-Hermite quadrature: the predictor of a new patient is normal, because every
        trajectory is linear in the coefficients in which patients differ.
        """
        family = self.study.outcomes[outcome].family
        truth = self.truth.outcomes[outcome]
        median = family.geometric if summary is None else summary == "median"
        if population == "these patients" and truth.effects:
            eta = self.predictor(outcome, time, truth.effects)
            if median:
                return family.inverse(eta.mean(axis=-1))
            aux = {k: np.asarray(v)[..., None] for k, v in truth.values.items()}
            return family.mean({"location": eta}, aux).mean(axis=-1)
        if population == "new patient":
            effects = self._new_patient[outcome]
            eta = self.predictor(outcome, time, effects)[..., 0] if effects else self.predictor(outcome, time, {})
            if predicts == "measurement":
                return family.draw(self._rng(1, outcome, time), {"location": eta}, truth.values)
            return family.inverse(eta) if median else family.mean({"location": eta}, truth.values)
        eta = self.predictor(outcome, time, {})
        if population == "average patient" or median or not self.study.effects(outcome):
            return family.inverse(eta) if median else family.mean({"location": eta}, truth.values)
        sd = np.sqrt(self._variance(outcome, time))
        aux = {k: np.asarray(v)[..., None] for k, v in truth.values.items()}
        expected = family.mean({"location": eta[..., None] + sd[..., None] * NODES}, aux)
        return expected @ WEIGHTS

    def predictor(
        self,
        outcome: str,
        time: float | np.ndarray,
        effects: Mapping[str, np.ndarray],
        visit_patient: np.ndarray | None = None,
    ) -> np.ndarray:
        """The linear predictor on the link scale.

        Without effects: shape of the truth. With effects (..., patient): one for each patient at one time, or, with
        `visit_patient` (visit,) and `time` (visit,), one for each visit.
        """
        values = self.truth.outcomes[outcome].values
        coefficients = {}
        for c in self.study.coefficients(outcome):
            value = np.asarray(values[c.name], dtype=float)
            if effects:
                value = value[..., None]
                if c.name in effects:
                    deviation = effects[c.name]
                    value = value + (deviation if visit_patient is None else deviation[..., visit_patient])
            coefficients[c.name] = value
        if not effects and visit_patient is not None:
            coefficients = {k: v[..., None] for k, v in coefficients.items()}
        return np.asarray(
            self.study.outcomes[outcome].trajectory.curve(np.asarray(time, dtype=float), coefficients, np)
        )

    def _variance(self, outcome: str, time: float) -> np.ndarray:
        """Variance between patients of the linear predictor at one time; exact, because effects enter linearly."""
        values = self.truth.outcomes[outcome].values
        names = self.study.effects(outcome)
        trajectory = self.study.outcomes[outcome].trajectory
        zero = {
            c.name: np.asarray(values[c.name]) if not c.may_vary else np.zeros(self.truth.shape)
            for c in self.study.coefficients(outcome)
        }
        base = trajectory.curve(time, zero, np)
        loadings = [trajectory.curve(time, {**zero, name: np.ones(self.truth.shape)}, np) - base for name in names]
        if not names:
            return np.zeros(self.truth.shape)
        loading = np.stack(loadings, axis=-1)
        covariance = effects_covariance(self.study, outcome, values)
        return np.einsum("...i,...ij,...j->...", loading, covariance, loading)

    @cached_property
    def _new_patient(self) -> dict[str, dict[str, np.ndarray]]:
        return {
            name: draw_effects(self.study, name, o.values, 1, self._rng(0, name))
            for name, o in self.truth.outcomes.items()
        }

    def _rng(self, role: int, outcome: str, time: float = 0.0) -> np.random.Generator:
        """An address, not a sequence: the same draw whatever was asked before."""
        position = list(self.study.outcomes).index(outcome)
        microtime = round(time * 1e6) & 0xFFFFFFFF
        return np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(role, position, microtime)))


def visit_predictor(study: Study, truth: Truth, outcome: str, patient: np.ndarray, time: np.ndarray) -> np.ndarray:
    """(..., visit) linear predictor of each measurement, given the patients' own effects."""
    effects = truth.outcomes[outcome].effects
    return TruthPrediction(study, truth).predictor(outcome, time, effects, visit_patient=patient)


__all__ = ["OutcomeTruth", "TruthPrediction", "visit_predictor"]
