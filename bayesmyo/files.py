"""Files: read without waiting for anything, written whole or not at all."""

import contextlib
import errno
import hashlib
import io
import json
import os
import re
import secrets
import stat
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bayesmyo.errors import StorageError, UsageError
from bayesmyo.limits import JSON_DEPTH

TEXT = re.compile(r'"(?:[^"\\]++|\\.)*+"', re.DOTALL)  # in JSON
BRACKET = re.compile(r"[\[\]{}]")


def opened(path: str | Path) -> io.BufferedReader:
    """A regular file, open for reading. A pipe or a device is not waited for. Raises OSError, also where it is no
    regular file.
    """
    file = open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK))  # noqa: SIM115  # it is handed on
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(errno.EINVAL, "is not a regular file")
    return file


def regular(path: str | Path) -> io.BufferedReader:
    """The same for what must be one of our own: raises StorageError for a folder, a pipe or a device."""
    try:
        return opened(path)
    except OSError as error:
        if error.errno in (errno.EINVAL, errno.EISDIR):
            raise StorageError(f"{path}: is not a file that can be read.") from None
        raise


def read_bytes(path: str | Path, most: int) -> bytes:
    """The bytes of a regular file. Raises OSError, also where there are more than `most` of them."""
    with opened(path) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise OSError(errno.EFBIG, f"is larger than {most:,} bytes")
    return content


def read_json(content: bytes) -> Any:
    """What JSON says. Raises ValueError, also where it is nested deeper than anything that we write."""
    text, depth = content.decode(), 0
    for bracket in BRACKET.finditer(TEXT.sub("", text)):
        depth += 1 if bracket[0] in "[{" else -1
        if depth > JSON_DEPTH:
            raise ValueError("is nested too deeply")
    return json.loads(text)


if sys.platform != "win32":
    import fcntl


def writable(path: str | Path, force: bool = False) -> Path:
    """Check, before long work, that a result can be written here.

    Raises UsageError where a file is there already and `force` is not given, or where what is there is no file;
    StorageError where the folder will not take it. A link is never followed: it may lead where the user does not mean
    to write.
    """
    path = Path(path)
    if str(path) == "-":
        raise UsageError("-", "is no file: results are not written to the standard output", mend="name a file")
    try:
        if path.is_symlink():
            raise UsageError(str(path), "is a link", mend="name the file that it leads to, or remove it")
        if path.is_dir():
            raise UsageError(str(path), "is a folder", mend="name a file")
        if path.exists() and not path.is_file():
            raise UsageError(str(path), "is not a regular file", mend="name a file")
        if path.exists() and not force:
            raise UsageError(str(path), "exists already", mend="choose another name, or overwrite it with --force")
        if not path.parent.is_dir():
            what = "is a file, not a folder" if path.parent.exists() else "does not exist"
            raise StorageError(f"{path}: the folder {path.parent} {what}.")
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise StorageError(f"{path}: cannot be written: {error.strerror or error}.") from None
    return path


def folder(path: str | Path) -> Path:
    """A folder for results, made where there is none. Raises UsageError where a file is there, StorageError where it
    cannot be made.
    """
    path = Path(path)
    if path.is_symlink() or (path.exists() and not path.is_dir()):
        raise UsageError(str(path), "is no folder", mend="name another")
    try:
        path.mkdir(exist_ok=True)
    except OSError as error:
        raise StorageError(f"{path}: cannot be made: {error.strerror or error}.") from None
    return path


def write_bytes(path: Path, *content: bytes | memoryview) -> None:
    """Write all of it or nothing, one part after another: a temporary file beside the target, flushed, read back,
    renamed.

    Nobody else may read it while it is written; then a new file has the permissions that the user gives to new files,
    and one that is overwritten keeps its own. Raises StorageError; a file that was there before stays as it was.
    """
    meant = hashlib.sha256()
    try:
        _sweep(path)
        temporary, usual, lock = _begun(path)
    except OSError as error:
        raise StorageError(f"{path}: cannot be written ({_bytes(content)}): {error.strerror or error}.") from None
    try:
        with temporary.open("r+b") as out:
            for part in content:
                out.write(part)
                meant.update(part)
            out.flush()
            os.fsync(out.fileno())
        with temporary.open("rb") as written:
            read_back = hashlib.file_digest(written, "sha256")
        if read_back.digest() != meant.digest():
            raise StorageError(f"{path}: what was read back is not what was written; the disk may be failing.")
        if sys.platform == "win32":  # where nothing that is open can be renamed
            os.close(lock)
            lock = -1
        temporary.chmod(stat.S_IMODE(path.stat().st_mode) if path.exists() else usual)
        os.replace(temporary, path)
        _settle(path.parent)
    except OSError as error:
        raise StorageError(f"{path}: cannot be written ({_bytes(content)}): {error.strerror or error}.") from None
    finally:
        with contextlib.suppress(OSError):
            os.close(lock)
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def _bytes(content: Sequence[bytes | memoryview]) -> str:
    return f"{sum(map(len, content)):,} bytes"


def _begun(path: Path) -> tuple[Path, int, int]:
    """A new file beside the target, for its owner alone; the permissions that the user gives to new files; and a
    descriptor whose lock says that its writer is alive."""
    while True:
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        lock = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        usual = stat.S_IMODE(os.fstat(lock).st_mode)
        os.fchmod(lock, 0o600)
        try:
            taken = _locked(lock)
        except OSError:  # a disk that knows no locks
            taken = True
        if taken and os.fstat(lock).st_nlink:  # else another writer is sweeping it away, or has
            return temporary, usual, lock
        os.close(lock)


def _sweep(path: Path) -> None:
    """Remove what writers of this file left behind when they were killed: it holds what a fit or a table holds. A lock
    ends with its process, so a file of another writer at work is never taken."""
    if sys.platform == "win32":
        return
    ours = re.compile(rf"\.{re.escape(path.name)}\.[0-9a-f]{{8}}")
    with os.scandir(path.parent) as entries:
        left = [e.path for e in entries if ours.fullmatch(e.name) and e.is_file(follow_symlinks=False)]
    for name in left:
        with contextlib.suppress(OSError):
            descriptor = os.open(name, os.O_RDWR | os.O_NOFOLLOW)
            try:
                if os.fstat(descriptor).st_uid == os.geteuid() and _locked(descriptor):
                    os.unlink(name)
            finally:
                os.close(descriptor)


def _locked(descriptor: int) -> bool:
    """Take the lock of an open file, if nobody has it; it is let go when the file is closed, or its process ends.
    Raises OSError where there are no locks."""
    if sys.platform == "win32":
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _settle(folder: Path) -> None:
    """Make a renaming last through a loss of power, where the system knows how."""
    with contextlib.suppress(OSError):
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
