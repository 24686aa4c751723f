"""The contract of a family."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from bayesmyo.components.component import Component, Scale
from bayesmyo.components.priors import Prior

Arrays = Mapping[str, Any]


@dataclass(frozen=True)
class Cells:
    """Measured cells of one outcome, on the link scale of its family.

    value: (n,) the measurement; for a censored cell the limit that was reported
    lower, upper: (n,) the limit where the cell is left- or right-censored, -inf / +inf elsewhere;
        None where the study declares no censoring
    """

    value: Any
    lower: Any = None
    upper: Any = None


class Family(Component):
    """How an outcome is distributed around its expected value.

    `eta` is a dict of linear predictors by name (see `predictors`); `aux` is a dict of the family's own
    parameters by name (see `parameters`). Arrays broadcast, so draws may lead: (chain, draw, visit).
    """

    link_name: ClassVar[str] = "identity"
    censorable: ClassVar[bool] = False
    normal: ClassVar[bool] = False  # normal on the link scale, with residual SD `sigma`
    geometric: ClassVar[bool] = False
    r_formula: ClassVar[str] = "gaussian()"

    def predictors(self) -> tuple[str, ...]:
        """Names of the linear predictors; each has its own trajectory and patient effects."""
        return ("location",)

    def link(self, values: Any) -> Any:
        """Outcome units -> link scale."""
        return np.asarray(values, dtype=float)

    def inverse(self, eta: Any) -> Any:
        """Link scale -> outcome units."""
        return np.asarray(eta, dtype=float)

    def spread(self, scale: float) -> float:
        """The declared spread between patients on the link scale."""
        return float(scale)

    @abstractmethod
    def parameters(self, scale: Scale) -> dict[str, Prior]:
        """The family's own parameters and their default priors, on the clinical scale."""

    @abstractmethod
    def observe(self, pm: Any, name: str, eta: Mapping[str, Any], aux: Mapping[str, Any], cells: Cells) -> Any:
        """The observed PyMC variable `name`, inside the open model; its values are on the link scale."""

    @abstractmethod
    def draw(self, rng: np.random.Generator, eta: Arrays, aux: Arrays) -> np.ndarray:
        """Measurements in outcome units, drawn with NumPy."""

    @abstractmethod
    def log_density(self, cells: Cells, eta: Arrays, aux: Arrays) -> np.ndarray:
        """Log density of each measurement in outcome units; log probability of each censored cell."""

    @abstractmethod
    def mean(self, eta: Arrays, aux: Arrays) -> np.ndarray:
        """Expected measurement in outcome units."""

    def mean_has_moments(self) -> bool:
        """Whether the posterior of a population mean has a mean and an SD of its own (not only quantiles)."""
        return True

    def check(self, values: Any) -> np.ndarray:
        """(n,) True where a value, in outcome units, can belong to this family."""
        return np.isfinite(values)

    def support(self) -> str:
        """What `check` allows, in words, for messages."""
        return "a finite number"
