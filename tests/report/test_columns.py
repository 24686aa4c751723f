"""Tables as text: no wider than asked, nothing lost, numbers under each other, digits that deserve to be printed."""

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from bayesmyo.components.numbers import apart, resolved
from bayesmyo.report.blocks import Span
from bayesmyo.report.columns import layout

HEADERS = ["name", "median", "95% interval", "unit", "population"]
ROWS = [
    ["mrc_change", "0.98", Span("0.7", "1.2"), "grade", "population average"],
    ["cpk_change", "-640", Span("-1,000", "-300"), "IU/L", "these patients"],
]
RIGHT = [False, True, False, False, False]


def test_a_wide_table_is_one_line_for_each_row():
    head, body = layout(HEADERS, ROWS, 80, RIGHT, ["population"])
    assert [*head, *body] == [
        "name        median  95% interval    unit   population",
        "mrc_change    0.98     0.7 to  1.2  grade  population average",
        "cpk_change    -640  -1,000 to -300  IU/L   these patients",
    ]


def test_where_it_is_too_wide_words_go_below():
    head, body = layout(HEADERS, ROWS, 50, RIGHT, ["population"])
    assert [*head, *body] == [
        "name        median  95% interval    unit",
        "    population",
        "mrc_change    0.98     0.7 to  1.2  grade",
        "    population average",
        "cpk_change    -640  -1,000 to -300  IU/L",
        "    these patients",
    ]


def test_where_that_does_not_do_columns_go_below_with_their_names():
    _, body = layout(HEADERS, ROWS, 34, RIGHT, ["population"])
    assert body[:2] == ["mrc_change    0.98     0.7 to  1.2", "    population average; unit grade"]


def test_texts_are_broken_at_words():
    _, body = layout(["study", "title"], [["a", "IVIG in dermatomyositis and polymyositis"]], 30, [False, False])
    assert body == ["a      IVIG in dermatomyositis", "       and polymyositis"]


def test_wide_characters_take_their_room():
    _, body = layout(["who", "n"], [["筋炎", "1"], ["ab", "2"]], 80, [False, True])
    assert body == ["筋炎  1", "ab    2"]


words = st.sampled_from(["a", "0", "grade", "mg/d", "1,234", "筋炎", "population", "abcdefghijkl"])


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=50)
@given(st.lists(st.tuples(words, words, words, words), min_size=1, max_size=5), st.integers(30, 100))
def test_no_line_is_too_wide_and_no_word_is_lost(rows, width):
    headers = ["name", "second", "third", "fourth"]
    head, body = layout(headers, [list(r) for r in rows], width, [False] * 4, ["third"])
    assert all(cell_len(line) <= width for line in [*head, *body])
    said = re.sub(r"(second|fourth)\s+", "", "\n".join(body))
    assert sorted(w for r in rows for w in r) == sorted(w for w in re.split(r"[\s;]+", said) if w)


@pytest.mark.parametrize(
    ("value", "mcse", "shown"),
    [
        (0.98765, None, "0.988"),
        (0.98765, 0.0001, "0.988"),  # three digits at most
        (0.98765, 0.004, "0.99"),
        (0.98765, 0.006, "0.99"),
        (0.98765, 0.02, "0.99"),
        (0.98765, 0.06, "1.0"),
        (-635.8, 1, "-636"),
        (-635.8, 12, "-640"),
        (-10448, 3000, "-10,000"),
        (0.0416, 0.19, "0.0"),
        (0.16, 0.001, "0.160"),  # the zero says how exact it is
        (9.996, None, "10.0"),
        (999.96, None, "1,000"),
        (0.0, None, "0"),
        (0.0, 0.02, "0.0"),
        (-0.001, 0.1, "0.0"),
        (0.000123456, None, "0.000123"),
        (0.000123456, 0.002, "0.000"),  # nothing is known of it
        (1.23456e-9, None, "1.23e-09"),  # an exponent where it would be long
        (2.5e12, None, "2.50e+12"),
        (1.5, float("nan"), "1.50"),
    ],
)
def test_digits_follow_the_monte_carlo_error(value, mcse, shown):
    assert resolved(value, mcse or 0.0) == shown


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.floats(1e-2, 1e6), st.floats(1e-6, 1e5))
def test_the_last_digit_shown_is_the_first_that_the_error_touches(value, mcse):
    """What is printed differs from the value by no more than half its last place, which is no finer than a fifth of
    the error.
    """
    shown = resolved(value, mcse)
    decimals = len(shown.partition(".")[2])
    place = 10.0**-decimals if decimals else 1.0
    digits = shown.replace(",", "")
    if not decimals and float(digits):
        place = 10.0 ** (len(digits) - len(digits.rstrip("0")))
    assert abs(float(digits) - value) <= max(0.5 * place, 5.0 * mcse, 0.005 * value) * 1.0001
    if decimals:
        assert place >= mcse / 5 or len(digits.strip("0.").replace(".", "")) <= 3


def test_the_ends_of_a_narrow_interval_are_told_apart():
    assert [resolved(v, 0.001, apart(49.9612, 50.0388)) for v in (49.9612, 50.0388)] == ["49.96", "50.04"]
    assert apart(0.7, 1.3) == apart(1.0, 1.0) == apart(-1.0, float("nan")) == apart(56.0, 56.0 + 1e-14) == 3
