"""How well chains have mixed: R-hat and effective draws of many quantities at once.

Reference: Vehtari, Gelman, Simpson, Carpenter and Burkner (2021), https://doi.org/10.1214/20-BA1221.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import batched

import numpy as np
from arviz_stats.base import array_stats

TAILS = (0.05, 0.95)
AT_ONCE = 256  # quantities: what bounds the memory


@dataclass(frozen=True)
class Diagnostics:
    """rhat: near 1 where the chains agree; ess_bulk, ess_tail: independent draws worth, for the middle and the tails;
    mcse: Monte Carlo standard error of the mean. NaN where every draw is the same, or one is not finite."""

    rhat: float
    ess_bulk: float
    ess_tail: float
    mcse: float

    @property
    def ess(self) -> float:
        """The smaller of the two."""
        return min(self.ess_bulk, self.ess_tail)


def diagnose(quantities: Mapping[str, np.ndarray]) -> dict[str, Diagnostics]:
    """Diagnostics of (chain, draw) quantities by name."""
    by_name: dict[str, Diagnostics] = {}
    for names in batched(quantities, AT_ONCE):
        stacked = np.stack([np.asarray(quantities[name], dtype=float) for name in names])
        moving = np.isfinite(stacked).all(axis=(1, 2)) & (stacked.max(axis=(1, 2)) > stacked.min(axis=(1, 2)))
        numbers = np.full((4, len(names)), np.nan)
        if moving.any():
            draws = stacked[moving]
            with np.errstate(all="ignore"):  # chains of which none moves: their R-hat is infinite
                numbers[:, moving] = [
                    array_stats.rhat(draws, method="rank"),
                    array_stats.ess(draws, method="bulk"),
                    array_stats.ess(draws, method="tail", prob=TAILS),
                    array_stats.mcse(draws, method="mean"),
                ]
        by_name |= {name: Diagnostics(*map(float, column)) for name, column in zip(names, numbers.T, strict=True)}
    return by_name


@dataclass(frozen=True)
class Mixing:
    """What is asked of every quantity: R-hat at most, effective draws (bulk and tail) at least; NaN is not judged."""

    rhat: float = 1.01
    ess: float = 400.0

    def holds(self, diagnosed: Collection[Diagnostics]) -> bool:
        return not any(d.rhat > self.rhat or d.ess < self.ess for d in diagnosed)
