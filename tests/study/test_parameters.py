"""Every parameter of a study: names, order, units and priors; draws from the priors."""

import numpy as np
import pytest
from scipy import special, stats

from bayesmyo.study import parse_study
from bayesmyo.study.parameters import all_parameters, correlations, draw_values, inventory, parameters
from bayesmyo.study.predictors import blocks, effects, predictors
from tests.conftest import SMALL
from tests.study.everything import EVERYTHING

STUDY = parse_study(EVERYTHING)
THREE = parse_study(
    SMALL.split("[scenarios")[0].replace(
        'trajectory = { kind = "plateau" }',
        'trajectory = { kind = "plateau" }\neffects = ["start", "asymptote", "half_time"]',
    )
)
ACROSS = parse_study(
    SMALL.split("[scenarios")[0].replace('patient = "patient"', 'patient = "patient"\ncorrelate = "across outcomes"')
)
NAMES = {
    "power": "intercept slope diagnosis_pm diagnosis_ibm age season_winter slope_sex_m slope_age_sex sd_intercept "
     "sd_slope correlation sigma nu",
    "grade": "slope sd_intercept threshold_1 threshold_2 threshold_3 threshold_4 threshold_5",
    "falls": "start asymptote half_time titre asymptote_diagnosis_pm asymptote_diagnosis_ibm sd_start sd_asymptote "
     "sd_half_time "
    "correlation_start_asymptote correlation_start_half_time correlation_asymptote_half_time",
    "dose": "intercept slope_1 slope_2 duration sd_intercept zero_intercept zero_slope zero_sex_m sd_zero_intercept "
     "correlation sigma",
}  # fmt: skip


# --- names and their order


@pytest.mark.parametrize(("outcome", "names"), NAMES.items(), ids=list(NAMES))
def test_parameters_have_these_names_in_this_order(outcome, names):
    assert list(parameters(STUDY, outcome)) == names.split()


def test_three_effects_of_one_outcome_have_three_correlations():
    names = [n for n in parameters(THREE, "cpk") if n.startswith("correlation")]
    assert names == ["correlation_start_asymptote", "correlation_start_half_time", "correlation_asymptote_half_time"]
    assert "correlation" in parameters(THREE, "strength")


def test_correlations_between_outcomes_are_named_by_both():
    assert list(correlations(ACROSS)) == [
        "strength_intercept_cpk_start",
        "strength_slope_cpk_start",
        "strength_intercept_cpk_asymptote",
        "strength_slope_cpk_asymptote",
    ]
    assert list(inventory(ACROSS)) == ["strength", "cpk", "correlations"]
    assert all_parameters(ACROSS)[-1].full_name == "correlations.strength_slope_cpk_asymptote"


@pytest.mark.parametrize("correlate", ["within outcomes", "none"])
def test_otherwise_no_outcomes_are_correlated(correlate):
    study = parse_study(
        SMALL.split("[scenarios")[0].replace('patient = "patient"', f'patient = "patient"\ncorrelate = "{correlate}"')
    )
    assert list(inventory(study)) == ["strength", "cpk"]
    assert ("correlation" in parameters(study, "cpk")) == (correlate == "within outcomes")


def test_every_pair_of_effects_has_one_correlation():
    pairs = [p for p in all_parameters(STUDY) if p.role == "correlation"]
    assert len(pairs) == 8 * 7 / 2  # 2 of power, 1 of grade, 3 of falls, 2 of dose
    assert len({p.full_name for p in pairs}) == len(pairs)


def test_the_effects_of_an_outcome_are_those_of_all_its_parts():
    found = {name: [e.key for e in effects(STUDY, name)] for name in STUDY.outcomes}
    assert found == {
        "power": ["intercept", "slope"],
        "grade": ["intercept"],
        "falls": ["start", "asymptote", "half_time"],
        "dose": ["intercept", "zero_intercept"],
    }
    assert [p.name for p in predictors(STUDY, "dose")] == ["location", "zero"]


def test_a_zero_part_that_is_not_correlated_stands_alone():
    text = EVERYTHING.split("[scenarios")[0].replace("correlate = true", "")
    shapes = [[e.full_name for e in b.effects] for b in blocks(parse_study(text))]
    assert shapes[-1] == ["dose.effect_zero_intercept"]
    assert len(shapes[0]) == 7


def test_moderators_shift_every_coefficient_of_the_change():
    text = EVERYTHING.split("[scenarios")[0].replace("knots = [6] }", 'knots = [6] }\nmoderators = ["diagnosis"]')
    names = [n for n in parameters(parse_study(text), "dose") if "diagnosis" in n]
    assert names == [f"slope_{j}_diagnosis_{level}" for j in (1, 2) for level in ("pm", "ibm")]


# --- units and supports


@pytest.mark.parametrize(
    ("outcome", "name", "role", "unit", "natural_unit", "support"),
    [
        ("power", "diagnosis_pm", "difference", "kg", "kg", "real"),
        ("power", "slope_sex_m", "rate", "kg per month", "kg per month", "real"),
        ("falls", "titre", "difference", "log ratio", "ratio", "real"),
        ("falls", "asymptote_diagnosis_pm", "difference", "log ratio", "ratio", "real"),
        ("falls", "sd_half_time", "sd", "log", "ratio", "positive"),
        ("falls", "half_time", "duration", "month", "month", "positive"),
        ("grade", "slope", "difference", "logit", "odds ratio", "real"),
        ("grade", "sd_intercept", "sd", "logit grade", "logit", "positive"),
        ("grade", "threshold_1", "threshold", "logit", "logit", "real"),
        ("dose", "zero_intercept", "level", "logit probability of zero", "probability of zero", "real"),
        ("dose", "zero_slope", "rate", "logit probability of zero per month", "odds ratio per month", "real"),
        ("dose", "slope_1", "rate", "log mg per month", "ratio per month", "real"),
        ("dose", "sigma", "family", "log mg", "ratio", "positive"),
    ],
)
def test_units(outcome, name, role, unit, natural_unit, support):
    p = parameters(STUDY, outcome)[name]
    assert (p.role, p.unit, p.natural_unit, p.support) == (role, unit, natural_unit, support)


@pytest.mark.parametrize(
    ("outcome", "name", "typed", "link"),
    [
        ("dose", "zero_intercept", 0.2, np.log(0.25)),
        ("dose", "zero_slope", 0.05, 0.05),
        ("dose", "intercept", 30, np.log(30)),
        ("dose", "duration", 1.1, np.log(1.1)),
        ("dose", "slope_1", 0.9, np.log(0.9)),
        ("falls", "asymptote_diagnosis_pm", 1.1, np.log(1.1)),
        ("grade", "slope", 0.4, 0.4),
        ("grade", "threshold_1", -3.0, -3.0),
        ("power", "diagnosis_pm", -3, -3),
        ("power", "nu", 5, 5),
    ],
)
def test_a_scenario_states_levels_in_outcome_units_and_ratios_on_the_log(outcome, name, typed, link):
    p = parameters(STUDY, outcome)[name]
    assert p.from_scenario(typed) == pytest.approx(link, rel=1e-12)
    if p.role != "threshold" and not p.natural_unit.startswith("odds"):
        assert p.natural(p.from_scenario(typed)) == pytest.approx(typed, rel=1e-12)


@pytest.mark.parametrize(
    ("outcome", "name", "logit"), [("grade", "slope", 0.4), ("dose", "zero_slope", 0.05), ("dose", "zero_sex_m", -2.0)]
)
def test_a_shift_on_the_logit_reads_as_an_odds_ratio(outcome, name, logit):
    p = parameters(STUDY, outcome)[name]
    odds = [q / (1 - q) for q in special.expit([1.0, 1.0 + logit])]
    assert p.natural(logit) == pytest.approx(odds[1] / odds[0], rel=1e-12)


# --- priors


@pytest.mark.parametrize(
    ("outcome", "name", "oracle"),
    [
        ("power", "diagnosis_pm", stats.norm(0, 10)),
        ("power", "slope_sex_m", stats.norm(0, 10 / 24)),
        ("falls", "titre", stats.norm(0, np.log(2))),
        ("falls", "sd_half_time", stats.halfnorm(scale=0.5)),
        ("grade", "sd_intercept", stats.halfnorm(scale=2)),
        ("grade", "slope", stats.norm(0, 2 * 2 / np.sqrt(24))),
        # sex shifts the zero part, so that its level is that of one sex alone
        ("dose", "zero_intercept", stats.norm(special.logit(0.2), 2.5)),
        ("dose", "zero_sex_m", stats.norm(0, 2.5)),
        ("dose", "sd_zero_intercept", stats.halfnorm(scale=0.1 / (0.2 * 0.8))),
        ("dose", "zero_slope", stats.norm(0, 2 * 0.1 / (0.2 * 0.8) / 24)),
        # eight effects: Beta(eta + (8 - 2) / 2) on (-1, 1) for each correlation alone
        ("falls", "correlation_start_half_time", stats.beta(6, 6, loc=-1, scale=2)),
        ("correlations", "power_slope_falls_asymptote", stats.beta(6, 6, loc=-1, scale=2)),
        ("power", "correlation", stats.beta(6, 6, loc=-1, scale=2)),
        # the third of five sorted standard normals, four times as wide
        ("grade", "threshold_3", None),
    ],
)
def test_priors_are_these(outcome, name, oracle, rng):
    levels = [0.025, 0.2, 0.5, 0.8, 0.975]
    found = [inventory(STUDY)[outcome][name].prior.quantile(p) for p in levels]
    if oracle is None:
        drawn = np.sort(rng.normal(0, 4, (400_000, 5)), axis=-1)[:, 2]
        np.testing.assert_allclose(found, np.quantile(drawn, levels), atol=0.02)
    else:
        np.testing.assert_allclose(found, oracle.ppf(levels), atol=1e-6)


LOGITS = {
    "bernoulli": 'typical = 0.5\nscale = 0.1\nfamily = { kind = "bernoulli" }',
    "beta_binomial": 'typical = 40\nscale = 8\nfamily = { kind = "beta_binomial", trials = 80 }',
    "ordered_beta": 'typical = 2.5\nscale = 0.5\nfamily = { kind = "ordered_beta", lower = 0, upper = 5 }',
    "cumulative": 'scale = 0.4\nfamily = { kind = "cumulative", coding = "mrc" }',
    "probit": 'scale = 0.4\nfamily = { kind = "cumulative", coding = "mrc", link = "probit" }',
    "wide": 'typical = 0.5\nscale = 1\nfamily = { kind = "bernoulli" }',  # 4 logits between patients, and so between groups
    "gaussian": 'typical = 50\nscale = 0.4\nfamily = { kind = "gaussian" }',
    "lognormal": 'typical = 50\nscale = 1.5\nfamily = { kind = "lognormal" }',
}  # all but the last three with 0.4 between patients on the link
SDS = {"wide": (4.0, 4.0), "probit": (0.4, 1.5), "gaussian": (0.4, 0.4), "lognormal": (np.log(1.5), np.log(1.5))}


def of_groups(declared, trajectory='{ kind = "plateau" }', use='covariates = ["arm"]\nmoderators = ["arm"]'):
    return parameters(
        parse_study(
            '[study]\ntitle = "Groups"\npatient = "id"\ntime = { column = "month", unit = "month", typical = 12 }\n'
            '[covariates.arm]\nlevels = ["a", "b"]\n'
            f'[outcomes.y]\ncolumn = "y"\nunit = "u"\nbetter = "higher"\n{declared}\ntrajectory = {trajectory}\n{use}\n'
        ),
        "y",
    )


@pytest.mark.parametrize("family", LOGITS)
def test_no_link_of_probabilities_bounds_a_difference_by_the_spread(family):
    between_patients, between_groups = SDS.get(family, (0.4, 2.5))
    found = {name: p.prior for name, p in of_groups(LOGITS[family]).items() if p.role not in ("family", "threshold")}
    for shift in ("arm_b", "asymptote_arm_b"):
        assert found[shift].values == pytest.approx((0.0, between_groups))
    assert found["asymptote"].values[1] == pytest.approx(max(2 * between_patients, between_groups))
    assert found["sd_start"].values == pytest.approx((between_patients,))
    if "start" in found:
        assert found["start"].values[1] == pytest.approx(between_groups)


@pytest.mark.parametrize("family", LOGITS)
def test_a_difference_in_slope_is_as_wide_over_a_typical_follow_up(family):
    between_patients, between_groups = SDS.get(family, (0.4, 2.5))
    found = of_groups(LOGITS[family], '{ kind = "linear" }')
    assert found["slope_arm_b"].prior.values == pytest.approx((0.0, between_groups / 12))
    assert found["slope"].prior.values == pytest.approx((0.0, max(2 * between_patients, between_groups) / 12))


def test_covariates_that_shift_the_level_widen_an_asymptote_and_no_change():
    level = of_groups(LOGITS["bernoulli"], use='covariates = ["arm"]')
    assert level["asymptote"].prior.values == pytest.approx((0.0, 2.5))
    change = of_groups(LOGITS["bernoulli"], '{ kind = "linear" }', 'covariates = ["arm"]')
    assert change["slope"].prior.values == pytest.approx((0.0, 2 * 0.4 / 12))


@pytest.mark.parametrize("family", LOGITS)
def test_without_groups_priors_stand_on_the_spread_alone(family):
    between_patients = SDS.get(family, (0.4, 2.5))[0]
    found = of_groups(LOGITS[family], use="")
    assert found["asymptote"].prior.values[1] == pytest.approx(2 * between_patients)
    if "start" in found:
        assert found["start"].prior.values[1] == pytest.approx(between_patients)


def test_the_zero_part_of_a_hurdle_leaves_room_for_groups():
    zero = '[outcomes.y.zero]\ntypical = 0.5\nscale = 0.1\ntrajectory = { kind = "linear" }\n'
    dose = 'typical = 40\nscale = 2\nfamily = { kind = "hurdle_lognormal" }'
    use = 'covariates = ["arm"]\nmoderators = ["arm"]\n'
    found = {k: p.prior for k, p in of_groups(dose, use=use + zero + use).items()}
    assert found["zero_arm_b"].values == pytest.approx((0, 2.5))
    assert found["zero_slope_arm_b"].values == pytest.approx((0, 2.5 / 12))
    assert found["zero_intercept"].values == pytest.approx((0, 2.5))
    assert found["arm_b"].values == pytest.approx((0, np.log(2)))


def test_the_correlations_of_many_read_as_their_joint_prior():
    found = inventory(STUDY)
    assert str(found["falls"]["correlation_start_asymptote"].prior) == "lkj(3)"
    assert str(found["correlations"]["power_slope_falls_asymptote"].prior) == "lkj(3)"


# --- draws

DRAWN = draw_values(STUDY, np.random.default_rng(5), (4, 1000))
EACH = [(p.outcome, p.name) for p in all_parameters(STUDY)]


@pytest.mark.parametrize("size", [(), (3,), (2, 5)], ids=str)
def test_draws_have_the_shape_that_was_asked(size, rng):
    drawn = draw_values(STUDY, rng, size)
    assert {(outcome, name) for outcome, values in drawn.items() for name in values} == set(EACH)
    assert {np.shape(v) for values in drawn.values() for v in values.values()} == {size}


@pytest.mark.parametrize(("outcome", "name"), EACH, ids=[".".join(e) for e in EACH])
def test_draws_have_the_quantiles_of_the_prior(outcome, name):
    prior = inventory(STUDY)[outcome][name].prior
    levels = np.linspace(0.001, 0.999, 400)
    quantiles = [prior.quantile(p) for p in levels]
    values = DRAWN[outcome][name].ravel()
    inside = values[(values > quantiles[0]) & (values < quantiles[-1])]
    assert len(inside) > 0.99 * len(values)
    share = np.interp(inside, quantiles, levels)
    assert stats.kstest(share, stats.uniform(0.001, 0.998).cdf).pvalue > 1e-4


def matrix(drawn):
    """(4000, effect, effect) correlations of the eight effects, put together by their names."""
    every = [e for name in STUDY.outcomes for e in effects(STUDY, name)]
    built = np.broadcast_to(np.eye(8), (4, 1000, 8, 8)).copy()
    for i, a in enumerate(every):
        for j, b in enumerate(every[:i]):
            if a.outcome != b.outcome:
                r = drawn["correlations"][f"{b.outcome}_{b.key}_{a.outcome}_{a.key}"]
            elif a.outcome == "falls":
                r = drawn["falls"][f"correlation_{b.key}_{a.key}"]
            else:
                r = drawn[a.outcome]["correlation"]
            built[..., i, j] = built[..., j, i] = r
    return built.reshape(-1, 8, 8)


def test_correlations_are_drawn_together_and_so_are_possible():
    assert np.linalg.eigvalsh(matrix(DRAWN)).min() > 0


def test_they_are_lkj_together():
    """E[log det] under LKJ(3) of eight effects: the partials 1 - p^2 are independent, of Beta(a, a) on (-1, 1)."""
    a = np.array([3 + (8 - 2 - j) / 2 for i in range(8) for j in range(i)])
    # 1 - p^2 = 4 b (1 - b) with b ~ Beta(a, a)
    expected = (np.log(4) + 2 * (special.digamma(a) - special.digamma(2 * a))).sum()
    found = np.linalg.slogdet(matrix(DRAWN))[1]
    assert found.mean() == pytest.approx(expected, abs=4 * found.std() / np.sqrt(len(found)))


def test_thresholds_are_drawn_in_order():
    drawn = np.stack([DRAWN["grade"][f"threshold_{k}"] for k in range(1, 6)])
    assert np.all(np.diff(drawn, axis=0) > 0)


# --- default priors act over a typical follow-up, whatever the clock

CLOCKED = """
[study]
title = "T"
patient = "p"
time = {{ column = "t", unit = "month", typical = 36 }}

[covariates.group]
levels = ["A", "B"]

[outcomes.y]
column = "y"
unit = "u"
better = "higher"
typical = 100
scale = 3
family = {{ kind = "lognormal" }}
trajectory = {{ {} }}
effects = ["intercept", "{slope}"]
moderators = ["group"]
"""


@pytest.mark.parametrize(
    ("trajectory", "slope", "passed"),
    [
        ('kind = "linear"', "slope", 36),
        ('kind = "linear", transform = "sqrt"', "slope", 6),
        ('kind = "log"', "slope", np.log(37)),
        ('kind = "piecewise", knots = [3]', "slope_1", 3),
        ('kind = "piecewise", knots = [3]', "slope_2", 33),
    ],
)
def test_a_patients_change_over_a_typical_follow_up_is_one_declared_spread(trajectory, slope, passed):
    """The SD of a slope, and a moderator of it, times what passes on the slope's clock; the population's own is
    twice that.
    """
    found = parameters(parse_study(CLOCKED.format(trajectory, slope=slope)), "y")
    scale = {name: found[name].prior.values[-1] for name in (slope, f"sd_{slope}", f"{slope}_group_b")}
    assert scale[f"sd_{slope}"] * passed == pytest.approx(np.log(3))
    assert scale[f"{slope}_group_b"] * passed == pytest.approx(np.log(3))
    assert scale[slope] * passed == pytest.approx(2 * np.log(3))
