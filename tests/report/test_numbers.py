"""One rule writes every number."""

import math

import numpy as np
import pytest

from bayesmyo.components.numbers import Number, Written, chance_error, probability_text, resolved
from bayesmyo.report.draws import quantile_errors
from bayesmyo.report.numbers import count, number

SHOWN = [
    (0.94712, 0.0028, "0.95"),
    (0.94712, 0.0008, "0.947"),
    (0.94712, 0.0, "0.947"),
    (-557.2, 0.9, "-557"),
    (-557.2, 2.6, "-560"),
    (-557.2, 13.0, "-560"),
    (1234.5, 25.0, "1,200"),
    (0.348, 0.022, "0.35"),
    (53.4, 15.0, "50"),
    (-0.0004, 0.01, "0.00"),
    (6.89, 0.3, "6.9"),
    (13.9, 0.3, "14"),
    (999.7, 0.1, "1,000"),
    (0.0, 0.004, "0.00"),
]


@pytest.mark.parametrize(("value", "error", "text"), SHOWN)
def test_no_digit_below_the_error(value, error, text):
    assert resolved(value, error) == text


def test_what_is_shown_is_the_value_within_half_a_digit_and_no_finer_than_the_error(rng):
    values = rng.normal(0, 1, 500) * 10.0 ** rng.integers(-3, 6, 500)
    for value, error in zip(values, 10.0 ** rng.uniform(-4, 3, 500), strict=True):
        text = resolved(value, error)
        third = 10.0 ** (math.floor(math.log10(abs(value))) - 2)
        assert abs(float(text.replace(",", "")) - value) <= 0.5001 * max(third, 10 * error)
        decimals = len(text.partition(".")[2])
        assert decimals == 0 or 10.0**-decimals >= 0.9999 * error / 5


@pytest.mark.parametrize(
    ("p", "error", "text"),
    [
        (0.8731, 0.007, "0.87"),
        (0.8731, 0.0, "0.873"),
        (1.0, 0.0005, "more than 0.999"),
        (1.0, 0.0025, "more than 0.99"),
        (0.0, 0.0005, "less than 0.001"),
        (0.5, 0.2, "0.5"),
    ],
)
def test_a_probability_never_claims_certainty(p, error, text):
    assert probability_text(p, error) == text


def test_what_is_not_there_is_a_dash():
    assert str(number(None)) == str(number(math.nan)) == "-"
    assert number(None).value is None
    assert str(count(1234)) == "1,234"


def test_errors_of_quantiles_are_those_of_normal_draws(rng):
    """For independent draws the error of a quantile is sqrt(p (1 - p) / n) / density."""
    n = 4 * 2500
    found = quantile_errors(rng.standard_normal((4, 2500)), (0.5, 0.025))
    expected = [math.sqrt(0.25 / n) / 0.39894, math.sqrt(0.025 * 0.975 / n) / 0.05845]
    assert all(0.7 < f / e < 1.6 for f, e in zip(found, expected, strict=True))
    assert quantile_errors(np.ones((4, 100)), (0.5,)) == [0.0]


def test_a_chance_from_so_many_draws_has_an_error():
    assert chance_error(0.5, 400) == pytest.approx(0.025)
    assert chance_error(1.0, 400) == pytest.approx(1 / 400)


def test_a_number_and_its_opposite_are_written_alike():
    fall = Number(-1.2345, 0.02)
    assert (str(fall), str(fall.of(1.2345))) == ("-1.2", "1.2")
    assert str(Number(1.2345, 0.2).of(8.0)) == "8.0"


def test_a_number_keeps_its_own_error_whatever_others_are_equal_to_it():
    """The median of one result may be the width of its interval, or its lower end with the other sign: neither lends
    it an error.
    """
    how = Written({0.025: Number(-8.0, 3.0), 0.5: Number(8.0, 0.002)}, 1000)
    assert str(how.quantile(0.5, 8.0)) == "8.00"
    assert str(how.quantile(0.025, -8.0)) == "-8"
    assert str(how.quantile(0.05, -8.0)) == "-8.00"  # nothing is known of it
