"""The change between two times."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from bayesmyo.components.estimands.estimand import STOPS, Between, Estimand, Given, Named, Prediction, Strategy


@dataclass(frozen=True, kw_only=True)
class Change(Between):
    """Level at `to` minus level at `from`, in outcome units. Without a control arm: change during treatment."""

    kind: Literal["change"] = "change"
    difference_on: ClassVar[Literal["identity", "log"] | None] = "identity"
    allowed: ClassVar[tuple[Strategy, ...]] = (*Estimand.allowed, STOPS)

    def value(self, prediction: Prediction, given: Given) -> np.ndarray:
        first, last = self._pair(prediction, given)
        return last - first

    def unit(self, named: Mapping[str, Named], time_unit: str) -> str:
        return named[self.outcome].unit

    def sentence(self, named: Mapping[str, Named], time_unit: str) -> str:
        return f"change in {named[self.outcome].label} {self.between(time_unit)}"
