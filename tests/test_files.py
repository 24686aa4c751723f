"""A file is written whole or not at all."""

import os
import signal
import stat
import subprocess
import sys

import pytest

from bayesmyo.errors import StorageError, UsageError
from bayesmyo.files import regular, writable, write_bytes


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_a_free_name_in_a_folder_is_writable_and_still_free(tmp_path):
    assert writable(tmp_path / "a.csv") == tmp_path / "a.csv"
    assert not list(tmp_path.iterdir())


def test_a_taken_name_is_refused_unless_forced(tmp_path):
    (tmp_path / "a.csv").touch()
    with pytest.raises(UsageError, match="exists already; choose another name, or overwrite it with --force"):
        writable(tmp_path / "a.csv")
    assert writable(tmp_path / "a.csv", force=True) == tmp_path / "a.csv"


@pytest.mark.parametrize("force", [False, True])
def test_a_folder_is_never_overwritten(tmp_path, force):
    with pytest.raises(UsageError, match="is a folder; name a file"):
        writable(tmp_path, force)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("nowhere/a.csv", "nowhere does not exist"),
        ("file/a.csv", "file is a file, not a folder"),
        ("a" * 300, "File name too long"),
    ],
)
def test_where_nothing_can_be_written_the_reason_is_named(tmp_path, name, reason):
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match=reason):
        writable(tmp_path / name)
    with pytest.raises(StorageError, match="cannot be written"):
        write_bytes(tmp_path / name, b"new")


def test_new_content_replaces_old_and_leaves_nothing_beside_it(tmp_path):
    for content in (b"old", b"", b"new" * 100_000):
        write_bytes(tmp_path / "a.csv", content)
        assert (tmp_path / "a.csv").read_bytes() == content
    assert os.listdir(tmp_path) == ["a.csv"]


def test_the_users_own_permissions_hold(tmp_path):
    before = os.umask(0o027)
    try:
        write_bytes(tmp_path / "a.csv", b"new")
    finally:
        os.umask(before)
    assert mode(tmp_path / "a.csv") == 0o640
    os.chmod(tmp_path / "a.csv", 0o604)
    write_bytes(tmp_path / "a.csv", b"newer")
    assert mode(tmp_path / "a.csv") == 0o604


def test_where_renaming_fails_the_old_file_stays(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(28, "No space left on device")

    write_bytes(tmp_path / "a.csv", b"old")
    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(StorageError, match=r"cannot be written \(3 bytes\): No space left on device"):
        write_bytes(tmp_path / "a.csv", b"new")
    assert [p.read_bytes() for p in tmp_path.iterdir()] == [b"old"]


def test_what_is_not_read_back_as_written_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(
        os, "fsync", lambda descriptor: os.pwrite(descriptor, b"x", 0)
    )  # a disk that keeps something else
    with pytest.raises(StorageError, match="the disk may be failing"):
        write_bytes(tmp_path / "a.csv", b"new")
    assert not list(tmp_path.iterdir())


def test_a_link_is_never_followed_nor_replaced(tmp_path):
    (tmp_path / "real.csv").write_bytes(b"old")
    (tmp_path / "link.csv").symlink_to(tmp_path / "real.csv")
    (tmp_path / "nowhere.csv").symlink_to(tmp_path / "none.csv")
    for name in ("link.csv", "nowhere.csv"):
        with pytest.raises(UsageError, match="is a link"):
            writable(tmp_path / name, force=True)
    assert (tmp_path / "real.csv").read_bytes() == b"old"


def test_what_is_no_regular_file_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", "/dev/null"):
        with pytest.raises(UsageError, match="is not a regular file"):
            writable(path, force=True)
    with pytest.raises(UsageError, match="not written to the standard output"):
        writable("-")


# --- what a killed writer left behind

LEFT = ".a.csv.0123abcd"


def test_what_a_killed_writer_left_is_removed_by_the_next_write_of_the_same_file_alone(tmp_path):
    names = (LEFT, ".a.csv.fedcba98", ".b.csv.0123abcd", ".a.csv.mine", ".a.csv.0123abcde", "a.csv.0123abcd", ".a.csv")
    for name in names:
        (tmp_path / name).write_bytes(b"ids")
    (tmp_path / ".a.csv.aaaaaaaa").symlink_to(tmp_path / ".b.csv.0123abcd")
    (tmp_path / ".a.csv.bbbbbbbb").mkdir()
    write_bytes(tmp_path / "a.csv", b"new")
    assert set(os.listdir(tmp_path)) == {"a.csv", *names[2:], ".a.csv.aaaaaaaa", ".a.csv.bbbbbbbb"}


def test_what_another_writer_is_writing_is_never_taken(tmp_path, monkeypatch):
    replace, inner = os.replace, []

    def interrupted(temporary, path):
        if not inner:
            inner.append(temporary)
            write_bytes(tmp_path / "a.csv", b"of another")
            assert temporary.exists()
        replace(temporary, path)

    monkeypatch.setattr(os, "replace", interrupted)
    write_bytes(tmp_path / "a.csv", b"mine")
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == {"a.csv": b"mine"}


def test_a_process_that_is_killed_in_the_middle_leaves_what_the_next_write_removes(tmp_path):
    code = "import os, sys, signal; from pathlib import Path; from bayesmyo.files import write_bytes\nos.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)\nwrite_bytes(Path(sys.argv[1]), b'ids')"
    killed = subprocess.run([sys.executable, "-c", code, tmp_path / "a.csv"], check=False)
    assert killed.returncode == -signal.SIGKILL
    [left] = tmp_path.iterdir()
    assert left.read_bytes() == b"ids"
    write_bytes(tmp_path / "a.csv", b"new")
    assert os.listdir(tmp_path) == ["a.csv"]


# --- reading


def test_only_a_regular_file_is_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path, "/dev/zero"):
        with pytest.raises(StorageError, match="is not a file that can be read"):
            regular(path)
    (tmp_path / "a").write_bytes(b"x")
    with regular(tmp_path / "a") as file:
        assert file.read() == b"x"


def test_nobody_else_may_read_a_file_while_it_is_written(tmp_path, monkeypatch):
    seen, replace = [], os.replace

    def spy(temporary, path):
        seen.append(mode(temporary))
        replace(temporary, path)

    fsync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda fd: (seen.append(stat.S_IMODE(os.fstat(fd).st_mode)), fsync(fd)))
    monkeypatch.setattr(os, "replace", spy)
    before = os.umask(0o022)
    try:
        write_bytes(tmp_path / "a.csv", b"new")
    finally:
        os.umask(before)
    assert seen[:2] == [0o600, 0o644]
