"""Who is in which group: covariates of simulated patients in the order in which they come, and of those to come after
others.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np

from bayesmyo.model.truth import draw_covariate
from bayesmyo.study.covariates import used
from bayesmyo.study.design import Design, Randomised
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
    arm = design.randomised and design.randomised.covariate
    for name in used(study, "patients"):
        if name == arm:
            continue
        if name in (design.balanced or ()):
            levels = study.covariates[name].levels or ()
            shares = study.covariates[name].shares or (1 / len(levels),) * len(levels)
            drawn[name] = in_turn(shares, patients, rng, before.get(name, np.zeros(0)))
        else:
            drawn[name] = draw_covariate(study, name, patients, rng)
    if design.randomised is not None and arm in used(study, "patients"):
        groups = len(study.covariates[design.randomised.covariate].levels or ())
        drawn[design.randomised.covariate] = randomised(design.randomised, groups, patients, rng, drawn, before)
    return drawn


def randomised(
    r: Randomised,
    groups: int,
    patients: int,
    rng: np.random.Generator,
    strata: Mapping[str, Array],
    before: Mapping[str, Array] = NOBODY,
) -> Array:
    """(patient,) positions of groups, by permuted blocks within every combination of the strata. strata: those of these
    patients; before: all of the earlier ones
    """
    known = np.asarray(before.get(r.covariate, np.zeros(0)))
    cells = np.column_stack([np.zeros(patients), *(strata[name] for name in r.strata)])
    earlier = np.column_stack([np.zeros(len(known)), *(before[name] for name in r.strata if len(known))])
    places = np.zeros(patients)
    for stratum in np.unique(cells, axis=0):
        here = (cells == stratum).all(axis=1)
        so_far = known[(earlier == stratum).all(axis=1)] if len(known) else known
        places[here] = in_blocks(r, groups, int(here.sum()), rng, so_far)
    return places


def in_blocks(r: Randomised, groups: int, patients: int, rng: np.random.Generator, before: Array) -> Array:
    """(patient,) positions of groups, block after block.

    A block that is open goes on where all have one size; where it is open whether one is, a new one begins.
    """
    ratio = np.array(r.parts(groups))
    listed: list[Array] = []
    if len(r.blocks) == 1 and (taken := len(before) % r.blocks[0]):
        left = ratio * (r.blocks[0] // ratio.sum()) - np.bincount(before[-taken:].astype(int), minlength=groups)
        listed.append(rng.permutation(np.repeat(np.arange(groups), np.maximum(left, 0))))
    while sum(map(len, listed)) < patients:
        size = rng.choice(r.blocks)
        listed.append(rng.permutation(np.repeat(np.arange(groups), ratio * (size // ratio.sum()))))
    return np.concatenate([*listed, np.zeros(0)])[:patients].astype(float)


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


__all__ = ["draw_patients", "in_blocks", "in_turn", "randomised"]
