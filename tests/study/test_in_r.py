"""A study in R: read by hand, and every term computed as R would, against the formula of the components."""

import numpy as np
import pytest

from bayesmyo.components.in_r import names, number, text
from bayesmyo.study import parse_study
from bayesmyo.study.covariates import coded
from bayesmyo.study.in_r import NONE, brms, likelihood, table
from bayesmyo.study.in_r.terms import Terms, terms
from bayesmyo.study.predictors import predictors
from tests.conftest import SMALL

PLAIN = SMALL.split("[scenarios")[0].split("[estimands")[0]
LINE = 'trajectory = { kind = "linear" }'
COUNTS = """
[study]
title = "Counts"
patient = "id"
time = { column = "week", unit = "week", typical = 24 }

[outcomes.y]
column = "y"
unit = "1"
better = "lower"
typical = 0.4
scale = 2
family = { kind = "poisson" }
trajectory = { kind = "linear" }
effects = ["intercept"]
"""
COVARIATES = """
[covariates.age]
typical = 52
scale = 14
[covariates.base]
typical = 4
scale = 2
transform = "log"
[covariates.joints]
typical = 9
scale = 1.5
transform = "sqrt"
[covariates.arm]
levels = ["placebo", "active"]
[covariates.sex]
levels = ["female", "male"]
[covariates.stage]
levels = ["1", "2", "10"]
[covariates.arm_age]
product = ["arm", "age"]
"""


def with_line(line, after=LINE, text=PLAIN):
    assert after in text
    return parse_study(text.replace(after, f"{after}\n{line}"))


def with_trajectory(trajectory, more=""):
    return parse_study(PLAIN.replace(LINE, f"trajectory = {trajectory}\n{more}"))


def counts(family, more="", text=COUNTS):
    typical = "0.4" if family["kind"] == "bernoulli" else "2"
    scale = "0.1" if family["kind"] == "bernoulli" else "2"
    pairs = ", ".join(f'{k} = "{v}"' if isinstance(v, str) else f"{k} = {str(v).lower()}" for k, v in family.items())
    text = text.replace('{ kind = "poisson" }', f"{{ {pairs} }}").replace("0.4", typical)
    return parse_study(text.replace("scale = 2", f"scale = {scale}") + more)


def test_lme4_and_brms_of_a_linear_gaussian_outcome(small):
    assert likelihood(small, "strength") == "lme4::lmer(strength ~ 1 + month + (1 + month | patient), data = d)"
    assert brms(small, "strength") == "bf(strength ~ 1 + month + (1 + month | patient), family = gaussian())"


def test_nlme_and_brms_of_a_lognormal_plateau(small):
    curve = "start + (asymptote - start) * (1 - 2^(-month / half_time))"
    assert likelihood(small, "cpk") == (
        f"nlme::nlme(log(cpk) ~ {curve}, data = d, fixed = start + asymptote + half_time ~ 1, "
        "random = start + asymptote ~ 1 | patient, start = c(start = 7.09, asymptote = 6.17, half_time = 3), "
        "na.action = na.omit)"
    )  # log 1200, and less by log 2.5
    assert brms(small, "cpk") == (  # no underscore in a parameter's name
        f"bf(cpk ~ {
            curve.replace('half_time', 'halftime')
        }, start ~ 1 + (1 |p| patient), asymptote ~ 1 + (1 |p| patient), halftime ~ 1, nl = TRUE, "
        "family = lognormal())"
    )


def test_r_moves_time_to_the_origin():
    study = parse_study(SMALL.replace('kind = "linear"', 'kind = "linear", origin = 6'))
    assert (
        likelihood(study, "strength")
        == "lme4::lmer(strength ~ 1 + I(month - 6) + (1 + I(month - 6) | patient), data = d)"
    )


@pytest.mark.parametrize(
    ("effects", "call"),
    [
        ('["intercept"]', "lme4::lmer(strength ~ 1 + month + (1 | patient), data = d)"),
        ('["slope"]', "lme4::lmer(strength ~ 1 + month + (0 + month | patient), data = d)"),
        ("[]", "stats::lm(strength ~ 1 + month, data = d)"),
    ],
)
def test_lme4_varies_only_the_effects(effects, call):
    text = SMALL.replace('{ kind = "linear" }', f'{{ kind = "linear" }}\neffects = {effects}')
    assert likelihood(parse_study(text.split("[scenarios")[0]), "strength") == call


def test_lme4_says_when_there_is_no_equivalent():
    assert likelihood(with_line('censoring = "as typed"'), "strength") == f"{NONE} (censored cells)"
    known = with_line('priors = { sigma = "constant(4)" }')
    assert likelihood(known, "strength") == f"{NONE} (sigma: known, not estimated)"
    left = "strength_value | cens(strength_censored, strength_upper) ~"
    assert left in brms(with_line('censoring = "as typed"'), "strength")
    assert "strength | cens(strength_censored) ~" in brms(with_line("censoring = { above = 90 }"), "strength")


# --- families that glmer knows


@pytest.mark.parametrize(
    ("family", "in_lme4", "in_brms"),
    [
        ({"kind": "poisson"}, "lme4::glmer(y ~ 1 + week + (1 | id), data = d, family = poisson)", "poisson()"),
        ({"kind": "bernoulli"}, "lme4::glmer(y ~ 1 + week + (1 | id), data = d, family = binomial)", "bernoulli()"),
        (
            {"kind": "gamma"},
            'glmmTMB::glmmTMB(y ~ 1 + week + (1 | id), data = d, family = Gamma(link = "log"))',
            'Gamma("log")',
        ),
        (
            {"kind": "negative_binomial"},
            "glmmTMB::glmmTMB(y ~ 1 + week + (1 | id), data = d, family = glmmTMB::nbinom2)",
            "negbinomial()",
        ),
        (
            {"kind": "student_t"},
            "glmmTMB::glmmTMB(y ~ 1 + week + (1 | id), data = d, family = glmmTMB::t_family)",
            "student()",
        ),
    ],
)
def test_families(family, in_lme4, in_brms):
    study = counts(family)
    assert likelihood(study, "y") == in_lme4
    assert brms(study, "y") == f"bf(y ~ 1 + week + (1 | id), family = {in_brms})"


def test_counts_without_effects_with_exposure_and_with_an_effect_of_each_row():
    text = COUNTS.replace('["intercept"]', "[]")
    assert (
        likelihood(counts({"kind": "poisson"}, text=text), "y")
        == "stats::glm(y ~ 1 + week, data = d, family = poisson)"
    )
    assert likelihood(counts({"kind": "negative_binomial"}, text=text), "y") == (
        "glmmTMB::glmmTMB(y ~ 1 + week, data = d, family = glmmTMB::nbinom2)"
    )
    study = counts({"kind": "poisson", "observation_effect": True}, text=text.replace("[]", '[]\nexposure = "days"'))
    right = "1 + week + (1 | observation) + offset(log(days))"
    assert likelihood(study, "y") == f"lme4::glmer(y ~ {right}, data = d, family = poisson)"
    assert brms(study, "y") == f"bf(y ~ {right}, family = poisson())"
    assert table(study)[1:] == ["d$observation <- factor(seq_len(nrow(d)))"]


def test_a_plateau_of_counts_is_brms_alone():
    text = COUNTS.replace("linear", "plateau").replace('["intercept"]', '["start"]').replace('= "id"', '= "id"\n')
    study = counts({"kind": "poisson"}, text=text.replace("effects =", 'exposure = "days"\neffects ='))
    assert likelihood(study, "y") == f"{NONE} (trajectory plateau with family poisson)"
    assert brms(study, "y") == (
        "bf(y ~ start + (asymptote - start) * (1 - 2^(-week / halftime)) + log(days), start ~ 1 + (1 | id), "
        "asymptote ~ 1, halftime ~ 1, nl = TRUE, family = poisson())"
    )


# --- effects


def test_uncorrelated_effects():
    study = parse_study(PLAIN.replace('patient = "patient"', 'patient = "patient"\ncorrelate = "none"'))
    assert likelihood(study, "strength") == (
        "lme4::lmer(strength ~ 1 + month + (1 | patient) + (0 + month | patient), data = d)"
    )
    assert brms(study, "strength").startswith("bf(strength ~ 1 + month + (1 + month || patient)")
    assert "start ~ 1 + (1 | patient), asymptote ~ 1 + (1 | patient)" in brms(study, "cpk")
    assert "random = nlme::pdDiag(start + asymptote ~ 1), groups = ~ patient, start" in likelihood(study, "cpk")


def test_effects_across_outcomes_share_an_id_and_lme4_fits_each_alone():
    study = parse_study(PLAIN.replace('patient = "patient"', 'patient = "patient"\ncorrelate = "across outcomes"'))
    together = "  # with those of the other outcomes, + set_rescor(FALSE), in one brm()"
    assert (
        brms(study, "strength") == f"bf(strength ~ 1 + month + (1 + month |p| patient), family = gaussian()){together}"
    )
    assert brms(study, "cpk").endswith(together)
    assert likelihood(study, "strength") == (
        "lme4::lmer(strength ~ 1 + month + (1 + month | patient), data = d)  # this outcome alone"
    )
    assert likelihood(study, "cpk").endswith("na.action = na.omit)  # this outcome alone")


@pytest.mark.parametrize(("correlate", "bars"), [("true", ("|p|", "|p|")), ("false", ("|", "|"))])
def test_the_zero_part_of_a_hurdle(correlate, bars):
    zero = f'zero = {{ typical = 0.2, scale = 0.1, correlate = {correlate}, trajectory = {{ kind = "log" }}, effects = ["intercept"] }}'
    study = with_line(
        f"{zero}", text=PLAIN.replace('"gaussian"', '"hurdle_lognormal"').replace("scale = 10", "scale = 2")
    )
    mean, none = bars
    assert likelihood(study, "strength") == (
        f"{NONE} (the effects of its parts are correlated)"
        if correlate == "true"
        else "lme4::lmer(log(strength) ~ 1 + month + (1 + month | patient), data = d, subset = strength > 0); "
        "lme4::glmer(strength == 0 ~ 1 + log1p(month) + (1 | patient), data = d, family = binomial)"
    )
    assert brms(study, "strength") == (
        f"bf(strength ~ 1 + month + (1 + month {mean} patient), hu ~ 1 + log1p(month) + (1 {none} patient), "
        "family = hurdle_lognormal())"
    )


def test_a_half_time_in_which_patients_differ_does_so_by_factors():
    study = with_line('effects = ["start", "half_time"]', 'trajectory = { kind = "plateau" }')
    line = likelihood(study, "cpk")
    assert "2^(-month / exp(log_half_time))), data = d, fixed = start + asymptote + log_half_time ~ 1" in line
    assert (
        "random = start + log_half_time ~ 1 | patient, start = c(start = 7.09, asymptote = 6.17, log_half_time = 1.1)"
        in line
    )
    assert "2^(-month / exp(loghalf)))" in brms(study, "cpk")
    assert "loghalf ~ 1 + (1 |p| patient), nl = TRUE" in brms(study, "cpk")


def test_a_plateau_without_effects_is_nls():
    study = with_line("effects = []", 'trajectory = { kind = "plateau" }')
    assert likelihood(study, "cpk") == (
        "stats::nls(log(cpk) ~ start + (asymptote - start) * (1 - 2^(-month / half_time)), data = d, "
        "start = c(start = 7.09, asymptote = 6.17, half_time = 3))"
    )


# --- terms, computed

R = {
    "I": lambda x: x,
    "log": np.log,
    "log1p": np.log1p,
    "sqrt": np.sqrt,
    "pmax": np.maximum,
    "pmin": np.minimum,
}


def computed(term, **columns):
    """A term of R, whose arithmetic and names are Python's too."""
    return eval(term, {"__builtins__": {}}, {**R, **columns})


@pytest.mark.parametrize(
    ("trajectory", "terms"),
    [
        ('{ kind = "log" }', ["log1p(pmax(month, 0))"]),
        ('{ kind = "log", origin = 2 }', ["log1p(pmax(month - 2, 0))"]),
        ('{ kind = "linear", origin = -3 }', ["I(month + 3)"]),
        ('{ kind = "linear", transform = "sqrt", origin = 1 }', ["sqrt(pmax(month - 1, 0))"]),
        ('{ kind = "piecewise", knots = [12] }', ["pmin(month, 12)", "pmax(month - 12, 0)"]),
        (
            '{ kind = "piecewise", knots = [4, 12], origin = 2 }',
            ["I(pmin(month, 4) - 2)", "pmax(pmin(month, 12) - 4, 0)", "pmax(month - 12, 0)"],
        ),
    ],
)
def test_each_coefficient_multiplies_its_term(trajectory, terms):
    study = with_trajectory(trajectory)
    [p] = predictors(study, "strength")
    clocks = Terms(study, p, -5).clocks
    assert [*clocks.values()] == ["1", *terms]
    months, rng = np.linspace(max(-5, p.trajectory.start), 40, 91), np.random.default_rng(4)
    values = {c: rng.normal() for c in clocks}
    by_r = sum(values[c] * computed(term, month=months) for c, term in clocks.items())
    np.testing.assert_allclose(by_r, p.trajectory.curve(months, values, np), atol=1e-12)
    assert likelihood(study, "strength", -5).startswith(f"lme4::lmer(strength ~ {' + '.join(['1', *terms])} + (1 ")


@pytest.mark.parametrize(
    ("trajectory", "term"),
    [
        ('{ kind = "log" }', "log1p(month)"),
        ('{ kind = "log", origin = -5 }', "log1p(month + 5)"),
        ('{ kind = "linear", transform = "sqrt" }', "sqrt(month)"),
    ],
)
def test_nothing_is_held_where_no_visit_comes_before_the_start(trajectory, term):
    study = with_trajectory(trajectory)
    assert f"~ 1 + {term} + (1 " in likelihood(study, "strength")
    assert f"~ 1 + {term} + (1 " in brms(study, "strength")


def test_a_plateau_stands_still_before_its_start():
    study = with_trajectory('{ kind = "plateau", origin = 2 }')
    assert "(1 - 2^(-pmax(month - 2, 0) / half_time))" in likelihood(study, "strength")
    assert "(1 - 2^(-fmax(month - 2, 0) / halftime))" in brms(study, "strength")
    assert "(1 - 2^(-(month - 2) / half_time))" in likelihood(study, "strength", first=2)


def test_what_is_known_is_told_to_brms_by_a_prior():
    study = with_line('priors = { sigma = "constant(2.5)", slope = "normal(0, 1) T[0, ]" }')
    assert brms(study, "strength").endswith(
        ", family = gaussian())  # known, by priors of one value: sigma = constant(2.5)"
    )


def test_a_spline_is_the_same_curves_by_other_coefficients():
    study = with_trajectory('{ kind = "spline", knots = [0, 3, 6, 12] }')
    assert likelihood(study, "strength") == (
        "lme4::lmer(strength ~ 1 + splines::ns(month, knots = c(3, 6), Boundary.knots = c(0, 12)) + (1 | patient), "
        "data = d)"
        "  # the same curves by other coefficients"
    )
    penalised = with_trajectory('{ kind = "spline", knots = [0, 3, 6, 12], penalised = true }')
    assert likelihood(penalised, "strength") == f"{NONE} (trajectory spline)"
    apart = with_trajectory('{ kind = "spline", knots = [0, 3, 6] }', 'effects = ["start", "change_2"]')
    assert likelihood(apart, "strength") == f"{NONE} (patients differ in change_2, which is no term of R)"


def test_patients_differ_in_the_pieces_that_are_named():
    study = with_trajectory('{ kind = "piecewise", knots = [12] }', 'effects = ["intercept", "slope_2"]')
    assert likelihood(study, "strength") == (
        "lme4::lmer(strength ~ 1 + pmin(month, 12) + pmax(month - 12, 0) + (1 + pmax(month - 12, 0) | patient), data "
        "= d)"
    )


@pytest.mark.parametrize(
    ("covariate", "term"),
    [("age", "I((age - 52)/14)"), ("base", "I(log(base/4)/log(2))"), ("joints", "I((sqrt(joints) - sqrt(9))/1.5)")],
)
def test_a_covariate_is_from_typical_and_per_scale(covariate, term):
    study = with_line(f'covariates = ["{covariate}"]', text=PLAIN + COVARIATES)
    assert terms(study, "strength", 0.0)[0].covariate(covariate) == term
    values = np.array([0.5, 4.0, 9.0, 60.0])
    np.testing.assert_allclose(computed(term, **{covariate: values}), coded(study, covariate, values)[covariate])


def test_a_factor_has_our_reference():
    study = with_line('covariates = ["arm", "stage"]', text=PLAIN + COVARIATES)
    assert likelihood(study, "strength").startswith("lme4::lmer(strength ~ 1 + month + arm + stage + (1 ")
    assert table(study) == [
        'd <- read.csv("CLEAN.csv", na.strings = "", colClasses = c(arm = "character", stage = "character"))',
        'd$arm <- factor(d$arm, levels = c("placebo", "active"))',
        'd$stage <- factor(d$stage, levels = c("1", "2", "10"))',
    ]


def test_covariates_and_moderators():
    study = parse_study(
        PLAIN.replace(LINE, f'{LINE}\ncovariates = ["age", "sex"]\nmoderators = ["sex", "age"]') + COVARIATES
    )
    assert likelihood(study, "strength") == (
        "lme4::lmer(strength ~ 1 + month + I((age - 52)/14) + sex + sex:month + I((age - 52)/14):month + (1 + month | "
        "patient), "
        "data = d)"
    )


def test_a_product_needs_its_parts_to_be_what_it_is_in_r():
    whole = with_line('covariates = ["arm", "age", "arm_age"]', text=PLAIN + COVARIATES)
    assert "arm:I((age - 52)/14)" in likelihood(whole, "strength")
    lacking = with_line('covariates = ["arm", "arm_age"]', text=PLAIN + COVARIATES)  # R would give both arms an age
    assert likelihood(lacking, "strength") == f"{NONE} (a product without its parts)"
    assert brms(lacking, "strength") == "no short equivalent in brms (a product without its parts)"


@pytest.mark.parametrize(
    ("column", "called"),
    [
        ("cpk", "cpk"),
        ("visit.week", "visit.week"),
        ("CK (IU/L)", "CK_IU_L"),
        ("_id", "id"),
        ("2nd", "x_2nd"),
        ("if", "x_if"),
        ("start", "x_start"),
        ("größe", "gr_e"),
        ("a`b", "a_b"),
        ("%", "x"),
        ("cpk__2", "cpk_2"),
        ("cpk_", "cpk2"),
    ],
)
def test_r_calls_a_column_by_a_name_that_needs_no_quotes(column, called):
    assert names([*{"id2": 0, "cpk": 0, column: 0}])[column] == called


def test_two_columns_never_have_one_name():
    assert names(["a b", "a/b", "a_b", "a_b2"]) == {"a b": "a_b3", "a/b": "a_b4", "a_b": "a_b", "a_b2": "a_b2"}


def test_columns_are_renamed_where_they_are_read():
    text = PLAIN.replace('column = "strength"', 'column = "grip (kg)"').replace(
        'patient = "patient"', 'patient = "study id"'
    )
    study = parse_study(text.replace('column = "month"', 'column = "month no."'))
    assert likelihood(study, "strength") == ("lme4::lmer(grip_kg ~ 1 + month_no + (1 + month_no | study_id), data = d)")
    assert table(study) == [
        'd <- read.csv("CLEAN.csv", na.strings = "", col.names = c("study_id", "month_no", "grip_kg", "cpk"))'
    ]


# --- families of scores and grades

SCORE = COUNTS.replace("typical = 0.4\n", "typical = 2\n")


@pytest.mark.parametrize(
    ("family", "call"),
    [
        (
            'kind = "beta_binomial", trials = 30',
            "glmmTMB::glmmTMB(cbind(y, 30 - y) ~ 1 + week + (1 | id), data = d, family = glmmTMB::betabinomial)",
        ),
        (
            'kind = "ordered_beta", lower = 0, upper = 5',
            "glmmTMB::glmmTMB(y/5 ~ 1 + week + (1 | id), data = d, family = glmmTMB::ordbeta, start = list(psi = "
            "c(-3, 3)))",
        ),
        (
            'kind = "ordered_beta", lower = 1, upper = 5',
            "glmmTMB::glmmTMB((y - 1)/4 ~ 1 + week + (1 | id), data = d, family = glmmTMB::ordbeta, start = list(psi "
            "= c(-3, 3)))",
        ),
    ],
)
def test_scores(family, call):
    assert likelihood(parse_study(SCORE.replace('kind = "poisson"', family)), "y") == call


def test_grades_are_ordered_and_levels_that_are_merged_are_one():
    grades = 'kind = "cumulative", coding = "mrc_plus", merge = [["0", "1"], ["4-", "4"]], link = "probit"'
    study = parse_study(COUNTS.replace('kind = "poisson"', grades).replace("typical = 0.4\n", ""))
    assert likelihood(study, "y") == 'ordinal::clmm(y ~ week + (1 | id), data = d, link = "probit")'
    assert table(study) == [
        'd <- read.csv("CLEAN.csv", na.strings = "", colClasses = c(y = "character"))',
        'd$y <- factor(d$y, levels = c("0", "2", "3", "4-", "4+", "5"), ordered = TRUE)',
    ]


def test_points_are_out_of_a_highest_score_in_brms_too():
    study = parse_study(SCORE.replace('kind = "poisson"', 'kind = "beta_binomial", trials = 30'))
    assert brms(study, "y") == "bf(y | trials(30) ~ 1 + week + (1 | id), family = beta_binomial())"


# --- the table


def test_levels_are_quoted_and_no_formula_of_a_spreadsheet():
    declared = """
[covariates.arm]
levels = ['the "new"', 'a\\b', '=1+1']
"""
    study = with_line('covariates = ["arm"]', text=PLAIN + declared)
    assert table(study)[1] == r"""d$arm <- factor(d$arm, levels = c("the \"new\"", "a\\b", "'=1+1"))"""


def test_what_is_imputed_is_left_out_in_r():
    imputed = PLAIN + COVARIATES.replace("scale = 14", 'scale = 14\nmissing = "imputed"')
    study = with_line('covariates = ["age"]', text=imputed)
    assert likelihood(study, "strength").endswith("  # without rows that lack age")


def test_columns_beside_those_of_the_study_have_names_of_their_own():
    text = PLAIN.replace('column = "cpk"', 'column = "strength_value"')
    study = with_line('censoring = "as typed"', text=text)
    assert "strength_value2 | cens(strength_censored, strength_upper)" in brms(study, "strength")


def test_numbers_are_written_as_they_are():
    assert [number(x) for x in (12.0, 0.1, 1 / 3, 1234567.0)] == ["12", "0.1", "0.3333333333333333", "1234567.0"]


def test_texts_are_quoted():
    assert text('a "b" \\ c\n') == '"a \\"b\\" \\\\ c\\n"'


@pytest.mark.parametrize(("kind", "brms_can"), [("gaussian", True), ("lognormal", False)])
def test_residuals_of_two_outcomes(kind, brms_can):
    """brms correlates residuals of all outcomes that are normal as measured, and of rows that are whole; nothing
    else does.
    """
    head, outcome = COUNTS.split("[outcomes.y]")
    second = outcome.replace('column = "y"', 'column = "z"').replace('"poisson"', f'"{kind}"')
    first = outcome.replace('"poisson"', '"gaussian"')
    head = head.replace('patient = "id"', 'patient = "id"\ncorrelate_residuals = ["y", "z"]')
    study = parse_study(f"{head}[outcomes.y]{first}[outcomes.z]{second}")
    assert likelihood(study, "y") == f"{NONE} (residuals that are correlated with those of another outcome)"
    if brms_can:
        assert brms(study, "y").endswith(
            "with those of the other outcomes, + set_rescor(TRUE), in one brm(); without rows in which one of them is "
            "missing"
        )
    else:
        assert brms(study, "y").startswith("no short equivalent in brms (residuals")
