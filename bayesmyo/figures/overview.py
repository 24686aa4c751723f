"""All outcomes over time on one strip, for a first page: the mean, patients behind it, exits and events."""

import math
import textwrap
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes

from bayesmyo.figures.axes import outcome_label, time_label
from bayesmyo.figures.colours import BLACK, ORANGE
from bayesmyo.figures.parts import warning
from bayesmyo.figures.style import DOUBLE, Drawing, drawing, legend, line, title
from bayesmyo.figures.trajectories import over_time
from bayesmyo.inference.fit import Fit

ACROSS, HIGH = 3, 2.15  # panels side by side; inches of each
APART = 0.12  # of the time from the first mean to the last, between two numbers of patients
EXITS, EVENTS = 0.985, 0.93  # of the height of a panel


def overview(fit: Fit, patients: bool = False, withheld: tuple[str, ...] = ()) -> Drawing:
    """Every outcome over time, a panel each: the population average with its intervals, what was measured behind it.

    Crosses at the top mark when patients left for a stated reason, triangles events. A warning: crosses that crowd
    where the measured means leave the band.

    Parameters
    ----------
    fit : Fit
        What is drawn.
    patients : bool
        Whether single patients stand behind the average, or means of windows of time.
    withheld : tuple of str
        Outcomes of which nothing is to be shown.

    Returns
    -------
    Drawing
        A matplotlib Figure; `savefig` writes it.

    Raises
    ------
    StorageError
        For a shared copy.

    """
    study, outcomes = fit.study, list(fit.study.outcomes)
    columns = min(ACROSS, len(outcomes))
    rows = math.ceil(len(outcomes) / columns)
    with drawing(DOUBLE, HIGH * rows + 0.55, rows, columns) as (figure, grid):
        entries: dict[str, Artist] = {}
        for axes, outcome in zip(grid.flat, outcomes, strict=False):
            axes.set_title(textwrap.shorten(outcome_label(study, outcome), 44))
            axes.set_xlabel(time_label(study))
            if outcome in withheld:
                where: dict[str, Any] = {"transform": axes.transAxes, "ha": "center", "va": "center"}
                axes.text(0.5, 0.5, "withheld", **where)
                axes.set(xticks=[], yticks=[])
                continue
            for entry in over_time(axes, fit, outcome, patients, APART):
                if str(entry.get_label()).startswith("measured ("):  # a mean of one outcome, a geometric one of another
                    entry.set_label("measured, patients below")
                entries[str(entry.get_label())] = entry
            entries |= {str(e.get_label()): e for e in _marks(axes, fit)}
        for axes in list(grid.flat)[len(outcomes) :]:
            axes.set_axis_off()
        if why := warning(fit, *(o for o in outcomes if o not in withheld)):
            title(figure, f"{study.title}: outcomes over time", why)
        legend(figure, *entries.values(), columns=4)
        return figure


def _marks(axes: Axes, fit: Fit) -> list[Artist]:
    """When patients left for a stated reason, and when events happened, along the top; their entries in a legend."""
    cohort, entries = fit.cohort, list[Artist]()
    end = axes.get_xlim()[1]
    how: dict[str, Any] = {"transform": axes.get_xaxis_transform(), "linestyle": "none", "markersize": 4, "zorder": 6}
    exits = cohort.exits
    if exits is not None and any(exits.reason):
        left = exits.time[[bool(reason) for reason in exits.reason]]
        axes.plot(left[left <= end], np.full(np.sum(left <= end), EXITS), "x", color=BLACK, label="left", **how)
        entries.append(line("a patient left", BLACK, "none", "x"))
    times = [e.stop[e.status > 0] for e in cohort.events.values() if e.happened]
    if times:
        when = np.concatenate(times)
        axes.plot(when[when <= end], np.full(np.sum(when <= end), EVENTS), "v", color=ORANGE, label="event", **how)
        entries.append(line("an event", ORANGE, "none", "v"))
    return entries
