"""Trajectories: how an outcome moves in time.

To add one: copy `linear.py` to a new file, write its methods, and add its line to `TRAJECTORIES`. The contract
tests then ask: does `curve` agree between NumPy and PyTensor, is it linear in every coefficient whose nature
says so, does it stand still before the start, has each coefficient a default prior or says what it needs.
"""

from bayesmyo.components.trajectories.constant import Constant
from bayesmyo.components.trajectories.linear import Linear
from bayesmyo.components.trajectories.log import Log
from bayesmyo.components.trajectories.piecewise import Piecewise, trend
from bayesmyo.components.trajectories.plateau import Plateau
from bayesmyo.components.trajectories.spline import Spline
from bayesmyo.components.trajectories.trajectory import Trajectory
from bayesmyo.components.trajectories.visits import PlannedVisits

STILL = Constant()  # of what is not said to move
TRAJECTORIES: tuple[type[Trajectory], ...] = (Constant, Linear, Log, Piecewise, Plateau, Spline, PlannedVisits)

__all__ = [
    "STILL",
    "TRAJECTORIES",
    "Constant",
    "Linear",
    "Log",
    "Piecewise",
    "PlannedVisits",
    "Plateau",
    "Spline",
    "Trajectory",
    "trend",
]
