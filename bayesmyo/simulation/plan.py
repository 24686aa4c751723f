"""A simulation study: its cells, how often each is replicated, and how. As JSON it is all that a worker is told."""

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Literal

from bayesmyo.inference.engines import Sampling
from bayesmyo.simulation.cell import Cell
from bayesmyo.simulation.power.predictive import Predictive
from bayesmyo.simulation.row import Kind

SHORT = Sampling(draws=500, tune=400, chains=2, cores=1)
QUICK = Sampling(draws=150, tune=50, chains=4, cores=1)  # of an engine that answers with a certificate
FAST = "laplace"


def usual(engine: str) -> Sampling:
    """How each of many cohorts is sampled by an engine."""
    return QUICK if engine == FAST else SHORT


@dataclass(frozen=True, eq=False)
class Plan:
    """A simulation study: its cells, how often each is replicated, and how.

    Attributes
    ----------
    kind : str
        What it is for: "calibrate" or "power".
    cells : tuple of Cell
        Each with a key of its own.
    replicates : int
        Of each cell, at most.
    seed : int
        The same seed, the same rows.
    engine, sampling : str, Sampling
        How each cohort is fitted.
    record : tuple of str
        The kinds of quantities that rows hold.
    comparators : tuple of str
        Other methods that answer beside, by name.
    mcse : float, optional
        A cell is replicated until the Monte Carlo error of every decision's power is at most this; None: `replicates`
        times.
    predictive : Predictive, optional
        The rule by which interim looks stop for futility, where they look ahead.
    """

    kind: Literal["calibrate", "power"]
    cells: tuple[Cell, ...]
    replicates: int
    seed: int = 1
    engine: str = FAST
    sampling: Sampling = QUICK
    record: tuple[Kind, ...] = ("estimand", "decision")
    comparators: tuple[str, ...] = ()
    mcse: float | None = None
    predictive: Predictive | None = None

    @property
    def nested(self) -> int:
        """How many cohorts are analysed, at most, to look ahead."""
        looks = sum(len(c.stages) - 1 for c in self.cells)
        return 0 if self.predictive is None else self.replicates * looks * self.predictive.cohorts

    def to_json(self) -> str:
        """All of it as one line of text, always the same for the same plan."""
        cells = [c.as_dict() for c in self.cells]
        return json.dumps(
            self.settings() | {"cells": cells, "replicates": self.replicates, "mcse": self.mcse}, sort_keys=True
        )

    @classmethod
    def from_json(cls, text: str) -> "Plan":
        """The plan of `to_json`."""
        plan: dict[str, Any] = json.loads(text)
        made = {"cells": tuple(map(Cell.from_dict, plan["cells"])), "sampling": Sampling(**plan["sampling"])}
        lists = {name: tuple(plan[name]) for name in ("record", "comparators")}
        ahead = {"predictive": Predictive(**plan["predictive"])} if "predictive" in plan else {}
        return cls(**plan | made | lists | ahead)

    @cached_property
    def key(self) -> str:
        """Names how rows are made: those of a cell are the same in all plans with one key, whatever other cells they
        have.
        """
        return hashlib.sha256(json.dumps(self.settings(), sort_keys=True).encode()).hexdigest()

    def settings(self) -> dict[str, Any]:
        """All that the rows of a cell depend on beside the cell, as plain values by name."""
        settings: dict[str, Any] = {
            "kind": self.kind, "seed": self.seed, "engine": self.engine, "sampling": asdict(self.sampling),
            "record": list(self.record), "comparators": list(self.comparators),
        }  # fmt: skip
        return settings if self.predictive is None else settings | {"predictive": asdict(self.predictive)}
