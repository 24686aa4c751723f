"""Study + Cohort -> pm.Model. The model is stated once; every engine reads it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from bayesmyo.cohort.cohort import Cohort
from bayesmyo.components.families import Cells
from bayesmyo.components.priors import Prior
from bayesmyo.inference import effects as fx
from bayesmyo.inference import integrate
from bayesmyo.inference.informed import Informed
from bayesmyo.model.data import (
    PRIOR_SPREAD,
    SHARED,
    Arrays,
    CensoredCells,
    arrays,
    censored_cells,
    facts,
    imputed,
    splits,
)
from bayesmyo.model.residuals import with_errors
from bayesmyo.study.covariates import of_patients, used, with_products
from bayesmyo.study.parameters import Pooled, inventory, joints
from bayesmyo.study.predictors import LOCATION, Effect, Predictor, predictor_of, predictors
from bayesmyo.study.study import Study

Values = dict[str, dict[str, Any]]


@dataclass(frozen=True, eq=False)
class BuiltModel:
    """A PyMC model with what an engine needs to read its draws.

    pymc: the model; its data are `pm.Data` named as in `data`, so a compiled model can be handed another cohort
    of as many patients, as long as `facts` holds of it; how: the parameterisation of each outcome
    """

    pymc: pm.Model
    study: Study
    patients: tuple[str, ...]
    data: Arrays
    how: dict[str, fx.Parameterisation]

    def facts(self, data: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """What the model takes for granted of its data, of these or of others."""
        return facts(self.study, data, {name: how == "integrated" for name, how in self.how.items()})


@dataclass(frozen=True)
class Visits:
    """One outcome's data in the open model: by field, as its family's cells, and the design columns at its visits."""

    shared: dict[str, Any]
    cells: Cells
    columns: dict[str, Any]


@dataclass(frozen=True)
class Normal:
    """The cells of one outcome that are normal on the link scale, whose effects are integrated: (cell,) each, sigma of all or of each.

    residual: measurement minus curve; columns: design columns at the cells
    own: (patient, most) positions of each patient's cells, where residuals hang together
    """

    residual: Any
    time: Any
    patient: Any
    sigma: Any
    columns: dict[str, Any]
    own: Any = None


@dataclass(frozen=True)
class Effects:
    """The patients' effects in the open model.

    deviations: outcome -> key -> (patient,) of the sampled ones; of the integrated ones what the sampled ones say of them
    rows: integrated effect -> its row of the Cholesky factor by integrated effect; together: groups integrated together
    """

    deviations: dict[str, dict[str, Any]]
    rows: dict[Effect, dict[Effect, Any]]
    together: list[list[Effect]]


def build(study: Study, cohort: Cohort) -> BuiltModel:
    """State the study's model for a cohort. Nothing is compiled. Raises UsageError for data that cannot be used."""
    data = arrays(study, cohort)
    how = {name: fx.parameterisation(study, cohort, name) for name in study.outcomes}
    with pm.Model(coords={"patient": np.arange(len(cohort.patients))}) as model:
        values = _parameters(study, pm.Data(PRIOR_SPREAD, data[PRIOR_SPREAD]))
        columns = _patient_columns(study, data)
        visits = {name: _visits(study, name, data, columns) for name in study.outcomes}
        found = _effects(study, how, values, columns, visits, len(cohort.patients))
        pieces = {}
        for name in study.outcomes:
            integrated = how[name] == "integrated"
            piece = _outcome(study, name, data, values[name], visits[name], found, integrated)
            if piece is not None:
                pieces[name] = piece
        alone = [name for name in pieces if not any(e.outcome == name for group in found.together for e in group)]
        for name in alone:  # no effects, but residuals that hang together
            members = [_piece(study, name, [], values[name], found, pieces[name])]
            pm.Potential(name, integrate.log_likelihood(pt, members, 0, len(cohort.patients)))
        for group in found.together:
            members = [_piece(study, name, group, values[name], found, pieces[name]) for name in _outcomes(group)]
            name = "+".join(_outcomes(group))
            pm.Potential(name, integrate.log_likelihood(pt, members, len(group), len(cohort.patients)))
    return BuiltModel(model, study, cohort.patients, data, how)


def _outcomes(group: list[Effect]) -> list[str]:
    return list(dict.fromkeys(e.outcome for e in group))


def _parameters(study: Study, spread: Any) -> Values:
    """Every parameter but the correlations of three effects or more, by outcome and name; priors as wide as `spread` says."""
    found: Values = {}
    for outcome, listed in inventory(study).items():
        own = {
            p.name: p.prior.scaled(spread).variable(pm, p.full_name)
            for p in listed.values()
            if isinstance(p.prior, Prior)
        }
        for _, joint in joints(listed):
            own |= dict(zip(joint.names, joint.variables(pm, f"{outcome}."), strict=True))
        for p in listed.values():
            if isinstance(p.prior, Pooled):  # not centred: the SD of a few sites is a funnel
                raw = pm.Normal(f"{outcome}.raw_{p.name}", 0.0, 1.0)
                own[p.name] = pm.Deterministic(p.full_name, own[p.prior.sd] * raw)
        found[outcome] = own
    return found


def _patient_columns(study: Study, data: Arrays) -> dict[str, Any]:
    """Design columns of patients (patient,), what is missing in them a parameter: a normal distribution of its own."""
    found: dict[str, Any] = {}
    missing = imputed(data)
    for name in (k for k in data if k.startswith(f"{SHARED}.")):
        column = name.removeprefix(f"{SHARED}.")
        if column not in missing:
            found[column] = pm.Data(name, data[name])
            continue
        known = np.flatnonzero(~np.isnan(data[name]))
        absent = np.flatnonzero(np.isnan(data[name]))
        held = pm.Data(name, np.nan_to_num(data[name]))
        mean = pm.Normal(f"{name}.mean", 0.0, 1.0)
        sd = pm.HalfNormal(f"{name}.sd", 1.0)
        pm.Potential(f"{name}.known", pm.logp(pm.Normal.dist(mean, sd), held[known]).sum())
        found[column] = held[absent].set(pm.Normal(f"{name}.imputed", mean, sd, shape=len(absent)))
    return found


def _visits(study: Study, name: str, data: Arrays, columns: Mapping[str, Any]) -> Visits:
    """One outcome's data, inside the open model."""
    shared = {
        k.removeprefix(f"{name}."): pm.Data(k, v)
        for k, v in data.items()
        if k.startswith(f"{name}.") and k not in (f"{name}.normal", f"{name}.own")
    }
    base = {column: x[shared["patient"]] for column, x in columns.items()}
    base |= {k.removeprefix("x."): x for k, x in shared.items() if k.startswith("x.")}
    at_visits = with_products(study, base, study.covariates) if used(study) else {}
    return Visits(shared, Cells(shared["value"], shared.get("low"), shared.get("high")), at_visits)


def _effects(
    study: Study, how: Mapping[str, fx.Parameterisation], values: Values, columns: Mapping[str, Any], visits: Mapping[str, Visits],
    patients: int,
) -> Effects:  # fmt: skip
    """Sample what is sampled, block by block; say how the rest follows from it."""
    whole = with_products(study, columns, of_patients(study))
    deviations: dict[str, dict[str, Any]] = {name: {} for name in study.outcomes}
    rows: dict[Effect, dict[Effect, Any]] = {}
    informed: dict[Effect, Any] = {}
    listed = fx.ordered(study, how)
    for o in listed:
        single, partials = None, None
        if len(o.effects) == 2:
            pair = o.block.pairs()[0]
            single = values[pair.outcome][pair.name]
        elif len(o.effects) > 2:
            a = fx.shapes(study, o.block)
            halves = pm.Beta(f"{o.block.name}_half", a, a, shape=len(a))
            partials = [2 * halves[i] - 1 for i in range(len(a))]
        lower = fx.factor(study, o, single, partials, pt)
        z: list[Any] = []
        inform = partial(_inform, study, values, visits, o, lower, patients)
        for i, e in enumerate(o.effects):
            sd = values[e.outcome][f"sd_{e.key}"]
            shift = sum(lower[i][j] * z[j] for j in range(min(i, len(o.sampled))))
            if i < len(o.sampled):
                way = fx.how_sampled(e, how)
                if way == "informed":
                    informed |= {} if e in informed else inform(e.outcome, z)
                    z.append(informed[e])
                else:
                    mean = predictor_of(study, e).centre(e, values[e.outcome], whole)
                    z.append(fx.sample(pm, e, way, mean, sd, shift, lower[i][i]))
                deviations[e.outcome][e.key] = sd * (shift + lower[i][i] * z[i])
            else:
                if o.sampled:
                    deviations[e.outcome][e.key] = sd * shift
                rows[e] = {o.effects[j]: lower[i][j] for j in range(len(o.sampled), i + 1)}
    return Effects(deviations, rows, integrate.groups(list(rows), [o.integrated for o in listed]))


def _inform(
    study: Study, values: Values, visits: Mapping[str, Visits], o: fx.Ordered, lower: Any, patients: int, name: str, z: list[Any]
) -> dict[Effect, Any]:  # fmt: skip
    """The standardised effects of an informed outcome, all at once, when the first of them is asked for; z: those sampled before."""
    (location, *rest), data, family = predictors(study, name), visits[name], study.outcomes[name].family
    time, patient = data.shared["time"], data.shared["patient"]
    # of the other predictors what they are without the patients' own effects: they only steer
    _, aux = family.told(
        {p.name: p.eta(time, values[name], {}, data.columns, pt) for p in rest},
        with_errors(values[name], data.shared.get("error")),
        pt,
    )
    informed = Informed(
        location, family, data.cells, time, values[name], aux, data.columns, data.shared.get("offset", 0.0),
        per_patient=lambda x: pt.zeros(patients)[patient].inc(x), at_cells=lambda x: x[patient], xp=pt,
    )  # fmt: skip
    t = [pm.Flat(f"{name}.raw_{e.key}", dims="patient") for e in location.effects]
    found, log_jacobian = informed.effects(t, o.effects, lower, z)
    normal = sum(-(z_i**2) / 2 - integrate.LOG_2PI / 2 for z_i in found.values())
    pm.Potential(f"{name}.informed", pt.sum(normal + log_jacobian))
    return found


def _outcome(
    study: Study, name: str, data: Arrays, values: dict[str, Any], visits: Visits, found: Effects, integrated: bool
) -> Normal | None:  # fmt: skip
    """One outcome, inside the open model: predictors, likelihood; what is left to integrate, if anything is."""
    o, shared = study.outcomes[name], visits.shared
    patient, time = shared["patient"], shared["time"]
    own = {key: deviation[patient] for key, deviation in found.deviations[name].items()}
    eta = {p.name: p.eta(time, values, own, visits.columns, pt) for p in predictors(study, name)}
    if "offset" in shared:
        eta[LOCATION] = eta[LOCATION] + shared["offset"]
    linear, aux = o.family.told(eta, with_errors(values, shared.get("error")), pt)
    if not integrated:
        o.family.observe(pm, name, linear, aux, visits.cells)
        return None
    o.family.observe_rest(pm, name, linear, aux, visits.cells)
    value = _true_values(name, shared, censored_cells(data, name))
    curve, sigma, columns = eta[LOCATION], aux["sigma"], visits.columns
    if splits(study, name):
        where = pm.Data(f"{name}.normal", data[f"{name}.normal"])
        value, curve, time, patient = (x[where] for x in (value, pt.broadcast_to(curve, time.shape), time, patient))
        sigma = sigma[where] if sigma.ndim else sigma
        columns = {k: x[where] if getattr(x, "ndim", 0) else x for k, x in columns.items()}
    return Normal(o.family.on_link(value, pt) - curve, time, patient, sigma, columns, data.get(f"{name}.own"))


def _piece(
    study: Study, name: str, group: list[Effect], values: dict[str, Any], found: Effects, normal: Normal
) -> integrate.Piece:  # fmt: skip
    location: Predictor = predictors(study, name)[0]
    loadings = {e.key: location.loading(normal.time, values, e, normal.columns, pt) for e in location.effects}
    sds = {e.key: values[f"sd_{e.key}"] for e in location.effects}
    weights = integrate.weights(group, name, loadings, sds, found.rows)
    piece = integrate.Piece(normal.residual, weights, normal.sigma, normal.patient, normal.sigma.ndim > 0)
    o = study.outcomes[name]
    if o.residual is None:
        return piece
    own = pm.Data(f"{name}.own", normal.own)
    place = pt.maximum(own, 0)
    sigma = (normal.sigma + pt.zeros_like(normal.time))[place]
    covariance = o.residual.covariance(normal.time[place], sigma, values, o.trajectory, pt)
    solve = partial(pt.linalg.solve_triangular, lower=True, b_ndim=2)
    return integrate.whitened(piece, own, covariance, len(normal.own), pt, solve)


def _true_values(name: str, shared: dict[str, Any], censored: CensoredCells) -> Any:
    """The measurements; the true value of a censored cell is a parameter, flat beyond its limit or between its limits."""
    value = shared["value"]
    if len(censored.cell):
        beyond = pm.HalfFlat(f"{name}.beyond", shape=len(censored.cell))
        value = value[censored.cell].inc(censored.sign * beyond)
    if len(censored.between):
        share = pm.Uniform(f"{name}.between", 0.0, 1.0, shape=len(censored.between))
        low, high = shared["low"][censored.between], shared["high"][censored.between]
        value = value[censored.between].inc(share * (high - low))
    return value
