"""What if those who left fared worse: every estimand, decision and response where their course is another after exit.

A fit takes it that who left would have gone on as their own measurements and patients like them say (missing at
random). No data can tell. So the course after the exit is replaced by another, over a range of amounts, and the tipping
point is the least amount at which a conclusion changes.

References: Carpenter, Roger and Kenward (2013), https://doi.org/10.1080/10543406.2013.834911; ICH E9(R1) (2019); on
tipping points Campbell, Pennello and Yue (2011), https://doi.org/10.1080/10543406.2011.550094.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from bayesmyo.assess.tipping import TippingPoint, tipping_points, whether
from bayesmyo.assess.what_if import STEPS, WhatIf
from bayesmyo.errors import UsageError
from bayesmyo.inference.fit import Fit, known_fit

OWN = "own"  # the course of who left, as a fit takes it
THREADS = 2


@dataclass(frozen=True)
class Row:
    """One number by one amount.

    Attributes
    ----------
    course : str
        After the exit; "own" where it is the own, as a fit takes it.
    d, spreads : float, optional
        The amount, in the outcome's unit on the link scale, negative where it is worse (of a return the share of the
        way); and the same in declared spreads between patients, where no numbers were asked for. None where there is
        none, or not one for all outcomes of the row.
    by_group : dict of str to float
        The amount of each group, where each has one.
    kind, name : str
        "estimand", "decision" or "response", and its name; of a response the rule and the category.
    median, lower, upper, mean : float, optional
        Of the estimand, or of the count of patients with the category.
    probability, met : optional
        The probability beside the estimand, or of the decision's rule, and whether that is met.
    """

    course: str
    d: float | None
    spreads: float | None
    by_group: dict[str, float]
    kind: str
    name: str
    median: float | None = None
    lower: float | None = None
    upper: float | None = None
    mean: float | None = None
    probability: float | None = None
    met: bool | None = None


@dataclass(frozen=True)
class Tip:
    """What would change the answer, if those who left fared worse.

    Attributes
    ----------
    course, amount, sentence : str
        What became of those who left, what its amount is called ("" where it takes none), and the course in words.
    reasons : tuple of str
        For which they left.
    left, patients : int
        How many did, of how many.
    prior : str
        Of the amount, where it has one.
    leaving : str
        How a new patient leaves, on which populations depend: by the hazard of an event of the study, or of the counts;
        "" where everything is asked of these patients.
    rows : tuple of Row
        Every number by every amount.
    points : tuple of TippingPoint
        Of every decision, and of every estimand that concludes.
    """

    course: str
    amount: str
    sentence: str
    reasons: tuple[str, ...]
    left: int
    patients: int
    prior: str
    leaving: str
    rows: tuple[Row, ...]
    points: tuple[TippingPoint, ...]

    def table(self) -> pd.DataFrame:
        """One row for each number by each amount."""
        return pd.DataFrame([_flat(r) for r in self.rows])

    def tipping_points(self) -> pd.DataFrame:
        """One row for each decision, and each estimand that concludes."""
        return pd.DataFrame([asdict(p) for p in self.points])


def tip(
    fit: Fit,
    course: str = "shift",
    by: Sequence[float] | None = None,
    reasons: Sequence[str] = (),
    outcomes: Sequence[str] | None = None,
    group: str | None = None,
    prior: str | None = None,
    hazard: str | None = None,
    steps: int | None = None,
) -> Tip:
    """What would change the answer, if those who left fared worse than patients like them.

    No refit, and no new draws: everything is a function of the fit.

    Parameters
    ----------
    fit : Fit
        With its patients, and exits with reasons.
    course : str
        "shift", "drift", "return", "stay", "reference", "copy increments" or "never".
    by : sequence of float, optional
        Amounts, in the unit of the one outcome on the link scale: -0.7 of a log-normal outcome for which lower is
        better doubles it. By default up to three declared spreads between patients, of every outcome at once; of a
        return all the way.
    reasons : sequence of str
        Of exits; may be left out where there is one.
    outcomes : sequence of str, optional
        Which outcomes follow another course after the exit (default: all).
    group : str, optional
        A covariate of patients with levels, the reference first: each has its own hazard and, of two, its own amount.
        The courses "reference" and "copy increments" need it.
    prior : str, optional
        In place of `by`, a prior of the amount, from which each draw has its own: one posterior.
    hazard : str, optional
        A prior of the rate per unit of time at which patients leave, on which populations depend. By default the hazard
        of the study's event of the same reasons, as it was fitted; where there is none, Jeffreys' prior.
    steps : int, optional
        How many amounts are looked at, where `by` does not name them.

    Returns
    -------
    Tip
        Every number by every amount, and the tipping points, each with a sentence.

    Raises
    ------
    UsageError
        Where no exits are known, nobody left for the reasons, or arguments do not go together.
    StorageError
        For a shared copy, which has no patients.

    References
    ----------
    Carpenter, Roger and Kenward (2013), https://doi.org/10.1080/10543406.2013.834911.

    Examples
    --------
    >>> try:
    ...     bayesmyo.tip(fit)
    ... except bayesmyo.BayesmyoError as error:
    ...     print(error)
    fit: says of nobody when follow-up ended, and why; declare the columns exit and reason in study.time, and fit again.
    """
    known_fit(fit)
    asked = WhatIf(fit, course, by, reasons, outcomes, group, prior, hazard, steps)
    kind, grid = asked.course.kind, asked.grid()
    with ThreadPoolExecutor(THREADS) as pool:  # NumPy computes aside of the interpreter
        each = list(pool.map(lambda x: asked.seen(x).numbers(), grid))
    ranging = asked.prior is None and bool(asked.course.amount)
    rows = [
        _row(asked, kind if ranging else OWN, x, *n) for x, numbers in zip(grid, each, strict=True) for n in numbers
    ]
    if ranging:
        points = tipping_points(asked)
    else:
        draws = asked.draws(asked.drawn(), moved=True)
        rows += [_row(asked, kind, None, *n) for n in draws.numbers()]
        points = whether(asked, draws)
    left, patients = int(asked.left.who.sum()), len(fit.cohort)
    about = kind, asked.course.amount, asked.course.sentence, asked.reasons, left, patients, str(asked.prior or "")
    return Tip(*about, asked.leaving, tuple(rows), tuple(points))


def amounts(first: float | None, last: float | None, steps: int | None = None) -> list[float]:
    """So many amounts from the first, by default zero, to the last."""
    if last is None:
        raise UsageError("--from", "has no end", mend="say --to as well")
    return [float(v) for v in np.linspace(first or 0.0, last, steps or STEPS)]


def _row(
    asked: WhatIf,
    course: str,
    x: np.ndarray | None,
    kind: str,
    name: str,
    outcomes: Sequence[str],
    numbers: dict[str, Any],
) -> Row:
    by_group = {}
    if x is not None and asked.levels and asked.course.amount:
        by_group = {level: float(v * (asked.unit(outcomes) or 1.0)) for level, v in zip(asked.levels, x, strict=True)}
    return Row(course, *asked.told(x, outcomes), by_group, kind, name, **numbers)


def _flat(row: Row) -> dict[str, Any]:
    plain = asdict(row)
    return {"course": plain.pop("course"), **{f"d_{k}": v for k, v in plain.pop("by_group").items()}, **plain}


__all__ = ["Row", "Tip", "TippingPoint", "amounts", "tip"]
