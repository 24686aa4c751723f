"""Levels at which patients stand from an event on: the strategy *while on treatment* (ICH E9(R1))."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, pairwise
from math import prod

import numpy as np

from bayesmyo.components.estimands import Criteria, all_met
from bayesmyo.components.estimands.estimand import Given, Population, Predicts, Summary
from bayesmyo.errors import UsageError
from bayesmyo.model import residuals
from bayesmyo.model.event import TimeToEvent, kinks
from bayesmyo.model.levels import AtTime, Crowd, Levels
from bayesmyo.model.stops import People, Seen, amount, stops
from bayesmyo.model.visits import Etas
from bayesmyo.study.predictors import predictors

Array = np.ndarray
STOP = 7  # the address of random numbers
LOOKS = 24  # between which a time is drawn


class Stopped(Levels):
    """Predictions in which a patient stands, from the first of some events on, at the level there.

    Times that it computes with have an axis for patients.
    """

    def __init__(self, prediction: Levels, events: tuple[str, ...]):
        super().__init__(prediction.study, prediction.truth, prediction.seed, prediction._among, prediction.events)
        self.stops = tuple(TimeToEvent(self.study, event) for event in events)
        self._names = tuple(dict.fromkeys(chain.from_iterable((e.name, *e.uses) for e in self.stops)))

    def _level(
        self,
        outcome: str,
        time: float | Array,
        population: Population,
        summary: Summary | None,
        predicts: Predicts,
        given: Given,
    ) -> Array:
        if np.ndim(time):
            raise UsageError("time", "must be one time for all draws where courses stop at an event")
        until, family = float(time), self.study.outcomes[outcome].family
        if until <= 0:
            return super()._level(outcome, until, population, summary, predicts, given)
        names = tuple(dict.fromkeys((outcome, *self._names)))
        median = family.geometric if summary is None else summary == "median"
        if population == "new patient":
            return self._of_one(outcome, until, names, median, predicts, given)
        if population == "average patient":
            nobody = People({name: {} for name in names}, self._columns(given, {}))
            level = self._stood(outcome, until, nobody, median)[..., 0]
        elif population == "these patients" and self.truth.patients is not None:
            level = self._stood(outcome, until, self._these(names, given), median, known=True).mean(axis=-1)
        else:  # who does not stop is averaged over by quadrature, and what stopping changes by quasi-Monte Carlo
            change, count = np.zeros(self.truth.shape), 0
            for crowd in self._crowds(names, population, predicts, given):
                going_on = self._to_average(outcome, np.full(1, until), crowd.people, median)
                each = self._stood(outcome, until, crowd.people, median) - going_on
                change, count = change + each.sum(axis=-1), count + each.shape[-1]
            level = self._population(outcome, until, given, median) + change / count
        return np.asarray(family.inverse(level) if median else level)

    def _stood(self, outcome: str, until: float, people: People, median: bool, known: bool = False) -> Array:
        """(..., patient) where each is expected to stand, as levels are averaged."""
        total: Array = np.zeros((*self.truth.shape, 1))
        for when, share in self._when((outcome,), people, until, known):
            total = total + share * self._to_average(outcome, when, people, median)
        return total

    def _to_average(self, outcome: str, when: Array, people: People, median: bool) -> Array:
        """(..., patient) what levels are averaged as."""
        etas = self._at(outcome, when, people.effects[outcome], people.columns)
        return etas["location"] if median else self._means(outcome, etas)

    def _when(
        self, outcomes: Iterable[str], people: People, until: float, known: bool
    ) -> Iterator[tuple[Array, Array]]:
        """Times at which patients stop, each with its probability; known: of these patients, as far as it is."""
        seen = [self._seen(e.name) if known else Seen.nothing() for e in self.stops]
        bends = {k for name in outcomes for p in predictors(self.study, name) for k in kinks(p)}
        return stops(self.stops, self.truth, people, until, seen, sorted(bends))

    def _of_one(
        self, outcome: str, until: float, names: tuple[str, ...], median: bool, predicts: Predicts, given: Given
    ) -> Array:
        """Of the new patient of each draw, who stops at a time drawn with the effects."""
        family, values = self.study.outcomes[outcome].family, self.truth.outcomes[outcome].values
        people = People({name: self._new_patient[name] for name in names}, self._new_columns(given))
        when = self._drawn(people, until)
        etas = {k: v[..., 0] for k, v in self._at(outcome, when, people.effects[outcome], people.columns).items()}
        if predicts == "measurement":
            return residuals.draw(self.study.outcomes[outcome], self._rng(1, outcome, until), etas, values)
        level = self._summed(outcome, etas, median)
        return np.asarray(family.inverse(level) if median else level)

    def _drawn(self, people: People, until: float) -> Array:
        """(..., 1) when each stops: by the inverse of the probability of none, between looks a constant hazard."""
        looks = np.linspace(0.0, until, LOOKS + 1)
        edges = [np.full(1, t) for t in looks]
        each = [sum(amount(e, self.truth, people, a, b) for e in self.stops) for a, b in pairwise(edges)]
        wanted = -np.log1p(-self._rng(STOP, self.stops[0].name).random((*self.truth.shape, 1)))
        when, before = np.zeros_like(wanted), np.zeros_like(wanted)
        for more, (a, b) in zip(each, pairwise(looks), strict=True):
            inside = np.clip((wanted - before) / np.maximum(more, np.finfo(float).tiny), 0.0, 1.0)
            when, before = when + inside * (b - a), before + more
        return when

    def _crowds(
        self, outcomes: tuple[str, ...], population: Population, predicts: Predicts, given: Given
    ) -> Iterator[Crowd]:
        return super()._crowds(tuple(dict.fromkeys((*outcomes, *self._names))), population, predicts, given)

    def _meeting(
        self, crowd: Crowd, criteria: Criteria, at: float, from_: float, level: AtTime[Array], free: Mapping[str, float]
    ) -> tuple[Array, int]:
        if at <= 0:
            return super()._meeting(crowd, criteria, at, from_, level, free)
        total, size = np.zeros(self.truth.shape), 1
        for when, share in self._when(criteria, crowd.people, at, crowd.known):
            later: dict[str, Array] = {}

            def stood(outcome: str, time: float, when: Array = when, later: dict[str, Array] = later) -> Array:
                if outcome not in later:
                    later[outcome] = level(outcome, when)
                if time == at:
                    return later[outcome]
                return np.where(np.tile(when, crowd.times) <= from_, later[outcome], level(outcome, from_))

            weight = prod((self._none(crowd.people, e, t, when, at) for e, t in free.items()), start=share)
            counted = all_met(criteria, at, from_, stood) * np.tile(weight, crowd.times)
            total, size = total + counted.sum(axis=-1), counted.shape[-1]
        return np.asarray(total), size

    def _none(self, people: People, event: str, until: float, when: Array, at: float) -> Array:
        """(..., patient) the probability of no event until a time, or until a patient stops, from time zero."""
        stop = np.where(when < at, np.minimum(when, until), until)
        return np.exp(-amount(TimeToEvent(self.study, event), self.truth, people, np.zeros(1), stop))

    def _etas(
        self, outcome: str, time: float | Array, deviations: Mapping[str, Array], columns: Mapping[str, Array]
    ) -> Etas:
        return self._at(outcome, np.asarray(time, dtype=float), deviations, columns)


__all__ = ["Stopped"]
