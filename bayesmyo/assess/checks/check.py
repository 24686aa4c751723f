"""The contract of a check, and its result."""

from dataclasses import dataclass
from typing import Any, Protocol

from bayesmyo.model.fit import Fit


@dataclass(frozen=True)
class CheckResult:
    """passed, one sentence that says why and what to try, and the table it rests on (rows of plain values).

    outcomes: those whose numbers are not to be trusted where it failed; none named: all of them
    """

    name: str
    passed: bool
    sentence: str
    table: tuple[dict[str, Any], ...] = ()
    outcomes: tuple[str, ...] = ()


class Check(Protocol):
    """One way in which a fit may mislead."""

    @property
    def name(self) -> str: ...

    def run(self, fit: Fit) -> CheckResult: ...
