"""Statistics of residuals (draw, n), one for each draw; cells without a residual (NaN) are left out."""

import numpy as np

from bayesmyo.components.numbers import in_sentence
from bayesmyo.study.predictors import effects, predictors
from bayesmyo.study.study import Study

Array = np.ndarray


def mean(z: Array) -> Array:
    there = np.isfinite(z)
    return np.where(there, z, 0.0).sum(axis=-1) / np.maximum(there.sum(axis=-1), 1)


def spread(z: Array) -> Array:
    """Root mean square."""
    return np.sqrt(mean(z**2))


def skewness(z: Array) -> Array:
    centred = z - mean(z)[..., None]
    return mean(centred**3) / np.maximum(mean(centred**2), 1e-12) ** 1.5


def extreme(z: Array) -> Array:
    """Log of the largest, on either side: on the log its tail is like a normal one."""
    return np.log(np.maximum(np.abs(np.where(np.isfinite(z), z, 0.0)).max(axis=-1), 1e-12))


def bins(time: Array, most: int, least: int) -> list[Array]:
    """Positions of the cells in each of at most `most` bins of time with about equal counts, at least `least` in each."""
    count = max(1, min(most, len(time) // least))
    edges = np.unique(np.quantile(time, np.linspace(0, 1, count + 1)[1:-1]))
    which = np.searchsorted(edges, time, side="right")
    found = [np.flatnonzero(which == k) for k in range(len(edges) + 1)]
    return [f for f in found if len(f) >= least]


def subject(study: Study, outcome: str) -> str:
    return in_sentence(study.label(outcome))


def free_effects(study: Study, outcome: str) -> list[str]:
    """Coefficients of the location in which patients could differ and do not, changes before levels."""
    location = predictors(study, outcome)[0]
    taken = {e.coefficient for e in effects(study, outcome) if e.predictor == location.name}
    listed = [c for c in location.coefficients if c.may_vary and c.name not in taken and c.fixed is None]
    return [c.name for c in sorted(listed, key=lambda c: (not c.linear, c.nature == "level"))]
