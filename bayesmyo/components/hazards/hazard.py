"""The contract of a hazard."""

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from math import inf
from typing import Any, ClassVar

from bayesmyo.components.component import Coefficient, Component, Scale
from bayesmyo.components.families.link import Link
from bayesmyo.components.priors import Prior, normal

FRAILTY = "frailty"
WIDTH = 1.0  # SD of the default prior of a log hazard: typical within a factor of 7 either way (95 %)


class Rate(Link):
    """Events per unit of time, on the log; what shifts it is told as a hazard ratio."""

    link_name: ClassVar[str] = "log"
    table: ClassVar[str] = "events"
    kind: ClassVar[str] = "hazard"
    geometric: ClassVar[bool] = True
    normal: ClassVar[bool] = False
    ratio: ClassVar[str] = "hazard ratio"

    def check(self, values: Any) -> Any:
        return values > 0

    def support(self) -> str:
        return "a positive number"

    def in_unit(self, name: str) -> bool:
        return False

    def part(self, name: str) -> Link:
        """The link of its one predictor."""
        return self

    def always(self, name: str) -> bool:
        """No patient differs in a hazard unless the study says so."""
        return False

    def parameters(self, scale: Scale) -> dict[str, Prior]:
        """It has none beyond the predictor's."""
        return {}

    def mean_has_moments(self) -> bool:
        """Whether the mean over patients has a posterior mean: not where they differ log-normally by an SD that is not
        known."""
        return False

    def joint(self, name: str, text: str) -> None:
        """No prior of it is one of several parameters."""


class Hazard(Component):
    """How the log of the rate of an event goes with time, before anything is known of a patient.

    In place of the trajectory of an outcome; the last coefficient is what a patient adds to it, a frailty.
    """

    moves: ClassVar[bool] = False
    start: ClassVar[float] = -inf

    @property
    @abstractmethod
    def sentence(self) -> str:
        """What follows the event's name in words."""

    @property
    @abstractmethod
    def formula(self) -> str:
        """The hazard in formula; `t` is the study's time."""

    @property
    @abstractmethod
    def elsewhere(self) -> str:
        """What to try where events come sooner or later than it says."""

    @abstractmethod
    def own(self, scale: Scale) -> tuple[Coefficient, ...]:
        """Its coefficients in order, with default priors on the log."""

    @abstractmethod
    def curve(self, t: Any, coefficients: Mapping[str, Any], xp: Any) -> Any:
        """The log hazard at times t. It is linear in every coefficient but shapes; `xp` is `numpy` or
        `pytensor.tensor`."""

    def coefficients(self, scale: Scale) -> tuple[Coefficient, ...]:
        """All of them, the frailty last: a level that is zero in the typical patient."""
        return (*self.own(scale), Coefficient(FRAILTY, "level", None, fixed=0.0))

    def placed(self, follow_up: float | None) -> "Hazard":
        """The same for a study whose typical follow-up is known."""
        return self

    @property
    def written(self) -> str:
        return self.formula

    def planned(self, t: float) -> bool:
        """Whether it says anything of a time."""
        return True

    def visits_planned(self) -> tuple[float, ...]:
        """Of an outcome the times of planned visits."""
        return ()

    def knots(self) -> tuple[float, ...]:
        """Times at which it may jump."""
        return ()

    @property
    def pole(self) -> bool:
        """Whether it may be infinite at time zero, where quadrature needs smaller steps."""
        return False

    def faults(self) -> Iterable[tuple[str, str]]:
        """(key, what is wrong) of fields that do not go together."""
        return ()


def rate(scale: Scale, name: str = "hazard") -> Coefficient:
    """A log hazard; by default Normal(log typical, 1)."""
    known = scale.typical == scale.typical
    return Coefficient(name, "level", normal(scale.typical, WIDTH) if known else None, needs="typical")
