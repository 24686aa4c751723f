"""No stored fit can do harm: whatever is in it, it is the fit that was written or one sentence, soon and in little
memory.
"""

import json
import subprocess
import sys

import pytest

from bayesmyo.errors import StorageError
from bayesmyo.inference.store import load_fit, save_fit
from tests import hostile_fits as hostile

ANSWER = """
import json, sys, time
from pathlib import Path
from bayesmyo.errors import BayesmyoError
from bayesmyo.inference.store import load_fit, save_fit, share
from bayesmyo.inference.verify import verify
def both(path):
    if verify(path).passed:
        save_fit(share(load_fit(path)), path.with_suffix(".shared"))
        return "shared"
    return "not passed"
for path in sorted(Path(sys.argv[1]).glob("*.nc")):
    began = time.perf_counter()
    try:
        said = both(path)
    except BayesmyoError as error:
        said = f"{type(error).__name__}: {error}"
    print(json.dumps([path.name, said, time.perf_counter() - began]), flush=True)
status = Path("/proc/self/status")  # getrusage would count what the process had that began this one
print(json.dumps(int(status.read_text().split("VmHWM:")[1].split()[0]) if status.exists() else 0))
"""


@pytest.fixture(scope="module")
def honest(mock_fit, tmp_path_factory):
    path = tmp_path_factory.mktemp("honest") / "fit.nc"
    save_fit(mock_fit, path)
    return path.read_bytes()


@pytest.fixture(scope="module")
def secret(tmp_path_factory):
    path = tmp_path_factory.mktemp("secret") / "passwd"
    path.write_bytes(hostile.SECRET * 10)
    return path


@pytest.fixture
def refused(tmp_path):
    """The message with which the bytes of a file are refused."""

    def load(content):
        path = tmp_path / "bad.nc"
        path.write_bytes(content)
        with pytest.raises(StorageError) as error:
            load_fit(path)
        assert str(error.value).startswith(f"{path}: ")
        message = str(error.value).removeprefix(f"{path}: ")
        assert len(message) < 300
        assert "\n" not in message
        return message

    return load


@pytest.mark.parametrize("name", hostile.CONTENTS_THAT_LIE)
def test_a_table_of_contents_that_lies_is_refused(refused, honest, name):
    refused(hostile.edited(honest, hostile.CONTENTS_THAT_LIE[name]))


@pytest.mark.parametrize("name", hostile.DOCUMENTS_THAT_ARE_NONE)
def test_a_table_of_contents_that_is_none_is_refused(refused, honest, name):
    netcdf, _ = hostile.unpacked(honest)
    refused(hostile.repacked(netcdf, hostile.DOCUMENTS_THAT_ARE_NONE[name]))


def test_a_truth_value_that_is_none_is_refused(refused, honest):
    netcdf, contents = hostile.unpacked(honest)
    at = contents["arrays"]["sample_stats"]["diverging"]["offset"]
    message = refused(hostile.repacked(netcdf[:at] + b"\7" + netcdf[at + 1 :], json.dumps(contents).encode()))
    assert "neither true nor false" in message


@pytest.mark.parametrize("name", hostile.HDF5_THAT_HARMS)
def test_what_is_put_into_the_hdf5_is_never_looked_at(refused, honest, mock_fit, secret, tmp_path, name):
    bare, whole = hostile.harmful(honest, name, secret)
    assert "no table of contents" in refused(bare)
    (tmp_path / "bad.nc").write_bytes(whole)
    assert load_fit(tmp_path / "bad.nc").tree.identical(mock_fit.tree)


def test_all_are_answered_soon_in_little_memory_and_no_copy_holds_what_was_elsewhere(honest, secret, tmp_path):
    """Twenty seconds and 1.5 GB for each are promised; all of them together take one process so much."""
    files = {f"contents: {k}": hostile.edited(honest, v) for k, v in hostile.CONTENTS_THAT_LIE.items()}
    files |= hostile.bent(honest)
    for name in hostile.HDF5_THAT_HARMS:
        files[f"bare: {name}"], files[f"whole: {name}"] = hostile.harmful(honest, name, secret)
    names = {}
    for i, (name, content) in enumerate(files.items()):
        names[f"{i:03d}.nc"] = name
        (tmp_path / f"{i:03d}.nc").write_bytes(content)
    run = subprocess.run(
        [sys.executable, "-c", ANSWER, tmp_path], capture_output=True, text=True, check=True, timeout=300
    )
    *answers, peak = [json.loads(line) for line in run.stdout.splitlines()]
    assert len(answers) == len(files) > 100
    assert not run.stderr
    for file, said, seconds in answers:
        assert seconds < 20, names[file]
        expected = ("shared", "StorageError") if names[file].startswith(("whole", "superblock")) else ("StorageError",)
        assert said.startswith(expected), (names[file], said)
    assert peak < 1_500_000  # kilobytes
    copies = list(tmp_path.glob("*.shared"))
    assert len(copies) >= len(hostile.HDF5_THAT_HARMS)
    assert not any(hostile.SECRET[:24] in copy.read_bytes() for copy in copies)
