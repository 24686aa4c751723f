"""What to try, as far as the measurements tell."""

import numpy as np

from bayesmyo.components.families import FAMILIES, Family, suited
from bayesmyo.components.families.family import BETWEEN_ENDS, POSITIVE, WITH_ZEROS
from bayesmyo.components.trajectories import Trajectory
from bayesmyo.study.predictors import predictors
from bayesmyo.study.study import Outcome, Study

FILLED = 0.25  # of a declared range, from which it is a scale with two ends, no guard against typing errors


def positive(y: np.ndarray) -> str:
    """The families of measurements that cannot be negative and scatter in proportion to their level."""
    return suited(WITH_ZEROS if (y == 0).any() else POSITIVE)


def wider(family: Family, effects: str) -> str:
    """The family that allows what this one finds too far off, or else other effects; empty where there is none."""
    if family.overdispersed:
        return f"the family {family.overdispersed}"
    return f"{family.heavier_tailed}, or {effects}" if family.heavier_tailed else ""


def skewed(y: np.ndarray) -> bool:
    """Whether measurements cannot be negative, and reach far beyond their middle."""
    return bool(y.min() >= 0 and y.max() > 5 * np.median(y))


def is_scale(o: Outcome, y: np.ndarray) -> bool:
    """Whether the declared range is a scale: measurements fill a quarter of it, and most are not at its bottom."""
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
        apart = not top and o.family.more_zeros and not o.predictors
        return "try other effects, or another trajectory" + (f", or a table {o.family.more_zeros}" if apart else "")
    if is_scale(o, y):
        return f"try the family {suited(BETWEEN_ENDS)}"
    if not top and y.min() >= 0:
        return f"try the family {positive(y)}"
    ends = f"both ends of the scale (minimum, maximum) and the family {suited(BETWEEN_ENDS)}"
    return f"declare a limit of measurement (censoring) if values are cut off there, or {ends}"


def scatter(study: Study, outcome: str, *, covariate: str = "", drifts: bool = False, correlate: bool = False) -> str:
    """The table in which scatter depends on a covariate, drifts in time, or else differs between patients.

    What to write into it where it is there; empty where the family has no such parameter, or the table says so already.
    correlate: patients who scatter more may be those at high levels
    """
    o = study.outcomes[outcome]
    name = o.family.scatter()
    part = o.predictors.get(name)
    if not name:
        return ""
    if drifts:
        if part and part.trajectory.moves:
            return f"in the table [outcomes.{outcome}.{name}] {turning(part.trajectory)}"
        said = 'trajectory = { kind = "linear" }'
    else:
        own = next((p for p in predictors(study, outcome) if p.name == name), None)
        first = own.coefficients[0].name if own else "intercept"
        key, new = ("covariates", covariate) if covariate else ("effects", first)
        there = () if own is None else own.covariates if covariate else tuple(e.coefficient for e in own.effects)
        if new in there:
            return ""
        listed = ", ".join(f'"{n}"' for n in (*there, new))
        said = f"{key} = [{listed}]" + (" and correlate = true" if correlate else "")
    table = f"table [outcomes.{outcome}.{name}]"
    return f"give the {table} {said}" if part else f"write a {table} with {said}"


def overdispersed(study: Study, outcome: str) -> str:
    """The family of such measurements that scatter more, and the table of its scatter; empty where there is none."""
    kind = study.outcomes[outcome].family.overdispersed
    table = f"[outcomes.{outcome}.{ {f.kind: f.scatter() for f in FAMILIES}.get(kind) }]"
    return f"try the family {kind}, whose scatter may have a table of its own, {table}" if kind else ""


def zeros(study: Study, outcome: str, more: bool, over_time: bool) -> str:
    """What to try where zeros are more, or fewer, than predicted; over_time: at some visits, not at all of them."""
    o = study.outcomes[outcome]
    part = next((name for name in (o.family.more_zeros, o.family.fewer_zeros) if name in o.predictors), "")
    if part:
        moves = o.predictors[part].trajectory.moves
        what = "another trajectory" if moves else 'trajectory = { kind = "linear" }'
        advice = [what] * over_time + ["covariates that tell who has none, or other effects"]
        return f"give the table [outcomes.{outcome}.{part}] {', or '.join(advice)}"
    name = o.family.more_zeros if more else o.family.fewer_zeros
    table = f"write a table [outcomes.{outcome}.{name}] with a typical probability and its scale"
    family = f"events that cluster have more zeros: try the family {o.family.overdispersed}"
    return f"{family}; if its zeros are too few as well, {table}" if more and o.family.overdispersed else table


def turning(trajectory: Trajectory) -> str:
    """Trajectories that do what the present one cannot."""
    turns = trajectory.levels_off or trajectory.knots()
    which = "can turn (spline, piecewise)" if turns else "levels off or turns (plateau, spline, piecewise)"
    return f"try a trajectory that {which}, with effects in its changes"
