"""Joint priors of the ordered thresholds of a cumulative family.

Neither needs initial values, and draws are ordered by construction (a sorted transform of independent variables
is not: its prior draws come unordered).
"""

import math
import re
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy import special

from bayesmyo.components.priors import Joint

Link = Literal["logit", "probit"]


class Thresholds(Joint):
    """Thresholds `threshold_1`, `threshold_2`, ..., one fewer than there are categories."""

    count: int

    @property
    def names(self) -> tuple[str, ...]:  # type: ignore[override]
        return tuple(f"threshold_{k}" for k in range(1, self.count + 1))

    def _register(self, pm: Any, prefix: str, thresholds: Any) -> tuple[Any, ...]:
        return tuple(pm.Deterministic(prefix + name, thresholds[k]) for k, name in enumerate(self.names))


@dataclass(frozen=True)
class InducedDirichlet(Thresholds):
    """The shares of the categories at eta = 0 are Dirichlet(concentrations).

    A concentration of 1 for each holds all shares equally plausible; larger ones hold to the shares they are
    proportional to. Reference: Betancourt (2019),
        https://betanalpha.github.io/assets/case_studies/ordinal_regression.html.
    """

    concentrations: tuple[float, ...]
    link: Link = "logit"

    @property
    def count(self) -> int:  # type: ignore[override]
        return len(self.concentrations) - 1

    def __str__(self) -> str:
        return f"induced_dirichlet({', '.join(format(c, '.6g') for c in self.concentrations)})"

    def variables(self, pm: Any, prefix: str) -> tuple[Any, ...]:
        pt = pm.math.pt
        shares = pt.maximum(pm.Dirichlet(f"{prefix}thresholds_shares", np.array(self.concentrations)), 1e-300)
        below, above = pt.cumsum(shares)[:-1], pt.cumsum(shares[::-1])[::-1][1:]
        if self.link == "logit":
            return self._register(pm, prefix, pt.log(below) - pt.log(above))
        tail = -np.sqrt(2) * pt.erfcinv(2 * pt.minimum(pt.minimum(below, above), 0.5))
        return self._register(pm, prefix, pt.switch(below < above, tail, -tail))

    def draw(self, rng: np.random.Generator, size: tuple[int, ...] = ()) -> tuple[np.ndarray, ...]:
        weights = np.maximum(rng.standard_gamma(self.concentrations, (*size, self.count + 1)), 1e-300)
        below, above = weights.cumsum(-1)[..., :-1], weights[..., ::-1].cumsum(-1)[..., ::-1][..., 1:]
        if self.link == "logit":
            thresholds = np.log(below / above)
        else:
            smaller = special.ndtri(np.minimum(below, above) / (below + above))
            thresholds = np.where(below < above, smaller, -smaller)
        return tuple(np.moveaxis(thresholds, -1, 0))

    def quantile(self, position: int, p: float) -> float:
        below, above = sum(self.concentrations[: position + 1]), sum(self.concentrations[position + 1 :])
        share = special.betaincinv(below, above, p)
        return float(special.logit(share) if self.link == "logit" else special.ndtri(share))


@dataclass(frozen=True)
class OrderedNormal(Thresholds):
    """Independent Normal(mean, sd) thresholds, given that they are in order: sorted draws."""

    mean: float
    sd: float
    count: int

    def __str__(self) -> str:
        return f"ordered_normal({self.mean:.6g}, {self.sd:.6g})"

    def variables(self, pm: Any, prefix: str) -> tuple[Any, ...]:
        pt = pm.math.pt
        first = pm.Normal(f"{prefix}thresholds_first", self.mean, self.sd)
        if self.count == 1:
            return self._register(pm, prefix, pt.stack([first]))
        gaps = pm.HalfFlat(f"{prefix}thresholds_gaps", shape=self.count - 1)
        later = first + pt.cumsum(gaps)
        normal = pm.logp(pm.Normal.dist(self.mean, self.sd), later).sum()
        pm.Potential(f"{prefix}thresholds_later", normal + math.lgamma(self.count + 1))
        return self._register(pm, prefix, pt.concatenate([pt.stack([first]), later]))

    def draw(self, rng: np.random.Generator, size: tuple[int, ...] = ()) -> tuple[np.ndarray, ...]:
        return tuple(np.moveaxis(np.sort(rng.normal(self.mean, self.sd, (*size, self.count)), axis=-1), -1, 0))

    def quantile(self, position: int, p: float) -> float:
        share = special.betaincinv(position + 1, self.count - position, p)
        return float(self.mean + self.sd * special.ndtri(share))


def parse_joint(text: str, categories: int, link: Link) -> Thresholds:
    """Read `"induced_dirichlet(1)"` or `"ordered_normal(0, 5)"`. Raises ValueError that says how to mend the text."""
    known = '"induced_dirichlet(1)", "ordered_normal(0, 5)"'
    match = re.fullmatch(r"\s*([a-z_]+)\s*\(([^()]*)\)\s*", text)
    if match is None or match[1] not in ("induced_dirichlet", "ordered_normal"):
        raise ValueError(f"write a joint prior of the thresholds: {known}")
    name = match[1]
    try:
        values = tuple(float(a) for a in match[2].split(","))
    except ValueError:
        raise ValueError(f"the arguments of {name} are numbers: {known}") from None
    if not all(map(math.isfinite, values)):
        raise ValueError(f"the arguments of {name} are finite numbers")
    if name == "ordered_normal":
        if len(values) != 2:
            raise ValueError("ordered_normal takes 2 arguments: ordered_normal(mean, sd)")
        if values[1] <= 0:
            raise ValueError("ordered_normal: sd must be positive")
        return OrderedNormal(*values, count=categories - 1)
    if len(values) not in (1, categories):
        raise ValueError(f"induced_dirichlet takes 1 concentration for all categories, or {categories}, one for each")
    if min(values) <= 0:
        raise ValueError("induced_dirichlet: concentrations must be positive")
    return InducedDirichlet(values * categories if len(values) == 1 else values, link)
