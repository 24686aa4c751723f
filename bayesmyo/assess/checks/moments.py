"""Statistics of residuals (draw, n), one for each draw; cells without a residual (NaN) are left out."""

from collections.abc import Sequence

import numpy as np

from bayesmyo.components.numbers import in_sentence
from bayesmyo.study.predictors import effects, predictors
from bayesmyo.study.study import Study

Array = np.ndarray
FEW = 5  # cells: fewer are no bin of their own


def mean(z: Array) -> Array:
    """Of what there is along the last axis, NaN left out; 0 of nothing."""
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


def bins(time: Array, most: int, least: int, cuts: Sequence[float] = (), few: int = FEW) -> list[Array]:
    """Bins of time, with about equal counts; every cell is in one.

    Parameters
    ----------
    time : ndarray (n,)
        Of the cells.
    most, least : int
        About how many bins, and at least how many cells in each, where there are as many in all.
    cuts : sequence of float
        Times over which no bin reaches, which belong to what follows: between two cuts there is at least one bin,
        unless fewer than `few` cells are there, which are joined to their neighbours.

    Returns
    -------
    list of ndarray
        Positions of the cells in each bin, in order.
    """
    parts = joined(_split(time, cuts), few)
    total = min(most, len(time) // least)
    bins_of: list[Array] = []
    for cells in parts:
        count = max(1, min(round(total * len(cells) / len(time)), len(cells) // least))
        edges = np.unique(np.quantile(time[cells], np.linspace(0, 1, count + 1)[1:-1]))
        bins_of += joined([cells[group] for group in _split(time[cells], edges)], least)
    return bins_of


def _split(time: Array, edges: Sequence[float] | Array) -> list[Array]:
    which = np.searchsorted(np.asarray(edges, dtype=float), time, side="right")
    return [np.flatnonzero(which == k) for k in range(len(edges) + 1)]


def joined(groups: Sequence[Array], least: int) -> list[Array]:
    """Groups of positions in order, each of fewer than `least` joined to a neighbour: none is lost."""
    kept: list[Array] = []
    for group in groups:
        if kept and min(len(kept[-1]), len(group)) < least:
            kept[-1] = np.union1d(kept[-1], group)
        else:
            kept.append(group)
    return kept


def subject(study: Study, outcome: str) -> str:
    return in_sentence(study.label(outcome))


def free_effects(study: Study, outcome: str) -> list[str]:
    """Coefficients of the location in which patients could differ and do not, changes before levels."""
    location = predictors(study, outcome)[0]
    taken = {e.coefficient for e in effects(study, outcome) if e.predictor == location.name}
    listed = [c for c in location.coefficients if c.may_vary and c.name not in taken and c.fixed is None]
    return [c.name for c in sorted(listed, key=lambda c: (not c.linear, c.nature == "level"))]
