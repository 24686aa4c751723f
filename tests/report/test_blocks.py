"""The same blocks by three renderers: a terminal, HTML and Markdown say every word of them."""

import html as escapes
import re

import pytest

from bayesmyo.components.numbers import Number
from bayesmyo.report.blocks import (
    SPACE,
    WITHHELD,
    Code,
    Heading,
    Items,
    Paragraph,
    Picture,
    Section,
    Span,
    Table,
    Terms,
    table,
)
from bayesmyo.report.html import html
from bayesmyo.report.markdown import markdown
from bayesmyo.report.page import Page
from bayesmyo.report.tables import csv_text
from bayesmyo.report.terminal import show

ROWS = (
    {"who": "all", "median": Number(12.345, 0.02), "interval": Span(Number(9.87, 0.02), Number(110.2, 0.02)), "n": "4"},
    {"who": "men", "median": WITHHELD, "interval": WITHHELD, "n": "2"},
)
ANSWERS = table("answers", "Answers of two", {"group": "who", "middle": "median", "95% interval": "interval"}, ROWS)
BLOCKS = (
    Heading("What was asked"),
    Paragraph("It is plain."),
    Paragraph("It may be repeated.", "claim"),
    Items(("first of all", "then the second")),
    Terms((("Goal", "to know"),)),
    ANSWERS,
    Code("In R", "lm(y ~ x)\nsummary(m)"),
    Picture("figure-one", "<svg></svg>", "A curve", "It rises"),
)
WORDS = (
    "What was asked", "It is plain.", "It may be repeated.", "first of all", "then the second", "Goal", "to know",
    "Answers of two", "group",
    "middle", "95% interval", "all", "12.3", "9.9 to 110", "men", "withheld", "In R", "lm(y ~ x)", "summary(m)",
    "A curve",
)  # fmt: skip


def by(renderer, capsys):
    """What a reader sees, in one line."""
    page = Page("Title", (Section("one", "One", BLOCKS),), True, "Every check passed.")
    if renderer == "terminal":
        show(*BLOCKS)
        shown = capsys.readouterr().out
    elif renderer == "html":
        shown = escapes.unescape(re.sub(r"<wbr>|<[^>]+>", "", re.sub(r"</\w+>", " ", html(page))))
    else:
        shown = re.sub(r"\\(.)", r"\1", markdown(page))
    return " ".join(shown.split())


@pytest.mark.parametrize("renderer", ["terminal", "html", "markdown"])
def test_each_renderer_says_every_word(renderer, capsys):
    shown = by(renderer, capsys)
    assert [w for w in WORDS if w not in shown] == []


def test_a_terminal_says_once_in_a_row_that_its_numbers_are_withheld(capsys):
    show(ANSWERS)
    assert capsys.readouterr().out.splitlines() == [
        "Answers of two",
        "group    middle  95% interval",
        "all        12.3  9.9 to 110",
        "men    withheld  -",
    ]


def test_a_table_chooses_among_the_cells_of_its_rows():
    assert ANSWERS.headers == ("group", "middle", "95% interval")
    assert [row[0] for row in ANSWERS.rows] == ["all", "men"]
    assert csv_text(ANSWERS).splitlines() == [
        "group,middle,95% interval",
        "all,12.345,9.9 to 110",
        "men,withheld,withheld",
    ]


def test_a_column_stays_one_of_numbers_where_some_are_missing_or_withheld():
    cells = Table("t", "", ("a", "b", "c"), (("x", Number(1.0), "-"), ("y", WITHHELD, ""), ("z", Number(None), "-")))
    assert [cells.numeric(i) for i in range(3)] == [False, True, False]


def test_a_space_is_for_a_terminal_alone(capsys):
    show(Paragraph("one"), SPACE, Paragraph("two"))
    assert capsys.readouterr().out == "one\n\ntwo\n"


def test_two_columns_may_have_one_header():
    """A category of response may be called as an author likes."""
    both = table("t", "", [("patient", "who"), ("patient", "median")], ROWS[:1])
    assert both.headers == ("patient", "patient")
    assert [str(c) for c in both.rows[0]] == ["all", "12.3"]
