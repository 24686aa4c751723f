"""Work for workers that costs nothing: rows made from their address alone, and ways to fail. It loads no PyMC."""

import hashlib
import json
import os
import random
import signal
import sys
import time
from pathlib import Path

FIELDS = ("truth", "mean", "sd", "median", "lower", "upper", "probability", "met", "rank", "ess")


def keys(plan):
    """The cells' keys, as the plan's text says them."""
    cells = json.loads(plan)["cells"]
    settings = [json.dumps({k: v for k, v in c.items() if k != "labels"}, sort_keys=True) for c in cells]
    return [hashlib.sha256(s.encode()).hexdigest()[:16] for s in settings]


def row(key, replicate, seed=1, chance=0.6):
    """A row that its address decides: some fail; others have an estimand and a decision."""
    rng = random.Random(f"{seed} {key} {replicate}")
    head = {
        "cell": key,
        "replicate": replicate,
        "stage": "done",
        "reason": "",
        "rhat": 1 + rng.random() / 50,
        "ess": 200 * rng.random(),
    }
    counts = {
        "divergences": 0,
        "attempts": 1,
        "patients": 5,
        "visits": 40,
        "lost": 1,
        "step": "",
        "k": None,
        "apart": None,
        "wider": None,
        "rejected": 0,
    }
    if rng.random() < 0.1:
        return (
            head
            | counts
            | {"stage": "fit", "reason": "sampling could not start", "rhat": None, "ess": None, "quantities": []}
        )
    nothing = dict.fromkeys(FIELDS)
    estimand = {"kind": "estimand", "name": "cpk_ratio_12", "look": 5} | nothing
    decision = {"kind": "decision", "name": "cpk_halved", "look": 5} | nothing
    values = {k: rng.gauss(0, 1) for k in ("truth", "mean", "sd", "median", "lower", "upper")}
    p = rng.random()
    return head | counts | {"quantities": [estimand | values, decision | {"probability": p, "met": p < chance}]}


def work(plan, cell, replicates):
    seed = json.loads(plan)["seed"]
    return [row(keys(plan)[cell], r, seed) for r in replicates]


def slow(plan, cell, replicates, seconds=0.02):
    rows = []
    for r in replicates:
        time.sleep(seconds)
        rows += work(plan, cell, [r])
    return rows


def dies(plan, cell, replicates, at=3):
    """Whoever computes the replicate `at` of the first cell is killed."""
    if cell == 0 and at in replicates:
        os.kill(os.getpid(), signal.SIGKILL)
    return work(plan, cell, replicates)


def dies_once(plan, cell, replicates, mark, at=3):
    """As `dies`, but only the first time, which leaves a mark."""
    if at in replicates and not Path(mark).exists():
        Path(mark).write_text("")
        os.kill(os.getpid(), signal.SIGKILL)
    return slow(plan, cell, replicates)


def hangs(plan, cell, replicates, at=2):
    if cell == 0 and at in replicates:
        time.sleep(3600)
    return work(plan, cell, replicates)


def broken(plan, cell, replicates):
    raise ZeroDivisionError("a bug")


def witness(plan, cell, replicates, folder):
    """Write down who did what, and what it had loaded."""
    line = {
        "pid": os.getpid(),
        "cell": cell,
        "flags": os.environ.get("PYTENSOR_FLAGS", ""),
        "loaded": "pytensor" in sys.modules,
    }
    with open(Path(folder) / str(os.getpid()), "a") as out:
        out.write(json.dumps(line) + "\n")
    return slow(plan, cell, replicates)
