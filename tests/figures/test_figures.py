"""Every figure is drawn from the numbers of the checks, with units on its axes, and leaves nothing open."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure

from bayesmyo import figures
from bayesmyo.assess.influence import Influence, PatientInfluence
from bayesmyo.errors import UsageError

OF_OUTCOMES = ("patients", "pit", "predictive", "residuals", "time_course", "trajectories")


def axes_of(figure):
    return [axes for axes in figure.axes if axes.axison]


def texts(figure):
    shown = [t.get_text() for axes in axes_of(figure) for t in (axes.xaxis.label, axes.yaxis.label, axes.title)]
    shown += [axes.get_title("left") for axes in axes_of(figure)] + [
        t.get_text() for axes in figure.axes for t in axes.texts
    ]
    shown += [t.get_text() for part in (figure, *figure.subfigs) for t in part.texts]
    supers = [
        getattr(part, name, None)
        for part in (figure, *figure.subfigs)
        for name in ("_supxlabel", "_supylabel", "_suptitle")
    ]
    return " | ".join(shown + [s.get_text() for s in supers if s is not None])


@pytest.mark.parametrize("name", OF_OUTCOMES)
@pytest.mark.parametrize("outcome", ["strength", "cpk"])
def test_an_outcome_is_drawn_with_its_unit(good_fit, name, outcome):
    figure = getattr(figures, name)(good_fit, outcome)
    assert isinstance(figure, Figure)
    assert plt.get_fignums() == []
    assert ("Strength" if outcome == "strength" else "CPK") in texts(figure)
    if name not in ("pit", "residuals"):
        assert ("points" if outcome == "strength" else "IU/L") in texts(figure)


def test_every_measurement_is_a_point(good_fit):
    m = good_fit.cohort.measurements["strength"]
    for figure in (figures.trajectories(good_fit, "strength"), figures.patients(good_fit, "strength")):
        drawn = {
            (round(float(x), 9), round(float(y), 9))
            for axes in figure.axes
            for line in axes.lines
            for x, y in zip(np.atleast_1d(line.get_xdata()), np.atleast_1d(line.get_ydata()), strict=True)
        }
        drawn |= {
            (round(float(x), 9), round(float(y), 9))
            for axes in figure.axes
            for dots in axes.collections
            for x, y in np.ma.filled(dots.get_offsets(), np.nan)
        }
        assert {(round(float(t), 9), round(float(v), 9)) for t, v in zip(m.time, m.value, strict=True)} <= drawn


def test_there_is_a_panel_for_each_patient_asked_for(good_fit):
    names = good_fit.cohort.pseudonyms()
    assert len(axes_of(figures.patients(good_fit, "cpk"))) == len(names)
    shown = texts(figures.patients(good_fit, "cpk", names[2:4]))
    assert names[2] in shown
    assert names[3] in shown
    assert names[0] not in shown
    with pytest.raises(UsageError, match="P99"):
        figures.patients(good_fit, "cpk", ["P99"])


@pytest.mark.parametrize("name", [*OF_OUTCOMES, "shares", "calibration"])
def test_an_outcome_that_is_not_there_is_named(good_fit, name):
    with pytest.raises(UsageError, match="cpk"):
        getattr(figures, name)(good_fit, "ckp")


def test_estimates_name_their_population(good_fit):
    shown = figures.estimates(good_fit)
    labels = " ".join(t.get_text() for axes in shown.axes for t in axes.get_yticklabels())
    assert "average" in labels + texts(shown)


def test_priors_are_drawn_without_data(small):
    shown = texts(figures.priors(small))
    assert "points" in shown
    assert "IU/L" in shown


def test_influence_shows_the_first_patient_first():
    def one(name, shift):
        return PatientInfluence(name, 9, 12.0, "change", shift, (), -3.0, 0.1, "refit", 1.0, 0)

    figure = figures.influence(Influence((one("P07", -1.5), one("P02", 0.3)), (), ()))
    labels = [t.get_text() for axes in figure.axes for t in axes.get_yticklabels()]
    assert any("P07" in label for label in labels)
    assert plt.get_fignums() == []
