"""Truth -> levels in outcome units: one formula for a simulated truth and for posterior draws.

This module alone decides between the average patient and the average over patients.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from math import prod
from types import MappingProxyType
from typing import Any, TypeVar

import numpy as np

from bayesmyo.cohort.cohort import Episodes
from bayesmyo.components.estimands import Criteria, all_met
from bayesmyo.components.estimands.estimand import Given, Happens, Population, Predicts, Summary
from bayesmyo.errors import UsageError
from bayesmyo.model import residuals
from bayesmyo.model.asked import (
    SHARED_BY,
    known_criteria,
    known_event,
    known_given,
    known_outcome,
    known_population,
    known_summary,
    times,
)
from bayesmyo.model.event import TimeToEvent
from bayesmyo.model.new_patients import AT_ONCE, MOST, NewPatients, draw_new_patients
from bayesmyo.model.quadrature import OUTER, normal_mean
from bayesmyo.model.stops import People, Seen, none
from bayesmyo.model.truth import Truth, draw_effects, factor_of
from bayesmyo.model.visits import Etas, trailing
from bayesmyo.study.covariates import coded, with_products
from bayesmyo.study.predictors import Effect, Predictor, at, effects, predictors
from bayesmyo.study.study import Study

Array = np.ndarray
T = TypeVar("T")
FREE = 8  # the address of random numbers
Times = float | Sequence[float] | Array
AtTime = Callable[[str, Any], T]  # a time, or one for each patient


@dataclass(frozen=True, eq=False)
class Crowd:
    """Patients over whom a share is counted.

    etas, levels: what gives their predictors, and their levels as the family reports them, (..., patient), by outcome
        and time
    people: who they are, each `times` over; known: whether they are these patients
    """

    etas: AtTime[Etas]
    levels: AtTime[Array]
    people: People
    times: int = 1
    known: bool = False


class Levels:
    """What every prediction of a Truth computes, whatever becomes of patients; arguments as `TruthPrediction` says."""

    def __init__(
        self,
        study: Study,
        truth: Truth,
        seed: int = 0,
        among: int | None = None,
        events: Mapping[str, Episodes] = MappingProxyType({}),
    ):
        self.study = study
        self.truth = truth
        self.seed = seed
        self._among = among
        self.events = events

    @property
    def among(self) -> int:
        """Of how many truths each is to have its part of the patients over whom a share is counted."""
        return int(np.prod(self.truth.shape)) if self._among is None else self._among

    def level(
        self,
        outcome: str,
        time: Times,
        population: Population,
        summary: Summary | None = None,
        predicts: Predicts = "expected value",
        given: Given | None = None,
    ) -> Array:
        """The level of one outcome, in outcome units, (chain, draw); with several times (chain, draw, time).

        time: one time, or a list, in the study's unit; an array of the shape of the truth is a time for each draw
        population: "these patients", "average patient", "new patient" or "population average"
        summary: "median" averages on the link scale and returns to outcome units (a geometric mean where the link is
            the log), "mean" averages expected measurements; by default what the family reports
        predicts: "expected value", or of a new patient a "measurement"
        given: covariate values that take the place of these patients' own, { "diagnosis": "PM", "age": 60 }
        A population average integrates the expected value over new patients by quadrature, and averages over the
        covariates of these patients. Raises UsageError for a word, a name or a value that is not known.
        """
        given = {} if given is None else given
        known_outcome(self.study, outcome)
        known_population(population, predicts, measured="new patient")
        known_summary(self.study.outcomes[outcome].family, summary, predicts)
        known_given(self.study, given)
        when = times(time, self.truth.shape)
        if isinstance(when, tuple):
            return np.stack([self._level(outcome, t, population, summary, predicts, given) for t in when], axis=-1)
        if predicts == "measurement" and np.ndim(when):
            raise UsageError("time", "a measurement is predicted at one time for all draws", "a time for each draw")
        return self._level(outcome, when, population, summary, predicts, given)

    def _level(
        self,
        outcome: str,
        time: float | Array,
        population: Population,
        summary: Summary | None,
        predicts: Predicts,
        given: Given,
    ) -> Array:
        """At one time, or at a time for each draw.

        The predictors of a new patient are normal, because every trajectory is linear in the coefficients in which
        patients differ (in all but the half-time, which has a quadrature of its own).
        """
        family = self.study.outcomes[outcome].family
        values = self.truth.outcomes[outcome].values
        median = family.geometric if summary is None else summary == "median"

        if population == "these patients" and self.truth.patients is not None:
            if median:
                return np.asarray(family.inverse(self._own(outcome, time, given)["location"].mean(axis=-1)))
            return np.asarray(self._each(outcome, time, given, self._means).mean(axis=-1))
        if population == "new patient":
            etas = {k: v[..., 0] for k, v in self._new(outcome, time, given).items()}
            if predicts == "measurement":
                return residuals.draw(self.study.outcomes[outcome], self._rng(1, outcome, float(time)), etas, values)
            level = self._summed(outcome, etas, median)
        elif population == "average patient":
            level = self._average(outcome, time, self._columns(given, {}), median)
        else:
            level = self._population(outcome, time, given, median)
        return np.asarray(family.inverse(level) if median else level)

    def _summed(self, outcome: str, etas: Etas, median: bool) -> Array:
        """What levels are averaged as, (...,) from predictors of one patient: the location, or what is expected."""
        if median:
            return etas["location"]
        return residuals.mean(self.study.outcomes[outcome], etas, self.truth.outcomes[outcome].values)

    def _average(self, outcome: str, time: float | Array, columns: Mapping[str, Array], median: bool) -> Array:
        """Of the average patient with these design columns, as levels are averaged."""
        etas = self._etas(outcome, time, {}, columns)
        return self._summed(outcome, {k: v[..., 0] for k, v in etas.items()}, median)

    def patients(self, outcome: str, time: Times, given: Given | None = None) -> Etas:
        """The linear predictors of these patients by name ("location"), on the link scale, (chain, draw, patient) each;
        with several times (chain, draw, patient, time).
        """
        given = {} if given is None else given
        known_outcome(self.study, outcome)
        known_given(self.study, given)
        when = times(time, self.truth.shape)
        if isinstance(when, tuple):
            by_time = [self._own(outcome, t, given) for t in when]
            return {k: np.stack([etas[k] for etas in by_time], axis=-1) for k in by_time[0]}
        return self._own(outcome, when, given)

    def _own(self, outcome: str, time: float | Array, given: Given) -> Etas:
        """The linear predictors of these patients, (..., patient), at one time or at a time for each draw."""
        columns = self._columns(given, self.truth.covariates)
        return self._etas(outcome, time, self.truth.outcomes[outcome].effects, columns)

    def each(self, outcome: str, time: Times) -> Array:
        """The level of each of these patients, in outcome units as the family reports it, (chain, draw, patient); with
        several times (chain, draw, patient, time).
        """
        known_outcome(self.study, outcome)
        when = times(time, self.truth.shape)
        if isinstance(when, tuple):
            return np.stack([self._each(outcome, t, {}, self._reported) for t in when], axis=-1)
        return self._each(outcome, when, {}, self._reported)

    def share(
        self,
        criteria: Criteria,
        at: float,
        from_: float,
        population: Population,
        predicts: Predicts = "expected value",
        given: Given | None = None,
        free: Mapping[str, float] = MappingProxyType({}),
    ) -> Array:
        """The share of patients who meet all criteria at a time, shape of the truth; outcomes are taken together in
        each patient.

        free: by event a time until which who meets the criteria must have had none; each patient counts by the own
            probability of that

        These patients: all of them. Population average: the probability for a new patient, by quasi-Monte Carlo, with
        some hundred patients for each of 4,000 draws and 131,072 for a single truth. Measurements are drawn again and
        again, about as many in all. Raises UsageError for a word, a name or a value that is not known.
        """
        given = {} if given is None else given
        known_criteria(self.study, criteria)
        known_population(population, predicts, SHARED_BY)
        known_given(self.study, given)
        rngs: dict[tuple[str, float], np.random.Generator] = {}
        met, count = np.zeros(self.truth.shape), 0
        for event in free:
            known_event(self.study, event)
        names = dict.fromkeys([*criteria, *(n for event in free for n in (event, *self.study.events[event].depends))])
        for crowd in self._crowds(tuple(names), population, predicts, given):

            def measured(outcome: str, time: float, etas: AtTime[Etas] = crowd.etas) -> Array:
                when = float(np.max(time))
                rng = rngs.setdefault((outcome, when), self._rng(3, outcome, when))
                values = trailing(self.truth.outcomes[outcome].values)
                return residuals.draw(self.study.outcomes[outcome], rng, etas(outcome, time), values)

            level = measured if predicts == "measurement" else crowd.levels
            meeting, size = self._meeting(crowd, criteria, at, from_, level, free)
            met, count = met + meeting, count + size
        return np.asarray(met / count)

    def event(self, event: str, at: float, what: Happens, population: Population, given: Given | None = None) -> Array:
        """Of an event from time zero to a time, shape of the truth: the probability of none ("free"), the mean time
        without ("time"), or the mean number ("number").

        As if nothing else ended follow-up. These patients: patients with these effects and covariates. Population
        average: over new patients, by quasi-Monte Carlo; where patients differ in nothing but covariates, over those of
        these patients. Raises UsageError for a word or a name that is not known.
        """
        given = {} if given is None else given
        known_event(self.study, event)
        known_given(self.study, given)
        submodel = TimeToEvent(self.study, event)
        names = (event, *submodel.uses)
        if what == "number" and not submodel.counts:
            raise UsageError("event", "is not counted: it does not recur in the time since zero", f'"{event}"')
        differ = any(effects(self.study, name) for name in names)
        own = {name: self.truth.outcomes[name].effects for name in names}
        blank: dict[str, Mapping[str, Array]] = {name: {} for name in names}
        if population == "average patient":
            return submodel.summed(self.truth, at, what, blank, self._columns(given, {}))
        if (population == "these patients" and self.truth.patients is not None) or not differ:
            chosen = own if population == "these patients" else blank
            return submodel.summed(self.truth, at, what, chosen, self._columns(given, self.truth.covariates))
        total, count = np.zeros(self.truth.shape), 0
        for new in draw_new_patients(self.study, self.truth, names, self.seed, self.among * submodel.weight(at, what)):
            columns = self._columns(given, self._covariates_of(new.chosen))
            size = np.shape(new.place)[-1]
            total = total + size * submodel.summed(self.truth, at, what, new.effects, columns)
            count += size
        return np.asarray(total / count)

    def free(self, events: Mapping[str, float]) -> Array:
        """(..., patient) whether each of these patients is free of events until a time each: as is known of them, else
        drawn.
        """
        free = np.ones((*self.truth.shape, self.truth.patients or 0), dtype=bool)
        for event, until in events.items():
            free &= self._rng(FREE, event, until).random(free.shape) < self.none_until(event, until)
        return free

    def none_until(self, event: str, until: float) -> Array:
        """(..., patient) the probability that each of these patients has no event until a time, given what is known of
        them.
        """
        known_event(self.study, event)
        submodel = TimeToEvent(self.study, event)
        people = self._these((event, *submodel.uses), {})
        return none(submodel, self.truth, people, np.full(1, until), self._seen(event))

    def _seen(self, event: str) -> Seen:
        """What is known of an event of these patients."""
        episodes, patients = self.events.get(event), self.truth.patients or 1
        return Seen.nothing(patients) if episodes is None else Seen.of(episodes, patients)

    def _crowds(
        self, outcomes: tuple[str, ...], population: Population, predicts: Predicts, given: Given
    ) -> Iterator[Crowd]:
        """Groups of patients over whom a share is counted."""
        patients = self.truth.patients
        if population == "these patients" and patients is not None:
            wanted, at_once = (
                max(1, m // (patients * self.among)) if predicts == "measurement" else 1 for m in (MOST, AT_ONCE)
            )
            for _ in range(-(-wanted // at_once)):
                people = self._these(outcomes, given)
                yield self._crowd(partial(self._repeated, given, at_once), people, at_once, known=True)
            return
        for new in draw_new_patients(self.study, self.truth, outcomes, self.seed, self.among):
            columns = self._columns(given, self._covariates_of(new.chosen))
            yield self._crowd(partial(self._of_new, new, columns), People(new.effects, columns))

    def _crowd(self, etas: AtTime[Etas], people: People, times: int = 1, known: bool = False) -> Crowd:
        return Crowd(etas, lambda outcome, time: self._reported(outcome, etas(outcome, time)), people, times, known)

    def _these(self, names: Iterable[str], given: Given) -> People:
        """These patients, by what their effects on the named submodels are."""
        own = {name: self.truth.outcomes[name].effects for name in names}
        return People(own, self._columns(given, self.truth.covariates))

    def _meeting(
        self, crowd: Crowd, criteria: Criteria, at: float, from_: float, level: AtTime[Array], free: Mapping[str, float]
    ) -> tuple[Array, int]:
        """How many of a crowd meet all criteria and are free of events by a time each, (...,), and of how many."""
        who = all_met(criteria, at, from_, level)
        own, columns = crowd.people.effects, crowd.people.columns
        each = (TimeToEvent(self.study, e).of_each(self.truth, t, "free", own, columns) for e, t in free.items())
        counted = prod((np.tile(p, crowd.times) for p in each), start=np.asarray(who, dtype=float))
        return np.asarray(counted.sum(axis=-1)), counted.shape[-1]

    def _repeated(self, given: Given, times: int, outcome: str, time: float) -> Etas:
        """Predictors of these patients, all of them several times over."""
        return {k: np.tile(v, times) for k, v in self._own(outcome, time, given).items()}

    def _of_new(self, new: NewPatients, columns: Mapping[str, Array], outcome: str, time: float) -> Etas:
        return self._etas(outcome, time, new.effects[outcome], columns)

    def _reported(self, outcome: str, etas: Etas, values: Mapping[str, Array] | None = None) -> Array:
        """Levels in outcome units as the family reports them: the median where that is geometric, else the mean.

        values: parameters that broadcast against the predictors, where these are not (..., patient)
        """
        family = self.study.outcomes[outcome].family
        return np.asarray(family.inverse(etas["location"])) if family.geometric else self._means(outcome, etas, values)

    def _means(self, outcome: str, etas: Etas, values: Mapping[str, Array] | None = None) -> Array:
        """Expected measurements, as `_reported`."""
        known = trailing(self.truth.outcomes[outcome].values) if values is None else values
        return residuals.mean(self.study.outcomes[outcome], etas, known)

    def _each(self, outcome: str, time: float | Array, given: Given, levels: Callable[..., Array]) -> Array:
        """Levels of each of these patients, (..., patient): `_reported` or `_means`."""
        return levels(outcome, self._own(outcome, time, given))

    def _covariates_of(self, chosen: Callable[[int], Array]) -> dict[str, Array]:
        """Design columns, (..., patient), of patients chosen among these; `chosen` is handed how many there are."""
        if not self.truth.covariates:
            return {}
        n = np.shape(next(iter(self.truth.covariates.values())))[-1]
        who = chosen(n)
        everyone = {k: np.broadcast_to(c, (*self.truth.shape, n)) for k, c in self.truth.covariates.items()}
        return {k: np.take_along_axis(c, who, axis=-1) for k, c in everyone.items()}

    def _etas(
        self, outcome: str, time: float | Array, deviations: Mapping[str, Array], columns: Mapping[str, Array]
    ) -> Etas:
        """Linear predictors by name, (..., patient), broadcast to one shape."""
        return self._at(outcome, clock(time), deviations, columns)

    def _at(self, outcome: str, when: Array, deviations: Mapping[str, Array], columns: Mapping[str, Array]) -> Etas:
        """The same at times that have an axis for patients, or none."""
        values = trailing(self.truth.outcomes[outcome].values)
        etas = at(predictors(self.study, outcome), when, values, deviations, columns, np)
        shape = np.broadcast_shapes((*self.truth.shape, 1), *(np.shape(v) for v in etas.values()))
        return {k: np.broadcast_to(v, shape) for k, v in etas.items()}

    def _columns(self, given: Given, own: Mapping[str, Array]) -> dict[str, Array]:
        """Design columns: as given, else the patients' own, else those of the reference patient."""
        base: dict[str, Array] = {k: np.asarray(v) for k, v in own.items()}
        for name, value in given.items():
            levels = self.study.covariates[name].levels
            number = float(levels.index(str(value))) if levels else float(value)
            base |= coded(self.study, name, number)
        return with_products(self.study, base, self.study.covariates)

    def _population(self, outcome: str, time: float | Array, given: Given, median: bool) -> Array:
        """The average over new patients with these patients' covariates, or the given ones, as levels are averaged."""
        total, weight = np.zeros(self.truth.shape), 0.0
        for columns, share in self._covariate_patterns(outcome, given):
            total, weight = total + share * self._everyone(outcome, time, columns, median), weight + share
        return total / weight

    def _everyone(self, outcome: str, time: float | Array, columns: Mapping[str, Array], median: bool) -> Array:
        """The average over new patients with these design columns, as levels are averaged."""
        o, values = self.study.outcomes[outcome], self.truth.outcomes[outcome].values

        def mean(etas: Etas) -> Array:
            """Nodes are the last axis of the predictors, or their last two."""
            axes = np.ndim(etas["location"]) - len(self.truth.shape)
            return residuals.mean(o, etas, trailing(values, axes))

        if median and all(e.linear for e in effects(self.study, outcome)):
            return self._etas(outcome, time, {}, columns)["location"][..., 0]
        return self._expectation(outcome, time, columns, (lambda etas: etas["location"]) if median else mean)

    def _covariate_patterns(self, outcome: str, given: Given) -> Iterator[tuple[dict[str, Array], float]]:
        """Design columns of the patients averaged over, (...,) each with a trailing axis of one, and how many have
        them.
        """
        needed = self._needed(outcome)
        own = {k: np.asarray(v) for k, v in self.truth.covariates.items()}
        columns = {k: v for k, v in self._columns(given, own).items() if k in needed}
        n = max((np.shape(v)[-1] for v in columns.values() if np.ndim(v)), default=1)
        if all(np.ndim(v) < 2 for v in columns.values()):
            names = list(columns)
            table = np.stack([np.broadcast_to(columns[k], (n,)) for k in names], axis=-1) if names else np.zeros((n, 0))
            patterns, counts = np.unique(table, axis=0, return_counts=True)
            for row, count in zip(patterns, counts, strict=True):
                yield dict(zip(names, row, strict=True)), float(count)
            return
        for i in range(n):  # an imputed covariate differs from draw to draw
            yield {k: v[..., i : i + 1] if np.shape(v)[-1:] == (n,) else v for k, v in columns.items()}, 1.0

    def _needed(self, outcome: str) -> set[str]:
        """The design columns on which an outcome's levels depend."""
        return {c for p in predictors(self.study, outcome) for c in (*p.level_columns, *p.change_columns)}

    def _expectation(
        self, outcome: str, time: float | Array, columns: Mapping[str, Array], function: Callable[[Etas], Array]
    ) -> Array:
        """(...,) the mean of a function of the predictors over new patients; nodes are the last axis of what it is
        handed.
        """
        every = effects(self.study, outcome)
        listed = predictors(self.study, outcome)
        durations = [e for e in every if not e.linear]
        linear = [e for e in every if e not in durations]
        if not every:
            return np.asarray(function(self._etas(outcome, time, {}, columns)))[..., 0]
        ordered = [*durations, *linear]
        factor = factor_of(self.study, self.truth, ordered)
        k = len(durations)
        grid = np.array(np.meshgrid(*[OUTER[0]] * k)).reshape(k, -1).T if k else np.zeros((1, 0))
        weights = np.prod(np.array(np.meshgrid(*[OUTER[1]] * k)).reshape(k, -1), axis=0) if k else np.ones(1)
        inner = factor[..., k:, k:] @ np.swapaxes(factor[..., k:, k:], -1, -2)
        total = np.zeros(self.truth.shape)
        for node, weight in zip(grid, weights, strict=True):
            moved = factor[..., :, :k] @ node
            deviations = {e.key: moved[..., i, None] for i, e in enumerate(ordered) if k}
            etas = self._etas(outcome, time, deviations, columns)
            loadings = np.zeros((*self.truth.shape, len(listed), len(linear)))
            for i, p in enumerate(listed):
                for j, e in enumerate(linear):
                    if e.predictor == p.name:
                        one = self._loading(p, e, time, columns, deviations)
                        loadings[..., i, j] = np.broadcast_to(one, (*self.truth.shape, 1))[..., 0]
            variance = loadings @ inner @ np.swapaxes(loadings, -1, -2)
            total = total + weight * normal_mean(etas, variance, function)
        return total

    def _loading(
        self,
        p: Predictor,
        e: Effect,
        time: float | Array,
        columns: Mapping[str, Array],
        deviations: Mapping[str, Array],
    ) -> Array:
        """How far a predictor moves, (..., 1), when a patient's linear coefficient moves by one."""
        values = trailing(self.truth.outcomes[p.outcome].values)
        return np.asarray(p.loading(clock(time), values, e, columns, np, deviations))

    def _new(self, outcome: str, time: float | Array, given: Given) -> Etas:
        """Linear predictors of the new patient of each draw, (..., 1), with the covariates of one of these patients."""
        return self._etas(outcome, time, self._new_patient[outcome], self._new_columns(given))

    def _new_columns(self, given: Given) -> dict[str, Array]:
        rng = np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(2,)))
        own = self._covariates_of(lambda n: rng.integers(n, size=self.truth.shape)[..., None])
        return self._columns(given, own)

    @cached_property
    def _new_patient(self) -> dict[str, dict[str, Array]]:
        rng = np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(0,)))
        return draw_effects(self.study, self.truth, 1, rng)

    def _rng(self, role: int, outcome: str, time: float = 0.0) -> np.random.Generator:
        """An address, not a sequence: the same draw whatever was asked before."""
        position = list(self.study.declared).index(outcome)
        microtime = round(time * 1e6) & 0xFFFFFFFF
        return np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(role, position, microtime)))


def clock(time: float | Array) -> Array:
    """A time, or one for each draw with a last axis for patients or nodes."""
    when = np.asarray(time, dtype=float)
    return when[..., None] if when.ndim else when


__all__ = ["AtTime", "Crowd", "Levels", "clock"]
