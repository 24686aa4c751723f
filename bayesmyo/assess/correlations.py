"""How patients' outcomes hang together: correlations between what patients start with and how they change.

The model's own correlations are those of its coefficients (start and asymptote). A reader asks of changes: do patients
who gain more strength lose more CPK? Both are linear in a patient's effects, so their correlation follows exactly from
the covariance of the effects, draw by draw. Outcomes with half-times of patients' own are left out: their change is not
linear. With few patients much of it is prior; the prior's interval stands beside it.
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from bayesmyo.assess.estimate import Said, tails
from bayesmyo.cohort.evidence import PRIOR_ALONE, unchanging
from bayesmyo.components.numbers import in_sentence
from bayesmyo.inference.fit import Fit
from bayesmyo.model.truth import Truth, covariance, from_priors
from bayesmyo.seeds import PREDICT, address
from bayesmyo.study.covariates import with_products
from bayesmyo.study.predictors import LOCATION, Effect, effects, predictors
from bayesmyo.study.study import Study

PRIOR_DRAWS = 4000
TINY = 1e-9
CONSTRUCTED = 0.2  # of a start and its own change, before the data: their coordinates tie them


@dataclass(frozen=True)
class Correlation(Said):
    """The correlation r, between patients, of two of their own quantities on the link scale.

    Attributes
    ----------
    first, second : str
        The quantities, such as `mrc change`; where r > 0, patients high in one are high in the other.
    median, lower, upper, interval : float
        Of r, with the study's interval.
    prior_lower, prior_upper : float
        The interval before the data.
    sentence : str
        What may be repeated; changes are told as improvements.
    prior_median : float
        Before the data: of a start and its own change far from zero, for the one is a part of the other.
    verdict : str, optional
        Prior against data, as in `verdict.py`; None where it was not asked.
    withheld : bool
        A check has failed, the data hold no change, or it turns on the prior.
    """

    first: str
    second: str
    median: float
    lower: float
    upper: float
    interval: float
    prior_lower: float
    prior_upper: float
    prior_median: float
    sentence: str
    verdict: str | None = None
    withheld: bool = False

    @property
    def name(self) -> str:
        return f"{self.first} and {self.second}"

    @property
    def outcomes(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(quantity.rsplit(" ", 1)[0] for quantity in (self.first, self.second)))


def horizon(study: Study) -> float:
    """The time by which a change is meant: a typical follow-up, or the latest time an estimand looks at."""
    if study.typical_follow_up is not None:
        return study.typical_follow_up
    return max((t for e in study.estimands.values() for t in e.times()), default=1.0)


def weights(study: Study, truth: Truth, outcome: str, quantity: str, listed: list[Effect]) -> np.ndarray:
    """(..., effect) how a patient's quantity moves with each effect."""
    location = predictors(study, outcome)[0]
    origin = location.trajectory.origin
    values, columns = truth.outcomes[outcome].values, with_products(study, {}, study.covariates)
    moves = np.zeros((*truth.shape, len(listed)))

    def loading(time: float, e: Effect) -> np.ndarray:
        return np.asarray(location.loading(np.asarray(time), values, e, columns, np), dtype=float)

    for j, e in enumerate(listed):
        if e.outcome == outcome and e.predictor == LOCATION and e.linear:
            at_start = loading(origin, e)
            moves[..., j] = at_start if quantity == "start" else loading(origin + horizon(study), e) - at_start
    return moves


def patient_correlations(study: Study, truth: Truth) -> dict[tuple[tuple[str, str], tuple[str, str]], np.ndarray]:
    """(first, second) -> (...,) correlation between patients of each two quantities."""
    listed = [e for outcome in study.outcomes for e in effects(study, outcome)]
    linear = [o for o in study.outcomes if all(e.linear for e in predictors(study, o)[0].effects)]
    every = {(o, q): weights(study, truth, o, q, listed) for o in linear for q in ("start", "change")}
    loading = {q: w for q, w in every.items() if np.abs(w).max(initial=0.0) > TINY}  # patients differ in it
    quantities = list(loading)
    if len(quantities) < 2:
        return {}
    matrix = covariance(study, truth, listed)
    moved = {q: np.einsum("...ij,...j->...i", matrix, w) for q, w in loading.items()}
    variance = {q: np.einsum("...i,...i->...", loading[q], moved[q]) for q in quantities}
    # r = a'Sb / sqrt(a'Sa b'Sb) for quantities a'u and b'u of effects u with covariance S
    correlated = {
        (a, b): np.einsum("...i,...i->...", loading[a], moved[b]) / np.sqrt(variance[a] * variance[b])
        for a, b in combinations(quantities, 2)
    }
    # where patients differ in a single coefficient, start and change are tied by the model, not by the patients
    return {pair: r for pair, r in correlated.items() if np.abs(r).min() < 1 - TINY}


def correlated_pairs(fit: Fit) -> list[tuple[tuple[str, str], tuple[str, str]]]:
    """Each two quantities that are told; where outcomes are modelled apart, those within outcomes."""
    study = fit.study
    apart, none = study.correlate != "across outcomes", study.correlate == "none"
    pairs = patient_correlations(study, fit.truth.take(np.arange(2)))
    return [(a, b) for a, b in pairs if not none and not (apart and a[0] != b[0])]


def correlation_estimates(fit: Fit) -> list[Correlation]:
    """Every correlation of a fit in patient-level terms, whatever may be said of it."""
    study = fit.study
    quantiles = tails(study)
    rng = np.random.default_rng(address(fit.seed, PREDICT, cell=1))
    before = patient_correlations(study, from_priors(study, rng, (PRIOR_DRAWS,)))
    rows, now = [], patient_correlations(study, fit.truth)
    for a, b in correlated_pairs(fit):
        lower, median, upper = (float(q) for q in np.quantile(now[a, b], quantiles))
        low, middle, high = (float(q) for q in np.quantile(before[a, b], quantiles))
        text = sentence(study, a, b, median, lower, upper, low, middle, high)
        names = " ".join(a), " ".join(b)
        rows.append(Correlation(*names, median, lower, upper, study.interval, low, high, middle, text))
    return rows


def pair_fact(fit: Fit, *quantities: tuple[str, str]) -> str:
    """Why the data hold nothing of a correlation; empty where they may."""
    whys = (unchanging(fit.study, fit.cohort, outcome) for outcome, quantity in quantities if quantity == "change")
    why = next(filter(None, whys), "")
    return f"{why}: these data hold no change; {PRIOR_ALONE}." if why else ""


def sentence(study: Study, a: tuple[str, str], b: tuple[str, str], *r: float) -> str:
    """What a clinician may repeat, on the scale of the model, where patients' effects are.

    Changes are told as improvements, so that r > 0 means that they come together; where that turns the sign of the
    table, which counts rises, the sentence says so.
    r: median, lower and upper end; lower end, median and upper end before the data
    """
    median, lower, upper, low, middle, high = r
    falls = [q == "change" and study.outcomes[outcome].better == "lower" for outcome, q in (a, b)]
    turns = falls[0] != falls[1]
    if turns:
        median, lower, upper, low, middle, high = -median, -upper, -lower, -high, -middle, -low
    more = ["more" if quantity == "change" else "higher" for _, quantity in (a, b)]
    less = "less" if b[1] == "change" else "lower"
    second = more[1] if lower > 0 else less if upper < 0 else f"{more[1]} or {less}"
    verb = "" if lower > 0 or upper < 0 else "may "
    turned = ", counted as improvements" if turns else ""
    before = f"before the data {middle:.2f}, {low:.2f} to {high:.2f}"
    if (
        a[0] == b[0] and abs(middle) > CONSTRUCTED
    ):  # mathematical coupling: Oldham (1962), https://doi.org/10.1016/0021-9681(62)90116-9
        before = f"the start is a part of its own change, so that r is {middle:.2f}, {low:.2f} to {high:.2f}, by construction"
    return (
        f"Patients who {_doing(study, a, more[0])} {verb}{_doing(study, b, second)}: r = {median:.2f}{turned} "
        f"({study.interval:.0%} interval {lower:.2f} to {upper:.2f}; {before})."
    )


def _doing(study: Study, whose: tuple[str, str], how: str) -> str:
    """`improve more in strength`, or `start higher in CPK`."""
    outcome, quantity = whose
    return f"{'improve' if quantity == 'change' else 'start'} {how} in {in_sentence(study.label(outcome))}"
