"""A report as Markdown: the same content, for a repository or a manuscript; figures are described, not drawn."""

import re

from bayesmyo.report.blocks import Block, Code, Heading, Items, Paragraph, Picture, Table, Terms
from bayesmyo.report.page import Page

ACTIVE = re.compile(r"([\\`*_{}\[\]<>#|~&!$])")  # what Markdown, or the HTML in it, would understand
BULLET, ORDINAL = (
    re.compile(r"^([-+=:])"),
    re.compile(r"^(\d+)([.)])(?=\s|$)"),
)  # what would begin a list, or underline a heading
LINK = re.compile(r"(https://(?:\([^\s()]*\)|[^\s,;()])+)")
BEFORE = {"withheld": "**Withheld.** ", "failed": "**FAILED.** ", "passed": "**Passed.** ", "note": "*Note.* "}


def markdown(page: Page) -> str:
    """The whole report."""
    parts = [f"# {plain(page.title)}"]
    for s in page.sections:
        parts += [f"## {plain(s.title)}", *(block(b) for b in s.blocks)]
    return "\n\n".join(parts) + "\n"


def block(b: Block) -> str:
    match b:
        case Heading(title):
            return f"### {plain(title)}"
        case Paragraph(words, kind):
            return BEFORE.get(kind, "") + plain(words.removeprefix("withheld: ") if kind == "withheld" else words)
        case Items(items):
            return "\n".join(f"- {plain(item)}" for item in items)
        case Terms(pairs, folded):
            said = "\n".join(f"- **{plain(term)}**: {plain(words)}" for term, words in pairs)
            return f"{plain(folded)}\n\n{said}" if folded else said
        case Table():
            return table(b)
        case Picture(caption=caption, alternative=alternative):
            return f"*Figure.* {plain(caption)}. {plain(alternative)}"
        case Code(what, words):
            fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", words)), default=0))
            return f"{plain(what)}:\n\n{fence}text\n{words.rstrip()}\n{fence}"


def table(t: Table) -> str:
    """A pipe table, numbers to the right, under its caption."""
    rules = ["---:" if t.numeric(i) else "---" for i in range(len(t.headers))]
    rows = [list(map(plain, t.headers)), rules, *([inside(str(c)) for c in row] for row in t.rows)]
    return f"*Table.* {plain(t.caption)}\n\n" + "\n".join("| " + " | ".join(row) + " |" for row in rows)


def plain(words: str) -> str:
    """Text of which nothing is understood as Markdown, at the beginning of a line."""
    return ORDINAL.sub(r"\1\\\2", BULLET.sub(r"\\\1", inside(words)))


def inside(words: str) -> str:
    """The same within a line; addresses stay links."""
    pieces = LINK.split(" ".join(words.split()))
    escaped = [p if n % 2 else ACTIVE.sub(r"\\\1", p) for n, p in enumerate(pieces)]
    return "".join(escaped)
