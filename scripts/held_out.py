"""Do the intervals of a new patient cover patients whom the fit has never seen as often as they say?

    uv run python scripts/held_out.py FOLDER [--cohorts 100] [--cases gaussian,lognormal] [--summary]

For each cohort a truth is drawn from the priors (or is the scenario, `--truth scenario`), 23 patients are simulated and fitted, and 400 more
are simulated from the same truth. Of these, the share is counted whose expected value at month 12, and whose measurement at month 12 as
the simulator made it, lies within the central 50, 80 and 95 % of the fit's new patients. Drawn from the priors, the shares
average to the nominal rate if model, simulator, sampler and prediction agree. A file for each cohort is kept in FOLDER: the same
command goes on where it stopped. Rates go to docs/evidence/held_out.json.
"""

import argparse
import json
from pathlib import Path

import numpy as np

from bayesmyo.inference.engines import Sampling
from bayesmyo.model.prediction import TruthPrediction
from bayesmyo.model.simulate import simulate
from bayesmyo.model.truth import Truth, from_priors, from_scenario
from bayesmyo.simulation.cell import Cell
from bayesmyo.simulation.replicate import Replicator
from bayesmyo.study import Study, parse_study

SEED, CELL = 20217, {"priors": 0, "scenario": 1}
SAMPLING = Sampling(draws=500, tune=400, chains=2, cores=2)
EVIDENCE = Path(__file__).parents[1] / "docs" / "evidence" / "held_out.json"
MONTH, PATIENTS, HELD_OUT = 12.0, 23, 400
MASSES = (0.5, 0.8, 0.95)
PREDICTS = ("expected value", "measurement")
STUDY = """
[study]
title = "Held out"
patient = "patient"
time = {{ column = "month", unit = "month", typical = 24 }}
[outcomes.y]
column = "y"
unit = "points"
better = "higher"
{outcome}
[design]
patients = 23
follow_up = {{ mean = 24, sd = {sd}, maximum = 60 }}
visits = {{ first = [0, 1, 3, 6, 12], then_every = 6 }}
[scenarios.truth.y]
{scenario}
"""
CASES = {
    "gaussian": (
        'typical = 50\nscale = 10\nfamily = { kind = "gaussian" }\ntrajectory = { kind = "linear" }',
        "intercept = 50\nslope = 0.3\nsd_intercept = 8\nsd_slope = 0.4\ncorrelation = 0\nsigma = 4",
    ),
    "lognormal": (
        'typical = 1200\nscale = 2.5\nfamily = { kind = "lognormal" }\ntrajectory = { kind = "plateau" }',
        "start = 800\nasymptote = 150\nhalf_time = 2.5\nsd_start = 0.8\nsd_asymptote = 0.5\ncorrelation = 0.3\nsigma = 0.35",
    ),
    "poisson": (
        'typical = 3\nscale = 2\nfamily = { kind = "poisson" }\ntrajectory = { kind = "linear" }\neffects = ["intercept"]',
        "intercept = 3\nslope = 0.97\nsd_intercept = 0.5",
    ),
    "ordered_beta": (
        'typical = 3.6\nscale = 0.7\nfamily = { kind = "ordered_beta", lower = 0, upper = 5 }\ntrajectory = { kind = "linear" }\neffects = ["intercept"]',
        "intercept = 3.6\nslope = 0.03\nsd_intercept = 0.8\nprecision = 50\ncut_floor = 3\ncut_ceiling = 2.5",
    ),
}  # fmt: skip


def studies(case: str) -> tuple[Study, Study]:
    """The study that is fitted, and the same in which everyone is seen at month 12."""
    outcome, scenario = CASES[case]
    return tuple(parse_study(STUDY.format(outcome=outcome, scenario=scenario, sd=sd)) for sd in (12, 0.1))


def inside(drawn: np.ndarray, held_out: np.ndarray, rng: np.random.Generator) -> list[float]:
    """Of each mass, the share of the held-out in the central interval of the draws; a tie with draws counts as above or below at random."""
    ordered = np.sort(drawn.reshape(-1))
    below, upto = (np.searchsorted(ordered, held_out, side) for side in ("left", "right"))
    place = (below + rng.random(len(held_out)) * (upto - below + 1)) / (len(ordered) + 1)
    return [float(np.mean(np.abs(place - 0.5) <= mass / 2)) for mass in MASSES]


def one(replicator: Replicator, everyone: Study, truth: Truth, cohort: int) -> dict[str, list[float]]:
    """The shares of one cohort, for expected values and for measurements."""
    rng = np.random.default_rng([SEED, replicator.place, cohort])
    simulated = simulate(replicator.cell.study, truth, rng)
    prediction = replicator.fit(simulated, cohort).prediction
    others = simulate(everyone, truth, rng, HELD_OUT)
    m = others.cohort.measurements["y"]
    held_out = {
        "expected value": TruthPrediction(everyone, others.truth).each("y", MONTH),
        "measurement": m.value[m.time == MONTH],
    }
    assert all(len(values) == HELD_OUT for values in held_out.values())
    return {
        predicts: inside(prediction.level("y", MONTH, "new patient", predicts=predicts), held_out[predicts], rng)
        for predicts in PREDICTS
    }


def run(folder: Path, case: str, source: str, cohorts: int) -> None:
    fitted, everyone = studies(case)
    replicator = Replicator(Cell(fitted, None, PATIENTS, fitted), seed=SEED, place=CELL[source], sampling=SAMPLING)
    for cohort in range(cohorts):
        path = folder / f"{case}-{source}-{cohort:03d}.json"
        if not path.exists():
            rng = np.random.default_rng([SEED, CELL[source], cohort, 1])
            truth = from_priors(fitted, rng) if source == "priors" else from_scenario(fitted, "truth")
            path.write_text(json.dumps(one(replicator, everyone, truth, cohort)))
    print(case, source, cohorts, flush=True)


def rates(folder: Path) -> list[dict]:
    """Of each case, the mean share over cohorts, and its Monte Carlo standard error."""
    found = []
    for case in CASES:
        for source in CELL:
            kept = [json.loads(p.read_text()) for p in sorted(folder.glob(f"{case}-{source}-*.json"))]
            for predicts in PREDICTS if kept else ():
                shares = np.array([k[predicts] for k in kept])
                error = shares.std(axis=0, ddof=1) / np.sqrt(len(shares))
                found.append(
                    {"case": case, "truth": source, "predicts": predicts, "cohorts": len(shares)}
                    | {f"{m:g}": [round(float(s), 4), round(float(e), 4)] for m, s, e in zip(MASSES, shares.mean(axis=0), error, strict=True)}
                )  # fmt: skip
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--cohorts", type=int, default=100)
    parser.add_argument("--cases", default=",".join(CASES))
    parser.add_argument("--truth", default="priors", choices=list(CELL))
    parser.add_argument("--summary", action="store_true")
    chosen = parser.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    for case in () if chosen.summary else chosen.cases.split(","):
        run(chosen.folder, case, chosen.truth, chosen.cohorts)
    found = rates(chosen.folder)
    EVIDENCE.write_text(
        json.dumps({"patients": PATIENTS, "held_out": HELD_OUT, "month": MONTH, "rows": found}, indent=1) + "\n"
    )
    for row in found:
        print(row)


if __name__ == "__main__":
    main()
