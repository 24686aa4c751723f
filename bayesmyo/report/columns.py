"""Tables as lines of text: as wide as allowed, numbers aligned, words never broken where that can be helped."""

import textwrap
from collections.abc import Iterable, Sequence

from rich.cells import cell_len

from bayesmyo.errors import printable
from bayesmyo.report.blocks import Cell, Span

GAP = "  "
INDENT = "    "


def layout(
    headers: Sequence[str], rows: Sequence[Sequence[Cell]], width: int, right: Sequence[bool], below: Sequence[str] = ()
) -> tuple[list[str], list[str]]:
    """The lines of the header and of the rows of a table that is as wide as allowed.

    Where the table is wider than `width`, the columns named in `below` go to a second line under each row; then texts
    are wrapped; then columns go below from the right, each with its name. The first column stays whole.

    Parameters
    ----------
    headers : sequence of str
        One for each column.
    rows : sequence of sequence of Cell
        As long as the headers.
    width : int
        In columns of a terminal: a wide letter takes two.
    right : sequence of bool
        Which columns are aligned to the right.
    below : sequence of str
        Headers of columns of words.

    Returns
    -------
    tuple of list of str
        The lines of the header, and those of the body.
    """
    columns = [_texts([row[i] for row in rows]) for i in range(len(headers))]
    whole = [r or any(isinstance(row[i], Span) for row in rows) for i, r in enumerate(right)]
    beside = list(range(len(headers)))
    if _wide(headers, columns, beside) > width:
        beside = [i for i in beside if headers[i] not in below]
    widths = _fitted(headers, columns, beside, whole, width)
    while len(beside) > 1 and _total(widths) > width:
        beside = beside[:-1]
        widths = _fitted(headers, columns, beside, whole, width)
    under = sorted((i for i in range(len(headers)) if i not in beside), key=lambda i: headers[i] not in below)
    head = _row([headers[i] for i in beside], widths, [right[i] for i in beside])
    named = [headers[i] for i in under if headers[i] in below]
    if named:
        head += [INDENT + "; ".join(named)]
    body = []
    for r in range(len(rows)):
        body += _row([columns[i][r] for i in beside], widths, [right[i] for i in beside])
        said = [(headers[i], columns[i][r]) for i in under if columns[i][r]]
        body += _under([text if header in below else f"{header} {text}" for header, text in said], width)
    return head, body


def _texts(cells: Sequence[Cell]) -> list[str]:
    """A column's cells as texts; the ends of intervals are padded to stand under each other."""
    spans = [c for c in cells if isinstance(c, Span)]
    low, high = (_longest(str(end) for end in ends) for ends in ([c.lower for c in spans], [c.upper for c in spans]))
    return [
        f"{_pad(str(c.lower), low, True)} to {_pad(str(c.upper), high, True)}"
        if isinstance(c, Span)
        else printable(str(c))
        for c in cells
    ]


def _pad(text: str, width: int, right: bool) -> str:
    space = " " * max(0, width - cell_len(text))
    return space + text if right else text + space


def _longest(texts: Iterable[str]) -> int:
    return max((cell_len(t) for t in texts), default=0)


def _wide(headers: Sequence[str], columns: Sequence[Sequence[str]], which: Sequence[int]) -> int:
    return _total([_longest([headers[i], *columns[i]]) for i in which])


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + len(GAP) * (len(widths) - 1)


def _fitted(
    headers: Sequence[str], columns: Sequence[Sequence[str]], which: Sequence[int], whole: Sequence[bool], width: int
) -> list[int]:
    """Widths of the columns: headers are wrapped at words where that helps, then the widest texts, down to their
    longest word."""
    full = [_longest([headers[i], *columns[i]]) for i in which]
    least = []
    for n, i in enumerate(which):
        words = [w for t in (headers[i], *columns[i]) for w in t.split()]
        tight = max(_longest(headers[i].split()), _longest(columns[i]) if whole[i] else _longest(words))
        least.append(full[n] if n == 0 else min(full[n], tight))
    while _total(full) > width and any(f > m for f, m in zip(full, least, strict=True)):
        slack = [f - m for f, m in zip(full, least, strict=True)]
        widest = max((n for n in range(len(full)) if slack[n]), key=lambda n: full[n])
        full[widest] -= 1
    return full


def _row(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> list[str]:
    """One row; cells that were wrapped make it several lines."""
    wrapped = [
        [c] if cell_len(c) <= w else textwrap.wrap(c, max(w, 1), break_long_words=False)
        for c, w in zip(cells, widths, strict=True)
    ]
    height = max(len(w) for w in wrapped)
    lines = []
    for n in range(height):
        parts = (_pad(w[n] if n < len(w) else "", width, r) for w, width, r in zip(wrapped, widths, right, strict=True))
        lines.append(GAP.join(parts).rstrip())
    return lines


def _under(cells: Sequence[str], width: int) -> list[str]:
    """The second line of a row."""
    text = "; ".join(" ".join(c.split()) for c in cells)
    if not text:
        return []
    return textwrap.wrap(text, width, initial_indent=INDENT, subsequent_indent=INDENT, break_long_words=False)
