"""Do the posterior predictive checks see a planted misfit, and keep quiet where the model is the true one?

    uv run python scripts/misfit.py FOLDER [--replicates 50] [--cases line,slopes] [--check-only]

Cohorts of 23 patients with about ten visits are simulated and fitted, each fit kept in FOLDER: the same command goes on where it stopped,
and checks that have changed are run again on fits that are there. Rates go to docs/evidence/misfit.json. Chains are short (2 x 300), so the
convergence check is left out. Rows of cases that were not asked for stay as they were kept.
"""

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from bayesmyo.assess.checks import CHECKS
from bayesmyo.cohort.cohort import Cohort
from bayesmyo.inference.engines import Sampling
from bayesmyo.inference.fit import Fit
from bayesmyo.inference.store import load_fit, save_fit
from bayesmyo.model.simulate import Simulated
from bayesmyo.simulation.cell import Cell
from bayesmyo.simulation.replicate import Replicator
from bayesmyo.study import find_study, parse_study

SEED = 20211
PATIENTS = 23
SAMPLING = Sampling(draws=300, tune=300, chains=2, cores=2)
EVIDENCE = Path(__file__).parents[1] / "docs" / "evidence" / "misfit.json"

STUDY = """
[study]
title = "Misfit"
patient = "patient"
time = {{ column = "month", unit = "month", label = "Months", typical = 24 }}
[outcomes.y]
column = "y"
label = "Score"
unit = "points"
better = "higher"
{outcome}
[design]
patients = 23
follow_up = {{ mean = 24, sd = 8, maximum = 48 }}
visits = {{ first = [0, 1, 2, 3, 6], then_every = 4, jitter = 0.3 }}
{scenario}
"""
GAUSSIAN = 'typical = 50\nscale = 10\nfamily = { kind = "gaussian" }\n'
LINEAR = GAUSSIAN + 'trajectory = { kind = "linear" }\n'
PLATEAU = GAUSSIAN + 'trajectory = { kind = "plateau" }\n'
HIGH = LINEAR.replace("typical = 50", "typical = 80") + 'maximum = 100\nparameterisation = "non-centred"\n'
POISSON = (
    'typical = 3\nscale = 2\nfamily = { kind = "poisson" }\ntrajectory = { kind = "linear" }\neffects = ["intercept"]\n'
)
LOGNORMAL = 'typical = 800\nscale = 2.5\nfamily = { kind = "lognormal" }\ntrajectory = { kind = "plateau" }\n'
RAW = 'typical = 800\nscale = 600\nfamily = { kind = "gaussian" }\ntrajectory = { kind = "plateau" }\n'
GRADES = 'scale = 2\nfamily = { kind = "cumulative", coding = "mrc" }\ntrajectory = { kind = "linear" }\neffects = ["intercept"]\n'

SCENARIOS = {
    "linear": "intercept = 50\nslope = 0.3\nsd_intercept = 8\nsd_slope = 0.4\ncorrelation = 0\nsigma = 4",
    "high": "intercept = 84\nslope = 0.5\nsd_intercept = 8\nsd_slope = 0.2\ncorrelation = 0\nsigma = 4",
    "plateau": "start = 40\nasymptote = 60\nhalf_time = 3\nsd_start = 8\nsd_asymptote = 8\ncorrelation = 0.5\nsigma = 4",
    "poisson": "intercept = 3\nslope = 0.97\nsd_intercept = 0.5",
    "lognormal": "start = 800\nasymptote = 150\nhalf_time = 2.5\nsd_start = 0.8\nsd_asymptote = 0.5\ncorrelation = 0.3\nsigma = 0.35",
    "grades": "slope = 0.1\nsd_intercept = 1.5\nthreshold_1 = -5\nthreshold_2 = -3\nthreshold_3 = -1.5\nthreshold_4 = 0\nthreshold_5 = 1.5",
}

Change = Callable[[Cohort, np.random.Generator], Cohort]


@dataclass(frozen=True)
class Case:
    """A cohort of one outcome as `true` describes it, then changed, and fitted as `fitted` says; `scenario` holds the true values.

    expected: names of the checks of which at least one should see the misfit; none where the model is the true one
    """

    name: str
    what: str
    true: str
    scenario: str
    fitted: str
    expected: tuple[str, ...] = ()
    change: Change | None = None


def _values(cohort: Cohort, edit: Callable[[np.ndarray, np.ndarray], np.ndarray], **fields: np.ndarray) -> Cohort:
    m = cohort.measurements["y"]
    return replace(cohort, measurements={"y": replace(m, value=edit(m.value, m.time), **fields)})


def clipped(cohort: Cohort, rng: np.random.Generator) -> Cohort:
    """The ceiling is there, and nobody says so."""
    side = np.zeros_like(cohort.measurements["y"].side)
    return _values(cohort, lambda y, t: y, side=side)


def growing(cohort: Cohort, rng: np.random.Generator) -> Cohort:
    """The residual SD grows from 4 to 9 points in 24 months."""
    return _values(cohort, lambda y, t: y + rng.standard_normal(len(y)) * t / 3)


def wild(cohort: Cohort, rng: np.random.Generator) -> Cohort:
    """Three measurements in a hundred are off by an SD of 25 points."""
    return _values(cohort, lambda y, t: y + 25 * rng.standard_normal(len(y)) * (rng.random(len(y)) < 0.03))


def inflated(cohort: Cohort, rng: np.random.Generator) -> Cohort:
    """A quarter of the counts are zero for another reason."""
    return _values(cohort, lambda y, t: np.where(rng.random(len(y)) < 0.25, 0.0, y))


def stricter(cohort: Cohort, rng: np.random.Generator) -> Cohort:
    """From month 8, two of three patients who would have had a 5 are given a 4."""
    return _values(cohort, lambda y, t: np.where((y == 5) & (t > 8) & (rng.random(len(y)) < 2 / 3), 4.0, y))


CENSORED = HIGH + "censoring = { above = 100 }\n"
INTERCEPT = LINEAR + 'effects = ["intercept"]\n'
CASES = (
    Case("true linear", "gaussian, straight lines", LINEAR, "linear", LINEAR),
    Case("true plateau", "gaussian, plateau", PLATEAU, "plateau", PLATEAU),
    Case("true censored", "gaussian with a declared ceiling", CENSORED, "high", CENSORED),
    Case("true poisson", "counts", POISSON, "poisson", POISSON),
    Case("true lognormal", "log-normal, plateau", LOGNORMAL, "lognormal", LOGNORMAL),
    Case("true grades", "ordered grades", GRADES, "grades", GRADES),
    Case("line", "a straight line fitted to a plateau", PLATEAU, "plateau", LINEAR, ("time course",)),
    Case("ceiling", "gaussian fitted to data cut off at 100", CENSORED, "high", HIGH, ("ceiling and floor",), clipped),
    Case("variance", "constant variance fitted to a growing one", LINEAR, "linear", LINEAR, ("variance",), growing),
    Case("slopes", "patients differ in slope, the model ignores it", LINEAR, "linear", INTERCEPT, ("dependence within patients",)),
    Case("zeros", "Poisson fitted to counts with a quarter of zeros more", POISSON, "poisson", POISSON, ("zeros",), inflated),
    Case("raw", "gaussian fitted to log-normal data", LOGNORMAL, "lognormal", RAW, ("distribution", "variance")),
    Case("wild", "gaussian fitted to data with 3 % wild measurements", LINEAR, "linear", LINEAR, ("distribution",), wild),
    Case("stricter", "one step between grades moves at month 8", GRADES, "grades", GRADES, ("calibration of grades", "time course"), stricter),
)  # fmt: skip


class Planted:
    """Replicates of one case: a cohort from the true study, fitted with the other; the model is compiled once."""

    def __init__(self, case: Case, cell: int):
        scenario = f"[scenarios.truth.y]\n{SCENARIOS[case.scenario]}"
        true = parse_study(STUDY.format(outcome=case.true, scenario=scenario))
        fitted = parse_study(STUDY.format(outcome=case.fitted, scenario=""))
        self.case, self.cell = case, cell
        self.source = Replicator(Cell(true, "truth", PATIENTS, true), seed=SEED, place=cell, sampling=SAMPLING)
        self.model = Replicator(Cell(fitted, None, PATIENTS, fitted), seed=SEED, place=cell, sampling=SAMPLING)

    def fit(self, replicate: int) -> Fit:
        simulated = self.source.simulate(replicate)
        if self.case.change:
            rng = np.random.default_rng([SEED, self.cell, replicate])
            changed = self.case.change(simulated.cohort, rng)
            simulated = Simulated(changed, simulated.truth, simulated.follow_up, simulated.lost)
        return self.model.fit(simulated, replicate)


class Ivig:
    """Replicates of the bundled study, whose model is the true one."""

    case = Case("true ivig", "the bundled study ivig: three outcomes, correlated", "", "", "")

    def __init__(self) -> None:
        study = find_study("ivig")
        self.source = Replicator(Cell(study, "paper", PATIENTS, study), seed=SEED, place=99, sampling=SAMPLING)

    def fit(self, replicate: int) -> Fit:
        return self.source.fit(self.source.simulate(replicate), replicate)


def path_of(folder: Path, name: str, replicate: int) -> Path:
    return folder / f"{name.replace(' ', '-')}-{replicate:03d}.nc"


def run(folder: Path, names: set[str], replicates: int) -> None:
    """Make the fits that are not there; one replicate of every case, then the next."""
    folder.mkdir(parents=True, exist_ok=True)
    planted = [Planted(case, cell) for cell, case in enumerate(CASES) if case.name in names]
    listed = [*planted, *([Ivig()] if Ivig.case.name in names else [])]
    for replicate in range(replicates):
        for one in listed:
            path = path_of(folder, one.case.name, replicate)
            if not path.exists():
                try:
                    save_fit(one.fit(replicate), path)
                except (KeyboardInterrupt, SystemExit):
                    raise
                except BaseException as error:  # a panic of the sampler's own threads is no Exception
                    print(f"{one.case.name} {replicate}: {type(error).__name__} {str(error)[:200]}", flush=True)
        print(f"{replicate + 1} of {replicates}", flush=True)


def rates(folder: Path, cases: list[Case], replicates: int) -> list[dict]:
    """Of each case, the share of fits in which each check failed, and any of them, with Monte Carlo standard errors."""
    found = []
    checks = [c for c in CHECKS if c.name != "convergence"]
    for case in cases:
        paths = [p for p in (path_of(folder, case.name, k) for k in range(replicates)) if p.exists()]
        if not paths:
            continue
        failed = np.array([[not c.run(fit).passed for c in checks] for fit in map(load_fit, paths)])
        hit = {c.name: rate(failed[:, i]) for i, c in enumerate(checks)}
        chosen = [i for i, c in enumerate(checks) if c.name in case.expected]
        row = {
            "case": case.name,
            "what": case.what,
            "true_model": not case.expected,
            "fits": len(paths),
            "any": rate(failed.any(axis=1)),
        }
        if chosen:
            row |= {"expected": list(case.expected), "detected": rate(failed[:, chosen].any(axis=1))}
        found.append(row | {"checks": hit})
        print(row["case"], row["any"], {k: v["rate"] for k, v in hit.items() if v["rate"]}, flush=True)
    return found


def rate(failed: np.ndarray) -> dict[str, float]:
    share = float(failed.mean())
    return {"rate": share, "mcse": round(float(np.sqrt(share * (1 - share) / len(failed))), 4)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--replicates", type=int, default=50)
    parser.add_argument("--cases", default=",".join([*(c.name for c in CASES), Ivig.case.name]))
    parser.add_argument("--check-only", action="store_true")
    chosen = parser.parse_args()
    names = set(chosen.cases.split(","))
    if not chosen.check_only:
        run(chosen.folder, names, chosen.replicates)
    rows = {
        row["case"]: row
        for row in rates(chosen.folder, [c for c in (*CASES, Ivig.case) if c.name in names], chosen.replicates)
    }
    kept = {row["case"]: row for row in json.loads(EVIDENCE.read_text())["cases"]} if EVIDENCE.exists() else {}
    found = [(kept | rows)[c.name] for c in (*CASES, Ivig.case) if c.name in kept | rows]
    true = [row for row in found if row["true_model"]]
    n = sum(row["fits"] for row in true)
    pooled = sum(row["any"]["rate"] * row["fits"] for row in true) / n if n else float("nan")
    summary = {
        "seed": SEED, "patients": 23, "sampling": "2 chains of 300 after 300", "cases": found,
        "false_alarms": {"fits": n, "rate": pooled, "mcse": round(float(np.sqrt(pooled * (1 - pooled) / n)), 4)} if n else None,
    }  # fmt: skip
    EVIDENCE.write_text(json.dumps(summary, indent=1) + "\n")
    print(summary["false_alarms"])


if __name__ == "__main__":
    main()
