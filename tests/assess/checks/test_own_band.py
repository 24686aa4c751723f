"""Who was far outside the own band: a planted relapse is found, and cohorts without one are left alone."""

from dataclasses import replace

import numpy as np
import pytest

from bayesmyo.assess.checks.own_band import RATE, OwnBand
from bayesmyo.inference.compiled import Compiled
from bayesmyo.inference.engines import Sampling
from bayesmyo.inference.fit import posterior_truth
from bayesmyo.model.simulate import simulate
from bayesmyo.model.truth import from_scenario
from bayesmyo.report.answered import checked
from bayesmyo.report.terminal import show
from bayesmyo.study import parse_study
from tests.conftest import SMALL, fit_of, independent_draws

STUDY = SMALL[: SMALL.index("[outcomes.strength]")] + SMALL[SMALL.index("[outcomes.cpk]") : SMALL.index("[design]")]
PLANNED = """
[design]
patients = 17
follow_up = { mean = 24, sd = 0.1, maximum = 24 }
visits = { first = [0, 3, 6, 12], then_every = 6, jitter = 0 }
[scenarios.improves.cpk]
start = 800
asymptote = 200
half_time = 3
sd_start = 0.8
sd_asymptote = 0.5
correlation = 0.3
sigma = 0.3
"""


def planted(cohort, factors, month=12.0):
    """The cohort in which some patients' measurements at a month are so many times as high."""
    m = cohort.measurements["cpk"]
    value = m.value.copy()
    for patient, factor in factors.items():
        value[(m.patient == patient) & (m.time == month)] *= factor
    return replace(cohort, measurements={**cohort.measurements, "cpk": replace(m, value=value)})


@pytest.fixture(scope="module")
def planned():
    return parse_study(STUDY + PLANNED)


def cohort_of(study, seed):
    return simulate(study, from_scenario(study, "improves"), np.random.default_rng(seed)).cohort


def test_a_planted_visit_is_told_and_nobody_else(good_fit, small, small_cohort, capsys):
    assert OwnBand().run(good_fit).who == ()
    m = small_cohort.measurements["cpk"]
    cell = int(np.flatnonzero(m.patient == 4)[2])
    value = m.value.copy()
    value[cell] *= 8
    odd = replace(small_cohort, measurements={**small_cohort.measurements, "cpk": replace(m, value=value)})
    result = OwnBand().run(fit_of(small, odd, independent_draws(small, odd)))
    assert result.passed
    assert [(row["patient"], row["outcome"], row["time"]) for row in result.table] == [("P05", "cpk", m.time[cell])]
    assert "P05" not in result.sentence
    show(*checked(result, False))
    assert f"P05, month {m.time[cell]:g}: CPK" in capsys.readouterr().out


def test_a_shared_copy_and_a_dry_run_are_not_judged(mock_fit):
    assert OwnBand().run(mock_fit).unjudged == "cannot"


@pytest.mark.sampling
def test_a_relapse_is_found_and_null_cohorts_are_quiet(planned):
    compiled = Compiled(planned, "nuts", Sampling(draws=300, tune=400, chains=2))

    def told(cohort, seed):
        fit = fit_of(planned, cohort, compiled.draws(cohort, seed))
        assert posterior_truth(planned, cohort, {k: v.values for k, v in fit.group("posterior").items()}).patients == 17
        return {(row["patient"], row["time"]) for row in OwnBand().run(fit).table}

    relapsed = planted(cohort_of(planned, 1), {2: 6.0, 9: 3.0})
    assert told(relapsed, 1) >= {("P03", 12.0)}
    alarms = sum(bool(told(cohort_of(planned, 100 + seed), seed)) for seed in range(20))
    assert alarms <= 3  # one is expected at the declared rate, and more than three in one of 60 such tests
    assert RATE == 0.05
