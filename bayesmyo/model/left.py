"""Levels and shares where those who left follow another course from their exit on: no refit, no new draws.

These patients: the course of each who left for the reasons asked about is replaced after the exit. A new patient leaves
for them before time t with probability p(t) = 1 - exp(-H(t)), and a population is the mixture of both courses. The
hazard is that of `leaving.py`. Where it depends on the course of a patient, p(t) and the course are those of the same
patient, and the mixture is averaged over patients: E[course] + E[p(t) (course after the exit - course)].
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Never

import numpy as np

from bayesmyo.components.courses import Course
from bayesmyo.components.estimands import Criteria, all_met
from bayesmyo.components.estimands.estimand import Given, Population, Predicts
from bayesmyo.components.numbers import listing
from bayesmyo.errors import UsageError
from bayesmyo.model.after_exit import Courses, Departures
from bayesmyo.model.averages import clock
from bayesmyo.model.leaving import Left, Patients, of_level
from bayesmyo.model.levels import AtTime, Crowd
from bayesmyo.model.new_patients import draw_new_patients
from bayesmyo.model.prediction import TruthPrediction
from bayesmyo.model.stops import People
from bayesmyo.model.visits import Etas
from bayesmyo.study.covariates import base, columns_of
from bayesmyo.study.predictors import Effect, Predictor

Array = np.ndarray
NODES = tuple(zip(*np.polynomial.legendre.leggauss(5), strict=True))  # of exit times, by their probability
FEWER = 8  # times fewer patients are enough for the mean of what is smooth
EXIT, CROWD, JOINT = 5, 6, 7  # addresses of random numbers, beside those of `TruthPrediction`


class Departed(TruthPrediction):
    """Predictions in which those who left follow another course after it.

    group: a covariate of patients with levels, the reference first, to which amounts belong; "" for none
    amounts: of each outcome that moves, (..., level) how much, as the course says; negative is worse where the course
        counts in the direction of benefit
    """

    def __init__(
        self, prediction: TruthPrediction, left: Left, course: Course, group: str, amounts: Mapping[str, Array]
    ):
        super().__init__(prediction.study, prediction.truth, prediction.seed, prediction._among, prediction.events)
        self.left, self.course, self.group, self.amounts = left, course, group, amounts
        self._courses = Courses(prediction, course, group)
        self._known: dict[Any, Any] = {}

    def stopped(self, events: Sequence[str]) -> Never:
        """Raises UsageError: of those who left there is one course."""
        raise UsageError("events", "cannot stop a course that is replaced after an exit", listing(events))

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

    def _leaving(self, outcome: str, time: float | Array, given: Given) -> Departures:
        """These patients at a time."""

        def computed() -> Departures:
            gone = self.left.who & (self.left.time < clock(time))
            deviations, columns = self.truth.outcomes[outcome].effects, self._columns(given, self.truth.covariates)
            return self._courses.at(outcome, clock(time), gone, self.left.time, deviations, columns)

        key = ("these patients", outcome, time, *sorted(given.items())) if np.ndim(time) == 0 else None
        return self._once(key, computed)

    def _new(self, outcome: str, time: float | Array, given: Given) -> Etas:
        columns = self._new_columns(given)
        u = self._rng(EXIT, next(iter(self.study.outcomes))).random((*self.truth.shape, 1))
        exits, effects = self._exits(u, self._new_patient, columns), self._new_patient[outcome]
        return self._replaced(
            self._courses.at(outcome, clock(time), exits < clock(time), exits, effects, columns), outcome
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
    ) -> Departures:
        asked = outcome, clock(time), exits < time, exits, effects[outcome], columns
        return self._once((*key, outcome, time), lambda: self._courses.at(*asked))

    def _leavers(
        self, outcomes: tuple[str, ...], population: Population, predicts: Predicts, given: Given
    ) -> list[Any]:
        """Crowds of new patients: effects, design columns and exit times of each."""
        rng, listed = self._rng(CROWD, outcomes[0]), []
        names = tuple(dict.fromkeys([*outcomes, *self.left.hazard.names]))
        for crowd in super()._crowds(names, population, predicts, given):
            new, columns = crowd.etas.args  # type: ignore[attr-defined]
            u = rng.random((*self.truth.shape, new.place.shape[-1]))
            listed.append((new.effects, columns, self._exits(u, new.effects, columns)))
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

    def _exits(self, share: Array, effects: Mapping[str, Mapping[str, Array]], columns: Mapping[str, Array]) -> Array:
        """(..., patient) when new patients leave, by the share of patients like them that has left by then."""
        return self.left.hazard.exits(-np.log1p(-share), self._patients(effects, columns))

    def _leaves(
        self, time: float | Array, effects: Mapping[str, Mapping[str, Array]], columns: Mapping[str, Array]
    ) -> Array:
        """(..., patient) the probability with which new patients leave before a time."""
        amount = self.left.hazard.cumulative(np.maximum(clock(time), 0.0), self._patients(effects, columns))
        return np.asarray(-np.expm1(-amount))

    def _patients(self, effects: Mapping[str, Mapping[str, Array]], columns: Mapping[str, Array]) -> Patients:
        return Patients(effects, columns, self._courses.position(columns))

    def _population(self, outcome: str, time: float | Array, given: Given, median: bool) -> Array:
        if not self.left.hazard.names or outcome not in self.amounts or not np.any(np.asarray(time) > 0):
            return super()._population(outcome, time, given, median)
        key = ("joint", outcome, time, median, *sorted(given.items())) if np.ndim(time) == 0 else None
        plain = self._courses.prediction
        own = self._once(key and (*key, "own"), lambda: plain._population(outcome, time, given, median))
        level = (lambda etas, values: etas["location"]) if median else partial(self._means, outcome)
        count, sums = 0, [np.zeros(self.truth.shape)] * 4
        for leaves, everyone, before in self._once(key, lambda: self._joint(outcome, time, given, level)):
            x = leaves * (level(self._after(everyone, outcome), everyone.values).reshape(leaves.shape) - before)
            y, count = before - own[..., None], count + leaves.shape[-1]
            sums = [s + np.sum(z, axis=-1) for s, z in zip(sums, (x, y, x * y, y * y), strict=True)]
        # the mean of y is zero, and x goes with it: what these patients' own levels miss of theirs corrects the change
        x, y, xy, yy = (s / count for s in sums)
        slope = np.divide(xy - x * y, yy - y * y, out=np.zeros_like(x), where=yy - y * y > 0)
        return np.asarray(own + x - slope * y)

    def _joint(
        self, outcome: str, time: float | Array, given: Given, level: Callable[[Etas, Mapping[str, Array]], Array]
    ) -> list[tuple[Array, Departures, Array]]:
        """Batches of new patients whose hazard depends on their course: (..., patient) the probability of leaving
        before a time, the courses as if all had left before it, and the own levels.
        """
        hazard, rng, batches = self.left.hazard, self._rng(JOINT, outcome), []
        names = tuple(dict.fromkeys([outcome, *hazard.names]))
        for new in draw_new_patients(self.study, self.truth, names, self.seed, FEWER * self.among):
            columns = self._columns(given, self._covariates_of(new.chosen))
            leaves = np.broadcast_to(self._leaves(time, new.effects, columns), new.place.shape)
            exits = np.zeros(1)
            if self.course.looks_back:
                exits = self._exits(rng.random(leaves.shape) * leaves, new.effects, columns)
            asked = outcome, clock(time), np.broadcast_to(True, leaves.shape), exits, new.effects[outcome], columns
            everyone = self._courses.at(*asked)
            batches.append((leaves, everyone, level(everyone.own_gone, everyone.values).reshape(leaves.shape)))
        return batches

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
        leaving, after = self._leaves(time, {}, columns)[..., 0], np.zeros(self.truth.shape)
        for node, weight in NODES if self.course.looks_back else ((0.0, 2.0),):
            exits = self._exits(((1 + node) / 2 * leaving)[..., None], {}, columns)[..., 0]
            after = after + weight / 2 * of(_Gone(self, exits, key and (*key, node)), outcome, time, columns, median)
        return np.asarray(own + leaving * (after - own))

    def _after(self, leaving: Departures, outcome: str) -> Etas:
        """Predictors of those who are gone, one after another."""
        benefit = -1.0 if self.course.benefit and self.study.outcomes[outcome].better == "lower" else 1.0
        amounts = np.asarray(self.amounts[outcome], dtype=float)
        amount = benefit * (
            amounts[leaving.level] if amounts.ndim == 1 else leaving.of_gone(of_level(amounts, leaving.position))
        )
        etas = dict(leaving.own_gone)
        for name, (base_, per) in leaving.moved.items():
            eta = base_ + amount * per
            etas[name] = np.where(leaving.level == 0, etas[name], eta) if self.course.compares else eta
        return etas

    def _replaced(self, leaving: Departures, outcome: str) -> Etas:
        """Predictors of everyone, those of patients who are gone replaced."""
        if outcome not in self.amounts or leaving.nobody:
            return leaving.own
        return {name: leaving.put(leaving.own[name], after) for name, after in self._after(leaving, outcome).items()}

    def _told(self, leaving: Departures, outcome: str, levels: Callable[..., Array]) -> Array:
        """Levels of everyone, of which those of patients who stay are computed once."""
        own = leaving.levels(levels.__name__, lambda: levels(outcome, leaving.own))
        if outcome not in self.amounts or leaving.nobody:
            return own
        return leaving.put(own, levels(outcome, self._after(leaving, outcome), leaving.values))

    def _needed(self, outcome: str) -> set[str]:
        own = super()._needed(outcome).union(*(super(Departed, self)._needed(n) for n in self.left.hazard.covariates))
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
        def everyone() -> Departures:
            asked = outcome, clock(time), np.asarray(True), clock(self._exits), deviations, columns
            return self._departed._courses.at(*asked)

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

    leaving: of new patients, who are the same for all amounts, what is known of each outcome at each time, held by
        `key`
    """

    exit: Array = field(default_factory=lambda: np.zeros(0))
    key: tuple[Any, ...] = ()
    leaving: AtTime[Departures] | None = None


__all__ = ["Departed"]
