"""A simulation study in one call: its plan, carried out, and what it says."""

from dataclasses import replace

from bayesmyo.simulation.calibration.grid import calibration_plan
from bayesmyo.simulation.calibration.verdict import Calibration, calibration
from bayesmyo.simulation.options import CalibrateOptions, PowerOptions, SimulationOptions, taking
from bayesmyo.simulation.plan import Plan
from bayesmyo.simulation.power import search
from bayesmyo.simulation.power.answer import PowerAnswer, power_answer
from bayesmyo.simulation.power.grid import power_plan
from bayesmyo.simulation.run import run
from bayesmyo.simulation.store import Results
from bayesmyo.simulation.workers import alone, security


@taking(CalibrateOptions)
def calibrate(asked: CalibrateOptions) -> Calibration:
    """Do intervals hold what they promise, for so few patients? Simulation-based calibration, kept in a folder.

    Each replicate draws a truth from the priors, simulates a cohort of it and fits that; the rank of every truth among
    its draws must then be uniform. With `fit`, truths are drawn from its posterior instead, and its patients are
    measured once more (calibration given them); the folder then holds their measurements, under pseudonyms. The same
    call goes on where an earlier one stopped. A script that calls this does so under `if __name__ == "__main__":`,
    unless it says `workers=0`.

    Parameters
    ----------
    {options}

    Returns
    -------
    Calibration
        `passed`, `table()` with one line for each quantity, and `cells` with a sentence each. That of a shard is of its
        replicates alone; `results.complete` says whether any is missing.

    Raises
    ------
    InputError, UsageError
        Before anything is compiled.
    Incomplete
        Where it is stopped: what was finished is kept.
    StorageError
        Where the folder is of another plan, in use, damaged or full.

    References
    ----------
    Talts, Betancourt, Simpson, Vehtari and Gelman (2018), https://doi.org/10.48550/arXiv.1804.06788
    Säilynoja, Bürkner and Vehtari (2022), https://doi.org/10.1007/s11222-022-10090-6

    Examples
    --------
    >>> answer = bayesmyo.calibrate(study, "calibration", patients=(10, 23))  # doctest: +SKIP
    >>> print(answer.cells[0].sentence)  # doctest: +SKIP
    """
    alone(asked.workers)
    return calibration(_results(asked, calibration_plan(asked)))


@taking(PowerOptions)
def power(asked: PowerOptions) -> PowerAnswer:
    """Would a study of this size have told us?

    How often simulated studies meet the decisions of the study file, kept in a folder.

    Every combination of the values that are given is a cell; what is not given stays as the study has it. Each
    replicate simulates a cohort, fits it and judges the decisions. With `fit`, truths are drawn from its posterior
    instead of scenarios: the predictive power of the next study. The same call goes on where an earlier one stopped. A
    script that calls this does so under `if __name__ == "__main__":`, unless it says `workers=0`.

    Parameters
    ----------
    {options}

    Returns
    -------
    PowerAnswer
        `table()`, `estimand_table()`, `claim_table()`, `looks`, `smallest`, `thresholds` and `sentences`;
        `bayesmyo.figures.power_curves` draws its
        `decisions`. Power is of the replicates that could be fitted; `worst` and `best` say what it would be if those
        that failed had not met the decision, or had. The answer of a shard is of its replicates alone;
        `results.complete` says whether any is missing.

    Raises
    ------
    InputError, UsageError
        Before anything is compiled.
    Incomplete
        Where it is stopped: what was finished is kept.
    StorageError
        Where the folder is of another plan, in use, damaged or full.

    Examples
    --------
    >>> answer = bayesmyo.power(study, "power", scenarios=("paper",), patients=(10, 23, 50))  # doctest: +SKIP
    >>> print(*answer.sentences, sep="\\n")  # doctest: +SKIP
    """
    alone(asked.workers)
    plan, solve = power_plan(asked), asked.solved
    searched = solve is not None and bool(solve.start)
    results = _results(asked, search.goes_on(plan, asked.folder, solve) if solve and searched else plan)
    while solve and searched and (more := search.next_cells(results, solve, asked.target)):
        results = _results(asked, replace(results.plan, cells=(*results.plan.cells, *more)))
    return power_answer(results, asked.target, asked.futility, asked.weights, solve)


def _results(asked: SimulationOptions, plan: Plan) -> Results:
    """Carry a plan out as it is asked for."""
    encryption = asked.security or security(asked.tls_ca, asked.tls_cert, asked.tls_key)
    return run(
        plan, asked.folder, workers=asked.workers, cluster=asked.cluster, security=encryption, shard=asked.shard,
        progress=asked.progress, limit=asked.limit, mixed=asked.mixed,
    )  # fmt: skip
