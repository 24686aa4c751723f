"""A model's log density as functions of one vector, compiled once and handed one dataset after another."""

import contextlib
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
import pytensor
import pytensor.tensor as pt
from pymc.logprob.utils import ParameterValueError
from pymc.pytensorf import join_nonshared_inputs
from pytensor.compile.mode import get_mode
from pytensor.graph.replace import vectorize_graph

from bayesmyo.inference.build import BuiltModel

Array = np.ndarray


class Density:
    """The log posterior density of a built model, up to a constant, on the unconstrained scale.

    Attributes
    ----------
    start : (n,) where the model begins
    population : (D,) the places of population parameters in a vector
    effects : (patient, K) those of the effects that are sampled of each patient

    Patients are independent given the rest: second derivatives between effects of two patients are zero.
    """

    def __init__(self, model: BuiltModel):
        self.pymc = model.pymc
        point = self.pymc.initial_point()
        variables = self.pymc.value_vars
        ends = np.cumsum([np.size(point[v.name]) for v in variables])
        places = {v: np.arange(end - np.size(point[v.name]), end) for v, end in zip(variables, ends, strict=True)}
        dims = self.pymc.named_vars_to_dims
        of_patients = [v for v in variables if dims.get(self.pymc.values_to_rvs[v].name) == ("patient",)]
        others = [places[v] for v in variables if v not in of_patients]
        shape = len(of_patients), len(model.patients)
        self.start = np.concatenate([np.ravel(point[v.name]) for v in variables])
        self.population = np.concatenate(others) if others else np.zeros(0, dtype=int)
        self.effects = np.array([places[v] for v in of_patients], dtype=int).reshape(shape).T
        outputs = [self.pymc.logp(), *self.pymc.unobserved_value_vars]
        (self._log, *self._values), self._vector = join_nonshared_inputs(point, outputs, variables)
        self._shared = {v.name: v for v in self.pymc.data_vars}
        self._mode = get_mode("NUMBA").excluding("inplace_elemwise")  # as in `engines/nuts.py`

    def put(self, data: Mapping[str, Array]) -> None:
        """Hand it a dataset that `BuiltModel.taken` has returned."""
        for name in data.keys() & self._shared.keys():
            variable = self._shared[name]
            variable.set_value(np.asarray(data[name], dtype=variable.type.dtype))

    @cached_property
    def _with_gradient(self) -> Any:
        gradient = pytensor.grad(self._log, self._vector)
        return pytensor.function([self._vector], [self._log, gradient], mode=self._mode, trust_input=True)

    @cached_property
    def _alone(self) -> Any:
        return pytensor.function([self._vector], self._log, mode=self._mode, trust_input=True)

    @cached_property
    def _constrained(self) -> Any:
        draws = pt.matrix("draws")
        values = vectorize_graph(self._values, {self._vector: draws})
        return pytensor.function([draws], values, mode=self._mode, trust_input=True)

    def at(self, x: Array) -> tuple[float, Array]:
        """The log density of a vector (n,), and its gradient (n,); minus infinity and NaN where there is none."""
        try:
            log, gradient = self._with_gradient(x)
        except ParameterValueError:  # such as an SD that has become zero
            return -np.inf, np.full(len(x), np.nan)
        return float(log), gradient

    def log(self, draws: Array) -> Array:
        """(draw,) the log density of vectors (draw, n); minus infinity where there is none."""
        logs = np.full(len(draws), -np.inf)
        for i, x in enumerate(draws):
            with contextlib.suppress(ParameterValueError):
                logs[i] = self._alone(x)
        return np.where(np.isnan(logs), -np.inf, logs)

    def constrained(self, draws: Array) -> dict[str, Array]:
        """Vectors (chain, draw, n) as what the model samples and derives, by name, (chain, draw, ...)."""
        shape = draws.shape[:2]
        flat = np.ascontiguousarray(draws.reshape(-1, draws.shape[-1]))
        variables = self.pymc.unobserved_value_vars
        values = {}
        for variable, value in zip(variables, self._constrained(flat), strict=True):
            each = value.shape[value.ndim - variable.ndim :]  # of one draw; what is constant has no axis of draws
            values[variable.name] = np.broadcast_to(value, (len(flat), *each)).reshape(*shape, *each)
        return values
