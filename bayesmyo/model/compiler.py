"""Settings of the compiler, before anything imports it.

With fast-math on (PyTensor's default) a model compiled now and the same model loaded from the compile cache
draw differently. Off, the same seed gives the same bits, cold or warm, on any number of cores; the price was not
measurable.
"""

import os
import sys

FLAG = "numba__fastmath=False"


def configure() -> None:
    """Turn fast-math off, in this process and in every process that it starts."""
    flags = [f for f in os.environ.get("PYTENSOR_FLAGS", "").split(",") if f and not f.startswith("numba__fastmath")]
    os.environ["PYTENSOR_FLAGS"] = ",".join([*flags, FLAG])
    if "pytensor" in sys.modules:
        sys.modules["pytensor"].config.numba__fastmath = False
