"""What a paper gave about patients like these: the tables [evidence.*], and on which scale each number is."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from scipy import special

from bayesmyo.components.component import Scale
from bayesmyo.components.estimands import Estimand
from bayesmyo.components.estimands.estimand import Given
from bayesmyo.components.families.link import LINKS, Link

NUMBERS = ("mean", "median", "se", "sd", "interval", "events", "patients")
LEAST_LOGIT = 2.0  # spread of a yes or no between patients: the information of one at even odds
IDENTITY = Link()


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """A number that a paper, a registry or an earlier cohort gave about patients like these, and how far it is
    believed to hold for ours.

    source: who says so, as one would cite it
    outcome: of this study; what: an estimand of it, `{ kind = "change", from = 0, to = 6 }`, of the average over all
        such patients, or with `population = "average patient"` of the typical one. It is a level, change, slope or ratio that
        follows from population parameters alone: of an outcome on its own scale, of medians on the log, or of yes and no
    The number, in the estimand's unit, in one of these ways:
        mean and se: an estimate with its standard error
        mean, sd and patients: of so many patients, each of whom has the number, with their SD
        mean or median, and interval: an estimate with its interval, of the mass `mass`; where the number is a ratio, or
            a level on the log, the interval is taken to be even on the log
        events and patients: so many of so many, of an outcome of no and yes
    patients: how many it is about; beside a standard error or an interval it says what one patient told
    like_ours: how sure one is that our patients are exchangeable with these: the weight of what is known, beside the
        default prior, which holds otherwise. A judgement; every page on which it counts prints it
    tau: the prior of the SD between studies, on the scale of the estimand (the log for ratios, the logit for counts);
        by default half-normal with half the declared spread between patients
    covariates: of whom it speaks, if not of all: { diagnosis = "DM" }; what it does not name is at its reference or typical
        value
    Several tables about one estimand are a meta-analysis, and say like_ours and tau alike.
    References: Neuenschwander et al. (2010), https://doi.org/10.1177/1740774509356002; Schmidli et al. (2014),
    https://doi.org/10.1111/biom.12242.
    """

    source: str
    outcome: str
    what: Estimand
    mean: float | None = None
    median: float | None = None
    se: float | None = None
    sd: float | None = None
    interval: tuple[float, float] | None = None
    mass: float = 0.95
    events: int | None = None
    patients: int | None = None
    like_ours: float = 0.8
    tau: str = ""
    covariates: Given = field(default_factory=dict)

    @property
    def estimand(self) -> Estimand:
        """What its number is of, in whom it speaks of."""
        return replace(self.what, given=self.covariates) if self.covariates else self.what

    @property
    def said(self) -> tuple[str, ...]:
        """The keys in which it says its number."""
        return tuple(key for key in NUMBERS if getattr(self, key) is not None)

    @property
    def centre(self) -> float | None:
        """Its estimate, in the estimand's unit."""
        return self.mean if self.mean is not None else self.median

    def on(self, link: Link) -> tuple[float, float]:
        """Its estimate and standard error on a scale; of counts, of their logit with half a patient more of each.

        A standard error goes over to the log, or the logit of a probability, by the delta method.
        """
        if self.events is not None and self.patients is not None:
            share = (self.events + 0.5) / (self.patients + 1)
            return float(special.logit(share)), float(1 / np.sqrt((self.patients + 1) * share * (1 - share)))
        centre = self.centre
        assert centre is not None
        value = float(link.link(centre))
        if self.interval is not None:
            low, high = (float(link.link(end)) for end in self.interval)
            return value, (high - low) / (2 * float(special.ndtri((1 + self.mass) / 2)))
        se = self.se
        if se is None:
            assert self.sd is not None
            assert self.patients is not None
            se = self.sd / np.sqrt(self.patients)
        return value, float(se / link.slope(centre))

    def moved(self, link: Link, by: float) -> "Evidence":
        """The same number another amount away on a scale, told as a median with its interval."""
        value, se = self.on(link)
        z = float(special.ndtri((1 + self.mass) / 2))
        low, median, high = (float(link.inverse(value + by + k * se)) for k in (-z, 0.0, z))
        return replace(self, mean=None, se=None, sd=None, events=None, median=median, interval=(low, high))

    def each(self, link: Link) -> float | None:
        """With which SD one of its patients told of the number, on a scale; None where nothing says so, and of counts."""
        if self.events is not None or self.patients is None:
            return None
        return self.on(link)[1] * float(np.sqrt(self.patients))


def scale_of(e: Estimand, family: Link) -> Link:
    """The scale on which an estimand of an outcome of that family is normal from study to study."""
    if e.relative:
        return LINKS["log"]
    return family if e.is_level and e.contrast is None else IDENTITY


def usual_difference(e: Estimand, family: Link, scale: Scale) -> float:
    """Half the declared spread between patients, on the scale of the estimand: how much studies usually differ."""
    link, spread = scale_of(e, family), scale.spread
    if link.logistic:
        spread = max(spread, LEAST_LOGIT)
    elif link is IDENTITY and family.multiplicative:  # a difference of two levels on the log, in their unit
        spread = float(np.exp(scale.typical)) * spread
    elif link is IDENTITY and family.logistic:
        spread = spread / 4
    first, last = e.times()[0], e.times()[-1]
    return spread / 2 / ((last - first) if e.per_time else 1.0)


def unstated(e: Estimand, o: Any) -> str:
    """Why an estimand of that outcome is no function of population parameters that could be used; empty where it is.

    o: the outcome, without faults of its own
    """
    family, median = o.family, o.family.geometric if e.summary is None else e.summary == "median"
    other = [name for name in o.parts if name != "location"]
    if family.has_zero_part or any(family.part(name).logistic for name in other):
        return "levels follow from two curves, of which one is that of zeros"
    if not family.additive and not median and not family.binary:
        return f"what the family {family.kind} expects does not follow from the curve alone"
    if family.anchored:
        return f"what the family {family.kind} expects does not follow from the curve alone"
    return ""


__all__ = ["Evidence", "scale_of", "unstated", "usual_difference"]
