"""The likelihood of every family inside PyMC, against its NumPy density: values and gradients, near and far out."""

import numpy as np
import pytest
from scipy import optimize, stats

from bayesmyo.components.families import (
    Bernoulli,
    BetaBinomial,
    Cells,
    Cumulative,
    Gamma,
    Gaussian,
    HurdleLogNormal,
    LogNormal,
    NegativeBinomial,
    OrderedBeta,
    Poisson,
    StudentT,
)

pm = pytest.importorskip("pymc")

GRADES = {"levels": ("poor", "fair", "good", "full"), "scores": (0.0, 1.0, 2.5, 5.0)}
CUTS = {"threshold_1": -1.0, "threshold_2": 0.2, "threshold_3": 2.0}
POSITIVE = np.array([0.02, 0.7, 1.5, 3.0, 60.0])
LIMITS = {"low": np.array([-np.inf, 0.7, 0.5, 3.0, 60.0]), "high": np.array([0.02, np.inf, 1.5, 3.0, 60.0])}
ORDERED_BETA = {"cut_floor": 2.0, "cut_ceiling": 1.5, "precision": 4.0}
ZERO = {"low": np.array([0.0, 0.7, 0.0]), "high": np.array([0.02, 0.7, 1.5])}
NONE: dict[str, np.ndarray] = {}

CASES = {
    "gaussian": (Gaussian(), {"sigma": 0.7}, POSITIVE, NONE),
    "gaussian_censored": (Gaussian(), {"sigma": 0.7}, POSITIVE, LIMITS),
    "student_t": (StudentT(), {"sigma": 0.7, "nu": 5.0}, POSITIVE, NONE),
    "student_t_censored": (StudentT(), {"sigma": 0.7, "nu": 5.0}, POSITIVE, LIMITS),
    "lognormal": (LogNormal(), {"sigma": 0.7}, POSITIVE, NONE),
    "lognormal_censored": (LogNormal(), {"sigma": 0.7}, POSITIVE, LIMITS),
    "gamma": (Gamma(), {"cv": 0.8}, POSITIVE, NONE),
    "gamma_censored": (Gamma(), {"cv": 0.8}, POSITIVE, LIMITS),
    "gamma_from_zero": (Gamma(), {"cv": 0.8}, ZERO["low"], ZERO),
    "lognormal_from_zero": (LogNormal(), {"sigma": 0.7}, ZERO["low"], ZERO),
    "hurdle_lognormal": (HurdleLogNormal(), {"sigma": 0.7}, np.array([0, 0.7, 0, 3.0, 60.0]), NONE),
    "cumulative": (Cumulative(**GRADES), CUTS, np.array([0, 1, 2.5, 5, 5]), NONE),
    "cumulative_probit": (Cumulative(**GRADES, link_="probit"), CUTS, np.array([0, 1, 2.5, 5, 5]), NONE),
    "cumulative_empty": (Cumulative(**GRADES), CUTS, np.array([0, 2.5, 2.5, 0, 0]), NONE),
    "two_grades": (Cumulative(levels=("0", "1")), {"threshold_1": 0.3}, np.array([0, 1, 1, 0, 0]), NONE),
    "ordered_beta": (OrderedBeta(lower=0, upper=5), ORDERED_BETA, np.array([0, 1e-9, 2.0, 4.9, 5]), NONE),
    "beta_binomial": (BetaBinomial(trials=20), {"precision": 6.0}, np.array([0, 1, 7, 19, 20]), NONE),
    "bernoulli": (Bernoulli(), {}, np.array([0, 1, 1, 0, 1]), NONE),
    "poisson": (Poisson(), {}, np.array([0, 1, 7, 30, 2]), NONE),
    "negative_binomial": (NegativeBinomial(), {"cv": 0.8}, np.array([0, 1, 7, 30, 2]), NONE),
}


class Likelihood:
    """One family in a small model: cells are data, every predictor and parameter is a flat variable."""

    def __init__(self, family, aux, y, limits):
        self.family, self.aux = family, aux
        self.cells = Cells(family.encode(y), **{k: family.encode(v) for k, v in limits.items()})
        with pm.Model() as model:
            data = Cells(*(pm.Data(k, v) for k, v in vars(self.cells).items() if v is not None))
            eta = {p: pm.Flat(p, shape=len(y)) for p in family.predictors()}
            family.observe(pm, "y", eta, {k: pm.Flat(k) for k in aux}, data)
        self.names = [v.name for v in model.value_vars]
        self.value = model.compile_fn(model.logp(), mode="FAST_COMPILE", on_unused_input="ignore")
        self.gradient = model.compile_fn(model.dlogp(), mode="FAST_COMPILE", on_unused_input="ignore")
        counted = limits["low"] == limits["high"] if limits else y > 0
        self.jacobian = 0.0  # PyMC sees the encoded cells, the log density is in outcome units
        if family.kind in ("lognormal", "hurdle_lognormal"):
            self.jacobian = np.log(y[counted]).sum()
        if family.kind == "ordered_beta":
            self.jacobian = np.log(5) * ((y > 0) & (y < 5)).sum()

    def point(self, location, **aux):
        eta = {
            p: np.resize(location, np.size(self.cells.value)) - 0.3 * i for i, p in enumerate(self.family.predictors())
        }
        return eta | {k: np.asarray(v) for k, v in (self.aux | aux).items()}

    def numpy(self, point):
        eta = {p: point[p] for p in self.family.predictors()}
        aux = {k: v for k, v in point.items() if k not in eta}
        return float(self.family.log_density(self.cells, eta, aux).sum()) + self.jacobian


@pytest.fixture(scope="module", params=CASES)
def likelihood(request):
    return Likelihood(*CASES[request.param])


LOCATION = np.array([-0.5, 0.1, 0.6, 1.1, 2.0])


def test_its_value_is_the_log_density(likelihood):
    point = likelihood.point(LOCATION)
    assert likelihood.value(point) == pytest.approx(likelihood.numpy(point), rel=1e-8)


def test_its_gradient_is_the_slope_of_the_log_density(likelihood):
    point = likelihood.point(LOCATION)
    shapes = [np.shape(point[n]) for n in likelihood.names]
    start = np.concatenate([np.ravel(point[n]) for n in likelihood.names])

    def numpy(flat):
        parts = np.split(flat, np.cumsum([int(np.prod(s)) for s in shapes])[:-1])
        return likelihood.numpy({n: p.reshape(s) for n, p, s in zip(likelihood.names, parts, shapes, strict=True)})

    np.testing.assert_allclose(
        likelihood.gradient(point), optimize.approx_fprime(start, numpy, 1e-6), rtol=2e-4, atol=2e-4
    )


@pytest.mark.parametrize("shift", [-15.0, 15.0, -40.0, 40.0])
def test_it_is_finite_far_out(likelihood, shift):
    """Fifteen (and forty) SDs on the link scale, on either side."""
    point = likelihood.point(LOCATION + shift * likelihood.aux.get("sigma", 0.5))
    assert np.isfinite(likelihood.value(point))
    assert np.isfinite(likelihood.gradient(point)).all()
    assert likelihood.value(point) == pytest.approx(likelihood.numpy(point), rel=1e-6)


STRESS = {
    "nu": (0.3, 2.0, 1e4),
    "cv": (0.05, 3.0),
    "precision": (1e-3, 1e5),
    "cut_floor": (1e-3, 40.0),
}


def test_it_is_the_log_density_for_any_parameter(likelihood):
    stress = [{k: v} for k in likelihood.aux for v in STRESS.get(k, ())]
    if likelihood.family.kind == "negative_binomial":
        stress.append({"cv": 1e-4})
    for aux in stress:
        point = likelihood.point(LOCATION, **aux)
        assert likelihood.value(point) == pytest.approx(likelihood.numpy(point), rel=1e-6)
        assert np.isfinite(likelihood.gradient(point)).all()


def test_an_observation_effect_is_a_deviation_of_each_measurement(rng):
    y, raw = np.array([0, 2, 9]), rng.standard_normal(3)
    with pm.Model() as model:
        eta = {"location": pm.Flat("location", shape=3)}
        Poisson(observation_effect=True).observe(
            pm, "y", eta, {"sd_observation": pm.Flat("sd")}, Cells(pm.Data("v", y))
        )
    found = model.compile_logp(mode="FAST_COMPILE")({"location": np.zeros(3), "sd": 0.6, "y.raw_observation": raw})
    expected = stats.poisson.logpmf(y, np.exp(0.6 * raw)) + stats.norm.logpdf(raw)
    assert found == pytest.approx(expected.sum())


def test_the_rest_of_a_hurdle_is_whether_there_is_any():
    with pm.Model() as model:
        eta = {"zero": pm.Flat("zero", shape=3)}
        HurdleLogNormal().observe_rest(pm, "dose", eta, {}, Cells(pm.Data("v", np.array([0.0, 5.0, 20.0]))))
    found = model.compile_logp(mode="FAST_COMPILE")({"zero": np.array([-1.0, 0.5, 2.0])})
    assert found == pytest.approx(stats.logistic.logcdf(-1) + stats.logistic.logsf([0.5, 2]).sum())
    assert [p.name for p in model.potentials] == ["dose.zero"]
