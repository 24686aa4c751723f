"""plan.json: what a folder of results is of, and which versions computed it. It is written before anything else."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bayesmyo.errors import InputError, StorageError
from bayesmyo.files import read_bytes, read_json
from bayesmyo.limits import PART_BYTES, PLAN_BYTES
from bayesmyo.model.versions import skew
from bayesmyo.simulation.plan import Plan

FORMAT = 2
PLAN = "plan.json"
MEND = "Remove this one file and give the same command again: the parts beside it stay."
Shard = tuple[int, int]


@dataclass(frozen=True)
class Header:
    """What plan.json says. shard: (i, n) for the i-th of n; others: versions beside the first, where mixing was
    allowed.
    """

    plan: Plan
    versions: Mapping[str, str]
    shard: Shard | None = None
    others: tuple[Mapping[str, str], ...] = ()

    def to_json(self) -> bytes:
        told = {"shard": self.shard, "versions": self.versions, "others": self.others}
        body = {"format": FORMAT, "key": self.plan.key, **told, "plan": json.loads(self.plan.to_json())}
        return (json.dumps({**body, "sha256": _digest(body)}, indent=1) + "\n").encode()

    @classmethod
    def read(cls, folder: Path) -> "Header":
        """Raises StorageError where there is none, or it is damaged, or of another format."""
        path = folder / PLAN
        if not path.is_file():
            raise StorageError(f"{folder}: is not a folder of results; `bayesmyo calibrate` and `power` write one.")
        try:
            body = read_json(content(path, PLAN_BYTES))
            if body.pop("sha256") != _digest(body):
                raise ValueError("other bytes")
            if body["format"] == FORMAT:
                shard = (int(body["shard"][0]), int(body["shard"][1])) if body["shard"] else None
                versions, others = dict(body["versions"]), tuple(map(dict, body["others"]))
                return cls(Plan.from_json(json.dumps(body["plan"])), versions, shard, others)
            newer = body["format"] > FORMAT
        except (ValueError, TypeError, LookupError, AttributeError, InputError):
            # also behind a right digest: whoever can write the file can write that
            raise StorageError(f"{path}: is not what was written. {MEND}") from None
        age = "a newer bayesmyo; update it to go on" if newer else "an earlier bayesmyo; begin another folder"
        raise StorageError(f"{path}: was written by {age} (format {body['format']}, here {FORMAT}).")

    def goes_on(self, folder: Path, new: "Header") -> "Header":
        """The header of a folder that goes on with another command: more cells, more replicates, or a smaller Monte
        Carlo error.

        Raises StorageError that names what differs, and how to mend it.
        """
        if refused := self._refuses(new):
            raise StorageError(f"{folder}: {refused}")
        return replace(self, plan=new.plan)

    def _refuses(self, new: "Header") -> str:
        """Why a folder does not go on with another command; empty where it does."""
        ours, theirs = self.plan.settings(), new.plan.settings()
        differs = [f"{k}: {_short(ours[k])} there, {_short(theirs[k])} now" for k in ours if ours[k] != theirs[k]]
        if self.shard != new.shard:
            differs.append(f"shard: {_of(self.shard)} there, {_of(new.shard)} now")
        there, asked = ({cell.key for cell in plan.cells} for plan in (self.plan, new.plan))
        dropped = [str(cell) for cell in self.plan.cells if cell.key not in asked]
        added = {str(cell) for cell in new.plan.cells if cell.key not in there}
        if not differs and (changed := [name for name in dropped if name in added]):
            differs = [f"the study, what analyses it, or its looks are not the same: {_few(changed)}"]
        if differs:
            return f"holds another plan ({'; '.join(differs)}). Choose another folder."
        if dropped:
            return not_asked(dropped)
        if new.plan.replicates < self.plan.replicates:
            return f"was asked for {self.plan.replicates} replicates of each cell before; ask for as many or more."
        if new.plan.mcse is not None and (self.plan.mcse is None or new.plan.mcse > self.plan.mcse):
            before = "all replicates" if self.plan.mcse is None else f"a Monte Carlo error of {self.plan.mcse:g}"
            return f"was asked for {before} before; ask for no less."
        return ""

    def computed_by(self, folder: Path, now: Mapping[str, str], mixed: bool) -> "Header":
        """The header when rows of these versions are added.

        Raises StorageError where they are new and may not be mixed.
        """
        if now == self.versions or now in self.others:
            return self
        if not mixed:
            raise StorageError(
                f"{folder}: was computed by other versions ({skew(self.versions, now)}), which may draw otherwise. "
                "Install those, choose another folder, or add --allow-mixed, which marks the results."
            )
        return replace(self, others=(*self.others, now))


def not_asked(cells: Sequence[str]) -> str:
    """What is wrong with a command that names fewer cells than its folder holds."""
    mend = "Ask for all of it, and more if you like, or choose another folder."
    return f"holds what this command does not ask for ({_few(cells)}). {mend}"


def _few(cells: Sequence[str]) -> str:
    more = f" and {len(cells) - 2} more" if len(cells) > 3 else ""
    return "; ".join(cells[: 2 if more else 3]) + more


def content(path: Path, most: int = PART_BYTES) -> bytes:
    """The bytes of a regular file, `most` at most. Raises StorageError."""
    try:
        return read_bytes(path, most)
    except OSError as error:
        raise StorageError(f"{path}: cannot be read: {error.strerror or error}.") from None


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _digest(body: Mapping[str, Any]) -> str:
    return sha256(json.dumps(body, sort_keys=True).encode())


def _of(shard: Shard | None) -> str:
    return f"{shard[0]} of {shard[1]}" if shard else "none"


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{len(value)} with the hash {sha256(text.encode())[:8]}"
