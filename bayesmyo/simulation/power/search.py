"""The search for the smallest number of patients with a target power, or for the shortest follow-up.

A search begins with the cells that are asked for, and adds one where more cohorts tell most: at the value that the line
of `smallest.py` names, or the nearest that has not been simulated, until the interval of every number is narrow. With
one value only, the line is that of a z test through its error at no patients; where the target lies beyond what was
simulated, a step leads `SHORTEST` to `STRIDE` times as far. What comes next depends on the rows that are there, and on
nothing else: a search that was stopped goes on in its folder, and ends with the same rows for any workers.

It ends where the 95 % interval of every number is at most `NARROW` of it wide, or two steps; where a decision has
`MOST` values; or where a target is not reached within `REACH` times what the search began with. The interval takes
what was simulated as given, though earlier rows chose it: the line is fitted by maximum likelihood, to which the choice
is ignorable. Reference: Wu (1985), Efficient sequential designs with binary data, Journal of the American Statistical
Association 80, 974-984.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import ndtri

from bayesmyo.errors import Fault
from bayesmyo.model import planned
from bayesmyo.model.simulate import MOST_PATIENTS
from bayesmyo.simulation.cell import Cell
from bayesmyo.simulation.header import PLAN, Header
from bayesmyo.simulation.options import Solve
from bayesmyo.simulation.plan import Plan
from bayesmyo.simulation.power import operating
from bayesmyo.simulation.power.smallest import NUMBER, Axis, Smallest, crossing, smallest_n
from bayesmyo.simulation.store import Results

NARROW = 0.1  # of the number
MOST = 12  # values of it that are simulated, for each truth and design
STRIDE = 4.0
REACH = 10.0
SHORTEST = 1.25
FOLLOW_UP = "follow_up"
LEVEL = 0.025  # of the z test whose line is taken where there is one value only


def further(
    values: Sequence[float],
    met: Sequence[int],
    done: Sequence[int],
    target: float,
    ends: tuple[float, float],
    axis: Axis = NUMBER,
) -> float | None:
    """Where more cohorts tell most of the smallest number with a target power.

    Parameters
    ----------
    values, met, done : sequence of float, int, int
        For each number, how many cohorts met the decision, of those done.
    target : float
        The power, in (0, 1).
    ends : (float, float)
        The smallest and the largest number that may be simulated.
    axis : Axis
        What the numbers are of.

    Returns
    -------
    float or None
        A number that has not been simulated; None where the search ends.
    """
    least, most = min(values), max(values)
    low, high = axis.up(ends[0]), axis.up(ends[1])
    if len(values) >= MOST:
        return None
    if len(values) == 1:
        here = ndtri((met[0] + 0.5) / (done[0] + 1)) - ndtri(LEVEL)
        guess = least * ((ndtri(target) - ndtri(LEVEL)) / max(here, 0.1)) ** 2
        guess = float(np.clip(guess, least / STRIDE, least * STRIDE))
    else:
        s = smallest_n(values, met, done, target, axis=axis)
        if (
            _narrow(s, axis)
            or (s.reached == "nowhere" and most >= high)
            or (s.reached == "everywhere" and least <= low)
        ):
            return None
        guess = crossing(values, met, done, target) if s.value is None else s.value
        if s.reached == "nowhere":
            guess = float(np.clip(guess, SHORTEST * most, STRIDE * most))
        elif s.reached == "everywhere":
            guess = float(np.clip(guess, least / STRIDE, least / SHORTEST))
        elif s.upper is None or s.lower is None:  # an end of the interval lies beyond what was simulated
            guess = SHORTEST * guess if s.upper is None else guess / SHORTEST
    return _nearest(guess, values, (low, high), axis)


def _narrow(s: Smallest, axis: Axis) -> bool:
    """Whether the interval is narrow enough for a search to end."""
    if s.value is None or s.lower is None or s.upper is None:
        return False
    return s.upper - s.lower <= max(2 * axis.step, NARROW * s.value) + axis.step / 1000  # but for rounding


def _nearest(guess: float, values: Sequence[float], ends: tuple[float, float], axis: Axis) -> float | None:
    """The value that has not been simulated which is nearest to another, on the scale of roots."""
    middle = min(max(axis.up(guess), ends[0]), ends[1])
    around = {axis.up(middle + i * axis.step) for i in range(-MOST, MOST + 1)}
    free = [
        v for v in around if ends[0] <= v <= ends[1] and not np.isclose(v, values, rtol=0, atol=axis.step / 2).any()
    ]
    return min(free, key=lambda v: (abs(np.sqrt(v) - np.sqrt(guess)), v), default=None)


def axis_of(plan: Plan, solve: Solve) -> Axis:
    """What a search varies: numbers of patients, or lengths of follow-up, in steps of a power of ten that is a tenth to
    a hundredth of what it began with.
    """
    if solve.what != "follow-up":
        return NUMBER
    step = float(10.0 ** (np.floor(np.log10(min(solve.start))) - 1))
    unit = f"{plan.cells[0].study.time.unit}s"
    said = {"before": "a follow-up of ", "fewer": "less", "fewest": "least", "were": "was"}
    return Axis(FOLLOW_UP, unit, step, **said)


def at(cell: Cell, axis: Axis, value: float) -> Cell:
    """A cell with another number of patients, or another follow-up."""
    assert cell.study.design is not None
    labels = {**cell.labels, axis.name: value}
    if axis.name == FOLLOW_UP:
        study = replace(cell.study, design=cell.study.design.followed(value))
        return replace(cell, study=study, labels=labels)
    n = int(value)
    study = replace(cell.study, design=replace(cell.study.design, patients=n))
    return replace(cell, study=study, patients=n, labels={**labels, axis.name: n})


def next_cells(results: Results, solve: Solve, target: float) -> tuple[Cell, ...]:
    """The cells that a search adds to a plan all of whose rows are there; none where it ends."""
    plan, axis = results.plan, axis_of(results.plan, solve)
    cells = {c.key: c for c in plan.cells}
    groups: dict[tuple[Any, ...], list[operating.DecisionPower]] = {}
    for d in operating.decisions(plan, results.replicates, results.quantities):
        varied = tuple((k, v) for k, v in d.labels.items() if k != axis.name)
        groups.setdefault((d.decision, varied), []).append(d)
    added: dict[str, Cell] = {}
    for group in groups.values():
        usable = [d for d in group if d.rate.of]
        if not usable or all(d.null for d in usable):
            continue
        values = [float(d.labels[axis.name]) for d in usable]
        met, done = [d.rate.met for d in usable], [d.rate.of for d in usable]
        value = further(values, met, done, target, _ends(solve, axis), axis)
        if value is not None:
            cell = at(cells[group[0].cell], axis, value)
            added.setdefault(cell.key, cell)
    return tuple(cell for key, cell in added.items() if key not in cells)


def _ends(solve: Solve, axis: Axis) -> tuple[float, float]:
    """As far as a search goes."""
    low, high = min(solve.start) / REACH, max(solve.start) * REACH
    return (max(2.0, low), min(float(MOST_PATIENTS), high)) if axis is NUMBER else (max(axis.step, low), high)


def goes_on(plan: Plan, folder: str | Path, solve: Solve) -> Plan:
    """The plan of a search with all that it has added in its folder: what differs from it in nothing else."""
    if not (Path(folder) / PLAN).is_file():
        return plan
    first, axis = {c.key for c in plan.cells}, axis_of(plan, solve)
    there = [c for c in Header.read(Path(folder)).plan.cells if c.key not in first and axis.name in c.labels]
    added = [c for c in there if c.key in {at(f, axis, float(c.labels[axis.name])).key for f in plan.cells}]
    return replace(plan, cells=(*plan.cells, *added))


def refused(cells: Sequence[Cell]) -> Iterator[Fault]:
    """Why nothing can be searched for, as far as is known before anything is fitted."""
    for c in {c.truths: c for c in cells if isinstance(c.truths, str)}.values():
        for v in planned.true_values(c.study, str(c.truths), c.analysis.decisions, c.patients).values():
            if any(right is None or right > 0 for right in v.right.values()):
                return
    if all(isinstance(c.truths, str) for c in cells):
        got, mend = ", ".join(dict.fromkeys(str(c.truths) for c in cells)), "name one in which something happens"
        yield Fault("--solve", "needs a scenario in which a decision ought to be met", got, mend)
