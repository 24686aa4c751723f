"""What `run` asks of whoever does the work, and this process, which can do it alone.

A worker is handed one batch at a time, so that if it dies it is known over what. A worker loads this before it has a
compile cache of its own, so nothing here may load PyTensor.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

Work = Callable[[str, int, Sequence[int]], list[dict[str, Any]]]  # (plan as JSON, cell, replicates) -> rows
HERE = "this process"


@dataclass(frozen=True)
class Batch:
    """What one worker is handed at a time: replicates of one cell (its number in the plan), done one after another.

    tried: how often a worker died over them before
    """

    cell: int
    replicates: tuple[int, ...]
    tried: int = 0


@dataclass(frozen=True)
class Finished:
    """A batch that a worker is done with.

    Attributes
    ----------
    worker, batch : str, Batch
        Who was handed what.
    seconds : float
        That it took.
    rows : list of dict
        In order; none where the batch was lost.
    lost : str
        Why, where it was: the worker died ("crashed"), or took too long ("timeout").
    deaths : int
        How many workers died over it.
    """

    worker: str
    batch: Batch
    seconds: float
    rows: list[dict[str, Any]]
    lost: Literal["", "crashed", "timeout"] = ""
    deaths: int = 0


class Pool(Protocol):
    """Workers, each named, one batch at a time."""

    def alive(self) -> list[str]:
        """Every worker that there is now."""
        ...

    def idle(self) -> list[str]:
        """Those that have nothing to do."""
        ...

    def submit(self, worker: str, batch: Batch) -> None: ...

    def finished(self, wait: float) -> list[Finished]:
        """What was finished since; waits for it, but not longer than so many seconds."""
        ...


class Here:
    """This process alone, one batch after another: nothing bounds the time that a replicate takes."""

    def __init__(self, work: Work, plan: str):
        self._work, self._plan = work, plan
        self._batch: Batch | None = None

    def alive(self) -> list[str]:
        return [HERE]

    def idle(self) -> list[str]:
        return [] if self._batch else [HERE]

    def submit(self, worker: str, batch: Batch) -> None:
        self._batch = batch

    def finished(self, wait: float) -> list[Finished]:
        batch, self._batch, began = self._batch, None, time.monotonic()
        if batch is None:
            return []
        rows = self._work(self._plan, batch.cell, batch.replicates)
        return [Finished(HERE, batch, time.monotonic() - began, rows)]
