"""Families: how an outcome is distributed around its expected value.

To add one: copy `gaussian.py` to a new file, write its methods (`observe` and `draw` independently of
each other, one under the other), and add its line to `FAMILIES`. The contract tests then ask: do `draw`, `observe`
and `log_density` agree, is the support checked, are defaults set on the scale, is the mean the mean of the draws.
"""

from collections.abc import Callable
from typing import Any

from bayesmyo.components.families.bernoulli import Bernoulli
from bayesmyo.components.families.beta_binomial import BetaBinomial
from bayesmyo.components.families.cumulative import Cumulative
from bayesmyo.components.families.family import Cells, Family
from bayesmyo.components.families.gamma import Gamma
from bayesmyo.components.families.gaussian import Gaussian
from bayesmyo.components.families.hurdle_lognormal import HurdleLogNormal
from bayesmyo.components.families.lognormal import LogNormal
from bayesmyo.components.families.negative_binomial import NegativeBinomial
from bayesmyo.components.families.ordered_beta import OrderedBeta
from bayesmyo.components.families.poisson import Poisson
from bayesmyo.components.families.student_t import StudentT

FAMILIES: tuple[type[Family], ...] = (
    Gaussian,
    StudentT,
    LogNormal,
    Gamma,
    HurdleLogNormal,
    Cumulative,
    OrderedBeta,
    BetaBinomial,
    Bernoulli,
    Poisson,
    NegativeBinomial,
)


def such(fact: Callable[[type[Family]], Any]) -> str:
    """The families of which a fact holds, in words: "gaussian or lognormal"."""
    return " or ".join(family.kind for family in FAMILIES if fact(family))


def suited(measurements: str) -> str:
    """The families of measurements that look like this (`Family.suits`)."""
    return such(lambda family: family.suits == measurements)


PARTS: tuple[str, ...] = tuple(dict.fromkeys(name for family in FAMILIES for name in family.links))

__all__ = [
    "FAMILIES",
    "PARTS",
    "Bernoulli",
    "BetaBinomial",
    "Cells",
    "Cumulative",
    "Family",
    "Gamma",
    "Gaussian",
    "HurdleLogNormal",
    "LogNormal",
    "NegativeBinomial",
    "OrderedBeta",
    "Poisson",
    "StudentT",
    "such",
    "suited",
]
