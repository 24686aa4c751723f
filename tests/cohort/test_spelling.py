"""Two spellings of one id are refused, and what differs is said without showing either; what may be two people is
noted.
"""

import itertools
import re
import unicodedata

import pytest

from bayesmyo.cohort.read import cohort_of
from bayesmyo.cohort.spelling import ALIKE, LATIN, Likeness, difference, fold, slips
from bayesmyo.cohort.table import parse_table
from bayesmyo.errors import CohortError
from bayesmyo.study import parse_study
from tests.conftest import SMALL

STUDY = parse_study(SMALL)
NOTE = re.compile(
    r"Some patient ids differ only in (.*) \((lines? [\d, ]+)\): are they one patient\? Here they are different patients\. \[(D\d\d)\]"
)


def read(ids):
    """A cohort with these patients, one visit each, from line 2."""
    rows = [f'"{p}",{n},{50 + n % 40},{900 + 7 * n}' for n, p in enumerate(ids)]
    table = "\n".join(["patient,month,strength,cpk", *rows])
    return cohort_of(STUDY, parse_table(table.encode(), "cohort.csv", STUDY.data))


def fault(ids):
    with pytest.raises(CohortError) as caught:
        read(ids)
    (only,) = caught.value.faults
    return only


def noted(ids):
    """(what, lines, code) of the ids that are noted."""
    return [found.groups() for n in read(ids).notices if (found := NOTE.fullmatch(n))]


# --- one on paper

ONE = [
    ("P01", "P01\u200b", "D21", "invisible characters (U+200B after character 3) on line 5"),
    ("P01", "\ufeffP01", "D21", "invisible characters (U+FEFF at the beginning) on line 5"),
    ("P01", "P\u00ad01", "D21", "invisible characters (U+00AD after character 1) on line 5"),
    ("P01", "P01\u034f", "D21", "invisible characters (U+034F after character 3) on line 5"),
    ("P01", "P01\ufe0f", "D21", "invisible characters (U+FE0F after character 3) on line 5"),
    ("P01", "\u202eP01", "D21", "invisible characters (U+202E at the beginning) on line 5"),
    ("P-01", "P\u201301", "D21", "kinds of dash (U+2013 as character 2) on line 5"),
    ("P-01", "P\u221201", "D21", "kinds of dash (U+2212 as character 2) on line 5"),
    ("P-01", "P_01", "D21", "kinds of dash"), ("P-01", "P--01", "D21", "kinds of dash"),
    ("1'", "1\u2019", "D21", "kinds of apostrophe (U+2019 as character 2) on line 5"),
    ("1", "1.0", "D21", '".0" at the end, which programs add that take ids for numbers'),
    ("17", "17,00", "D21", '".0" at the end, which programs add that take ids for numbers'),
    ("P01", "p01", "D21", "case"), ("straße", "STRASSE", "D21", "case (U+00DF as character 5) on line 3"),
    ("P01", "P01 ", "D21", "white space (a space after character 3) on line 5"),
    ("P01", "P\u00a001", "D21", "white space (U+00A0 after character 1) on line 5"),
    ("AB 1", "ab1", "D21", "case and white space (a space after character 2) on line 3"),
    ("P1", "\uff301", "D21", "full-width or composed forms (U+FF30 as character 1) on line 5"),
    ("\u00c41", "A\u03081", "D21", "full-width or composed forms"),
    ("P02", "\u042002", "D25", "letters of another alphabet that look alike (U+0420 as character 1) on line 5"),
    ("aco", "\u0430c\u043e", "D25",
     "letters of another alphabet that look alike (U+0430 as character 1, U+043E as character 3) on line 5"),
    ("XY", "\u03a7\u03a5", "D25",
     "letters of another alphabet that look alike (U+03A7 as character 1, U+03A5 as character 2) on line 5"),
    ("3", "\u0663", "D25", "digits of another script (U+0663 as character 1) on line 5"),
    ("P02", "\u0440\u200b02", "D25",
     "invisible characters (U+200B after character 1), letters of another alphabet that look alike (U+0440 as "
     "character 1) and case on line 5"),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other", "code", "how"), ONE, ids=[ascii(other) for _, other, _, _ in ONE])
def test_two_spellings_of_one_id(one, other, code, how):
    found = fault(["Y", one, "Z", other])
    assert (found.code, found.where) == (code, 'lines 3, 5, column "patient"')
    assert found.what == f"patient ids differ only in {how}"
    assert not found.got
    assert one not in str(found).replace("U+", "").replace("character", "") or len(one) < 3


def test_what_differs_alike_is_one_fault_whatever_the_number():
    pairs = [text for n in range(1, 31) for text in (f"S{n:02d}", f"S{n:02d}\u200b")]
    found = fault(pairs)
    assert found.where == 'lines 2, 3, 4, 5, 6 and 55 more, column "patient"'
    assert "on lines 3, 5, 7, 9, 11 and 25 more" in found.what


def test_every_invisible_character_is_folded_away():
    """All of category Cf, and those of other categories that fonts draw as nothing (Unicode's default ignorable code
    points).
    """
    every = [chr(n) for n in range(0x110000) if unicodedata.category(chr(n)) == "Cf"]
    every += ["\u034f", "\u115f", "\u1160", "\u17b4", "\u3164", "\uffa0", "\u180b", "\ufe00", "\U000e0100"]
    assert [hex(ord(c)) for c in every if fold(f"P{c}1") != "p1"] == []


def test_every_dash_of_unicode_is_one():
    every = [chr(n) for n in range(0x110000) if unicodedata.category(chr(n)) == "Pd"] + ["\u2212", "_"]
    assert [hex(ord(c)) for c in every if fold(f"P{c}1") != "p-1"] == []


def test_letters_that_look_alike_are_pairs():
    assert len(ALIKE) == len(LATIN) == len({*ALIKE})
    assert LATIN.isascii()


DIFFERENT = (
    "P1",
    "Q1",
    "P10",
    "Ä1",
    "A1",
    "AB1",
    "12",
    "Иван",
    "Жора",
    "Ω1",
    "李",
    "None",
    "1 11",
    "11 1",
    "2-11",
    "21-1",
    "LI1",
    "IL1",
)


def test_ids_that_only_a_machine_would_confuse_are_different():
    assert all(fold(a) != fold(b) for a, b in itertools.combinations(DIFFERENT, 2))
    assert read(DIFFERENT).patients == DIFFERENT
    assert noted(DIFFERENT) == []


# --- perhaps one


@pytest.mark.parametrize(
    ("ids", "what", "code"),
    [
        (("P01", "P1"), "leading zeros", "D20"), (("007", "7"), "leading zeros", "D20"),
        (("S-007", "S-7"), "leading zeros", "D20"), (("1-01", "1-1"), "leading zeros", "D20"),
        (("01-1", "1-1"), "leading zeros", "D20"), (("P1.0", "P1"), '".0" at the end', "D20"),
        (("P01", "P0l"), "letters that look like digits", "D52"),
        (("S01", "SO1"), "letters that look like digits", "D52"),
        (("P15", "P1S"), "letters that look like digits", "D52"),
        (("P-01", "P01"), "punctuation", "D52"), (("P.01", "P-01"), "punctuation", "D52"),
        (("1-11", "111"), "punctuation", "D52"), (("P1'", "P1"), "punctuation", "D52"),
        (("P-01", "P1"), "punctuation, leading zeros or letters that look like digits", "D52"),
        (("PO1", "P1"), "punctuation, leading zeros or letters that look like digits", "D52"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("others", [(), ("Q77",), tuple(f"X{n}Y{n % 3}" for n in range(10, 60)), ("A", "17-B", "Zoë")])
def test_what_may_be_one_id_is_noted_in_a_cohort_of_any_size_and_mixture(ids, what, code, others):
    lines = f"lines {2 + len(others) // 2}, {3 + len(others)}"
    middle = len(others) // 2
    assert noted([*others[:middle], ids[0], *others[middle:], ids[1]]) == [(what, lines, code)]


def test_the_narrowest_reason_is_given_once():
    assert [(slip.name, group) for slip, group in slips(["P01", "P1", "P-1", "PO1"])] == [
        ("leading zeros", ("P01", "P1")),
        ("letters that look like digits", ("P01", "PO1")),
        ("punctuation", ("P1", "P-1")),
    ]


def test_an_id_is_looked_for_among_others():
    found = Likeness(["P01", "P02\u200e", "3", "P-04"])
    said = [found.to(text) for text in ("p01", "P02", "3.0", "03", "P04", "P5")]
    assert said[:2] == ["case", "invisible characters (U+200E after character 3)"]
    assert said[2].startswith('".0" at the end')
    assert said[3:] == ["leading zeros", "punctuation", ""]


def test_a_difference_names_no_character_that_both_have():
    assert difference(["Zoë 1", "zoë 1"]).text == "case"
