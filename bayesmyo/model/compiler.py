"""Settings of the compiler, before anything imports it.

With fast-math on (PyTensor's default) a model compiled now and the same model loaded from the compile cache
draw differently. Off, the same seed gives the same bits, cold or warm, on any number of cores; the price was not
measurable. The source that PyTensor generates for each function is kept beside its compile cache, where it is used again and removed when
it is old; by default each compilation leaves files in the temporary folder for ever, thousands in a day of simulation.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

FLAG = "numba__fastmath=False"
BASE = "base_compiledir="
SOURCE = "generated_src_dir="


def configure() -> None:
    """Turn fast-math off and give generated source its place, in this process and in every process that it starts."""
    flags = [f for f in os.environ.get("PYTENSOR_FLAGS", "").split(",") if f and not f.startswith("numba__fastmath")]
    source = _source(flags)
    os.environ["PYTENSOR_FLAGS"] = ",".join([*flags, *([SOURCE + source] if source else []), FLAG])
    if "pytensor" in sys.modules:
        config = sys.modules["pytensor"].config
        config.numba__fastmath = False
        config.generated_src_dir = config.generated_src_dir or source


def _source(flags: Sequence[str]) -> str:
    """The folder of generated source, beside the compile cache; nothing where one is stated, or where it is not certain where the cache is
    or that it can be written."""
    stated = {flag.split("=")[0] for flag in flags}
    if SOURCE.rstrip("=") in stated:
        return ""
    for flag in flags:
        if flag.startswith(BASE):
            return (Path(flag.removeprefix(BASE)) / "source").as_posix()
    home = Path(os.path.expanduser("~"))
    cache = home / ".pytensor"
    settled = "compiledir" in stated or "PYTENSORRC" in os.environ or (home / ".pytensorrc").exists()
    writable = os.access(cache if cache.exists() else home, os.W_OK)
    return (cache / "source").as_posix() if writable and not settled and sys.platform != "win32" else ""
