"""What is missing -> workers -> the folder: a simulation study from whatever is there to its end."""

import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from distributed import Security

from bayesmyo.errors import Incomplete, UsageError
from bayesmyo.model.versions import versions
from bayesmyo.simulation import workers as hands
from bayesmyo.simulation.agenda import Agenda
from bayesmyo.simulation.header import Header, Shard
from bayesmyo.simulation.options import LIMIT
from bayesmyo.simulation.parts import outcome
from bayesmyo.simulation.plan import Plan
from bayesmyo.simulation.pool import Batch, Finished, Pool, Work
from bayesmyo.simulation.replicate import work as replicate
from bayesmyo.simulation.row import Row
from bayesmyo.simulation.store import Results, Store, opened, read_results

PACE = 5.0  # seconds that a batch should take, and between two parts on the disk
MOST = 64  # replicates of a batch
TICK = 0.5  # seconds between two looks at what goes on
TIMED = 5  # cohorts, before it is said how long the others will take
DEATHS = 3  # of workers, over one replicate; then it is a row that says so


@dataclass(frozen=True)
class State:
    """How far a run is.

    Attributes
    ----------
    done, failed : int
        Replicates that are on the disk, and the failed ones among all that are done.
    remaining : int
        As far as is known: a cell may go on where its Monte Carlo error asks for it.
    seconds : float
        That are left, as long as a cohort took where its model was compiled already; NaN before there were some.
    error : float
        The largest Monte Carlo error of any decision now; NaN where there is none.
    workers : int
        At work or idle.
    notices : tuple of str
        What the reader should know, all until now.
    nested : int
        How many cohorts are analysed beside, at most, by all replicates that look ahead at interim looks.
    """

    done: int
    failed: int
    remaining: int
    seconds: float = math.nan
    error: float = math.nan
    workers: int = 0
    notices: tuple[str, ...] = ()
    nested: int = 0


Progress = Callable[[State], None]


def run(
    plan: Plan,
    folder: str | Path,
    *,
    workers: int | None = None,
    cluster: str | None = None,
    security: Security | None = None,
    shard: Shard | None = None,
    progress: Progress | None = None,
    limit: float | None = LIMIT,
    mixed: bool = False,
    work: Work = replicate,
) -> Results:
    """Do what is missing in a folder, and write its tables.

    What is finished is kept whatever happens: the same call goes on. The rows, and the bytes of the tables, are the
    same for any workers, any order and any number of interruptions. A script
    that calls this with workers does so under `if __name__ == "__main__":`.

    Parameters
    ----------
    plan : Plan
        What is simulated.
    folder : str or Path
        Made where there is none.
    workers : int, optional
        Processes on this machine (default: as many as it has cores and memory for); 0: this process alone.
    cluster : str, optional
        The address of a running dask scheduler instead, or the file of its address.
    security : Security, optional
        Encryption of that scheduler.
    shard : (int, int), optional
        (i, n): the i-th of n parts of the work, to be joined by `merge`; the results of one are never complete.
    progress : callable, optional
        Called with a `State` now and then.
    limit : float, optional
        Seconds for one replicate, after which its worker is killed and it counts as failed; nothing bounds it with
        workers=0.
    mixed : bool
        Go on where other versions began.
    work : callable
        What a worker is asked, see `pool.Work`.

    Returns
    -------
    Results
        What the folder holds now.

    Raises
    ------
    Incomplete
        Where it is interrupted (Ctrl-C, SIGTERM) or loses its scheduler.
    StorageError, UsageError, EngineError
        Where the folder or the arguments cannot be used, or a worker has other versions.
    """
    _usable(plan, workers, cluster, shard, limit)
    with opened(folder, Header(plan, versions(), shard)) as store:
        agenda = Agenda(plan, store.present, shard)
        if agenda.remaining:
            store.computed_by(versions(), mixed)
            store.room(agenda.remaining)  # plan.json is written with the first rows
            pooled = hands.hired(work, plan.to_json(), workers, cluster, security, limit)
            with stoppable() as stop, pooled as pool:
                _Run(plan, agenda, pool, store, progress, limit).until_done(stop)
        store.settle()
        if shard is None:
            store.finish(agenda.asked())
    return read_results(folder)


class _Run:
    """What is handed out, what comes back, and what is said of it."""

    def __init__(
        self, plan: Plan, agenda: Agenda, pool: Pool, store: Store, progress: Progress | None, limit: float | None
    ):
        self.plan, self.agenda, self.pool, self.store = plan, agenda, pool, store
        self.progress, self.limit = progress, limit
        self.size = 1
        self.told, self.took, self.timed = -math.inf, 0.0, 0  # took: seconds, of so many cohorts
        self.at: dict[str, int] = {}  # worker -> the cell whose model it has compiled last

    def until_done(self, stop: threading.Event) -> None:
        """Raises Incomplete once it is asked to stop; what was collected until then is written."""
        try:
            while self.agenda.remaining and not stop.is_set():
                alive = self.pool.alive()
                for worker in self.pool.idle():
                    if batch := self.agenda.take(worker, self.size, alive):
                        self.pool.submit(worker, batch)
                for finished in self.pool.finished(TICK):
                    self._settle(finished)
                self._tell(len(alive))
        finally:
            self.store.flush()
            self._tell(0, last=True)
        if self.agenda.remaining:
            there = f"{self.agenda.done:,} of {self.agenda.done + self.agenda.remaining:,} replicates"
            raise Incomplete(f"Stopped: {there} are kept in {self.store.folder}, and the same command goes on.")

    def _settle(self, finished: Finished) -> None:
        """Keep the rows of a batch; hand it out again where it was lost, or say so in a row where that is of no use."""
        batch, rows = finished.batch, finished.rows
        if not finished.lost:
            self._pace(finished)
        elif len(batch.replicates) == 1 and (finished.lost == "timeout" or batch.tried + finished.deaths >= DEATHS):
            rows = [self._lost(batch, finished.lost)]
        else:
            self.agenda.again(batch, finished.deaths)
        self.store.add(rows, PACE)
        for row in rows:
            self.agenda.collect(outcome(row))

    def _pace(self, finished: Finished) -> None:
        if self.at.get(finished.worker) == finished.batch.cell:
            self.took, self.timed = self.took + finished.seconds, self.timed + len(finished.batch.replicates)
        self.at[finished.worker] = finished.batch.cell
        if finished.seconds < PACE / 2 and len(finished.batch.replicates) == self.size:
            self.size = min(MOST, 2 * self.size)
        elif finished.seconds > 2 * PACE:
            self.size = max(1, self.size // 2)

    def _lost(self, batch: Batch, stage: str) -> dict[str, Any]:
        slow = f"it took longer than {self.limit or 0:g} seconds"
        reason = slow if stage == "timeout" else "the process that computed it died each time it was tried"
        cell = self.plan.cells[batch.cell]
        return Row(cell.key, batch.replicates[0], stage, reason, patients=cell.patients).as_dict()

    def _tell(self, workers: int, last: bool = False) -> None:
        now = time.monotonic()
        if self.progress and (last or now - self.told >= TICK):
            self.told, unwritten = now, self.store.unwritten
            done, remaining = self.agenda.done, self.agenda.remaining
            seconds = self.took / self.timed * remaining / workers if self.timed >= TIMED and workers else math.nan
            error, notices = self.agenda.error(), tuple(self.store.notices)
            on_the_disk, left = done - unwritten, remaining + unwritten
            nested = self.plan.nested
            self.progress(State(on_the_disk, self.agenda.failed, left, seconds, error, workers, notices, nested))


@contextmanager
def stoppable() -> Iterator[threading.Event]:
    """An event that Ctrl-C and SIGTERM set. The second of them ends it all at once, as they usually do."""
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked
        return

    def stop(number: int, _frame: Any) -> None:
        if asked.is_set():
            raise KeyboardInterrupt if number == signal.SIGINT else SystemExit(128 + number)
        asked.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _usable(plan: Plan, workers: int | None, cluster: str | None, shard: Shard | None, limit: float | None) -> None:
    """Raises UsageError where arguments cannot be used, or not together."""
    if workers is not None and workers < 0:
        raise UsageError("workers", "must not be negative", str(workers))
    if workers is not None and cluster is not None:
        raise UsageError("workers", "and a cluster do not go together", mend="a cluster has the workers that it has")
    if limit is not None and not limit > 0:
        raise UsageError("limit", "must be more than 0 seconds", f"{limit:g}")
    if plan.replicates < 1:
        raise UsageError("replicates", "must be at least 1", str(plan.replicates))
    if len({cell.key for cell in plan.cells}) < len(plan.cells):
        raise UsageError("cells", "are the same more than once", mend="name each once")
    if shard is not None and not 1 <= shard[0] <= shard[1]:
        raise UsageError("shard", "must be i/n with i from 1 to n", f"{shard[0]}/{shard[1]}")
    if shard is not None and plan.mcse is not None:
        mend = "give a number of replicates instead of --mcse"
        raise UsageError("shard", "cannot tell the Monte Carlo error of the whole", mend=mend)
