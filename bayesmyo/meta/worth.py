"""What a distribution is worth in patients.

By moments: a normal distribution with the same mean and SD is worth (sigma / SD)^2 patients who each tell of the number
with SD sigma, and a beta distribution of a probability a + b of them. What is added by an informative distribution to
one that would have been used otherwise is the difference of the two: then it grows by one with each patient, whatever
came before.

ELIR: the expected local-information ratio (Neuenschwander, Weber, Schmidli and O'Hagan 2020,
https://doi.org/10.1111/biom.13252): the information of the distribution, over that of one patient, on average.
"""

from collections.abc import Callable

import numpy as np
from scipy import special

from bayesmyo.meta.normals import Normals

Array = np.ndarray


def by_moments(of: Normals, sigma: float | None) -> float:
    """Patients, where each tells of the number with SD sigma; None: each is a yes or a no, and the number is on the
    logit.
    """
    if sigma is not None:
        return (sigma / of.sd) ** 2
    mean, sd = of.moments(special.expit)
    return mean * (1 - mean) / sd**2 - 1


def elir(of: Normals, sigma: float | None) -> float:
    """The expected local-information ratio, in patients; arguments as of `by_moments`."""
    x = of.grid()
    weight = of.density(x)
    return float((weight * of.information(x) / _each(sigma)(x)).sum() / weight.sum())


def _each(sigma: float | None) -> Callable[[Array], Array]:
    """The information of one patient."""
    if sigma is not None:
        return lambda x: np.full_like(x, sigma**-2)
    return lambda x: np.asarray(special.expit(x) * special.expit(-x))


__all__ = ["by_moments", "elir"]
