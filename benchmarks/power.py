"""What a simulated cohort costs: bayesmyo against pm.sample in a loop and against a mixed model by REML in a loop.

    uv run --with statsmodels python benchmarks/power.py [--cohorts 1000] [--loop 5] [--reml 200] [--several 50] [--nuts 10] [--output FILE.json]

The same simulated cohorts of 23 patients, one Gaussian outcome with a straight line in each patient, are analysed in one process on one core:
a. bayesmyo: what `bayesmyo power` does for each replicate, simulation and verdict included; compiled once
b. pymc: the same model and priors as a textbook writes it (pm.LKJCholeskyCov, non-centred effects), pm.sample for each cohort, with nutpie
c. reml: statsmodels' MixedLM, a point estimate and a standard error, no posterior
d. bayesmyo on `docs/power/mrc.toml` (an ordered beta plateau) and the bundled studies `safety` (counts), `ivig` (three outcomes, correlated
   effects) and `ivig-joint` (with its losses), by the engine laplace and by the engine nuts
Measured: core-seconds (processor time of the process and of all its threads), which other work on the machine changes little; for (a) and (d) the
first cohort, which compiles, is counted apart, and no cohort is analysed by both engines. Effective draws: the smaller of bulk and tail, of the average slope (of all estimands in d).
2 chains of 400 + 500 iterations of NUTS everywhere.
"""

import argparse
import contextlib
import json
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np

from bayesmyo.assess.diagnostics import diagnose
from bayesmyo.cohort.cohort import Measurements
from bayesmyo.simulation import replicate
from bayesmyo.simulation.cell import Cell
from bayesmyo.simulation.plan import SHORT
from bayesmyo.simulation.replicate import Replicator
from bayesmyo.study import Study, find_study, parse_study

STUDY = """
study = { title = "Cost of a cohort", patient = "patient", time = { column = "t", unit = "month" } }
design.patients = 23
design.follow_up = { mean = 14, sd = 6, maximum = 24 }
design.visits = { first = [0, 1, 2, 3], then_every = 3, jitter = 0.2 }
scenarios.truth.y = { intercept = 45, slope = 0.5, sd_intercept = 8, sd_slope = 0.5, correlation = 0.3, sigma = 4 }
[outcomes.y]
column = "y"
unit = "points"
better = "higher"
typical = 50
scale = 10
family = { kind = "gaussian" }
trajectory = { kind = "linear" }
priors.intercept = "normal(50, 10)"
priors.slope = "normal(0, 2)"
priors.sd_intercept = "halfnormal(10)"
priors.sd_slope = "halfnormal(1)"
priors.correlation = "lkj(2)"
priors.sigma = "halfnormal(10)"
[estimands.slope]
kind = "slope"
outcome = "y"
from = 0
to = 12
population = "population average"
[decisions.rises]
kind = "probability"
estimand = "slope"
above = 0
probability = 0.975
"""
PATIENTS, SEED = 23, 1
ROOT = Path(__file__).parents[1]


def replicator(study: Study, scenario: str, engine: str) -> Replicator:
    record = ("estimand", "decision")
    return Replicator(Cell(study, scenario, PATIENTS, study), seed=SEED, engine=engine, record=record)


def ours(study: Study, scenario: str, cohorts: int, engine: str = "laplace") -> dict[str, Any]:
    """Core-seconds and effective draws of replicates, the one that compiles apart."""
    one = replicator(study, scenario, engine)
    start = process_time()
    one.run(0)
    compiled = process_time()
    rows = [one.run(n) for n in range(1, cohorts + 1)]
    seconds = process_time() - compiled
    ess = np.array([r.ess for r in rows])
    return {
        "cohorts": cohorts, "core_s": seconds / cohorts, "core_s_with_compilation": (process_time() - start) / (cohorts + 1),
        "first_core_s": compiled - start, "ess_median": float(np.median(ess)), "ess_least": float(ess.min()),
        "ess_above_300": float((ess >= 300).mean()), "steps": dict(Counter(r.step for r in rows)), "again": sum(r.attempts - 1 for r in rows), "failed": sum(r.stage != "done" for r in rows),
    }  # fmt: skip


def pymc(m: Measurements, seed: int) -> np.ndarray:
    """(chain, draw) the average slope."""
    import pymc as pm

    with pm.Model(coords={"patient": range(PATIENTS), "effect": ["intercept", "slope"]}):
        intercept, slope = pm.Normal("intercept", 50, 10), pm.Normal("slope", 0, 2)
        cholesky, _, _ = pm.LKJCholeskyCov("cholesky", eta=2, n=2, sd_dist=pm.HalfNormal.dist([10, 1]))
        own = cholesky @ pm.Normal("z", dims=("effect", "patient"))
        mean = intercept + own[0, m.patient] + (slope + own[1, m.patient]) * m.time
        pm.Normal("y", mean, pm.HalfNormal("sigma", 10), observed=m.value)
        fitted = pm.sample(
            SHORT.draws, tune=SHORT.tune, chains=SHORT.chains, cores=1, nuts_sampler="nutpie", random_seed=seed,
            nuts={"target_accept": SHORT.target_accept}, progressbar=False,
        )  # fmt: skip
    return np.asarray(fitted["posterior"]["slope"].values)


def reml(m: Measurements, _seed: int) -> None:
    """The average slope with its standard error, by restricted maximum likelihood; a failure costs what it costs."""
    from statsmodels.regression.mixed_linear_model import MixedLM

    design = np.column_stack([np.ones(len(m)), m.time])
    with warnings.catch_warnings(), contextlib.suppress(np.linalg.LinAlgError):
        warnings.simplefilter("ignore")  # its own filters are set when it is imported
        fitted = MixedLM(m.value, design, groups=m.patient, exog_re=design).fit(reml=True)
        _ = fitted.fe_params[1], fitted.bse_fe[1]


def loop(one: Replicator, analyse: Callable[[Measurements, int], Any], cohorts: int) -> dict[str, Any]:
    """Core-seconds of an analysis of each cohort, the first (imports) not counted."""
    answers = []
    for n in range(cohorts + 1):
        measurements = one.simulate(n).cohort.measurements["y"]
        if n == 1:
            start = process_time()
        answers.append(analyse(measurements, n))
    report: dict[str, Any] = {"cohorts": cohorts, "core_s": (process_time() - start) / cohorts}
    if answers[1] is not None:
        ess = [min(d.ess_bulk, d.ess_tail) for d in (diagnose({"slope": f})["slope"] for f in answers[1:])]
        report |= {"ess_median": float(np.median(ess)), "ess_least": min(ess)}
    return report


def main() -> None:
    replicate.SHARE = 0.0
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, number in (("cohorts", 1000), ("loop", 5), ("reml", 200), ("several", 50), ("nuts", 10)):
        parser.add_argument(f"--{name}", type=int, default=number)
    parser.add_argument("--output", type=Path)
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    study = parse_study(STUDY)
    one = replicator(study, "truth", "laplace")
    found = {
        "bayesmyo": ours(study, "truth", asked.cohorts),
        "bayesmyo_nuts": ours(study, "truth", asked.nuts, "nuts"),
        "pymc": loop(one, pymc, asked.loop),
        "reml": loop(one, reml, asked.reml),
    }
    others = {"mrc": parse_study((ROOT / "docs/power/mrc.toml").read_text())}
    others |= {name: find_study(name) for name in ("safety", "ivig", "ivig-joint")}
    for name, other in others.items():
        scenario = next(iter(other.scenarios))
        found[name] = ours(other, scenario, asked.several)
        found[f"{name}_nuts"] = ours(other, scenario, asked.nuts, "nuts")
        found[name]["times_faster_than_nuts"] = found[f"{name}_nuts"]["core_s"] / found[name]["core_s"]
    draw = {name: found[name]["core_s"] / found[name]["ess_median"] for name in ("ivig", "ivig-joint")}
    found["ivig-joint"]["times_ivig_per_effective_draw"] = draw["ivig-joint"] / draw["ivig"]
    for name in ("pymc", "reml"):
        found[name]["ratio"] = found[name]["core_s"] / found["bayesmyo"]["core_s_with_compilation"]
    text = json.dumps(found, indent=2)
    print(text)
    if asked.output:
        asked.output.write_text(text + "\n")


if __name__ == "__main__":
    main()
