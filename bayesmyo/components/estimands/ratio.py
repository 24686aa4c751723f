"""The ratio of the levels at two times."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from bayesmyo.components.estimands.estimand import STOPS, Between, Estimand, Given, Named, Prediction, Strategy


@dataclass(frozen=True, kw_only=True)
class Ratio(Between):
    """Level at `to` divided by level at `from` (0.5: halved). For a log-scale outcome, the geometric ratio."""

    kind: Literal["ratio"] = "ratio"
    neutral: ClassVar[float | None] = 1.0
    difference_on: ClassVar[Literal["identity", "log"] | None] = "log"
    allowed: ClassVar[tuple[Strategy, ...]] = (*Estimand.allowed, STOPS)

    @property
    def relative(self) -> bool:
        return True

    def value(self, prediction: Prediction, given: Given) -> np.ndarray:
        first, last = self._pair(prediction, given)
        return last / first

    def unit(self, named: Mapping[str, Named], time_unit: str) -> str:
        return "ratio"

    def sentence(self, named: Mapping[str, Named], time_unit: str) -> str:
        return f"ratio of {named[self.outcome].label} at {time_unit} {self.to:g} to {time_unit} {self.from_:g}"

    def possible(self) -> tuple[float, float]:
        return (0.0, np.inf)
