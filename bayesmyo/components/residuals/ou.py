"""Residuals that drift: what was high at one visit is still high soon after."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from bayesmyo.components.component import Scale
from bayesmyo.components.priors import Joint, Prior, halfnormal, lognormal
from bayesmyo.components.residuals.residual import Residual, Role
from bayesmyo.components.trajectories.trajectory import Trajectory

SHORT = 8  # of a typical follow-up, the part over which a correlation falls to exp(-1), as the middle of its prior


@dataclass(frozen=True, kw_only=True)
class OrnsteinUhlenbeck(Residual):
    """An Ornstein-Uhlenbeck process beside the measurement error: cov(w(s), w(t)) = sd_ou^2 exp(-|s - t| / tau_ou).

    sd_ou: SD of the process, as sigma on the link scale; default prior: half-normal with SD half the declared spread
    tau_ou: the time over which its correlation falls to exp(-1) = 0.37, in the study's unit (its half-life is 0.69
        times that); default prior: log-normal with log SD 1 around an eighth of a typical follow-up
    sigma: the measurement error, which no other visit shares. Where visits are all far apart, sigma and sd_ou cannot be
        told apart.
    The process is integrated out exactly, together with patients' effects. Reference: Diggle, Heagerty, Liang and Zeger
    (2002), chapter 5, https://doi.org/10.1093/oso/9780198524847.001.0001; Taylor, Cumberland and Sy (1994),
    https://doi.org/10.1080/01621459.1994.10476806.
    """

    kind: Literal["ou"] = "ou"

    @property
    def sentence(self) -> str:
        return "Residuals drift: those of visits close in time are alike (Ornstein-Uhlenbeck process beside the measurement error)."

    def written(self, outcome: str) -> tuple[str, ...]:
        name = f"w_{outcome}"
        return (
            f"eta[i, t] has {name}[i, t] added: cov({name}[i, s], {name}[i, t]) = sd_ou^2 * exp(-|s - t| / tau_ou)",
        )

    def parameters(self, scale: Scale, trajectory: Trajectory) -> dict[str, tuple[Role, Prior | Joint | None, str]]:
        tau = lognormal(math.log(scale.follow_up / SHORT), 1.0) if scale.follow_up else None
        needs = "study.time.typical (a typical follow-up)"
        return {"sd_ou": ("sd", halfnormal(scale.spread / 2), ""), "tau_ou": ("duration", tau, needs)}

    def covariance(self, t: Any, sigma: Any, values: Mapping[str, Any], trajectory: Trajectory, xp: Any) -> Any:
        apart = xp.abs(t[..., :, None] - t[..., None, :])
        return values["sd_ou"] ** 2 * xp.exp(-apart / values["tau_ou"]) + sigma[..., None] ** 2 * xp.eye(t.shape[-1])

    def r_arguments(self, time: str, patient: str, trajectory: Trajectory) -> tuple[str, ...]:
        """The range of nlme is tau_ou, its nugget the share of the measurement error in the variance of a residual."""
        return (f"correlation = nlme::corExp(form = ~ {time} | {patient}, nugget = TRUE)",)

    def total(self, sigma: Any, values: Mapping[str, Any], xp: Any) -> Any:
        return xp.sqrt(sigma**2 + values["sd_ou"] ** 2)
