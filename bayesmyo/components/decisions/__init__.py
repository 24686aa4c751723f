"""Decisions: when the answer to an estimand is yes.

To add one: copy `probability.py` to a new file, write `judge`, and add its line to `DECISIONS`.
"""

from bayesmyo.components.decisions.decision import Decision, Verdict
from bayesmyo.components.decisions.probability import Probability

DECISIONS: tuple[type[Decision], ...] = (Probability,)

__all__ = ["DECISIONS", "Decision", "Probability", "Verdict"]
