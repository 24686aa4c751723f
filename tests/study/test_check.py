"""What a well-formed study may still get wrong: covariates, zero parts, exposure, limits, correlations, groups."""

import pytest

from bayesmyo.errors import StudyError
from bayesmyo.study import parse_study
from tests.conftest import SMALL
from tests.study.everything import EVERYTHING

PLATEAU = 'trajectory = { kind = "plateau" }'
LINEAR = 'trajectory = { kind = "linear" }'


def faults(text):
    """The faults of a study as text, by where they are."""
    with pytest.raises(StudyError) as caught:
        parse_study(text)
    found = {}
    for fault in caught.value.faults:
        found[fault.where] = found.get(fault.where, "") + " | " + str(fault)
    return found


def changed(old, new, text=EVERYTHING):
    assert old in text, f"{old} is not in the study"
    return text.replace(old, new, 1)


def without_scenarios(text):
    return text.split("[scenarios")[0]


def with_outcome_line(line, outcome="dose"):
    return changed(f"[outcomes.{outcome}]", f"[outcomes.{outcome}]\n{line}")


def outcome(family, head="typical = 2\nscale = 2", lines=""):
    """A study of one outcome of the given family."""
    return f"""
[study]
title = "One"
patient = "patient"
time = {{ column = "month", unit = "month", typical = 24 }}
[outcomes.one]
column = "one"
unit = "points"
better = "higher"
{head}
family = {{ {family} }}
trajectory = {{ kind = "linear" }}
{lines}
"""


def test_the_study_that_uses_everything_has_no_fault():
    assert set(parse_study(EVERYTHING).outcomes) == {"power", "grade", "falls", "dose"}


# --- covariates


@pytest.mark.parametrize(
    ("declared", "where", "what"),
    [
        ("", "", "must be exactly one of categorical, numeric and a product; give levels if"),
        ('levels = ["a", "b"]\ntypical = 1', "",
         "must be exactly one of categorical, numeric and a product; got levels, typical"),
        ('typical = 1\nscale = 1\nproduct = ["age", "sex"]', "", "got typical, product"),
        ('levels = ["a"]', "levels", 'needs two levels or more, the reference first; got [\'a\']'),
        ('levels = []', "levels", "needs two levels or more"),
        ('levels = ["a", "A!"]', "levels", "are not distinct in letters and digits"),
        ('levels = ["a b", "a-b"]', "levels", "are not distinct in letters and digits"),
        ('levels = ["a", "b"]\nshares = [1.0]', "shares", "must be 2 positive shares that sum to 1; got [1.0]"),
        ('levels = ["a", "b"]\nshares = [0.5, 0.6]', "shares", "must be 2 positive shares that sum to 1"),
        ('levels = ["a", "b"]\nshares = [0.0, 1.0]', "shares", "must be 2 positive shares"),
        ('levels = ["a", "b"]\nscale = 2', "scale", "is not a key of a covariate that is categorical"),
        ('levels = ["a", "b"]\ntransform = "log"', "transform", "is not a key of a covariate that is categorical"),
        ('levels = ["a", "b"]\nmissing = "imputed"', "missing",
         'a level cannot be imputed; got "imputed"; impute numeric covariates only'),
        ("typical = 1", "scale", "is missing; say how far patients differ in it"),
        ("typical = 1\nscale = 0", "scale", "must be positive; got 0"),
        ("typical = 1\nscale = -1", "scale", "must be positive; got -1"),
        ('typical = 1\nscale = 1\ntransform = "log"', "scale",
         "must be a ratio above 1, because the transform is the log; got 1"),
        ('typical = 0\nscale = 2\ntransform = "log"', "typical", "has no log; got 0"),
        ('typical = -1\nscale = 2\ntransform = "sqrt"', "typical", "has no sqrt; got -1"),
        ("typical = 1\nscale = 1\nshares = [0.5, 0.5]", "shares", "is not a key of a covariate that is numeric"),
        ('typical = 1\nscale = 1\nvaries = "visits"\nmissing = "imputed"', "missing",
         "only patient-level covariates can be imputed"),
        ("typical = 5\nscale = 1\nminimum = 9\nmaximum = 9", "maximum", "must be above the minimum, 9; got 9"),
        ("typical = 5\nscale = 1\nminimum = 6", "typical", "is below the declared minimum 6; got 5"),
        ("typical = 5\nscale = 1\nmaximum = 4.5", "typical", "is above the declared maximum 4.5; got 5"),
        ('levels = ["a", "b"]\nminimum = 0', "minimum", "is not a key of a covariate that is categorical"),
        ('product = ["age", "sex"]\nmaximum = 0', "maximum", "is not a key of a covariate that is a product"),
        ('typical = 1\nscale = 1\ntransform = "square"', "transform", 'did you mean "sqrt"?'),
        ('typical = 1\nscale = 1\nvaries = "visit"', "varies", 'did you mean "visits"?'),
        ('product = ["age"]', "product", "must name two covariates or more, each once"),
        ('product = ["age", "age"]', "product", "must name two covariates or more, each once"),
        ('product = ["age", "sexx"]', "product", 'names no covariate; got "sexx"; did you mean "sex"?'),
        ('product = ["age", "age_sex"]', "product",
         'a product of products is not understood; got "age_sex"; name all factors'),
        ('product = ["age", "sex"]\ncolumn = "x"', "column", "is not a key of a covariate that is a product"),
        ('product = ["age", "sex"]\nvaries = "visits"', "varies", "is not a key of a covariate that is a product"),
        ('product = ["age", "sex"]\nmissing = "imputed"', "missing", "is not a key of a covariate that is a product"),
        ('levels = ["f", "m"]\nlabell = "x"', "labell", 'did you mean "label"?'),
        ('levels = ["f", 1]', "levels.1", "must be text"),
        ('levels = ["f", "m"]\ncolumn = "power"', "column", 'is the same column as outcomes.power.column; got "power"'),
        ('levels = ["f", "m"]\ncolumn = "patient"', "column", "is the same column as study.patient"),
        ('levels = ["f", "m"]\ncolumn = "month"', "column", "is the same column as study.time.column"),
        ('levels = ["f", "m"]\ncolumn = "age"', "column", "is the same column as covariates.age.column"),
    ],
)  # fmt: skip
def test_a_fault_of_a_covariate(declared, where, what):
    found = faults(EVERYTHING + f"\n[covariates.extra]\n{declared}\n")
    assert what in found[f"covariates.extra.{where}".rstrip(".")]
    assert len(found) == 1


@pytest.mark.parametrize("name", ["Sex", "outcome", "correlations", "a b"])
def test_a_name_that_no_covariate_can_have(name):
    assert f"covariates.{name}" in faults(EVERYTHING + f'\n[covariates."{name}"]\ntypical = 1\nscale = 1\n')


def test_two_covariates_cannot_share_a_coefficients_name():
    found = faults(EVERYTHING + "\n[covariates.sex_m]\ntypical = 1\nscale = 1\n")
    assert found["covariates.sex_m"].endswith(
        'its coefficient "sex_m" would be named as one of sex; choose another name.'
    )
    assert len(found) == 1


@pytest.mark.parametrize(
    ("covariate", "use"),
    [
        ("[covariates.sigma]\ntypical = 1\nscale = 1", 'covariates = ["sigma"]'),
        ("[covariates.intercept]\ntypical = 1\nscale = 1", 'covariates = ["intercept"]'),
        ('[covariates.sd]\nlevels = ["none", "intercept"]', 'covariates = ["sd"]'),
    ],
    ids=["sigma", "intercept", "a level"],
)
def test_a_coefficient_of_a_covariate_cannot_be_named_as_another_parameter(covariate, use):
    text = without_scenarios(changed('covariates = ["duration"]', use))
    assert any("outcomes.dose" in where or "covariates." in where for where in faults(text + covariate + "\n"))


@pytest.mark.parametrize(
    ("old", "new", "where", "what"),
    [
        ('covariates = ["titre"]', 'covariates = ["titer"]', "outcomes.falls.covariates",
         'is no covariate of this study; got "titer"; did you mean "titre"?'),
        ('covariates = ["titre"]', 'covariates = ["titre", "titre"]', "outcomes.falls.covariates",
         "names a covariate twice"),
        ('moderators = ["diagnosis"]', 'moderators = ["diagnose"]', "outcomes.falls.moderators",
         'did you mean "diagnosis"?'),
        ('covariates = ["sex"]', 'covariates = ["sx"]', "outcomes.dose.zero.covariates", 'did you mean "sex"?'),
        ('moderators = ["sex", "age_sex"]', 'moderators = ["sex", "sex"]', "outcomes.power.moderators",
         "names a covariate twice"),
        ('{ kind = "linear", transform = "sqrt" }', '{ kind = "constant" }\nmoderators = ["sex"]',
         "outcomes.grade.moderators", "a constant trajectory has no change to moderate"),
        ('covariates = ["titre"]', 'covariates = "titre"', "outcomes.falls.covariates", "must be a list"),
    ],
)  # fmt: skip
def test_a_fault_in_the_use_of_covariates(old, new, where, what):
    assert what in faults(changed(old, new))[where]


def test_a_product_with_a_covariate_of_visits_may_moderate():
    text = changed('moderators = ["sex", "age_sex"]', 'moderators = ["by_season"]')
    text += '\n[covariates.by_season]\nproduct = ["age", "season"]\n'
    told = faults(text)
    assert "outcomes.power.moderators" not in told
    assert "is missing" in told["scenarios.one.power.slope_by_season"]


def test_without_covariates_it_is_said_how_one_is_declared():
    text = outcome('kind = "gaussian"', lines='covariates = ["sex"]')
    assert 'got "sex"; declare [covariates.sex]' in faults(text)["outcomes.one.covariates"]


# --- families, trajectories, exposure, limits


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        (outcome('kind = "gaussian"', lines='exposure = "weeks"'), "exposure",
         "has no meaning for the family gaussian; use poisson or negative_binomial for counts"),
        (outcome('kind = "beta_binomial", trials = 10', lines='exposure = "weeks"'), "exposure",
         "has no meaning for the family beta_binomial"),
        (outcome('kind = "poisson"', lines='censoring = "as typed"'), "censoring",
         "is not available for the family poisson"),
        (outcome('kind = "ordered_beta", lower = 0, upper = 5', lines="censoring = { above = 4 }"), "censoring",
         "is not available for the family ordered_beta"),
        (outcome('kind = "gaussian"', lines="censoring = { }"), "censoring",
         "needs above or below, or both; such as { above = 30 }"),
        (outcome('kind = "gaussian"', lines="censoring = { above = 1, below = 1 }"), "censoring.above",
         "must lie above the lower limit, 1; got 1"),
        (outcome('kind = "gaussian"', lines="censoring = { above = 1, belo = 0 }"), "censoring.belo",
         'did you mean "below"?'),
        (outcome('kind = "gaussian"', lines='censoring = { above = "30" }'), "censoring.above",
         'must be a number; got "30"'),
        (outcome('kind = "gaussian"', lines='censoring = "typed"'), "censoring", 'did you mean "as typed"?'),
        (outcome('kind = "gaussian"', lines="censoring = true"), "censoring", "is not one of the words it can be"),
        (outcome('kind = "poisson"', head="typical = 2\nscale = 1"), "scale", "must be a ratio above 1"),
        (outcome('kind = "gamma"', head="typical = 2\nscale = 21"), "scale",
         "is a ratio between patients, and no patients differ so much"),
        (outcome('kind = "poisson"', head="typical = 0\nscale = 2"), "typical", "must be a positive number; got 0"),
        (outcome('kind = "bernoulli"'), "typical", "must be a probability between 0 and 1; got 2"),
        (outcome('kind = "ordered_beta", lower = 0, upper = 2'), "typical",
         "must be a number between 0 and 2, and neither; got 2"),
        (outcome('kind = "beta_binomial", trials = 2'), "typical",
         "must be a number between 0 and 2, and neither; got 2"),
        (outcome('kind = "gaussian"', head="scale = 2"), "typical", "is missing"),
        (outcome('kind = "cumulative", coding = "mrc"'), "typical",
         "is not a key for the family cumulative; say with family.shares"),
        (outcome('kind = "cumulative", coding = "mrc"', head="scale = 2", lines='map = { "4+" = 4.33 }'), "map",
         "the family has levels of its own; leave the map out"),
        (outcome('kind = "poisson"', lines='parameterisation = "integrated"'), "parameterisation",
         "effects cannot be integrated out for the family poisson"),
        (outcome('kind = "gaussian"', lines="plausible = [5, 5]"), "plausible", "must be a lower and a higher value"),
    ],
)  # fmt: skip
def test_a_fault_of_an_outcome(text, where, what):
    found = faults(text)
    assert what in found[f"outcomes.one.{where}"]
    assert len(found) == 1


@pytest.mark.parametrize("family", ["gaussian", "student_t", "lognormal", "gamma"])
@pytest.mark.parametrize("censoring", ['"as typed"', "{ above = 30 }", "{ below = 1, above = 30 }"])
def test_families_that_may_be_censored(family, censoring):
    assert parse_study(outcome(f'kind = "{family}"', lines=f"censoring = {censoring}")).outcomes["one"].censoring


@pytest.mark.parametrize(
    ("family", "where", "what"),
    [
        ('kind = "cumulative"', "coding", "state the coding"),
        ('kind = "cumulative", coding = "mrc", levels = ["a", "b"]', "coding", "one of the two"),
        ('kind = "cumulative", levels = ["a"]', "levels", "at least two levels"),
        ('kind = "cumulative", levels = ["low", "high"]', "scores", "state a number for each level"),
        ('kind = "cumulative", coding = "mrc", merge = [["0", "2"]]', "merge", "neighbouring levels"),
        ('kind = "cumulative", coding = "mrc", shares = [0.5, 0.5]', "shares", "there are 6 positive shares"),
        ('kind = "ordered_beta", lower = 5, upper = 5', "upper", "lies above the lower end"),
        ('kind = "beta_binomial", trials = 0', "trials", "the highest score is at least 1"),
        ('kind = "cumulative", coding = "mrc_pluss"', "coding", 'did you mean "mrc_plus"?'),
        ('kind = "beta_binomial"', "trials", "is missing"),
    ],
)
def test_a_fault_of_a_family_is_shown_in_the_family(family, where, what):
    found = faults(outcome(family, head="scale = 2"))
    assert what in found[f"outcomes.one.family.{where}"]
    assert len(found) == 1


@pytest.mark.parametrize(
    ("trajectory", "where", "what"),
    [
        ('kind = "piecewise", knots = []', "knots", "must name at least one time"),
        ('kind = "piecewise", knots = [6, 3]', "knots", "must be in increasing order"),
        ('kind = "spline", knots = [0, 3]', "knots", "at least three times"),
        ('kind = "spline", knots = [1, 3, 6]', "origin", "must be the first knot (1)"),
        ('kind = "piecewise"', "knots", "is missing"),
        ('kind = "linear", transform = "square"', "transform", 'did you mean "sqrt"?'),
    ],
)
def test_a_fault_of_a_trajectory_is_shown_in_the_trajectory(trajectory, where, what):
    text = outcome('kind = "gaussian"').replace('{ kind = "linear" }', f"{{ {trajectory} }}")
    assert what in faults(text)[f"outcomes.one.trajectory.{where}"]
    text = without_scenarios(changed('{ kind = "linear" }\neffects', f"{{ {trajectory} }}\neffects"))
    assert what in faults(text)[f"outcomes.dose.zero.trajectory.{where}"]


def test_patients_cannot_differ_in_a_shape():
    text = outcome('kind = "gaussian"', lines='effects = ["start", "smooth"]')
    text = text.replace('{ kind = "linear" }', '{ kind = "spline", knots = [0, 3, 6], penalised = true }')
    assert 'patients cannot differ in it; got "smooth"' in faults(text)["outcomes.one.effects"]


def test_effects_on_a_half_time_cannot_be_integrated_out():
    text = outcome('kind = "gaussian"', lines='effects = ["half_time"]\nparameterisation = "integrated"')
    text = text.replace('{ kind = "linear" }', '{ kind = "plateau" }')
    assert "effects on a half-time cannot be integrated out" in faults(text)["outcomes.one.parameterisation"]


# --- the zero part

ZERO = "[outcomes.one.zero]\ntypical = 0.2\nscale = 0.1\ntrajectory = { kind = 'constant' }\n"


@pytest.mark.parametrize(
    ("family", "zero", "where", "what"),
    [
        ("hurdle_lognormal", "", "",
         "is missing: the family hurdle_lognormal has a zero part; write a table [outcomes.one.zero] with typical, "
         "scale and trajectory"),
        ("lognormal", ZERO, "", "the family lognormal has no zero part; use hurdle_lognormal"),
        ("gamma", ZERO, "", "the family gamma has no zero part"),
        ("poisson", ZERO + "[outcomes.one.zero_inflation]\ntypical = 0.2\nscale = 0.1\n", "",
         "zeros have one part of their own: zero, or zero_inflation"),
        ("hurdle_lognormal", ZERO.replace("0.2", "0"), "typical", "must be a probability between 0 and 1; got 0"),
        ("hurdle_lognormal", ZERO.replace("0.2", "1"), "typical", "must be a probability between 0 and 1; got 1"),
        ("hurdle_lognormal", ZERO.replace("0.2", "20"), "typical", "must be a probability between 0 and 1; got 20"),
        ("hurdle_lognormal", ZERO.replace("0.1", "0"), "scale", "must be positive; got 0"),
        ("hurdle_lognormal", ZERO.replace("typical = 0.2", ""), "typical", "is missing"),
        ("hurdle_lognormal", ZERO + "effects = ['slope']", "effects", 'patients cannot differ in it; got "slope"'),
        ("hurdle_lognormal", ZERO + "correlate = 1", "correlate", "must be true or false"),
    ],
)  # fmt: skip
def test_a_fault_of_the_zero_part(family, zero, where, what):
    found = faults(outcome(f'kind = "{family}"') + zero)
    assert what in found[f"outcomes.one.zero.{where}".rstrip(".")]
    assert len(found) == 1


# --- priors


@pytest.mark.parametrize(
    ("prior", "where", "what"),
    [
        ('thresholds = "normal(0, 1)"', "thresholds", "write a joint prior of the thresholds"),
        ('thresholds = "ordered_normal(0)"', "thresholds",
         "ordered_normal takes 2 arguments: ordered_normal(mean, sd)"),
        ('thresholds = "ordered_normal(0, -1)"', "thresholds", "sd must be positive"),
        ('thresholds = "induced_dirichlet(1, 2)"', "thresholds",
         "takes 1 concentration for all categories, or 6, one for each"),
        ('thresholds = "induced_dirichlet(0)"', "thresholds", "concentrations must be positive"),
        ('thresholds = "induced_dirichlet(a)"', "thresholds", "the arguments of induced_dirichlet are numbers"),
        ('threshold_1 = "normal(0, 1)"', "threshold_1",
         'has no prior of its own; state the prior of all of them, thresholds = "induced_dirichlet('),
        ('threshold_6 = "normal(0, 1)"', "threshold_6", "is not a parameter of this outcome"),
        ('intercept = "normal(0, 1)"', "intercept", "is not a parameter of this outcome"),
    ],
)  # fmt: skip
def test_a_fault_in_the_prior_of_thresholds(prior, where, what):
    text = changed('priors = { thresholds = "ordered_normal(0, 4)" }', f"priors = {{ {prior} }}")
    assert what in faults(without_scenarios(text))[f"outcomes.grade.priors.{where}"]


def test_thresholds_are_those_of_the_cumulative_family_alone():
    text = outcome('kind = "gaussian"', lines='priors = { thresholds = "induced_dirichlet(1)" }')
    assert "unknown distribution" in faults(text)["outcomes.one.priors.thresholds"]


@pytest.mark.parametrize(
    ("prior", "what"),
    [
        ("normal(0, 1)", 'has the wrong support; got "normal(0, 1)"; write "lkj(2)"'),
        ("lkj(0)", "lkj: eta must be positive"),
        ("lkj(1, 2)", "lkj takes 1 arguments"),
        ("kjl(2)", 'unknown distribution "kjl"'),
        ("2", "write a distribution with its arguments"),
    ],
)
def test_the_prior_of_correlations_is_lkj(prior, what):
    assert what in faults(changed('"lkj(3)"', f'"{prior}"'))["study.correlation_prior"]


def test_one_correlation_of_three_effects_has_no_prior_of_its_own():
    """They have a joint one, study.correlation_prior, and it is that from which they are drawn and in which they are
    fitted.
    """
    text = with_outcome_line('priors = { correlation_start_asymptote = "lkj(50)" }', outcome="falls")
    assert "outcomes.falls.priors.correlation_start_asymptote" in faults(text)


# --- groups


@pytest.mark.parametrize(
    ("line", "where", "what"),
    [
        ('given = { diagnosi = "PM" }', "given",
         'is no covariate with a column; got "diagnosi"; did you mean "diagnosis"?'),
        ('given = { age_sex = 1 }', "given", 'is no covariate with a column; got "age_sex"'),
        ('given = { diagnosis = "MP" }', "given", 'is no level of diagnosis; got "MP"'),
        ('given = { diagnosis = 1 }', "given", "is no level of diagnosis"),
        ('given = { age = "old" }', "given", 'age is a number; got "old"'),
        ('given = { age = true }', "given", "must be"),
        ('given = "PM"', "given", "must be a table"),
        ('contrast = { covariate = "sx", level = "f", reference = "m" }', "contrast", 'did you mean "sex"?'),
        ('contrast = { covariate = "sex", level = "f", reference = "x" }', "contrast", 'is no level of sex; got "x"'),
        ('contrast = { covariate = "sex", level = "f", reference = "f" }', "contrast",
         'compares a group with itself; got "f"'),
        ('contrast = { covariate = "age", level = 60, reference = 60 }', "contrast", "compares a group with itself"),
        ('contrast = { covariate = "age", level = "old", reference = 60 }', "contrast", "age is a number"),
        ('contrast = { covariate = "sex", level = "f" }', "contrast.reference", "is missing"),
        ('contrast = { covariate = "sex", level = "f", reference = "m", by = "odds" }', "contrast.by", "ratio"),
        ('given = { sex = "f" }\ncontrast = { covariate = "sex", level = "f", reference = "m" }', "given",
         'sets the covariate that the contrast compares; got "sex"'),
        ('given = { titre = 0 }', "given", "has no log"),
        ('contrast = { covariate = "duration", level = -1, reference = 9 }', "contrast", "has no sqrt"),
    ],
)  # fmt: skip
def test_a_fault_of_a_group(line, where, what):
    found = faults(changed('given = { diagnosis = "PM", age = 60 }', line))
    assert what in " ".join(text for at, text in found.items() if at.startswith(f"estimands.power_pm.{where}"))


@pytest.mark.parametrize("level", ["70", "70.5"])
def test_groups_may_differ_in_a_number(level):
    line = f'contrast = {{ covariate = "age", level = {level}, reference = 50 }}'
    contrast = parse_study(changed('given = { diagnosis = "PM", age = 60 }', line)).estimands["power_pm"].contrast
    assert (contrast.level, contrast.reference) == (float(level), 50)


def test_without_covariates_no_group_can_be_named():
    text = SMALL.replace("to = 12", 'to = 12\ngiven = { sex = "f" }')
    assert "the study declares no covariate" in faults(text)["estimands.cpk_ratio_12.given"]


@pytest.mark.parametrize("family", ["poisson", "negative_binomial", "gamma"])
def test_only_where_it_is_defined_is_there_a_median(family):
    text = outcome(f'kind = "{family}"')
    text += '[estimands.e]\nkind = "level"\noutcome = "one"\nat = 1\nsummary = "median"\n'
    assert f"is the mean for the family {family}" in faults(text)["estimands.e.summary"]


# --- design


@pytest.mark.parametrize(
    ("old", "new", "where", "what"),
    [
        ("exposure = { weeks = 4 }", "exposure = { weeks = 0.5 }", "design.exposure.weeks",
         "must be at least 1; got 0.5"),
        ("exposure = { weeks = 4 }", 'exposure = { weeks = "4" }', "design.exposure.weeks", "must be a number"),
        ("exposure = { weeks = 4 }", "exposure = { week = 4 }", "design.exposure.week", 'did you mean "weeks"?'),
        ('exposure = "weeks"', 'exposure = "falls"', "outcomes.falls.exposure",
         "is the same column as outcomes.falls.column"),
        ("patients = 40", 'patients = 40\nbalanced = ["sax"]', "design.balanced",
         'names no covariate; got "sax"; did you mean "sex"?'),
        ("patients = 40", 'patients = 40\nbalanced = ["age"]', "design.balanced",
         'has no groups of patients; got "age"; name one with levels'),
        ("patients = 40", 'patients = 40\nbalanced = ["season"]', "design.balanced", "has no groups of patients"),
        *(("patients = 40", f"patients = 40\nrandomised = {{ covariate = {text} }}", f"design.randomised{key}", said)
          for text, key, said in (
              ('"sax", blocks = [2]', ".covariate", 'names no covariate; got "sax"; did you mean "sex"?'),
              ('"age", blocks = [2]', ".covariate", "names a covariate that has no groups of patients"),
              ('"sex", blocks = [4, 5]', ".blocks", "must be multiples of 2, the sum of the ratio; got 5"),
              ('"sex", blocks = []', ".blocks", "names no size; write [4]"),
              ('"sex", blocks = [3], ratio = [2]', ".ratio", "must be 2 whole numbers from 1, one for each level; got [2]"),
              ('"sex", blocks = [2], strata = ["sex"]', ".strata", "must name other covariates, each once; got sex"),
          )),
        ("{ mean = 24, sd = 12, maximum = 60 }", "0", "design.follow_up", "must be positive; got 0"),
        ("{ mean = 24, sd = 12, maximum = 60 }", '"a year"', "design.follow_up", 'must be a number; got "a year"'),
    ],
)  # fmt: skip
def test_a_fault_of_the_design(old, new, where, what):
    assert what in faults(changed(old, new))[where]


# --- scenarios


@pytest.mark.parametrize(
    ("old", "new", "where", "what"),
    [
        ("power_intercept_grade_intercept", "power_intercept_grade_intersept",
         "correlations.power_intercept_grade_intersept",
         'is no correlation between two outcomes; did you mean "power_intercept_grade_intercept"?'),
        ("grade_intercept = 0.5", "grade_intercept = 1.0", "correlations.power_intercept_grade_intercept",
         "must lie between -1 and 1; got 1"),
        ("grade_intercept = 0.5", "grade_intercept = -2", "correlations.power_intercept_grade_intercept",
         "must lie between -1 and 1; got -2"),
        ("grade_intercept = 0.5", "grade_intercept = 0.99\npower_slope_grade_intercept = 0.5", "correlations",
         "are impossible together"),
        ("correlation_start_asymptote = 0.3", "correlation_start_asymptote = 1.5", "falls.correlation_start_asymptote",
         "must lie between -1 and 1"),
        ("threshold_2 = -1.5", "threshold_2 = -3.5", "grade",
         "the thresholds must increase; got [-3.0, -3.5, -0.5, 0.5, 2.0]"),
        ("threshold_2 = -1.5", "threshold_2 = -3", "grade", "the thresholds must increase"),
        ("threshold_5 = 2\n", "", "grade.threshold_5", "is missing: a scenario states every parameter"),
        ("diagnosis_ibm = -6\n", "", "power.diagnosis_ibm", "is missing"),
        ("diagnosis_ibm = -6", "diagnosis_ibm = -6\ndiagnosis_dm = 0", "power.diagnosis_dm",
         "is not a parameter of this outcome"),
        ("titre = 1.2", "titre = -1", "falls.titre", "must be a positive ratio (1 is no change); got -1"),
        ("asymptote_diagnosis_pm = 1.1", "asymptote_diagnosis_pm = 0", "falls.asymptote_diagnosis_pm",
         "must be a positive ratio"),
        ("sd_half_time = 0.3", "sd_half_time = 0", "falls.sd_half_time", "must be positive"),
        ("zero_intercept = 0.2", "zero_intercept = 1.2", "dose.zero_intercept",
         "must be a probability between 0 and 1; got 1.2"),
        ("sd_zero_intercept = 0.8", "sd_zero_intercept = -0.8", "dose.sd_zero_intercept", "must be positive"),
        ("nu = 5", "nu = 0", "power.nu", "must be positive"),
    ],
)  # fmt: skip
def test_a_scenario_that_cannot_be(old, new, where, what):
    found = faults(changed(old, new))
    assert what in found[f"scenarios.one.{where}"]


def test_correlations_that_are_possible_together_are_accepted():
    text = changed("grade_intercept = 0.5", "grade_intercept = 0.7\npower_slope_grade_intercept = 0.5")
    assert parse_study(text)  # 1 - 0.2^2 - 0.7^2 - 0.5^2 - 2 * 0.2 * 0.7 * 0.5 = 0.08 is positive


@pytest.mark.parametrize("correlate", ["within outcomes", "none"])
def test_correlations_between_outcomes_are_stated_across_outcomes_alone(correlate):
    found = faults(changed('correlate = "across outcomes"', f'correlate = "{correlate}"'))
    assert "is not an outcome of this study" in found["scenarios.one.correlations"]


def test_correlations_within_one_outcome_must_be_possible_together():
    text = changed(PLATEAU, PLATEAU + '\neffects = ["start", "asymptote", "half_time"]', SMALL)
    three = "sd_half_time = 0.3\ncorrelation_start_asymptote = {}\ncorrelation_start_half_time = {}\ncorrelation_asymptote_half_time = {}\n"
    assert parse_study(text.replace("correlation = 0.3\n", three.format(0.5, -0.2, 0.3)))
    found = faults(text.replace("correlation = 0.3\n", three.format(0.9, -0.9, 0.9)))
    assert any("are impossible together" in what for what in found.values())


@pytest.mark.parametrize(
    ("outcome", "kind", "what"),
    [
        ("strength", 'kind = "level"\nat = 12', "levels that may be negative have no ratio"),
        ("cpk", 'kind = "change"\nfrom = 0\nto = 12', "is compared by its difference"),
        ("cpk", 'kind = "slope"\nfrom = 0\nto = 12', "is compared by its difference"),
    ],
)
def test_only_what_is_positive_is_compared_by_its_ratio(outcome, kind, what):
    text = SMALL[: SMALL.index("[design]")].replace(
        'trajectory = { kind = "', 'moderators = ["arm"]\ntrajectory = { kind = "'
    )
    groups = 'contrast = { covariate = "arm", level = "b", reference = "a", by = "ratio" }'
    text += f'[covariates.arm]\nlevels = ["a", "b"]\n[estimands.groups]\noutcome = "{outcome}"\n{kind}\n{groups}\n'
    assert what in faults(text)["estimands.groups.contrast.by"]
    assert parse_study(text.replace(', by = "ratio"', "")).estimands["groups"].contrast.by is None
