"""Values for every parameter and every patient's effects: one truth, or one for each posterior draw.

A Truth has leading dimensions: none for a scenario, (chain, draw) for a posterior. Everything is on the link scale.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from bayesmyo.errors import UsageError, did_you_mean
from bayesmyo.model.published import draw_known
from bayesmyo.study import predictors, scenarios
from bayesmyo.study.covariates import coded, used
from bayesmyo.study.parameters import draw_pooled, inventory
from bayesmyo.study.predictors import CORRELATIONS, Effect, blocks
from bayesmyo.study.study import Study

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class OutcomeTruth:
    """The truth about one outcome.

    values: parameter name -> (...,) on the link scale (`start`, `sd_start`, `correlation`, `sigma` ...)
    effects: effect key -> (..., patient) deviation of each patient from the coefficient; empty until drawn
    """

    values: Mapping[str, Array]
    effects: Mapping[str, Array] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Truth:
    """The truth about every outcome: one, or one for each draw of a posterior; all on the link scale.

    Attributes
    ----------
    outcomes : mapping of str to OutcomeTruth
        Parameters (...,), and effects (..., patient) once they are drawn.
    correlations : mapping of str to array
        Between effects, or residuals, of different outcomes, by name.
    covariates : mapping of str to array
        Design columns of these patients, (..., patient) each, without products.

    Examples
    --------
    >>> simulated = bayesmyo.simulate_scenario(study, "improves")
    >>> float(simulated.truth.outcomes["cpk"].values["half_time"])
    3.0
    """

    outcomes: Mapping[str, OutcomeTruth]
    correlations: Mapping[str, Array] = field(default_factory=dict)
    covariates: Mapping[str, Array] = field(default_factory=dict)

    @property
    def shape(self) -> tuple[int, ...]:
        first = next(iter(self.outcomes.values()))
        return np.shape(next(iter(first.values.values())))

    @property
    def patients(self) -> int | None:
        """How many patients it knows; None before they are drawn."""
        arrays = [*self.covariates.values(), *(e for o in self.outcomes.values() for e in o.effects.values())]
        return np.shape(arrays[0])[-1] if arrays else None

    def without(self, *patients: int) -> "Truth":
        """The same truths of the other patients."""
        outcomes = {
            name: OutcomeTruth(o.values, {k: np.delete(v, patients, axis=-1) for k, v in o.effects.items()})
            for name, o in self.outcomes.items()
        }
        columns = {k: np.delete(v, patients, axis=-1) for k, v in self.covariates.items()}
        return Truth(outcomes, self.correlations, columns)

    def take(self, draws: Array) -> "Truth":
        """Some of the truths, by their positions in all leading dimensions together, in one leading dimension."""
        shape = self.shape

        def taken(x: Array) -> Array:
            x = np.asarray(x)
            return x.reshape(-1, *x.shape[len(shape) :])[draws] if x.shape[: len(shape)] == shape else x

        outcomes = {
            name: OutcomeTruth({k: taken(v) for k, v in o.values.items()}, {k: taken(v) for k, v in o.effects.items()})
            for name, o in self.outcomes.items()
        }
        columns = {k: taken(v) if np.ndim(v) > 1 else v for k, v in self.covariates.items()}
        return Truth(outcomes, {k: taken(v) for k, v in self.correlations.items()}, columns)

    def value(self, outcome: str, name: str) -> Array:
        """A parameter by name; `outcome` may be `correlations`."""
        return np.asarray(self.correlations[name] if outcome == CORRELATIONS else self.outcomes[outcome].values[name])


def of_values(values: Mapping[str, Mapping[str, Array]]) -> Truth:
    """A Truth from outcome -> parameter -> value, correlations between outcomes under `correlations`."""
    return Truth(
        {outcome: OutcomeTruth(v) for outcome, v in values.items() if outcome != CORRELATIONS},
        values.get(CORRELATIONS, {}),
    )


def from_scenario(study: Study, name: str, rng: np.random.Generator | None = None) -> Truth:
    """The truth that a scenario states, without patients' effects yet.

    rng: draws the values that have a design prior, so that each call is another truth; impossible draws are drawn again
    Raises UsageError for an unknown name, and for a scenario with design priors where there is no generator.
    """
    if name not in study.scenarios:
        raise UsageError("scenario", "is not in this study", f'"{name}"', did_you_mean(name, list(study.scenarios)))
    if uncertain := scenarios.design_priors(study, name):
        if rng is None:
            what = f"leaves {', '.join(uncertain)} uncertain: each cohort draws its own truth"
            raise UsageError("scenario", what, f'"{name}"', "hand over a random number generator")
        uncertain_values, pairs = (
            scenarios.stated_values(study.scenarios, name),
            scenarios.together(study.scenarios, name),
        )
        stated = scenarios.draw_stated(study, uncertain_values, rng, pairs)
        if stated is None:
            raise UsageError(
                "scenario", "has design priors that are never possible together", f'"{name}"', "narrow them"
            )
    else:
        stated = {
            o: {k: float(v) for k, v in listed.items()}
            for o, listed in scenarios.stated_values(study.scenarios, name).items()
        }
    values = {}
    for outcome, listed in inventory(study).items():
        known = stated.get(outcome, {})
        if outcome == CORRELATIONS:
            known = dict.fromkeys(listed, 0.0) | known
        stated_here = {p.name: np.asarray(p.from_scenario(known[p.name])) for p in listed.values() if p.name in known}
        values[outcome] = {**stated_here, **draw_pooled(listed, stated_here, rng)}
    return of_values(values)


def from_priors(study: Study, rng: np.random.Generator, size: tuple[int, ...] = ()) -> Truth:
    """Independent draws of every parameter from the study's priors and its evidence, without patients' effects yet."""
    return of_values(draw_known(study, rng, size))


def correlation_matrix(study: Study, truth: Truth, effects: Sequence[Effect]) -> Array:
    """(..., effect, effect) correlations of any of the study's effects."""
    return predictors.correlation_matrix(study, effects, truth.value, truth.shape)


def factor_of(study: Study, truth: Truth, effects: Sequence[Effect]) -> Array:
    """(..., effect, effect) Cholesky factor of their covariance, which a very small SD does not make singular."""
    sds = np.stack([np.broadcast_to(truth.value(e.outcome, f"sd_{e.key}"), truth.shape) for e in effects], axis=-1)
    return sds[..., :, None] * np.linalg.cholesky(correlation_matrix(study, truth, effects))


def covariance(study: Study, truth: Truth, effects: Sequence[Effect]) -> Array:
    """(..., effect, effect) covariance of any of the study's effects between patients."""
    sds = np.stack([np.broadcast_to(truth.value(e.outcome, f"sd_{e.key}"), truth.shape) for e in effects], axis=-1)
    return correlation_matrix(study, truth, effects) * sds[..., :, None] * sds[..., None, :]


def draw_effects(study: Study, truth: Truth, patients: int, rng: np.random.Generator) -> dict[str, dict[str, Array]]:
    """Outcome -> effect key -> (..., patient): effects of new patients, from the normal distribution that the values
    describe.
    """
    drawn: dict[str, dict[str, Array]] = {outcome: {} for outcome in study.declared}
    for block in blocks(study):
        factor = np.linalg.cholesky(correlation_matrix(study, truth, block.effects))
        z = rng.standard_normal((len(block.effects), *truth.shape, patients))
        for i, e in enumerate(block.effects):
            standard = sum(factor[..., i, j, None] * z[j] for j in range(i + 1))
            drawn[e.outcome][e.key] = truth.value(e.outcome, f"sd_{e.key}")[..., None] * standard
    return drawn


def draw_covariate(study: Study, name: str, size: int, rng: np.random.Generator) -> Array:
    """Values of a covariate in simulated patients or visits: levels by their shares, numbers as typical and scale
    say.
    """
    c = study.covariates[name]
    if c.levels:
        return rng.choice(len(c.levels), size=size, p=c.shares).astype(float)
    assert c.typical is not None
    assert c.scale is not None
    z = rng.standard_normal(size)
    if c.transform == "log":
        drawn = np.asarray(c.typical * c.scale**z)
    elif c.transform == "sqrt":
        drawn = np.square(np.maximum(np.sqrt(c.typical) + c.scale * z, 0.0))
    else:
        drawn = np.asarray(c.typical + c.scale * z)
    return drawn if c.minimum is None and c.maximum is None else np.clip(drawn, c.minimum, c.maximum)


def patient_columns(study: Study, covariates: Mapping[str, Array]) -> dict[str, Array]:
    """Design columns of patients, without products, from their covariates' values."""
    design: dict[str, Array] = {}
    for name in used(study, "patients"):
        design |= coded(study, name, covariates[name])
    return design


def with_effects(study: Study, truth: Truth, patients: int, rng: np.random.Generator) -> Truth:
    """The same truth with the effects of `patients` patients drawn."""
    drawn = draw_effects(study, truth, patients, rng)
    return replace(truth, outcomes={name: OutcomeTruth(o.values, drawn[name]) for name, o in truth.outcomes.items()})
