"""What was sampled -> what a Fit holds: every parameter, every patient's effects, whatever the parameterisation."""

from collections.abc import Mapping
from functools import partial

import numpy as np

from bayesmyo.inference import effects as fx
from bayesmyo.inference.build import BuiltModel
from bayesmyo.model import joint
from bayesmyo.model.data import SHARED, Arrays, imputed, patient_data
from bayesmyo.model.normal import draw_standard, factored, sums, whiten
from bayesmyo.model.spec import spec
from bayesmyo.model.submodel import Rows, Submodel
from bayesmyo.model.visits import censored, columns_at, trailing
from bayesmyo.study.covariates import of_patients, with_products
from bayesmyo.study.predictors import CORRELATIONS, Effect, Predictor, predictor_of, residual_block

Array = np.ndarray


AT_ONCE = 2_000_000  # numbers in one array


def recover(model: BuiltModel, raw: Mapping[str, Array], data: Arrays, rng: np.random.Generator) -> dict[str, Array]:
    """Full name -> draws: parameters (chain, draw), effects (chain, draw, patient), imputed columns (chain, draw,
    missing patient).

    Of a large cohort in blocks of draws, so that no array grows with draws times measurements.
    """
    shape = next(iter(raw.values())).shape[:2]
    total = shape[0] * shape[1]
    step = max(1, AT_ONCE // max(len(v) for v in data.values() if v.ndim))
    if total <= step:
        return _recovered(model, raw, data, rng)
    flat = {k: v.reshape(total, *v.shape[2:]) for k, v in raw.items()}
    posterior: dict[str, Array] = {}
    for start in range(0, total, step):
        block = slice(start, min(start + step, total))
        for name, v in _recovered(model, {k: v[block] for k, v in flat.items()}, data, rng).items():
            posterior.setdefault(name, np.empty((total, *v.shape[1:]), v.dtype))[block] = v
    return {name: v.reshape(*shape, *v.shape[1:]) for name, v in posterior.items()}


def _recovered(model: BuiltModel, raw: Mapping[str, Array], data: Arrays, rng: np.random.Generator) -> dict[str, Array]:
    """The same with any leading dimensions, all at once."""
    study, how, patients = model.study, model.how, len(model.patients)
    submodels = spec(study).submodels
    listed = fx.ordered(study, how)
    values, lowers = _values(model, listed, raw)
    posterior = {f"{outcome}.{name}": v for outcome, own in values.items() for name, v in own.items()}
    posterior |= {f"{SHARED}.{column}": raw[f"{SHARED}.{column}.imputed"] for column in imputed(data)}
    columns = {k: complete(v, raw.get(f"{SHARED}.{k}.imputed")) for k, v in patient_data(data).items()}
    whole = with_products(study, columns, of_patients(study))
    last = {name: trailing(own) for name, own in values.items()}
    rows = {name: _rows(model, s, columns, data) for name, s in submodels.items()}

    def standard(e: Effect, way: fx.Parameterisation, sd: Array, shift: Array, left: Array) -> Array:
        own = raw[f"{e.outcome}.raw_{e.key}"]
        if way != "centred":
            return own
        mean = predictor_of(study, e).centre(e, last[e.outcome], whole)
        return np.asarray(((own - mean) / sd - shift) / left)

    def inform(p: Predictor, o: fx.Ordered, lower: list[list[Array]], z: list[Array]) -> dict[Effect, Array]:
        t = [raw[f"{p.outcome}.raw_{e.key}"] for e in p.effects]
        return submodels[p.outcome].informed(rows[p.outcome], p, last[p.outcome], t, o.effects, lower, z, np)[0]

    of_patient = [[[np.asarray(x)[..., None] for x in row] for row in lower] for lower in lowers]
    effects = fx.unfold(study, listed, of_patient, how, last, standard, inform)
    deviations = effects.deviations
    for names, group in effects.together:
        if not group:
            continue
        pieces = {}
        for name in names:
            true = _true_values(name, raw, submodels[name].fields(data))
            own = deviations[name]
            pieces[name] = submodels[name].piece(rows[name], true, last[name], own, group, effects.rows, np)
        listed_pieces = list(pieces.values())
        if not set(names).isdisjoint(study.correlate_residuals):
            correlation = joint.matrix({(CORRELATIONS, k): r for k, r in last[CORRELATIONS].items()}, study)
            listed_pieces = fx.joined(study, data[joint.OWN], data[joint.PATIENT], correlation, np, whiten, pieces)
        if spec(study).used.isdisjoint(names):
            z = draw_standard(listed_pieces, len(group), patients, rng)
        else:  # they were sampled, as what their measurements leave open
            t = [raw[f"{e.outcome}.raw_{e.key}"] for e in group]
            z = factored(listed_pieces, len(group), sums(patients, np), np).moved(t)
        fx.place(group, z, effects, last)
    for outcome, by_key in deviations.items():
        posterior |= {f"{outcome}.effect_{key}": v for key, v in by_key.items()}
    return posterior


def _values(
    model: BuiltModel, listed: list[fx.Ordered], raw: Mapping[str, Array]
) -> tuple[dict[str, dict[str, Array]], list[list[list[Array]]]]:
    """Parameters by submodel and name, and the Cholesky factor of each block's correlations."""
    inventory = spec(model.study).parameters
    values = {o: {n: raw[p.full_name] for n, p in own.items() if p.full_name in raw} for o, own in inventory.items()}
    lowers, block = [], residual_block(model.study)
    for o in [*listed, *([fx.Ordered(block, block.effects, ())] if block else [])]:
        lower = fx.factor(o, values, partial(_partials, raw, o), np)
        if len(o.effects) > 2:
            for (outcome, name), r in o.correlations(lower).items():
                values[outcome][name] = np.asarray(r)
        lowers.append(lower)
    return {o: {n: values[o][n] for n in own} for o, own in inventory.items()}, lowers[: len(listed)]


def _partials(raw: Mapping[str, Array], o: fx.Ordered) -> list[Array]:
    return list(np.moveaxis(2 * raw[f"{o.block.name}_half"] - 1, -1, 0))


def _rows(model: BuiltModel, s: Submodel, columns: Mapping[str, Array], data: Arrays) -> Rows:
    """The rows of a submodel, with its design columns as imputed under every draw. columns: of patients"""
    own = s.fields(data)
    of_visits = {k.removeprefix("x."): v for k, v in own.items() if k.startswith("x.")}
    return Rows(own, columns_at(model.study, columns, of_visits, own["patient"]), len(model.patients))


def complete(column: Array, drawn: Array | None) -> Array:
    """A design column (patient,) with its missing values as drawn, (chain, draw, patient)."""
    if drawn is None:
        return column
    whole = np.broadcast_to(column, (*drawn.shape[:-1], len(column))).copy()
    whole[..., np.isnan(column)] = drawn
    return whole


def _true_values(name: str, raw: Mapping[str, Array], own: Mapping[str, Array]) -> Array:
    """(..., visit) the measurements, those of censored cells as they were sampled; own: the fields of the submodel's
    data.
    """
    value, cells = own["value"], censored(own)
    drawn = [raw[f"{name}.{part}"] for part in ("beyond", "between") if f"{name}.{part}" in raw]
    if drawn:
        value = np.broadcast_to(value, (*drawn[0].shape[:-1], len(value))).copy()
    if len(cells.cell):
        value[..., cells.cell] += cells.sign * raw[f"{name}.beyond"]
    if len(cells.between):
        low, high = own["low"][cells.between], own["high"][cells.between]
        value[..., cells.between] += raw[f"{name}.between"] * (high - low)
    return value


__all__ = ["complete", "recover"]
