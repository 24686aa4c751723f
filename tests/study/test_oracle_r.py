"""The printed lines of R, run by R on the table that was written: its likelihood at its estimates is ours at the same
numbers.

`uv run pytest -m oracle tests/study/test_oracle_r.py`, with Debian's r-cran-lme4, r-cran-nlme, r-cran-glmmtmb and
r-cran-ordinal.
"""

from dataclasses import dataclass, field, replace
from datetime import date, timedelta

import numpy as np
import pytest

from bayesmyo.cohort import clean_csv, read_cohort
from bayesmyo.model.integral import LOG_2PI, Integral
from bayesmyo.model.simulate import simulate_scenario
from bayesmyo.model.truth import of_values, patient_columns
from bayesmyo.study import parse_study
from bayesmyo.study.in_r import brms, likelihood, table
from bayesmyo.study.parameters import parameters
from bayesmyo.study.predictors import blocks, predictors
from tests.study import r

pytestmark = pytest.mark.oracle

STUDY = """
[study]
title = "One outcome"
patient = "who"
time = {{ column = "week", unit = "week", typical = 24 }}
correlate = "{correlate}"

[covariates.arm]
levels = ["placebo", "active"]
[covariates.age]
typical = 50
scale = 10
[covariates.season]
levels = ["winter", "summer", "autumn"]
varies = "visits"
[covariates.dose]
typical = 0
scale = 1
varies = "visits"

[outcomes.y]
column = "score of y"
unit = "1"
better = "higher"
{declared}
family = {{ {family} }}
trajectory = {{ {trajectory} }}
{more}

[design]
patients = 50
follow_up = {{ mean = 24, sd = 2, maximum = 30 }}
visits = {{ first = {visits}, then_every = 4, jitter = 0.3 }}
{exposure}

[scenarios.true]
y = {{ {values} }}
"""


@dataclass(frozen=True)
class Case:
    """A study of one outcome, the truth that it is simulated from, and the names of R's fixed effects in R's order."""

    family: str
    trajectory: str
    values: str
    fixed: tuple[str, ...]
    declared: str = "typical = 2\nscale = 2"
    more: str = ""
    correlate: str = "within outcomes"
    visits: str = "[0, 1, 2]"
    exposure: str = ""
    zero: tuple[str, ...] = ()
    tolerance: float = 0.002
    packages: tuple[str, ...] = field(default=("lme4",))

    def study(self):
        return parse_study(study_text(self))


def study_text(case):
    return STUDY.format(**case.__dict__)


LINE = 'kind = "linear"'
LEVEL = "intercept = 2, slope = 0.1, sd_intercept = 1, sd_slope = 0.05, correlation = 0.3, sigma = 0.5"
COUNTS = "intercept = 3, slope = 0.98, sd_intercept = 0.6, sd_slope = 0.03, correlation = -0.2"
SCORE = "intercept = 15, slope = 0.05, sd_intercept = 1, sd_slope = 0.05, correlation = 0.3, precision = 15"
POINTS = "typical = 15\nscale = 5"
GRADES = "slope = 0.1, sd_intercept = 1.5, sd_slope = 0.1, correlation = 0.2, threshold_1 = -2, threshold_2 = 0, threshold_3 = 2"
IN_WORDS = 'kind = "cumulative", levels = ["none", "a little", "much", "all"], scores = [0, 1, 2, 3]'
TWO = ("intercept", "slope")
PLATEAU = "start = 10, asymptote = 20, half_time = 5, sd_start = 2, sd_asymptote = 3, correlation = 0.2, sigma = 1"
TEN = "typical = 10\nscale = 4"
CURVE = ("start", "asymptote", "half_time")
GAUSSIAN, NEGATIVE_BINOMIAL = 'kind = "gaussian"', 'kind = "negative_binomial"'
FALLS = 'priors = { asymptote = "normal(1.6, 0.5)", half_time = "lognormal(1.6, 0.5)" }'  # where R's search begins
EARLY = "[-6, -2, 0, 2]"
RANGE = 'kind = "ordered_beta", lower = 1, upper = 5'

CASES = {
    "gaussian": Case('kind = "gaussian"', LINE, LEVEL, TWO),
    "lognormal": Case(
        'kind = "lognormal"',
        LINE,
        "intercept = 2, slope = 1.02, sd_intercept = 1, sd_slope = 0.05, correlation = 0.3, sigma = 0.5",
        TWO,
    ),
    "student_t": Case('kind = "student_t"', LINE, LEVEL + ", nu = 5", TWO, packages=("glmmTMB",)),
    "gamma": Case('kind = "gamma"', LINE, COUNTS + ", cv = 0.4", TWO, packages=("glmmTMB",)),
    "poisson": Case('kind = "poisson"', LINE, COUNTS, TWO),
    "negative_binomial": Case('kind = "negative_binomial"', LINE, COUNTS + ", cv = 0.7", TWO, packages=("glmmTMB",)),
    "bernoulli": Case(
        'kind = "bernoulli"',
        LINE,
        "intercept = 0.4, slope = 0.05, sd_intercept = 1.2, sd_slope = 0.05, correlation = 0.2",
        TWO,
        "typical = 0.4\nscale = 0.2",
    ),
    "beta_binomial": Case('kind = "beta_binomial", trials = 30', LINE, SCORE, TWO, POINTS, packages=("glmmTMB",)),
    "cumulative": Case(IN_WORDS, LINE, GRADES, ("slope",), "scale = 2", packages=("ordinal",)),
    "constant": Case(GAUSSIAN, 'kind = "constant"', "intercept = 2, sd_intercept = 1, sigma = 0.5", ("intercept",)),
    "log, before and after": Case(
        GAUSSIAN, 'kind = "log"', LEVEL.replace("sd_slope = 0.05", "sd_slope = 0.4"), TWO, visits=EARLY
    ),
    "linear, before and after": Case(GAUSSIAN, LINE, LEVEL, TWO, visits=EARLY),
    "linear from an origin": Case(GAUSSIAN, 'kind = "linear", origin = 6', LEVEL, TWO, visits=EARLY),
    "root": Case(GAUSSIAN, 'kind = "linear", transform = "sqrt"', LEVEL, TWO),
    "pieces": Case(
        GAUSSIAN,
        'kind = "piecewise", knots = [3, 12]',
        "intercept = 2, slope_1 = 0.3, slope_2 = -0.1, slope_3 = 0.1, sd_intercept = 1, sd_slope_2 = 0.1, correlation "
        "= 0.2, sigma = 0.5",
        ("intercept", "slope_1", "slope_2", "slope_3"),
        more='effects = ["intercept", "slope_2"]',
        visits=EARLY,
    ),
    "pieces from before the start": Case(
        GAUSSIAN,
        'kind = "piecewise", origin = -4, knots = [0]',
        "intercept = 2, slope_1 = 0.3, slope_2 = -0.1, sd_intercept = 1, sigma = 0.5",
        ("intercept", "slope_1", "slope_2"),
        visits=EARLY,
    ),
    "spline": Case(
        GAUSSIAN,
        'kind = "spline", knots = [0, 4, 8, 20]',
        "start = 2, change_2 = 1, change_3 = 3, change_4 = 2, sd_start = 1, sigma = 0.5",
        ("start", "change_2", "change_3", "change_4"),
        visits=EARLY,
    ),
    "independent": Case(GAUSSIAN, LINE, LEVEL.replace(", correlation = 0.3", ""), TWO, correlate="none"),
    "independent grades": Case(
        IN_WORDS,
        LINE,
        GRADES.replace(", correlation = 0.2", ""),
        ("slope",),
        "scale = 2",
        correlate="none",
        packages=("ordinal",),
    ),
    "independent counts": Case(
        NEGATIVE_BINOMIAL,
        LINE,
        COUNTS.replace(", correlation = -0.2", "") + ", cv = 0.7",
        TWO,
        correlate="none",
        packages=("glmmTMB",),
    ),
    "no effects": Case(GAUSSIAN, LINE, "intercept = 2, slope = 0.1, sigma = 0.5", TWO, more="effects = []"),
    "counts without effects": Case('kind = "poisson"', LINE, "intercept = 3, slope = 0.98", TWO, more="effects = []"),
    "grades without effects": Case(
        IN_WORDS,
        LINE,
        "slope = 0.1, threshold_1 = -2, threshold_2 = 0, threshold_3 = 2",
        ("slope",),
        "scale = 2",
        more="effects = []",
        packages=("ordinal",),
    ),
    "gamma without effects": Case(
        'kind = "gamma"', LINE, "intercept = 3, slope = 0.98, cv = 0.4", TWO, more="effects = []", packages=("glmmTMB",)
    ),
    "coded grades": Case(
        'kind = "cumulative", coding = "mrc_plus", merge = [["0", "1", "2"], ["4-", "4"]], link = "probit"',
        LINE,
        "slope = 0.05, sd_intercept = 1, threshold_1 = -1, threshold_2 = 0, threshold_3 = 1, threshold_4 = 1.5",
        ("slope",),
        "scale = 2",
        more='effects = ["intercept"]',
        packages=("ordinal",),
    ),
    "exposure": Case(
        'kind = "poisson"', LINE, COUNTS, TWO, more='exposure = "days"', exposure="exposure = { days = 6 }"
    ),
    "exposure, overdispersed": Case(
        NEGATIVE_BINOMIAL,
        LINE,
        COUNTS + ", cv = 0.7",
        TWO,
        more='exposure = "days"',
        exposure="exposure = { days = 6 }",
        packages=("glmmTMB",),
    ),
    "covariates": Case(
        GAUSSIAN,
        LINE,
        LEVEL + ", arm_active = 0.5, season_summer = 0.3, season_autumn = -0.3, age = 0.2, slope_arm_active = 0.05, "
        "slope_age = -0.03",
        (*TWO, "arm_active", "season_summer", "season_autumn", "age", "slope_arm_active", "slope_age"),
        more='covariates = ["arm", "season", "age"]\nmoderators = ["arm", "age"]',
    ),
    "grades with covariates": Case(
        IN_WORDS,
        LINE,
        GRADES + ", season_summer = 0.5, season_autumn = -0.5, slope_arm_active = 0.1",
        ("slope", "season_summer", "season_autumn", "slope_arm_active"),
        "scale = 2",
        more='covariates = ["season"]\nmoderators = ["arm"]',
        packages=("ordinal",),
    ),
    "plateau": Case(GAUSSIAN, 'kind = "plateau"', PLATEAU, CURVE, TEN, visits=EARLY, packages=("nlme",)),
    "change of a plateau": Case(
        GAUSSIAN,
        'kind = "plateau", end = "change"',
        PLATEAU.replace("asymptote = 20", "change = 10")
        .replace("sd_asymptote", "sd_change")
        .replace(", correlation = 0.2", ""),
        ("start", "change", "half_time"),
        TEN,
        correlate="none",
        packages=("nlme",),
    ),
    "plateau of ratios": Case(
        'kind = "lognormal"',
        'kind = "plateau", origin = 1',
        "start = 20, asymptote = 5, half_time = 5, sd_start = 0.5, sd_asymptote = 0.6, correlation = 0.2, sigma = 0.2",
        CURVE,
        "typical = 10\nscale = 3",
        more=FALLS,
        packages=("nlme",),
    ),
    "plateau without effects": Case(
        GAUSSIAN,
        'kind = "plateau"',
        "start = 10, asymptote = 20, half_time = 5, sigma = 1",
        CURVE,
        TEN,
        more="effects = []",
    ),
    "hurdle": Case(
        'kind = "hurdle_lognormal"',
        LINE,
        "intercept = 20, slope = 0.97, sd_intercept = 0.5, sd_slope = 0.03, correlation = 0.2, sigma = 0.3, "
        "zero_intercept = 0.2, zero_slope = 0.3, zero_arm_active = 0.5, sd_zero_intercept = 1",
        TWO,
        "typical = 20\nscale = 2",
        zero=("zero_intercept", "zero_slope", "zero_arm_active"),
        more='zero = { typical = 0.2, scale = 0.1, trajectory = { kind = "log" }, covariates = ["arm"] }',
    ),
    "hurdle with a plateau": Case(
        'kind = "hurdle_lognormal"',
        'kind = "plateau"',
        "start = 20, asymptote = 5, half_time = 4, sd_start = 0.5, sd_asymptote = 0.6, correlation = 0.2, sigma = 0.2, "
        "zero_intercept = 0.1, zero_slope = 0.1, sd_zero_intercept = 0.5",
        CURVE,
        "typical = 20\nscale = 2",
        zero=("zero_intercept", "zero_slope"),
        more=FALLS + '\nzero = { typical = 0.2, scale = 0.1, trajectory = { kind = "log" } }',
        packages=("nlme", "lme4"),
    ),
    "residual SDs": Case(
        GAUSSIAN,
        LINE,
        LEVEL.replace(", sigma = 0.5", "") + ", arm_active = 0.5, sigma_intercept = 0.5, sigma_arm_active = 2",
        (*TWO, "arm_active"),
        more='covariates = ["arm"]\nsigma = { covariates = ["arm"] }',
        packages=("nlme",),
    ),
    "residual SDs by season, independent effects": Case(
        'kind = "lognormal"',
        LINE,
        "intercept = 2, slope = 1.02, sd_intercept = 1, sd_slope = 0.05, sigma_intercept = 0.5, sigma_season_summer = "
        "2, sigma_season_autumn = 0.5",
        TWO,
        more='sigma = { covariates = ["season"] }',
        correlate="none",
        packages=("nlme",),
    ),
    "zeros that are no counts": Case(
        NEGATIVE_BINOMIAL,
        LINE,
        COUNTS + ", cv = 0.7, zero_inflation_intercept = 0.3, zero_inflation_arm_active = 0.5",
        TWO,
        zero=("zero_inflation_intercept", "zero_inflation_arm_active"),
        more='zero_inflation = { typical = 0.3, scale = 0.1, covariates = ["arm"] }',
        packages=("glmmTMB",),
    ),
    "zeros that are no counts, more in some patients": Case(
        'kind = "poisson"',
        LINE,
        COUNTS + ", zero_inflation_intercept = 0.3, zero_inflation_slope = 1.1, sd_zero_inflation_intercept = 1",
        TWO,
        zero=("zero_inflation_intercept", "zero_inflation_slope"),
        more='zero_inflation = { typical = 0.3, scale = 0.1, trajectory = { kind = "linear" }, effects = '
        '["intercept"] }',
        packages=("glmmTMB",),
    ),
    "counts beyond a hurdle": Case(
        NEGATIVE_BINOMIAL,
        'kind = "constant"',
        "intercept = 4, sd_intercept = 0.6, cv = 0.7, zero_intercept = 0.3, zero_arm_active = 0.5",
        ("intercept",),
        zero=("zero_intercept", "zero_arm_active"),
        more='zero = { typical = 0.3, scale = 0.1, effects = [], covariates = ["arm"] }',
        packages=("glmmTMB",),
    ),
    "counts of a Poisson beyond a hurdle": Case(
        'kind = "poisson"',
        LINE,
        COUNTS + ", zero_intercept = 0.3",
        TWO,
        zero=("zero_intercept",),
        more="zero = { typical = 0.3, scale = 0.1, effects = [] }",
        packages=("glmmTMB",),
    ),
    "scores whose zeros are apart": Case(
        'kind = "beta_binomial", trials = 30',
        LINE,
        SCORE + ", zero_inflation_intercept = 0.2",
        TWO,
        POINTS,
        zero=("zero_inflation_intercept",),
        more="zero_inflation = { typical = 0.3, scale = 0.1 }",
        packages=("glmmTMB",),
    ),
    "own effects of a dose": Case(
        GAUSSIAN,
        LINE,
        "intercept = 2, slope = 0.1, dose = 0.5, sd_intercept = 1, sd_dose = 0.7, correlation = 0.3, sigma = 0.5",
        (*TWO, "dose"),
        more='effects = ["intercept", "dose"]\ncovariates = ["dose"]',
    ),
    "own effects of a dose, independent, of counts": Case(
        'kind = "poisson"',
        'kind = "constant"',
        "intercept = 3, dose = 0.5, sd_intercept = 0.6, sd_dose = 0.4",
        ("intercept", "dose"),
        more='effects = ["intercept", "dose"]\ncovariates = ["dose"]',
        correlate="none",
    ),
    "own effects of seasons": Case(
        GAUSSIAN,
        'kind = "constant"',
        "intercept = 2, season_summer = 0.5, season_autumn = -1, sd_intercept = 1, sd_season_summer = 0.7, "
        "sd_season_autumn = 0.5, "
        "correlation_intercept_season_summer = 0.3, correlation_intercept_season_autumn = 0.2, "
        "correlation_season_summer_season_autumn = 0.4, sigma = 0.5",
        ("intercept", "season_summer", "season_autumn"),
        more='effects = ["intercept", "season"]\ncovariates = ["season"]',
    ),
    "ordered_beta": Case(
        RANGE,
        LINE,
        "intercept = 3, slope = 0.05, sd_intercept = 1, sd_slope = 0.05, correlation = 0.2, precision = 10, cut_floor "
        "= 2.5, cut_ceiling = 2.5",
        TWO,
        "typical = 3\nscale = 1",
        packages=("glmmTMB",),
    ),
}


def estimates(case, study, found):
    """R's estimates as ours, by name."""
    listed = {}
    for p, f, names in zip(predictors(study, "y"), found, (case.fixed, case.zero), strict=False):
        listed |= dict(zip(names, ours(p, f["fixed"]), strict=True))
        listed |= {f"sd_{e.key}": sd for e, sd in zip(p.effects, f["sd.who"], strict=True)}
        listed |= {f"threshold_{k}": v for k, v in enumerate(f["thresholds"], 1)}
    pairs = [pair.name for b in blocks(study) for pair in b.pairs()]
    if pairs:
        listed |= dict(zip(pairs, [c for f in found for c in f["correlation"]], strict=True))
    listed |= dict(zip(case.zero, found[0]["zi"], strict=False))
    listed |= {
        f"sd_{e.key}": sd
        for p in predictors(study, "y")[1:]
        for e, sd in zip(p.effects, found[0]["sd.zi"], strict=False)
    }
    sigma, psi = (found[0]["sigma"] or [np.nan])[0], found[0]["psi"]
    kind = study.outcomes["y"].family.kind
    match kind:
        case "gaussian" | "lognormal" if "sigma" in study.outcomes["y"].predictors:
            names = [k for k in parameters(study, "y") if k.startswith("sigma_")]
            listed |= dict(zip(names, np.log([sigma, *(np.array(found[0]["sigma"][1:]) / sigma)]), strict=True))
        case "gaussian" | "lognormal" | "hurdle_lognormal":
            listed["sigma"] = sigma
        case "student_t":
            listed |= {"sigma": sigma, "nu": np.exp(psi[0])}
        case "gamma":
            listed["cv"] = sigma
        case "negative_binomial":
            listed["cv"] = sigma**-0.5
        case "beta_binomial":
            listed["precision"] = sigma
        case "ordered_beta":
            listed |= {"precision": sigma, "cut_floor": -psi[0], "cut_ceiling": psi[1]}
        case "poisson" if study.outcomes["y"].family.observation_effect:
            listed["sd_observation"] = found[0]["sd.observation"][0]
    return {name: np.asarray(float(value)) for name, value in listed.items()}


def ours(p, fixed):
    """R's fixed effects of a predictor as coefficients of ours: those of a spline by its levels at the knots."""
    if p.trajectory.kind != "spline":
        return fixed
    knots = ", ".join(map(str, p.trajectory.at))
    basis = p.trajectory.r_terms(f"c({knots})", 0)["changes"]
    rows = np.array(r.run(f"cat(sprintf('%.15g', t({basis})))").split(), dtype=float).reshape(len(p.trajectory.at), -1)
    return [fixed[0], *(rows @ fixed[1:])[1:]]


def laplace(study, cohort, values):
    """Our log density of all measurements, in outcome units, by Laplace's approximation as R does it: exact where
    normal.
    """
    truth = of_values({"y": values})
    truth = type(truth)(truth.outcomes, {}, patient_columns(study, cohort.covariates)).take(np.arange(1))
    total = 0.0
    for patient in range(len(cohort)):
        integral = Integral(study, cohort.only(patient), truth, ["y"])
        if not integral.effects:
            total += integral.log_value(2).item()
            continue
        mode = integral.mode()[0][0]
        height = integral._log_joint(mode[None, None, :]).item()
        total += height + len(mode) / 2 * LOG_2PI - np.linalg.slogdet(curvature(integral, mode))[1] / 2
    return total


def curvature(integral, mode, h=1e-3):
    """Minus the second derivatives of the log joint density, by central differences."""
    steps = h * np.eye(len(mode))
    moves = [mode + a * p + b * q for p in steps for q in steps for a in (1, -1) for b in (1, -1)]
    signs = np.array([1, -1, -1, 1])
    values = integral._log_joint(np.array(moves)[None])[0].reshape(len(mode), len(mode), 4)
    return -(values * signs).sum(axis=-1) / (4 * h**2)


def in_units(study, cohort, log_likelihood):
    """R's log density of what it was given -> of the measurements in the outcome's unit."""
    family, y = study.outcomes["y"].family, cohort.measurements["y"].value
    if family.link_name == "log" and family.normal:
        return log_likelihood - np.log(y[y > 0]).sum()
    if family.kind == "ordered_beta":
        inside = (y > family.lower) & (y < family.upper)
        return log_likelihood - inside.sum() * np.log(family.upper - family.lower)
    return log_likelihood


def compare(case, study, cohort, tmp_path):
    r.needed(*case.packages)
    path = tmp_path / "clean.csv"
    path.write_text(clean_csv(study, cohort), encoding="utf-8")
    line = likelihood(study, "y", cohort.earliest("y"))
    assert not line.startswith("no ")
    found = r.fitted(table(study, str(path)), line)
    theirs = in_units(study, cohort, sum(f["logLik"][0] for f in found))
    assert laplace(study, cohort, estimates(case, study, found)) == pytest.approx(theirs, abs=case.tolerance)


@pytest.mark.parametrize("case", CASES)
def test_the_printed_line_is_the_same_model(case, tmp_path):
    case = CASES[case]
    study = case.study()
    compare(case, study, simulate_scenario(study, "true", seed=8).cohort, tmp_path)


# --- tables as clinics keep them


def test_dates_maps_texts_and_levels_out_of_the_alphabet(tmp_path):
    """Simulated, typed as a clinic does, read: what R fits to the table that is written is the model of the study."""
    case = CASES["grades with covariates"]
    values = case.values.replace("sd_slope = 0.1, correlation = 0.2, ", "")
    case = replace(case, values=values, more=case.more + '\neffects = ["intercept"]')
    study = case.study()
    simulated = simulate_scenario(study, "true", seed=8).cohort
    texts = {0: "none", 1: "a little", 2: "much", 3: "all"}
    m, rows = simulated.measurements["y"], {}  # by patient and day: two visits may fall on one
    for n, (patient, week) in enumerate(zip(m.patient, m.time, strict=True)):
        start = date(2020, 1, 1) + timedelta(days=31 * int(patient))
        visit = start + timedelta(days=round(7 * week))
        arm = ("Plac.", "verum")[int(simulated.covariates["arm"][patient])]
        season = ("w", "s", "a")[int(m.covariates["season"][n])]
        rows[patient, visit] = f"{patient};{visit:%d.%m.%Y};{start:%d.%m.%Y};{arm};{season};{texts[int(m.value[n])]}"
    declared = study_text(case)
    declared = declared.replace('column = "week"', 'column = "seen", date = "DD.MM.YYYY", since = "begun"')
    declared = declared.replace(
        '["placebo", "active"]', '["placebo", "active"]\nmap = { "Plac." = "placebo", verum = "active" }'
    )
    declared = declared.replace(
        '["winter", "summer", "autumn"]',
        '["winter", "summer", "autumn"]\nmap = { w = "winter", s = "summer", a = "autumn" }',
    )
    typed = parse_study(declared.replace("[outcomes.y]", '[data]\ndelimiter = ";"\n\n[outcomes.y]'))
    path = tmp_path / "typed.csv"
    path.write_text("\n".join(["who;seen;begun;arm;season;score of y", *rows.values()]), encoding="utf-8")
    compare(case, typed, read_cohort(typed, path), tmp_path)


# --- brms: not compiled, but read


def test_brms_takes_every_line_and_sees_every_measurement(tmp_path):
    r.needed("brms")
    asked, expected = ["suppressMessages(library(brms))"], []
    for n, case in enumerate(CASES.values()):
        study = case.study()
        cohort = simulate_scenario(study, "true", seed=8).cohort
        line = brms(study, "y", cohort.earliest("y")).split("  # ")[0]
        if not line.startswith("no "):
            path = tmp_path / f"{n}.csv"
            path.write_text(clean_csv(study, cohort), encoding="utf-8")
            asked += [*table(study, str(path)), f"cat(make_standata({line}, data = d)$N, '')"]
            expected.append(len(cohort.measurements["y"]))
    assert [int(x) for x in r.run("\n".join(asked)).split()] == expected
    assert len(expected) > len(CASES) - 5


def test_brms_sees_what_is_known_of_censored_cells(tmp_path):
    r.needed("brms")
    study = replace(CASES["gaussian"], more='censoring = "as typed"').study()
    path = tmp_path / "typed.csv"
    path.write_text("who,week,score of y\nA,0,3.5\nA,1,<2\nB,0,>7\nB,1,2..4\nB,2,\n")
    (tmp_path / "clean.csv").write_text(clean_csv(study, read_cohort(study, path)), encoding="utf-8")
    read = table(study, str(tmp_path / "clean.csv"))
    asked = f"s <- make_standata({brms(study, 'y')}, data = d); cat(s$Y, s$cens, s$rcens)"
    found = r.run("\n".join(["suppressMessages(library(brms))", *read, asked]))
    assert [float(x) for x in found.split()] == [3.5, 2, 7, 2, 0, -1, 1, 2, 0, 0, 0, 4]
