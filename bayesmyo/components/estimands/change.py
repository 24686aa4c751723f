"""The change between two times."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from bayesmyo.components.estimands.estimand import Between, Given, Prediction


@dataclass(frozen=True, kw_only=True)
class Change(Between):
    """Level at `to` minus level at `from`, in outcome units. Without a control arm: change during treatment."""

    kind: Literal["change"] = "change"

    def value(self, prediction: Prediction, given: Given) -> np.ndarray:
        first, last = self._pair(prediction, given)
        return last - first

    def unit(self, outcome_unit: str, time_unit: str) -> str:
        return outcome_unit

    def sentence(self, label: str, time_unit: str) -> str:
        return f"change in {label} {self.between(time_unit)}"
