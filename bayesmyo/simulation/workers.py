"""Who does the work: this process, processes of this machine, or those of a running dask scheduler.

A worker is sent the plan as text once and then numbers of replicates; it answers with rows. It is handed one batch at a time, so that if it dies
it is known over what.
"""

import contextlib
import hashlib
import json
import logging
import os
import queue
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import dask
from dask.system import CPU_COUNT
from distributed import Client, Future, KilledWorker, LocalCluster, Security, WorkerPlugin
from distributed.system import MEMORY_LIMIT

from bayesmyo.errors import EngineError, Incomplete, UsageError
from bayesmyo.model.versions import skew, versions
from bayesmyo.simulation import compile_cache
from bayesmyo.simulation.batch import Batch

Work = Callable[[str, int, Sequence[int]], list[dict[str, Any]]]  # (plan as JSON, cell, replicates) -> rows
MEMORY = 1_000_000_000  # bytes that one worker may want
ANSWER = 20  # seconds within which a scheduler answers
SETTLED = 3.0  # seconds after which one that joins is up: dask does not replace a worker that dies while it begins
LOST = "60 s"  # after which dask gives a worker up that it tries to replace
MISSED = 20.0  # seconds between two tries to replace workers that are gone for good
HERE = "this process"


@dataclass(frozen=True)
class Finished:
    """A batch that a worker is done with. rows: in order; none where it was lost, because the worker died so often, or took too long."""

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


@dataclass
class _Task:
    """A batch that is under way."""

    future: "Future[Any]"
    worker: str
    batch: Batch
    since: float


class Cluster:
    """The workers of a dask scheduler, wherever they are.

    limit: seconds that one replicate may take; ours: the processes of this machine that are ours, to be replaced where they are gone
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
        """Leave workers as they were found: nothing is under way, and what they were sent is forgotten."""
        for task in self._tasks.values():
            task.future.cancel()
        with contextlib.suppress(OSError):  # the scheduler is gone, and was said to be
            if self._client.status == "running":
                self._client.unregister_worker_plugin(self._name)

    def alive(self) -> list[str]:
        found, now = self._workers(), time.monotonic()
        self._seen = {worker: self._seen.get(worker, now) for worker in found}
        if self._ours and len(found) < self._wanted and now - self._tended > MISSED:
            self._tended = now
            self._ours.scale(self._wanted)
        return found

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
        future = self._client.submit(
            perform, self._plan, self._work, batch.cell, batch.replicates, workers=[worker], allow_other_workers=True, pure=False
        )  # fmt: skip
        self._tasks[future.key] = _Task(future, worker, batch, time.monotonic())
        future.add_done_callback(self._done.put)

    def finished(self, wait: float) -> list[Finished]:
        found = self._overdue() if self._limit else []
        try:
            ready = [self._done.get(timeout=0 if found else wait)]
            while not self._done.empty():
                ready.append(self._done.get())
        except queue.Empty:
            ready = []
        tasks = [task for future in ready if (task := self._tasks.pop(future.key, None))]
        return found + [self._read(task) for task in tasks]

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
        found = []
        for task in late:
            where = at.get(task.future.key, "")
            if where != task.worker:  # it waits still, or another worker has it now
                task.worker, task.since = where or task.worker, now
                continue
            del self._tasks[task.future.key]
            task.future.cancel()
            _kill(self._client, task.worker)
            found.append(Finished(task.worker, task.batch, now - task.since, [], "timeout", 1))
        return found


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
    """One batch, in a worker: the seconds that it took, and its rows. Raises EngineError where other versions are installed there."""
    plan, wanted = _plans[key]
    if found := skew(wanted, versions()):
        raise EngineError(f"A worker has other versions ({found}): the same are needed everywhere.")
    with _one_at_a_time:
        began = time.monotonic()
        rows = work(plan, cell, replicates)
        return time.monotonic() - began, rows


@contextlib.contextmanager
def local(work: Work, plan: str, workers: int, limit: float | None = None) -> Iterator[Cluster]:
    """So many processes of this machine."""
    settings = {
        "distributed.scheduler.allowed-failures": 0,  # `run` counts, and hands out again one by one
        "distributed.deploy.lost-worker-timeout": LOST,
        "distributed.scheduler.http.routes": [],  # no pages for a browser
        "distributed.worker.memory.target": False,  # nothing is stored in workers: only what grows too large is ended
        "distributed.worker.memory.spill": False,
        "distributed.worker.memory.pause": False,
    }
    environment = dict(os.environ)  # dask leaves settings of its workers in it
    try:
        with (
            dask.config.set(settings),
            _quiet(),
            LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                processes=True,
                dashboard_address="127.0.0.1:0",
                silence_logs=logging.CRITICAL,
            ) as cluster,  # fmt: skip
            Client(cluster) as client,
        ):
            yield Cluster(client, work, plan, limit, cluster)
    finally:
        os.environ.clear()
        os.environ.update(environment)


@contextlib.contextmanager
def remote(
    work: Work, plan: str, address: str, security: Security | None = None, limit: float | None = None
) -> Iterator[Cluster]:
    """The workers of a running scheduler: its address, or the file that it wrote with --scheduler-file.

    Raises UsageError where none answers, and where workers have other versions of what computes.
    """
    file = Path(address) if address.endswith(".json") else None
    with _quiet():
        try:
            if file:
                address = _address(file)
            client = Client(address, security=security, timeout=ANSWER)
        except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
            raise UsageError(
                "--cluster",
                f"no scheduler answers within {ANSWER} seconds ({error})",
                str(file or address),
                "start one: see docs/cluster.md",
            ) from None
        with client:
            _same_versions(client)
            found = Cluster(client, work, plan, limit)
            try:
                yield found
            finally:
                found.leave()


def security(ca: Path | None, cert: Path | None, key: Path | None) -> Security | None:
    """Encryption with these files (PEM); dask's own configuration where there are none. Raises UsageError where one is absent."""
    files = {"--tls-ca": ca, "--tls-cert": cert, "--tls-key": key}
    if not any(files.values()):
        return None
    for option, path in files.items():
        if path is None:
            raise UsageError(
                option, "is missing", mend="a certificate, its key and the authority's certificate go together"
            )
        if not path.is_file():
            raise UsageError(option, "is not a file that can be read", str(path))
    return Security(
        tls_ca_file=str(ca), tls_client_cert=str(cert), tls_client_key=str(key), require_encryption=True
    )  # fmt: skip


def usual_workers() -> int:
    """As many as this machine has cores for, and memory."""
    return max(1, min(CPU_COUNT, int(MEMORY_LIMIT // MEMORY)))


def _address(file: Path) -> str:
    """What a scheduler wrote, which may just have been started."""
    deadline = time.monotonic() + ANSWER
    while not file.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    return str(json.loads(file.read_bytes())["address"])


def _same_versions(client: Client) -> None:
    here = versions()
    for worker, there in client.run(versions, on_error="return").items():
        found = f"bayesmyo cannot be loaded: {there}" if isinstance(there, Exception) else skew(there, here)
        if found:
            raise UsageError(
                "--cluster", f"the worker {worker} has other versions ({found})", mend="install the same ones everywhere"
            )  # fmt: skip


def _kill(client: Client, worker: str) -> None:
    """End a worker that does not come back from a batch; its nanny, where it has one, begins another."""
    try:
        client.restart_workers([worker], timeout=30, raise_for_error=False)
    except ValueError:  # it has no nanny
        client.run(os._exit, 1, workers=[worker], on_error="ignore")


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """What dask says of workers that come and go is said by us, in our words."""
    logger = logging.getLogger("distributed")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(before)
