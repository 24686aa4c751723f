"""How far do default priors move a difference between groups on the logit? Kept in docs/evidence/default_priors.

    uv run python scripts/default_priors.py FOLDER [--cohorts 25] [--only "binary trial; bernoulli"] [--summary]

Each cohort is analysed three times: `before`, with the spread between patients as the SD of a difference, as it was the default once;
`after`, with the defaults of today; and `flat`, with every prior ten times as wide as those of today. What is compared is the
difference on the link (a log odds ratio) and the contrast of the study in outcome units. Real cohorts are
read where they are (they are not copied here); of simulated ones the difference is known. Posteriors are exact
(`quadrature.py`). Rows are appended as they come, and the same command goes on
where it stopped.
"""

import argparse
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from quadrature import Quadrature

from bayesmyo.cohort import read_cohort
from bayesmyo.cohort.cohort import Cohort
from bayesmyo.errors import BayesmyoError
from bayesmyo.model.prediction import TruthPrediction
from bayesmyo.model.simulate import simulate
from bayesmyo.model.truth import from_scenario
from bayesmyo.seeds import SAMPLE, SIMULATE, address
from bayesmyo.study import parse_study
from bayesmyo.study.predictors import predictors
from bayesmyo.study.study import Study

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared"
SEED = 1111
SIZES = (10, 23, 50)
FLAT = 10.0
LEAST = 100  # effective draws of a posterior that is used
PRIORS = ("before", "after", "flat")

HEAD = """
[study]
title = "A difference between two groups"
patient = "patient"
time = { column = "month", unit = "month", typical = 6 }
correlate = "none"
[covariates.arm]
levels = ["a", "b"]
[design]
patients = 23
balanced = ["arm"]
follow_up = 6
visits = { first = [0, 1, 3, 6] }
[estimands.contrast]
kind = "level"
outcome = "y"
at = 6
contrast = { covariate = "arm", level = "b", reference = "a" }
[outcomes.y]
column = "y"
unit = "units"
better = "higher"
"""
LINE = 'trajectory = { kind = "linear" }\neffects = ["intercept"]\n'
OF_ARM = 'covariates = ["arm"]\n'
GRADES = "threshold_1 = -2, threshold_2 = -1, threshold_3 = 0, threshold_4 = 1, threshold_5 = 2"
FAMILIES = {
    "bernoulli": (
        'typical = 0.4\nscale = 0.2\nfamily = { kind = "bernoulli" }\n' + LINE + OF_ARM,
        "intercept = 0.3, slope = 0.05, arm_b = 1.5, sd_intercept = 1.5",
    ),
    "cumulative": (
        'scale = 1.5\nfamily = { kind = "cumulative", coding = "mrc" }\n' + LINE + OF_ARM,
        f"slope = 0.05, arm_b = 1.5, sd_intercept = 1.5, {GRADES}",
    ),
    "beta_binomial": (
        'typical = 60\nscale = 8\nfamily = { kind = "beta_binomial", trials = 80 }\n' + LINE + OF_ARM,
        "intercept = 56, slope = 0.05, arm_b = 1.5, sd_intercept = 0.7, precision = 40",
    ),
    "ordered_beta": (
        'typical = 3.6\nscale = 0.7\nfamily = { kind = "ordered_beta", lower = 0, upper = 5 }\n' + LINE + OF_ARM,
        "intercept = 3.4, slope = 0.05, arm_b = 1.5, sd_intercept = 0.7, cut_floor = 4, cut_ceiling = 4, precision = 40",
    ),
    "hurdle, zero part": (
        'typical = 40\nscale = 2\nfamily = { kind = "hurdle_lognormal" }\ntrajectory = { kind = "constant" }\n'
        '[outcomes.y.zero]\ntypical = 0.3\nscale = 0.2\n' + LINE + OF_ARM,
        "intercept = 30, sd_intercept = 0.5, sigma = 0.3, "
        "zero_intercept = 0.25, zero_slope = 0.05, zero_arm_b = 1.5, sd_zero_intercept = 1.5",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Real:
    """A cohort that others have analysed, without the priors of its study file. differences: parameters to compare"""

    study: Path
    table: Path
    differences: tuple[str, ...]
    estimands: str = ""


REFERENCE = ROOT / "tests" / "reference"
CHANGE = """
[estimands.contrast]
kind = "change"
outcome = "{}"
from = 0
to = {}
contrast = {{ covariate = "{}", level = "{}", reference = "{}" }}
"""
COHORTS = {
    "binary trial": Real(
        SHARED / "cases" / "binary_trial_default_prior" / "study.toml",
        SHARED / "cases" / "binary_trial_default_prior" / "table.csv",
        ("treatment_treatment",),
    ),
    "toenail": Real(
        REFERENCE / "toenail.toml", SHARED / "reference" / "toenail.csv", ("slope_treatment_terbinafine",),
        CHANGE.format("infection", 12, "treatment", "terbinafine", "itraconazole"),
    ),
    "wine": Real(REFERENCE / "wine.toml", SHARED / "reference" / "wine.csv", ("temp_warm", "contact_yes")),
    "schizophrenia": Real(
        REFERENCE / "schizophrenia.toml", SHARED / "reference" / "schizophrenia.csv", ("slope_drug_1",),
        CHANGE.format("severity", 6, "drug", "1", "0"),
    ),
}  # fmt: skip


def real(name: str) -> tuple[Study, Cohort]:
    """The study with default priors, and its table."""
    one = COHORTS[name]
    study = parse_study(one.study.read_text() + one.estimands)
    outcomes = {k: replace(o, priors={}) for k, o in study.outcomes.items()}
    study = replace(study, outcomes=outcomes)
    return study, read_cohort(study, one.table)


def simulated(family: str, patients: int, number: int) -> tuple[Study, Cohort, dict[str, float]]:
    """The study, a cohort of its one scenario, and what is true there."""
    declared, stated = FAMILIES[family]
    study = parse_study(f"{HEAD}{declared}[scenarios.truth]\ny = {{ {stated} }}\n")
    rng = np.random.default_rng(address(SEED, SIMULATE, list(FAMILIES).index(family), number, patients))
    one = simulate(study, from_scenario(study, "truth"), rng, patients)
    true = study.estimands["contrast"].of(TruthPrediction(study, one.truth))
    name = "zero_arm_b" if "zero" in family else "arm_b"
    truth = {name: float(one.truth.value("y", name))}
    return study, one.cohort, truth if "zero" in family else truth | {"contrast": float(true)}


def before(study: Study) -> Study:
    """The same study with the defaults of before stated, which stood on the spread between patients alone."""
    outcomes = {}
    for name, o in study.outcomes.items():
        priors: dict[str, str] = {}
        for p in predictors(study, name):
            priors |= {p.prefix + c.name: str(c.prior) for c in p.coefficients if c.prior and c.fixed is None}
            priors |= {f"{p.prefix}{column}": f"normal(0, {p.scale.spread:.9g})" for column in p.level_columns}
            for c in p.moderated:
                sd = p.scale.spread / c.per
                priors |= {f"{p.prefix}{c.name}_{column}": f"normal(0, {sd:.9g})" for column in p.change_columns}
        outcomes[name] = replace(o, priors=priors)
    return replace(study, outcomes=outcomes)


class Exactly:
    """Posteriors of a study in which patients differ in one thing. fixed: parameters of a hurdle's other part."""

    def __init__(self, study: Study, fixed: dict[str, float], nodes: int = 24):
        self.studies = {"before": before(study), "after": study, "flat": study}
        self.fixed, self.nodes = fixed, nodes

    def run(self, cohort: Cohort, prior: str, asked: tuple[str, ...], seed: int) -> dict[str, Any]:
        key = "zero_intercept" if self.fixed else ""
        posterior = Quadrature(self.studies[prior], cohort, key, self.fixed, self.nodes)
        return posterior.run(asked, FLAT if prior == "flat" else 1.0, seed)


def rounded(x: float) -> float:
    return float(f"{x:.5g}")


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def run(path: Path, analyses: Exactly, cohorts: Iterable[tuple[int, Cohort, dict[str, float]]]) -> None:
    """Analyse what has not been analysed yet, and append a row for each."""
    finished = {(r["cohort"], r["prior"]) for r in rows(path)}
    with path.open("a") as out:
        for number, cohort, truth in cohorts:
            for prior in PRIORS:
                if (number, prior) in finished:
                    continue
                row: dict[str, Any] = {
                    "cohort": number,
                    "prior": prior,
                    "truth": {n: rounded(v) for n, v in truth.items() if np.isfinite(v)},
                }
                try:
                    row |= analyses.run(cohort, prior, tuple(truth), address(SEED, SAMPLE, len(cohort), number))
                except BayesmyoError as error:
                    row |= {"failed": str(error)}
                out.write(json.dumps(row) + "\n")
                out.flush()
                os.fsync(out.fileno())


def run_all(folder: Path, cohorts: int, only: list[str]) -> None:
    for name, one in COHORTS.items():
        if one.table.exists() and (not only or name in only):
            study, cohort = real(name)
            asked = [*one.differences, "sd_intercept", *(["contrast"] if study.estimands else [])]
            run(folder / file_name(name), Exactly(study, {}, nodes=60), [(0, cohort, dict.fromkeys(asked, np.nan))])
    for family in FAMILIES:
        for patients in SIZES if not only or family in only else ():
            study, fixed = simulated(family, patients, 0)[0], {}
            if "zero" in family:  # which the other part says nothing of: their effects are independent
                known = from_scenario(study, "truth").outcomes["y"].values
                fixed = {k: float(v) for k, v in known.items() if "zero" not in k}
            informative = study.outcomes["y"].family.informative and not fixed
            analyses = Exactly(study, fixed, nodes=40 if informative else 24)
            each = ((n, *simulated(family, patients, n)[1:]) for n in range(cohorts))
            run(folder / file_name(f"{family} {patients}"), analyses, each)


def file_name(name: str) -> str:
    return f"{name.replace(', ', ' ').replace(' ', '_')}.jsonl"


def trusted(row: dict[str, Any]) -> bool:
    return "failed" not in row and row["ess"] >= LEAST


def cohorts_of(path: Path) -> tuple[list[dict[str, dict[str, Any]]], int]:
    """The rows of each cohort by prior, of those whose three posteriors can be trusted; how many can not."""
    found: dict[int, dict[str, dict[str, Any]]] = {}
    for row in rows(path):
        found.setdefault(row["cohort"], {})[row["prior"]] = row
    complete = [c for c in found.values() if len(c) == len(PRIORS)]
    kept = [c for c in complete if all(map(trusted, c.values()))]
    return kept, len(complete) - len(kept)


def shift(cohort: dict[str, dict[str, Any]], name: str, prior: str) -> float:
    """How far a posterior mean is from that under flat priors, in SDs of the latter."""
    mean, sd = cohort["flat"]["numbers"][name][:2]
    return (cohort[prior]["numbers"][name][0] - mean) / sd


def summary(folder: Path) -> str:
    lines = [
        "| cohort | number | before | after | flat | shift before | shift after |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in COHORTS:
        for c in cohorts_of(folder / file_name(name))[0]:
            for number in c["flat"]["numbers"]:
                said = " | ".join("{:.3g} ({:.2g})".format(*c[p]["numbers"][number][:2]) for p in PRIORS)
                lines.append(
                    f"| {name} | `{number}` | {said} | {shift(c, number, 'before'):+.2f} | {shift(c, number, 'after'):+.2f} |"
                )
    lines += [
        "",
        "| family | patients | number | cohorts | left out | shift before, after | bias before, after, flat | coverage before, after, flat |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for family in FAMILIES:
        for patients in SIZES:
            kept, left = cohorts_of(folder / file_name(f"{family} {patients}"))
            for number in kept[0]["flat"]["numbers"] if kept else ():
                true = np.array([c["flat"]["truth"][number] for c in kept])
                said = {p: np.array([c[p]["numbers"][number] for c in kept]) for p in PRIORS}
                shifts = ", ".join(f"{np.mean([abs(shift(c, number, p)) for c in kept]):.2f}" for p in PRIORS[:2])
                bias = ", ".join(f"{(said[p][:, 0] - true).mean():+.3g}" for p in PRIORS)
                covers = ", ".join(str(int(((said[p][:, 2] <= true) & (true <= said[p][:, 4])).sum())) for p in PRIORS)
                lines.append(
                    f"| {family} | {patients} | `{number}` | {len(kept)} | {left} | {shifts} | {bias} | {covers} |"
                )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--cohorts", type=int, default=25)
    parser.add_argument("--only", default="")
    parser.add_argument("--summary", action="store_true")
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    if not asked.summary:
        run_all(asked.folder, asked.cohorts, [name for name in asked.only.split("; ") if name])
    print(summary(asked.folder))


if __name__ == "__main__":
    main()
