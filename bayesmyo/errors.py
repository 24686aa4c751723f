"""Every error that bayesmyo raises on purpose.

    BayesmyoError                 exit code
    ├── InputError                2   something the user gave cannot be used
    │   ├── StudyError                the study file (all its faults at once)
    │   ├── CohortError               the table (all its faults, with lines and columns)
    │   └── UsageError                an argument, or two that do not go together
    ├── EngineError               1   sampling could not start or did not finish
    ├── Incomplete                3   long work stopped before its end; the same command goes on
    └── StorageError              4   a file is full, locked, corrupt, of another version, or not ours

Anything else that reaches the user is a bug of ours (exit code 70).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher, get_close_matches
from pathlib import PurePath

from bayesmyo.limits import CANDIDATES, COMPARED, LISTED


@dataclass(frozen=True)
class Fault:
    """One thing wrong with an input: where it is, what it is, what was found, how to mend it.

    code: its entry in the catalogue of what a table can get wrong, where it has one
    """

    where: str
    what: str
    got: str = ""
    mend: str = ""
    code: str = ""

    def __str__(self) -> str:
        parts = [f"{self.where}: {self.what}"]
        if self.got:
            parts.append(f"got {self.got}")
        if self.mend:
            parts.append(self.mend)
        text = printable("; ".join(parts))
        text = text if text.endswith(("?", ".")) else text + "."
        return f"{text} [{self.code}]" if self.code else text


class BayesmyoError(Exception):
    """The root. `exit_code` is what the command line returns.

    Examples
    --------
    >>> try:
    ...     bayesmyo.find_study("ivgi")
    ... except bayesmyo.BayesmyoError as error:
    ...     print(error.exit_code, error)
    2 ivgi: study: is neither a bundled study nor a file; did you mean "ivig"?
    """

    exit_code = 70


class InputError(BayesmyoError):
    """Something the user gave cannot be used. `faults` holds every reason, in reading order."""

    exit_code = 2

    def __init__(self, source: str, faults: Sequence[Fault]):
        self.source = source
        self.faults = tuple(faults)
        super().__init__(source, self.faults)

    def __str__(self) -> str:
        if len(self.faults) == 1:
            return f"{self.source}: {self.faults[0]}"
        lines = "\n".join(f"  {n}. {fault}" for n, fault in enumerate(self.faults, 1))
        return f"{self.source}: {len(self.faults)} faults\n{lines}"


class StudyError(InputError):
    """The study file cannot be understood."""


class CohortError(InputError):
    """The table cannot be read as the study declares it."""


class UsageError(InputError):
    """An argument cannot be used."""

    def __init__(self, where: str, what: str, got: str = "", mend: str = ""):
        super().__init__("usage", [Fault(where, what, got, mend)])

    def __str__(self) -> str:
        return str(self.faults[0])


class EngineError(BayesmyoError):
    """The engine could not start or did not finish; the message names the reason it gave."""

    exit_code = 1


class Incomplete(BayesmyoError):
    """Long work stopped before its end. What was finished is kept, and the same command goes on with the rest."""

    exit_code = 3


class StorageError(BayesmyoError):
    """A file cannot be written, or what was read is not what was written."""

    exit_code = 4


def printable(text: str) -> str:
    """Text with control characters made visible, so that no name in a file drives the terminal."""
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)


def must_be(kind: type, where: str, got: object, mend: str) -> None:
    """Raises UsageError for an argument that is of another kind, such as a path where what it holds is wanted."""
    if not isinstance(got, kind):
        shown = f'"{got}"' if isinstance(got, str | PurePath) else f"a {type(got).__name__}"
        raise UsageError(where, f"must be a {kind.__name__}", shown, mend)


def did_you_mean(got: str, allowed: Sequence[str]) -> str:
    """`did you mean "x"?` for a near miss, otherwise the allowed words: those that can be compared in a moment, and
    listed in a line.

    Of two that are as near, neither is named.
    """
    short = [word for word in allowed if len(word) <= COMPARED][:CANDIDATES] if len(got) <= COMPARED else []
    near = get_close_matches(got, short, n=2, cutoff=0.6)
    if near and len({SequenceMatcher(None, word, got).ratio() for word in near}) == len(near):
        return f'did you mean "{near[0]}"?'
    return allowed_words(allowed)


def allowed_words(allowed: Sequence[str]) -> str:
    """`allowed: a, b, c`, so many as go into a line; nothing where none is."""
    more = f" and {len(allowed) - LISTED} more" if len(allowed) > LISTED else ""
    return "allowed: " + ", ".join(allowed[:LISTED]) + more if allowed else ""
