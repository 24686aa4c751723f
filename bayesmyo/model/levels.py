"""Truth -> levels in outcome units: one formula for a simulated truth and for posterior draws.

This module alone decides between the average patient and the average over patients.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import prod
from types import MappingProxyType
from typing import Any, TypeVar

import numpy as np

from bayesmyo.components.estimands import Criteria, all_met
from bayesmyo.components.estimands.estimand import Given, Happens, Population, Predicts, Summary
from bayesmyo.errors import UsageError
from bayesmyo.model import residuals
from bayesmyo.model.asked import (
    SHARED_BY,
    at_times,
    known_criteria,
    known_event,
    known_given,
    known_outcome,
    known_population,
    known_summary,
    last_of_each,
)
from bayesmyo.model.averages import Averages
from bayesmyo.model.event import TimeToEvent
from bayesmyo.model.new_patients import AT_ONCE, MOST, NewPatients, draw_new_patients
from bayesmyo.model.stops import People, Seen, none
from bayesmyo.model.visits import Etas, trailing
from bayesmyo.study.predictors import effects

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


class Levels(Averages):
    """What every prediction of a Truth computes, whatever becomes of patients; arguments as `TruthPrediction` says."""

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
        asked = (population, summary, predicts, given)
        return at_times(time, self.truth.shape, lambda when: self._level(outcome, when, *asked))

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
        if predicts == "measurement" and np.ndim(time):
            raise UsageError("time", "a measurement is predicted at one time for all draws", "a time for each draw")
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

    def patients(self, outcome: str, time: Times, given: Given | None = None) -> Etas:
        """The linear predictors of these patients by name ("location"), on the link scale, (chain, draw, patient) each;
        with several times (chain, draw, patient, time).
        """
        given = {} if given is None else given
        known_outcome(self.study, outcome)
        known_given(self.study, given)
        return at_times(time, self.truth.shape, lambda when: self._own(outcome, when, given), last_of_each)

    def each(self, outcome: str, time: Times) -> Array:
        """The level of each of these patients, in outcome units as the family reports it, (chain, draw, patient); with
        several times (chain, draw, patient, time).
        """
        known_outcome(self.study, outcome)
        return at_times(time, self.truth.shape, lambda when: self._each(outcome, when, {}, self._reported))

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


__all__ = ["AtTime", "Crowd", "Levels"]
