"""The average change per unit of time."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from bayesmyo.components.estimands.estimand import Between, Given, Named, Prediction


@dataclass(frozen=True, kw_only=True)
class Slope(Between):
    """(Level at `to` minus level at `from`) / (`to` - `from`), in outcome units per unit of time.

    For a straight line on the outcome's own scale this is the slope, whatever the two times.
    """

    kind: Literal["slope"] = "slope"
    difference_on: ClassVar[Literal["identity", "log"] | None] = "identity"
    per_time: ClassVar[bool] = True

    def value(self, prediction: Prediction, given: Given) -> np.ndarray:
        first, last = self._pair(prediction, given)
        return (last - first) / (self.to - self.from_)

    def unit(self, named: Mapping[str, Named], time_unit: str) -> str:
        return f"{named[self.outcome].unit} per {time_unit}"

    def sentence(self, named: Mapping[str, Named], time_unit: str) -> str:
        return f"average slope of {named[self.outcome].label} {self.between(time_unit)}"
