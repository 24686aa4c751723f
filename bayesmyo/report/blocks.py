"""What a report is made of: plain data, written once as HTML and once as Markdown.

A number that is shown is a `Number`: the value as it was computed, and the one text by which every sentence and table shows it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

NOT_STATED = "NOT STATED"


@dataclass(frozen=True)
class Number:
    """A value and how it is written; the CSV holds the value, a reader sees the text."""

    value: float | int | None
    text: str


Cell = str | Number


@dataclass(frozen=True)
class Heading:
    """A heading within a section."""

    text: str


@dataclass(frozen=True)
class Paragraph:
    """Text. kind: "plain"; "claim", what a reader may repeat; "withheld", why there is no claim; "note"; "passed" or "failed", of a check."""

    text: str
    kind: str = "plain"


@dataclass(frozen=True)
class Items:
    """A list of sentences, in no order; kind as of a paragraph."""

    items: tuple[str, ...]
    kind: str = "plain"


@dataclass(frozen=True)
class Terms:
    """Terms and what is said of each; what nobody has said is NOT STATED. folded: what stands in their place until they are asked for."""

    pairs: tuple[tuple[str, str], ...]
    folded: str = ""


@dataclass(frozen=True)
class Table:
    """A table. name: of its CSV file; the first cell of a row says what the row is; folded: closed until it is asked for."""

    name: str
    caption: str
    headers: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    folded: bool = False

    def numeric(self, column: int) -> bool:
        """Whether every cell of a column is a number, or none at all."""
        cells = [row[column] for row in self.rows]
        return any(isinstance(c, Number) for c in cells) and all(isinstance(c, Number) or c in ("", "-") for c in cells)


@dataclass(frozen=True)
class Picture:
    """A figure as SVG text of our own making; alternative: what it shows, in words and numbers; wide: of panels side by side."""

    name: str
    svg: str
    caption: str
    alternative: str
    wide: bool = False


@dataclass(frozen=True)
class Code:
    """Text to be copied letter by letter. what: such as "lme4"; folded: closed until it is asked for, for what is long."""

    what: str
    text: str
    folded: bool = False


Block = Heading | Paragraph | Items | Terms | Table | Picture | Code


@dataclass(frozen=True)
class Section:
    """One section of a report. name: its anchor."""

    name: str
    title: str
    blocks: tuple[Block, ...]


def stated(text: str) -> str:
    """What an author has written, on one line; NOT STATED for nothing."""
    return " ".join(text.split()) or NOT_STATED


def text(cell: Cell) -> str:
    """A cell as a reader sees it."""
    return cell.text if isinstance(cell, Number) else cell


def claims(said: Sequence[tuple[str, str]]) -> list[Paragraph]:
    """(name, sentence) as paragraphs; sentences that are withheld for one reason become one paragraph, which names them."""
    found: list[Paragraph] = []
    held: dict[str, list[str]] = {}
    for name, sentence in said:
        if sentence.startswith("withheld: "):
            held.setdefault(sentence.removeprefix("withheld: "), []).append(name)
        else:
            found.append(Paragraph(sentence, "claim"))
    return [*found, *(Paragraph(f"{', '.join(names)}. {why}", "withheld") for why, names in held.items())]


def counted(n: int, what: str, several: str = "") -> str:
    """`1 patient`, `2 patients`."""
    return f"{n:,} {what if n == 1 else several or what + 's'}"
