"""What `fit` is handed: checked before any work, with the call that was meant."""

from collections.abc import Mapping
from dataclasses import fields
from numbers import Integral
from pathlib import PurePath

import pandas as pd

from bayesmyo.cohort.cohort import Cohort
from bayesmyo.errors import UsageError, did_you_mean, must_be
from bayesmyo.inference.engines import Sampling, known_engine
from bayesmyo.study.study import Study


def usable(study: object, cohort: object, sampling: object, unknown: Mapping[str, object]) -> None:
    """Raises UsageError for a path where what it holds is wanted, and for an argument that there is not."""
    known_study(study)
    if isinstance(cohort, pd.DataFrame):
        mend = "read it first: bayesmyo.cohort_from_frame(study, frame)"
    else:
        mend = f"read it first: bayesmyo.read_cohort(study, {typed(cohort)})"
    must_be(Cohort, "cohort", cohort, mend)
    settings = [f.name for f in fields(Sampling)]
    for name, value in unknown.items():
        if name in settings:
            mend = f"write sampling=bayesmyo.Sampling({name}={value!r})"
            raise UsageError(name, "is a setting of the sampling", mend=mend)
        mend = did_you_mean(name, ["engine", "seed", "sampling", "progress", *settings])
        raise UsageError(name, "is no argument of fit", mend=mend)
    if sampling is not None:
        given = ", ".join(f"{k}={v!r}" for k, v in sampling.items()) if isinstance(sampling, dict) else "draws=1000"
        must_be(Sampling, "sampling", sampling, f"write sampling=bayesmyo.Sampling({given})")


def known_study(study: object, name: str = "study") -> None:
    """Raises UsageError for what is no Study, such as the path of one."""
    must_be(Study, name, study, f"read it first: bayesmyo.find_study({typed(study)})")


def typed(got: object) -> str:
    """A path as one types it."""
    return f'"{got}"' if isinstance(got, str | PurePath) else "path"


def in_range(engine: str, seed: int, sampling: Sampling) -> None:
    """Raises UsageError for an engine that there is not, and for settings out of range."""
    known_engine(engine)
    if not isinstance(seed, Integral):
        raise UsageError("seed", "must be a whole number", repr(seed))
    if seed < 0:
        raise UsageError("seed", "must not be negative", str(seed))
    least = {"draws": 4, "tune": 1, "chains": 1, "cores": 1, "every": 1}
    for name, minimum in least.items():
        value = getattr(sampling, name)
        if value is not None and not isinstance(value, Integral):
            raise UsageError(name, "must be a whole number", repr(value))
        if value is not None and value < minimum:
            raise UsageError(name, f"must be at least {minimum}", str(value))
    if sampling.adaptation not in ("diag", "low_rank"):
        raise UsageError("adaptation", "is unknown", f'"{sampling.adaptation}"', "allowed: diag, low_rank")
    if not 0 < sampling.target_accept < 1:
        raise UsageError("target_accept", "must lie between 0 and 1", f"{sampling.target_accept:g}")
