"""Figures of events: what was observed and what the model expects, counted again here."""

from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pytest

from bayesmyo import figures
from bayesmyo.assess.curves import kaplan_meier
from bayesmyo.cohort.cohort import CENSORED, HAPPENED, INTERVAL, Exits
from bayesmyo.errors import UsageError
from tests.assess.checks.event_fits import AGAIN, CONSTANT, ONCE, SEEN, cohort_of, fitted, with_events
from tests.figures.test_figures import texts

ARM = '\ncovariates = ["arm"]\n[covariates.arm]\nlevels = ["placebo", "a drug with a name that goes on"]'

DRUG = "arm_a_drug_with_a_name_that_goes_on"


def lines(axes, label):
    return [line for line in axes.lines if line.get_label() == label]


@pytest.fixture(scope="module")
def once():
    return fitted(ONCE + CONSTANT, *cohort_of(ONCE + CONSTANT, "hazard = 0.06", 30), hazard=0.06)


@pytest.fixture(scope="module")
def left():
    event = 'reasons = ["lost"]' + CONSTANT
    return fitted(event, *cohort_of(event, "hazard = 0.06", 30), hazard=0.06)


def test_steps_are_those_of_kaplan_and_meier_and_the_band_is_the_models(once):
    figure = figures.event_curve(once, "attack")
    axes, below = figure.axes
    e = once.cohort.events["attack"]
    curve = kaplan_meier(e.start, e.stop, e.status == HAPPENED)
    (steps,) = lines(axes, "observed")
    assert np.asarray(steps.get_ydata())[:-1] == pytest.approx([1.0, *curve.value])
    (expected,) = lines(axes, "median")
    times = np.asarray(expected.get_xdata())
    hazard = np.exp(once.group("posterior")["attack.hazard"].values)  # constant: the share is known in closed form
    median = [np.median(np.exp(-hazard * t)) for t in times]
    assert np.asarray(expected.get_ydata()) == pytest.approx(median, abs=0.02)
    (censored,) = lines(axes, "censored")
    assert len(np.asarray(censored.get_xdata())) == np.sum(e.status == CENSORED)
    many = [int(t.get_text()) for t in below.texts]
    assert many == [int(np.sum(e.stop >= t)) for t in axes.get_xticks()]
    assert f"Attack: {e.happened} of 30 patients" in texts(figure)
    assert plt.get_fignums() == []


def test_a_group_has_a_curve_and_a_row_of_its_own():
    event = ONCE + CONSTANT + ARM
    fit = fitted(event, *cohort_of(event, f"hazard = 0.06\n{DRUG} = 0.4", 30), **{"hazard": 0.06, DRUG: 0.7})
    axes, below = figures.event_curve(fit, "attack", "arm").axes
    assert len(lines(axes, "observed")) == len(lines(axes, "median")) == 2
    rows = [t.get_text() for t in below.get_yticklabels()]
    assert rows == ["placebo", "a drug with a…"]
    first = [int(t.get_text()) for t in below.texts if t.get_position()[0] == 0]
    assert sum(first) == 30
    with pytest.raises(UsageError, match="arm"):
        figures.event_curve(fit, "attack", "arn")


def test_numbers_of_events_that_recur():
    fit = fitted(
        AGAIN + CONSTANT + "\nfrailty = false",
        *cohort_of(AGAIN + CONSTANT + "\nfrailty = false", "hazard = 0.1", 20),
        hazard=0.1,
    )
    axes = figures.event_curve(fit, "attack").axes[0]
    e = fit.cohort.events["attack"]
    assert np.asarray(lines(axes, "observed")[0].get_ydata())[-1] == pytest.approx(
        e.happened / 20
    )  # nobody leaves early
    assert axes.get_ylabel() == "Mean number of events"


def test_where_a_curve_falls_between_visits_is_a_box():
    fit = fitted(SEEN + CONSTANT, *cohort_of(SEEN + CONSTANT, "hazard = 0.06", 30), hazard=0.06)
    boxes = figures.event_curve(fit, "attack").axes[0].patches
    visits = np.arange(0.0, 25.0, 3.0)
    assert boxes
    assert all(box.get_x() in visits and box.get_x() + box.get_width() in visits for box in boxes)


@pytest.mark.parametrize("many", [0, 1])
def test_hardly_anybody_had_it(once, many):
    e = once.cohort.events["attack"]
    status = np.zeros(len(e), dtype=int)
    status[:many] = HAPPENED
    few = replace(e, stop=np.full(len(e), 24.0), end=np.full(len(e), 24.0), status=status)
    fit = with_events(once, replace(once.cohort, events={"attack": few}))
    assert f"Attack: {many} of 30 patients" in texts(figures.event_curve(fit, "attack"))
    assert ("nobody" in _legend(figures.swimmer(fit.study, fit.cohort))) == (many == 0)


def _legend(figure):
    return " | ".join(t.get_text() for legend in figure.legends for t in legend.get_texts())


def test_reasons_stand_on_each_other(left):
    figure = figures.cumulative_incidence(left.study, left.cohort)
    e = left.cohort.events["attack"]
    (area,) = figure.axes[0].collections
    top = area.get_paths()[0].vertices[:, 1].max()
    assert top == pytest.approx(1 - kaplan_meier(e.start, e.stop, e.status == HAPPENED).value[-1])
    assert f"Attack: {e.happened} of 30" in _legend(figure)
    assert f"still in care: {30 - e.happened} of 30" in _legend(figure)
    why = tuple("pregnancy" if i == 3 else r for i, r in enumerate(left.cohort.exits.reason))
    other = replace(left.cohort, exits=replace(left.cohort.exits, reason=why))
    assert "another reason: 1 of 30" in _legend(figures.cumulative_incidence(left.study, other))


def test_nothing_is_a_reason_to_leave(once):
    with pytest.raises(UsageError, match="reason"):
        figures.cumulative_incidence(once.study, once.cohort)
    with pytest.raises(UsageError, match="attack"):
        figures.event_curve(once, "atack")


def test_every_patient_is_a_lane_the_longest_first(left):
    axes = figures.swimmer(left.study, left.cohort).axes[0]
    bars = [bar for bar in axes.patches if bar.get_label() != "_"]
    length = {round(float(bar.get_y() + bar.get_height() / 2)): float(bar.get_width()) for bar in bars}
    lanes = [length[k] for k in range(30)]
    assert lanes == sorted(lanes, reverse=True)
    assert sorted(lanes) == pytest.approx(sorted(left.cohort.exits.time))
    names = [t.get_text() for t in axes.get_yticklabels()]
    pseudonyms = left.cohort.pseudonyms()
    assert [left.cohort.exits.time[pseudonyms.index(name)] for name in names] == pytest.approx(lanes)
    (lost,) = lines(axes, "lost")
    assert len(np.asarray(lost.get_xdata())) == left.cohort.events["attack"].happened
    assert len(np.asarray(lines(axes, "visits")[0].get_xdata())) == len(left.cohort.measurements["y"])


def test_events_are_marks_or_pieces_between_two_visits(once):
    e = once.cohort.events["attack"]
    (marks,) = lines(figures.swimmer(once.study, once.cohort).axes[0], "attack")
    assert sorted(np.asarray(marks.get_xdata())) == pytest.approx(sorted(e.stop[e.status == HAPPENED]))
    between = replace(
        e, end=e.stop + 1.5 * (e.status == HAPPENED), status=np.where(e.status == HAPPENED, INTERVAL, CENSORED)
    )
    axes = figures.swimmer(once.study, replace(once.cohort, events={"attack": between})).axes[0]
    widths = [bar.get_width() for bar in axes.patches]
    assert sum(w == pytest.approx(1.5) for w in widths) >= e.happened


def test_many_long_reasons_become_another_reason(left):
    why = tuple(f"reason {i % 8} which takes a long sentence to tell to anybody" for i in range(30))
    exits = Exits(left.cohort.exits.time, left.cohort.exits.stated, why)
    said = _legend(figures.swimmer(left.study, replace(left.cohort, exits=exits)))
    assert "another reason: " in said
    assert "…" in said
    without = replace(left.cohort, exits=None, events={})
    assert "still in care" not in _legend(figures.swimmer(left.study, without))
