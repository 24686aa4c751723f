"""What a large cohort takes: the whole command `bayesmyo fit`, its time, its peak of memory, and what it leaves on the disk.

    uv run python benchmarks/large.py OUT.json [--patients 2000] [--visits 20] [--draws 1000] [--study line|ivig] [--engine nuts]

`line`: one Gaussian outcome with intercept and slope of each patient; `ivig`: the three outcomes of the bundled study, its scenario
`paper`. Each command is a process of its own; the peak is that of the operating system (`ru_maxrss`), libraries and compiler included.
A result in OUT.json of the same settings is replaced, others stay.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

LINE = """
[study]
title = "A line in each of many patients"
patient = "patient"
time = {{ column = "month", unit = "month" }}

[outcomes.y]
column = "y"
label = "Score"
unit = "point"
better = "higher"
typical = 50
scale = 10
family = {{ kind = "gaussian" }}
trajectory = {{ kind = "linear" }}

[estimands.y_12]
kind = "change"
outcome = "y"
from = 0
to = 12

[estimands.these_y_12]
kind = "change"
outcome = "y"
from = 0
to = 12
population = "these patients"

[design]
patients = {patients}
follow_up = {{ mean = {last}, sd = 0.001, maximum = {last} }}
visits = {{ first = [0], then_every = 1 }}

[scenarios.large]
y = {{ intercept = 50, slope = 0.5, sd_intercept = 8, sd_slope = 0.25, correlation = -0.4, sigma = 4 }}
"""


def command(*words: str) -> tuple[float, int]:
    """Seconds and peak of memory (bytes) of one command, which may end in 1: a check may fail."""
    code = "import json, resource, sys; from bayesmyo.cli import main\ntry: main()\nfinally: print('PEAK', resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)"
    start = time.perf_counter()
    run = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=False)
    took = time.perf_counter() - start
    print(run.stdout[-1500:], run.stderr[-1500:], flush=True)
    if run.returncode not in (0, 1):
        sys.exit(f"{words[0]} ended with {run.returncode}")
    return took, int(run.stderr.rsplit("PEAK", 1)[1]) * 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--patients", type=int, default=2000)
    parser.add_argument("--visits", type=int, default=20)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--study", choices=("line", "ivig"), default="line")
    parser.add_argument("--engine", default="nuts")
    given = parser.parse_args()
    settings = {k: v for k, v in vars(given).items() if k != "out"}
    with tempfile.TemporaryDirectory() as folder:
        study, table, fit = (str(Path(folder) / name) for name in ("study.toml", "table.csv", "fit.nc"))
        if given.study == "line":
            Path(study).write_text(LINE.format(patients=given.patients, last=given.visits - 1))
        else:
            study = "ivig"
        command("simulate", study, "-o", table, "--patients", str(given.patients))
        rows = Path(table).read_text().count("\n") - 1
        seconds, peak = command("fit", study, table, "-o", fit, "--engine", given.engine, "--draws", str(given.draws))
        again, peak_again = command("estimate", fit)
        row = {
            **settings, "rows": rows, "fit_seconds": round(seconds), "fit_peak_bytes": peak, "stored_bytes": Path(fit).stat().st_size,
            "estimate_seconds": round(again), "estimate_peak_bytes": peak_again,
        }  # fmt: skip
    kept = json.loads(given.out.read_text()) if given.out.exists() else []
    kept = [r for r in kept if {k: r[k] for k in settings} != settings]
    given.out.write_text(json.dumps([*kept, row], indent=2) + "\n")
    print(row)


if __name__ == "__main__":
    main()
