"""Who is in which group: covariates of simulated patients in the order in which they come, and of those to come after
others.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np

from bayesmyo.model.truth import draw_covariate
from bayesmyo.study.covariates import used
from bayesmyo.study.design import Design
from bayesmyo.study.study import Study

Array = np.ndarray
NOBODY: Mapping[str, Array] = MappingProxyType({})


def draw_patients(
    study: Study, design: Design, patients: int, rng: np.random.Generator, before: Mapping[str, Array] = NOBODY
) -> dict[str, Array]:
    """Covariate -> (patient,) values of patients to come: as `draw_covariate` says, but for groups that the design
    allocates.

    before: those of the patients who came before them, whose groups an allocation goes on from
    """
    drawn: dict[str, Array] = {}
    for name in used(study, "patients"):
        if name in (design.balanced or ()):
            levels = study.covariates[name].levels or ()
            shares = study.covariates[name].shares or (1 / len(levels),) * len(levels)
            drawn[name] = in_turn(shares, patients, rng, before.get(name, np.zeros(0)))
        else:
            drawn[name] = draw_covariate(study, name, patients, rng)
    return drawn


def in_turn(shares: Sequence[float], patients: int, rng: np.random.Generator, before: Array) -> Array:
    """(patient,) positions of groups: each next one is of the group that is furthest behind its share, by chance among
    equals.
    """
    places, counts = np.zeros(patients), np.bincount(before.astype(int), minlength=len(shares)).astype(float)
    for i in range(patients):
        behind = np.array(shares) * (len(before) + i + 1) - counts
        places[i] = k = rng.choice(np.flatnonzero(np.isclose(behind, behind.max())))
        counts[k] += 1
    return places


__all__ = ["draw_patients", "in_turn"]
