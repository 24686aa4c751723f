"""Shards of one plan, joined."""

import json
from collections.abc import Sequence
from pathlib import Path

from bayesmyo.errors import StorageError, UsageError
from bayesmyo.simulation.agenda import Agenda
from bayesmyo.simulation.header import Header
from bayesmyo.simulation.parts import gather
from bayesmyo.simulation.store import Results, opened, read_parts, read_results


def merge(folders: Sequence[str | Path], output: str | Path, *, mixed: bool = False) -> Results:
    """Put the rows of several folders of one plan into another one.

    The same command without its shard then goes on with it.

    Parameters
    ----------
    folders : sequence of str or Path
        Each of the whole plan or of a shard. A replicate that is there twice must be so with the same bits.
    output : str or Path
        None of them. What was merged before may be merged again.
    mixed : bool
        Also where the folders were computed by different versions.

    Returns
    -------
    Results
        What the output holds now; `missing` counts what no folder had.

    Raises
    ------
    UsageError
        Where the output is one of the folders.
    StorageError
        Where they do not belong together, or one is damaged.
    """
    paths = [Path(f) for f in folders]
    if Path(output).resolve() in {p.resolve() for p in paths}:
        raise UsageError(str(output), "is one of the folders to be merged", mend="name another one for the result")
    headers = {path: Header.read(path) for path in paths}
    first = headers[paths[0]]
    for path, header in headers.items():
        _together(paths[0], first, path, header)
    with opened(output, Header(first.plan, first.versions)) as store:
        for header in headers.values():
            for versions in (header.versions, *header.others):
                store.computed_by(versions, mixed)
        store.settle()
        for path in paths:
            for part in read_parts(path):
                store.adopt(part)
        agenda = Agenda(store.header.plan, store.present)
        gather(read_parts(store.folder), agenda.asked())
        if agenda.remaining == 0:
            store.finish(agenda.asked())
    return read_results(output)


def _together(path: Path, first: Header, other: Path, header: Header) -> None:
    """Raises StorageError where two folders are not of one plan."""
    ours, theirs = (json.loads(h.plan.to_json()) for h in (first, header))
    differs = [name for name in ours if ours[name] != theirs[name]]
    if differs:
        raise StorageError(f"{other}: is not of the same plan as {path} (another {', '.join(differs)}).")
