"""One cell of a simulation study: whose truth, how many patients under which design, and who analyses them."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from bayesmyo.cohort.cohort import Cohort, Measurements, RowAccount
from bayesmyo.model.truth import OutcomeTruth, Truth, from_priors, from_scenario
from bayesmyo.study.read import parse_study
from bayesmyo.study.scenarios import design_priors
from bayesmyo.study.study import Study
from bayesmyo.study.write import to_toml

FIELDS: dict[str, Any] = {"patient": np.int64, "time": float, "value": float, "side": np.int8, "line": np.int64}
FIELDS |= {"end": float, "exposure": float}


@dataclass(frozen=True, eq=False)
class Cell:
    """What all replicates of a cell have in common.

    Attributes
    ----------
    study : Study
        Simulates; its [design] is that of this cell.
    truths : str, Truth or None
        The name of a scenario; draws of a posterior without patients' effects, of which one is taken for each
        replicate; or
        None: each replicate draws its truth from the priors of `study`.
    patients : int
        How many are simulated.
    analysis : Study
        Fits; its priors are the analysis priors. The same study unless another is named; estimands are matched by name.
    labels : mapping of str to str or float
        What varies between the cells of a study, for its tables.
    looks : tuple of int
        Numbers of patients after which the data are looked at, in the order of inclusion; the last is all of them. With
        all of their follow-up, or, where the design has an accrual, as soon as so many have entered.
    dates : tuple of float
        Dates at which they are looked at instead, in the study's unit of time since the first patient, before the end.
    cohort : Cohort, optional
        Real patients who are measured once more in every replicate, under draws of their own posterior with their
        effects
        (`calibration/posterior.py`).
    """

    study: Study
    truths: str | Truth | None
    patients: int
    analysis: Study
    labels: Mapping[str, str | float] = field(default_factory=dict)
    looks: tuple[int, ...] = ()
    cohort: Cohort | None = None
    dates: tuple[float, ...] = ()

    def truth(self, rng: np.random.Generator) -> Truth:
        """The truth of a replicate, without patients' effects unless it is one about real patients."""
        if self.truths is None:
            return from_priors(self.study, rng)
        if isinstance(self.truths, str):
            return from_scenario(self.study, self.truths, rng)
        return self.truths.take(np.asarray(rng.integers(int(np.prod(self.truths.shape)))))

    @property
    def fixed(self) -> bool:
        """Whether every replicate has the same truth, but for its patients."""
        return isinstance(self.truths, str) and not design_priors(self.study, self.truths)

    @property
    def stages(self) -> tuple[int, ...]:
        """What each look is called in rows, the last that at all patients: a number of patients, or the number of a
        date from 1.
        """
        if self.dates:
            return (*range(1, len(self.dates) + 1), self.patients)
        return self.looks or (self.patients,)

    @property
    def dated(self) -> bool:
        """Whether its interim looks see only what has happened by then."""
        return len(self.stages) > 1 and self.study.design is not None and self.study.design.accrual is not None

    @property
    def exchangeable(self) -> bool:
        """Whether the truth and the draws of a right fit come from one distribution, so that ranks are uniform."""
        return self.truths is None or self.cohort is not None

    @cached_property
    def alike(self) -> bool:
        """Whether the study that fits is the one that simulates: parameters of one name are then one parameter."""
        return self.analysis is self.study or to_toml(self.analysis) == to_toml(self.study)

    @cached_property
    def key(self) -> str:
        """Names the cell by all that its cohorts and their analysis depend on, whatever other cells there are: 16 hex
        digits.
        """
        return hashlib.sha256(json.dumps(self._settings(), sort_keys=True).encode()).hexdigest()[:16]

    def __str__(self) -> str:
        return ", ".join(f"{k.replace('_', ' ')} {v}" for k, v in self.labels.items()) or self.key

    def as_dict(self) -> dict[str, Any]:
        """As plain values, for JSON."""
        return self._settings() | {"labels": dict(self.labels)}

    @classmethod
    def from_dict(cls, cell: Mapping[str, Any]) -> "Cell":
        """The cell of `as_dict`."""
        study = parse_study(cell["study"])
        analysis = study if cell["analysis"] == cell["study"] else parse_study(cell["analysis"])
        truths = _truth(cell["truths"]) if isinstance(cell["truths"], Mapping) else cell["truths"]
        cohort = _cohort(cell["cohort"]) if "cohort" in cell else None
        looks, dates = tuple(cell["looks"]), tuple(cell.get("dates", ()))
        return cls(study, truths, cell["patients"], analysis, cell["labels"], looks, cohort, dates)

    def _settings(self) -> dict[str, Any]:
        study, analysis = (
            to_toml(replace(s, report=None)) for s in (self.study, self.analysis)
        )  # words change no cohort
        truths = _values(self.truths) if isinstance(self.truths, Truth) else self.truths
        settings: dict[str, Any] = {
            "study": study,
            "truths": truths,
            "patients": self.patients,
            "analysis": analysis,
            "looks": list(self.looks),
        }
        if self.dates:
            settings["dates"] = list(self.dates)
        return settings if self.cohort is None else {"cohort": _measured(self.cohort), **settings}


def population(truth: Truth) -> Truth:
    """What a truth says of the population alone: its patients' effects and covariates are left behind."""
    return Truth({name: OutcomeTruth(o.values) for name, o in truth.outcomes.items()}, truth.correlations)


def _values(truth: Truth) -> dict[str, Any]:
    """Truths as plain values, the draws of all chains one after another."""
    size, axes = int(np.prod(truth.shape)), len(truth.shape)

    def flat(arrays: Mapping[str, np.ndarray]) -> dict[str, Any]:
        listed = {k: np.asarray(x) for k, x in arrays.items()}
        return {
            k: (x.reshape(size, *x.shape[axes:]) if x.shape[:axes] == truth.shape else x).tolist()
            for k, x in listed.items()
        }

    values: dict[str, Any] = {
        "outcomes": {name: flat(o.values) for name, o in truth.outcomes.items()},
        "correlations": flat(truth.correlations),
    }
    if truth.patients is not None:
        values["effects"] = {name: flat(o.effects) for name, o in truth.outcomes.items()}
        values["covariates"] = flat(truth.covariates)
    return values


def _truth(values: Mapping[str, Any]) -> Truth:
    effects = values.get("effects", {})
    outcomes = {
        name: OutcomeTruth(_arrays(of), _arrays(effects.get(name, {}))) for name, of in values["outcomes"].items()
    }
    return Truth(outcomes, _arrays(values["correlations"]), _arrays(values.get("covariates", {})))


def _arrays(lists: Mapping[str, Any], kind: Any = None) -> dict[str, np.ndarray]:
    return {k: np.array(v, dtype=kind) for k, v in lists.items()}


def _measured(cohort: Cohort) -> dict[str, Any]:
    """What a fit needs of real patients, under their pseudonyms."""

    def plain(columns: Mapping[str, np.ndarray | None]) -> dict[str, list[Any]]:
        kept = {k: x.tolist() for k, x in columns.items() if x is not None}
        return {k: [None if isinstance(v, float) and np.isnan(v) else v for v in x] for k, x in kept.items()}

    measurements = {
        name: plain({f: getattr(m, f) for f in FIELDS}) | {"covariates": plain(m.covariates)}
        for name, m in cohort.measurements.items()
    }
    covariates, rows = plain(cohort.covariates), cohort.rows.as_dict()
    return {"patients": list(cohort.pseudonyms()), "measurements": measurements, "covariates": covariates, "rows": rows}


def _cohort(measured: Mapping[str, Any]) -> Cohort:
    # None becomes NaN where an array is one of floats
    measurements = {}
    for name, m in measured["measurements"].items():
        columns: dict[str, Any] = {f: np.array(m[f], dtype=kind) if f in m else None for f, kind in FIELDS.items()}
        measurements[name] = Measurements(**columns, covariates=_arrays(m["covariates"], float))
    covariates, account = _arrays(measured["covariates"], float), RowAccount.from_dict(measured["rows"])
    return Cohort(tuple(measured["patients"]), measurements, account, covariates=covariates)
