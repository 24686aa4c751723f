"""How patients' effects are sampled, and the way back from what was sampled to the effects.

integrated: not sampled at all; integrated out in closed form and drawn back exactly (see `integrate.py`). For a family that is
    normal on its link scale (the true values of censored cells are sampled). Mixes at any number of visits.
informed: a standard normal number is sampled, and the effect is what the patient's measurements say of it, moved by that (see
    `informed.py`). For every other family whose cells can be approximated. Mixes at any number of visits, and any spread of patients.
centred: each patient's own coefficient is sampled around the population's (hierarchical centring); for well-observed patients.
non-centred: a standardised effect is sampled; where the data say little about a single patient.
Reference: Papaspiliopoulos, Roberts and Skold (2007), https://doi.org/10.1214/088342307000000014.

Effects of a block are correlated through the Cholesky factor of their correlations: b_i = sd_i (L_i1 z_1 + ... + L_ii z_i), with
the sampled effects first and the integrated ones after them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from bayesmyo.cohort.cohort import Cohort
from bayesmyo.components import correlation
from bayesmyo.components.priors import Alone
from bayesmyo.study.predictors import LOCATION, Block, Effect, blocks, effects, predictors
from bayesmyo.study.study import Study

Parameterisation = Literal["integrated", "informed", "centred", "non-centred"]
ENOUGH = 3.0  # measurements per effect in the median patient, for centring


def parameterisation(study: Study, cohort: Cohort, outcome: str) -> Parameterisation:
    """How to sample an outcome's effects on its location.

    As declared; else integrated where that is exact (a normal likelihood whose effects are linear), informed where the family has an
    approximation and effects are linear, centred where the median patient has three measurements per effect and each says much of its
    patient (not a yes or no, nor a grade), and non-centred otherwise. A zero part is always non-centred.
    """
    o = study.outcomes[outcome]
    if o.residual is not None:
        return "integrated"
    if o.parameterisation != "auto":
        return o.parameterisation
    location = predictors(study, outcome)[0]
    if location.effects and all(e.linear for e in location.effects):
        if o.family.normal:
            return "integrated"
        if o.family.approximated:
            return "informed"
    counts = np.bincount(cohort.measurements[outcome].patient, minlength=len(cohort.patients))
    well = np.median(counts) >= ENOUGH * max(1, len(location.effects))
    return "centred" if well and o.family.informative else "non-centred"


@dataclass(frozen=True)
class Ordered:
    """A block with its effects in the order of its Cholesky factor: sampled first, integrated after."""

    block: Block
    sampled: tuple[Effect, ...]
    integrated: tuple[Effect, ...]

    @property
    def effects(self) -> tuple[Effect, ...]:
        return self.sampled + self.integrated

    def correlations(self, rows: list[list[Any]]) -> dict[tuple[str, str], Any]:
        """(outcome, parameter name) -> correlation, from the block's Cholesky factor."""
        position = {e: i for i, e in enumerate(self.effects)}
        found = correlation.correlations(rows)
        return {
            (p.outcome, p.name): found[
                min(position[p.first], position[p.second]), max(position[p.first], position[p.second])
            ]
            for p in self.block.pairs()
        }


def ordered(study: Study, how: Mapping[str, Parameterisation]) -> list[Ordered]:
    """The study's blocks of effects, ordered as they are sampled."""
    found = []
    for block in blocks(study):
        inside = tuple(e for e in block.effects if e.predictor == LOCATION and how[e.outcome] == "integrated")
        found.append(Ordered(block, tuple(e for e in block.effects if e not in inside), inside))
    return found


def factor(study: Study, o: Ordered, single: Any, partials: Any, xp: Any) -> list[list[Any]]:
    """The Cholesky factor of a block's correlations, row by row.

    single: the correlation itself where the block has two effects; partials: the partial correlations where it has more
    """
    k = len(o.effects)
    return correlation.cholesky([] if k == 1 else [single] if k == 2 else partials, k, xp)


def shapes(study: Study, block: Block) -> np.ndarray:
    """(pairs,) Beta shapes of the partial correlations of a block of three effects or more."""
    return correlation.shapes(Alone.parse(study.correlation_prior).values[0], len(block.effects))


def sample(pm: Any, e: Effect, how: Parameterisation, mean: Any, sd: Any, shift: Any, left: Any) -> Any:
    """The standardised effect z (patient,) of one sampled effect, inside the open model.

    Its deviation is sd (shift + left z): shift comes from effects sampled before it, left is the diagonal of the Cholesky factor.
    """
    raw = f"{e.outcome}.raw_{e.key}"
    if how == "centred":
        own = pm.Normal(raw, mean + sd * shift, sd * left, dims="patient")
        return ((own - mean) / sd - shift) / left
    return pm.Normal(raw, 0.0, 1.0, dims="patient")


def standard(raw: np.ndarray, how: Parameterisation, mean: Any, sd: Any, shift: Any, left: Any) -> np.ndarray:
    """The same from what was sampled, in NumPy."""
    return np.asarray(((raw - mean) / sd - shift) / left if how == "centred" else raw)


def how_sampled(e: Effect, how: Mapping[str, Parameterisation]) -> Parameterisation:
    """How a sampled effect is sampled: a zero part is always non-centred, as is what multiplies (a half-time)."""
    declared = how[e.outcome]
    return declared if e.linear and e.predictor == LOCATION and declared in ("centred", "informed") else "non-centred"


__all__ = [
    "Ordered", "Parameterisation", "effects", "factor", "how_sampled", "ordered", "parameterisation", "sample", "shapes", "standard",
]  # fmt: skip
