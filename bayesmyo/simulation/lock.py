"""One run at a time in a folder."""

import json
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from bayesmyo.errors import StorageError
from bayesmyo.files import read_bytes, read_json, write_bytes
from bayesmyo.limits import NOTE_BYTES

LOCK, OWNER = ".lock", ".owner"


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold a folder. The system lets it go whatever ends this process, so that a lock is never stale.

    Raises StorageError, naming the process that holds it.
    """
    lock = FileLock(folder / LOCK, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise StorageError(
            f"{folder}: {_owner(folder)} is at work in it; wait for it, stop it, or choose another folder."
        ) from None
    except (OSError, NotImplementedError) as error:
        raise StorageError(f"{folder}: cannot be locked: {getattr(error, 'strerror', None) or error}.") from None
    owner = {"pid": os.getpid(), "host": platform.node(), "since": datetime.now(UTC).isoformat(timespec="seconds")}
    try:
        write_bytes(folder / OWNER, json.dumps(owner).encode())
        yield
    finally:
        (folder / OWNER).unlink(missing_ok=True)
        lock.release()


def _owner(folder: Path) -> str:
    """Who holds it: a moment after it was taken nobody may be named yet."""
    try:
        owner = read_json(read_bytes(folder / OWNER, NOTE_BYTES))
        return f"process {owner['pid']} on {owner['host']} (since {owner['since']})"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"
