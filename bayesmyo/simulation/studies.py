"""A simulation study in one call: its plan, carried out, and what it says."""

from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict, Unpack

from distributed import Security

from bayesmyo.inference.fit import Fit
from bayesmyo.simulation.arguments import alone, numbers, schedules, texts, usable, whole_numbers
from bayesmyo.simulation.calibration.grid import calibration_plan
from bayesmyo.simulation.calibration.verdict import Calibration, calibration
from bayesmyo.simulation.power.answer import TARGET, PowerAnswer, power_answer, rules
from bayesmyo.simulation.power.comparators import DEFAULT
from bayesmyo.simulation.power.grid import Axes, power_plan
from bayesmyo.simulation.run import Progress, run
from bayesmyo.study.study import Study


class Computing(TypedDict, total=False):
    """Who computes, and how long; see `bayesmyo.simulation.run.run`. None of it changes a number."""

    workers: int | None
    cluster: str | None
    security: Security | None
    progress: Progress | None
    limit: float | None
    mixed: bool


def calibrate(
    study: Study,
    folder: str | Path,
    *,
    patients: Sequence[int] = (),
    replicates: int = 200,
    fit: Fit | None = None,
    seed: int = 1,
    engine: str = "nuts",
    **computing: Unpack[Computing],
) -> Calibration:
    """Do intervals hold what they promise, for so few patients? Simulation-based calibration, kept in a folder.

    Each replicate draws a truth from the priors, simulates a cohort of it and fits that; the rank of every truth among its draws must
    then be uniform (Talts and others 2018, https://arxiv.org/abs/1804.06788; Säilynoja, Bürkner and Vehtari 2022,
    https://doi.org/10.1007/s11222-022-10090-6). The same call goes on where an earlier one stopped.

    patients: numbers of patients, a cell for each (default: the design's); replicates: of each cell, at least 20
    fit: draw truths from the posterior of this fit instead, and measure its patients once more (calibration given them); the folder
        then holds their measurements, under pseudonyms
    computing: `workers`, `cluster`, `security`, `progress`, `limit`, `mixed`, as of `bayesmyo.simulation.run.run`

    Returns a `Calibration`: `passed`, `table()` with one line for each quantity, and `cells` with a sentence each.
    Raises InputError and UsageError before anything is compiled, Incomplete where it is stopped, StorageError.
    A script that calls this does so under `if __name__ == "__main__":`, unless it says `workers=0`.

        >>> found = bayesmyo.calibrate(study, "calibration", patients=(10, 23))  # doctest: +SKIP
        >>> print(found.cells[0].sentence)  # doctest: +SKIP
    """
    alone(computing.get("workers"))
    usable(study, fit, replicates, None, seed)
    numbered = whole_numbers("patients", patients)
    plan = calibration_plan(study, numbered, int(replicates), fit=fit, seed=int(seed), engine=engine)
    results = run(plan, folder, **computing)
    return calibration(plan, results.replicates, results.quantities)


def power(
    study: Study,
    folder: str | Path,
    *,
    scenarios: Sequence[str] = (),
    patients: Sequence[int] = (),
    follow_up: Sequence[float] = (),
    every: Sequence[float] = (),
    visits: Sequence[tuple[float, ...]] = (),
    loss: Sequence[float] = (),
    looks: Sequence[int] = (),
    futility: float | None = None,
    analysis: Study | None = None,
    fit: Fit | None = None,
    comparators: Sequence[str] = DEFAULT,
    target: float = TARGET,
    replicates: int = 400,
    mcse: float | None = None,
    seed: int = 1,
    engine: str = "nuts",
    **computing: Unpack[Computing],
) -> PowerAnswer:
    """Would a study of this size have told us? How often simulated studies meet the decisions of the study file, kept in a folder.

    Every combination of the values that are given is a cell; what is not given stays as the study has it. Each replicate simulates a
    cohort, fits it and judges the decisions. The same call goes on where an earlier one stopped.

    scenarios: what is true, by name (default: all of the study); one with design priors gives assurance
    patients: how many; follow_up: that of a protocol, or mean potential follow-up, in the study's unit; loss: hazards per unit of time
    every: how far apart visits are after the first ones; visits: whole schedules instead, a tuple of times each
    looks: interim numbers of patients; futility: stop there where the probability of a decision is below this
    analysis: another study that analyses what this one simulates; estimands are matched by name
    fit: draw truths from the posterior of this fit instead of scenarios: the predictive power of the next study
    comparators: other methods on the same cohorts: "t test", "mixed model", "common slope"
    target: the power whose smallest number of patients is looked for
    replicates: of each cell, at most; mcse: stop each cell when its Monte Carlo standard error is at most this
    computing: `workers`, `cluster`, `security`, `progress`, `limit`, `mixed`, as of `bayesmyo.simulation.run.run`

    Returns a `PowerAnswer`: `table()`, `estimand_table()`, `looks`, `smallest` and `sentences`; `bayesmyo.figures.power_curves` draws its
    `decisions`. Power is of the replicates that could be fitted; `worst` and `best` say what it would be if those that failed had not met
    the decision, or had. Raises InputError and UsageError before anything is compiled, Incomplete where it is stopped, StorageError.
    A script that calls this does so under `if __name__ == "__main__":`, unless it says `workers=0`.

        >>> found = bayesmyo.power(study, "power", scenarios=("paper",), patients=(10, 23, 50))  # doctest: +SKIP
        >>> print(*found.sentences, sep="\\n")  # doctest: +SKIP
    """
    alone(computing.get("workers"))
    usable(study, fit, replicates, mcse, seed, analysis)
    axes = Axes(
        texts("scenarios", scenarios), whole_numbers("patients", patients), numbers("follow_up", follow_up), numbers("every", every),
        schedules("visits", visits), numbers("loss", loss), whole_numbers("looks", looks),
    )  # fmt: skip
    rules(target, futility, axes.looks)
    beside = texts("comparators", comparators)
    error = None if mcse is None else float(mcse)
    plan = power_plan(
        study, axes, int(replicates), error, analysis=analysis, fit=fit, comparators=beside, seed=int(seed), engine=engine
    )  # fmt: skip
    results = run(plan, folder, **computing)
    return power_answer(plan, results.replicates, results.quantities, target, futility)
