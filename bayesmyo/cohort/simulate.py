"""Patients that never were: Study + Truth + design -> a simulated Cohort, in NumPy, apart from the PyMC code."""

from dataclasses import dataclass

import numpy as np

from bayesmyo.cohort.cohort import MEASURED, Cohort, Measurements, RowAccount
from bayesmyo.cohort.prediction import visit_predictor
from bayesmyo.cohort.truth import Truth, from_scenario, with_effects
from bayesmyo.errors import UsageError
from bayesmyo.study.study import Design, Study

MOST_PATIENTS = 100_000


@dataclass(frozen=True, eq=False)
class Simulated:
    """A cohort with what only a simulation knows.

    truth: with the effects of these patients; follow_up: (patient,) when each was last under observation
    lost: (patient,) True where the patient left before the end of the potential follow-up
    """

    cohort: Cohort
    truth: Truth
    follow_up: np.ndarray
    lost: np.ndarray


def simulate(study: Study, truth: Truth, rng: np.random.Generator, patients: int | None = None) -> Simulated:
    """Draw a cohort as the study's [design] describes it, under a truth.

    A truth that already holds effects keeps its patients; otherwise `patients` new ones are drawn (default: the
    design's number). Raises UsageError where the study has no [design].
    """
    design = study.design
    if design is None:
        raise UsageError("simulate", "the study has no [design]", mend="declare patients, follow_up and visits")
    known = next((o.effects for o in truth.outcomes.values() if o.effects), None)
    n = len(next(iter(known.values()))) if known else (design.patients if patients is None else patients)
    if not 1 <= n <= MOST_PATIENTS:
        raise UsageError("patients", f"must lie between 1 and {MOST_PATIENTS:,}", str(n))
    if not known:
        truth = with_effects(study, truth, n, rng)
    follow_up, lost = draw_follow_up(design, n, rng)
    times = [draw_visits(design, end, rng) for end in follow_up]
    patient = np.repeat(np.arange(n), [len(t) for t in times])
    time = np.concatenate(times)
    baseline = np.concatenate([np.arange(len(t)) == 0 for t in times])
    measurements, kept_cells = {}, {}
    for name, o in study.outcomes.items():
        eta = visit_predictor(study, truth, name, patient, time)
        value = o.family.draw(rng, {"location": eta}, truth.outcomes[name].values)
        kept = kept_cells[name] = baseline | (rng.random(len(time)) >= design.missing)
        measurements[name] = Measurements(
            patient[kept],
            time[kept],
            value[kept],
            np.full(kept.sum(), MEASURED, dtype=np.int8),
            np.zeros(kept.sum(), dtype=np.int64),
        )
    used = int(np.any(list(kept_cells.values()), axis=0).sum())
    cells = {
        k: {"measured": int(v.sum()), "censored": 0, "missing": used - int(v.sum())} for k, v in kept_cells.items()
    }
    width = max(2, len(str(n)))
    ids = tuple(f"S{i:0{width}d}" for i in range(1, n + 1))
    return Simulated(
        Cohort(ids, measurements, RowAccount(used, used, {}, cells), source="simulated"), truth, follow_up, lost
    )


def simulate_scenario(
    study: Study, scenario: str | None = None, seed: int = 1, patients: int | None = None
) -> Simulated:
    """A cohort of one of the study's scenarios (default: the first). Raises UsageError where there is none of that name."""
    if scenario is None and not study.scenarios:
        raise UsageError("simulate", "the study has no scenario", mend="write a table [scenarios.my_scenario]")
    name = scenario or next(iter(study.scenarios))
    return simulate(study, from_scenario(study, name), np.random.default_rng(seed), patients)


def draw_follow_up(design: Design, patients: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """(patient,) end of observation, and (patient,) whether it was a loss before the potential follow-up was over."""
    f = design.follow_up
    potential = np.minimum(rng.gamma((f.mean / f.sd) ** 2, f.sd**2 / f.mean, patients), f.maximum)
    if design.loss is None or design.loss.hazard == 0:
        return potential, np.zeros(patients, dtype=bool)
    loss = rng.exponential(1 / design.loss.hazard, patients)
    return np.minimum(potential, loss), loss < potential


def draw_visits(design: Design, end: float, rng: np.random.Generator) -> np.ndarray:
    """Visit times of one patient, in hundredths of the time unit: the first as planned, later ones jittered, none after `end`."""
    v = design.visits
    later = np.arange(v.first[-1] + v.then_every, max(end, v.first[-1]) + v.then_every, v.then_every)
    planned = np.concatenate([v.first, later])
    moved = planned + np.concatenate([[0.0], v.jitter * rng.standard_normal(len(planned) - 1)])
    moved[1:] = np.maximum(moved[1:], planned[0] + 0.01)
    times = np.unique(np.round(moved, 2))
    return times[(times <= end) | (times == planned[0])]
