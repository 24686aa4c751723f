"""How a linear predictor is told in the units of what it predicts: its link, and what a difference on it is called."""

from abc import abstractmethod
from typing import Any, ClassVar

import numpy as np
from scipy import special

# The least SD of what covariates shift, where nothing but the two ends is far: 2.5 logits lead from a probability of
# 0.5 to 0.92, and 1.5 probits to 0.93. Gelman, Jakulin, Pittau and Su (2008), https://doi.org/10.1214/08-AOAS191.
BETWEEN_GROUPS, FAR = {"logit": 2.5, "probit": 1.5}, 0.92
RATIOS = {"log": "ratio", "logit": "odds ratio"}


class Link:
    """The scale on which a predictor is linear, and the way from there to what it predicts and back."""

    link_name: ClassVar[str] = "identity"
    table: ClassVar[str] = "outcomes"  # of the study file, in which its priors stand
    anchored: ClassVar[bool] = False  # the first level is zero by definition: the family's thresholds say where it is

    @property
    def additive(self) -> bool:
        """Whether effects add to what is predicted, in its unit: the identity."""
        return self.link_name == "identity"

    @property
    def multiplicative(self) -> bool:
        """Whether effects multiply what is predicted: the log."""
        return self.link_name == "log"

    @property
    def logistic(self) -> bool:
        """Whether effects add to log odds, of a probability or of a share of the way between two ends."""
        return self.link_name == "logit"

    def in_unit(self, name: str) -> bool:
        """Whether a parameter of the family is in the unit of the outcome, on the link scale: a residual SD."""
        return name == "sigma"

    @property
    def ratio(self) -> str:
        """What the exponential of a difference on the link scale is called; empty where it is none."""
        return RATIOS.get(self.link_name, "")

    def link(self, values: Any) -> Any:
        """Expected values in their units -> link scale; here for the identity and the log."""
        values = np.asarray(values, dtype=float)
        return np.log(values) if self.multiplicative else values

    def inverse(self, eta: Any) -> Any:
        """Link scale -> the units of what is predicted; here for the identity and the log."""
        eta = np.asarray(eta, dtype=float)
        return np.exp(eta) if self.multiplicative else eta

    def slope(self, value: float) -> float:
        """How far an expected value moves, in its unit, when the predictor moves by one; here for the identity and
        the log."""
        return value if self.multiplicative else 1.0

    def spread(self, scale: float, typical: float) -> float:
        """The declared spread between patients on the link scale, around a typical value in its units.

        Where the link is the log, the declared scale is a ratio.
        """
        return float(np.log(scale) if self.multiplicative else scale)

    def between_groups(self, sd: float, per: float = 1.0) -> float:
        """The SD of a default prior that leaves room for groups that differ.

        It is `sd`, but at least 2.5 on the logit and 1.5 on the probit, and on any other link between two ends what
        leads
        from their middle to 0.92 of the way: the spread between patients that a study declares is that of patients
        alike, and bounds no difference between groups.
        per: how many of the coefficient's units pass over a typical follow-up (see `Coefficient`)
        """
        return max(sd, (BETWEEN_GROUPS.get(self.link_name) or self._far()) / per)

    def _far(self) -> float:
        """From the middle between two ends to 0.92 of the way, on the link; zero where there are no two ends."""
        low, high = self.ends()
        if low is None or high is None:
            return 0.0
        return float(np.ptp(self.link(low + (high - low) * np.array([0.5, FAR]))))

    def ends(self) -> tuple[float | None, float | None]:
        """The least and the largest value there can be, where that has a probability, not a density."""
        return None, None

    def check(self, values: Any) -> np.ndarray:
        """(n,) True where a value can be one of those predicted."""
        return np.isfinite(values)

    def support(self) -> str:
        """What `check` allows, in words, for messages."""
        return "a finite number"

    def check_expected(self, values: Any) -> np.ndarray:
        """(n,) True where a value can be an expected one: inside the support, where the link is finite."""
        return np.isfinite(values) & np.isfinite(self.link(np.where(self.check(values), values, np.nan)))

    def expected(self) -> str:
        """What `check_expected` allows, in words, for messages."""
        return self.support()


class Positive(Link):
    """A parameter that is positive, on the log: a residual SD, a precision, a coefficient of variation."""

    link_name: ClassVar[str] = "log"

    def check(self, values: Any) -> np.ndarray:
        return np.isfinite(values) & (values > 0)

    def support(self) -> str:
        return "a positive number"


class FromZero(Link):
    """On the log; zero may be measured, but is never expected."""

    link_name: ClassVar[str] = "log"

    def ends(self) -> tuple[float | None, float | None]:
        return 0.0, None

    def expected(self) -> str:
        return "a positive number"

    def check_expected(self, values: Any) -> np.ndarray:
        return np.isfinite(values) & (values > 0)


class Score(Link):
    """A number between two ends, on the logit of its share of the way.

    The declared spread is an SD around the typical value; on the logit it is the SD of the share / (share * (1 -
    share)) by the delta method (McCullagh and Nelder 1989, chapter 4, https://doi.org/10.1201/9780203753736).
    """

    link_name: ClassVar[str] = "logit"

    @abstractmethod
    def ends(self) -> tuple[float, float]: ...

    def link(self, values: Any) -> Any:
        low, high = self.ends()
        return special.logit((np.asarray(values, dtype=float) - low) / (high - low))

    def inverse(self, eta: Any) -> Any:
        low, high = self.ends()
        return low + (high - low) * special.expit(np.asarray(eta, dtype=float))

    def slope(self, value: float) -> float:
        low, high = self.ends()
        share = (value - low) / (high - low)
        return (high - low) * share * (1 - share)

    def spread(self, scale: float, typical: float) -> float:
        low, high = self.ends()
        share = (typical - low) / (high - low)
        return float(scale / (high - low) / (share * (1 - share)))

    def check_expected(self, values: Any) -> np.ndarray:
        low, high = self.ends()
        return (np.asarray(values) > low) & (np.asarray(values) < high)

    def expected(self) -> str:
        low, high = self.ends()
        return f"a number between {low:g} and {high:g}, and neither"


class Probability(Score):
    """A probability, on the logit."""

    def ends(self) -> tuple[float, float]:
        return 0.0, 1.0

    def expected(self) -> str:
        return "a probability between 0 and 1"


# what a parameter with a predictor of its own is called in a sentence
CALLED = {
    "zero": "probability of zero",
    "zero_inflation": "probability of a zero that is no count",
    "sigma": "residual SD",
    "precision": "precision",
    "cv": "coefficient of variation",
}
LINKS: dict[str, Link] = {"log": Positive(), "logit": Probability()}
