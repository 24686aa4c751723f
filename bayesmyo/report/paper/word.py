"""Blocks as HTML that pastes into Word: real tables with the lines of a journal, and no style sheet."""

from collections.abc import Iterable

from markupsafe import Markup

from bayesmyo.report.blocks import Block, Heading, Items, Paragraph, Table

FONT = "font-family:Arial,sans-serif;font-size:10pt"
LINE = "1px solid #000000"
PAGE = Markup(
    '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{}</title></head>\n'
    '<body style="{}">\n{}\n</body></html>\n'
)


def word(title: str, blocks: Iterable[Block]) -> str:
    """One page, of which any part can be marked and pasted."""
    return str(PAGE.format(title, FONT, Markup("\n").join(_block(b) for b in blocks)))


def _block(b: Block) -> Markup:
    match b:
        case Heading(words):
            return Markup("<h3>{}</h3>").format(words)
        case Paragraph(words):
            return Markup("<p>{}</p>").format(words)
        case Items(items):
            return Markup("<ul>{}</ul>").format(Markup("").join(Markup("<li>{}</li>").format(i) for i in items))
        case Table():
            return _table(b)
        case _:
            raise TypeError(type(b).__name__)


def _table(t: Table) -> Markup:
    last = len(t.rows) - 1
    head = _row("th", t.headers, t, f"border-top:{LINE};border-bottom:{LINE}")
    body = (_row("td", row, t, f"border-bottom:{LINE}" if n == last else "") for n, row in enumerate(t.rows))
    shown = Markup("\n").join([head, *body])
    return Markup('<p>{}</p>\n<table style="border-collapse:collapse;{}">\n{}\n</table>').format(t.caption, FONT, shown)


def _row(tag: str, cells: Iterable[object], t: Table, border: str) -> Markup:
    made = []
    for i, cell in enumerate(cells):
        words = str(cell)
        side = "right" if t.numeric(i) else "left"
        inset = ";padding-left:18pt" if i == 0 and words.startswith(" ") else ""
        style = f"text-align:{side};padding:2pt 8pt 2pt 0{inset}" + (f";{border}" if border else "")
        made.append(Markup('<{0} style="{1}">{2}</{0}>').format(Markup(tag), style, words.strip()))
    return Markup("<tr>{}</tr>").format(Markup("").join(made))
