"""Where the model is the true one, no check complains, whatever the family."""

import pytest

from tests.assess.checks.conftest import GAUSSIAN, GAUSSIAN_TRUTH, PLATEAU, PLATEAU_TRUTH, failing, true_fit

LINE = 'trajectory = { kind = "linear" }\neffects = ["intercept"]'
POSITIVE = "intercept = 800\nslope = 0.95\nsd_intercept = 0.8\n"
COUNTS = "intercept = 3\nslope = 0.97\nsd_intercept = 0.5\n"
SCORE = "intercept = 3.5\nslope = 0.05\nsd_intercept = 1\n"
HURDLE = '\n[outcomes.y.zero]\ntypical = 0.2\nscale = 0.1\ntrajectory = { kind = "constant" }'
FAMILIES = {
    "gaussian": (GAUSSIAN, GAUSSIAN_TRUTH),
    "plateau": (PLATEAU, PLATEAU_TRUTH),
    "censored": (GAUSSIAN + "\ncensoring = { above = 60, below = 35 }", GAUSSIAN_TRUTH),
    "student_t": (GAUSSIAN.replace("gaussian", "student_t"), GAUSSIAN_TRUTH + "\nnu = 4"),
    "lognormal": (f'typical = 800\nscale = 2.5\nfamily = {{ kind = "lognormal" }}\n{LINE}', POSITIVE + "sigma = 0.4"),
    "gamma": (f'typical = 800\nscale = 2.5\nfamily = {{ kind = "gamma" }}\n{LINE}', POSITIVE + "cv = 0.4"),
    "hurdle_lognormal": (
        f'typical = 800\nscale = 2.5\nfamily = {{ kind = "hurdle_lognormal" }}\n{LINE}{HURDLE}',
        POSITIVE + "sigma = 0.4\nzero_intercept = 0.2\nsd_zero_intercept = 1",
    ),
    "poisson": (f'typical = 3\nscale = 2\nfamily = {{ kind = "poisson" }}\n{LINE}', COUNTS),
    "negative_binomial": (
        f'typical = 3\nscale = 2\nfamily = {{ kind = "negative_binomial" }}\n{LINE}',
        COUNTS + "cv = 0.5",
    ),
    "beta_binomial": (
        f'typical = 3\nscale = 1\nfamily = {{ kind = "beta_binomial", trials = 5 }}\n{LINE}',
        SCORE + "precision = 20",
    ),
    "ordered_beta": (
        f'typical = 3\nscale = 1\nfamily = {{ kind = "ordered_beta", lower = 0, upper = 5 }}\n{LINE}',
        SCORE + "precision = 20\ncut_floor = 2\ncut_ceiling = 2",
    ),
    "cumulative": (
        f'scale = 2\nfamily = {{ kind = "cumulative", coding = "mrc" }}\n{LINE}',
        "slope = 0.1\nsd_intercept = 1.5\nthreshold_1 = -5\nthreshold_2 = -3\nthreshold_3 = -1.5\nthreshold_4 = 0\n"
        "threshold_5 = 1.5",
    ),
    "bernoulli": (
        f'typical = 0.4\nscale = 0.2\nfamily = {{ kind = "bernoulli" }}\n{LINE}',
        "intercept = 0.4\nslope = 0.05\nsd_intercept = 1",
    ),
}


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("seed", [3, 4])
def test_no_check_complains_of_the_true_model(family, seed):
    assert failing(true_fit(*FAMILIES[family], seed=seed)) == {}
