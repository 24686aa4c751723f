"""Settings of the compiler, before anything imports it.

With fast-math on (PyTensor's default) a model compiled now and the same model loaded from the compile cache draw
differently. Off, the same seed gives the same bits, cold or warm, on any number of cores; the price was not measurable.
The source that PyTensor generates for each function is kept beside its compile cache, where it is used again and
removed when it is old; by default each compilation leaves files in the temporary folder for ever, thousands in a day of
simulation.
"""

import os
import stat
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

FLAG = "numba__fastmath=False"
BASE = "base_compiledir="
SOURCE = "generated_src_dir="


def configure() -> None:
    """Turn fast-math off and give generated source its place, in this process and in every process that it starts.
    Where the home folder cannot be written the cache is in the temporary folder."""
    flags = [f for f in os.environ.get("PYTENSOR_FLAGS", "").split(",") if f and not f.startswith("numba__fastmath")]
    elsewhere = [] if _settled(flags) or _usable(_home()) else [BASE + _temporary()]
    source = _source([*flags, *elsewhere])
    os.environ["PYTENSOR_FLAGS"] = ",".join([*flags, *elsewhere, *([SOURCE + source] if source else []), FLAG])
    if "pytensor" in sys.modules:
        config = sys.modules["pytensor"].config
        config.numba__fastmath = False
        config.generated_src_dir = config.generated_src_dir or source


def _home() -> Path:
    """Where PyTensor keeps its cache if nothing is stated."""
    return Path(os.path.expanduser("~")) / ".pytensor"


def _settled(flags: Sequence[str]) -> bool:
    """Whether the user has said where the cache is, or may have."""
    stated = {flag.split("=")[0] for flag in flags}
    configured = "PYTENSORRC" in os.environ or (_home().parent / ".pytensorrc").exists()
    return bool(stated & {"compiledir", BASE.rstrip("=")}) or configured or sys.platform == "win32"


def _usable(folder: Path) -> bool:
    """Whether a file can be made in a folder, which is made where there is none."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _temporary() -> str:
    """A folder in the temporary folder that is this user's alone: code that is found in it is run."""
    folder = Path(tempfile.gettempdir()) / f"bayesmyo-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        status = folder.lstat()
        if stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid() and not status.st_mode & 0o077:
            return folder.as_posix()
    except OSError:
        pass
    return tempfile.mkdtemp(prefix="bayesmyo-")


def _source(flags: Sequence[str]) -> str:
    """The folder of generated source, beside the compile cache; nothing where one is stated, or where it is not
    certain where the cache is."""
    if SOURCE.rstrip("=") in {flag.split("=")[0] for flag in flags}:
        return ""
    for flag in flags:
        if flag.startswith(BASE):
            return (Path(flag.removeprefix(BASE)) / "source").as_posix()
    return "" if _settled(flags) else (_home() / "source").as_posix()
