"""Zeros apart from the counts, against scipy."""

import numpy as np
import pymc as pm
import pytest
from scipy import special, stats

from bayesmyo.components.families import BetaBinomial, Cells, NegativeBinomial, Poisson

LOCATION, SHARE = 0.4, -0.8
MU, PI = np.exp(LOCATION), special.expit(SHARE)
POINTS = np.arange(0, 60)
CASES = {
    "poisson": (Poisson(), {}, stats.poisson(MU)),
    "negative_binomial": (NegativeBinomial(), {"cv": 0.7}, stats.nbinom(1 / 0.49, 1 / (1 + 0.49 * MU))),
    "beta_binomial": (
        BetaBinomial(trials=12),
        {"precision": 4.0},
        stats.betabinom(12, 4 * special.expit(LOCATION), 4 * special.expit(-LOCATION)),
    ),
}
PARTS = ("zero_inflation", "zero")


def mass(law, part):
    """Probabilities of 0, 1, 2 ..., as Lambert (1992) and Mullahy (1986) write them."""
    f = law.pmf(POINTS)
    if part == "zero":
        return np.where(POINTS == 0, PI, (1 - PI) * f / (1 - f[0]))
    return np.where(POINTS == 0, PI + (1 - PI) * f[0], (1 - PI) * f)


def eta(part, size=None):
    at = (lambda x: x) if size is None else (lambda x: np.full(size, x))
    return {"location": at(LOCATION), part: at(SHARE)}


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("name", CASES)
def test_probabilities_are_those_of_the_definition(name, part):
    family, aux, law = CASES[name]
    values = POINTS[law.pmf(POINTS) > 1e-14]
    found = family.log_density(Cells(values), eta(part), aux)
    np.testing.assert_allclose(np.exp(found), mass(law, part)[values], rtol=1e-9)


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("name", CASES)
def test_draws_and_their_mean_are_those_of_the_definition(name, part):
    family, aux, law = CASES[name]
    drawn = family.draw(np.random.default_rng(1), eta(part, 200_000), aux)
    expected = mass(law, part)
    counted = np.bincount(drawn.astype(int), minlength=len(POINTS))[: len(POINTS)]
    often = expected * len(drawn) > 20
    z = (counted - expected * len(drawn))[often] / np.sqrt(expected * (1 - expected) * len(drawn))[often]
    assert np.abs(z).max() < 4.5
    mean = float(np.squeeze(family.mean(eta(part), aux)))
    assert mean == pytest.approx((POINTS * expected).sum(), rel=1e-6)


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("name", CASES)
def test_the_model_has_the_same_density(name, part):
    family, aux, _ = CASES[name]
    values = np.array([0, 0, 1, 3, 0, 7])
    tensors = {k: pm.math.pt.as_tensor_variable(np.float64(v)) for k, v in aux.items()}
    with pm.Model() as model:
        location, share = pm.Normal("location", shape=6), pm.Normal("share", shape=6)
        family.observe(pm, "y", {"location": location, part: share}, tensors, Cells(values))
    rng = np.random.default_rng(2)
    density = model.compile_logp(vars=model.potentials, sum=True)
    for scale in (0.3, 3.0):
        at = {"location": rng.normal(0, scale, 6), "share": rng.normal(0, scale, 6)}
        ours = family.log_density(Cells(values), {"location": at["location"], part: at["share"]}, aux).sum()
        assert float(density(at)) == pytest.approx(ours, rel=1e-9)


@pytest.mark.parametrize("name", CASES)
def test_who_crosses_a_hurdle_with_a_tiny_rate_has_one_event(name):
    family, aux, _ = CASES[name]
    never = {"location": np.full(50, -40.0), "zero": np.full(50, -60.0)}
    assert (family.draw(np.random.default_rng(3), never, aux) == 1).all()
    assert np.isfinite(family.log_density(Cells(np.array([0, 1])), {"location": -40.0, "zero": -1.0}, aux)).all()
