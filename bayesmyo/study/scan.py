"""A look at the text of a study before TOML is understood: what is nested or long beyond any study would take minutes to parse."""

import re

from bayesmyo.errors import Fault
from bayesmyo.limits import STUDY_DEPTH, STUDY_NUMBER

# texts, closed or not, and comments, in which brackets and dots mean nothing; possessive, so that each character is looked at once
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
    """Why a text is not worth parsing: brackets in brackets, keys of many parts, numbers of many digits. Line by line, once."""
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
            return [
                Fault("TOML", f"line {line} is nested too deeply", mend="no study has so many tables within tables")
            ]
    if long := RUN.search(bare):
        line = bare.count("\n", 0, long.start()) + 1
        return [
            Fault(
                "TOML", f"line {line} has a number or a name of more than {STUDY_NUMBER} characters", mend="shorten it"
            )
        ]
    return []


def _blank(quiet: re.Match[str]) -> str:
    """A text or a comment as the lines that it takes, so that what follows keeps its number."""
    return '""' + "\n" * quiet[0].count("\n")
