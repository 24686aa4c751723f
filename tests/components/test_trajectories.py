"""The contract of every trajectory, and the shape of each."""

import numpy as np
import pytest

from bayesmyo.components.component import Scale
from bayesmyo.components.trajectories import TRAJECTORIES, Constant, Linear, Plateau

SCALE = Scale(typical=3.0, spread=0.5, unit="u", time_unit="week", follow_up=24, month=30.4375 / 7)
BARE = Scale(typical=3.0, spread=0.5, unit="u", time_unit="cycle")
T = np.array([-2.0, 0.0, 0.5, 3.0, 40.0])
EVERY = pytest.mark.parametrize(
    "trajectory", [cls(origin=o) for cls in TRAJECTORIES for o in (0.0, 1.5)] + [Plateau(end="change")], ids=str
)


def some(trajectory, value):
    """Coefficients with the durations at 2 and every other at `value`."""
    return {c.name: value if c.may_vary else 2.0 for c in trajectory.coefficients(SCALE)}


@EVERY
def test_linear_in_every_coefficient_that_may_vary(trajectory):
    base = some(trajectory, 1.25)
    for c in trajectory.coefficients(SCALE):
        if c.may_vary:
            moved = [trajectory.curve(T, {**base, c.name: base[c.name] + step}, np) for step in (0.0, 1.0, 2.0)]
            np.testing.assert_allclose(moved[2] - moved[1], moved[1] - moved[0], rtol=0, atol=1e-14)


@EVERY
def test_zero_coefficients_give_a_zero_curve(trajectory):
    np.testing.assert_array_equal(trajectory.curve(T, some(trajectory, 0.0), np), 0.0)


@EVERY
def test_the_first_coefficient_is_the_level_at_the_origin(trajectory):
    first = trajectory.coefficients(SCALE)[0]
    at_origin = trajectory.curve(np.array(trajectory.origin), {**some(trajectory, 0.3), first.name: 7.0}, np)
    assert (first.nature, at_origin) == ("level", 7.0)


@EVERY
def test_coefficients_broadcast_over_draws_and_visits(trajectory):
    draws = {name: np.full((2, 3, 1), value) for name, value in some(trajectory, 0.5).items()}
    expected = trajectory.curve(T, some(trajectory, 0.5), np)
    np.testing.assert_array_equal(trajectory.curve(T, draws, np), np.broadcast_to(expected, (2, 3, 5)))


@EVERY
def test_every_coefficient_has_a_prior_or_says_what_it_needs(trajectory):
    assert all(c.prior for c in trajectory.coefficients(SCALE))
    assert all(c.prior or c.needs for c in trajectory.coefficients(BARE))


def test_constant_stays_level():
    np.testing.assert_array_equal(Constant().curve(T, {"intercept": 4.0}, np), 4.0)


def test_linear_by_hand():
    found = Linear(origin=1.5).curve(T, {"intercept": 4.0, "slope": -2.0}, np)
    np.testing.assert_allclose(found, [11.0, 7.0, 6.0, 1.0, -73.0])


def test_the_default_slope_is_set_on_the_typical_follow_up():
    assert str(Linear().coefficients(SCALE)[1].prior) == "normal(0, 0.0416667)"  # 2 * 0.5 / 24


def test_the_default_half_time_is_three_months_in_the_studys_unit():
    half_time = Plateau().coefficients(SCALE)[2].prior
    assert half_time.quantile(0.5) == pytest.approx(3 * 30.4375 / 7)


VALUES = {"start": 8.0, "asymptote": 2.0, "half_time": 2.5}


@pytest.mark.parametrize(
    ("time", "level"),
    [(-10, 8), (1, 8), (1 + 2.5, 5), (1 + 5, 3.5), (1 + 7.5, 2.75), (1 + 2500, 2)],
    ids=["before origin", "origin", "half-time", "two", "three", "far away"],
)
def test_plateau_goes_half_of_the_remaining_way_in_each_half_time(time, level):
    assert Plateau(origin=1).curve(np.array(float(time)), VALUES, np) == pytest.approx(level, abs=1e-12)


def test_stating_the_end_as_a_change_is_the_same_curve():
    as_change = {"start": 8.0, "change": -6.0, "half_time": 2.5}
    found = Plateau(end="change").curve(T, as_change, np)
    np.testing.assert_allclose(found, Plateau().curve(T, VALUES, np), rtol=1e-15)


def test_a_duration_may_not_vary_between_patients():
    assert [c.may_vary for c in Plateau().coefficients(SCALE)] == [True, True, False]
