"""A folder of results: whatever is killed, and whenever, what is written stays, and the same command goes on.

    plan.json                    what is simulated, and the versions of what computes
    parts/NNNNN-SHA256.parquet   rows as they come; a part that is not what its name says is moved to damaged/, and its
                                 replicates are done again
    replicates.parquet           the final tables, when nothing is missing any more
    quantities.parquet
    SHA256SUMS                   written last: `sha256sum -c SHA256SUMS` checks them

Files are written whole or not at all, and machines share nothing but whole files: a network file system will do.
"""

import re
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from bayesmyo.errors import StorageError
from bayesmyo.files import write_bytes
from bayesmyo.simulation.agenda import Agenda
from bayesmyo.simulation.header import PLAN, Header, content, not_asked, sha256
from bayesmyo.simulation.lock import LOCK, OWNER, held
from bayesmyo.simulation.parts import Outcome, decode, encode, gather, origin, outcomes, tables, write
from bayesmyo.simulation.plan import Plan

SUMS, PARTS, DAMAGED = "SHA256SUMS", "parts", "damaged"
TABLES = ("replicates", "quantities")
FINAL = (PLAN, *(f"{name}.parquet" for name in TABLES))
OURS = {*FINAL, SUMS, PARTS, DAMAGED, LOCK, OWNER}
PART = re.compile(r"(\d{5,})-([0-9a-f]{64})\.parquet")
MOST_PARTS = 200  # more than these are put together into one
BYTES_OF_A_ROW = 4_000  # about; to see in time that a disk is too small


@dataclass(frozen=True, eq=False)
class Results:
    """What a folder holds.

    Attributes
    ----------
    plan : Plan
        What it is of.
    replicates : DataFrame
        One line per replicate, by cell in the plan's order, and replicate.
    quantities : DataFrame
        One line per quantity of each replicate, in the same order.
    complete : bool
        Whether nothing is missing that the plan asks for; a shard never is.
    missing : int
        How many replicates are, as far as is known: a cell may go on where its Monte Carlo error asks for it.
    mixed : bool
        Whether rows may come from more than one set of versions.
    versions : mapping of str to str
        Of what computed the first rows.
    """

    plan: Plan
    replicates: pd.DataFrame
    quantities: pd.DataFrame
    complete: bool
    missing: int = 0
    mixed: bool = False
    versions: Mapping[str, str] = field(default_factory=dict)


def read_results(folder: str | Path) -> Results:
    """What is there, from a folder that may be unfinished, or at work.

    Parameters
    ----------
    folder : str or Path
        Of `bayesmyo.power` or `bayesmyo.calibrate`.

    Returns
    -------
    Results
        Its tables; `complete` says whether anything is missing.

    Raises
    ------
    StorageError
        Where it is no folder of results, or where something in it is not what was written.
    """
    folder = Path(folder)
    header, sums = Header.read(folder), _sums(folder)
    if sums.get(PLAN) == sha256(content(folder / PLAN)):
        missing, made = 0, {name: _table(folder / f"{name}.parquet", sums) for name in TABLES}
    else:
        parts = read_parts(folder)
        agenda = Agenda(header.plan, (o for part in parts for o in outcomes(part)), header.shard)
        missing, made = agenda.remaining, tables(gather(parts, agenda.asked()))
    complete = missing == 0 and header.shard is None
    frames = {name: table.to_pandas() for name, table in made.items()}
    return Results(
        header.plan, **frames, complete=complete, missing=missing, mixed=bool(header.others), versions=header.versions
    )


class Store:
    """The folder of one plan, held by this process alone (see `opened`).

    Attributes
    ----------
    header : Header
        What plan.json says, or will say with the next rows.
    present : list of Outcome
        The outcomes that were there when it was opened.
    notices : list of str
        What was damaged, and where it is now.
    """

    def __init__(self, folder: Path, header: Header):
        self.folder = folder
        self.present: list[Outcome] = []
        self.notices: list[str] = []
        self._rows: list[Mapping[str, Any]] = []
        self._flushed = time.monotonic()
        self.header = header
        self._origin = {"plan": header.plan.key}
        self._load()
        if not (folder / PLAN).exists():
            self.settle()

    def computed_by(self, versions: Mapping[str, str], mixed: bool) -> None:
        """Rows of these versions are to be added.

        Raises StorageError where they are not the folder's and `mixed` is not given.
        """
        self.header = self.header.computed_by(self.folder, versions, mixed)

    def settle(self) -> None:
        """Write plan.json where it does not say yet what is asked for now: with the first rows of that, so that a
        command which comes to nothing leaves the folder as it was.
        """
        path = self.folder / PLAN
        if not path.exists() or content(path) != self.header.to_json():
            write_bytes(path, self.header.to_json())

    @property
    def unwritten(self) -> int:
        """How many rows are kept that are not on the disk yet."""
        return len(self._rows)

    def add(self, rows: Sequence[Mapping[str, Any]], every: float = 0.0) -> None:
        """Keep rows; all that are kept are written if the last ones were more than `every` seconds ago.

        Raises StorageError.
        """
        self._rows.extend(rows)
        if time.monotonic() - self._flushed >= every:
            self.flush()

    def flush(self) -> None:
        """Write the rows that were kept. Raises StorageError; then none of them is there."""
        if self._rows:
            rows, self._rows = self._rows, []
            self.settle()
            self._write(encode(rows, self._origin))
            if len(paths := part_paths(self.folder)) > MOST_PARTS:
                self._put_together(paths)
        self._flushed = time.monotonic()

    def adopt(self, part: pa.Table) -> None:
        """Take over a part of another folder of the same plan. Raises StorageError."""
        self.settle()
        self._write(write(part))
        self.present.extend(outcomes(part))

    def room(self, replicates: int) -> None:
        """Raises StorageError where the disk will not take so many rows more."""
        needed, free = 2 * BYTES_OF_A_ROW * replicates, shutil.disk_usage(self.folder).free
        if needed > free:
            raise StorageError(
                f"{self.folder}: {replicates:,} replicates need some {needed:,} bytes, and {free:,} are free; make "
                "room, or choose a folder on another disk."
            )

    def finish(self, asked: Mapping[str, range]) -> None:
        """Write the final tables, unless they are there and whole. Raises StorageError."""
        self.settle()
        sums = _sums(self.folder)
        if all((f := self.folder / name).is_file() and sha256(content(f)) == sums.get(name) for name in FINAL):
            return
        made = {PLAN: content(self.folder / PLAN)}
        for name, table in tables(gather(read_parts(self.folder), asked)).items():
            made[f"{name}.parquet"] = write(table)
            write_bytes(self.folder / f"{name}.parquet", made[f"{name}.parquet"])
        write_bytes(self.folder / SUMS, "".join(f"{sha256(made[name])}  {name}\n" for name in FINAL).encode())

    def _load(self) -> None:
        """Look at every part; set aside what is damaged, and remove what was being written when a run was killed."""
        (self.folder / PARTS).mkdir(exist_ok=True)
        asked = {cell.key for cell in self.header.plan.cells}
        for stray in [*self.folder.glob(".*.????????"), *(self.folder / PARTS).glob(".*.????????")]:
            stray.unlink()
        for path in part_paths(self.folder):
            try:
                part = read_part(path)
            except StorageError as error:
                (self.folder / DAMAGED).mkdir(exist_ok=True)
                path.rename(self.folder / DAMAGED / path.name)
                self.notices.append(f"{error} It was moved to {self.folder / DAMAGED}; its replicates are done again.")
                continue
            if origin(part).get("plan") != self.header.plan.key:
                raise StorageError(f"{path}: belongs to another plan. Choose another folder.")
            here = list(outcomes(part))
            if dropped := sorted({f"cell {cell}" for cell, *_ in here if cell not in asked}):
                raise StorageError(f"{path}: {not_asked(dropped)}")
            self.present.extend(here)

    def _write(self, part: bytes) -> None:
        """One more part, unless it is there."""
        digest, there = sha256(part), [path.name.split("-") for path in part_paths(self.folder)]
        if not any(digest in name for _, name in there):
            last = max((int(number) for number, _ in there), default=0)
            write_bytes(self.folder / PARTS / f"{last + 1:05d}-{digest}.parquet", part)

    def _put_together(self, paths: Sequence[Path]) -> None:
        """One part for many. Where this is killed rows are there twice, which `gather` allows."""
        whole = pa.concat_tables([read_part(path).replace_schema_metadata() for path in paths])
        self._write(write(whole.replace_schema_metadata(self._origin)))
        for path in paths:
            path.unlink()


@contextmanager
def opened(folder: str | Path, header: Header) -> Iterator[Store]:
    """The folder of a plan, made where there is none, and held until the end of the context.

    Raises StorageError where it cannot be written, another run holds it, or it belongs to another plan.
    """
    folder = Path(folder)
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        strange = sorted({p.name for p in folder.iterdir() if not p.name.startswith(f".{PLAN}.")} - OURS)
    except OSError as error:
        raise StorageError(f"{folder}: is no folder that can be used: {error.strerror or error}.") from None
    if strange and not (folder / PLAN).exists() and not (folder / PARTS).exists():
        raise StorageError(f"{folder}: is no folder of results, and not empty ({strange[0]}). Choose another folder.")
    with held(folder):
        if (folder / PLAN).exists():
            header = Header.read(folder).goes_on(folder, header)
        try:
            store = Store(folder, header)
        except OSError as error:
            raise StorageError(f"{folder}: cannot be used: {error.strerror or error}.") from None
        yield store


def part_paths(folder: Path) -> list[Path]:
    """The parts of a folder, in order."""
    return sorted(p for p in (folder / PARTS).glob("*.parquet") if PART.fullmatch(p.name))


def read_parts(folder: Path) -> list[pa.Table]:
    """The parts of a folder. Raises StorageError where one is damaged."""
    return [read_part(path) for path in part_paths(folder)]


def read_part(path: Path) -> pa.Table:
    """One part. Raises StorageError where it is not what was written."""
    read = content(path)
    if sha256(read) != path.stem.split("-")[1]:
        raise StorageError(f"{path}: is not what was written (its bytes do not have the SHA-256 of its name).")
    try:
        return decode(read)
    except ValueError as error:
        raise StorageError(f"{path}: {error}; begin another folder.") from None


def _table(path: Path, sums: Mapping[str, str]) -> pa.Table:
    """A final table. Raises StorageError where it is not what was written."""
    read = content(path)
    if sha256(read) != sums.get(path.name):
        raise StorageError(f"{path}: is not what was written; the same command writes it again.")
    return decode(read, None)


def _sums(folder: Path) -> dict[str, str]:
    """File -> SHA-256, as SHA256SUMS says; nothing where there is none, or it says something else."""
    if not (folder / SUMS).is_file():
        return {}
    lines = (line.split("  ", 1) for line in content(folder / SUMS).decode(errors="replace").splitlines())
    return {words[1]: words[0] for words in lines if len(words) == 2}
