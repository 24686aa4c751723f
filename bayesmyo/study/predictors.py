"""What a study's model is made of: linear predictors, the effects in which patients differ, and blocks of correlated
effects.

The one formula of a linear predictor is here; simulated truths, posterior draws and the PyMC model are all handed to
it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np

from bayesmyo.components.component import Coefficient, Scale
from bayesmyo.components.hazards import Hazard
from bayesmyo.components.trajectories import Trajectory
from bayesmyo.study.covariates import columns_of
from bayesmyo.study.study import Distributional, Event, Outcome, Study

LOCATION = "location"
CORRELATIONS = "correlations"
RESIDUAL = "residual"  # in place of an effect, of the residuals of an outcome that are correlated with another's


@dataclass(frozen=True)
class Effect:
    """A coefficient in which patients differ. key: its name within the outcome (`start`, `zero_intercept`, `on`).

    linear: normally, by an amount added to it; or log-normally, by a factor (a half-time)
    column: the design column that it multiplies, where it is the coefficient of a covariate of visits; else empty
    """

    outcome: str
    predictor: str
    coefficient: str
    key: str
    linear: bool = True
    column: str = ""

    @property
    def full_name(self) -> str:
        return f"{self.outcome}.effect_{self.key}"


@dataclass(frozen=True)
class Predictor:
    """One linear predictor of one outcome: a trajectory, what patients differ in, and what covariates shift.

    course: how it goes with time: a trajectory, or of an event a hazard
    coefficients: of that; effects: those in which patients differ
    covariates, moderators: names of covariates that shift the level, and the change; columns: the design columns of
        each
    prefix: of every parameter's name ("" for the location, `zero_` for the zero part)
    """

    outcome: str
    name: str
    prefix: str
    course: Trajectory | Hazard
    scale: Scale
    coefficients: tuple[Coefficient, ...]
    effects: tuple[Effect, ...]
    covariates: tuple[str, ...]
    moderators: tuple[str, ...]
    level_columns: tuple[str, ...]
    change_columns: tuple[str, ...]

    @property
    def trajectory(self) -> Trajectory:
        """The course of an outcome's predictor."""
        return cast("Trajectory", self.course)

    @property
    def hazard(self) -> Hazard:
        """The course of an event's predictor."""
        return cast("Hazard", self.course)

    @property
    def moderated(self) -> tuple[Coefficient, ...]:
        """The coefficients that moderators shift: those of the change."""
        return tuple(c for c in self.coefficients[1:] if c.linear)

    def eta(
        self, t: Any, values: Mapping[str, Any], deviations: Mapping[str, Any], columns: Mapping[str, Any], xp: Any
    ) -> Any:
        """The linear predictor at times t, on the link scale.

        values: the outcome's parameters by name; deviations: effects by key; columns: design columns; all broadcast
            against t.
        `xp` is `numpy` or `pytensor.tensor`.
        """
        own = {}
        for c in self.coefficients:
            key = self.prefix + c.name
            value = values[key] if c.fixed is None else c.fixed
            if c in self.moderated:
                for column in self.change_columns:
                    value = value + values[f"{key}_{column}"] * columns[column]
            if key in deviations:
                value = value + deviations[key] if c.linear else value * xp.exp(deviations[key])
            own[c.name] = value
        eta = self.course.curve(t, own, xp)
        for column in self.level_columns:
            key = self.prefix + column
            own_shift = values[key] + deviations[key] if key in deviations else values[key]
            eta = eta + own_shift * columns[column]
        return eta

    def centre(self, effect: Effect, values: Mapping[str, Any], columns: Mapping[str, Any]) -> Any:
        """What patients with these covariates have on average in place of one coefficient.

        columns: design columns of patients; those that only visits have are left out. A shift of the level is a shift
            of every
        coefficient that is a level, so patients' own coefficients can be sampled around it.
        """
        if effect.column:
            return values[effect.key]
        c = next(c for c in self.coefficients if c.name == effect.coefficient)
        centre = values[effect.key] if c.fixed is None else c.fixed
        if c.nature == "level":
            for column in self.level_columns:
                if column in columns:
                    centre = centre + values[self.prefix + column] * columns[column]
        if c in self.moderated:
            for column in self.change_columns:
                if column in columns:
                    centre = centre + values[f"{effect.key}_{column}"] * columns[column]
        return centre

    def loading(
        self,
        t: Any,
        values: Mapping[str, Any],
        effect: Effect,
        columns: Mapping[str, Any],
        xp: Any,
        deviations: Mapping[str, Any] | None = None,
    ) -> Any:
        """How far the predictor moves at times t, with these design columns, when a patient's linear coefficient moves
        by one.
        """
        if effect.column:
            return columns[effect.column] + 0.0 * t
        own: dict[str, Any] = {}
        for c in self.coefficients:
            key = self.prefix + c.name
            own[c.name] = values[key] if c.nature == "duration" else 0.0  # a shape only adds to the curve
            if c.nature == "duration" and deviations and key in deviations:
                own[c.name] = own[c.name] * xp.exp(deviations[key])
        return self.course.curve(t, own | {effect.coefficient: 1.0}, xp)


def at(
    listed: Sequence[Predictor], t: Any, values: Mapping[str, Any], deviations: Mapping[str, Any], columns: Mapping[str, Any],
    xp: Any, offset: Any = None,
) -> dict[str, Any]:  # fmt: skip
    """The linear predictors of an outcome at times t, by name, as `Predictor.eta` says; offset: the log of the
    exposure.
    """
    etas = {p.name: p.eta(t, values, deviations, columns, xp) for p in listed}
    return etas if offset is None or LOCATION not in etas else {**etas, LOCATION: etas[LOCATION] + offset}


def predictors(study: Study, outcome: str) -> tuple[Predictor, ...]:
    """The linear predictors of an outcome, the location first."""
    return study.once(_predictors, outcome)


def _predictors(study: Study, outcome: str) -> tuple[Predictor, ...]:
    return tuple(_predictor(study, outcome, name, part) for name, part in study.declared[outcome].parts.items())


def _predictor(study: Study, outcome: str, name: str, part: Outcome | Distributional | Event) -> Predictor:
    family = study.declared[outcome].family
    scale = study.scale(outcome) if name == LOCATION else study.part_scale(outcome, name)
    prefix = "" if name == LOCATION else f"{name}_"
    trajectory = part.trajectory.placed(scale.follow_up)
    coefficients = trajectory.coefficients(scale)
    if name == LOCATION and family.anchored:
        coefficients = (replace(coefficients[0], fixed=0.0), *coefficients[1:])
    linear = [c.name for c in coefficients if c.linear]
    residual = study.declared[outcome].residual
    if residual is not None and residual.by_visit:
        linear = []  # what patients differ in is in the correlations of their residuals
    by_default = linear if len(linear) <= 2 and name == LOCATION else linear[:1] if family.always(name) else []
    chosen = part.effects if part.effects is not None else by_default
    effects = tuple(
        Effect(outcome, name, c.name, prefix + c.name, c.linear)
        for c in coefficients
        if c.may_vary and c.name in chosen
    )
    known = study.covariates
    effects += tuple(
        Effect(outcome, name, column, prefix + column, column=column)
        for covariate in part.covariates
        if covariate in known and covariate in chosen
        for column in columns_of(study, [covariate])
    )
    covariates = tuple(n for n in part.covariates if n in known)
    moderators = tuple(n for n in part.moderators if n in known)
    return Predictor(
        outcome, name, prefix, trajectory, scale, coefficients, effects, covariates, moderators,
        columns_of(study, covariates), columns_of(study, moderators),
    )  # fmt: skip


def effects(study: Study, outcome: str) -> tuple[Effect, ...]:
    """Every effect of an outcome, over its predictors."""
    return tuple(e for p in predictors(study, outcome) for e in p.effects)


def predictor_of(study: Study, effect: Effect) -> Predictor:
    """The predictor that an effect belongs to."""
    return next(p for p in predictors(study, effect.outcome) if p.name == effect.predictor)


@dataclass(frozen=True)
class Pair:
    """A correlation of two effects: the outcome whose parameter it is (`correlations` where they belong to two), its
    name.
    """

    first: Effect
    second: Effect
    outcome: str
    name: str

    @property
    def full_name(self) -> str:
        return f"{self.outcome}.{self.name}"


@dataclass(frozen=True)
class Block:
    """Effects that are correlated with each other, and with no other; a single one is independent of all."""

    effects: tuple[Effect, ...]

    @property
    def name(self) -> str:
        """Of the correlations as they are sampled."""
        outcomes = {e.outcome for e in self.effects}
        if self.effects[0].predictor == RESIDUAL:
            return f"{CORRELATIONS}.{RESIDUAL}"
        return f"{outcomes.pop()}.{CORRELATIONS}" if len(outcomes) == 1 else CORRELATIONS

    def pairs(self) -> tuple[Pair, ...]:
        """Every correlation of the block, the later effect second."""
        count = {o: sum(e.outcome == o for e in self.effects) for o in {e.outcome for e in self.effects}}
        listed = []
        for i, second in enumerate(self.effects):
            for first in self.effects[:i]:
                if first.outcome != second.outcome:
                    name = f"{first.outcome}_{first.key}_{second.outcome}_{second.key}"
                    listed.append(Pair(first, second, CORRELATIONS, name))
                else:
                    name = "correlation" if count[first.outcome] == 2 else f"correlation_{first.key}_{second.key}"
                    listed.append(Pair(first, second, first.outcome, name))
        return tuple(listed)


def blocks(study: Study) -> tuple[Block, ...]:
    """The study's effects in blocks of correlated ones."""
    return study.once(_blocks)


def _blocks(study: Study) -> tuple[Block, ...]:
    joined: dict[str, list[Effect]] = {}
    alone: list[Effect] = []
    for outcome, o in study.declared.items():
        for e in effects(study, outcome):
            if study.correlate == "none" or not o.parts[e.predictor].correlate:
                alone.append(e)
            else:
                joined.setdefault(outcome if study.correlate == "within outcomes" else "", []).append(e)
    return (*(Block(tuple(b)) for b in joined.values()), *(Block((e,)) for e in alone))


def residual_block(study: Study) -> Block | None:
    """The outcomes whose residuals are correlated at a visit, as a block of one "effect" of each; None where there are
    none.
    """
    named = study.correlate_residuals
    return Block(tuple(Effect(outcome, RESIDUAL, RESIDUAL, RESIDUAL) for outcome in named)) if named else None


def correlated(study: Study) -> tuple[Block, ...]:
    """Everything that has correlations: blocks of effects, and after them that of residuals."""
    block = residual_block(study)
    return (*blocks(study), block) if block else blocks(study)


def correlation_matrix(
    study: Study, effects: Sequence[Effect], value: Callable[[str, str], Any], shape: tuple[int, ...] = ()
) -> np.ndarray:
    """(*shape, effect, effect) correlations of any of the study's effects, or of residuals; `value(outcome, name)`
    gives each.
    """
    position = {e: i for i, e in enumerate(effects)}
    matrix = np.broadcast_to(np.eye(len(effects)), (*shape, len(effects), len(effects))).copy()
    for block in correlated(study):
        for pair in block.pairs():
            if pair.first in position and pair.second in position:
                i, j = position[pair.first], position[pair.second]
                matrix[..., i, j] = matrix[..., j, i] = value(pair.outcome, pair.name)
    return matrix
