"""Families: how an outcome is distributed around its expected value.

To add one: copy `gaussian.py` to a new file, write its methods (`observe` and `draw` independently of
each other, one under the other), and add its line to `FAMILIES`. The contract tests then ask: do `draw`, `observe`
and `log_density` agree, is the support checked, are defaults set on the scale, is the mean the mean of the draws.
"""

from bayesmyo.components.families.family import Cells, Family
from bayesmyo.components.families.gaussian import Gaussian
from bayesmyo.components.families.lognormal import LogNormal
from bayesmyo.components.families.student_t import StudentT

FAMILIES: tuple[type[Family], ...] = (Gaussian, StudentT, LogNormal)

__all__ = ["FAMILIES", "Cells", "Family", "Gaussian", "LogNormal", "StudentT"]
