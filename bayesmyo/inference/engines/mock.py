"""An engine that draws from the priors: for tests and dry runs, where sampling is not the point."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bayesmyo.inference.build import BuiltModel
from bayesmyo.inference.engines.engine import Draws, Progress, Sampling
from bayesmyo.model.data import SHARED, Arrays, imputed, validated
from bayesmyo.model.truth import from_priors, with_effects
from bayesmyo.study.predictors import CORRELATIONS


class Mock:
    """Draws from the priors, in milliseconds; its fits never pass a check."""

    name = "mock"
    posterior = False

    def prepare(self, model: BuiltModel, exchange: bool = True) -> "PreparedMock":
        return PreparedMock(model)


@dataclass(frozen=True, eq=False)
class PreparedMock:
    """Nothing is compiled; the data are validated as for any engine, and then not looked at."""

    model: BuiltModel

    def sample(
        self, datasets: Sequence[Arrays], seeds: Sequence[int], sampling: Sampling, progress: Progress | None = None
    ) -> list[Draws]:
        results = []
        study, patients = self.model.study, len(self.model.patients)
        for data, seed in zip(datasets, seeds, strict=True):
            validated(study, data, patients)
            rng = np.random.default_rng(seed)
            truth = with_effects(study, from_priors(study, rng, (sampling.chains, sampling.draws)), patients, rng)
            posterior = {f"{name}.{p}": v for name, o in truth.outcomes.items() for p, v in o.values.items()}
            posterior |= {f"{CORRELATIONS}.{p}": v for p, v in truth.correlations.items()}
            for column, values in imputed(data).items():
                shape = (sampling.chains, sampling.draws, int(np.isnan(values).sum()))
                posterior[f"{SHARED}.{column}"] = rng.standard_normal(shape)
            for name, o in truth.outcomes.items():
                posterior |= {f"{name}.effect_{effect}": v for effect, v in o.effects.items()}
            results.append(Draws(posterior, {"diverging": np.zeros((sampling.chains, sampling.draws), dtype=bool)}))
        return results
