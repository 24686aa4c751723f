"""A report as one HTML file: no script, no network, nothing that a label could turn into either."""

import re
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from bayesmyo.report.page import Page

COMMAND = re.compile(
    r"(bayesmyo [a-z]+(?: --[a-z]+(?:-[a-z]+)*)+|(?<![\w-])--[a-z]+(?:-[a-z]+)*(?: [A-Z]+(?:_[A-Z]+)*)?)"
)
LINK = re.compile(r"(https://(?:\([^\s()]*\)|[^\s,;()])+)")
HERE = FileSystemLoader(Path(__file__).parent)
PAGES = Environment(loader=HERE, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


def html(page: Page) -> str:
    """The whole report."""
    return PAGES.get_template("page.html").render(
        page=page, kind_of=lambda b: type(b).__name__, text=str, linked=linked, broken=broken
    )


def broken(words: str) -> Markup:
    """A name that may be broken at its underscores."""
    return Markup("_<wbr>").join(escape(part) for part in words.split("_"))


def linked(words: str) -> Markup:
    """Text with its https addresses as links and what is typed as code, which is never broken; all else is escaped."""
    pieces = LINK.split(words)
    return Markup("").join(
        Markup('<a href="{0}" rel="noreferrer">{0}</a>').format(p) if n % 2 else coded(p) for n, p in enumerate(pieces)
    )


def coded(words: str) -> Markup:
    """Text with its commands and options as code."""
    pieces = COMMAND.split(words)
    return Markup("").join(Markup("<code>{0}</code>").format(p) if n % 2 else escape(p) for n, p in enumerate(pieces))
