"""The contract of every trajectory, and the shape of each."""

from dataclasses import MISSING, fields, replace

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.interpolate import CubicSpline

from bayesmyo.components.component import Scale
from bayesmyo.components.trajectories import (
    TRAJECTORIES,
    Constant,
    Linear,
    Log,
    Piecewise,
    PlannedVisits,
    Plateau,
    Spline,
)

SCALE = Scale(typical=3.0, spread=0.5, unit="u", time_unit="week", follow_up=24, month=30.4375 / 7)
BARE = Scale(typical=3.0, spread=0.5, unit="u", time_unit="cycle")
T = np.array([-2.0, 0.0, 0.5, 3.0, 40.0])
EXAMPLES = [
    example
    for origin in (0.0, 1.5, -1.0)
    for example in (
        Constant(origin=origin),
        Linear(origin=origin),
        Linear(origin=origin, transform="sqrt"),
        Log(origin=origin),
        Piecewise(origin=origin, at=(3.0,)),
        Piecewise(origin=origin, at=(3.0, 6.0)),
        Plateau(origin=origin),
        Plateau(origin=origin, end="change"),
        Spline(origin=origin, at=(origin, 3.0, 6.0)),
        Spline(origin=origin, at=(origin, 3.0, 4.0, 9.0, 24.0)),
        PlannedVisits(origin=origin, at=(origin, 3.0, 6.0, 20.0), window=0.5),
        Spline(origin=origin, at=(origin, 3.0, 6.0), penalised=True),
        Spline(origin=origin, at=(origin, 3.0, 4.0, 9.0, 24.0), penalised=True),
    )
]
# a new kind is taken up by itself where its keys have defaults
KEYLESS = [t for t in TRAJECTORIES if all(f.default is not MISSING for f in fields(t))]
EXAMPLES += [t(origin=origin) for t in KEYLESS if t not in map(type, EXAMPLES) for origin in (0.0, 1.5, -1.0)]
EVERY = pytest.mark.parametrize("trajectory", EXAMPLES, ids=str)
BEFORE = np.array([-300.0, -2.5, -1.0])  # the last is the start of those with an origin before 0


def some(trajectory, linear, shape=0.5):
    """Coefficients with the durations at 2."""
    return {
        c.name: linear if c.linear else shape if c.nature == "shape" else 2.0 for c in trajectory.coefficients(SCALE)
    }


def different(trajectory):
    """Coefficients that all differ."""
    return {c.name: 0.7 + 0.3 * k for k, c in enumerate(trajectory.coefficients(SCALE))}


def test_every_kind_is_among_the_examples():
    assert {type(e) for e in EXAMPLES} == set(TRAJECTORIES)


@EVERY
def test_linear_in_every_coefficient_whose_nature_says_so(trajectory):
    base = some(trajectory, 1.25)
    for c in trajectory.coefficients(SCALE):
        if c.linear:
            moved = [trajectory.curve(T, {**base, c.name: base[c.name] + step}, np) for step in (0.0, 1.0, 2.0)]
            size = np.abs(moved).max()
            np.testing.assert_allclose(moved[2] - moved[1], moved[1] - moved[0], rtol=0, atol=1e-12 * max(size, 1))


@EVERY
def test_zero_coefficients_give_a_zero_curve(trajectory):
    np.testing.assert_array_equal(trajectory.curve(T, some(trajectory, 0.0, shape=0.0), np), 0.0)


@EVERY
def test_the_first_coefficient_is_the_level_at_the_origin(trajectory):
    first = trajectory.coefficients(SCALE)[0]
    at_origin = trajectory.curve(np.array(trajectory.origin), {**some(trajectory, 0.3), first.name: 7.0}, np)
    assert (first.nature, at_origin) == ("level", 7.0)


@EVERY
def test_coefficients_broadcast_over_draws_and_visits(trajectory):
    draws = {name: np.full((2, 3, 1), value) for name, value in different(trajectory).items()}
    expected = trajectory.curve(T, different(trajectory), np)
    np.testing.assert_array_equal(trajectory.curve(T, draws, np), np.broadcast_to(expected, (2, 3, 5)))


@EVERY
@pytest.mark.parametrize("each", ["one for all", "one for each visit"])
def test_numpy_and_pytensor_agree(trajectory, each):
    import pytensor.tensor as pt

    t = pt.vector("t")
    values = different(trajectory)
    if each == "one for each visit":
        values = {name: value + np.linspace(0, 1, len(T)) for name, value in values.items()}
    symbols = {name: pt.as_tensor_variable(value) for name, value in values.items()}
    found = trajectory.curve(t, symbols, pt).eval({t: T}, mode="FAST_COMPILE")
    np.testing.assert_allclose(found, trajectory.curve(T, values, np), rtol=1e-12)


@EVERY
def test_before_the_start_an_outcome_stands_at_the_level_that_it_has_there(trajectory):
    start = min(0.0, trajectory.origin)
    assert trajectory.start == start
    at_start = trajectory.curve(np.array(start), different(trajectory), np)
    np.testing.assert_array_equal(trajectory.curve(start + BEFORE, different(trajectory), np), at_start)


@EVERY
def test_before_the_start_numpy_and_pytensor_agree(trajectory):
    import pytensor.tensor as pt

    t = pt.vector("t")
    symbols = {name: pt.as_tensor_variable(value) for name, value in different(trajectory).items()}
    drawn = trajectory.curve(t, symbols, pt).eval({t: BEFORE}, mode="FAST_COMPILE")
    np.testing.assert_allclose(drawn, trajectory.curve(BEFORE, different(trajectory), np), rtol=1e-12)


@EVERY
def test_from_the_start_on_the_level_before_it_changes_nothing(trajectory):
    times = np.array([0.0, 0.3, 3.0, 40.0])
    same = replace(trajectory, before="trend").curve(times, different(trajectory), np)
    np.testing.assert_array_equal(trajectory.curve(times, different(trajectory), np), same)


@EVERY
def test_a_curve_that_runs_on_is_asked_to_and_others_refuse(trajectory):
    backwards = replace(trajectory, before="trend")
    levels = backwards.curve(trajectory.origin + np.array([-9.0, -6.0, -3.0, 0.0]), different(trajectory), np)
    if trajectory.runs_on:
        assert backwards.faults() == ()
        assert len(set(levels)) == 4
        np.testing.assert_allclose(np.diff(levels, 2), 0.0, atol=1e-9)  # a straight line
        return
    np.testing.assert_array_equal(levels, levels[-1])
    [(key, what)] = backwards.faults()
    assert key == "before"
    assert '{ kind = "piecewise", origin = -12, knots = [0] }' in what


@EVERY
@pytest.mark.parametrize("before", ["level", "trend"])
def test_the_written_formula_is_the_curve(trajectory, before):
    """Also before the start; the functions of a spline are taken from the curve that runs on."""
    trajectory = replace(trajectory, before=before)
    names = [c.name for c in trajectory.coefficients(SCALE)]
    values = different(trajectory)
    if "change" in values:  # the formula of a plateau states its end as the asymptote
        values["asymptote"] = values["start"] + values["change"]

    def function(name):
        own = dict.fromkeys(names, 0.0) | {name: 1.0} | ({"smooth": 1.0} if "smooth" in names else {})
        return lambda t: replace(trajectory, before="trend").curve(np.array(float(t)), own, np)

    shapes = {f"B_{n[7:]}": function(n) for n in names if n.startswith("change_")}
    shapes |= {f"phi_{n[7:]}": function(n) for n in names if n.startswith("wiggle_")}
    words = {**values, **shapes, "max": max, "sqrt": np.sqrt, "log": np.log}
    times = np.array([-300.0, -2.0, -0.5, 0.0, 1.0, 5.0, 40.0])
    by_formula = [float(eval(trajectory.written.replace("^", "**"), words | {"t": t})) for t in times]
    np.testing.assert_allclose(trajectory.curve(times, different(trajectory), np), by_formula, rtol=1e-12)


@EVERY
def test_every_coefficient_has_a_prior_or_says_what_it_needs(trajectory):
    assert all(c.prior for c in trajectory.coefficients(SCALE))
    assert all(c.prior or c.needs for c in trajectory.coefficients(BARE))


@EVERY
def test_coefficients_have_names_of_their_own(trajectory):
    names = [c.name for c in trajectory.coefficients(SCALE)]
    assert len(set(names)) == len(names)


@EVERY
def test_words_and_formulas_are_one_line_and_name_every_coefficient(trajectory):
    for text in (trajectory.sentence, trajectory.formula):
        assert text
        assert text.isprintable()
    if getattr(trajectory, "end", "") != "change":
        assert all(c.name in trajectory.formula for c in trajectory.coefficients(SCALE))


@EVERY
def test_examples_have_no_faults(trajectory):
    assert trajectory.faults() == ()
    assert (trajectory.knots() or trajectory.visits_planned()) == getattr(trajectory, "at", ())


@EVERY
def test_what_it_says_of_its_course_is_what_its_curve_does(trajectory):
    """Whether anything changes, and whether it comes to rest: the same level after ten million weeks as after
    twenty.
    """
    values = different(trajectory)
    assert (np.ptp(trajectory.curve(T, values, np)) > 0) == trajectory.moves
    late, later = trajectory.curve(np.array([1e7, 2e7]), values, np)
    still = trajectory.levels_off or trajectory.visits_planned() or not trajectory.moves
    assert (abs(later - late) < 1e-5) == bool(still)


@pytest.mark.parametrize("trajectory", [e for e in EXAMPLES if e.levels_off], ids=str)
def test_what_levels_off_says_where_and_when(trajectory):
    values = different(trajectory)
    start, end = trajectory.curve(trajectory.origin, values, np), trajectory.final(values)
    assert trajectory.curve(1e9, values, np) == pytest.approx(end, abs=1e-6)
    for left in (0.9, 0.5, 0.1):
        time = trajectory.origin + trajectory.until(left, values)
        assert trajectory.curve(time, values, np) == pytest.approx(end + left * (start - end), rel=1e-12)


def test_constant_stays_level():
    np.testing.assert_array_equal(Constant().curve(T, {"intercept": 4.0}, np), 4.0)


def test_linear_by_hand():
    values = {"intercept": 4.0, "slope": -2.0}
    np.testing.assert_allclose(Linear(origin=1.5).curve(T, values, np), [7.0, 7.0, 6.0, 1.0, -73.0])
    trend = Linear(origin=1.5, before="trend")
    np.testing.assert_allclose(trend.curve(T, values, np), [11.0, 7.0, 6.0, 1.0, -73.0])


def test_linear_in_the_square_root_of_time_by_hand():
    found = Linear(origin=1.0, transform="sqrt").curve(
        np.array([-3, 1, 2, 5, 10.0]), {"intercept": 4.0, "slope": -2.0}, np
    )
    np.testing.assert_allclose(found, [4.0, 4.0, 2.0, 0.0, -2.0])


def test_log_by_hand():
    times = 1.0 + np.array([-5.0, 0.0, np.e - 1, np.e**2 - 1, np.e**3 - 1])
    found = Log(origin=1.0).curve(times, {"intercept": 4.0, "slope": -2.0}, np)
    np.testing.assert_allclose(found, [4.0, 4.0, 2.0, 0.0, -2.0], atol=1e-14)


@pytest.mark.parametrize(
    ("trajectory", "prior"),
    [
        (Linear(), "normal(0, 0.0416667)"),  # 2 * 0.5 / 24
        (Linear(transform="sqrt"), "normal(0, 0.204124)"),  # 2 * 0.5 / sqrt(24)
        (Log(), "normal(0, 0.310667)"),  # 2 * 0.5 / log(25)
        (Piecewise(at=(3.0,)), "normal(0, 0.333333)"),  # the first piece lasts 3 weeks: 2 * 0.5 / 3
        (Spline(at=(0.0, 3.0, 6.0), penalised=True), "normal(0, 0.0416667)"),
    ],
    ids=str,
)
def test_the_default_slope_is_set_on_the_typical_follow_up(trajectory, prior):
    slope = trajectory.coefficients(SCALE)[1]
    assert str(slope.prior) == prior
    bare = trajectory.coefficients(BARE)[1]
    assert (bare.prior, bare.needs) == (None, "study.time.typical (a typical follow-up)")


@pytest.mark.parametrize(
    ("trajectory", "nature"),
    [
        (Linear(), "rate"),
        (Linear(transform="sqrt"), "difference"),
        (Log(), "difference"),
        (Piecewise(at=(3.0,)), "rate"),
    ],
    ids=str,
)
def test_only_a_change_per_unit_of_time_is_a_rate(trajectory, nature):
    assert trajectory.coefficients(SCALE)[1].nature == nature


def test_the_formula_keeps_the_time_since_origin_as_others_replace_it():
    for trajectory in (Linear(), Linear(transform="sqrt"), Log(), Piecewise(at=(3.0,)), Plateau()):
        assert "(t - origin)" in trajectory.formula
    assert Linear(transform="sqrt").formula == "intercept + slope * sqrt(max(0, (t - origin)))"


PIECES = {"intercept": 10.0, "slope_1": 2.0, "slope_2": -1.0, "slope_3": 0.5}


def test_piecewise_by_hand():
    times = np.array([-2.0, 1.0, 2.0, 3.0, 4.0, 6.0, 10.0])
    found = Piecewise(origin=1.0, at=(3.0, 6.0), before="trend").curve(times, PIECES, np)
    np.testing.assert_allclose(found, [4.0, 10.0, 12.0, 14.0, 13.0, 11.0, 13.0], rtol=1e-15)


def test_a_trend_before_treatment_by_hand():
    """An earlier origin and a knot at the start: 10 at month -12, and 2 more a month until treatment begins."""
    times = np.array([-30.0, -12.0, -6.0, 0.0, 3.0, 10.0])
    values = {"intercept": 10.0, "slope_1": 2.0, "slope_2": -1.0}
    found = Piecewise(origin=-12.0, at=(0.0,)).curve(times, values, np)
    np.testing.assert_allclose(found, [10.0, 10.0, 22.0, 34.0, 31.0, 24.0], rtol=1e-15)


def test_piecewise_with_one_slope_is_a_straight_line():
    values = dict.fromkeys(PIECES, -0.7)
    found = Piecewise(origin=1.5, at=(3.0, 6.0)).curve(T, values, np)
    np.testing.assert_allclose(found, Linear(origin=1.5).curve(T, {"intercept": -0.7, "slope": -0.7}, np))


def test_piecewise_formulas_are_the_curve():
    p = Piecewise(origin=1.0, at=(3.0, 6.0))
    by_formula = [eval(p.written, {**PIECES, "max": max, "t": t}) for t in T]
    np.testing.assert_allclose(p.curve(T, PIECES, np), by_formula)


LEVELS = np.array([5.0, 3.0, 4.5, 2.0, 2.5, 7.0])
KNOTS = (1.5, 3.0, 4.0, 9.0, 24.0, 25.0)
CHANGES = {f"change_{k}": LEVELS[k - 1] - 5.0 for k in range(2, 7)}


def natural(times, knots=KNOTS, levels=LEVELS):
    """The reference: SciPy's natural cubic spline, straight beyond its end knots."""
    spline = CubicSpline(knots, levels, bc_type="natural")
    inside = np.clip(times, knots[0], knots[-1])
    return spline(inside) + spline(inside, 1) * (times - inside)


def test_the_spline_is_scipys_natural_cubic_spline():
    times = np.linspace(-50, 200, 2001)
    found = Spline(origin=1.5, at=KNOTS, before="trend").curve(times, {"start": 5.0, **CHANGES}, np)
    np.testing.assert_allclose(found, natural(times), rtol=1e-9, atol=1e-9)
    level = Spline(origin=1.5, at=KNOTS).curve(times, {"start": 5.0, **CHANGES}, np)
    np.testing.assert_allclose(level, natural(np.maximum(times, 0)), rtol=1e-9, atol=1e-9)


def test_the_spline_goes_through_its_levels():
    found = Spline(origin=1.5, at=KNOTS).curve(np.array(KNOTS), {"start": 5.0, **CHANGES}, np)
    np.testing.assert_allclose(found, LEVELS, rtol=1e-12)


def test_the_spline_stays_exact_with_many_uneven_knots_in_days():
    knots = (0.0, 7.0, 14.0, 30.0, 60.0, 90.0, 180.0, 365.0, 1000.0, 2900.0)
    levels = np.array([5.0, 3, 4, 2, 6, 1, 3, 3, 4, 2])
    values = {"start": 5.0} | {f"change_{k}": levels[k - 1] - 5 for k in range(2, 11)}
    times = np.linspace(-100, 4000, 2001)
    found = Spline(at=knots, before="trend").curve(times, values, np)
    np.testing.assert_allclose(found, natural(times, knots, levels), atol=1e-7)


PENALISED = Spline(origin=1.5, at=KNOTS, penalised=True, before="trend")


def direction(j, times):
    """phi_j at some times."""
    values = {"start": 0.0, "slope": 0.0, "smooth": 1.0} | {f"wiggle_{k}": float(k == j) for k in range(1, 5)}
    return PENALISED.curve(times, values, np)


def test_a_penalised_spline_without_wiggles_is_a_straight_line():
    values = {**some(PENALISED, 2.0, shape=0.0), "smooth": 3.0}
    line = Linear(origin=1.5, before="trend").curve(T, {"intercept": 2.0, "slope": 2.0}, np)
    np.testing.assert_array_equal(PENALISED.curve(T, values, np), line)


def test_the_slope_of_a_penalised_spline_is_the_average_from_first_to_last_knot():
    first, last = PENALISED.curve(np.array([1.5, 25.0]), different(PENALISED), np)
    assert (last - first) / 23.5 == pytest.approx(different(PENALISED)["slope"], rel=1e-12)


@pytest.mark.parametrize("j", [1, 2, 3, 4])
def test_each_direction_is_a_natural_spline_that_vanishes_at_the_ends(j):
    times = np.linspace(-10, 60, 501)
    np.testing.assert_allclose(direction(j, times), natural(times, levels=direction(j, np.array(KNOTS))), atol=1e-9)
    np.testing.assert_allclose(direction(j, np.array([1.5, 25.0])), 0.0, atol=1e-12)


def test_the_penalty_of_the_directions_is_a_multiple_of_the_identity():
    bends = [CubicSpline(KNOTS, direction(j, np.array(KNOTS)), bc_type="natural").derivative(2) for j in (1, 2, 3, 4)]

    def integral(a, b):
        return quad(lambda t: a(t) * b(t), 1.5, 25.0, points=KNOTS)[0]

    penalty = np.array([[integral(a, b) for a in bends] for b in bends])
    np.testing.assert_allclose(penalty / penalty[0, 0], np.eye(4), atol=1e-7)


def test_smooth_is_the_typical_deviation_from_the_straight_line():
    middle = 1.5 + 23.5 * (np.arange(20_000) + 0.5) / 20_000
    squares = [np.mean(direction(j, middle) ** 2) for j in (1, 2, 3, 4)]
    assert sum(squares) == pytest.approx(1.0, rel=1e-6)
    assert squares == sorted(squares, reverse=True)


@pytest.mark.parametrize("j", [1, 2, 3, 4])
def test_each_direction_rises_from_the_first_knot(j):
    assert direction(j, np.array(1.51)) > 0


def test_patients_may_differ_in_the_line_of_a_penalised_spline_only():
    assert [c.name for c in PENALISED.coefficients(SCALE) if c.may_vary] == ["start", "slope"]


def test_the_priors_of_a_penalised_spline():
    priors = {c.name: str(c.prior) for c in PENALISED.coefficients(SCALE)}
    assert priors["smooth"] == "halfnormal(0.5)"
    assert {priors[f"wiggle_{j}"] for j in range(1, 5)} == {"normal(0, 1)"}


def test_the_words_of_a_spline_name_its_knots():
    assert (
        Spline(at=(0.0, 3.0, 6.5)).sentence
        == "follows a smooth curve through levels of its own at 0, 3 and 6.5, straight beyond"
    )
    assert Spline(at=(0.0, 3.0, 6.5)).formula == "start + change_2 * B_2(t) + change_3 * B_3(t)"
    assert Piecewise(at=(3.0,)).sentence == "changes in straight lines that meet at 3"


@pytest.mark.parametrize(
    ("trajectory", "faults"),
    [
        (Piecewise(at=()), [("knots", "at least one")]),
        (Piecewise(at=(6.0, 3.0)), [("knots", "increasing order")]),
        (Piecewise(at=(3.0, 3.0)), [("knots", "increasing order")]),
        (Piecewise(at=(0.0, 3.0)), [("knots", "after the origin (0)")]),
        (Piecewise(origin=4.0, at=(6.0, 3.0)), [("knots", "increasing order"), ("knots", "after the origin (4)")]),
        (Spline(at=()), [("knots", "at least three")]),
        (Spline(at=(0.0, 3.0)), [("knots", "at least three")]),
        (Spline(at=(0.0, 6.0, 3.0)), [("knots", "increasing order")]),
        (Spline(at=(0.0, 0.0, 3.0)), [("knots", "increasing order")]),
        (Spline(at=(1.0, 3.0, 6.0)), [("origin", "must be the first knot (1)")]),
        (Spline(origin=3.0, at=(0.0, 3.0, 6.0), penalised=True), [("origin", "must be the first knot (0)")]),
    ],
    ids=str,
)
def test_faults(trajectory, faults):
    found = trajectory.faults()
    assert [key for key, _ in found] == [key for key, _ in faults]
    assert all(part in text for (_, text), (_, part) in zip(found, faults, strict=True))
    trajectory.coefficients(SCALE)  # a study with a fault is still asked for its other faults


@pytest.mark.parametrize(
    ("follow_up", "month", "weeks"),
    [
        (None, 30.4375 / 7, 3 * 30.4375 / 7),  # three months
        (52.0, 30.4375 / 7, 3 * 30.4375 / 7),
        (9.0, 30.4375 / 7, 4.5),  # nobody sees a longer one
        (520.0, 30.4375 / 7, 520 / 12),  # nobody sees a shorter one
        (10.0, None, 2.0),  # infusions
    ],
)
def test_the_default_half_time_is_three_months_within_what_a_follow_up_can_tell(follow_up, month, weeks):
    half_time = Plateau().coefficients(replace(SCALE, follow_up=follow_up, month=month))[2].prior
    assert half_time.quantile(0.5) == pytest.approx(weeks)


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


@pytest.mark.parametrize("end", ["asymptote", "change"])
def test_patients_may_differ_in_a_duration_though_it_is_not_linear(end):
    coefficients = Plateau(end=end).coefficients(SCALE)
    assert [c.linear for c in coefficients] == [True, True, False]
    assert [c.may_vary for c in coefficients] == [True, True, True]
