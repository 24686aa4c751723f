"""Futility by the predictive probability of success: how likely a study that is looked at now is to succeed at its end.

The rest of the study is simulated from the posterior at the look (parameters, and the effects of the patients so far),
each completed cohort is analysed as the study would be, and the probability is the share of them in which the decision
is met. A study stops for futility when that is below a limit. References: Spiegelhalter, Freedman and Blackburn (1986),
https://doi.org/10.1016/0197-2456(86)90003-6; Saville, Connor, Ayers and Alvarez (2014),
https://doi.org/10.1177/1740774514531352; Berry, Carlin, Lee and Muller (2010), https://doi.org/10.1201/EBK1439825488,
section 2.5.
"""

import math
from dataclasses import dataclass

ROUNDING = 1e-9


@dataclass(frozen=True)
class Predictive:
    """A rule for futility. below: a study stops when the predictive probability of success is below this; cohorts:
    from how many completed ones it is counted, at most.
    """

    below: float
    cohorts: int

    @property
    def enough(self) -> int:
        """How many of them have to meet the decision for the study to go on."""
        return math.ceil(self.below * self.cohorts - ROUNDING)


@dataclass
class Count:
    """How many completed cohorts met a decision, until the others cannot change what is decided any more.

    Curtailed in this way the rule decides as if all of them had been analysed. The share is then biased, and
    `probability` is not (Girshick, Mosteller and Savage 1946, https://doi.org/10.1214/aoms/1177730981).
    """

    rule: Predictive
    met: int = 0
    of: int = 0

    @property
    def goes_on(self) -> bool:
        """Whether enough cohorts met it for the study not to be futile."""
        return self.met >= self.rule.enough

    @property
    def known(self) -> bool:
        """Whether the others cannot change that."""
        return self.goes_on or self.of - self.met > self.rule.cohorts - self.rule.enough

    @property
    def probability(self) -> float:
        """The predictive probability of success, of a count that is known."""
        return (self.met - self.goes_on) / (self.of - 1) if self.of > 1 else float(self.met)

    def add(self, met: bool) -> None:
        """One cohort more, unless it is known without."""
        if not self.known:
            self.met, self.of = self.met + met, self.of + 1


__all__ = ["Count", "Predictive"]
