"""One patient's likelihood, the effects integrated out: against a closed form, and against the cubature of SciPy."""

import numpy as np
import pytest
from scipy import stats

from bayesmyo.model.marginal import log_marginal
from bayesmyo.model.measured import visit_predictors
from bayesmyo.model.simulate import simulate
from bayesmyo.model.truth import OutcomeTruth, Truth, covariance, from_priors
from bayesmyo.model.visits import cells, trailing
from bayesmyo.study import parse_study
from bayesmyo.study.predictors import effects

HEAD = """
[study]
title = "T"
patient = "patient"
time = { column = "month", unit = "month", typical = 12 }
correlate = "across outcomes"
[design]
patients = 6
follow_up = { mean = 12, sd = 4, maximum = 20 }
visits = { first = [0, 1, 2, 3], then_every = 4 }
"""
GAUSSIAN = 'typical = 50\nscale = 10\nfamily = { kind = "gaussian" }'
COUNT = 'typical = 3\nscale = 2\nfamily = { kind = "negative_binomial" }'
SCORE = 'typical = 3.6\nscale = 0.7\nfamily = { kind = "ordered_beta", lower = 0, upper = 5 }'
YES = 'typical = 0.3\nscale = 0.2\nfamily = { kind = "bernoulli" }'
GRADE = 'scale = 1\nfamily = { kind = "cumulative", levels = ["none", "some", "all"], scores = [0, 1, 2], shares = [0.3, 0.4, 0.3] }'
DOSE = """typical = 40
scale = 2
family = { kind = "hurdle_lognormal" }
zero = { typical = 0.2, scale = 0.1, trajectory = { kind = "constant" }, correlate = true }"""


def study(**outcomes):
    """Outcomes by name: text of scale and family, and the effects."""
    text = HEAD
    for name, (family, listed) in outcomes.items():
        first, _, rest = family.partition("\nzero")
        text += f'[outcomes.{name}]\ncolumn = "{name}"\nunit = "u"\nbetter = "lower"\n{first}\n'
        text += f'trajectory = {{ kind = "linear" }}\neffects = {listed}\n' + (f"zero{rest}\n" if rest else "")
    parsed = parse_study(text)
    values = from_priors(parsed, np.random.default_rng(5))
    return parsed, values


def cohort_of(parsed, truth):
    return simulate(parsed, truth, np.random.default_rng(11), 6).cohort


def test_gaussian_equals_the_multivariate_normal():
    parsed, truth = study(power=(GAUSSIAN, '["intercept", "slope"]'), strength=(GAUSSIAN, '["intercept", "slope"]'))
    cohort = cohort_of(parsed, truth)
    listed = [e for name in parsed.outcomes for e in effects(parsed, name)]
    between = covariance(parsed, truth, listed)
    for patient in range(3):
        times = [cohort.only(patient).measurements[n].time for n in parsed.outcomes]
        z = np.zeros((sum(map(len, times)), 4))
        z[: len(times[0]), :2] = np.stack([np.ones_like(times[0]), times[0]], axis=1)
        z[len(times[0]) :, 2:] = np.stack([np.ones_like(times[1]), times[1]], axis=1)
        values = [truth.outcomes[n].values for n in parsed.outcomes]
        mean = np.concatenate([v["intercept"] + v["slope"] * t for v, t in zip(values, times, strict=True)])
        noise = np.concatenate([np.full(len(t), v["sigma"] ** 2) for v, t in zip(values, times, strict=True)])
        y = np.concatenate([cohort.only(patient).measurements[n].value for n in parsed.outcomes])
        exact = stats.multivariate_normal(mean, z @ between @ z.T + np.diag(noise)).logpdf(y)
        assert log_marginal(parsed, cohort, truth, patient) == pytest.approx(exact, abs=1e-6)


CASES = {
    "count": {"falls": (COUNT, '["intercept", "slope"]')},
    "score": {"mrc": (SCORE, '["intercept", "slope"]')},
    "yes or no": {"able": (YES, '["intercept", "slope"]')},
    "grades": {"pain": (GRADE, '["intercept", "slope"]')},
    "two outcomes": {"falls": (COUNT, '["intercept"]'), "power": (GAUSSIAN, '["intercept"]')},
    "hurdle": {"dose": (DOSE, '["intercept"]')},
}


@pytest.mark.parametrize("case", CASES)
def test_others_equal_cubature(case):
    parsed, truth = study(**CASES[case])
    cohort = cohort_of(parsed, truth)
    listed = [e for name in parsed.outcomes for e in effects(parsed, name)]
    factor = np.linalg.cholesky(covariance(parsed, truth, listed))
    assert len(listed) == 2

    def integrand(z, patient):
        """(point,) the density of the patient's measurements and standardised effects; z: (point, 2)."""
        b = np.asarray(z) @ factor.T
        total = stats.norm.logpdf(z).sum(axis=-1)
        own = cohort.only(patient)
        for name in parsed.outcomes:
            moved = {e.key: np.repeat(b[:, i, None], 6, axis=1) for i, e in enumerate(listed) if e.outcome == name}
            values = {k: np.broadcast_to(v, len(b)) for k, v in truth.outcomes[name].values.items()}
            whole = Truth({name: OutcomeTruth(values, moved)})
            etas = visit_predictors(parsed, whole, name, own.measurements[name])
            family = parsed.outcomes[name].family
            total = total + family.log_density(
                cells(parsed.outcomes[name], own.measurements[name]), etas, trailing(values)
            ).sum(axis=-1)
        return total

    for patient in range(3):
        grid = np.linspace(-9, 9, 361)
        x, y = (a.ravel() for a in np.meshgrid(grid, grid))
        heights = integrand(np.stack([x, y], axis=1), patient)
        peak = heights.max()
        exact = peak + np.log(np.exp(heights - peak).sum() * (grid[1] - grid[0]) ** 2)
        assert log_marginal(parsed, cohort, truth, patient) == pytest.approx(exact, abs=0.02)
        assert log_marginal(parsed, cohort, truth, patient, points=2048) == pytest.approx(exact, abs=0.005)


def test_covariates_and_exposure_move_the_mean():
    """A moderated change, and a count per exposure without effects, in closed form."""
    text = (
        HEAD
        + """
[covariates.group]
levels = ["A", "B"]
[covariates.warm]
varies = "visits"
levels = ["no", "yes"]
[outcomes.power]
column = "power"
unit = "u"
better = "higher"
typical = 50
scale = 10
family = { kind = "gaussian" }
trajectory = { kind = "linear" }
effects = ["intercept"]
covariates = ["warm"]
moderators = ["group"]
[outcomes.falls]
column = "falls"
unit = "falls"
better = "lower"
typical = 2
scale = 2
exposure = "weeks"
family = { kind = "poisson" }
trajectory = { kind = "constant" }
effects = []
"""
    )
    parsed = parse_study(text.replace("[design]", "[design]\nexposure = { weeks = 4 }"))
    truth = from_priors(parsed, np.random.default_rng(5))
    simulated = simulate(parsed, truth, np.random.default_rng(11), 6)
    cohort, known = simulated.cohort, simulated.truth
    v, rate = known.outcomes["power"].values, float(known.outcomes["falls"].values["intercept"])
    for patient in range(3):
        m, falls = (cohort.only(patient).measurements[n] for n in ("power", "falls"))
        slope = v["slope"] + v["slope_group_b"] * known.covariates["group_b"][patient]
        mean = v["intercept"] + slope * m.time + v["warm_yes"] * m.covariates["warm"]
        within = v["sd_intercept"] ** 2 * np.ones((len(m), len(m))) + v["sigma"] ** 2 * np.eye(len(m))
        exact = stats.multivariate_normal(mean, within).logpdf(m.value)
        exact += stats.poisson(falls.exposure * np.exp(rate)).logpmf(falls.value).sum()
        assert log_marginal(parsed, cohort, known, patient) == pytest.approx(exact, abs=1e-6)
