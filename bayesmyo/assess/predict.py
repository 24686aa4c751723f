"""The verb `predict`: patients who were not in the fit, each from the own visits."""

from collections.abc import Sequence
from types import MappingProxyType

import numpy as np

from bayesmyo.assess.check import check
from bayesmyo.assess.checks import CheckResult
from bayesmyo.assess.population import Population
from bayesmyo.assess.predicted import PatientPrediction
from bayesmyo.cohort.cohort import Cohort
from bayesmyo.components.estimands.estimand import Given
from bayesmyo.errors import UsageError, must_be
from bayesmyo.inference.fit import Fit, known_fit
from bayesmyo.model.asked import known_given
from bayesmyo.study.covariates import used
from bayesmyo.study.study import Study


def predict(
    fit: Fit,
    patients: Cohort,
    times: Sequence[float] | None = None,
    *,
    given: Given = MappingProxyType({}),
    checks: Sequence[CheckResult] | None = None,
) -> tuple[PatientPrediction, ...]:
    """Predict patients who were not in the fit, each from the own visits.

    The same call gives the same bits. It is no device: what it says holds for a patient such as those of the cohort.

    Parameters
    ----------
    fit : Fit
        Of the cohort from which is predicted; a shared copy will do.
    patients : Cohort
        Of `read_patients`: their visits, columns as in the table of the fit.
    times : sequence of float, optional
        Times to predict, in the study's unit; by default those at which estimands and rules of response look.
    given : mapping, optional
        Covariates of visits to come, `{"treatment": "on"}`; by default the reference or the typical value.
    checks : sequence of CheckResult, optional
        Of `check(fit)`, where they are known already. Numbers about outcomes of a check that has failed are withheld.

    Returns
    -------
    tuple of PatientPrediction
        For each patient, in the order of the table: every outcome's expected course and a measurement, with their
        interval in the outcome's unit; the probability of each criterion, category of response and event; before any
        visit, and after each.

    Raises
    ------
    UsageError
        For a patient who is in the fit, or who lacks a covariate; and for times or covariates that are not known.

    References
    ----------
    Rizopoulos (2011), https://doi.org/10.1111/j.1541-0420.2010.01546.x.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = {"patient": ["new", "new"], "month": [0, 6], "strength": [40, 45], "cpk": [900, 500]}
    >>> visits = pd.DataFrame(rows)
    >>> new = bayesmyo.cohort_from_frame(study, visits, alone=True)
    >>> one = bayesmyo.predict(fit, new, times=[12])[0]
    >>> one.patient, len(one.basis)
    ('N01', 3)
    """
    known_fit(fit)
    must_be(Cohort, "patients", patients, "read them first: bayesmyo.read_cohort(study, PATH, alone=True)")
    known_given(fit.study, given)
    asked = _times(fit.study, times)
    _strangers(fit, patients)
    failed = [r for r in (check(fit) if checks is None else checks) if not r.passed]
    population = Population(fit, asked, given, failed)
    width = max(2, len(str(len(patients))))
    return tuple(population.predict(patients.alone(i), f"N{i + 1:0{width}d}") for i in range(len(patients)))


def _times(study: Study, times: Sequence[float] | None) -> tuple[float, ...]:
    if times is None:
        looks = (t for e in study.estimands.values() for k, t in e.when().items() if k != "from")
        asked = sorted({*looks, *(r.at for r in study.responses.values())})
        if not asked:
            raise UsageError(
                "times", "are not given, and the study asks of none", mend="write times=[6, 12], or --times 6,12"
            )
        return tuple(asked)
    try:
        known = np.atleast_1d(np.asarray(times, dtype=float))
    except (TypeError, ValueError):
        raise UsageError("times", f"must be numbers, in {study.time.unit}s", repr(times)[:60]) from None
    if known.ndim > 1 or not known.size or not np.isfinite(known).all():
        raise UsageError("times", f"must be finite numbers, in {study.time.unit}s, at least one", repr(times)[:60])
    plans = {o: p for o in study.outcomes if (p := study.outcomes[o].trajectory).visits_planned()}
    for outcome, trajectory in plans.items():
        if lost := [t for t in known.tolist() if not trajectory.planned(t)]:
            plan = ", ".join(f"{t:g}" for t in trajectory.visits_planned())
            raise UsageError("times", f"{outcome} is modelled at its planned visits {plan} alone", f"{lost[0]:g}")
    return tuple(sorted({*known.tolist()}))


def _strangers(fit: Fit, patients: Cohort) -> None:
    """Raises UsageError for a patient whom the fit knows, or who lacks a covariate."""
    if not fit.shared and (twice := sorted({*fit.cohort.patients} & {*patients.patients})):
        known = [fit.cohort.pseudonyms()[fit.cohort.patients.index(p)] for p in twice]
        what = f"{'is' if len(known) == 1 else 'are'} in the fit already, under the same id, as {', '.join(known)}"
        mend = "bayesmyo estimate FIT --each-patient NAME says what it knows of its own; give another person another id"
        raise UsageError("patients", what, mend=mend)
    for name in used(fit.study, "patients"):
        if absent := int(np.isnan(patients.covariates[name]).sum()):
            what = f"of {absent} of {len(patients)} patients is missing, and a prediction rests on it"
            raise UsageError(f"covariate {name}", what, mend="fill it in")


__all__ = ["predict"]
