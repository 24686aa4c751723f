"""Patients' effects sampled around what their own measurements say of them, whatever the family.

A centred effect hardly leaves the funnel of a small SD between patients, and a non-centred one mixes badly where each patient is measured
well. Here each cell is replaced by a normal measurement that says about the same of the location (`Family.approximate`), y* with
precision p; given the population parameters the standardised effects z of a patient would then be Normal(M^-1 u, M^-1), with
W = Z L, M = I + W' diag(p) W and u = W' diag(p) (y* - curve), as in `integrate.py`. What is sampled is t, and

    z = C'^-1 (C^-1 u + t),   M = C C',   log |dz / dt| = -log det C:

where the approximation is exact t is standard normal whatever the parameters are, and where it is not t is still near it, and the
density that is sampled is exact: Normal(z | 0, I) |dz / dt| times the likelihood of the cells as they are.

Cells that are censored inform nothing. Reference: Christensen, Roberts and Skold (2006), https://doi.org/10.1198/106186006X100470 (data-based reparameterisation).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bayesmyo.components.families import Cells
from bayesmyo.components.families.family import Family
from bayesmyo.study.predictors import Effect

Sums = Callable[[Any], Any]  # (..., cell) -> (..., patient)


def worth(
    family: Family, cells: Cells, aux: Mapping[str, Any], curve: Any, pooled: Callable[[Any], Any], xp: Any
) -> tuple[Any, Any]:
    """(..., cell) what each cell is worth: the value of a normal measurement, and its precision, zero where the cell is censored."""
    value, precision = family.approximate(cells, aux, curve, pooled, xp)
    precision = precision + 0.0 * curve
    if cells.low is not None:
        precision = xp.where(xp.isfinite(cells.low) & (cells.low >= cells.high), precision, 0.0)
    return value, precision


def standardised(
    xp: Any, t: Sequence[Any], residual: Any, weights: Sequence[Any], precision: Any, per_patient: Sums
) -> tuple[list[Any], Any]:
    """The standardised effects z of one outcome, (..., patient) each, from what was sampled; and (..., patient) log |dz / dt|.

    residual: (..., cell) y* - curve; weights: (..., cell) W, one for each effect; precision: (..., cell); `xp` is `numpy` or `pytensor.tensor`
    """
    k = len(t)
    scaled = [precision * w for w in weights]
    c: list[list[Any]] = [[None] * k for _ in range(k)]
    half: list[Any] = []
    log_det: Any = 0.0
    for i in range(k):
        for j in range(i + 1):
            m = per_patient(scaled[i] * weights[j]) - sum(c[i][h] * c[j][h] for h in range(j))
            c[i][j] = xp.sqrt(1.0 + m) if i == j else m / c[j][j]
        log_det = log_det + xp.log(c[i][i])
        u = per_patient(scaled[i] * residual)
        half.append((u - sum(c[i][h] * half[h] for h in range(i))) / c[i][i])
    z: list[Any] = [None] * k
    for i in reversed(range(k)):
        z[i] = (half[i] + t[i] - sum(c[h][i] * z[h] for h in range(i + 1, k))) / c[i][i]
    return z, -log_det


def rows(
    own: Sequence[Effect], inside: Sequence[Effect], lower: Sequence[Sequence[Any]]
) -> dict[Effect, dict[Effect, Any]]:
    """Each of an outcome's effects by its own standardised effects: its row of the Cholesky factor. inside: the effects of the block of
    which `lower` is the factor; an effect of another block is alone there"""
    found: dict[Effect, dict[Effect, Any]] = {}
    for e in own:
        if e not in inside:
            found[e] = {e: 1.0}
            continue
        i = inside.index(e)
        found[e] = {inside[j]: lower[i][j] for j in range(i + 1) if inside[j] in own}
    return found


def shifts(
    own: Sequence[Effect], inside: Sequence[Effect], lower: Sequence[Sequence[Any]], before: Mapping[int, Any]
) -> dict[Effect, Any]:
    """What effects of other outcomes, standardised and sampled before, say of each of an outcome's effects; none where nothing was."""
    return {e: sum(lower[inside.index(e)][j] * z for j, z in before.items()) for e in own if e in inside and before}


__all__ = ["rows", "shifts", "standardised", "worth"]
