"""The dual criterion: statistically beyond no effect, and clinically relevant."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from bayesmyo.components.decisions.decision import ENDINGS, Decision, Verdict, share_faults
from bayesmyo.components.numbers import PLAIN, Written


@dataclass(frozen=True, kw_only=True)
class Dual(Decision):
    """Met when P(estimand beyond `null`) is at least `probability`, and the median is beyond `relevant`.

    null: the value that would mean nothing (0 for a change, 1 for a ratio)
    relevant: the least value that matters; beyond is above where it lies above `null`, and below where it lies below
    The margin is the smaller of P(beyond null) - probability and P(beyond relevant) - 1/2.
    Reference: Roychoudhury, Scheuer and Neuenschwander (2018), https://doi.org/10.1177/1740774518770661.
    """

    kind: Literal["dual"] = "dual"
    null: float
    relevant: float
    probability: float

    def rule(self, subject: str = "") -> str:
        side = self._side()
        return (
            f"the probability that {subject or self.estimand} is {side} {self.null:g} is at least {self.probability:g}, "
            "and its median is "
            f"{side} {self.relevant:g}, which is relevant"
        )

    def terms(self, unit: str) -> str:
        side = self._side()
        likely = f"{side} {self.null:g}{unit} with a probability of at least {self.probability:g}"
        return f"{likely}, and its median {side} {self.relevant:g}{unit}"

    def _side(self) -> str:
        return "above" if self.relevant > self.null else "below"

    def judge(self, draws: np.ndarray, subject: str = "", written: Written = PLAIN) -> Verdict:
        up, side = self.relevant > self.null, self._side()
        p, relevant = (float(((draws > v) if up else (draws < v)).mean()) for v in (self.null, self.relevant))
        median = float(np.median(draws))
        large = median > self.relevant if up else median < self.relevant
        met = p >= self.probability and large
        sentence = (
            f"The probability that {subject or self.estimand} is {side} {self.null:g} is {written.chance(p)} "
            f"(at least {self.probability:g} was asked), and its median, {written.quantile(0.5, median)}, is "
            f"{'' if large else 'not '}{side} {self.relevant:g}, which is relevant{ENDINGS[met]}"
        )
        return Verdict(met=met, probability=p, margin=min(p - self.probability, relevant - 0.5), sentence=sentence)

    def faults(self) -> tuple[tuple[str, str, str], ...]:
        what = f"is the least value that matters, and lies above or below null, {self.null:g}"
        same = (("relevant", what, f"{self.relevant:g}"),) if self.null == self.relevant else ()
        return (*same, *share_faults(probability=self.probability))

    def thresholds(self) -> dict[str, float]:
        return {"null": self.null, "relevant": self.relevant}
