"""The machine as a fit meets it: packages, compiler, compile cache, cores, memory, disk. Nothing heavy is loaded to
know them.

Read with `bayesmyo doctor`, which compiles nothing unless it is asked to.
"""

import configparser
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = (
    "bayesmyo", "pymc", "pytensor", "nutpie", "numba", "llvmlite", "numpy", "scipy", "pandas", "xarray", "arviz", "h5py", "openpyxl",
    "pyarrow", "pydantic", "typer", "rich",
)  # fmt: skip
PYTHON = (3, 12)
GIGABYTE = 1e9
LEAST_MEMORY = 2.0  # GB; a fit of the bundled study `ivig` takes about one
LEAST_DISK = 1.0  # GB
FOLDER_FLAG = "base_compiledir"


@dataclass(frozen=True)
class Finding:
    """One thing about the machine: whether a fit can live with it, what it is, and figures for other programs."""

    name: str
    passed: bool
    sentence: str
    facts: Mapping[str, str | int | float | None]


def examine(folder: str | Path = ".") -> list[Finding]:
    """Everything that a fit needs of the machine; `folder` is where results would be written."""
    return [python(), packages(), compiler(), cache(), cores(), memory(), disk(Path(folder))]


def python() -> Finding:
    running = platform.python_version()
    usable = sys.version_info[:2] >= PYTHON
    need = "" if usable else f"; {PYTHON[0]}.{PYTHON[1]} or later is needed"
    where = f"{sys.platform} {platform.machine()}"
    return Finding("python", usable, f"{running} on {where}{need}.", {"version": running, "platform": where})


def packages() -> Finding:
    """The versions that a fit records, and a few that read and print."""
    installed: dict[str, str | None] = {}
    for name in PACKAGES:
        try:
            installed[name] = version(name)
        except PackageNotFoundError:
            installed[name] = None
    missing = [name for name, v in installed.items() if v is None]
    text = ", ".join(f"{name} {v}" for name, v in installed.items() if v)
    return Finding(
        "packages", not missing, f"{text}{'; missing: ' + ', '.join(missing) if missing else ''}.", installed
    )


def compiler() -> Finding:
    """Models are compiled by numba's LLVM, which is a package; a C++ compiler is used for small parts where there is
    one.
    """
    try:
        numba, llvm = version("numba"), version("llvmlite")
    except PackageNotFoundError as error:
        return Finding(
            "compiler", False, f"{error.name} is not installed.", {"numba": None, "llvmlite": None, "cxx": None}
        )
    cxx = shutil.which("g++") or shutil.which("clang++")
    text = f"numba {numba} with LLVM by llvmlite {llvm}; C++ compiler: {cxx or 'none, and none is needed'}."
    return Finding("compiler", True, text, {"numba": numba, "llvmlite": llvm, "cxx": cxx})


def cache() -> Finding:
    """Where compiled models are kept: a second fit of the same model takes seconds instead of a minute."""
    folder = cache_folder()
    there = next(p for p in (folder, *folder.parents) if p.exists())
    files = [p for p in folder.rglob("*") if p.is_file()] if folder.is_dir() else []
    size = sum(p.stat().st_size for p in files)
    usable, free = _takes_files(there), shutil.disk_usage(there).free / GIGABYTE
    fault = "" if usable else "; cannot be written: name another folder in PYTENSOR_FLAGS=base_compiledir=FOLDER"
    text = f"{folder}: {size / 1e6:,.0f} MB, files: {len(files):,}, {free:,.1f} GB free{fault}."
    facts: dict[str, str | float] = {
        "folder": str(folder), "bytes": size, "files": len(files), "free_gb": round(free, 1),
    }  # fmt: skip
    return Finding("compile cache", usable and free >= LEAST_DISK, text, facts)


def cache_folder() -> Path:
    """The compiler's own folder, as PyTensor finds it: the flags, then its configuration file, then the user's home."""
    flags = dict(f.split("=", 1) for f in os.environ.get("PYTENSOR_FLAGS", "").split(",") if "=" in f)
    named = next((v.strip() for k, v in flags.items() if k.strip() == FOLDER_FLAG), None)
    if named is None:
        stated = configparser.ConfigParser(interpolation=None)
        stated.read([*os.environ.get("PYTENSORRC", str(Path.home() / ".pytensorrc")).split(os.pathsep)])
        named = stated.get("global", FOLDER_FLAG, fallback=None)
    local = os.environ.get("LOCALAPPDATA") if sys.platform == "win32" else None
    return Path(named).expanduser() if named else Path(local) / "PyTensor" if local else Path.home() / ".pytensor"


def cores() -> Finding:
    here, usable = os.cpu_count() or 1, _usable_cores()
    few = f" of {here}" if usable != here else ""
    plural = "core" if usable == 1 else "cores"
    return Finding(
        "cores", True, f"{usable}{few} {plural}; a fit uses one for each chain.", {"usable": usable, "all": here}
    )


def _usable_cores() -> int:
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def memory() -> Finding:
    """All memory, and what is free of it where the system says so."""
    facts: dict[str, float | None] = {"all_gb": None, "free_gb": None}
    if sys.platform != "win32":
        facts["all_gb"] = round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GIGABYTE, 1)
    told = Path("/proc/meminfo")
    if told.is_file():
        lines = dict(line.split(":", 1) for line in told.read_text().splitlines() if ":" in line)
        if "MemAvailable" in lines:
            facts["free_gb"] = round(int(lines["MemAvailable"].split()[0]) * 1024 / GIGABYTE, 1)
    known = [v for v in facts.values() if v is not None]
    if not known:
        return Finding("memory", True, "not known on this system.", facts)
    enough = min(known) >= LEAST_MEMORY
    parts = [f"{v} GB{word}" for v, word in ((facts["all_gb"], ""), (facts["free_gb"], " free")) if v is not None]
    short = "" if enough else f"; a fit may need {LEAST_MEMORY:g} GB"
    return Finding("memory", enough, f"{', '.join(parts)}{short}.", facts)


def disk(folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free / GIGABYTE
    usable = _takes_files(folder)
    fault = "" if usable else "; this folder cannot be written"
    text = f"{free:,.1f} GB free in {folder.resolve()}{fault}."
    return Finding(
        "disk", usable and free >= LEAST_DISK, text, {"folder": str(folder.resolve()), "free_gb": round(free, 1)}
    )


def _takes_files(folder: Path) -> bool:
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False
