"""Do a patient's residuals hang together, or drift, which the effects should have taken up?"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bayesmyo.assess.checks.findings import Finding, Predictive, finding, span
from bayesmyo.assess.checks.moments import free_effects, mean, subject
from bayesmyo.assess.checks.remedies import turning
from bayesmyo.assess.replicated import Replicated
from bayesmyo.inference.fit import Fit
from bayesmyo.study.check_outcomes import can_drift

FEWEST = 5  # patients with three measurements or more


@dataclass(frozen=True)
class Dependence(Predictive):
    """Correlation of a patient's neighbouring residuals, and how far residuals drift in time, patient by patient.

    The drift is the root mean square over patients of the slope of their residuals, in its own standard error: about
    one where the model is right. correlation: the difference that matters; ratio: of drifts that matters
    """

    name: str = "dependence within patients"
    correlation: float = 0.15
    ratio: float = 1.35
    told: ClassVar[str] = "Dependence within patients is"

    def judge(self, fit: Fit, r: Replicated) -> Iterator[Finding | str]:
        if np.sum(np.bincount(r.patient) >= 3) < FEWEST:
            yield f"fewer than {FEWEST} patients have three measurements"
        else:
            yield self._neighbours(fit, r)
            yield self._drift(fit, r)

    def _neighbours(self, fit: Fit, r: Replicated) -> Finding:
        data, drawn = neighbours(r, r.residual), neighbours(r, r.expected)
        observed = float(np.median(data))
        if observed > np.median(drawn):
            advice = f"measurements drift together, and intervals are too narrow; {self._remedy(fit, r)}"
        else:
            advice = "they alternate more than chance; are two rows of one visit in the table, or two ways to measure?"
        misfit = (
            f"Neighbouring residuals of {subject(fit.study, r.outcome)} in the same patient correlate by "
            f"{observed:.2f} ({span(drawn, '.2f')} is predicted): {advice}."
        )
        matters = abs(observed - float(np.median(drawn))) > self.correlation
        return finding(r.outcome, "correlation of neighbours", data, drawn, matters, misfit.replace("?.", "?"))

    def _drift(self, fit: Fit, r: Replicated) -> Finding:
        data, drawn = drift(r, r.residual), drift(r, r.expected)
        ratio = float(np.exp(np.median(data) - np.median(drawn)))
        misfit = (
            f"Patients' {subject(fit.study, r.outcome)} drifts away from their curves, each in a direction of its own: "
            f"slopes of residuals are {ratio:.1f} times as large as predicted. Patients differ in their change: "
            f"{self._remedy(fit, r)}."
        )
        matters = ratio > self.ratio
        return finding(r.outcome, "drift of residuals", data, drawn, matters, misfit, np.exp)

    @staticmethod
    def _remedy(fit: Fit, r: Replicated) -> str:
        o = fit.study.outcomes[r.outcome]
        advice = [f'adding "{name}" to effects' for name in free_effects(fit.study, r.outcome)[:1]]
        advice += ['residual = { kind = "ou" }'] if can_drift(o) else []
        return f"try {', or '.join(advice)}" if advice else turning(o.trajectory)


def neighbours(r: Replicated, z: np.ndarray) -> np.ndarray:
    """(draw,) correlation of residuals with the patient's next, about zero as their mean."""
    order = np.lexsort((r.time, r.patient))
    z, patient = z[:, order], r.patient[order]
    product = np.where(patient[1:] == patient[:-1], z[:, 1:] * z[:, :-1], np.nan)
    return mean(product) / np.maximum(mean(z**2), 1e-12)


def drift(r: Replicated, z: np.ndarray) -> np.ndarray:
    """(draw,) log root mean square over patients of the slope of their residuals over time, in its standard error."""
    squares, counts = np.zeros(len(z)), np.zeros(len(z))
    for patient in np.flatnonzero(np.bincount(r.patient) >= 3):
        own = np.flatnonzero(r.patient == patient)
        there = np.isfinite(z[:, own])
        values = np.where(there, z[:, own], 0.0)
        number = np.maximum(there.sum(axis=-1, keepdims=True), 1)
        centred = np.where(there, r.time[own] - (there * r.time[own]).sum(axis=-1, keepdims=True) / number, 0.0)
        width = (centred**2).sum(axis=-1)
        enough = (there.sum(axis=-1) >= 3) & (width > 0)
        slope = (centred * values).sum(axis=-1) / np.sqrt(np.where(enough, width, 1.0))
        squares += np.where(enough, slope**2, 0.0)
        counts += enough
    return 0.5 * np.log(np.maximum(squares, 1e-12) / np.maximum(counts, 1))
