"""What a study's [design] and scenarios come to, before anything is fitted: who is seen when, what is true, and what would be right."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bayesmyo.cohort.prediction import TruthPrediction
from bayesmyo.cohort.simulate import Simulated, draw_follow_up, draw_visits, simulate
from bayesmyo.cohort.truth import from_scenario
from bayesmyo.components.decisions.decision import ROUNDING
from bayesmyo.study.scenarios import design_priors
from bayesmyo.study.study import SLACK, Design, Study

Array = np.ndarray
SEED, PATIENTS, TRUTHS, FEW = (
    2006,
    5_000,
    200,
    100,
)  # patients who are looked at; truths of an uncertain scenario, each with few patients
OUTER = (0.05, 0.95)


@dataclass(frozen=True)
class Schedule:
    """What becomes of the patients of a design, of 5,000 simulated ones.

    visits: planned by the design and kept, per patient: 5 % quantile, mean, 95 % quantile; missed cells are not taken off
    last: time of the last visit: the same; lost: the share who leave before their follow-up is over
    seen: time -> the share who have a visit at that time or later, for every time that an estimand looks at
    """

    visits: tuple[float, float, float]
    last: tuple[float, float, float]
    lost: float
    seen: Mapping[float, float]


@dataclass(frozen=True)
class TrueValue:
    """An estimand under one scenario. value: its true value, the median where it varies; lower, upper: the middle 90 % of true values,
    None where there is one; right: decision -> the share of true values under which it is right to be met, None where it has no truth"""

    value: float
    lower: float | None
    upper: float | None
    right: Mapping[str, float | None]


def schedule(study: Study, design: Design) -> Schedule:
    """What becomes of the patients of a design."""
    rng = np.random.default_rng(SEED)
    follow_up, lost = draw_follow_up(design, PATIENTS, rng)
    visits = [draw_visits(design, end, rng) for end in follow_up]
    last = np.array([times[-1] for times in visits])
    slack = SLACK * design.visits.jitter  # a visit somewhat early is still the one that was planned
    asked = sorted({t for e in study.estimands.values() for t in e.times()})
    return Schedule(
        _spread(np.array([len(times) for times in visits])),
        _spread(last),
        float(lost.mean()),
        {t: float((last >= t - slack).mean()) for t in asked},
    )


def true_values(study: Study, scenario: str) -> dict[str, TrueValue]:
    """The true value of every estimand under a scenario of a study that has a [design], and which decisions are right.

    A new patient is another one each time, and has no true value. What depends on the patients of a cohort (their own effects, or covariates) is that of some hundred of them.
    """
    rng = np.random.default_rng(SEED)
    uncertain = bool(design_priors(study, scenario))
    drawn = [
        _truth(study, scenario, rng, FEW if uncertain else PATIENTS // 10) for _ in range(TRUTHS if uncertain else 1)
    ]
    found = {}
    for name, estimand in study.estimands.items():
        if estimand.population == "new patient":
            continue
        values = np.array([float(estimand.of(TruthPrediction(study, s.truth, SEED + i))) for i, s in enumerate(drawn)])
        values[np.abs(values) < ROUNDING] = 0.0
        right = {k: rule.right(values) for k, rule in study.decisions.items() if rule.estimand == name}
        lower, upper = np.quantile(values, OUTER) if uncertain else (None, None)
        found[name] = TrueValue(
            float(np.median(values)),
            None if lower is None else float(lower),
            None if upper is None else float(upper),
            {k: None if r is None else float(r.mean()) for k, r in right.items()},
        )
    return found


def _truth(study: Study, scenario: str, rng: np.random.Generator, patients: int) -> Simulated:
    return simulate(study, from_scenario(study, scenario, rng), rng, patients)


def _spread(values: Array) -> tuple[float, float, float]:
    lower, upper = np.quantile(values, OUTER)
    return float(lower), float(values.mean()), float(upper)


__all__ = ["Schedule", "TrueValue", "schedule", "true_values"]
