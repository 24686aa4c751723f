"""The design prior that comes close to draws of a parameter."""

import numpy as np
from scipy import optimize

from bayesmyo.components.priors import Prior
from bayesmyo.model.unknowns import ends
from bayesmyo.study.parameters import Parameter

Array = np.ndarray
QUANTILES = np.arange(1, 20) / 20


def design_prior(p: Parameter, draws: Array) -> tuple[str, float]:
    """The design prior that comes close to draws (n,) in the unit of scenarios, and the largest difference between the two
    distribution functions.
    """
    low, high = ends(p)
    cut = f" T[{_end(low)}, {_end(high)}]" if np.isfinite([low, high]).any() else ""
    quantiles = np.quantile(draws, QUANTILES)
    close = [_close("normal({:.3g}, {:.3g})" + cut, quantiles, draws)]
    if low == 0 and np.isinf(high):
        close.append(_close("lognormal({:.3g}, {:.3g})", quantiles, np.log(draws)))
    return min(close, key=lambda one: one[1])


def _close(form: str, quantiles: Array, like: Array) -> tuple[str, float]:
    """The closest prior of one form with a centre and an SD, which are about those of `like`."""

    def apart(x: Array) -> Array:
        try:
            prior = Prior.parse(form.format(x[0], np.exp(x[1])))
        except ValueError:  # of which hardly anything is left between its ends
            return np.ones(len(QUANTILES))
        return np.array([prior.below(q) for q in quantiles]) - QUANTILES

    start = np.array([np.median(like), np.log(max(float(like.std()), 1e-6))])
    best = optimize.minimize(lambda x: float(np.sum(apart(x) ** 2)), start, method="Nelder-Mead")
    return form.format(best.x[0], np.exp(best.x[1])), float(np.abs(apart(best.x)).max())


def _end(value: float) -> str:
    return f"{value:g}" if np.isfinite(value) else ""
