"""Kinds of values that an option may have: what may be handed over from Python, and how it is typed."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from numbers import Integral, Real
from pathlib import Path
from typing import Any

from bayesmyo.errors import UsageError, did_you_mean

ADD_UP = 1e-6  # how far from one shares may be that add up to it
Check = Callable[[str, Any], Any]  # (name, value) -> the value as it is used, or UsageError


def _any(_: str, value: Any) -> Any:
    return value


@dataclass(frozen=True)
class Kind:
    """check: of a value that is handed over; read: of what was typed, a `typed`; least: of a number that is typed."""

    check: Check = _any
    read: Check = _any
    typed: type | None = str
    least: float | None = None


# --- what may be handed over from Python, and what was meant


def _number(value: object, kind: type[Any]) -> bool:
    """Whether a value is a finite number of a kind; a yes or no is none."""
    return isinstance(value, kind) and not isinstance(value, bool) and math.isfinite(value)


def _times(value: Any) -> bool:
    """Whether a value is a list of numbers."""
    several = isinstance(value, Sequence) or getattr(value, "ndim", 0) == 1
    return several and len(value) > 0 and all(_number(v, Real) for v in value)


def _listed(what: str, one: Callable[[Any], bool], made: Callable[[Any], Any]) -> Check:
    """A list of what `one` accepts; a lone one may have been meant."""

    def check(name: str, given: Any) -> tuple[Any, ...]:
        lone = getattr(given, "ndim", 1) == 0
        if lone or one(given) or isinstance(given, str | Mapping) or not isinstance(given, Iterable):
            meant = f"write ({given!r},)" if one(given) else ""
            raise UsageError(name, f"must be a list of {what}", repr(given), meant)
        values = tuple(given)
        for value in values:
            if not one(value):
                raise UsageError(name, f"must be {what}", repr(value))
        return tuple(made(value) for value in values)

    return check


def share(name: str, given: Any, most: float = 1) -> Any:
    """A number between 0 and `most`, or nothing. Raises UsageError."""
    if given is not None and not (_number(given, Real) and 0 < given < most):
        got = f"{given:g}" if isinstance(given, float) else repr(given)
        raise UsageError(name, f"must lie between 0 and {most:g}", got)
    return given if given is None else float(given)


def _one_of(*words: str) -> Check:
    """One of these words, or nothing."""

    def check(name: str, given: Any) -> Any:
        if given is not None and given not in words:
            raise UsageError(name, "is unknown", repr(given), did_you_mean(str(given), words))
        return given

    return check


def _replicates(name: str, given: Any) -> int:
    if given == "auto":
        raise UsageError(name, "must be a whole number", '"auto"', "with mcse=0.02 a cell stops before, when it can")
    if not _number(given, Integral):
        raise UsageError(name, "must be a whole number", repr(given))
    return int(given)


def _seed(name: str, given: Any) -> int:
    if not _number(given, Integral) or given < 0:
        raise UsageError(name, "must be a whole number, not negative", repr(given))
    return int(given)


def weights(name: str, given: Any) -> Any:
    """Shares by name that add up to one, or nothing. Raises UsageError."""
    if given is None:
        return None
    mend = "such as null=0.5,paper=0.5"
    if not isinstance(given, Mapping) or not all(isinstance(k, str) for k in given):
        raise UsageError(name, "must be shares by the names of scenarios", repr(given), mend)
    for k, v in given.items():
        share(f"{name} {k}", v)
        if v is None:
            raise UsageError(f"{name} {k}", "must lie between 0 and 1", "None")
    if abs(sum(given.values()) - 1) > ADD_UP:
        raise UsageError(name, "must add up to 1", f"{sum(given.values()):g}", mend)
    return {k: float(v) for k, v in given.items()}


# --- what was typed


def _typed_texts(_: str, text: str) -> tuple[str, ...]:
    """`paper, null` as two texts."""
    return tuple(word for part in text.split(",") if (word := part.strip()))


def _typed_numbers(name: str, text: str) -> tuple[float, ...]:
    """`0.5,1` as numbers."""
    values = []
    for word in _typed_texts(name, text):
        try:
            values.append(float(word))
        except ValueError:
            raise UsageError(name, "must be numbers, separated by commas", f'"{word}"', "such as 0.5,1") from None
        if not math.isfinite(values[-1]):
            raise UsageError(name, "must be finite", f'"{word}"')
    if not values:
        raise UsageError(name, "names nothing", f'"{text}"')
    return tuple(values)


def _typed_whole(name: str, text: str) -> tuple[int, ...]:
    """`10,23,50` as whole numbers."""
    for word in _typed_texts(name, text):
        if not word.isdecimal():
            raise UsageError(name, "must be whole numbers, separated by commas", f'"{word}"', "such as 10,23,50")
    return tuple(int(v) for v in _typed_numbers(name, text))


def _typed_schedules(name: str, text: str) -> tuple[tuple[float, ...], ...]:
    """`0,6,12/0,3,6,12` as two schedules."""
    return tuple(_typed_numbers(name, part) for part in text.split("/") if part)


def _typed_weights(name: str, text: str) -> dict[str, float]:
    """`null=0.5,paper=0.5` as shares by name."""
    shares: dict[str, float] = {}
    for word in _typed_texts(name, text):
        key, equals, value = (part.strip() for part in word.partition("="))
        if not (key and equals) or key in shares:
            raise UsageError(
                name, "must name each scenario once with its share", f'"{word}"', "such as null=0.5,paper=0.5"
            )
        (shares[key],) = _typed_numbers(name, value)
    checked: dict[str, float] = weights(name, shares)
    return checked


def _typed_replicates(name: str, text: str) -> int | str:
    if text != "auto" and (not text.isdecimal() or int(text) < 1):
        raise UsageError(name, "must be a whole number above zero, or auto", f'"{text}"')
    return text if text == "auto" else int(text)


def _typed_shard(name: str, text: str) -> tuple[int, int]:
    """`2/8` as the second of eight parts."""
    number, slash, of = text.partition("/")
    if not (slash and number.isdecimal() and of.isdecimal() and 1 <= int(number) <= int(of)):
        raise UsageError(name, "must be i/n with i from 1 to n", f'"{text}"', "such as 2/8")
    return int(number), int(of)


# --- the kinds

WORD, PATH, YES = Kind(), Kind(typed=Path), Kind(typed=bool)
COUNT, SECONDS = Kind(typed=int, least=0), Kind(typed=float, least=1)
NEVER_TYPED = Kind(typed=None)
TEXTS = Kind(_listed("texts", lambda value: isinstance(value, str), str), _typed_texts)
TEXTS_OR_NONE = Kind(TEXTS.check, lambda name, text: () if text == "none" else _typed_texts(name, text))
WHOLE = Kind(_listed("whole numbers", partial(_number, kind=Integral), int), _typed_whole)
NUMBERS = Kind(_listed("finite numbers", partial(_number, kind=Real), float), _typed_numbers)
SCHEDULES = Kind(_listed("schedules, each a list of times", _times, lambda v: tuple(map(float, v))), _typed_schedules)
SHARE = Kind(share, share, float)
ERROR = Kind(partial(share, most=0.5), partial(share, most=0.5), float)
SOLVED = Kind(_one_of("threshold", "patients", "follow-up"))
REPLICATES = Kind(_replicates, _typed_replicates)
SEED = Kind(_seed, typed=int, least=0)
WEIGHTS = Kind(weights, _typed_weights)
SHARD = Kind(read=_typed_shard)
