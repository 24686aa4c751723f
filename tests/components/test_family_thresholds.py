"""Joint priors of ordered thresholds: NumPy draws, marginal quantiles and PyMC densities, against scipy."""

import itertools

import numpy as np
import pytest
from scipy import special, stats

from bayesmyo.components.families.thresholds import InducedDirichlet, OrderedNormal, parse_joint

PRIORS = [
    InducedDirichlet((1.0, 1.0, 1.0, 1.0), "logit"),
    InducedDirichlet((0.5, 2.0, 1.0), "probit"),
    OrderedNormal(0.5, 5.0, 4),
    OrderedNormal(0.0, 2.0, 1),
]
EVERY = pytest.mark.parametrize("prior", PRIORS, ids=str)


@EVERY
def test_draws_are_ordered_and_shaped(prior, rng):
    draws = prior.draw(rng, (7, 50))
    assert len(draws) == len(prior.names) == prior.count
    assert {d.shape for d in draws} == {(7, 50)}
    assert all((a < b).all() for a, b in itertools.pairwise(draws))
    assert {np.shape(d) for d in prior.draw(rng)} == {()}


@EVERY
def test_quantiles_are_those_of_the_draws(prior, rng):
    for k, draws in enumerate(prior.draw(rng, (20_000,))):
        levels = np.linspace(0.001, 0.999, 200)
        quantiles = [prior.quantile(k, p) for p in levels]
        share = np.interp(draws, quantiles, levels)
        inside = (draws > quantiles[0]) & (draws < quantiles[-1])
        assert stats.kstest(share[inside], stats.uniform(0.001, 0.998).cdf).pvalue > 0.001


@pytest.mark.parametrize("prior", PRIORS[:2], ids=str)
def test_shares_at_zero_are_dirichlet(prior, rng):
    cdf = {"logit": stats.logistic.cdf, "probit": stats.norm.cdf}[prior.link]
    below = np.array([np.zeros(20_000), *cdf(np.array(prior.draw(rng, (20_000,)))), np.ones(20_000)])
    total = sum(prior.concentrations)
    for share, a in zip(np.diff(below, axis=0), prior.concentrations, strict=True):
        assert stats.kstest(share, stats.beta(a, total - a).cdf).pvalue > 0.001


@pytest.mark.parametrize("prior", PRIORS[:2], ids=str)
def test_the_induced_dirichlet_in_pymc(prior):
    """The shares are a Dirichlet variable, and the thresholds turn them back."""
    import pymc as pm

    with pm.Model() as model:
        variables = prior.variables(pm, "mrc.")
    assert [v.name for v in variables] == ["mrc.threshold_1", "mrc.threshold_2", "mrc.threshold_3"][: prior.count]
    assert all(v.ndim == 0 for v in variables)
    assert [v.name for v in model.free_RVs] == ["mrc.thresholds_shares"]
    cdf = {"logit": stats.logistic.cdf, "probit": stats.norm.cdf}[prior.link]
    shares = np.array([*[0.7, 0.2, 0.06][: prior.count], 0.0])
    shares[-1] = 1 - shares.sum()
    found = pm.draw(list(variables), 1, random_seed=1)
    assert (np.diff(found) > 0).all()
    (rv,) = model.free_RVs
    compiled = model.compile_fn(list(variables), inputs=[rv], mode="FAST_COMPILE", point_fn=False)
    np.testing.assert_allclose(cdf(np.array(compiled(shares))), shares.cumsum()[:-1], rtol=1e-10)
    for tiny in (1e-200, 0.0):  # a category that is all but empty, and all but full
        for k in range(len(shares)):
            edge = np.full(len(shares), tiny)
            edge[k] = 1 - tiny * prior.count
            assert np.isfinite(compiled(edge)).all()
    density = pm.logp(rv, shares).eval()
    assert density == pytest.approx(stats.dirichlet(prior.concentrations).logpdf(shares / shares.sum()), rel=1e-9)


@pytest.mark.parametrize("prior", PRIORS[2:], ids=str)
def test_the_ordered_normal_in_pymc(prior):
    """count! times the product of the normal densities; the gaps enter on the log, which has its own Jacobian."""
    import pymc as pm

    with pm.Model() as model:
        prior.variables(pm, "mrc.")
    thresholds = np.array([-3.0, 0.1, 0.4, 6.0])[: prior.count]
    point, jacobian = {"mrc.thresholds_first": thresholds[0]}, 0.0
    if prior.count > 1:
        point["mrc.thresholds_gaps_log__"] = np.log(np.diff(thresholds))
        jacobian = np.log(np.diff(thresholds)).sum()
    found = model.compile_logp(mode="FAST_COMPILE")(point)
    expected = special.gammaln(prior.count + 1) + stats.norm(prior.mean, prior.sd).logpdf(thresholds).sum()
    assert found == pytest.approx(expected + jacobian)
    assert all(v.name.startswith("mrc.") for v in (*model.free_RVs, *model.deterministics, *model.potentials))
    values = model.compile_fn(model.replace_rvs_by_values(model.deterministics), mode="FAST_COMPILE")(point)
    np.testing.assert_allclose(values, thresholds)


def test_texts_are_read_and_written():
    assert parse_joint("induced_dirichlet(1)", 3, "probit") == InducedDirichlet((1.0, 1.0, 1.0), "probit")
    assert str(parse_joint(" induced_dirichlet( 1, 2,1 )", 3, "logit")) == "induced_dirichlet(1, 2, 1)"
    assert parse_joint("ordered_normal(0, 5)", 4, "logit") == OrderedNormal(0.0, 5.0, 3)
    assert str(OrderedNormal(0.0, 5.0, 3)) == "ordered_normal(0, 5)"


@pytest.mark.parametrize(
    ("text", "mend"),
    [
        ("normal(0, 5)", "induced_dirichlet"),
        ("induced_dirichlet", "induced_dirichlet"),
        ("induced_dirichlet()", "numbers"),
        ("induced_dirichlet(a)", "numbers"),
        ("induced_dirichlet(1, 1)", "or 3, one for each"),
        ("induced_dirichlet(0)", "positive"),
        ("induced_dirichlet(inf)", "finite"),
        ("ordered_normal(0)", "2 arguments"),
        ("ordered_normal(0, -1)", "positive"),
        ("ordered_normal(nan, 1)", "finite"),
    ],
)
def test_a_wrong_text_says_how_to_mend_it(text, mend):
    with pytest.raises(ValueError, match=mend):
        parse_joint(text, 3, "logit")
