"""How patients' effects are sampled, and the way back from what was sampled to the effects.

integrated: not o.drifts at all; integrated out in closed form and drawn back exactly (see `model/normal.py`). For a
    family that is normal on its link scale (the true values of censored cells are sampled). Mixes at any number of
    visits.
informed: a standard normal number is sampled, and the effect is what the patient's measurements say of it, moved by
    that (see `model/informed.py`). For every other family whose cells can be approximated. Mixes at any number of
    visits, and any spread of patients.
centred: each patient's own coefficient is sampled around the population's (hierarchical centring); for well-observed
    patients.
non-centred: a standardised effect is sampled; where the data say little about a single patient.
Reference: Papaspiliopoulos, Roberts and Skold (2007), https://doi.org/10.1214/088342307000000014.

Effects of a block are correlated through the Cholesky factor of their correlations: b_i = sd_i (L_i1 z_1 + ... + L_ii
z_i), with the sampled effects first and the integrated ones after them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from bayesmyo.cohort.cohort import Cohort
from bayesmyo.components import correlation
from bayesmyo.components.families.family import ZERO
from bayesmyo.components.priors import Alone
from bayesmyo.model.normal import Piece, Whiten, together
from bayesmyo.model.normal import joined as join
from bayesmyo.model.submodel import Values
from bayesmyo.study.predictors import LOCATION, Block, Effect, Pair, Predictor, blocks, predictor_of, predictors
from bayesmyo.study.study import Study

Parameterisation = Literal["integrated", "informed", "centred", "non-centred"]
ENOUGH = 3.0  # measurements per effect in the median patient, for centring


def parameterisation(study: Study, cohort: Cohort, outcome: str) -> Parameterisation:
    """How to sample an outcome's effects on its location.

    As declared; else integrated where that is exact (a normal likelihood whose effects are linear), informed where the
    family has an approximation and effects are linear, centred where the median patient has three measurements per
    effect and each says much of its patient (not a yes or no, nor a grade), and non-centred otherwise.
    """
    if outcome in study.events:
        return "non-centred"
    o = study.outcomes[outcome]
    if (o.residual is not None and o.integrable) or outcome in study.correlate_residuals:
        return "integrated"
    if o.parameterisation != "auto":
        return o.parameterisation
    location = predictors(study, outcome)[0]
    if location.effects and all(e.linear for e in location.effects):
        if o.family.normal and not o.drifts:
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
        by_pair = correlation.correlations(rows)

        def of(pair: Pair) -> Any:
            earlier, later = sorted((position[pair.first], position[pair.second]))
            return by_pair[earlier, later]

        return {(p.outcome, p.name): of(p) for p in self.block.pairs()}


def ordered(study: Study, how: Mapping[str, Parameterisation]) -> list[Ordered]:
    """The study's blocks of effects, ordered as they are sampled."""
    listed = []
    for block in blocks(study):
        inside = tuple(e for e in block.effects if e.predictor == LOCATION and how[e.outcome] == "integrated")
        listed.append(Ordered(block, tuple(e for e in block.effects if e not in inside), inside))
    return listed


def factor(o: Ordered, values: Values, partials: Callable[[], Sequence[Any]], xp: Any) -> list[list[Any]]:
    """The Cholesky factor of a block's correlations, row by row.

    values: parameters, the correlation itself among them where the block has two effects; partials: called for the
        partial
    correlations where it has more
    """
    k = len(o.effects)
    if k == 2:
        pair = o.block.pairs()[0]
        return correlation.cholesky([values[pair.outcome][pair.name]], k, xp)
    return correlation.cholesky(partials() if k > 2 else [], k, xp)


def shapes(study: Study, block: Block) -> np.ndarray:
    """(pairs,) Beta shapes of the partial correlations of a block of three effects or more."""
    return correlation.shapes(Alone.parse(study.correlation_prior).values[0], len(block.effects))


@dataclass(frozen=True)
class Unfolded:
    """The patients' effects as they follow from what was sampled.

    deviations: outcome -> key -> (..., patient) of the sampled ones; of the integrated ones what the sampled ones say
        of them
    rows: integrated effect -> its row of the Cholesky factor by integrated effect
    together: the outcomes whose likelihoods are stated together, and the effects that are integrated out of them
    """

    deviations: dict[str, dict[str, Any]]
    rows: dict[Effect, dict[Effect, Any]]
    together: list[tuple[list[str], list[Effect]]]


def unfold(
    study: Study,
    listed: Sequence[Ordered],
    lowers: Sequence[list[list[Any]]],
    how: Mapping[str, Parameterisation],
    values: Values,
    standard: Callable[[Effect, Parameterisation, Any, Any, Any], Any],
    inform: Callable[[Predictor, Ordered, list[list[Any]], list[Any]], dict[Effect, Any]],
) -> Unfolded:
    """The effects b_i = sd_i (L_i1 z_1 + ... + L_ii z_i) of every block, stated once for the model and for the way back
    from its draws.

    lowers: the Cholesky factor of each block; values: parameters, which broadcast against patients
    standard: the standardised effect z of (effect, how it is sampled, its SD, what those before it say of it, L_ii)
    inform: all of an informed predictor at once, when the first of them is asked for
    """
    deviations: dict[str, dict[str, Any]] = {name: {} for name in study.declared}
    rows: dict[Effect, dict[Effect, Any]] = {}
    known: dict[Effect, Any] = {}
    for o, lower in zip(listed, lowers, strict=True):
        z: list[Any] = []
        for i, e in enumerate(o.effects):
            sd = values[e.outcome][f"sd_{e.key}"]
            shift = sum(lower[i][j] * z[j] for j in range(min(i, len(o.sampled))))
            if i >= len(o.sampled):
                if o.sampled:
                    deviations[e.outcome][e.key] = sd * shift
                rows[e] = {o.effects[j]: lower[i][j] for j in range(len(o.sampled), i + 1)}
                continue
            way = how_sampled(study, e, how)
            if way == "informed":
                known |= {} if e in known else inform(predictor_of(study, e), o, lower, z)
                z.append(known[e])
            else:
                z.append(standard(e, way, sd, shift, lower[i][i]))
            deviations[e.outcome][e.key] = sd * (shift + lower[i][i] * z[i])
    return Unfolded(deviations, rows, _groups(study, list(rows), [o.integrated for o in listed], how))


def place(group: Sequence[Effect], z: Sequence[Any], effects: Unfolded, values: Values) -> None:
    """Put integrated effects with the others, once they are known, standardised."""
    known = dict(zip(group, z, strict=True))
    for e in group:
        moved = sum(row * known[column] for column, row in effects.rows[e].items())
        own = effects.deviations[e.outcome]
        own[e.key] = own.get(e.key, 0.0) + values[e.outcome][f"sd_{e.key}"] * moved


def _groups(
    study: Study, effects: list[Effect], blocks: list[tuple[Effect, ...]], how: Mapping[str, Parameterisation]
) -> list[tuple[list[str], list[Effect]]]:
    """Integrated outcomes by whose effects, or residuals, are correlated; one without effects is there for its
    residuals.
    """
    joint = list(study.correlate_residuals)
    groups = [
        (list(dict.fromkeys(e.outcome for e in group)), group)
        for group in together(effects, [*blocks, [e for e in effects if e.outcome in joint]])
    ]
    for names, _ in groups:
        names += [name for name in joint if name not in names and not set(names).isdisjoint(joint)]
    left = [name for name, way in how.items() if way == "integrated" and not any(name in names for names, _ in groups)]
    if joint and joint[0] in left:
        groups.append((joint, []))
    return groups + [([name], []) for name in left if name not in joint]


def joined(
    study: Study, own: Any, patient: Any, correlation: Any, xp: Any, whiten: Whiten, pieces: Mapping[str, Piece]
) -> list[Piece]:
    """Pieces by outcome, those whose residuals are correlated made one. own, patient: as `model.joint.visits` says"""
    together = [name for name in study.correlate_residuals if name in pieces]
    if not together:
        return list(pieces.values())
    one = join([pieces[name] for name in together], own, patient, correlation, xp, whiten)
    return [one, *(p for name, p in pieces.items() if name not in together)]


def how_sampled(study: Study, e: Effect, how: Mapping[str, Parameterisation]) -> Parameterisation:
    """How a sampled effect is sampled: what multiplies (a half-time) is always non-centred, and so are other predictors
    than the location, but for the zeros of a hurdle, which are informed unless another way is declared.
    """
    declared = how[e.outcome]
    if e.predictor == ZERO and declared in ("integrated", "informed"):
        return "informed" if all(own.linear for own in predictor_of(study, e).effects) else "non-centred"
    return declared if e.linear and e.predictor == LOCATION and declared in ("centred", "informed") else "non-centred"


__all__ = [
    "Ordered",
    "Parameterisation",
    "Unfolded",
    "factor",
    "ordered",
    "parameterisation",
    "place",
    "shapes",
    "unfold",
]
