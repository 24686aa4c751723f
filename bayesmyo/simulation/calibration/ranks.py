"""Where the truth lies among the draws: uniform over cohorts simulated from the priors, if the model and its sampler
are right.

Reference: Talts, Betancourt, Simpson, Vehtari and Gelman (2018), https://doi.org/10.48550/arXiv.1804.06788; the joint
log-likelihood as a quantity: Modrak et al. (2023), https://doi.org/10.1214/23-BA1404.
"""

from collections.abc import Iterator

import numpy as np

from bayesmyo.cohort.cohort import Cohort
from bayesmyo.inference.fit import log_likelihood
from bayesmyo.model.truth import Truth
from bayesmyo.study.predictors import effects
from bayesmyo.study.study import Study


def first_patient(
    study: Study, cohort: Cohort, truth: Truth, posterior: Truth
) -> Iterator[tuple[str, float, np.ndarray]]:
    """The effects of the first patient: name, true value, draws.

    One patient, named: the mean over patients is another quantity.
    """
    who = cohort.pseudonyms()[0]
    for outcome in study.declared:
        for e in effects(study, outcome):
            true, drawn = (t.outcomes[outcome].effects[e.key][..., 0] for t in (truth, posterior))
            yield f"{e.full_name}[{who}]", float(true), drawn


def joint(study: Study, cohort: Cohort, truth: Truth) -> np.ndarray:
    """(...,) the log-likelihood of all measurements and events, given the patients' own effects."""
    return np.asarray(sum(log_likelihood(study, cohort, truth, o).sum(axis=-1) for o in study.declared))


def position(true: float, drawn: np.ndarray, ess: float, rng: np.random.Generator) -> float:
    """The rank of the truth among thinned draws, as a number in (0, 1): exactly uniform if truth and draws are
    exchangeable.
    """
    flat = drawn.reshape(-1)
    kept = flat[:: max(1, int(np.ceil(len(flat) / max(ess, 1.0))))] if np.isfinite(ess) else flat[:1]
    below, ties = int((kept < true).sum()), int((kept == true).sum())
    return float((below + rng.uniform() * (1 + ties)) / (len(kept) + 1))
