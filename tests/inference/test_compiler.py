"""Where generated source goes: beside the compile cache where that is certain, and nowhere else."""

import os

import pytest

from bayesmyo.inference import compiler


@pytest.fixture
def home(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("PYTENSORRC", raising=False)
    return tmp_path


def source(monkeypatch, flags):
    monkeypatch.setenv("PYTENSOR_FLAGS", flags)
    monkeypatch.setitem(compiler.sys.modules, "pytensor", None)
    monkeypatch.delitem(compiler.sys.modules, "pytensor")
    compiler.configure()
    stated = os.environ["PYTENSOR_FLAGS"].split(",")
    assert stated.count("numba__fastmath=False") == 1
    assert [f for f in flags.split(",") if f and not f.startswith("numba__fastmath")] == stated[
        : len(flags.split(",")) if flags else 0
    ]
    return [f.partition("=")[2] for f in stated if f.startswith("generated_src_dir=")]


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ("", ["HOME/.pytensor/source"]),
        ("base_compiledir=/scratch/cache", ["/scratch/cache/source"]),
        ("generated_src_dir=/mine,base_compiledir=/scratch", ["/mine"]),
        ("compiledir=/scratch/here", []),
    ],
)
def test_it_is_beside_the_cache(home, monkeypatch, flags, expected):
    assert source(monkeypatch, flags) == [e.replace("HOME", home.as_posix()) for e in expected]


def test_where_the_cache_may_be_elsewhere_it_is_left_to_pytensor(home, monkeypatch):
    (home / ".pytensorrc").write_text("[global]\nbase_compiledir = /scratch\n")
    assert source(monkeypatch, "") == []


def test_where_the_home_folder_cannot_be_written_the_cache_is_in_a_temporary_one_of_the_user_alone(
    monkeypatch, tmp_path
):
    (tmp_path / "home").touch()  # no folder can be made in a file, whoever one is
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("PYTENSORRC", raising=False)
    monkeypatch.setattr(compiler.tempfile, "tempdir", str(tmp_path))
    own = tmp_path / f"bayesmyo-{os.getuid()}"
    assert source(monkeypatch, "") == [f"{own.as_posix()}/source"]
    assert f"base_compiledir={own.as_posix()}" in os.environ["PYTENSOR_FLAGS"].split(",")
    own.chmod(0o777)  # as somebody else might have made it
    [elsewhere] = source(monkeypatch, "")
    assert not elsewhere.startswith(f"{own.as_posix()}/")
