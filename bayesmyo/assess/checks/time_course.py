"""Does the model's curve go through the measurements at every time, and do new patients spread around it as these do?"""

from dataclasses import dataclass

import numpy as np

from bayesmyo.assess.checks.check import CheckResult
from bayesmyo.assess.checks.findings import Finding, finding, span, verdict
from bayesmyo.assess.checks.moments import bins, mean, subject
from bayesmyo.assess.replicated import Replicated, replicated
from bayesmyo.components.numbers import significant
from bayesmyo.model.fit import Fit

MOST, LEAST = 6, 20  # bins of time, measurements in each
QUANTILES = {0.1: "10 % quantile", 0.5: "median", 0.9: "90 % quantile"}
ELSEWHERE = {
    "constant": "the outcome changes; try the trajectory linear or plateau",
    "linear": "a straight line through what levels off or turns looks like this; try the trajectory plateau, or log",
    "log": "try the trajectory plateau, or spline",
    "plateau": "a relapse or a second phase looks like this; try the trajectory spline or piecewise",
    "piecewise": "try other knots, or the trajectory spline",
    "spline": "try more knots",
}


@dataclass(frozen=True)
class TimeCourse:
    """A visual predictive check in numbers, in bins of time with about equal counts.

    The 10, 50 and 90 % quantiles of the measurements against those of new patients at the same visits, and the mean residual
    around these patients' own curves, which sees a wrong curve even where patients differ much. As for a prediction-corrected check
    (Bergstrand et al. 2011, https://doi.org/10.1208/s12248-011-9255-z), covariates and visits are the patients' own.
    shift: the mean residual that matters, in SDs of a measurement; share: by how much more than the data's share of measurements
    below the predicted quantile must differ from its own
    """

    name: str = "time course"
    shift: float = 0.25
    share: float = 0.1

    def run(self, fit: Fit) -> CheckResult:
        replicates = replicated(fit)
        findings: list[Finding] = []
        for r in replicates.outcomes.values():
            for cells in bins(r.time, MOST, LEAST):
                findings.append(self._mean(fit, r, cells))
                if len(np.unique(r.y)) > 2:
                    findings += [self._quantile(fit, r, cells, q) for q in QUANTILES]
        return verdict(self.name, "Levels and quantiles over time are", fit, replicates, findings)

    def _mean(self, fit: Fit, r: Replicated, cells: np.ndarray) -> Finding:
        data, drawn = mean(r.residual[:, cells]), mean(r.expected[:, cells])
        observed = float(np.median(data))
        when = window(fit, r, cells)
        misfit = (
            f"Measurements of {subject(fit.study, r.outcome)} {when} lie {abs(observed):.2f} SD "
            f"{'above' if observed > 0 else 'below'} the patients' own curves on average ({span(drawn, '{:.2f}')} is predicted): "
            f"{ELSEWHERE[fit.study.outcomes[r.outcome].trajectory.kind]}."
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
        remedy = (
            ELSEWHERE[o.trajectory.kind]
            if q == 0.5
            else "patients differ otherwise than the model says; try other effects"
        )
        misfit = (
            f"The {QUANTILES[q]} of {subject(fit.study, r.outcome)} {when} is {significant(observed)} {o.unit} "
            f"({ends} is predicted for new patients at these visits): {remedy}."
        )
        return finding(
            r.outcome,
            f"{QUANTILES[q]} {when}",
            observed,
            drawn,
            abs(below - q) > self.share * min(1, 4 * q * (1 - q)),
            misfit,
        )


def window(fit: Fit, r: Replicated, cells: np.ndarray) -> str:
    """When the measurements of a bin were taken, in words."""
    first, last = float(r.time[cells].min()), float(r.time[cells].max())
    unit = fit.study.time.unit
    return f"at {unit} {first:.3g}" if first == last else f"from {unit} {first:.3g} to {last:.3g}"
