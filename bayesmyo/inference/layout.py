"""What a Fit holds, by name: every group, its variables, their dimensions and types, as the study's text alone gives
them.

`wrap` makes a tree after it, `save_fit` stores what is in it, `load_fit` reads nothing else.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from bayesmyo.inference.engines.engine import STATISTICS
from bayesmyo.inference.log_prior import log_priors
from bayesmyo.model.data import SHARED
from bayesmyo.study.covariates import columns, used
from bayesmyo.study.parameters import all_parameters
from bayesmyo.study.predictors import effects
from bayesmyo.study.study import Study

Arrays = Mapping[str, Mapping[str, np.ndarray]]  # by group and variable
CHAIN, DRAW, PATIENT = "chain", "draw", "patient"
DRAWS = (CHAIN, DRAW)
SAMPLED = "sampled"  # of every draw that was sampled, where not each was kept; a `draw` of its own group in a tree
ESTIMANDS = "estimands"  # the group of a shared copy that holds their draws
EPISODES = {"patient": "<i8", "start": "<f8", "stop": "<f8", "end": "<f8", "status": "<i8", "line": "<i8"}
EXITS = {"patient.exit": "<f8", "patient.exit_stated": "|b1"}  # an attribute holds the reasons
LOG_PRIOR = "log_prior"  # follows from the draws, and is in no file
LOG_LIKELIHOOD = "log_likelihood"  # left out of large fits, and computed when it is asked for


@dataclass(frozen=True)
class Variable:
    """One array of a fit.

    dims: names of its axes; dtype: as NumPy writes it
    stored: its type in a file. What patients differ by fills a fit, and is known to single precision (1 part in 10
        million) at most
    optional: whether a whole fit may be without it
    """

    dims: tuple[str, ...]
    dtype: str = "<f8"
    stored: str = ""
    optional: bool = False

    @property
    def in_file(self) -> str:
        return self.stored or self.dtype


Layout = dict[str, dict[str, Variable]]


def layout(study: Study, shared: bool = False) -> Layout:
    """Group -> variable -> its Variable. shared: of a copy without patient data."""
    parameters = {p.full_name: Variable(DRAWS) for p in all_parameters(study)}
    statistics = {name: Variable((CHAIN, SAMPLED), dtype, optional=True) for name, dtype in STATISTICS.items()}
    if shared:
        estimands = {name: Variable(DRAWS) for name in study.estimands}
        return {"posterior": parameters, "sample_stats": statistics, ESTIMANDS: estimands}
    modelled = used(study)
    declared = {
        varies: {n: n not in modelled for n, c in study.covariates.items() if c.varies == varies and not c.product}
        for varies in ("patients", "visits")
    }  # covariate -> whether a fit may be without it
    imputed = [f"{SHARED}.{column}" for c in used(study, "patients") for column in columns(study, c)]
    by_patient = {
        e.full_name: Variable((*DRAWS, PATIENT), stored="<f4") for name in study.declared for e in effects(study, name)
    }
    by_patient |= {name: Variable((*DRAWS, f"{name}.missing"), stored="<f4", optional=True) for name in imputed}
    observed, likelihood, constant = {}, {}, {}
    for name in study.outcomes:
        visit = (f"{name}.visit",)
        observed[name] = Variable(visit)
        likelihood[name] = Variable((*DRAWS, *visit), optional=True)
        constant[f"{name}.patient"] = Variable(visit, "<i8")
        constant[f"{name}.time"] = Variable(visit)
        constant[f"{name}.side"] = Variable(visit, "|i1")
        constant[f"{name}.line"] = Variable(visit, "<i8")
        constant |= {f"{name}.{field}": Variable(visit, optional=True) for field in ("end", "exposure", "error")}
        constant |= {f"{name}.x.{c}": Variable(visit, optional=may) for c, may in declared["visits"].items()}
    for name in study.events:  # an event at whose risk nobody was has none
        constant |= {
            f"{name}.{f}": Variable((f"{name}.episode",), dtype, optional=True) for f, dtype in EPISODES.items()
        }
    constant |= {name: Variable((PATIENT,), dtype, optional=True) for name, dtype in EXITS.items()}
    constant |= {f"{SHARED}.{c}": Variable((PATIENT,), optional=may) for c, may in declared["patients"].items()}
    return {
        "posterior": {**parameters, **by_patient},
        "sample_stats": statistics,
        LOG_LIKELIHOOD: likelihood,
        "observed_data": observed,
        "constant_data": constant,
    }


def rounded(variables: Mapping[str, Variable], name: str, values: np.ndarray) -> np.ndarray:
    """Values as they are after a file: what is stored in single precision is rounded to it before anything is computed
    from it, so that a fit says the same when it is fresh and when it was read."""
    variable = variables[name]
    values = np.asarray(values)
    if variable.stored:
        with np.errstate(over="ignore"):  # beyond single precision is infinite, as the checks say of it
            values = values.astype(variable.stored)
    return np.ascontiguousarray(values, dtype=variable.dtype)


def tree_of(study: Study, arrays: Arrays, patients: Sequence[str], attributes: Mapping[str, Any]) -> xr.DataTree:
    """Arrays as a tree for ArviZ, with coordinates, units and labels. patients: ids; none in a shared copy."""
    held = layout(study, shared=ESTIMANDS in arrays)
    chains, draws = next(iter(arrays["posterior"].values())).shape[:2]
    every = int(json.loads(attributes["sampling"])["every"])
    coords = {CHAIN: np.arange(chains), DRAW: np.arange(1, draws + 1) * every - 1}
    datasets = {}
    for group, variables in held.items():
        if group not in arrays:
            continue
        dims = {name: tuple(DRAW if d == SAMPLED else d for d in variables[name].dims) for name in arrays[group]}
        own = {name: (dims[name], values) for name, values in arrays[group].items()}
        if any(SAMPLED in v.dims for v in variables.values()):
            sampled = next((values.shape[1] for values in arrays[group].values()), 0)
            datasets[group] = xr.Dataset(own, coords={CHAIN: coords[CHAIN], DRAW: np.arange(sampled)} if own else {})
        else:
            with_draws = any(v.dims[:2] == DRAWS for v in variables.values())
            datasets[group] = xr.Dataset(own, coords=coords if with_draws else {})
    if patients:
        datasets["posterior"] = datasets["posterior"].assign_coords({PATIENT: np.array(patients, dtype=str)})
    priors = {name: (DRAWS, v) for name, v in log_priors(study, arrays["posterior"]).items()}
    datasets[LOG_PRIOR] = xr.Dataset(priors, coords=coords)
    _label(study, datasets)
    tree = xr.DataTree.from_dict(datasets)
    tree.attrs = dict(attributes)
    return tree


def _label(study: Study, datasets: Mapping[str, xr.Dataset]) -> None:
    """Units and labels as attributes of every variable that has them."""
    posterior = datasets["posterior"]
    for p in all_parameters(study):
        posterior[p.full_name].attrs = {"outcome": p.outcome, "units": p.unit, "prior": str(p.prior)}
        effect = p.full_name.replace(".sd_", ".effect_")
        if p.role == "sd" and effect in posterior:
            posterior[effect].attrs = {"outcome": p.outcome, "units": p.unit}
    if "observed_data" in datasets:
        for name, o in study.outcomes.items():
            datasets["observed_data"][name].attrs = {"units": o.unit, "long_name": study.label(name)}
            datasets["constant_data"][f"{name}.time"].attrs = {"units": study.time.unit}


__all__ = ["Arrays", "Layout", "Variable", "layout", "rounded", "tree_of"]
