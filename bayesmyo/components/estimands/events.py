"""Estimands of an event: who is free of it by a time, for how long, and how many there are."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from bayesmyo.components.estimands.estimand import Estimand, Given, Named, Prediction, Strategy
from bayesmyo.components.numbers import Number


@dataclass(frozen=True, kw_only=True)
class OfEvent(Estimand):
    """An estimand of a single event, from the start of treatment to the time `at`, as if nothing else ended follow-up.

    population: `these patients` are patients with these effects and covariates, who start again: what happened to them
        is in their effects and not repeated; `population average` averages over new patients
    """

    event: str
    at: float

    populations: ClassVar[tuple[str, ...]] = ("these patients", "average patient", "population average")
    allowed: ClassVar[tuple[Strategy, ...]] = ()

    @property
    def outcomes(self) -> tuple[str, ...]:
        return (self.event,)

    @property
    def events(self) -> tuple[str, ...]:
        return (self.event,)

    @property
    def of_event(self) -> str | None:
        return self.event

    @property
    def unspoken(self) -> str:
        return "what happens to one patient is an event or none"

    def faults(self) -> tuple[tuple[str, str, str, str], ...]:
        early = () if self.at > 0 else (("at", "must come after zero", f"{self.at:g}", ""),)
        what = "an event has no mean or median measurement"
        return early if self.summary is None else (*early, ("summary", what, f'"{self.summary}"', "leave it out"))

    def when(self) -> dict[str, float]:
        return {"at": self.at}

    def value(self, prediction: Prediction, given: Given) -> np.ndarray:
        return self._of(prediction, given)

    @abstractmethod
    def _of(self, prediction: Prediction, given: Given) -> np.ndarray: ...


@dataclass(frozen=True, kw_only=True)
class EventFree(OfEvent):
    """The probability of having had no `event` by the time `at`.

    In two groups (`contrast`) it is compared by its difference. Averaged over patients, not the patient with the
    average rate: the curve of a cohort, which Kaplan and Meier estimate.
    """

    kind: Literal["event free"] = "event free"
    neutral: ClassVar[float | None] = None
    bounded: ClassVar[bool] = True
    bare: ClassVar[bool] = True

    def _of(self, prediction: Prediction, given: Given) -> np.ndarray:
        return prediction.event(self.event, self.at, "free", self.population, given)

    def unit(self, named: Mapping[str, Named], time_unit: str) -> str:
        return "probability"

    def sentence(self, named: Mapping[str, Named], time_unit: str) -> str:
        return f"probability of no {named[self.event].label} by {time_unit} {self.at:g}"

    def possible(self) -> tuple[float, float]:
        return (-1.0, 1.0) if self.contrast else (0.0, 1.0)


@dataclass(frozen=True, kw_only=True)
class RestrictedMeanTime(OfEvent):
    """The mean time without the `event` up to the time `at`: the area under the curve of `event free`.

    Reference: Royston and Parmar (2013), https://doi.org/10.1186/1471-2288-13-152.
    """

    kind: Literal["restricted mean time"] = "restricted mean time"
    neutral: ClassVar[float | None] = None
    bounded: ClassVar[bool] = True

    def _of(self, prediction: Prediction, given: Given) -> np.ndarray:
        return prediction.event(self.event, self.at, "time", self.population, given)

    def unit(self, named: Mapping[str, Named], time_unit: str) -> str:
        return f"{time_unit}s"

    def sentence(self, named: Mapping[str, Named], time_unit: str) -> str:
        return f"mean time without {named[self.event].label} in the first {self.at:g} {time_unit}s"

    def possible(self) -> tuple[float, float]:
        return (-self.at, self.at) if self.contrast else (0.0, self.at)

    def amount(self, number: Number, time_unit: str) -> str:
        return f"{number} {time_unit}s"


@dataclass(frozen=True, kw_only=True)
class ExpectedEvents(OfEvent):
    """The mean number of events of a patient by the time `at`, of an event that recurs.

    In two groups by their difference, or with `by = "ratio"` by their ratio.
    """

    kind: Literal["expected events"] = "expected events"
    neutral: ClassVar[float | None] = None
    is_level: ClassVar[bool] = True
    bare: ClassVar[bool] = True

    def _of(self, prediction: Prediction, given: Given) -> np.ndarray:
        return prediction.event(self.event, self.at, "number", self.population, given)

    def unit(self, named: Mapping[str, Named], time_unit: str) -> str:
        return "ratio" if self.relative else "events"

    def sentence(self, named: Mapping[str, Named], time_unit: str) -> str:
        return f"mean number of events ({named[self.event].label}) by {time_unit} {self.at:g}"

    def possible(self) -> tuple[float, float] | None:
        return (-np.inf, np.inf) if self.contrast and not self.relative else (0.0, np.inf)

    def threshold(self, better: str) -> tuple[str, float] | None:
        return super().threshold("lower" if better == "higher" else "higher")
