"""Chains that have mixed are told from those that have not; where draws are too few, the same chains are sampled on."""

import numpy as np
import pytest
from scipy import stats

from bayesmyo.inference.diagnostics import Mixing, diagnose
from bayesmyo.inference.engines import Sampling
from bayesmyo.inference.mixing import MIXED, TIMES, longer, sampled_on, too_few


def chains(rng, quantities, decay, draws=1000, every=1):
    """Stationary autoregressive chains, one draw in `every` kept: (chain, draw) draws of four chains by name."""
    scatter = np.sqrt(1 - decay**2)
    noise = rng.standard_normal((draws * every, quantities, 4))
    values = np.empty_like(noise)
    values[0] = noise[0]
    for i in range(1, len(noise)):
        values[i] = decay * values[i - 1] + scatter * noise[i]
    return {f"q{i}": values[every - 1 :: every, i].T for i in range(quantities)}


def worth(ess, draws=4000):
    """The decay of chains of so many draws that are worth so many independent ones."""
    tau = draws / ess
    return (tau - 1) / (tau + 1)


def test_independent_draws_of_five_hundred_quantities_hold(rng):
    assert MIXED.holds(diagnose(chains(rng, 500, 0.0)).values())


@pytest.mark.slow
def test_independent_draws_of_five_hundred_quantities_hold_in_nearly_all_trials(rng):
    held = [MIXED.holds(diagnose(chains(rng, 500, 0.0)).values()) for _ in range(200)]
    assert sum(held) >= 198


def test_a_perfect_chain_exceeds_a_limit_as_often_as_the_formula_says(rng):
    """R-hat is the larger of two, for location and for spread: the formula's probability is that of one of them."""
    ess = 700
    found = diagnose(chains(rng, 400, worth(ess)))
    one = stats.chi2.sf((MIXED.rhat**2 - 1) * ess * 7 / 8, 7)
    assert one == pytest.approx(0.09, abs=0.01)
    assert 0.6 * one < np.mean([d.rhat > MIXED.rhat for d in found.values()]) < 2.2 * one


def test_what_is_blamed_by_chance_holds_once_it_is_sampled_on(rng):
    """Sixty quantities worth a thousand draws each: half the fits or more are blamed, none of four times the length."""
    before, after = [], []
    for _ in range(8):
        attempts = []

        def sample(sampling, attempt, attempts=attempts):
            found = diagnose(chains(rng, 60, worth(1000), sampling.draws, sampling.every)).values()
            attempts.append(MIXED.holds(found))
            return found

        sampled_on(sample, Sampling(), too_few)
        before.append(attempts[0])
        after.append(attempts[-1])
    assert sum(before) <= 6
    assert all(after)


@pytest.mark.parametrize("apart", [1.0, 3.0, 10.0])
def test_chains_in_two_modes_never_hold_and_are_not_worth_sampling_on(rng, apart):
    for _ in range(20):
        q = chains(rng, 3, 0.0)
        sides = rng.permutation([0, 0, 1, 1] if rng.random() < 0.5 else [0, 0, 0, 1])
        q["q1"] = q["q1"] + apart * sides[:, None]
        found = diagnose(q).values()
        assert not MIXED.holds(found)
        assert not too_few(found)


def test_chains_that_hardly_move_never_hold_and_are_not_worth_sampling_on(rng):
    for _ in range(10):
        found = diagnose(chains(rng, 3, worth(20))).values()
        assert not MIXED.holds(found)
        assert not too_few(found)


def test_a_chain_that_stays_away_for_long_does_not_hold_however_long_it_is(rng):
    """As in the neck of a funnel: one chain stays at one value for a third of its draws."""
    for draws in (1000, 4000):
        q = chains(rng, 2, 0.0, draws)
        q["q0"][2, : draws // 3] = -2.5
        assert not MIXED.holds(diagnose(q).values())


def test_what_holds_is_not_sampled_again():
    asked = []
    found = sampled_on(lambda s, n: asked.append((s, n)) or "draws", Sampling(draws=50), lambda found: False)
    assert found == "draws"
    assert asked == [(Sampling(draws=50), 1)]


def test_what_is_too_short_is_sampled_on_once_and_keeps_as_many_draws():
    asked = []
    sampled_on(lambda s, n: asked.append((s, n)), Sampling(draws=50), lambda found: True)
    assert [n for _, n in asked] == [1, 2]
    first, second = (s for s, _ in asked)
    assert second == longer(first)
    assert (second.draws, second.tune, second.every) == (50, first.tune, TIMES)


def test_what_is_not_a_number_is_not_judged():
    constant = diagnose({"share": np.zeros((4, 100))})
    assert np.isnan(constant["share"].rhat)
    assert Mixing().holds(constant.values())


def test_a_quantity_is_diagnosed_alike_among_many_and_alone(rng):
    q = chains(rng, 600, 0.5, draws=20)
    found = diagnose(q)
    assert found.keys() == q.keys()
    for name in ("q0", "q255", "q256", "q599"):
        assert diagnose({name: q[name]})[name] == found[name]
