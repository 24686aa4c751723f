"""Simulated measurements beyond a declared range: drawn as the model says, and recorded as a clinic would."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from bayesmyo.cohort import read_cohort, to_csv
from bayesmyo.cohort.cohort import MEASURED, RIGHT
from bayesmyo.cohort.write import cell
from bayesmyo.model.simulate import recorded, simulate, simulate_scenario
from bayesmyo.model.truth import from_scenario
from bayesmyo.study import find_study, parse_study
from tests.conftest import SMALL

HIGH = parse_study(SMALL.replace("intercept = 50, slope = 0.5", "intercept = 90, slope = 0.5"))  # of at most 100
MANY = 3000


@pytest.fixture(scope="module")
def drawn():
    return simulate(HIGH, from_scenario(HIGH, "improves"), np.random.default_rng(1), MANY)


def test_what_is_simulated_is_the_gaussian_of_the_model_and_its_record_stops_at_the_end(drawn):
    m = drawn.cohort.measurements["strength"]
    own = drawn.truth.outcomes["strength"].effects
    expected = 90 + own["intercept"][m.patient] + (0.5 + own["slope"][m.patient]) * m.time
    assert stats.kstest((m.value - expected) / 4, "norm").pvalue > 0.01
    beyond = m.value > 100
    assert 0.2 < beyond.mean() < 0.8
    record = recorded(HIGH, drawn.cohort).measurements["strength"]
    assert (record.value[beyond] == 100).all()
    np.testing.assert_array_equal(record.value[~beyond], m.value[~beyond])
    np.testing.assert_array_equal(record.side, m.side)


def test_a_notice_counts_what_was_recorded_at_the_end(drawn):
    m = drawn.cohort.measurements["strength"]
    outside = np.sum((m.value < 0) | (m.value > 100))
    assert recorded(HIGH, drawn.cohort).notices == (
        f"Strength: {outside} of {len(m)} simulated values lay outside 0 to 100 points, which the family gaussian allows; "
        "they are recorded at the end of the range.",
    )


def test_an_outcome_with_no_range_or_within_it_stays_as_it_is(drawn, small):
    open_ended = parse_study(HIGH.text.replace("minimum = 0\nmaximum = 100\n", ""))
    assert recorded(open_ended, drawn.cohort).notices == ()
    assert recorded(open_ended, drawn.cohort).measurements == drawn.cohort.measurements
    simulated = simulate_scenario(small, seed=2).cohort
    assert simulated.notices == ()


def test_censored_cells_keep_their_limit(drawn):
    m = drawn.cohort.measurements["strength"]
    limits = replace(m, value=np.full(len(m), 120.0), side=np.full(len(m), RIGHT, dtype=np.int8))
    found = recorded(HIGH, replace(drawn.cohort, measurements={**drawn.cohort.measurements, "strength": limits}))
    assert (found.measurements["strength"].value == 120).all()


@pytest.mark.parametrize("name", ["ivig", "ivig-paper"])
def test_simulated_tables_of_bundled_studies_are_read_back(name, tmp_path):
    """Three in ten tables of `ivig-paper` would hold a value that no clinic could have recorded; one in thirty of
    `ivig`.
    """
    study, path, ends = find_study(name), tmp_path / "cohort.csv", 0
    for seed in range(30):
        simulated = simulate_scenario(study, seed=seed, patients=15).cohort
        path.write_text(to_csv(study, simulated))
        found = read_cohort(study, path)
        ends += bool(simulated.notices)
        for outcome, m in found.measurements.items():
            o, values = study.outcomes[outcome], m.value[m.side == MEASURED]
            assert o.maximum is None or values.max() <= o.maximum
            assert o.minimum is None or values.min() >= o.minimum
    assert ends or name == "ivig"


def test_rounding_never_writes_a_value_beyond_its_range(drawn):
    m = drawn.cohort.measurements["strength"]
    o = replace(HIGH.outcomes["strength"], maximum=99.996)
    one = replace(m, value=np.full(len(m), 99.9958))
    assert cell(o, one, 0, 4) == "99.996"
    assert cell(HIGH.outcomes["strength"], one, 0, 4) == "100.00"
