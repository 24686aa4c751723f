"""Study + Cohort -> pm.Model. The model is stated once; every engine reads it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from bayesmyo.cohort.cohort import Cohort
from bayesmyo.components.families import Cells
from bayesmyo.model import integrate
from bayesmyo.model.data import Arrays, CensoredCells, arrays, censored_cells
from bayesmyo.model.effects import Parameterisation, parameterisation, patient_coefficients
from bayesmyo.study.parameters import parameters
from bayesmyo.study.study import Study


@dataclass(frozen=True, eq=False)
class BuiltModel:
    """A PyMC model with what an engine needs to read its draws.

    pymc: the model; its data are `pm.Data` named as in `data`, so a compiled model can be handed another cohort
    of as many patients; how: the parameterisation of each outcome
    """

    pymc: pm.Model
    study: Study
    patients: tuple[str, ...]
    data: Arrays
    how: dict[str, Parameterisation]


def build(study: Study, cohort: Cohort) -> BuiltModel:
    """State the study's model for a cohort. Nothing is compiled. Raises UsageError for data that cannot be used."""
    data = arrays(study, cohort)
    how = {name: parameterisation(study, cohort, name) for name in study.outcomes}
    with pm.Model(coords={"patient": np.arange(len(cohort.patients))}) as model:
        for name in study.outcomes:
            _outcome(study, name, data, how[name])
    return BuiltModel(model, study, cohort.patients, data, how)


def _outcome(study: Study, name: str, data: Arrays, how: Parameterisation) -> None:
    """One outcome, inside the open model: parameters, patients' own coefficients, curve, family."""
    o = study.outcomes[name]
    fields = ["patient", "time", "value"] if how == "integrated" else _fields(name, data)
    shared = {f: pm.Data(f"{name}.{f}", data[f"{name}.{f}"]) for f in fields}
    values: dict[str, Any] = {}
    for p in parameters(study, name).values():
        assert p.prior is not None
        values[p.name] = p.prior.variable(pm, p.full_name)
    if how == "integrated":
        _integrated(study, name, shared, values, censored_cells(data, name))
        return
    own = patient_coefficients(pm, name, study.effects(name), values, how)
    coefficients = {
        c.name: own[c.name][shared["patient"]] if c.name in own else values[c.name] for c in study.coefficients(name)
    }
    eta = {"location": o.trajectory.curve(shared["time"], coefficients, pt)}
    aux = {key: values[key] for key in o.family.parameters(study.scale(name))}
    cells = Cells(shared["value"], shared.get("lower"), shared.get("upper"))
    o.family.observe(pm, name, eta, aux, cells)


def _integrated(
    study: Study, name: str, shared: dict[str, Any], values: dict[str, Any], censored: CensoredCells
) -> None:
    """The likelihood of one outcome with the patients' effects integrated out, inside the open model.

    The true value of a censored cell is a parameter, flat beyond its limit, so that the rest stays normal.
    """
    o, effects = study.outcomes[name], study.effects(name)
    z = integrate.loadings(o.trajectory, study.coefficients(name), effects, shared["time"], values, pt)
    w = integrate.scaled_loadings(z, [values[f"sd_{e}"] for e in effects], values.get("correlation"), pt)
    value = shared["value"]
    if len(censored.cell):
        beyond = pm.HalfFlat(f"{name}.beyond", shape=len(censored.cell))
        value = value[censored.cell].inc(censored.sign * beyond)
    residual = value - o.trajectory.curve(shared["time"], values, pt)
    patients = len(pm.modelcontext(None).coords["patient"])
    pm.Potential(name, integrate.log_likelihood(pt, residual, w, values["sigma"], shared["patient"], patients))


def _fields(name: str, data: Arrays) -> list[str]:
    return [key.removeprefix(f"{name}.") for key in data if key.startswith(f"{name}.")]
