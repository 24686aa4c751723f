"""Do the intervals of a predicted patient hold for patients whom the fit has not seen?

    uv run python scripts/left_out.py REFERENCE [--cases pbc2,aids,epil]

Leave one patient out, on three cohorts that others have published and that stand in the folder REFERENCE. Each model is
fitted once to all patients. For each patient the draws are weighted by one over the likelihood of the own measurements,
the effects integrated out, which makes them draws of a fit to all others (Pareto k says whether that holds), and the
patient is predicted from them as `bayesmyo predict` does it: before the first visit, and after each. Counted is how often
the next measurement lies in the central 50, 80 and 90 % of what was predicted of it; a count that ties with draws lies
above or below at random. The Monte Carlo error is that of a mean over patients. Rates go to docs/evidence/left_out.json.
"""

import argparse
import json
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from time import process_time

import numpy as np

from bayesmyo.assess.population import COPIES, Population
from bayesmyo.assess.reweight import TRUSTED, evenly, reweight
from bayesmyo.cohort import read_cohort
from bayesmyo.inference.engines import Sampling
from bayesmyo.inference.fit import Fit, fit
from bayesmyo.model.marginal import log_marginal
from bayesmyo.model.truth import Truth
from bayesmyo.study import read_study

HERE = Path(__file__).parents[1]
EVIDENCE = HERE / "docs" / "evidence" / "left_out.json"
MODELS = HERE / "tests" / "reference"
CASES = {"pbc2": "pbc2.csv", "aids": "extra/aids.csv", "epil": "epil.csv"}
MASSES = (0.5, 0.8, 0.9)
WEIGHTED = 2000  # draws of the fit, for each patient


@dataclass(frozen=True, eq=False)
class WithoutOne(Population):
    """A population whose draws are those of a fit without one of its patients."""

    patient: int = 0

    @cached_property
    def left_out(self) -> tuple[Truth, float]:
        """The draws, and Pareto k of their weights."""
        whole = self.fit.truth.take(evenly(int(np.prod(self.fit.truth.shape)), WEIGHTED))
        log_density = log_marginal(self.study, self.fit.cohort, whole, self.patient)
        chosen, _, k = reweight(-log_density)
        outcomes = {name: replace(o, effects={}) for name, o in whole.outcomes.items()}
        return Truth(outcomes, whole.correlations).take(chosen), k

    @cached_property
    def truths(self) -> tuple[Truth, ...]:
        draws, _ = self.left_out
        return (draws.take(evenly(WEIGHTED, 512)), draws)


def places(known: Fit, patient: int, rng: np.random.Generator) -> tuple[list[float], float, float]:
    """Where each measurement lies among what was predicted of it, from 0 to 1; Pareto k of leaving out, and of the rest."""
    population = WithoutOne(known, (), {}, (), patient=patient)
    own = known.cohort.alone(patient)
    predicted = population.predict(own, "N01")
    found: list[float] = []
    visits = [b.time for b in predicted.basis[1:]]
    for time, state in zip(visits, predicted.states[:-1], strict=True):
        for name, whole in own.measurements.items():
            m = whole.take(whole.time == time)
            if len(m):
                drawn = state.at_visits(name, m, COPIES)
                below, upto = (drawn < m.value).sum(axis=0), (drawn <= m.value).sum(axis=0)
                found += ((below + rng.random(len(m)) * (upto - below + 1)) / (len(drawn) + 1)).tolist()
    return found, population.left_out[1], max(b.pareto_k for b in predicted.basis)


def one(case: str, reference: Path) -> dict:
    study = read_study(MODELS / f"{case}.toml")
    cohort = read_cohort(study, reference / CASES[case])
    known = fit(study, cohort, sampling=Sampling(cores=2))
    rng, inside, ks, seconds = np.random.default_rng(20219), [], [], []
    for patient in range(len(cohort)):
        began = process_time()
        found, left, rest = places(known, patient, rng)
        seconds.append(process_time() - began)
        ks.append(max(left, rest))
        inside.append([[abs(p - 0.5) <= mass / 2 for mass in MASSES] for p in found])
        print(case, patient, len(found), round(max(left, rest), 2), flush=True)
    sums, counts = np.array([np.sum(x, axis=0) for x in inside]), np.array([len(x) for x in inside])
    rates = sums.sum(axis=0) / counts.sum()
    error = np.sqrt(((sums - counts[:, None] * rates) ** 2).sum(axis=0)) / counts.sum()
    return {
        "case": case, "patients": len(cohort), "measurements": int(counts.sum()),
        **{f"{m:g}": [round(float(r), 4), round(float(e), 4)] for m, r, e in zip(MASSES, rates, error, strict=True)},
        "largest_pareto_k": round(float(np.max(ks)), 3), "not_trusted": int(np.sum(np.array(ks) > TRUSTED)),
        "median_seconds": round(float(np.median(seconds)), 3),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("reference", type=Path)
    parser.add_argument("--cases", default=",".join(CASES))
    chosen = parser.parse_args()
    rows = {r["case"]: r for r in (json.loads(EVIDENCE.read_text())["rows"] if EVIDENCE.exists() else [])}
    for case in chosen.cases.split(","):
        rows[case] = one(case, chosen.reference)
        EVIDENCE.write_text(json.dumps({"rows": [rows[c] for c in CASES if c in rows]}, indent=1) + "\n")
        print(rows[case])


if __name__ == "__main__":
    main()
