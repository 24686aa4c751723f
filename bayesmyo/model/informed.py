"""Patients' effects sampled around what their own measurements say of them, for families that are not normal.

A centred effect hardly leaves the funnel of a small SD between patients, and a non-centred one mixes badly where each
patient is measured well. Here each cell is replaced by a normal measurement that says about the same of the location
(`Family.approximate`), y* with precision p; given the population parameters the standardised effects z of a patient
would then be Normal(M^-1 u, M^-1), with W = Z L, M = I + W' diag(p) W and u = W' diag(p) (y* - curve), as in
`normal.py`. What is sampled is t, and

    z = C'^-1 (C^-1 u + t),   M = C C',   log |dz / dt| = -log det C:

where the approximation is exact t is standard normal whatever the parameters are. Where it is not, it only steers: the
density that is sampled is exact, Normal(z | 0, I) |dz / dt| times the likelihood of the cells as they are.

Cells that are censored inform nothing. Reference: Christensen, Roberts and Skold (2006),
https://doi.org/10.1198/106186006X100470 (data-based reparameterisation).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bayesmyo.components.families import Cells
from bayesmyo.components.families.family import Family
from bayesmyo.model.normal import Piece, factored, weights
from bayesmyo.study.predictors import Effect, Predictor


@dataclass(frozen=True)
class Informed:
    """One informed outcome under one set of parameters, or under every draw of them; stated once, for the model and for
    the way back.

    values: its parameters, which broadcast against cells; aux: those of its family, as `Family.told` makes them
    columns: design columns at its cells; offset: log exposure; scatter: the variance of residuals that are sampled
    per_patient: (..., cell) -> (..., patient) sums over each patient's cells; at_cells: (..., patient) -> (..., cell)
    xp: `numpy` or `pytensor.tensor`
    """

    location: Predictor
    family: Family
    cells: Cells
    time: Any
    values: Mapping[str, Any]
    aux: Mapping[str, Any]
    columns: Mapping[str, Any]
    offset: Any
    scatter: Any
    per_patient: Callable[[Any], Any]
    at_cells: Callable[[Any], Any]
    xp: Any

    def effects(
        self, t: Sequence[Any], block: Sequence[Effect], lower: Sequence[Sequence[Any]], before: Sequence[Any]
    ) -> tuple[dict[Effect, Any], Any]:
        """The standardised effects z of the outcome, (..., patient) each, from what was sampled of each; and (...,
        patient) log |dz / dt|.

        block: the effects of which `lower` is the Cholesky factor; an effect that is not among them is alone in a block
            of its own
        before: the first effects of the block, of other outcomes, standardised
        """
        own, xp = self.location.effects, self.xp
        loadings = {e.key: self.location.loading(self.time, self.values, e, self.columns, xp) for e in own}
        sds = {e.key: self.values[f"sd_{e.key}"] for e in own}
        curve = self.location.eta(self.time, self.values, {}, self.columns, xp) + self.offset + xp.zeros_like(self.time)
        rows: dict[Effect, dict[Effect, Any]] = {}
        for e in own:
            if e not in block:
                rows[e] = {e: 1.0}
                continue
            i = block.index(e)
            rows[e] = {block[j]: lower[i][j] for j in range(i + 1) if block[j] in own}
            said = [lower[i][j] * z for j, z in enumerate(before)]  # what other outcomes' effects say of this one
            if said:
                curve = curve + loadings[e.key] * sds[e.key] * self.at_cells(sum(said[1:], said[0]))
        value, precision = self.worth(curve)
        w = weights(own, self.location.outcome, loadings, sds, rows)
        piece = Piece(value - curve, w, precision, None, by_cell=True)
        f = factored([piece], len(own), lambda _: self.per_patient, xp)
        return dict(zip(own, f.moved(t), strict=True)), -f.log_det

    def worth(self, curve: Any) -> tuple[Any, Any]:
        """(..., cell) what each cell is worth: the value of a normal measurement, and its precision, zero where the
        cell is censored.
        """

        def pooled(x: Any) -> Any:
            return self.at_cells(self.per_patient(x))

        value, precision = self.family.approximate(self.cells, self.aux, curve, pooled, self.xp)
        precision = precision / (1 + precision * self.scatter) + 0.0 * curve
        if self.cells.low is not None:
            measured = self.xp.isfinite(self.cells.low) & (self.cells.low >= self.cells.high)
            precision = self.xp.where(measured, precision, 0.0)
        return value, precision


__all__ = ["Informed"]
