"""Hazards: how the rate of an event goes with time.

To add one: copy `constant.py` to a new file, write its methods, and add its line to `HAZARDS`.
"""

from bayesmyo.components.hazards.constant import ConstantHazard
from bayesmyo.components.hazards.hazard import FRAILTY, Hazard, Rate
from bayesmyo.components.hazards.piecewise import PiecewiseHazard
from bayesmyo.components.hazards.weibull import Weibull

HAZARDS: tuple[type[Hazard], ...] = (ConstantHazard, Weibull, PiecewiseHazard)

__all__ = ["FRAILTY", "HAZARDS", "ConstantHazard", "Hazard", "PiecewiseHazard", "Rate", "Weibull"]
