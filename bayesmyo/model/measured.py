"""A value at a visit: the submodel of one outcome."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from bayesmyo.cohort.cohort import Cohort, Measurements
from bayesmyo.components.families import Cells, Family
from bayesmyo.components.families.family import Pooled
from bayesmyo.errors import UsageError
from bayesmyo.model import residuals
from bayesmyo.model.drift import path
from bayesmyo.model.informed import Informed
from bayesmyo.model.normal import Piece, sums, weights, whitened
from bayesmyo.model.residuals import covariances, with_errors
from bayesmyo.model.submodel import Array, Arrays, Etas, Rows, Submodel, Values
from bayesmyo.model.truth import Truth
from bayesmyo.model.visits import cells, censored, own_cells, taken, trailing, visit_columns
from bayesmyo.study.covariates import coded, columns, used
from bayesmyo.study.predictors import LOCATION, Effect, Predictor, at
from bayesmyo.study.study import Outcome, Study

INDICES = ("patient", "normal")


@dataclass(frozen=True, eq=False)
class Measured(Submodel):
    """One outcome of a study, `[outcomes.NAME]`.

    Its rows have the fields `patient`, `time`, `value` (as the family encodes it), and where they apply `low`, `high`
    (limits), `offset` (log exposure), `error` (known errors), `normal` (positions of the cells that are normal on the
    link scale), `own` (positions of each patient's cells, where residuals hang together) and `x.warm` (a design column
    of visits).
    """

    study: Study
    name: str

    @cached_property
    def outcome(self) -> Outcome:
        return self.study.outcomes[self.name]

    @property
    def family(self) -> Family:
        return self.outcome.family

    @property
    def splits(self) -> bool:
        """Whether only a part of its cells is normal on the link scale."""
        return self.family.normal and self.family.has_zero_part

    # --- data

    def arrays(self, cohort: Cohort) -> Arrays:
        o, m = self.outcome, cohort.measurements[self.name]
        own = cells(o, m)
        fields: Arrays = {"patient": m.patient, "time": m.time, "value": own.value}
        if o.censoring:
            fields |= {"low": own.low, "high": own.high}
        if o.exposure:
            if m.exposure is None:
                raise UsageError(f"data of {self.name}", "have no exposure", mend=f"fill the column {o.exposure}")
            fields["offset"] = np.log(m.exposure)
        if o.error:
            if m.error is None:
                raise UsageError(f"data of {self.name}", "have no known errors", mend=f"fill the column {o.error}")
            fields["error"] = m.error
        if self.splits:
            fields["normal"] = o.family.normal_cells(own.value)
        if o.residual is not None:
            fields["own"] = own_cells(m.patient, m.time, len(cohort.patients))
        for covariate in used(self.study, "visits"):
            at_visits = coded(self.study, covariate, m.covariates[covariate])
            fields |= {f"x.{column}": values for column, values in at_visits.items()}
        return self.prefixed(fields)

    def validated(self, data: Mapping[str, Array], patients: int) -> Arrays:
        o, where, own = self.outcome, f"data of {self.name}", self.fields(data)
        names = ["patient", "time", "value", *(["low", "high"] if o.censoring else [])]
        names += [*(["offset"] if o.exposure else []), *(["error"] if o.error else [])]
        names += [f"x.{column}" for c in used(self.study, "visits") for column in columns(self.study, c)]
        lengths = {f: np.shape(own[f]) for f in names}
        if len(set(lengths.values())) != 1 or len(lengths["value"]) != 1:
            raise UsageError(where, "the arrays must be vectors of one length", str(lengths))
        n = lengths["value"][0]
        if not n:
            raise UsageError(where, "there is no measurement")
        _index(where, "patient index", own["patient"], patients)
        if self.splits:
            _index(where, "positions of normal cells", own["normal"], n)
            if not np.array_equal(own["normal"], o.family.normal_cells(np.asarray(own["value"]))):
                raise UsageError(where, "the positions of normal cells are not those of the values")
            names.append("normal")
        for f in (f for f in names if f not in (*INDICES, "low", "high")):
            if not np.all(np.isfinite(np.asarray(own[f], dtype=float))):
                raise UsageError(where, f"every {f} must be finite")
        if o.censoring:
            low, high, value = (np.asarray(own[f], dtype=float) for f in ("low", "high", "value"))
            open_ended = np.isinf(low) | np.isinf(high)
            limit = np.where(np.isinf(low), high, low)
            beyond = (low > value) | (value > high) | (open_ended & (limit != value))
            if np.any(np.isnan(low) | np.isnan(high) | beyond):
                raise UsageError(where, "every value must lie between its limits, and be the limit where there is one")
        if o.residual is not None:
            if not np.array_equal(own["own"], own_cells(np.asarray(own["patient"]), np.asarray(own["time"]), patients)):
                raise UsageError(where, "the positions of each patient's cells are not those of the patients")
            names.append("own")
        valid = {}
        for f in names:
            whole = f in (*INDICES, "own") or (f == "value" and np.issubdtype(np.asarray(own[f]).dtype, np.integer))
            valid[f] = np.ascontiguousarray(own[f], dtype=np.int64 if whole else np.float64)
        return self.prefixed(valid)

    def facts(self, data: Mapping[str, Array], how: str) -> Arrays:
        own, assumed = self.fields(data), {}
        if how == "integrated" and self.outcome.censoring:
            c = censored(own)
            assumed[f"{self.name}: censored cells"] = np.concatenate([c.cell, c.sign, [-1], c.between])
        if self.family.per_row() or self.outcome.drifts:
            assumed[f"{self.name}: number of measurements"] = np.array([len(own["value"])])
        return assumed

    # --- given parameters and effects, in NumPy

    def etas(self, truth: Truth, m: Measurements) -> Etas:
        """(..., visit) linear predictors of each measurement by name, given the patients' own effects and covariates.

        The log of the exposure is part of the location.
        """
        own = truth.outcomes[self.name]
        known = at(
            self.predictors,
            np.asarray(m.time, dtype=float),
            trailing(own.values),
            {k: np.asarray(v)[..., m.patient] for k, v in own.effects.items()},
            visit_columns(self.study, truth, m),
            np,
            None if m.exposure is None else np.log(m.exposure),
        )
        shape = np.broadcast_shapes((*truth.shape, len(m)), *(np.shape(v) for v in known.values()))
        return {k: np.broadcast_to(v, shape) for k, v in known.items()}

    def log_density(self, truth: Truth, cohort: Cohort) -> Array:
        m = cohort.measurements[self.name]
        values = with_errors(trailing(truth.outcomes[self.name].values), m.error)
        return residuals.log_density(self.outcome, cells(self.outcome, m), self.etas(truth, m), values)

    def draw(self, truth: Truth, m: Measurements, rng: np.random.Generator, standard: Array | None = None) -> Array:
        """(..., visit) what might have been measured in place of these rows, in the outcome's unit. Not by the code of
        `observe`. Residuals hang together where the study says so.

        standard: (..., visit) standardised residuals, where they were drawn together with those of other outcomes
        """
        o, values = self.outcome, truth.outcomes[self.name].values
        eta, aux = o.family.told(self.etas(truth, m), with_errors(trailing(values), m.error), np)
        location = np.asarray(eta["location"])
        if standard is not None:
            noise = aux["sigma"] * standard
        elif o.residual is not None:
            time = np.asarray(m.time, dtype=float)
            own = own_cells(m.patient, time, int(m.patient.max(initial=0)) + 1)
            sigma = np.broadcast_to(0.0 if o.drifts else aux["sigma"], location.shape)
            root = np.linalg.cholesky(covariances(o, trailing(values, axes=3), time, sigma, own))
            drawn = (root @ rng.standard_normal((*root.shape[:-1], 1)))[..., 0]
            noise = np.zeros(location.shape)
            noise[..., own[own >= 0]] = drawn[..., own >= 0]
        else:
            return o.family.draw(rng, eta, aux)
        return o.family.draw(
            rng, {**eta, "location": location + noise}, aux if o.drifts else {**aux, "sigma": np.zeros(1)}
        )

    # --- inside a PyMC model, and on the way back from its draws

    def observe(
        self, pm: Any, rows: Rows, values: Values, own: Mapping[str, Mapping[str, Any]], how: str, xp: Any
    ) -> None:
        eta, aux = self._told(rows, self.predictors, values[self.name], own[self.name], xp)
        if self.outcome.drifts:
            eta = {**eta, LOCATION: eta[LOCATION] + self._path(pm, rows, eta, aux, values[self.name], xp)}
        state = self.family.observe_rest if how == "integrated" else self.family.observe
        state(pm, self.name, eta, aux, self._cells(rows))

    def _path(
        self, pm: Any, rows: Rows, eta: Mapping[str, Any], aux: Mapping[str, Any], values: Mapping[str, Any], xp: Any
    ) -> Any:
        """(cell,) residuals as a path of each patient, sampled around what the patient's measurements say of it."""
        o, own, time, cells = self.outcome, rows.data["own"], rows.data["time"], self._cells(rows)
        assert o.residual is not None
        location, precision = eta[LOCATION] + xp.zeros_like(time), xp.zeros_like(time)
        said = location
        if self.family.approximated:  # each cell by itself
            said, precision = self.family.approximate(cells, aux, location, lambda x: x, xp)
        raw = pm.Flat(f"{self.name}.raw_path", shape=time.get_value().shape)  # of the data at hand: one for each cell
        factor = o.residual.factor(time[xp.maximum(own, 0)], values, xp)
        w, log_density = path(factor, own, raw, said - location, precision + xp.zeros_like(time), xp, rows.whiten)
        pm.Potential(f"{self.name}.path", log_density)
        return w

    def piece(
        self,
        rows: Rows,
        true: Any,
        values: Mapping[str, Any],
        own: Mapping[str, Any],
        group: Sequence[Effect],
        factor: Mapping[Effect, Mapping[Effect, Any]],
        xp: Any,
    ) -> Piece:
        data, location = rows.data, self.predictors[0]
        eta, aux = self._told(rows, self.predictors, values, own, xp)
        time, patient, columns = data["time"], data["patient"], rows.columns
        curve = eta[LOCATION] + xp.zeros_like(time)
        sigma = aux["sigma"]
        by_cell = sigma.shape[-1] > 1 if isinstance(sigma, Array) else sigma.ndim > 0
        if self.splits:
            where = data["normal"]
            columns = {k: taken(v, where) for k, v in columns.items()}
            true, curve, time, patient = (taken(x, where) for x in (true, curve, time, patient))
            sigma = taken(sigma, where) if by_cell else sigma
        loadings = {e.key: location.loading(time, values, e, columns, xp) for e in location.effects}
        sds = {e.key: values[f"sd_{e.key}"] for e in location.effects}
        residual = self.family.on_link(true, xp) - curve
        log_sigma = xp.log(sigma)
        piece = Piece(
            residual,
            weights(group, self.name, loadings, sds, factor),
            sigma**-2,
            patient,
            by_cell,
            xp.sum(log_sigma) if by_cell else residual.shape[-1] * log_sigma,
        )
        return piece if self.outcome.residual is None else self._apart(piece, rows, sigma, values, xp)

    def _apart(self, piece: Piece, rows: Rows, sigma: Any, values: Mapping[str, Any], xp: Any) -> Piece:
        """The same where residuals hang together, in coordinates in which they do not."""
        o, time, own = self.outcome, rows.data["time"], rows.data["own"]
        assert o.residual is not None
        place = xp.maximum(own, 0)
        deep = {k: v[..., None, None] if v.ndim else v for k, v in values.items()}
        sigma = taken(sigma + xp.zeros_like(time), place)
        covariance = o.residual.covariance(time[place], sigma, deep, o.trajectory, xp)
        return whitened(piece, own, covariance, xp.arange(rows.patients), xp, rows.whiten)

    def informed(
        self,
        rows: Rows,
        predictor: Predictor,
        values: Mapping[str, Any],
        t: Sequence[Any],
        block: Sequence[Effect],
        lower: Sequence[Sequence[Any]],
        before: Sequence[Any],
        xp: Any,
    ) -> tuple[dict[Effect, Any], Any]:
        """Standardised effects around what the patients' own measurements say of them, as `Informed.effects` says.

        Of other predictors it sees what they are without the patients' own effects: they only steer.
        """
        cells, patient, own = self._cells(rows), rows.data["patient"], predictor.name == LOCATION

        def approximate(curve: Any, pooled: Pooled) -> tuple[Any, Any]:
            if not own:
                return self.family.approximate_zeros(cells, curve, pooled, xp)
            _, aux = self._told(rows, self.predictors[1:], values, {}, xp)
            value, precision = self.family.approximate(cells, aux, curve, pooled, xp)
            if self.outcome.residual is not None:  # which is sampled, and scatters cells around the course
                precision = precision / (1 + precision * self.outcome.residual.total(0.0, values, xp) ** 2)
            return value, precision

        return Informed(
            predictor,
            approximate,
            cells,
            rows.data["time"],
            values,
            rows.columns,
            rows.data.get("offset", 0.0) if own else 0.0,
            per_patient=sums(rows.patients, xp)(patient),
            at_cells=lambda x: taken(x, patient),
            xp=xp,
        ).effects(t, block, lower, before)

    def _told(
        self, rows: Rows, listed: Sequence[Predictor], values: Mapping[str, Any], own: Mapping[str, Any], xp: Any
    ) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """`eta` and `aux` of the family at the rows, under some of its predictors."""
        data, who = rows.data, rows.data["patient"]
        here = {key: taken(deviation, who) for key, deviation in own.items()}
        etas = at(listed, data["time"], values, here, rows.columns, xp, data.get("offset"))
        return self.family.told(etas, with_errors(values, data.get("error")), xp)

    def _cells(self, rows: Rows) -> Cells:
        return Cells(rows.data["value"], rows.data.get("low"), rows.data.get("high"))


def visit_predictors(study: Study, truth: Truth, outcome: str, m: Measurements) -> Etas:
    """(..., visit) linear predictors of each measurement of an outcome, as `Measured.etas` says."""
    return Measured(study, outcome).etas(truth, m)


def _index(where: str, what: str, index: Array, size: int) -> None:
    index = np.asarray(index)
    if index.ndim != 1 or (not np.issubdtype(index.dtype, np.integer) and len(index)):
        raise UsageError(where, f"the {what} must be whole numbers", str(index.dtype))
    if len(index) and (index.min() < 0 or index.max() >= size):
        raise UsageError(where, f"the {what} must lie in 0..{size - 1}", f"{index.min()}..{index.max()}")


__all__ = ["Measured", "visit_predictors"]
