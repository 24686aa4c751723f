"""One cell of a simulation study: whose truth, how many patients under which design, and who analyses them."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from bayesmyo.cohort.truth import OutcomeTruth, Truth, from_priors, from_scenario
from bayesmyo.study.read import parse_study
from bayesmyo.study.study import Study
from bayesmyo.study.write import to_toml


@dataclass(frozen=True, eq=False)
class Cell:
    """What all replicates of a cell have in common.

    study: simulates; its [design] is that of this cell
    truths: the name of a scenario, draws of a posterior without patients' effects (one is taken for each replicate), or None: each
        replicate draws its truth from the priors of `study`
    analysis: fits; its priors are the analysis priors. The same study unless another is named; estimands are matched by name
    labels: what varies between the cells of a study, for its tables
    looks: numbers of patients after which the data are looked at, in the order of inclusion; the last is all of them
    """

    study: Study
    truths: str | Truth | None
    patients: int
    analysis: Study
    labels: Mapping[str, str | float] = field(default_factory=dict)
    looks: tuple[int, ...] = ()

    def truth(self, rng: np.random.Generator) -> Truth:
        """The truth of a replicate, without patients' effects yet."""
        if self.truths is None:
            return from_priors(self.study, rng)
        if isinstance(self.truths, str):
            return from_scenario(self.study, self.truths)
        return self.truths.take(np.asarray(rng.integers(int(np.prod(self.truths.shape)))))

    @property
    def fixed(self) -> bool:
        """Whether every replicate has the same truth, but for its patients."""
        return isinstance(self.truths, str)

    @cached_property
    def alike(self) -> bool:
        """Whether the study that fits is the one that simulates: parameters of one name are then one parameter."""
        return self.analysis is self.study or to_toml(self.analysis) == to_toml(self.study)

    @cached_property
    def key(self) -> str:
        """Names the cell by all that its cohorts and their analysis depend on, whatever other cells there are: 16 hex digits."""
        return hashlib.sha256(json.dumps(self._settings(), sort_keys=True).encode()).hexdigest()[:16]

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
            found["labels"], tuple(found["looks"]),
        )  # fmt: skip

    def _settings(self) -> dict[str, Any]:
        truths = _values(self.truths) if isinstance(self.truths, Truth) else self.truths
        return {
            "study": to_toml(self.study), "truths": truths, "patients": self.patients, "analysis": to_toml(self.analysis),
            "looks": list(self.looks),
        }  # fmt: skip


def population(truth: Truth) -> Truth:
    """What a truth says of the population alone: its patients' effects and covariates are left behind."""
    return Truth({name: OutcomeTruth(o.values) for name, o in truth.outcomes.items()}, truth.correlations)


def _values(truth: Truth) -> dict[str, Any]:
    return {
        "outcomes": {
            name: {k: np.reshape(v, -1).tolist() for k, v in o.values.items()} for name, o in truth.outcomes.items()
        },
        "correlations": {k: np.reshape(v, -1).tolist() for k, v in truth.correlations.items()},
    }


def _truth(found: Mapping[str, Any]) -> Truth:
    outcomes = {
        name: OutcomeTruth({k: np.array(v) for k, v in values.items()}) for name, values in found["outcomes"].items()
    }
    return Truth(outcomes, {k: np.array(v) for k, v in found["correlations"].items()})
