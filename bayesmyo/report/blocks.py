"""What is shown to a reader, as plain data: made once, and rendered for a terminal, as HTML and as Markdown.

A number that is shown is a `Number` of `components/numbers.py`: the value as it was computed, which a CSV file holds,
and the one text by which every sentence and table shows it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bayesmyo.components.numbers import Number

NOT_STATED = "NOT STATED"
WITHHELD = "withheld"  # in the place of a number that is not for a reader


@dataclass(frozen=True)
class Span:
    """The two ends of an interval; a terminal aligns a column of them at both."""

    lower: Number | str
    upper: Number | str

    def __str__(self) -> str:
        return f"{self.lower} to {self.upper}"


Cell = str | Number | Span


@dataclass(frozen=True)
class Heading:
    """A heading within a section."""

    text: str


@dataclass(frozen=True)
class Paragraph:
    """Text, or a space where there is none.

    kind: "plain"; "claim", what a reader may repeat; "withheld", why there is no claim; "note"; "passed" or "failed",
        of a check
    """

    text: str
    kind: str = "plain"


def note(text: str) -> Paragraph:
    """What a reader should bear in mind."""
    return Paragraph(text, "note")


SPACE = Paragraph("")  # between the blocks of a terminal; a page sets them apart by itself


@dataclass(frozen=True)
class Items:
    """A list of sentences, in no order; kind as of a paragraph."""

    items: tuple[str, ...]
    kind: str = "plain"


@dataclass(frozen=True)
class Terms:
    """Terms and what is said of each; what nobody has said is NOT STATED. folded: what stands in their place until they
    are asked for."""

    pairs: tuple[tuple[str, str], ...]
    folded: str = ""


@dataclass(frozen=True)
class Table:
    """A table, of which the first cell of a row says what the row is.

    name: of its CSV file; caption: empty where what stands above says it; folded: closed until it is asked for
    below: the columns of words that a terminal without room for them puts under each row

    """

    name: str
    caption: str
    headers: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    folded: bool = False
    below: tuple[str, ...] = ()

    def numeric(self, column: int) -> bool:
        """Whether a column is one of numbers, though some may be missing or withheld."""
        cells = [row[column] for row in self.rows]
        numbers = [isinstance(c, Number) for c in cells]
        return any(numbers) and all(n or c in ("", "-", WITHHELD) for n, c in zip(numbers, cells, strict=True))


Columns = Mapping[str, str] | Sequence[tuple[str, str]]


def table(
    name: str,
    caption: str,
    columns: Columns,
    rows: Iterable[Mapping[str, Cell]],
    folded: bool = False,
    below: Sequence[str] = (),
) -> Table:
    """The table of some columns of rows that may hold more of them.

    Parameters
    ----------
    columns : mapping or sequence of pairs
        Header and key of each column; pairs where an author's own names could be those of other columns.
    rows : iterable of mapping
        Cells by key.
    """
    pairs = tuple(columns.items() if isinstance(columns, Mapping) else columns)
    cells = tuple(tuple(row[key] for _, key in pairs) for row in rows)
    return Table(name, caption, tuple(header for header, _ in pairs), cells, folded, tuple(below))


@dataclass(frozen=True)
class Picture:
    """A figure as SVG text of our own making; alternative: what it shows, in words and numbers; wide: of panels side by
    side; folded: closed until it is asked for."""

    name: str
    svg: str
    caption: str
    alternative: str
    wide: bool = False
    folded: bool = False


@dataclass(frozen=True)
class Code:
    """Text to be copied letter by letter. what: such as "lme4"; folded: closed until it is asked for, for what is
    long."""

    what: str
    text: str
    folded: bool = False


Block = Heading | Paragraph | Items | Terms | Table | Picture | Code


@dataclass(frozen=True)
class Section:
    """One section of a report. name: its anchor; folded: closed on a screen until it is asked for, open in print."""

    name: str
    title: str
    blocks: tuple[Block, ...]
    folded: bool = False


def stated(text: str) -> str:
    """What an author has written, on one line; NOT STATED for nothing."""
    return " ".join(text.split()) or NOT_STATED


def claims(said: Sequence[tuple[str, str]]) -> list[Paragraph]:
    """(name, sentence) as paragraphs; sentences that are withheld for one reason become one paragraph, which names
    them."""
    told: list[Paragraph] = []
    held: dict[str, list[str]] = {}
    for name, sentence in said:
        if sentence.startswith("withheld: "):
            why = sentence.removeprefix("withheld: ")
            own = why.removeprefix(f"{name}: ")  # its name stands before it
            held.setdefault(why if own == why else own[0].upper() + own[1:], []).append(name)
        else:
            told.append(Paragraph(sentence, "claim"))
    return [*told, *(Paragraph(f"{', '.join(names)}. {why}", "withheld") for why, names in held.items())]


def counted(n: int, what: str, several: str = "") -> str:
    """`1 patient`, `2 patients`."""
    return f"{n:,} {what if n == 1 else several or what + 's'}"
