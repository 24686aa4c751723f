"""The reference, from what the code itself says: two directives.

{commands}   every command's own --help
{face}       every name of `bayesmyo.__all__`, by autodoc; of the three nouns also the members
"""

import inspect
import re
from typing import Any, ClassVar

import typer
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

import bayesmyo
from bayesmyo.cli import app as door

NOUNS = ("Cohort", "Fit", "Truth")  # what a reader goes on with, attribute by attribute
MEMBERS = ("   :members:", "   :undoc-members:", "   :exclude-members: " + ", ".join(("only", "first", "from_dict")))


class Commands(SphinxDirective):
    """A section for each command with the text of its --help, as a terminal of 80 columns shows it."""

    has_content: ClassVar[bool] = False

    def run(self) -> list[nodes.Node]:
        root = typer.main.get_command(door)
        context = root.make_context("bayesmyo", [], resilient_parsing=True)
        found = [self._section("bayesmyo", root.get_help(context))]
        for name in root.list_commands(context):  # type: ignore[attr-defined]
            command = root.get_command(context, name)  # type: ignore[attr-defined]
            inner = command.make_context(name, [], parent=context, resilient_parsing=True)
            found.append(self._section(f"bayesmyo {name}", command.get_help(inner)))
        return found

    def _section(self, title: str, text: str) -> nodes.Node:
        section = nodes.section(ids=[nodes.make_id(title)], names=[title])
        section += nodes.title(title, title)
        section += nodes.literal_block(text, text, language="text")
        return section


class Face(SphinxDirective):
    """Every name of the face, documented by autodoc."""

    has_content: ClassVar[bool] = False

    def run(self) -> list[nodes.Node]:
        lines = []
        for name in sorted(bayesmyo.__all__, key=str.lower):
            found = getattr(bayesmyo, name)
            if name == "__version__" or inspect.ismodule(found):
                continue
            kind = (
                "exception"
                if inspect.isclass(found) and issubclass(found, Exception)
                else "class"
                if inspect.isclass(found)
                else "function"
            )
            lines += [f".. auto{kind}:: bayesmyo.{name}", *(MEMBERS if name in NOUNS else []), ""]
        for name in bayesmyo.figures.__all__:
            lines += [f".. autofunction:: bayesmyo.figures.{name}", ""]
        return self.parse_text_to_nodes("```{eval-rst}\n" + "\n".join(lines) + "\n```")


def plain(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Our docstrings are plain text: keep their lines, and let no character of theirs be markup."""
    lines[:] = [part for paragraph in _paragraphs(lines) for part in (*_as_rst(paragraph), "")]


def _paragraphs(lines: list[str]) -> list[list[str]]:
    text = re.sub(r"(?m)^(Examples\n-+)\n", r"\1\n\n", "\n".join(lines).strip("\n"))  # code under its name, as it is
    return [p.split("\n") for p in re.split(r"\n\s*\n", text) if p.strip()]


def _as_rst(paragraph: list[str]) -> list[str]:
    if paragraph[0].lstrip().startswith(">>>"):
        return paragraph
    if all(line.startswith("    ") for line in paragraph):
        return ["::", "", *paragraph]
    if len(paragraph) > 1 and set(paragraph[1]) == {"-"}:  # a section of numpydoc: a list of definitions under its name
        return [f"**{paragraph[0]}**", "", *map(_safe, paragraph[2:])]
    safe = [_safe(line) for line in paragraph]
    if not any(re.match(r"[\w, ]+: ", line) for line in safe):
        return safe
    joined: list[str] = []
    for line in safe:  # fields, one a line; what goes on stands under it
        new = re.match(r"[\w, \\]+: |[A-Z]", line) or not joined  # a field, or a sentence after the fields
        joined.append(f"| {line}" if new else f"  {line.strip()}")
    return joined


def _safe(line: str) -> str:
    """What stands in backticks as code, and outside of them no character as markup."""
    parts = re.split(r"`([^`]+)`", line)
    return "".join(f"``{part}``" if n % 2 else re.sub(r"([*|_\\`])", r"\\\1", part) for n, part in enumerate(parts))


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_directive("commands", Commands)
    app.add_directive("face", Face)
    app.connect("autodoc-process-docstring", plain)
    return {"version": "1", "parallel_read_safe": True}
