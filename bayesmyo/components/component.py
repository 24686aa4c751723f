"""What every word of the vocabulary shares: it is a frozen dataclass whose fields are its TOML keys."""

from dataclasses import dataclass, field
from typing import Any, Literal

from bayesmyo.components.priors import Prior


class Component:
    """Base of families, trajectories, estimands and decisions.

    A component is one frozen dataclass in one file. Its fields are its TOML keys (read strictly:
    no unknown key, no text where a number belongs, no NaN or infinity); its methods are all that the word means.
    """

    kind: str


def key(name: str) -> Any:
    """A required field whose TOML key is not a Python name: `from_: float = key("from")`."""
    return field(metadata={"key": name})


@dataclass(frozen=True)
class Scale:
    """The clinical scale of one outcome, on the link scale of its family; default priors are set on it.

    typical: a plausible baseline (log IU/L for a log-scale outcome declared in IU/L)
    spread: a plausible standard deviation between patients (a log ratio where the link is the log)
    unit, time_unit: as declared; follow_up: a typical follow-up in the time unit (None if not declared)
    month: the length of one month in the time unit (None where the unit is not a calendar unit)
    """

    typical: float
    spread: float
    unit: str
    time_unit: str
    follow_up: float | None = None
    month: float | None = None


Nature = Literal["level", "difference", "rate", "duration"]


@dataclass(frozen=True)
class Coefficient:
    """One number that shapes a trajectory.

    nature: `level` (in outcome units), `difference` (between two levels), `rate` (per unit of time) or
    `duration` (a time; enters the curve non-linearly, so patients cannot differ in it)
    prior: the default prior on the link scale, or None where the study must state one (`needs` says what is missing)
    """

    name: str
    nature: Nature
    prior: Prior | None
    needs: str = ""

    @property
    def may_vary(self) -> bool:
        return self.nature != "duration"
