"""Calibration given the data at hand: the same patients, measured once more.

A draw of the posterior, parameters and these patients' effects, is taken for the truth. Every patient is measured a
second time under it, at the same visits, and the model is fitted to the real and the new measurements together. Given
both, that draw and the draws of the new fit come from one distribution, so the ranks of its parameters, effects and
estimands are uniform: whatever the priors believe elsewhere, the intervals hold for patients like these. Patients and
their number stay, and so does the compiled model.

Reference: Säilynoja, Schmitt, Bürkner and Vehtari (2025), https://doi.org/10.48550/arXiv.2502.03279.
"""

from dataclasses import replace

import numpy as np

from bayesmyo.cohort.cohort import Cohort, Measurements, OutcomeRows, RowAccount
from bayesmyo.model.joint import standard_residuals
from bayesmyo.model.simulate import Simulated, limited
from bayesmyo.model.spec import spec
from bayesmyo.model.truth import Truth
from bayesmyo.study.study import Study


def measured_again(study: Study, cohort: Cohort, truth: Truth, rng: np.random.Generator) -> Cohort:
    """The cohort with a second measurement beside each of its own, drawn under a truth that knows these patients'
    effects.
    """
    both, standard = {}, standard_residuals(study, truth, cohort.measurements, rng)
    for name, o in study.outcomes.items():
        m = cohort.measurements[name]
        drawn = spec(study).measured[name].draw(truth, m, rng, standard.get(name))
        value, side = limited(o, np.asarray(drawn, dtype=float))
        end = None if m.end is None else np.full(len(m), np.nan)
        both[name] = _joined(m, replace(m, value=value, side=side, end=end, line=np.zeros_like(m.line)))
    accounts = {name: OutcomeRows(len(m), m.censored) for name, m in both.items()}
    rows = RowAccount(2 * cohort.rows.used, 2 * cohort.rows.used, {}, accounts, cohort.rows.word)
    return replace(cohort, measurements=both, rows=rows, source="measured again", sha256="")


def remeasured(study: Study, cohort: Cohort, truth: Truth, rng: np.random.Generator) -> Simulated:
    """The same as a simulated cohort: its truth is known, and nobody is lost."""
    last = np.zeros(len(cohort))
    for m in cohort.measurements.values():
        np.maximum.at(last, m.patient, m.time)
    return Simulated(measured_again(study, cohort, truth, rng), truth, last, np.zeros(len(cohort), dtype=bool))


def _joined(first: Measurements, second: Measurements) -> Measurements:
    def both(a: np.ndarray | None, b: np.ndarray | None) -> np.ndarray | None:
        return None if a is None or b is None else np.concatenate([a, b])

    names = ("patient", "time", "value", "side", "line", "end", "exposure", "error")
    columns = {name: both(getattr(first, name), getattr(second, name)) for name in names}
    covariates = {k: np.concatenate([v, second.covariates[k]]) for k, v in first.covariates.items()}
    # what is not None in one is not in the other
    return Measurements(**columns, covariates=covariates)  # type: ignore[arg-type]
