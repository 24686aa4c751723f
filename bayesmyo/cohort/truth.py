"""Values for every parameter and every patient's effects: one truth, or one for each posterior draw.

A Truth has leading dimensions: none for a scenario, (chain, draw) for a posterior. Everything is on the link scale.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from bayesmyo.errors import UsageError, did_you_mean
from bayesmyo.study.parameters import parameters
from bayesmyo.study.study import Study

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class OutcomeTruth:
    """The truth about one outcome.

    values: parameter name -> (...,) on the link scale (`start`, `sd_start`, `correlation`, `sigma` ...)
    effects: effect name -> (..., patient) deviation of each patient from the coefficient; empty until drawn
    """

    values: Mapping[str, Array]
    effects: Mapping[str, Array] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Truth:
    """The truth about every outcome, by name."""

    outcomes: Mapping[str, OutcomeTruth]

    @property
    def shape(self) -> tuple[int, ...]:
        first = next(iter(self.outcomes.values()))
        return np.shape(next(iter(first.values.values())))


def scenario_values(study: Study, name: str) -> dict[str, dict[str, float]]:
    """The values of a scenario as typed, with what it takes over by `like`. Raises UsageError for an unknown name."""
    if name not in study.scenarios:
        raise UsageError("scenario", "is not in this study", f'"{name}"', did_you_mean(name, list(study.scenarios)))
    scenario = study.scenarios[name]
    values = scenario_values(study, scenario.like) if scenario.like else {}
    return {
        outcome: {**values.get(outcome, {}), **scenario.values.get(outcome, {})}
        for outcome in {**values, **scenario.values}
    }


def from_scenario(study: Study, name: str) -> Truth:
    """The truth that a scenario states, without patients' effects yet. Raises UsageError for an unknown name."""
    values = scenario_values(study, name)
    return Truth(
        {
            outcome: OutcomeTruth(
                {
                    p.name: np.asarray(p.from_scenario(values[outcome][p.name]))
                    for p in parameters(study, outcome).values()
                }
            )
            for outcome in study.outcomes
        }
    )


def from_priors(study: Study, rng: np.random.Generator, size: tuple[int, ...] = ()) -> Truth:
    """Independent draws of every parameter from the study's priors, without patients' effects yet."""
    outcomes = {}
    for outcome in study.outcomes:
        values = {}
        for p in parameters(study, outcome).values():
            assert p.prior is not None
            values[p.name] = p.prior.draw(rng, size)
        outcomes[outcome] = OutcomeTruth(values)
    return Truth(outcomes)


def draw_effects(
    study: Study, outcome: str, values: Mapping[str, Array], patients: int, rng: np.random.Generator
) -> dict[str, Array]:
    """Effects of `patients` new patients, (..., patient) each, from the normal distribution that the values describe."""
    names = study.effects(outcome)
    shape = np.shape(values[f"sd_{names[0]}"]) if names else ()
    z = [rng.standard_normal((*shape, patients)) for _ in names]
    if len(names) == 2 and "correlation" in values:
        r = np.asarray(values["correlation"])[..., None]
        z[1] = r * z[0] + np.sqrt(1 - r**2) * z[1]
    return {name: np.asarray(values[f"sd_{name}"])[..., None] * z_k for name, z_k in zip(names, z, strict=True)}


def with_effects(study: Study, truth: Truth, patients: int, rng: np.random.Generator) -> Truth:
    """The same truth with the effects of `patients` patients drawn."""
    return Truth(
        {
            name: OutcomeTruth(o.values, draw_effects(study, name, o.values, patients, rng))
            for name, o in truth.outcomes.items()
        }
    )


def effects_covariance(study: Study, outcome: str, values: Mapping[str, Array]) -> Array:
    """(..., effect, effect) covariance of the patients' effects."""
    names = study.effects(outcome)
    sds = [np.asarray(values[f"sd_{n}"]) for n in names]
    r = np.asarray(values.get("correlation", 0.0))
    rows = [[sds[i] * sds[j] * (1.0 if i == j else r) for j in range(len(names))] for i in range(len(names))]
    return np.stack([np.stack(np.broadcast_arrays(*row), axis=-1) for row in rows], axis=-2)
