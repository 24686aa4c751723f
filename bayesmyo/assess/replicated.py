"""What the model would have measured: replicates of every measurement, drawn once for all posterior predictive checks.

A measurement is compared with replicates of these patients at the same visits, or of new patients at the same visits.
Residuals are taken around the curve of each draw, for the data and for the replicate of that draw alike (the realised
discrepancies of Gelman, Meng and Stern 1996, Statistica Sinica 6, 733-760): around a mean over draws, the data
would scatter less than their replicates, because the draws have seen the data.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from bayesmyo.cohort.cohort import BETWEEN, LEFT, MEASURED, RIGHT, Measurements
from bayesmyo.components.families import Family
from bayesmyo.inference.engines import ENGINES
from bayesmyo.inference.fit import Fit
from bayesmyo.model import residuals
from bayesmyo.model.measured import visit_predictors
from bayesmyo.model.spec import spec
from bayesmyo.model.truth import OutcomeTruth, Truth, with_effects
from bayesmyo.model.visits import Etas, trailing
from bayesmyo.seeds import PREDICT, address
from bayesmyo.study.predictors import LOCATION

MOST, LEAST = 500, 100  # draws
CELLS = 2_000_000  # numbers in one array of replicates
FEWEST = 30  # measurements of an outcome that is judged
NEVER = 0.1  # the smallest SD of a cell's replicates, as a share of the middle one
SHOWN = 0.05  # the least share of a cell's replicates that have a residual


@dataclass(frozen=True, eq=False)
class Replicated:
    """Measurements of one outcome beside their replicates, in outcome units.

    Attributes
    ----------
    cell, patient, time : ndarray (n,)
        Positions among the outcome's measurements, whose, and when.
    y : ndarray (n,)
        As measured.
    drawn, new : ndarray (draw, n)
        Replicates of these patients, and of new patients at the same visits.
    lower, upper : float
        The range that the limits of all censored cells leave known; data and replicates beyond it are set to it.
    residual, expected : ndarray (draw, n)
        Standardised residuals of the data and of their replicates; NaN where there is none.
    level : ndarray (n,)
        The predicted level on the residuals' scale.
    etas, aux
        Linear predictors and the family's parameters, for what must be computed for each draw.
    """

    outcome: str
    cell: np.ndarray
    patient: np.ndarray
    time: np.ndarray
    y: np.ndarray
    drawn: np.ndarray
    new: np.ndarray
    lower: float
    upper: float
    residual: np.ndarray
    expected: np.ndarray
    level: np.ndarray
    etas: Etas
    aux: Mapping[str, np.ndarray]

    def __len__(self) -> int:
        return len(self.y)


@dataclass(frozen=True, eq=False)
class Replicates:
    """What can be judged of a fit.

    Attributes
    ----------
    chosen : ndarray (draw,)
        Positions of the draws used among all, chains one after another.
    outcomes, unjudged : mapping
        What can be judged, by name; and outcome -> why it is not.
    reason : str
        Why nothing is judged, or empty.
    """

    chosen: np.ndarray
    outcomes: Mapping[str, Replicated]
    unjudged: Mapping[str, str]
    reason: str = ""


@lru_cache(maxsize=1)
def replicated(fit: Fit) -> Replicates:
    """Replicates of every outcome of a fit; drawn once for the fit that was asked last, always the same."""
    reason = not_drawn(fit)
    if reason:
        return Replicates(np.array([], dtype=np.int64), {}, {}, reason)
    total = int(np.prod(fit.truth.shape))
    largest = max(len(m) for m in fit.cohort.measurements.values())
    count = min(MOST, total, max(LEAST, CELLS // largest))
    chosen = np.linspace(0, total - 1, count).astype(np.int64)
    truth = thinned(fit.truth, chosen)
    outcomes: dict[str, Replicated] = {}
    unjudged: dict[str, str] = {}
    with np.errstate(all="ignore"):  # an absurd draw reaches beyond what a number can hold
        rng = np.random.default_rng(address(fit.seed, PREDICT, cell=1))
        strangers = with_effects(fit.study, truth, len(fit.cohort), rng)
        for position, name in enumerate(fit.study.outcomes):
            m = fit.cohort.measurements[name]
            if len(m) < FEWEST:
                unjudged[name] = f"only {len(m)} measurements"
                continue
            rng = np.random.default_rng(address(fit.seed, PREDICT, cell=2, replicate=position))
            one = _outcome(fit, name, m, truth, strangers, rng)
            if one is None:
                unjudged[name] = "its replicates are not finite"
            elif len(one) < FEWEST:
                unjudged[name] = f"the place of only {len(one)} measurements is known"
            else:
                outcomes[name] = one
    return Replicates(chosen, outcomes, unjudged)


def thinned(truth: Truth, chosen: np.ndarray) -> Truth:
    """The same truth under the chosen draws alone, (draw,) in place of (chain, draw)."""
    shape = truth.shape

    def some(values: np.ndarray) -> np.ndarray:
        values = np.asarray(values)
        return values.reshape(-1, *values.shape[2:])[chosen] if values.shape[:2] == shape else values

    outcomes = {
        name: OutcomeTruth({k: some(v) for k, v in o.values.items()}, {k: some(v) for k, v in o.effects.items()})
        for name, o in truth.outcomes.items()
    }
    correlations = {k: some(v) for k, v in truth.correlations.items()}
    covariates = {k: some(v) if np.ndim(v) == 3 else v for k, v in truth.covariates.items()}
    return replace(truth, outcomes=outcomes, correlations=correlations, covariates=covariates)


def known_range(m: Measurements) -> tuple[float, float] | None:
    """The widest range in which the place of every cell is known: above every `<20`, below every `>2000`.

    None where less than half of what was measured lies in it: limits of several sizes cannot be treated alike.
    """
    low, high = m.value[m.side == LEFT], m.value[m.side == RIGHT]
    lower, upper = (float(low.max()) if len(low) else -np.inf), (float(high.min()) if len(high) else np.inf)
    measured = m.value[m.side == MEASURED]
    inside = (measured >= lower) & (measured <= upper)
    return (lower, upper) if len(measured) and inside.mean() >= 0.5 and lower < upper else None


def on_scale(family: Family, values: np.ndarray) -> np.ndarray:
    """The scale of residuals: the log where the family is on it, the root of a count, else as measured; NaN off it."""
    if not family.multiplicative:
        return values
    if family.counts:
        return np.sqrt(values)
    return np.where(values > 0, np.log(np.where(values > 0, values, 1.0)), np.nan)


def not_drawn(fit: Fit) -> str:
    """Why there are no replicates of a fit, or empty."""
    if fit.shared:
        return "a shared copy has no patient data"
    if fit.engine in ENGINES and not ENGINES[fit.engine].posterior:
        return f"the engine {fit.engine} does not draw from the posterior"
    posterior = fit.group("posterior").data_vars
    if not all(np.isfinite(v.values).all() for v in posterior.values()):
        return "some draws are not finite"
    if np.prod(fit.truth.shape) < LEAST:
        return f"there are only {int(np.prod(fit.truth.shape))} draws, and at least {LEAST} are needed"
    return ""


def _outcome(
    fit: Fit, name: str, m: Measurements, truth: Truth, strangers: Truth, rng: np.random.Generator
) -> Replicated | None:
    o, submodel = fit.study.outcomes[name], spec(fit.study).measured[name]
    family, aux = o.family, trailing(truth.outcomes[name].values)
    etas = visit_predictors(fit.study, truth, name, m)
    drawn, new = (np.asarray(submodel.draw(of, m, rng), dtype=float) for of in (truth, strangers))
    if not (np.isfinite(drawn).all() and np.isfinite(new).all()):
        return None
    known = known_range(m)
    lower, upper = known or (-np.inf, np.inf)
    cell = np.flatnonzero(m.side != BETWEEN if known else m.side == MEASURED)
    etas = {k: v[:, cell] for k, v in etas.items()}
    y, drawn, new = (np.clip(v[..., cell], lower, upper) for v in (m.value, drawn, new))
    logs = family.multiplicative and not family.counts
    centre = etas[LOCATION] if logs else on_scale(family, residuals.mean(o, etas, aux))
    residual, expected = _standardised(on_scale(family, y) - centre, on_scale(family, drawn) - centre)
    of, level = (name, cell, m.patient[cell], m.time[cell]), centre.mean(axis=0)
    return Replicated(*of, y, drawn, new, lower, upper, residual, expected, level, etas, aux)


def _standardised(data: np.ndarray, replicates: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both less the mean of the cell's replicates, in their SDs; NaN where replicates rarely have a residual."""
    there = np.isfinite(replicates)
    count = np.maximum(there.sum(axis=0), 1)
    zeroed = np.where(there, replicates, 0.0)
    mean = zeroed.sum(axis=0) / count
    sd = np.sqrt(np.where(there, (zeroed - mean) ** 2, 0.0).sum(axis=0) / count)
    usable = there.mean(axis=0) >= SHOWN
    moving = sd[usable & (sd > 0)]
    middle = float(np.median(moving)) if len(moving) else 1.0
    sd = np.where(usable, np.maximum(sd, NEVER * middle), np.nan)
    return (data - mean) / sd, (replicates - mean) / sd
