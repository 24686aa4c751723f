"""Which replicates are still to be done, by whom next, and where a cell may stop.

A cell that stops when its Monte Carlo error is small enough is judged after every `STAGE` replicates, on all of them in
order: which replicates it ends with depends on their rows alone, never on the order in which they came.
"""

import math
from collections import Counter, deque
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from bayesmyo.errors import StorageError
from bayesmyo.simulation.parts import Outcome, Verdicts
from bayesmyo.simulation.plan import Plan
from bayesmyo.simulation.pool import Batch
from bayesmyo.study.write import study_hash

STAGE = 50


@dataclass
class _Cell:
    """How far one cell goes, as far as is known (`until`, at most `last`); what is there, and what waits to be handed
    out.
    """

    key: str
    model: str  # equal where one compiled model does
    start: int
    until: int
    last: int
    rows: dict[int, tuple[str, Verdicts]] = field(default_factory=dict)  # replicate -> stage, verdicts
    waiting: deque[int] = field(default_factory=deque)

    def asked(self) -> list[tuple[str, Verdicts]]:
        """The rows that are there, of those that are asked for."""
        return [self.rows[r] for r in range(self.start, self.until) if r in self.rows]

    def error(self) -> float:
        """The largest Monte Carlo error of any decision, over the rows that are asked for; NaN before there is one."""
        counts: dict[tuple[str, int], list[bool]] = {}
        for _, verdicts in self.asked():
            for key, met in verdicts.items():
                counts.setdefault(key, []).append(met)
        return max((monte_carlo_error(sum(met), len(met)) for met in counts.values()), default=math.nan)


class Agenda:
    """The replicates of a plan, or of one shard (i of n) of it: `take` a batch for each idle worker and `collect` its
    rows, until none is left.

    present: what is there already
    done, failed, remaining: how many, as far as is known (a cell may go on where its Monte Carlo error asks for it)
    """

    def __init__(self, plan: Plan, present: Iterable[Outcome] = (), shard: tuple[int, int] | None = None):
        models = [f"{cell.patients}:{cell.looks}:{study_hash(cell.analysis)}" for cell in plan.cells]
        self.mcse = plan.mcse
        self._cells = []
        for cell, model, (start, last) in zip(plan.cells, models, shares(models, plan.replicates, shard), strict=True):
            until = last if plan.mcse is None else min(last, start + STAGE)
            self._cells.append(_Cell(cell.key, model, start, until, last))
        self._by_key = {c.key: c for c in self._cells}
        self._met: dict[tuple[str, str, int], tuple[int, int]] = {}  # (cell, decision, look) -> met, of how many
        self._again: deque[Batch] = deque()
        self._home: dict[str, str] = {}  # worker -> the model that it has compiled
        for outcome in present:
            self._note(outcome)
        for c in self._cells:
            c.waiting.extend(r for r in range(c.start, c.until) if r not in c.rows)
            self._extend(c)

    @property
    def done(self) -> int:
        return sum(len(c.asked()) for c in self._cells)

    @property
    def failed(self) -> int:
        return sum(stage != "done" for c in self._cells for stage, _ in c.asked())

    @property
    def remaining(self) -> int:
        return sum(c.until - c.start for c in self._cells) - self.done

    def take(self, worker: str, size: int, alive: Collection[str] = ()) -> Batch | None:
        """At most `size` replicates for a worker, of a model that it has compiled already as long as there are any."""
        if self._again:
            return self._again.popleft()
        waiting = {c.model: None for c in self._cells if c.waiting}
        if not waiting:
            return None
        if self._home.get(worker) not in waiting:
            crowd = Counter(model for name, model in self._home.items() if name in alive and name != worker)
            self._home[worker] = min(waiting, key=lambda model: crowd[model])
        n, c = next((n, c) for n, c in enumerate(self._cells) if c.waiting and c.model == self._home[worker])
        return Batch(n, tuple(c.waiting.popleft() for _ in range(min(size, len(c.waiting)))))

    def collect(self, outcome: Outcome) -> None:
        """Note that the row of a replicate is there."""
        self._note(outcome)
        self._extend(self._by_key[outcome[0]])

    def again(self, batch: Batch, deaths: int = 0) -> None:
        """Hand a batch out again; where workers died over it each replicate on its own, so that none takes others with
        it.
        """
        lone = [Batch(batch.cell, (r,), batch.tried + deaths) for r in batch.replicates]
        self._again.extend(lone if deaths else [batch])

    def error(self) -> float:
        """The largest Monte Carlo error of any decision so far; NaN before there is one."""
        return max((monte_carlo_error(*count) for count in self._met.values()), default=math.nan)

    def asked(self) -> dict[str, range]:
        """Of each cell, the replicates that the plan asks for."""
        return {c.key: range(c.start, c.until) for c in self._cells}

    def _note(self, outcome: Outcome) -> None:
        key, replicate, stage, verdicts = outcome
        if key not in self._by_key:
            raise StorageError(f"There are rows of a cell that the plan does not have ({key}).")
        rows = self._by_key[key].rows
        if replicate not in rows:
            rows[replicate] = stage, verdicts
            for (name, look), met in verdicts.items():
                before, of = self._met.get((key, name, look), (0, 0))
                self._met[key, name, look] = before + met, of + 1

    def _extend(self, c: _Cell) -> None:
        """Go on by a stage where the last one is whole and the error too large still."""
        while (
            self.mcse is not None
            and c.until < c.last
            and len(c.asked()) == c.until - c.start
            and not c.error() <= self.mcse
        ):
            before, c.until = c.until, min(c.last, c.until + STAGE)
            c.waiting.extend(r for r in range(before, c.until) if r not in c.rows)


def monte_carlo_error(met: int, of: int) -> float:
    """The standard error of a share over replicates; half a replicate of either kind is added, so that 0 of 50 is not
    exact.
    """
    share = (met + 0.5) / (of + 1)
    return math.sqrt(share * (1 - share) / of)


def shares(models: Sequence[str], replicates: int, shard: tuple[int, int] | None) -> list[tuple[int, int]]:
    """Of each cell, where the replicates of a shard begin and end.

    All cells are laid end to end, those of one model side by side, and the line is cut into equal pieces: a shard
    compiles few models.
    """
    if shard is None:
        return [(0, replicates)] * len(models)
    number, of = shard
    total = replicates * len(models)
    first, last = total * (number - 1) // of, total * number // of
    seen = list(dict.fromkeys(models))
    line = sorted(range(len(models)), key=lambda n: seen.index(models[n]))
    begins = {n: place * replicates for place, n in enumerate(line)}
    return [
        (min(max(first - begins[n], 0), replicates), min(max(last - begins[n], 0), replicates))
        for n in range(len(models))
    ]
