"""How every figure looks: sizes of print, its title, and what each mark means.

A user's own settings of matplotlib change nothing.
"""

import textwrap
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

import matplotlib.style
from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from bayesmyo.figures.colours import BLACK, VERMILLION

SINGLE, DOUBLE = 85 / 25.4, 170 / 25.4  # inches: one column of a journal, and two
SMALL, PLAIN = 7.0, 8.0  # points
STYLE: dict[str, Any] = {
    "font.size": PLAIN,
    "axes.titlesize": PLAIN,
    "axes.titlelocation": "left",
    "axes.labelsize": PLAIN,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "legend.fontsize": SMALL,
    "legend.frameon": False,
    "lines.linewidth": 1.2,
    "svg.hashsalt": "bayesmyo",
    "text.parse_math": False,  # a label is text, whatever it holds
    "savefig.dpi": 200,
}


class Drawing(Figure):
    """A matplotlib Figure that a notebook shows by itself; `savefig` writes it. It is not one of pyplot's: nothing is
    left open."""

    def _repr_png_(self) -> bytes:
        buffer = BytesIO()
        self.savefig(buffer, format="png", dpi=130)
        return buffer.getvalue()


@contextmanager
def drawing(width: float, height: float, rows: int = 1, columns: int = 1, **how: Any) -> Iterator[tuple[Drawing, Any]]:
    """A figure of so many inches and its axes (rows, columns), laid out once everything is on it."""
    with matplotlib.style.context(["default", STYLE]):
        figure = Drawing(figsize=(width, height), layout="constrained")
        # a part of its own for the axes: else their common labels and a legend below share one place
        part: Any = figure.subfigures()
        yield figure, part.subplots(rows, columns, squeeze=False, **how)
        with any_letters():
            figure.draw_without_rendering()


@contextmanager
def any_letters() -> Iterator[None]:
    """Nothing is said of letters that matplotlib's own font lacks: where text stays text, whoever shows it has a font
    for them."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        yield


def title(figure: Figure, text: str, warning: str = "") -> None:
    """One title over the whole figure, broken to its width; under a warning where what is drawn is not to be
    reported."""
    width = int(figure.get_figwidth() * 14.5)
    lines = [*([warning] if warning else []), *text.split("\n")]
    broken = "\n".join(textwrap.fill(part, width) for part in lines)
    figure.suptitle(broken, x=0.01, ha="left", fontsize=PLAIN + 0.5, color=VERMILLION if warning else BLACK)


def nothing_but(heading: str, why: str) -> Drawing:
    """A figure that shows why nothing is drawn."""
    with drawing(SINGLE, 1.6) as (figure, ((axes,),)):
        axes.set_axis_off()
        axes.text(0.0, 1.0, textwrap.fill(why, 58), va="top", fontsize=PLAIN, transform=axes.transAxes)
        title(figure, heading)
        return figure


def legend(figure: Figure, *handles: Artist, columns: int = 2) -> None:
    """What each mark means, below the axes, where it hides nothing."""
    figure.legend(handles=handles, loc="outside lower left", ncols=columns, handlelength=1.8, columnspacing=1.2)


def line(label: str, color: str, style: Any = "-", marker: str = "", width: float = 1.2, **how: Any) -> Line2D:
    """An entry of a legend."""
    return Line2D(
        [], [], color=color, linestyle=style, marker=marker, linewidth=width, label=label, markersize=4, **how
    )


def band(label: str, color: str, alpha: float = 1.0) -> Patch:
    return Patch(facecolor=color, alpha=alpha, linewidth=0, label=label)
