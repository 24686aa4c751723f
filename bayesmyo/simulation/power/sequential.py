"""Looks at the data on the way: how often a study would have stopped, when, and with how many patients.

The rule is looked at after so many patients, in the order in which they were included, with all of their follow-up; or,
where the design has an accrual, at dates, or when so many have entered, with what has happened by then. It
stops for success when the decision is met, and for futility when the probability that the rule looks at, or the
predictive probability of success at the end (`predictive.py`), is below a limit. Overall error is that of the whole procedure: under a scenario in which the decision ought not to be met, it is
the type I error with all looks taken together, which is higher than that of any one of them. Reference: Berry, Carlin,
Lee and Muller (2010), Bayesian Adaptive Methods for Clinical Trials, https://doi.org/10.1201/EBK1439825488, chapter 4.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayesmyo.simulation.cell import Cell
from bayesmyo.simulation.plan import Plan
from bayesmyo.simulation.power.operating import looks
from bayesmyo.simulation.power.predictive import Predictive
from bayesmyo.simulation.power.rates import Labelled, Mean, Rate, mean, numbers, rate

SUCCESS, FUTILITY, OPEN = 1, -1, 0
JUDGED = ("decision", "predictive")  # kinds of rows that say where a study stops


@dataclass(frozen=True)
class Stop:
    """One look: the share of all studies that stop here, for success and for futility (at the last look: that end
    unmet).

    date: at which it was planned, where it was; patients: who had entered by then, over studies that came to this look;
    predictive: the predictive probability of success of those that were not met by then, where it was computed
    """

    look: int
    success: Rate
    futility: Rate
    date: float | None
    patients: Mean
    predictive: Mean | None = None


@dataclass(frozen=True)
class Sequence(Labelled):
    """One decision of one cell over all its looks.

    Attributes
    ----------
    cell, labels, decision : str, mapping, str
        Which one.
    futility : float or None
        The limit of the probability; None where the rule stops for success alone.
    ahead : bool
        Whether that is the predictive probability of success at the end.
    stops : tuple of Stop
        One for each look.
    success, unbound : Rate
        At any look; and if no study had stopped for futility, which need not bind.
    patients : Mean
        The expected number when it stops.
    duration, longest : Mean or None
        The expected time from the first patient until it stops, and without interim looks, in the study's unit; None
        where the design has no accrual.
    unit : str
        Of time.
    null : bool
        Whether the decision ought not to be met in any replicate, so that success is the type I error over all looks.
    """

    cell: str
    labels: Mapping[str, str | float]
    decision: str
    futility: float | None
    stops: tuple[Stop, ...]
    success: Rate
    unbound: Rate
    patients: Mean
    null: bool
    ahead: bool = False
    duration: Mean | None = None
    longest: Mean | None = None
    unit: str = ""


def sequences(plan: Plan, quantities: pd.DataFrame, futility: float | None = None) -> list[Sequence]:
    """Every decision of every cell that has interim looks. futility: the limit, unless the plan looks ahead"""
    listed = []
    for cell in plan.cells:
        if len(looks(cell)) > 1:
            own = quantities[quantities["cell"] == cell.key]
            here, dates = own[own["kind"].isin(JUDGED)], own[own["kind"] == "look"]
            for d, part in here.groupby("name", sort=False):
                listed.append(_sequence(cell, str(d), part, futility, dates, plan.predictive))
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


def ends(cell: Cell, judged: pd.DataFrame, futility: float | None) -> Ends:
    """How every study of a cell ended.

    judged: the rows of one decision in that cell, at all looks, of the kinds `JUDGED`; where a study looked ahead that
    says whether it was futile, whatever the limit
    """
    at = looks(cell)
    verdicts, ahead = (judged[judged["kind"] == kind] for kind in JUDGED)
    met, probability, truth = (_wide(verdicts, column, at) for column in ("met", "probability", "truth"))
    futile = np.zeros(met.shape, dtype=bool)
    if len(ahead):
        futile = _wide(ahead, "met", at).reindex(met.index).to_numpy() == 0
    elif futility is not None:
        futile = probability.to_numpy() < futility
    where, why = stopped(met.to_numpy() == 1, futile)
    at_its_end = truth.to_numpy()[np.arange(len(where)), where]
    return Ends(met.index.to_numpy(), where, np.array(at)[where], why == SUCCESS, at_its_end)


def _wide(rows: pd.DataFrame, column: str, at: tuple[int, ...]) -> pd.DataFrame:
    """(replicate, look), NaN where a look did not take place."""
    values = rows.assign(value=numbers(rows[column]))
    return values.pivot(index="replicate", columns="look", values="value").reindex(columns=list(at))


def _sequence(
    cell: Cell,
    decision: str,
    judged: pd.DataFrame,
    futility: float | None,
    dates: pd.DataFrame,
    ahead: Predictive | None,
) -> Sequence:
    at = looks(cell)
    ended = ends(cell, judged, futility)
    verdicts, expected = (judged[judged["kind"] == kind] for kind in JUDGED)
    unbound = verdicts.assign(met=numbers(verdicts["met"]) == 1).groupby("replicate")["met"].any().to_numpy()
    rows = np.arange(len(ended.where))
    entered = np.broadcast_to(np.array(at, dtype=float), (len(rows), len(at)))
    duration = longest = None
    if cell.dated:
        entered, when = (
            _wide(dates[dates["name"] == name], "mean", at).loc[ended.replicate].to_numpy()
            for name in ("patients", "date")
        )
        duration, longest = mean(when[rows, ended.where]), mean(when[:, -1])
    planned = (*cell.dates, None) if cell.dates else (None,) * len(at)
    stops = tuple(
        Stop(
            look, rate((ended.where == i) & ended.met), rate((ended.where == i) & ~ended.met), planned[i],
            mean(entered[ended.where >= i, i]),
            None if ahead is None else mean(numbers(expected.loc[expected["look"] == look, "probability"])),
        )
        for i, look in enumerate(at)
    )  # fmt: skip
    truth = numbers(verdicts["truth"])
    right = cell.analysis.decisions[decision].right(truth) if np.isfinite(truth).all() else None
    null = right is not None and not right.any()
    labels, patients, unit = dict(cell.labels), mean(entered[rows, ended.where]), cell.study.time.unit
    return Sequence(
        cell.key, labels, decision, futility if ahead is None else ahead.below, stops, rate(ended.met), rate(unbound), patients, null,
        ahead is not None, duration, longest, unit,
    )  # fmt: skip


def stopped(met: np.ndarray, futile: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(replicate,) at which look each study stops, and why: SUCCESS or FUTILITY.

    A study that reaches its end unmet is futile.

    met, futile: (replicate, look)
    """
    state = np.where(met, SUCCESS, np.where(futile, FUTILITY, OPEN))
    state[:, -1] = np.where(met[:, -1], SUCCESS, FUTILITY)
    where = np.argmax(state != OPEN, axis=1)
    return where, state[np.arange(len(state)), where]
