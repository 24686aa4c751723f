"""Models broken on purpose, at 5 patients and 4 visits: what the sampler drew from the right one is made what it would
have drawn from each.

A model is broken by its draws, so that all of them share one compilation and one run of the sampler: a slope of the
wrong sign has its draws negated; a patient index that is off by one has every patient's effects at the next; a Jacobian
that is missing, or a prior half as wide, has its draws resampled by the ratio of densities.
"""

from dataclasses import replace

import numpy as np

from bayesmyo.components.priors import halfnormal
from bayesmyo.inference.engines import Draws, Nuts
from bayesmyo.study import parse_study

STUDY = parse_study("""
[study]
title = "Calibration"
patient = "patient"
time = { column = "month", unit = "month", typical = 6 }

[outcomes.y]
column = "y"
unit = "units"
better = "higher"
typical = 5
scale = 2
family = { kind = "gaussian" }
trajectory = { kind = "linear" }

[estimands.change_6]
kind = "change"
outcome = "y"
from = 0
to = 6

[design]
patients = 5
follow_up = { mean = 12, sd = 0.01, maximum = 12 }
visits = { first = [0, 1, 3, 6], then_every = 100 }
""")


SCALES = {"y.sd_intercept": 2.0, "y.sd_slope": 2 / 6, "y.sigma": 1.0}  # their priors are half-normal


class Remembered(Nuts):
    """NUTS, which draws for one cohort under one seed once, whatever is done to its draws afterwards."""

    kept: dict[int, Draws] = {}  # noqa: RUF012  # shared by all broken models on purpose

    def __init__(self, breaking=lambda posterior, rng: posterior):
        self.breaking = breaking

    def prepare(self, model, exchange=True):
        return Broken(self, super().prepare(model, exchange))


class Broken:
    """A prepared model whose draws are broken."""

    def __init__(self, engine, prepared):
        self.engine, self.prepared = engine, prepared

    def sample(self, datasets, seeds, sampling, progress=None):
        found = []
        for data, seed in zip(datasets, seeds, strict=True):
            if seed not in Remembered.kept:
                Remembered.kept[seed] = self.prepared.sample([data], [seed], sampling, progress)[0]
            drawn = Remembered.kept[seed]
            rng = np.random.default_rng(seed)
            found.append(replace(drawn, posterior=self.engine.breaking(dict(drawn.posterior), rng)))
        return found


def swapped_slope(posterior, rng):
    return posterior | {"y.slope": -posterior["y.slope"]}


def off_by_one(posterior, rng):
    return {k: np.roll(v, 1, axis=-1) if ".effect_" in k else v for k, v in posterior.items()}


def missing_jacobian(posterior, rng):
    """Every scale sampled on the log, as if its logarithm had the density that the scale has."""
    return resampled(posterior, -sum(np.log(posterior[n]) for n in SCALES), rng)


def narrow_prior(posterior, rng):
    """Every scale of patients and of measurements with a prior half as wide as the truths come from."""
    ratio = sum(
        halfnormal(s / 2).log_density(posterior[n]) - halfnormal(s).log_density(posterior[n]) for n, s in SCALES.items()
    )
    return resampled(posterior, ratio, rng)


def resampled(posterior, log_weight, rng):
    """Draws of another density, which is the sampler's times a weight."""
    shape = log_weight.shape
    weight = np.exp(log_weight - log_weight.max()).reshape(-1)
    chosen = rng.choice(len(weight), size=len(weight), p=weight / weight.sum())
    return {
        k: v.reshape(-1, *v.shape[2:])[chosen].reshape(v.shape) for k, v in posterior.items() if v.shape[:2] == shape
    }


BROKEN = {
    "swapped slope": swapped_slope, "off-by-one index": off_by_one, "missing Jacobian": missing_jacobian,
    "prior half as wide": narrow_prior,
}  # fmt: skip
