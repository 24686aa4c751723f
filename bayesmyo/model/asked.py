"""What a prediction may be asked: its words, names and times, checked before anything is computed."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, get_args

import numpy as np

from bayesmyo.components.estimands import Criterion
from bayesmyo.components.estimands.estimand import POPULATIONS, Given, Predicts, Summary
from bayesmyo.components.families import Family
from bayesmyo.errors import UsageError, did_you_mean
from bayesmyo.study.check_estimands import covariate_value
from bayesmyo.study.study import Study

SHARED_BY = ("these patients", "population average")  # one patient has no share


def known_outcome(study: Study, outcome: str) -> None:
    """Raises UsageError for a name that is no outcome of the study."""
    if not (isinstance(outcome, str) and outcome in study.outcomes):
        raise UsageError("outcome", "is not an outcome of this study", _shown(outcome), _words(outcome, study.outcomes))


def known_event(study: Study, event: str) -> None:
    """Raises UsageError for a name that is no event of the study."""
    if not (isinstance(event, str) and event in study.events):
        raise UsageError("event", "is not an event of this study", _shown(event), _words(event, study.events))


def known_population(population: str, predicts: str, allowed: Sequence[str] = POPULATIONS, measured: str = "") -> None:
    """Raises UsageError for a population or a kind of prediction that is unknown, or for two that do not go together.

    measured: the one population whose measurements are predicted; all where it is empty
    """
    _one_of("population", population, allowed)
    _one_of("predicts", predicts, get_args(Predicts))
    if predicts == "measurement" and measured and population != measured:
        what = f"a measurement is predicted for a {measured} only"
        raise UsageError("predicts", what, f'population "{population}"', f'write population="{measured}"')


def known_summary(family: Family, summary: str | None, predicts: str) -> None:
    """Raises UsageError for a summary that is unknown, or that the family does not have."""
    if summary is None:
        return
    _one_of("summary", summary, get_args(Summary))
    if predicts == "measurement":
        raise UsageError("summary", "a measurement is one value: it has no summary", f'"{summary}"', "leave it out")
    if summary == "median" and not family.geometric and not family.additive:
        what = f"is the mean for the family {family.kind}"
        raise UsageError("summary", what, '"median"', "leave it out: levels are expected values")


def known_given(study: Study, given: Given) -> None:
    """Raises UsageError for a covariate or a level that the study does not declare."""
    if not isinstance(given, Mapping):
        raise UsageError("given", "must be a dict of covariate values", _shown(given), 'write given={"age": 60}')
    for name, value in given.items():
        c = study.covariates.get(name)
        for fault in covariate_value("given", name, str(value) if c and c.levels else value, study.covariates):
            raise UsageError(fault.where, fault.what, fault.got, fault.mend)


def known_criteria(study: Study, criteria: Any) -> None:
    """Raises UsageError for criteria of what is no outcome, or that are not criteria."""
    for outcome, c in criteria.items():
        known_outcome(study, outcome)
        if not isinstance(c, Criterion):
            mend = "ask an estimand of kind share of the study, or give a bayesmyo.components.estimands.Criterion"
            raise UsageError(f"criteria.{outcome}", "is not a criterion", _shown(c), mend)


def _last(values: list[Any]) -> Any:
    """Arrays beside each other, along a last axis."""
    return np.stack(values, axis=-1)


def last_of_each(values: list[Any]) -> Any:
    """The same of dicts of arrays."""
    return {k: _last([v[k] for v in values]) for k in values[0]}


def at_times[T](
    time: Any, shape: tuple[int, ...], function: Callable[[Any], T], stacked: Callable[[list[T]], T] = _last
) -> T:
    """What a function says at one time, at a time for each draw (of the shape of the truth), or at each of several.

    Raises UsageError.
    """
    try:
        given = np.asarray(time, dtype=float)
    except (TypeError, ValueError):
        raise UsageError("time", "must be a number or several, in the study's unit of time", _shown(time)) from None
    if not np.all(np.isfinite(given)) or not given.size:
        raise UsageError("time", "must be finite, and at least one", _shown(time))
    if not given.ndim:
        return function(float(given))
    if given.shape == shape:
        return function(given)
    if given.ndim > 1:
        what = f"must be one time, a list of them, or one for each draw {shape}"
        raise UsageError("time", what, f"an array of shape {given.shape}")
    return stacked([function(float(t)) for t in given])


def _one_of(where: str, got: Any, allowed: Sequence[str]) -> None:
    if not (isinstance(got, str) and got in allowed):
        raise UsageError(where, "is not one of its words", _shown(got), _words(got, allowed))


def _words(got: Any, allowed: Collection[str]) -> str:
    """All words that are understood, and which of them was perhaps meant."""
    words, near = "allowed: " + ", ".join(allowed), did_you_mean(str(got).lower(), [*allowed])
    return words if near.startswith("allowed") else f"{words}; {near}"


def _shown(got: Any) -> str:
    text = f'"{got}"' if isinstance(got, str) else repr(got)
    return text if len(text) <= 60 else f"{text[:57]}..."
