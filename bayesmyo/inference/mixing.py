"""Have chains mixed? And where draws are merely too few: sampling on.

Reference: Vehtari, Gelman, Simpson, Carpenter and Burkner (2021), https://doi.org/10.1214/20-BA1221. Their rule,
R-hat below 1.01 and at least 400 effective draws, is for one quantity; a fit has dozens to thousands. Of M
half-chains that have mixed perfectly and are worth S effective draws together, the variance of their means is M / S
times that within them, times a chi-squared variable over its M - 1 degrees of freedom, so

    R-hat^2  ~  1 + (M / S) chi2(M - 1) / (M - 1).

For four chains (M = 8) it exceeds 1.01 by chance with probability 0.43 at S = 400, 0.014 at 1,000 and 1e-5 at 2,000:
of fits with 60 such quantities, more than one in two is blamed at S = 1,000, and hardly any once the same chains are
twice as long. That is why the limit stays, and chains that miss it by little are sampled on.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from itertools import batched

import numpy as np
from arviz_stats.base import array_stats

from bayesmyo.inference.engines import Sampling

TAILS = (0.05, 0.95)
AT_ONCE = 256  # quantities: what bounds the memory
TIMES = 4  # as long, where chains are sampled on


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


MIXED = Mixing()
WITHIN_REACH = Mixing(rhat=1.1, ess=MIXED.ess / TIMES)  # what chains that are sampled on can still mend


def too_few(draws: Collection[Diagnostics]) -> bool:
    """Whether chains have not mixed, but would if they were longer; such as sit apart, in two modes, would not."""
    return not MIXED.holds(draws) and WITHIN_REACH.holds(draws)


def longer(sampling: Sampling) -> Sampling:
    """The same chains, continued: four times as many draws are sampled, and as many kept as before."""
    return replace(sampling, every=TIMES * sampling.every)


def sampled_on[T](sample: Callable[[Sampling, int], T], sampling: Sampling, short: Callable[[T], bool]) -> T:
    """What `sample` finds at its first attempt; where that is `short`, at its second, with the same chains continued.

    An engine cannot resume, so the chains are sampled from their seed again: their first draws are those that were
    too few. Chains under another seed would be another chance, which two modes pass as often as all chains start in
    one of them.
    """
    first = sample(sampling, 1)
    if not short(first):
        return first
    del first  # before there is another one: it may be large
    return sample(longer(sampling), 2)
