"""Do intervals cover the truth as often as they say? Simulated cohorts of a scenario or of the priors, each fitted.

    uv run python scripts/recovery.py OUT.jsonl [--study ivig] [--scenario paper | priors] [--replicates 400] [--shard 1/2]
    uv run python scripts/recovery.py OUT.jsonl --summary

`priors` draws every truth from the study's own priors: intervals then cover as often as they say if model, simulator and sampler
agree. Rows are appended as they come (one JSON document a line), and the same command goes on where it stopped. Shards of
one study may run side by side into files of their own; `--summary` takes any number of files.
"""

import argparse
import json
import os
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from bayesmyo.inference.engines import Sampling
from bayesmyo.simulation.cell import Cell
from bayesmyo.simulation.replicate import Replicator
from bayesmyo.simulation.row import Row
from bayesmyo.study import find_study

SEED = 20210


def rows(paths: list[Path]) -> list[dict]:
    lines = [line for path in paths if path.exists() for line in path.read_text().splitlines()]
    unique = {row["replicate"]: row for row in map(json.loads, lines)}
    return [unique[k] for k in sorted(unique)]


def run(path: Path, study: str, scenario: str, interval: float, replicates: int, shard: tuple[int, int]) -> None:
    understood = replace(find_study(study), interval=interval)
    sampling = Sampling(draws=500, tune=400, chains=2, cores=1)
    assert understood.design is not None
    cell = Cell(understood, None if scenario == "priors" else scenario, understood.design.patients, understood)
    replicator = Replicator(cell, seed=SEED, sampling=sampling, record=("estimand", "parameter"), place=0)
    finished = {row["replicate"] for row in rows([path])}
    with path.open("a") as out:
        for replicate in range(shard[0] - 1, replicates, shard[1]):
            if replicate not in finished:
                out.write(json.dumps(compact(replicator.run(replicate))) + "\n")
                out.flush()
                os.fsync(out.fileno())


def compact(row: Row) -> dict:
    """A row with the correlations alone of its parameters, and five digits, so that 400 rows are a small file."""

    def intervals(kind: str, word: str = "") -> dict:
        fields = ("truth", "median", "lower", "upper")
        return {q.name: {f: getattr(q, f) for f in fields} for q in row.quantities if q.kind == kind and word in q.name}

    head = {k: getattr(row, k) for k in ("replicate", "stage", "reason", "rhat", "ess", "divergences")}
    return shortened(head | {"intervals": intervals("estimand"), "parameters": intervals("parameter", "correlation")})


def shortened(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: shortened(v) for k, v in value.items()}
    return float(f"{value:.5g}") if isinstance(value, float) else value


def pooled(done: list[dict]) -> list[str]:
    """Coverage of the correlations between outcomes, over all of them together; the error counts cohorts, not correlations."""
    each = [
        [i["lower"] <= i["truth"] <= i["upper"] for k, i in r["parameters"].items() if k.startswith("correlations.")]
        for r in done
    ]
    if not any(each):
        return []
    shares = np.array([np.mean(e) for e in each])
    error = shares.std(ddof=1) / np.sqrt(len(shares))
    return [
        "",
        f"Correlations between outcomes, pooled: {shares.mean():.1%} of {sum(map(len, each)):,} intervals cover (MCSE {error:.1%}).",
    ]


def summary(found: list[dict], replicates: int) -> str:
    done = [r for r in found if r["stage"] == "done"]
    partial = "" if len(found) >= replicates else f" PARTIAL: {len(found)} of {replicates} replicates."
    lines = [
        f"{len(found)} replicates, {len(found) - len(done)} failed.{partial}",
        f"Worst R-hat {max(r['rhat'] for r in done):.3f}; {sum(r['rhat'] > 1.01 for r in done)} above 1.01; "
        f"least ESS {min(r['ess'] for r in done):.0f}; {sum(r['divergences'] > 0 for r in done)} with divergences.",
        "",
        "| quantity | truth | mean of medians | bias (MCSE) | coverage | of | width |",
        "|---|---|---|---|---|---|---|",
    ]
    by_name: dict[str, list[dict]] = defaultdict(list)
    for row in done:
        for name, interval in {**row["intervals"], **row["parameters"]}.items():
            by_name[name].append(interval)
    for name, listed in by_name.items():
        truth, median = (np.array([i[k] for i in listed]) for k in ("truth", "median"))
        covered = sum(i["lower"] <= i["truth"] <= i["upper"] for i in listed)
        error = median - truth
        mcse = error.std(ddof=1) / np.sqrt(len(error))
        width = np.mean([i["upper"] - i["lower"] for i in listed])
        lines.append(
            f"| {name} | {truth.mean():.4g} | {median.mean():.4g} | {error.mean():.3g} ({mcse:.2g}) "
            f"| {covered} | {len(listed)} | {width:.3g} |"
        )
    return "\n".join(lines + pooled(done))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="+", type=Path)
    parser.add_argument("--study", default="ivig")
    parser.add_argument("--scenario", default="paper")
    parser.add_argument("--interval", type=float, default=0.95)
    parser.add_argument("--replicates", type=int, default=400)
    parser.add_argument("--shard", default="1/1")
    parser.add_argument("--summary", action="store_true")
    chosen = parser.parse_args()
    if not chosen.summary:
        first, of = map(int, chosen.shard.split("/"))
        run(chosen.paths[0], chosen.study, chosen.scenario, chosen.interval, chosen.replicates, (first, of))
    print(summary(rows(chosen.paths), chosen.replicates))


if __name__ == "__main__":
    main()
