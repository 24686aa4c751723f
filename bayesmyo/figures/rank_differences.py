"""Whether the truth lies among the draws as it should: differences of empirical distributions from a uniform one."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from bayesmyo.errors import UsageError
from bayesmyo.figures.colours import BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILLION
from bayesmyo.figures.style import DOUBLE, SINGLE, Drawing, band, drawing, legend, line, title
from bayesmyo.simulation.calibration.envelope import envelope
from bayesmyo.simulation.calibration.uniformity import PASS
from bayesmyo.simulation.calibration.verdict import CellCalibration, ranks_of

COLOURS = (VERMILLION, BLUE, GREEN, ORANGE, PURPLE, SKY)
STYLES = ("-", "--", "-.", ":")
GRID = np.linspace(0, 1, 401)
NAMED = 6  # of the quantities that fail, the worst


def rank_differences(cells: Sequence[CellCalibration], quantities: pd.DataFrame) -> Drawing:
    """Of every quantity, the share of truths that lie below a place among the draws, less that place: a panel for
    each cell.

    The dark band holds 95 % of the lines of a calibrated quantity, each as a whole; the pale one 99 % of all lines of
    a calibrated model together (Säilynoja et al. 2022). An arch: draws lie too high; a bowl: too low; first above and
    then below: draws too narrow; the other way round: too wide. Quantities that fail are coloured and named.

    Parameters
    ----------
    cells : sequence of CellCalibration
        Those of a `Calibration`.
    quantities : DataFrame
        The table of the same simulation study.

    Returns
    -------
    Drawing
        A matplotlib Figure; `savefig` writes it.

    Raises
    ------
    UsageError
        Where no quantity has ranks.

    References
    ----------
    Säilynoja et al. 2022, https://doi.org/10.1007/s11222-022-10090-6

    """
    cells = [c for c in cells if c.quantities]
    if not cells:
        raise UsageError("calibration", "has no ranks to draw")
    columns = min(len(cells), 2)
    rows = -(-len(cells) // columns)
    failing = {
        c.cell: sorted((q for q in c.quantities if not q.passed), key=lambda q: q.adjusted)[:NAMED] for c in cells
    }
    entries = 3 + sum(map(len, failing.values()))
    height = 0.7 + 2.3 * rows + 0.16 * (entries if columns == 1 else -(-entries // 3))
    with drawing(SINGLE if columns == 1 else DOUBLE, height, rows, columns, sharey=True) as (figure, grid):
        marks = []
        for axes, cell in zip(grid.flat, cells, strict=False):
            ranks = ranks_of(quantities, cell.cell)
            n = max(len(r) for r in ranks.values())
            for level, colour, alpha in ((1 - PASS / len(ranks), GREY, 0.18), (0.95, GREY, 0.35)):
                z, lower, upper = envelope(n, level)
                axes.fill_between(
                    [0, *z], [0, *(lower - z)], [0, *(upper - z)], color=colour, alpha=alpha, linewidth=0, step=None
                )
            for key, r in ranks.items():
                named = [i for i, q in enumerate(failing[cell.cell]) if (q.kind, q.name) == key]
                how = {"color": GREY, "linewidth": 0.5, "alpha": 0.6}
                if named:
                    colour, style = COLOURS[named[0] % len(COLOURS)], STYLES[named[0] % len(STYLES)]
                    how = {"color": colour, "linewidth": 1.2, "linestyle": style}
                    marks.append(line(key[1], colour, style))
                axes.plot(GRID, np.searchsorted(np.sort(r), GRID, side="right") / len(r) - GRID, **how)
            axes.axhline(0, color=GREY, linewidth=0.6)
            verdict = "passes" if cell.passed else "too few replicates" if cell.passed is None else "FAILS"
            axes.set_title(f"{cell.patients} patients, {n} replicates: {verdict}")
            axes.set(xlim=(0, 1))
        for axes in list(grid.flat)[len(cells) :]:
            axes.set_axis_off()
        figure.subfigs[0].supxlabel("Place among the draws", fontsize=8)
        figure.subfigs[0].supylabel("Share of truths below, less uniform", fontsize=8)
        title(figure, "Where the truth lies among the draws")
        bands = [band("95 % of lines", GREY, 0.45), band("99 % of all lines together", GREY, 0.18)]
        legend(figure, line("a quantity", GREY, width=0.6), *bands, *marks, columns=1 if columns == 1 else 3)
        return figure
