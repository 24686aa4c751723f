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
from bayesmyo.assess.checks.grades import Grades
from bayesmyo.assess.checks.left_out import LeftOut
from bayesmyo.assess.checks.time_course import TimeCourse
from bayesmyo.assess.checks.variance import Variance
from bayesmyo.assess.checks.zeros import Zeros

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
)

__all__ = ["CHECKS", "Check", "CheckResult", "Convergence"]
