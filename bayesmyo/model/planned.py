"""What a study's [design] and scenarios come to, before anything is fitted: who is seen when, what is true, and what
would be right.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bayesmyo.components.decisions import Decision
from bayesmyo.model.prediction import TruthPrediction
from bayesmyo.model.schedule import ROUNDING, draw_follow_up, kept_visits
from bayesmyo.model.simulate import simulate
from bayesmyo.model.truth import OutcomeTruth, Truth, from_priors, from_scenario
from bayesmyo.study.design import Design
from bayesmyo.study.scenarios import design_priors
from bayesmyo.study.study import Study

Array = np.ndarray
SEED, PATIENTS = 2006, 5_000  # who are looked at
TRUTHS, COHORTS = 2_000, 100  # that are drawn where they differ
CROWD = 500  # patients whose covariates stand for all
OUTER = (0.05, 0.95)


@dataclass(frozen=True)
class Schedule:
    """What becomes of the patients of a design, of 5,000 simulated ones.

    visits: planned by the design and kept, per patient: 5 % quantile, mean, 95 % quantile; missed cells are not taken
        off
    last: time of the last visit: the same; lost: the share who leave before their follow-up is over
    seen: time -> the share who have a visit that was planned for that time or later, for every time that an estimand
        looks at
    """

    visits: tuple[float, float, float]
    last: tuple[float, float, float]
    lost: float
    seen: Mapping[float, float]


@dataclass(frozen=True)
class TrueValue:
    """An estimand under one scenario. value: its true value, the median where it varies; lower, upper: the middle 90 %
    of true values, None where there is one; right: decision -> the share of true values under which it is right to be
    met, None where it has no truth
    """

    value: float
    lower: float | None
    upper: float | None
    right: Mapping[str, float | None]

    def verdict(self, decision: str) -> str:
        """Whether a decision is right to be met: `yes`, `no`, `in 90%` of true values; a dash where it has no truth."""
        share = self.right[decision]
        return "-" if share is None else {0.0: "no", 1.0: "yes"}.get(share, f"in {share:.0%}")


def schedule(study: Study, design: Design) -> Schedule:
    """What becomes of the patients of a design."""
    rng = np.random.default_rng(SEED)
    follow_up, lost = draw_follow_up(design, PATIENTS, rng)
    visits = [kept_visits(design, end, rng) for end in follow_up]
    planned = np.array([times[-1] for times, _ in visits])
    asked = sorted({t for e in study.estimands.values() for t in e.times()})
    return Schedule(
        _spread(np.array([len(times) for times, _ in visits])),
        _spread(np.array([times[-1] for _, times in visits])),
        float(lost.mean()),
        {t: float((planned >= t - ROUNDING * max(1.0, abs(t))).mean()) for t in asked},
    )


def true_values(
    study: Study, scenario: str, decisions: Mapping[str, Decision] | None = None, patients: int | None = None
) -> dict[str, TrueValue]:
    """The true value of every estimand under a scenario of a study that has a [design], and which decisions are right.

    decisions: those of another study that analyses; patients: of a cohort (default: the design's)
    A new patient is another one each time, and has no true value; what is asked of these patients differs from cohort
    to cohort.
    """
    rng = np.random.default_rng(SEED)
    rules = study.decisions if decisions is None else decisions
    population = _population(study, scenario, rng)
    asked = {name: e for name, e in study.estimands.items() if e.population != "new patient"}
    cohorts: list[Truth] = []
    if any(e.population == "these patients" for e in asked.values()):
        drawn = (from_scenario(study, scenario, rng) for _ in range(COHORTS))
        cohorts = [simulate(study, truth, rng, patients).truth for truth in drawn]
    true_values = {}
    for name, estimand in asked.items():
        truths = cohorts if estimand.population == "these patients" else [population]
        values = np.concatenate([np.atleast_1d(estimand.of(TruthPrediction(study, t, SEED))) for t in truths])
        values[np.abs(values) < ROUNDING] = 0.0
        right = {k: rule.right(values) for k, rule in rules.items() if rule.estimand == name}
        lower, upper = np.quantile(values, OUTER) if np.ptp(values) > 0 else (None, None)
        true_values[name] = TrueValue(
            float(np.median(values)),
            None if lower is None else float(lower),
            None if upper is None else float(upper),
            {k: None if r is None else float(r.mean()) for k, r in right.items()},
        )
    return true_values


def prior_values(study: Study) -> dict[str, tuple[float, float, float]]:
    """What the priors hold likely of every estimand: lower end, median and upper end of the study's interval. A study
    with a [design].
    """
    rng = np.random.default_rng(SEED)
    crowd = simulate(study, from_priors(study, rng), rng, CROWD).truth.covariates
    drawn = from_priors(study, rng, (TRUTHS,))
    tail = (1 - study.interval) / 2
    intervals = {}
    for name, e in study.estimands.items():
        if e.population in ("population average", "average patient"):
            values = e.of(TruthPrediction(study, Truth(drawn.outcomes, drawn.correlations, crowd), SEED))
            low, median, high = np.quantile(values, [tail, 0.5, 1 - tail])
            intervals[name] = float(low), float(median), float(high)
    return intervals


def _population(study: Study, scenario: str, rng: np.random.Generator) -> Truth:
    """(truth,) what a scenario says of the population, as often as it says something else; with the covariates of a
    crowd.
    """
    drawn = [from_scenario(study, scenario, rng) for _ in range(TRUTHS if design_priors(study, scenario) else 1)]
    outcomes = {
        name: OutcomeTruth({k: np.stack([t.outcomes[name].values[k] for t in drawn]) for k in o.values})
        for name, o in drawn[0].outcomes.items()
    }
    correlations = {k: np.stack([t.correlations[k] for t in drawn]) for k in drawn[0].correlations}
    return Truth(outcomes, correlations, simulate(study, drawn[0], rng, CROWD).truth.covariates)


def _spread(values: Array) -> tuple[float, float, float]:
    lower, upper = np.quantile(values, OUTER)
    return float(lower), float(values.mean()), float(upper)


__all__ = ["Schedule", "TrueValue", "prior_values", "schedule", "true_values"]
