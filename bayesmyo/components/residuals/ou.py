"""Residuals that drift: what was high at one visit is still high soon after."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from bayesmyo.components.component import Scale
from bayesmyo.components.priors import Joint, Prior, halfnormal, lognormal
from bayesmyo.components.residuals.residual import Residual, Role
from bayesmyo.components.trajectories.trajectory import Trajectory

NEVER = 1e-9  # between two visits: a path has no innovation within a visit, and the root of zero no derivative
SHORT = 8  # of a typical follow-up, the part over which a correlation falls to exp(-1), as the middle of its prior


@dataclass(frozen=True, kw_only=True)
class OrnsteinUhlenbeck(Residual):
    """An Ornstein-Uhlenbeck process beside the measurement error: cov(w(s), w(t)) = sd_ou^2 exp(-|s - t| / tau_ou).

    sd_ou: SD of the process, as sigma on the link scale; default prior: half-normal with SD half the declared spread
    tau_ou: the time over which its correlation falls to exp(-1) = 0.37, in the study's unit (its half-life is 0.69
        times that); default prior: log-normal with log SD 1 around an eighth of a typical follow-up
    sigma: the measurement error, which no other visit shares. Where visits are all far apart, sigma and sd_ou cannot be
        told apart; of a family that is not normal, its own scatter stands in the place of sigma.
    Of the families gaussian and lognormal the process is integrated out exactly, together with patients' effects; of
    others it is sampled, by its innovations, and expected values are averages over it. Reference: Diggle, Heagerty,
    Liang and Zeger (2002), chapter 5, https://doi.org/10.1093/oso/9780198524847.001.0001; Taylor, Cumberland and Sy (1994),
    https://doi.org/10.1080/01621459.1994.10476806.
    """

    kind: Literal["ou"] = "ou"
    sampled: ClassVar[bool] = True

    @property
    def sentence(self) -> str:
        return (
            "Residuals drift: those of visits close in time are alike "
            "(an Ornstein-Uhlenbeck process on the link scale)."
        )

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

    def factor(self, t: Any, values: Mapping[str, Any], xp: Any) -> Any:
        """By innovations: w_k = phi_k w_{k-1} + sd_ou sqrt(1 - phi_k^2) z_k, phi_k = exp(-(t_k - t_{k-1}) / tau_ou),
        whose product between two visits is exp(-(t_k - t_j) / tau_ou), so that no loop over visits is needed.
        """
        visit, tau = xp.arange(t.shape[-1]), values["tau_ou"]
        gap = xp.maximum(t - xp.concatenate([t[..., :1], t[..., :-1]], axis=-1), NEVER)[..., None, :]
        new = xp.where(visit > 0, xp.sqrt(-xp.expm1(-2 * gap / tau)), 1.0)
        kept = xp.exp(-xp.abs(t[..., :, None] - t[..., None, :]) / tau)
        return values["sd_ou"] * xp.where(visit[:, None] >= visit, kept * new, 0.0)

    def r_arguments(self, time: str, patient: str, trajectory: Trajectory) -> tuple[str, ...]:
        """The range of nlme is tau_ou, its nugget the share of the measurement error in the variance of a residual."""
        return (f"correlation = nlme::corExp(form = ~ {time} | {patient}, nugget = TRUE)",)

    def total(self, sigma: Any, values: Mapping[str, Any], xp: Any) -> Any:
        return xp.sqrt(sigma**2 + values["sd_ou"] ** 2)
