"""A right model passes calibration, over its priors and given patients; a broken one does not."""

from dataclasses import replace

import numpy as np
import pytest

from bayesmyo.errors import InputError
from bayesmyo.inference.engines import ENGINES, Sampling
from bayesmyo.inference.fit import wrap
from bayesmyo.model.simulate import simulate
from bayesmyo.model.truth import from_priors
from bayesmyo.simulation.calibration.grid import RECORD, calibration_plan
from bayesmyo.simulation.calibration.posterior import measured_again
from bayesmyo.simulation.calibration.verdict import calibration
from bayesmyo.simulation.cell import Cell
from bayesmyo.simulation.options import CalibrateOptions
from bayesmyo.simulation.plan import Plan
from bayesmyo.simulation.replicate import Models, Replicator
from bayesmyo.simulation.row import Row
from tests.simulation.calibration.broken import BROKEN, STUDY, Remembered, off_by_one
from tests.simulation.frames import results

REPLICATES, SEED = 120, 5
NAME = "remembered"


@pytest.fixture(scope="module")
def models():
    """What is compiled, once for the whole file; draws are broken afterwards."""
    ENGINES[NAME] = Remembered()
    yield Models()
    del ENGINES[NAME]


def judged(plan, models, breaking=None):
    """The verdict on a plan's only cell, under a model that may be broken."""
    replicator = Replicator(plan.cells[0], seed=plan.seed, engine=NAME, record=plan.record, models=models)
    ENGINES[NAME].breaking = breaking or Remembered().breaking
    rows = [replicator.run(r) for r in range(plan.replicates)]
    return calibration(results(plan, rows)).cells[0]


@pytest.fixture(scope="module")
def plan():
    return calibration_plan(CalibrateOptions(STUDY, "out", replicates=REPLICATES, seed=SEED))


@pytest.mark.sampling
def test_the_right_model_passes(plan, models):
    found = judged(plan, models)
    assert found.passed, found.sentence
    assert {q.kind for q in found.quantities} == {"estimand", "parameter", "effect", "joint"}
    assert f"5 patients, {REPLICATES} replicates show no miscalibration" in found.sentence
    for q in found.quantities:
        for level, share in q.coverage.levels.items():
            assert abs(share.value - level) < 4 * np.sqrt(level * (1 - level) / REPLICATES), (q.name, level)
    assert not [q.name for q in found.quantities if abs(q.coverage.bias.value) > 4 * q.coverage.bias.mcse]


SEEN = {
    "swapped slope": {"y.slope", "change_6"},
    "off-by-one index": {"y.effect_intercept[P01]", "joint log-likelihood"},
    "missing Jacobian": {"y.sd_slope"},
    "prior half as wide": {"y.sd_slope"},
}


@pytest.mark.sampling
@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_model_fails(plan, models, name):
    """On the very cohorts and draws with which the right one passes; a wrong patient index leaves the population as
    it is.
    """
    found = judged(plan, models, BROKEN[name])
    assert found.passed is False
    assert f"NOT calibrated over {REPLICATES} replicates" in found.sentence
    failed = {q.name for q in found.quantities if not q.passed}
    assert failed >= SEEN[name]
    if name == "off-by-one index":
        assert not failed & {"y.intercept", "y.slope", "y.sd_intercept", "y.sd_slope", "y.sigma"}


# --- given patients


@pytest.fixture(scope="module")
def given(models):
    """Five patients whose true model is known, and their posterior, as the plan of a calibration given them."""
    rng = np.random.default_rng(8)
    cohort = simulate(STUDY, from_priors(STUDY, rng), rng).cohort
    sampling = Sampling(draws=1000, tune=500, chains=2, cores=1)
    compiled = models.of(STUDY, NAME, sampling, 5)
    ENGINES[NAME].breaking = Remembered().breaking
    draws = compiled.draws(cohort, 77, sampling=sampling)
    fit = wrap(STUDY, cohort, draws, engine="nuts", seed=77, sampling=sampling, how=compiled.how)
    cell = Cell(STUDY, fit.truth.take(np.arange(0, 2000, 4)), 5, STUDY, {"patients": 5}, cohort=cohort)
    return Plan("calibrate", (cell,), 60, SEED, record=RECORD)


@pytest.mark.sampling
def test_given_patients_the_right_model_passes(given, models):
    found = judged(given, models)
    assert found.passed, found.sentence
    assert {q.kind for q in found.quantities} == {"estimand", "parameter", "effect", "joint"}


@pytest.mark.sampling
def test_given_patients_another_patients_effects_are_seen(given, models):
    found = judged(given, models, off_by_one)
    assert found.passed is False
    assert "y.effect_intercept[P01]" in {q.name for q in found.quantities if not q.passed}


@pytest.mark.sampling
def test_patients_travel_in_a_plan_under_pseudonyms(given):
    again = Plan.from_json(given.to_json())
    assert again.to_json() == given.to_json()
    cell, other = given.cells[0], again.cells[0]
    assert other.key == cell.key
    assert other.cohort.patients == ("P01", "P02", "P03", "P04", "P05")
    for rng in (np.random.default_rng(3), np.random.default_rng(4)):
        state = rng.bit_generator.state
        one = measured_again(cell.study, cell.cohort, cell.truth(rng), rng).measurements["y"]
        rng.bit_generator.state = state
        two = measured_again(other.study, other.cohort, other.truth(rng), rng).measurements["y"]
        np.testing.assert_array_equal(one.value, two.value)
        np.testing.assert_array_equal(one.patient, two.patient)


def test_everyone_is_measured_a_second_time_at_the_same_visits(ivig, good_fit, small, rng):
    cohort = good_fit.cohort
    truth = good_fit.truth.take(np.asarray(17))
    both = measured_again(small, cohort, truth, rng)
    for name, m in cohort.measurements.items():
        again, n = both.measurements[name], len(m)
        np.testing.assert_array_equal(again.value[:n], m.value)
        for part in ("patient", "time"):
            np.testing.assert_array_equal(getattr(again, part)[n:], getattr(m, part))
        assert not np.isin(again.value[n:], m.value).any()
    # around the patients' own curves, and no further off than measurements are
    own = truth.outcomes["strength"].values["intercept"] + truth.outcomes["strength"].effects["intercept"]
    m = both.measurements["strength"]
    first = (m.time == 0) & (np.arange(len(m)) >= len(cohort.measurements["strength"]))
    assert np.abs(m.value[first] - own[m.patient[first]]).max() < 4 * 4.1


# --- what is asked for, and what is said


def test_a_plan_has_a_cell_for_each_number_of_patients(ivig):
    plan = calibration_plan(CalibrateOptions(ivig, "out", patients=(10, 23), replicates=50))
    assert [c.patients for c in plan.cells] == [10, 23]
    assert all(c.truths is None and c.alike and c.exchangeable for c in plan.cells)
    assert plan.record == RECORD


def test_all_faults_at_once(small):
    with pytest.raises(InputError) as error:
        calibration_plan(CalibrateOptions(replace(small, design=None), "out", patients=(0, 5, 5), replicates=10))
    assert [f.where for f in error.value.faults] == ["--patients", "--patients", "study", "--replicates"]


def test_given_a_fit_its_study_must_be_the_one_that_is_asked_about(ivig, small, good_fit, mock_fit):
    with pytest.raises(InputError, match="is of another model: not the study's outcomes and correlate and time"):
        calibration_plan(CalibrateOptions(ivig, "out", fit=good_fit))
    with pytest.raises(InputError, match="is not to be trusted"):
        calibration_plan(CalibrateOptions(ivig, "out", fit=mock_fit))
    plan = calibration_plan(CalibrateOptions(small, "out", replicates=30, fit=good_fit))
    assert plan.cells[0].patients == 12
    assert plan.cells[0].truths.shape == (1000,)
    assert plan.cells[0].truths.patients == 12


def test_few_replicates_say_nothing_and_many_that_fail_are_no_pass(small):
    plan = calibration_plan(CalibrateOptions(small, "out", patients=(4,), replicates=20))
    replicator = Replicator(
        plan.cells[0], seed=1, engine="mock", record=("parameter",), sampling=Sampling(draws=50, tune=1, chains=2)
    )
    rows = [replicator.run(r) for r in range(40)]
    few = calibration(results(plan, rows[:10])).cells[0]
    assert few.passed is None
    assert "10 replicates are too few to say anything" in few.sentence
    fine = calibration(results(plan, rows)).cells[0]
    assert fine.passed
    failed = [Row(plan.cells[0].key, 40 + i, "fit", "no memory") for i in range(3)]
    lost = calibration(results(plan, [*rows, *failed])).cells[0]
    assert lost.failed == {"fit": 3}
    assert lost.passed is False
    assert "3 of 43 replicates failed: too many to say" in lost.sentence
