"""The log density of models with censored cells and with covariates that are missing, against SciPy."""

import numpy as np
import pytest
from scipy import integrate, stats

from tests.inference.density import HEAD, STANDARD, WHO, Density, T, draw, half, normal, rows, total

Y = (
    '[outcomes.y]\ncolumn = "y"\nunit = "u"\nbetter = "higher"\ntypical = 5\nscale = 2\n'
    'family = { kind = "gaussian" }\ntrajectory = { kind = "linear" }\neffects = ["intercept"]\n'
)
AS_TYPED = 'censoring = "as typed"\n'
LINE = {
    "y.intercept": stats.norm(5, 2),
    "y.slope": stats.norm(0, 4 / 12),
    "y.sd_intercept": half(2),
    "y.sigma": half(1),
}


def line(p):
    return p["y.intercept"] + p["y.slope"] * T


def one_effect(p, y, mean):
    """Log density of all patients' cells where only the intercept differs between them."""
    v = p["y.sd_intercept"] ** 2 + p["y.sigma"] ** 2 * np.eye(3)
    return sum(normal(mean[i == WHO], v, y[i == WHO]) for i in range(3))


# --- limits and intervals

TYPED = ["<3", "4..6", 6.6, 3.0, ">7", 5.5, "2.5..9", 4.4, "≤5"]
LOW = np.array([-np.inf, 4, 6.6, 3, 7, 5.5, 2.5, 4.4, -np.inf])
HIGH = np.array([3, 6, 6.6, 3, np.inf, 5.5, 9, 4.4, 5])


@pytest.mark.parametrize("how", ["centred", "non-centred"])
def test_a_censored_cell_counts_with_the_probability_of_lying_between_its_limits(rng, how):
    density = Density(HEAD + Y + AS_TYPED + f'parameterisation = "{how}"\n', rows(y=TYPED))
    p = draw(rng, LINE)
    z = rng.normal(size=3)
    b = p["y.sd_intercept"] * z
    d = stats.norm(line(p) + b[WHO], p["y.sigma"])
    with np.errstate(divide="ignore"):
        truth = np.where(LOW == HIGH, d.logpdf(np.where(LOW == HIGH, LOW, 0)), np.log(d.cdf(HIGH) - d.cdf(LOW))).sum()
    centred = stats.norm(0, p["y.sd_intercept"]).logpdf(b).sum()
    truth += total(LINE, p) + (centred if how == "centred" else STANDARD.logpdf(z).sum())
    p["y.raw_intercept"] = p["y.intercept"] + b if how == "centred" else z
    assert density(p) == pytest.approx(truth, rel=1e-9, abs=1e-7)


def test_integrated_the_true_values_beyond_and_between_limits_are_parameters(rng):
    density = Density(HEAD + Y + AS_TYPED + 'parameterisation = "integrated"\n', rows(y=TYPED))
    p = draw(rng, LINE)
    truth = total(LINE, p)
    p |= {"y.beyond": np.array([0.3, 1.5, 0.8]), "y.between": np.array([0.25, 0.9])}
    y = np.array([3 - 0.3, 4 + 0.25 * 2, 6.6, 3, 7 + 1.5, 5.5, 2.5 + 0.9 * 6.5, 4.4, 5 - 0.8])
    assert density(p) == pytest.approx(truth + one_effect(p, y, line(p)), rel=1e-9, abs=1e-7)


@pytest.mark.parametrize(("cell", "name", "ends"), [("4..6", "y.between", (0, 1)), ("<3", "y.beyond", (0, 30))])
def test_integrated_over_the_true_value_it_is_the_probability_of_the_cell(rng, cell, name, ends):
    """But for the width of an interval, which is data."""
    y = [cell, 5.2, 6.6, 3.0, 5.5, 7.1, 6.0, 4.4, 5.0]
    density = Density(HEAD + Y + AS_TYPED + 'parameterisation = "integrated"\n', rows(y=y))
    p = {
        k: np.asarray(x) for k, x in {"y.intercept": 5.0, "y.slope": 0.1, "y.sd_intercept": 1.2, "y.sigma": 0.7}.items()
    }
    seen = np.array([0, *y[1:]], dtype=float)
    v = 1.2**2 + 0.7**2 * np.eye(3)
    rest = normal(line(p)[1:3], v[1:, 1:], seen[1:3])
    gain = v[0, 1:] @ np.linalg.inv(v[1:, 1:])
    first = stats.norm(5 + gain @ (seen[1:3] - line(p)[1:3]), np.sqrt(v[0, 0] - gain @ v[1:, 0]))
    chance = (first.cdf(6) - first.cdf(4)) / 2 if name == "y.between" else first.cdf(3)
    others = sum(normal(line(p)[i == WHO], v, seen[i == WHO]) for i in (1, 2))
    found, _ = integrate.quad(
        lambda x: np.exp(density(p | {name: np.array([x])}) - total(LINE, p) - rest - others), *ends
    )
    assert found == pytest.approx(chance, rel=1e-6)


@pytest.mark.parametrize("how", ["integrated", "centred"])
def test_a_value_at_a_declared_limit_lies_at_or_beyond_it(rng, how):
    limits = f'censoring = {{ below = 3, above = 7 }}\nparameterisation = "{how}"\n'
    measured = [3, 5.2, 6.6, 3.5, 7, 5.5, 6, 4.4, 7]
    density = Density(HEAD + Y + limits, rows(y=measured))
    p = draw(rng, LINE)
    truth, y = total(LINE, p), np.array(measured, dtype=float)
    if how == "integrated":
        p["y.beyond"] = np.array([0.4, 0.1, 2.0])
        y[[0, 4, 8]] += [-0.4, 0.1, 2.0]
        truth += one_effect(p, y, line(p))
    else:
        b = p["y.sd_intercept"] * rng.normal(size=3)
        d = stats.norm(line(p) + b[WHO], p["y.sigma"])
        truth += np.where(y == 3, d.logcdf(3), np.where(y == 7, d.logsf(7), d.logpdf(y))).sum()
        truth += stats.norm(0, p["y.sd_intercept"]).logpdf(b).sum()
        p["y.raw_intercept"] = p["y.intercept"] + b
    assert density(p) == pytest.approx(truth, rel=1e-9, abs=1e-7)


# --- a covariate that some patients do not have

AGE = '[covariates.age]\ntypical = 50\nscale = 10\nmissing = "imputed"\n'
MEASURED = np.array([4.1, 5.2, 6.6, 3.0, 5.5, 7.1, 6.0, 4.4, 5.0])
SHIFTED = LINE | {
    "y.age": stats.norm(0, 2),
    "y.slope_age": stats.norm(0, 2 / 12),
    "covariates.age.mean": stats.norm(0, 1),
    "covariates.age.sd": half(1),
}


@pytest.mark.parametrize("how", ["integrated", "centred", "non-centred"])
def test_a_missing_covariate_is_a_parameter_with_a_distribution_of_its_own(rng, how):
    text = Y + f'covariates = ["age"]\nmoderators = ["age"]\nparameterisation = "{how}"\n'
    age = np.array([38, "", 61], dtype=object)[WHO]
    density = Density(HEAD + AGE + text, rows(y=MEASURED, age=age))
    for _ in range(2):
        p = draw(rng, SHIFTED)
        truth = total(SHIFTED, p)
        among = stats.norm(p["covariates.age.mean"], p["covariates.age.sd"])
        x = np.array([-1.2, among.rvs(random_state=rng), 1.1])
        truth += among.logpdf(x).sum()
        p["covariates.age.imputed"] = x[[1]]
        level = p["y.intercept"] + p["y.age"] * x
        mean = (level + 0)[WHO] + (p["y.slope"] + p["y.slope_age"] * x)[WHO] * T
        if how == "integrated":
            truth += one_effect(p, MEASURED, mean)
        else:
            z = rng.normal(size=3)
            b = p["y.sd_intercept"] * z
            truth += stats.norm(mean + b[WHO], p["y.sigma"]).logpdf(MEASURED).sum()
            centred = stats.norm(0, p["y.sd_intercept"]).logpdf(b).sum()
            truth += centred if how == "centred" else STANDARD.logpdf(z).sum()
            p["y.raw_intercept"] = level + b if how == "centred" else z
        assert density(p) == pytest.approx(truth, rel=1e-9, abs=1e-7)


def test_an_imputed_covariate_is_imputed_within_a_product(rng):
    sex = '[covariates.sex]\nlevels = ["f", "m"]\n[covariates.age_sex]\nproduct = ["age", "sex"]\n'
    text = Y + 'covariates = ["age_sex"]\nparameterisation = "integrated"\n'
    age, male = np.array([38, "", 61], dtype=object)[WHO], np.array(["f", "m", "m"])[WHO]
    density = Density(HEAD + AGE + sex + text, rows(y=MEASURED, age=age, sex=male))
    priors = {k: d for k, d in SHIFTED.items() if k not in ("y.age", "y.slope_age")} | {"y.age_sex": stats.norm(0, 2)}
    p = draw(rng, priors)
    truth = total(priors, p)
    among = stats.norm(p["covariates.age.mean"], p["covariates.age.sd"])
    p["covariates.age.imputed"] = np.array([0.4])
    truth += among.logpdf([-1.2, 0.4, 1.1]).sum()
    mean = line(p) + p["y.age_sex"] * np.array([0, 0.4, 1.1])[WHO]
    assert density(p) == pytest.approx(truth + one_effect(p, MEASURED, mean), rel=1e-9, abs=1e-7)
