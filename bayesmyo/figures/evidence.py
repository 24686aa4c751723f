"""What was known before the first patient: a forest of sources, and the prior that they make."""

import textwrap
from collections.abc import Sequence

from matplotlib.axes import Axes

from bayesmyo.assess.evidence import Known, Range
from bayesmyo.assess.evidence import evidence as known
from bayesmyo.errors import UsageError
from bayesmyo.figures.axes import log_ticks, with_unit
from bayesmyo.figures.colours import BLUE, GREEN, GREY, PALE
from bayesmyo.figures.parts import mass
from bayesmyo.figures.style import DOUBLE, Drawing, band, drawing, legend, line, title
from bayesmyo.study.study import Study

LONGEST = 34  # characters of a line that names a row


def evidence(study: Study, rows: Sequence[Known] | None = None) -> Drawing:
    """Every number of [evidence.*] with its interval, what they say of another study like them, and the prior that this
    makes, in a panel for each estimand.

    The grey bar is the interval by the default priors alone; an arrow says that it goes on beyond the panel. The grey
    mark under a source is the same number in view of the others. A warning: a source outside the bar, or a prediction
    for another study as wide as the bar, from which nothing was learnt.

    Parameters
    ----------
    study : Study
        That states evidence.
    rows : sequence of Known, optional
        What `bayesmyo.evidence` says of it, where that is at hand.

    Returns
    -------
    Drawing
        A matplotlib Figure; `savefig` writes it.

    Raises
    ------
    UsageError
        Where the study states none.
    """
    rows = known(study) if rows is None else rows
    if not rows:
        raise UsageError("study", "states no evidence", mend="write a table [evidence.NAME]")
    heights = [0.7 + 0.34 * (len(k.sources) + 3) for k in rows]
    with drawing(DOUBLE, sum(heights) + 0.7, len(rows), 1, height_ratios=heights) as (figure, grid):
        for axes, k in zip(grid[:, 0], rows, strict=True):
            _panel(axes, k)
        title(figure, f"{study.title}: what was known before the first patient")
        legend(
            figure,
            line(f"published, {mass(study)} interval", BLUE, "-", "o", markerfacecolor="white"),
            line("in view of the others", GREY, "-", "|"),
            line("prediction and prior", GREEN, "-", "D", markerfacecolor="white"),
            band(f"{mass(study)} interval by the default priors", PALE),
            columns=4,
        )
        return figure


def _panel(axes: Axes, k: Known) -> None:
    """The forest of one estimand."""
    n = len(k.sources)
    for y, s in enumerate(k.sources):
        _row(axes, y, s.estimate, BLUE, "o", "published")
        _row(axes, y + 0.3, s.drawn, GREY, "|", "drawn")
    low, high = _extent(k)
    if k.scale == "log":
        axes.set_xscale("log")
    axes.set(xlim=(low, high), ylim=(n + 2.6, -0.6))
    axes.fill_between(
        [max(low, k.default.lower), min(high, k.default.upper)],
        n + 1.76,
        n + 2.24,
        color=PALE,
        linewidth=0,
        label="default",
    )
    for end, inside, marker in ((k.default.lower, low, "<"), (k.default.upper, high, ">")):
        if end < low or end > high:
            axes.plot([inside], [n + 2], marker, color=GREY, markersize=4, label="goes on", clip_on=False)
    prior = next(t.prior for t in k.trusted if t.like_ours == k.like_ours)
    for y, of in enumerate((k.mean, k.next_study, prior), n):
        _row(axes, y, of, GREEN, "D", "prior")
    axes.axhline(n - 0.4, color=GREY, linewidth=0.6, linestyle=":")
    names = [*(s.source for s in k.sources), "mean of such studies", "another such study"]
    names.append(f"prior, like_ours {k.like_ours:g}")
    axes.set_yticks(range(n + 3), [textwrap.shorten(name, LONGEST, placeholder=" ...") for name in names])
    label = f"{k.estimand[4:5].upper()}{k.estimand[5:]}"
    axes.set_xlabel(textwrap.fill(with_unit(label, k.unit), 88))
    if k.scale == "log":
        log_ticks(axes.xaxis)


def _extent(k: Known) -> tuple[float, float]:
    """Around what was published and predicted, whatever the default priors say."""
    if k.scale == "logit":
        return -0.02, 1.02
    shown = (*(s.estimate for s in k.sources), k.next_study, k.mean)
    low, high = min(of.lower for of in shown), max(of.upper for of in shown)
    if k.scale == "log":
        return low / (high / low) ** 0.15, high * (high / low) ** 0.15
    return low - 0.15 * (high - low), high + 0.15 * (high - low)


def _row(axes: Axes, y: float, of: Range, color: str, marker: str, label: str) -> None:
    axes.hlines(y, of.lower, of.upper, color=color, linewidth=1.2, label=label)
    axes.plot([of.median], [y], marker, color=color, markersize=4.5, markerfacecolor="white", label=label)
