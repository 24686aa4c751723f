"""Enough posterior probability beyond a threshold."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from bayesmyo.components.decisions.decision import Decision, Verdict, share_faults
from bayesmyo.components.numbers import PLAIN, Written


@dataclass(frozen=True, kw_only=True)
class Probability(Decision):
    """Met when P(estimand > above), or P(estimand < below), is at least `probability`."""

    kind: Literal["probability"] = "probability"
    above: float | None = None
    below: float | None = None
    probability: float

    def judge(self, draws: np.ndarray, subject: str = "", written: Written = PLAIN) -> Verdict:
        if self.above is not None:
            beyond, words = draws > self.above, f"above {self.above:g}"
        else:
            beyond, words = draws < self.below, f"below {self.below:g}"
        p = float(beyond.mean())
        met = p >= self.probability
        asked = f"at least {self.probability:g} was asked: {'met' if met else 'not met'}"
        sentence = f"The probability that {subject or self.estimand} is {words} is {written.chance(p)}; {asked}."
        return Verdict(met=met, probability=p, margin=p - self.probability, sentence=sentence)

    def faults(self) -> tuple[tuple[str, str, str], ...]:
        one = (self.above is None) != (self.below is None)
        return (
            *(() if one else (("", "give exactly one of above and below", ""),)),
            *share_faults(probability=self.probability),
        )

    def thresholds(self) -> dict[str, float]:
        stated = {"above": self.above, "below": self.below}
        return {k: v for k, v in stated.items() if v is not None}
