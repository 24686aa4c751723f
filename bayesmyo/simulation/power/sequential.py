"""Looks at the data on the way: how often a study would have stopped, when, and with how many patients.

The rule is looked at after so many patients, in the order in which they were included, with all of their follow-up. It
stops for success when the decision is met, and for futility when the probability that the rule looks at is below a
limit. Overall error is that of the whole procedure: under a scenario in which the decision ought not to be met, it is
the type I error with all looks taken together, which is higher than that of any one of them. Reference: Berry, Carlin,
Lee and Muller (2010), Bayesian Adaptive Methods for Clinical Trials, https://doi.org/10.1201/EBK1439825488, chapter 4.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from bayesmyo.simulation.cell import Cell
from bayesmyo.simulation.plan import Plan
from bayesmyo.simulation.power.operating import looks
from bayesmyo.simulation.power.rates import Mean, Rate, mean, numbers, rate

SUCCESS, FUTILITY, OPEN = 1, -1, 0


@dataclass(frozen=True)
class Stop:
    """One look: the share of all studies that stop here, for success and for futility (at the last look: that end
    unmet).
    """

    look: int
    success: Rate
    futility: Rate


@dataclass(frozen=True)
class Sequence:
    """One decision of one cell over all its looks.

    Attributes
    ----------
    cell, labels, decision : str, mapping, str
        Which one.
    futility : float or None
        The limit of the probability; None where the rule stops for success alone.
    stops : tuple of Stop
        One for each look.
    success : Rate
        At any look.
    patients : Mean
        The expected number when it stops.
    null : bool
        Whether the decision ought not to be met in any replicate, so that success is the type I error over all looks.
    """

    cell: str
    labels: Mapping[str, str | float]
    decision: str
    futility: float | None
    stops: tuple[Stop, ...]
    success: Rate
    patients: Mean
    null: bool

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        columns = asdict(self)
        return {**columns.pop("labels"), **columns}


def sequences(plan: Plan, quantities: pd.DataFrame, futility: float | None = None) -> list[Sequence]:
    """Every decision of every cell that has interim looks."""
    listed = []
    for cell in plan.cells:
        if len(looks(cell)) > 1:
            here = quantities[(quantities["cell"] == cell.key) & (quantities["kind"] == "decision")]
            listed += [_sequence(cell, str(d), part, futility) for d, part in here.groupby("name", sort=False)]
    return listed


@dataclass(frozen=True, eq=False)
class Ends:
    """How every study of one cell ended, by one decision: its verdict is that of the look at which it stopped.

    replicate, look, met, truth: (replicate,); look as in the rows; met: whether it stopped for success
    where: (replicate,) position of the look among all of them
    """

    replicate: np.ndarray
    where: np.ndarray
    look: np.ndarray
    met: np.ndarray
    truth: np.ndarray


def ends(cell: Cell, verdicts: pd.DataFrame, futility: float | None) -> Ends:
    """How every study of a cell ended. verdicts: the rows of one decision in that cell, at all looks"""
    at = looks(cell)
    wide = {
        column: verdicts.assign(value=numbers(verdicts[column]))
        .pivot(index="replicate", columns="look", values="value")
        .reindex(columns=list(at))
        for column in ("met", "probability", "truth")
    }
    met, probability, truth = (frame.to_numpy() for frame in wide.values())
    where, why = stopped(met == 1, probability, futility)
    rows = np.arange(len(met))
    return Ends(wide["met"].index.to_numpy(), where, np.array(at)[where], why == SUCCESS, truth[rows, where])


def _sequence(cell: Cell, decision: str, verdicts: pd.DataFrame, futility: float | None) -> Sequence:
    at = looks(cell)
    ended = ends(cell, verdicts, futility)
    n = np.array(at, dtype=float)
    stops = tuple(
        Stop(look, rate((ended.where == i) & ended.met), rate((ended.where == i) & ~ended.met))
        for i, look in enumerate(at)
    )
    truth = numbers(verdicts["truth"])
    right = cell.analysis.decisions[decision].right(truth) if np.isfinite(truth).all() else None
    null = right is not None and not right.any()
    labels, patients = dict(cell.labels), mean(n[ended.where])
    return Sequence(cell.key, labels, decision, futility, stops, rate(ended.met), patients, null)


def stopped(met: np.ndarray, probability: np.ndarray, futility: float | None) -> tuple[np.ndarray, np.ndarray]:
    """(replicate,) at which look each study stops, and why: SUCCESS or FUTILITY.

    A study that reaches its end unmet is futile.

    met, probability: (replicate, look)
    """
    state = np.where(met, SUCCESS, OPEN)
    if futility is not None:
        state = np.where(~met & (probability < futility), FUTILITY, state)
    state[:, -1] = np.where(met[:, -1], SUCCESS, FUTILITY)
    where = np.argmax(state != OPEN, axis=1)
    return where, state[np.arange(len(state)), where]
