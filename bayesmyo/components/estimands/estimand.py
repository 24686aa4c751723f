"""The contract of an estimand, and the four populations a number can speak of."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Protocol, get_args

import numpy as np

from bayesmyo.components.component import Component, key
from bayesmyo.components.estimands.criteria import Criteria, Criterion
from bayesmyo.components.numbers import Number, listing, significant

Population = Literal["these patients", "average patient", "new patient", "population average"]
Summary = Literal["median", "mean"]
Predicts = Literal["expected value", "measurement"]
Happens = Literal["free", "time", "number"]
Strategy = Literal["hypothetical", "composite", "while on treatment", "treatment policy"]
STOPS: Strategy = "while on treatment"
FAILS: Strategy = "composite"
SAID_OF = {  # before and after the events
    "hypothetical": ("had there been no ", ""),
    STOPS: ("at ", " where that came first"),
    "treatment policy": ("with or without ", ""),
}
POPULATIONS: tuple[str, ...] = get_args(Population)
WHOM = {
    "these patients": "in these patients", "average patient": "in the average patient",
    "new patient": "in a new patient", "population average": "on average over all such patients",
}  # fmt: skip
Given = Mapping[str, str | float]


@dataclass(frozen=True)
class Named:
    """How an outcome is called in the middle of a sentence, and its unit."""

    label: str
    unit: str


class Prediction(Protocol):
    """What an estimand may ask, one number for each truth or posterior draw (chain, draw)."""

    def level(
        self,
        outcome: str,
        time: float | np.ndarray,
        population: Population,
        summary: Summary | None,
        predicts: Predicts,
        given: Given,
    ) -> np.ndarray:
        """The level in outcome units, at one time or at a time for each draw."""
        ...

    def share(
        self, criteria: Criteria, at: float, from_: float, population: Population, predicts: Predicts, given: Given,
        free: Mapping[str, float],
    ) -> np.ndarray:  # fmt: skip
        """The share of patients who meet all criteria at a time, and are free of events by a time each."""
        ...

    def event(self, event: str, at: float, what: Happens, population: Population, given: Given) -> np.ndarray:
        """Of an event by a time: the probability of none, the mean time without, or the mean number."""
        ...


class Stoppable(Prediction, Protocol):
    """What an estimand is asked of: a prediction that may also stop where events come."""

    def stopped(self, events: tuple[str, ...]) -> Prediction:
        """The same where each patient stands, from the first of some events on, at the level there."""
        ...


@dataclass(frozen=True, kw_only=True)
class Contrast:
    """Two groups of patients who differ in one covariate: the number at `level` against the number at `reference`.

    by: compare levels by their `ratio` (of counts the rate ratio, of a log-normal outcome the ratio of geometric
        means); by default by their difference
    """

    covariate: str
    level: str | float
    reference: str | float
    by: Literal["ratio"] | None = None


@dataclass(frozen=True, kw_only=True)
class Estimand(Component):
    """One number, with its population and its time.

    population:
        `these patients`: the average over the cohort's own patients
        `average patient`: a patient whose effects are all zero
        `new patient`: one patient drawn afresh; `predicts` says whether the expected value or a measurement
        `population average`: the average over all patients who could be drawn
    summary: `median` (on a log scale the geometric mean) or `mean`; by default what the family reports
    given: covariate values that all patients are taken to have (`{ diagnosis = "PM", age = 60 }`); otherwise these
        patients and the patients averaged over or drawn have the cohort's own values, and the average patient the
        reference or typical ones; a covariate of visits stands at its reference or typical value for all of them
    contrast: compare two groups, `{ covariate = "diagnosis", level = "PM", reference = "DM" }`: the difference of the
        two numbers, or their ratio for a ratio; levels by their ratio too, with `by = "ratio"`; patients are otherwise
        alike
    events: what is done about events that come before the time it looks at, by event (the strategies of ICH E9(R1)):
        `hypothetical` (the default): the course had it not happened
        `composite`: who had it meets no criteria; of what has criteria alone
        `while on treatment`: the level at the event where that came first. These patients have what is known of their
            own events; who is still at risk, or comes anew, has a time of the event drawn with the own effects
        `treatment policy`: the course whatever happens, to which visits after the event belong (`after`)
    above, below: the threshold whose probability is printed beside the number (by default: any change for the better)
    """

    population: Population = "population average"
    predicts: Predicts = "expected value"
    summary: Summary | None = None
    above: float | None = None
    below: float | None = None
    given: Given = field(default_factory=dict)
    contrast: Contrast | None = None
    strategies: Mapping[str, Strategy] = field(default_factory=dict, metadata={"key": "events"})

    neutral: ClassVar[float | None] = 0.0
    is_level: ClassVar[bool] = False  # of an outcome that stands still it is the level itself
    difference_on: ClassVar[Literal["identity", "log"] | None] = (
        None  # the scale on which it is a difference of two levels
    )
    per_time: ClassVar[bool] = False  # that difference is told per unit of time
    bare: ClassVar[bool] = False  # it is told without its unit
    bounded: ClassVar[bool] = False  # its posterior has a mean and an SD whatever the family
    populations: ClassVar[tuple[str, ...]] = POPULATIONS  # of which it can speak
    measured: ClassVar[tuple[str, ...]] = ("new patient",)  # whose measurements it can predict
    allowed: ClassVar[tuple[Strategy, ...]] = ("hypothetical", "treatment policy")  # strategies that it can follow

    @property
    def relative(self) -> bool:
        """Whether it is a ratio: two groups are compared by dividing, and one is no effect."""
        return self.contrast is not None and self.contrast.by == "ratio"

    @property
    def divides(self) -> bool:
        """Whether it is the ratio of two levels: their difference on the log."""
        return self.difference_on == "log"

    @property
    def no_effect(self) -> float | None:
        """The value that means no effect; None where there is none."""
        if self.relative:
            return 1.0
        return 0.0 if self.neutral is None and self.contrast is not None else self.neutral

    @property
    @abstractmethod
    def outcomes(self) -> tuple[str, ...]:
        """Names of the outcomes that it looks at."""

    @property
    def compares(self) -> bool:
        """Whether it compares two times: without a control arm, a change during treatment."""
        return False

    @property
    def followed(self) -> tuple[str, ...]:
        """Names of the outcomes that must have been followed over time, because it compares times of them or asks
        when."""
        return self.outcomes if self.compares else ()

    @property
    def events(self) -> tuple[str, ...]:
        """Names of the events that it looks at."""
        return self.stops

    @property
    def stops(self) -> tuple[str, ...]:
        """Names of the events at which a course stops."""
        return tuple(event for event, strategy in self.strategies.items() if strategy == STOPS)

    @property
    def settled(self) -> tuple[str, ...]:
        """Names of the events of which it says what is done about them."""
        return tuple(self.strategies)

    @property
    def of_event(self) -> str | None:
        """The event that it asks about; None where it looks at outcomes."""
        return None

    @property
    def amount_of(self) -> str | None:
        """The outcome whose level it reports, in units or as a ratio; None where it counts patients."""
        return None

    @property
    def whom(self) -> str:
        """In whom it is asked, inside a sentence."""
        return WHOM[self.population]

    @property
    def unspoken(self) -> str:
        """Why it cannot speak of a population that is not among its own."""
        return f"a {self.kind} estimand does not speak of it"

    def asks(self) -> Mapping[str, tuple[str, Criterion]]:
        """What levels must reach to count, (outcome, criterion) by the TOML key where that stands; "" where in keys of
        its own."""
        return {}

    def of(self, prediction: Stoppable) -> np.ndarray:
        """The number, or what it is in one group minus (divided by) what it is in the other.

        Returns
        -------
        ndarray of shape (chain, draw)
            In the estimand's unit.
        """
        c = self.contrast
        asked: Prediction = prediction.stopped(self.stops) if self.stops else prediction
        if c is None:
            return self.value(asked, self.given)
        level = self.value(asked, {**self.given, c.covariate: c.level})
        reference = self.value(asked, {**self.given, c.covariate: c.reference})
        return level / reference if self.relative else level - reference

    @abstractmethod
    def value(self, prediction: Prediction, given: Given) -> np.ndarray:
        """The number in one group.

        Parameters
        ----------
        given
            Covariate values that all patients are taken to have.

        Returns
        -------
        ndarray of shape (chain, draw)
            In the estimand's unit.
        """

    @abstractmethod
    def unit(self, named: Mapping[str, Named], time_unit: str) -> str:
        """The unit of the number; `named` says how each outcome is called."""

    @abstractmethod
    def sentence(self, named: Mapping[str, Named], time_unit: str) -> str:
        """What the number is, as the subject of a sentence."""

    def faults(self) -> tuple[tuple[str, str, str, str], ...]:
        """(key, what is wrong, what was got, how to mend it) of fields that do not go together; empty where it can be
        asked."""
        return ()

    def about_events(self, named: Mapping[str, Named]) -> str:
        """What is done about events, behind what the number is; "" where nothing is said of any."""
        of = {s: [named[e].label for e, own in self.strategies.items() if own == s] for s in SAID_OF}
        told = [listing(labels, "or").join(SAID_OF[s]) for s, labels in of.items() if labels]
        return f" ({'; '.join(told)})" if told else ""

    @property
    def counted_by(self) -> Criteria:
        """The criteria that a patient must meet to be counted; none where it counts no patients."""
        return {}

    @property
    def must_be_free(self) -> Mapping[str, float]:
        """Events of which a patient must be free to be counted, and until when."""
        return {}

    @abstractmethod
    def when(self) -> dict[str, float]:
        """The times it looks at, in the study's unit, by their TOML keys."""

    def times(self) -> tuple[float, ...]:
        """The times it looks at, in the study's unit."""
        return tuple(self.when().values())

    def possible(self) -> tuple[float, float] | None:
        """The ends of what the number can be, whatever the outcome; None where the outcome decides."""
        return None

    def amount(self, number: Number, time_unit: str) -> str:
        """The number with its unit, in a sentence."""
        return str(number) if self.bare or self.relative else f"{number} {number.unit}"

    def ends(self, lower: Number, upper: Number, time_unit: str) -> str:
        """The ends of its interval, in a sentence."""
        return f"{lower} to {upper}"

    def chance_of(self, direction: str, threshold: float, time_unit: str) -> str:
        """What the probability beside the number is of."""
        return f"it is {direction} {significant(threshold)}"

    def threshold(self, better: str) -> tuple[str, float] | None:
        """("above" or "below", value) of the probability to print; None where there is no natural one."""
        if self.above is not None:
            return "above", self.above
        if self.below is not None:
            return "below", self.below
        if self.no_effect is None:
            return None
        return ("above" if better == "higher" else "below"), self.no_effect


@dataclass(frozen=True, kw_only=True)
class OfOutcome(Estimand):
    """An estimand of a single outcome."""

    outcome: str

    @property
    def outcomes(self) -> tuple[str, ...]:
        return (self.outcome,)

    @property
    def amount_of(self) -> str | None:
        return self.outcome

    def _level(self, prediction: Prediction, time: float | np.ndarray, given: Given) -> np.ndarray:
        return prediction.level(self.outcome, time, self.population, self.summary, self.predicts, given)


@dataclass(frozen=True, kw_only=True)
class Between(OfOutcome):
    """An estimand of two times, `from` and `to`, in the study's unit; most are a difference of the levels there."""

    from_: float = key("from")
    to: float

    @property
    def compares(self) -> bool:
        return self.difference_on is not None

    def faults(self) -> tuple[tuple[str, str, str, str], ...]:
        late = f"must come after from, {self.from_:g}"
        return (("to", late, f"{self.to:g}", ""),) if self.to <= self.from_ else ()

    def when(self) -> dict[str, float]:
        return {"from": self.from_, "to": self.to}

    def between(self, time_unit: str) -> str:
        return f"from {time_unit} {self.from_:g} to {self.to:g}"

    def _pair(self, prediction: Prediction, given: Given) -> tuple[Any, Any]:
        return self._level(prediction, self.from_, given), self._level(prediction, self.to, given)
