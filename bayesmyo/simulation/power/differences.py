"""What one schedule of visits gains over another: the difference of their powers.

Seeds are addressed by the cell, whose schedule is part of its address: two schedules are simulated by different cohorts,
and their difference has the Monte Carlo errors of both, sqrt(e1^2 + e2^2). Half a cohort of either kind is added to
each, so that two powers of 100 % do not claim to be the same.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bayesmyo.simulation.agenda import monte_carlo_error
from bayesmyo.simulation.power.operating import DecisionPower
from bayesmyo.simulation.power.rates import Labelled

SCHEDULES = ("visits", "every")  # labels of what is compared


@dataclass(frozen=True)
class Difference(Labelled):
    """How much more often a decision is met with one schedule of visits than with the first that was asked for.

    Attributes
    ----------
    labels : mapping of str to str or float
        The truth, and all else that the two have in common.
    decision : str
        Its name.
    schedule, than : str
        The two.
    value, mcse : float
        The difference of their powers (in a scenario in which the decision ought not to be met, of their type I
        errors), and its Monte Carlo error.
    null : bool
        Whether it is one of type I errors.
    """

    labels: Mapping[str, str | float]
    decision: str
    schedule: str
    than: str
    value: float
    mcse: float
    null: bool


def differences(last: Sequence[DecisionPower]) -> Iterator[Difference]:
    """Every schedule against the first, for each decision under one truth and number of patients.

    last: every decision of every cell when all patients are analysed
    """
    groups: dict[tuple[Any, ...], list[DecisionPower]] = {}
    for d in last:
        if d.rate.of:
            shared = tuple((k, v) for k, v in d.labels.items() if k not in SCHEDULES)
            groups.setdefault((d.decision, shared), []).append(d)
    for (decision, shared), (first, *others) in groups.items():
        for d in others:
            error = math.hypot(*(monte_carlo_error(x.rate.met, x.rate.of) for x in (d, first)))
            value = (d.rate.value or 0.0) - (first.rate.value or 0.0)
            yield Difference(dict(shared), decision, _schedule(d), _schedule(first), value, error, d.null)


def _schedule(d: DecisionPower) -> str:
    """A schedule in words."""
    return ", ".join(
        f"{k} {v:g}" if isinstance(v, float | int) else f"{k} {v}" for k, v in d.labels.items() if k in SCHEDULES
    )
