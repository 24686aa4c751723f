"""Folders of simulation studies as plain tables, for a report on a fit of the same study."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bayesmyo.errors import UsageError
from bayesmyo.inference.engines import ENGINES
from bayesmyo.inference.fit import Fit
from bayesmyo.simulation.calibration.verdict import calibration
from bayesmyo.simulation.power.answer import PowerAnswer, power_answer
from bayesmyo.simulation.power.drift import DRIFT
from bayesmyo.simulation.store import Results, read_results
from bayesmyo.study.study import Study
from bayesmyo.study.write import study_hash


@dataclass(frozen=True)
class Simulated:
    """What a simulation study found. rows: of its table; complete: whether no replicate is missing; passed: of a
    calibration, None where there are too few replicates to say; sentences: of a calibration, its verdicts."""

    rows: tuple[Mapping[str, Any], ...]
    complete: bool = True
    passed: bool | None = None
    sentences: tuple[str, ...] = ()


def dry_run(engine: str) -> str:
    """What must be said of numbers of an engine that does not draw from the posterior; nothing of any other."""
    said = f"DRY RUN: the engine {engine} does not draw from the posterior, and its numbers say nothing."
    return "" if ENGINES[engine].posterior else said


def read_power(folder: Path, fit: Fit) -> Simulated:
    """How often each decision was met in each cell. Raises StorageError, and UsageError for a folder of anything
    else."""
    results = _results(folder, fit, "power")
    return Simulated(powers(power_answer(results)), results.complete)


def powers(answer: PowerAnswer) -> tuple[Mapping[str, Any], ...]:
    """How often each decision was met, a row for each in each cell."""
    return tuple(
        {
            "truth": ", ".join(f"{k.replace('_', ' ')} {v}" for k, v in d.labels.items() if k != "patients"),
            "patients": d.look, "decision": d.decision, "null": d.null, "replicates": d.replicates, "failed": sum(d.failed.values()),
            "met": d.rate.met, "probability": d.rate.value, "mcse": d.rate.mcse, "lower": d.rate.lower, "upper": d.rate.upper,
            "worst": d.worst, "best": d.best,
        }
        for d in answer.last()
    )  # fmt: skip


def read_calibration(folder: Path, fit: Fit) -> Simulated:
    """Every quantity of every cell: uniformity of its ranks, and how often intervals cover. Raises as `read_power`."""
    results = _results(folder, fit, "calibrate")
    judged = calibration(results)
    rows = tuple(
        {
            "quantity": q.name, "patients": c.patients, "replicates": c.replicates, "failed": sum(c.failed.values()), "p": q.p,
            "adjusted": q.adjusted, "shape": q.shape, **{f"coverage of {level:.0%}": r.value for level, r in q.coverage.levels.items()},
            "passed": q.passed,
        }
        for c in judged.cells for q in c.quantities
    )  # fmt: skip
    return Simulated(rows, results.complete, judged.passed, tuple(c.sentence for c in judged.cells))


def _results(folder: Path, fit: Fit, kind: str) -> Results:
    results = read_results(folder)
    if results.plan.kind != kind:
        written = {"power": "power", "calibrate": "calibrate"}[results.plan.kind]
        raise UsageError(
            str(folder), f"was written by `bayesmyo {written}`", mend=f"name a folder of `bayesmyo {kind}`"
        )
    asked = {asks(cell.study if DRIFT in cell.labels else cell.analysis) for cell in results.plan.cells}
    if asks(fit.study) not in asked:
        raise UsageError(str(folder), "is of another study than the fit", mend="simulate the study that was fitted")
    return results


def asks(study: Study) -> str:
    """Names what a study asks and how it is modelled, whoever is simulated for it: designs and scenarios are left out,
    but for the typical follow-up, on which default priors may stand."""
    return study_hash(
        replace(
            study, time=replace(study.time, typical=study.typical_follow_up), design=None, published=None, scenarios={}
        )
    )
