"""What one replicate says: plain numbers, the same whoever computed them, when and where."""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

DONE = "done"
MOST_REASONS = 5  # that are read at one go
Kind = Literal["estimand", "parameter", "effect", "joint", "decision", "comparator", "look", "predictive"]


@dataclass(frozen=True)
class Quantity:
    """What one analysis says of one number. What does not apply, or does not exist, is None.

    Attributes
    ----------
    kind : str
        "estimand" in outcome units, "parameter" and "effect" (of the first patient) on the link scale, "joint" the
        log-likelihood of all measurements, "decision", "comparator", another method's answer to an estimand, or "look",
        in calendar time: the mean is how many "patients" had entered, and the "date"; or "predictive", at an interim
        look: the predictive probability that a decision is met at the end, whether that is enough to go on, and, as
        ess, from how many completed cohorts it was counted.
    name : str
        Of the number.
    look : int
        How many patients had been included when it was looked at; of a look at a date its number from 1, the last that
        of all patients (`Cell.stages`).
    truth : float
        Its true value in this replicate.
    mean, sd, median, lower, upper : float
        Of the posterior, the limits equal-tailed with the study's mass (of a comparator its estimate and confidence
        limits of
        the same level).
    probability : float
        What a decision's rule looks at (of a comparator the two-sided p-value).
    met : bool
        What it decides.
    rank : float
        Where the truth lies among the draws, in (0, 1): uniform over replicates if truths come from the priors of the
        analysis.
    ess : float
        The effective number of draws.
    """

    kind: Kind
    name: str
    look: int
    truth: float | None = None
    mean: float | None = None
    sd: float | None = None
    median: float | None = None
    lower: float | None = None
    upper: float | None = None
    probability: float | None = None
    met: bool | None = None
    rank: float | None = None
    ess: float | None = None

    def __post_init__(self) -> None:
        """What is not finite is not there: rows are compared, hashed and stored."""
        for f in fields(self):
            value = getattr(self, f.name)
            if isinstance(value, float):
                object.__setattr__(self, f.name, float(value) if math.isfinite(value) else None)


@dataclass(frozen=True)
class Row:
    """One replicate of one cell.

    Attributes
    ----------
    cell : str
        The key of the cell.
    replicate : int
        Its number, from 0.
    stage, reason : str
        "done", or where it failed, with the reason: "simulate", "fit", "crashed" (whoever computed it died), "timeout".
    rhat, ess : float
        The worst over everything recorded, at any look; None where nothing moves.
    divergences : int
        Of all draws, at all looks.
    attempts : int
        2 where short chains were not to be trusted and the whole was sampled again, longer.
    patients, visits, lost : int
        Of the simulated cohort.
    step : str
        By which step an engine of several answered, the last that any look needed (see `inference/engines/laplace.py`).
    k : float
        The largest Pareto k of its importance weights; None where there are none.
    apart, wider : float
        Where the reference engine analysed the cohort too: the largest difference between the two medians of an
        estimand, as a share of the width of its interval, and the geometric mean of the ratios of these widths.
    rejected : int
        Cohorts that a rule on their data alone refused before this one.
    quantities : tuple of Quantity
        By look.
    """

    cell: str
    replicate: int
    stage: str = DONE
    reason: str = ""
    rhat: float | None = None
    ess: float | None = None
    divergences: int = 0
    attempts: int = 1
    patients: int = 0
    visits: int = 0
    lost: int = 0
    step: str = ""
    k: float | None = None
    apart: float | None = None
    wider: float | None = None
    rejected: int = 0
    quantities: tuple[Quantity, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """As plain values, for Parquet and JSON."""
        return asdict(self) | {"quantities": [asdict(q) for q in self.quantities]}


def failures(rows: Iterable[tuple[str, str]]) -> list[str]:
    """Why replicates failed, the most frequent reason first, from the stage and the reason of each replicate; empty
    where none did.
    """
    counts = Counter((stage, reason) for stage, reason in rows if stage != DONE).most_common()
    said = [f"{n} failed ({stage}): {reason or 'no reason was given'}." for (stage, reason), n in counts[:MOST_REASONS]]
    others = sum(n for _, n in counts[MOST_REASONS:])
    return [*said, f"{others} failed for {len(counts) - MOST_REASONS} other reasons."] if others else said
