"""Does the curve go through the measurements at every time, and do new patients spread around it as these do?"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from bayesmyo.assess.checks.findings import Finding, Predictive, finding, span
from bayesmyo.assess.checks.moments import FEW, bins, mean, subject
from bayesmyo.assess.replicated import Replicated
from bayesmyo.components.numbers import significant
from bayesmyo.inference.fit import Fit
from bayesmyo.study.study import Outcome, Study

MOST, LEAST = 6, 20  # bins of time, measurements in each
QUANTILES = {0.1: "10 % quantile", 0.5: "median", 0.9: "90 % quantile"}


@dataclass(frozen=True)
class TimeCourse(Predictive):
    """A visual predictive check in numbers, in bins of time with about equal counts.

    The 10, 50 and 90 % quantiles of the measurements against those of new patients at the same visits, and the mean
    residual around these patients' own curves, which sees a wrong curve even where patients differ much. As for a
    prediction-corrected check, covariates and visits are the patients' own. Visits before the start of treatment, where
    a curve stands still, are bins of their own (`starts`).
    shift: the mean residual that matters, in SDs of a measurement; share: by how much more than the data's share of
    measurements below the predicted quantile must differ from its own

    References
    ----------
    Bergstrand et al. (2011), https://doi.org/10.1208/s12248-011-9255-z
    """

    name: str = "time course"
    shift: float = 0.25
    share: float = 0.1
    told: ClassVar[str] = "Levels and quantiles over time are"

    def judge(self, fit: Fit, r: Replicated) -> Iterator[Finding | str]:
        start = fit.study.outcomes[r.outcome].trajectory.start
        if 0 < (early := int(np.sum(r.time < start))) < FEW:
            them = "1 measurement" if early == 1 else f"{early} measurements"
            yield f"its {them} before {fit.study.time.unit} {start:g} by themselves, too few"
        for cells in stretches(fit.study, r):
            yield self._mean(fit, r, cells)
            for q in QUANTILES if len(np.unique(r.y)) > 2 else ():
                yield self._quantile(fit, r, cells, q)

    def _mean(self, fit: Fit, r: Replicated, cells: np.ndarray) -> Finding:
        data, drawn = mean(r.residual[:, cells]), mean(r.expected[:, cells])
        observed = float(np.median(data))
        when = window(fit, r, cells)
        misfit = (
            f"Measurements of {subject(fit.study, r.outcome)} {when} lie {abs(observed):.2f} SD "
            f"{'above' if observed > 0 else 'below'} the patients' own curves on average "
            f"({span(drawn, '.2f')} is predicted): {remedy(fit.study, r, cells)}."
        )
        matters = abs(observed - float(np.median(drawn))) > self.shift
        return finding(r.outcome, f"mean residual {when}", data, drawn, matters, misfit)

    def _quantile(self, fit: Fit, r: Replicated, cells: np.ndarray, q: float) -> Finding:
        observed = float(np.quantile(r.y[cells], q))
        drawn = np.quantile(r.new[:, cells], q, axis=-1)
        when, o = window(fit, r, cells), fit.study.outcomes[r.outcome]
        level = float(np.median(drawn))
        below = float(np.mean(r.y[cells] < level) + np.mean(r.y[cells] == level) / 2)
        ends = " to ".join(significant(float(v)) for v in np.quantile(drawn, [0.025, 0.975]))
        otherwise = "patients differ otherwise than the model says; try other effects"
        advice = remedy(fit.study, r, cells, None if q == 0.5 else otherwise)
        misfit = (
            f"The {QUANTILES[q]} of {subject(fit.study, r.outcome)} {when} is {significant(observed)} {o.unit} "
            f"({ends} is predicted for new patients at these visits): {advice}."
        )
        matters = abs(below - q) > self.share * min(1, 4 * q * (1 - q))
        # where few cells are in a bin, the tail of their quantiles is a normal one only on the scale of the model
        straightened, back = scale_of(o, r)
        data, predicted = straightened(observed), straightened(drawn)
        return finding(r.outcome, f"{QUANTILES[q]} {when}", data, predicted, matters, misfit, back)


def scale_of(o: Outcome, r: Replicated) -> tuple[Callable[..., Any], Callable[[float], float]]:
    """To the scale on which quantiles are about normal, and back: the log of the model, or the root with zeros."""
    if not o.family.multiplicative:
        return np.asarray, float
    positive = min(float(r.y.min()), float(r.new.min())) > 0
    return (np.log, np.exp) if positive else (np.sqrt, np.square)


def starts(study: Study, outcome: str) -> tuple[float, ...]:
    """The times over which no bin may reach: the start of treatment, and an earlier one of the curve."""
    start = study.outcomes[outcome].trajectory.start
    return tuple(sorted({start, 0.0})) if np.isfinite(start) else ()


def stretches(study: Study, r: Replicated) -> list[np.ndarray]:
    """The bins of time in which an outcome is judged: positions of the cells of each."""
    return bins(r.time, MOST, LEAST, starts(study, r.outcome))


def remedy(study: Study, r: Replicated, cells: np.ndarray, otherwise: str | None = None) -> str:
    """What to try where a bin is not as predicted; otherwise: in place of another trajectory, after the start."""
    trajectory = study.outcomes[r.outcome].trajectory
    if r.time[cells].max() < trajectory.start:
        return trajectory.earlier
    return otherwise or trajectory.elsewhere


def window(fit: Fit, r: Replicated, cells: np.ndarray) -> str:
    """When the measurements of a bin were taken, in words."""
    first, last = float(r.time[cells].min()), float(r.time[cells].max())
    unit = fit.study.time.unit
    early = last < 0 and np.isfinite(fit.study.outcomes[r.outcome].trajectory.start)
    before = " (before treatment)" if early else ""
    return f"at {unit} {first:.3g}{before}" if first == last else f"from {unit} {first:.3g} to {last:.3g}{before}"
