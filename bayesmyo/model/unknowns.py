"""What nobody knows of a cohort before it is simulated, as vectors: parameters on a scale without ends, and how long
patients are followed.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from bayesmyo.model.truth import Truth, of_values
from bayesmyo.study.design import Design, FollowUp, Loss
from bayesmyo.study.parameters import Parameter, all_parameters, draw_pooled, inventory, moving
from bayesmyo.study.scenarios import Values, possible
from bayesmyo.study.study import Study

Array = np.ndarray
DESIGN = 0.5  # SD of the log of what the design says of follow-up and loss, which an abstract may say better
EDGE = 1e-9  # from the end of a correlation


@dataclass(frozen=True, eq=False)
class Unknowns:
    """The unknown parameters of a study, and where a design leaves follow-up to chance, its mean, SD and loss."""

    study: Study

    @cached_property
    def parameters(self) -> list[Parameter]:
        """Those with a prior of their own that is not one value."""
        return [p for p in moving(self.study) if p.pooled is None]

    @cached_property
    def constants(self) -> list[tuple[Parameter, Array]]:
        """Those whose prior is one value, with it."""
        return [
            (p, np.asarray(p.own.quantile(0.5)))
            for p in all_parameters(self.study)
            if p.own is not None and p.own.constant
        ]

    @cached_property
    def design(self) -> dict[str, float]:
        """What the design says of follow-up and loss, where chance decides on it: place -> number."""
        d = self.study.design
        said: dict[str, float] = {}
        if d is not None and isinstance(d.follow_up, FollowUp):
            said |= {"follow_up.mean": d.follow_up.mean, "follow_up.sd": d.follow_up.sd}
        if d is not None and d.loss is not None and d.loss.hazard > 0:
            said["loss.hazard"] = d.loss.hazard
        return said

    @property
    def names(self) -> list[str]:
        """What each element of a vector is."""
        return [*(p.full_name for p in self.parameters), *self.design]

    def vectors(self, truths: Truth, rng: np.random.Generator) -> Array:
        """(n, unknown) of truths (n,), with a design of its own for each."""
        columns = [_free(p, truths.value(p.outcome, p.name)) for p in self.parameters]
        columns += [np.log(at) + DESIGN * rng.standard_normal(truths.shape) for at in self.design.values()]
        return np.stack(columns, axis=-1)

    def designed(self, vector: Array) -> Design:
        """The design of one vector."""
        d = self.study.design
        assert d is not None
        said = dict(zip(self.design, np.exp(vector[len(self.parameters) :]).tolist(), strict=True))
        if isinstance(d.follow_up, FollowUp):
            spread = {key: said[f"follow_up.{key}"] for key in ("mean", "sd")}
            d = replace(d, follow_up=replace(d.follow_up, **spread))
        return replace(d, loss=Loss(hazard=said["loss.hazard"])) if "loss.hazard" in said else d

    def stated(self, vectors: Array) -> Array:
        """(..., unknown) in the units of scenarios, and of the design."""
        columns = [p.in_scenario(_bound(p, vectors[..., k])) for k, p in enumerate(self.parameters)]
        columns += [np.exp(vectors[..., k]) for k in range(len(self.parameters), len(self.names))]
        return np.stack(columns, axis=-1)

    def truth(self, vector: Array, rng: np.random.Generator) -> Truth | None:
        """The truth of one vector; None where no patients can have it together."""
        values: dict[str, dict[str, Any]] = {outcome: {} for outcome in inventory(self.study)}
        stated: Values = {outcome: {} for outcome in values}
        for k, p in enumerate(self.parameters):
            values[p.outcome][p.name] = np.asarray(_bound(p, vector[k]))
            stated[p.outcome][p.name] = float(p.in_scenario(values[p.outcome][p.name]))
        for outcome, listed in inventory(self.study).items():
            values[outcome] |= {p.name: value for p, value in self.constants if p.outcome == outcome}
            values[outcome] |= draw_pooled(listed, values[outcome], rng)
        return of_values(values) if possible(self.study, stated) else None


def ends(p: Parameter) -> tuple[float, float]:
    """Between what a scenario may state a parameter."""
    if p.role == "correlation":
        return -1.0, 1.0
    if p.support == "positive":
        return 0.0, np.inf
    return float(p.in_scenario(-np.inf)), float(p.in_scenario(np.inf))


def _free(p: Parameter, value: Array) -> Array:
    """On a scale without ends."""
    if p.role == "correlation":
        return np.arctanh(np.clip(value, EDGE - 1, 1 - EDGE))
    return np.log(value) if p.support == "positive" else np.asarray(value)


def _bound(p: Parameter, value: Array) -> Array:
    """Back on the scale of the model."""
    if p.role == "correlation":
        return np.tanh(value)
    return np.exp(value) if p.support == "positive" else np.asarray(value)


__all__ = ["Unknowns", "ends"]
