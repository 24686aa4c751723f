"""The integral of one patient's likelihood over the effects, under many truths at once: where the integrand is highest,
how it bends there, and points around.

Reference: Pinheiro and Bates (1995), https://doi.org/10.1080/10618600.1995.10474663.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy
from scipy import special

from bayesmyo.cohort.cohort import Cohort
from bayesmyo.components.families.family import KNOWN_ERROR
from bayesmyo.model.event import TimeToEvent
from bayesmyo.model.given_effects import Hanging, Part
from bayesmyo.model.residuals import with_errors
from bayesmyo.model.truth import Truth, correlation_matrix, factor_of
from bayesmyo.model.visits import cells, trailing, visit_columns
from bayesmyo.study.predictors import LOCATION, RESIDUAL, Effect, effects, predictors
from bayesmyo.study.study import Study

Array = np.ndarray
LOG_2PI = float(np.log(2 * np.pi))
MORE = 8  # times as many points, where a path is integrated over too
TAILS = 7.0  # degrees of freedom of the points
STEP = 1e-4  # of derivatives, on the link scale
ITERATIONS = 40


@dataclass(frozen=True, eq=False)
class Integral:
    """The integral over the effects of a group of outcomes, under every truth at once. Standardised effects z: (s,
    point, effect).
    """

    study: Study
    own: Cohort
    truth: Truth
    outcomes: Sequence[str]
    near: Array | None = None  # (s, effect) where the mode is sought from; by default at the population's average

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
    def parts(self) -> dict[str, Part]:
        return {name: self._part(name) for name in self.outcomes if name not in self.study.events}

    @cached_property
    def events(self) -> list[TimeToEvent]:
        """What happens to the patient, given the effects: it takes part in the weights of the points."""
        return [TimeToEvent(self.study, name) for name in self.outcomes if name in self.study.events]

    @cached_property
    def hanging(self) -> dict[tuple[str, ...], Hanging]:
        """By their outcomes, the cells whose residuals hang together."""
        joint = tuple(n for n in self.study.correlate_residuals if n in self.parts)
        alone = [n for n, p in self.parts.items() if p.outcome.residual is not None and n not in self.paths]
        sets = [*([joint] if len(joint) > 1 else []), *((n,) for n in alone)]
        listed = [Effect(n, RESIDUAL, RESIDUAL, RESIDUAL) for n in joint]
        correlation = correlation_matrix(self.study, self.truth, listed)[:, None] if listed else np.ones((1, 1))
        return {names: Hanging([self.parts[n] for n in names], correlation) for names in sets}

    @cached_property
    def apart(self) -> list[str]:
        """The outcomes whose cells are independent given the effects."""
        return [n for n in self.parts if not any(n in names for names in self.hanging)]

    def _part(self, name: str) -> Part:
        o, m = self.study.outcomes[name], self.own.measurements[name]
        at_visits = visit_columns(self.study, self.truth, m)
        columns = {k: v[..., None, :] if np.ndim(v) > 1 else v for k, v in at_visits.items()}
        values = with_errors(trailing(self.truth.outcomes[name].values, axes=2), m.error)
        offset = np.zeros(len(m)) if m.exposure is None else np.log(m.exposure)
        return Part(
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
        t, log_weight = quasi_t(points if not self.paths else MORE * points, self.width)
        return np.asarray(special.logsumexp(self.laid(t)[1] + log_weight, axis=-1))

    def laid(self, t: Array) -> tuple[Array, Array]:
        """Standard points, (point, effect) or (s, point, effect), laid around the mode as wide as the integrand is:
        where they are, z, and (s, point) the logarithm of the integrand there, for each unit of t.
        """
        if not self.width:
            return t, self._log_joint(t)
        mode, curvature = self.mode
        root = np.linalg.cholesky(curvature)  # H = C C'; z = mode + C'^-1 t
        log_det = np.log(np.diagonal(root, axis1=-2, axis2=-1)).sum(axis=-1)
        z = mode[:, None, :] + np.swapaxes(np.linalg.solve(np.swapaxes(root, -1, -2), np.swapaxes(t, -1, -2)), -1, -2)
        return z, self._log_joint(z) - log_det[:, None]

    @cached_property
    def normal(self) -> bool:
        """Whether the integrand is a normal density of the effects, up to a factor."""
        seen = {name: part for name, part in self.parts.items() if len(part.time)}
        linear = all(e.linear and e.predictor == LOCATION for e in self.effects if e.outcome in seen)
        exact = all(p.family.normal and not p.family.has_zero_part and p.measured for p in seen.values())
        return linear and exact and not any(len(self.own.events[e.name]) for e in self.events)

    def deviations(self, z: Array) -> dict[str, dict[str, Array]]:
        """By outcome and effect key, (s, point, 1) what the standardised effects are; of a path, (s, point, cell)."""
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
        deviations = self.deviations(z)
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

    @cached_property
    def mode(self) -> tuple[Array, Array]:
        """Where the integrand is highest, (s, effect), and its curvature there, (s, effect, effect)."""
        z = np.zeros((self.truth.shape[0], self.width)) if self.near is None else self.near
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
        deviations = self.deviations(z[:, None, :])
        etas = {name: part.etas(deviations[name]) for name, part in self.parts.items()}
        loadings = {n: self._loadings(part, n, deviations[n], etas[n]) for n, part in self.parts.items()}
        for names, hanging in self.hanging.items():  # normal in the effects on the locations: no derivative is needed
            factor, left = hanging.apart([etas[n] for n in names])
            w = np.linalg.solve(factor[:, 0], np.concatenate([loadings[n][0] for n in names], axis=1))
            gradient = gradient + _moment(left[:, 0], w)
            curvature = curvature + np.swapaxes(w, -1, -2) @ w
        for name in self.apart:
            moved = loadings[name]
            first, second = derivatives(self.parts[name], etas[name])
            for i in range(len(moved)):
                gradient = gradient + _moment(first[i], moved[i])
                for j in range(len(moved)):
                    curvature = curvature - np.swapaxes(moved[i], -1, -2) @ (second[i][j][..., None] * moved[j])
        return gradient, (curvature + np.swapaxes(curvature, -1, -2)) / 2

    def _loadings(self, part: Part, name: str, deviations: Mapping[str, Array], etas: Sequence[Array]) -> list[Array]:
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


def _moment(values: Array, loadings: Array) -> Array:
    """(s, effect) from (s, cell) and (s, cell, effect)."""
    return np.asarray((values[:, None, :] @ loadings)[:, 0])


def derivatives(part: Part, etas: Sequence[Array]) -> tuple[list[Array], list[list[Array]]]:
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


def quasi_t(points: int, dimension: int) -> tuple[Array, Array]:
    """(point, dimension) quasi-random draws of a standard multivariate t, antithetic, and the log of each one's weight.

    The weights are those of an integral over R^d, scaled so that a normal density integrates to one: then the points
    are exact where the integrand is normal, and their error is that of its departure from it.
    """
    base = scipy.stats.qmc.Sobol(dimension + 1, seed=1).random(points // 2)
    z = special.ndtri(np.clip(base[:, :dimension], 1e-12, 1 - 1e-12))
    w = special.chdtri(TAILS, np.clip(base[:, dimension], 1e-12, 1 - 1e-12))
    t = z * np.sqrt(TAILS / w)[:, None]
    t = np.concatenate([t, -t])
    log_weight = -scipy.stats.multivariate_t(np.zeros(dimension), np.eye(dimension), df=TAILS).logpdf(t)
    log_normal = -0.5 * (t**2).sum(axis=-1) - dimension / 2 * LOG_2PI
    return t, log_weight - special.logsumexp(log_normal + log_weight)


__all__ = ["Integral", "quasi_t"]
