"""What a small-sample frequentist analysis of the same cohort would have answered, beside every cell.

t test        on patients' own numbers (`own.py`), one-sample or two-sample, N - 1 or N - 2 degrees of freedom: exact
              for balanced data
mixed model   random intercept and slope, restricted maximum likelihood; the Wald t with N - 1 or N - 2 degrees of
              freedom, which for balanced data is the t test; only where the trajectory is a straight line on a clock
common slope  what ignores that patients differ in their slopes (the pooled regression within patients, which for
              balanced data is the random-intercept model): here to show how often it finds what is not there; not run
              unless named

No method here compiles anything. One that cannot answer in some cohort says so in a quantity without numbers: it is
counted.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from bayesmyo.cohort.cohort import Cohort
from bayesmyo.components.decisions import OneSided
from bayesmyo.errors import UsageError, did_you_mean
from bayesmyo.simulation.power.mixed import mixed_model
from bayesmyo.simulation.power.own import analysed, answerable, own_numbers, own_slopes, straight
from bayesmyo.simulation.row import Quantity
from bayesmyo.study.study import Study

Array = np.ndarray


@dataclass(frozen=True)
class Answer:
    """An estimate with its standard error and degrees of freedom, on the scale of the analysis (of ratios, the log)."""

    estimate: float
    error: float
    freedom: float


def one_sample(values: Array) -> tuple[Array, Array, Array]:
    """(...,) mean, standard error and degrees of freedom of (..., patient) values; NaN values are patients who have
    none.
    """
    n = np.isfinite(values).sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.nansum(values, axis=-1) / n
        square = np.nansum((values - mean[..., None]) ** 2, axis=-1) / (n - 1)
        return mean, np.sqrt(square / n), np.where(n > 1, n - 1.0, np.nan)


def two_sample(values: Array, group: Array) -> tuple[Array, Array, Array]:
    """The same of the difference between the means of group 1 and group 0, with pooled variance."""
    (n1, m1, s1), (n0, m0, s0) = (_moments(np.where(group == g, values, np.nan)) for g in (1, 0))
    with np.errstate(invalid="ignore", divide="ignore"):
        freedom = n1 + n0 - 2.0
        pooled = (s1 + s0) / freedom
        usable = (n1 > 0) & (n0 > 0) & (freedom > 0)
        return m1 - m0, np.sqrt(pooled * (1 / n1 + 1 / n0)), np.where(usable, freedom, np.nan)


def _moments(values: Array) -> tuple[Array, Array, Array]:
    n = np.isfinite(values).sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.nansum(values, axis=-1) / n
    return n, mean, np.nansum((values - mean[..., None]) ** 2, axis=-1)


def p_value(estimate: Array, error: Array, freedom: Array, null: float = 0.0) -> Array:
    """Two-sided."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return 2 * stats.t.sf(np.abs(estimate - null) / error, freedom)


def _t_test(study: Study, cohort: Cohort, name: str) -> Answer | None:
    values, group = own_numbers(study, cohort, name)
    return _answer(*(one_sample(values) if group is None else two_sample(values, group)))


def _mixed(study: Study, cohort: Cohort, name: str) -> Answer | None:
    a = analysed(study, cohort, name)
    assert a.clock is not None
    kept = np.ones(len(a.patient), dtype=bool) if a.group is None else (a.group >= 0)[a.patient]
    clock, patient = a.clock[kept], a.patient[kept]
    columns = [np.ones(len(clock)), clock]
    if a.group is not None:
        g = a.group[patient].astype(float)
        columns += [g, g * clock]
    fit = mixed_model(patient, clock, a.value[kept], np.stack(columns, axis=-1), a.patients)
    if fit is None:
        return None
    seen = len(np.unique(patient))
    step = a.step / a.per
    error = np.sqrt(fit.covariance[-1, -1]) * abs(step)
    return _answer(fit.fixed[-1] * step, error, seen - len(columns) / 2)


def _common(study: Study, cohort: Cohort, name: str) -> Answer | None:
    a = analysed(study, cohort, name)
    assert a.clock is not None
    slope, sxx, count, rss = own_slopes(a.patient, a.clock, a.value, a.patients)
    return _answer(*common_slope(slope, sxx, count, rss, a.step / a.per, a.group))


def common_slope(
    slope: Array, sxx: Array, count: Array, rss: Array, step: float = 1.0, group: Array | None = None
) -> tuple[Array, Array, Array]:
    """(...,) change over `step` of one slope common to (..., patient) patients (of a group), its error, and degrees of
    freedom.

    slope, sxx, count, rss: of each patient, as `own_slopes` has them
    """
    groups = [np.isfinite(count)] if group is None else [group == 1, group == 0]
    weight = np.nan_to_num(sxx)
    pooled, variance, residual, freedom = [], [], np.zeros(count.shape[:-1]), np.zeros(count.shape[:-1])
    with np.errstate(invalid="ignore", divide="ignore"):
        for inside in groups:
            total = np.where(inside, weight, 0).sum(axis=-1)
            b = np.nansum(np.where(inside, weight * slope, 0), axis=-1) / total
            between = np.nansum(np.where(inside, weight * (slope - b[..., None]) ** 2, 0), axis=-1)
            residual = residual + np.where(inside, rss, 0).sum(axis=-1) + between
            freedom = freedom + np.where(inside & (count > 0), count - 1, 0).sum(axis=-1) - 1.0
            pooled.append(b)
            variance.append(1 / total)
        estimate = pooled[0] - pooled[1] if len(pooled) > 1 else pooled[0]
        error = np.sqrt(residual / freedom * np.sum(variance, axis=0))
    return estimate * step, error * abs(step), freedom


def _answer(estimate: float | Array, error: float | Array, freedom: float | Array) -> Answer | None:
    numbers = [float(estimate), float(error), float(freedom)]
    return Answer(*numbers) if np.isfinite(numbers).all() and numbers[1] > 0 and numbers[2] > 0 else None


METHODS: dict[str, Callable[[Study, Cohort, str], Answer | None]] = {
    "t test": _t_test, "mixed model": _mixed, "common slope": _common,
}  # fmt: skip


def checked(names: Sequence[str]) -> tuple[str, ...]:
    """The names of comparators, each known. Raises UsageError."""
    for name in names:
        if name not in METHODS:
            raise UsageError("comparator", "is unknown", f'"{name}"', did_you_mean(name, list(METHODS)))
    return tuple(names)


def questions(study: Study, method: str) -> list[str]:
    """The estimands of a study that a method answers."""
    answered = [name for name in study.estimands if answerable(study, name)]
    if method == "t test":
        return answered
    return [n for n in answered if straight(study, n) and not study.estimands[n].is_level]


def compare(
    study: Study, cohort: Cohort, names: Sequence[str], truth: Mapping[str, float] | None = None
) -> tuple[Quantity, ...]:
    """Every answer of some methods to the estimands of a study that they can answer, and to its decisions about them.

    Parameters
    ----------
    study, cohort : Study, Cohort
        What is asked, of whom.
    names : sequence of str
        The methods.
    truth : mapping of str to float, optional
        The true value of each estimand.

    Returns
    -------
    tuple of Quantity
        "t test: change_12" has an estimate, confidence limits of the study's level, the two-sided p-value against no
        change,
        and whether it is below 1 - level on the side of benefit. "t test for gain" is a decision of kind `probability`
        as a
        one-sided test against its own threshold at the level 1 - probability, which a flat prior would make the same
        rule.
        All numbers are None where the method failed.

    Raises
    ------
    UsageError
        Where there is no such method.
    """
    answers: list[Quantity] = []
    for method in checked(names):
        for name in questions(study, method):
            answer = METHODS[method](study, cohort, name)
            asked = {f"{method}: {name}": _estimated(study, name, answer) if answer else {}}
            for decision, rule in study.decisions.items():
                if rule.estimand == name and (claim := rule.one_sided):
                    asked[f"{method} for {decision}"] = _decided(study, name, claim, answer) if answer else {}
            true = (truth or {}).get(name)
            answers += [Quantity("comparator", full, len(cohort), truth=true, **said) for full, said in asked.items()]
    return tuple(answers)


def _estimated(study: Study, name: str, a: Answer) -> dict[str, Any]:
    e = study.estimands[name]
    p = float(p_value(np.asarray(a.estimate), np.asarray(a.error), np.asarray(a.freedom)))
    reach = float(stats.t.ppf(0.5 + study.interval / 2, a.freedom)) * a.error
    back = np.exp if e.divides else float
    benefit = (a.estimate > 0) == (study.declared[e.outcomes[0]].better == "higher")
    lower, median, upper = (float(back(a.estimate + step)) for step in (-reach, 0.0, reach))
    sd, met = None if e.divides else a.error, bool(p < 1 - study.interval and benefit)
    return {"median": median, "lower": lower, "upper": upper, "sd": sd, "probability": p, "met": met}


def _decided(study: Study, name: str, claim: OneSided, a: Answer) -> dict[str, Any]:
    null = float(np.log(claim.threshold)) if study.estimands[name].divides else claim.threshold
    z = (a.estimate - null) / a.error
    believed = float(stats.t.cdf(z if claim.above else -z, a.freedom))
    return {"probability": believed, "met": bool(believed >= claim.probability)}
