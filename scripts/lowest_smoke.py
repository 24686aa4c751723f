"""What `lowest_smoke.sh` runs in an environment of the lowest versions: each step ends in an exception where it does not work."""

import platform
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd

import bayesmyo

STUDY = """
[study]
title = "Lowest versions"
patient = "patient"
time = { column = "month", unit = "month" }

[outcomes.y]
column = "y"
label = "Score"
unit = "point"
better = "higher"
typical = 50
scale = 10
family = { kind = "gaussian" }
trajectory = { kind = "linear" }

[estimands.y_6]
kind = "change"
outcome = "y"
from = 0
to = 6

[decisions.better]
kind = "probability"
estimand = "y_6"
above = 0
probability = 0.9

[design]
patients = 6
follow_up = { mean = 6, sd = 0.1, maximum = 7 }
visits = { first = [0], then_every = 2 }

[scenarios.improves]
y = { intercept = 50, slope = 1, sd_intercept = 8, sd_slope = 0.25, correlation = -0.4, sigma = 2 }
"""


def bayesmyo_says(code: int, *words: str) -> None:
    """A command that must end with a code."""
    run = subprocess.run(
        [Path(sys.executable).parent / "bayesmyo", *words], capture_output=True, text=True, check=False
    )
    if run.returncode != code:
        sys.exit(f"bayesmyo {' '.join(words)} ended with {run.returncode}, not {code}:\n{run.stdout}{run.stderr}")


def main() -> None:
    Path("study.toml").write_text(STUDY)
    study = bayesmyo.read_study("study.toml")
    table = bayesmyo.to_csv(study, bayesmyo.simulate_scenario(study, "improves", 1).cohort)
    Path("table.csv").write_text(table)
    frame = pd.read_csv("table.csv", dtype=str)
    frame.to_excel("table.xlsx", index=False)
    frame.to_parquet("table.parquet")
    for name in ("table.csv", "table.xlsx", "table.parquet"):
        bayesmyo_says(0, "validate", "study.toml", name)
    bayesmyo_says(1, "fit", "study.toml", "table.xlsx", "-o", "dry.nc", "--engine", "mock", "--draws", "100")
    bayesmyo_says(1, "report", "dry.nc", "-o", "dry.html")

    cohort = bayesmyo.read_cohort(study, "table.parquet")
    fit = bayesmyo.fit(study, cohort, sampling=bayesmyo.Sampling(draws=500, tune=500))
    digest = bayesmyo.save_fit(fit, "fit.nc")
    again = bayesmyo.load_fit("fit.nc")
    assert again.tree.identical(fit.tree)
    assert bayesmyo.verify("fit.nc", "table.parquet").passed
    bayesmyo.save_fit(bayesmyo.share(again), "shared.nc")
    assert bayesmyo.save_fit(again, "again.nc") == digest
    assert np.isfinite(bayesmyo.estimate(again)["median"].to_numpy(dtype=float)).all()
    assert len(bayesmyo.decisions(again)) == 1
    bayesmyo.check(again)
    assert bayesmyo.write_report(again, "report.html").files[0].read_text().rstrip().endswith("</html>")
    bayesmyo_says(0, "verify", "shared.nc")
    print(f"the lowest versions work on Python {platform.python_version()}")


if __name__ == "__main__":
    main()
