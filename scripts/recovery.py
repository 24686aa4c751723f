"""Do 95 % intervals cover the truth 95 times in a hundred? Simulated cohorts of a scenario, each fitted.

    uv run python scripts/recovery.py OUT.jsonl [--study ivig] [--scenario paper] [--replicates 400] [--shard 1/2]
    uv run python scripts/recovery.py OUT.jsonl --summary

Rows are appended as they come (one JSON document a line), and the same command goes on where it stopped. Shards of
one study may run side by side into files of their own; `--summary` takes any number of files.
"""

import argparse
import json
import os
from collections import defaultdict
from dataclasses import asdict
from pathlib import Path

import numpy as np

from bayesmyo.cohort.truth import from_scenario
from bayesmyo.model.engines import Sampling
from bayesmyo.simulation.replicate import Replicator
from bayesmyo.study import find_study

SEED = 20210


def rows(paths: list[Path]) -> list[dict]:
    lines = [line for path in paths if path.exists() for line in path.read_text().splitlines()]
    unique = {row["replicate"]: row for row in map(json.loads, lines)}
    return [unique[k] for k in sorted(unique)]


def run(path: Path, study: str, scenario: str, replicates: int, shard: tuple[int, int]) -> None:
    understood = find_study(study)
    sampling = Sampling(draws=1000, tune=600, chains=2, cores=1)
    replicator = Replicator(understood, from_scenario(understood, scenario), seed=SEED, sampling=sampling)
    finished = {row["replicate"] for row in rows([path])}
    with path.open("a") as out:
        for replicate in range(shard[0] - 1, replicates, shard[1]):
            if replicate not in finished:
                out.write(json.dumps(asdict(replicator.run(replicate))) + "\n")
                out.flush()
                os.fsync(out.fileno())


def summary(found: list[dict], replicates: int) -> str:
    done = [r for r in found if r["stage"] == "done"]
    partial = "" if len(found) >= replicates else f" PARTIAL: {len(found)} of {replicates} replicates."
    lines = [
        f"{len(found)} replicates, {len(found) - len(done)} failed.{partial}",
        f"Worst R-hat {max(r['rhat'] for r in done):.3f}; {sum(r['rhat'] > 1.01 for r in done)} above 1.01; "
        f"least ESS {min(r['ess'] for r in done):.0f}; {sum(r['divergences'] > 0 for r in done)} with divergences.",
        "",
        "| estimand | truth | mean of medians | bias (MCSE) | coverage | of | width |",
        "|---|---|---|---|---|---|---|",
    ]
    by_name: dict[str, list[dict]] = defaultdict(list)
    for row in done:
        for name, interval in row["intervals"].items():
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
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="+", type=Path)
    parser.add_argument("--study", default="ivig")
    parser.add_argument("--scenario", default="paper")
    parser.add_argument("--replicates", type=int, default=400)
    parser.add_argument("--shard", default="1/1")
    parser.add_argument("--summary", action="store_true")
    chosen = parser.parse_args()
    if not chosen.summary:
        first, of = map(int, chosen.shard.split("/"))
        run(chosen.paths[0], chosen.study, chosen.scenario, chosen.replicates, (first, of))
    print(summary(rows(chosen.paths), chosen.replicates))


if __name__ == "__main__":
    main()
