"""Are truths that are rebuilt from an abstract the truths? Abstracts of known truths, each rebuilt.

    uv run python scripts/match.py [--abstracts 50] [--simulations 4000]

Truths are drawn from the priors of a study of 20 patients (a line on its own scale, and a recovery on the log that levels
off); each is simulated once and reduced to an abstract of ten numbers, which is rebuilt. The 90 % interval of every
parameter, and of the power of a t test on changes of a line, which follows from its parameters in closed form, must hold
the truth in 43 to 48 of 50. Counts go to docs/evidence/match.json.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from scipy import stats

from bayesmyo.model.printed import print_of
from bayesmyo.model.simulate import recorded, simulate
from bayesmyo.model.truth import from_priors
from bayesmyo.simulation.match import MASS
from bayesmyo.simulation.rebuild import Table
from bayesmyo.study import Study, parse_study

SEED, PATIENTS, END = 20211, 20, 12.0
EVIDENCE = Path(__file__).parents[1] / "docs" / "evidence" / "match.json"
STUDY = f"""
[study]
title = "Abstracts of known truths"
patient = "patient"
time = {{ column = "month", unit = "month", typical = {END:g} }}

[outcomes.strength]
column = "strength"
unit = "points"
better = "higher"
typical = 50
scale = 10
family = {{ kind = "gaussian" }}
trajectory = {{ kind = "linear" }}

[outcomes.cpk]
column = "cpk"
unit = "IU/L"
better = "lower"
typical = 1200
scale = 2.5
family = {{ kind = "lognormal" }}
trajectory = {{ kind = "plateau" }}

[design]
patients = {PATIENTS}
follow_up = {END:g}
visits = {{ first = [0, 1, 3, 6, 9, {END:g}] }}
loss = {{ hazard = 0.02 }}

[published]
source = "a known truth"
patients = {PATIENTS}
lost = {{ count = 4 }}

[published.numbers]
strength_start = {{ outcome = "strength", at = "first", mean = 50, sd = 10, rounded = 0.1 }}
strength_change = {{ outcome = "strength", from = "first", mean = 5, sd = 5, rounded = 0.1 }}
cpk_start = {{ outcome = "cpk", at = "first", median = 900, rounded = 1 }}
cpk_3 = {{ outcome = "cpk", at = 3, median = 500, rounded = 1 }}
cpk_last = {{ outcome = "cpk", at = "last", median = 200, rounded = 1 }}

[published.responders]
normal = {{ criteria = {{ cpk = {{ at_most = 200 }} }}, count = 8 }}
"""


def power(slope: np.ndarray, sd_slope: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    """Of a one-sided t test at 2.5 % of no change between the first visit and the last, of patients who all stay."""
    sd = np.sqrt((END * sd_slope) ** 2 + 2 * sigma**2)
    shift, freedom = np.sqrt(PATIENTS) * END * slope / sd, PATIENTS - 1
    return stats.nct.sf(stats.t.ppf(0.975, freedom), freedom, shift)


def rebuilt(study: Study, abstracts: int, simulations: int) -> None:
    """How many intervals hold the truth, of each parameter and of power; written after every abstract."""
    table = Table(study, np.random.default_rng(SEED), simulations)
    names, rng = table.unknowns.names, np.random.default_rng(SEED + 1)
    held = dict.fromkeys([*names, "power"], 0)
    done = 0
    while done < abstracts:
        truths = from_priors(study, rng, (1,))
        vector = table.unknowns.vectors(truths, rng)[0]
        simulated = simulate(study, truths.take(0), rng, PATIENTS, table.unknowns.designed(vector))
        observed = print_of(study, simulated, recorded(study, simulated.cohort))
        if not np.isfinite(observed).all():
            continue
        draws = table.given(observed).draws
        values = {name: (draws[:, k], vector[k]) for k, name in enumerate(names)}
        both = [[values[f"strength.{key}"][i] for key in ("slope", "sd_slope", "sigma")] for i in (0, 1)]
        scaled = [power(slope, np.exp(sd), np.exp(sigma)) for slope, sd, sigma in both]
        values["power"] = scaled[0], scaled[1]
        tail = (1 - MASS) / 2
        for name, (drawn, truth) in values.items():
            low, high = np.quantile(drawn, [tail, 1 - tail])
            held[name] += int(low <= truth <= high)
        done += 1
        told = {"abstracts": done, "simulations": simulations, "seed": SEED, "held": held}
        EVIDENCE.write_text(json.dumps(told, indent=1) + "\n")
        print(f"{done} of {abstracts}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--abstracts", type=int, default=50)
    parser.add_argument("--simulations", type=int, default=4000)
    asked = parser.parse_args()
    rebuilt(parse_study(STUDY), asked.abstracts, asked.simulations)
