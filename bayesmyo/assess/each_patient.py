"""What an estimand asks of all, asked of each of these patients: the own level, change, or effect of treatment.

Each number is the estimand of the posterior of that patient alone, whose effects lean on those of the others: the fewer
measurements a patient has, the closer to their average. It is no raw difference between that patient's measurements.
"""

from dataclasses import replace

import numpy as np

from bayesmyo.assess.diagnostics import diagnose, quantile_errors
from bayesmyo.assess.estimate import Estimate, amount, estimate_of, tails
from bayesmyo.components.estimands import Estimand
from bayesmyo.errors import UsageError, did_you_mean
from bayesmyo.inference.fit import Fit
from bayesmyo.model.prediction import TruthPrediction
from bayesmyo.model.truth import OutcomeTruth, Truth
from bayesmyo.study.covariates import base, columns
from bayesmyo.study.predictors import effects
from bayesmyo.study.study import Study

EACH = "each patient"  # of whom it speaks, where other estimates name a population


def each_estimate(fit: Fit, estimand: str) -> list[Estimate]:
    """The estimand in each of these patients, by pseudonym, in the order of the cohort."""
    study, e = fit.study, asked(fit.study, estimand)
    draws = each_draws(fit, estimand)
    known, errors = diagnose(draws), quantile_errors(draws, tails(study))
    rows = []
    for name, values in draws.items():
        row = estimate_of(study, name, e, values, known[name], errors[name])
        rows.append(replace(row, population=EACH, sentence=f"{name}: {amount(study, e, row)}."))
    return rows


def each_draws(fit: Fit, estimand: str, truth: Truth | None = None) -> dict[str, np.ndarray]:
    """(chain, draw) values of the estimand in each of these patients, by pseudonym.

    truth: other truths of them
    """
    truth = truth or fit.truth
    e = asked(fit.study, estimand)
    names = fit.cohort.pseudonyms()
    others = [[n for n in range(len(names)) if n != i] for i in range(len(names))]
    own = ({k: known.without(*rest) for k, known in fit.cohort.events.items()} for rest in others)
    return {
        name: e.of(TruthPrediction(fit.study, alone(truth, i), events=events))
        for i, (name, events) in enumerate(zip(names, own, strict=True))
    }


def alone(truth: Truth, patient: int) -> Truth:
    """The same truths of one of the patients: the average over these patients is then the patient's own."""
    outcomes = {
        name: OutcomeTruth(o.values, {k: v[..., [patient]] for k, v in o.effects.items()})
        for name, o in truth.outcomes.items()
    }
    return Truth(outcomes, truth.correlations, {k: v[..., [patient]] for k, v in truth.covariates.items()})


def measurements(fit: Fit, e: Estimand) -> list[int]:
    """How many measurements of the estimand's outcome each patient has."""
    patients = np.concatenate([fit.cohort.measurements[o].patient for o in e.outcomes])
    return np.bincount(patients, minlength=len(fit.cohort)).tolist()


def own_effects(study: Study) -> tuple[str, ...]:
    """The estimands of these patients that contrast a covariate of visits in whose effect patients differ."""
    return tuple(
        name
        for name, e in study.estimands.items()
        if e.contrast is not None and e.population == "these patients" and not _unanswered(study, e)
    )


def asked(study: Study, estimand: str) -> Estimand:
    """The estimand as it is asked of a patient. Raises UsageError where none can be asked."""
    if estimand not in study.estimands:
        mend = did_you_mean(str(estimand), list(study.estimands)) if study.estimands else "the study declares none"
        raise UsageError("estimand", "is not in this study", f'"{estimand}"', mend)
    e = study.estimands[estimand]
    if why := _unanswered(study, e):
        what, mend = why
        raise UsageError(f"estimands.{estimand}", what, mend=mend)
    return replace(e, population="these patients")


def _unanswered(study: Study, e: Estimand) -> tuple[str, str] | None:
    """What keeps a single patient from being asked, and how to mend it; None where nothing does."""
    if e.amount_of is None:
        return "counts patients, and one patient has no share", "declare a rule of [responses]: it judges each patient"
    if e.predicts == "measurement":
        return "is of a measurement of a new patient", "ask an estimand of expected values"
    if not any(effects(study, o) for o in study.outcomes):
        return "is the same in all patients, who differ in nothing here", f"write effects in [outcomes.{e.amount_of}]"
    if e.contrast is None:
        return None
    covariate = e.contrast.covariate
    if study.covariates[covariate].varies == "patients":
        return "compares groups of patients, and no patient is in both", "contrast a covariate of visits"
    own = {effect.column for effect in effects(study, e.amount_of)}
    if not any(own & {*columns(study, name)} for name in study.covariates if covariate in base(study, [name])):
        what = f"compares what patients do not differ in: {covariate} moves all of them alike"
        return what, f'name "{covariate}" among the effects of [outcomes.{e.amount_of}]'
    return None
