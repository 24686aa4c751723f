"""The fast engine: a normal approximation, corrected exactly, in steps of which each answers only with a certificate.

1. importance sampling, where population parameters are few (`inference/laplace/importance.py`);
2. Hamiltonian Monte Carlo in the coordinates of the approximation (`inference/laplace/hamiltonian.py`);
3. the No-U-Turn sampler, as the engine `nuts`.

What answers is an exact sampler in every case; the approximation alone is never reported.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy import stats as distributions
from threadpoolctl import threadpool_limits

from bayesmyo.inference.build import BuiltModel
from bayesmyo.inference.diagnostics import Mixing, diagnose
from bayesmyo.inference.engines.engine import Certificate, Draws, Engine, Prepared, Progress, Sampling
from bayesmyo.inference.laplace.density import Density
from bayesmyo.inference.laplace.hamiltonian import Sampler
from bayesmyo.inference.laplace.importance import rounds
from bayesmyo.inference.laplace.normal import Approximation, NoApproximationError, approximate
from bayesmyo.inference.recover import recover
from bayesmyo.model.data import Arrays, validated

MOST = 15  # population parameters, for importance sampling
WARM, LEAST_TUNE = 50, 400  # iterations before draws count: of step 2, and of step 3 at least
WORTH = 1 / 6  # effective draws of every population parameter for each draw, in steps 1 and 2
DIVERGING = 0.01  # share of trajectories, at most; rows and checks tell of each
TIMES = (1, 2, 4)  # as many trajectories, until they mix
Found = tuple[np.ndarray, dict[str, np.ndarray], Certificate]


class Laplace:
    """Answers at once where a posterior is nearly normal, and as `nuts` where it is not. fallback: step 3"""

    name = "laplace"
    posterior = True

    def __init__(self, fallback: Engine):
        self.fallback = fallback

    def prepare(self, model: BuiltModel, exchange: bool = True) -> "PreparedLaplace":
        return PreparedLaplace(model, self.fallback, exchange)


@dataclass(frozen=True, eq=False)
class PreparedLaplace:
    """A model whose density is compiled when it is first asked for, and its sampler where that is needed."""

    model: BuiltModel
    fallback: Engine
    exchange: bool

    @cached_property
    def density(self) -> Density:
        return Density(self.model)

    @cached_property
    def whole(self) -> Prepared:
        """The engine of the last step."""
        return self.fallback.prepare(self.model, self.exchange)

    def sample(
        self, datasets: Sequence[Arrays], seeds: Sequence[int], sampling: Sampling, progress: Progress | None = None
    ) -> list[Draws]:
        with threadpool_limits(1, "blas"):  # matrices are small: threads would wait for each other most of the time
            return [self._one(data, seed, sampling, progress) for data, seed in zip(datasets, seeds, strict=True)]

    def _one(self, data: Arrays, seed: int, sampling: Sampling, progress: Progress | None) -> Draws:
        data = validated(self.model.study, data, len(self.model.patients))
        self.density.put(self.model.taken(data))
        rng = np.random.default_rng(seed)
        try:
            about = approximate(self.density)
            about.alone(rng)
            x, stats, certificate = self._weighted(about, sampling, rng) or self._trajectories(about, sampling, rng)
        except NoApproximationError as why:
            return self._whole(data, seed, sampling, progress, str(why))
        raw = self.density.constrained(x)
        return Draws(recover(self.model, raw, data, np.random.default_rng(seed)), stats, certificate)

    def _weighted(self, about: Approximation, sampling: Sampling, rng: np.random.Generator) -> Found | None:
        """Step 1; None where it does not answer."""
        if len(about.m) > MOST:
            return None
        size = sampling.chains * sampling.draws
        for result in rounds(self.density, about.shifted(), size * sampling.every, rng):
            if result.reliable:
                x = result.resampled(size, rng).reshape(sampling.chains, sampling.draws, -1)
                ess, rhat, mixed = self._mixed(x)
                k = result.k if np.isfinite(result.k) else None  # weights that are all alike have none
                if mixed:
                    return x, {}, Certificate("importance", k=k, ess=ess, rhat=rhat, rounds=result.rounds)
        return None

    def _trajectories(self, about: Approximation, sampling: Sampling, rng: np.random.Generator) -> Found:
        """Step 2. Raises NoApproximationError where it does not answer."""
        sampler = Sampler(about, sampling.chains, min(sampling.tune, WARM * sampling.every), rng)
        x, stats = sampler.draw(sampling.draws * sampling.every)
        for times in TIMES:
            if times > 1:
                more, told = sampler.draw(x.shape[1])
                x = np.concatenate([x, more], axis=1)
                stats = {name: np.concatenate([v, told[name]], axis=1) for name, v in stats.items()}
            every = x.shape[1] // sampling.draws
            ess, rhat, mixed = self._mixed(x[:, every - 1 :: every])
            if mixed and stats["diverging"].mean() <= DIVERGING:
                certificate = Certificate("hamiltonian", ess=ess, rhat=rhat, rounds=times)
                return x[:, every - 1 :: every], stats, certificate
        raise NoApproximationError("trajectories around it do not mix")

    def _mixed(self, x: np.ndarray) -> tuple[float | None, float | None, bool]:
        """The least effective draws of a population parameter, the largest R-hat, and whether both will do.

        R-hat may be what chains that are worth a third of their draws exceed by chance once in a thousand
        (see `inference/mixing.py`).
        """
        known = diagnose({str(i): x[..., i] for i in self.density.population}).values()
        size, halves = x.shape[0] * x.shape[1], 2 * x.shape[0]
        rhat = np.sqrt(1 + 3 * halves / size * distributions.chi2.ppf(0.999, halves - 1) / (halves - 1))
        least, most = min((d.ess for d in known), default=None), max((d.rhat for d in known), default=None)
        return least, most, Mixing(rhat=rhat, ess=WORTH * size).holds(known)

    def _whole(self, data: Arrays, seed: int, sampling: Sampling, progress: Progress | None, why: str) -> Draws:
        """Step 3."""
        longer = replace(sampling, tune=max(sampling.tune, LEAST_TUNE))
        draws = self.whole.sample([data], [seed], longer, progress)[0]
        return replace(draws, certificate=Certificate(self.fallback.name, why=why))
