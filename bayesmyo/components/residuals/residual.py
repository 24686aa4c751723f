"""The contract of a residual."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from bayesmyo.components.component import Component, Scale
from bayesmyo.components.priors import Joint, Prior
from bayesmyo.components.trajectories.trajectory import Trajectory

Role = Literal["sd", "duration", "correlation"]


class Residual(Component):
    """The covariance of one patient's residuals, on the link scale."""

    by_visit: ClassVar[bool] = (
        False  # the residual SD is one of each planned visit, and patients have no effects of their own
    )
    sampled: ClassVar[bool] = False  # its path can be sampled (`factor`), where nothing integrates it out

    @property
    @abstractmethod
    def sentence(self) -> str:
        """What residuals do, as a sentence."""

    @abstractmethod
    def written(self, outcome: str) -> tuple[str, ...]:
        """The lines of the formula."""

    @abstractmethod
    def parameters(self, scale: Scale, trajectory: Trajectory) -> dict[str, tuple[Role, Prior | Joint | None, str]]:
        """Its parameters by name: what each is, its default prior or None, and then what is missing for one."""

    @abstractmethod
    def covariance(self, t: Any, sigma: Any, values: Mapping[str, Any], trajectory: Trajectory, xp: Any) -> Any:
        """(..., n, n) covariance of residuals at times t, (..., n), whose residual SD is sigma, (..., n).

        values: the outcome's parameters by name, which broadcast against (..., n, n); `xp` is `numpy` or
            `pytensor.tensor`
        """

    def factor(self, t: Any, values: Mapping[str, Any], xp: Any) -> Any:
        """(..., n, n) lower-triangular L: the path at times t, (..., n), in increasing order, is L z of
        standard normals z.

        values, xp: as `covariance` says. Raises NotImplementedError where a residual is not `sampled`.
        """
        raise NotImplementedError(f"the path of {type(self).__name__} is not sampled")

    @abstractmethod
    def total(self, sigma: Any, values: Mapping[str, Any], xp: Any) -> Any:
        """The SD of a single residual."""

    def r_arguments(self, time: str, patient: str, trajectory: Trajectory) -> tuple[str, ...]:
        """What nlme is told of it. time, patient: R's names of the columns"""
        return ()

    def faults(self, trajectory: Trajectory) -> tuple[str, ...]:
        """Why it does not go with a trajectory; empty where it does."""
        return ()
