"""What `bayesmyo doctor` says of a machine: a sound one, and ones that lack something."""

import subprocess
import sys
from collections import namedtuple

import pytest

from bayesmyo import machine
from bayesmyo.machine import cache_folder, examine

NAMES = ["python", "packages", "compiler", "compile cache", "cores", "memory", "disk"]


def finding(name, folder="."):
    return next(f for f in examine(folder) if f.name == name)


def test_a_machine_that_can_fit(run):
    result = run("doctor")
    assert (result.code, result.err) == (0, "")
    assert [line.partition("  ")[2].partition(":")[0] for line in result.out.splitlines()] == NAMES
    assert all(line.startswith("passed  ") for line in result.out.splitlines())


def test_as_json(run):
    found = run("doctor", "--json").json
    assert found.keys() == {"schema_version", "passed", "findings"}
    facts = {f["name"]: f["facts"] for f in found["findings"]}
    assert list(facts) == NAMES
    assert facts["packages"].keys() == set(machine.PACKAGES)
    assert facts["python"]["version"] == ".".join(map(str, sys.version_info[:3]))
    assert facts["cores"]["usable"] >= 1
    assert facts["compile cache"].keys() == {"folder", "bytes", "files", "free_gb"}


def test_nothing_heavy_is_loaded_for_it():
    code = "import sys, bayesmyo.machine; print(*{'pymc', 'pytensor', 'numpy', 'numba', 'nutpie'} & sys.modules.keys())"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == ""


@pytest.mark.parametrize("stated", ["flags", "file"])
def test_the_cache_is_where_the_compiler_says(tmp_path, monkeypatch, stated):
    """PyTensor, asked in a process of its own, has the same folder."""
    home, other = tmp_path / "home", tmp_path / "other"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("PYTENSORRC", raising=False)
    monkeypatch.setenv("PYTENSOR_FLAGS", f"numba__fastmath=False,base_compiledir={other}" if stated == "flags" else "")
    if stated == "file":
        (home / ".pytensorrc").write_text(f"[global]\nbase_compiledir = {other}\n")
    code = "from pytensor import config; print(config.base_compiledir)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert str(cache_folder()) == run.stdout.strip() == str(other)
    monkeypatch.setenv("PYTENSOR_FLAGS", "")
    monkeypatch.setenv("PYTENSORRC", str(home / "none"))
    assert cache_folder() == home / ".pytensor"


def test_the_cache_is_measured(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTENSOR_FLAGS", f"base_compiledir={tmp_path}")
    (tmp_path / "numba").mkdir()
    (tmp_path / "numba" / "a").write_bytes(b"x" * 3_000_000)
    found = finding("compile cache")
    assert (found.facts["bytes"], found.facts["files"]) == (3_000_000, 1)
    assert "3 MB, files: 1, " in found.sentence


def test_a_cache_that_cannot_be_written(tmp_path, monkeypatch, run):
    (tmp_path / "file").touch()
    monkeypatch.setenv("PYTENSOR_FLAGS", f"base_compiledir={tmp_path / 'file'}")
    result = run("doctor")
    assert result.code == 1
    assert "FAILED  compile cache: " in result.out
    assert "name another folder in PYTENSOR_FLAGS=base_compiledir=FOLDER" in result.out


def test_a_package_that_is_missing(monkeypatch, run):
    monkeypatch.setattr(machine, "PACKAGES", ("numpy", "no-such-package"))
    result = run("doctor", "--json")
    assert result.code == 1
    assert not result.json["passed"]
    assert "missing: no-such-package" in next(f["sentence"] for f in result.json["findings"] if f["name"] == "packages")


def test_a_disk_that_is_full(monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda folder: usage(10**12, 10**12, 10**6))
    assert not finding("disk").passed
    assert not finding("compile cache").passed


@pytest.mark.sampling
def test_the_trial_compiles_and_samples(run):
    result = run("doctor", "--compile", "--json")
    assert result.code == 0
    trial = result.json["findings"][-1]
    assert (trial["name"], trial["passed"], trial["facts"]["draws"]) == ("trial", True, 100)
