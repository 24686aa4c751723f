"""How patients' effects are sampled, and the way back from what was sampled to the effects.

integrated: not sampled at all; integrated out in closed form and drawn back exactly (see `integrate.py`). For a family that is
    normal on its link scale (the true values of censored cells are sampled). Mixes at any number of visits.
centred: each patient's own coefficient is sampled around the population's (hierarchical centring); for well-observed patients.
non-centred: a standardised effect is sampled; where the data say little about a single patient.
Reference: Papaspiliopoulos, Roberts and Skold (2007), https://doi.org/10.1214/088342307000000014.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from bayesmyo.cohort.cohort import Cohort
from bayesmyo.model import integrate
from bayesmyo.model.data import censored_cells
from bayesmyo.study.parameters import parameters
from bayesmyo.study.study import Study

Parameterisation = Literal["integrated", "centred", "non-centred"]
ENOUGH = 3.0  # measurements per effect in the median patient, for centring


def parameterisation(study: Study, cohort: Cohort, outcome: str) -> Parameterisation:
    """How to sample an outcome's effects: as declared; else integrated where that is exact, centred where the median
    patient has three measurements per effect, and non-centred otherwise."""
    o = study.outcomes[outcome]
    if o.parameterisation != "auto":
        return o.parameterisation
    effects = len(study.effects(outcome))
    if o.family.normal and effects:
        return "integrated"
    counts = np.bincount(cohort.measurements[outcome].patient, minlength=len(cohort.patients))
    return "centred" if np.median(counts) >= ENOUGH * max(1, effects) else "non-centred"


def patient_coefficients(
    pm: Any, outcome: str, effects: Sequence[str], values: Mapping[str, Any], how: Parameterisation
) -> dict[str, Any]:
    """The patients' own coefficients (patient,) by effect, sampled centred or non-centred, inside the open model.

    With two correlated effects the second is conditional on the first, which needs no matrix:
    b2 | b1 ~ Normal(r * sd2 / sd1 * b1, sd2 * sqrt(1 - r^2)).
    """
    own: dict[str, Any] = {}
    z_first: Any = None
    for position, effect in enumerate(effects):
        mean, sd = values[effect], values[f"sd_{effect}"]
        r = values.get("correlation") if position == 1 else None
        spread = sd if r is None else sd * pm.math.sqrt(1 - r**2)
        shift = 0.0 if r is None else r * sd * z_first
        raw = f"{outcome}.raw_{effect}"
        if how == "centred":
            own[effect] = pm.Normal(raw, mean + shift, spread, dims="patient")
        else:
            own[effect] = mean + shift + spread * pm.Normal(raw, 0.0, 1.0, dims="patient")
        if position == 0:
            z_first = (own[effect] - mean) / sd
    return own


def recover(
    study: Study, outcome: str, raw: Mapping[str, np.ndarray], data: Mapping[str, np.ndarray],
    patients: int, how: Parameterisation, rng: np.random.Generator,
) -> dict[str, np.ndarray]:  # fmt: skip
    """Effects (chain, draw, patient) by name, as deviations from the population's coefficient, whatever was sampled."""
    effects = study.effects(outcome)
    values = {p.name: raw[p.full_name] for p in parameters(study, outcome).values()}
    sds = [values[f"sd_{e}"] for e in effects]
    r = values.get("correlation")
    if how == "integrated":
        t, trajectory = data[f"{outcome}.time"], study.outcomes[outcome].trajectory
        by_visit = {k: v[..., None] for k, v in values.items()}
        z = integrate.loadings(trajectory, study.coefficients(outcome), effects, t, by_visit, np)
        value = data[f"{outcome}.value"]
        censored = censored_cells(data, outcome)
        if len(censored.cell):
            value = np.broadcast_to(value, (*np.shape(values["sigma"]), len(value))).copy()
            value[..., censored.cell] += censored.sign * raw[f"{outcome}.beyond"]
        residual = value - trajectory.curve(t, by_visit, np)
        drawn = integrate.draw_effects(residual, z, sds, r, values["sigma"], data[f"{outcome}.patient"], patients, rng)
        return dict(zip(effects, drawn, strict=True))
    sampled = {e: raw[f"{outcome}.raw_{e}"] for e in effects}
    if how == "centred":
        return {e: sampled[e] - values[e][..., None] for e in effects}
    standard = list(sampled.values())
    if r is not None:
        standard[1] = r[..., None] * standard[0] + np.sqrt(1 - r[..., None] ** 2) * standard[1]
    return {e: sd[..., None] * s for e, sd, s in zip(effects, sds, standard, strict=True)}
