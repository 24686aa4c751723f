"""Are grades, or yes and no, as probable as the model says they are?"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.optimize import isotonic_regression
from scipy.special import logsumexp

from bayesmyo.assess.checks.findings import Finding, Predictive, finding, span
from bayesmyo.assess.checks.moments import subject
from bayesmyo.assess.replicated import Replicated
from bayesmyo.components.families import Cells
from bayesmyo.inference.fit import Fit
from bayesmyo.model.residuals import log_density

DRAWS = 200
RARE = 5  # measurements on either side of a grade


@dataclass(frozen=True)
class Grades(Predictive):
    """Calibration of P(y >= grade), for families of grades and of yes and no.

    Each draw's probabilities are set beside the shares that a monotone regression finds (pool-adjacent-violators), for
    the data and for the replicate of that draw: the root mean square difference, and the share of measurements at or
    above the grade, over all and over the later half of the visits.
    error: the excess of the difference that matters; share: the difference between shares that matters

    References
    ----------
    Dimitriadis et al. (2021), https://doi.org/10.1073/pnas.2016191118
    """

    name: str = "calibration of grades"
    error: float = 0.04
    share: float = 0.05
    told: ClassVar[str] = "Frequencies and calibration of grades are"
    none: ClassVar[str] = "no outcome is of grades, or of yes and no"

    def judge(self, fit: Fit, r: Replicated) -> Iterator[Finding]:
        family = fit.study.outcomes[r.outcome].family
        if not (family.ordinal or family.binary):
            return
        some = np.linspace(0, len(r.drawn) - 1, min(DRAWS, len(r.drawn))).astype(np.int64)
        times = ((np.full(len(r), True), ""), (r.time >= np.median(r.time), " in the later half of the visits"))
        other, why = "a covariate", "the model's course over time is not that of the measurements"
        if family.ordinal:
            other, why = "merge grades", "the step between these grades is not the same at all levels or times"
        remedy = f"{why}; try another trajectory, or {other}"
        for grade, probability in reach(fit, r, some).items():
            data, drawn = r.y >= grade, r.drawn[some] >= grade
            if min(data.sum(), (~data).sum()) < RARE:
                continue
            word = f"{grade:g} or higher" if len(np.unique(r.y)) > 2 else "yes"
            yield self._calibration(fit, r, word, data, drawn, probability)
            for chosen, when in times:
                observed, shares = float(data[chosen].mean()), drawn[:, chosen].mean(axis=-1)
                misfit = (
                    f"{observed:.0%} of the measurements of {subject(fit.study, r.outcome)} are {word}{when} "
                    f"({span(shares, '.0%')} is predicted): {remedy}."
                )
                matters = abs(observed - float(shares.mean())) > self.share
                yield finding(r.outcome, f"share {word}{when}", observed, shares, matters, misfit)

    def _calibration(
        self, fit: Fit, r: Replicated, word: str, data: np.ndarray, drawn: np.ndarray, probability: np.ndarray
    ) -> Finding:
        ours = np.array([miscalibration(p, data) for p in probability])
        theirs = np.array([miscalibration(p, y) for p, y in zip(probability, drawn, strict=True)])
        grades = fit.study.outcomes[r.outcome].family.ordinal
        remedy = "another link, or merge grades" if grades else "or another trajectory"
        misfit = (
            f"Probabilities that {subject(fit.study, r.outcome)} is {word} are off by {np.median(ours):.2f} on average "
            f"({span(theirs, '.2f')} is predicted): try other effects, {remedy}."
        )
        matters = float(np.median(ours) - np.median(theirs)) > self.error
        return finding(r.outcome, f"calibration of {word}", ours, theirs, matters, misfit)


def reach(fit: Fit, r: Replicated, some: np.ndarray) -> dict[float, np.ndarray]:
    """Probabilities of each grade but the lowest, or a higher one.

    Parameters
    ----------
    some : ndarray (draw,)
        Positions of the draws of `r` that are asked.

    Returns
    -------
    dict
        Grade -> (draw, n) probability.
    """
    o = fit.study.outcomes[r.outcome]
    family = o.family
    texts = family.texts()
    grades = np.unique(list(texts.values())) if texts is not None else np.array([0.0, 1.0])
    etas, aux = ({k: v[some] for k, v in of.items()} for of in (r.etas, r.aux))
    with np.errstate(all="ignore"):
        log = np.stack([log_density(o, Cells(family.encode(np.full(len(r), g))), etas, aux) for g in grades])
    return {float(g): np.exp(logsumexp(log[k:], axis=0)) for k, g in enumerate(grades) if k}


def miscalibration(probability: np.ndarray, reached: np.ndarray) -> float:
    """Root mean square difference between probabilities and the shares that a monotone regression finds for them."""
    order = np.argsort(probability, kind="stable")
    fitted = isotonic_regression(reached[order].astype(float)).x
    return float(np.sqrt(np.mean((fitted - probability[order]) ** 2)))
