"""Courses after an exit: what becomes of the predictors of patients who are gone by a time."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from bayesmyo.components.courses import Course
from bayesmyo.model.prediction import TruthPrediction
from bayesmyo.model.visits import Etas, trailing
from bayesmyo.study.covariates import coded, stated, with_products
from bayesmyo.study.predictors import LOCATION

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Courses:
    """One course after the exit, under the truths of a prediction.

    group: a covariate of patients with levels, the reference first, to which amounts belong; "" for none
    """

    prediction: TruthPrediction
    course: Course
    group: str

    def position(self, columns: Mapping[str, Array]) -> Array:
        """(..., patient) which level of the group, or zero."""
        if not self.group:
            return np.zeros(1, int)
        return np.atleast_1d(stated(self.prediction.study, self.group, columns)).astype(int)

    def at(
        self, outcome: str, when: Array, gone: Array, exits: Array, deviations: Mapping[str, Array],
        columns: Mapping[str, Array],
    ) -> "Departures":  # fmt: skip
        """One outcome of patients at a time, who of them is gone, and when each leaves, (..., patient)."""
        paths = _Paths(self, outcome, when, exits, deviations, columns)
        position = self.position(columns)
        shape = np.broadcast_shapes(np.shape(gone), *(np.shape(v) for v in paths.etas("own").values()))
        own, gone = {k: np.broadcast_to(v, shape) for k, v in paths.etas("own").items()}, np.broadcast_to(gone, shape)
        if not gone.any():
            return Departures(own, gone, {}, {}, position, position, {}, True, {})

        def flat(x: Any) -> Array:
            return np.asarray(np.broadcast_to(x, shape)[gone])

        whole = [name for name in own if self.course.whole or name == LOCATION]
        after = {name: self.course.after(paths.of(name)) for name in whole}
        moved = {name: tuple(p if np.ndim(p) == 0 else flat(p) for p in parts) for name, parts in after.items()}
        values = {k: flat(v) for k, v in trailing(self.prediction.truth.outcomes[outcome].values).items()}
        own_gone = {k: flat(v) for k, v in own.items()}
        return Departures(own, gone, moved, own_gone, position, flat(position), values, False, {})


@dataclass(frozen=True, eq=False)
class Departures:
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
        self, courses: Courses, outcome: str, when: Array, exits: Array, deviations: Mapping[str, Array],
        columns: Mapping[str, Array],
    ):  # fmt: skip
        self._of, self._group = courses.prediction, courses.group
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
        study, group = self._of.study, self._group
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


__all__ = ["Courses", "Departures"]
