"""What a failed check forbids to say, and why."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar, Protocol

from bayesmyo.assess.checks import CheckResult


class Sentenced(Protocol):
    """Any result with a sentence that may be repeated unless it is withheld, and the outcomes of which it speaks."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def name(self) -> str: ...

    @property
    def sentence(self) -> str: ...

    @property
    def withheld(self) -> bool: ...

    @property
    def outcomes(self) -> tuple[str, ...]: ...


def withhold[T: Sentenced](rows: list[T], failed: Sequence[CheckResult]) -> list[T]:
    """Withhold every row that speaks of the outcomes of a failed check; its sentence is then the reason.

    A failed check that names no outcome speaks of all of them; one that names numbers, of those alone.

    Parameters
    ----------
    rows : list
        Results with a sentence.
    failed : sequence of CheckResult
        The checks that have failed.

    Returns
    -------
    list
        The same rows, in the same order.
    """
    own = {name: f"withheld: {r.sentence}" for r in failed for name in r.numbers}

    def why(row: T) -> str:
        return reasons(row.outcomes, failed) or ("" if row.withheld else own.get(row.name, ""))

    return [replace(row, sentence=reason, withheld=True) if (reason := why(row)) else row for row in rows]


def reasons(outcomes: Sequence[str], failed: Sequence[CheckResult]) -> str:
    """Why nothing is said of these outcomes; empty where it may be. Of a check, what it says of them alone."""
    whys = [
        " ".join(r.by_outcome[o] for o in outcomes if o in r.by_outcome) or r.sentence
        for r in forbidding(outcomes, failed)
    ]
    return "withheld: " + " ".join(whys) if whys else ""


def forbidding(outcomes: Sequence[str], failed: Sequence[CheckResult]) -> list[CheckResult]:
    """The failed checks because of which nothing is said of these outcomes."""
    return [r for r in failed if not r.numbers and (not r.outcomes or set(r.outcomes) & set(outcomes))]
