"""The probability that a rule should ask for, so that its type I error is at most alpha: from the rows that are there.

A rule looks at a probability P and is met where P is at least a threshold. Rows hold P, so that a rule with any other
threshold is judged on the same cohorts, and no fit is made again. With interim looks the rule is met at any of them:
there P is the largest of all looks, and the threshold is that of the whole procedure.

Of n cohorts in which the decision ought not to be met, at most alpha n may reach the threshold: it is the smallest P
among them that so few reach, the k-th largest where none are equal, with k the whole part of alpha n. Its type I error
is then a beta variable with the mean k / (n + 1), whatever the distribution of P. The interval is one of a quantile by
order statistics, for which P need not be continuous: how many of n reach the true threshold is binomial (n, alpha).
Of several such scenarios the one with the largest threshold, the least favourable, decides; an interval that holds for
each of m at 1 - 0.05 / m (Bonferroni) holds for the largest at 95 %.

References: David and Nagaraja (2003), Order Statistics, section 7.1, https://doi.org/10.1002/0471722162; Scheffé and
Tukey (1945), https://doi.org/10.1214/aoms/1177731119 (distributions with steps).
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from bayesmyo.errors import Fault
from bayesmyo.model import planned
from bayesmyo.simulation.cell import Cell
from bayesmyo.simulation.plan import Plan
from bayesmyo.simulation.power.operating import DecisionPower
from bayesmyo.simulation.power.rates import Labelled, Rate, numbers, rate

Array = np.ndarray
MISSED = 0.05  # of intervals
ROUNDING = 1e-9
WHERE = "--solve threshold"


@dataclass(frozen=True)
class Threshold:
    """The smallest probability to ask for, from cohorts in which the decision ought not to be met.

    Attributes
    ----------
    alpha : float
        The type I error that is allowed.
    value : float or None
        The threshold, below 1; None where there are too few cohorts, or too many with the largest P that draws can give.
    lower, upper : float or None
        95 % interval of the true threshold, from Monte Carlo error alone; None where the cohorts are too few for an
        end.
    cohorts : int
        How many there are, of the scenario that has the fewest.
    enough : int
        How many of each scenario give the interval both ends.
    """

    alpha: float
    value: float | None
    lower: float | None
    upper: float | None
    cohorts: int
    enough: int


@dataclass(frozen=True)
class Judged:
    """How often a decision is met in one scenario with the threshold that was declared, and with the one solved for.

    Attributes
    ----------
    scenario : str
        Its name.
    null : bool
        Whether the decision ought not to be met: what is met is type I error, otherwise power (or assurance).
    declared, solved : Rate, Rate or None
        Of the same cohorts, at any look; None where there is no threshold.
    """

    scenario: str
    null: bool
    declared: Rate
    solved: Rate | None


@dataclass(frozen=True)
class ThresholdOf(Labelled):
    """The threshold of one decision under one design.

    Attributes
    ----------
    labels : mapping of str to str or float
        The design.
    decision, declared : str, float
        The rule by name, and the threshold that the study declares.
    number : Threshold
        The one that is solved for.
    least_favourable : str
        The scenario that decides it; empty where none does.
    scenarios : tuple of Judged
        How often the decision is met in each.
    """

    labels: Mapping[str, str | float]
    decision: str
    declared: float
    number: Threshold
    least_favourable: str
    scenarios: tuple[Judged, ...]


def threshold(null: Sequence[Array], alpha: float) -> tuple[Threshold, int]:
    """The smallest threshold with a type I error of at most `alpha` in every null scenario.

    Parameters
    ----------
    null : sequence of ndarray of shape (n,)
        For each null scenario, the probability that the rule looks at in each of its cohorts.
    alpha : float
        The type I error that is allowed, in (0, 1).

    Returns
    -------
    Threshold, int
        The number, and which scenario is the least favourable (-1 where there is no threshold).
    """
    fewest, miss = min(map(len, null), default=0), MISSED / max(1, len(null))
    nothing = Threshold(alpha, None, None, None, fewest, _enough(alpha, miss))
    if int(alpha * fewest + ROUNDING) < 1:
        return nothing, -1
    # as many of n as reach the true threshold: fewer than `few` with a probability of at most miss / 2, more than `many`
    few, many = (stats.binom.ppf(q, [len(p) for p in null], alpha).astype(int) for q in (miss / 2, 1 - miss / 2))
    solved = [_reached_by(p, int(alpha * len(p) + ROUNDING)) for p in null]
    upper = max(_reached_by(p, k - 1) for p, k in zip(null, few, strict=True))
    lower = max(np.sort(p)[::-1][k] if k < len(p) else 0.0 for p, k in zip(null, many, strict=True))
    ends = replace(nothing, lower=float(lower), upper=upper if upper < 1 else None)
    return (ends, -1) if max(solved) >= 1 else (replace(ends, value=max(solved)), int(np.argmax(solved)))


def _reached_by(p: Array, k: int) -> float:
    """The smallest of these values that at most k of them reach; 1 where there is none, or k is not positive."""
    beyond = float(np.sort(p)[::-1][k]) if k < len(p) else -np.inf  # the largest that more than k reach
    return float(p[p > beyond].min(initial=1.0)) if k > 0 else 1.0


@cache
def _enough(alpha: float, miss: float) -> int:
    """The fewest cohorts that give the interval both ends: that two of them reach the true threshold is all but sure."""
    return bisect_left(range(10**12), True, key=lambda n: bool(stats.binom.cdf(1, n, alpha) < miss / 2))


def thresholds(
    plan: Plan, quantities: pd.DataFrame, last: Sequence[DecisionPower], alpha: float
) -> Iterator[ThresholdOf]:
    """The threshold of every decision that has one, for each design.

    last: every decision of every cell when all patients are analysed, which says where it ought not to be met
    """
    cells = {c.key: c for c in plan.cells}
    kept = quantities[quantities["kind"] == "decision"]
    groups: dict[tuple[Any, ...], list[DecisionPower]] = {}
    for d in last:
        if cells[d.cell].analysis.decisions[d.decision].least_probability is not None:
            design = {k: v for k, v in d.labels.items() if k != "scenario"}
            groups.setdefault((d.decision, tuple(design.items())), []).append(d)
    for (decision, design), group in groups.items():
        declared = cells[group[0].cell].analysis.decisions[decision].least_probability
        assert declared is not None
        own = kept[kept["name"] == decision]
        p = [_probabilities(own[own["cell"] == d.cell]) for d in group]
        null = [i for i, d in enumerate(group) if d.null]
        number, which = threshold([p[i] for i in null], alpha)
        judged = tuple(
            Judged(
                str(d.labels.get("scenario", "")),
                d.null,
                rate(values >= declared),
                None if number.value is None else rate(values >= number.value),
            )
            for d, values in zip(group, p, strict=True)
        )
        least = judged[null[which]].scenario if which >= 0 else ""
        yield ThresholdOf(dict(design), decision, declared, number, least, judged)


def _probabilities(verdicts: pd.DataFrame) -> Array:
    """(n,) the largest probability of each replicate at any of its looks."""
    return verdicts.assign(p=numbers(verdicts["probability"])).groupby("replicate")["p"].max().to_numpy()


def refused(cells: Sequence[Cell]) -> Iterator[Fault]:
    """Why no threshold can be solved for in these cells, as far as is known before anything is fitted."""
    solvable = {name for name, d in cells[0].analysis.decisions.items() if d.least_probability is not None}
    if not solvable:
        what = "needs a decision that is met when a probability is large enough, and no decision is"
        yield Fault(WHERE, what, mend='write one with kind = "probability"')
        return
    scenarios = {c.truths: c for c in cells if isinstance(c.truths, str)}
    for scenario, c in scenarios.items():
        for v in planned.true_values(c.study, scenario, c.analysis.decisions, c.patients).values():
            if any(right == 0 for name, right in v.right.items() if name in solvable):
                return
    mend = "name a scenario in which nothing happens, or whose truth lies exactly at the limit of the decision"
    what = f"needs a scenario in which {' or '.join(sorted(solvable))} ought not to be met"
    yield Fault(WHERE, what, ", ".join(map(str, scenarios)), mend)
