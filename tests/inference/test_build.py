"""The model's log density against densities written by hand with SciPy, at random points."""

import numpy as np
import pytest
from pymc.model.transform.conditioning import remove_value_transforms
from scipy import stats

from bayesmyo.cohort.read import cohort_of
from bayesmyo.cohort.table import parse_table
from bayesmyo.inference.build import build
from bayesmyo.study import parse_study

HEAD = '[study]\ntitle = "T"\npatient = "p"\ntime = { column = "t", unit = "month", typical = 12 }\n'
OUTCOME = '[outcomes.y]\ncolumn = "y"\nunit = "u"\nbetter = "higher"\n'
GAUSSIAN_LINEAR = OUTCOME + (
    'typical = 5\nscale = 2\nfamily = { kind = "gaussian" }\ntrajectory = { kind = "linear", origin = 1 }\n'
)
STUDENT_LINEAR = GAUSSIAN_LINEAR.replace("gaussian", "student_t")
LOGNORMAL_PLATEAU = OUTCOME + (
    'typical = 100\nscale = 2\nfamily = { kind = "lognormal" }\ntrajectory = { kind = "plateau" }\ncensoring = "as '
    'typed"\n'
)
ROWS = "p,t,y\na,0,{}\na,1,{}\na,3,{}\nb,0,{}\nb,2,{}\nc,0,{}\n"
MEASURED = ROWS.format(4.1, 5.2, 6.6, 3.0, 5.5, 7.1)
CENSORED = ROWS.format("<20", 80, 70, 120, ">500", 60)
T = np.array([0, 1, 3, 0, 2, 0.0])
PATIENT = np.array([0, 0, 0, 1, 1, 2])


def model_of(outcome, rows, how, correlate="within outcomes"):
    study = parse_study(HEAD + f'correlate = "{correlate}"\n' + outcome + f'parameterisation = "{how}"\n')
    cohort = cohort_of(study, parse_table(rows.encode(), "t.csv", study.data))
    return remove_value_transforms(build(study, cohort).pymc)


def log_density(model, point):
    """The joint log density on the natural scale, terms of the model summed."""
    names = {v.name for v in model.value_vars}
    return float(
        model.compile_logp(jacobian=False, mode="FAST_COMPILE")({k: v for k, v in point.items() if k in names})
    )


def lkj(r):
    """LKJ(2) of one correlation, as the density of the Beta variable that is sampled."""
    return stats.beta(2, 2).logpdf((r + 1) / 2)


def linear_point(rng):
    v = {"y.intercept": 4.5, "y.slope": 0.3, "y.sd_intercept": 1.1, "y.sd_slope": 0.2, "y.sigma": 0.6, "y.nu": 5.0}
    return {k: np.asarray(x) for k, x in v.items()} | {
        "y.correlation_half": np.asarray(0.7),
        "y.raw_intercept": rng.normal(4.5, 1, 3),
        "y.raw_slope": rng.normal(0.3, 0.2, 3),
    }


def linear_priors(p):
    spread, r = 2.0, 2 * float(p["y.correlation_half"]) - 1
    return (
        stats.norm(5, spread).logpdf(p["y.intercept"])
        + stats.norm(0, 2 * spread / 12).logpdf(p["y.slope"])
        + stats.halfnorm(0, spread).logpdf(p["y.sd_intercept"])
        + stats.halfnorm(0, spread / 12).logpdf(p["y.sd_slope"])
        + stats.halfnorm(0, spread / 2).logpdf(p["y.sigma"])
        + lkj(r)
    )


def covariance(p):
    s, r = np.array([p["y.sd_intercept"], p["y.sd_slope"]], dtype=float), 2 * float(p["y.correlation_half"]) - 1
    return np.diag(s) @ np.array([[1, r], [r, 1]]) @ np.diag(s)


def test_integrated_gaussian_is_the_multivariate_normal(rng):
    p = linear_point(rng)
    y = np.array([4.1, 5.2, 6.6, 3.0, 5.5, 7.1])
    truth = linear_priors(p)
    for i in range(3):
        mine = i == PATIENT
        z = np.stack([np.ones(mine.sum()), T[mine] - 1], axis=1)
        v = z @ covariance(p) @ z.T + p["y.sigma"] ** 2 * np.eye(mine.sum())
        truth += stats.multivariate_normal(z @ [p["y.intercept"], p["y.slope"]], v).logpdf(y[mine])
    assert log_density(model_of(GAUSSIAN_LINEAR, MEASURED, "integrated"), p) == pytest.approx(truth, abs=1e-7)


def test_centred_gaussian_is_the_joint_density_of_effects_and_measurements(rng):
    p = linear_point(rng)
    y = np.array([4.1, 5.2, 6.6, 3.0, 5.5, 7.1])
    own = np.stack([p["y.raw_intercept"], p["y.raw_slope"]], axis=1)
    truth = linear_priors(p)
    truth += stats.multivariate_normal([p["y.intercept"], p["y.slope"]], covariance(p)).logpdf(own).sum()
    truth += stats.norm(own[PATIENT, 0] + own[PATIENT, 1] * (T - 1), p["y.sigma"]).logpdf(y).sum()
    assert log_density(model_of(GAUSSIAN_LINEAR, MEASURED, "centred"), p) == pytest.approx(truth, abs=1e-7)


def test_non_centred_student_t_scales_standard_effects(rng):
    p = linear_point(rng) | {"y.raw_intercept": rng.normal(size=3), "y.raw_slope": rng.normal(size=3)}
    y = np.array([4.1, 5.2, 6.6, 3.0, 5.5, 7.1])
    chol = np.linalg.cholesky(covariance(p))
    own = [p["y.intercept"], p["y.slope"]] + np.stack([p["y.raw_intercept"], p["y.raw_slope"]], axis=1) @ chol.T
    truth = linear_priors(p) + stats.gamma(2, scale=10).logpdf(p["y.nu"])
    truth += stats.norm.logpdf(p["y.raw_intercept"]).sum() + stats.norm.logpdf(p["y.raw_slope"]).sum()
    truth += stats.t(p["y.nu"], own[PATIENT, 0] + own[PATIENT, 1] * (T - 1), p["y.sigma"]).logpdf(y).sum()
    assert log_density(model_of(STUDENT_LINEAR, MEASURED, "non-centred"), p) == pytest.approx(truth, abs=1e-7)


def plateau_point(rng):
    v = {
        "y.start": 4.4,
        "y.asymptote": 3.5,
        "y.half_time": 2.0,
        "y.sd_start": 0.5,
        "y.sd_asymptote": 0.4,
        "y.sigma": 0.3,
    }
    return {k: np.asarray(x) for k, x in v.items()} | {
        "y.raw_start": rng.normal(4.4, 0.4, 3),
        "y.raw_asymptote": rng.normal(3.5, 0.4, 3),
        "y.beyond": np.array([0.4, 0.2]),
    }


def plateau_priors(p):
    s, m = np.log(2), np.log(100)
    return (
        stats.norm(m, s).logpdf(p["y.start"])
        + stats.norm(m, 2 * s).logpdf(p["y.asymptote"])
        + stats.lognorm(0.5, scale=3).logpdf(p["y.half_time"])
        + stats.halfnorm(0, s).logpdf(p["y.sd_start"])
        + stats.halfnorm(0, s).logpdf(p["y.sd_asymptote"])
        + stats.halfnorm(0, s / 2).logpdf(p["y.sigma"])
    )


LOG_VALUES = np.log([20, 80, 70, 120, 500, 60.0])


def test_centred_lognormal_plateau_counts_censored_cells_by_their_tail(rng):
    p = plateau_point(rng)
    start, asymptote = p["y.raw_start"][PATIENT], p["y.raw_asymptote"][PATIENT]
    eta = asymptote + (start - asymptote) * 0.5 ** (T / p["y.half_time"])
    d = stats.norm(eta, p["y.sigma"])
    likelihood = d.logpdf(LOG_VALUES)
    likelihood[0], likelihood[4] = d.logcdf(LOG_VALUES)[0], d.logsf(LOG_VALUES)[4]
    truth = plateau_priors(p) + likelihood.sum()
    truth += stats.norm(p["y.start"], p["y.sd_start"]).logpdf(p["y.raw_start"]).sum()
    truth += stats.norm(p["y.asymptote"], p["y.sd_asymptote"]).logpdf(p["y.raw_asymptote"]).sum()
    model = model_of(LOGNORMAL_PLATEAU, CENSORED, "centred", correlate="none")
    assert log_density(model, p) == pytest.approx(truth, abs=1e-7)


def test_integrated_lognormal_plateau_has_the_true_values_of_censored_cells_as_parameters(rng):
    p = plateau_point(rng)
    y = LOG_VALUES.copy()
    y[0] -= p["y.beyond"][0]
    y[4] += p["y.beyond"][1]
    truth = plateau_priors(p)
    for i in range(3):
        mine = i == PATIENT
        decay = 0.5 ** (T[mine] / p["y.half_time"])
        z = np.stack([decay, 1 - decay], axis=1)
        v = z @ np.diag([p["y.sd_start"] ** 2, p["y.sd_asymptote"] ** 2]) @ z.T + p["y.sigma"] ** 2 * np.eye(mine.sum())
        truth += stats.multivariate_normal(z @ [p["y.start"], p["y.asymptote"]], v).logpdf(y[mine])
    model = model_of(LOGNORMAL_PLATEAU, CENSORED, "integrated", correlate="none")
    assert log_density(model, p) == pytest.approx(truth, abs=1e-7)
