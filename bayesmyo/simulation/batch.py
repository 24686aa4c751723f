"""What one worker is handed at a time."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Batch:
    """Replicates of one cell (its number in the plan), done one after another. tried: how often a worker died over them before."""

    cell: int
    replicates: tuple[int, ...]
    tried: int = 0
