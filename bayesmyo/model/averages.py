"""Linear predictors of these patients, of the average one and of a new one, and averages over all new patients."""

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from types import MappingProxyType

import numpy as np

from bayesmyo.cohort.cohort import Episodes
from bayesmyo.components.estimands.estimand import Given
from bayesmyo.model import residuals
from bayesmyo.model.quadrature import OUTER, normal_mean
from bayesmyo.model.truth import Truth, draw_effects, factor_of
from bayesmyo.model.visits import Etas, trailing
from bayesmyo.study.covariates import coded, with_products
from bayesmyo.study.predictors import Effect, Predictor, at, effects, predictors
from bayesmyo.study.study import Study

Array = np.ndarray


class Averages:
    """What levels are made of, under a Truth."""

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

    def _own(self, outcome: str, time: float | Array, given: Given) -> Etas:
        """The linear predictors of these patients, (..., patient), at one time or at a time for each draw."""
        columns = self._columns(given, self.truth.covariates)
        return self._etas(outcome, time, self.truth.outcomes[outcome].effects, columns)

    def _summed(self, outcome: str, etas: Etas, median: bool) -> Array:
        """What levels are averaged as, (...,) from predictors of one patient: the location, or what is expected."""
        if median:
            return etas["location"]
        return residuals.mean(self.study.outcomes[outcome], etas, self.truth.outcomes[outcome].values)

    def _average(self, outcome: str, time: float | Array, columns: Mapping[str, Array], median: bool) -> Array:
        """Of the average patient with these design columns, as levels are averaged."""
        etas = self._etas(outcome, time, {}, columns)
        return self._summed(outcome, {k: v[..., 0] for k, v in etas.items()}, median)

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


__all__ = ["Averages", "clock"]
