"""Time to a first posterior: bayesmyo against bambi and against PyMC written by hand.

    uv run --group oracle python benchmarks/first_fit.py [--repeats 3] [--output FILE.json]

One simulated cohort of 23 patients, a straight line in each; 4 chains of 1,000 tuning iterations and 1,000 draws,
target acceptance 0.9, nutpie samples for all, two cores (on Linux the processes are held to two); the same priors.
a. bayesmyo: `bayesmyo fit`; correlated intercepts and slopes, integrated out for sampling and drawn back exactly
b. bambi: y ~ t + (t|patient), predictors not centred; it has no correlated effects, so ITS MODEL IS EASIER
c. pymc: the model of (a) as a textbook writes it, with pm.LKJCholeskyCov and non-centred effects
Measured: the wall clock of whole processes, from outside: start of Python, imports, reading the table, compiling,
sampling, log-likelihood of every visit, netCDF file. Cold: with an empty compile cache; warm: the next run with that
cache. Seeds differ between runs; the order rotates. "per_1000": seconds per 1,000 effective draws, by the smallest bulk
ESS of the population parameters. "sampling": the sampler alone, warm (bayesmyo: in its own process, effects drawn too).
Not measured: installing; writing the model; the very first import (each runs once untimed, with a throw-away cache, for
Python's bytecode); summaries by (b) and (c), while the time of (a) includes its checks. PyTensor's
fast-math is as each has it: off in (a), on in (b) and (c).
"""

import argparse
import json
import os
import subprocess
import sys
import sysconfig
import tempfile
from importlib.metadata import version
from pathlib import Path
from statistics import median
from timeit import default_timer, timeit
from typing import Any

CHAINS, TUNE, DRAWS, CORES, TARGET = 4, 1000, 1000, 2, 0.9
SAMPLING: Any = {"chains": CHAINS, "cores": CORES, "nuts": {"target_accept": TARGET}, "progressbar": False}
STUDY = """
study = { title = "First fit", patient = "patient", time = { column = "t", unit = "month" } }
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
"""
PARAMETERS = ("intercept", "slope", "sd_intercept", "sd_slope", "correlation", "sigma")
BAMBI = dict(zip(PARAMETERS, ("Intercept", "t", "1|patient_sigma", "t|patient_sigma", None, "sigma"), strict=True))
ALTERNATIVES = ("bayesmyo", "bambi", "pymc")
PACKAGES = ("bayesmyo", "bambi", "pymc", "pytensor", "nutpie", "numba", "arviz", "numpy")
BAYESMYO, CHILD = f"{sysconfig.get_path('scripts')}/bayesmyo", [sys.executable, __file__, "--child"]


def fit_bambi(data: str, output: str, seed: str) -> None:
    import bambi as bmb
    import pandas as pd

    priors = {"Intercept": bmb.Prior("Normal", mu=50, sigma=10), "t": bmb.Prior("Normal", mu=0, sigma=2)}
    priors |= {"1|patient": bmb.Prior("Normal", mu=0, sigma=bmb.Prior("HalfNormal", sigma=10))}
    priors |= {"t|patient": bmb.Prior("Normal", mu=0, sigma=bmb.Prior("HalfNormal", sigma=1))}
    priors |= {"sigma": bmb.Prior("HalfNormal", sigma=10)}
    model = bmb.Model("y ~ t + (t|patient)", pd.read_csv(data), priors=priors, center_predictors=False)
    fitted = model.fit(DRAWS, TUNE, inference_method="nutpie", random_seed=int(seed), **SAMPLING)
    model.compute_log_likelihood(fitted)
    fitted.to_netcdf(output)


def fit_pymc(data: str, output: str, seed: str) -> None:
    import pandas as pd
    import pymc as pm

    table = pd.read_csv(data)
    patient, names = table["patient"].factorize()
    with pm.Model(coords={"patient": names, "effect": ["intercept", "slope"]}):
        intercept, slope = pm.Normal("intercept", 50, 10), pm.Normal("slope", 0, 2)
        cholesky, correlation, sds = pm.LKJCholeskyCov("cholesky", eta=2, n=2, sd_dist=pm.HalfNormal.dist([10, 1]))
        for name, value in (("sd_intercept", sds[0]), ("sd_slope", sds[1]), ("correlation", correlation[0, 1])):
            pm.Deterministic(name, value)
        own = pm.Deterministic("own", cholesky @ pm.Normal("z", dims=("effect", "patient")), dims=("effect", "patient"))
        mean = intercept + own[0, patient] + (slope + own[1, patient]) * table["t"].to_numpy()
        pm.Normal("y", mean, pm.HalfNormal("sigma", 10), observed=table["y"].to_numpy())
        fitted = pm.sample(DRAWS, tune=TUNE, nuts_sampler="nutpie", random_seed=int(seed), **SAMPLING)
        pm.compute_log_likelihood(fitted, progressbar=False)
    fitted.to_netcdf(output)


def sample_bayesmyo(study: str, data: str) -> None:
    """Print the seconds that the engine takes once it is compiled."""
    from bayesmyo import Sampling, read_cohort, read_study
    from bayesmyo.inference.build import build
    from bayesmyo.inference.engines import ENGINES

    model = build(read_study(study), read_cohort(read_study(study), data))
    prepared = ENGINES["nuts"].prepare(model)
    print(timeit(lambda: prepared.sample([model.data], [1], Sampling(DRAWS, TUNE, CHAINS, CORES, TARGET)), number=1))


def process(command: list[str], cache: Path) -> tuple[float, str]:
    """Wall clock of one process with its own compile cache, and what it printed."""
    caches = {"PYTENSOR_FLAGS": f"base_compiledir={cache / 'pytensor'}", "NUMBA_CACHE_DIR": str(cache / "numba")}
    start = default_timer()
    done = subprocess.run(command, env=os.environ | caches, cwd=cache.parent, capture_output=True, text=True)
    seconds = default_timer() - start
    if done.returncode:
        raise SystemExit(f"{' '.join(command[:4])} ... returned {done.returncode}:\n{done.stderr[-3000:]}")
    return seconds, done.stdout


def fit(alternative: str, cache: Path, seed: int) -> dict[str, Any]:
    """One timed fit in a process of its own, and what its file says. A fit that fails bayesmyo's checks ends it all."""
    import arviz_stats
    import xarray as xr

    output = f"{cache}-{seed}.nc"
    command = [*CHILD, alternative, "data.csv", output, str(seed)]
    if alternative == "bayesmyo":
        how = f"--chains {CHAINS} --tune {TUNE} --draws {DRAWS} --cores {CORES} --target-accept {TARGET} --seed {seed}"
        command = [BAYESMYO, "fit", "study.toml", "data.csv", "-o", output, *how.split()]
    wall, _ = process(command, cache)
    with xr.open_datatree(output, engine="h5netcdf") as tree:
        posterior = tree["posterior"].to_dataset().load()
        divergences = int(tree["sample_stats"]["diverging"].sum())
        assert "log_likelihood" in tree.children
    theirs = {n: {"bayesmyo": f"y.{n}", "bambi": BAMBI[n], "pymc": n}[alternative] for n in PARAMETERS}
    x = xr.Dataset({n: posterior[name] for n, name in theirs.items() if name})
    columns = {"mean": x.mean(), "sd": x.std(), "mcse": arviz_stats.mcse(x), "ess": arviz_stats.ess(x, method="bulk")}
    rows = {str(n): {c: float(value[n]) for c, value in columns.items()} for n in x.data_vars}
    found = {"wall": wall, "ess": min(row["ess"] for row in rows.values()), "divergences": divergences}
    return found | {"sampling": posterior.attrs.get("sampling_time"), "parameters": rows}


def measure(folder: Path, repeats: int) -> dict[str, dict[str, list[Any]]]:
    """Every run by alternative and state of the cache."""
    runs: dict[str, dict[str, list[Any]]] = {a: {"untimed": [], "cold": [], "warm": []} for a in ALTERNATIVES}
    for repeat in range(repeats + 1):  # the first round is for the bytecode
        turn = repeat % len(ALTERNATIVES)
        for state in ("cold", "warm") if repeat else ("untimed",):
            for a in ALTERNATIVES[turn:] + ALTERNATIVES[:turn]:
                run = fit(a, folder / f"{repeat}-{a}", seed=2 * repeat + (state == "warm"))
                print(f"{a} {state}: {run['wall']:.1f} s", file=sys.stderr, flush=True)
                runs[a][state].append(run)
    for repeat, run in enumerate(runs["bayesmyo"]["warm"], start=1):
        command = [*CHILD, "sampling", "study.toml", "data.csv"]
        run["sampling"] = float(process(command, folder / f"{repeat}-bayesmyo")[1])
    return runs


def summarise(cold: list[Any], warm: list[Any]) -> dict[str, float]:
    """Medians over the runs of one alternative."""
    figures = {"min_ess": median(r["ess"] for r in cold + warm)}
    for name, key, runs in (("cold", "wall", cold), ("warm", "wall", warm), ("sampling", "sampling", warm)):
        figures[f"{name}_s"] = median(r[key] for r in runs)
        figures[f"{name}_per_1000"] = 1000 * figures[f"{name}_s"] / figures["min_ess"]
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--output", type=Path, help="write every number as JSON")
    arguments = parser.parse_args()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    if sys.platform == "linux":
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "study.toml").write_text(STUDY)
        subprocess.run([BAYESMYO, "simulate", "study.toml", "-o", "data.csv"], cwd=folder, check=True)
        runs = measure(folder, arguments.repeats)
    medians = {a: summarise(runs[a]["cold"], runs[a]["warm"]) for a in ALTERNATIVES}
    ours = medians["bayesmyo"]
    ratios = {f"a / {other}": {c: ours[c] / medians[other][c] for c in ours} for other in ALTERNATIVES[1:]}
    print("\nMedians; seconds. bambi's model is easier: it has no correlation.\n")
    print(" " * 10 + "".join(f"{c:>18}" for c in ours))
    for label, row in {**medians, **ratios}.items():
        print(f"{label:10}" + "".join(f"{x:18,.2f}" for x in row.values()))
    both = [[r["parameters"] for r in runs[x]["warm"]] for x in ("bayesmyo", "pymc")]
    pairs = [(a[n], c[n]) for a, c in zip(*both, strict=True) for n in PARAMETERS]
    apart = max(abs(x["mean"] - y["mean"]) / (x["mcse"] ** 2 + y["mcse"] ** 2) ** 0.5 for x, y in pairs)
    print(f"\nPosterior means of bayesmyo and pymc differ by at most {apart:.1f} Monte Carlo standard errors.")
    if arguments.output:
        versions = {"python": sys.version.split()[0], **{name: version(name) for name in PACKAGES}}
        found = {"versions": versions, "cores": CORES, "medians": medians, "ratios": ratios, "runs": runs}
        arguments.output.write_text(json.dumps(found, indent=1) + "\n")
    sys.exit("bayesmyo and pymc sampled different posteriors: the comparison means nothing." if apart > 5 else 0)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        {"bambi": fit_bambi, "pymc": fit_pymc, "sampling": sample_bayesmyo}[sys.argv[2]](*sys.argv[3:])
    else:
        main()
