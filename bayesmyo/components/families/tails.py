"""Logarithms of probabilities in PyTensor, finite with finite gradients however far out a cell lies.

Nothing here is used by `draw` or `log_density`, which are written in NumPy and SciPy.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

# Double-exponential quadrature on (0, inf) (Takahasi and Mori 1974, https://doi.org/10.2977/prims/1195192451).
_STEP = 0.15
_GRID = np.arange(-3.0, 4.21, _STEP)
_NODES = np.exp(_GRID - np.exp(-_GRID))
_LOG_WEIGHTS = np.log(_NODES * (1 + np.exp(-_GRID)) * _STEP)


def log1mexp(pm: Any, x: Any) -> Any:
    """log(1 - exp(x)) of a negative x."""
    return pm.math.log(-pm.math.expm1(x))


def log_sigmoid(pm: Any, x: Any) -> Any:
    """log(1 / (1 + exp(-x)))."""
    return -pm.math.softplus(-x)


def log_ndtr(pm: Any, z: Any) -> Any:
    """log of the standard normal distribution function."""
    pt = pm.math.pt
    left, right = pt.minimum(z, 0.0), pt.maximum(z, 0.0)  # the branch that is not taken must have a finite gradient
    tail = pt.log(pt.erfcx(-left / np.sqrt(2)) / 2) - left**2 / 2
    return pt.switch(z < 0, tail, pt.log1p(-pt.erfc(right / np.sqrt(2)) / 2))


def log_logistic_between(pm: Any, a: Any, b: Any) -> Any:
    """log(F(b) - F(a)) of the standard logistic distribution, a < b."""
    return log_sigmoid(pm, b) + log_sigmoid(pm, -a) + log1mexp(pm, pm.math.minimum(a - b, -1e-12))


def log_normal_between(pm: Any, a: Any, b: Any) -> Any:
    """log(F(b) - F(a)) of the standard normal distribution, a < b; taken in the tail that is nearer."""
    above = a + b > 0
    larger = log_ndtr(pm, pm.math.switch(above, -a, b))
    smaller = log_ndtr(pm, pm.math.switch(above, -b, a))
    return larger + log1mexp(pm, pm.math.minimum(smaller - larger, -1e-12))


def log_integral(pm: Any, exponent: Callable[[Any], Any], rate: Any) -> Any:
    """log of the integral of exp(exponent(v)) over v > 0, cell by cell.

    The exponent falls from 0 at v = 0, roughly like -rate * v; it is handed v with the nodes along a last axis.
    """
    nodes = _NODES / pm.math.pt.shape_padright(rate)
    return pm.math.logsumexp(exponent(nodes) + _LOG_WEIGHTS, axis=-1) - pm.math.log(rate)
