"""What the priors believe, in clinical units: measurements of patients drawn from them, before any data.

A prior is judged by what it says of patients, not by its formula (Gabry et al. 2019,
https://doi.org/10.1111/rssa.12378).
"""

from dataclasses import dataclass

import numpy as np

from bayesmyo.assess.checks.check import CheckResult
from bayesmyo.assess.correlations import horizon
from bayesmyo.assess.estimate import tails
from bayesmyo.components.numbers import in_sentence, significant
from bayesmyo.model.prediction import TruthPrediction
from bayesmyo.model.truth import Truth, draw_covariate, from_priors
from bayesmyo.study.covariates import coded, used
from bayesmyo.study.study import MONTHS_PER, Outcome, Study

MONTHS = (0.0, 6.0, 24.0)
SHORTEST, LONGEST = 18.0, 96.0  # months of follow-up that those times stand for
LEAST = 0.85  # of the draws look like patients
PILED = 0.4  # of the draws of a bounded score at one of its ends
DRAWS = 4000


@dataclass(frozen=True)
class PriorBelief:
    """What the priors believe of one new patient's measurement at one time, in outcome units.

    Attributes
    ----------
    median, lower, upper : float
        Of the draws, equal-tailed.
    plausible : float, optional
        Share inside the declared range; None where none is declared and the family has no ends.
    at_lower, at_upper : float, optional
        Shares at the ends of a bounded score, or at zero.
    """

    outcome: str
    time: float
    unit: str
    median: float
    lower: float
    upper: float
    plausible: float | None
    at_lower: float | None
    at_upper: float | None


def times(study: Study) -> tuple[float, ...]:
    """0, 6 and 24 months in the study's unit.

    The start, a quarter and the whole of a typical follow-up where that is much shorter or longer, or its unit has no
    months.
    """
    months = MONTHS_PER.get(study.time.unit)
    long = study.typical_follow_up
    if months is None or (long is not None and not SHORTEST <= long * months <= LONGEST):
        return 0.0, horizon(study) / 4, horizon(study)
    return tuple(m / months for m in MONTHS)


def prior_beliefs(study: Study, seed: int = 1, draws: int = DRAWS) -> list[PriorBelief]:
    """Draw new patients from the priors, each with covariates of its own, and measure every outcome at three times."""
    rng = np.random.default_rng(seed)
    with np.errstate(all="ignore"):
        truth = from_priors(study, rng, (draws,))
    columns: dict[str, np.ndarray] = {}
    for name in used(study, "patients"):
        drawn = coded(study, name, draw_covariate(study, name, draws, rng))
        columns |= {column: values[:, None] for column, values in drawn.items()}
    prediction = TruthPrediction(study, Truth(truth.outcomes, truth.correlations, columns), seed)
    rows = []
    for name, o in study.outcomes.items():
        for time in times(study):
            with np.errstate(all="ignore"):  # an absurd prior reaches beyond what a number can hold
                y = prediction.level(name, time, "new patient", predicts="measurement")
            lower, median, upper = (float(q) for q in np.quantile(y, tails(study), method="nearest"))
            low, high = o.family.ends()
            at_ends = (None if end is None else float(np.mean(y == end)) for end in (low, high))
            rows.append(PriorBelief(name, time, o.unit, median, lower, upper, plausible(o, y), *at_ends))
    return rows


def plausible(o: Outcome, y: np.ndarray) -> float | None:
    """The share of measurements that look like those of patients."""
    if o.plausible is not None:
        return float(np.mean((y >= o.plausible[0]) & (y <= o.plausible[1])))
    return 1.0 if None not in o.family.ends() else None  # between its ends by construction


def _implausible(study: Study, rows: list[PriorBelief]) -> str:
    """One outcome at the time at which the fewest patients look like patients."""
    worst = min(rows, key=lambda r: r.plausible or 0.0)
    low, high = study.outcomes[worst.outcome].plausible or (0.0, 0.0)
    plausible = f"{in_sentence(study.label(worst.outcome))} ({significant(low)} to {significant(high)} {worst.unit})"
    return (
        f"Only {worst.plausible:.0%} of patients drawn from the priors have a plausible {plausible} "
        f"at {study.time.unit} {worst.time:g}; {LEAST:.0%} are asked: declare a smaller scale, or tighter priors."
    )


def check_prior(study: Study, seed: int = 1, draws: int = DRAWS) -> CheckResult:
    """Do at least 85 % of patients drawn from the priors look like patients, at every time and in every outcome?

    Parameters
    ----------
    study : Study
        Whose priors are judged.
    seed, draws : int
        Of how many patients are drawn.

    Returns
    -------
    CheckResult
        Its `table` has what the priors believe of each outcome at each time, in outcome units.

    References
    ----------
    Gabry et al. (2019), https://doi.org/10.1111/rssa.12378

    Examples
    --------
    >>> print(bayesmyo.check_prior(bayesmyo.find_study("ivig")).sentence)
    At least 85% of patients drawn from the priors look like patients at every time.
    """
    rows = prior_beliefs(study, seed, draws)
    bad = [r for r in rows if r.plausible is not None and r.plausible < LEAST]

    def at_end(r: PriorBelief) -> float:
        return max(r.at_lower or 0, r.at_upper or 0)

    piled = [r for r in rows if study.outcomes[r.outcome].family.score and at_end(r) > PILED]
    unjudged = [*dict.fromkeys(r.outcome for r in rows if r.plausible is None)]
    if bad:
        outcomes = dict.fromkeys(r.outcome for r in bad)
        text = " ".join(_implausible(study, [r for r in bad if r.outcome == o]) for o in outcomes)
    elif piled:
        r = max(piled, key=at_end)
        text = (
            f"{at_end(r):.0%} of patients drawn from the priors have {in_sentence(study.label(r.outcome))} at an end "
            f"of its range at {study.time.unit} {r.time:g}: declare a smaller scale, or a typical value further from "
            "the end."
        )
    elif len(unjudged) < len(study.outcomes):
        text = f"At least {LEAST:.0%} of patients drawn from the priors look like patients at every time."
    else:
        text = "No outcome was judged."
    if unjudged:
        labels = ", ".join(study.label(name) for name in unjudged)
        text += (
            f" Not judged, because no plausible range is declared: {labels}. Declare what such patients may ever have: "
            f"plausible = [lowest, highest] in [outcomes.{unjudged[0]}]{', and so on' * (len(unjudged) > 1)}."
        )
    return CheckResult("prior predictive", not bad and not piled, text, tuple(vars(r) for r in rows))
