"""The plan of a calibration: truths from the priors at several numbers of patients, or from a fit for its patients."""

from dataclasses import replace

from bayesmyo.errors import Fault, InputError
from bayesmyo.inference.engines import known_engine
from bayesmyo.model.simulate import MOST_PATIENTS
from bayesmyo.simulation.calibration.verdict import ENOUGH
from bayesmyo.simulation.cell import Cell
from bayesmyo.simulation.given import NO_DESIGN, known, posterior_draws
from bayesmyo.simulation.options import CalibrateOptions
from bayesmyo.simulation.plan import Plan, usual
from bayesmyo.simulation.row import Kind

RECORD: tuple[Kind, ...] = ("estimand", "parameter", "effect", "joint")


def calibration_plan(asked: CalibrateOptions) -> Plan:
    """A cell for each number of patients (default: the design's), or one of the patients of a fit, who are measured
    once more.

    Raises InputError with every fault, UsageError for an unknown engine.
    """
    known(asked.study, asked.fit)
    known_engine(asked.engine)
    study, fit, patients, replicates = asked.study, asked.fit, asked.patients, asked.replicates
    twice = (n for n in dict.fromkeys(patients) if patients.count(n) > 1)
    faults = [
        *(
            Fault("--patients", f"must lie between 1 and {MOST_PATIENTS:,}", str(n))
            for n in patients
            if not 1 <= n <= MOST_PATIENTS
        ),
        *(Fault("--patients", "names one value twice", str(n)) for n in twice),
    ]
    if fit is None and study.design is None:
        faults.append(NO_DESIGN)
    if fit is not None and patients:
        faults.append(
            Fault("--patients", "and --from-fit do not go together", mend="the patients are those of the fit")
        )
    if replicates < ENOUGH:
        what = f"must be at least {ENOUGH}: fewer ranks say nothing"
        faults.append(Fault("--replicates", what, str(replicates), "200 see much more"))
    if faults:
        raise InputError("this calibration", faults)
    if fit is not None:
        drawn = posterior_draws(fit, study, same_model=True)
        labels: dict[str, str | float] = {"given": "the fit's patients", "patients": len(fit.cohort)}
        cells = [Cell(study, drawn, len(fit.cohort), study, labels, cohort=fit.cohort)]
    else:
        assert study.design is not None
        design, typical = study.design, study.typical_follow_up
        study = replace(study, time=replace(study.time, typical=typical), text="")
        cells = []
        for n in patients or (design.patients,):
            own = replace(study, design=replace(design, patients=n))
            cells.append(Cell(own, None, n, own, {"truths": "priors", "patients": n}))
    return Plan("calibrate", tuple(cells), replicates, asked.seed, asked.engine, usual(asked.engine), record=RECORD)
