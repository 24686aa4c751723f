"""Diagnostics of many quantities at once equal those of one at a time, and mean what they say."""

import numpy as np
import pytest
from arviz_stats.base import array_stats

from bayesmyo.assess.diagnostics import bfmi, diagnose


@pytest.fixture
def iid(rng):
    return rng.standard_normal((4, 1000))


def random_walk(rng, shape):
    return np.cumsum(rng.standard_normal(shape), axis=1)


def test_each_quantity_gets_what_arviz_gives_it_alone(rng):
    quantities = {
        "iid": rng.standard_normal((3, 60)),
        "walk": random_walk(rng, (3, 60)),
        "t": rng.standard_t(2, (3, 60)),
    }
    found = diagnose(quantities)
    assert list(found) == list(quantities)
    for name, q in quantities.items():
        d = found[name]
        expected = (
            array_stats.rhat(q, method="rank"),
            array_stats.ess(q, method="bulk"),
            array_stats.ess(q, method="tail", prob=(0.05, 0.95)),
            array_stats.mcse(q, method="mean"),
        )
        np.testing.assert_allclose((d.rhat, d.ess_bulk, d.ess_tail, d.mcse), expected, rtol=1e-12)


def test_independent_draws_are_worth_their_number(iid):
    d = diagnose({"x": 5 + 2 * iid})["x"]
    assert d.ess_bulk == pytest.approx(4000, rel=0.15)
    assert d.ess_tail == pytest.approx(4000, rel=0.15)
    assert d.rhat == pytest.approx(1, abs=0.005)
    assert d.mcse == pytest.approx(2 / np.sqrt(4000), rel=0.1)


def test_chains_apart_have_a_high_rhat(iid):
    assert diagnose({"x": iid + np.array([[0], [0], [0], [5]])})["x"].rhat > 1.5


def test_chains_of_other_widths_have_a_high_rhat(iid):
    assert diagnose({"x": iid * np.array([[1], [1], [1], [10]])})["x"].rhat > 1.1


def test_draws_that_hang_together_are_worth_little(rng):
    assert diagnose({"x": random_walk(rng, (4, 1000))})["x"].ess_bulk < 40


@pytest.mark.parametrize("value", [3.0, np.inf, np.nan])
def test_where_nothing_can_be_said_it_is_nan_and_the_others_keep_theirs(iid, value):
    bad = np.full(iid.shape, value)
    found = diagnose({"x": iid, "bad": bad})
    assert all(np.isnan(v) for v in vars(found["bad"]).values())
    assert found["x"] == diagnose({"x": iid})["x"]


def test_one_draw_that_is_not_finite_spoils_its_quantity(iid):
    iid[2, 3] = np.inf
    assert np.isnan(diagnose({"x": iid})["x"].ess_bulk)


def test_nothing_to_diagnose():
    assert diagnose({}) == {}


def test_bfmi_is_low_where_the_energy_wanders(iid, rng):
    assert bfmi(iid).shape == (4,)
    assert bfmi(iid).min() > 1
    assert bfmi(random_walk(rng, (4, 1000))).max() < 0.1
