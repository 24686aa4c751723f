"""Faults that really happen to disks and processes: nothing is half-written, and what was there stays."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import pytest

from bayesmyo.errors import StorageError
from bayesmyo.files import write_bytes
from bayesmyo.inference.store import load_fit, save_fit
from bayesmyo.inference.verify import verify
from tests.conftest import DATA

LIMITED = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY))
sys.argv[1:] = sys.argv[2:]
from bayesmyo.cli import command
command()
"""
MOCK = ("--engine", "mock", "--draws", "40", "--chains", "2")
WRITERS = {
    "fit": ("fit", "ivig", DATA / "ivig.csv", "-o", "out", *MOCK),
    "simulate": ("simulate", "ivig", "-o", "out"),
    "share": ("verify", "fit.nc", "--share", "out"),
}


def there(folder):
    return {p.name: p.read_bytes() for p in folder.iterdir()}


@contextmanager
def small_disk(folder, size):
    """A disk of `size` bytes; skipped where none can be mounted."""
    folder.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], capture_output=True)
    if made.returncode:
        pytest.skip("no disk can be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


@pytest.fixture(scope="module")
def fit_bytes(mock_fit, tmp_path_factory):
    path = tmp_path_factory.mktemp("fits") / "fit.nc"
    save_fit(mock_fit, path)
    return path.read_bytes()


@pytest.mark.parametrize("name", WRITERS)
def test_a_file_size_limit_leaves_the_old_file_and_nothing_beside_it(name, fit_bytes, tmp_path):
    (tmp_path / "out").write_bytes(b"old")
    (tmp_path / "fit.nc").write_bytes(fit_bytes)
    before = there(tmp_path)
    words = [str(w) for w in (*WRITERS[name], "--force")]
    run = subprocess.run(
        [sys.executable, "-c", LIMITED, "4096", *words], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert run.returncode == 4, run.stderr
    assert "out: cannot be written (" in run.stderr
    assert "File too large" in run.stderr
    assert there(tmp_path) == before


def test_a_full_disk_leaves_the_old_file_and_nothing_beside_it(fit_bytes, tmp_path):
    with small_disk(tmp_path / "disk", len(fit_bytes) + 100_000) as disk:
        write_bytes(disk / "fit.nc", fit_bytes)
        before = there(disk)
        with pytest.raises(StorageError, match=r"cannot be written \([\d,]+ bytes\): No space left on device"):
            write_bytes(disk / "fit.nc", fit_bytes + b"more")
        assert there(disk) == before
        save_small = subprocess.run(
            [sys.executable, "-c", "from bayesmyo.cli import command; command()", "simulate", "ivig", "-o",
             disk / "new.csv", "--patients", "3000"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert save_small.returncode == 4
        assert "No space left on device" in save_small.stderr
        assert there(disk) == before


def test_a_read_only_disk_is_named(tmp_path):
    with small_disk(tmp_path / "disk", 100_000) as disk:
        (disk / "old.csv").write_bytes(b"old")
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        for name in ("old.csv", "new.csv"):
            with pytest.raises(StorageError, match="Read-only file system"):
                write_bytes(disk / name, b"new")
        assert there(disk) == {"old.csv": b"old"}


def test_a_folder_of_someone_else_is_named(tmp_path):
    if os.getuid() != 0:
        folder = tmp_path
        folder.chmod(0o500)
        with pytest.raises(StorageError, match="Permission denied"):
            write_bytes(folder / "new.csv", b"new")
        return
    code = "import os, sys; from pathlib import Path; from bayesmyo.files import write_bytes; os.setuid(65534)\ntry: write_bytes(Path(sys.argv[1]), b'new')\nexcept Exception as e: print(type(e).__name__, e)"
    run = subprocess.run([sys.executable, "-c", code, tmp_path / "new.csv"], capture_output=True, text=True, check=True)
    assert run.stdout.startswith("StorageError ")
    assert "Permission denied" in run.stdout
    assert not there(tmp_path)


OVER_AND_OVER = """
import sys
from itertools import cycle
from pathlib import Path
from bayesmyo.files import write_bytes
target, *sources = map(Path, sys.argv[1:])
for content in cycle([source.read_bytes() for source in sources]):
    write_bytes(target, content)
    print("written", flush=True)
"""


def test_killed_forty_times_while_writing_it_is_always_a_whole_fit(mock_fit, good_fit, tmp_path):
    sources = tmp_path / "sources"
    folder = tmp_path / "folder"
    sources.mkdir(), folder.mkdir()
    save_fit(mock_fit, sources / "a.nc")
    save_fit(good_fit, sources / "b.nc")
    whole = {p.read_bytes() for p in sources.iterdir()}
    wait, left = random.Random(20210), 0
    for _ in range(40):
        words = [sys.executable, "-c", OVER_AND_OVER, folder / "fit.nc", *sorted(sources.iterdir())]
        with subprocess.Popen(words, stdout=subprocess.PIPE) as writer:
            writer.stdout.readline()
            time.sleep(wait.uniform(0, 0.03))
            writer.send_signal(signal.SIGKILL)
        assert (folder / "fit.nc").read_bytes() in whole
        left += len(list(folder.iterdir())) > 1
        assert len(list(folder.iterdir())) <= 2  # what the one before left was removed
    assert left, "no writer was killed in the middle: the test shows nothing"
    load_fit(folder / "fit.nc")


def test_two_writers_of_one_file_leave_one_whole_file(tmp_path):
    contents = [bytes([n]) * 300_000 for n in range(8)]
    writers = [threading.Thread(target=write_bytes, args=(tmp_path / "a.nc", c)) for c in contents for _ in range(5)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert (tmp_path / "a.nc").read_bytes() in contents
    assert os.listdir(tmp_path) == ["a.nc"]


def test_a_bit_flipped_anywhere_is_found(fit_bytes, tmp_path):
    rng, path = random.Random(20210), tmp_path / "fit.nc"
    regular = range(0, len(fit_bytes), len(fit_bytes) // 150)
    for offset in [*regular, *(rng.randrange(len(fit_bytes)) for _ in range(150))]:
        broken = bytearray(fit_bytes)
        broken[offset] ^= 1 << rng.randrange(8)
        path.write_bytes(bytes(broken))
        with pytest.raises(StorageError, match=r"checksum|is not a fit"):
            verify(path)
