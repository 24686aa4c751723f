"""How often a study of so many patients meets its decisions."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from bayesmyo.errors import UsageError
from bayesmyo.figures.colours import BLACK, BLUE, FAINT, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILLION
from bayesmyo.figures.style import DOUBLE, SINGLE, Drawing, drawing, legend, line, title
from bayesmyo.simulation.power.operating import FOR, DecisionPower
from bayesmyo.simulation.power.words import called

COLOURS = (BLUE, VERMILLION, GREEN, ORANGE, PURPLE, SKY, BLACK)
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
NULL = ":"  # the line of a truth under which the decision ought not to be met


def power_curves(decisions: Sequence[DecisionPower], target: float | None = None, method: str = "t test") -> Drawing:
    """The share of studies that meet each decision, over the number of patients: a panel for each decision, a line
    for each scenario and design, with exact 95 % Monte Carlo intervals; the same decision by a comparator, dashed and
    hollow.

    Dotted lines are of truths under which the decision ought not to be met: there the share is the type I error.

    Parameters
    ----------
    decisions : sequence of DecisionPower
        Those of a `PowerAnswer`; of every cell the last look is drawn.
    target : float, optional
        A power to mark, between 0 and 1.
    method : str
        The comparator beside.

    Returns
    -------
    Drawing
        A matplotlib Figure; `savefig` writes it.

    Raises
    ------
    UsageError
        Where there is nothing to draw.

    """
    whole = [
        d
        for d in decisions
        if d.rate.value is not None and d.look == max(x.look for x in decisions if x.cell == d.cell)
    ]
    if not whole:
        raise UsageError("power", "has no replicates to draw")
    names = list(dict.fromkeys(d.decision for d in whole))
    series = list(dict.fromkeys(called(d.labels) for d in whole))
    columns = min(len(names), 2)
    rows = -(-len(names) // columns)
    height = 0.7 + 2.2 * rows + 0.16 * ((len(series) + 2) if columns == 1 else (len(series) + 3) // 2)
    width = SINGLE if columns == 1 else DOUBLE
    with drawing(width, height, rows, columns, sharex=True, sharey=True) as (figure, grid):
        everyone = sorted({d.look for d in whole})
        for axes, name in zip(grid.flat, names, strict=False):
            for i, label in enumerate(series):
                own = sorted(
                    (d for d in whole if d.decision == name and called(d.labels) == label), key=lambda d: d.look
                )
                _curve(axes, own, method, COLOURS[i % len(COLOURS)], MARKERS[i % len(MARKERS)])
            if target is not None:
                axes.axhline(100 * target, color=FAINT, linewidth=0.7, linestyle=(0, (1, 2)))
            axes.set_title(name)
            axes.set(ylim=(-2, 102), yticks=[0, 20, 40, 60, 80, 100])
            axes.set_xscale("function", functions=(lambda x: np.sqrt(np.maximum(x, 0)), np.square))
            axes.set_xticks(_few(everyone), labels=[f"{n:g}" for n in _few(everyone)])
        for axes in list(grid.flat)[len(names) :]:
            axes.set_axis_off()
        figure.subfigs[0].supxlabel("Patients", fontsize=8)
        figure.subfigs[0].supylabel("Studies that meet the decision (%)", fontsize=8)
        title(figure, "What studies of this size would find")
        marks = [
            line(label, COLOURS[i % len(COLOURS)], marker=MARKERS[i % len(MARKERS)]) for i, label in enumerate(series)
        ]
        if any(_beside(d, method) for d in whole):
            marks.append(line(f"by a {method}", GREY, "--", "o", markerfacecolor="none"))
        if any(d.null for d in whole):
            marks.append(line("not true: type I error", GREY, NULL))
        legend(figure, *marks, columns=1 if columns == 1 else 2)
        return figure


def _curve(axes: Axes, own: Sequence[DecisionPower], method: str, colour: str, marker: str) -> None:
    if not own:
        return
    n = [d.look for d in own]
    shares = np.array([[d.rate.value, d.rate.lower, d.rate.upper] for d in own], dtype=float).T * 100
    style = NULL if all(d.null for d in own) else "-"
    axes.fill_between(n, shares[1], shares[2], color=colour, alpha=0.18, linewidth=0)
    axes.errorbar(
        n, shares[0], [shares[0] - shares[1], shares[2] - shares[0]], color=colour, marker=marker, markersize=3.5, linestyle=style,
        elinewidth=0.7,
    )  # fmt: skip
    beside = [(d.look, 100 * r) for d in own if (r := _beside(d, method)) is not None]
    if beside:
        hollow: dict[str, Any] = {"markersize": 3.5, "markerfacecolor": "none", "linewidth": 0.8}
        axes.plot(*zip(*beside, strict=True), "--", color=colour, marker=marker, **hollow)


def _beside(d: DecisionPower, method: str) -> float | None:
    """What a comparator finds: the same decision where it has one."""
    r = d.comparators.get(f"{method}{FOR}{d.decision}")
    return None if r is None else r.value


def _few(values: Sequence[int]) -> list[int]:
    """Ticks far enough apart to be read."""
    kept: list[int] = []
    reach = np.sqrt(values[-1]) - np.sqrt(values[0]) if len(values) > 1 else 1.0
    for v in values:
        if not kept or np.sqrt(v) - np.sqrt(kept[-1]) >= 0.08 * reach:
            kept.append(v)
    return kept
