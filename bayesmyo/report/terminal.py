"""Blocks on a terminal, and single lines: one of the three renderers."""

import errno
import os
import sys
import textwrap
from typing import Any

from rich.console import Console
from rich.text import Text

from bayesmyo.errors import printable
from bayesmyo.report.blocks import WITHHELD, Block, Cell, Code, Heading, Items, Paragraph, Picture, Table, Terms
from bayesmyo.report.columns import INDENT, layout

WIDTH_OF_A_FILE = 80  # of a table; sentences are never broken in a file
STYLES = {"failed": "bold red", "note": "yellow"}  # of a paragraph


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Said again, for the door to answer: by itself rich would end the process as if a check had failed."""
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


def console(stderr: bool = False) -> Console:
    """A console as wide as the terminal. Colours come on a terminal only, and not where NO_COLOR is set."""
    stream = sys.stderr if stderr else sys.stdout
    return _Console(stderr=stderr, width=None if stream.isatty() else WIDTH_OF_A_FILE, highlight=False)


def say(text: Any, style: str = "", stderr: bool = False) -> None:
    """Print text as it is: no markup is understood in it, and only a terminal breaks its lines, under where they
    begin."""
    shown = console(stderr)
    lines = printable(str(text)).split("\n")
    if shown.file.isatty():
        lines = [part for line in lines for part in _broken(line, shown.width)]
    for line in lines:
        shown.print(Text(line, style=style), soft_wrap=True)


def _broken(line: str, width: int) -> list[str]:
    """A line broken at words; what follows stands under where it began."""
    indent = " " * (len(line) - len(line.lstrip())) + ("  " if line.lstrip().startswith("- ") else "")
    broken = textwrap.wrap(
        line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False, replace_whitespace=False
    )
    return broken or [""]


def show(*blocks: Block) -> None:
    """Print blocks on stdout, one under the other; a figure is told in its words."""
    for b in blocks:
        match b:
            case Heading(text):
                say(text, "bold")
            case Paragraph(text, kind):
                say(text, STYLES.get(kind, ""))
            case Items(items, kind):
                for item in items:
                    say(f"- {item}", STYLES.get(kind, ""))
            case Terms(pairs):
                for term, said in pairs:
                    say(f"{INDENT}{term}: {said}" if term else f"{INDENT}{said}")
            case Code(what, text):
                say(what)
                for line in text.splitlines():
                    say(f"{INDENT}{line}")
            case Picture():
                say(f"{b.caption}. {b.alternative}")
            case Table():
                _show_table(b)


def _show_table(t: Table) -> None:
    """A table no wider than the terminal: numbers are aligned to the right, the first column is never cut."""
    shown, right = console(), [t.numeric(i) for i in range(len(t.headers))]
    head, body = layout(
        [h.replace("_", " ") for h in t.headers], [_once(r) for r in t.rows], shown.width, right, t.below
    )
    for line in [t.caption, *head] if t.caption else head:
        shown.print(Text(line, style="bold"), soft_wrap=True)
    for line in body:
        shown.print(Text(line), soft_wrap=True)


def _once(row: tuple[Cell, ...]) -> list[Cell]:
    """A row that says once that its numbers are withheld."""
    return ["-" if c == WITHHELD and WITHHELD in row[:i] else c for i, c in enumerate(row)]
