"""Every parameter of a study: its name, its unit, its prior, and how it reads in outcome units.

This inventory is the one source for the model builder, draws from the priors, scenarios, the
parameter table and the sentences of `validate`.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from bayesmyo.components.families import Family
from bayesmyo.components.priors import Prior, halfnormal, lkj
from bayesmyo.study.study import Study

Role = Literal["level", "difference", "rate", "duration", "sd", "correlation", "family"]
LINEAR_ROLES = ("difference", "rate")


@dataclass(frozen=True)
class Parameter:
    """One population parameter of one outcome.

    name: `start`, `sd_start`, `correlation`, `sigma` ...; unit: of its value on the link scale ("log IU/L")
    prior: None where the study must state one, and then `needs` says what is missing
    """

    outcome: str
    name: str
    role: Role
    unit: str
    natural_unit: str
    prior: Prior | None
    family: Family
    needs: str = ""

    @property
    def full_name(self) -> str:
        return f"{self.outcome}.{self.name}"

    @property
    def support(self) -> str:
        if self.role == "correlation":
            return "correlation"
        return "real" if self.role in ("level", "difference", "rate") else "positive"

    def natural(self, value: Any) -> Any:
        """Link scale -> what a clinician reads: levels in outcome units, log differences and SDs as ratios."""
        if self.role == "level":
            return self.family.inverse(value)
        if self.family.link_name == "log" and (self.role in ("difference", "rate", "sd") or self.name == "sigma"):
            return np.exp(value)
        return value

    def from_scenario(self, value: float) -> float:
        """The value a scenario states (levels in outcome units, ratios where the link is the log) -> link scale."""
        if self.role == "level":
            return float(self.family.link(value))
        if self.family.link_name == "log" and self.role in LINEAR_ROLES:
            return float(np.log(value))
        return float(value)


def parameters(study: Study, outcome: str) -> dict[str, Parameter]:
    """The population parameters of one outcome by name, in reading order, with the study's own priors in place."""
    o = study.outcomes[outcome]
    scale = study.scale(outcome)
    log = o.family.link_name == "log"
    level = f"log {o.unit}" if log else o.unit
    units = {
        "level": (level, o.unit),
        "difference": ("log ratio", "ratio") if log else (o.unit, o.unit),
        "rate": (f"{level} per {study.time.unit}", f"{'ratio' if log else o.unit} per {study.time.unit}"),
        "duration": (study.time.unit, study.time.unit),
    }
    spread_units = {"level": (level, "ratio" if log else o.unit)} | {k: units[k] for k in LINEAR_ROLES}
    found: list[tuple[str, Role, tuple[str, str], Prior | None, str]] = []
    for c in study.coefficients(outcome):
        found.append((c.name, c.nature, units[c.nature], c.prior, c.needs))
    effects = study.effects(outcome)
    for c in study.coefficients(outcome):
        if c.name in effects:
            spread = scale.spread if c.nature != "rate" else scale.spread / (scale.follow_up or 1.0)
            prior = halfnormal(spread) if c.prior or c.nature != "rate" else None
            found.append((f"sd_{c.name}", "sd", spread_units[c.nature], prior, c.needs))
    if len(effects) > 1 and study.correlate == "within outcomes":
        found.append(("correlation", "correlation", ("", ""), lkj(2.0), ""))
    for name, prior in o.family.parameters(scale).items():
        found.append((name, "family", spread_units["level"] if name == "sigma" else ("", ""), prior, ""))
    stated = {name: Prior.parse(text) for name, text in o.priors.items()}
    return {
        name: Parameter(outcome, name, role, unit[0], unit[1], stated.get(name, prior), o.family, needs)
        for name, role, unit, prior, needs in found
    }


def all_parameters(study: Study) -> list[Parameter]:
    """The population parameters of every outcome, in the study's order."""
    return [p for outcome in study.outcomes for p in parameters(study, outcome).values()]
