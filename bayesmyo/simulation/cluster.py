"""The workers of a dask scheduler.

Each is sent the plan as text once and then numbers of replicates; it answers with rows.
"""

import contextlib
import hashlib
import os
import queue
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from distributed import Client, Future, KilledWorker, LocalCluster, WorkerPlugin

from bayesmyo.errors import EngineError, Incomplete
from bayesmyo.model.versions import skew, versions
from bayesmyo.simulation import compile_cache
from bayesmyo.simulation.pool import Batch, Finished, Work

SETTLED = 3.0  # seconds after which one that joins is up: dask does not replace a worker that dies while it begins
MISSED = 20.0  # seconds between two tries to replace workers that are gone for good


@dataclass
class _Task:
    """A batch that is under way."""

    future: "Future[Any]"
    worker: str
    batch: Batch
    since: float


class Cluster:
    """The workers of a dask scheduler, wherever they are.

    limit: seconds that one replicate may take; ours: the processes of this machine that are ours, to be replaced where
        they are gone
    """

    def __init__(
        self, client: Client, work: Work, plan: str, limit: float | None = None, ours: LocalCluster | None = None
    ):
        self._client, self._work, self._limit = client, work, limit
        self._plan = hashlib.sha256(plan.encode()).hexdigest()
        self._tasks: dict[Any, _Task] = {}  # by the key of its future
        self._ours, self._wanted, self._tended = ours, len(ours.worker_spec) if ours else 0, time.monotonic()
        self._seen = dict.fromkeys(self._workers(), -SETTLED)  # worker -> since when
        self._done: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._name = f"bayesmyo-{self._plan[:16]}"
        client.register_plugin(Ready(self._plan, plan, versions(), ours is not None), name=self._name)

    def leave(self) -> None:
        """Leave workers as they were before: nothing is under way, and what they were sent is forgotten."""
        for task in self._tasks.values():
            task.future.cancel()
        with contextlib.suppress(OSError):  # the scheduler is gone, and was said to be
            if self._client.status == "running":
                self._client.unregister_worker_plugin(self._name)

    def alive(self) -> list[str]:
        workers, now = self._workers(), time.monotonic()
        self._seen = {worker: self._seen.get(worker, now) for worker in workers}
        if self._ours and len(workers) < self._wanted and now - self._tended > MISSED:
            self._tended = now
            self._ours.scale(self._wanted)
        return workers

    def _workers(self) -> list[str]:
        with self._reached():
            return list(self._client.nthreads())

    @contextlib.contextmanager
    def _reached(self) -> Iterator[None]:
        """Raises Incomplete where the scheduler cannot be spoken to any more."""
        gone = "The scheduler is gone. What was finished is kept: start it again, and the same command goes on."
        if self._client.status != "running":
            raise Incomplete(gone)
        try:
            yield
        except OSError:
            raise Incomplete(gone) from None

    def idle(self) -> list[str]:
        busy, now = {task.worker for task in self._tasks.values()}, time.monotonic()
        return [w for w in self.alive() if w not in busy and now - self._seen[w] >= SETTLED]

    def submit(self, worker: str, batch: Batch) -> None:
        where: dict[str, Any] = {"workers": [worker], "allow_other_workers": True, "pure": False}
        future = self._client.submit(perform, self._plan, self._work, batch.cell, batch.replicates, **where)
        self._tasks[future.key] = _Task(future, worker, batch, time.monotonic())
        future.add_done_callback(self._done.put)

    def finished(self, wait: float) -> list[Finished]:
        overdue = self._overdue() if self._limit else []
        try:
            ready = [self._done.get(timeout=0 if overdue else wait)]
            while not self._done.empty():
                ready.append(self._done.get())
        except queue.Empty:
            ready = []
        tasks = [task for future in ready if (task := self._tasks.pop(future.key, None))]
        return overdue + [self._read(task) for task in tasks]

    def _read(self, task: _Task) -> Finished:
        """What became of a task. Raises whatever its worker raised."""
        seconds = time.monotonic() - task.since
        try:
            if task.future.cancelled():
                return Finished(task.worker, task.batch, seconds, [], "crashed", 0)
            took, rows = task.future.result()
            return Finished(task.worker, task.batch, took, rows)
        except KilledWorker as killed:
            return Finished(task.worker, task.batch, seconds, [], "crashed", killed.allowed_failures + 1)
        finally:
            task.future.release()

    def _overdue(self) -> list[Finished]:
        """Batches that take longer than one replicate may; their workers are killed."""
        assert self._limit
        now = time.monotonic()
        late = [task for task in self._tasks.values() if now - task.since > self._limit]
        if not late:
            return []
        with self._reached():
            at = {key: worker for worker, keys in self._client.processing().items() for key in keys}
        given_up = []
        for task in late:
            where = at.get(task.future.key, "")
            if where != task.worker:  # it waits still, or another worker has it now
                task.worker, task.since = where or task.worker, now
                continue
            del self._tasks[task.future.key]
            task.future.cancel()
            _kill(self._client, task.worker)
            given_up.append(Finished(task.worker, task.batch, now - task.since, [], "timeout", 1))
        return given_up


class Ready(WorkerPlugin):
    """What a worker has before its first batch, whenever it joins: the plan, and a compile cache of its own.

    ours: it belongs to this terminal; that Ctrl-C was pressed there is for the process that started it to know
    """

    def __init__(self, key: str, plan: str, wanted: dict[str, str], ours: bool):
        self.key, self.plan, self.wanted, self.ours = key, plan, wanted, ours

    def setup(self, worker: Any) -> None:
        if self.ours:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        compile_cache.claim()
        _plans[self.key] = self.plan, self.wanted

    def teardown(self, worker: Any) -> None:
        _plans.pop(self.key, None)


_plans: dict[str, tuple[str, dict[str, str]]] = {}  # of a worker: what it was sent
_one_at_a_time = threading.Lock()  # compilers are not to be used by two threads


def perform(key: str, work: Work, cell: int, replicates: Sequence[int]) -> tuple[float, list[dict[str, Any]]]:
    """One batch, in a worker: the seconds that it took, and its rows.

    Raises EngineError where other versions are installed there.
    """
    plan, wanted = _plans[key]
    if differs := skew(wanted, versions()):
        raise EngineError(f"A worker has other versions ({differs}): the same are needed everywhere.")
    with _one_at_a_time:
        began = time.monotonic()
        rows = work(plan, cell, replicates)
        return time.monotonic() - began, rows


def _kill(client: Client, worker: str) -> None:
    """End a worker that does not come back from a batch; its nanny, where it has one, begins another."""
    try:
        client.restart_workers([worker], timeout=30, raise_for_error=False)
    except ValueError:  # it has no nanny
        client.run(os._exit, 1, workers=[worker], on_error="ignore")
