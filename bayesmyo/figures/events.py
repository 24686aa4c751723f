"""When something happens to patients: what was observed beside the model, and the reasons for which they leave."""

import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.patches import Patch, Rectangle

from bayesmyo.assess.curves import Curve, at_risk, observed_curve
from bayesmyo.assess.curves import cumulative_incidence as incidence
from bayesmyo.assess.reweight import evenly
from bayesmyo.cohort.cohort import CENSORED, Cohort, Episodes
from bayesmyo.components.estimands.estimand import Happens
from bayesmyo.components.numbers import in_sentence
from bayesmyo.errors import UsageError, did_you_mean
from bayesmyo.figures.axes import time_label
from bayesmyo.figures.colours import BLACK, BLUE, GREEN, GREY, ORANGE, PALE, PURPLE, SKY
from bayesmyo.figures.parts import mass, warning
from bayesmyo.figures.style import SINGLE, SMALL, Drawing, band, drawing, legend, line, title
from bayesmyo.inference.fit import Fit
from bayesmyo.model.event import TimeToEvent
from bayesmyo.model.prediction import TruthPrediction
from bayesmyo.seeds import PREDICT, address
from bayesmyo.study.study import Event, Study

DRAWS, TIMES, AMONG = 400, 25, 8192  # of a model's curve; among so many truths new patients are dealt out
COLOURS, STYLES = (BLUE, ORANGE, GREEN, PURPLE), ("-", "--", "-.", ":")
STACKED = ((BLUE, ""), (ORANGE, "////"), (GREEN, "...."), (PURPLE, "xxxx"), (SKY, "\\\\\\\\"), (PALE, "++++"))
DASHED: Any = (0, (4, 1.5))
ROW, WIDE, FULL = 0.14, 16, 26  # inches of a row of numbers at risk; letters of its name, and of half a legend
MONTHS = (1, 2, 3, 6, 12, 24, 36, 60, 120)


def the_event(study: Study, event: str) -> Event:
    """The event of that name. Raises UsageError for one that the study has not."""
    if event not in study.events:
        mend = did_you_mean(event, list(study.events)) or ("" if study.events else "write a table [events.my_event]")
        raise UsageError("event", "is not in this study", f'"{event}"', mend)
    return study.events[event]


def event_curve(fit: Fit, event: str, covariate: str | None = None, patients: bool = True) -> Drawing:
    """The share of patients without an event over time, or of one that recurs the mean number: as observed, and as
    the model expects of new patients.

    Steps are the curve of Kaplan and Meier (of one that recurs the mean cumulative count), with a tick where a patient
    was last seen without it; where an event is known between two visits, Turnbull's, with a box where the data do not
    say how the curve falls. Below stand the numbers at risk. A misfit: steps that leave the band early or late, though
    a band is of an average, and few patients at risk make wide steps.

    Parameters
    ----------
    fit : Fit
        What is drawn.
    event : str
        Its name in the study.
    covariate : str, optional
        A categorical covariate of patients: one curve for each of its levels.
    patients : bool
        Whether ticks say when single patients were last seen.

    Returns
    -------
    Drawing
        A matplotlib Figure; `savefig` writes it.

    Raises
    ------
    UsageError
        For an unknown event, and a covariate that has no levels.
    StorageError
        For a shared copy.

    """
    ev, study, e = the_event(fit.study, event), fit.study, fit.cohort.events[event]
    groups = _groups(fit, e, covariate)
    end = float(e.end.max(initial=0.0)) or 1.0
    times, ticks = np.linspace(0, end, TIMES), ticks_to(study, end)
    modelled = not ev.recurrent or TimeToEvent(study, event).counts  # from event to event there is no number by a time
    with drawing(
        SINGLE,
        2.9 + ROW * (3 if covariate else 1) * len(groups),
        2,
        1,
        gridspec_kw={"height_ratios": [2.2, 0.1 + ROW * len(groups)]},
    ) as (figure, ((axes,), (below,))):
        entries: list[Artist] = []
        for k, (level, own) in enumerate(groups.items()):
            colour, style = (COLOURS[k % 4], STYLES[k % 4]) if covariate else (BLACK, "-")
            entries += _observed(axes, own, observed_curve(own, ev.recurrent), end, colour, style, level, patients)
            if modelled:
                given = {covariate: level} if covariate else {}
                lower, median, upper = expected(fit, event, times, given)
                model = COLOURS[k % 4]
                axes.fill_between(times, lower, upper, color=model, alpha=0.2, linewidth=0, label="interval")
                axes.plot(times, median, color=model, linewidth=1.0, linestyle=DASHED, label="median")
        label = in_sentence(study.label(event))
        what = "Mean number of events" if ev.recurrent else f"Share without {label}"
        axes.set(xlabel=time_label(study), ylabel=textwrap.fill(what, 32), xlim=(-0.02 * end, 1.02 * end), xticks=ticks)
        if not ev.recurrent:
            axes.set_ylim(-0.03, 1.04)
        else:
            axes.set_ylim(bottom=-0.02 * max(axes.get_ylim()[1], 0.1), top=max(axes.get_ylim()[1], 0.1))
        numbers_at_risk(below, groups, ticks, end)
        had = len(np.unique(e.patient[e.status != CENSORED]))
        many = f", {e.happened} times in all" if ev.recurrent and e.happened > had else ""
        title(
            figure,
            f"{study.label(event)}: {had} of {len(np.unique(e.patient))} patients{many}",
            warning(fit, event) if modelled else "",
        )
        if modelled:
            colour = GREY if covariate else BLUE
            entries += [
                line("new patients, expected", colour, DASHED),
                band(f"its {mass(study)} interval", colour, 0.3),
            ]
        told = {str(h.get_label()): h for h in entries}
        legend(figure, *told.values(), columns=1 if max(map(len, told)) > FULL else 2)
        return figure


def _groups(fit: Fit, e: Episodes, covariate: str | None) -> dict[str, Episodes]:
    """Episodes of all patients, or of those of each level of a covariate."""
    if covariate is None:
        return {"": e}
    known = {
        n: c.levels for n, c in fit.study.covariates.items() if c.levels and c.varies == "patients" and not c.group
    }
    if covariate not in known:
        some = f"those that do: {', '.join(known)}" if known else "the study has no categorical covariate of patients"
        what = "does not tell groups of patients apart"
        raise UsageError("covariate", what, f'"{covariate}"', did_you_mean(covariate, list(known)) or some)
    value = fit.cohort.covariates[covariate][e.patient]
    return {str(level): e.take(value == k) for k, level in enumerate(known[covariate] or ())}


def _observed(
    axes: Axes, e: Episodes, curve: Curve, end: float, colour: str, style: str, level: str, patients: bool
) -> list[Artist]:
    """Steps with ticks where patients were last seen, and their entries in the legend."""
    last = min(end, float(e.end.max(initial=0.0)))
    finite = curve.time[np.isfinite(curve.time)]
    value = [curve.first, *curve.value[: len(finite)]]
    x = [0.0, *finite, max([last, *finite])]
    axes.step(x, [*value, value[-1]], where="post", color=colour, linestyle=style, label="observed")
    who = f"{level}, observed" if level else "observed"
    entries: list[Artist] = [line(who, colour, style)]
    if curve.since is not None:
        for a, b, before, after in zip(curve.since, finite, value, value[1:], strict=False):
            if a < b:
                axes.add_patch(Rectangle((a, after), b - a, before - after, color=colour, alpha=0.2, linewidth=0))
        entries.append(band("falls somewhere in it", colour if not level else GREY, 0.2))
    latest = np.full(int(e.patient.max(initial=0)) + 1, -np.inf)
    np.maximum.at(latest, e.patient, e.end)
    ends = e.stop[(e.status == CENSORED) & (e.stop == latest[e.patient])]
    if patients and len(ends):
        axes.plot(ends, curve.at(ends), "|", color=colour, markersize=5, markeredgewidth=0.8, label="censored")
        entries.append(line("last seen", GREY if level else colour, "none", "|"))
    return entries


def expected(
    fit: Fit, event: str, times: Sequence[float] | np.ndarray, given: dict[str, str]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lower, median and upper (time,) of the average over new patients."""
    truth = fit.truth.take(evenly(int(np.prod(fit.truth.shape)), DRAWS))
    prediction = TruthPrediction(fit.study, truth, seed=address(fit.seed, PREDICT), among=AMONG)
    recurrent = fit.study.events[event].recurrent
    at_start = np.zeros(truth.shape) if recurrent else np.ones(truth.shape)
    what: Happens = "number" if recurrent else "free"
    draws = [prediction.event(event, t, what, "population average", given) if t > 0 else at_start for t in times]
    tail = (1 - fit.study.interval) / 2
    lower, median, upper = np.quantile(np.stack(draws), [tail, 0.5, 1 - tail], axis=1)
    return lower, median, upper


def ticks_to(study: Study, end: float) -> list[float]:
    """Round times from zero to the end, at most seven; of months, what a clinic's calendar has."""
    decades = [f * 10.0**k for k in range(-4, 7) for f in (1, 2, 5)]
    steps = [s for s in (MONTHS if study.time.unit == "month" and end > 5 else decades) if end / s < 7] or decades
    return [float(t) for t in np.arange(0, end * (1 + 1e-9), min(s for s in steps if end / s < 7))]


def numbers_at_risk(axes: Axes, groups: dict[str, Episodes], ticks: Sequence[float], end: float) -> None:
    """A row of numbers for each group, below the ticks."""
    axes.set(xlim=(-0.02 * end, 1.02 * end), ylim=(len(groups) - 0.5, -0.5), xticks=[])
    names = [textwrap.shorten(name, WIDE, placeholder="…") if name else "" for name in groups]
    axes.set_yticks(range(len(groups)), names)
    axes.tick_params(axis="y", length=0, pad=9)
    axes.spines[:].set_visible(False)
    axes.set_title("At risk", fontsize=SMALL, pad=1)
    for k, e in enumerate(groups.values()):
        many = at_risk(e.start, e.end, np.maximum(ticks, 1e-9))
        for t, n in zip(ticks, many, strict=True):
            axes.text(t, k, f"{n}", ha="center", va="center", fontsize=SMALL)


def cumulative_incidence(study: Study, cohort: Cohort) -> Drawing:
    """For which reasons patients have left by each time, one on top of the other.

    The shares are those of Aalen and Johansen, in which each reason rules the others out; one minus Kaplan and Meier's
    of a single reason would be too large. What is left above is the share still in care.

    Parameters
    ----------
    study : Study
        With events that are reasons to leave.
    cohort : Cohort
        Its patients.

    Returns
    -------
    Drawing
        A matplotlib Figure; `savefig` writes it.

    Raises
    ------
    UsageError
        Where no event of the study is a reason to leave.

    """
    named = {name: ev.reasons for name, ev in study.events.items() if ev.reasons}
    if not named or cohort.exits is None:
        raise UsageError("study", "has no event that is a reason to leave", mend='write reasons = ["..."] in its table')
    e = cohort.events[next(iter(named))]
    why = [cohort.exits.reason[i] for i in e.patient]
    sets = [*named.values(), tuple({w for w in why if w and not any(w in r for r in named.values())})]
    reason = np.array([next((k for k, r in enumerate(sets) if w in r), -1) for w in why], dtype=int)
    labels = [study.label(name) for name in named] + ["another reason"] * bool(sets[-1])
    curves = incidence(e.start, e.stop, reason, len(labels))
    end = float(e.stop.max(initial=0.0)) or 1.0
    with drawing(SINGLE, 3.0, 2, 1, gridspec_kw={"height_ratios": [2.2, 0.24]}) as (figure, ((axes,), (below,))):
        x, ticks = np.concatenate([[0.0], curves[0].time, [1.02 * end]]), ticks_to(study, end)
        under, entries = np.zeros(len(x)), list[Artist]()
        for k, (curve, label) in enumerate(zip(curves, labels, strict=True)):
            colour, hatch = STACKED[k % len(STACKED)]
            over = under + np.concatenate([[0.0], curve.value, curve.value[-1:] if len(curve.value) else [0.0]])
            look: dict[str, Any] = {"facecolor": colour, "hatch": hatch, "edgecolor": "white", "linewidth": 0.4}
            axes.fill_between(x, under, over, step="post", label=label, **look)
            many = int(np.sum(reason == k))
            entries.append(Patch(**look, label=f"{textwrap.shorten(label, 44, placeholder='…')}: {many} of {len(e)}"))
            under = over
        entries.append(
            Patch(
                facecolor="none",
                edgecolor=GREY,
                linewidth=0.6,
                label=f"still in care: {int(np.sum(reason < 0))} of {len(e)}",
            )
        )
        axes.set(
            xlabel=time_label(study),
            ylabel="Share of patients",
            ylim=(0, 1),
            yticks=np.linspace(0, 1, 5),
            xlim=(-0.02 * end, 1.02 * end),
            xticks=ticks,
        )
        numbers_at_risk(below, {"": e}, ticks, end)
        title(figure, "Who has left, and for which reason")
        legend(figure, *entries, columns=1)
        return figure
