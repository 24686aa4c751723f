"""The average change per unit of time."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from bayesmyo.components.estimands.estimand import Contrast, Prediction


@dataclass(frozen=True, kw_only=True)
class Slope(Contrast):
    """(Level at `to` minus level at `from`) / (`to` - `from`), in outcome units per unit of time.

    For a straight line on the outcome's own scale this is the slope, whatever the two times.
    """

    kind: Literal["slope"] = "slope"

    def of(self, prediction: Prediction) -> np.ndarray:
        first, last = self._pair(prediction)
        return (last - first) / (self.to - self.from_)

    def unit(self, outcome_unit: str, time_unit: str) -> str:
        return f"{outcome_unit} per {time_unit}"

    def sentence(self, label: str, time_unit: str) -> str:
        return f"average slope of {label} {self.between(time_unit)}"
