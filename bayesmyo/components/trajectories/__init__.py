"""Trajectories: how an outcome moves in time.

To add one: copy `linear.py` to a new file, write its methods, and add its line to `TRAJECTORIES`. The contract
tests then ask: does `curve` agree between NumPy and PyTensor, is it linear in every coefficient that
patients may differ in, has each coefficient a default prior or says what it needs.
"""

from bayesmyo.components.trajectories.constant import Constant
from bayesmyo.components.trajectories.linear import Linear
from bayesmyo.components.trajectories.plateau import Plateau
from bayesmyo.components.trajectories.trajectory import Trajectory

TRAJECTORIES: tuple[type[Trajectory], ...] = (Constant, Linear, Plateau)

__all__ = ["TRAJECTORIES", "Constant", "Linear", "Plateau", "Trajectory"]
