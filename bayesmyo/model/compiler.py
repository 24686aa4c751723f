"""Settings of the compiler, before anything imports it.

With fast-math on (PyTensor's default) a model compiled now and the same model loaded from the compile cache
draw differently. Off, the same seed gives the same bits, cold or warm, on any number of cores; the price was not
measurable. The source that PyTensor generates for each function is kept beside its compile cache, where it is used again and removed when
it is old; by default each compilation leaves files in the temporary folder for ever, thousands in a day of simulation.
"""

import os
import sys

FLAG = "numba__fastmath=False"
BASE = "base_compiledir="
SOURCE = "generated_src_dir="


def configure() -> None:
    """Turn fast-math off and give generated source its place, in this process and in every process that it starts."""
    flags = [f for f in os.environ.get("PYTENSOR_FLAGS", "").split(",") if f and not f.startswith("numba__fastmath")]
    base = next((f.removeprefix(BASE) for f in flags if f.startswith(BASE)), os.path.join("~", ".pytensor"))
    source = next((f.removeprefix(SOURCE) for f in flags if f.startswith(SOURCE)), os.path.join(base, "source"))
    flags = [f for f in flags if not f.startswith(SOURCE)]
    os.environ["PYTENSOR_FLAGS"] = ",".join([*flags, SOURCE + source, FLAG])
    if "pytensor" in sys.modules:
        config = sys.modules["pytensor"].config
        config.numba__fastmath = False
        config.generated_src_dir = config.generated_src_dir or source
