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

FIELDS: dict[str, Any] = {
    "patient": np.int64, "time": float, "value": float, "side": np.int8, "line": np.int64, "end": float, "exposure": float,
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Cell:
    """What all replicates of a cell have in common.

    study: simulates; its [design] is that of this cell
    truths: the name of a scenario, draws of a posterior without patients' effects (one is taken for each replicate), or None: each
        replicate draws its truth from the priors of `study`
    analysis: fits; its priors are the analysis priors. The same study unless another is named; estimands are matched by name
    labels: what varies between the cells of a study, for its tables
    looks: numbers of patients after which the data are looked at, in the order of inclusion; the last is all of them
    cohort: real patients who are measured once more in every replicate, under draws of their own posterior with their effects
        (`calibration/posterior.py`)
    """

    study: Study
    truths: str | Truth | None
    patients: int
    analysis: Study
    labels: Mapping[str, str | float] = field(default_factory=dict)
    looks: tuple[int, ...] = ()
    cohort: Cohort | None = None

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
    def exchangeable(self) -> bool:
        """Whether the truth and the draws of a right fit come from one distribution, so that ranks are uniform."""
        return self.truths is None or self.cohort is not None

    @cached_property
    def alike(self) -> bool:
        """Whether the study that fits is the one that simulates: parameters of one name are then one parameter."""
        return self.analysis is self.study or to_toml(self.analysis) == to_toml(self.study)

    @cached_property
    def key(self) -> str:
        """Names the cell by all that its cohorts and their analysis depend on, whatever other cells there are: 16 hex digits."""
        return hashlib.sha256(json.dumps(self._settings(), sort_keys=True).encode()).hexdigest()[:16]

    def __str__(self) -> str:
        return ", ".join(f"{k.replace('_', ' ')} {v}" for k, v in self.labels.items()) or self.key

    def as_dict(self) -> dict[str, Any]:
        """As plain values, for JSON."""
        return self._settings() | {"labels": dict(self.labels)}

    @classmethod
    def from_dict(cls, found: Mapping[str, Any]) -> "Cell":
        """The cell of `as_dict`."""
        study = parse_study(found["study"])
        analysis = study if found["analysis"] == found["study"] else parse_study(found["analysis"])
        truths = found["truths"]
        return cls(
            study, _truth(truths) if isinstance(truths, Mapping) else truths, found["patients"], analysis,
            found["labels"], tuple(found["looks"]), _cohort(found["cohort"]) if "cohort" in found else None,
        )  # fmt: skip

    def _settings(self) -> dict[str, Any]:
        truths = _values(self.truths) if isinstance(self.truths, Truth) else self.truths
        given = {} if self.cohort is None else {"cohort": _measured(self.cohort)}
        study, analysis = (
            to_toml(replace(s, report=None)) for s in (self.study, self.analysis)
        )  # words change no cohort
        return given | {
            "study": study, "truths": truths, "patients": self.patients, "analysis": analysis, "looks": list(self.looks),
        }  # fmt: skip


def population(truth: Truth) -> Truth:
    """What a truth says of the population alone: its patients' effects and covariates are left behind."""
    return Truth({name: OutcomeTruth(o.values) for name, o in truth.outcomes.items()}, truth.correlations)


def _values(truth: Truth) -> dict[str, Any]:
    size = int(np.prod(truth.shape))

    def flat(x: np.ndarray) -> Any:
        x = np.asarray(x)
        return (
            x.reshape(size, *x.shape[len(truth.shape) :]) if x.shape[: len(truth.shape)] == truth.shape else x
        ).tolist()

    found: dict[str, Any] = {
        "outcomes": {name: {k: flat(v) for k, v in o.values.items()} for name, o in truth.outcomes.items()},
        "correlations": {k: flat(v) for k, v in truth.correlations.items()},
    }
    if truth.patients is not None:
        found["effects"] = {name: {k: flat(v) for k, v in o.effects.items()} for name, o in truth.outcomes.items()}
        found["covariates"] = {k: flat(v) for k, v in truth.covariates.items()}
    return found


def _truth(found: Mapping[str, Any]) -> Truth:
    effects = found.get("effects", {})
    outcomes = {
        name: OutcomeTruth(
            {k: np.array(v) for k, v in values.items()}, {k: np.array(v) for k, v in effects.get(name, {}).items()}
        )
        for name, values in found["outcomes"].items()
    }
    columns = {k: np.array(v) for k, v in found.get("covariates", {}).items()}
    return Truth(outcomes, {k: np.array(v) for k, v in found["correlations"].items()}, columns)


def _measured(cohort: Cohort) -> dict[str, Any]:
    """What a fit needs of real patients, under their pseudonyms."""

    def plain(x: np.ndarray) -> list[Any]:
        return [None if isinstance(v, float) and np.isnan(v) else v for v in x.tolist()]

    measurements = {}
    for name, m in cohort.measurements.items():
        of_visits = {k: plain(v) for k, v in m.covariates.items()}
        columns = {f: plain(v) for f in FIELDS if (v := getattr(m, f)) is not None}
        measurements[name] = columns | {"covariates": of_visits}
    covariates = {k: plain(v) for k, v in cohort.covariates.items()}
    rows = cohort.rows.as_dict()
    return {"patients": list(cohort.pseudonyms()), "measurements": measurements, "covariates": covariates, "rows": rows}


def _cohort(found: Mapping[str, Any]) -> Cohort:
    def back(values: list[Any], kind: Any = float) -> np.ndarray:
        return np.array([np.nan if v is None else v for v in values], dtype=kind)

    measurements = {}
    for name, m in found["measurements"].items():
        of_visits = {k: back(v) for k, v in m["covariates"].items()}
        columns: dict[str, Any] = {f: back(m[f], FIELDS[f]) if f in m else None for f in FIELDS}
        measurements[name] = Measurements(**columns, covariates=of_visits)
    covariates = {k: back(v) for k, v in found["covariates"].items()}
    return Cohort(tuple(found["patients"]), measurements, RowAccount.from_dict(found["rows"]), covariates=covariates)
