"""How R writes names, texts and arithmetic, and the call that fits a family there by likelihood."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, count

RESERVED = {
    "if", "else", "repeat", "while", "function", "for", "next", "break", "in", "TRUE", "FALSE", "NULL", "NA", "NaN", "Inf",
    "start", "asymptote", "change", "half_time", "log_half_time",
}  # fmt: skip


@dataclass(frozen=True)
class Call:
    """The function of R that fits a predictor of a family by maximum likelihood, and what it is told of the family.

    mixed: with patients' effects; alone: without them; response: the left side of its formula
    arguments: further ones, such as `family = binomial`; normal: the response is, so that nlme can fit curves to it
    inside: of a parameter that is fitted in the call of the location, the argument that takes its formula, or with
        `by_group` its group
    """

    mixed: str
    alone: str
    response: str
    arguments: tuple[str, ...] = ()
    normal: bool = False
    inside: str = ""
    by_group: bool = False


def names(columns: Sequence[str]) -> dict[str, str]:
    """Columns and what R calls them: names that need no quotes, of which nlme and brms take no others, each once.

    A coefficient of a curve has its name for itself.
    """
    return {**_names(tuple(columns))}


@lru_cache(maxsize=8)  # each covariate of each formula asks for its own
def _names(columns: tuple[str, ...]) -> dict[str, str]:
    named: dict[str, str] = {}
    known, given = {*columns}, set[str]()
    for column in columns:
        plain = re.fullmatch(r"[A-Za-z][A-Za-z0-9._]*(?<!_)", column) and "__" not in column and column not in RESERVED
        called = column if plain else re.sub(r"[^A-Za-z0-9]+", "_", column).strip("_") or "x"
        called = called if called[0].isalpha() and called not in RESERVED else f"x_{called}"
        tried = chain([called], (f"{called}{n}" for n in count(2)))
        named[column] = next(c for c in tried if c not in given and (c == column or c not in known))
        given.add(named[column])
    return named


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
    return f"I({expression})" if re.search(r"[-+/]", expression) else expression
