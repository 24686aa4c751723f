"""Effective draws per second of each parameterisation: what the rule chooses, and centred or non-centred in its place.

    uv run python benchmarks/parameterisation.py OUT.json [--seeds 3] [--pbc2 FOLDER]

Each model is compiled, then sampled by 4 chains of 1,000 tuning iterations and 1,000 draws, for each seed; the compilation is not
counted. The least and the median effective draws are over all parameters and all patients' effects. `--pbc2` names the
folder that holds pbc2.csv (312 patients with primary biliary cirrhosis), which is not part of this repository.
"""

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from bayesmyo.assess.diagnostics import diagnose
from bayesmyo.cohort import Cohort, read_cohort
from bayesmyo.inference.build import build
from bayesmyo.inference.engines import ENGINES, Sampling
from bayesmyo.inference.fit import wrap
from bayesmyo.model import simulate_scenario
from bayesmyo.study import Study, find_study, read_study

ROOT = Path(__file__).parents[1]
HOW = ("auto", "grade centred", "grade non-centred", "all centred", "all non-centred")
ALIKE = 0.1  # of the scenario's SDs between patients, in the cohort whose patients are much alike in their grade


def declared(study: Study, how: str) -> Study:
    """The study with another parameterisation: of all outcomes, or of those alone that are not normal on the link scale."""
    of, _, word = how.rpartition(" ")
    changed = {
        name: replace(o, parameterisation=word if of == "all" or not o.family.normal else "auto")
        for name, o in study.outcomes.items()
    }
    return replace(study, outcomes=changed, text="")


def alike(study: Study) -> Cohort:
    """A simulated cohort of the scenario `paper` in which patients hardly differ in their grade."""
    paper = study.scenarios["paper"]
    values = {o: dict(v) for o, v in paper.values.items()}
    for sd in ("sd_start", "sd_asymptote"):
        values["mrc"][sd] = ALIKE * float(values["mrc"][sd])
    changed = replace(study, scenarios={"paper": replace(paper, values=values)})
    return simulate_scenario(changed, "paper", seed=5).cohort


def measure(study: Study, cohort: Cohort, seeds: int) -> dict:
    """Times and effective draws of one parameterisation."""
    sampling = Sampling()
    start = time.perf_counter()
    model = build(study, cohort)
    prepared = ENGINES["nuts"].prepare(model, exchange=False)
    compiled = time.perf_counter() - start
    seconds, least, median, diverging = [], [], [], 0
    for seed in range(1, seeds + 1):
        start = time.perf_counter()
        draws = prepared.sample([model.data], [seed], sampling)[0]
        seconds.append(time.perf_counter() - start)
        fit = wrap(study, cohort, draws, engine="nuts", seed=seed, sampling=sampling, how=model.how)
        every = {k: v for group in fit.quantities.values() for k, v in group.items()}
        ess = [d.ess_bulk for d in diagnose(every).values() if np.isfinite(d.ess_bulk)]
        least.append(min(ess))
        median.append(float(np.median(ess)))
        diverging += int(draws.stats["diverging"].sum())
    return {
        "how": model.how, "compiled_s": round(compiled, 1), "sampled_s": round(float(np.mean(seconds)), 2),
        "least_ess": round(float(np.mean(least))), "median_ess": round(float(np.mean(median))), "divergences": diverging,
        "least_ess_per_s": round(float(np.mean(np.array(least) / seconds)), 1),
        "median_ess_per_s": round(float(np.mean(np.array(median) / seconds)), 1),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--pbc2", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    chosen = parser.parse_args()
    cases = {}
    for name in ("ivig", "ivig-separate"):
        study = find_study(name)
        cases[name] = study, read_cohort(study, ROOT / "data" / "simulated" / "ivig.csv")
    cases["ivig-separate, patients alike"] = study, alike(study)
    if chosen.pbc2:
        study = read_study(ROOT / "tests" / "reference" / "pbc2.toml")
        cases["pbc2"] = study, read_cohort(study, chosen.pbc2 / "pbc2.csv")
    found = {
        name: {
            how: measure(declared(study, how), cohort, chosen.seeds)
            for how in (HOW if "mrc" in study.outcomes else (HOW[0], *HOW[3:]))
        }
        for name, (study, cohort) in cases.items()
    }
    chosen.out.write_text(json.dumps(found, indent=1) + "\n")
    print("| cohort | parameterisation | s | least ESS | per s | median ESS | per s | divergences |")
    print("|---|---|---|---|---|---|---|---|")
    for name, each in found.items():
        for how, r in each.items():
            print(
                f"| {name} | {how} | {r['sampled_s']} | {r['least_ess']:,} | {r['least_ess_per_s']} "
                f"| {r['median_ess']:,} | {r['median_ess_per_s']} | {r['divergences']} |"
            )


if __name__ == "__main__":
    main()
