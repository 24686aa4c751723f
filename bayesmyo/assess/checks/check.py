"""The contract of a check, and its result."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from bayesmyo.inference.fit import Fit


@dataclass(frozen=True)
class CheckResult:
    """passed, one sentence that says why and what to try, and the table it rests on (rows of plain values).

    outcomes: those whose numbers are not to be trusted where it failed; none named: all of them
    numbers: the estimands and decisions that alone are not to be reported where it failed; what else is said of their outcomes stands
    unjudged: why it has not judged anything, and so passed nothing: it could not, or the study has nothing of the kind that it looks at
    by_outcome: what the sentence says of each of them, where it speaks of them one by one
    """

    name: str
    passed: bool
    sentence: str
    table: tuple[dict[str, Any], ...] = ()
    outcomes: tuple[str, ...] = ()
    by_outcome: Mapping[str, str] = field(default_factory=dict)
    numbers: tuple[str, ...] = ()
    unjudged: Literal["", "cannot", "nothing"] = ""


class Check(Protocol):
    """One way in which a fit may mislead."""

    @property
    def name(self) -> str: ...

    def run(self, fit: Fit) -> CheckResult: ...
