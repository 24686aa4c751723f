"""Each patient a lane: visits, events, and how the follow-up ended."""

import textwrap
from collections import Counter

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes

from bayesmyo.cohort.cohort import HAPPENED, INTERVAL, Cohort
from bayesmyo.figures.axes import time_label
from bayesmyo.figures.colours import BLACK, BLUE, FAINT, GREEN, GREY, ORANGE, PALE, PURPLE, SKY, VERMILLION
from bayesmyo.figures.events import ticks_to
from bayesmyo.figures.style import DOUBLE, SMALL, Drawing, drawing, legend, line, title
from bayesmyo.study.study import Study

LANE, TALLEST = 0.15, 8.5  # inches
EVENTS = ((VERMILLION, "o"), (BLUE, "s"), (GREEN, "^"), (PURPLE, "D"), (ORANGE, "v"), (SKY, "P"))
REASONS = ("X", "d", "P", "p", "h")
STILL, SOME_OTHER = ">", "another reason"


def swimmer(study: Study, cohort: Cohort) -> Drawing:
    """Each patient a bar from the start to the end of follow-up, the longest at the top, by pseudonym.

    Small ticks are visits. An event is a mark where its time is known, and a thick piece of the bar where it is known
    only between two visits. At its end a bar has the mark of the reason, or an arrow head where the patient was still
    in care.

    Parameters
    ----------
    study : Study
        Which says what the events are.
    cohort : Cohort
        The patients.

    Returns
    -------
    Drawing
        A matplotlib Figure; `savefig` writes it.

    """
    begin, end = _spans(cohort)
    order = np.lexsort((np.arange(len(cohort)), -end))
    lane = np.argsort(order)
    high = min(LANE * len(cohort), TALLEST)
    with drawing(DOUBLE, high + 1.3) as (figure, ((axes,),)):
        axes.barh(lane, end - begin, 0.7, begin, color=PALE, label="followed")
        _visits(axes, cohort, lane)
        entries: list[Artist] = [line("visit", GREY, "none", "|")]
        entries += _events(axes, study, cohort, lane)
        entries += _exits(axes, cohort, lane, end)
        size = min(SMALL, 72 * 0.9 * high / max(len(cohort), 1))
        names = cohort.pseudonyms()
        axes.set_yticks(range(len(cohort)), [names[i] for i in order], fontsize=size)
        axes.tick_params(axis="y", length=0)
        reach = max(float(end.max(initial=0.0)) - min(float(begin.min(initial=0.0)), 0.0), 1e-9)
        axes.set(
            xlabel=time_label(study),
            ylim=(len(cohort) - 0.4, -0.6),
            xticks=ticks_to(study, float(end.max(initial=0.0)) or 1.0),
        )
        axes.set_xlim(
            min(float(begin.min(initial=0.0)), 0.0) - 0.01 * reach, float(end.max(initial=0.0)) + 0.02 * reach
        )
        title(figure, f"Follow-up of {len(cohort)} patient{'s' * (len(cohort) != 1)}, longest first")
        legend(figure, *entries, columns=3)
        return figure


def _spans(cohort: Cohort) -> tuple[np.ndarray, np.ndarray]:
    """(patient,) from the start, or an earlier visit, to the exit, or to what is known last where there is none."""
    begin, end = np.zeros(len(cohort)), np.zeros(len(cohort))
    for m in cohort.measurements.values():
        np.minimum.at(begin, m.patient, m.time)
        np.maximum.at(end, m.patient, m.time)
    for e in cohort.events.values():
        np.maximum.at(end, e.patient, e.end)
    return begin, end if cohort.exits is None else np.maximum(end, cohort.exits.time)


def _visits(axes: Axes, cohort: Cohort, lane: np.ndarray) -> None:
    pairs = [np.column_stack([m.patient, m.time]) for m in cohort.measurements.values()]
    visits = np.unique(np.concatenate(pairs), axis=0) if pairs else np.zeros((0, 2))
    axes.plot(
        visits[:, 1], lane[visits[:, 0].astype(int)], "|", color=GREY, markersize=3, markeredgewidth=0.6, label="visits"
    )


def _events(axes: Axes, study: Study, cohort: Cohort, lane: np.ndarray) -> list[Artist]:
    """Events other than exits, and their entries in the legend."""
    entries: list[Artist] = []
    shown = [name for name in cohort.events if not study.events[name].reasons]
    for (colour, marker), name in zip(EVENTS * len(shown), shown, strict=False):
        e, said = cohort.events[name], _short(study.label(name))
        exact, between = e.take(e.status == HAPPENED), e.take(e.status == INTERVAL)
        if len(exact):
            axes.plot(exact.stop, lane[exact.patient], marker, color=colour, markersize=4, markeredgecolor="white",
                      markeredgewidth=0.4, label=name, zorder=4)  # fmt: skip
            entries.append(line(said, colour, "none", marker))
        if len(between):
            axes.barh(lane[between.patient], between.end - between.stop, 0.7, between.stop, color=colour, alpha=0.55,
                      label=f"{name} between", zorder=2)  # fmt: skip
            axes.plot((between.stop + between.end) / 2, lane[between.patient], marker, color=colour, markersize=3.5,
                      markeredgecolor="white", markeredgewidth=0.4, zorder=4)  # fmt: skip
            entries.append(line(f"{said}, between two visits", colour, "-", marker, width=5, alpha=0.55))
        if not e.happened:
            entries.append(line(f"{said}: nobody", FAINT, "none", marker))
    return entries


def _exits(axes: Axes, cohort: Cohort, lane: np.ndarray, end: np.ndarray) -> list[Artist]:
    """How each follow-up ended, where the cohort says so, and the entries in the legend."""
    if cohort.exits is None:
        return []
    counts = Counter(r for r in cohort.exits.reason if r)
    common = [r for r, _ in counts.most_common()]
    own = common if len(common) <= len(REASONS) else common[: len(REASONS) - 1]
    marks = dict(zip(own, REASONS, strict=False))
    groups = {"": STILL, **marks} | ({SOME_OTHER: REASONS[-1]} if len(own) < len(common) else {})
    entries: list[Artist] = []
    for reason, marker in groups.items():
        who = [i for i, r in enumerate(cohort.exits.reason) if (r if r in marks or not r else SOME_OTHER) == reason]
        if who:
            axes.plot(end[who], lane[who], marker, color=BLACK, markersize=4.5, markeredgecolor="white",
                      markeredgewidth=0.4, zorder=5, clip_on=False, label=reason or "still in care")  # fmt: skip
            entries.append(line(f"{_short(reason) if reason else 'still in care'}: {len(who)}", BLACK, "none", marker))
    return entries


def _short(text: str) -> str:
    return textwrap.shorten(text, 34, placeholder="…")
