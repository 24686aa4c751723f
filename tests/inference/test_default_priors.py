"""What default priors do to a difference between groups in yes or no: by quadrature, apart from the model, and
sampled.
"""

import csv

import numpy as np
import pytest
from scipy import optimize, special, stats

from bayesmyo.cohort import read_cohort
from bayesmyo.inference.engines import Sampling
from bayesmyo.inference.fit import fit
from bayesmyo.study import parse_study, read_study
from bayesmyo.study.parameters import parameters
from tests.conftest import ROOT

CASE = ROOT.parent / "shared" / "cases" / "binary_trial_default_prior"
needs_shared = pytest.mark.skipif(not CASE.is_dir(), reason="the trial is not here (GPL data, not copied)")
NAMES = ("intercept", "slope", "treatment_treatment", "centre_2", "sd_intercept")
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(30)
WEIGHTS = WEIGHTS / WEIGHTS.sum()


class Exact:
    """A logistic model with patients' own intercepts: quadrature over patients, importance sampling over parameters.

    Visits at months 1 to 4, of which 1 is the origin. Parameters are as in NAMES, but for the log of the SD between
    patients.
    """

    def __init__(self):
        rows = csv.DictReader((CASE / "table.csv").read_text().splitlines())
        patients = {}
        for r in rows:
            group = (r["treatment"] == "treatment", r["centre"] == "2")
            patients.setdefault((r["subject"], *group), []).append((int(r["month"]), r["status"] == "good"))
        answers = [(*key[1:], *(good for _, good in sorted(visits))) for key, visits in patients.items()]
        assert all(len(a) == 6 for a in answers)
        distinct, self.count = np.unique(np.array(answers, dtype=float), axis=0, return_counts=True)
        self.group, self.good = distinct[:, :2], distinct[:, 2:]
        self.centre_2 = float(self.count @ self.group[:, 1] / self.count.sum())

    def log_likelihood(self, x):
        """x: (draw, parameter) -> (draw,)."""
        eta = x[:, 0, None, None] + x[:, 1, None, None] * np.arange(4.0) + (x[:, 2:4] @ self.group.T)[:, :, None]
        sign, spread = 2 * self.good - 1, np.exp(x[:, 4, None, None])
        one = [special.log_expit(sign * (eta + spread * z)).sum(-1) for z in NODES]
        return special.logsumexp(np.array(one), axis=0, b=WEIGHTS[:, None, None]) @ self.count

    def log_posterior(self, x, priors):
        """priors: (mean, SD) of each parameter's, those of an SD half-normal."""
        values, at = np.column_stack([x[:, :4], np.exp(x[:, 4])]), np.array([priors[n] for n in NAMES])
        return self.log_likelihood(x) + stats.norm.logpdf(values, at[:, 0], at[:, 1]).sum(-1) + x[:, 4]

    def level(self, x, treated):
        """The probability at month 4, over all patients who could be drawn, in either centre as the trial had them."""
        values, spread = 0.0, np.exp(x[:, 4])
        for centre, share in ((0, 1 - self.centre_2), (1, self.centre_2)):
            eta = x[:, 0] + 3 * x[:, 1] + treated * x[:, 2] + centre * x[:, 3]
            values += share * sum(w * special.expit(eta + spread * z) for z, w in zip(NODES, WEIGHTS, strict=True))
        return values

    def posterior(self, priors, draws=3000, seed=7):
        """Mean and SD of the contrast and of the log odds ratio."""
        start = np.array([-1.0, 0.0, 2.0, 2.0, 1.0])
        mode = optimize.minimize(lambda x: -self.log_posterior(x[None], priors)[0], start)
        factor = 1.1 * np.linalg.cholesky(mode.hess_inv)
        rng = np.random.default_rng(seed)
        t = rng.standard_normal((draws, 5)) / np.sqrt(rng.chisquare(7, (draws, 1)) / 7)
        x = mode.x + t @ factor.T
        proposal = stats.multivariate_t.logpdf(x, mode.x, factor @ factor.T, df=7)
        weight = special.softmax(self.log_posterior(x, priors) - proposal)
        assert 1 / (weight**2).sum() > draws / 4
        numbers = {"contrast": self.level(x, 1) - self.level(x, 0), "log odds ratio": x[:, 2]}
        means = {name: weight @ v for name, v in numbers.items()}
        return {name: (means[name], np.sqrt(weight @ (v - means[name]) ** 2)) for name, v in numbers.items()}


@pytest.fixture(scope="module")
def exact():
    return Exact()


def stated(study, times=1.0):
    """(mean, SD) of every prior of the study, the SDs multiplied by a number."""
    values = {n: p.prior.values for n, p in parameters(study, "good").items()}
    return {n: (v[0] if len(v) == 2 else 0.0, v[-1] * times) for n, v in values.items()}


@needs_shared
def test_default_priors_leave_a_trial_of_111_patients_what_it_found(exact):
    study = read_study(CASE / "study.toml")
    default, flat = exact.posterior(stated(study))["contrast"], exact.posterior(stated(study, 10))["contrast"]
    assert abs(default[0] - flat[0]) < 0.25 * flat[1]
    assert default[0] == pytest.approx(0.24, abs=0.25 * default[1])  # the GEE estimate


@needs_shared
def test_a_prior_as_narrow_as_the_spread_between_patients_would_not(exact):
    """The test above can fail: this was the default."""
    study = read_study(CASE / "study.toml")
    before = stated(study) | dict.fromkeys(("intercept", "treatment_treatment", "centre_2"), (0.0, 1.0))
    narrow, flat = exact.posterior(before)["contrast"], exact.posterior(stated(study, 10))["contrast"]
    assert narrow[0] < flat[0] - 0.75 * flat[1]


@needs_shared
@pytest.mark.sampling
def test_the_trial_is_the_exact_posterior_under_the_default_priors(exact):
    study = read_study(CASE / "study.toml")
    found = fit(study, read_cohort(study, CASE / "table.csv"), seed=11, sampling=Sampling(draws=1500))
    drawn = {
        "contrast": found.estimands["diff4"],
        "log odds ratio": found.group("posterior")["good.treatment_treatment"].values,
    }
    for name, (mean, sd) in exact.posterior(stated(study)).items():
        assert drawn[name].mean() == pytest.approx(mean, abs=0.1 * sd), name
        assert drawn[name].std() == pytest.approx(sd, rel=0.1), name


SEPARATED = """
[study]
title = "All of one group, none of the other"
patient = "id"
time = { column = "month", unit = "month", typical = 12 }
[covariates.arm]
levels = ["a", "b"]
[outcomes.y]
column = "y"
unit = "yes"
better = "higher"
typical = 0.5
scale = 0.2
family = { kind = "bernoulli" }
trajectory = { kind = "constant" }
covariates = ["arm"]
[estimands.difference]
kind = "level"
outcome = "y"
at = 6
contrast = { covariate = "arm", level = "b", reference = "a" }
"""


@pytest.mark.sampling
def test_a_group_without_any_and_one_with_all_are_far_apart_and_finite(tmp_path):
    """Ten patients, four visits each: the likelihood rises without end, and the prior says where the odds ratio
    stops.
    """
    table = tmp_path / "table.csv"
    rows = [f"{p},{m},{'ab'[p % 2]},{p % 2}" for p in range(10) for m in (0, 3, 6, 12)]
    table.write_text("\n".join(["id,month,arm,y", *rows]))
    study = parse_study(SEPARATED)
    found = fit(study, read_cohort(study, table), seed=11, sampling=Sampling(chains=2))
    shift, difference = found.group("posterior")["y.arm_b"].values, found.estimands["difference"]
    assert np.isfinite(shift).all()
    assert not found.group("sample_stats")["diverging"].values.any()
    assert 2.5 < shift.mean() < 10  # beyond one prior SD, and not beyond four
    assert np.quantile(difference, 0.025) > 0.6
    assert np.quantile(difference, 0.975) < 1
