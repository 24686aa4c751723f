"""The log-normal distribution: a positive outcome whose logarithm is normal (CPK, bilirubin, a dose)."""

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import numpy as np

from bayesmyo.components.families.family import POSITIVE, Arrays, Cells
from bayesmyo.components.families.gaussian import Gaussian
from bayesmyo.components.families.link import Positive
from bayesmyo.components.in_r import Call


@dataclass(frozen=True, kw_only=True)
class LogNormal(Positive, Gaussian):
    """log y ~ Normal(eta, sigma); the declared `scale` is a ratio (2.5: patients differ by factors of about 2.5).

    sigma: residual SD of log y. Default prior: half-normal with SD half the log of the declared ratio.
    Levels and ratios are reported as medians (geometric means); the arithmetic mean is exp(eta + sigma^2 / 2).
    Modelled as a normal on the log, which compiles in a fraction of the memory of a log-normal graph.
    """

    kind: Literal["lognormal"] = "lognormal"  # type: ignore[assignment]
    also: ClassVar[tuple[str, ...]] = ("log_normal",)
    suits: ClassVar[str] = POSITIVE
    formula: ClassVar[str] = "log y ~ Normal(eta, sigma)"
    geometric: ClassVar[bool] = True
    takes_errors: ClassVar[bool] = False
    heavier_tailed: ClassVar[str] = ""
    r_formula: ClassVar[str] = "lognormal()"

    def encode(self, values: Any) -> Any:
        with np.errstate(divide="ignore"):  # a cell below a limit reaches down to zero
            return np.log(np.maximum(np.asarray(values, dtype=float), 0.0))

    def log_density(self, cells: Cells, eta: Arrays, aux: Arrays) -> np.ndarray:
        on_log_scale = super().log_density(cells, eta, aux)
        measured = True if cells.low is None else np.asarray(cells.low) == cells.high
        return on_log_scale - np.where(measured, cells.value, 0.0)

    def r_call(self, y: str, predictor: str = "location") -> Call | None:
        call = super().r_call(y, predictor)
        return call and replace(call, response=f"log({y})")

    def mean(self, eta: Arrays, aux: Arrays) -> np.ndarray:
        with np.errstate(over="ignore"):  # priors on the log may hold an infinite mean possible
            return np.asarray(np.exp(eta["location"] + np.square(aux["sigma"]) / 2))

    def mean_has_moments(self) -> bool:
        return False
