"""The printed lines of R, run by R on the table that was written: its likelihood at its estimates is ours at the same numbers.

`uv run pytest -m oracle tests/study/test_oracle_r.py`, with Debian's r-cran-lme4, r-cran-nlme, r-cran-glmmtmb and r-cran-ordinal.
"""

from dataclasses import dataclass, field

import numpy as np
import pytest

from bayesmyo.cohort import clean_csv
from bayesmyo.cohort.simulate import simulate_scenario
from bayesmyo.cohort.truth import of_values, patient_columns
from bayesmyo.model.marginal import LOG_2PI, _Integral
from bayesmyo.study import parse_study
from bayesmyo.study.in_r import likelihood, table
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
        return parse_study(STUDY.format(**self.__dict__))


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
    "ordered_beta": Case(
        RANGE,
        LINE,
        "intercept = 3, slope = 0.05, sd_intercept = 1, sd_slope = 0.05, correlation = 0.2, precision = 10, cut_floor = 2.5, cut_ceiling = 2.5",
        TWO,
        "typical = 3\nscale = 1",
        packages=("glmmTMB",),
    ),
}


def estimates(case, study, found):
    """R's estimates as ours, by name."""
    listed = {}
    for p, f, names in zip(predictors(study, "y"), found, (case.fixed, case.zero), strict=False):
        listed |= dict(zip(names, f["fixed"], strict=True))
        listed |= {f"sd_{e.key}": sd for e, sd in zip(p.effects, f["sd.who"], strict=True)}
        listed |= {f"threshold_{k}": v for k, v in enumerate(f["thresholds"], 1)}
    pairs = [pair.name for b in blocks(study) for pair in b.pairs()]
    listed |= dict(zip(pairs, [c for f in found for c in f["correlation"]], strict=True))
    sigma, psi = (found[0]["sigma"] or [np.nan])[0], found[0]["psi"]
    kind = study.outcomes["y"].family.kind
    match kind:
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


def laplace(study, cohort, values):
    """Our log density of all measurements, in outcome units, by Laplace's approximation as R does it: exact where normal."""
    truth = of_values({"y": values})
    truth = type(truth)(truth.outcomes, {}, patient_columns(study, cohort.covariates)).take(np.arange(1))
    total = 0.0
    for patient in range(len(cohort)):
        integral = _Integral(study, cohort.only(patient), truth, ["y"])
        if not integral.effects:
            total += integral.log_value(2).item()
            continue
        mode = integral._mode()[0][0]
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
