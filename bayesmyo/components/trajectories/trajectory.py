"""The contract of a trajectory."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from bayesmyo.components.component import Coefficient, Component, Scale


@dataclass(frozen=True, kw_only=True)
class Trajectory(Component):
    """How an outcome moves in time.

    origin: the time, in the study's unit, at which the first coefficient is the level (0: first treatment).
    """

    origin: float = 0.0
    sentence: ClassVar[str] = ""
    formula: ClassVar[str] = ""
    r_formula: ClassVar[str] = ""

    @abstractmethod
    def coefficients(self, scale: Scale) -> tuple[Coefficient, ...]:
        """The coefficients in order, with default priors on the link scale."""

    @abstractmethod
    def curve(self, t: Any, coefficients: Mapping[str, Any], xp: Any) -> Any:
        """The linear predictor at times t (study's unit), broadcast against each coefficient.

        `xp` is `numpy` or `pytensor.tensor`. Linear in every coefficient that patients may differ in.
        """
