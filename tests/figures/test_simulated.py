"""Figures of simulation studies: drawn from the numbers of the tables."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from bayesmyo import figures
from bayesmyo.errors import UsageError
from bayesmyo.simulation.calibration.envelope import envelope
from bayesmyo.simulation.calibration.grid import calibration_plan
from bayesmyo.simulation.calibration.verdict import calibration
from bayesmyo.simulation.options import CalibrateOptions
from bayesmyo.simulation.power.operating import decisions
from bayesmyo.simulation.row import Quantity, Row
from tests.figures.test_figures import texts
from tests.simulation.calibration.broken import STUDY
from tests.simulation.frames import frames, results
from tests.simulation.power.test_operating import cell, simulated, study_of


@pytest.fixture
def power(rng):
    cells = [cell(s, n) for s in ("four", "null") for n in (6, 15, 23)]
    rows = [
        r for c in cells for r in simulated(c, 60, 4.0 if c.truths == "four" else 0.0, 6.5 / np.sqrt(c.patients), rng)
    ]
    return decisions(study_of(cells), *frames(rows))


def test_a_power_curve_has_the_shares_of_its_table(power):
    figure = figures.power_curves(power, target=0.8)
    (axes,) = figure.axes
    lines = [line for line in axes.lines if line.get_linestyle() in ("-", ":") and len(line.get_xdata()) == 3]
    for scenario, line in zip(("four", "null"), lines, strict=True):
        own = [d for d in power if d.labels["scenario"] == scenario]
        np.testing.assert_allclose(np.asarray(line.get_xdata(), dtype=float), [d.look for d in own])
        np.testing.assert_allclose(np.asarray(line.get_ydata(), dtype=float), [100 * d.rate.value for d in own])
    assert lines[1].get_linestyle() == ":"  # what is not true
    beside = next(line for line in axes.lines if line.get_linestyle() == "--" and len(line.get_xdata()) == 3)
    np.testing.assert_allclose(beside.get_ydata(), [100 * d.comparators["t test for rises"].value for d in power[:3]])
    said = texts(figure)
    assert "Patients" in said
    assert "Studies that meet the decision (%)" in said
    assert plt.get_fignums() == []


def test_a_single_number_of_patients_is_drawn_too(power):
    figure = figures.power_curves([d for d in power if d.look == 23])
    assert [t.get_text() for t in figure.axes[0].get_xticklabels()] == ["23"]


def test_nothing_to_draw():
    with pytest.raises(UsageError, match="has no replicates to draw"):
        figures.power_curves(decisions(study_of([cell()]), *frames([Row(cell().key, 0, "fit")])))


def test_lines_of_ranks_leave_the_envelope_where_they_fail(rng):
    plan = calibration_plan(CalibrateOptions(STUDY, "out", patients=(5,), replicates=200))
    ranks = {"y.slope": rng.random(200), "y.sd_slope": rng.beta(0.5, 0.5, 200)}
    rows = [
        Row(
            plan.cells[0].key,
            i,
            quantities=tuple(
                Quantity("parameter", k, 5, truth=0.0, lower=-1.0, upper=1.0, rank=float(r[i]))
                for k, r in ranks.items()
            ),
        )
        for i in range(200)
    ]
    answer = calibration(results(plan, rows))
    figure = figures.rank_differences(answer.cells, answer.quantities)
    (axes,) = figure.axes
    fine, failing = (line.get_ydata() for line in axes.lines[:2])
    z, lower, upper = envelope(200, 0.95)
    at = np.linspace(0, 1, 401)
    outside = [
        bool(((np.interp(z, at, y) < lower - z - 1e-9) | (np.interp(z, at, y) > upper - z + 1e-9)).any())
        for y in (fine, failing)
    ]
    assert outside == [False, True]
    assert "5 patients, 200 replicates: FAILS" in axes.get_title("left")
    legend = [t.get_text() for t in figure.legends[0].get_texts()]
    assert "y.sd_slope" in legend
    assert "y.slope" not in legend
