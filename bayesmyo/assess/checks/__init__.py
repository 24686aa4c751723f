"""Checks: each looks at one way in which a fit may mislead.

To add one: copy `convergence.py` to a new file, write `run`, and add its line to `CHECKS`.
"""

from bayesmyo.assess.checks.check import Check, CheckResult
from bayesmyo.assess.checks.convergence import Convergence

CHECKS: tuple[Check, ...] = (Convergence(),)

__all__ = ["CHECKS", "Check", "CheckResult", "Convergence"]
