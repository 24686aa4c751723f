"""Patients that never were: do they have what the truth and the design say?"""

import numpy as np
import pytest
from scipy import stats

from bayesmyo.cohort import simulate, to_csv
from bayesmyo.cohort.simulate import draw_visits, simulate_scenario
from bayesmyo.cohort.truth import from_priors, from_scenario, with_effects
from bayesmyo.errors import UsageError
from bayesmyo.study import parse_study
from tests.conftest import SMALL


def design(**changes):
    """The small study with other lines in its design."""
    text = SMALL.split("[scenarios")
    lines = {
        "follow_up": "{ mean = 24, sd = 12, maximum = 60 }",
        "visits": "{ first = [0, 1, 3], then_every = 6, jitter = 0.3 }",
    }
    body = "\n".join(f"{k} = {v}" for k, v in {"patients": 12, **lines, **changes}.items())
    return parse_study("[scenarios".join([text[0].split("[design]")[0] + "[design]\n" + body + "\n", *text[1:]]))


def per_patient(simulated, outcome):
    """(time, value) of each patient, as the cohort has them."""
    m = simulated.cohort.measurements[outcome]
    return [(m.time[m.patient == p], m.value[m.patient == p]) for p in range(len(simulated.cohort))]


def visit_times(simulated):
    """All visit times of each patient, whatever was measured."""
    times = [set() for _ in simulated.cohort.patients]
    for m in simulated.cohort.measurements.values():
        for p, t in zip(m.patient, m.time, strict=True):
            times[p].add(t)
    return [sorted(t) for t in times]


# --- seeds and sizes


def test_the_same_seed_gives_the_same_cohort(ivig):
    one, two, other = (to_csv(ivig, simulate_scenario(ivig, "paper", seed).cohort) for seed in (5, 5, 6))
    assert one == two != other


def test_the_design_says_how_many_unless_asked(small):
    assert len(simulate_scenario(small).cohort) == 12
    assert simulate_scenario(small, patients=103).cohort.patients[::102] == ("S001", "S103")


def test_a_truth_with_effects_keeps_its_patients(small, rng):
    truth = with_effects(small, from_scenario(small, "improves"), 5, rng)
    simulated = simulate(small, truth, rng)
    assert len(simulated.cohort) == 5
    assert simulated.truth is truth


def test_a_truth_from_the_priors_can_be_simulated(ivig, rng):
    assert len(simulate(ivig, from_priors(ivig, rng), rng).cohort) == 23


def test_what_cannot_be_simulated_is_said(small, rng):
    bare = parse_study(SMALL.split("[design]")[0])
    with pytest.raises(UsageError, match=r"no \[design\]"):
        simulate(bare, from_priors(bare, rng), rng)
    with pytest.raises(UsageError, match="has no scenario"):
        simulate_scenario(bare)
    with pytest.raises(UsageError, match='did you mean "improves"'):
        simulate_scenario(small, "improve")


# --- visits and follow-up


def test_visits_are_sorted_within_follow_up_and_begin_with_the_baseline(ivig):
    simulated = simulate_scenario(ivig, "paper", seed=1, patients=400)
    for times, end in zip(visit_times(simulated), simulated.follow_up, strict=True):
        assert times[0] == 0
        assert np.all(np.diff(times) > 0)
        assert times[-1] <= max(end, 0)
    for outcome in ivig.outcomes:
        assert all(t[0] == 0 and np.all(np.diff(t) > 0) for t, _ in per_patient(simulated, outcome))


def test_without_jitter_the_visits_are_the_planned_ones(rng):
    study = design(visits="{ first = [0, 1, 3], then_every = 6 }")
    np.testing.assert_array_equal(draw_visits(study.design, 27.0, rng), [0, 1, 3, 9, 15, 21, 27])
    np.testing.assert_array_equal(draw_visits(study.design, 2.9, rng), [0, 1])
    np.testing.assert_array_equal(draw_visits(study.design, 0.0, rng), [0])


def test_jitter_has_its_sd(rng):
    study = design(visits="{ first = [0, 10], then_every = 10, jitter = 0.4 }")
    moved = np.array([draw_visits(study.design, 95.0, rng)[:9] for _ in range(500)]) - np.arange(0, 90, 10)
    assert np.all(moved[:, 0] == 0)
    assert stats.kstest(moved[:, 1:].ravel(), stats.norm(0, 0.4).cdf).statistic < 0.02  # times are rounded to 0.01


def test_nobody_is_lost_without_loss_nor_seen_beyond_the_maximum():
    simulated = simulate_scenario(design(), patients=2000)
    assert not simulated.lost.any()
    assert simulated.follow_up.max() == 60
    inside = simulated.follow_up[simulated.follow_up < 60]
    follow_up = stats.gamma(4, scale=6)  # mean 24, SD 12
    assert stats.kstest(inside, lambda x: follow_up.cdf(x) / follow_up.cdf(60)).pvalue > 0.001


def test_loss_comes_at_its_hazard():
    study = design(follow_up="{ mean = 1000, sd = 1, maximum = 50 }", loss="{ hazard = 0.02 }")
    simulated = simulate_scenario(study, patients=5000)
    expected = 1 - np.exp(-0.02 * 50)
    assert simulated.lost.mean() == pytest.approx(expected, abs=4 * np.sqrt(expected * (1 - expected) / 5000))
    truncated = stats.truncexpon(1, scale=50)
    assert stats.kstest(simulated.follow_up[simulated.lost], truncated.cdf).pvalue > 0.001


def test_the_missing_share_is_the_designs_and_the_baseline_is_complete():
    simulated = simulate_scenario(design(missing=0.2), patients=3000)
    m = simulated.cohort.measurements["cpk"]
    later = sum(len(t) for t in visit_times(simulated)) - 3000
    both_missing = 0.2**2  # such a visit leaves no row
    expected = (1 - 0.2) / (1 - both_missing)
    assert np.count_nonzero(m.time == 0) == 3000
    assert np.count_nonzero(m.time > 0) / later == pytest.approx(expected, abs=0.01)


def test_every_row_has_its_cells_accounted_for():
    cohort = simulate_scenario(design(missing=0.5), patients=200).cohort
    assert {sum(counts.values()) for counts in cohort.rows.cells.values()} == {cohort.rows.used}


# --- patients and residuals


@pytest.mark.parametrize(
    ("outcome", "effects", "sds", "r"),
    [("strength", ("intercept", "slope"), (8, 0.25), -0.4), ("cpk", ("start", "asymptote"), (0.8, 0.5), 0.3)],
)
def test_effects_have_the_sds_and_the_correlation_of_the_truth(small, rng, outcome, effects, sds, r):
    n = 40_000
    drawn = with_effects(small, from_scenario(small, "improves"), n, rng).outcomes[outcome].effects
    assert tuple(drawn) == effects
    np.testing.assert_allclose([drawn[e].std() for e in effects], sds, rtol=4 / np.sqrt(2 * n))
    np.testing.assert_allclose(
        [drawn[e].mean() / sd for e, sd in zip(effects, sds, strict=True)], 0, atol=4 / np.sqrt(n)
    )
    assert np.corrcoef(*drawn.values())[0, 1] == pytest.approx(r, abs=4 / np.sqrt(n))


def test_effects_of_different_outcomes_are_independent(small, rng):
    drawn = with_effects(small, from_scenario(small, "improves"), 40_000, rng)
    one, two = drawn.outcomes["strength"].effects["intercept"], drawn.outcomes["cpk"].effects["start"]
    assert abs(np.corrcoef(one, two)[0, 1]) < 4 / np.sqrt(40_000)


def test_measurements_scatter_around_each_patients_own_curve():
    simulated = simulate_scenario(design(), patients=1000)
    strength, cpk = (simulated.cohort.measurements[k] for k in ("strength", "cpk"))
    b = simulated.truth.outcomes["strength"].effects
    line = 50 + b["intercept"][strength.patient] + (0.5 + b["slope"][strength.patient]) * strength.time
    assert stats.kstest(strength.value - line, stats.norm(0, 4).cdf).pvalue > 0.001
    b, left = simulated.truth.outcomes["cpk"].effects, 2 ** (-cpk.time / 3)
    curve = (np.log(800) + b["start"][cpk.patient]) * left + (np.log(200) + b["asymptote"][cpk.patient]) * (1 - left)
    assert stats.kstest(np.log(cpk.value) - curve, stats.norm(0, 0.3).cdf).pvalue > 0.001


# --- the bundled scenarios


def changes(ivig, scenario, outcome, patients=1500):
    """Each patient's last minus first measurement on the link scale; one seed, so that only the truth differs."""
    simulated = simulate_scenario(ivig, scenario, seed=8, patients=patients)
    link = ivig.outcomes[outcome].family.link
    return np.array([link(y[-1]) - link(y[0]) for _, y in per_patient(simulated, outcome)])


@pytest.mark.parametrize("outcome", ["mrc", "cpk", "steroid"])
def test_half_is_half_of_the_papers_change_and_null_is_none(ivig, outcome):
    paper, half, null = (changes(ivig, s, outcome) for s in ("paper", "half", "null"))
    assert abs(null.mean()) < 4 * null.std() / np.sqrt(len(null))
    assert abs((paper - null).mean()) > 10 * paper.std() / np.sqrt(len(paper))
    np.testing.assert_allclose((half - null).mean(), (paper - null).mean() / 2, rtol=1e-5)


def test_the_scenario_paper_gives_the_published_cohort(ivig):
    """The anchors of the abstract, over 500 cohorts of 23."""
    found = []
    for seed in range(500):
        simulated = simulate_scenario(ivig, "paper", seed)
        last = [t[-1] for t, _ in per_patient(simulated, "mrc")]
        change = [np.mean([y[-1] - y[0] for _, y in per_patient(simulated, k)]) for k in ("mrc", "cpk", "steroid")]
        found.append([*change, np.mean(last), np.std(last, ddof=1), simulated.lost.sum()])
    mrc, cpk, steroid, mean, sd, lost = np.mean(found, axis=0)
    assert (mrc, cpk, steroid) == pytest.approx((0.92, -1140, -36), rel=0.05)
    assert (mean, sd) == pytest.approx((31, 25), abs=1.5)
    assert lost == pytest.approx(6, abs=0.3)
