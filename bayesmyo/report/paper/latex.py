"""Blocks as LaTeX: tables of booktabs, text of which nothing is understood as a command."""

import re
from collections.abc import Iterable

from bayesmyo.report.blocks import Block, Heading, Items, Paragraph, Table

ESCAPED = {c: f"\\{c}" for c in "&%$#_{}"} | {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': r"\textquotedbl{}", "“": "``", "”": "''", "–": "--", "−": "$-$",
}  # fmt: skip
SPECIAL = re.compile("|".join(map(re.escape, ESCAPED)))
LINK = re.compile(r"(https://(?:\([^\s()]*\)|[^\s,;()])+)")


def latex(blocks: Iterable[Block]) -> str:
    """Blocks of a manuscript; the document needs the packages booktabs, textcomp (with T1 fonts) and hyperref."""
    return "\n\n".join(_block(b) for b in blocks) + "\n"


def _block(b: Block) -> str:
    match b:
        case Heading(words):
            return f"\\subsection*{{{text(words)}}}"
        case Paragraph(words):
            return text(words)
        case Items(items):
            return "\n".join(["\\begin{itemize}", *(f"  \\item {text(i)}" for i in items), "\\end{itemize}"])
        case Table():
            return _table(b)
        case _:
            raise TypeError(type(b).__name__)


def _table(t: Table) -> str:
    kinds = "".join("r" if t.numeric(i) else "l" for i in range(len(t.headers)))
    rows = [" & ".join(map(text, t.headers)) + r" \\", r"\midrule"]
    rows += [
        " & ".join(indented(str(c)) if i == 0 else text(str(c)) for i, c in enumerate(row)) + r" \\" for row in t.rows
    ]
    lines = ["\\begin{table}", f"\\caption{{{text(t.caption)}}}", f"\\begin{{tabular}}{{{kinds}}}", r"\toprule", *rows]
    return "\n".join([*lines, r"\bottomrule", "\\end{tabular}", "\\end{table}"])


def indented(words: str) -> str:
    """The name of a row, moved in where it begins with spaces."""
    return (r"\quad " if words.startswith(" ") else "") + text(words.strip())


def text(words: str) -> str:
    """Text of which nothing is understood as a command; addresses are links."""
    pieces = LINK.split(" ".join(words.split()))
    return "".join(f"\\url{{{p}}}" if n % 2 else SPECIAL.sub(lambda m: ESCAPED[m[0]], p) for n, p in enumerate(pieces))
