"""Correlated residuals made uncorrelated: C^-1 X and log det C of many small covariances V = C C'.

PyTensor's Cholesky factor and triangular solve, and above all their gradients, are built for a few large matrices; here
are many of a few visits each. One loop over patients, compiled by numba, does it all, with its gradient in closed form.
Given Y = C^-1 X and the gradients Y^ and l of Y and log det C, those of X and V are, with S the symmetric matrix whose
lower triangle is that of l I - Y^ Y',

    X^ = C'^-1 Y^        V^ = 1/2 C'^-1 S C^-1

Reference: Murray (2016), https://doi.org/10.48550/arXiv.1602.07527, where C^ is that of a triangular solve.
"""

import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.basic import Apply
from pytensor.graph.op import Op
from pytensor.link.numba.dispatch.basic import numba_njit, register_funcify_default_op_cache_key


def whiten(covariance: Any, right: Any) -> tuple[Any, Any]:
    """Solutions of C Y = X, and the sum of the logarithms of the diagonals of every C; NaN where a V is no covariance.

    Parameters
    ----------
    covariance : (patient, n, n) tensor V = C C', of which the lower triangle is read
    right : (patient, n, k) tensor X

    Returns
    -------
    (patient, n, k) tensor Y, and a scalar
    """
    solved, log_det, _ = _Whiten()(covariance, right)
    return solved, log_det


def _forward(covariance: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    factor, solved, log_det = np.zeros(covariance.shape), np.empty(right.shape), 0.0
    patients, n, k = right.shape
    for p in range(patients):
        c, y = factor[p], solved[p]
        for i in range(n):
            for j in range(i + 1):
                rest = covariance[p, i, j]
                for m in range(j):
                    rest -= c[i, m] * c[j, m]
                c[i, j] = rest / c[j, j] if j < i else np.sqrt(rest)
            log_det += np.log(c[i, i])
            for q in range(k):
                rest = right[p, i, q]
                for m in range(i):
                    rest -= c[i, m] * y[m, q]
                y[i, q] = rest / c[i, i]
    return solved, np.asarray(log_det), factor


def _backward(
    factor: np.ndarray, solved: np.ndarray, of_solved: np.ndarray, of_log_det: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    def back(c: np.ndarray, right: np.ndarray) -> None:
        """C'^-1 of the columns of a matrix, in its place."""
        for q in range(right.shape[1]):
            for i in range(len(c) - 1, -1, -1):
                rest = right[i, q]
                for m in range(i + 1, len(c)):
                    rest -= c[m, i] * right[m, q]
                right[i, q] = rest / c[i, i]

    of_covariance, of_right = np.empty(factor.shape), of_solved.copy()
    patients, n, k = solved.shape
    for p in range(patients):
        s = of_covariance[p]
        for i in range(n):
            for j in range(i + 1):
                rest = of_log_det.item() if i == j else 0.0
                for q in range(k):
                    rest -= of_solved[p, i, q] * solved[p, j, q]
                s[i, j] = s[j, i] = rest / 2
        back(factor[p], s)
        back(factor[p], s.T)
        back(factor[p], of_right[p])
    return of_covariance, of_right


class _Loop(Op):  # type: ignore[misc]
    """A loop over patients: Python's where nothing is compiled, else numba's."""

    __props__ = ()
    loop: ClassVar[Callable[..., tuple[np.ndarray, ...]]]

    def perform(self, node: Any, inputs: Sequence[np.ndarray], outputs: Any) -> None:
        with np.errstate(invalid="ignore", divide="ignore"):
            for storage, result in zip(outputs, type(self).loop(*inputs), strict=True):
                storage[0] = result


class _Whiten(_Loop):
    loop = staticmethod(_forward)

    def make_node(self, covariance: Any, right: Any) -> Apply:
        return Apply(self, [covariance, right], [right.type(), pt.dscalar(), covariance.type()])

    def pullback(self, inputs: Any, outputs: Any, cotangents: Any) -> list[Any]:
        solved, _, factor = outputs
        of_solved, of_log_det, _ = cotangents
        return _OfWhiten()(factor, solved, of_solved, of_log_det)


class _OfWhiten(_Loop):
    loop = staticmethod(_backward)

    def make_node(self, factor: Any, solved: Any, of_solved: Any, of_log_det: Any) -> Apply:
        return Apply(self, [factor, solved, of_solved, of_log_det], [factor.type(), solved.type()])


@register_funcify_default_op_cache_key(_Loop)  # type: ignore[untyped-decorator]
def _compiled(op: _Loop, **_: Any) -> tuple[Callable[..., Any], int]:
    """The loop for numba, and what changes with it: a compile cache outlives a version of this file."""
    return numba_njit(type(op).loop), zlib.crc32(Path(__file__).read_bytes())
