"""Simulation-based calibration of every family with a straight line and with a plateau, at 5 patients and 4 visits.

    uv run python scripts/calibration.py FOLDER [--replicates 200] [--shard 1/2] [--only cumulative] [--seed 1804]
    uv run python scripts/calibration.py FOLDER --groups [--replicates 200]: straight lines in two groups, 10 patients
    uv run python scripts/calibration.py FOLDER --words [--replicates 200]: parameters with predictors of their own,
        residuals that hang together, effects of covariates of visits
    uv run python scripts/calibration.py FOLDER --events [--replicates 200]: joint models and events, 10 patients
    uv run python scripts/calibration.py FOLDER --planted: cohorts drawn with a fault in a word, until it is seen
    uv run python scripts/calibration.py FOLDER --summary

Truths are drawn from the priors, cohorts from the truths, and each is fitted; the rank of every true value among its
draws is then uniform if the model's code, the simulator's and the sampler agree. Models share the seed, and with it the
luck of their truths. Rows are appended as they come, one file for each model, and the same command goes on where it
stopped. The summary passes where the Holm-adjusted p-value of every quantity is above 0.01. What is drawn with a fault
is looked at every ten cohorts, and stops below 0.0001: twenty looks then cry wolf less often than the one of the rest.
"""

import argparse
import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy import stats

from bayesmyo.inference.engines import Sampling
from bayesmyo.model.simulate import Simulated, simulate
from bayesmyo.model.truth import Truth
from bayesmyo.seeds import SIMULATE, address
from bayesmyo.simulation.cell import Cell
from bayesmyo.simulation.replicate import Replicator
from bayesmyo.study import Study, parse_study

SEED = 1804
IN_GROUPS_PATIENTS = 10
PASS = 0.01
SEEN, EVERY = 1e-4, 10  # how small a p-value ends a planted model, and after how many cohorts each time it is asked
HEAD = """
[study]
title = "Calibration"
patient = "patient"
time = { column = "month", unit = "month", typical = 6 }
correlate = "within outcomes"

[design]
patients = 5
follow_up = { mean = 12, sd = 0.01, maximum = 12 }
visits = { first = [0, 1, 3, 6], then_every = 100 }
# exposure

[outcomes.y]
column = "y"
unit = "units"
better = "higher"
"""
FAMILIES = {
    "gaussian": 'typical = 5\nscale = 2\nfamily = { kind = "gaussian" }',
    "student_t": 'typical = 5\nscale = 2\nfamily = { kind = "student_t" }',
    "lognormal": 'typical = 100\nscale = 2.5\nfamily = { kind = "lognormal" }',
    "gamma": 'typical = 100\nscale = 2.5\nfamily = { kind = "gamma" }',
    "hurdle_lognormal": 'typical = 40\nscale = 2\nfamily = { kind = "hurdle_lognormal" }\n'
    'zero.typical = 0.3\nzero.scale = 0.2\nzero.trajectory = { kind = "linear" }',
    "cumulative": 'scale = 1.5\nfamily = { kind = "cumulative", coding = "mrc" }',
    "cumulative_probit": 'scale = 1\nfamily = { kind = "cumulative", coding = "mrc", link = "probit" }',
    "ordered_beta": 'typical = 3.6\nscale = 0.7\nfamily = { kind = "ordered_beta", lower = 0, upper = 5 }',
    "beta_binomial": 'typical = 60\nscale = 8\nfamily = { kind = "beta_binomial", trials = 80 }',
    "bernoulli": 'typical = 0.4\nscale = 0.2\nfamily = { kind = "bernoulli" }',
    "poisson": 'typical = 5\nscale = 2\nexposure = "infusions"\nfamily = { kind = "poisson" }',
    "poisson_observation": 'typical = 5\nscale = 2\nfamily = { kind = "poisson", observation_effect = true }',
    "negative_binomial": 'typical = 5\nscale = 2\nexposure = "infusions"\nfamily = { kind = "negative_binomial" }',
}
LINE = 'trajectory = { kind = "linear" }\n'
LOW_COUNTS = "typical = 3\nscale = 2\n"
ONE_ARM = '[covariates.arm]\nlevels = ["a", "b"]\n'
EXTRA = "typical = 0.3\nscale = 0.15\n"
# what stands in the outcome's table after its unit, and further tables
WORDS = {
    "sigma by arm": FAMILIES["gaussian"] + f'\n{LINE}[outcomes.y.sigma]\ncovariates = ["arm"]\n{ONE_ARM}',
    "sigma of each patient": FAMILIES["lognormal"] + f'\n{LINE}[outcomes.y.sigma]\neffects = ["intercept"]\n',
    "sigma over time": FAMILIES["student_t"] + f"\n{LINE}[outcomes.y.sigma]\n{LINE}",
    "precision over time": FAMILIES["ordered_beta"] + f"\n{LINE}[outcomes.y.precision]\n{LINE}",
    "cv by arm": FAMILIES["gamma"] + f'\n{LINE}[outcomes.y.cv]\ncovariates = ["arm"]\n{ONE_ARM}',
    "zero-inflated poisson": LOW_COUNTS
    + f'family = {{ kind = "poisson" }}\n{LINE}[outcomes.y.zero_inflation]\n{EXTRA}',
    "zero-inflated negative binomial": LOW_COUNTS
    + f'family = {{ kind = "negative_binomial" }}\n{LINE}[outcomes.y.zero_inflation]\n{EXTRA}effects = ["intercept"]\n',
    "zero-inflated beta-binomial": FAMILIES["beta_binomial"] + f"\n{LINE}[outcomes.y.zero_inflation]\n{EXTRA}",
    "hurdle poisson": LOW_COUNTS
    + f'family = {{ kind = "poisson" }}\n{LINE}[outcomes.y.zero]\n{EXTRA}effects = ["intercept"]\n',
    "hurdle negative binomial": LOW_COUNTS
    + f'family = {{ kind = "negative_binomial" }}\n{LINE}[outcomes.y.zero]\n{EXTRA}{LINE}',
    "own effect of treatment": FAMILIES["gaussian"]
    + '\ntrajectory = { kind = "constant" }\ncovariates = ["on"]\neffects = ["intercept", "on"]\n'
    '[covariates.on]\nlevels = ["off", "on"]\nvaries = "visits"\n',
    "own effect of treatment, counts": FAMILIES["poisson"]
    + '\ntrajectory = { kind = "constant" }\ncovariates = ["on"]\neffects = ["intercept", "on"]\n'
    '[covariates.on]\nlevels = ["off", "on"]\nvaries = "visits"\n',
    "groups": FAMILIES["gaussian"] + f'\n{LINE}covariates = ["site"]\n[groups.site]\nlevels = ["a", "b"]\n',
    "groups, change of counts": FAMILIES["poisson"]
    + f'\n{LINE}moderators = ["site"]\n[groups.site]\nlevels = ["a", "b"]\n',
    "known errors": FAMILIES["gaussian"] + f'\n{LINE}error = "se"\n[design.error]\nse = 2\n',
    "ou": FAMILIES["gaussian"] + f'\n{LINE}residual = {{ kind = "ou" }}\n',
    "ou of counts": FAMILIES["poisson"] + f'\n{LINE}effects = ["intercept"]\nresidual = {{ kind = "ou" }}\n',
    "ou of scores": FAMILIES["ordered_beta"] + f'\n{LINE}effects = ["intercept"]\nresidual = {{ kind = "ou" }}\n',
    "unstructured": FAMILIES["gaussian"]
    + '\ntrajectory = { kind = "visits", at = [0, 1, 3, 6], window = 0.4 }\nresidual = { kind = "unstructured" }\n',
    "change on treatment": FAMILIES["gaussian"]
    + f'\n{LINE}effects = ["intercept"]\ncovariates = ["on"]\nmoderators = ["on"]\n'
    '[covariates.on]\nlevels = ["off", "on"]\nvaries = "visits"\n',
    "residuals of two outcomes": FAMILIES["gaussian"]
    + f'\n{LINE}effects = ["intercept"]\n[outcomes.z]\ncolumn = "z"\nunit = "units"\nbetter = "higher"\n'
    f"{FAMILIES['lognormal']}\n"
    f'{LINE}effects = ["intercept"]\n',
}
# events beside one outcome, of twice as many patients
EVENT = "\n[events.lost]\ntypical = 0.5\n"
EVENTS = {
    "loss by the current value": FAMILIES["gaussian"]
    + f'\n{LINE}{EVENT}reasons = ["lost"]\nhazard = {{ kind = "weibull" }}\ndepends = {{ y = "level" }}\n',
    "loss by the slope of counts": FAMILIES["poisson"]
    + f'\n{LINE}{EVENT}reasons = ["lost"]\nhazard = {{ kind = "constant" }}\ndepends = {{ y = "slope" }}\n',
    "relapse between visits by the area": FAMILIES["lognormal"]
    + f'\n{LINE}{EVENT}column = "relapse"\nhazard = {{ kind = "piecewise", knots = [3] }}\n'
    'depends = { y = "area" }\n',
    "relapses by an effect": FAMILIES["gaussian"]
    + f'\n{LINE}{EVENT}at = "relapse"\nrecurrent = true\nhazard = {{ kind = "constant" }}\n'
    'depends = { y = "intercept" }\n',
    "two reasons": FAMILIES["gaussian"]
    + f'\n{LINE}{EVENT}reasons = ["lost"]\nhazard = {{ kind = "constant" }}\ndepends = {{ y = "level" }}\n'
    '[events.died]\ntypical = 0.3\nreasons = ["died"]\nhazard = { kind = "weibull" }\ndepends = { y = "slope" }\n',
}
# word -> a parameter, and what cohorts are drawn with in place of its true value: to a likelihood with that error, the
# same
PLANTED = {
    "ou of counts": ("y", "sd_ou", lambda v: v + 1.0),
    "zero-inflated poisson": ("y", "zero_inflation_intercept", lambda v: v + 2.0),
    "hurdle poisson": ("y", "zero_intercept", lambda v: v + 2.0),
    "sigma by arm": ("y", "sigma_arm_b", lambda v: v + 2.0),
    "precision over time": ("y", "precision_slope", lambda v: v - 1.0),
    "cv by arm": ("y", "cv_arm_b", lambda v: v + 2.0),
    "groups": ("y", "site_b", lambda v: v + 5.0),
    "own effect of treatment": ("y", "sd_on_on", lambda v: v + 5.0),
    "change on treatment": ("y", "slope_on_on", lambda v: v + 2.0),
    "ou": ("y", "sd_ou", lambda v: v + 5.0),
    "unstructured": ("y", "sigma_change_3", lambda v: v + 2.0),
    "known errors": ("y", "sigma", lambda v: np.sqrt(v**2 + 12.0)),  # twice as large as the column of errors says
    "residuals of two outcomes": ("correlations", "y_residual_z_residual", lambda v: 0.95 + 0 * v),
}
TRAJECTORIES = ("linear", "plateau")
# whose defaults leave room for groups that differ
GROUPED = ("bernoulli", "cumulative", "cumulative_probit", "beta_binomial", "ordered_beta", "hurdle_lognormal")
IN_GROUPS = "linear, two groups"
OWN = "as it stands"
ARM = 'covariates = ["arm"]\nmoderators = ["arm"]\n'
OF_ZERO = 'zero.covariates = ["arm"]\nzero.moderators = ["arm"]\n'


def study(family: str, trajectory: str) -> Study:
    declared, kind = {**FAMILIES, **WORDS, **EVENTS}[family], trajectory.split(",")[0]
    text = f"{HEAD}{declared}\n"
    if family in EVENTS:
        text = text.replace("typical = 6 }", 'typical = 6, exit = "left", reason = "why" }', 1)
        text = text.replace("patients = 5", f"patients = {IN_GROUPS_PATIENTS}")
    if "[outcomes.z]" in declared:
        text = text.replace("[design]", 'correlate_residuals = ["y", "z"]\n\n[design]', 1)
    if trajectory != OWN:
        text += f'trajectory = {{ kind = "{kind}" }}\n'
    elif ONE_ARM in text:
        text = text.replace("patients = 5", 'patients = 5\nbalanced = ["arm"]')
    if trajectory == IN_GROUPS:
        text += f'{ARM}{OF_ZERO if "zero." in declared else ""}[covariates.arm]\nlevels = ["a", "b"]\n'
        text = text.replace("patients = 5", f'patients = {IN_GROUPS_PATIENTS}\nbalanced = ["arm"]')
    exposure = "exposure = { infusions = 3 }" if "exposure" in declared else ""
    return parse_study(text.replace("# exposure", exposure))


class Faulty(Replicator):
    """Cohorts are drawn with a fault; what they are compared with is the truth without it."""

    fault: tuple = ()

    def simulate(self, replicate: int) -> Simulated:
        rng = np.random.default_rng(address(self.seed, SIMULATE, self.place, replicate))
        truth, (outcome, name, wrong) = self.cell.truth(rng), self.fault
        values = {o: dict(own.values) for o, own in truth.outcomes.items()} | {"correlations": dict(truth.correlations)}
        values[outcome][name] = wrong(values[outcome][name])
        told = {o: replace(own, values=values[o]) for o, own in truth.outcomes.items()}
        drawn = simulate(self.cell.study, Truth(told, values["correlations"]), rng, self.cell.patients)
        right = {o: replace(own, values=truth.outcomes[o].values) for o, own in drawn.truth.outcomes.items()}
        return replace(drawn, truth=replace(drawn.truth, outcomes=right, correlations=truth.correlations))


def file_name(family: str, trajectory: str) -> str:
    return f"{family}-{trajectory}.jsonl".replace(", ", "-").replace(" ", "_")


def cells(which: str, only: str = "") -> list[tuple[str, str]]:
    """(family, trajectory) of every model."""
    chosen = {
        "families": [(f, t) for f in FAMILIES for t in TRAJECTORIES],
        "groups": [(f, IN_GROUPS) for f in GROUPED],
        "words": [(word, OWN) for word in WORDS],
        "events": [(word, OWN) for word in EVENTS],
        "planted": [(word, OWN) for word in PLANTED],
    }[which]
    return [(f, t) for f, t in chosen if not only or f in only.split(",")]


def rows(path: Path) -> list[dict]:
    lines = path.read_text().splitlines() if path.exists() else []
    unique = {row["replicate"]: row for row in map(json.loads, lines)}
    return [unique[k] for k in sorted(unique)]


def run(folder: Path, family: str, trajectory: str, replicates: int, seed: int = SEED, fault: tuple = ()) -> None:
    path = folder / file_name(family, trajectory)
    finished = {row["replicate"] for row in rows(path)}
    if len(finished) >= replicates:
        return
    sampling = Sampling(draws=500, tune=500, chains=2, cores=1, target_accept=0.95)
    one = study(family, trajectory)
    cell = Cell(one, None, one.design.patients, one)
    replicator = (Faulty if fault else Replicator)(
        cell, seed=seed, sampling=sampling, record=("parameter", "effect", "joint"), place=0
    )
    if fault:
        replicator.fault = fault
    with path.open("a") as out:
        for replicate in range(replicates):
            if fault and replicate % EVERY == 0 and seen(rows(path)):
                return
            if replicate not in finished:
                row = replicator.run(replicate)
                head = {k: getattr(row, k) for k in ("replicate", "stage", "reason", "rhat", "ess", "divergences")}
                ranks = {q.name: round(q.rank, 4) for q in row.quantities if q.rank is not None}
                out.write(json.dumps(head | {"ranks": ranks}) + "\n")
                out.flush()
                os.fsync(out.fileno())


def holm(p: np.ndarray) -> np.ndarray:
    """p-values adjusted for how many there are (Holm 1979)."""
    order = np.argsort(p)
    adjusted = np.maximum.accumulate(p[order] * (len(p) - np.arange(len(p))))
    found = np.empty(len(p))
    found[order] = np.minimum(adjusted, 1.0)
    return found


def adjusted(done: list[dict]) -> tuple[dict[str, float], dict[str, float]]:
    """p-values of uniform ranks for each quantity, and the same adjusted for their number."""
    p = {q: float(stats.kstest([r["ranks"][q] for r in done], "uniform").pvalue) for q in done[0]["ranks"]}
    return p, dict(zip(p, holm(np.array(list(p.values()))).tolist(), strict=True))


def seen(rows: list[dict]) -> bool:
    done = [r for r in rows if r["stage"] == "done"]
    return bool(done) and min(adjusted(done)[1].values()) < SEEN


def summary(folder: Path, replicates: int, which: str) -> str:
    lines = [
        "| model | replicates | failed | divergent | quantities | least p | of | Holm p | |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    partial = []
    for family, trajectory in cells(which):
        name = f"{family}-{trajectory}"
        found = rows(folder / file_name(family, trajectory))
        done = [r for r in found if r["stage"] == "done"]
        right = which != "planted"
        if len(found) < replicates and (right or not seen(found)):
            partial.append(name)
        if not done:
            continue
        p, of_all = adjusted(done)
        worst = min(p, key=lambda q: p[q])
        passes = of_all[worst] > PASS
        verdict = ("passes" if right else "**NOT SEEN**") if passes else "**FAILS**" if right else "seen"
        divergent = sum(r["divergences"] > 0 for r in done)
        lines.append(
            f"| {family}, {trajectory} | {len(found)} | {len(found) - len(done)} | {divergent} | {len(p)} "
            f"| {p[worst]:.{'3f' if right else '1g'}} | `{worst}` "
            f"| {of_all[worst]:.{'2f' if right else '1g'}} | {verdict} |"
        )
    if partial:
        lines += ["", f"PARTIAL: fewer than {replicates} replicates of {', '.join(partial)}."]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--replicates", type=int, default=200)
    parser.add_argument("--shard", default="1/1")
    parser.add_argument("--only", default="")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--groups", action="store_const", const="groups", default="families", dest="which")
    parser.add_argument("--words", action="store_const", const="words", dest="which")
    parser.add_argument("--events", action="store_const", const="events", dest="which")
    parser.add_argument("--planted", action="store_const", const="planted", dest="which")
    parser.add_argument("--summary", action="store_true")
    chosen = parser.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    if not chosen.summary:
        first, of = map(int, chosen.shard.split("/"))
        for family, trajectory in cells(chosen.which, chosen.only)[first - 1 :: of]:
            fault = PLANTED[family] if chosen.which == "planted" else ()
            run(chosen.folder, family, trajectory, chosen.replicates, chosen.seed, fault)
    print(summary(chosen.folder, chosen.replicates, chosen.which))


if __name__ == "__main__":
    main()
