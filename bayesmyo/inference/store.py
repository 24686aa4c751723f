"""Fit <-> file: netCDF-4, a table of contents, and a SHA-256 over both, written whole or not at all.

The netCDF bytes are made in memory (a full disk would otherwise crash the HDF5 library). Other programs read the file
as netCDF and ignore what follows; bayesmyo reads the table of contents, and the arrays where that says they are: see
`contents`.
"""

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from bayesmyo.cohort.cohort import CENSORED, HAPPENED, INTERVAL
from bayesmyo.errors import BayesmyoError, StorageError, UsageError
from bayesmyo.files import regular, writable, write_bytes
from bayesmyo.inference.contents import PRIVATE, Contents, Region, format_of, understood, words
from bayesmyo.inference.fit import FORMAT, Fit
from bayesmyo.inference.layout import ESTIMANDS, LOG_PRIOR, Variable, layout, tree_of
from bayesmyo.limits import FIT_BYTES
from bayesmyo.model.data import SHARED, arrays, imputed
from bayesmyo.study.study import Study
from bayesmyo.study.write import to_toml

HDF5 = b"\x89HDF\r\n\x1a\n"
CONTENTS = b"\nbayesmyo-contents:"  # and how many bytes of JSON stand before it
CONTENTS_LENGTH = len(CONTENTS) + 12
TRAILER = b"\nbayesmyo-sha256:"
TRAILER_LENGTH = len(TRAILER) + 64 + 1
MAXIMUM_CONTENTS = 100_000_000  # of a table of contents: the lines of a table's rows are in it
BLOCK = 1 << 20


def save_fit(fit: Fit, path: str | Path, *, force: bool = False) -> str:
    """Write a fit.

    Parameters
    ----------
    fit : Fit
        Or a shared copy of one.
    path : str or Path
        Where; written whole or not at all.
    force : bool
        Replace a file that exists.

    Returns
    -------
    str
        The SHA-256 of its content.

    Raises
    ------
    UsageError
        Where a file is there already and `force` is not given.
    StorageError
        Where it cannot be written; a file that was there stays as it was.

    Examples
    --------
    >>> len(bayesmyo.save_fit(fit, "fit.nc"))
    64
    """
    path = writable(path, force)
    netcdf, contents = packed(fit)
    digest = hashlib.sha256(netcdf)
    digest.update(contents)
    write_bytes(path, netcdf, contents, TRAILER + digest.hexdigest().encode() + b"\n")
    return digest.hexdigest()


def load_fit(path: str | Path) -> Fit:
    """Read a fit and verify its hash. `load_fit(path).tree` is a plain DataTree for any function of ArviZ.

    Parameters
    ----------
    path : str or Path
        Of `save_fit`, or of `bayesmyo fit`.

    Returns
    -------
    Fit
        Which says the same as when it was fresh.

    Raises
    ------
    StorageError
        Where the file is missing, is not a fit, is truncated or changed, or comes from another version.

    Examples
    --------
    >>> digest = bayesmyo.save_fit(fit, "fit.nc")
    >>> bayesmyo.load_fit("fit.nc").study.title
    'Small'
    """
    fit, _ = read_fit(path)
    if not fit.shared:
        try:
            coherent(fit)
        except BayesmyoError as error:
            raise StorageError(f"{path}: its data do not hang together: {error}") from None
        except Exception as error:  # numbers may be wrong in ways that no one has thought of
            raise StorageError(f"{path}: its data cannot be understood ({type(error).__name__}).") from None
    return fit


def read_fit(path: str | Path) -> tuple[Fit, str]:
    """A fit of which is known that every array is there, but not yet that they hang together; and the SHA-256 of its
    content."""
    path = Path(path)
    try:
        with regular(path) as file:
            return _read(file, path)
    except OSError as error:
        raise StorageError(f"{path}: cannot be read: {error.strerror or error}.") from None


def coherent(fit: Fit) -> None:
    """Raises UsageError for data in which an index, a length or a type is wrong: compiled code would read elsewhere."""
    missing = {f"{SHARED}.{k}": int(np.isnan(v).sum()) for k, v in imputed(arrays(fit.study, fit.cohort)).items()}
    drawn = {k: v.shape[-1] for k, v in fit.group("posterior").data_vars.items() if str(k).startswith(f"{SHARED}.")}
    if missing != drawn:
        raise UsageError("covariates", "have other gaps than were filled")
    for name, e in fit.cohort.events.items():
        times = np.stack([e.start, e.stop, e.end])
        ended = np.where(e.status == INTERVAL, e.end >= e.stop, e.end == e.stop)
        possible = np.isfinite(times).all() and bool((e.start <= e.stop).all()) and bool(ended.all())
        if not (possible and np.isin(e.status, (CENSORED, HAPPENED, INTERVAL)).all()):
            raise UsageError(f"episodes of {name}", "end before they begin, or in no way that is known")
    if fit.cohort.exits is not None and not np.isfinite(fit.cohort.exits.time).all():
        raise UsageError("exits", "must have finite times")


def share(fit: Fit) -> Fit:
    """The same fit without patient data, to be given away.

    Left out: measurements, times and covariates; patients' ids and effects; the log-likelihood of each measurement;
    lines, notes, the table's name, and its hash too, because a small table can be guessed and checked against it;
    comments of the study. Kept: the study, the draws of every population parameter and of every estimand, the sampler's
    statistics, counts, versions and seed.

    Parameters
    ----------
    fit : Fit
        With its patients.

    Returns
    -------
    Fit
        A copy that answers for the population alone.

    Examples
    --------
    >>> "observed_data" in bayesmyo.share(fit).tree
    False
    """
    study, held = fit.study, layout(fit.study, shared=True)
    kept = {
        group: {k: v.values for k, v in fit.group(group).data_vars.items() if k in held[group]}
        for group in ("posterior", "sample_stats")
    }
    attributes = {k: fit.tree.attrs[k] for k in ("bayesmyo_format", "study_sha256", "engine", "seed")}
    attributes |= {k: fit.tree.attrs[k] for k in ("sampling", "parameterisation", "versions")}
    if fit.shared:
        counts = fit.tree.attrs["bayesmyo_shared"]
    else:
        measured = {name: len(m) for name, m in fit.cohort.measurements.items()}
        counts = json.dumps({"patients": len(fit.cohort), "rows": fit.cohort.rows.used, **measured})
    attributes |= {"bayesmyo_shared": counts, "study": to_toml(study), **PRIVATE}
    return Fit(tree_of(study, {**kept, ESTIMANDS: fit.estimands}, (), attributes))


def packed(fit: Fit) -> tuple[memoryview, bytes]:
    """A fit as a file holds it, without its trailer: the netCDF, and the table of contents. Raises UsageError for what
    no fit holds."""
    held, tree = layout(fit.study, fit.shared), fit.tree.copy()
    del tree[LOG_PRIOR]
    for group, node in tree.children.items():
        own = node.to_dataset()
        if strange := [str(k) for k in own.data_vars if k not in held.get(group, {})]:
            raise UsageError("fit", f"holds what no fit of its study holds: {group}/{strange[0]}")
        tree[group] = own.assign({k: v.astype(held[group][str(k)].in_file) for k, v in own.data_vars.items()})
    out = io.BytesIO()
    tree.to_netcdf(out, engine="h5netcdf")
    with h5py.File(out, "r") as file:
        places = {
            group: {str(name): _region(file[f"{group}/{name}"], held[group][str(name)]) for name in node.data_vars}
            for group, node in tree.children.items()
        }
    posterior = fit.group("posterior")
    attributes = {str(k): str(v) for k, v in fit.tree.attrs.items() if k != "bayesmyo_format"}
    patients = tuple(str(p) for p in posterior["patient"].values) if "patient" in posterior.coords else ()
    contents = Contents(
        bayesmyo_format=int(fit.tree.attrs["bayesmyo_format"]),
        attributes=attributes,
        patients=patients,
        arrays=places,
    )
    document = json.dumps(contents.model_dump(mode="json")).encode()
    return out.getbuffer(), b"\n" + document + CONTENTS + f"{len(document):012d}".encode()


def _region(dataset: Any, variable: Variable) -> Region:
    """Where the netCDF library put an array, whole and in one piece."""
    return Region(dtype=variable.in_file, shape=dataset.shape, offset=dataset.id.get_offset())


def _read(file: io.BufferedReader, path: Path) -> tuple[Fit, str]:
    size = file.seek(0, io.SEEK_END)
    if size > FIT_BYTES:
        raise StorageError(f"{path}: is larger than any fit ({FIT_BYTES:,} bytes).")
    digest = _verified(file, path, size)
    raw, netcdf = _contents(file, path, size - TRAILER_LENGTH)
    try:
        written = format_of(raw)
    except ValueError:
        raise StorageError(f"{path}: is not a fit of bayesmyo: it does not say its format.") from None
    if written > FORMAT:
        raise StorageError(f"{path}: was written by a newer bayesmyo; update bayesmyo to read it.")
    if written < FORMAT:
        raise StorageError(f"{path}: was written by an earlier bayesmyo (format {written}, now {FORMAT}); fit again.")
    try:
        contents, study = understood(raw, netcdf)
        arrays_of = {
            group: {name: _array(file, region, variable) for name, region, variable in _wanted(study, contents, group)}
            for group in contents.arrays
        }
    except ValueError as error:
        raise StorageError(f"{path}: is not a fit of bayesmyo: {words(error)}.") from None
    attributes = {"bayesmyo_format": written, **contents.attributes}
    return Fit(tree_of(study, arrays_of, contents.patients, attributes)), digest


def _verified(file: io.BufferedReader, path: Path, size: int) -> str:
    """The SHA-256 of a file's content, which is that of its trailer. Raises StorageError."""
    file.seek(0)
    if file.read(len(HDF5)) != HDF5:
        raise StorageError(f"{path}: is not a fit; `bayesmyo fit` writes one.")
    file.seek(max(0, size - TRAILER_LENGTH))
    trailer = file.read(TRAILER_LENGTH)
    if not trailer.startswith(TRAILER):
        raise StorageError(f"{path}: has no checksum at its end: it is truncated, or not a fit of bayesmyo.")
    digest, left = hashlib.sha256(), size - TRAILER_LENGTH
    file.seek(0)
    while left > 0 and (block := file.read(min(BLOCK, left))):
        digest.update(block)
        left -= len(block)
    if trailer != TRAILER + digest.hexdigest().encode() + b"\n":
        raise StorageError(f"{path}: the content does not match its checksum; restore it from a copy, or fit again.")
    return digest.hexdigest()


def _contents(file: io.BufferedReader, path: Path, end: int) -> tuple[bytes, int]:
    """The JSON of the table of contents, which ends where the trailer begins; and how many bytes of netCDF stand
    before it."""
    file.seek(max(0, end - CONTENTS_LENGTH))
    sign = file.read(min(end, CONTENTS_LENGTH))
    length = sign.removeprefix(CONTENTS)
    if not sign.startswith(CONTENTS) or not length.isdigit():
        raise StorageError(f"{path}: has no table of contents: it was written by an earlier bayesmyo; fit again.")
    start = end - CONTENTS_LENGTH - int(length)
    if int(length) > MAXIMUM_CONTENTS or start < 0:
        raise StorageError(f"{path}: is not a fit of bayesmyo: its table of contents is too long.")
    file.seek(start)
    return file.read(int(length)), start


def _wanted(study: Study, contents: Contents, group: str) -> list[tuple[str, Region, Variable]]:
    held = layout(study, "bayesmyo_shared" in contents.attributes)[group]
    return [(name, region, held[name]) for name, region in contents.arrays[group].items()]


def _array(file: io.BufferedReader, region: Region, variable: Variable) -> np.ndarray:
    """An array from its place, as it is in memory. Raises ValueError where its bytes are not there, or no values of
    its type."""
    values = np.empty(region.shape, variable.in_file)
    file.seek(region.offset)
    if file.readinto(values.reshape(-1).view(np.uint8)) != values.nbytes:
        raise ValueError("it was cut short while it was read")
    if variable.dtype == "|b1" and (values.view(np.uint8) > 1).any():
        raise ValueError("a truth value in it is neither true nor false")
    return values.astype(variable.dtype, copy=False)
