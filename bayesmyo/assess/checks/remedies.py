"""What to try, as far as the measurements tell."""

import numpy as np

from bayesmyo.components.families import Family
from bayesmyo.components.trajectories import Trajectory
from bayesmyo.study.study import Outcome

FILLED = (
    0.25  # of a declared range, from which it is taken for the ends of a scale, not for a guard against typing errors
)


def positive(y: np.ndarray) -> str:
    """The families of measurements that cannot be negative and scatter in proportion to their level."""
    return "hurdle_lognormal" if (y == 0).any() else "lognormal or gamma"


def wider(family: Family, effects: str) -> str:
    """The family that allows what this one finds too far off, or else other effects; empty where there is none."""
    if family.overdispersed:
        return f"the family {family.overdispersed}"
    return f"{family.heavier_tailed}, or {effects}" if family.heavier_tailed else ""


def skewed(y: np.ndarray) -> bool:
    """Whether measurements cannot be negative, and reach far beyond their middle."""
    return bool(y.min() >= 0 and y.max() > 5 * np.median(y))


def is_scale(o: Outcome, y: np.ndarray) -> bool:
    """Whether the declared range is a scale with two ends: measurements fill a quarter of it, and most do not crowd at its bottom."""
    if o.minimum is None or o.maximum is None:
        return False
    low, middle, high = ((float(q) - o.minimum) / (o.maximum - o.minimum) for q in (y.min(), np.median(y), y.max()))
    return high - low >= FILLED and middle >= FILLED


def crowded(y: np.ndarray) -> bool:
    """Whether more than a twentieth of the measurements lie in the uppermost twentieth of all that was measured."""
    return bool(np.mean(y >= y.max() - 0.05 * np.ptp(y)) > 0.05)


def at_end(o: Outcome, y: np.ndarray, top: bool) -> str:
    """What to try where the model does not know of an end."""
    if o.family.score:
        return "try other effects, or another trajectory"
    if is_scale(o, y):
        return "try the family ordered_beta"
    if not top and y.min() >= 0:
        return f"try the family {positive(y)}"
    return "declare a limit of measurement (censoring) if values are cut off there, or both ends of the scale (minimum, maximum) and the family ordered_beta"


def turning(trajectory: Trajectory) -> str:
    """Trajectories that do what the present one cannot."""
    if not (trajectory.levels_off or trajectory.knots()):
        return "try a trajectory that levels off or turns (plateau, spline, piecewise), with effects in its changes"
    return "try a trajectory that can turn (spline, piecewise), with effects in its changes"
