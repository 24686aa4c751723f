"""A look at a study before it is understood: what is nested, long or large beyond any study would take minutes to parse
or to check."""

import re
import sys
from typing import Any

from bayesmyo.errors import Fault
from bayesmyo.limits import (
    LARGEST,
    NAME,
    STUDY_DEPTH,
    STUDY_MOST,
    STUDY_MOST_OF,
    STUDY_NUMBER,
    STUDY_TEXT,
    beyond,
)

# texts, closed or not, and comments, in which brackets and dots mean nothing; possessive, so that each character is
# looked at once
QUIET = re.compile(
    r'"""(?:[^"\\]++|\\.|"(?!""))*+"{0,5}'
    r"|'''(?:[^']++|'(?!''))*+'{0,5}"
    r'|"(?:[^"\\\n]++|\\.)*+"?'
    r"|'[^'\n]*+'?"
    r"|#[^\n]*+",
    re.DOTALL,
)
SIGN = re.compile(r"[][{},=\n.]")
DEEPER = {"[": 1, "{": 1, "]": -1, "}": -1}
RUN = re.compile(rf"[+\-0-9A-Za-z_]{{{STUDY_NUMBER + 1},}}")


def scan(text: str) -> list[Fault]:
    """Why a text is not worth parsing: brackets in brackets, keys of many parts, numbers of many digits. Line by line,
    once."""
    bare = QUIET.sub(_blank, text)
    line, depth, parts = 1, 0, 1
    for sign in SIGN.finditer(bare):
        if sign[0] == "\n":
            line, parts = line + 1, 1
        elif sign[0] == ".":
            parts += 1
        else:
            depth = max(0, depth + DEEPER.get(sign[0], 0))
            parts = 1
        if depth > STUDY_DEPTH or parts > STUDY_DEPTH:
            what, mend = f"line {line} is nested too deeply", "no study has so many tables within tables"
            return [Fault("TOML", what, mend=mend)]
    if long := RUN.search(bare):
        line = bare.count("\n", 0, long.start()) + 1
        what = f"line {line} has a number or a name of more than {STUDY_NUMBER} characters"
        return [Fault("TOML", what, mend="shorten it")]
    return []


def beyond_study(value: Any, where: str = "") -> list[Fault]:
    """What no study holds: tables and lists that would take minutes to check, one against the other, long texts, absurd
    numbers."""
    at = where or "study"
    if isinstance(value, str):
        return [Fault(where, f"has more than {STUDY_TEXT:,} characters")] if len(value) > STUDY_TEXT else []
    if isinstance(value, int | float):
        if not beyond(value) or abs(value) > sys.float_info.max:
            return []
        large = abs(value) > LARGEST
        what = (
            "larger than any number of a study" if large else "closer to zero than any number of a study, but not zero"
        )
        return [Fault(where, f"is {what}", repr(value))]
    if not isinstance(value, dict | list):
        return []
    if where.count(".") > STUDY_DEPTH:
        return [Fault(where[:60], "is nested too deeply")]
    most = STUDY_MOST_OF.get(where, STUDY_MOST)
    if len(value) > most:
        kind = "keys" if isinstance(value, dict) else "values"
        return [Fault(at, f"holds more than {most} {kind}", str(len(value)))]
    if isinstance(value, dict) and (long := [key for key in value if len(key) > NAME]):
        return [Fault(at, f"has a key of more than {NAME:,} characters", f'"{long[0][:40]}..."')]
    named = value.items() if isinstance(value, dict) else enumerate(value)
    return [fault for key, inner in named for fault in beyond_study(inner, f"{where}.{key}" if where else str(key))]


def _blank(quiet: re.Match[str]) -> str:
    """A text or a comment as the lines that it takes, so that what follows keeps its number."""
    return '""' + "\n" * quiet[0].count("\n")
