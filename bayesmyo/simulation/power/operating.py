"""What a study of this design would have shown, from the tables of a simulation study: by cell, look, and decision or
estimand.

A failed replicate is never "not met": it is counted beside, and power is also given as if all of them had not met the
decision, and as if all had. References: Morris, White and Crowther (2019), https://doi.org/10.1002/sim.8086 (Monte
Carlo errors); Gelman and Carlin (2014), https://doi.org/10.1177/1745691614551642 (errors of sign and magnitude);
O'Hagan, Stevens and Campbell (2005), https://doi.org/10.1002/pst.175 (assurance).
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from bayesmyo.components.decisions import Decision
from bayesmyo.components.estimands import Estimand
from bayesmyo.simulation.cell import Cell
from bayesmyo.simulation.plan import Plan
from bayesmyo.simulation.power.rates import Labelled, Mean, Rate, failed_at, mean, numbers, rate, root_mean_square
from bayesmyo.simulation.row import DONE

Array = np.ndarray
ROUNDING = 1e-9
POSTERIOR = "posterior"
FOR, ABOUT = " for ", ": "  # "t test for gain" is of a decision, "t test: change_12" of an estimand


@dataclass(frozen=True)
class DecisionPower:
    """How often a decision was met in one cell, at one look.

    Attributes
    ----------
    cell, labels : str, mapping
        Its key, and what varies between cells.
    decision, estimand : str
        The rule by name, and what it is about.
    look : int
        Patients analysed; of an interim look at a date its number.
    replicates, failed : int, mapping of str to int
        All, done or failed; of those that failed, stage -> how many.
    rate : Rate
        Met, among those done.
    worst, best : float or None
        If all that failed had not met it, or had.
    true : int or None
        Replicates whose true value satisfies the rule; None where the rule has no truth (a precision).
    power, error : Rate or None
        Met among those, and among the others, which is the type I error.
    truth, varies, assurance : float or None, bool, bool
        The true value, averaged over replicates; whether they differ in it; whether their truths were drawn.
    expected : Mean
        Of the probability that the rule looks at.
    comparators : mapping of str to Rate
        The same rule or question by other methods.
    """

    cell: str
    labels: Mapping[str, str | float]
    decision: str
    estimand: str
    look: int
    replicates: int
    failed: Mapping[str, int]
    rate: Rate
    worst: float | None
    best: float | None
    true: int | None
    power: Rate | None
    error: Rate | None
    truth: float | None
    varies: bool
    assurance: bool
    expected: Mean
    comparators: Mapping[str, Rate]

    @property
    def null(self) -> bool:
        """Whether the decision ought not to be met in any replicate: what is met here is type I error."""
        return self.true == 0 and self.rate.of > 0

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        columns = {**self.labels, **{k: v for k, v in asdict(self).items() if k not in ("labels", "rate")}}
        r, failed = self.rate, {"failed": sum(self.failed.values()), "failed_at": dict(self.failed)}
        rate = {"met": r.met, "done": r.of, "probability": r.value, "mcse": r.mcse, "lower": r.lower, "upper": r.upper}
        return columns | rate | failed | {"null": self.null}


@dataclass(frozen=True)
class EstimandPower(Labelled):
    """How well an estimand was estimated in one cell, at one look, by its posterior median and the study's interval.

    Attributes
    ----------
    cell, labels : str, mapping
        Its key, and what varies between cells.
    estimand, method : str
        What is estimated, and how: "posterior", or a comparator.
    look : int
        Patients analysed.
    answered, done : int
        Replicates with an answer, of those done.
    truth : float or None
        The true value, averaged over replicates.
    bias, error, width : Mean
        Of the median, its root mean square error, and the width of the interval, in outcome units.
    coverage : Rate
        Of the interval.
    significant : Rate or None
        Whose interval excludes no effect.
    sign : Rate or None
        Type S: the share of significant estimates that lie on the wrong side of no effect.
    magnitude : Mean or None
        Type M: by how much significant estimates exaggerate (of a ratio, its logarithm).
    """

    cell: str
    labels: Mapping[str, str | float]
    estimand: str
    method: str
    look: int
    answered: int
    done: int
    truth: float | None
    bias: Mean
    error: Mean
    coverage: Rate
    width: Mean
    significant: Rate | None
    sign: Rate | None
    magnitude: Mean | None


def decisions(plan: Plan, replicates: pd.DataFrame, quantities: pd.DataFrame) -> list[DecisionPower]:
    """Every decision of every cell, at every look."""
    return [
        _decision(cell, name, rule, look, rows, here[here["look"] == look])
        for cell, rows, here in _cells(plan, replicates, quantities)
        for name, rule in cell.analysis.decisions.items()
        for look in looks(cell)
    ]


def estimands(plan: Plan, replicates: pd.DataFrame, quantities: pd.DataFrame) -> list[EstimandPower]:
    """Every estimand of every cell, at every look: its posterior, and every comparator that answers it."""
    listed = []
    for cell, rows, every in _cells(plan, replicates, quantities):
        done = int((rows["stage"] == DONE).sum())
        for name, e in cell.analysis.estimands.items():
            for look in looks(cell):
                here = every[every["look"] == look]
                answers = {POSTERIOR: here[(here["kind"] == "estimand") & (here["name"] == name)]}
                others = here[(here["kind"] == "comparator") & here["name"].str.endswith(ABOUT + name)]
                answers |= {str(k).removesuffix(ABOUT + name): part for k, part in others.groupby("name", sort=False)}
                listed += [_estimand(cell, name, e, m, look, done, part) for m, part in answers.items() if len(part)]
    return listed


def looks(cell: Cell) -> tuple[int, ...]:
    """What each look of a cell is called in its rows, the last that at all patients."""
    return cell.stages


def _cells(
    plan: Plan, replicates: pd.DataFrame, quantities: pd.DataFrame
) -> Iterator[tuple[Cell, pd.DataFrame, pd.DataFrame]]:
    for cell in plan.cells:
        yield cell, replicates[replicates["cell"] == cell.key], quantities[quantities["cell"] == cell.key]


def _decision(
    cell: Cell, name: str, rule: Decision, look: int, rows: pd.DataFrame, here: pd.DataFrame
) -> DecisionPower:
    mine = here[(here["kind"] == "decision") & (here["name"] == name)]
    met, truth = numbers(mine["met"]) == 1, numbers(mine["truth"])
    known = np.isfinite(truth)
    right = rule.right(truth) if len(truth) and known.all() else None
    failed, of = failed_at(rows["stage"]), rate(met)
    lost = sum(failed.values())
    worst, best = (m / (of.of + lost) if of.of + lost else None for m in (of.met, of.met + lost))
    true = power = error = None
    if right is not None:
        true, power, error = int(right.sum()), rate(met[right]), rate(met[~right])
    comparators = {}
    for full in dict.fromkeys(here.loc[here["kind"] == "comparator", "name"]):
        if str(full).endswith((FOR + name, ABOUT + rule.estimand)):
            answered = numbers(here.loc[here["name"] == full, "met"])
            comparators[str(full)] = rate(answered[np.isfinite(answered)] == 1)
    varies = bool(known.any() and np.ptp(truth[known]) > 0)
    expected = mean(numbers(mine["probability"]))
    return DecisionPower(
        cell.key, dict(cell.labels), name, rule.estimand, look, len(rows), failed, of, worst, best, true, power, error,
        mean(truth).value, varies, not cell.fixed, expected, comparators,
    )  # fmt: skip


def _estimand(
    cell: Cell, name: str, e: Estimand, method: str, look: int, done: int, answers: pd.DataFrame
) -> EstimandPower:
    truth, median, lower, upper = (numbers(answers[k]) for k in ("truth", "median", "lower", "upper"))
    answered = np.isfinite(median)
    truth, median, lower, upper = (x[answered] for x in (truth, median, lower, upper))
    known = np.isfinite(truth)
    error = (median - truth)[known]
    covered = ((lower <= truth) & (truth <= upper))[known]
    neutral = e.no_effect
    significant = sign = magnitude = None
    if neutral is not None:
        beyond = (lower > neutral) | (upper < neutral)
        significant = rate(beyond)
        scale = np.log if e.relative else np.asarray
        estimated, true = (scale(x) - scale(np.asarray(neutral)) for x in (median, truth))
        effect = ~np.isclose(true, 0, atol=ROUNDING)
        if known.all() and effect.any():
            moved = beyond & effect
            sign = rate(np.sign(estimated[moved]) != np.sign(true[moved]))
            size = float(np.abs(true[moved]).mean()) if moved.any() else np.nan
            magnitude = mean(np.abs(estimated[moved]) / size)
    return EstimandPower(
        cell.key, dict(cell.labels), name, method, look, int(answered.sum()), done, mean(truth).value, mean(error),
        root_mean_square(error), rate(covered), mean(upper - lower), significant, sign, magnitude,
    )  # fmt: skip
