"""A file is written whole or not at all."""

import os
import stat

import pytest

from bayesmyo.errors import StorageError, UsageError
from bayesmyo.files import writable, write_bytes


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
    monkeypatch.setattr(type(tmp_path), "read_bytes", lambda _: b"other")
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
