"""The contract of an estimand, and the four populations a number can speak of."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol, get_args

import numpy as np

from bayesmyo.components.component import Component, key

Population = Literal["these patients", "average patient", "new patient", "population average"]
Summary = Literal["median", "mean"]
Predicts = Literal["expected value", "measurement"]
POPULATIONS: tuple[str, ...] = get_args(Population)


class Prediction(Protocol):
    """What an estimand may ask: levels in outcome units, one for each truth or posterior draw (chain, draw)."""

    def level(
        self, outcome: str, time: float, population: Population, summary: Summary | None, predicts: Predicts
    ) -> np.ndarray: ...


@dataclass(frozen=True, kw_only=True)
class Estimand(Component):
    """One number in outcome units, with its population and its time.

    population:
        `these patients`: the average over the cohort's own patients
        `average patient`: a patient whose effects are all zero
        `new patient`: one patient drawn afresh; `predicts` says whether the expected value or a measurement
        `population average`: the average over all patients who could be drawn
    summary: `median` (on a log scale the geometric mean) or `mean`; by default what the family reports
    above, below: the threshold whose probability is printed beside the number (by default: any change for the better)
    """

    outcome: str
    population: Population = "population average"
    predicts: Predicts = "expected value"
    summary: Summary | None = None
    above: float | None = None
    below: float | None = None

    neutral: ClassVar[float | None] = 0.0

    @abstractmethod
    def of(self, prediction: Prediction) -> np.ndarray:
        """(chain, draw) values in the estimand's unit."""

    @abstractmethod
    def unit(self, outcome_unit: str, time_unit: str) -> str:
        """The unit of the number."""

    @abstractmethod
    def sentence(self, label: str, time_unit: str) -> str:
        """What the number is, as the subject of a sentence."""

    @abstractmethod
    def times(self) -> tuple[float, ...]:
        """The times it looks at, in the study's unit."""

    def _level(self, prediction: Prediction, time: float) -> np.ndarray:
        return prediction.level(self.outcome, time, self.population, self.summary, self.predicts)

    def threshold(self, better: str) -> tuple[str, float] | None:
        """("above" or "below", value) of the probability to print; None where there is no natural one."""
        if self.above is not None:
            return "above", self.above
        if self.below is not None:
            return "below", self.below
        if self.neutral is None:
            return None
        return ("above" if better == "higher" else "below"), self.neutral


@dataclass(frozen=True, kw_only=True)
class Contrast(Estimand):
    """An estimand that compares two times, `from` and `to`, in the study's unit."""

    from_: float = key("from")
    to: float

    def times(self) -> tuple[float, ...]:
        return (self.from_, self.to)

    def between(self, time_unit: str) -> str:
        return f"from {time_unit} {self.from_:g} to {self.to:g}"

    def _pair(self, prediction: Prediction) -> tuple[Any, Any]:
        return self._level(prediction, self.from_), self._level(prediction, self.to)
