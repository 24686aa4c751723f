"""Equivalence: the estimand lies in a region that makes no difference."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from bayesmyo.components.decisions.decision import ENDINGS, Decision, Verdict, share_faults
from bayesmyo.components.numbers import PLAIN, Written


@dataclass(frozen=True, kw_only=True)
class Equivalence(Decision):
    """Met when P(low < estimand < high) is at least `probability`: between the two, differences do not matter.

    Reference: Kruschke (2018), https://doi.org/10.1177/2515245918771304.
    """

    kind: Literal["equivalence"] = "equivalence"
    low: float
    high: float
    probability: float

    quotes: ClassVar[bool] = False

    @property
    def least_probability(self) -> float:
        return self.probability

    def terms(self, unit: str) -> str:
        return f"between {self.low:g} and {self.high:g}{unit} with a probability of at least {self.probability:g}"

    def rule(self, subject: str = "") -> str:
        between = f"between {self.low:g} and {self.high:g}"
        return f"the probability that {subject or self.estimand} is {between} is at least {self.probability:g}"

    def judge(self, draws: np.ndarray, subject: str = "", written: Written = PLAIN) -> Verdict:
        p = float(((draws > self.low) & (draws < self.high)).mean())
        met = p >= self.probability
        asked = f"at least {self.probability:g} was asked{ENDINGS[met]}"
        between = f"between {self.low:g} and {self.high:g}"
        sentence = f"The probability that {subject or self.estimand} is {between} is {written.chance(p)}; {asked}"
        return Verdict(met=met, probability=p, margin=p - self.probability, sentence=sentence)

    def faults(self) -> tuple[tuple[str, str, str], ...]:
        disorder = () if self.low < self.high else (("high", f"must lie above low, {self.low:g}", f"{self.high:g}"),)
        return (*disorder, *share_faults(probability=self.probability))

    def thresholds(self) -> dict[str, float]:
        return {"low": self.low, "high": self.high}
