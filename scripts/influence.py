"""Is leaving a patient out what it says? Three answers, kept in docs/evidence/influence.json.

brute       ivig: leaving out each patient by one compiled model, against `bayesmyo fit` on a table without that patient
aberrant    20 simulated cohorts in which one patient improves as no other does: how often that patient ranks first
reweighted  the scores of the same cohorts by reweighting, against sampling again

uv run python scripts/influence.py FOLDER [--patients 23] [--cohorts 20]
FOLDER keeps what has been computed; the same command goes on where it stopped. With 0 cohorts (or patients) that part of the kept file stays.
"""

import argparse
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from bayesmyo.assess.diagnostics import diagnose
from bayesmyo.assess.influence import of_left_out
from bayesmyo.assess.leave_one_out import leave_one_out
from bayesmyo.assess.refits import Refits
from bayesmyo.cohort import read_cohort
from bayesmyo.inference.engines import Sampling
from bayesmyo.inference.store import load_fit
from bayesmyo.model import Simulated, simulate_scenario
from bayesmyo.simulation.cell import Cell
from bayesmyo.simulation.replicate import Replicator
from bayesmyo.study import find_study, parse_study

ROOT = Path(__file__).parent.parent
TABLE = ROOT / "data" / "simulated" / "ivig.csv"
OUTPUT = ROOT / "docs" / "evidence" / "influence.json"
STUDY = """
[study]
title = "One patient improves as no other does"
patient = "patient"
time = { column = "month", unit = "month", typical = 24 }
[outcomes.strength]
column = "strength"
unit = "points"
better = "higher"
typical = 50
scale = 10
family = { kind = "gaussian" }
trajectory = { kind = "linear" }
[estimands.change]
kind = "change"
outcome = "strength"
from = 0
to = 12
[decisions.gained]
kind = "probability"
estimand = "change"
above = 2
probability = 0.9
[design]
patients = 23
follow_up = { mean = 24, sd = 12, maximum = 60 }
visits = { first = [0, 1, 3, 6], then_every = 6, jitter = 0.3 }
[scenarios.truth]
strength = { intercept = 50, slope = 0.3, sd_intercept = 8, sd_slope = 0.25, correlation = 0, sigma = 3 }
"""
SEED = 1
PATIENTS = 23
ABERRANT = 5.0  # SDs of the slope between patients, added to one patient's slope
SAMPLING = Sampling(draws=1000, tune=500, chains=2)


def kept(path: Path, make) -> dict:
    """What a file holds, made first where there is none."""
    if not path.exists():
        path.write_text(json.dumps(make(), indent=1))
    return json.loads(path.read_text())


def summary(draws: dict) -> dict:
    found = diagnose(draws)
    return {n: [float(d.mean()), float(d.std()), found[n].mcse] for n, d in draws.items() if np.isfinite(found[n].mcse)}


def command(*words: object) -> None:
    subprocess.run([sys.executable, "-m", "bayesmyo", *map(str, words)], check=False, capture_output=True)


def brute(folder: Path, most: int) -> list[dict]:
    """Of each patient: every estimand by both ways."""
    everyone = folder / "all.nc"
    if not everyone.exists():
        command("fit", "ivig", TABLE, "-o", everyone)

    def left_out() -> dict:
        return {one.patient: summary(dict(one.estimands)) for one in leave_one_out(load_fit(everyone))}

    ours = kept(folder / "left_out.json", left_out)
    study = find_study("ivig")
    ids = read_cohort(study, TABLE).patients
    rows = []
    lines = TABLE.read_text().splitlines()
    for patient, name in list(zip(ids, ours, strict=True))[:most]:

        def never(patient: str = patient, name: str = name) -> dict:
            table, fitted = folder / f"{name}.csv", folder / f"{name}.nc"
            others = [line for line in lines[1:] if line.split(",")[0] != patient]
            table.write_text("\n".join([lines[0], *others]) + "\n")
            command("fit", "ivig", table, "-o", fitted, "--force", "--seed", 2, "--draws", 500, "--tune", 500)
            found = summary(load_fit(fitted).estimands)
            fitted.unlink()
            return found

        theirs = kept(folder / f"{name}.json", never)
        for estimand, (mean, sd, mcse) in theirs.items():
            mine = ours[name].get(estimand)
            if mine:
                z = (mine[0] - mean) / np.hypot(mine[2], mcse)
                rows.append({"patient": name, "estimand": estimand, "z": z, "sd_ratio": mine[1] / sd})
    return rows


def aberrant_cohort(seed: int) -> tuple[Simulated, int]:
    """A cohort in which one patient, seen for the 12 months that the estimand spans, has a slope of its own."""
    study = parse_study(STUDY)
    simulated = simulate_scenario(study, "truth", seed=seed)
    cohort = simulated.cohort
    m = cohort.measurements["strength"]
    rng = np.random.default_rng(seed)
    last = np.array([m.time[m.patient == i].max() for i in range(len(cohort))])
    chosen = int(rng.choice(np.flatnonzero(last >= 12)))
    moved = np.where(m.patient == chosen, ABERRANT * 0.25 * m.time, 0.0)
    cohort = replace(cohort, measurements={"strength": replace(m, value=m.value + moved)})
    return replace(simulated, cohort=cohort), chosen


def aberrant(folder: Path, cohorts: int) -> list[dict]:
    """Of each cohort: the rank of the patient by influence, and scores by both ways."""
    study = parse_study(STUDY)
    replicator = Replicator(Cell(study, None, PATIENTS, study), seed=SEED, place=0, sampling=SAMPLING)
    rows = []
    for seed in range(1, cohorts + 1):

        def one(seed: int = seed) -> dict:
            simulated, chosen = aberrant_cohort(seed)
            fit = replicator.fit(simulated, seed)
            refits = Refits(fit, compiled=replicator.model(PATIENTS))
            exact, quick = (leave_one_out(fit, exact=e, refits=refits) for e in (True, False))
            ranked = [p.patient for p in of_left_out(fit, exact).patients]
            return {
                "cohort": seed,
                "rank": 1 + ranked.index(fit.cohort.pseudonyms()[chosen]),
                "scores": [[a.score, a.mcse, b.score, b.mcse, b.pareto_k] for a, b in zip(exact, quick, strict=True)],
            }

        rows.append(kept(folder / f"aberrant_{seed}.json", one))
    return rows


def brute_summary(folder: Path, most: int) -> dict:
    compared = brute(folder, most)
    z = np.abs([r["z"] for r in compared])
    return {
        "patients": len({r["patient"] for r in compared}), "estimands": len(compared),
        "beyond_2_errors": float(np.mean(z > 2)), "largest": float(z.max()),
        "sd_ratio": [float(q) for q in np.quantile([r["sd_ratio"] for r in compared], [0, 0.5, 1])],
    }  # fmt: skip


def aberrant_summary(folder: Path, cohorts: int) -> dict:
    ranks = aberrant(folder, cohorts)
    scores = np.array([s for r in ranks for s in r["scores"]])
    trusted = scores[:, 4] <= 0.7
    difference = np.abs(scores[trusted, 0] - scores[trusted, 2])
    return {
        "aberrant": {"cohorts": len(ranks), "first": sum(r["rank"] == 1 for r in ranks), "ranks": [r["rank"] for r in ranks]},
        "reweighted": {
            "patients": len(scores), "trusted": int(trusted.sum()),
            "median_difference": float(np.median(difference)), "largest_difference": float(difference.max()),
        },
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--patients", type=int, default=23, help="0: keep what is there of the brute-force fits")
    parser.add_argument("--cohorts", type=int, default=20, help="0: keep what is there of the cohorts")
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    found = json.loads(OUTPUT.read_text()) if OUTPUT.exists() else {}
    if asked.patients:
        found["brute"] = brute_summary(asked.folder, asked.patients)
    if asked.cohorts:
        found |= aberrant_summary(asked.folder, asked.cohorts)
    OUTPUT.write_text(json.dumps(found, indent=1) + "\n")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
