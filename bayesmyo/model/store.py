"""Fit <-> file: netCDF-4 with a SHA-256 trailer, written whole or not at all.

The netCDF bytes are made in memory (a full disk would otherwise crash the HDF5 library), followed by a trailer with their
hash. Other programs read the file as netCDF and ignore the trailer; `load_fit` verifies it before anything looks inside.
"""

import hashlib
import io
import json
from pathlib import Path

import h5py
import numpy as np
import xarray as xr

from bayesmyo.errors import BayesmyoError, StorageError
from bayesmyo.files import writable, write_bytes
from bayesmyo.model.fit import ESTIMANDS, FORMAT, Fit
from bayesmyo.study.write import to_toml

HDF5 = b"\x89HDF\r\n\x1a\n"
TRAILER = b"\nbayesmyo-sha256:"
TRAILER_LENGTH = len(TRAILER) + 64 + 1
MAXIMUM_BYTES = 4_000_000_000  # of a file, and of the arrays in it
ATTRIBUTES = ("bayesmyo_format", "study", "study_sha256", "data_source", "data_sha256", "rows", "notices", "engine", "seed", "sampling", "versions")  # fmt: skip
GROUPS = ("posterior", "sample_stats", "log_likelihood", "observed_data", "constant_data")
SHARED_GROUPS = ("posterior", "sample_stats", ESTIMANDS)


def save_fit(fit: Fit, path: str | Path, *, force: bool = False) -> str:
    """Write a fit; returns the SHA-256 of its content. Raises StorageError; a file that was there stays as it was.

    >>> len(bayesmyo.save_fit(fit, "fit.nc"))
    64
    """
    path = writable(path, force)
    content = bytes(fit.tree.to_netcdf(engine="h5netcdf"))
    write_bytes(path, content + _trailer(content))
    return hashlib.sha256(content).hexdigest()


def load_fit(path: str | Path) -> Fit:
    """Read a fit and verify its hash. `load_fit(path).tree` is a plain DataTree for any function of ArviZ.

    Raises StorageError where the file is missing, is not a fit, is truncated or changed, or comes from another version.

    >>> digest = bayesmyo.save_fit(fit, "fit.nc")
    >>> bayesmyo.load_fit("fit.nc").study.title
    'Small'
    """
    content = read_content(path)
    try:
        _sizes(content, path)
        with xr.open_datatree(io.BytesIO(content), engine="h5netcdf") as lazy:
            tree = lazy.load()
    except BayesmyoError:
        raise
    except Exception as error:  # whatever HDF5 and xarray raise on content that only claims to be theirs
        raise StorageError(f"{path}: is not a fit of bayesmyo ({type(error).__name__}).") from None
    absent = [name for name in ATTRIBUTES if name not in tree.attrs]
    shared = "bayesmyo_shared" in tree.attrs
    absent += [name for name in (SHARED_GROUPS if shared else GROUPS) if name not in tree.children]
    written = str(tree.attrs.get("bayesmyo_format", ""))
    if not written.isdigit():
        raise StorageError(f"{path}: is not a fit of bayesmyo: it does not say its format.")
    if int(written) > FORMAT:
        raise StorageError(f"{path}: was written by a newer bayesmyo; update bayesmyo to read it.")
    if int(written) < FORMAT:
        raise StorageError(f"{path}: was written by an earlier bayesmyo (format {written}, now {FORMAT}); fit again.")
    if absent:
        raise StorageError(f"{path}: is not a whole fit: {', '.join(absent)} missing.")
    return Fit(tree)


def read_content(path: str | Path) -> bytes:
    """The netCDF bytes of a stored fit, whose hash is that of its trailer. Raises StorageError."""
    path = Path(path)
    try:
        if path.exists() and not path.is_file():
            raise StorageError(f"{path}: is not a file that can be read.")
        if path.stat().st_size > MAXIMUM_BYTES:
            raise StorageError(f"{path}: is larger than any fit ({MAXIMUM_BYTES:,} bytes).")
        raw = path.read_bytes()
    except OSError as error:
        raise StorageError(f"{path}: cannot be read: {error.strerror or error}.") from None
    if not raw.startswith(HDF5):
        raise StorageError(f"{path}: is not a fit; `bayesmyo fit` writes one.")
    content, trailer = raw[:-TRAILER_LENGTH], raw[-TRAILER_LENGTH:]
    if not trailer.startswith(TRAILER):
        raise StorageError(f"{path}: has no checksum at its end: it is truncated, or not a fit of bayesmyo.")
    if trailer != _trailer(content):
        raise StorageError(f"{path}: the content does not match its checksum; restore it from a copy, or fit again.")
    return content


def share(fit: Fit) -> Fit:
    """The same fit without patient data, to be given away.

    Left out: measurements, times and covariates; patients' ids and effects; the log-likelihood of each measurement; lines, notes,
    the table's name, and its hash too, because a small table can be guessed and checked against it; comments of the study.
    Kept: the study, the draws of every population parameter and of every estimand, the sampler's statistics, counts, versions and seed.

    >>> "observed_data" in bayesmyo.share(fit).tree
    False
    """
    draws = ("chain", "draw")
    posterior = fit.group("posterior")
    kept = posterior[[str(k) for k, v in posterior.data_vars.items() if v.dims == draws]]
    population = kept.drop_vars([c for c in kept.coords if c not in draws])
    estimands = xr.Dataset({k: (draws, v) for k, v in fit.estimands.items()}, coords={d: posterior[d] for d in draws})
    tree = xr.DataTree.from_dict(
        {"posterior": population, "sample_stats": fit.group("sample_stats"), ESTIMANDS: estimands}
    )
    blank = {"study": to_toml(fit.study), "data_source": "", "data_sha256": "", "rows": "{}", "notices": "[]"}
    counts = {} if fit.shared else {"patients": len(fit.cohort), "rows": fit.cohort.rows.used}
    counts |= {} if fit.shared else {name: len(m) for name, m in fit.cohort.measurements.items()}
    tree.attrs = {"bayesmyo_shared": json.dumps(counts), **fit.tree.attrs, **blank}
    return Fit(tree)


def _sizes(content: bytes, path: str | Path) -> None:
    """Refuse arrays that would fill the memory, before they are read: a few bytes of HDF5 can claim any shape."""
    total = 0

    def add(_name: str, item: h5py.Dataset | h5py.Group) -> None:
        nonlocal total
        if isinstance(item, h5py.Dataset):
            total += int(np.prod(item.shape or (1,), dtype=object)) * max(1, item.dtype.itemsize)

    with h5py.File(io.BytesIO(content), "r") as file:
        file.visititems(add)
    if total > MAXIMUM_BYTES:
        raise StorageError(f"{path}: claims arrays of more than {MAXIMUM_BYTES:,} bytes.")


def _trailer(content: bytes) -> bytes:
    return TRAILER + hashlib.sha256(content).hexdigest().encode() + b"\n"
