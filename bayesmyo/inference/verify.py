"""The verb `verify`: is a stored fit what was written, and does it hang together?"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bayesmyo.errors import BayesmyoError, StorageError
from bayesmyo.files import regular
from bayesmyo.inference.fit import FORMAT, Fit
from bayesmyo.inference.layout import ESTIMANDS
from bayesmyo.inference.store import coherent, read_fit
from bayesmyo.model.versions import versions
from bayesmyo.study.parameters import all_parameters
from bayesmyo.study.write import study_hash


@dataclass(frozen=True)
class Verified:
    """One thing that was verified, and what was found."""

    name: str
    passed: bool
    sentence: str


@dataclass(frozen=True)
class Verification:
    """sha256: of the content; versions: of what wrote the fit, with those installed now, by package."""

    path: str
    sha256: str
    checks: tuple[Verified, ...]
    versions: dict[str, tuple[str, str]]

    @property
    def passed(self) -> bool:
        return all(check.passed for check in self.checks)


def verify(path: str | Path, data: str | Path | None = None) -> Verification:
    """Verify a stored fit: its hash, its format, its study, its data and its draws.

    Parameters
    ----------
    path : str or Path
        Of a stored fit.
    data : str or Path, optional
        A table; is it the one that was fitted?

    Returns
    -------
    Verification
        Every check with what it says; `passed` where all did.

    Raises
    ------
    StorageError
        Where the file cannot be read as a fit at all; what can be read and is wrong is a check that did not pass.

    Examples
    --------
    >>> digest = bayesmyo.save_fit(fit, "fit.nc")
    >>> bayesmyo.verify("fit.nc").sha256 == digest
    True
    """
    fit, sha256 = read_fit(path)
    verified = [Verified("content", True, f"matches its checksum; format {FORMAT}.")]
    asked: list[tuple[str, Callable[[Fit], str]]] = [("study", _study)]
    asked += [("draws", _draws)] if fit.shared else [("data", _data), ("rows", _rows), ("draws", _draws)]
    for name, look in asked:
        try:
            verified.append(Verified(name, True, look(fit)))
        except BayesmyoError as error:
            verified.append(Verified(name, False, str(error)))
        except Exception as error:  # a fit may be wrong in ways that no one has thought of
            verified.append(Verified(name, False, f"cannot be understood ({type(error).__name__})."))
    if data is not None:
        verified.append(_table(fit, Path(data)))
    wrote, now = fit.versions, versions()
    pairs = {name: (str(wrote.get(name, "-")), now.get(name, "-")) for name in {**wrote, **now}}
    return Verification(str(path), sha256, tuple(verified), pairs)


def _study(fit: Fit) -> str:
    if study_hash(fit.study) != fit.tree.attrs["study_sha256"]:
        raise StorageError("is not the study that was fitted: its hash differs.")
    return f"is the one that was fitted: {fit.study.title}."


def _data(fit: Fit) -> str:
    coherent(fit)
    measurements = sum(len(m) for m in fit.cohort.measurements.values())
    return f"hang together: {len(fit.cohort)} patients, {measurements} measurements, every index in bounds."


def _rows(fit: Fit) -> str:
    rows = fit.cohort.rows
    for name, o in rows.outcomes.items():
        if o.used + sum(map(len, o.set_aside.values())) != rows.rows or o.used != len(fit.cohort.measurements[name]):
            raise StorageError(f"the account of {name} does not add up.")
    if rows.used + sum(map(len, rows.set_aside.values())) != rows.rows:
        raise StorageError("the account of the table does not add up.")
    return f"add up: {rows.rows} in = {rows.used} used + {rows.rows - rows.used} set aside."


def _draws(fit: Fit) -> str:
    posterior = fit.group("posterior")
    chains, draws = posterior.sizes["chain"], posterior.sizes["draw"]
    named = {**posterior.data_vars, **(fit.group(ESTIMANDS).data_vars if fit.shared else {})}
    odd = [str(name) for name, values in named.items() if not np.isfinite(values.values).all()]
    if odd:
        raise StorageError(f"the draws of {', '.join(odd[:3])} are not all finite numbers.")
    return f"are whole: {chains} chains of {draws} for {len(all_parameters(fit.study))} parameters."


def _table(fit: Fit, data: Path) -> Verified:
    if fit.shared:
        return Verified("table", False, "a shared copy does not know the table that was fitted.")
    try:
        with regular(data) as table:
            digest = hashlib.file_digest(table, "sha256").hexdigest()
    except StorageError as error:
        return Verified("table", False, str(error))
    except OSError as error:
        return Verified("table", False, f"{data}: cannot be read: {error.strerror or error}.")
    same = digest == fit.tree.attrs["data_sha256"]
    return Verified("table", same, f"{data} is {'' if same else 'not '}the table that was fitted, byte by byte.")
