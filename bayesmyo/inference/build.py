"""Study + Cohort -> pm.Model. The model is stated once; every engine reads it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from bayesmyo.cohort.cohort import Cohort
from bayesmyo.errors import UsageError
from bayesmyo.inference import effects as fx
from bayesmyo.inference.whiten import whiten
from bayesmyo.model import joint, normal
from bayesmyo.model.data import PRIOR_SPREAD, SHARED, Arrays, arrays, facts, imputed, patient_data, validated
from bayesmyo.model.spec import spec
from bayesmyo.model.submodel import Rows, Submodel, Values
from bayesmyo.model.visits import censored, columns_at
from bayesmyo.study.covariates import of_patients, with_products
from bayesmyo.study.parameters import inventory, joints
from bayesmyo.study.predictors import Effect, Predictor, predictor_of, residual_block
from bayesmyo.study.study import Study


@dataclass(frozen=True, eq=False)
class BuiltModel:
    """A PyMC model with what an engine needs to read its draws.

    pymc: the model; its data are `pm.Data` named as in `data`, so a compiled model can be handed another cohort
    of as many patients, as long as `facts` holds of it; how: the parameterisation of each submodel's effects
    """

    pymc: pm.Model
    study: Study
    patients: tuple[str, ...]
    data: Arrays
    how: dict[str, fx.Parameterisation]

    def facts(self, data: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """What the model takes for granted of its data, of these or of others."""
        return facts(self.study, data, self.how)

    def taken(self, data: Mapping[str, np.ndarray]) -> Arrays:
        """Other data as the model takes them, validated; what is imputed has any number there.

        Raises UsageError where they are not of the kind that the model was built for.
        """
        data = validated(self.study, data, len(self.patients))
        ours, theirs = self.facts(self.data), self.facts(data)
        for what in {**ours, **theirs}:
            if what not in ours or what not in theirs or not np.array_equal(ours[what], theirs[what]):
                differs = f"differ from those the model was compiled for ({what})"
                raise UsageError("data", differs, mend="build the model for these data")
        return {k: np.nan_to_num(v) if k.startswith(SHARED) else v for k, v in data.items()}


def build(study: Study, cohort: Cohort, how: Mapping[str, fx.Parameterisation] | None = None) -> BuiltModel:
    """State the study's model for a cohort. Nothing is compiled. Raises UsageError for data that cannot be used.

    how: the parameterisation of each outcome (default: as this cohort asks for)
    """
    data = arrays(study, cohort)
    how = dict(how or {name: fx.parameterisation(study, cohort, name) for name in study.declared})
    with pm.Model(coords={"patient": np.arange(len(cohort.patients))}) as model:
        _Statement(study, data, how, len(cohort.patients)).state()
    return BuiltModel(model, study, cohort.patients, data, how)


class _Statement:
    """A model that is being stated, inside the open PyMC model."""

    def __init__(self, study: Study, data: Arrays, how: Mapping[str, fx.Parameterisation], patients: int):
        self.study, self.data, self.how, self.patients = study, data, how, patients
        self.submodels, self.used = spec(study).submodels, spec(study).used
        spread = pm.Data(PRIOR_SPREAD, data[PRIOR_SPREAD])
        self.values: Values = _parameters(study, spread)
        for known in spec(study).published:
            pm.Potential(f"evidence.{known.names[0]}", known.log_density(self.values, pt, spread))
        self.columns = _patient_columns(data)
        self.rows = {name: self._rows(s) for name, s in self.submodels.items()}

    def _rows(self, s: Submodel) -> Rows:
        shared = {k: pm.Data(f"{s.name}.{k}", v) for k, v in s.fields(self.data).items()}
        of_visits = {k.removeprefix("x."): x for k, x in shared.items() if k.startswith("x.")}
        return Rows(shared, columns_at(self.study, self.columns, of_visits, shared["patient"]), self.patients, whiten)

    def state(self) -> None:
        """Effects, and the likelihood of every submodel: of its rows as they are, or with effects integrated out."""
        listed = fx.ordered(self.study, self.how)
        lowers = [self._factor(o) for o in listed]
        whole = with_products(self.study, self.columns, of_patients(self.study))

        def standard(e: Effect, way: fx.Parameterisation, sd: Any, shift: Any, left: Any) -> Any:
            raw = f"{e.outcome}.raw_{e.key}"
            if way != "centred":
                return pm.Normal(raw, 0.0, 1.0, dims="patient")
            mean = predictor_of(self.study, e).centre(e, self.values[e.outcome], whole)
            own = pm.Normal(raw, mean + sd * shift, sd * left, dims="patient")
            return ((own - mean) / sd - shift) / left

        effects = fx.unfold(self.study, listed, lowers, self.how, self.values, standard, self._inform)
        for name, s in self.submodels.items():
            if not s.uses:
                s.observe(pm, self.rows[name], self.values, effects.deviations, self.how[name], pt)
        integrated = [name for name, how in self.how.items() if how == "integrated"]
        true = {name: _true_values(self.submodels[name], self.rows[name].data, self.data) for name in integrated}

        def piece(name: str, group: list[Effect]) -> normal.Piece:
            own = effects.deviations[name]
            return self.submodels[name].piece(
                self.rows[name], true[name], self.values[name], own, group, effects.rows, pt
            )

        joined = self._joined()
        for names, group in effects.together:
            pieces = joined({name: piece(name, group) for name in names})
            f = normal.factored(pieces, len(group), normal.sums(self.patients, pt), pt)
            pm.Potential("+".join(names), normal.log_likelihood(pieces, f, pt))
            if group and not self.used.isdisjoint(names):
                # another likelihood looks at these effects: they are sampled, as what their measurements leave open
                t = [pm.Normal(f"{e.outcome}.raw_{e.key}", 0.0, 1.0, dims="patient") for e in group]
                fx.place(group, f.moved(t), effects, self.values)
        for name, s in self.submodels.items():
            if s.uses:
                s.observe(pm, self.rows[name], self.values, effects.deviations, self.how[name], pt)

    def _factor(self, o: fx.Ordered) -> list[list[Any]]:
        """The Cholesky factor of a block's correlations."""
        return fx.factor(o, self.values, partial(self._partials, o), pt)

    def _joined(self) -> Callable[[Mapping[str, normal.Piece]], list[normal.Piece]]:
        """What makes one piece of those of outcomes whose residuals are correlated."""
        block = residual_block(self.study)
        if block is None:
            return lambda pieces: list(pieces.values())
        o = fx.Ordered(block, block.effects, ())
        correlation = joint.matrix(o.correlations(self._factor(o)), self.study)
        own, patient = (pm.Data(name, self.data[name]) for name in (joint.OWN, joint.PATIENT))
        return partial(fx.joined, self.study, own, patient, correlation, pt, whiten)

    def _partials(self, o: fx.Ordered) -> list[Any]:
        a = fx.shapes(self.study, o.block)
        halves = pm.Beta(f"{o.block.name}_half", a, a, shape=len(a))
        return [2 * halves[i] - 1 for i in range(len(a))]

    def _inform(self, p: Predictor, o: fx.Ordered, lower: list[list[Any]], z: list[Any]) -> dict[Effect, Any]:
        """The standardised effects of an informed predictor; z: those of the block that were sampled before."""
        name = p.outcome
        t = [pm.Flat(f"{name}.raw_{e.key}", dims="patient") for e in p.effects]
        s, rows, values = self.submodels[name], self.rows[name], self.values[name]
        effects, log_jacobian = s.informed(rows, p, values, t, o.effects, lower, z, pt)
        density = sum(-(z_i**2) / 2 - normal.LOG_2PI / 2 for z_i in effects.values())
        pm.Potential(f"{name}.{p.prefix}informed", pt.sum(density + log_jacobian))
        return effects


def _parameters(study: Study, spread: Any) -> Values:
    """Every parameter but the correlations of three effects or more, by submodel and name; priors as wide as `spread`
    says.
    """
    values: dict[str, dict[str, Any]] = {}
    for outcome, listed in inventory(study).items():
        own = {p.name: p.own.scaled(spread).variable(pm, p.full_name) for p in listed.values() if p.own}
        for _, prior in joints(listed):
            own |= dict(zip(prior.names, prior.variables(pm, f"{outcome}."), strict=True))
        for p in listed.values():
            if p.pooled:  # not centred: the SD of a few sites is a funnel
                raw = pm.Normal(f"{outcome}.raw_{p.name}", 0.0, 1.0)
                own[p.name] = pm.Deterministic(p.full_name, own[p.pooled.sd] * raw)
        values[outcome] = own
    return values


def _patient_columns(data: Arrays) -> dict[str, Any]:
    """Design columns of patients (patient,), what is missing in them a parameter: a normal distribution of its own."""
    columns: dict[str, Any] = {}
    missing = imputed(data)
    for column, values in patient_data(data).items():
        name = f"{SHARED}.{column}"
        if column not in missing:
            columns[column] = pm.Data(name, values)
            continue
        known, absent = np.flatnonzero(~np.isnan(values)), np.flatnonzero(np.isnan(values))
        held = pm.Data(name, np.nan_to_num(values))
        mean = pm.Normal(f"{name}.mean", 0.0, 1.0)
        sd = pm.HalfNormal(f"{name}.sd", 1.0)
        pm.Potential(f"{name}.known", pm.logp(pm.Normal.dist(mean, sd), held[known]).sum())
        columns[column] = held[absent].set(pm.Normal(f"{name}.imputed", mean, sd, shape=len(absent)))
    return columns


def _true_values(s: Submodel, shared: Mapping[str, Any], data: Arrays) -> Any:
    """The measurements; the true value of a censored cell is a parameter, flat beyond its limit or between two."""
    value, cells = shared["value"], censored(s.fields(data))
    if len(cells.cell):
        beyond = pm.HalfFlat(f"{s.name}.beyond", shape=len(cells.cell))
        value = value[cells.cell].inc(cells.sign * beyond)
    if len(cells.between):
        share = pm.Uniform(f"{s.name}.between", 0.0, 1.0, shape=len(cells.between))
        low, high = shared["low"][cells.between], shared["high"][cells.between]
        value = value[cells.between].inc(share * (high - low))
    return value


__all__ = ["BuiltModel", "build"]
