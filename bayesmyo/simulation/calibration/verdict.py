"""What a calibration says: of every quantity of every cell, and in a sentence.

A cell passes where the adjusted p-value of every quantity is above 0.01 and nearly all replicates could be fitted. That
nothing was seen is no proof: a hundred replicates see draws that are half as wide as they should be, and not much less.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from bayesmyo.simulation.calibration.coverage import Coverage, coverage
from bayesmyo.simulation.calibration.uniformity import PASS, holm, p_value, shape
from bayesmyo.simulation.cell import Cell
from bayesmyo.simulation.power.rates import failed_at, flat, numbers
from bayesmyo.simulation.row import DONE
from bayesmyo.simulation.store import Results

MOST_FAILED = 0.05  # of replicates: those that fail may be the ones that would have been off
ENOUGH = 20  # replicates, below which nothing is said


@dataclass(frozen=True)
class Calibrated:
    """One quantity of one cell.

    Attributes
    ----------
    kind, name : str
        Which one, see `Quantity`.
    ranks : int
        How many replicates have one.
    p, adjusted : float
        Of uniformity of the ranks; the same adjusted for all quantities of the cell.
    shape : str
        How ranks depart from uniform ones, where p is below 0.05.
    coverage : Coverage
        How often intervals cover the truth.
    """

    kind: str
    name: str
    ranks: int
    p: float
    adjusted: float
    shape: str
    coverage: Coverage

    @property
    def passed(self) -> bool:
        return self.adjusted > PASS

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        columns = asdict(self) | {"passed": self.passed}
        c = columns.pop("coverage")
        levels = {f"{level:g}": r for level, r in c["levels"].items()}
        return columns | {"coverage": levels, "stated": c["stated"], "bias": c["bias"], "squared_error": c["error"]}


@dataclass(frozen=True)
class CellCalibration:
    """One cell of a calibration.

    Attributes
    ----------
    cell, labels : str, mapping
        Its key, and what varies between cells.
    patients, replicates : int
        How many; of replicates, done or failed.
    failed : mapping of str to int
        Stage -> how many replicates failed there.
    divergent, again, rejected : int
        Replicates with any divergence, those that were sampled a second time, and cohorts that were refused.
    passed : bool or None
        None where there are too few replicates to say.
    sentence : str
        The verdict in words.
    quantities : tuple of Calibrated
        All that have ranks.
    """

    cell: str
    labels: Mapping[str, str | float]
    patients: int
    replicates: int
    failed: Mapping[str, int]
    divergent: int
    again: int
    rejected: int
    passed: bool | None
    sentence: str
    quantities: tuple[Calibrated, ...]

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        columns = {**self.labels, **{k: v for k, v in asdict(self).items() if k not in ("labels", "quantities")}}
        return columns | {"quantities": [q.as_dict() for q in self.quantities]}


@dataclass(frozen=True, eq=False)
class Calibration:
    """What a calibration says.

    Attributes
    ----------
    cells : tuple of CellCalibration
        In the plan's order.
    results : Results
        What it was judged from; `results.complete` says whether any replicate is missing.
    """

    cells: tuple[CellCalibration, ...]
    results: Results

    @property
    def quantities(self) -> pd.DataFrame:
        """Every replicate's quantities, with the rank of the truth among draws."""
        return self.results.quantities

    @property
    def passed(self) -> bool | None:
        """Whether every cell passed; None where none failed and some have too few replicates to say."""
        judged = [c.passed for c in self.cells]
        return False if False in judged else None if None in judged else True

    def table(self) -> pd.DataFrame:
        """Every quantity, in plain columns.

        Returns
        -------
        DataFrame
            One line for each quantity of each cell: `adjusted`, the p-value of uniform ranks after adjustment,
            `coverage_0.95_value`
            and the like, `bias_value` with its Monte Carlo error `bias_mcse`.
        """
        return pd.DataFrame(
            flat({**c.labels, "cell": c.cell, "replicates": c.replicates, **q.as_dict()})
            for c in self.cells
            for q in c.quantities
        )


def calibration(results: Results) -> Calibration:
    """What a calibration says, from its tables.

    Parameters
    ----------
    results : Results
        Of a plan of kind "calibrate", finished or not.

    Returns
    -------
    Calibration
        A cell passes where the adjusted p-value of every quantity is above 0.01 and at most 5 % of replicates failed.
    """
    replicates, quantities = results.replicates, results.quantities
    cells = (
        _cell(cell, replicates[replicates["cell"] == cell.key], quantities[quantities["cell"] == cell.key])
        for cell in results.plan.cells
    )
    return Calibration(tuple(cells), results)


def ranks_of(quantities: pd.DataFrame, cell: str) -> dict[tuple[str, str], np.ndarray]:
    """The ranks of every quantity of a cell that has any.

    Parameters
    ----------
    quantities : DataFrame
        Of `Results`.
    cell : str
        Its key.

    Returns
    -------
    dict of (str, str) to (replicate,) array
        (kind, name) -> ranks in (0, 1).
    """
    here = quantities[quantities["cell"] == cell]
    ranked = {}
    for (kind, name), part in here.groupby(["kind", "name"], sort=False):
        ranks = numbers(part["rank"])
        if np.isfinite(ranks).any():
            ranked[str(kind), str(name)] = ranks[np.isfinite(ranks)]
    return ranked


def _cell(cell: Cell, rows: pd.DataFrame, quantities: pd.DataFrame) -> CellCalibration:
    ranks = ranks_of(quantities, cell.key)
    p = np.array([p_value(r) for r in ranks.values()])
    judged = []
    for ((kind, name), r), own, adjusted in zip(ranks.items(), p, holm(p), strict=True):
        covered = coverage(quantities[(quantities["kind"] == kind) & (quantities["name"] == name)])
        departs = shape(r) if own < 0.05 else ""
        judged.append(Calibrated(kind, name, len(r), float(own), float(adjusted), departs, covered))
    failed, done = failed_at(rows["stage"]), rows[rows["stage"] == DONE]
    lost = sum(failed.values())
    passed = None
    if len(done) >= ENOUGH and judged:
        passed = all(q.passed for q in judged) and lost <= MOST_FAILED * len(rows)
    divergent, again = int((done["divergences"] > 0).sum()), int((done["attempts"] > 1).sum())
    sentence = _sentence(cell, len(done), lost, judged, passed)
    return CellCalibration(
        cell.key, dict(cell.labels), cell.patients, len(rows), failed, divergent, again, int(rows["rejected"].sum()),
        passed, sentence, tuple(judged),
    )  # fmt: skip


def _sentence(cell: Cell, done: int, failed: int, judged: Sequence[Calibrated], passed: bool | None) -> str:
    who = f"With {cell.patients} patients"
    if passed is None:
        return f"{who}: {done} replicates are too few to say anything; {ENOUGH} are the least, and 200 see much more."
    lost = f"; {failed} more failed" if failed else ""
    worst = min(judged, key=lambda q: q.adjusted)
    least = (
        f"the smallest p-value, of {worst.name}, is {_p(worst.adjusted)} after adjustment for {len(judged)} quantities"
    )
    if passed:
        return f"{who}, {done} replicates show no miscalibration: {least}{lost}."
    if all(q.passed for q in judged):
        return f"{who}, {failed} of {done + failed} replicates failed: too many to say that the model is calibrated."
    bad = [q for q in judged if not q.passed]
    listed = ", ".join(f"{q.name} ({q.shape}, p {_p(q.adjusted)})" for q in sorted(bad, key=lambda q: q.adjusted)[:3])
    more = f" and {len(bad) - 3} more" if len(bad) > 3 else ""
    worst_of_all = f"{listed}{more}{lost}. Its intervals there are not to be trusted."
    return f"{who}, the model is NOT calibrated over {done} replicates: {worst_of_all}"


def _p(p: float) -> str:
    return "<0.0001" if p < 0.0001 else f"{p:.2g}"
