"""Each patient left out in turn: what the others say of everything, and how well they predict the one.

The posterior of the others is exact: the patient's measurements are taken away, the patient's index stays, and the
model that was compiled once samples again; only a patient with censored cells, or an effect of each observation, asks
for a compilation of its own. Where speed is asked for, the posterior of all is reweighted by 1 / p(y_i) instead, with
Pareto-smoothed weights; the patient's effects are integrated out of p(y_i), which is what makes those weights stable. A
Pareto k above 0.7 says that they are not, and then the model is sampled again after all. A patient without whom nobody
has a measurement of some outcome cannot be left out, and is told.

References: Vehtari, Gelman and Gabry (2017), https://doi.org/10.1007/s11222-016-9696-4; Merkle, Furr and Rabe-Hesketh
(2019), https://doi.org/10.1007/s11336-019-09679-0.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from bayesmyo.assess.diagnostics import diagnose
from bayesmyo.assess.refits import ROUGH, Refits, estimands
from bayesmyo.assess.reweight import MOST, TRUSTED, evenly, reweight
from bayesmyo.errors import UsageError
from bayesmyo.inference.fit import Fit
from bayesmyo.model.marginal import log_marginal
from bayesmyo.model.truth import Truth

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class WithoutPatient:
    """What the others say without one patient.

    Attributes
    ----------
    patient : str
        Pseudonym, or the level of a group that was left out.
    measurements, last : int, float
        How many were taken away, and the time of the latest of them, in the study's unit.
    method : str
        "refit", "importance" (Pareto-smoothed weights on the posterior of all), or "impossible", without a score.
    score, mcse : float
        Log predictive density of all the patient's measurements given the others, in outcome units, and its Monte
        Carlo error.
    estimands : mapping of str to ndarray
        Draws of the others, by name.
    pareto_k : float
        Of the weights; above 0.7 they are not trusted.
    rhat, divergences : float, int
        The worst over estimands, and how many, of a refit.
    """

    patient: str
    measurements: int
    last: float
    method: str
    score: float
    mcse: float
    estimands: Mapping[str, Array]
    pareto_k: float = float("nan")
    rhat: float = float("nan")
    divergences: int = 0

    @property
    def rough(self) -> bool:
        """A short refit that did not converge well, or diverged: its figures are rough."""
        return self.rhat > ROUGH or self.divergences > 0


def leave_one_out(
    fit: Fit,
    *,
    exact: bool = True,
    by: str = "",
    refits: Refits | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[WithoutPatient]:
    """Leave out each patient who has measurements, in the cohort's order, or each level of a group.

    exact: sample again without each patient; False reweights wherever that can be trusted, never for a group
    by: a group of the study; progress: called with patients done and patients in all
    Raises StorageError for a fit without patient data, UsageError for what is no group of the study.
    """
    refits = refits or Refits(fit)
    named = _units(refits, by)
    possible = [name for name, who in named.items() if all(map(len, refits.cohort.without(*who).measurements.values()))]
    shared = {name: refits.shares(*named[name]) for name in possible}
    whole = fit.truth.take(evenly(math.prod(fit.truth.shape), MOST))
    without: dict[str, WithoutPatient] = {}
    for name in named.keys() - set(possible):
        without[name] = WithoutPatient(*_who(refits, name, named[name]), "impossible", float("nan"), float("nan"), {})
    for name in sorted(possible, key=lambda name: not shared[name]):
        reweighted = None if exact or by else _reweighted(refits, whole, name, named[name][0])
        without[name] = reweighted or _refitted(refits, name, named[name])
        if progress:
            progress(len(without), len(named))
    return [without[name] for name in named]


def _units(refits: Refits, by: str) -> dict[str, tuple[int, ...]]:
    """Who is left out together, by the name under which it is told: a pseudonym, or the level of a group."""
    cohort, study = refits.cohort, refits.fit.study
    measured = sorted(set(np.concatenate([m.patient for m in cohort.measurements.values()]).tolist()))
    if not by:
        names = cohort.pseudonyms()
        return {names[i]: (i,) for i in measured}
    if by not in study.groups or by not in cohort.covariates:
        some = f"groups: {', '.join(study.groups)}" if study.groups else "it declares none; write a table [groups.site]"
        raise UsageError("by", "is not a group that an outcome of this study names", f'"{by}"', some)
    level = cohort.covariates[by]
    units = {name: tuple(i for i in measured if level[i] == k) for k, name in enumerate(study.groups[by].levels)}
    return {name: who for name, who in units.items() if who}


def _reweighted(refits: Refits, whole: Truth, name: str, patient: int) -> WithoutPatient | None:
    """By weights on the posterior of all; None where they cannot be trusted."""
    log_density = log_marginal(refits.fit.study, refits.cohort, whole, patient)
    chosen, weights, k = reweight(-log_density)
    if not k <= TRUSTED:
        return None
    score = float(logsumexp(log_density, b=weights))
    mcse = float(np.sqrt(np.sum((weights * np.expm1(log_density - score)) ** 2)))
    said = estimands(refits.fit, whole.take(chosen).without(patient))
    return WithoutPatient(*_who(refits, name, (patient,)), "importance", score, mcse, said, pareto_k=k)


def _refitted(refits: Refits, name: str, patients: tuple[int, ...]) -> WithoutPatient:
    """By sampling again. What patients of a group share is part of each truth; given it they are independent."""
    again = refits.without(*patients)
    log_density = np.sum([log_marginal(refits.fit.study, refits.cohort, again.truth, i) for i in patients], axis=0)
    score = float(logsumexp(log_density) - np.log(log_density.size))
    relative = diagnose({"density": np.exp(log_density - score), "score": log_density})
    rhat = float(np.nanmax([again.rhat, relative["score"].rhat]))
    who, mcse = _who(refits, name, patients), relative["density"].mcse
    return WithoutPatient(*who, "refit", score, mcse, again.estimands, rhat=rhat, divergences=again.divergences)


def _who(refits: Refits, name: str, patients: tuple[int, ...]) -> tuple[str, int, float]:
    own = [m.time[np.isin(m.patient, patients)] for m in refits.cohort.measurements.values()]
    return name, sum(map(len, own)), max(float(t.max()) for t in own if len(t))
