"""Writing files: whole or not at all."""

import contextlib
import hashlib
import os
import tempfile
from pathlib import Path

from bayesmyo.errors import StorageError, UsageError


def writable(path: str | Path, force: bool = False) -> Path:
    """Check, before long work, that a result can be written here.

    Raises UsageError where a file is there already and `force` is not given, StorageError where the folder will not take it.
    """
    path = Path(path)
    if path.is_dir():
        raise UsageError(str(path), "is a folder", mend="name a file")
    if path.exists() and not force:
        raise UsageError(str(path), "exists already", mend="choose another name, or overwrite it with --force")
    if not path.parent.is_dir():
        raise StorageError(f"{path}: the folder {path.parent} does not exist.")
    try:
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise StorageError(
            f"{path}: the folder {path.parent} cannot be written to: {error.strerror or error}."
        ) from None
    return path


def write_bytes(path: Path, content: bytes) -> None:
    """Write all of it or nothing: a temporary file beside the target, flushed, read back, renamed.

    Raises StorageError; a file that was there before stays as it was.
    """
    temporary = ""
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as out:
            temporary = out.name
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        if hashlib.sha256(Path(temporary).read_bytes()).digest() != hashlib.sha256(content).digest():
            raise StorageError(f"{path}: what was read back is not what was written; the disk may be failing.")
        os.replace(temporary, path)
        temporary = ""
    except OSError as error:
        reason = error.strerror or str(error)
        raise StorageError(f"{path}: cannot be written ({len(content):,} bytes): {reason}.") from None
    finally:
        if temporary:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
