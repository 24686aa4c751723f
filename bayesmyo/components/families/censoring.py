"""Cells known only to lie beyond a limit: `<20` contributes P(y <= 20), `>2000` contributes P(y >= 2000).

Reference: Tobin (1958), https://doi.org/10.2307/1907382.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from bayesmyo.components.families.family import Cells


def log_density(
    cells: Cells,
    density: Callable[[Any], np.ndarray],
    below: Callable[[Any], np.ndarray],
    above: Callable[[Any], np.ndarray],
) -> np.ndarray:
    """Pick, cell by cell, the log density or the log probability of lying beyond the limit."""
    if cells.lower is None:
        return density(cells.value)
    left, right = np.isfinite(cells.lower), np.isfinite(cells.upper)
    return np.where(left, below(cells.value), np.where(right, above(cells.value), density(cells.value)))
