"""Averages over patients who could be drawn: the mean of a function of normal predictors, by the trapezoid rule."""

from collections.abc import Callable

import numpy as np

Array = np.ndarray
Etas = dict[str, Array]


def normal_nodes(nodes: int, reach: float) -> tuple[Array, Array]:
    """Nodes and weights for the mean over a standard normal: the trapezoid rule, which is all but exact for smooth
    functions.

    Gauss-Hermite nodes lose two digits where patients differ by 5 on the logit; these do not (Trefethen and Weideman
    2014, https://doi.org/10.1137/130932132).
    """
    x = np.linspace(-reach, reach, nodes)
    w = np.exp(-(x**2) / 2)
    return x, w / w.sum()


ONE, TWO, MORE, OUTER = normal_nodes(91, 9.0), normal_nodes(37, 7.0), normal_nodes(15, 5.0), normal_nodes(31, 6.0)


def normal_mean(etas: Etas, variance: Array, function: Callable[[Etas], Array]) -> Array:
    """(...,) the mean of a function of jointly normal predictors.

    etas: centres by name, (..., 1); variance: (..., predictor, predictor), in the same order. Predictors in which
        nobody differs take no
    nodes; of those that are left, one has 91, two have 37 each, more have 15 each.
    """
    names = [name for i, name in enumerate(etas) if variance[..., i, i].any()]
    places = [i for i, name in enumerate(etas) if name in names]
    variance = variance[..., places, :][..., places]
    if not names:
        return np.asarray(function(etas))[..., 0]
    if len(names) == 1:
        nodes, weights = ONE
        moved = etas[names[0]] + np.sqrt(variance[..., 0, 0, None]) * nodes
        return np.asarray(function({**etas, names[0]: moved}) @ weights)
    if (
        len(names) == 2 and not variance[..., 0, 1].any()
    ):  # independent: each function of one predictor is computed once
        nodes, weights = TWO
        spread = np.sqrt(np.diagonal(variance, axis1=-2, axis2=-1))
        apart = {name: eta[..., None] for name, eta in etas.items()}
        apart[names[0]] = (etas[names[0]] + spread[..., 0, None] * nodes)[..., :, None]
        apart[names[1]] = (etas[names[1]] + spread[..., 1, None] * nodes)[..., None, :]
        at_nodes = np.asarray(function(apart))
        return np.asarray(np.broadcast_to(at_nodes, (*at_nodes.shape[:-2], len(nodes), len(nodes))) @ weights @ weights)
    nodes, weights = TWO if len(names) == 2 else MORE
    grid = np.stack([a.ravel() for a in np.meshgrid(*[nodes] * len(names))])
    weight = np.prod(np.stack([a.ravel() for a in np.meshgrid(*[weights] * len(names))]), axis=0)
    moved = semidefinite_root(variance) @ grid
    return np.asarray(function({**etas, **{n: etas[n] + moved[..., i, :] for i, n in enumerate(names)}}) @ weight)


def semidefinite_root(variance: Array) -> Array:
    """The Cholesky factor of covariances, column by column, which a predictor that follows from those before does not
    stop.
    """
    root = np.zeros_like(variance)
    for i in range(variance.shape[-1]):
        for j in range(i + 1):
            rest = variance[..., i, j] - (root[..., i, :j] * root[..., j, :j]).sum(axis=-1)
            if i == j:
                root[..., i, i] = np.sqrt(np.maximum(rest, 0.0))
            else:
                root[..., i, j] = np.divide(rest, root[..., j, j], out=np.zeros_like(rest), where=root[..., j, j] > 0)
    return root
