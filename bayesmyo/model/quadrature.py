"""Averages over patients who could be drawn: the mean of a function of normal predictors, by the trapezoid rule."""

from collections.abc import Callable, Sequence

import numpy as np

Array = np.ndarray
Etas = dict[str, Array]


def normal_nodes(nodes: int, reach: float) -> tuple[Array, Array]:
    """Nodes and weights for the mean over a standard normal: the trapezoid rule, which is all but exact for smooth functions.

    Gauss-Hermite nodes lose two digits where patients differ by 5 on the logit; these do not (Trefethen and Weideman 2014,
    https://doi.org/10.1137/130932132).
    """
    x = np.linspace(-reach, reach, nodes)
    w = np.exp(-(x**2) / 2)
    return x, w / w.sum()


ONE, TWO, OUTER = normal_nodes(91, 9.0), normal_nodes(37, 7.0), normal_nodes(31, 6.0)


def normal_mean(names: Sequence[str], etas: Etas, variance: Array, function: Callable[[Etas], Array]) -> Array:
    """(...,) the mean of a function of one or two jointly normal predictors.

    names: of the predictors; etas: their centres, (..., 1); variance: (..., predictor, predictor)
    """
    first = names[0]
    v00 = variance[..., 0, 0, None]
    if len(names) == 1:
        nodes, weights = ONE
        return np.asarray(function({first: etas[first] + np.sqrt(v00) * nodes}) @ weights)
    second = names[1]
    nodes, weights = TWO
    root = np.sqrt(v00)
    if not variance[..., 0, 1].any():  # independent: each function of one predictor is computed once
        apart = {
            first: (etas[first] + root * nodes)[..., :, None],
            second: (etas[second] + np.sqrt(variance[..., 1, 1, None]) * nodes)[..., None, :],
        }
        found = np.asarray(function(apart))
        return np.asarray(np.broadcast_to(found, (*found.shape[:-2], len(nodes), len(nodes))) @ weights @ weights)
    x, y = (a.ravel() for a in np.meshgrid(nodes, nodes))
    w = np.outer(weights, weights).ravel()
    slope = np.divide(variance[..., 0, 1, None], root, out=np.zeros_like(root), where=root > 0)
    rest = np.sqrt(np.maximum(variance[..., 1, 1, None] - slope**2, 0.0))
    return np.asarray(function({first: etas[first] + root * x, second: etas[second] + slope * x + rest * y}) @ w)
