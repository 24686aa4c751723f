"""Many new patients under every draw, by quasi-Monte Carlo: evenly spread, the same for the same seed.

One Kronecker sequence (Roberts 2018,
https://extremelearning.com.au/unreasonable-effectiveness-of-quasirandom-sequences/) of standard normal points is dealt
out, to each draw the points that follow those of the draw before. Within a draw they are evenly spread, and
over all draws more evenly still: the error of an average over a posterior is that of 2^17 points, not of one draw's few
    hundred.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from bayesmyo.model.truth import Truth, factor_of
from bayesmyo.study.predictors import effects
from bayesmyo.study.study import Study

Array = np.ndarray
POINTS = 2**17
MOST = 2**20  # patients over all draws
FEWEST = 128  # patients of one draw
AT_ONCE = 2**18


@dataclass(frozen=True)
class NewPatients:
    """Some new patients of every draw.

    effects: outcome -> effect key -> (..., patient); place: (..., patient) in [0, 1), which of these patients'
        covariates each has
    """

    effects: dict[str, dict[str, Array]]
    place: Array

    def chosen(self, n: int) -> Array:
        """(..., patient) which of n patients lends each its covariates."""
        return np.asarray((self.place * n).astype(int))


def draw_new_patients(
    study: Study, truth: Truth, outcomes: Sequence[str], seed: int, among: int
) -> Iterator[NewPatients]:
    """New patients in batches, effects of the named outcomes drawn together as the study correlates them.

    among: of how many truths each is to have its part of the patients that there are
    """
    listed = [e for o in outcomes for e in effects(study, o)]
    draws = int(np.prod(truth.shape))
    count = int(np.clip(MOST // among, FEWEST, POINTS))
    points = _sequence(len(listed) + 1, np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(4,))))
    normal = special.ndtri(points[:-1])
    factor = factor_of(study, truth, listed) if listed else np.zeros((*truth.shape, 0, 0))
    first = (np.arange(draws) * count).reshape(truth.shape)
    batch = max(1, AT_ONCE // draws)
    for start in range(0, count, batch):
        index = (first[..., None] + np.arange(start, min(start + batch, count))) % POINTS
        moved = factor @ np.moveaxis(normal[:, index], 0, -2)
        own: dict[str, dict[str, Array]] = {o: {} for o in outcomes}
        for i, e in enumerate(listed):
            own[e.outcome][e.key] = moved[..., i, :]
        yield NewPatients(own, points[-1][index])


def _sequence(dimension: int, rng: np.random.Generator) -> Array:
    """(dimension, point) a Kronecker sequence in the open unit cube, shifted at random."""
    golden = 2.0
    for _ in range(60):  # the root of x^(d + 1) = x + 1
        golden = (1 + golden) ** (1 / (dimension + 1))
    steps = golden ** -np.arange(1.0, dimension + 1)
    points = (rng.random(dimension)[:, None] + steps[:, None] * np.arange(POINTS)) % 1.0
    tiny = np.finfo(float).eps
    return np.asarray(np.clip(points, tiny, 1 - tiny))
