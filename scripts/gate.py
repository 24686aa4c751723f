"""Does the convergence gate let well-behaved fits pass, and stop those whose chains have not converged?

    uv run python scripts/gate.py FOLDER [--cases gaussian10,funnel] [--most N] [--minutes M]

Cohorts are simulated and fitted as `bayesmyo fit` does by default (4 chains of 1,000 draws, sampled on where they are
too short), on one core. Each row is kept in FOLDER: the same command goes on where it stopped. Rates go to
docs/evidence/gate.json: of alarms by the draws that were asked for (before), and by those that the fit ends with
(after).
"""

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from bayesmyo.assess.checks import Convergence
from bayesmyo.cohort.cohort import Cohort
from bayesmyo.errors import BayesmyoError
from bayesmyo.inference.compiled import Compiled
from bayesmyo.inference.engines import Sampling
from bayesmyo.inference.fit import Fit, short, wrap
from bayesmyo.inference.mixing import sampled_on
from bayesmyo.model.simulate import simulate_scenario
from bayesmyo.seeds import SAMPLE, SIMULATE, address
from bayesmyo.study import find_study, parse_study

SEED = 1221
EVIDENCE = Path(__file__).parents[1] / "docs" / "evidence" / "gate.json"
SAMPLING = Sampling(cores=1)

STUDY = """
[study]
title = "Gate"
patient = "patient"
time = {{ column = "month", unit = "month", label = "Months", typical = 24 }}
{outcomes}
[design]
patients = {patients}
follow_up = {{ mean = 24, sd = 8, maximum = 48 }}
visits = {{ first = [0, 1, 2, 3, 6], then_every = {every}, jitter = 0.3 }}
[scenarios.truth]
{scenario}
"""
OUTCOME = """
[outcomes.{name}]
column = "{name}"
label = "{name}"
unit = "points"
better = "higher"
"""
ESTIMAND = '[estimands.{name}_12]\nkind = "level"\noutcome = "{name}"\nat = 12\n'
GAUSSIAN = 'typical = 50\nscale = 10\nfamily = { kind = "gaussian" }\ntrajectory = { kind = "linear" }\n'
SCORE = (
    'typical = 70\nscale = 15\nfamily = { kind = "ordered_beta", lower = 0, upper = 100 }\n'
    'trajectory = { kind = "linear" }\n'
)
COUNTS = 'typical = 3\nscale = 2\nfamily = { kind = "negative_binomial" }\ntrajectory = { kind = "linear" }\n'
TWO_MODES = (
    'typical = 50\nscale = 10\nfamily = { kind = "student_t" }\ntrajectory = { kind = "constant" }\neffects = []\n'
    'priors = { sigma = "halfnormal(0.3)", nu = "gamma(2, 2)" }\n'
)
FUNNEL = (
    'typical = 50\nscale = 10\nfamily = { kind = "student_t" }\ntrajectory = { kind = "constant" }\n'
    'effects = ["intercept"]\nparameterisation = "centred"\n'
)
LINE = "{{ intercept = {0}, slope = {1}, sd_intercept = {2}, sd_slope = {3}, correlation = 0, {4} }}"


def study_of(outcomes: dict[str, tuple[str, str]], patients: int, every: int = 4) -> str:
    """outcomes: what the study says of each, and its true values."""
    said = "".join(OUTCOME.format(name=n) + text + ESTIMAND.format(name=n) for n, (text, _) in outcomes.items())
    true = "\n".join(f"{n} = {values}" for n, (_, values) in outcomes.items())
    return STUDY.format(outcomes=said, patients=patients, every=every, scenario=true)


def apart(cohort: Cohort) -> Cohort:
    """Half of the measurements of every outcome come from a device that reads 20 points more."""
    moved = {n: replace(m, value=m.value + 20.0 * (np.arange(len(m)) % 2) - 10) for n, m in cohort.measurements.items()}
    return replace(cohort, measurements=moved)


@dataclass(frozen=True)
class Case:
    """planted: whether its chains do not converge, so that the gate has to fail; replicates: how many are asked for."""

    name: str
    what: str
    replicates: int
    text: str = ""
    planted: bool = False
    change: Callable[[Cohort], Cohort] = lambda cohort: cohort


TRUE_SCORE = LINE.format(70, 0.02, 0.7, 0.02, "precision = 15, cut_floor = 4, cut_ceiling = 4")
TRUE_COUNTS = LINE.format(3, 0.97, 0.5, 0.02, "cv = 0.3")
NORMAL = (GAUSSIAN, LINE.format(50, 0.3, 8, 0.4, "sigma = 4"))
CASES = (
    Case("gaussian10", "one Gaussian outcome, 10 patients", 60, study_of({"y": NORMAL}, 10)),
    Case("gaussian23", "one Gaussian outcome, 23 patients", 60, study_of({"y": NORMAL}, 23)),
    Case("score23", "a score with a ceiling (ordered beta), 23 patients", 45,
         study_of({"y": (SCORE, TRUE_SCORE)}, 23)),
    Case("counts23", "counts (negative binomial), 23 patients", 45, study_of({"y": (COUNTS, TRUE_COUNTS)}, 23)),
    Case("ivig", "the bundled study ivig, three correlated outcomes, 23 patients", 10),
    Case("two modes", "three Student t outcomes, measured by two devices 20 points apart", 20,
         study_of(dict.fromkeys("abc", (TWO_MODES, "{ intercept = 50, sigma = 0.3, nu = 4 }")), 10), True, apart),
    Case("funnel", "patients' effects sampled centred, with an SD between patients near zero, 10 patients", 20,
         study_of({"y": (FUNNEL, "{ intercept = 50, sd_intercept = 0.01, sigma = 10, nu = 4 }")}, 10, every=24), True),
)  # fmt: skip


class Fits:
    """Replicates of one case; the model is compiled once."""

    def __init__(self, case: Case, place: int):
        self.case, self.place = case, place
        self.study = parse_study(case.text) if case.text else find_study("ivig")
        self.compiled = Compiled(self.study, "nuts", SAMPLING)

    def row(self, replicate: int) -> dict:
        """What the gate said of the draws that were asked for, and of those that the fit ends with."""
        scenario = next(iter(self.study.scenarios))
        cohort = simulate_scenario(self.study, scenario, seed=address(SEED, SIMULATE, self.place, replicate)).cohort
        cohort, seed = self.case.change(cohort), address(SEED, SAMPLE, self.place, replicate)
        looks = []

        def sample(sampling: Sampling, attempt: int) -> Fit:
            start = time.perf_counter()
            draws = self.compiled.draws(cohort, seed, sampling=sampling)
            how = self.compiled.how
            fit = wrap(
                self.study, cohort, draws, engine="nuts", seed=seed, sampling=sampling, how=how, attempts=attempt
            )
            looks.append({**said(fit), "seconds": round(time.perf_counter() - start, 2)})
            return fit

        self.compiled.draws(cohort, seed, sampling=Sampling(draws=4, tune=1, cores=1))  # compiled, if it was not
        sampled_on(sample, SAMPLING, short)
        return {"case": self.case.name, "replicate": replicate, "looks": looks}


def said(fit: Fit) -> dict:
    """The gate's verdict with what it rests on."""
    result, every = Convergence().run(fit), [d for group in fit.diagnostics.values() for d in group.values()]
    mixing = [s for s in ("chains disagree", "too few effective", "never moved") if s in result.sentence]
    return {
        "passed": result.passed, "mixing": not mixing, "sentence": result.sentence, "quantities": len(every),
        "rhat": round(max(d.rhat for d in every), 5), "ess": round(min(d.ess for d in every), 1),
        "divergences": int(fit.group("sample_stats")["diverging"].sum()),
    }  # fmt: skip


def summary(case: Case, rows: list[dict]) -> dict:
    first, last = [r["looks"][0] for r in rows], [r["looks"][-1] for r in rows]
    failed = {w: sum(not look["passed"] for look in looks) for w, looks in (("before", first), ("after", last))}
    blamed = {w: sum(not look["mixing"] for look in looks) for w, looks in (("before", first), ("after", last))}
    seconds = [[look["seconds"] for look in r["looks"]] for r in rows]
    mean = {"before": np.mean([s[0] for s in seconds]), "after": np.mean([sum(s) for s in seconds])}
    return {
        "case": case.name, "what": case.what, "planted": case.planted,
        "fits": len(rows), "quantities": first[0]["quantities"],
        "failed": failed, "for_mixing": blamed, "sampled_on": sum(len(r["looks"]) > 1 for r in rows),
        "diverged": sum(look["divergences"] > 0 for look in last),
        "worst_rhat": {"before": max(look["rhat"] for look in first), "after": max(look["rhat"] for look in last)},
        "least_ess": {"before": min(look["ess"] for look in first), "after": min(look["ess"] for look in last)},
        "seconds": {when: round(float(value), 1) for when, value in mean.items()},
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--cases", default=",".join(c.name for c in CASES))
    parser.add_argument("--most", type=int, default=1000, help="replicates of a case")
    parser.add_argument("--minutes", type=float, default=1000, help="after which no other fit is begun")
    chosen = parser.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    until = time.monotonic() + 60 * chosen.minutes
    for place, case in enumerate(CASES):
        path = chosen.folder / f"{case.name.replace(' ', '-')}.jsonl"
        rows = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        left = [k for k in range(min(case.replicates, chosen.most)) if k not in {r["replicate"] for r in rows}]
        fits = Fits(case, place) if left and case.name in chosen.cases.split(",") else None
        for replicate in left if fits else ():
            if time.monotonic() > until:
                break
            try:
                row = fits.row(replicate)
            except BayesmyoError as error:
                row = {"case": case.name, "replicate": replicate, "error": str(error)}
            with path.open("a") as file:
                file.write(json.dumps(row) + "\n")
            print(
                case.name,
                replicate,
                row.get("error") or [(k["rhat"], k["ess"], k["divergences"], k["seconds"]) for k in row["looks"]],
                flush=True,
            )
    found = []
    for case in CASES:
        path = chosen.folder / f"{case.name.replace(' ', '-')}.jsonl"
        rows = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        if kept := sorted((r for r in rows if "looks" in r), key=lambda r: r["replicate"]):
            found.append(summary(case, kept) | {"errors": len(rows) - len(kept)})
    EVIDENCE.write_text(json.dumps({"seed": SEED, "cases": found}, indent=1) + "\n")


if __name__ == "__main__":
    main()
