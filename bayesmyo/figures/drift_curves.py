"""How often a study meets its decisions over how far published numbers lie from the truth."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from bayesmyo.errors import UsageError
from bayesmyo.figures.colours import BLUE, GREY, VERMILLION
from bayesmyo.figures.style import DOUBLE, SINGLE, Drawing, drawing, legend, line, title
from bayesmyo.simulation.power.drift import DRIFT, FULL, NONE, STATED, TRUST
from bayesmyo.simulation.power.operating import DecisionPower
from bayesmyo.simulation.power.words import called

LINES = {STATED: (BLUE, "o"), FULL: (VERMILLION, "s")}


def drift_curves(decisions: Sequence[DecisionPower]) -> Drawing:
    """The share of studies that meet each decision over drift: a panel for each decision, truth and design, with the
    trust that the study states and with full trust, and exact 95 % Monte Carlo intervals; a grey band without what was
    published. Where a decision is not right to be met, the share is its type I error.

    Parameters
    ----------
    decisions : sequence of DecisionPower
        Those of a `PowerAnswer` with `drift`; of every cell the last look is drawn.

    Returns
    -------
    Drawing
        A matplotlib Figure; `savefig` writes it.

    Raises
    ------
    UsageError
        Where there is nothing over drift.
    """
    last = {(d.cell, d.decision): max(x.look for x in decisions if x.cell == d.cell) for d in decisions}
    drawn = [
        d for d in decisions if d.rate.value is not None and TRUST in d.labels and d.look == last[d.cell, d.decision]
    ]
    panels: dict[tuple[str, str, int], list[DecisionPower]] = {}
    for d in drawn:
        panels.setdefault((d.decision, _truth(d), d.look), []).append(d)
    if not panels:
        raise UsageError("power", "has no replicates over drift to draw", mend="ask for --drift -2,-1,0,1,2")
    columns = min(len(panels), 2)
    rows = -(-len(panels) // columns)
    with drawing(SINGLE if columns == 1 else DOUBLE, 1.2 + 2.2 * rows, rows, columns, sharex=True) as (figure, grid):
        for axes, ((decision, truth, patients), own) in zip(grid.flat, panels.items(), strict=False):
            _panel(axes, own)
            which = "type I error" if all(d.null for d in own) else "power"
            axes.set_title(f"{decision}\n{truth}, {patients} patients: {which}", fontsize=7)
        for axes in list(grid.flat)[len(panels) :]:
            axes.set_axis_off()
        figure.subfigs[0].supxlabel("Drift (SDs of what the sources predict)", fontsize=8)
        figure.subfigs[0].supylabel("Studies that meet the decision (%)", fontsize=8)
        title(figure, "Where published numbers and the truth disagree")
        marks = [line(f"trust {t}", colour, marker=mark) for t, (colour, mark) in LINES.items() if _any(drawn, t)]
        legend(figure, *marks, line("without published numbers", GREY, "--"), columns=columns)
        return figure


def _panel(axes: Axes, own: Sequence[DecisionPower]) -> None:
    for d in (d for d in own if d.labels[TRUST] == NONE):
        lower, value, upper = _percent(d)
        axes.axhspan(lower, upper, color=GREY, alpha=0.15, linewidth=0)
        axes.axhline(value, color=GREY, linestyle="--", linewidth=0.9)
    for trust, (colour, marker) in LINES.items():
        along = sorted((d for d in own if d.labels[TRUST] == trust), key=lambda d: float(d.labels[DRIFT]))
        if along:
            shares = np.array([_percent(d) for d in along]).T
            ends = [shares[1] - shares[0], shares[2] - shares[1]]
            x = [float(d.labels[DRIFT]) for d in along]
            axes.errorbar(x, shares[1], ends, color=colour, marker=marker, markersize=3.5, elinewidth=0.7)
    axes.set_ylim(bottom=min(0, axes.get_ylim()[0]))


def _percent(d: DecisionPower) -> tuple[float, float, float]:
    """Lower end, share and upper end."""
    lower, value, upper = (100 * float(x or 0.0) for x in (d.rate.lower, d.rate.value, d.rate.upper))
    return lower, value, upper


def _truth(d: DecisionPower) -> str:
    return called({k: v for k, v in d.labels.items() if k not in (DRIFT, TRUST)})


def _any(drawn: Sequence[DecisionPower], trust: str) -> bool:
    return any(d.labels[TRUST] == trust for d in drawn)
