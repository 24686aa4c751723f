"""Enough posterior probability beyond a threshold."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from bayesmyo.components.decisions.decision import ENDINGS, Decision, OneSided, Verdict, share_faults
from bayesmyo.components.numbers import PLAIN, Written


@dataclass(frozen=True, kw_only=True)
class Probability(Decision):
    """Met when P(estimand > above), or P(estimand < below), is at least `probability`."""

    kind: Literal["probability"] = "probability"
    above: float | None = None
    below: float | None = None
    probability: float

    quotes: ClassVar[bool] = False

    @property
    def least_probability(self) -> float:
        return self.probability

    @property
    def one_sided(self) -> OneSided | None:
        threshold = self.above if self.above is not None else self.below
        return None if threshold is None else OneSided(self.above is not None, threshold, self.probability)

    def terms(self, unit: str) -> str:
        return f"{self._beyond()}{unit} with a probability of at least {self.probability:g}"

    def rule(self, subject: str = "") -> str:
        return f"the probability that {subject or self.estimand} is {self._beyond()} is at least {self.probability:g}"

    def _beyond(self) -> str:
        return f"above {self.above:g}" if self.above is not None else f"below {self.below:g}"

    def judge(self, draws: np.ndarray, subject: str = "", written: Written = PLAIN) -> Verdict:
        p = float((draws > self.above if self.above is not None else draws < self.below).mean())
        met = p >= self.probability
        asked = f"at least {self.probability:g} was asked{ENDINGS[met]}"
        sentence = (
            f"The probability that {subject or self.estimand} is {self._beyond()} is {written.chance(p)}; {asked}"
        )
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
