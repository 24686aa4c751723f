"""Precision: the interval is narrow enough to be useful."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from bayesmyo.components.decisions.decision import ENDINGS, Decision, Verdict, share_faults
from bayesmyo.components.numbers import PLAIN, Number, Written


@dataclass(frozen=True, kw_only=True)
class Precision(Decision):
    """Met when the estimand's equal-tailed interval is narrower than `width`, in the estimand's unit.

    interval: the mass of that interval. There is no probability; the margin is `width` minus its width.
    """

    kind: Literal["precision"] = "precision"
    width: float
    interval: float = 0.95

    def terms(self, unit: str) -> str:
        return f"known to within {self.width:g}{unit}, the width of its {self.interval:.0%} interval"

    def rule(self, subject: str = "") -> str:
        return f"the {100 * self.interval:g}% interval of {subject or self.estimand} is narrower than {self.width:g}"

    def judge(self, draws: np.ndarray, subject: str = "", written: Written = PLAIN) -> Verdict:
        tail = (1 - self.interval) / 2
        lower, upper = (float(q) for q in np.quantile(draws, [tail, 1 - tail]))
        width = upper - lower
        met = width < self.width
        first, last = written.quantile(tail, lower), written.quantile(1 - tail, upper)
        wide = Number(width, math.hypot(first.error, last.error), digits=first.digits)
        sentence = (
            f"The {100 * self.interval:g}% interval of {subject or self.estimand} is {wide} wide "
            f"({first} to {last}); narrower than {self.width:g} was asked{ENDINGS[met]}"
        )
        return Verdict(met=met, probability=None, margin=self.width - width, sentence=sentence)

    def faults(self) -> tuple[tuple[str, str, str], ...]:
        flat = () if self.width > 0 else (("width", "must be positive", f"{self.width:g}"),)
        return (*flat, *share_faults(interval=self.interval))
