"""Fit <-> file: netCDF-4 with a SHA-256 trailer, written whole or not at all.

The netCDF bytes are made in memory (a full disk would otherwise crash the HDF5 library), followed by a trailer with their
hash. Other programs read the file as netCDF and ignore the trailer; `load_fit` verifies it.
"""

import hashlib
import io
from pathlib import Path

import xarray as xr

from bayesmyo.errors import StorageError
from bayesmyo.files import writable, write_bytes
from bayesmyo.model.fit import FORMAT, Fit

HDF5 = b"\x89HDF\r\n\x1a\n"
TRAILER = b"\nbayesmyo-sha256:"
TRAILER_LENGTH = len(TRAILER) + 64 + 1


def save_fit(fit: Fit, path: str | Path, *, force: bool = False) -> str:
    """Write a fit; returns the SHA-256 of its content. Raises StorageError; a file that was there stays as it was."""
    path = writable(path, force)
    content = bytes(fit.tree.to_netcdf(engine="h5netcdf"))
    write_bytes(path, content + _trailer(content))
    return hashlib.sha256(content).hexdigest()


def load_fit(path: str | Path) -> Fit:
    """Read a fit and verify its hash. `load_fit(path).tree` is a plain DataTree for any function of ArviZ.

    Raises StorageError where the file is missing, is not a fit, is truncated or changed, or comes from a newer version.
    """
    path = Path(path)
    try:
        if path.exists() and not path.is_file():
            raise StorageError(f"{path}: is not a file that can be read.")
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
    with xr.open_datatree(io.BytesIO(content), engine="h5netcdf") as lazy:
        tree = lazy.load()
    if int(tree.attrs.get("bayesmyo_format", FORMAT)) > FORMAT:
        raise StorageError(f"{path}: was written by a newer bayesmyo; update bayesmyo to read it.")
    return Fit(tree)


def _trailer(content: bytes) -> bytes:
    return TRAILER + hashlib.sha256(content).hexdigest().encode() + b"\n"
