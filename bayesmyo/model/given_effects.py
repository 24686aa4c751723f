"""How likely one patient's measurements of an outcome are, given the effects: under many truths, at many points of
effects each.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bayesmyo.components.families import Cells
from bayesmyo.components.families.family import KNOWN_ERROR, Family
from bayesmyo.model.joint import visits
from bayesmyo.study.predictors import LOCATION, RESIDUAL, Predictor, at
from bayesmyo.study.study import Outcome

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Part:
    """One outcome of the patient: its cells, predictors, and everything they need but the effects.

    values: parameter -> (s, 1, 1); columns: design columns (s or 1, 1, cell); offset: (cell,) log exposure
    """

    family: Family
    cells: Cells
    time: Array
    listed: Sequence[Predictor]
    values: Mapping[str, Array]
    columns: Mapping[str, Array]
    offset: Array
    outcome: Outcome

    @property
    def measured(self) -> bool:
        """Whether every cell is known, none only to a limit."""
        return self.cells.low is None or bool(np.all(np.asarray(self.cells.low) == self.cells.high))

    def etas(self, deviations: Mapping[str, Array]) -> list[Array]:
        """(s, point, cell) of each predictor; deviations: effect key -> (s, point, 1), of a path (s, point, cell)."""
        etas = at(self.listed, self.time, self.values, deviations, self.columns, np, self.offset)
        if RESIDUAL in deviations:
            etas[LOCATION] = etas[LOCATION] + deviations[RESIDUAL]
        return list(np.broadcast_arrays(*etas.values()))

    def told(self, etas: Sequence[Array]) -> tuple[Mapping[str, Array], Mapping[str, Array]]:
        named = {p.name: eta for p, eta in zip(self.listed, etas, strict=True)}
        return self.family.told(named, self.values, np)

    def log_density(self, etas: Sequence[Array]) -> Array:
        """(s, point, cell) of each cell by itself."""
        return np.asarray(self.family.log_density(self.cells, *self.told(etas)))


@dataclass(frozen=True, eq=False)
class Hanging:
    """Cells whose residuals hang together: those of one outcome at all visits of the patient, or of several at each
    visit.

    correlation: (s, 1, outcome, outcome) of residuals at a visit, where there are several outcomes
    """

    parts: Sequence[Part]
    correlation: Array

    @cached_property
    def at_a_visit(self) -> Array:
        """(cell, cell) whether two cells, of all outcomes one after the other, are of one visit."""
        own, _ = visits([np.zeros(len(p.time), dtype=int) for p in self.parts], [p.time for p in self.parts])
        visit = np.empty(sum(len(p.time) for p in self.parts), dtype=int)
        visit[own[own >= 0]] = np.nonzero(own >= 0)[0]
        return visit[:, None] == visit

    def covariance(self, sigma: Array) -> Array:
        """(s, point, cell, cell) of residuals. sigma: (s, point, cell)"""
        if len(self.parts) > 1:
            outcome = np.repeat(np.arange(len(self.parts)), [len(p.time) for p in self.parts])
            correlation = self.correlation[..., outcome[:, None], outcome] * self.at_a_visit
            return sigma[..., :, None] * sigma[..., None, :] * correlation
        (part,) = self.parts
        values = {k: v[..., None] for k, v in part.values.items() if k != KNOWN_ERROR}
        assert part.outcome.residual is not None
        return np.asarray(part.outcome.residual.covariance(part.time, sigma, values, part.outcome.trajectory, np))

    def apart(self, etas: Sequence[Sequence[Array]]) -> tuple[Array, Array]:
        """The Cholesky factor C of the covariance of residuals, (s, point, cell, cell), and C^-1 (measurement -
        location).
        """
        told = [part.told(own) for part, own in zip(self.parts, etas, strict=True)]
        lead = np.broadcast_shapes(*(np.shape(eta["location"])[:-1] for eta, _ in told))

        def every(values: Sequence[Array]) -> Array:
            cells = [(*lead, len(part.time)) for part in self.parts]
            return np.concatenate([np.broadcast_to(v, c) for v, c in zip(values, cells, strict=True)], axis=-1)

        location, sigma = every([eta["location"] for eta, _ in told]), every([aux["sigma"] for _, aux in told])
        covariance = self.covariance(sigma)
        factor = np.linalg.cholesky(np.broadcast_to(covariance, (*location.shape, location.shape[-1])))
        value = np.concatenate([np.asarray(p.family.on_link(p.cells.value, np)) for p in self.parts])
        return factor, np.linalg.solve(factor, (value - location)[..., None])[..., 0]

    def log_density(self, etas: Sequence[Sequence[Array]]) -> Array:
        """(s, point) of all cells together, in outcome units."""
        factor, z = self.apart(etas)
        density = (-0.5 * z**2 - np.log(np.diagonal(factor, axis1=-2, axis2=-1))).sum(axis=-1)
        for part in self.parts:  # at the median, with SD one, a cell's density is that of its unit
            value = np.asarray(part.family.on_link(part.cells.value, np))
            density = density + part.family.log_density(part.cells, {"location": value}, {"sigma": np.ones(1)}).sum()
        return np.asarray(density)


__all__ = ["Hanging", "Part"]
