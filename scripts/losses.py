"""What does loss do to an answer, and what does a joint model mend? Five mechanisms of loss, each fitted without and with it.

    uv run python scripts/losses.py ROWS.jsonl [--cohorts 200] [--mechanisms slope,hidden]
    uv run python scripts/losses.py ROWS.jsonl --summary

Cohorts of 23 patients are made in NumPy, without the package's simulator: the same patients and measurements for every
mechanism, who leave by it. `ignored` fits a rate of loss that depends on nothing, which leaves the outcome to itself;
`joint` one that depends on the course. Rows are appended as they come, and the same command goes on where it stopped.
Rates go to docs/evidence/losses.json.
"""

import argparse
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from bayesmyo.cohort.frame import cohort_from_frame
from bayesmyo.inference.compiled import Compiled
from bayesmyo.inference.fit import wrap
from bayesmyo.simulation.plan import FAST, QUICK
from bayesmyo.study import Study, parse_study

SEED, PATIENTS, END = 20219, 23, 24.0
VISITS = np.array([0, 3, 6, 12, 18, 24.0])
START, SLOPE, SD_START, SD_SLOPE, SIGMA = 50.0, 0.5, 8.0, 0.5, 4.0
RATE, FALL, STEP = 0.03, 12.0, 0.02
EVIDENCE = Path(__file__).parents[1] / "docs" / "evidence" / "losses.json"
STUDY = """
[study]
title = "Loss"
patient = "patient"
time = { column = "month", unit = "month", typical = 24, exit = "exit", reason = "why" }
[outcomes.y]
column = "y"
unit = "points"
better = "higher"
typical = 50
scale = 10
family = { kind = "gaussian" }
trajectory = { kind = "linear" }
[events.lost]
reasons = ["lost"]
typical = 0.4
hazard = { kind = "constant" }
[estimands.change_24]
kind = "change"
outcome = "y"
from = 0
to = 24
[estimands.in_study_24]
kind = "event free"
event = "lost"
at = 24
[estimands.time_in_study_24]
kind = "restricted mean time"
event = "lost"
at = 24
"""


@dataclass(frozen=True)
class Patients:
    """Courses and what visits would show, of everybody up to the end.

    start, slope : (patient,) of the own line
    y : (patient, visit) as measured
    """

    start: np.ndarray
    slope: np.ndarray
    y: np.ndarray

    def at(self, time: float) -> np.ndarray:
        """(patient,) expected values."""
        return self.start + self.slope * time

    def last(self, time: float) -> np.ndarray:
        """(patient,) the value that was measured last before a time."""
        return self.y[:, max(np.searchsorted(VISITS, time, "right") - 1, 0)]


# by how much the logarithm of a patient's rate of leaving is above the usual one, at a time
Mechanism = Callable[[Patients, float], np.ndarray]
MECHANISMS: dict[str, Mechanism] = {
    "at random": lambda p, t: np.zeros(len(p.start)),
    "what was seen": lambda p, t: -(p.last(t) - START) / 10,
    "current value": lambda p, t: -(p.at(t) - START) / 10,
    "slope": lambda p, t: -(p.slope - SLOPE) * END / 10,
    "hidden": lambda p, t: np.zeros(len(p.start)),  # a fall that nobody sees, at which the patient leaves
}
DEPENDS = dict.fromkeys(MECHANISMS, "level") | {"slope": "slope"}
MODELS = ("ignored", "joint")


def patients(rng: np.random.Generator, n: int) -> Patients:
    start, slope = rng.normal(START, SD_START, n), rng.normal(SLOPE, SD_SLOPE, n)
    return Patients(start, slope, start[:, None] + slope[:, None] * VISITS + rng.normal(0, SIGMA, (n, len(VISITS))))


def exits(who: Patients, mechanism: str, rng: np.random.Generator) -> np.ndarray:
    """(patient,) when each leaves; infinity for who would stay: the hazard adds up in small steps to a unit exponential."""
    left, hazard = rng.exponential(size=len(who.start)), np.zeros(len(who.start))
    when = np.full(len(who.start), np.inf)
    for t in np.arange(0, END, STEP):
        hazard += RATE * STEP * np.exp(MECHANISMS[mechanism](who, t + STEP / 2))
        when = np.where(np.isinf(when) & (hazard > left), t + STEP / 2, when)
    return when


def truth(mechanism: str) -> dict[str, float]:
    """What is estimated, of a population: by 400,000 patients."""
    rng = np.random.default_rng([SEED, 1])
    when = exits(patients(rng, 400_000), mechanism, rng)
    fell = FALL * np.mean(when < END) if mechanism == "hidden" else 0.0
    stayed = {"in_study_24": float(np.mean(when > END)), "time_in_study_24": float(np.minimum(when, END).mean())}
    return {"change_24": SLOPE * END - fell, **stayed}


def table(cohort: int, mechanism: str) -> pd.DataFrame:
    """One row for each visit that took place, as a clinic would keep it."""
    rng = np.random.default_rng([SEED, 0, cohort])
    who = patients(rng, PATIENTS)
    when = exits(who, mechanism, rng)
    return pd.DataFrame([
        {"patient": f"P{i + 1:02d}", "month": t, "y": who.y[i, k], "exit": min(when[i], END), "why": "lost" if when[i] < END else "ended"}
        for i in range(PATIENTS) for k, t in enumerate(VISITS) if t < when[i]
    ])  # fmt: skip


def study(model: str, mechanism: str) -> Study:
    depends = f'depends = {{ y = "{DEPENDS[mechanism]}" }}\n[estimands.change_24]'
    return parse_study(STUDY.replace("[estimands.change_24]", depends) if model == "joint" else STUDY)


def fits(mechanism: str, model: str, cohorts: Iterator[int]) -> Iterator[dict]:
    fitted = study(model, mechanism)
    compiled = Compiled(fitted, FAST, QUICK)
    for cohort in cohorts:
        read = cohort_from_frame(fitted, table(cohort, mechanism))
        draws = compiled.draws(read, cohort)
        fit = wrap(fitted, read, draws, engine=FAST, seed=cohort, sampling=QUICK, how=compiled.how)
        each = {name: np.quantile(e.of(fit.prediction), [0.025, 0.5, 0.975]).round(4).tolist() for name, e in fitted.estimands.items()}  # fmt: skip
        step = draws.certificate.step if draws.certificate else ""
        yield {"mechanism": mechanism, "model": model, "cohort": cohort, "step": step, "estimands": each}


def rows(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def run(path: Path, mechanisms: list[str], cohorts: int) -> None:
    finished = {(r["mechanism"], r["model"], r["cohort"]) for r in rows(path)}
    with path.open("a") as out:
        for mechanism in mechanisms:
            for model in MODELS:
                left = (c for c in range(cohorts) if (mechanism, model, c) not in finished)
                for row in fits(mechanism, model, left):
                    out.write(json.dumps(row) + "\n")
                    out.flush()


def rates(kept: list[dict]) -> list[dict]:
    """Of each mechanism, model and estimand: bias of the median, coverage of 95 % intervals and their mean width."""
    listed = []
    for mechanism in MECHANISMS:
        true = truth(mechanism)
        for model in MODELS:
            mine = [r for r in kept if (r["mechanism"], r["model"]) == (mechanism, model)]
            for name, value in true.items() if mine else ():
                lower, median, upper = np.array([r["estimands"][name] for r in mine]).T
                covered = np.mean((lower <= value) & (value <= upper))
                listed.append({
                    "mechanism": mechanism, "model": model, "estimand": name, "cohorts": len(mine), "truth": round(value, 4),
                    "bias": round(float(median.mean() - value), 4), "error": round(float(median.std(ddof=1) / len(mine) ** 0.5), 4),
                    "coverage": round(float(covered), 4), "width": round(float((upper - lower).mean()), 4),
                    "nuts": sum(r["step"] == "nuts" for r in mine),
                })  # fmt: skip
    return listed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path)
    parser.add_argument("--cohorts", type=int, default=200)
    parser.add_argument("--mechanisms", default=",".join(MECHANISMS))
    parser.add_argument("--summary", action="store_true")
    asked = parser.parse_args()
    if not asked.summary:
        run(asked.path, asked.mechanisms.split(","), asked.cohorts)
    listed = rates(rows(asked.path))
    EVIDENCE.write_text(json.dumps(listed, indent=1) + "\n")
    print("| loss depends on | fitted | estimand | truth | bias (MCSE) | coverage | mean width | by NUTS |")
    print("|---|---|---|---|---|---|---|---|")
    for r in listed:
        print(f"| {r['mechanism']} | {r['model']} | {r['estimand']} | {r['truth']:.3g} | {r['bias']:+.3g} ({r['error']:.2g})"
              f" | {r['coverage']:.1%} | {r['width']:.3g} | {r['nuts']} |")  # fmt: skip


if __name__ == "__main__":
    main()
