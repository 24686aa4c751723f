"""Where the truth lies among the draws: uniform over cohorts simulated from the priors, if the model and its sampler are right.

Reference: Talts, Betancourt, Simpson, Vehtari and Gelman (2018), https://doi.org/10.48550/arXiv.1804.06788; the joint log-likelihood
as a quantity: Modrak et al. (2023), https://doi.org/10.1214/23-BA1404.
"""

import numpy as np

from bayesmyo.assess.diagnostics import diagnose
from bayesmyo.cohort.cohort import Cohort
from bayesmyo.cohort.simulate import Simulated
from bayesmyo.cohort.truth import Truth
from bayesmyo.model.fit import Fit, log_likelihood
from bayesmyo.study.parameters import all_parameters
from bayesmyo.study.predictors import effects
from bayesmyo.study.study import Study

JOINT = "joint log-likelihood"


def ranks(study: Study, fit: Fit, simulated: Simulated, seed: int) -> dict[str, float]:
    """Quantity -> position of its true value among the draws, in (0, 1), ties and gaps filled at random.

    Quantities: every parameter, every effect of the first patient, and the joint log-likelihood of the measurements. Draws are
    thinned to their effective number, so that they count as independent.
    """
    truth = simulated.truth
    pairs: dict[str, tuple[float, np.ndarray]] = {
        p.full_name: (float(truth.value(p.outcome, p.name)), fit.truth.value(p.outcome, p.name))
        for p in all_parameters(study)
    }
    for outcome in study.outcomes:
        for e in effects(study, outcome):
            true, drawn = (t.outcomes[outcome].effects[e.key][..., 0] for t in (truth, fit.truth))
            pairs[f"{e.full_name}[{fit.cohort.pseudonyms()[0]}]"] = float(true), drawn
    pairs[JOINT] = float(joint(study, fit.cohort, truth)), joint(study, fit.cohort, fit.truth)
    rng = np.random.default_rng(seed)
    found = diagnose({name: drawn for name, (_, drawn) in pairs.items()})
    return {name: position(true, drawn, found[name].ess_bulk, rng) for name, (true, drawn) in pairs.items()}


def joint(study: Study, cohort: Cohort, truth: Truth) -> np.ndarray:
    """(...,) the log-likelihood of all measurements, given the patients' own effects."""
    return np.asarray(sum(log_likelihood(study, cohort, truth, o).sum(axis=-1) for o in study.outcomes))


def position(true: float, drawn: np.ndarray, ess: float, rng: np.random.Generator) -> float:
    """The rank of the truth among thinned draws, as a number in (0, 1): exactly uniform if truth and draws are exchangeable."""
    flat = drawn.reshape(-1)
    kept = flat[:: max(1, int(np.ceil(len(flat) / max(ess, 1.0))))] if np.isfinite(ess) else flat[:1]
    below, ties = int((kept < true).sum()), int((kept == true).sum())
    return float((below + rng.uniform() * (1 + ties)) / (len(kept) + 1))
