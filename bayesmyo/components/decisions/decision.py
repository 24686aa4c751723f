"""The contract of a decision."""

from abc import abstractmethod
from dataclasses import dataclass

import numpy as np

from bayesmyo.components.component import Component


@dataclass(frozen=True)
class Verdict:
    """met: the rule is satisfied; probability: what the posterior gives; margin: probability minus what was asked."""

    met: bool
    probability: float
    margin: float
    sentence: str


@dataclass(frozen=True, kw_only=True)
class Decision(Component):
    """A rule on the draws of one estimand, set before the data are seen."""

    estimand: str

    @abstractmethod
    def judge(self, draws: np.ndarray, subject: str = "") -> Verdict:
        """The verdict on (chain, draw) values of the estimand; `subject` is what its sentence calls it (default: its name)."""
