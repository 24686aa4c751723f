"""Enough posterior probability beyond a threshold."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from bayesmyo.components.decisions.decision import Decision, Verdict


@dataclass(frozen=True, kw_only=True)
class Probability(Decision):
    """Met when P(estimand > above), or P(estimand < below), is at least `probability`."""

    kind: Literal["probability"] = "probability"
    above: float | None = None
    below: float | None = None
    probability: float

    def judge(self, draws: np.ndarray) -> Verdict:
        if self.above is not None:
            beyond, words = draws > self.above, f"above {self.above:g}"
        else:
            beyond, words = draws < self.below, f"below {self.below:g}"
        p = float(beyond.mean())
        met = p >= self.probability
        sentence = (
            f"P({self.estimand} {words}) = {p:.3g}; {self.probability:g} was asked: {'met' if met else 'not met'}"
        )
        return Verdict(met=met, probability=p, margin=p - self.probability, sentence=sentence)
