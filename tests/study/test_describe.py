"""A study in words, in formula and in R; priors in clinical units."""

import numpy as np
import pytest
from scipy import stats

from bayesmyo.study import describe, find_study, parse_study
from bayesmyo.study.describe import formula, number, priors, words
from bayesmyo.study.describe_events import event_formula, event_words
from tests.conftest import SMALL


def with_line(line, after='trajectory = { kind = "linear" }'):
    assert after in SMALL
    return parse_study(SMALL.split("[scenarios")[0].replace(after, f"{after}\n{line}"))


def test_a_linear_gaussian_outcome_in_words(small):
    assert words(small, "strength") == (
        "Strength (points, gaussian, higher is better) changes by the same amount in every unit of time; "
        "before month 0 it stands at its level there. Patients differ in their intercept and slope (correlated)."
    )


@pytest.mark.parametrize(
    ("trajectory", "said", "written"),
    [
        ('kind = "linear", before = "trend"', "; the same curve runs on before month 0.", "intercept + slope * t"),
        (
            'kind = "linear", origin = -6',
            "; time runs from month -6; before month -6 it stands at its level there.",
            "intercept + slope * (max(t, -6) + 6)",
        ),
        (
            'kind = "piecewise", origin = -12, knots = [0]',
            "; time runs from month -12; before month -12 it stands at its level there.",
            "intercept + slope_1 * (max(t, -12) + 12) + (slope_2 - slope_1) * max(0, t - 0)",
        ),
        (
            'kind = "spline", knots = [0, 3, 9]',
            ", straight beyond; before month 0 it stands at its level there.",
            "start + change_2 * B_2(max(t, 0)) + change_3 * B_3(max(t, 0))",
        ),
        ('kind = "constant"', "stays level.", "intercept"),
        ('kind = "log", origin = 2', "1 + time; time runs from month 2.",
         "intercept + slope * log(1 + max(0, (t - 2)))"),
    ],
)  # fmt: skip
def test_what_an_outcome_does_before_treatment_in_words_and_in_formula(trajectory, said, written):
    study = parse_study(SMALL.split("[scenarios")[0].replace('kind = "linear"', trajectory))
    assert said in words(study, "strength")
    assert formula(study, "strength")[1] == f"eta[i, t] = {written}"


def test_a_lognormal_plateau_in_words(small):
    assert words(small, "cpk") == (
        "CPK (IU/L, lognormal, lower is better) moves from a start towards a plateau, half of the remaining way in "
        "each "
        "half-time on the log scale. Patients differ in their start and asymptote (correlated)."
    )


def test_words_say_that_limits_are_limits_and_that_patients_share_a_curve():
    study = with_line('censoring = "as typed"\neffects = []')
    assert "All patients share one curve." in words(study, "strength")
    assert "<20, >2000 and 20..50 count as known only to lie beyond or between limits" in words(study, "strength")


def test_words_say_that_moderators_alone_leave_baselines_equal():
    arm = '\n[covariates.arm]\nlevels = ["A", "B"]\n[covariates.sex]\nlevels = ["F", "M"]\n'
    line = 'trajectory = { kind = "linear" }'
    text = SMALL.split("[scenarios")[0] + arm
    alone = parse_study(text.replace(line, f'{line}\nmoderators = ["arm"]'))
    assert "Arm moderates the change. Arm does not shift the level: baselines are taken as equal." in words(
        alone, "strength"
    )
    both = parse_study(text.replace(line, f'{line}\ncovariates = ["arm"]\nmoderators = ["arm"]'))
    assert "Arm moderates the change." in words(both, "strength")
    assert "baselines" not in words(both, "strength")


def test_a_linear_gaussian_outcome_in_formula(small):
    assert formula(small, "strength") == [
        "strength[i, t] ~ Normal(eta[i, t], sigma)",
        "eta[i, t] = intercept + slope * max(t, 0)",
        "intercept[i] = intercept + b_intercept[i]",
        "slope[i] = slope + b_slope[i]",
        "(b_intercept, b_slope)[i] ~ MvNormal(0, SDs and correlation)",
    ]


def test_a_lognormal_plateau_in_formula(small):
    assert formula(small, "cpk")[:2] == [
        "log cpk[i, t] ~ Normal(eta[i, t], sigma)",
        "eta[i, t] = asymptote + (start - asymptote) * 2^(-max(0, t) / half_time)",
    ]


def test_uncorrelated_effects_in_formula():
    study = parse_study(
        SMALL.replace('patient = "patient"', 'patient = "patient"\ncorrelate = "none"')
        .replace("correlation = -0.4, ", "")
        .replace("correlation = 0.3\n", "")
    )
    assert formula(study, "cpk")[-2:] == [
        "b_start[i] ~ Normal(0, sd_start)",
        "b_asymptote[i] ~ Normal(0, sd_asymptote)",
    ]
    assert words(study, "strength").endswith("Patients differ in their intercept and slope.")


def test_an_estimand_says_that_the_level_before_the_start_is_that_at_the_start():
    asked = '[estimands.gain]\nkind = "change"\noutcome = "strength"\nfrom = -6\nto = 12\n'
    study = parse_study(SMALL.split("[scenarios")[0] + asked)
    assert "from month -6 to 12 (at month -6 the level is that at the start)" in number(study, study.estimands["gain"])
    runs_on = parse_study(SMALL.split("[scenarios")[0].replace('"linear"', '"linear", before = "trend"') + asked)
    assert number(runs_on, runs_on.estimands["gain"]).endswith("from month -6 to 12")


# --- priors, by hand: the declared typical is 1200 IU/L with ratio 2.5, 50 points with SD 10, follow-up 24 months

RATIO = np.log(2.5)
BY_HAND = {
    ("strength", "intercept"): (stats.norm(50, 10), "points"),
    ("strength", "slope"): (stats.norm(0, 2 * 10 / 24), "points per month"),
    ("strength", "sd_intercept"): (stats.halfnorm(scale=10), "points"),
    ("strength", "sd_slope"): (stats.halfnorm(scale=10 / 24), "points per month"),
    ("strength", "correlation"): (stats.beta(2, 2, loc=-1, scale=2), ""),
    ("strength", "sigma"): (stats.halfnorm(scale=5), "points"),
    ("cpk", "start"): (stats.lognorm(RATIO, scale=1200), "IU/L"),
    ("cpk", "asymptote"): (stats.lognorm(2 * RATIO, scale=1200), "IU/L"),
    ("cpk", "half_time"): (stats.lognorm(0.5, scale=3), "month"),
    ("cpk", "correlation"): (stats.beta(2, 2, loc=-1, scale=2), ""),
}
RATIOS = {"sd_start": RATIO, "sd_asymptote": RATIO, "sigma": RATIO / 2}


def test_priors_in_clinical_units(small):
    lines = {(p.outcome, p.parameter): p for p in priors(small)}
    for at, (oracle, unit) in BY_HAND.items():
        found = lines[at]
        np.testing.assert_allclose((found.lower, found.median, found.upper), oracle.ppf([0.025, 0.5, 0.975]), atol=1e-5)
        assert found.natural_unit == unit


def test_sds_of_a_log_outcome_read_as_ratios(small):
    lines = {p.parameter: p for p in priors(small) if p.outcome == "cpk"}
    for name, scale in RATIOS.items():
        found, oracle = lines[name], stats.halfnorm(scale=scale)
        np.testing.assert_allclose(
            (found.lower, found.median, found.upper), np.exp(oracle.ppf([0.025, 0.5, 0.975])), rtol=1e-6
        )
        assert found.natural_unit == "ratio"


def test_every_parameter_has_its_line(small):
    assert {(p.outcome, p.parameter) for p in priors(small)} == set(BY_HAND) | {("cpk", n) for n in RATIOS}


def test_the_cpk_start_in_numbers(small):
    start = next(p for p in priors(small) if p.parameter == "start")
    assert (round(start.median), round(start.lower), round(start.upper)) == (1200, 199, 7230)


def test_the_interval_is_the_studys():
    study = parse_study(SMALL.replace('patient = "patient"', 'patient = "patient"\ninterval = 0.5'))
    start = next(p for p in priors(study) if p.parameter == "start")
    np.testing.assert_allclose((start.lower, start.upper), stats.lognorm(RATIO, scale=1200).ppf([0.25, 0.75]))


def test_a_stated_prior_is_marked():
    lines = priors(with_line('priors = { sigma = "halfnormal(3)" }'))
    assert [(p.outcome, p.parameter, p.prior) for p in lines if p.stated] == [("strength", "sigma", "halfnormal(3)")]


def test_covariates_say_what_their_coefficients_are_per():
    text = SMALL + (
        '[covariates.diagnosis]\nlevels = ["DM", "PM"]\n[covariates.age]\ncolumn = "age0"\nunit = "years"\ntypical = '
        "52\nscale = 14\n"
        'missing = "imputed"\n[covariates.titre]\ntypical = 100\nscale = 2\ntransform = "log"\nvaries = "visits"\n'
        '[covariates.both]\nproduct = ["diagnosis", "age"]\n'
    )
    assert describe.covariates(parse_study(text)) == [
        "diagnosis (column diagnosis, of patients): DM (reference), PM",
        "age (column age0, of patients): coefficients are per 14 years, from 52 years; missing values are imputed",
        "titre (column titre, of visits): coefficients are per a factor of 2, from 100",
        "both: the product of diagnosis and age",
    ]


def test_grades_are_listed_with_their_numbers_and_what_is_merged():
    family = 'family = { kind = "cumulative", coding = "mrc_plus", merge = [["0", "1", "2"]] }'
    text = SMALL.replace(
        'typical = 50\nscale = 10\nminimum = 0\nmaximum = 100\nfamily = { kind = "gaussian" }', f"scale = 2\n{family}"
    )
    text = text[: text.index("[scenarios")]
    found = describe.words(parse_study(text), "strength")
    assert "0 + 1 + 2 (1), 3 (3), 4- (3.67), 4 (4), 4+ (4.33), 5 (5); threshold_1 is between the first two" in found


def test_the_pieces_of_a_hazard_stand_in_brackets_where_something_multiplies_them():
    """Without brackets the factor would be read as that of the last piece alone."""
    study = find_study("safety-events")
    assert event_formula(study, "headache")[0] == (
        "h[i, t] = (exp(hazard_1) for 0 < t <= 6; exp(hazard_2) after 6)"
        " * exp(migraine_yes * migraine_yes[i] + b_frailty[i]), t the time"
    )
    assert event_formula(study, "lost")[0] == "h[i, t] = exp(hazard), t the time"
    assert "for the reason lost" in event_words(study, "lost")


def test_what_shifts_a_hazard_is_a_hazard_ratio():
    (line,) = [
        p for p in priors(find_study("safety-events")) if (p.outcome, p.parameter) == ("headache", "migraine_yes")
    ]
    assert line.natural_unit == "hazard ratio"
