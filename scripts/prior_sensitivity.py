"""Is prior against data what it says? Kept in docs/evidence/prior_sensitivity.json.

clean     simulated cohorts in which everything is well identified: how often a number is called anything but "robust to the prior"
conflict  the same cohorts under a prior of the slope far from the truth: how often the conflict is found
weak      a contrast of two groups of which one has a single patient, with a baseline alone: how often "mostly the prior"
Of all: probabilities by reweighting against sampling again.

uv run python scripts/prior_sensitivity.py FOLDER [--cohorts 50]
FOLDER keeps what has been computed; the same command goes on where it stopped.
"""

import argparse
import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from bayesmyo.assess.refits import Refits
from bayesmyo.assess.sensitivity import prior_sensitivities
from bayesmyo.assess.verdict import DATA, PRIOR, SILENT, UNKNOWN
from bayesmyo.inference.engines import Sampling
from bayesmyo.model import Simulated, simulate_scenario
from bayesmyo.simulation.cell import Cell
from bayesmyo.simulation.replicate import Replicator
from bayesmyo.study import parse_study
from bayesmyo.study.study import Study

OUTPUT = Path(__file__).parent.parent / "docs" / "evidence" / "prior_sensitivity.json"
SEED = 1
PATIENTS = 23
SAMPLING = Sampling(draws=1000, tune=500, chains=2)
STUDY = """
[study]
title = "Prior against data"
patient = "patient"
time = { column = "month", unit = "month", typical = 24 }
[covariates.group]
levels = ["A", "B"]
shares = [0.5, 0.5]
[outcomes.strength]
column = "strength"
unit = "points"
better = "higher"
typical = 50
scale = 10
family = { kind = "gaussian" }
trajectory = { kind = "linear" }
moderators = ["group"]
PRIORS
[estimands.start]
kind = "level"
outcome = "strength"
at = 0
above = 45
[estimands.change]
kind = "change"
outcome = "strength"
from = 0
to = 12
[estimands.contrast]
kind = "change"
outcome = "strength"
from = 0
to = 12
contrast = { covariate = "group", level = "B", reference = "A" }
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
strength = { intercept = 50, slope = 0.4, slope_group_b = 0, sd_intercept = 8, sd_slope = 0.2, correlation = 0, sigma = 3 }
"""
CASES = {"clean": "", "conflict": 'priors = { slope = "normal(-1, 0.2)" }', "weak": ""}


def simulated(case: str, study: Study, seed: int) -> Simulated:
    found = simulate_scenario(study, "truth", seed=seed)
    if case != "weak":
        return found
    cohort, m = found.cohort, found.cohort.measurements["strength"]
    last = len(cohort) - 1
    kept = m.take((m.patient != last) | (m.time == 0))  # the one of group B has a baseline only
    group = (np.arange(len(cohort)) == last).astype(float)
    return replace(found, cohort=replace(cohort, measurements={"strength": kept}, covariates={"group": group}))


def run(folder: Path, case: str, cohorts: int) -> list[dict]:
    study = parse_study(STUDY.replace("PRIORS", CASES[case]))
    replicator = Replicator(Cell(study, None, PATIENTS, study), seed=SEED, place=0, sampling=SAMPLING)
    rows = []
    for seed in range(1, cohorts + 1):
        path = folder / f"{case}_{seed}.json"
        if not path.exists():
            fit = replicator.fit(simulated(case, study, seed), seed)
            refits = Refits(fit, compiled=replicator.model(PATIENTS))
            found = {
                "refit": [
                    asdict(r) | {"conflict": r.conflict}
                    for r in prior_sensitivities(fit, refits=refits, power_scaling=True)
                ],
                "importance": [asdict(r) for r in prior_sensitivities(fit)],
            }
            path.write_text(json.dumps(found, indent=1))
        rows.append(json.loads(path.read_text()))
    return rows


def rates(rows: list[dict]) -> dict:
    """Verdicts of every number, and how far reweighting is from sampling again."""
    found: dict[str, dict] = {}
    for row in rows:
        for r in row["refit"]:
            one = found.setdefault(r["name"], dict.fromkeys((DATA, PRIOR, SILENT, UNKNOWN), 0) | {"conflict": 0})
            one[r["verdict"]] += 1
            one["conflict"] += r["conflict"]
    apart, same, judged, total = [], 0, 0, 0
    for row in rows:
        for a, b in zip(row["importance"], row["refit"], strict=True):
            total += 1
            judged += a["verdict"] != UNKNOWN
            same += a["verdict"] == b["verdict"]
            for key in ("probability_half", "probability_double"):
                if a[key] is not None and b[key] is not None:
                    apart.append(abs(a[key] - b[key]))
    return {
        "cohorts": len(rows), "verdicts": found,
        "reweighting": {
            "judged": judged / total, "same_verdict_where_judged": same / judged if judged else None,
            "probability_apart": [float(q) for q in np.quantile(apart, [0.5, 0.95, 1])] if apart else None,
        },
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--cohorts", type=int, default=50)
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    found = {case: rates(run(asked.folder, case, asked.cohorts)) for case in CASES}
    OUTPUT.write_text(json.dumps(found, indent=1) + "\n")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
