"""A fit on disk is the fit, or a StorageError that says what happened to it."""

import random
import subprocess
import sys
import time
from dataclasses import asdict, fields

import numpy as np
import pytest
import xarray as xr

from bayesmyo.cohort import Measurements
from bayesmyo.errors import StorageError, UsageError
from bayesmyo.inference.fit import FORMAT, Fit
from bayesmyo.inference.store import TRAILER, TRAILER_LENGTH, load_fit, save_fit


@pytest.fixture(scope="module")
def saved(mock_fit, tmp_path_factory):
    path = tmp_path_factory.mktemp("store") / "fit.nc"
    save_fit(mock_fit, path)
    return path


@pytest.fixture(scope="module")
def raw(saved):
    return saved.read_bytes()


@pytest.fixture
def refused(tmp_path):
    """The message with which the bytes of a file are refused."""

    def load(content):
        path = tmp_path / "bad.nc"
        path.write_bytes(content)
        with pytest.raises(StorageError) as error:
            load_fit(path)
        assert str(error.value).startswith(f"{path}: ")
        return str(error.value).removeprefix(f"{path}: ")

    return load


# --- there and back


def test_every_value_and_attribute_comes_back(mock_fit, saved):
    assert load_fit(saved).tree.identical(mock_fit.tree)


def test_study_cohort_and_truth_come_back(mock_fit, saved):
    loaded = load_fit(saved)
    assert loaded.study == mock_fit.study
    assert loaded.study.text == mock_fit.study.text
    ours, theirs = loaded.cohort, mock_fit.cohort
    for name in ("patients", "notices", "source", "sha256"):
        assert getattr(ours, name) == getattr(theirs, name)
    assert ours.rows.as_dict() == theirs.rows.as_dict()
    for outcome in mock_fit.study.outcomes:
        for f in fields(Measurements):
            np.testing.assert_array_equal(*(getattr(c.measurements[outcome], f.name) for c in (ours, theirs)))
        one, other = (asdict(x.truth.outcomes[outcome]) for x in (loaded, mock_fit))
        np.testing.assert_equal(one, other)


def test_the_same_fit_gives_the_same_bytes(mock_fit, saved, raw, tmp_path):
    digest = save_fit(mock_fit, tmp_path / "again.nc")
    assert (tmp_path / "again.nc").read_bytes() == raw
    assert raw.endswith(TRAILER + digest.encode() + b"\n")
    assert save_fit(load_fit(saved), tmp_path / "loaded.nc") == digest


def test_other_programs_read_it_as_netcdf(mock_fit, saved):
    with xr.open_datatree(saved, engine="h5netcdf") as tree:
        np.testing.assert_array_equal(tree["posterior"]["cpk.start"], mock_fit.group("posterior")["cpk.start"])


# --- what is not a fit


def test_missing_and_folder(tmp_path):
    with pytest.raises(StorageError, match="cannot be read: No such file or directory"):
        load_fit(tmp_path / "nowhere.nc")
    with pytest.raises(StorageError, match="is not a file that can be read"):
        load_fit(tmp_path)


@pytest.mark.parametrize("content", [b"", b"patient,month\nA,0\n", b"\x89HDF", b"PK\x03\x04"])
def test_what_is_no_netcdf_is_not_a_fit(refused, content):
    assert refused(content) == "is not a fit; `bayesmyo fit` writes one."


def test_netcdf_of_another_program_is_not_ours(refused):
    content = bytes(xr.Dataset({"x": ("i", [1.0, 2.0])}).to_netcdf(engine="h5netcdf"))
    assert refused(content).startswith("has no checksum at its end")


def test_a_fit_cut_short_anywhere_is_detected(refused, raw):
    cut = random.Random(20210)
    for length in [1, 8, 9, TRAILER_LENGTH, len(raw) - TRAILER_LENGTH, len(raw) - 1, *cut.sample(range(len(raw)), 20)]:
        assert refused(raw[:length]).startswith(("is not a fit", "has no checksum"))


def test_one_flipped_bit_anywhere_is_detected(refused, raw):
    flip = random.Random(20210)
    for offset in [0, len(raw) - TRAILER_LENGTH, len(raw) - 2, len(raw) - 1, *flip.sample(range(len(raw)), 50)]:
        changed = bytearray(raw)
        changed[offset] ^= 1 << flip.randrange(8)
        assert refused(bytes(changed)).startswith(("the content does not match", "is not a fit", "has no checksum"))


def test_bytes_added_at_the_end_are_detected(refused, raw):
    assert refused(raw + b"\n").startswith("has no checksum")


def test_a_newer_format_asks_for_an_update(mock_fit, tmp_path):
    newer = mock_fit.tree.copy()
    newer.attrs = {**newer.attrs, "bayesmyo_format": FORMAT + 1}
    save_fit(Fit(newer), tmp_path / "newer.nc")
    with pytest.raises(StorageError, match="was written by a newer bayesmyo; update bayesmyo to read it"):
        load_fit(tmp_path / "newer.nc")


# --- when writing fails


def test_a_fit_is_not_overwritten_unless_forced(mock_fit, raw, tmp_path):
    path = tmp_path / "fit.nc"
    path.write_bytes(b"old")
    with pytest.raises(UsageError, match="exists already"):
        save_fit(mock_fit, path)
    assert path.read_bytes() == b"old"
    save_fit(mock_fit, path, force=True)
    assert path.read_bytes() == raw


FULL_DISK = """
import resource, signal, sys
from bayesmyo.errors import StorageError
from bayesmyo.inference.store import load_fit, save_fit
old, target, new = sys.argv[1:]
fit = load_fit(old)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
for path in (target, new):
    try:
        save_fit(fit, path, force=True)
    except StorageError as error:
        print(error)
"""


def test_a_full_disk_leaves_the_old_file_and_nothing_beside_it(saved, raw, tmp_path):
    target, new = tmp_path / "fit.nc", tmp_path / "new.nc"
    target.write_bytes(b"old")
    run = subprocess.run(
        [sys.executable, "-c", FULL_DISK, saved, target, new], capture_output=True, text=True, check=True
    )
    reason = f"cannot be written ({len(raw):,} bytes): File too large."
    assert run.stdout.splitlines() == [f"{target}: {reason}", f"{new}: {reason}"]
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == {"fit.nc": b"old"}


OVER_AND_OVER = """
import sys
from itertools import cycle
from pathlib import Path
from bayesmyo.files import write_bytes
target, *sources = map(Path, sys.argv[1:])
contents = [source.read_bytes() for source in sources]
for content in cycle(contents):
    write_bytes(target, content)
    print("written", flush=True)
"""


def test_killed_while_writing_the_file_is_the_old_or_the_new_one(mock_fit, good_fit, tmp_path):
    save_fit(mock_fit, tmp_path / "a.nc")
    save_fit(good_fit, tmp_path / "b.nc")
    sources = {p.read_bytes() for p in (tmp_path / "a.nc", tmp_path / "b.nc")}
    target = tmp_path / "fit.nc"
    wait = random.Random(20210)
    for _ in range(10):
        arguments = [sys.executable, "-c", OVER_AND_OVER, target, tmp_path / "a.nc", tmp_path / "b.nc"]
        with subprocess.Popen(arguments, stdout=subprocess.PIPE) as writer:
            writer.stdout.readline()
            time.sleep(wait.uniform(0, 0.05))
            writer.kill()
        assert target.read_bytes() in sources
    load_fit(target)
