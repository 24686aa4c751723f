"""Are the bundled studies calibrated at 10, 23 and 50 patients? Kept in docs/evidence/studies.json, and as a table.

    uv run python scripts/studies.py FOLDER [--replicates 200] [--studies ivig-paper,safety] [--workers 2] [--engine nuts] [--summary]

Each study is calibrated over its own priors, as `bayesmyo calibrate STUDY -o FOLDER/STUDY --engine nuts --patients 10,23,50 --seed 2026` does. It takes hours, may be stopped
and goes on where it stopped; the table says of a study that is not finished how far it is.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from bayesmyo.report import progress
from bayesmyo.simulation.calibration.coverage import LEVELS
from bayesmyo.simulation.calibration.verdict import CellCalibration, calibration
from bayesmyo.simulation.store import read_results
from bayesmyo.simulation.studies import calibrate
from bayesmyo.study import find_study

SEED, PATIENTS = 2026, (10, 23, 50)
STUDIES = ("ivig-paper", "safety", "ivig-separate", "ivig")
OUTPUT = Path(__file__).parents[1] / "docs" / "evidence" / "studies.json"


def cell(study: str, asked: int, c: CellCalibration) -> dict[str, Any]:
    """One line of the table. coverage: of central intervals, over all estimands and parameters together."""
    worst = min(c.quantities, key=lambda q: q.p, default=None)
    pooled = {
        f"{level:g}": float(np.mean([q.coverage.levels[level].value for q in c.quantities])) if c.quantities else None
        for level in LEVELS
    }
    return {
        "study": study, "patients": c.patients, "replicates": c.replicates, "asked": asked, "failed": c.failed, "again": c.again,
        "divergent": c.divergent, "quantities": len(c.quantities), "worst": worst.name if worst else None, "p": worst.p if worst else None,
        "adjusted": min((q.adjusted for q in c.quantities), default=None), "passed": c.passed, "coverage": pooled, "sentence": c.sentence,
    }  # fmt: skip


def table(found: list[dict[str, Any]]) -> str:
    lines = [
        "| study | patients | replicates | failed | again | quantities | least p | of | Holm p | coverage of 50, 80, 90, 95 % | |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for c in found:
        if not c["replicates"]:
            lines.append(f"| {c['study']} | {c['patients']} | none of {c['asked']} | | | | | | | | PARTIAL |")
            continue
        partial = c["replicates"] < c["asked"]
        much = f"PARTIAL: {c['replicates']} of {c['asked']}" if partial else f"{c['replicates']}"
        verdict = {True: "nothing found so far" if partial else "passes", False: "**FAILS**", None: "too few"}[
            c["passed"]
        ]
        covers = ", ".join(f"{100 * v:.1f}" for v in c["coverage"].values())
        lines.append(
            f"| {c['study']} | {c['patients']} | {much} | {sum(c['failed'].values())} | {c['again']} | {c['quantities']} | {c['p']:.3f} | `{c['worst']}` "
            f"| {c['adjusted']:.2f} | {covers} | {verdict} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--replicates", type=int, default=200)
    parser.add_argument("--studies", default=",".join(STUDIES))
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--engine", default="nuts")
    parser.add_argument("--summary", action="store_true")
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    for name in asked.studies.split(",") if not asked.summary else ():
        with progress.replicates() as tell:
            calibrate(
                find_study(name), asked.folder / name, patients=PATIENTS, replicates=asked.replicates, seed=SEED, engine=asked.engine,
                workers=asked.workers, progress=tell,
            )  # fmt: skip
    found = []
    for name in STUDIES:
        if (asked.folder / name).is_dir():
            results = read_results(asked.folder / name)
            cells = calibration(results).cells
            found += [cell(name, asked.replicates, c) for c in cells]
    OUTPUT.write_text(json.dumps(found, indent=1) + "\n")
    print(table(found))


if __name__ == "__main__":
    main()
