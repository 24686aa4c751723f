"""Decisions: when the answer to an estimand is yes.

To add one: copy `probability.py` to a new file, write `rule`, `terms`, `judge`, `faults` and `thresholds`, and add its
line to `DECISIONS`.
"""

from bayesmyo.components.decisions.decision import Decision, OneSided, Verdict, concluding
from bayesmyo.components.decisions.dual import Dual
from bayesmyo.components.decisions.equivalence import Equivalence
from bayesmyo.components.decisions.precision import Precision
from bayesmyo.components.decisions.probability import Probability

DECISIONS: tuple[type[Decision], ...] = (Probability, Dual, Equivalence, Precision)

__all__ = [
    "DECISIONS",
    "Decision",
    "Dual",
    "Equivalence",
    "OneSided",
    "Precision",
    "Probability",
    "Verdict",
    "concluding",
]
