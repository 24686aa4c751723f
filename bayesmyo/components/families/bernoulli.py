"""The Bernoulli distribution: yes or no at each visit."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from scipy import special

from bayesmyo.components.component import Scale
from bayesmyo.components.families.family import Arrays, Cells, Family, Pooled, scored
from bayesmyo.components.families.link import Probability
from bayesmyo.components.in_r import Call
from bayesmyo.components.priors import Joint, Prior


@dataclass(frozen=True, kw_only=True)
class Bernoulli(Probability, Family):
    """P(y = 1) = expit(eta); cells are 0 or 1, the declared `typical` is a probability.

    It has no parameters of its own. The declared `scale` is an SD of the probability around the typical one; on the
    logit it is scale / (typical * (1 - typical)) by the delta method (McCullagh and Nelder 1989, chapter 4,
    https://doi.org/10.1201/9780203753736).
    """

    kind: Literal["bernoulli"] = "bernoulli"
    also: ClassVar[tuple[str, ...]] = ("binary", "logistic")
    formula: ClassVar[str] = "y ~ Bernoulli(expit(eta))"
    counts: ClassVar[bool] = True
    approximated: ClassVar[bool] = True
    r_formula: ClassVar[str] = "bernoulli()"

    def encode(self, values: Any) -> Any:
        return np.asarray(values).astype(np.int64)

    def parameters(self, scale: Scale) -> dict[str, Prior | Joint]:
        return {}

    def observe(self, pm: Any, name: str, eta: Mapping[str, Any], aux: Mapping[str, Any], cells: Cells) -> Any:
        return pm.Bernoulli(name, logit_p=eta["location"], observed=cells.value)

    def approximate(self, cells: Cells, aux: Arrays, curve: Any, pooled: Pooled, xp: Any) -> tuple[Any, Any]:
        """One step of Fisher's scoring from the patient's own share of yes (see `scored`)."""
        return scored(cells.value, 1, curve, pooled, xp)

    def draw(self, rng: np.random.Generator, eta: Arrays, aux: Arrays) -> np.ndarray:
        probability = special.expit(np.asarray(eta["location"], dtype=float))
        return (rng.random(probability.shape) < probability).astype(float)

    def log_density(self, cells: Cells, eta: Arrays, aux: Arrays) -> np.ndarray:
        return special.log_expit(np.where(np.asarray(cells.value) == 1, 1.0, -1.0) * eta["location"])

    def r_call(self, y: str, predictor: str = "location") -> Call | None:
        return Call("lme4::glmer", "stats::glm", y, ("family = binomial",))

    def mean(self, eta: Arrays, aux: Arrays) -> np.ndarray:
        return special.expit(np.asarray(eta["location"], dtype=float))

    def check(self, values: Any) -> np.ndarray:
        return np.isin(values, (0.0, 1.0))

    def support(self) -> str:
        return "0 or 1"
