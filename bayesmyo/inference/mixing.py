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

from collections.abc import Callable, Collection
from dataclasses import replace

from bayesmyo.inference.diagnostics import Diagnostics, Mixing
from bayesmyo.inference.engines import Sampling

TIMES = 4  # as long, where chains are sampled on


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
