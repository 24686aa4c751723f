"""What `power` and `calibrate` are handed from Python: checked before any work, with the call that was meant."""

import math
import multiprocessing
from collections.abc import Callable, Iterable, Mapping, Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np

from bayesmyo.errors import UsageError
from bayesmyo.inference.arguments import known_study
from bayesmyo.inference.fit import known_fit


def texts(name: str, given: Any) -> tuple[str, ...]:
    """A list of texts. Raises UsageError for what is none."""
    return _listed(name, given, "texts", lambda value: isinstance(value, str))


def whole_numbers(name: str, given: Any) -> tuple[int, ...]:
    """A list of whole numbers. Raises UsageError for what is none."""
    return tuple(int(value) for value in _listed(name, given, "whole numbers", lambda value: _number(value, Integral)))


def numbers(name: str, given: Any) -> tuple[float, ...]:
    """A list of numbers. Raises UsageError for what is none."""
    return tuple(float(value) for value in _listed(name, given, "finite numbers", lambda value: _number(value, Real)))


def schedules(name: str, given: Any) -> tuple[tuple[float, ...], ...]:
    """A list of schedules, each a list of times. Raises UsageError for what is none."""
    if isinstance(given, Iterable) and not isinstance(given, str):
        given = tuple(given)
        if given and all(_number(value, Real) for value in given):
            what = "must be a list of schedules, each a list of times"
            raise UsageError(name, what, repr(given), f"write ({given!r},)")
    found = _listed(name, given, "schedules, each a list of times", _times)
    return tuple(numbers(name, value) for value in found)


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


def _listed(name: str, given: Any, what: str, one: Callable[[Any], bool]) -> tuple[Any, ...]:
    """A list of what `one` accepts; a lone one may have been meant."""
    lone = isinstance(given, np.ndarray) and given.ndim == 0
    if lone or isinstance(given, str | Mapping) or not isinstance(given, Iterable):
        raise UsageError(name, f"must be a list of {what}", repr(given), f"write ({given!r},)" if one(given) else "")
    found = tuple(given)
    for value in found:
        if not one(value):
            raise UsageError(name, f"must be {what}", repr(value))
    return found


def _times(value: Any) -> bool:
    """Whether a value is a list of something."""
    several = value.ndim == 1 if isinstance(value, np.ndarray) else isinstance(value, Sequence)
    return several and not isinstance(value, str) and len(value) > 0


def _number(value: object, kind: type[Any]) -> bool:
    """Whether a value is a finite number of a kind; a yes or no is none."""
    return isinstance(value, kind) and not isinstance(value, bool) and math.isfinite(value)
