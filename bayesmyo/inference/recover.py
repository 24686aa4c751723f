"""What was sampled -> what a Fit holds: every parameter, every patient's effects, whatever the parameterisation."""

from collections.abc import Mapping

import numpy as np

from bayesmyo.components.families import Cells
from bayesmyo.inference import effects as fx
from bayesmyo.inference import integrate
from bayesmyo.inference.build import BuiltModel
from bayesmyo.inference.informed import Informed
from bayesmyo.model.data import SHARED, Arrays, censored_cells, imputed, splits
from bayesmyo.model.residuals import covariances, with_errors
from bayesmyo.model.visits import trailing
from bayesmyo.study.covariates import of_patients, used, with_products
from bayesmyo.study.parameters import inventory
from bayesmyo.study.predictors import Effect, predictor_of, predictors

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
    study = model.study
    values, lowers = _values(model, raw)
    posterior = {f"{outcome}.{name}": v for outcome, own in values.items() for name, v in own.items()}
    missing = imputed(data)
    posterior |= {f"{SHARED}.{column}": raw[f"{SHARED}.{column}.imputed"] for column in missing}
    columns = {
        k.removeprefix(f"{SHARED}."): complete(v, raw.get(f"{k}.imputed"))
        for k, v in data.items()
        if k.startswith(f"{SHARED}.")
    }
    whole = with_products(study, columns, of_patients(study))
    deviations: dict[str, dict[str, Array]] = {name: {} for name in study.outcomes}
    rows: dict[Effect, dict[Effect, Array]] = {}
    known: dict[Effect, Array] = {}
    listed = fx.ordered(study, model.how)
    for o, lower in zip(listed, lowers, strict=True):
        z: list[Array] = []
        for i, e in enumerate(o.effects):
            sd = values[e.outcome][f"sd_{e.key}"][..., None]
            shift = sum((_last(lower[i][j]) * z[j] for j in range(min(i, len(o.sampled)))), np.zeros(1))
            if i < len(o.sampled):
                way = fx.how_sampled(e, model.how)
                if way == "informed":
                    if e not in known:
                        known |= _informed(model, e.outcome, raw, values, o, lower, z, data)
                    z.append(known[e])
                else:
                    mean = predictor_of(study, e).centre(e, trailing(values[e.outcome]), whole)
                    sampled = raw[f"{e.outcome}.raw_{e.key}"]
                    z.append(fx.standard(sampled, way, mean, sd, shift, _last(lower[i][i])))
                deviations[e.outcome][e.key] = sd * (shift + _last(lower[i][i]) * z[i])
            else:
                if o.sampled:
                    deviations[e.outcome][e.key] = sd * shift
                rows[e] = {o.effects[j]: lower[i][j] for j in range(len(o.sampled), i + 1)}
    patients = len(model.patients)
    for group in integrate.groups(list(rows), [o.integrated for o in listed]):
        pieces = [
            _piece(model, name, group, raw, values, deviations, rows, data)
            for name in dict.fromkeys(e.outcome for e in group)
        ]
        z_group = dict(zip(group, integrate.draw_standard(pieces, len(group), patients, rng), strict=True))
        for e in group:
            own = sum((_last(row) * z_group[column] for column, row in rows[e].items()), np.zeros(1))
            before = deviations[e.outcome].get(e.key, 0.0)
            deviations[e.outcome][e.key] = before + values[e.outcome][f"sd_{e.key}"][..., None] * own
    for outcome, found in deviations.items():
        posterior |= {f"{outcome}.effect_{key}": v for key, v in found.items()}
    return posterior


def _last(x: Array | float) -> Array:
    return np.asarray(x)[..., None]


def _values(model: BuiltModel, raw: Mapping[str, Array]) -> tuple[dict[str, dict[str, Array]], list[list[list[Array]]]]:
    """Parameters by outcome and name, and the Cholesky factor of each block's correlations."""
    study = model.study
    listed = inventory(study)
    values = {o: {n: raw[p.full_name] for n, p in own.items() if p.full_name in raw} for o, own in listed.items()}
    lowers = []
    for o in fx.ordered(study, model.how):
        single, partials = None, None
        if len(o.effects) == 2:
            pair = o.block.pairs()[0]
            single = values[pair.outcome][pair.name]
        elif len(o.effects) > 2:
            partials = list(np.moveaxis(2 * raw[f"{o.block.name}_half"] - 1, -1, 0))
        lower = fx.factor(study, o, single, partials, np)
        if partials is not None:
            for (outcome, name), r in o.correlations(lower).items():
                values[outcome][name] = np.asarray(r)
        lowers.append(lower)
    return {o: {n: values[o][n] for n in own} for o, own in listed.items()}, lowers


def _informed(
    model: BuiltModel, name: str, raw: Mapping[str, Array], values: Mapping[str, Mapping[str, Array]], o: fx.Ordered, lower: list[list[Array]],
    z: list[Array], data: Arrays,
) -> dict[Effect, Array]:  # fmt: skip
    """The standardised effects of an informed outcome, as the model makes them."""
    (location, *rest), own = predictors(model.study, name), trailing(values[name])
    patient, time = data[f"{name}.patient"], data[f"{name}.time"]
    t = [raw[f"{name}.raw_{e.key}"] for e in location.effects]
    shape, sums = (*t[0].shape[:-1], len(time)), integrate.per_patient(patient, len(model.patients))
    family, columns = model.study.outcomes[name].family, visit_columns(model, raw, data, name)
    _, aux = family.told(
        {p.name: p.eta(time, own, {}, columns, np) for p in rest}, with_errors(own, data.get(f"{name}.error")), np
    )
    informed = Informed(
        location, family, Cells(data[f"{name}.value"], data.get(f"{name}.low"), data.get(f"{name}.high")),
        time, own, aux, columns, data.get(f"{name}.offset", 0.0),
        per_patient=lambda x: sums(np.broadcast_to(x, shape)), at_cells=lambda x: x[..., patient], xp=np,
    )  # fmt: skip
    return informed.effects(t, o.effects, [[_last(x) for x in row] for row in lower], z)[0]


def _piece(
    model: BuiltModel, name: str, group: list[Effect], raw: Mapping[str, Array], values: Mapping[str, Mapping[str, Array]],
    deviations: Mapping[str, Mapping[str, Array]], rows: Mapping[Effect, Mapping[Effect, Array]], data: Arrays,
) -> integrate.Piece:  # fmt: skip
    """One outcome's normal cells under every draw, as `integrate` wants them."""
    study = model.study
    o, (location, *rest) = study.outcomes[name], predictors(study, name)
    patient, time, value = (data[f"{name}.{f}"] for f in ("patient", "time", "value"))
    own = trailing(values[name])
    columns = visit_columns(model, raw, data, name)
    shape = np.shape(next(iter(values[name].values())))
    value = _true_values(name, raw, data, shape)
    if splits(study, name):
        cell = data[f"{name}.normal"]
        patient, time, value = patient[cell], time[cell], value[..., cell]
        columns = {k: np.asarray(v)[..., cell] if np.ndim(v) else v for k, v in columns.items()}
    moved = {key: v[..., patient] for key, v in deviations[name].items()}
    curve = location.eta(time, own, moved, columns, np)
    residual = np.asarray(o.family.on_link(value, np)) - curve
    residual = np.broadcast_to(residual, (*shape, len(time)))
    error = data.get(f"{name}.error")
    _, aux = o.family.told(
        {p.name: p.eta(time, own, moved, columns, np) for p in rest},
        with_errors(values[name] if error is None else own, error),
        np,
    )
    loadings = {e.key: location.loading(time, own, e, columns, np) for e in location.effects}
    sds = {e.key: own[f"sd_{e.key}"] for e in location.effects}
    lasting = {e: {column: _last(v) for column, v in row.items()} for e, row in rows.items()}
    weights, sigma = integrate.weights(group, name, loadings, sds, lasting), aux["sigma"]
    piece = integrate.Piece(residual, weights, sigma, patient, np.ndim(sigma) > len(shape))
    if o.residual is None:
        return piece
    cells = data[f"{name}.own"]
    at_cells = np.broadcast_to(sigma if piece.by_cell else sigma[..., None], residual.shape)
    covariance = covariances(o, trailing(values[name], axes=3), time, at_cells, cells)
    return integrate.whitened(piece, cells, covariance, len(cells), np, np.linalg.solve)


def visit_columns(model: BuiltModel, raw: Mapping[str, Array], data: Arrays, outcome: str) -> dict[str, Array]:
    """Design columns at each measurement of an outcome, imputed ones under every draw."""
    study, patient = model.study, data[f"{outcome}.patient"]
    if not used(study):
        return {}
    base = {}
    for name, column in data.items():
        if name.startswith(f"{SHARED}."):
            short = name.removeprefix(f"{SHARED}.")
            base[short] = complete(column, raw.get(f"{name}.imputed"))[..., patient]
        elif name.startswith(f"{outcome}.x."):
            base[name.removeprefix(f"{outcome}.x.")] = column
    return with_products(study, base, study.covariates)


def complete(column: Array, drawn: Array | None) -> Array:
    """A design column (patient,) with its missing values as drawn, (chain, draw, patient)."""
    if drawn is None:
        return column
    found = np.broadcast_to(column, (*drawn.shape[:-1], len(column))).copy()
    found[..., np.isnan(column)] = drawn
    return found


def _true_values(name: str, raw: Mapping[str, Array], data: Arrays, shape: tuple[int, ...]) -> Array:
    value, censored = data[f"{name}.value"], censored_cells(data, name)
    if len(censored.cell) or len(censored.between):
        value = np.broadcast_to(value, (*shape, len(value))).copy()
    if len(censored.cell):
        value[..., censored.cell] += censored.sign * raw[f"{name}.beyond"]
    if len(censored.between):
        low, high = (data[f"{name}.{f}"][censored.between] for f in ("low", "high"))
        value[..., censored.between] += raw[f"{name}.between"] * (high - low)
    return value


__all__ = ["complete", "recover"]
