"""A simulation study from wherever it is to its end: the same bytes for any workers, any order, and whatever is
killed.
"""

import contextlib
import functools
import json
import multiprocessing
import os
import random
import signal
import threading
import time

import dask
import psutil
import pytest
from distributed import LocalCluster

from bayesmyo.errors import EngineError, Incomplete, StorageError, UsageError
from bayesmyo.simulation import cluster as theirs
from bayesmyo.simulation import workers as hands
from bayesmyo.simulation.calibration.grid import calibration_plan
from bayesmyo.simulation.merge import merge
from bayesmyo.simulation.options import CalibrateOptions
from bayesmyo.simulation.run import run
from bayesmyo.simulation.store import part_paths, read_results
from bayesmyo.study import parse_study
from tests.conftest import SMALL
from tests.simulation import light
from tests.simulation.plans import final, plan, until
from tests.test_store_faults import small_disk


@pytest.fixture(scope="module")
def caches(tmp_path_factory):
    """Compile caches of workers in a folder of their own, begun from a warm one."""
    with pytest.MonkeyPatch.context() as patched:
        folder = tmp_path_factory.mktemp("caches")
        (folder / "warm").mkdir()
        (folder / "warm" / "compiled").write_text("before")
        patched.setenv("XDG_CACHE_HOME", str(folder))
        patched.setenv("PYTENSOR_FLAGS", f"numba__fastmath=False,base_compiledir={folder / 'warm'}")
        yield folder


@pytest.fixture(scope="module")
def cluster(caches):
    """A scheduler and two workers, as somebody else may have started them."""
    environment = dict(os.environ)
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0", silence_logs=50) as found,
    ):
        yield found.scheduler_address
    os.environ.clear()
    os.environ.update(environment)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The final bytes of the usual plan, done by one process without any trouble."""
    folder = tmp_path_factory.mktemp("undisturbed") / "out"
    run(plan(replicates=20), folder, workers=0, work=light.work)
    return final(folder)


# --- who computes does not matter


def test_one_process_two_and_a_cluster_write_the_same_bytes(cluster, undisturbed, tmp_path):
    for name, who in {"one": {"workers": 1}, "cluster": {"cluster": cluster}}.items():
        found = run(plan(replicates=20), tmp_path / name, work=light.work, **who)
        assert (found.complete, len(found.replicates)) == (True, 40)
        assert final(tmp_path / name) == undisturbed


def test_a_finished_folder_needs_no_worker(undisturbed, tmp_path):
    run(plan(replicates=20), tmp_path / "out", workers=0, work=light.work)
    again = run(plan(replicates=20), tmp_path / "out", cluster="tcp://127.0.0.1:1", work=light.broken)
    assert again.complete
    assert final(tmp_path / "out") == undisturbed


def test_the_same_command_with_more_replicates_goes_on(undisturbed, tmp_path):
    run(plan(replicates=7), tmp_path / "out", workers=0, work=light.work)
    done = []

    def work(text, cell, replicates):
        done.extend(replicates)
        return light.work(text, cell, replicates)

    run(plan(replicates=20), tmp_path / "out", workers=0, work=work)
    assert sorted(done) == sorted([*range(7, 20), *range(7, 20)])
    assert final(tmp_path / "out") == undisturbed


def test_the_same_command_with_more_cells_goes_on(undisturbed, tmp_path):
    """A fourth number of patients need not begin again, wherever it stands among the others."""
    run(plan(replicates=20, patients=(8,)), tmp_path / "out", workers=0, work=light.work)
    done = []

    def work(text, cell, replicates):
        done.extend((cell, r) for r in replicates)
        return light.work(text, cell, replicates)

    run(plan(replicates=20), tmp_path / "out", workers=0, work=work)
    assert sorted(done) == [(0, r) for r in range(20)]
    assert final(tmp_path / "out") == undisturbed


def test_shards_on_a_cluster_merged_are_the_whole(cluster, undisturbed, tmp_path):
    for i in (1, 2, 3):
        found = run(plan(replicates=20), tmp_path / str(i), shard=(i, 3), cluster=cluster, work=light.work)
        assert not found.complete
    merge([tmp_path / str(i) for i in (1, 2, 3)], tmp_path / "out")
    assert final(tmp_path / "out") == undisturbed


def test_a_cell_stops_at_the_same_replicate_whoever_computes(cluster, tmp_path):
    p = plan(replicates=600, mcse=0.05)
    for name, who in {"here": {"workers": 0}, "there": {"cluster": cluster}}.items():
        run(p, tmp_path / name, work=light.work, **who)
    assert final(tmp_path / "here") == final(tmp_path / "there")
    counts = read_results(tmp_path / "here").replicates.groupby("cell").size()
    assert (counts % 50 == 0).all()
    assert (counts < 600).all()


# --- what workers are


def test_workers_have_one_compile_cache_each_and_it_begins_warm(cluster, caches, tmp_path):
    """Two processes, two caches, set before PyTensor could be loaded; and each stays with one number of patients."""
    (tmp_path / "seen").mkdir()
    run(
        plan(replicates=60),
        tmp_path / "out",
        cluster=cluster,
        work=functools.partial(light.witness, folder=str(tmp_path / "seen")),
    )
    seen = {p.name: [json.loads(line) for line in p.read_text().splitlines()] for p in (tmp_path / "seen").iterdir()}
    flags = [{line["flags"] for line in lines} for lines in seen.values()]
    assert len(seen) == 2
    assert all(len(f) == 1 for f in flags)
    bases = {next(w for w in f.pop().split(",") if w.startswith("base_compiledir=")).split("=")[1] for f in flags}
    assert len(bases) == 2
    for base in bases:
        assert base.startswith(str(caches / "bayesmyo"))
        with open(os.path.join(base, "compiled")) as copied:
            assert copied.read() == "before"
    assert not any(line["loaded"] for lines in seen.values() for line in lines)
    assert sorted(lines[0]["cell"] for lines in seen.values()) == [0, 1]


def test_a_worker_of_other_versions_is_refused(cluster, tmp_path, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(hands, "skew", lambda there, here: f"numpy {there['numpy']} there, 9.9.9 here")
        with pytest.raises(
            UsageError,
            match=r"the worker tcp://\S+ has other versions \(numpy .* there, 9\.9\.9 here\); install the same",
        ):
            run(plan(), tmp_path / "out", cluster=cluster, work=light.work)


def test_a_worker_that_joins_later_with_other_versions_stops_the_run(monkeypatch):
    monkeypatch.setitem(theirs._plans, "key", ("{}", {"numpy": "9.9.9"}))
    with pytest.raises(EngineError, match=r"other versions \(numpy 9\.9\.9 there"):
        theirs.perform("key", light.work, 0, [1])


def test_nobody_at_an_address_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(hands, "ANSWER", 1)
    with pytest.raises(UsageError, match=r"--cluster: no scheduler answers within 1 seconds .*tcp://127\.0\.0\.1:1"):
        run(plan(), tmp_path / "out", cluster="tcp://127.0.0.1:1", work=light.work)


def test_our_workers_compute_nobody_elses_arrays(caches, cluster):
    """Of two clients that overlap, dask keeps the second as its default for ever; one that failed to begin is
    enough.
    """
    for pool in (hands.remote(light.work, plan().to_json(), cluster), hands.local(light.work, plan().to_json(), 1)):
        with pool:
            assert dask.config.get("scheduler", None) is None


# --- workers that die, hang, or are wrong


def test_a_worker_killed_once_costs_nothing_but_time(caches, undisturbed, tmp_path):
    dies = functools.partial(light.dies_once, mark=str(tmp_path / "mark"))
    run(plan(replicates=20), tmp_path / "out", workers=2, work=dies)
    assert (tmp_path / "mark").exists()
    assert final(tmp_path / "out") == undisturbed


def test_a_replicate_that_kills_every_worker_is_a_row_that_says_so(caches, tmp_path):
    found = run(plan(replicates=8), tmp_path / "out", workers=2, work=light.dies).replicates
    crashed = found[found["stage"] == "crashed"]
    assert list(crashed["replicate"]) == [3]
    assert crashed["reason"].item() == "the process that computed it died each time it was tried"
    assert len(found) == 16


@pytest.mark.slow
def test_a_replicate_that_hangs_is_given_up(caches, tmp_path):
    found = run(plan(replicates=5), tmp_path / "out", workers=1, work=light.hangs, limit=2).replicates
    late = found[found["stage"] == "timeout"]
    assert list(late["replicate"]) == [2]
    assert late["reason"].item() == "it took longer than 2 seconds"
    assert len(found) == 10


@pytest.mark.slow
def test_a_worker_that_dask_has_given_up_is_replaced(caches, monkeypatch):
    monkeypatch.setattr(hands, "MISSED", 0.5)
    monkeypatch.setattr(hands, "LOST", "1 s")
    with hands.local(light.work, plan().to_json(), 1) as pool:
        (before,) = pool.alive()
        nanny = pool._ours.workers[0]
        pool._ours.sync(nanny.close)
        until(lambda: not pool.alive())
        until(lambda: pool.alive() not in ([], [before]))


@pytest.mark.parametrize("who", ["here", "cluster"])
def test_a_bug_stops_the_run_and_is_not_a_row(request, tmp_path, who):
    where = {"workers": 0} if who == "here" else {"cluster": request.getfixturevalue("cluster")}
    with pytest.raises(ZeroDivisionError, match="a bug"):
        run(plan(), tmp_path / "out", work=light.broken, **where)
    assert read_results(tmp_path / "out").missing == 12


# --- interruptions


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_keeps_what_is_finished_and_the_same_call_goes_on(undisturbed, tmp_path, number):
    before = signal.getsignal(number)
    calls = []

    def work(text, cell, replicates):
        calls.append(cell)
        if len(calls) == 3:
            os.kill(os.getpid(), number)
        return light.work(text, cell, replicates)

    with pytest.raises(
        Incomplete, match=r"Stopped: 7 of 40 replicates are kept in .*out, and the same command goes on"
    ):
        run(plan(replicates=20), tmp_path / "out", workers=0, work=work)
    assert signal.getsignal(number) is before
    assert read_results(tmp_path / "out").missing == 33
    run(plan(replicates=20), tmp_path / "out", workers=0, work=light.work)
    assert final(tmp_path / "out") == undisturbed


@pytest.mark.parametrize(("number", "error"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)])
def test_the_second_signal_ends_it_at_once(tmp_path, number, error):
    def work(text, cell, replicates):
        os.kill(os.getpid(), number)
        os.kill(os.getpid(), number)
        raise AssertionError("went on")

    with pytest.raises(error):
        run(plan(), tmp_path / "out", workers=0, work=work)


def test_in_another_thread_signals_are_left_alone(tmp_path):
    thread = threading.Thread(target=run, args=(plan(), tmp_path / "out"), kwargs={"workers": 0, "work": light.work})
    thread.start()
    thread.join()
    assert read_results(tmp_path / "out").complete


def at_work(folder, settings, make=plan):
    """The body of a process that is killed. Rows are written as they come."""
    os.setpgrp()
    from bayesmyo.simulation import run as module

    module.PACE = 0.0
    module.run(make(replicates=20), folder, **settings)


@pytest.fixture(scope="module")
def processes():
    """Processes that have everything loaded when they begin."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["bayesmyo.simulation.run", "tests.simulation.plans"])
    return context


@contextlib.contextmanager
def started(processes, folder, make=plan, **settings):
    """A run in a process of its own, of which some rows are there."""
    process = processes.Process(target=at_work, args=(folder, settings, make))
    process.start()
    try:
        until(lambda: part_paths(folder) or process.exitcode is not None)
        yield process
    finally:
        process.kill()
        process.join()


def test_the_parent_killed_again_and_again_ends_with_the_same_bytes(processes, undisturbed, tmp_path):
    wait, killed, kept = random.Random(20210), 0, []
    while killed < 5:
        with started(
            processes, tmp_path / "out", workers=0, work=functools.partial(light.slow, seconds=0.03)
        ) as process:
            time.sleep(wait.uniform(0, 0.25))
            process.kill()
            process.join()
        killed += process.exitcode == -signal.SIGKILL
        kept.append(40 - read_results(tmp_path / "out").missing)
        if kept[-1] == 40:
            break
    assert killed >= 3
    assert kept == sorted(kept)  # nothing that was there is lost
    run(plan(replicates=20), tmp_path / "out", workers=0, work=light.work)
    assert final(tmp_path / "out") == undisturbed


def calibration(replicates):
    """A calibration with the engine that costs nothing; every row holds ranks."""
    return calibration_plan(
        CalibrateOptions(parse_study(SMALL), "out", patients=[4], replicates=replicates, engine="mock")
    )


def test_a_calibration_killed_again_and_again_ends_with_the_same_ranks(processes, tmp_path):
    run(calibration(20), tmp_path / "whole", workers=0)
    wait, killed = random.Random(20211), 0
    for _ in range(3):
        with started(processes, tmp_path / "out", calibration, workers=0) as process:
            time.sleep(wait.uniform(0, 0.25))
            process.kill()
            process.join()
        killed += process.exitcode == -signal.SIGKILL
    assert killed
    assert run(calibration(20), tmp_path / "out", workers=0).complete
    assert final(tmp_path / "out") == final(tmp_path / "whole")


def test_a_disk_that_fills_up_in_the_middle_stops_the_run_which_goes_on_when_there_is_room(
    undisturbed, tmp_path, monkeypatch
):
    monkeypatch.setattr("bayesmyo.simulation.run.PACE", 0.0)
    with small_disk(tmp_path / "disk", 2_000_000) as disk:
        left = []

        def fill(state):
            if state.done and not left:
                free = os.statvfs(disk)
                left.append(state.done)
                (disk / "ballast").write_bytes(bytes(max(0, free.f_bavail * free.f_frsize - 4096)))

        with pytest.raises(StorageError, match="No space left on device"):
            run(plan(replicates=20), disk / "out", workers=0, work=light.slow, progress=fill)
        kept = 40 - read_results(disk / "out").missing
        assert 0 < left[0] <= kept < 40
        assert not list((disk / "out" / "parts").glob(".*"))
        (disk / "ballast").unlink()
        run(plan(replicates=20), disk / "out", workers=0, work=light.work)
        assert final(disk / "out") == undisturbed


def test_no_worker_outlives_a_parent_that_is_killed(processes, undisturbed, tmp_path):
    with started(processes, tmp_path / "out", workers=2, work=functools.partial(light.slow, seconds=0.2)) as process:
        children = psutil.Process(process.pid).children(recursive=True)
        assert len(children) >= 2
        process.kill()
        process.join()
    _, alive = psutil.wait_procs(children, timeout=30)
    assert not alive
    assert not read_results(tmp_path / "out").complete
    run(plan(replicates=20), tmp_path / "out", workers=0, work=light.work)
    assert final(tmp_path / "out") == undisturbed


@pytest.mark.slow
def test_ctrl_c_in_a_terminal_reaches_workers_too_and_does_not_hurt(processes, tmp_path, capfd):
    """A terminal sends the signal to all processes of the command."""
    with started(processes, tmp_path / "out", workers=2, work=functools.partial(light.slow, seconds=0.2)) as process:
        children = psutil.Process(process.pid).children(recursive=True)
        os.killpg(process.pid, signal.SIGINT)
        process.join(120)
        assert process.exitcode == 1  # Incomplete, which nobody caught
    assert not psutil.wait_procs(children, timeout=30)[1]
    assert not read_results(tmp_path / "out").complete
    said = capfd.readouterr().err
    assert said.count("Traceback") == 1
    assert "Incomplete: Stopped: " in said


def test_two_runs_in_one_folder_are_one_and_a_refusal(processes, tmp_path):
    with (
        started(processes, tmp_path / "out", workers=0, work=functools.partial(light.slow, seconds=0.2)) as process,
        pytest.raises(StorageError, match=rf"process {process.pid} on .* is at work in it"),
    ):
        run(plan(replicates=20), tmp_path / "out", workers=0, work=light.work)


# --- what is said and what is refused


def test_progress_is_told_and_what_is_counted_is_on_the_disk(tmp_path, monkeypatch):
    monkeypatch.setattr("bayesmyo.simulation.run.TICK", 0.0)
    monkeypatch.setattr("bayesmyo.simulation.run.PACE", 0.01)
    states, written = [], []

    def tell(state):
        states.append(state)
        written.append(12 - read_results(tmp_path / "out").missing)

    run(plan(), tmp_path / "out", workers=0, work=light.slow, progress=tell)
    assert [s.done for s in states] == written
    assert [s.done + s.remaining for s in states] == [12] * len(states)
    last = states[-1]
    assert (last.done, last.remaining) == (12, 0)
    assert last.failed == (read_results(tmp_path / "out").replicates["stage"] != "done").sum()
    assert 0.1 < last.error < 0.3
    assert any(0 < s.seconds < 60 for s in states)


def test_the_time_that_is_left_leaves_out_what_compiling_took(tmp_path, monkeypatch):
    """A second for the first batch, in which a model is compiled, and 0.02 s for each cohort after it: 99 of them."""
    monkeypatch.setattr("bayesmyo.simulation.run.TICK", 0.0)
    states, compiled = [], set()

    def compiling(text, cell, replicates):
        if cell not in compiled:
            compiled.add(cell)
            time.sleep(1)
        return light.slow(text, cell, replicates)

    whole = plan(replicates=100, patients=(5,))
    run(whole, tmp_path / "out", workers=0, work=compiling, progress=states.append)
    known = [s for s in states if s.seconds > 0]
    assert 0.018 < known[0].seconds / known[0].remaining < 0.1


def test_a_damaged_part_is_told(tmp_path):
    run(plan(), tmp_path / "out", workers=0, work=light.work)
    before = final(tmp_path / "out")
    part_paths(tmp_path / "out")[0].write_bytes(b"PAR1")
    (tmp_path / "out" / "SHA256SUMS").unlink()
    states = []
    run(plan(), tmp_path / "out", workers=0, work=light.work, progress=states.append)
    assert "is not what was written" in states[0].notices[0]
    assert final(tmp_path / "out") == before


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ({"workers": -1}, "workers: must not be negative"),
        ({"workers": 2, "cluster": "tcp://x:1"}, "workers: and a cluster do not go together"),
        ({"limit": 0}, "limit: must be more than 0 seconds"),
        ({"shard": (4, 3)}, "shard: must be i/n"),
        ({"shard": (0, 3)}, "shard: must be i/n"),
    ],
)
def test_what_cannot_be_used_is_refused_before_anything_is_written(tmp_path, words, reason):
    with pytest.raises(UsageError, match=reason):
        run(plan(), tmp_path / "out", work=light.work, **words)
    assert not (tmp_path / "out").exists()


def test_plans_that_cannot_be_run_are_refused(tmp_path):
    for bad, reason in [
        (plan(replicates=0), "replicates: must be at least 1"),
        (plan(patients=(5, 5)), "cells: are the same more than once"),
    ]:
        with pytest.raises(UsageError, match=reason):
            run(bad, tmp_path / "out")
    with pytest.raises(UsageError, match="cannot tell the Monte Carlo error of the whole"):
        run(plan(mcse=0.02), tmp_path / "out", shard=(1, 2))
