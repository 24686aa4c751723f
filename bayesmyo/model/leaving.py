"""Who left, and when a new patient would leave: by a constant hazard, or by the hazards that a fit has.

A constant hazard h of each group has a posterior of its own: events over person-time under Jeffreys' prior,
h ~ Gamma(events + 1/2, person-time), or under a stated one; who was censored counts for as long as that patient was
seen. Exits and courses are then independent, given the group. Where the study has an event for the same reasons, its
hazard in the fit stands for it: with its shape in time, its covariates, and the course of each patient on which it
depends.

As if nothing else ended follow-up: hazards of several events add up, those of other reasons are left out.

References: Jeffreys' prior of a rate, Box and Tiao (1973), chapter 1, https://doi.org/10.1002/9781118033197; constant
hazards under censoring, Kalbfleisch and Prentice (2002), chapter 3, https://doi.org/10.1002/9781118032985; when hazards
and courses depend on the same effects, Rizopoulos (2012), chapter 4, https://doi.org/10.1201/b12208.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bayesmyo.cohort.cohort import Exits
from bayesmyo.components.priors import Prior
from bayesmyo.model.event import TimeToEvent, in_parts
from bayesmyo.model.hazards import NODES, TOWARDS_ZERO, between, from_zero
from bayesmyo.model.truth import Truth
from bayesmyo.study.study import Study

Array = np.ndarray
Own = Mapping[str, Mapping[str, Array]]
GRID = 20_000  # values of a log hazard
CELLS, LOOKS = 32, 2  # of the grid from which exit times are read; nodes in each
HALVED = 2.0 ** -np.arange(6, 13)  # more of the grid where a hazard may be infinite at zero
AT_ZERO = 1e-9  # a time, where a hazard may be infinite


@dataclass(frozen=True, eq=False)
class Patients:
    """Who could leave, (..., patient): effects by submodel, design columns, and the position of the group."""

    effects: Mapping[str, Mapping[str, Array]]
    columns: Mapping[str, Array]
    position: Array


@dataclass(frozen=True, eq=False)
class Left:
    """Who left for the reasons asked about, when, and how likely a new patient does.

    who, time: (patient,) whether, and the end of follow-up of everyone
    """

    who: Array
    time: Array
    hazard: "Leaving"

    def by(self, time: float) -> Array:
        """(patient,) who had left before a time."""
        return self.who & (self.time < time)


class Leaving(ABC):
    """The hazard at which new patients leave for the reasons asked about.

    names: the submodels whose effects it looks at, events and outcomes; none where patients alike leave alike
    covariates: the submodels whose design columns it looks at
    fitted: the events of the study whose hazards it adds up; none where exits are counted beside the model
    """

    fitted: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    covariates: tuple[str, ...] = ()

    @abstractmethod
    def cumulative(self, time: Array, patients: Patients) -> Array:
        """(..., patient) the hazard integrated from zero to these times, (..., patient)."""

    @abstractmethod
    def exits(self, amount: Array, patients: Patients) -> Array:
        """(..., patient) when the integrated hazard reaches these amounts, (..., patient)."""


@dataclass(frozen=True, eq=False)
class Rates(Leaving):
    """A constant hazard of each group. rates: (..., level), one level where there is no group"""

    rates: Array

    def cumulative(self, time: Array, patients: Patients) -> Array:
        return np.asarray(np.maximum(time, 0.0) * of_level(self.rates, patients.position))

    def exits(self, amount: Array, patients: Patients) -> Array:
        return np.asarray(amount / of_level(self.rates, patients.position))


@dataclass(frozen=True, eq=False)
class Events(Leaving):
    """The hazards of events of a study, added up.

    until: the latest time that anything looks at; of an exit after it no more is known than that it is later
    """

    study: Study
    events: tuple[str, ...]
    truth: Truth
    until: float

    @cached_property
    def _submodels(self) -> tuple[TimeToEvent, ...]:
        return tuple(TimeToEvent(self.study, name) for name in self.events)

    @cached_property
    def _all(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for s in self._submodels for name in (s.name, *s.uses)))

    @property
    def fitted(self) -> tuple[str, ...]:  # type: ignore[override]
        return self.events

    @property
    def names(self) -> tuple[str, ...]:  # type: ignore[override]
        return self._all if any(s.uses or s.effects for s in self._submodels) else ()

    @property
    def covariates(self) -> tuple[str, ...]:  # type: ignore[override]
        return self._all

    def cumulative(self, time: Array, patients: Patients) -> Array:
        """By quadrature, as a fit integrates it."""
        looks = (len(TOWARDS_ZERO) + 2) * len(NODES)
        return np.concatenate(
            [
                np.asarray(sum(self._integral(s, stop, own, columns) for s in self._submodels))
                for stop, own, columns in self._in_parts(looks, np.maximum(time, AT_ZERO), patients)
            ],
            axis=-1,
        )

    def exits(self, amount: Array, patients: Patients) -> Array:
        """From a grid of times; in each of its cells the hazard is taken as constant."""
        return np.concatenate(
            [
                _reached(wanted, *self._grid(own, columns))
                for wanted, own, columns in self._in_parts(LOOKS * CELLS, amount, patients)
            ],
            axis=-1,
        )

    def _in_parts(self, looks: int, x: Array, patients: Patients) -> Iterator[tuple[Array, Own, Mapping[str, Array]]]:
        """A number of each patient, the effects and the columns, of a few patients at a time."""
        own = {name: patients.effects.get(name, {}) for name in self._all}
        cost = int(np.prod(self.truth.shape)) * looks
        for few, columns in in_parts(cost, {**own, "": {"x": x}}, patients.columns):
            yield few.pop("")["x"], few, columns

    def _integral(self, s: TimeToEvent, stop: Array, own: Own, columns: Mapping[str, Array]) -> Array:
        """From zero to an end of each patient's own, by the pieces that `Rule` has."""
        shares = [stop * f for f in TOWARDS_ZERO] if s.rule.pole else []
        inside = [np.minimum(k, stop) for k in s.rule.kinks if k > 0]
        edges = np.sort(np.stack([0.0 * stop, *inside, *shares, stop], axis=-1), axis=-1)
        t, w = between(edges[..., :-1], edges[..., 1:], s.rule.flat)
        if s.rule.pole:
            t[..., 0, :], w[..., 0, :] = from_zero(edges[..., 1, None])
        t, w = (x.reshape(*x.shape[:-2], -1) for x in (t, w))
        return np.asarray((s.hazard(self.truth, t, own, columns) * w).sum(axis=-1))

    def _grid(self, own: Own, columns: Mapping[str, Array]) -> tuple[Array, Array]:
        """(edge,) times from zero to `until`, and (..., patient, edge) the hazard integrated to each."""
        kinks = [k for s in self._submodels for k in s.rule.kinks if 0 < k < self.until]
        halved = self.until * HALVED if any(s.rule.pole for s in self._submodels) else ()
        edges = np.unique([*np.linspace(0.0, self.until, CELLS + 1), *kinks, *halved])
        total = np.asarray(sum(self._cells(s, edges, own, columns) for s in self._submodels))
        return edges, np.concatenate([np.zeros((*total.shape[:-1], 1)), total], axis=-1)

    def _cells(self, s: TimeToEvent, edges: Array, own: Own, columns: Mapping[str, Array]) -> Array:
        """(..., patient, edge) the hazard of one event integrated to every edge but zero."""
        first = s.rule.nodes(0.0, float(edges[1]))
        t, w = (
            np.concatenate([x, y.ravel()])
            for x, y in zip(first, between(edges[1:-1], edges[2:], count=LOOKS), strict=True)
        )
        total = np.cumsum(s.hazard(self.truth, t, own, columns) * w, axis=-1)
        return np.asarray(total[..., len(first[0]) - 1 :: LOOKS])


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
        return Left(who, exits.time, Rates(rng.gamma(events + 0.5, 1.0, (*shape, levels)) / exposure))
    draws = [_hazards(prior, n, t, rng.random(shape)) for n, t in zip(events, exposure, strict=True)]
    return Left(who, exits.time, Rates(np.stack(draws, axis=-1)))


def _hazards(prior: Prior, events: float, exposure: float, uniform: Array) -> Array:
    """Draws of a hazard by its posterior's quantiles, from a fine grid of its logarithm."""
    log_h = np.log((events + 0.5) / exposure) + np.linspace(-12.0, 6.0, GRID)
    log_density = prior.log_density(np.exp(log_h)) + (events + 1) * log_h - exposure * np.exp(log_h)
    below = np.cumsum(np.exp(log_density - log_density.max()))
    return np.exp(np.interp(uniform * below[-1], below, log_h))


def same_reasons(study: Study, exits: Exits, reasons: Collection[str]) -> tuple[str, ...]:
    """The events that are exits for these reasons, all of them and no others; nothing where there are none such.

    A reason that nobody left for is neither here nor there.
    """
    known, asked = {*exits.reason} - {""}, {*reasons}
    own = {name: {*e.reasons} & known for name, e in study.events.items()}
    events = tuple(name for name, of in own.items() if of and of <= asked)
    once = sum(len(own[name]) for name in events) == len(asked)
    return events if once and {r for name in events for r in own[name]} == asked else ()


def _reached(amount: Array, edges: Array, total: Array) -> Array:
    """(..., patient) when an increasing total, (..., patient, edge), reaches an amount, linear from edge to edge."""
    cell = np.minimum((total[..., 1:] < amount[..., None]).sum(axis=-1), len(edges) - 2)
    amount, cell = np.broadcast_arrays(amount, cell)
    total = np.broadcast_to(total, (*cell.shape, len(edges)))
    low, high = (np.take_along_axis(total, (cell + k)[..., None], axis=-1)[..., 0] for k in (0, 1))
    width = np.diff(edges)[cell]
    return np.asarray(edges[cell] + width * (amount - low) / np.maximum(high - low, np.finfo(float).tiny))


def of_level(values: Array, position: Array) -> Array:
    """(..., level) -> (..., patient), of each patient's level."""
    values = np.asarray(values, dtype=float)
    if values.ndim == 1:
        return np.asarray(values[position])
    return np.take_along_axis(values, np.broadcast_to(position, (*values.shape[:-1], position.shape[-1])), axis=-1)


__all__ = ["Events", "Leaving", "Left", "Patients", "Rates", "left", "of_level", "same_reasons"]
