"""Estimands: which number is asked for, in whom, and when.

To add one: copy `change.py` to a new file, write `value`, `unit`, `sentence` and `times`, and add its line to `ESTIMANDS`.
The contract tests then ask: is it computed alike for a truth and for posterior draws, in every population.
"""

from bayesmyo.components.estimands.change import Change
from bayesmyo.components.estimands.estimand import POPULATIONS, Contrast, Estimand, Prediction
from bayesmyo.components.estimands.level import Level
from bayesmyo.components.estimands.ratio import Ratio
from bayesmyo.components.estimands.slope import Slope

ESTIMANDS: tuple[type[Estimand], ...] = (Level, Change, Ratio, Slope)

__all__ = ["ESTIMANDS", "POPULATIONS", "Change", "Contrast", "Estimand", "Level", "Prediction", "Ratio", "Slope"]
