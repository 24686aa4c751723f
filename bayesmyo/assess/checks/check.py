"""The contract of a check, and its result."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from bayesmyo.inference.fit import Fit


@dataclass(frozen=True)
class CheckResult:
    """What one check says of a fit.

    Attributes
    ----------
    passed : bool
        Nothing speaks against the fit, or nothing was judged.
    sentence : str
        Why, and what to try.
    table : tuple of dict
        What it rests on, rows of plain values.
    outcomes : tuple of str
        Those whose numbers are not to be trusted where it failed; none named: all of them.
    by_outcome : mapping of str to str
        What the sentence says of each of them, where it speaks of them one by one.
    numbers : tuple of str
        The estimands and decisions that alone are not to be reported where it failed; what else is said of their
        outcomes stands.
    unjudged : str
        Why it has not judged anything, and so passed nothing: it "cannot", or the study has "nothing" of the kind.
    who : tuple of str
        What it says of single patients, by pseudonym: not for a report without `patient_level`.
    """

    name: str
    passed: bool
    sentence: str
    table: tuple[dict[str, Any], ...] = ()
    outcomes: tuple[str, ...] = ()
    by_outcome: Mapping[str, str] = field(default_factory=dict)
    numbers: tuple[str, ...] = ()
    unjudged: Literal["", "cannot", "nothing"] = ""
    who: tuple[str, ...] = ()


class Check(Protocol):
    """One way in which a fit may mislead."""

    @property
    def name(self) -> str:
        """What messages call it."""

    def run(self, fit: Fit) -> CheckResult:
        """Judge a fit."""
