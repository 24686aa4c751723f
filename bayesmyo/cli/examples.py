"""What --help says of a command after its options: examples to type, what the exit code means, and what to read next.

Every example is run by a test (`tests/test_help.py`), in this order, in one folder.
"""

EXAMPLES = {
    "studies": (
        "bayesmyo studies",
        "bayesmyo studies --json",
    ),
    "init": ("bayesmyo init my-study            # writes my-study.toml and my-study.csv",),
    "validate": (
        "bayesmyo validate ivig             # a bundled study: its model and priors",
        "bayesmyo validate my-study.toml my-study.csv",
        "bayesmyo validate my-study.toml my-study.csv --json",
    ),
    "evidence": (
        "bayesmyo evidence my-study.toml    # what its [evidence] tables come to",
        "bayesmyo evidence my-study.toml --json",
    ),
    "match": ("bayesmyo match ivig -o matched.toml --simulations 600   # a first look",),
    "simulate": (
        "bayesmyo simulate ivig -o cohort.csv",
        "bayesmyo simulate ivig -o small.csv --scenario null --patients 10 --seed 2",
    ),
    "fit": (
        "bayesmyo fit my-study.toml my-study.csv -o fit.nc",
        "bayesmyo fit my-study.toml my-study.csv -o fit.nc --draws 4000 --force",
        "bayesmyo fit ivig cohort.csv -o dry.nc --engine mock    # a dry run",
    ),
    "check": (
        "bayesmyo check my-study.toml --prior    # before any data",
        "bayesmyo check fit.nc",
        "bayesmyo check fit.nc --tables",
        "bayesmyo check fit.nc --refit --json >checks.json       # minutes",
    ),
    "estimate": (
        "bayesmyo estimate fit.nc",
        "bayesmyo estimate fit.nc --decisions",
        "bayesmyo estimate fit.nc --parameters --json >parameters.json",
    ),
    "influence": (
        "bayesmyo influence fit.nc --quick",
        "bayesmyo influence fit.nc          # minutes: sampled again",
    ),
    "tip": (
        "bayesmyo tip fit.nc                # needs exits with reasons in the table",
        "bayesmyo tip fit.nc --outcome strength --to -20",
        "bayesmyo tip fit.nc --course return --reason lost",
    ),
    "predict": (
        "bayesmyo predict fit.nc new.csv --times 6,12",
        "bayesmyo predict fit.nc new.csv -o patient.html",
    ),
    "compare": ("bayesmyo compare fit.nc other.nc",),
    "calibrate": (
        "bayesmyo calibrate my-study.toml -o calibration --patients 10,23",
        "bayesmyo calibrate my-study.toml -o given --from-fit fit.nc",
    ),
    "power": (
        "bayesmyo power my-study.toml -o power --patients 10,23,50",
        "bayesmyo power my-study.toml -o one --shard 1/2      # of two machines",
        "bayesmyo power my-study.toml -o two --shard 2/2",
    ),
    "merge": ("bayesmyo merge one two -o whole",),
    "report": (
        "bayesmyo report fit.nc -o report.html",
        "bayesmyo report fit.nc -o report.md --tables tables    # every table as CSV",
        "bayesmyo report fit.nc -o paper.html --figures figures",
    ),
    "figure": (
        "bayesmyo figure fit.nc             # which there are, and of what",
        "bayesmyo figure fit.nc estimates",
        "bayesmyo figure fit.nc trajectories --of strength -o strength.pdf",
        "bayesmyo figure fit.nc swimmer --patient-level -o swimmer.png --dpi 600",
    ),
    "paper": (
        "bayesmyo paper my-study.toml my-study.csv   # Table 1 and the flow",
        "bayesmyo paper my-study.toml my-study.csv --fit fit.nc -o paper",
    ),
    "export": ("bayesmyo export fit.nc --draws draws.parquet",),
    "verify": (
        "bayesmyo verify fit.nc",
        "bayesmyo verify fit.nc --data my-study.csv",
        "bayesmyo verify fit.nc --share copy.nc     # no patient data in it",
    ),
    "doctor": (
        "bayesmyo doctor",
        "bayesmyo doctor --compile          # also compile a tiny model and sample it",
        "bayesmyo doctor --json",
    ),
}

EXIT_CODES = (
    "Exit codes: 0 done and trustworthy; 1 a check failed; 2 unusable input; 3 incomplete: the same command goes on; "
    "4 storage; 70 a bug of ours; 130 and 143 stopped by a signal."
)


def epilog(command: str) -> str:
    """The examples of a command, each on a line of its own."""
    lines = EXAMPLES.get(command, ())
    return "\n".join(["\b", "Examples:", *(f"  {line}" for line in lines)]) if lines else ""
