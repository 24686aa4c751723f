"""A study in R: read by hand, and every term computed as R would, against the formula of the components."""

import re

import numpy as np
import pytest

from bayesmyo.study import parse_study
from bayesmyo.study.covariates import coded
from bayesmyo.study.in_r import _clocks, _covariate, brms, lme4, name
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
    assert lme4(small, "strength") == "lmer(strength ~ 1 + month + (1 + month | patient))"
    assert brms(small, "strength") == "bf(strength ~ 1 + month + (1 + month | patient), family = gaussian())"


def test_nlme_and_brms_of_a_lognormal_plateau(small):
    curve = "log(cpk) ~ start + (asymptote - start) * (1 - 2^(-month / half_time))"
    assert lme4(small, "cpk") == (
        f"nlme::nlme({curve}, fixed = start + asymptote + half_time ~ 1, random = start + asymptote ~ 1 | patient)"
    )
    assert brms(small, "cpk") == (  # no underscore in a parameter's name
        f"bf({curve.replace('half_time', 'halftime')}, start ~ 1 + (1 |p| patient), asymptote ~ 1 + (1 |p| patient), halftime ~ 1, nl = TRUE, "
        "family = gaussian())"
    )


def test_r_moves_time_to_the_origin():
    study = parse_study(SMALL.replace('kind = "linear"', 'kind = "linear", origin = 6'))
    assert lme4(study, "strength") == "lmer(strength ~ 1 + I(month - 6) + (1 + I(month - 6) | patient))"


@pytest.mark.parametrize(
    ("effects", "call"),
    [
        ('["intercept"]', "lmer(strength ~ 1 + month + (1 | patient))"),
        ('["slope"]', "lmer(strength ~ 1 + month + (0 + month | patient))"),
        ("[]", "lm(strength ~ 1 + month)"),
    ],
)
def test_lme4_varies_only_the_effects(effects, call):
    text = SMALL.replace('{ kind = "linear" }', f'{{ kind = "linear" }}\neffects = {effects}')
    assert lme4(parse_study(text.split("[scenarios")[0]), "strength") == call


def test_lme4_says_when_there_is_no_equivalent():
    assert lme4(with_line('censoring = "as typed"'), "strength") == "no equivalent in lme4 (censored cells)"
    assert "strength | cens(side) ~" in brms(with_line('censoring = "as typed"'), "strength")


# --- families that glmer knows


@pytest.mark.parametrize(
    ("family", "in_lme4", "in_brms"),
    [
        ({"kind": "poisson"}, "glmer(y ~ 1 + week + (1 | id), family = poisson)", "poisson()"),
        ({"kind": "bernoulli"}, "glmer(y ~ 1 + week + (1 | id), family = binomial)", "bernoulli()"),
        ({"kind": "gamma"}, 'glmer(y ~ 1 + week + (1 | id), family = Gamma(link = "log"))', 'Gamma("log")'),
        ({"kind": "negative_binomial"}, "glmer.nb(y ~ 1 + week + (1 | id))", "negbinomial()"),
        ({"kind": "student_t"}, "no equivalent in lme4 (family student_t)", "student()"),
    ],
)
def test_families(family, in_lme4, in_brms):
    study = counts(family)
    assert lme4(study, "y") == in_lme4
    assert brms(study, "y") == f"bf(y ~ 1 + week + (1 | id), family = {in_brms})"


def test_counts_without_effects_with_exposure_and_with_an_effect_of_each_row():
    text = COUNTS.replace('["intercept"]', "[]")
    assert lme4(counts({"kind": "poisson"}, text=text), "y") == "glm(y ~ 1 + week, family = poisson)"
    assert lme4(counts({"kind": "negative_binomial"}, text=text), "y") == "MASS::glm.nb(y ~ 1 + week)"
    study = counts({"kind": "poisson", "observation_effect": True}, text=text.replace("[]", '[]\nexposure = "days"'))
    right = "1 + week + (1 | observation) + offset(log(days))"
    assert lme4(study, "y") == f"glmer(y ~ {right}, family = poisson)  # observation: the number of the row"
    assert brms(study, "y") == f"bf(y ~ {right}, family = poisson())  # observation: the number of the row"


def test_a_plateau_of_counts_is_brms_alone():
    text = COUNTS.replace("linear", "plateau").replace('["intercept"]', '["start"]').replace('= "id"', '= "id"\n')
    study = counts({"kind": "poisson"}, text=text.replace("effects =", 'exposure = "days"\neffects ='))
    assert lme4(study, "y") == "no equivalent in lme4 (a plateau with family poisson)"
    assert brms(study, "y") == (
        "bf(y ~ start + (asymptote - start) * (1 - 2^(-week / halftime)) + log(days), start ~ 1 + (1 | id), "
        "asymptote ~ 1, halftime ~ 1, nl = TRUE, family = poisson())"
    )


# --- effects


def test_uncorrelated_effects():
    study = parse_study(PLAIN.replace('patient = "patient"', 'patient = "patient"\ncorrelate = "none"'))
    assert lme4(study, "strength") == "lmer(strength ~ 1 + month + (1 + month || patient))"
    assert brms(study, "strength").startswith("bf(strength ~ 1 + month + (1 + month || patient)")
    assert "start ~ 1 + (1 | patient), asymptote ~ 1 + (1 | patient)" in brms(study, "cpk")
    assert "random = nlme::pdDiag(start + asymptote ~ 1), groups = ~ patient)" in lme4(study, "cpk")


def test_effects_across_outcomes_share_an_id_and_lme4_fits_each_alone():
    study = parse_study(PLAIN.replace('patient = "patient"', 'patient = "patient"\ncorrelate = "across outcomes"'))
    together = "  # with those of the other outcomes, + set_rescor(FALSE), in one brm()"
    assert (
        brms(study, "strength") == f"bf(strength ~ 1 + month + (1 + month |p| patient), family = gaussian()){together}"
    )
    assert brms(study, "cpk").endswith(together)
    assert lme4(study, "strength") == "lmer(strength ~ 1 + month + (1 + month | patient))  # this outcome alone"
    assert lme4(study, "cpk").endswith("~ 1 | patient)  # this outcome alone")


@pytest.mark.parametrize(("correlate", "bars"), [("true", ("|p|", "|p|")), ("false", ("|", "|"))])
def test_the_zero_part_of_a_hurdle(correlate, bars):
    zero = f'zero = {{ typical = 0.2, scale = 0.1, correlate = {correlate}, trajectory = {{ kind = "log" }}, effects = ["intercept"] }}'
    study = with_line(
        f"{zero}", text=PLAIN.replace('"gaussian"', '"hurdle_lognormal"').replace("scale = 10", "scale = 2")
    )
    mean, none = bars
    assert brms(study, "strength") == (
        f"bf(strength ~ 1 + month + (1 + month {mean} patient), hu ~ 1 + log1p(pmax(month, 0)) + (1 {none} patient), "
        "family = hurdle_lognormal())"
    )


def test_a_half_time_in_which_patients_differ_does_so_by_factors():
    study = with_line('effects = ["start", "half_time"]', 'trajectory = { kind = "plateau" }')
    assert lme4(study, "cpk") == "no equivalent in lme4 (patients differ in the half-time)"
    assert "2^(-month / exp(loghalf)))" in brms(study, "cpk")
    assert "loghalf ~ 1 + (1 |p| patient), nl = TRUE" in brms(study, "cpk")


def test_a_plateau_without_effects_is_nls():
    study = with_line("effects = []", 'trajectory = { kind = "plateau" }')
    assert lme4(study, "cpk") == "nls(log(cpk) ~ start + (asymptote - start) * (1 - 2^(-month / half_time)))"


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
    clocks = _clocks(study, p)
    assert [*clocks.values()] == ["1", *terms]
    months, rng = np.linspace(max(-5, p.trajectory.start), 40, 91), np.random.default_rng(4)
    values = {c: rng.normal() for c in clocks}
    by_r = sum(values[c] * computed(term, month=months) for c, term in clocks.items())
    np.testing.assert_allclose(by_r, p.trajectory.curve(months, values, np), atol=1e-12)
    assert lme4(study, "strength").startswith(f"lmer(strength ~ {' + '.join(['1', *terms])} + (1 ")


def test_patients_differ_in_the_pieces_that_are_named():
    study = with_trajectory('{ kind = "piecewise", knots = [12] }', 'effects = ["intercept", "slope_2"]')
    assert lme4(study, "strength") == (
        "lmer(strength ~ 1 + pmin(month, 12) + pmax(month - 12, 0) + (1 + pmax(month - 12, 0) | patient))"
    )


@pytest.mark.parametrize(
    ("covariate", "term"),
    [("age", "I((age - 52)/14)"), ("base", "I(log(base/4)/log(2))"), ("joints", "I((sqrt(joints) - sqrt(9))/1.5)")],
)
def test_a_covariate_is_from_typical_and_per_scale(covariate, term):
    study = parse_study(PLAIN + COVARIATES)
    assert _covariate(study, covariate) == term
    values = np.array([0.5, 4.0, 9.0, 60.0])
    np.testing.assert_allclose(computed(term, **{covariate: values}), coded(study, covariate, values)[covariate])


def test_a_factor_has_our_reference():
    study = parse_study(PLAIN + COVARIATES)
    assert _covariate(study, "arm") == 'relevel(factor(arm), "placebo")'
    assert _covariate(study, "sex") == "sex"
    assert _covariate(study, "stage") == "factor(stage)"


def test_covariates_and_moderators():
    study = parse_study(
        PLAIN.replace(LINE, f'{LINE}\ncovariates = ["age", "sex"]\nmoderators = ["sex", "age"]') + COVARIATES
    )
    assert lme4(study, "strength") == (
        "lmer(strength ~ 1 + month + I((age - 52)/14) + sex + sex:month + I((age - 52)/14):month + (1 + month | patient))"
    )


def test_a_product_needs_its_parts_to_be_what_it_is_in_r():
    whole = with_line('covariates = ["arm", "age", "arm_age"]', text=PLAIN + COVARIATES)
    assert 'relevel(factor(arm), "placebo"):I((age - 52)/14)' in lme4(whole, "strength")
    lacking = with_line('covariates = ["arm", "arm_age"]', text=PLAIN + COVARIATES)  # R would give both arms an age
    assert lme4(lacking, "strength") == "no equivalent in lme4 (a product without its parts)"
    assert brms(lacking, "strength") == "no short equivalent in brms (a product without its parts)"


@pytest.mark.parametrize(
    ("column", "written"),
    [
        ("cpk", "cpk"),
        ("visit.week", "visit.week"),
        ("CK (IU/L)", "`CK (IU/L)`"),
        ("_id", "`_id`"),
        ("2nd", "`2nd`"),
        (".2nd", "`.2nd`"),
        ("if", "`if`"),
        ("größe", "`größe`"),
        ("a`b", "`a\\`b`"),
    ],
)
def test_a_column_that_is_no_name_of_r_stands_in_backticks(column, written):
    assert name(column) == written


def test_columns_in_backticks():
    text = PLAIN.replace('column = "strength"', 'column = "grip (kg)"').replace(
        'patient = "patient"', 'patient = "study id"'
    )
    study = parse_study(text.replace('column = "month"', 'column = "month no."'))
    assert lme4(study, "strength") == ("lmer(`grip (kg)` ~ 1 + `month no.` + (1 + `month no.` | `study id`))")
    assert not re.search(r"I\(", brms(study, "strength"))
