"""What is drawn is what the checks judge: points counted, edges of bands computed again here."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from bayesmyo import figures
from bayesmyo.assess.checks.dependence import neighbours
from bayesmyo.assess.checks.left_out import transform
from bayesmyo.assess.checks.moments import bins, mean
from bayesmyo.assess.claims import Claims, known_claims
from bayesmyo.assess.estimate import estimates
from bayesmyo.assess.prior import prior_beliefs
from bayesmyo.assess.replicated import replicated
from bayesmyo.assess.responses import rules
from bayesmyo.cohort.cohort import BETWEEN, LEFT, MEASURED, RIGHT, Measurements
from bayesmyo.errors import StorageError, UsageError
from bayesmyo.figures import parts, style
from bayesmyo.figures.axes import root, root_ticks, square
from bayesmyo.figures.predictive import bins as bars_of
from bayesmyo.figures.predictive import counted
from bayesmyo.figures.residuals import later
from bayesmyo.figures.trajectories import windows
from bayesmyo.inference.store import share
from bayesmyo.seeds import PREDICT, address
from bayesmyo.study import parse_study
from tests.assess.checks.conftest import true_fit
from tests.conftest import SMALL


def lines(axes, label):
    return [found for found in axes.lines if found.get_label() == label]


def edges(axes, label):
    """Lower and upper edge of a band, as drawn, over all its parts."""
    found = [c for c in axes.collections if c.get_label() == label]
    y = np.concatenate([path.vertices[:, 1] for c in found for path in c.get_paths()])
    return y.min(), y.max()


def cells(sides, values, ends=None):
    n = len(values)
    return Measurements(np.zeros(n, int), np.arange(n) * 1.0, np.array(values), np.array(sides), np.arange(n), ends)


@pytest.fixture(scope="module")
def graded():
    family = '{ kind = "cumulative", levels = ["none", "mild", "severe"], scores = [0, 1, 2] }'
    outcome = f'scale = 1.5\nfamily = {family}\ntrajectory = {{ kind = "linear" }}\neffects = ["intercept"]'
    return true_fit(outcome, "slope = 0.08\nsd_intercept = 1.5\nthreshold_1 = -1\nthreshold_2 = 1.5")


def test_the_band_of_the_population_is_the_interval_of_its_average(good_fit):
    axes = figures.trajectories(good_fit, "cpk").axes[0]
    prediction = parts.predicting(good_fit)
    times = parts.moments_of(good_fit.cohort.measurements["cpk"])
    levels = [np.quantile(prediction.level("cpk", t, "population average"), [0.025, 0.5, 0.975]) for t in times]
    sure, few = lines(axes, "median")
    assert [*sure.get_ydata(), *few.get_ydata()[1:]] == pytest.approx(np.array(levels)[:, 1])
    assert sure.get_linestyle() != few.get_linestyle()
    m = good_fit.cohort.measurements["cpk"]
    left = [np.sum([m.time[m.patient == i].max() >= t for i in range(len(good_fit.cohort))]) for t in times]
    assert len(sure.get_ydata()) == np.sum(np.array(left) >= 3)
    assert edges(axes, "interval") == pytest.approx((np.min(levels), np.max(levels)))
    assert axes.get_yscale() == "log"
    assert len(lines(axes, "patient")) == len(good_fit.cohort)


def test_circles_are_means_of_patients_in_windows(good_fit):
    """Of a log-normal outcome geometric means; a patient counts once in each window, and every measurement lies in
    one.
    """
    m = good_fit.cohort.measurements["cpk"]
    found = windows(good_fit, "cpk")
    starts = [w.first for w in found]
    which = np.searchsorted(starts, m.time, side="right") - 1
    for k, w in enumerate(found):
        own = {int(i): np.log(m.value[(which == k) & (m.patient == i)]) for i in np.unique(m.patient[which == k])}
        assert w.patients == len(own) >= 3
        assert w.mean == pytest.approx(np.exp(np.mean([x.mean() for x in own.values()])))
    assert sum(w.patients for w in found) >= len(good_fit.cohort)
    axes = figures.trajectories(good_fit, "cpk", patients=False).axes[0]
    assert lines(axes, "measured")[0].get_ydata() == pytest.approx([w.mean for w in found])
    assert [t.get_text() for t in axes.texts] == [str(w.patients) for w in found]


def test_means_of_an_outcome_that_is_not_geometric_are_plain(good_fit):
    m = good_fit.cohort.measurements["strength"]
    first = windows(good_fit, "strength")[0]
    early = m.time < windows(good_fit, "strength")[1].first
    own = [m.value[early & (m.patient == i)].mean() for i in np.unique(m.patient[early])]
    assert first.mean == pytest.approx(np.mean(own))


def test_curves_end_where_patients_were_last_seen(good_fit):
    m = good_fit.cohort.measurements["strength"]
    for i, axes in enumerate(figures.patients(good_fit, "strength").axes):
        (seen,), (after,) = lines(axes, "seen"), lines(axes, "after")
        last = m.time[m.patient == i].max()
        assert seen.get_xdata().max() <= last
        assert seen.get_linestyle() != after.get_linestyle()
        assert after.get_xdata().max() == m.time.max()
        assert sum(len(found.get_xdata()) for found in lines(axes, "measured")) == np.sum(m.patient == i)


def test_bars_count_every_measurement_and_intervals_every_replicate(good_fit):
    r = replicated(good_fit).outcomes["strength"]
    axes = figures.predictive(good_fit, "strength").axes[0]
    assert sum(bar.get_height() for bar in axes.patches) == len(r)
    o = good_fit.study.outcomes["strength"]
    drawn = counted(r.drawn, bars_of(o, r))
    assert (drawn.sum(axis=-1) == len(r)).all()
    assert lines(axes, "median")[0].get_ydata() == pytest.approx(np.median(drawn, axis=0))


def test_the_time_course_is_that_of_the_check(good_fit):
    r = replicated(good_fit).outcomes["cpk"]
    found = bins(r.time, 6, 20)
    axes = figures.time_course(good_fit, "cpk").axes[0]
    for q in (0.1, 0.5, 0.9):
        assert lines(axes, f"measured {q}")[0].get_ydata() == pytest.approx([np.quantile(r.y[c], q) for c in found])
        (bars,) = [b for b in axes.containers if b.get_label() == f"new {q}"]
        for bar, c in zip(bars, found, strict=True):
            low, high = np.quantile(np.quantile(r.new[:, c], q, axis=-1), [0.025, 0.975])
            assert (bar.get_y(), bar.get_y() + bar.get_height()) == pytest.approx((low, high))
    assert len(lines(axes, "cells")[0].get_xdata()) == len(r)


def test_residuals_are_those_of_the_checks(good_fit):
    r = replicated(good_fit).outcomes["cpk"]
    over, lagged = figures.residuals(good_fit, "cpk").axes
    assert len(lines(over, "residuals")[0].get_xdata()) == len(r)
    expected = [np.median(mean(r.residual[:, c])) for c in bins(r.time, 6, 20)]
    assert lines(over, "means")[0].get_ydata() == pytest.approx(expected)
    assert later(r, r.residual, 1) == pytest.approx(neighbours(r, r.residual))
    assert lines(lagged, "correlations")[0].get_ydata()[0] == pytest.approx(np.median(neighbours(r, r.residual)))


def test_the_transform_is_that_of_the_check(good_fit):
    replicates = replicated(good_fit)
    position = list(replicates.outcomes).index("cpk")
    seed = address(good_fit.seed, PREDICT, cell=3, replicate=position)
    places, _ = transform(good_fit, replicates, replicates.outcomes["cpk"], seed)
    drawn = lines(figures.pit(good_fit, "cpk").axes[0], "difference")[0]
    at = drawn.get_xdata()
    assert drawn.get_ydata()[1:-1] == pytest.approx([np.mean(places <= x) - x for x in at[1:-1]])


def test_estimates_are_drawn_with_what_was_known_before(good_fit):
    (row,) = estimates(good_fit)
    axes = figures.estimates(good_fit).axes[0]
    assert lines(axes, "median")[0].get_xdata() == pytest.approx([row.median])
    (interval,) = [c for c in axes.collections if c.get_label() == "interval"]
    assert interval.get_segments()[0][:, 0] == pytest.approx([row.lower, row.upper])
    assert axes.get_xscale() == "log"
    with pytest.raises(UsageError, match="ratio"):
        figures.estimates(good_fit, "ratios")


def test_every_patient_has_a_bar_of_one_and_the_lost_are_marked(mock_fit):
    chosen = rules(mock_fit)[0]
    said = Claims((), (), (), (), tuple(rules(mock_fit)))  # as if every check had passed
    axes = figures.responses(mock_fit, said=said).axes[0]
    widths = np.array([[bar.get_width() for bar in container] for container in axes.containers])
    assert widths.sum(axis=0) == pytest.approx(np.ones(len(mock_fit.cohort)))
    labels = [t.get_text() for t in axes.get_yticklabels()]
    assert {t.split()[0] for t in labels if t.endswith("*")} == {p.patient for p in chosen.each if not p.seen}
    with pytest.raises(UsageError, match="lenient"):
        figures.responses(mock_fit, "lenent")


def test_figures_withhold_what_the_command_withholds(mock_fit):
    """No check is passed: no interval is drawn, and each row says so."""
    drawn = figures.estimates(mock_fit)
    shown = [t.get_text() for axes in drawn.axes for t in axes.texts]
    assert shown.count("withheld") == len(mock_fit.study.estimands)
    assert not any(c.get_label() in ("interval", "half") for axes in drawn.axes for c in axes.collections)
    (panel,) = figures.responses(mock_fit).axes
    assert panel.texts[0].get_text().startswith("withheld: The engine mock")
    assert not panel.containers


def test_one_number_that_is_withheld_leaves_the_others(good_fit):
    said = known_claims(good_fit)
    (row,) = said.estimates
    two = replace(said, estimates=(row, replace(row, withheld=True)))
    axes = figures.estimates(good_fit, said=two).axes[0]
    assert [t.get_text() for t in axes.texts] == ["withheld"]
    assert sum(c.get_label() == "interval" for c in axes.collections) == 1


def test_grades_are_named_and_calibrated(graded):
    found = figures.calibration(graded, "y")
    assert [axes.get_title("left") for axes in found.axes] == ["mild or higher", "severe or higher"]
    for axes in found.axes:
        curve = lines(axes, "measured")[0].get_ydata()
        assert (np.diff(curve[np.isfinite(curve)]) >= -1e-9).all()
    ticks = [t.get_text() for t in figures.trajectories(graded, "y").axes[0].get_yticklabels()]
    assert ticks == ["none", "mild", "severe"]
    assert sum(bar.get_height() for bar in figures.predictive(graded, "y").axes[0].patches) == len(
        graded.cohort.measurements["y"]
    )
    assert len(figures.shares(graded, "y").axes[0].get_yticklabels()) == 4


def test_beliefs_are_those_of_the_prior_check(small):
    axes = figures.priors(small).axes[1]
    beliefs = [b for b in prior_beliefs(small) if b.outcome == "cpk"]
    assert lines(axes, "median")[0].get_ydata() == pytest.approx([b.median for b in beliefs])


def test_a_censored_cell_is_an_arrow_head_at_its_limit():
    m = cells([MEASURED, LEFT, RIGHT, BETWEEN], [3.0, 1.0, 9.0, 4.0], np.array([np.nan, np.nan, np.nan, 6.0]))
    with style.drawing(3, 2) as (figure, ((axes,),)):
        parts.points(axes, m, 2.0, "black")
    assert {found.get_marker(): list(found.get_ydata()) for found in axes.lines} == {"o": [3], "v": [1], "^": [9]}
    assert axes.collections[0].get_segments()[0][:, 1].tolist() == [4, 6]
    assert [entry.get_label() for entry in parts.point_entries([m])][-1] == "between two limits"
    assert figure.axes == [axes]


def test_a_dose_stands_on_an_axis_of_roots_with_its_zeros(mock_fit):
    axes = figures.trajectories(mock_fit, "steroid").axes[0]
    assert axes.get_ylabel() == "Steroid dose (mg/d), root scale"
    assert axes.get_ylim()[0] < 0
    ticks = root_ticks(125)
    assert ticks[0] == 0
    assert np.diff(np.sqrt(ticks)).min() > 0.1 * np.sqrt(125)
    x = np.array([-4.0, 0.0, 9.0])
    assert square(root(x)) == pytest.approx(x)


def test_the_same_fit_is_the_same_picture(good_fit):
    first, second = (figures.patients(good_fit, "strength", ["P01"])._repr_png_() for _ in range(2))
    assert first == second


def test_what_cannot_be_drawn_says_why(good_fit, mock_fit, graded):
    with pytest.raises(UsageError, match="does not draw from the posterior"):
        figures.predictive(mock_fit, "cpk")
    with pytest.raises(UsageError, match="calibration is for grades"):
        figures.calibration(good_fit, "strength")
    with pytest.raises(UsageError, match="no rule of response"):
        figures.responses(good_fit)
    with pytest.raises(UsageError, match="declares no estimand"):
        figures.estimates(graded)
    with pytest.raises(StorageError, match="shared copy"):
        figures.predictive(share(good_fit), "cpk")


@pytest.mark.parametrize("name", ["trajectories", "time_course", "predictive", "residuals", "pit", "shares"])
def test_no_word_is_cut_off_or_printed_over_another(good_fit, name):
    found = getattr(figures, name)(good_fit, "cpk")
    renderer = FigureCanvasAgg(found).get_renderer()
    labels = [t for axes in found.axes for t in (axes.xaxis.label, axes.yaxis.label) if t.get_text()]
    boxes = [t.get_window_extent(renderer) for t in labels]
    boxes += [found._suptitle.get_window_extent(renderer), found.legends[0].get_window_extent(renderer)]
    page = found.bbox
    for i, box in enumerate(boxes):
        assert box.x0 >= page.x0 - 1
        assert box.y0 >= page.y0 - 1
        assert box.x1 <= page.x1 + 1
        assert box.y1 <= page.y1 + 1
        assert not any(box.overlaps(other) for other in boxes[:i])


@pytest.mark.parametrize(
    ("first", "trajectory", "shaded"),
    [
        (-6.0, '"linear"', [(-6.0, 0.0)]),
        (-6.0, '"plateau"', [(-6.0, 0.0)]),
        (0.0, '"linear"', []),
        (-6.0, '"linear", before = "trend"', []),  # times that are no times of treatment
    ],
)
def test_the_time_before_treatment_is_shaded_where_it_was_seen(first, trajectory, shaded):
    study = parse_study(SMALL.split("[scenarios")[0].replace('"linear"', trajectory))
    m = cells([MEASURED] * 3, [50.0, 51.0, 52.0])
    axes = Figure().subplots()
    entries = parts.shade_before(axes, study, "strength", replace(m, time=m.time + first))
    assert [(p.get_x(), p.get_x() + p.get_width()) for p in axes.patches] == shaded
    assert [e.get_label() for e in entries] == ["before treatment"] * len(shaded)
