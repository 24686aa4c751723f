"""Plans of a small study, which cost nothing to run."""

import time

from bayesmyo.inference.engines import Sampling
from bayesmyo.simulation.cell import Cell
from bayesmyo.simulation.header import Header
from bayesmyo.simulation.plan import Plan
from bayesmyo.study import parse_study
from tests.conftest import SMALL

VERSIONS = {"python": "3.13.0", "numpy": "2.5.0"}
STUDY = parse_study(SMALL)


def plan(replicates=6, patients=(5, 8), **settings):
    """A cell for each number of patients."""
    chosen = {"engine": "mock", "sampling": Sampling(draws=20, tune=1, chains=2, cores=1)} | settings
    return Plan("power", tuple(cell(n) for n in patients), replicates, **chosen)


def cell(patients, truths="improves"):
    return Cell(STUDY, truths, patients, STUDY, {"patients": patients})


def header(plan, shard=None):
    return Header(plan, VERSIONS, shard)


def final(folder):
    """The bytes of what a finished folder is read from."""
    return {
        n: (folder / n).read_bytes() for n in ("plan.json", "replicates.parquet", "quantities.parquet", "SHA256SUMS")
    }


def until(true, seconds=120):
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)
