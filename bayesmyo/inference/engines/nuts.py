"""The No-U-Turn sampler (Hoffman and Gelman 2014) of nutpie, compiled once and handed one dataset after another."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import nutpie
from pytensor.compile.mode import predefined_modes

from bayesmyo.errors import EngineError, UsageError
from bayesmyo.inference.build import BuiltModel
from bayesmyo.inference.engines.engine import ChainState, Draws, Progress, Sampling
from bayesmyo.inference.recover import recover
from bayesmyo.model.data import Arrays, validated

STATS = {
    "diverging": "diverging",
    "depth": "tree_depth",
    "maxdepth_reached": "reached_max_treedepth",
    "n_steps": "n_steps",
    "energy": "energy",
    "logp": "lp",
    "mean_tree_accept": "acceptance_rate",
    "step_size": "step_size",
}


# PyTensor looks for arrays that an operation may write into; that takes a third of the time of compiling, and what is
# compiled for these models is no faster for it
INPLACE = "inplace_elemwise"


class Nuts:
    """Full Hamiltonian Monte Carlo: the reference engine."""

    name = "nuts"
    posterior = True

    def prepare(self, model: BuiltModel, exchange: bool = True) -> "PreparedNuts":
        with _without(INPLACE):
            return PreparedNuts(model, nutpie.compile_pymc_model(model.pymc, freeze_model=not exchange), exchange)


@dataclass(frozen=True, eq=False)
class PreparedNuts:
    """A compiled model. Datasets may differ in their visits, never in their number of patients."""

    model: BuiltModel
    compiled: Any
    exchange: bool

    def sample(
        self, datasets: Sequence[Arrays], seeds: Sequence[int], sampling: Sampling, progress: Progress | None = None
    ) -> list[Draws]:
        return [self._one(data, seed, sampling, progress) for data, seed in zip(datasets, seeds, strict=True)]

    def _one(self, data: Arrays, seed: int, sampling: Sampling, progress: Progress | None) -> Draws:
        data = validated(self.model.study, data, len(self.model.patients))
        sampler = nutpie.sample(
            self._with_data(data),
            draws=sampling.draws * sampling.every,
            tune=sampling.tune,
            chains=sampling.chains,
            cores=sampling.cores,
            seed=seed,
            target_accept=sampling.target_accept,
            adaptation=sampling.adaptation,
            save_warmup=False,
            progress_bar=False,
            progress_rate=100,
            progress_callback=_reporter(progress) if progress else None,
            blocking=False,
        )
        try:
            tree = sampler.wait()
        except RuntimeError as error:
            raise EngineError(_plain(error)) from None
        except (KeyboardInterrupt, SystemExit):
            sampler.cancel()
            raise
        except BaseException as panic:  # of the sampler's own threads, which cannot be cancelled any more
            raise EngineError(_plain(panic)) from None
        raw, stats = _kept(tree, sampling.every)
        del tree, sampler  # what is not kept goes before more is made of what is
        return Draws(recover(self.model, raw, data, np.random.default_rng(seed)), stats)

    def _with_data(self, data: Arrays) -> Any:
        """The compiled model with a dataset in place."""
        if not self.exchange:
            if not all(np.array_equal(data[k], v, equal_nan=True) for k, v in self.model.data.items()):
                raise UsageError("data", "are not those the model was compiled with", mend="prepare it for exchange")
            return self.compiled
        # not all data are in the compiled model: a constant trajectory has no use for time
        used = {variable.name for variable in self.compiled.shared_var_keys}
        return self.compiled.with_data(**{k: v for k, v in self.model.taken(data).items() if k in used})


@contextlib.contextmanager
def _without(rewrite: str) -> Iterator[None]:
    """PyTensor's mode for numba, which nutpie asks for by name, without one rewrite; as it was, afterwards."""
    mode = predefined_modes["NUMBA"]
    predefined_modes["NUMBA"] = mode.excluding(rewrite)
    try:
        yield
    finally:
        predefined_modes["NUMBA"] = mode


def _kept(tree: Any, every: int) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """One in so many draws, the last of each; and the sampler's statistics of all."""
    raw = {
        str(k): np.ascontiguousarray(v.values[:, every - 1 :: every]) for k, v in tree["posterior"].data_vars.items()
    }
    stats = tree["sample_stats"].data_vars
    return raw, {ours: stats[theirs].values for theirs, ours in STATS.items() if theirs in stats}


def _reporter(progress: Progress) -> Any:
    def report(chains: Any) -> None:
        progress([ChainState(c.finished_draws, c.total_draws, c.divergences, c.tuning) for c in chains])

    return report


def _plain(error: BaseException) -> str:
    """nutpie's message without its backtrace."""
    first = str(error).splitlines()[0] if str(error) else "the sampler stopped"
    return f"sampling could not start or finish: {first}"
