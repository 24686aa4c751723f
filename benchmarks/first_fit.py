"""Time to a first posterior: bayesmyo against bambi and against PyMC written by hand.

    uv run --group oracle python benchmarks/first_fit.py [--repeats 3] [--output FILE.json]

One simulated cohort of 23 patients, a straight line in each, 4 chains of 1,000 tuning iterations and 1,000 draws, target
acceptance 0.9, two cores (on Linux the processes are held to two), nutpie as the sampler of all:

a. bayesmyo  `bayesmyo fit`: correlated intercepts and slopes, integrated out for sampling and drawn back exactly
b. bambi     y ~ t + (t|patient): bambi has no correlated effects, so ITS MODEL IS EASIER (one parameter fewer)
c. pymc      the model of (a) as a textbook writes it: pm.LKJCholeskyCov, effects not centred

Measured: the wall clock of whole processes, seen from outside: start of Python, imports, reading the table, compiling,
sampling, log-likelihood of every visit, netCDF file. Cold: into an empty compile cache; warm: a second run with that
cache. Seeds differ between runs. The order of the alternatives rotates, so that drift of the machine hits all alike.
Seconds per 1,000 effective draws: wall clock over the smallest bulk ESS of the population parameters. "sampling" is
the sampler alone (of bayesmyo: with data exchange and drawing the effects back), from a warm run.
Priors are the same; bambi's lacks the correlation, and its predictors are not centred, which puts its intercept at t = 0.

Not measured: installing, writing the model, the very first import (each alternative runs once, untimed, with a
throw-away cache, so that Python's bytecode is there), and any summary by (b) and (c): only (a) also checks the fit and
prints estimates, within its time. PyTensor's fast-math is left as each has it: off in (a), on in (b) and (c).
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import sysconfig
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

CHAINS, TUNE, DRAWS, CORES, TARGET = 4, 1000, 1000, 2, 0.9
PRIOR = {"intercept": (50, 10), "slope": (0, 2), "sd_intercept": 10, "sd_slope": 1, "lkj": 2, "sigma": 10}
STUDY = f"""
[study]
title = "Benchmark of the first fit"
patient = "patient"
time = {{ column = "t", unit = "month" }}
[outcomes.y]
column = "y"
unit = "points"
better = "higher"
typical = 50
scale = 10
family = {{ kind = "gaussian" }}
trajectory = {{ kind = "linear" }}
[outcomes.y.priors]
intercept = "normal{PRIOR["intercept"]}"
slope = "normal{PRIOR["slope"]}"
sd_intercept = "halfnormal({PRIOR["sd_intercept"]})"
sd_slope = "halfnormal({PRIOR["sd_slope"]})"
correlation = "lkj({PRIOR["lkj"]})"
sigma = "halfnormal({PRIOR["sigma"]})"
[estimands.change]
kind = "change"
outcome = "y"
from = 0
to = 12
population = "population average"
[design]
patients = 23
follow_up = {{ mean = 14, sd = 6, maximum = 24 }}
visits = {{ first = [0, 1, 2, 3], then_every = 3, jitter = 0.2 }}
[scenarios.truth]
y = {{ intercept = 45, slope = 0.5, sd_intercept = 8, sd_slope = 0.5, correlation = 0.3, sigma = 4 }}
"""
NAMES = {  # population parameters, and what bambi calls them
    "intercept": "Intercept", "slope": "t", "sd_intercept": "1|patient_sigma", "sd_slope": "t|patient_sigma",
    "correlation": None, "sigma": "sigma",
}  # fmt: skip
ALTERNATIVES = ("bayesmyo", "bambi", "pymc")
BAYESMYO = str(Path(sysconfig.get_path("scripts")) / "bayesmyo")
PACKAGES = ("bayesmyo", "bambi", "pymc", "pytensor", "nutpie", "numba", "arviz", "numpy")


def fit_bambi(data: str, output: str, seed: str) -> None:
    import bambi as bmb
    import pandas as pd

    def effect(sd: float) -> Any:
        return bmb.Prior("Normal", mu=0, sigma=bmb.Prior("HalfNormal", sigma=sd))

    priors = {
        "Intercept": bmb.Prior("Normal", mu=PRIOR["intercept"][0], sigma=PRIOR["intercept"][1]),
        "t": bmb.Prior("Normal", mu=PRIOR["slope"][0], sigma=PRIOR["slope"][1]),
        "1|patient": effect(PRIOR["sd_intercept"]),
        "t|patient": effect(PRIOR["sd_slope"]),
        "sigma": bmb.Prior("HalfNormal", sigma=PRIOR["sigma"]),
    }
    model = bmb.Model("y ~ t + (t|patient)", pd.read_csv(data), priors=priors, center_predictors=False)
    fitted = model.fit(
        inference_method="nutpie", draws=DRAWS, tune=TUNE, chains=CHAINS, cores=CORES, random_seed=int(seed),
        nuts={"target_accept": TARGET}, progressbar=False,
    )  # fmt: skip
    model.compute_log_likelihood(fitted)
    fitted.to_netcdf(output)


def fit_pymc(data: str, output: str, seed: str) -> None:
    import pandas as pd
    import pymc as pm

    table = pd.read_csv(data)
    patient, names = table["patient"].factorize()
    with pm.Model(coords={"patient": names, "effect": ["intercept", "slope"]}):
        intercept = pm.Normal("intercept", *PRIOR["intercept"])
        slope = pm.Normal("slope", *PRIOR["slope"])
        sd = pm.HalfNormal.dist([PRIOR["sd_intercept"], PRIOR["sd_slope"]], shape=2)
        cholesky, correlation, sds = pm.LKJCholeskyCov("cholesky", eta=PRIOR["lkj"], n=2, sd_dist=sd)
        pm.Deterministic("sd_intercept", sds[0])
        pm.Deterministic("sd_slope", sds[1])
        pm.Deterministic("correlation", correlation[0, 1])
        z = pm.Normal("z", dims=("effect", "patient"))
        own = pm.Deterministic("own", cholesky @ z, dims=("effect", "patient"))
        mean = intercept + own[0, patient] + (slope + own[1, patient]) * table["t"].to_numpy()
        pm.Normal("y", mean, pm.HalfNormal("sigma", PRIOR["sigma"]), observed=table["y"].to_numpy())
        fitted = pm.sample(
            DRAWS, tune=TUNE, chains=CHAINS, cores=CORES, random_seed=int(seed), nuts_sampler="nutpie",
            nuts={"target_accept": TARGET}, progressbar=False,
        )  # fmt: skip
        pm.compute_log_likelihood(fitted, progressbar=False)
    fitted.to_netcdf(output)


def sampling_of_bayesmyo(study: str, data: str) -> None:
    """Print the seconds that the engine takes once it is compiled."""
    import bayesmyo
    from bayesmyo.model.build import build
    from bayesmyo.model.engines import ENGINES, Sampling

    understood = bayesmyo.read_study(study)
    model = build(understood, bayesmyo.read_cohort(understood, data))
    prepared = ENGINES["nuts"].prepare(model)
    start = time.perf_counter()
    prepared.sample([model.data], [1], Sampling(DRAWS, TUNE, CHAINS, CORES, TARGET))
    print(time.perf_counter() - start)


def process(command: list[str], cache: Path, may_return: tuple[int, ...] = (0,)) -> tuple[float, str]:
    """Wall clock of one process with its own compile cache, and what it printed."""
    dropped = ("PYTENSOR_FLAGS", "PYTHONDONTWRITEBYTECODE")
    environment = {k: v for k, v in os.environ.items() if k not in dropped}
    environment |= {"PYTENSOR_FLAGS": f"base_compiledir={cache / 'pytensor'}", "NUMBA_CACHE_DIR": str(cache / "numba")}
    start = time.perf_counter()
    done = subprocess.run(command, env=environment, cwd=cache.parent, capture_output=True, text=True)
    seconds = time.perf_counter() - start
    if done.returncode not in may_return:
        raise SystemExit(f"{' '.join(command[:3])} ... returned {done.returncode}:\n{done.stderr[-3000:]}")
    return seconds, done.stdout


def fit(alternative: str, folder: Path, cache: Path, seed: int) -> dict[str, Any]:
    """One timed fit in a process of its own, and what its file says."""
    output = folder / f"{alternative}.nc"
    output.unlink(missing_ok=True)
    if alternative == "bayesmyo":  # it returns 1 after writing a fit that fails its own checks
        options = {
            "chains": CHAINS,
            "tune": TUNE,
            "draws": DRAWS,
            "cores": CORES,
            "target-accept": TARGET,
            "seed": seed,
        }
        words = [word for key, value in options.items() for word in (f"--{key}", str(value))]
        seconds, _ = process([BAYESMYO, "fit", "study.toml", "data.csv", "-o", output.name, *words], cache, (0, 1))
    else:
        seconds, _ = process(
            [sys.executable, __file__, "--child", alternative, "data.csv", output.name, str(seed)], cache
        )
    return {"wall": seconds, **read(alternative, output)}


def read(alternative: str, output: Path) -> dict[str, Any]:
    """Effective sample sizes and moments of the population parameters in a file, and the sampler's own seconds."""
    import arviz_stats
    import xarray as xr

    with xr.open_datatree(output, engine="h5netcdf") as tree:
        posterior = tree["posterior"].to_dataset().load()
        assert "log_likelihood" in tree.children
        divergences = int(tree["sample_stats"]["diverging"].sum())
    named = {"bayesmyo": {n: f"y.{n}" for n in NAMES}, "bambi": NAMES, "pymc": {n: n for n in NAMES}}[alternative]
    draws = xr.Dataset({n: posterior[theirs].drop_attrs() for n, theirs in named.items() if theirs})
    ess, mcse = arviz_stats.ess(draws, method="bulk"), arviz_stats.mcse(draws, method="mean")
    table = {
        n: {"mean": float(x.mean()), "sd": float(x.std()), "mcse": float(mcse[n]), "ess": float(ess[n])}
        for n, x in draws.data_vars.items()
    }
    least = min(row["ess"] for row in table.values())
    return {"ess": least, "divergences": divergences, "sampling": posterior.attrs.get("sampling_time"), "table": table}


def measure(folder: Path, repeats: int) -> tuple[dict[str, dict[str, list[Any]]], float]:
    """Every run by alternative and state of the cache, and the seconds that bayesmyo's engine samples."""
    runs: dict[str, dict[str, list[Any]]] = {a: {"cold": [], "warm": []} for a in ALTERNATIVES}
    for repeat in range(-1, repeats):  # the first round is for the bytecode and is not kept
        turn = max(repeat, 0) % len(ALTERNATIVES)
        order = ALTERNATIVES[turn:] + ALTERNATIVES[:turn]
        for state in ("cold", "warm") if repeat >= 0 else ("untimed",):
            for a in order:
                cache = folder / f"cache{repeat}-{a}"
                cache.mkdir(exist_ok=True)
                run = fit(a, folder, cache, seed=2 * repeat + (state == "warm") + 3)
                print(f"{a} {state}: {run['wall']:.1f} s", file=sys.stderr, flush=True)
                if repeat >= 0:
                    runs[a][state].append(run)
    command = [sys.executable, __file__, "--child", "sampling", "study.toml", "data.csv"]
    printed = [process(command, folder / f"cache{repeat}-bayesmyo")[1] for repeat in range(repeats)]
    return runs, median(float(text) for text in printed)


def summarise(runs: dict[str, list[Any]], sampling: float | None) -> dict[str, float]:
    """Medians over the runs of one alternative."""
    figures: dict[str, float] = {"min_ess": median(r["ess"] for state in runs.values() for r in state)}
    for state, found in runs.items():
        figures[f"{state}_s"] = median(r["wall"] for r in found)
        figures[f"{state}_s_per_1000"] = median(1000 * r["wall"] / r["ess"] for r in found)
    figures["sampling_s"] = sampling if sampling is not None else median(r["sampling"] for r in runs["warm"])
    figures["sampling_s_per_1000"] = 1000 * figures["sampling_s"] / figures["min_ess"]
    return figures


def disagreement(one: dict[str, Any], other: dict[str, Any]) -> float:
    """The largest difference of a posterior mean between two runs, in Monte Carlo standard errors."""
    pairs = [(one["table"][n], other["table"][n]) for n in one["table"]]
    return max(abs(x["mean"] - y["mean"]) / (x["mcse"] ** 2 + y["mcse"] ** 2) ** 0.5 for x, y in pairs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--output", type=Path, help="write every number as JSON")
    arguments = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "study.toml").write_text(STUDY)
        subprocess.run([BAYESMYO, "simulate", "study.toml", "-o", "data.csv"], cwd=folder, check=True)
        runs, sampling = measure(folder, arguments.repeats)
    table = {a: summarise(runs[a], sampling if a == "bayesmyo" else None) for a in ALTERNATIVES}
    columns = list(table["bayesmyo"])
    print("\nSeconds, medians. bambi's model is easier: it has no correlation.\n")
    print(f"{'':12}" + "".join(f"{c:>21}" for c in columns))
    for a, figures in table.items():
        print(f"{a:12}" + "".join(f"{figures[c]:21,.{0 if c == 'min_ess' else 2}f}" for c in columns))
    ratios = {o: {c: table["bayesmyo"][c] / table[o][c] for c in columns} for o in ALTERNATIVES[1:]}
    for other, figures in ratios.items():
        print(f"{'a / ' + other:12}" + "".join(f"{figures[c]:21.2f}" for c in columns))
    apart = max(disagreement(*pair) for pair in zip(runs["bayesmyo"]["warm"], runs["pymc"]["warm"], strict=True))
    print(f"\nPosterior means of bayesmyo and pymc differ by at most {apart:.1f} Monte Carlo standard errors.")
    if arguments.output:
        about = {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}}
        machine = {"system": platform.system(), "machine": platform.machine(), "cores": os.cpu_count(), "used": CORES}
        found = {"versions": about, "machine": machine, "repeats": arguments.repeats, "medians": table}
        found |= {"ratios": ratios, "disagreement_mcse": apart, "runs": runs}
        arguments.output.write_text(json.dumps(found, indent=1) + "\n")
    if apart > 5:
        raise SystemExit("bayesmyo and pymc did not sample the same posterior: the comparison means nothing.")


CHILDREN = {"bambi": fit_bambi, "pymc": fit_pymc, "sampling": sampling_of_bayesmyo}

if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        CHILDREN[sys.argv[2]](*sys.argv[3:])
    else:
        main()
