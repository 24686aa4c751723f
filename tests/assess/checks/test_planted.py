"""Each planted misfit is seen, by the check that should see it, with a sentence that says what and what to try."""

import numpy as np
import pytest

from bayesmyo.cohort.cohort import LEFT
from tests.assess.checks.conftest import (
    GAUSSIAN,
    GAUSSIAN_TRUTH,
    PLATEAU,
    PLATEAU_TRUTH,
    around,
    changed,
    failing,
    lines,
    made,
)
from tests.assess.checks.test_true_models import FAMILIES
from tests.conftest import fit_of


def values(edit):
    """A change of the values alone."""
    return lambda m: {"value": edit(m.value, m.time)}


def fitted_truth(outcome, scenario, edit, seed=3):
    """The fit of data that were changed after the truth had made them."""
    study, cohort, truth = made(outcome, scenario, seed)
    return fit_of(study, changed(cohort, edit), around(truth))


def test_straight_lines_through_a_plateau():
    _, cohort, _ = made(PLATEAU, PLATEAU_TRUTH)
    found = failing(lines(cohort))
    assert "try the trajectory plateau" in found["time course"]
    assert "SD below the patients' own curves" in found["time course"] or "SD above" in found["time course"]


def test_straight_lines_through_straight_lines():
    _, cohort, _ = made(GAUSSIAN, GAUSSIAN_TRUTH)
    assert failing(lines(cohort)) == {}


def test_slopes_that_the_model_ignores():
    _, cohort, _ = made(GAUSSIAN, GAUSSIAN_TRUTH)
    sentence = failing(lines(cohort, slopes=False))["dependence within patients"]
    assert 'try adding "slope" to effects' in sentence
    assert sentence.startswith(("Patients' score drifts", "Neighbouring residuals of score"))


def test_a_ceiling_that_nobody_declared():
    _, cohort, _ = made(GAUSSIAN, GAUSSIAN_TRUTH)
    clipped = changed(cohort, values(lambda y, t: np.minimum(y, 58)))
    sentence = failing(lines(clipped))["ceiling and floor"]
    assert "are 58 points, the largest of all (0% to 0% tied there is predicted)" in sentence
    assert "Then declare it (censoring)" in sentence


def test_a_declared_end_that_the_model_does_not_know():
    _, cohort, _ = made(GAUSSIAN, GAUSSIAN_TRUTH)
    clipped = changed(cohort, values(lambda y, t: np.clip(y, 0, 58)))
    sentence = failing(lines(clipped, extra="\nminimum = 0\nmaximum = 58"))["ceiling and floor"]
    assert "at the top of the range, 58 points" in sentence or "beyond what is possible (above 58 points)" in sentence
    assert "try the family ordered_beta" in sentence


def test_a_variance_that_grows():
    _, cohort, _ = made(GAUSSIAN, GAUSSIAN_TRUTH)
    rng = np.random.default_rng(1)
    noisy = changed(cohort, values(lambda y, t: y + rng.standard_normal(len(y)) * t / 2))
    sentence = failing(lines(noisy))["variance"]
    assert "times as large from month" in sentence


def test_wild_measurements():
    def wild(m):
        value = m.value.copy()
        value[[20, 60, 120]] += [40, -35, 45]
        return {"value": value}

    sentence = failing(fitted_truth(GAUSSIAN, GAUSSIAN_TRUTH, wild))["distribution"]
    assert "look it up in the record, or try student_t" in sentence
    assert " of P" in sentence
    assert " at month " in sentence


def test_zeros_that_a_poisson_has_not():
    rng = np.random.default_rng(1)
    edit = values(lambda y, t: np.where(rng.random(len(y)) < 0.25, 0, y))
    sentence = failing(fitted_truth(*FAMILIES["poisson"], edit))["zeros"]
    assert "more than the family poisson allows" in sentence
    assert "try the family negative_binomial" in sentence


def test_zeros_that_a_hurdle_does_not_foresee_are_no_limit_of_measurement():
    rng = np.random.default_rng(1)
    found = failing(
        fitted_truth(*FAMILIES["hurdle_lognormal"], values(lambda y, t: np.where(rng.random(len(y)) < 0.3, 0, y)))
    )
    assert "give the table [outcomes.y.zero] covariates that tell who has none, or other effects" in found["zeros"]
    assert "ceiling and floor" not in found


@pytest.mark.parametrize("family", ["cumulative", "bernoulli"])
def test_a_step_between_grades_that_moves(family):
    rng = np.random.default_rng(1)
    edit = values(lambda y, t: np.where((t > 4) & (rng.random(len(y)) < 0.5), np.maximum(y - 1, 0), y))
    sentence = failing(fitted_truth(*FAMILIES[family], edit))["calibration of grades"]
    assert "is predicted" in sentence


def test_more_cells_below_a_limit_than_predicted():
    def low(m):
        below = np.arange(len(m)) % 5 == 0
        return {"value": np.where(below, 20.0, m.value), "side": np.where(below, LEFT, m.side)}

    outcome = GAUSSIAN + '\ncensoring = "as typed"'
    sentence = failing(fitted_truth(outcome, GAUSSIAN_TRUTH, low))["censored cells"]
    assert "20% of the measurements of score are at or below 20 points" in sentence
    assert "is that the laboratory's limit at all visits?" in sentence


def test_predictions_that_are_too_narrow():
    """Measurements scatter twice as much as the draws say."""
    rng = np.random.default_rng(1)
    found = failing(fitted_truth(GAUSSIAN, GAUSSIAN_TRUTH, values(lambda y, t: y + 7 * rng.standard_normal(len(y)))))
    assert "predictions are too narrow" in found["leave-one-out prediction"]
    assert "scatter" in found["distribution"]
