"""Bayesian hierarchical models for small clinical cohorts.

    study = bayesmyo.find_study("ivig")
    cohort = bayesmyo.read_cohort(study, "cohort.csv")
    fit = bayesmyo.fit(study, cohort)
    bayesmyo.check(fit), bayesmyo.estimate(fit)

Importing bayesmyo costs nothing: each name is loaded when it is first used.
"""

from importlib import import_module
from typing import Any

from bayesmyo._version import __version__

_WHERE = {
    "BayesmyoError": "bayesmyo.errors",
    "Cohort": "bayesmyo.cohort",
    "Fit": "bayesmyo.inference.fit",
    "Sampling": "bayesmyo.inference.engines",
    "Study": "bayesmyo.study",
    "Truth": "bayesmyo.model",
    "calibrate": "bayesmyo.simulation.studies",
    "check": "bayesmyo.assess.check",
    "check_prior": "bayesmyo.assess.prior",
    "clean_csv": "bayesmyo.cohort",
    "cohort_from_frame": "bayesmyo.cohort.frame",
    "compare": "bayesmyo.assess.compare",
    "correlations": "bayesmyo.assess.said",
    "decisions": "bayesmyo.assess.said",
    "draws_table": "bayesmyo.inference.draws_table",
    "each_patient": "bayesmyo.assess.said",
    "estimate": "bayesmyo.assess.said",
    "evidence": "bayesmyo.assess.evidence",
    "figures": "bayesmyo",  # the room itself: its functions draw
    "find_study": "bayesmyo.study",
    "fit": "bayesmyo.inference.fit",
    "influence": "bayesmyo.assess.influence",
    "load_fit": "bayesmyo.inference.store",
    "manuscript": "bayesmyo.report.paper.manuscript",
    "match": "bayesmyo.simulation.match",
    "parameters": "bayesmyo.assess.estimate",
    "parse_study": "bayesmyo.study",
    "power": "bayesmyo.simulation.studies",
    "predict": "bayesmyo.assess.predict",
    "prior_sensitivity": "bayesmyo.assess.sensitivity",
    "priors": "bayesmyo.assess.priors",
    "read_cohort": "bayesmyo.cohort",
    "read_study": "bayesmyo.study",
    "responses": "bayesmyo.assess.said",
    "save_fit": "bayesmyo.inference.store",
    "share": "bayesmyo.inference.store",
    "simulate": "bayesmyo.model",
    "simulate_scenario": "bayesmyo.model",
    "studies": "bayesmyo.study",
    "tip": "bayesmyo.assess.tip",
    "to_csv": "bayesmyo.cohort",
    "verify": "bayesmyo.inference.verify",
    "write_draws": "bayesmyo.inference.draws_table",
    "write_patient": "bayesmyo.report.one_patient",
    "write_power_report": "bayesmyo.report.write",
    "write_report": "bayesmyo.report.write",
}

__all__ = ["__version__", *_WHERE]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'bayesmyo' has no attribute {name!r}")
    if _WHERE[name] == __name__:
        return import_module(f"{__name__}.{name}")
    return getattr(import_module(_WHERE[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
