"""What a spreadsheet program shows of a number, by its number format."""

import random

import pytest

from bayesmyo.cohort.number_formats import shown


# what Excel and LibreOffice print for these; rounding apart
@pytest.mark.parametrize(
    ("value", "form", "text"),
    [
        (0.45, "0%", "45%"), (0.4567, "0.0%", "45.67%"), (-0.05, "0%", "-5%"), (1, "0.00%", "100%"),
        (20, '"<"0', "<20"), (20, "<0", "<20"), (2000, '">"0', ">2000"), (2000, r"\>0", ">2000"), (5, '"≤ "0', "≤5"),
        (0.2, '[<0.5]"<LOD";0.0', "<LOD"), (4, r"0\+", "4+"), (12.5, '0.0" mg"', "12.5 mg"),
        (3, 'General" mg"', "3 mg"), (12, "[$€-407] 0", "€12"),
        (7, "000", "007"), (7, '"P"00', "P07"), (1234, "00-00", "12-34"), (-7, "000", "-007"),
        (0, "0;-0;;@", ""), (5, ";;;", ""), (-5, "0;", ""), (1200, "0.0,", "1.2"), (3_400_000, "0,,", "3.4"),
    ],
)  # fmt: skip
def test_a_format_that_shows_something_else(value, form, text):
    assert shown(value, f"{value:g}" if abs(value) < 1e5 else str(value), form) == text


@pytest.mark.parametrize(
    ("value", "form"),
    [
        (5.5, "General"), (12345, "000"), (5.5, "0.0"), (5.512, "0.00"), (5000, "#,##0"), (5000.5, "#,##0.00"),
        (5, "@"), (5, "[Red]0"), (5, "[Blue][>3]0;0"), (3, "0_)"),
        (3, "0_);(0)"), (-3, "0_);(0)"), (-3, "0;-0"), (3, "0.00E+00"), (0.5, "# ?/?"), (5, "+0;-0;0"),
        (0.7, '[<0.5]"<LOD";0.0'),
        (0, '_-* #,##0.00_-;-* #,##0.00_-;_-* "-"??_-;_-@_-'), (5, '_-* #,##0.00_-;-* #,##0.00_-;_-* "-"??_-;_-@_-'),
        (5, "0" * 300),
    ],
)  # fmt: skip
def test_a_format_that_shows_the_number(value, form):
    assert shown(value, f"{value:g}", form) is None


def test_a_percentage_has_the_declared_decimal_sign():
    assert shown(0.455, "0,455", "0.0%", ",") == "45,5%"


def test_any_text_is_a_format_that_says_something_or_nothing(rng):
    signs = '0#?.,%;[]"\\<>=-+/ _*@EeGgenral()€mdyhs:$'
    chance = random.Random(int(rng.integers(1e9)))
    for _ in range(5000):
        form = "".join(chance.choice(signs) for _ in range(chance.randrange(12)))
        for value in (0.0, 7.0, -0.25):
            assert isinstance(shown(value, f"{value:g}", form), str | None)
