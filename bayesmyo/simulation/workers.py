"""Where workers come from: processes of this machine, or a running dask scheduler."""

import contextlib
import logging
import multiprocessing
import os
import time
from collections.abc import Iterator
from pathlib import Path

import dask
from dask.system import CPU_COUNT
from distributed import Client, LocalCluster, Security
from distributed.system import MEMORY_LIMIT

from bayesmyo.errors import UsageError
from bayesmyo.files import read_bytes, read_json
from bayesmyo.limits import ANSWER, NOTE_BYTES, WORKERS_ANSWER
from bayesmyo.model.versions import skew, versions
from bayesmyo.simulation.cluster import Cluster
from bayesmyo.simulation.greeting import greeted, within
from bayesmyo.simulation.pool import Here, Pool, Work

MEMORY = (
    2_500_000_000  # bytes that one worker may want: three outcomes, compiled for three numbers of patients, took 2.0e9
)
LOST = "60 s"  # after which dask gives a worker up that it tries to replace
OURS = {"set_as_default": False}  # of a client: our workers compute nobody else's arrays
GUARD = 'a script that calls this must do so under `if __name__ == "__main__":`, or with workers=0'


def hired(
    work: Work, plan: str, workers: int | None, cluster: str | None, security: Security | None, limit: float | None
) -> contextlib.AbstractContextManager[Pool]:
    """Whoever does the work: those of a cluster, this process alone (0), or so many of this machine (default: what it
    has room for).
    """
    if cluster is not None:
        return remote(work, plan, cluster, security, limit)
    if workers == 0:
        return contextlib.nullcontext(Here(work, plan))
    return local(work, plan, workers or usual_workers(), limit)


@contextlib.contextmanager
def local(work: Work, plan: str, workers: int, limit: float | None = None) -> Iterator[Cluster]:
    """So many processes of this machine. Raises UsageError where they do not start."""
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
        with dask.config.set(settings), _quiet(), _processes(workers) as cluster, Client(cluster, **OURS) as client:
            yield Cluster(client, work, plan, limit, cluster)
    finally:
        os.environ.clear()
        os.environ.update(environment)


def _processes(workers: int) -> LocalCluster:
    try:
        quiet = {"dashboard_address": "127.0.0.1:0", "silence_logs": logging.CRITICAL}
        return LocalCluster(n_workers=workers, threads_per_worker=1, processes=True, **quiet)
    except RuntimeError as error:
        reason = str(error.__cause__ or error).rstrip(".")
        raise UsageError("workers", f"do not start ({reason})", mend=GUARD) from error


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
            greeted(address, security, ANSWER)
            client = within(2 * ANSWER, lambda: Client(address, security=security, timeout=ANSWER, **OURS))
        except Exception as error:  # its parts raise whatever they do on what is no scheduler's
            mend = "start one: see docs/cluster.md"
            if address.startswith("tls:") and "ssl_context" in str(error):
                mend = "an encrypted scheduler needs --tls-ca, --tls-cert and --tls-key"
            what = f"no scheduler answers within {ANSWER} seconds ({error or type(error).__name__})"
            raise UsageError("--cluster", what, str(file or address), mend) from None
        with client:
            _same_versions(client)
            theirs = Cluster(client, work, plan, limit)
            try:
                yield theirs
            finally:
                theirs.leave()


def security(ca: str | Path | None, cert: str | Path | None, key: str | Path | None) -> Security | None:
    """Encryption with these files (PEM); dask's own configuration where there are none.

    Raises UsageError where one is absent.
    """
    files = {"--tls-ca": ca, "--tls-cert": cert, "--tls-key": key}
    if not any(files.values()):
        return None
    for option, path in files.items():
        if path is None:
            mend = "a certificate, its key and the authority's certificate go together"
            raise UsageError(option, "is missing", mend=mend)
        if not Path(path).is_file():
            raise UsageError(option, "is not a file that can be read", str(path))
    named = {"tls_ca_file": str(ca), "tls_client_cert": str(cert), "tls_client_key": str(key)}
    return Security(**named, require_encryption=True)


def alone(workers: object) -> None:
    """A worker that reads the script which started it, and would start workers again, ends here: whoever started it
    says so.
    """
    if workers != 0 and getattr(multiprocessing.current_process(), "_inheriting", False):
        raise SystemExit(1)


def usual_workers() -> int:
    """As many as this machine has cores for, and memory."""
    return max(1, min(CPU_COUNT, int(MEMORY_LIMIT // MEMORY)))


def _address(file: Path) -> str:
    """What a scheduler wrote, which may just have been started."""
    deadline = time.monotonic() + ANSWER
    while not file.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    return str(read_json(read_bytes(file, NOTE_BYTES))["address"])


def _same_versions(client: Client) -> None:
    here = versions()
    try:
        said = within(WORKERS_ANSWER, lambda: client.run(versions, on_error="return"))
    except TimeoutError:
        what = f"its workers do not say within {WORKERS_ANSWER} seconds which versions they have"
        raise UsageError("--cluster", what, mend="start it and its workers again") from None
    for worker, there in said.items():
        differs = f"bayesmyo cannot be loaded: {there}" if isinstance(there, Exception) else skew(there, here)
        if differs:
            what = f"the worker {worker} has other versions ({differs})"
            raise UsageError("--cluster", what, mend="install the same ones everywhere")


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
