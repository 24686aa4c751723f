"""The contract of an estimand, and the four populations a number can speak of."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Protocol, get_args

import numpy as np

from bayesmyo.components.component import Component, key

Population = Literal["these patients", "average patient", "new patient", "population average"]
Summary = Literal["median", "mean"]
Predicts = Literal["expected value", "measurement"]
POPULATIONS: tuple[str, ...] = get_args(Population)
Given = Mapping[str, str | float]


class Prediction(Protocol):
    """What an estimand may ask: levels in outcome units, one for each truth or posterior draw (chain, draw)."""

    def level(
        self,
        outcome: str,
        time: float,
        population: Population,
        summary: Summary | None,
        predicts: Predicts,
        given: Given,
    ) -> np.ndarray: ...


@dataclass(frozen=True, kw_only=True)
class Contrast:
    """Two groups of patients who differ in one covariate: the number at `level` against the number at `reference`."""

    covariate: str
    level: str | float
    reference: str | float


@dataclass(frozen=True, kw_only=True)
class Estimand(Component):
    """One number in outcome units, with its population and its time.

    population:
        `these patients`: the average over the cohort's own patients
        `average patient`: a patient whose effects are all zero
        `new patient`: one patient drawn afresh; `predicts` says whether the expected value or a measurement
        `population average`: the average over all patients who could be drawn
    summary: `median` (on a log scale the geometric mean) or `mean`; by default what the family reports
    given: covariate values that all patients are taken to have (`{ diagnosis = "PM", age = 60 }`); otherwise these patients
        and the patients averaged over or drawn have the cohort's own values, and the average patient the reference or typical ones;
        a covariate of visits stands at its reference or typical value for all of them
    contrast: compare two groups, `{ covariate = "diagnosis", level = "PM", reference = "DM" }`: the difference of the two
        numbers, or their ratio for a ratio; patients are otherwise alike
    above, below: the threshold whose probability is printed beside the number (by default: any change for the better)
    """

    outcome: str
    population: Population = "population average"
    predicts: Predicts = "expected value"
    summary: Summary | None = None
    above: float | None = None
    below: float | None = None
    given: Given = field(default_factory=dict)
    contrast: Contrast | None = None

    neutral: ClassVar[float | None] = 0.0
    relative: ClassVar[bool] = False  # two groups are compared by their ratio

    def of(self, prediction: Prediction) -> np.ndarray:
        """(chain, draw) values in the estimand's unit."""
        c = self.contrast
        if c is None:
            return self.value(prediction, self.given)
        level = self.value(prediction, {**self.given, c.covariate: c.level})
        reference = self.value(prediction, {**self.given, c.covariate: c.reference})
        return level / reference if self.relative else level - reference

    @abstractmethod
    def value(self, prediction: Prediction, given: Given) -> np.ndarray:
        """(chain, draw) values of one group, in the estimand's unit."""

    @abstractmethod
    def unit(self, outcome_unit: str, time_unit: str) -> str:
        """The unit of the number."""

    @abstractmethod
    def sentence(self, label: str, time_unit: str) -> str:
        """What the number is, as the subject of a sentence."""

    @abstractmethod
    def times(self) -> tuple[float, ...]:
        """The times it looks at, in the study's unit."""

    def _level(self, prediction: Prediction, time: float, given: Given) -> np.ndarray:
        return prediction.level(self.outcome, time, self.population, self.summary, self.predicts, given)

    def threshold(self, better: str) -> tuple[str, float] | None:
        """("above" or "below", value) of the probability to print; None where there is no natural one."""
        if self.above is not None:
            return "above", self.above
        if self.below is not None:
            return "below", self.below
        neutral = 0.0 if self.neutral is None and self.contrast is not None else self.neutral
        if neutral is None:
            return None
        return ("above" if better == "higher" else "below"), neutral


@dataclass(frozen=True, kw_only=True)
class Between(Estimand):
    """An estimand that compares two times, `from` and `to`, in the study's unit."""

    from_: float = key("from")
    to: float

    def times(self) -> tuple[float, ...]:
        return (self.from_, self.to)

    def between(self, time_unit: str) -> str:
        return f"from {time_unit} {self.from_:g} to {self.to:g}"

    def _pair(self, prediction: Prediction, given: Given) -> tuple[Any, Any]:
        return self._level(prediction, self.from_, given), self._level(prediction, self.to, given)
