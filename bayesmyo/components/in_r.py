"""How R writes names, texts and arithmetic, and the call that fits a family there by likelihood."""

import json
import re
from dataclasses import dataclass

RESERVED = {"if", "else", "repeat", "while", "function", "for", "next", "break", "in", "TRUE", "FALSE", "NULL", "NA", "NaN", "Inf"}  # fmt: skip


@dataclass(frozen=True)
class Call:
    """The function of R that fits a predictor of a family by maximum likelihood, and what it is told of the family.

    mixed: with patients' effects; alone: without them; response: the left side of its formula
    arguments: further ones, such as `family = binomial`; normal: the response is, so that nlme can fit curves to it
    """

    mixed: str
    alone: str
    response: str
    arguments: tuple[str, ...] = ()
    normal: bool = False


def name(column: str) -> str:
    """A column as R writes it: in backticks where it is no name of R's."""
    if re.fullmatch(r"([A-Za-z]|\.(?![0-9]))[A-Za-z0-9._]*", column) and column not in RESERVED:
        return column
    return "`" + column.replace("\\", "\\\\").replace("`", "\\`") + "`"


def text(words: str) -> str:
    """A text in quotes. The escapes of JSON are among those of R."""
    return json.dumps(words, ensure_ascii=False)


def number(value: float) -> str:
    """A number with as few digits as it takes to be this one."""
    return f"{value:g}" if float(f"{value:g}") == value else repr(float(value))


def minus(what: str, by: float) -> str:
    """A difference, or what it is taken from where that is all."""
    return what if by == 0 else f"{what} {'-' if by > 0 else '+'} {number(abs(by))}"


def together(expression: str) -> str:
    """Arithmetic, which a formula of R would read as a list of terms, kept together."""
    return f"I({expression})" if re.search(r"[-+/]", re.sub(r"`[^`]*`", "", expression)) else expression
