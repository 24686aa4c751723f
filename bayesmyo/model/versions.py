"""Versions of what computes: with the same ones, and the same kind of processor, the same seed gives the same bits."""

import platform
from collections.abc import Mapping
from importlib.metadata import version

PACKAGES = ("bayesmyo", "pymc", "pytensor", "nutpie", "numba", "numpy", "scipy", "xarray", "arviz")


def versions() -> dict[str, str]:
    """Package -> version, of what computes here."""
    return {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}}


def skew(there: Mapping[str, str], here: Mapping[str, str]) -> str:
    """What differs between two sets of versions, in words; empty where nothing does."""
    names = [name for name in {**there, **here} if there.get(name) != here.get(name)]
    return ", ".join(f"{name} {there.get(name, 'absent')} there, {here.get(name, 'absent')} here" for name in names)
