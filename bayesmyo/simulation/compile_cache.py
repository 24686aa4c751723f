"""A compile cache for each worker process: two that share one overwrite each other's code.

The caches are kept, so that a worker seldom compiles what any run on this machine compiled before. A process holds one
of them by a lock that ends with it; a new one begins as a copy of the user's own cache.
"""

import hashlib
import json
import os
import shutil
import sys
import tempfile
from itertools import count
from pathlib import Path

from filelock import FileLock, Timeout

from bayesmyo.inference.compiler import BASE, SOURCE, configure
from bayesmyo.model.versions import versions

_held: list[FileLock] = []  # by this process, until it ends


def claim() -> None:
    """Give this process a compile cache of its own, once, before PyTensor is loaded.

    Where PyTensor is loaded already (by the script that workers were started from) nothing is kept on disk instead.
    """
    if _held:
        return
    if "pytensor" in sys.modules:
        sys.modules["pytensor"].config.numba__cache = False
        return
    flags = [f for f in os.environ.get("PYTENSOR_FLAGS", "").split(",") if f]
    seed = next((f.removeprefix(BASE) for f in flags if f.startswith(BASE)), str(Path.home() / ".pytensor"))
    folder = _free(root())
    if not folder.exists():
        _copy(Path(seed), folder)
    others = (f for f in flags if not f.startswith((BASE, SOURCE)))
    os.environ["PYTENSOR_FLAGS"] = ",".join([*others, f"{BASE}{folder}"])
    configure()


def root() -> Path:
    """Where the caches of these versions are kept: code of other versions must not be met."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "bayesmyo" / hashlib.sha256(json.dumps(versions()).encode()).hexdigest()[:16]


def _free(root: Path) -> Path:
    """The first cache that no process holds; a temporary one where none can be kept."""
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError:
        root = Path(tempfile.mkdtemp(prefix="bayesmyo-"))
    for n in count():
        lock = FileLock(root / f"{n}.lock", timeout=0)
        try:
            lock.acquire()
        except Timeout:
            continue
        _held.append(lock)
        return root / str(n)
    raise AssertionError("there are endless numbers")


def _copy(seed: Path, folder: Path) -> None:
    """Copy a cache, as far as it holds still; what is missing is compiled again."""
    making = folder.with_suffix(".new")
    shutil.rmtree(making, ignore_errors=True)
    try:
        shutil.copytree(seed, making)
    except (OSError, shutil.Error):
        making.mkdir(parents=True, exist_ok=True)
    making.rename(folder)
