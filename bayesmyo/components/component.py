"""What every word of the vocabulary shares: it is a frozen dataclass whose fields are its TOML keys."""

from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from bayesmyo.components.priors import Prior


class Component:
    """Base of families, trajectories, estimands and decisions.

    A component is one frozen dataclass in one file. Its fields are its TOML keys (read strictly:
    no unknown key, no text where a number belongs, no NaN or infinity); its methods are all that the word means.
    """

    kind: str
    also: ClassVar[tuple[str, ...]] = ()  # what else it is called: whoever writes that is told the word


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


Nature = Literal["level", "difference", "rate", "duration", "shape"]


@dataclass(frozen=True)
class Coefficient:
    """One number that shapes a trajectory.

    nature: `level` (in outcome units), `difference` (between two levels) or `rate` (per unit of time), which enter the
        curve linearly; `duration` (a time) and `shape` (no unit), which do not
    prior: the default prior on the link scale, or None where the study must state one (`needs` says what is missing)
    per: how many of the coefficient's units pass over a typical follow-up (31 months for a rate per month, log(32) for
        one per e-fold of 1 + time, 1 for a level); default priors of patients' SDs and of moderators are divided by it
    bare: a positive shape that is a pure number, not an SD on the link scale
    fixed: the value of a coefficient that is no parameter, because the family's own thresholds say where the level is
    """

    name: str
    nature: Nature
    prior: Prior | None
    needs: str = ""
    per: float = 1.0
    fixed: float | None = None
    bare: bool = False

    @property
    def linear(self) -> bool:
        return self.nature in ("level", "difference", "rate")

    @property
    def may_vary(self) -> bool:
        """Whether patients may differ in it: normally where it is linear, log-normally in a duration."""
        return self.nature != "shape"
