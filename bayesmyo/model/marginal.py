"""How likely one patient's measurements are, the patient's effects integrated out: what leaving a patient out is scored
by.

Given the population parameters, p(y_i) is the integral of p(y_i | b) over b ~ Normal(0, L L'), jointly over all
outcomes whose effects are correlated. With b = L z and z ~ Normal(0, I), the integrand is expanded around its mode
(Newton steps with a line search), and the expansion is the proposal of an importance sampler: a multivariate t around
the mode, quasi-random, with weights that make it exact where the measurements are normal on the link scale. Averaging
p(y_i | b) over draws of b from the population instead is off by tens of nats, because hardly any draw looks like the
patient.

References: Pinheiro and Bates (1995), https://doi.org/10.1080/10618600.1995.10474663 (importance sampling around the
mode); Merkle, Furr and Rabe-Hesketh (2019), https://doi.org/10.1007/s11336-019-09679-0 (why effects are integrated for
prediction).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import special, stats

from bayesmyo.cohort.cohort import Cohort
from bayesmyo.components.families import Cells
from bayesmyo.components.families.family import KNOWN_ERROR, Family
from bayesmyo.model.event import TimeToEvent
from bayesmyo.model.joint import visits
from bayesmyo.model.residuals import with_errors
from bayesmyo.model.truth import Truth, correlation_matrix, factor_of
from bayesmyo.model.visits import cells, trailing, visit_columns
from bayesmyo.study.predictors import LOCATION, RESIDUAL, Effect, Predictor, at, correlated, effects, predictors
from bayesmyo.study.study import Outcome, Study

Array = np.ndarray
LOG_2PI = float(np.log(2 * np.pi))
POINTS = 64  # of the importance sampler
MORE = 8  # times as many, where a path is integrated over too
TAILS = 7.0  # degrees of freedom of its proposal
STEP = 1e-4  # of derivatives, on the link scale
ITERATIONS = 40


def log_marginal(study: Study, cohort: Cohort, truth: Truth, patient: int, points: int = POINTS) -> Array:
    """(...,) log density of all measurements of one patient under each truth, in outcome units; 0 where there are none.

    patient: position in `cohort.patients`; points: of the importance sampler, where one is needed
    """
    shape = truth.shape
    flat = truth.take(np.arange(math.prod(shape)))
    own = cohort.only(patient)
    total = np.zeros(math.prod(shape))
    for group in _groups(study):
        seen = {name for name in group if _seen(own, name)}
        seen |= {outcome for name in seen & study.events.keys() for outcome in study.events[name].depends}
        if seen:
            total += _Integral(study, own, flat, [name for name in group if name in seen]).log_value(points)
    return total.reshape(shape)


def _seen(own: Cohort, name: str) -> bool:
    return bool(len(own.events[name] if name in own.events else own.measurements[name]))


def _groups(study: Study) -> list[list[str]]:
    """Outcomes and events that must be taken together, because effects or residuals are correlated, or a hazard depends
    on an outcome.
    """
    groups = [{name} for name in study.declared]
    links = [{e.outcome for e in block.effects} for block in correlated(study)]
    links += [{name, *event.depends} for name, event in study.events.items()]
    for touched in links:
        joined = [g for g in groups if g & touched]
        groups = [g for g in groups if not g & touched] + [set().union(*joined)]
    return [[name for name in study.declared if name in g] for g in groups]


@dataclass(frozen=True, eq=False)
class _Part:
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
class _Hanging:
    """Cells whose residuals hang together: those of one outcome at all visits of the patient, or of several at each
    visit.

    correlation: (s, 1, outcome, outcome) of residuals at a visit, where there are several outcomes
    """

    parts: Sequence[_Part]
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


@dataclass(frozen=True, eq=False)
class _Integral:
    """The integral over the effects of a group of outcomes, under every truth at once. Standardised effects z: (s,
    point, effect).
    """

    study: Study
    own: Cohort
    truth: Truth
    outcomes: Sequence[str]

    @cached_property
    def effects(self) -> list[Effect]:
        return [e for name in self.outcomes for e in effects(self.study, name)]

    @cached_property
    def factor(self) -> Array:
        """(s, effect, effect)."""
        if not self.effects:
            return np.zeros((self.truth.shape[0], 0, 0))
        return factor_of(self.study, self.truth, self.effects)

    @cached_property
    def paths(self) -> dict[str, tuple[int, Array]]:
        """By outcome, residuals that are sampled: their innovations are integrated over as the effects are, after which
        they stand.

        The place of the first among all, and (s, cell, cell) the Cholesky factor of their covariance.
        """
        place, paths = len(self.effects), {}
        for name, part in self.parts.items():
            residual = part.outcome.residual
            if residual is not None and part.outcome.drifts:
                sigma = np.zeros(len(part.time))
                values = {k: v for k, v in part.values.items() if k != KNOWN_ERROR}
                covariance = residual.covariance(part.time, sigma, values, part.outcome.trajectory, np)
                paths[name] = place, np.linalg.cholesky(covariance)
                place += len(part.time)
        return paths

    @property
    def width(self) -> int:
        """How many standard normals are integrated over: effects, and innovations of paths."""
        return len(self.effects) + sum(factor.shape[-1] for _, factor in self.paths.values())

    @cached_property
    def parts(self) -> dict[str, _Part]:
        return {name: self._part(name) for name in self.outcomes if name not in self.study.events}

    @cached_property
    def events(self) -> list[TimeToEvent]:
        """What happens to the patient, given the effects: it takes part in the weights of the points."""
        return [TimeToEvent(self.study, name) for name in self.outcomes if name in self.study.events]

    @cached_property
    def hanging(self) -> dict[tuple[str, ...], _Hanging]:
        """By their outcomes, the cells whose residuals hang together."""
        joint = tuple(n for n in self.study.correlate_residuals if n in self.parts)
        alone = [n for n, p in self.parts.items() if p.outcome.residual is not None and n not in self.paths]
        sets = [*([joint] if len(joint) > 1 else []), *((n,) for n in alone)]
        listed = [Effect(n, RESIDUAL, RESIDUAL, RESIDUAL) for n in joint]
        correlation = correlation_matrix(self.study, self.truth, listed)[:, None] if listed else np.ones((1, 1))
        return {names: _Hanging([self.parts[n] for n in names], correlation) for names in sets}

    @cached_property
    def apart(self) -> list[str]:
        """The outcomes whose cells are independent given the effects."""
        return [n for n in self.parts if not any(n in names for names in self.hanging)]

    def _part(self, name: str) -> _Part:
        o, m = self.study.outcomes[name], self.own.measurements[name]
        at_visits = visit_columns(self.study, self.truth, m)
        columns = {k: v[..., None, :] if np.ndim(v) > 1 else v for k, v in at_visits.items()}
        values = with_errors(trailing(self.truth.outcomes[name].values, axes=2), m.error)
        offset = np.zeros(len(m)) if m.exposure is None else np.log(m.exposure)
        return _Part(
            o.family,
            cells(o, m),
            m.time,
            predictors(self.study, name),
            values,
            columns,
            offset,
            o,
        )

    def log_value(self, points: int) -> Array:
        """(s,) the logarithm of the integral."""
        if not self.width:
            return self._log_joint(np.zeros((self.truth.shape[0], 1, 0)))[:, 0]
        mode, curvature = self._mode()
        root = np.linalg.cholesky(curvature)  # H = C C'; z = mode + C'^-1 t
        log_det = np.log(np.diagonal(root, axis1=-2, axis2=-1)).sum(axis=-1)
        t, log_weight = _quasi_t(points if not self.paths else MORE * points, self.width)
        z = mode[:, None, :] + np.swapaxes(np.linalg.solve(np.swapaxes(root, -1, -2), t.T[None]), -1, -2)
        return np.asarray(special.logsumexp(self._log_joint(z) + log_weight, axis=-1) - log_det)

    def _deviations(self, z: Array) -> dict[str, dict[str, Array]]:
        b = z[..., : len(self.effects)] @ np.swapaxes(self.factor, -1, -2)
        deviations: dict[str, dict[str, Array]] = {name: {} for name in self.outcomes}
        for i, e in enumerate(self.effects):
            deviations[e.outcome][e.key] = b[..., i, None]
        for name, (first, factor) in self.paths.items():
            own = z[..., first : first + factor.shape[-1]]
            deviations[name][RESIDUAL] = own @ np.swapaxes(factor, -1, -2)
        return deviations

    def _log_joint(self, z: Array) -> Array:
        """(s, point) log p(y | z) p(z)."""
        deviations = self._deviations(z)
        total = -0.5 * (z**2).sum(axis=-1) - z.shape[-1] / 2 * LOG_2PI
        with np.errstate(all="ignore"):
            for name in self.apart:
                part = self.parts[name]
                total = total + part.log_density(part.etas(deviations[name])).sum(axis=-1)
            for names, hanging in self.hanging.items():
                total = total + hanging.log_density([self.parts[n].etas(deviations[n]) for n in names])
            for event in self.events:
                total = total + event.log_likelihood(self.truth, self.own, deviations)
        return np.where(np.isnan(total), -np.inf, total)

    def _mode(self) -> tuple[Array, Array]:
        """Where the integrand is highest, (s, effect), and its curvature there, (s, effect, effect)."""
        z = np.zeros((self.truth.shape[0], self.width))
        height = self._log_joint(z[:, None, :])[:, 0]
        active = np.ones(len(z), dtype=bool)
        for _ in range(ITERATIONS):
            gradient, curvature = self._expansion(z)
            step = np.linalg.solve(curvature, gradient[..., None])[..., 0]
            active &= np.einsum("si,si->s", gradient, step) > 1e-9
            if not active.any():
                break
            scale = active.astype(float)
            for _ in range(12):
                proposed = z + scale[:, None] * step
                reached = self._log_joint(proposed[:, None, :])[:, 0]
                lower = active & (reached < height)
                if not lower.any():
                    break
                scale[lower] /= 3
            better = reached >= height
            z, height = np.where(better[:, None], proposed, z), np.where(better, reached, height)
            active &= better
        return z, self._expansion(z)[1]

    def _expansion(self, z: Array) -> tuple[Array, Array]:
        """The gradient of the log integrand, (s, effect), and its negative curvature, at least the population's."""
        s, d = z.shape
        gradient, curvature = -z, np.broadcast_to(np.eye(d), (s, d, d)).copy()
        deviations = self._deviations(z[:, None, :])
        etas = {name: part.etas(deviations[name]) for name, part in self.parts.items()}
        loadings = {n: self._loadings(part, n, deviations[n], etas[n]) for n, part in self.parts.items()}
        for names, hanging in self.hanging.items():  # normal in the effects on the locations: no derivative is needed
            factor, left = hanging.apart([etas[n] for n in names])
            w = np.linalg.solve(factor[:, 0], np.concatenate([loadings[n][0] for n in names], axis=1))
            gradient = gradient + np.einsum("sc,scd->sd", left[:, 0], w)
            curvature = curvature + np.einsum("sci,scj->sij", w, w)
        for name in self.apart:
            moved = loadings[name]
            first, second = _derivatives(self.parts[name], etas[name])
            for i in range(len(moved)):
                gradient = gradient + np.einsum("sc,scd->sd", first[i], moved[i])
                for j in range(len(moved)):
                    curvature = curvature - np.einsum("sc,sci,scj->sij", second[i][j], moved[i], moved[j])
        return gradient, (curvature + np.swapaxes(curvature, -1, -2)) / 2

    def _loadings(self, part: _Part, name: str, deviations: Mapping[str, Array], etas: Sequence[Array]) -> list[Array]:
        """Of each predictor, (s, cell, effect): how it moves with each standardised effect."""
        s, _, c = etas[0].shape
        loadings = [np.zeros((s, c, len(self.effects))) for _ in etas]
        for i, e in enumerate(self.effects):
            if e.outcome == name:
                up = part.etas({**deviations, e.key: deviations[e.key] + STEP})
                down = part.etas({**deviations, e.key: deviations[e.key] - STEP})
                for loading, above, below in zip(loadings, up, down, strict=True):
                    loading[..., i] = (above - below)[:, 0, :] / (2 * STEP)
        moved = [np.zeros((s, c, self.width)) for _ in etas]
        for whole, loading in zip(moved, loadings, strict=True):
            whole[..., : len(self.effects)] = loading @ self.factor
        if name in self.paths:
            first, factor = self.paths[name]
            moved[0][..., first : first + c] = factor
        return moved


def _derivatives(part: _Part, etas: Sequence[Array]) -> tuple[list[Array], list[list[Array]]]:
    """First and second derivatives of each cell's log density by its predictors, (s, cell) each. The matrix of the
    second is made negative semi-definite, so that an ascent direction is one.
    """
    k, h = len(etas), 20 * STEP

    def at(*moves: tuple[int, float]) -> Array:
        moved = list(etas)
        for i, by in moves:
            moved[i] = moved[i] + by
        with np.errstate(all="ignore"):
            return part.log_density(moved)[:, 0, :]

    centre = at()
    up, down = [at((i, h)) for i in range(k)], [at((i, -h)) for i in range(k)]
    first = [np.nan_to_num((up[i] - down[i]) / (2 * h), nan=0.0, posinf=0.0, neginf=0.0) for i in range(k)]
    second = [[np.zeros_like(centre) for _ in range(k)] for _ in range(k)]
    for i in range(k):
        second[i][i] = np.minimum(np.nan_to_num((up[i] - 2 * centre + down[i]) / h**2, posinf=0.0, neginf=0.0), 0.0)
    for i in range(k):
        for j in range(i):
            crossed = (at((i, h), (j, h)) - at((i, h), (j, -h)) - at((i, -h), (j, h)) + at((i, -h), (j, -h))) / (
                4 * h * h
            )
            limit = np.sqrt(second[i][i] * second[j][j])
            second[i][j] = second[j][i] = np.clip(np.nan_to_num(crossed), -limit, limit)
    return first, second


def _quasi_t(points: int, dimension: int) -> tuple[Array, Array]:
    """(point, dimension) quasi-random draws of a standard multivariate t, antithetic, and the log of each one's weight.

    The weights are those of an integral over R^d, scaled so that a normal density integrates to one: then the points
    are exact where the integrand is normal, and their error is that of its departure from it.
    """
    base = stats.qmc.Sobol(dimension + 1, seed=1).random(points // 2)
    z = special.ndtri(np.clip(base[:, :dimension], 1e-12, 1 - 1e-12))
    w = special.chdtri(TAILS, np.clip(base[:, dimension], 1e-12, 1 - 1e-12))
    t = z * np.sqrt(TAILS / w)[:, None]
    t = np.concatenate([t, -t])
    log_weight = -stats.multivariate_t(np.zeros(dimension), np.eye(dimension), df=TAILS).logpdf(t)
    log_normal = -0.5 * (t**2).sum(axis=-1) - dimension / 2 * LOG_2PI
    return t, log_weight - special.logsumexp(log_normal + log_weight)


__all__ = ["log_marginal"]
