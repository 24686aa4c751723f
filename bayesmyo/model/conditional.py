"""The effects of one patient given the own measurements, under many truths at once, and how much each draw counts.

Under each truth some effects b are drawn from q(b), which lies around the mode of p(y | b) p(b): where measurements are
normal on the link scale q is that distribution itself, else a multivariate t. A pair of a truth and its effects counts
w = p(y | b) p(b) / q(b). Of pairs that are drawn in proportion to w, the truths are draws of the posterior of all
patients and this one, and the effects are the patient's, given that posterior: nothing is fitted again.

References: Rubin (1987), https://doi.org/10.1080/01621459.1987.10478461 (importance resampling); Vehtari et al. (2024),
https://www.jmlr.org/papers/v25/19-556.html (when its weights can be trusted).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import scipy
from scipy import special

from bayesmyo.cohort.cohort import Cohort
from bayesmyo.model.integral import LOG_2PI, TAILS, Integral
from bayesmyo.model.marginal import groups
from bayesmyo.model.truth import Truth
from bayesmyo.study.predictors import RESIDUAL
from bayesmyo.study.study import Study

Array = np.ndarray
TINY = 1e-12


@dataclass(frozen=True, eq=False)
class Conditional:
    """Draws of one patient's effects given the own measurements, some of them under each of s truths.

    effects : outcome or event -> effect key -> (s, point) deviations from the population
    paths : outcome -> (s, point, cell) residuals that are sampled, at the patient's measurements
    log_weight : (s, point) how much each counts; its mean over points estimates the patient's marginal likelihood
    modes : (s, effect) of each group of outcomes, around which they were drawn
    """

    effects: Mapping[str, Mapping[str, Array]]
    paths: Mapping[str, Array]
    log_weight: Array
    modes: tuple[Array, ...]


def conditional(
    study: Study, own: Cohort, truth: Truth, points: int, seed: int, before: "Conditional | None" = None
) -> Conditional:
    """Effects of the one patient of a cohort, given all that is known of the patient.

    truth: (s,) of the population, with the patient's covariates; points: under each; seed: the same seed gives the same
        bits; before: given less of the same patient, near which the mode is sought
    """
    s = truth.shape[0]
    effects: dict[str, dict[str, Array]] = {name: {} for name in study.declared}
    paths: dict[str, Array] = {}
    modes: list[Array] = []
    total = np.zeros((s, points))
    for place, group in enumerate(groups(study)):
        integral = Integral(study, own, truth, group)
        if before and before.modes[place].shape[-1] == integral.width:
            integral = replace(integral, near=before.modes[place])
        t, log_density = _points(s, points, integral, np.random.SeedSequence(seed, spawn_key=(place,)))
        z, log_joint = integral.laid(t)
        total += log_joint - log_density
        modes.append(integral.mode[0] if integral.width else z[:, 0])
        for name, drawn in integral.deviations(z).items():
            effects[name] = {k: v[..., 0] for k, v in drawn.items() if k != RESIDUAL}
            if RESIDUAL in drawn:
                paths[name] = drawn[RESIDUAL]
    return Conditional(effects, paths, total, tuple(modes))


def _points(s: int, points: int, integral: Integral, address: np.random.SeedSequence) -> tuple[Array, Array]:
    """(s, point, effect) standard points, evenly spread over all truths together, and (s, point) their log density."""
    d = integral.width
    if not d:
        return np.zeros((s, points, 0)), np.zeros((s, points))
    sobol = scipy.stats.qmc.Sobol(d + 1, rng=np.random.default_rng(address))
    base = sobol.random_base2((s * points - 1).bit_length())[: s * points]
    base = np.clip(base, TINY, 1 - TINY).reshape(s, points, d + 1)
    normal = special.ndtri(base[..., :d])
    if integral.normal:
        return normal, -0.5 * (normal**2).sum(axis=-1) - d / 2 * LOG_2PI
    t = normal * np.sqrt(TAILS / special.chdtri(TAILS, base[..., d]))[..., None]
    scale = special.gammaln((TAILS + d) / 2) - special.gammaln(TAILS / 2) - d / 2 * np.log(TAILS * np.pi)
    return t, scale - (TAILS + d) / 2 * np.log1p((t**2).sum(axis=-1) / TAILS)


__all__ = ["Conditional", "conditional"]
