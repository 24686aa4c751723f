"""Criteria: what a patient's outcomes must satisfy at one time to belong to a group."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from bayesmyo.components.numbers import listing


@dataclass(frozen=True, kw_only=True)
class Criterion:
    """What one outcome must be: `at_least`, `at_most`, or between the two; both are inclusive.

    of: `level` at the time in question; `change`, that level minus the level at the time `from`; `ratio`, divided by it
    """

    of: Literal["level", "change", "ratio"] = "level"
    at_least: float | None = None
    at_most: float | None = None

    @property
    def compares(self) -> bool:
        """Whether it compares two times."""
        return self.of != "level"

    @property
    def limits(self) -> tuple[float, float]:
        """The least and the most that it may be."""
        least, most = self.at_least, self.at_most
        return -np.inf if least is None else least, np.inf if most is None else most

    def compared(self, later: np.ndarray, earlier: np.ndarray | None = None) -> np.ndarray:
        """What it looks at, of levels in outcome units; `earlier` are those at `from`, where two times are compared."""
        if self.of == "level":
            return later
        assert earlier is not None
        return later - earlier if self.of == "change" else later / earlier

    def met(self, later: np.ndarray, earlier: np.ndarray | None = None) -> np.ndarray:
        """Whether it is met by levels in outcome units; `earlier` are those at `from`, where two times are compared."""
        value, (least, most) = self.compared(later, earlier), self.limits
        return np.asarray((value >= least) & (value <= most))

    def words(self, label: str, unit: str, before: str) -> str:
        """`CPK at most 200 IU/L`, `mean MRC grade up by at least 0.5 grade since month 0`; `before` is the time
        `from`."""
        low, high = self.at_least, self.at_most
        if self.of == "change":
            return f"{label} {_moved(low, high, unit, before)}"
        after = f" {unit}" if self.of == "level" else f" times that at {before}"
        if low is not None and high is not None:
            return f"{label} from {low:g} to {high:g}{after}"
        return f"{label} at {f'least {low:g}' if low is not None else f'most {high:g}'}{after}"


Criteria = Mapping[str, Criterion]  # by outcome; all of them must be met


def all_met(criteria: Criteria, at: float, from_: float, level: Callable[[str, float], np.ndarray]) -> np.ndarray:
    """Whether patients meet every criterion at the time `at`; `level` gives an outcome's level of each patient at a
    time."""
    met = np.asarray(True)
    for outcome, c in criteria.items():
        met = met & c.met(level(outcome, at), level(outcome, from_) if c.compares else None)
    return met


def in_words(criteria: Criteria, called: Callable[[str], tuple[str, str]], before: str) -> str:
    """All criteria as one phrase; `called` gives an outcome's label and unit, `before` is the time `from`."""
    return listing([c.words(*called(outcome), before) for outcome, c in criteria.items()])


def free_words(free: Mapping[str, float], called: Callable[[str], str], time_unit: str) -> str:
    """Events of which a patient must be free, behind the criteria: `, and no relapse by month 24`."""
    return "".join(f", and no {called(event)} by {time_unit} {t:g}" for event, t in free.items())


def _moved(low: float | None, high: float | None, unit: str, before: str) -> str:
    if low is not None and high is not None:
        return f"changed by {low:g} to {high:g} {unit} since {before}"
    value = low if low is not None else high
    if value == 0:
        return f"no {'lower' if low is not None else 'higher'} than at {before}"
    assert value is not None
    bound = "least" if (low is not None) == (value > 0) else "most"
    return f"{'up' if value > 0 else 'down'} by at {bound} {abs(value):g} {unit} since {before}"
