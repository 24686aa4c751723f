"""The share of patients who meet criteria at one time."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import numpy as np

from bayesmyo.components.estimands.criteria import Criteria, Criterion, free_words, in_words
from bayesmyo.components.estimands.estimand import FAILS, STOPS, Estimand, Given, Named, Prediction, Strategy


@dataclass(frozen=True, kw_only=True)
class Share(Estimand):
    """The share of patients who meet all `criteria` at the time `at`, outcomes taken together in each patient.

    criteria: by outcome, `{ mrc = { of = "change", at_least = 0.5 }, cpk = { at_most = 200 } }`; a change or a ratio is
        against the time `from`
    population: `these patients`, all of them, those lost to follow-up too; or `population average`, the probability for
        a new patient, by quasi-Monte Carlo over new patients
    predicts: `expected value`, each patient's trajectory as the family reports it (the median of a log-normal outcome,
        the mean of others); or `measurement`, with the scatter of a measurement around it
    free: events of which a patient must be free, by a time each, `{ relapse = 24, lost = 24 }`: who had one counts as
        not meeting the criteria (the composite strategy of ICH E9(R1), which `events` may ask for, too: then the time
        is `at`). Each patient counts by the own probability of that, given effects and covariates, from time zero;
        several events are independent given these
    """

    kind: Literal["share"] = "share"
    criteria: Criteria
    at: float
    from_: float = field(default=0.0, metadata={"key": "from"})
    free: Mapping[str, float] = field(default_factory=dict)

    neutral: ClassVar[float | None] = None
    bounded: ClassVar[bool] = True
    bare: ClassVar[bool] = True
    populations: ClassVar[tuple[str, ...]] = ("these patients", "population average")
    measured: ClassVar[tuple[str, ...]] = populations
    allowed: ClassVar[tuple[Strategy, ...]] = (*Estimand.allowed, STOPS, FAILS)

    @property
    def outcomes(self) -> tuple[str, ...]:
        return tuple(self.criteria)

    @property
    def events(self) -> tuple[str, ...]:
        return (*self.must_be_free, *self.stops)

    @property
    def counted_by(self) -> Criteria:
        return self.criteria

    @property
    def must_be_free(self) -> dict[str, float]:
        """Events of which a patient must be free, and until when."""
        return {**self.free, **{event: self.at for event, s in self.strategies.items() if s == FAILS}}

    @property
    def settled(self) -> tuple[str, ...]:
        return (*self.free, *self.strategies)

    @property
    def compares(self) -> bool:
        return any(c.compares for c in self.criteria.values())

    @property
    def followed(self) -> tuple[str, ...]:
        return tuple(outcome for outcome, c in self.criteria.items() if c.compares)

    @property
    def whom(self) -> str:
        return "among these patients" if self.population == "these patients" else "among all such patients"

    @property
    def unspoken(self) -> str:
        return "one patient has no share"

    def asks(self) -> Mapping[str, tuple[str, Criterion]]:
        return {f"criteria.{outcome}": (outcome, c) for outcome, c in self.criteria.items()}

    def faults(self) -> tuple[tuple[str, str, str, str], ...]:
        said = []
        if not self.criteria:
            said.append(("criteria", "ask nothing", "", "write { strength = { at_least = 4.5 } }"))
        if self.summary is not None:
            what = "criteria are judged on what each family reports"
            said.append(("summary", what, f'"{self.summary}"', "leave it out"))
        twice = "says a second time what is done about the event: free does"
        said += [
            (f"events.{e}", twice, f'"{self.strategies[e]}"', "leave one out")
            for e in self.free
            if e in self.strategies
        ]
        said += [(f"free.{e}", "must come after zero", f"{t:g}", "") for e, t in self.free.items() if t <= 0]
        return tuple(said)

    def value(self, prediction: Prediction, given: Given) -> np.ndarray:
        free = self.must_be_free
        return prediction.share(self.criteria, self.at, self.from_, self.population, self.predicts, given, free)

    def threshold(self, better: str) -> tuple[str, float] | None:
        return super().threshold("higher")

    def unit(self, named: Mapping[str, Named], time_unit: str) -> str:
        return "share of patients"

    def sentence(self, named: Mapping[str, Named], time_unit: str) -> str:
        before = f"{time_unit} {self.from_:g}"
        met = in_words(self.criteria, lambda outcome: (named[outcome].label, named[outcome].unit), before)
        measured = " measured" if self.predicts == "measurement" else ""
        free = free_words(self.must_be_free, lambda event: named[event].label, time_unit)
        return f"share of patients{measured} with {met}{',' if self.compares else ''} at {time_unit} {self.at:g}{free}"

    def when(self) -> dict[str, float]:
        return {"from": self.from_, "at": self.at} if self.compares else {"at": self.at}

    def possible(self) -> tuple[float, float]:
        return (-1.0, 1.0) if self.contrast else (0.0, 1.0)
