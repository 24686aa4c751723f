"""Patients that never were: do they have what the truth and the design say?"""

from collections import Counter

import numpy as np
import pytest
from scipy import special, stats

from bayesmyo.cohort import to_csv
from bayesmyo.errors import UsageError
from bayesmyo.model import simulate
from bayesmyo.model.allocation import in_blocks
from bayesmyo.model.schedule import draw_visits
from bayesmyo.model.simulate import simulate_scenario
from bayesmyo.model.truth import from_priors, from_scenario, with_effects
from bayesmyo.study import parse_study
from bayesmyo.study.design import Randomised
from tests.conftest import SMALL
from tests.study.everything import EVERYTHING


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
    for outcome, o in truth.outcomes.items():
        assert o.effects.keys() == simulated.truth.outcomes[outcome].effects.keys()
        for key, effect in o.effects.items():
            np.testing.assert_array_equal(simulated.truth.outcomes[outcome].effects[key], effect)


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


def test_a_visit_of_a_protocol_takes_place_however_late():
    study = design(follow_up="12", visits="{ first = [0, 3, 6, 12], then_every = 6, jitter = 0.4 }")
    times = visit_times(simulate_scenario(study, patients=500))
    assert all(len(t) == 4 for t in times)
    late = np.array([t[-1] for t in times]) - 12
    assert 0.4 < np.mean(late > 0) < 0.6
    assert stats.kstest(late, stats.norm(0, 0.4).cdf).statistic < 0.06


@pytest.mark.parametrize(("every", "end"), [(0.1, 1.2), (0.4, 1.2), (1.1, 3.3), (0.4, 6.0)])
def test_a_protocols_last_visit_is_not_lost_to_rounding(rng, every, end):
    study = design(follow_up=f"{end}", visits=f"{{ first = [0], then_every = {every} }}")
    assert draw_visits(study.design, end, rng)[-1] == end


def test_who_is_lost_from_a_protocol_has_no_later_visit():
    study = design(follow_up="12", visits="{ first = [0, 3], then_every = 3, jitter = 0.4 }", loss="{ hazard = 0.05 }")
    simulated = simulate_scenario(study, patients=2000)
    expected = 1 - np.exp(-0.05 * 12)
    assert simulated.lost.mean() == pytest.approx(expected, abs=4 * np.sqrt(expected * (1 - expected) / 2000))
    for times, end, lost in zip(visit_times(simulated), simulated.follow_up, simulated.lost, strict=True):
        assert (times[-1] <= end) if lost else (len(times) == 5 and end == 12)


def test_a_schedule_without_an_interval_ends_with_its_last_visit(rng):
    study = design(visits="{ first = [0, 1, 3] }")
    np.testing.assert_array_equal(draw_visits(study.design, 50.0, rng), [0, 1, 3])


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
    for o in cohort.rows.outcomes.values():
        assert o.used + sum(map(len, o.set_aside.values())) == cohort.rows.used


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


# --- covariates, exposure, limits, zeros and grades, as the study of everything declares them

ALL = parse_study(EVERYTHING)


@pytest.fixture(scope="module")
def crowd():
    return simulate_scenario(ALL, "one", seed=2, patients=3000)


def test_covariates_of_patients_follow_shares_and_typical_values(crowd):
    own = crowd.cohort.covariates
    assert list(own) == ["diagnosis", "age", "sex", "titre", "duration"]
    for name, shares in (("diagnosis", [0.5, 0.3, 0.2]), ("sex", [0.5, 0.5])):
        assert stats.chisquare(np.bincount(own[name].astype(int)), 3000 * np.array(shares)).pvalue > 1e-4
    assert stats.kstest(own["age"], stats.norm(55, 12).cdf).pvalue > 1e-4
    assert stats.kstest(np.log(own["titre"] / 100) / np.log(4), "norm").pvalue > 1e-4
    assert stats.kstest(own["duration"], stats.ncx2(1, 9).cdf).pvalue > 1e-4
    assert abs(np.corrcoef(own["age"], own["sex"])[0, 1]) < 4.5 / np.sqrt(3000)


def test_groups_that_are_balanced_have_their_shares_after_every_patient(rng):
    study = parse_study(EVERYTHING.replace("patients = 40", 'patients = 40\nbalanced = ["sex", "diagnosis"]', 1))
    orders = []
    for _ in range(30):
        own = simulate(study, from_scenario(study, "one"), rng, 31).cohort.covariates
        for name, shares in (("diagnosis", [0.5, 0.3, 0.2]), ("sex", [0.5, 0.5])):
            counts = np.cumsum(own[name][:, None] == np.arange(len(shares)), axis=0)
            assert np.all(np.abs(counts - np.arange(1, 32)[:, None] * shares) < 1)
        orders.append(tuple(own["sex"]))
    assert len(set(orders)) == 30  # which of a pair comes first is left to chance


BLOCKS = 'randomised = { covariate = "sex", ratio = [2, 1], blocks = [3, 6], strata = ["diagnosis"] }'


def test_permuted_blocks_hold_their_ratio_within_each_stratum(rng):
    """Never further from 2:1 than an open block of 6 allows, and every order of a block equally likely."""
    study = parse_study(EVERYTHING.replace("patients = 40", f"patients = 40\n{BLOCKS}", 1))
    ahead = []
    for _ in range(60):
        own = simulate(study, from_scenario(study, "one"), rng, 60).cohort.covariates
        for stratum in np.unique(own["diagnosis"]):
            second = np.cumsum(own["sex"][own["diagnosis"] == stratum])
            number = np.arange(1, len(second) + 1)
            assert np.all(
                np.abs(second - number / 3) <= 4 / 3 + 1e-9
            )  # four or two of the others first, or its own two
        ahead.append(own["sex"].mean())
    assert abs(np.mean(ahead) - 1 / 3) < 0.02


def test_every_order_of_a_block_is_equally_likely_and_an_open_one_goes_on(rng):
    r = Randomised(covariate="arm", blocks=(3,), ratio=(2, 1))
    orders = Counter(tuple(in_blocks(r, 2, 3, rng, np.zeros(0))) for _ in range(1500))
    assert set(orders) == {(0, 0, 1), (0, 1, 0), (1, 0, 0)}
    assert stats.chisquare(list(orders.values())).pvalue > 1e-4
    for _ in range(20):
        on = in_blocks(r, 2, 5, rng, np.array([0.0, 1, 0, 1]))  # a block of its own, and the first of the next
        assert on[:2].tolist() == [0, 0]
        assert sorted(on[2:]) == [0, 0, 1]


def test_covariates_of_visits_vary_within_patients(crowd):
    m = crowd.cohort.measurements["power"]
    season = m.covariates["season"]
    assert list(m.covariates) == ["season"]
    assert season.mean() == pytest.approx(0.5, abs=4.5 * 0.5 / np.sqrt(len(season)))
    share = np.bincount(m.patient, season) / np.bincount(m.patient)
    assert np.mean((share > 0) & (share < 1)) > 0.7


def test_the_truth_holds_the_columns_of_these_covariates(crowd):
    own, columns = crowd.cohort.covariates, crowd.truth.covariates
    np.testing.assert_array_equal(columns["diagnosis_ibm"], own["diagnosis"] == 2)
    np.testing.assert_allclose(columns["age"], (own["age"] - 55) / 12)
    assert "age_sex" not in columns


def test_a_visit_has_one_season_in_all_outcomes(crowd):
    seen = {}
    for m in crowd.cohort.measurements.values():
        for p, t, season in zip(m.patient, m.time, m.covariates["season"], strict=True):
            assert seen.setdefault((p, t), season) == season


def test_measurements_scatter_around_each_patients_own_curve_and_covariates(crowd):
    """Power: student_t(5, 3) around the line by hand, where it is not at a limit (then the truth lies beyond)."""
    m, own, b = crowd.cohort.measurements["power"], crowd.cohort.covariates, crowd.truth.outcomes["power"].effects
    who = m.patient
    age, male = (own["age"][who] - 55) / 12, own["sex"][who]
    level = 40 + np.array([0, -3, -6.0])[own["diagnosis"].astype(int)][who] - 2 * age - m.covariates["season"]
    line = level + b["intercept"][who] + (0.5 + 0.1 * male - 0.05 * age * male + b["slope"][who]) * m.time
    t = stats.t(5, loc=line, scale=3)
    inside = m.side == 0
    low, high = t.cdf(20), t.cdf(70)
    share = (t.cdf(m.value) - low) / (high - low)
    assert stats.kstest(share[inside], "uniform").pvalue > 1e-4
    at = np.stack([m.side == -1, m.side == 1])
    assert (at.mean(axis=-1) > 0.003).all()
    np.testing.assert_allclose(at.sum(axis=-1), [low.sum(), (1 - high).sum()], rtol=0.12)


def test_declared_limits_are_applied(crowd):
    m = crowd.cohort.measurements["power"]
    assert set(np.unique(m.side)) == {-1, 0, 1}
    assert set(m.value[m.side == 1]) == {70.0}
    assert set(m.value[m.side == -1]) == {20.0}
    inside = m.value[m.side == 0]
    assert inside.min() > 20
    assert inside.max() < 70
    assert crowd.cohort.rows.outcomes["power"].censored == m.censored == np.count_nonzero(m.side)


def test_exposures_are_one_more_than_a_poisson_count_and_falls_are_in_proportion(crowd):
    m, own, b = crowd.cohort.measurements["falls"], crowd.cohort.covariates, crowd.truth.outcomes["falls"].effects
    assert m.exposure.min() == 1
    counts = np.bincount(m.exposure.astype(int) - 1, minlength=16)
    expected = len(m) * stats.poisson(3).pmf(np.arange(len(counts)))
    assert stats.chisquare([*counts[:8], counts[8:].sum()], [*expected[:8], len(m) - expected[:8].sum()]).pvalue > 1e-4
    who, titre = m.patient, np.log(own["titre"] / 100)[m.patient] / np.log(4)
    left = 0.5 ** (m.time / (3 * np.exp(b["half_time"][who])))
    end = np.log(0.2) + np.log([1, 1.1, 1.6])[own["diagnosis"].astype(int)][who] + b["asymptote"][who]
    eta = (np.log(0.6) + b["start"][who]) * left + end * (1 - left) + np.log(1.2) * titre
    mean = m.exposure * np.exp(eta)
    assert np.all((m.value >= 0) & (m.value == np.round(m.value)))
    z = (m.value - mean) / np.sqrt(mean)
    assert z.mean() == pytest.approx(0, abs=4.5 / np.sqrt(len(z)))
    assert np.sum((m.value - mean) * m.exposure) == pytest.approx(0, abs=4.5 * np.sqrt(np.sum(mean * m.exposure**2)))
    assert np.mean(m.value == 0) == pytest.approx(np.exp(-mean).mean(), abs=0.01)


def test_zero_doses_appear_as_often_as_the_zero_part_says(crowd):
    m, own, b = crowd.cohort.measurements["dose"], crowd.cohort.covariates, crowd.truth.outcomes["dose"].effects
    who = m.patient
    none = special.expit(special.logit(0.2) + b["zero_intercept"][who] + 0.05 * m.time - 0.3 * own["sex"][who])
    zero = m.value == 0
    assert zero.sum() == pytest.approx(none.sum(), abs=4.5 * np.sqrt((none * (1 - none)).sum()))
    spent = np.minimum(m.time, 6) * np.log(0.9) + np.maximum(m.time - 6, 0) * np.log(0.98)
    duration = (np.sqrt(own["duration"]) - 3)[who]
    amount = np.log(30) + b["intercept"][who] + spent + np.log(1.1) * duration
    assert stats.kstest((np.log(m.value[~zero]) - amount[~zero]) / 0.3, "norm").pvalue > 1e-4
    r = np.corrcoef(b["intercept"], b["zero_intercept"])[0, 1]
    assert r == pytest.approx(-0.5, abs=4.5 / np.sqrt(3000))


def test_grades_are_declared_ones_with_the_chances_of_the_thresholds(crowd):
    m, b = crowd.cohort.measurements["grade"], crowd.truth.outcomes["grade"].effects["intercept"]
    eta = b[m.patient] + 0.4 * np.sqrt(m.time)
    at_most = special.expit(np.array([-3, -1.5, -0.5, 0.5, 2.0])[:, None] - eta)
    chances = np.diff(np.vstack([np.zeros(len(m)), at_most, np.ones(len(m))]), axis=0)
    for grade, p in zip([1, 3, 3.67, 4, 4.33, 5], chances, strict=True):  # 0, 1 and 2 count as one, scored 1
        assert np.sum(m.value == grade) == pytest.approx(p.sum(), abs=4.5 * np.sqrt((p * (1 - p)).sum()))


def test_without_an_exposure_in_the_design_each_visit_counts_one():
    study = parse_study(EVERYTHING.replace("exposure = { weeks = 4 }\n", ""))
    assert set(simulate_scenario(study, "one").cohort.measurements["falls"].exposure) == {1.0}


def test_effects_of_different_outcomes_are_correlated_as_stated(crowd):
    power, grade = (crowd.truth.outcomes[k].effects["intercept"] for k in ("power", "grade"))
    assert np.corrcoef(power, grade)[0, 1] == pytest.approx(0.5, abs=4.5 / np.sqrt(3000))


def test_a_truth_with_effects_is_given_covariates(rng):
    truth = with_effects(ALL, from_scenario(ALL, "one"), 9, rng)
    simulated = simulate(ALL, truth, rng)
    assert len(simulated.cohort) == 9
    assert {len(v) for v in simulated.cohort.covariates.values()} == {9}
    np.testing.assert_array_equal(
        simulated.truth.outcomes["falls"].effects["half_time"], truth.outcomes["falls"].effects["half_time"]
    )


def test_a_truth_with_covariates_keeps_them(rng):
    """The same patients once more: their covariates are in the cohort as they are in the truth."""
    first = simulate_scenario(ALL, "one", seed=2, patients=9)
    again = simulate(ALL, first.truth, rng)
    for name, values in first.cohort.covariates.items():
        np.testing.assert_allclose(again.cohort.covariates[name], values, rtol=1e-10)


def test_a_truth_from_the_priors_of_everything_can_be_simulated(rng):
    for _ in range(3):
        assert len(simulate(ALL, from_priors(ALL, rng), rng, patients=5).cohort) == 5


# --- the bundled scenarios


def changes(ivig, scenario, outcome, patients=1500):
    """Each patient's change of the linear predictor until the end of follow-up, by the formula of a plateau and the
    effects.

    One seed, so that only the truth differs; measurements of mrc and steroid stop at 5 and at 0, and have no finite
    logit or log there.
    """
    simulated = simulate_scenario(ivig, scenario, seed=8, patients=patients)
    o = simulated.truth.outcomes[outcome]
    change = o.values["asymptote"] + o.effects["asymptote"] - o.values["start"] - o.effects["start"]
    return change * (1 - 0.5 ** (simulated.follow_up / 2.5))


@pytest.mark.parametrize("outcome", ["mrc", "cpk", "steroid"])
def test_half_is_half_of_the_papers_change_and_null_is_none(ivig, outcome):
    paper, half, null = (changes(ivig, s, outcome) for s in ("paper", "half", "null"))
    assert abs(null.mean()) < 4 * null.std() / np.sqrt(len(null))
    assert abs((paper - null).mean()) > 10 * paper.std() / np.sqrt(len(paper))
    np.testing.assert_allclose((half - null).mean(), (paper - null).mean() / 2, rtol=1e-5)


@pytest.mark.parametrize("outcome", ["cpk", "steroid"])
def test_what_is_measured_halves_as_well(ivig, outcome):
    """The mean change of log measurements, of the positive ones; their noise is independent between scenarios."""

    def measured(scenario):
        m = simulate_scenario(ivig, scenario, seed=8, patients=1500).cohort.measurements[outcome]
        early, late = (np.log(m.value[when & (m.value > 0)]) for when in (m.time == 0, m.time > 20))
        return late.mean() - early.mean()

    paper, half, null = (measured(s) for s in ("paper", "half", "null"))
    assert null == pytest.approx(0, abs=0.06)
    assert half / paper == pytest.approx(0.5, abs=0.03)


def test_in_half_and_null_fewer_come_off_steroids(ivig):
    def zeros(scenario):
        m = simulate_scenario(ivig, scenario, seed=8, patients=1500).cohort.measurements["steroid"]
        return np.mean(m.value[m.time > 20] == 0)

    paper, half, null = (zeros(s) for s in ("paper", "half", "null"))
    assert paper > 1.5 * half > 2 * null > 0


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
