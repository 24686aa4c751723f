"""Levels and shares where those who left follow another course from their exit on: no refit, no new draws.

These patients: the course of each who left for the reasons asked about is replaced after the exit. A new patient leaves
for them before time t with probability 1 - exp(-h t), and a population is the mixture of both courses. The hazard h of
each group is constant, with a posterior of its own: events over person-time under Jeffreys' prior,
h ~ Gamma(events + 1/2, person-time), which counts those who were censored for as long as they were seen. Exits and
courses are taken as independent, given the group.

References: Jeffreys' prior of a rate, Box and Tiao (1973), chapter 1, https://doi.org/10.1002/9781118033197; constant
hazards under censoring, Kalbfleisch and Prentice (2002), chapter 3, https://doi.org/10.1002/9781118032985.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from copy import copy
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from bayesmyo.cohort.cohort import Exits
from bayesmyo.components.courses import Course
from bayesmyo.components.estimands.estimand import Given, Population, Predicts
from bayesmyo.model.prediction import Crowd, TruthPrediction, clock
from bayesmyo.model.visits import Etas
from bayesmyo.study.covariates import base, coded, columns_of, stated, with_products
from bayesmyo.study.predictors import LOCATION, Effect, Predictor

Array = np.ndarray
NODES = tuple(zip(*np.polynomial.legendre.leggauss(5), strict=True))  # of exit times, by their probability
EXIT, CROWD = 5, 6  # addresses of random numbers, beside those of `TruthPrediction`


@dataclass(frozen=True, eq=False)
class Left:
    """Who left for the reasons asked about, when, and how likely a new patient does.

    who, time: (patient,) whether, and the end of follow-up of everyone; hazard: (..., level) by group, one level where
        there is no group
    """

    who: Array
    time: Array
    hazard: Array

    def by(self, time: float) -> Array:
        """(patient,) who had left before a time."""
        return self.who & (self.time < time)


def left(
    exits: Exits, reasons: Collection[str], level: Array, levels: int, shape: tuple[int, ...], rng: np.random.Generator
) -> Left:
    """Who left for these reasons, and posterior draws of the hazard of each level.

    level: (patient,) position of each patient's group; shape: of the truth
    """
    who = np.array([reason in reasons for reason in exits.reason])
    at_risk = np.maximum(exits.time, 0.0)
    events, exposure = (np.bincount(level, weights=w, minlength=levels) for w in (who.astype(float), at_risk))
    return Left(who, exits.time, rng.gamma(events + 0.5, 1.0, (*shape, levels)) / np.maximum(exposure, 1e-9))


class Departed(TruthPrediction):
    """Predictions in which those who left follow another course after it.

    group: a covariate of patients with levels, the reference first, to which hazards and amounts belong; "" for none
    amounts: of each outcome that moves, (..., level) how much, as the course says; negative is worse where the course
        counts in the direction of benefit
    """

    def __init__(self, prediction: TruthPrediction, left: Left, course: Course, group: str, amounts: Mapping[str, Array]):
        super().__init__(prediction.study, prediction.truth, prediction.seed, prediction._among)
        self.left, self.course, self.group, self.amounts = left, course, group, amounts
        self._known: dict[Any, Any] = {}

    def by(self, amounts: Mapping[str, Array]) -> "Departed":
        """The same by other amounts; what does not depend on them is computed once for all."""
        other = copy(self)
        other.amounts = amounts
        return other

    def each(self, outcome: str, time: Any) -> Array:
        levels = super().each(outcome, time)
        gone = self.left.who & (self.left.time < np.asarray(time)[..., None])
        return np.where(gone, np.nan, levels) if self.course.fails else levels

    def _own(self, outcome: str, time: float | Array, given: Given) -> Etas:
        key = ("own", outcome, time, *sorted(given.items())) if np.ndim(time) == 0 else None
        own = self._once(key, lambda: super(Departed, self)._own(outcome, time, given))
        gone = self.left.who & (self.left.time < clock(time))
        columns = self._columns(given, self.truth.covariates)
        return self._replaced(key, own, outcome, time, gone, self.left.time, self.truth.outcomes[outcome].effects, columns)

    def _new(self, outcome: str, time: float | Array, given: Given) -> Etas:
        columns = self._new_columns(given)
        own = self._etas(outcome, time, self._new_patient[outcome], columns)
        exits = self._exits(self._rng(EXIT, outcome=next(iter(self.study.outcomes))).random((*self.truth.shape, 1)), columns)
        return self._replaced(None, own, outcome, time, exits < clock(time), exits, self._new_patient[outcome], columns)

    def _crowds(
        self, outcomes: tuple[str, ...], population: Population, predicts: Predicts, given: Given
    ) -> Iterator[Crowd]:
        if population == "these patients":
            alone = np.where(self.left.who, self.left.time, np.inf)
            for crowd in super()._crowds(outcomes, population, predicts, given):
                yield replace(crowd, exit=np.tile(alone, crowd.times))
            return
        key = ("crowds", outcomes, *sorted(given.items()))
        for n, (new, exits) in enumerate(self._once(key, lambda: self._leavers(outcomes, population, predicts, given))):
            yield Crowd(partial(self._of_leavers, (*key, n), new, exits), exit=exits)

    def _leavers(self, outcomes: tuple[str, ...], population: Population, predicts: Predicts, given: Given) -> list[Any]:
        """Crowds of new patients, (effects and columns, exit times) each."""
        rng, listed = self._rng(CROWD, outcomes[0]), []
        for crowd in super()._crowds(outcomes, population, predicts, given):
            new, columns = crowd.etas.args  # type: ignore[attr-defined]
            u = rng.random((*self.truth.shape, new.place.shape[-1]))
            listed.append(((new.effects, columns), self._exits(u, columns)))
        return listed

    def _of_leavers(self, key: Any, new: Any, exits: Array, outcome: str, time: float) -> Etas:
        effects, columns = new
        key = (*key, outcome, time)
        own = self._once(key, lambda: self._etas(outcome, time, effects[outcome], columns))
        return self._replaced(key, own, outcome, time, exits < time, exits, effects[outcome], columns)

    def _counted(self, crowd: Crowd, time: float) -> Array:
        return np.asarray(not self.course.fails or ~(np.asarray(crowd.exit) < time))

    def _exits(self, uniform: Array, columns: Mapping[str, Array]) -> Array:
        """(..., patient) exit times of new patients from uniform numbers."""
        return -np.log1p(-uniform) / _of_level(self.left.hazard, self._position(columns))

    def _average(self, outcome: str, time: float | Array, columns: Mapping[str, Array], median: bool) -> Array:
        return self._mixed(TruthPrediction._average, outcome, time, columns, median)

    def _everyone(self, outcome: str, time: float | Array, columns: Mapping[str, Array], median: bool) -> Array:
        return self._mixed(TruthPrediction._everyone, outcome, time, columns, median)

    def _mixed(
        self, of: Callable[..., Array], outcome: str, time: float | Array, columns: Mapping[str, Array], median: bool
    ) -> Array:
        """Those who stay and those who leave before a time, each with their own course; exit times are averaged over by
        quadrature where the course depends on them.
        """
        plain = np.ndim(time) == 0 and all(np.ndim(v) == 0 for v in columns.values())
        key = (of, outcome, time, median, *((k, float(v)) for k, v in columns.items())) if plain else None
        own = self._once(key, lambda: of(self, outcome, time, columns, median))
        if outcome not in self.amounts or not np.any(np.asarray(time) > 0):
            return np.asarray(own)
        hazard = _of_level(self.left.hazard, self._position(columns))[..., 0]
        leaving, after = -np.expm1(-hazard * np.maximum(time, 0.0)), np.zeros(self.truth.shape)
        for node, weight in NODES if self.course.looks_back else ((0.0, 2.0),):
            exits = -np.log1p(-(1 + node) / 2 * leaving) / hazard
            after = after + weight / 2 * of(_Gone(self, exits, key and (*key, node)), outcome, time, columns, median)
        return np.asarray(own + leaving * (after - own))

    def _replaced(
        self, key: Any, own: Etas, outcome: str, time: float | Array, gone: Array, exits: Array,
        deviations: Mapping[str, Array], columns: Mapping[str, Array],
    ) -> Etas:  # fmt: skip
        """Predictors, those of patients who are gone replaced."""
        if outcome not in self.amounts or not np.any(gone):
            return own
        after = self._after(key, outcome, clock(time), exits, deviations, columns)
        return {name: np.where(gone, after[name], own[name]) for name in own}

    def _after(
        self, key: Any, outcome: str, when: Array, exits: Array, deviations: Mapping[str, Array], columns: Mapping[str, Array]
    ) -> Etas:  # fmt: skip
        """Predictors after exits before `when`, both with an axis for patients."""

        def parts() -> tuple[Etas, dict[str, Any]]:
            paths = _Paths(self, outcome, when, exits, deviations, columns)
            own = paths.etas("own")
            whole = [name for name in own if self.course.whole or name == LOCATION]
            return own, {name: self.course.after(paths.of(name)) for name in whole}

        own, moved = self._once(key and ("after", *key), parts)
        position = self._position(columns)
        benefit = -1.0 if self.course.benefit and self.study.outcomes[outcome].better == "lower" else 1.0
        amount = benefit * _of_level(self.amounts[outcome], position)
        etas = dict(own)
        for name, (base_, per) in moved.items():
            eta = base_ + amount * per
            eta = np.where(position == 0, own[name], eta) if self.course.compares else eta
            etas[name] = np.broadcast_to(eta, np.broadcast_shapes(np.shape(own[name]), np.shape(eta)))
        return etas

    def _position(self, columns: Mapping[str, Array]) -> Array:
        """(..., patient) which level of the group, or zero."""
        return np.atleast_1d(stated(self.study, self.group, columns)).astype(int) if self.group else np.zeros(1, int)

    def _needed(self, outcome: str) -> set[str]:
        own = super()._needed(outcome)
        if not self.group:
            return own
        parts = base(self.study, self.study.outcomes[outcome].named)
        return own | set(columns_of(self.study, [*parts, self.group]))

    def _once(self, key: Any, compute: Callable[[], Any]) -> Any:
        """What does not depend on the amounts; where there is no key it is computed again."""
        if key is None:
            return compute()
        if key not in self._known:
            self._known[key] = compute()
        return self._known[key]


class _Gone(TruthPrediction):
    """Predictions where everyone has left, at a time for each draw."""

    def __init__(self, departed: Departed, exits: Array, key: Any):
        super().__init__(departed.study, departed.truth, departed.seed, departed._among)
        self._departed, self._exits, self._key = departed, exits, key

    def _etas(
        self, outcome: str, time: float | Array, deviations: Mapping[str, Array], columns: Mapping[str, Array]
    ) -> Etas:
        key = None if self._key is None or deviations else (*self._key, "gone")
        return self._departed._after(key, outcome, clock(time), clock(self._exits), deviations, columns)

    def _loading(
        self, p: Predictor, e: Effect, time: float | Array, columns: Mapping[str, Array], deviations: Mapping[str, Array]
    ) -> Array:
        """The course after an exit is affine in every linear coefficient."""
        moved = {**deviations, e.key: deviations.get(e.key, 0.0) + 1.0}
        first, second = (self._etas(p.outcome, time, d, columns)[p.name] for d in (deviations, moved))
        return np.asarray(second - first)


class _Paths:
    """The predictors of one outcome that courses are made of, each computed when it is asked for, once."""

    def __init__(
        self, prediction: Departed, outcome: str, when: Array, exits: Array, deviations: Mapping[str, Array], columns: Mapping[str, Array]
    ):  # fmt: skip
        self._of = prediction
        self._asked = outcome, when, exits, deviations, columns
        self._known: dict[str, Etas] = {}

    def etas(self, which: str) -> Etas:
        if which not in self._known:
            self._known[which] = self._compute(which)
        return self._known[which]

    def _compute(self, which: str) -> Etas:
        outcome, when, exits, deviations, columns = self._asked
        at, origin = partial(self._of._at, outcome), np.asarray(self._of.study.outcomes[outcome].trajectory.origin)
        if which in ("own", "start", "at_exit"):
            return at({"own": when, "start": origin, "at_exit": exits}[which], deviations, columns)
        if which == "alike":  # the start of patients with the same covariates
            return at(origin, {}, columns)
        study, group = self._of.study, self._of.group
        others = with_products(study, {**columns, **coded(study, group, 0.0)}, study.covariates)
        mean = at(when if which == "reference" else exits, {}, others)
        return {k: v + self.etas("start")[k] - self.etas("alike")[k] for k, v in mean.items()}

    def of(self, predictor: str) -> "_Path":
        return _Path(self, predictor, np.maximum(self._asked[1] - self._asked[2], 0.0))


@dataclass(frozen=True, eq=False)
class _Path:
    """Those of one predictor, as `Paths` of the vocabulary says."""

    paths: _Paths
    predictor: str
    since: Array

    def _get(self, which: str) -> Array:
        return self.paths.etas(which)[self.predictor]

    own = property(lambda self: self._get("own"))
    start = property(lambda self: self._get("start"))
    at_exit = property(lambda self: self._get("at_exit"))
    reference = property(lambda self: self._get("reference"))
    reference_at_exit = property(lambda self: self._get("reference_at_exit"))


def _of_level(values: Array, position: Array) -> Array:
    """(..., level) -> (..., patient), of each patient's level."""
    values = np.asarray(values, dtype=float)
    if values.ndim == 1:
        return np.asarray(values[position])
    return np.take_along_axis(values, np.broadcast_to(position, (*values.shape[:-1], position.shape[-1])), axis=-1)


__all__ = ["Departed", "Left", "left"]
