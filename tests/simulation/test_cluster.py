"""A real scheduler and a real worker, each a process of its own, as `docs/cluster.md` starts them."""

import contextlib
import functools
import json
import os
import shutil
import subprocess
import sys

import pytest

from bayesmyo.errors import Incomplete, UsageError
from bayesmyo.simulation import workers as hands
from bayesmyo.simulation.run import run
from bayesmyo.simulation.store import part_paths, read_results
from tests.conftest import ROOT
from tests.simulation import light
from tests.simulation.plans import final, plan, until

DASK = (sys.executable, "-m", "dask")
QUIETLY = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


@contextlib.contextmanager
def process(*words, **environment):
    """A command of dask, ended at the end whatever it is at."""
    started = subprocess.Popen([*DASK, *map(str, words)], env=os.environ | environment, **QUIETLY)
    try:
        yield started
    finally:
        started.terminate()
        try:
            started.wait(20)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()


@contextlib.contextmanager
def started(tmp_path, *security):
    """A scheduler and a worker: the scheduler's file, and the scheduler. The worker finds the functions of these
    tests.
    """
    file = tmp_path / "scheduler.json"
    words = (
        "--host",
        "127.0.0.1",
        "--port",
        0,
        "--dashboard-address",
        "127.0.0.1:0",
        "--scheduler-file",
        file,
        *security,
    )
    mine = {
        "PYTHONPATH": str(ROOT),
        "XDG_CACHE_HOME": str(tmp_path),
        "PYTENSOR_FLAGS": f"base_compiledir={tmp_path / 'none'}",
    }
    with (
        process("scheduler", *words) as scheduler,
        process("worker", "--scheduler-file", file, "--nthreads", 1, "--local-directory", tmp_path, *security, **mine),
    ):
        until(file.exists)
        yield file, scheduler


@pytest.fixture
def cluster(tmp_path):
    with started(tmp_path) as found:
        yield found


def certificates(folder):
    """An authority, and a certificate of this machine's loopback with its key, as files."""

    def openssl(*words, **more):
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True, **more)

    (folder / "names").write_text("subjectAltName=IP:127.0.0.1")
    openssl(
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-keyout",
        "ca-key.pem",
        "-out",
        "ca.pem",
        "-days",
        "2",
        "-subj",
        "/CN=authority",
    )
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "asked.csr", "-subj", "/CN=127.0.0.1")
    openssl(
        "x509",
        "-req",
        "-in",
        "asked.csr",
        "-CA",
        "ca.pem",
        "-CAkey",
        "ca-key.pem",
        "-CAcreateserial",
        "-out",
        "cert.pem",
        "-days",
        "2",
        "-extfile",
        "names",
    )
    return folder / "ca.pem", folder / "cert.pem", folder / "key.pem"


@pytest.mark.skipif(shutil.which("openssl") is None, reason="certificates are made by openssl")
def test_the_same_bytes_through_an_encrypted_scheduler_which_answers_nobody_else(tmp_path, monkeypatch):
    ca, cert, key = certificates(tmp_path)
    run(plan(replicates=20), tmp_path / "here", workers=0, work=light.work)
    options = ("--protocol", "tls", "--tls-ca-file", ca, "--tls-cert", cert, "--tls-key", key)
    with started(tmp_path, *options) as (file, _):
        address = json.loads(file.read_text())["address"]
        assert address.startswith("tls://")
        security = hands.security(ca, cert, key)
        assert run(
            plan(replicates=20), tmp_path / "there", cluster=address, security=security, work=light.work
        ).complete
        monkeypatch.setattr(hands, "ANSWER", 2)
        with pytest.raises(UsageError, match="an encrypted scheduler needs --tls-ca, --tls-cert and --tls-key"):
            run(plan(), tmp_path / "out", cluster=address, work=light.work)
        with pytest.raises(UsageError, match="no scheduler answers"):
            run(plan(), tmp_path / "out", cluster=address.replace("tls:", "tcp:"), work=light.work)
    assert final(tmp_path / "there") == final(tmp_path / "here")


def test_the_same_bytes_through_a_scheduler_and_what_happens_when_it_is_gone(cluster, tmp_path, monkeypatch):
    monkeypatch.setattr("bayesmyo.simulation.run.PACE", 0.0)
    file, scheduler = cluster
    run(plan(replicates=20), tmp_path / "here", workers=0, work=light.work)
    found = run(plan(replicates=20), tmp_path / "there", cluster=str(file), work=light.work)
    assert found.complete
    assert final(tmp_path / "there") == final(tmp_path / "here")

    def kill_it(state):
        if part_paths(tmp_path / "lost") and scheduler.poll() is None:
            scheduler.kill()

    slow = functools.partial(light.slow, seconds=0.05)
    with pytest.raises(Incomplete, match=r"The scheduler is gone\. What was finished is kept"):
        run(plan(replicates=20), tmp_path / "lost", cluster=str(file), work=slow, progress=kill_it)
    assert 0 < read_results(tmp_path / "lost").missing < 40
    run(plan(replicates=20), tmp_path / "lost", workers=0, work=light.work)
    assert final(tmp_path / "lost") == final(tmp_path / "here")


def test_a_scheduler_file_that_is_not_there_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(hands, "ANSWER", 1)
    with pytest.raises(UsageError, match="--cluster"):
        run(plan(), tmp_path / "out", cluster=str(tmp_path / "none.json"), work=light.work)


def test_encryption_is_passed_on_whole_or_refused(tmp_path):
    files = [tmp_path / name for name in ("ca.pem", "cert.pem", "key.pem")]
    for f in files:
        f.write_text("")
    found = hands.security(*files)
    assert found.require_encryption
    assert (found.tls_ca_file, found.tls_client_cert, found.tls_client_key) == tuple(map(str, files))
    assert hands.security(None, None, None) is None
    with pytest.raises(UsageError, match="--tls-key: is missing"):
        hands.security(files[0], files[1], None)
    with pytest.raises(UsageError, match=r"--tls-ca: is not a file that can be read; got .*nowhere"):
        hands.security(tmp_path / "nowhere", files[1], files[2])
