"""Engines: pm.Model -> draws.

To add one: copy `mock.py` to a new file, write `prepare` and `sample`, and add its line to `ENGINES`. An engine is
always named; none is chosen by what happens to be installed.
"""

from bayesmyo.errors import UsageError, did_you_mean
from bayesmyo.inference.engines.engine import Certificate, Draws, Engine, Prepared, Progress, Sampling
from bayesmyo.inference.engines.laplace import Laplace
from bayesmyo.inference.engines.mock import Mock
from bayesmyo.inference.engines.nuts import Nuts

_NUTS = Nuts()
ENGINES: dict[str, Engine] = {"nuts": _NUTS, "laplace": Laplace(_NUTS), "mock": Mock()}


def known_engine(name: str) -> None:
    """Raises UsageError for an engine that there is not."""
    if name not in ENGINES:
        raise UsageError("engine", "is unknown", f'"{name}"', did_you_mean(name, list(ENGINES)))


__all__ = ["ENGINES", "Certificate", "Draws", "Engine", "Prepared", "Progress", "Sampling", "known_engine"]
