"""Hamiltonian Monte Carlo in the coordinates of a normal approximation, in which the posterior is nearly round.

Trajectories of random length, with a step and a scale of each coordinate that are adapted in a short warm-up by all
chains together, and then held.
Reference: Neal (2011), https://doi.org/10.1201/b10905-6; dual averaging as in Hoffman and Gelman (2014),
https://jmlr.org/papers/v15/hoffman14a.html.
"""

from dataclasses import dataclass

import numpy as np

from bayesmyo.inference.laplace.normal import Approximation, NoApproximationError

Array = np.ndarray
TIME = 2.0  # of a trajectory on average: a little more than a quarter of an oscillation
LONGEST = 10  # steps
ACCEPT = 0.75
LOST = 1000.0  # by which the energy is wrong where a trajectory has diverged
AWAY = 4.0  # SDs from the mode in each coordinate, at most, where chains begin
PRIOR = 10  # draws for which a scale of 1 counts, beside those of the warm-up
WINDOWS = (0.2, 0.3, 0.5)  # of the warm-up; scales are learnt at the end of each but the last


@dataclass
class Chain:
    """Where a chain is: standardised coordinates, their log density, its gradient."""

    x: Array
    log: float
    gradient: Array


@dataclass(frozen=True)
class Move:
    """What one transition was like."""

    acceptance: float
    diverging: bool
    energy: float
    steps: int


class Sampler:
    """Chains around an approximation, warmed up from where its second-order term says that the mean is. The same
    generator, the same draws. Raises NoApproximationError where the density is not finite there.
    """

    def __init__(self, about: Approximation, chains: int, tune: int, rng: np.random.Generator):
        self.about, self.rng = about, rng
        self.n = len(about.density.start)
        self.scale = np.ones(self.n)
        start = np.clip(about.folded(about.shifted().mean), -AWAY, AWAY)
        self.chains = [self._chain(start + rng.standard_normal(self.n)) for _ in range(chains)]
        if not all(np.isfinite(chain.log) for chain in self.chains):
            raise NoApproximationError("its density is not finite near its mode")
        self.step = 1.2 * self.n**-0.25
        for share in WINDOWS:
            self._adapt(round(share * tune), learn=share != WINDOWS[-1])

    def draw(self, draws: int) -> tuple[Array, dict[str, Array]]:
        """(chain, draw, n) vectors of the density, and statistics by ArviZ's names, (chain, draw) each."""
        x = np.empty((len(self.chains), draws, self.n))
        names = {"acceptance_rate": float, "diverging": bool, "energy": float, "n_steps": int, "lp": float}
        stats = {name: np.empty(x.shape[:2], kind) for name, kind in names.items()}
        for i in range(draws):
            for j, chain in enumerate(self.chains):
                m = self._move(chain, self.step)
                x[j, i] = chain.x
                told = m.acceptance, m.diverging, m.energy, m.steps, chain.log
                for name, value in zip(names, told, strict=True):
                    stats[name][j, i] = value
        stats["step_size"] = np.full(x.shape[:2], self.step)
        return self.about.unfolded(x.reshape(-1, self.n)).reshape(x.shape), stats

    def _adapt(self, draws: int, learn: bool = False) -> None:
        """Find the step, by dual averaging; and the scales, from where the chains have been."""
        centre, lacking, mean, seen = np.log(self.step), 0.0, np.log(self.step), []
        step = self.step
        for i in range(1, draws + 1):
            lacks = ACCEPT - np.mean([self._move(chain, step).acceptance for chain in self.chains])
            lacking += (lacks - lacking) / (i + 5)
            log_step = centre - np.sqrt(i) / 0.3 * lacking
            mean += i**-0.75 * (log_step - mean)
            step = float(np.exp(log_step))
            seen.append([chain.x for chain in self.chains])
        self.step = float(np.exp(mean))
        if learn and len(seen) > 2:
            known = np.array(seen[len(seen) // 3 :]).reshape(-1, self.n)
            self.scale = np.sqrt((len(known) * known.var(0, ddof=1) + PRIOR) / (len(known) + PRIOR))

    def _move(self, chain: Chain, step: float) -> Move:
        """One trajectory, accepted or not."""
        step = step * self.rng.uniform(0.8, 1.2)
        steps = int(np.clip(round(TIME * self.rng.uniform(0.5, 1.5) / step), 1, LONGEST))
        by, p = step * self.scale, self.rng.standard_normal(self.n)
        now = Chain(chain.x, chain.log, chain.gradient)
        before, taken = p @ p / 2 - chain.log, 0
        p = p + by / 2 * now.gradient
        for i in range(1, steps + 1):
            now, taken = self._chain(now.x + by * p), i
            if not np.isfinite(now.log):
                break
            p = p + by * now.gradient * (0.5 if i == steps else 1.0)
        after = p @ p / 2 - now.log
        wrong = after - before if np.isfinite(after) else np.inf
        acceptance = float(np.exp(min(0.0, -wrong)))
        if self.rng.random() < acceptance:
            chain.x, chain.log, chain.gradient = now.x, now.log, now.gradient
            before = after
        return Move(acceptance, bool(wrong > LOST), float(before), taken)

    def _chain(self, x: Array) -> Chain:
        return Chain(x, *self.about.at(x))
