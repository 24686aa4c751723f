"""What an abstract would print of a cohort, against numbers counted by hand."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from bayesmyo.cohort.cohort import Measurements
from bayesmyo.components.priors import Prior
from bayesmyo.model.printed import measured, print_of, printed, usual_window
from bayesmyo.model.simulate import Simulated, simulate
from bayesmyo.model.truth import from_priors, from_scenario
from bayesmyo.model.unknowns import Unknowns
from bayesmyo.simulation.design_prior import design_prior
from bayesmyo.study import parse_study
from tests.conftest import SMALL
from tests.study.test_abstract import ABSTRACT


@pytest.fixture(scope="module")
def study():
    return parse_study(SMALL + ABSTRACT)


@pytest.fixture
def simulated(study, rng):
    """Three patients, one of them seen once, one lost."""
    whole = simulate(study, from_scenario(study, "improves"), rng, 3)
    patient, time = np.array([0, 0, 0, 1, 1, 2]), np.array([0.0, 6.5, 14.0, 0.0, 11.0, 0.0])
    cells = {
        name: Measurements(patient, time, np.array(value, dtype=float), np.zeros(6, dtype=np.int8), np.zeros(6, dtype=int))
        for name, value in {"strength": [40, 44, 50, 60, 58, 70], "cpk": [900, 300, 150, 500, 180, 100]}.items()
    }  # fmt: skip
    cohort = replace(whole.cohort, measurements=cells)
    return Simulated(cohort, whole.truth, np.array([14.0, 11.0, 2.0]), np.array([False, True, False]))


def test_measurements_of_each_patient(simulated):
    cohort = simulated.cohort
    assert measured(cohort, "strength", "first", 1).tolist() == [40, 60, 70]
    assert measured(cohort, "strength", "last", 1) == pytest.approx([50, 58, np.nan], nan_ok=True)
    assert measured(cohort, "cpk", 12.0, 4) == pytest.approx([150, 180, np.nan], nan_ok=True)
    assert measured(cohort, "cpk", 6.0, 1) == pytest.approx([300, np.nan, np.nan], nan_ok=True)


def test_what_is_printed_of_them(study, simulated):
    """Mean and SD of follow-up; lost; the mean and SD of two changes; a median; who is normal at the last visit and not
    lost: one, of three.
    """
    found = dict(zip([p.name for p in printed(study)], print_of(study, simulated, simulated.cohort), strict=True))
    assert found == pytest.approx(
        {
            "follow_up.mean": 9,
            "follow_up.sd": 6,
            "lost": 1,
            "numbers.gain.mean": 4,
            "numbers.gain.sd": 8,  # 8.49, of which the paper prints no decimal
            "numbers.late.median": 165,
            "responders.normal": 1,
        }
    )
    assert usual_window(study) == 0.5


def test_a_category_leaves_those_before_it(study, simulated):
    rule = """
[responses.r]
at = 12
[responses.r.categories]
remission = { cpk = { at_most = 160 } }
partial = { cpk = { at_most = 200 } }
refractory = {}
"""
    counts = "\n".join(
        f'{name} = {{ rule = "r", category = "{name}", count = 1 }}' for name in ("remission", "partial", "refractory")
    )
    asked = parse_study(
        SMALL + rule + ABSTRACT.partition("[published.responders]")[0] + "[published.responders]\n" + counts
    )
    kept = replace(simulated, lost=np.zeros(3, dtype=bool))
    assert print_of(asked, kept, kept.cohort)[-3:].tolist() == [1, 1, 1]  # nobody was measured twice: refractory


def test_vectors_are_the_truths_that_they_are_made_of(study, rng):
    unknowns = Unknowns(study)
    truths = from_priors(study, rng, (5,))
    vectors = unknowns.vectors(truths, rng)
    assert unknowns.names[-2:] == ["follow_up.mean", "follow_up.sd"]
    back = unknowns.truth(vectors[3], rng)
    for p in unknowns.parameters:
        assert back.value(p.outcome, p.name) == pytest.approx(truths.value(p.outcome, p.name)[3])
    stated = dict(zip(unknowns.names, unknowns.stated(vectors)[3], strict=True))
    assert stated["cpk.start"] == pytest.approx(np.exp(truths.value("cpk", "start")[3]))  # in IU/L
    assert unknowns.designed(vectors[3]).follow_up.mean == pytest.approx(stated["follow_up.mean"])


def test_a_design_prior_comes_close_to_draws(study, rng):
    of = {p.full_name: p for p in Unknowns(study).parameters}
    text, distance = design_prior(of["cpk.half_time"], np.exp(1 + 0.3 * rng.standard_normal(4000)))
    assert distance < 0.02
    assert Prior.parse(text).values == pytest.approx((1, 0.3), abs=0.03)
    text, distance = design_prior(
        of["strength.correlation"], stats.truncnorm(-1.5, 0.5, 0.5, 1).rvs(4000, random_state=rng)
    )
    assert text.endswith("T[-1, 1]")
    assert distance < 0.02
