"""The question: an immutable Study, whose fields are the keys of the TOML file."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from bayesmyo.components.component import Coefficient, Scale
from bayesmyo.components.decisions import Decision
from bayesmyo.components.estimands import Estimand
from bayesmyo.components.families import Family
from bayesmyo.components.trajectories import Trajectory

MONTHS_PER = {
    "minute": 1 / 43830,
    "hour": 1 / 730.5,
    "day": 1 / 30.4375,
    "week": 7 / 30.4375,
    "month": 1.0,
    "year": 12.0,
}


@dataclass(frozen=True, kw_only=True)
class Time:
    """The time column. unit: in the singular ("month"); typical: a typical follow-up in that unit."""

    column: str
    unit: str
    label: str = ""
    typical: float | None = None


@dataclass(frozen=True, kw_only=True)
class DataFormat:
    """How the table is written. missing: cells that mean "not measured" (an empty cell always does)."""

    delimiter: str = ","
    decimal: Literal[".", ","] = "."
    encoding: str = "utf-8"
    missing: tuple[str, ...] = ("NA",)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One measured outcome.

    typical: a plausible baseline, in the outcome's unit
    scale: a plausible spread between patients, in the outcome's unit (a ratio above 1 where the family works on the log)
    better: the direction of benefit; effects: the coefficients in which patients differ (default: all that can)
    censoring: "as typed" once cells such as `<20` and `>2000` may occur
    minimum, maximum: the legal range of a measurement; values outside are refused
    parameterisation: how patient effects are sampled; "auto" integrates them out wherever that is exact
    """

    column: str
    label: str = ""
    unit: str
    better: Literal["higher", "lower"]
    typical: float
    scale: float
    family: Family
    trajectory: Trajectory
    effects: tuple[str, ...] | None = None
    priors: Mapping[str, str] = field(default_factory=dict)
    censoring: Literal["as typed"] | None = None
    minimum: float | None = None
    maximum: float | None = None
    parameterisation: Literal["auto", "integrated", "centred", "non-centred"] = "auto"


@dataclass(frozen=True, kw_only=True)
class FollowUp:
    """Potential follow-up, gamma distributed, in the time unit; nobody is followed beyond `maximum`."""

    mean: float
    sd: float
    maximum: float


@dataclass(frozen=True, kw_only=True)
class Visits:
    """Planned visit times, then one every `then_every`; each but the first is moved by a normal jitter of that SD."""

    first: tuple[float, ...]
    then_every: float
    jitter: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Loss:
    """Loss to follow-up at a constant hazard per unit of time."""

    hazard: float


@dataclass(frozen=True, kw_only=True)
class Design:
    """What a simulated cohort looks like. missing: the share of cells, baseline excepted, that nobody filled in."""

    patients: int
    follow_up: FollowUp
    visits: Visits
    loss: Loss | None = None
    missing: float = 0.0


@dataclass(frozen=True)
class Scenario:
    """A truth to simulate from: values[outcome][parameter], levels in outcome units, SDs on the link scale.

    like: the scenario whose values hold where none is given here.
    """

    values: Mapping[str, Mapping[str, float]]
    like: str | None = None
    title: str = ""


@dataclass(frozen=True, kw_only=True)
class Study:
    """The question, as read from a TOML file. `text` is that file, word for word.

    patient: the column that says who; interval: the mass of every printed interval, equal-tailed
    treatment: what all patients receive; a change is then called a change during it, never its effect
    correlate: whether a patient's effects on one outcome are correlated
    """

    title: str
    patient: str
    time: Time
    treatment: str = ""
    interval: float = 0.95
    correlate: Literal["within outcomes", "none"] = "within outcomes"
    data: DataFormat = field(default_factory=DataFormat)
    outcomes: Mapping[str, Outcome]
    estimands: Mapping[str, Estimand] = field(default_factory=dict)
    decisions: Mapping[str, Decision] = field(default_factory=dict)
    design: Design | None = None
    scenarios: Mapping[str, Scenario] = field(default_factory=dict)
    text: str = field(default="", compare=False, repr=False)

    def label(self, outcome: str) -> str:
        return self.outcomes[outcome].label or outcome

    def scale(self, outcome: str) -> Scale:
        """The clinical scale of an outcome, on its family's link scale."""
        o = self.outcomes[outcome]
        months = MONTHS_PER.get(self.time.unit)
        typical = self.time.typical or (self.design.follow_up.mean if self.design else None)
        return Scale(
            typical=float(o.family.link(o.typical)),
            spread=o.family.spread(o.scale),
            unit=o.unit,
            time_unit=self.time.unit,
            follow_up=typical,
            month=1 / months if months else None,
        )

    def coefficients(self, outcome: str) -> tuple[Coefficient, ...]:
        """The coefficients of an outcome's trajectory, in order."""
        return self.outcomes[outcome].trajectory.coefficients(self.scale(outcome))

    def effects(self, outcome: str) -> tuple[str, ...]:
        """The coefficients in which patients differ, in the trajectory's order."""
        chosen = self.outcomes[outcome].effects
        varying = [c.name for c in self.coefficients(outcome) if c.may_vary]
        return tuple(name for name in varying if chosen is None or name in chosen)
