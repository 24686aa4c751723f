"""Levels and shares where those who left follow another course from their exit on: no refit, no new draws.

These patients: the course of each who left for the reasons asked about is replaced after the exit. A new patient leaves
for them before time t with probability 1 - exp(-h t), and a population is the mixture of both courses. The hazard h of
each group is constant, with a posterior of its own: events over person-time under Jeffreys' prior,
h ~ Gamma(events + 1/2, person-time), or under a stated one; those who were censored count for as long as they were seen.
Exits and courses are taken as independent, given the group.

References: Jeffreys' prior of a rate, Box and Tiao (1973), chapter 1, https://doi.org/10.1002/9781118033197; constant
hazards under censoring, Kalbfleisch and Prentice (2002), chapter 3, https://doi.org/10.1002/9781118032985.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from copy import copy
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from bayesmyo.cohort.cohort import Exits
from bayesmyo.components.courses import Course
from bayesmyo.components.estimands import Criteria, all_met
from bayesmyo.components.estimands.estimand import Given, Population, Predicts
from bayesmyo.components.priors import Prior
from bayesmyo.model.prediction import AtTime, Crowd, TruthPrediction, clock
from bayesmyo.model.stops import People
from bayesmyo.model.visits import Etas, trailing
from bayesmyo.study.covariates import base, coded, columns_of, stated, with_products
from bayesmyo.study.predictors import LOCATION, Effect, Predictor

Array = np.ndarray
NODES = tuple(zip(*np.polynomial.legendre.leggauss(5), strict=True))  # of exit times, by their probability
GRID = 20_000  # values of a log hazard
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
    exits: Exits, reasons: Collection[str], level: Array, levels: int, shape: tuple[int, ...], rng: np.random.Generator,
    prior: Prior | None = None,
) -> Left:  # fmt: skip
    """Who left for these reasons, and posterior draws of the hazard of each level.

    level: (patient,) position of each patient's group; shape: of the truth; prior: of a hazard, in place of Jeffreys'
    """
    who = np.array([reason in reasons for reason in exits.reason])
    at_risk = np.maximum(exits.time, 0.0)
    events, exposure = (np.bincount(level, weights=w, minlength=levels) for w in (who.astype(float), at_risk))
    exposure = np.maximum(exposure, 1e-9)
    if prior is None:
        return Left(who, exits.time, rng.gamma(events + 0.5, 1.0, (*shape, levels)) / exposure)
    draws = [_hazards(prior, n, t, rng.random(shape)) for n, t in zip(events, exposure, strict=True)]
    return Left(who, exits.time, np.stack(draws, axis=-1))


def _hazards(prior: Prior, events: float, exposure: float, uniform: Array) -> Array:
    """Draws of a hazard by its posterior's quantiles, from a fine grid of its logarithm."""
    log_h = np.log((events + 0.5) / exposure) + np.linspace(-12.0, 6.0, GRID)
    log_density = prior.log_density(np.exp(log_h)) + (events + 1) * log_h - exposure * np.exp(log_h)
    below = np.cumsum(np.exp(log_density - log_density.max()))
    return np.exp(np.interp(uniform * below[-1], below, log_h))


class Departed(TruthPrediction):
    """Predictions in which those who left follow another course after it.

    group: a covariate of patients with levels, the reference first, to which hazards and amounts belong; "" for none
    amounts: of each outcome that moves, (..., level) how much, as the course says; negative is worse where the course
        counts in the direction of benefit
    """

    def __init__(
        self, prediction: TruthPrediction, left: Left, course: Course, group: str, amounts: Mapping[str, Array]
    ):
        super().__init__(prediction.study, prediction.truth, prediction.seed, prediction._among, prediction.events)
        self.left, self.course, self.group, self.amounts = left, course, group, amounts
        self._known: dict[Any, Any] = {}

    def by(self, amounts: Mapping[str, Array]) -> "Departed":
        """The same by other amounts; what does not depend on them is computed once for all."""
        other = copy(self)
        other.amounts = amounts
        return other

    def _each(self, outcome: str, time: float | Array, given: Given, levels: Callable[..., Array]) -> Array:
        known = self._told(self._leaving(outcome, time, given), outcome, levels)
        if not self.course.fails or levels == self._means:
            return known
        return np.where(self.left.who & (self.left.time < clock(time)), np.nan, known)

    def _own(self, outcome: str, time: float | Array, given: Given) -> Etas:
        return self._replaced(self._leaving(outcome, time, given), outcome)

    def _leaving(self, outcome: str, time: float | Array, given: Given) -> "_Leaving":
        """These patients at a time."""

        def computed() -> _Leaving:
            gone = self.left.who & (self.left.time < clock(time))
            deviations, columns = self.truth.outcomes[outcome].effects, self._columns(given, self.truth.covariates)
            return _Leaving.of(self, outcome, clock(time), gone, self.left.time, deviations, columns)

        key = ("these patients", outcome, time, *sorted(given.items())) if np.ndim(time) == 0 else None
        return self._once(key, computed)

    def _new(self, outcome: str, time: float | Array, given: Given) -> Etas:
        columns = self._new_columns(given)
        exits = self._exits(self._rng(EXIT, next(iter(self.study.outcomes))).random((*self.truth.shape, 1)), columns)
        effects = self._new_patient[outcome]
        return self._replaced(
            _Leaving.of(self, outcome, clock(time), exits < clock(time), exits, effects, columns), outcome
        )

    def _crowds(
        self, outcomes: tuple[str, ...], population: Population, predicts: Predicts, given: Given
    ) -> Iterator[Crowd]:
        if population == "these patients":
            exits = np.where(self.left.who, self.left.time, np.inf)
            for crowd in super()._crowds(outcomes, population, predicts, given):
                yield _Leavers(crowd.etas, crowd.levels, crowd.people, crowd.times, True, np.tile(exits, crowd.times))
            return
        key = ("crowds", outcomes, *sorted(given.items()))
        listed = self._once(key, lambda: self._leavers(outcomes, population, predicts, given))
        for n, (effects, columns, exits) in enumerate(listed):
            leaving = partial(self._of_leavers, (*key, n), effects, columns, exits)
            etas = lambda outcome, time, at=leaving: self._replaced(at(outcome, time), outcome)  # noqa: E731
            whole = self._crowd(etas, People(effects, columns))
            yield _Leavers(etas, whole.levels, whole.people, exit=exits, key=(*key, n), leaving=leaving)

    def _of_leavers(
        self,
        key: Any,
        effects: Mapping[str, Any],
        columns: Mapping[str, Array],
        exits: Array,
        outcome: str,
        time: float,
    ) -> "_Leaving":
        asked = outcome, clock(time), exits < time, exits, effects[outcome], columns
        return self._once((*key, outcome, time), lambda: _Leaving.of(self, *asked))

    def _leavers(
        self, outcomes: tuple[str, ...], population: Population, predicts: Predicts, given: Given
    ) -> list[Any]:
        """Crowds of new patients: effects, design columns and exit times of each."""
        rng, listed = self._rng(CROWD, outcomes[0]), []
        for crowd in super()._crowds(outcomes, population, predicts, given):
            new, columns = crowd.etas.args  # type: ignore[attr-defined]
            u = rng.random((*self.truth.shape, new.place.shape[-1]))
            listed.append((new.effects, columns, self._exits(u, columns)))
        return listed

    def _meeting(
        self, crowd: Crowd, criteria: Criteria, at: float, from_: float, level: AtTime[Array], free: Mapping[str, float]
    ) -> tuple[Array, int]:
        assert isinstance(crowd, _Leavers)
        leaving, gone = crowd.leaving, crowd.exit < at
        if self.course.fails:
            who = all_met(criteria, at, from_, level) & ~gone
            return np.asarray(who.sum(axis=-1)), who.shape[-1]
        if leaving is None or level is not crowd.levels:
            return super()._meeting(crowd, criteria, at, from_, level, free)

        # new patients are many: those who stay, and what all would have had, are looked at once for all amounts
        def stayed(outcome: str, time: float) -> Array:
            known = leaving(outcome, time)
            return known.levels("_reported", lambda: self._reported(outcome, known.own))

        def left_then(outcome: str, time: float) -> Array:
            known = leaving(outcome, time)
            if outcome not in self.amounts or known.nobody:
                return self._once((*crowd.key, "gone", at, outcome, time), lambda: stayed(outcome, time)[gone])
            if time == at:
                return self._reported(outcome, self._after(known, outcome), known.values)
            return self._told(known, outcome, self._reported)[gone]

        def counted() -> tuple[Array, Array, Array]:
            who = np.broadcast_to(all_met(criteria, at, from_, stayed), gone.shape)
            return who.sum(axis=-1), who[gone], np.nonzero(gone.reshape(-1, gone.shape[-1]))[0]

        total, own, draw = self._once((*crowd.key, at, from_, *criteria.items()), counted)
        change = all_met(criteria, at, from_, left_then).astype(float) - own
        changed = np.bincount(draw, weights=change, minlength=total.size).reshape(total.shape)
        return np.asarray(total + changed), gone.shape[-1]

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

    def _after(self, leaving: "_Leaving", outcome: str) -> Etas:
        """Predictors of those who are gone, one after another."""
        benefit = -1.0 if self.course.benefit and self.study.outcomes[outcome].better == "lower" else 1.0
        amounts = np.asarray(self.amounts[outcome], dtype=float)
        amount = benefit * (
            amounts[leaving.level] if amounts.ndim == 1 else leaving.of_gone(_of_level(amounts, leaving.position))
        )
        etas = dict(leaving.own_gone)
        for name, (base_, per) in leaving.moved.items():
            eta = base_ + amount * per
            etas[name] = np.where(leaving.level == 0, etas[name], eta) if self.course.compares else eta
        return etas

    def _replaced(self, leaving: "_Leaving", outcome: str) -> Etas:
        """Predictors of everyone, those of patients who are gone replaced."""
        if outcome not in self.amounts or leaving.nobody:
            return leaving.own
        return {name: leaving.put(leaving.own[name], after) for name, after in self._after(leaving, outcome).items()}

    def _told(self, leaving: "_Leaving", outcome: str, levels: Callable[..., Array]) -> Array:
        """Levels of everyone, of which those of patients who stay are computed once."""
        own = leaving.levels(levels.__name__, lambda: levels(outcome, leaving.own))
        if outcome not in self.amounts or leaving.nobody:
            return own
        return leaving.put(own, levels(outcome, self._after(leaving, outcome), leaving.values))

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
        def everyone() -> _Leaving:
            asked = outcome, clock(time), np.asarray(True), clock(self._exits), deviations, columns
            return _Leaving.of(self._departed, *asked)

        key = None if self._key is None or deviations else (*self._key, "gone")
        return self._departed._replaced(self._departed._once(key, everyone), outcome)

    def _loading(
        self,
        p: Predictor,
        e: Effect,
        time: float | Array,
        columns: Mapping[str, Array],
        deviations: Mapping[str, Array],
    ) -> Array:
        """The course after an exit is affine in every linear coefficient."""
        moved = {**deviations, e.key: np.asarray(deviations.get(e.key, 0.0)) + 1.0}
        first, second = (self._etas(p.outcome, time, d, columns)[p.name] for d in (deviations, moved))
        return np.asarray(second - first)


@dataclass(frozen=True, eq=False)
class _Leavers(Crowd):
    """Patients over whom a share is counted, and when each leaves, (..., patient).

    leaving: of new patients, who are the same for all amounts, what is known of each outcome at each time, held by `key`
    """

    exit: Array = field(default_factory=lambda: np.zeros(0))
    key: tuple[Any, ...] = ()
    leaving: "AtTime[_Leaving] | None" = None


@dataclass(frozen=True, eq=False)
class _Leaving:
    """Patients at a time, and what does not depend on amounts of the courses of those who are gone by then.

    own: predictors, (..., patient), as if all had stayed; gone: the same shape
    moved, own_gone, level, values: of those who are gone, one after another: the parts of their course, the predictors,
        the position of the group, and parameters; position: (..., patient) of the group
    """

    own: Etas
    gone: Array
    moved: Mapping[str, Any]
    own_gone: Etas
    position: Array
    level: Array
    values: Mapping[str, Array]
    nobody: bool
    _levels: dict[str, Array]

    @classmethod
    def of(
        cls, departed: Departed, outcome: str, when: Array, gone: Array, exits: Array, deviations: Mapping[str, Array],
        columns: Mapping[str, Array],
    ) -> "_Leaving":  # fmt: skip
        paths = _Paths(departed, outcome, when, exits, deviations, columns)
        position, course = departed._position(columns), departed.course
        shape = np.broadcast_shapes(np.shape(gone), *(np.shape(v) for v in paths.etas("own").values()))
        own, gone = {k: np.broadcast_to(v, shape) for k, v in paths.etas("own").items()}, np.broadcast_to(gone, shape)
        if not gone.any():
            return cls(own, gone, {}, {}, position, position, {}, True, {})

        def flat(x: Any) -> Array:
            return np.asarray(np.broadcast_to(x, shape)[gone])

        whole = [name for name in own if course.whole or name == LOCATION]
        moved = {name: tuple(p if np.ndim(p) == 0 else flat(p) for p in course.after(paths.of(name))) for name in whole}
        values = {k: flat(v) for k, v in trailing(departed.truth.outcomes[outcome].values).items()}
        own_gone = {k: flat(v) for k, v in own.items()}
        return cls(own, gone, moved, own_gone, position, flat(position), values, False, {})

    def of_gone(self, x: Array) -> Array:
        return np.asarray(np.broadcast_to(x, self.gone.shape)[self.gone])

    def put(self, x: Array, after: Array) -> Array:
        """(..., patient) with other numbers in those who are gone."""
        full = np.array(np.broadcast_to(x, self.gone.shape))
        full[self.gone] = after
        return full

    def levels(self, name: str, compute: Callable[[], Array]) -> Array:
        """Of everyone as if all had stayed, computed once."""
        if name not in self._levels:
            self._levels[name] = compute()
        return self._levels[name]


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
