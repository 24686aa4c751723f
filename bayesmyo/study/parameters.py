"""Every parameter of a study: its name, its unit, its prior, and how it reads in outcome units.

This inventory is the one source for the model builder, draws from the priors, scenarios, the
parameter table and the sentences of `validate`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, ClassVar, Literal

import numpy as np

from bayesmyo.components import correlation
from bayesmyo.components.component import Coefficient
from bayesmyo.components.families.link import Link
from bayesmyo.components.priors import Alone, Joint, Prior, Support, halfnormal, lkj, normal
from bayesmyo.components.residuals import Residual
from bayesmyo.study.covariates import columns
from bayesmyo.study.predictors import CORRELATIONS, Block, Predictor, blocks, correlated, effects, predictors
from bayesmyo.study.study import Study

Role = Literal["level", "difference", "rate", "duration", "shape", "sd", "correlation", "family", "threshold"]
LINEAR_ROLES = ("difference", "rate")
JOINT = "thresholds"  # the key under which a study states the prior of all thresholds


@dataclass(frozen=True)
class Part:
    """The prior of one parameter where several have one together: a joint prior, and which of them this is.

    stated: the key of the study file where the prior of all of them stands
    """

    joint: Joint
    position: int
    support: Support = "real"
    stated: ClassVar[str] = JOINT

    def __str__(self) -> str:
        return str(self.joint)

    def quantile(self, p: float) -> float:
        return self.joint.quantile(self.position, p)


@dataclass(frozen=True)
class Jointly:
    """The prior of one correlation of three effects or more: `text` is that of the matrix, `alone` that of the one."""

    text: str
    alone: Prior
    support: ClassVar[Support] = "correlation"
    stated: ClassVar[str] = "study.correlation_prior"

    def __str__(self) -> str:
        return self.text

    def quantile(self, p: float) -> float:
        return self.alone.quantile(p)


@dataclass(frozen=True)
class Pooled:
    """The prior of what one level of a group differs by: Normal(0, sd), where the SD is a parameter. sd: its name;
    width: its prior
    """

    sd: str
    width: Prior | None
    support: Support = "real"

    @property
    def stated(self) -> str:
        return self.sd

    def __str__(self) -> str:
        return f"normal(0, {self.sd})"

    def quantile(self, p: float) -> float:
        """Of the prior over all SDs, by 100,000 draws on either side of zero."""
        assert self.width is not None
        rng = np.random.default_rng(2006)
        above = self.width.draw(rng, (100_000,)) * np.abs(rng.standard_normal(100_000))
        return float(np.quantile(np.concatenate([-above, above]), p))


@dataclass(frozen=True)
class Parameter:
    """One population parameter of one outcome (`correlations` for a correlation between two outcomes).

    name: `start`, `sd_start`, `correlation`, `sigma` ...; unit: of its value on the link scale ("log IU/L")
    prior: None where the study must state one, and then `needs` says what is missing
    """

    outcome: str
    name: str
    role: Role
    unit: str
    natural_unit: str
    prior: Prior | Part | Jointly | Pooled | None
    link: Link
    needs: str = ""
    positive: bool = False  # of a shape: whether it must be

    @property
    def own(self) -> Prior | None:
        """Its prior where that is of this parameter alone; None where several have one together, or none is stated."""
        return self.prior if isinstance(self.prior, Prior) else None

    @property
    def together(self) -> Part | Jointly | Pooled | None:
        """Its prior where it is not of this parameter alone."""
        return None if isinstance(self.prior, Prior) else self.prior

    @property
    def pooled(self) -> Pooled | None:
        """Its prior where it is what one level of a group differs by."""
        return self.prior if isinstance(self.prior, Pooled) else None

    @property
    def full_name(self) -> str:
        return f"{self.outcome}.{self.name}"

    @property
    def support(self) -> Support:
        if self.role == "correlation":
            return "correlation"
        if self.role in ("level", "difference", "rate", "threshold"):
            return "real"
        return "real" if self.role == "shape" and not self.positive else "positive"

    @property
    def _log(self) -> bool:
        return self.link.multiplicative

    def natural(self, value: Any) -> Any:
        """Link scale -> what a clinician reads: levels in outcome units, differences as ratios or odds ratios."""
        if self.role == "level":
            return self.link.inverse(value)
        if self.role in LINEAR_ROLES and self.link.ratio:
            return np.exp(value)
        if self.unit == "log" or (
            self._log and (self.role in ("difference", "rate", "sd") or self.link.in_unit(self.name))
        ):
            return np.exp(value)
        return value

    def from_scenario(self, value: float) -> float:
        """The value a scenario states (levels in outcome units, ratios where the link is the log) -> link scale."""
        if self.role == "level" and not self.link.anchored:
            return float(self.link.link(value))
        if self._log and self.role in LINEAR_ROLES:
            return float(np.log(value))
        return float(value)

    def in_scenario(self, value: Any) -> Any:
        """Link scale -> as a scenario states it: the inverse of `from_scenario`, of values of any shape."""
        if self.role == "level" and not self.link.anchored:
            return self.link.inverse(value)
        return np.exp(value) if self._log and self.role in LINEAR_ROLES else np.asarray(value)


def parameters(study: Study, outcome: str) -> Mapping[str, Parameter]:
    """The population parameters of one outcome by name, in reading order, with the study's own priors in place."""
    return study.once(_parameters, outcome)


def _parameters(study: Study, outcome: str) -> Mapping[str, Parameter]:
    return MappingProxyType({p.name: p for p in parameter_list(study, outcome)})


def parameter_list(study: Study, outcome: str) -> list[Parameter]:
    """The same in a list, in which `check` looks for two of one name."""
    o = study.declared[outcome]
    stated = dict(o.priors)
    listed: list[Parameter] = []
    for predictor in predictors(study, outcome):
        listed += _of_predictor(study, predictor)
    for block in blocks(study):
        listed += [p for p in _of_block(study, block) if p.outcome == outcome]
    log = o.family.multiplicative
    level = (f"log {o.unit}", "ratio") if log else (o.unit, o.unit)
    for name, prior in o.family.parameters(study.scale(outcome)).items():
        if name in o.parts:
            continue
        if isinstance(prior, Joint):
            joint = o.family.joint(name, stated.pop(name)) or prior if name in stated else prior
            units = (o.family.link_name, o.family.link_name)
            listed += [
                Parameter(outcome, n, "threshold", *units, Part(joint, k), o.family) for k, n in enumerate(joint.names)
            ]
        else:
            units = level if o.family.in_unit(name) else ("", "")
            listed.append(Parameter(outcome, name, "family", *units, prior, o.family))
    listed += _of_dependence(study, outcome)
    if o.residual is not None:
        listed += _of_residual(study, outcome, o.residual, level)
    own = {name: Prior.parse(text) for name, text in stated.items()}
    listed = [p if p.together else replace(p, prior=own.get(p.name, p.prior)) for p in listed]
    widths = {p.name: p.own for p in listed}
    return [replace(p, prior=Pooled(p.pooled.sd, widths.get(p.pooled.sd))) if p.pooled else p for p in listed]


def _of_predictor(study: Study, p: Predictor) -> list[Parameter]:
    """Coefficients, covariates' shifts of the level, moderators' shifts of the change, and patients' SDs."""
    o, scale = study.declared[p.outcome], p.scale
    family = o.family.part(p.name)
    link, unit = family.link_name, p.scale.unit
    time = study.time.unit
    latent = link if link != "identity" else unit
    level = f"log {unit}" if link == "log" else f"{link} {unit}" if link != "identity" else unit
    spread, shift = "ratio" if link == "log" else latent, family.ratio or latent
    rate = f"{level} per {time}"
    units: dict[str, tuple[str, str]] = {
        "level": (latent, latent) if family.anchored else (level, unit),
        "difference": ("log ratio" if link == "log" else latent, shift),
        "rate": (rate, f"{shift} per {time}"),
        "duration": (time, time),
        "shape": ("", ""),
    }
    spreads: dict[str, tuple[str, str]] = {
        "level": (level, spread),
        "difference": (units["difference"][0], spread),
        "rate": (rate, f"{spread} per {time}"),
        "duration": ("log", "ratio"),
    }
    listed = []

    def add(name: str, role: Role, units: tuple[str, str], prior: Prior | Pooled | None, needs: str = "") -> None:
        listed.append(Parameter(p.outcome, p.prefix + name, role, *units, prior, family, needs))

    def add_sd(key: str, units: tuple[str, str], prior: Prior | None, needs: str = "") -> None:
        listed.append(Parameter(p.outcome, f"sd_{key}", "sd", *units, prior, family, needs))

    for c in p.coefficients:
        if c.nature == "shape" and c.prior and c.prior.support == "positive":
            add(c.name, "shape", ("", "") if c.bare else (latent, latent), c.prior)
            listed[-1] = replace(listed[-1], positive=True)
        elif c.fixed is None:
            add(c.name, c.nature, units[c.nature], _of_coefficient(p, c, family), c.needs)
    for name in p.covariates:
        key, pooled = p.prefix + name, study.covariates[name].group
        if pooled:
            add_sd(key, spreads["level"], halfnormal(scale.spread))
        for column in columns(study, name):
            apart = normal(0.0, family.between_groups(scale.spread))
            add(column, "difference", units["difference"], Pooled(f"sd_{key}", None) if pooled else apart)
    for c in p.moderated:
        nature: Role = "rate" if c.nature == "rate" else "difference"
        for name in (n for n in p.moderators if study.covariates[n].group):
            key = f"{p.prefix}{c.name}_{name}"
            add_sd(key, spreads[c.nature], halfnormal(scale.spread / c.per) if c.prior else None, c.needs)
            for column in columns(study, name):
                add(f"{c.name}_{column}", nature, units[nature], Pooled(f"sd_{key}", None))
        for column in (column for n in p.moderators if not study.covariates[n].group for column in columns(study, n)):
            prior = normal(0.0, family.between_groups(scale.spread / c.per, c.per)) if c.prior else None
            add(f"{c.name}_{column}", nature, units[nature], prior, c.needs)
    by_name = {c.name: c for c in p.coefficients}
    for e in p.effects:
        if e.column:
            add_sd(e.key, spreads["difference"], halfnormal(scale.spread))
            continue
        c = by_name[e.coefficient]
        sd = halfnormal(0.5) if c.nature == "duration" else halfnormal(scale.spread / c.per)
        listed.append(
            Parameter(
                p.outcome,
                f"sd_{e.key}",
                "sd",
                *spreads[c.nature],
                sd if c.prior or c.fixed is not None else None,
                family,
                c.needs,
            )
        )
    return listed


def _of_dependence(study: Study, name: str) -> list[Parameter]:
    """Log hazard ratios of an event, for one usual difference between patients in the course of an outcome."""
    event = study.events.get(name)
    depends = event.depends if event else {}
    return [
        Parameter(
            name,
            f"{outcome}_{way}",
            "difference",
            "log ratio",
            "hazard ratio",
            normal(0.0, 0.5),
            study.declared[name].family,
        )
        for outcome, way in depends.items()
    ]


def _of_residual(study: Study, outcome: str, residual: Residual, level: tuple[str, str]) -> list[Parameter]:
    o, time = study.outcomes[outcome], study.time.unit
    units = {"sd": level, "duration": (time, time), "correlation": ("", "")}
    listed: list[Parameter] = []
    for name, (role, prior, needs) in residual.parameters(study.scale(outcome), o.trajectory).items():
        if isinstance(prior, Joint):
            parts = [Part(prior, k, "correlation") for k in range(len(prior.names))]
            listed += [
                Parameter(outcome, n, role, *units[role], p, o.family) for n, p in zip(prior.names, parts, strict=True)
            ]
        else:
            listed.append(Parameter(outcome, name, role, *units[role], prior, o.family, needs))
    return listed


def _of_coefficient(p: Predictor, c: Coefficient, family: Link) -> Prior | None:
    """The default prior of a coefficient; if covariates shift it, it is the reference group's, which leaves room for
    groups.
    """
    shifted = (c.nature == "level" and p.level_columns) or (c in p.moderated and p.change_columns)
    if c.prior is None or not shifted:
        return c.prior
    assert isinstance(c.prior, Alone)
    mean, sd = c.prior.values
    return normal(mean, family.between_groups(sd, c.per))


def _of_block(study: Study, block: Block) -> list[Parameter]:
    """The correlations of a block of effects."""
    k, prior = len(block.effects), Alone.parse(study.correlation_prior)
    alone = lkj(correlation.marginal(prior.values[0], k)) if k > 1 else prior
    shown = prior if k == 2 else Jointly(str(prior), alone)
    family = study.declared[block.effects[0].outcome].family
    return [Parameter(pair.outcome, pair.name, "correlation", "", "", shown, family) for pair in block.pairs()]


def correlations(study: Study) -> dict[str, Parameter]:
    """The correlations between effects, or residuals, of different outcomes, by name."""
    return {p.name: p for b in correlated(study) for p in _of_block(study, b) if p.outcome == CORRELATIONS}


def inventory(study: Study) -> Mapping[str, Mapping[str, Parameter]]:
    """The parameters of every outcome by name, and after them, under `correlations`, those between outcomes."""
    return study.once(_inventory)


def _inventory(study: Study) -> Mapping[str, Mapping[str, Parameter]]:
    every = {outcome: parameters(study, outcome) for outcome in study.declared}
    between = MappingProxyType(correlations(study))
    return MappingProxyType({**every, CORRELATIONS: between} if between else every)


def all_parameters(study: Study) -> list[Parameter]:
    """The population parameters of every outcome, in the study's order."""
    return [p for listed in inventory(study).values() for p in listed.values()]


def moving(study: Study) -> list[Parameter]:
    """The same without those whose prior is one value, of which data say nothing."""
    return [p for p in all_parameters(study) if not (p.own and p.own.constant)]


def joints(listed: Mapping[str, Parameter]) -> Iterator[tuple[str, Joint]]:
    """(outcome, joint prior) of an outcome's parameters, each joint prior once."""
    for p in listed.values():
        if isinstance(p.prior, Part) and p.prior.position == 0:
            yield p.outcome, p.prior.joint


def drawn_jointly(study: Study) -> tuple[Block, ...]:
    """The blocks whose correlations have a joint prior: those of three effects or more."""
    return tuple(b for b in correlated(study) if len(b.effects) > 2)


def draw_pooled(
    listed: Mapping[str, Parameter],
    values: Mapping[str, Any],
    rng: np.random.Generator | None,
    size: tuple[int, ...] = (),
) -> dict[str, np.ndarray]:
    """What levels of groups differ by, drawn given the SDs among an outcome's values; those that are among them stay.

    rng: None for levels that are all alike
    """
    pooled = {name: p.pooled for name, p in listed.items() if p.pooled and name not in values}
    if rng is None:
        return {name: np.zeros(size) for name in pooled}
    return {name: np.asarray(values[prior.sd] * rng.standard_normal(size)) for name, prior in pooled.items()}


def draw_values(study: Study, rng: np.random.Generator, size: tuple[int, ...] = ()) -> dict[str, dict[str, np.ndarray]]:
    """Independent NumPy draws of every parameter from its prior: outcome -> name -> (*size,)."""
    drawn_values: dict[str, dict[str, np.ndarray]] = {}
    for outcome, listed in inventory(study).items():
        values = {name: p.own.draw(rng, size) for name, p in listed.items() if p.own}
        for _, joint in joints(listed):
            values |= dict(zip(joint.names, joint.draw(rng, size), strict=True))
        drawn_values[outcome] = {**values, **draw_pooled(listed, values, rng, size)}
    eta = Alone.parse(study.correlation_prior).values[0]
    for block in drawn_jointly(study):
        position = {e: i for i, e in enumerate(block.effects)}
        drawn = correlation.draw(rng, size, eta, len(block.effects))
        for pair in block.pairs():
            drawn_values[pair.outcome][pair.name] = drawn[position[pair.first], position[pair.second]]
    return drawn_values


__all__ = [
    "Parameter", "all_parameters", "correlations", "draw_values", "drawn_jointly", "effects", "inventory", "joints", "parameters",
]  # fmt: skip
