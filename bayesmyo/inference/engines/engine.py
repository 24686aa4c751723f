"""The contract of an engine: compile once, sample many datasets."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, Protocol

import numpy as np
from pydantic import Field

from bayesmyo.inference.build import BuiltModel
from bayesmyo.model.data import Arrays


@dataclass(frozen=True)
class Sampling:
    """How to sample.

    Attributes
    ----------
    draws, tune : int
        Of each chain: those that are kept, and those in which the sampler adapts before.
    chains : int
        Their number; two at least can be compared.
    cores : int, optional
        Changes the time, never a draw.
    target_accept : float
        The acceptance rate at which the sampler aims.
    adaptation : str
        Of the mass matrix: "diag", or "low_rank" for parameters that are strongly correlated (covariates far from their
        typical value), at some cost in time where there are hundreds of patients.
    every : int
        Of how many sampled draws one is kept; `fit` samples four times as many where those asked for are too few.

    Examples
    --------
    >>> bayesmyo.Sampling(draws=2000).chains
    4
    """

    draws: int = 1000
    tune: int = 1000
    chains: int = 4
    cores: int | None = None
    target_accept: float = 0.95
    adaptation: Literal["diag", "low_rank"] = "diag"
    every: int = 1


STATISTICS = {
    "diverging": "|b1",
    "tree_depth": "<i8",
    "reached_max_treedepth": "|b1",
    "n_steps": "<i8",
    "energy": "<f8",
    "lp": "<f8",
    "acceptance_rate": "<f8",
    "step_size": "<f8",
}  # what is kept of a sampler's statistics, and as what: ArviZ's names, NumPy's types


@dataclass(frozen=True)
class Certificate:
    """By what an engine of several steps was answered, and what that step says of itself.

    step: "importance", "hamiltonian", or the engine that answers where neither does
    k, ess, rhat: Pareto k of importance weights (reliable at most at 0.7), the draws that they are worth or the least
        effective draws of a population parameter, the largest R-hat; None where the step has none
    rounds: of proposals, or by how much longer the chains are than was asked; why: an earlier step did not answer
    """

    step: Annotated[str, Field(max_length=50)]
    k: float | None = None
    ess: float | None = None
    rhat: float | None = None
    rounds: int = 1
    why: Annotated[str, Field(max_length=200)] = ""


@dataclass(frozen=True, eq=False)
class Draws:
    """What an engine returns for one dataset.

    posterior: parameter full name -> (chain, draw), and `cpk.effect_start` -> (chain, draw, patient)
    stats: some of `STATISTICS`, (chain, draw) each, of every draw that was sampled; empty where the engine has none
    certificate: of an engine of several steps
    """

    posterior: dict[str, np.ndarray]
    stats: dict[str, np.ndarray]
    certificate: Certificate | None = None


@dataclass(frozen=True)
class ChainState:
    """Progress of one chain: iterations finished of all, divergences so far, and whether it still adapts."""

    finished: int
    total: int
    divergences: int
    tuning: bool


Progress = Callable[[Sequence[ChainState]], None]


class Prepared(Protocol):
    """A model ready to sample."""

    def sample(
        self, datasets: Sequence[Arrays], seeds: Sequence[int], sampling: Sampling, progress: Progress | None = None
    ) -> list[Draws]:
        """Draws for each dataset, each under its own seed. Raises EngineError, UsageError."""
        ...


class Engine(Protocol):
    """A way to draw from the posterior. posterior: False where the draws are no posterior at all (a mock)."""

    name: str
    posterior: bool

    def prepare(self, model: BuiltModel, exchange: bool = True) -> Prepared:
        """Compile, or whatever has to be done once.

        exchange: other datasets will follow; False for the model's own data alone, which may compile quicker.
        """
        ...
