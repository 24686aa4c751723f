"""What `power` and `calibrate` are handed from Python: checked before any work, with the call that was meant."""

import math
import multiprocessing
from collections.abc import Iterable, Mapping
from numbers import Integral, Real
from typing import Any

import numpy as np

from bayesmyo.errors import UsageError
from bayesmyo.model.arguments import known_study
from bayesmyo.model.fit import known_fit


def texts(name: str, given: Any) -> tuple[str, ...]:
    """A list of texts. Raises UsageError for what is none."""
    found = _listed(name, given, "texts", str)
    for value in found:
        if not isinstance(value, str):
            raise UsageError(name, "must be texts", repr(value))
    return found


def whole_numbers(name: str, given: Any) -> tuple[int, ...]:
    """A list of whole numbers. Raises UsageError for what is none."""
    found = _listed(name, given, "whole numbers", Integral)
    for value in found:
        if not _number(value, Integral):
            raise UsageError(name, "must be whole numbers", repr(value))
    return tuple(int(value) for value in found)


def numbers(name: str, given: Any) -> tuple[float, ...]:
    """A list of numbers. Raises UsageError for what is none."""
    found = _listed(name, given, "numbers", Real)
    for value in found:
        if not _number(value, Real):
            raise UsageError(name, "must be finite numbers", repr(value))
    return tuple(float(value) for value in found)


def schedules(name: str, given: Any) -> tuple[tuple[float, ...], ...]:
    """A list of schedules, each a list of times. Raises UsageError for what is none."""
    found = _listed(name, given, "schedules")
    what = "must be a list of schedules, each a list of times"
    if found and all(_number(value, Real) for value in found):
        raise UsageError(name, what, repr(given), f"write ({found!r},)")
    for value in found:
        if isinstance(value, str) or not isinstance(value, Iterable):
            raise UsageError(name, what, repr(value))
    listed = tuple(numbers(name, value) for value in found)
    if () in listed:
        raise UsageError(name, "must each list a time or more", "()")
    return listed


def alone(workers: object) -> None:
    """A worker that reads the script which started it, and would start workers again, ends here: whoever started it says so."""
    if workers != 0 and getattr(multiprocessing.current_process(), "_inheriting", False):
        raise SystemExit(1)


def usable(study: object, fit: object, replicates: object, mcse: object, seed: object, analysis: object = None) -> None:
    """Raises UsageError for a path where what it holds is wanted, and for settings of the wrong kind."""
    known_study(study)
    if analysis is not None:
        known_study(analysis, "analysis")
    if fit is not None:
        known_fit(fit)
    if replicates == "auto":
        raise UsageError(
            "replicates", "must be a whole number", '"auto"', "with mcse=0.02 a cell stops before, when it can"
        )
    if not _number(replicates, Integral):
        raise UsageError("replicates", "must be a whole number", repr(replicates))
    if mcse is not None and not (_number(mcse, Real) and 0 < mcse < 0.5):  # type: ignore[operator]
        raise UsageError("mcse", "must lie between 0 and 0.5", repr(mcse))
    if not _number(seed, Integral) or seed < 0:  # type: ignore[operator]
        raise UsageError("seed", "must be a whole number, not negative", repr(seed))


def _listed(name: str, given: Any, what: str, kind: type[Any] = tuple) -> tuple[Any, ...]:
    """kind: of one of them, which may have been meant"""
    lone = isinstance(given, np.ndarray) and given.ndim == 0
    if lone or isinstance(given, str | Mapping) or not isinstance(given, Iterable):
        mend = f"write ({given!r},)" if isinstance(given, kind) else ""
        raise UsageError(name, f"must be a list of {what}", repr(given), mend)
    return tuple(given)


def _number(value: object, kind: type[Any]) -> bool:
    """Whether a value is a finite number of a kind; a yes or no is none."""
    return isinstance(value, kind) and not isinstance(value, bool) and math.isfinite(value)
