"""Every number that is told of a fit, as one list: what it is made of, so that other priors can be asked the same.

Estimands and decisions, correlations between what patients have of their own, how many patients have each category of
response, and an estimand asked of each patient.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from bayesmyo.assess.correlations import correlated_pairs, pair_fact, patient_correlations
from bayesmyo.assess.each_patient import each_draws
from bayesmyo.assess.refits import estimands
from bayesmyo.assess.responses import assigned, category_names, category_outcomes
from bayesmyo.cohort.evidence import lacking
from bayesmyo.components.decisions import Decision
from bayesmyo.inference.fit import Fit
from bayesmyo.model.prediction import TruthPrediction
from bayesmyo.model.truth import Truth
from bayesmyo.seeds import PREDICT, address

Array = np.ndarray


@dataclass(frozen=True)
class Answer:
    """What draws say: a probability, and of a decision whether it is met, and by what margin."""

    probability: float | None = None
    met: bool | None = None
    margin: float = 0.0


Judge = Callable[[Array], Answer]


@dataclass(frozen=True)
class Asked:
    """One number: by which draws it goes, and how they are looked at.

    of: the name of its draws; relative: a ratio; bounded: a share or a count, judged by its mean, for its median goes
    in steps; spread: mostly the spread between patients, which no data narrow; own: of patients' own effects, so that
    the prior of correlations is changed too; fact: why no measurement tells anything of it
    """

    name: str
    kind: str
    of: str
    outcomes: tuple[str, ...]
    judge: Judge
    relative: bool = False
    bounded: bool = False
    spread: bool = False
    own: bool = False
    fact: str = ""


def beyond(threshold: tuple[str, float] | None, draws: Array) -> Answer:
    """The probability of lying beyond a threshold."""
    if threshold is None:
        return Answer()
    direction, value = threshold
    return Answer(float(np.mean(draws > value if direction == "above" else draws < value)))


def decided(decision: Decision, draws: Array) -> Answer:
    """What a decision makes of draws."""
    verdict = decision.judge(draws)
    return Answer(verdict.probability, verdict.met, verdict.margin)


def asked_of(fit: Fit, each: str = "") -> list[Asked]:
    """All numbers that are told, in the order in which they are told.

    each: instead this estimand in each patient
    """
    return _each(fit, each) if each else [*_estimands(fit), *_decisions(fit), *_correlations(fit), *_responses(fit)]


def draws_of(fit: Fit, truth: Truth, each: str = "") -> Mapping[str, Array]:
    """Draws of every number under other truths of the same patients; of several chains where the truth has them.

    each: instead of this estimand in each patient
    """
    if each:
        return each_draws(fit, each, truth)
    own = truth is fit.truth
    other = partial(TruthPrediction, fit.study, truth, address(fit.seed, PREDICT), events=fit.cohort.events)
    prediction = fit.prediction if own else other()
    draws = dict(fit.estimands if own else estimands(fit, truth))
    draws |= {pair_name(*pair): r for pair, r in _pairs(fit, truth).items()}
    for rule, response in fit.study.responses.items():
        position = assigned(fit, response, prediction)
        for k, category in enumerate(category_names(response)):
            draws[f"{rule}: {category}"] = (position == k).sum(axis=-1).astype(float)
    return draws


def pair_name(first: tuple[str, str], second: tuple[str, str]) -> str:
    """What a correlation is called: `strength change with cpk change`."""
    return f"{' '.join(first)} with {' '.join(second)}"


def _pairs(fit: Fit, truth: Truth) -> Mapping[tuple[tuple[str, str], tuple[str, str]], Array]:
    told = set(correlated_pairs(fit))
    return {pair: r for pair, r in patient_correlations(fit.study, truth).items() if pair in told}


def _estimands(fit: Fit) -> list[Asked]:
    study, rows = fit.study, []
    for name, e in study.estimands.items():
        judge = partial(beyond, e.threshold(study.declared[e.outcomes[0]].better))
        how = {"relative": e.relative, "bounded": e.bounded, "spread": e.population == "new patient"}
        rows.append(Asked(name, "estimand", name, e.outcomes, judge, **how, fact=lacking(study, fit.cohort, e)))
    return rows


def _decisions(fit: Fit) -> list[Asked]:
    study, rows = fit.study, []
    for name, d in study.decisions.items():
        e = study.estimands[d.estimand]
        how = {"relative": e.relative, "bounded": e.bounded, "spread": e.population == "new patient"}
        fact = lacking(study, fit.cohort, e)
        rows.append(Asked(name, "decision", d.estimand, e.outcomes, partial(decided, d), **how, fact=fact))
    return rows


def _correlations(fit: Fit) -> list[Asked]:
    nothing, rows = partial(beyond, None), []
    for a, b in correlated_pairs(fit):
        name, outcomes = pair_name(a, b), tuple(dict.fromkeys((a[0], b[0])))
        rows.append(Asked(name, "correlation", name, outcomes, nothing, own=True, fact=pair_fact(fit, a, b)))
    return rows


def _responses(fit: Fit) -> list[Asked]:
    nothing, rows = partial(beyond, None), []
    for rule, response in fit.study.responses.items():
        for k, category in enumerate(category_names(response)):
            name, outcomes = f"{rule}: {category}", category_outcomes(response, k)
            rows.append(Asked(name, "response", name, outcomes, nothing, bounded=True))
    return rows


def _each(fit: Fit, each: str) -> list[Asked]:
    """An estimand in each patient."""
    e = fit.study.estimands[each]
    judge = partial(beyond, e.threshold(fit.study.declared[e.outcomes[0]].better))
    fact, how = lacking(fit.study, fit.cohort, e), {"relative": e.relative, "bounded": e.bounded, "spread": True}
    return [Asked(name, "each patient", name, e.outcomes, judge, **how, fact=fact) for name in fit.cohort.pseudonyms()]
