"""The engine laplace: its approximation against closed forms, each step against truth, what certificates refuse."""

from types import SimpleNamespace

import numpy as np
import pymc as pm
import pytest
from scipy import stats

from bayesmyo.inference.build import build
from bayesmyo.inference.diagnostics import diagnose
from bayesmyo.inference.engines import ENGINES, Certificate, Sampling
from bayesmyo.inference.engines.laplace import PreparedLaplace
from bayesmyo.inference.fit import fit
from bayesmyo.inference.laplace.density import Density
from bayesmyo.inference.laplace.hamiltonian import Sampler
from bayesmyo.inference.laplace.importance import Weighted, rounds
from bayesmyo.inference.laplace.normal import NoApproximationError, approximate
from bayesmyo.inference.store import load_fit, save_fit

PATIENTS = 3
FEW = Sampling(draws=250, tune=60, chains=4, cores=1)


def density(model: pm.Model) -> Density:
    return Density(SimpleNamespace(pymc=model, patients=tuple(map(str, range(PATIENTS)))))


@pytest.fixture(scope="module")
def normal():
    """A normal density of two parameters and two effects of each patient, and its exact mean and covariance."""
    rng = np.random.default_rng(3)
    n = 2 + 2 * PATIENTS
    precision, mean = np.eye(n), rng.normal(size=n)
    for i in range(PATIENTS):  # patients meet only in the parameters
        own = [0, 1, 2 + i, 2 + PATIENTS + i]
        rows = rng.normal(size=(6, 4))
        precision[np.ix_(own, own)] += rows.T @ rows
    with pm.Model(coords={"patient": range(PATIENTS)}) as model:
        a, b = pm.Flat("a"), pm.Flat("b")
        u, v = pm.Flat("u", dims="patient"), pm.Flat("v", dims="patient")
        x = pm.math.concatenate([pm.math.stack([a, b]), u, v]) - mean
        pm.Potential("density", -(x @ precision @ x) / 2)
    return density(model), mean, np.linalg.inv(precision)


def test_a_normal_posterior_is_its_own_approximation(normal):
    d, mean, covariance = normal
    found = approximate(d)
    np.testing.assert_allclose(found.mean, mean, atol=1e-5)
    np.testing.assert_allclose(found.shifted().mean, mean, atol=1e-5)  # nothing is skewed
    columns = np.stack([found.step(row) for row in np.eye(len(mean))])
    np.testing.assert_allclose(columns, covariance, atol=1e-5)


def test_draws_and_their_density_belong_together(normal):
    d, _, _ = normal
    about = approximate(d)
    x = about.draws(4000, np.random.default_rng(1), tails=1e6, wider=1.0)  # so many degrees of freedom: normal
    log_ratio = d.log(x) - about.log_density(x, tails=1e6, wider=1.0)
    assert np.ptp(log_ratio) < 1e-3  # the density itself, up to a constant
    np.testing.assert_allclose(np.cov(x.T), np.stack([about.step(r) for r in np.eye(x.shape[1])]), atol=0.06)
    z, e = about.standardised(x)
    np.testing.assert_allclose(about.vectors(z, e), x, atol=1e-9)


def test_what_is_constant_has_a_value_in_every_draw():
    """As a parameter has whose prior is `constant(2.5)`."""
    with pm.Model(coords={"patient": range(PATIENTS)}) as model:
        a = pm.Normal("a")
        pm.Deterministic("fixed", pm.math.constant(2.5))
        pm.Deterministic("both", pm.math.constant([1.0, 2.0]))
        pm.Deterministic("doubled", 2 * a)
        pm.Normal("u", a, dims="patient")
    d = density(model)
    draws = np.random.default_rng(1).normal(size=(2, 5, len(d.start)))
    values = d.constrained(draws)
    np.testing.assert_array_equal(values["fixed"], np.full((2, 5), 2.5))
    np.testing.assert_array_equal(values["both"], np.broadcast_to([1.0, 2.0], (2, 5, 2)))
    np.testing.assert_allclose(values["doubled"], 2 * draws[..., d.population[0]])


def test_a_heavier_proposal_has_its_own_density(normal):
    """The density of parameters alone, against SciPy's multivariate t."""
    d, mean, covariance = normal
    about = approximate(d)
    x = about.draws(50, np.random.default_rng(2), tails=6.0, wider=1.1)
    _, e = about.standardised(x)
    shape = 1.1**2 * covariance[:2, :2]
    exact = stats.multivariate_t(mean[:2], shape, df=6).logpdf(x[:, :2]) - (e**2).sum((1, 2)) / 2
    ours = about.log_density(x, 6.0, 1.1)
    np.testing.assert_allclose(ours - exact, (ours - exact)[0], atol=1e-6)


@pytest.fixture(scope="module")
def skewed():
    """A density of one parameter that is far from normal: the logarithm of a gamma variable of shape 2."""
    with pm.Model(coords={"patient": range(PATIENTS)}) as model:
        x = pm.Flat("x")
        pm.Potential("density", 2 * x - pm.math.exp(x))
        pm.Normal("effect", 0.0, 1.0, dims="patient")
    return density(model)


def test_the_mean_of_a_skewed_posterior_is_beside_its_mode(skewed):
    """E log G = digamma(2) = 0.4228, the mode is log 2 = 0.693; the second-order term is -1/(2 x 2)."""
    about = approximate(skewed)
    assert about.m[0] == pytest.approx(np.log(2), abs=1e-4)
    assert about.shifted().m[0] == pytest.approx(np.log(2) - 0.25, abs=0.02)


def test_weighted_draws_have_the_moments_of_the_posterior(skewed):
    found = next(rounds(skewed, approximate(skewed).shifted(), 4000, np.random.default_rng(5)))
    assert found.reliable
    x = found.resampled(4000, np.random.default_rng(6))[:, 0]
    exact = stats.loggamma(2)
    assert x.mean() == pytest.approx(exact.mean(), abs=0.05)
    assert x.std() == pytest.approx(exact.std(), rel=0.05)
    np.testing.assert_allclose(np.quantile(x, [0.05, 0.5, 0.95]), exact.ppf([0.05, 0.5, 0.95]), atol=0.1)


def test_trajectories_have_the_moments_of_the_posterior(skewed):
    x, told = Sampler(approximate(skewed), 4, 60, np.random.default_rng(7)).draw(1000)
    exact, first = stats.loggamma(2), x[..., 0]
    error = exact.std() / np.sqrt(diagnose({"x": first})["x"].ess)
    assert abs(first.mean() - exact.mean()) < 4 * error
    assert first.std() == pytest.approx(exact.std(), rel=0.06)
    assert stats.kstest(first[:, ::5].ravel(), exact.cdf).pvalue > 0.01
    assert not told["diverging"].any()
    assert told["acceptance_rate"].mean() == pytest.approx(0.75, abs=0.15)


def test_copies_of_a_draw_are_no_draws():
    """Weights of which one in two is zero are worth half their number, and a chain says so."""
    rng = np.random.default_rng(8)
    x, weights = rng.normal(size=(4000, 1)), np.tile([0.0, 2.0], 2000) / 4000
    copied = Weighted(x, weights, 0.0, 1).resampled(4000, rng).reshape(4, 1000)
    assert diagnose({"x": copied})["x"].ess_bulk == pytest.approx(2000, rel=0.15)


def refuses(d: Density) -> bool:
    """Whether neither weights nor trajectories around the approximation are believed."""
    prepared = object.__new__(PreparedLaplace)
    object.__setattr__(prepared, "__dict__", {"density": d})
    try:
        about = approximate(d)
        about.alone(np.random.default_rng(9))
        if prepared._weighted(about, FEW, np.random.default_rng(9)):
            return False
        prepared._trajectories(about, FEW, np.random.default_rng(9))
    except NoApproximationError:
        return True
    return False


def test_a_flat_direction_is_refused():
    with pm.Model(coords={"patient": range(PATIENTS)}) as model:
        a, b = pm.Flat("a"), pm.Flat("b")
        pm.Potential("density", -((a + b) ** 2) / 2)
        pm.Normal("effect", 0.0, 1.0, dims="patient")
    assert refuses(density(model))


def test_a_funnel_is_refused():
    with pm.Model(coords={"patient": range(PATIENTS)}) as model:
        v = pm.Normal("v", 0.0, 3.0)
        pm.Normal("x", 0.0, pm.math.exp(v / 2), shape=9)
    assert refuses(density(model))


def test_two_modes_are_refused():
    """Weights and trajectories around one do not see the other, so the search for it goes out from afar too."""
    with pm.Model(coords={"patient": range(PATIENTS)}) as model:
        x = pm.Flat("x")
        pm.Potential("density", pm.math.logaddexp(-((x - 9) ** 2) / 2, -((x + 3) ** 2) / 2))
        pm.Normal("effect", 0.0, 1.0, dims="patient")
    assert refuses(density(model))


@pytest.mark.sampling
def test_a_fit_says_by_what_it_was_answered(small, small_cohort, tmp_path):
    fitted = fit(small, small_cohort, engine="laplace", sampling=FEW)
    assert fitted.certificate is not None
    assert fitted.certificate.step in ("importance", "hamiltonian")
    assert fitted.group("posterior").sizes["draw"] == FEW.draws
    save_fit(fitted, tmp_path / "f.nc")
    assert load_fit(tmp_path / "f.nc").certificate == fitted.certificate
    again = fit(small, small_cohort, engine="laplace", sampling=FEW)
    for name, values in fitted.group("posterior").data_vars.items():
        np.testing.assert_array_equal(values, again.group("posterior")[name])


@pytest.mark.sampling
def test_fast_and_slow_agree(small, small_cohort):
    fast = fit(small, small_cohort, engine="laplace", sampling=FEW).estimands
    slow = fit(small, small_cohort, sampling=Sampling(draws=1000, tune=500, chains=4)).estimands
    for name in small.estimands:
        assert abs(fast[name].mean() - slow[name].mean()) < 0.2 * slow[name].std()
        assert fast[name].std() == pytest.approx(slow[name].std(), rel=0.15)


def test_what_neither_step_answers_the_sampler_does(small, small_cohort, monkeypatch):
    def none(_density):
        raise NoApproximationError("its mode was not reached")

    monkeypatch.setattr("bayesmyo.inference.engines.laplace.approximate", none)
    model = build(small, small_cohort)
    prepared = type(ENGINES["laplace"])(ENGINES["mock"]).prepare(model)
    drawn = prepared.sample([model.data], [1], FEW)[0]
    assert drawn.certificate == Certificate("mock", why="its mode was not reached")
