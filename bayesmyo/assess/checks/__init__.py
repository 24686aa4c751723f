"""Checks: each looks at one way in which a fit may mislead.

To add one: copy `convergence.py` to a new file, write `run`, and add its line to `CHECKS`. A check of what the model
predicts copies `zeros.py`: its replicates come from `assess/replicated.py`, and `findings.Predictive` gives the
verdict.
"""

from bayesmyo.assess.checks.censored import Censored
from bayesmyo.assess.checks.check import Check, CheckResult
from bayesmyo.assess.checks.convergence import Convergence
from bayesmyo.assess.checks.dependence import Dependence
from bayesmyo.assess.checks.distribution import Distribution
from bayesmyo.assess.checks.ends import Ends
from bayesmyo.assess.checks.events import AssociationByPeriod, EventCurve, HazardResiduals
from bayesmyo.assess.checks.grades import Grades
from bayesmyo.assess.checks.left_out import LeftOut
from bayesmyo.assess.checks.own_band import OwnBand
from bayesmyo.assess.checks.published import PublishedNumbers
from bayesmyo.assess.checks.time_course import TimeCourse
from bayesmyo.assess.checks.variance import Variance
from bayesmyo.assess.checks.zeros import Zeros
from bayesmyo.inference.fit import Fit

CHECKS: tuple[Check, ...] = (
    Convergence(),
    Distribution(),
    Ends(),
    Zeros(),
    Variance(),
    Dependence(),
    TimeCourse(),
    Grades(),
    Censored(),
    LeftOut(),
    OwnBand(),
)
EVENT_CHECKS: tuple[Check, ...] = (EventCurve(), HazardResiduals(), AssociationByPeriod())


def checks_of(fit: Fit) -> tuple[Check, ...]:
    """All that look at a fit: those of events, and of published numbers, where its study has any."""
    events = EVENT_CHECKS if fit.study.events else ()
    return (*CHECKS, *events, *((PublishedNumbers(),) if fit.study.evidence else ()))


__all__ = ["CHECKS", "EVENT_CHECKS", "Check", "CheckResult", "Convergence", "checks_of"]
