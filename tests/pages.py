"""The blocks of a page of documentation, and what the page says is to be done with each.

A comment before a block says how it is tested:

    <!-- test: write NAME -->         the block is a file
    <!-- test: merge STUDY -->        a part of a study: merged into STUDY it is understood; `at outcomes.NAME` for keys
    of that table <!-- test: exit 1 -->             the commands end with this code; `dry`: fits in them use the engine
    mock <!-- test: shows -->              the commands before printed this; `...` stands for any lines; `about`:
    numbers may differ a little <!-- not tested: REASON -->       it cannot be run here
    <!-- setup: COMMAND -->           a command that the page does not show
    <!-- test: with tutorial -->      the page goes on in the folder of the tutorial
"""

import re
from dataclasses import dataclass, field

from tests.conftest import ROOT

PAGES = ("README.md", "SECURITY.md", "CONTRIBUTING.md")
RUN = ("bash", "python", "toml", "text")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$|^<!-- (.*?) -->$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """One fenced block: its language, its text, its line, what is to be done with it, and the commands to run before
    it.
    """

    page: str
    line: int
    language: str
    text: str
    how: tuple[str, ...] = ()
    skipped: str = ""
    setup: tuple[str, ...] = field(default=())

    @property
    def where(self) -> str:
        return f"{self.page}:{self.line}"


def pages() -> list[str]:
    """Every page with blocks of its own, by its path; notebooks and what is written from code are tested elsewhere."""
    found = [p for p in sorted((ROOT / "docs").rglob("*.md")) if not {"_build", "notebooks"} & set(p.parts)]
    return [*PAGES, *(str(p.relative_to(ROOT)) for p in found)]


def blocks(page: str) -> list[Block]:
    """The blocks of a page, in order, with their comments."""
    text = (ROOT / page).read_text()
    found: list[Block] = []
    how: tuple[str, ...] = ()
    skipped, setup = "", []
    for match in FENCE.finditer(text):
        language, body, comment = match.groups()
        if comment:
            kind, _, rest = comment.partition(": ")
            if kind == "test" and rest != "with tutorial":
                how = tuple(rest.split())
            elif kind == "not tested":
                skipped = rest
            elif kind == "setup":
                setup.append(rest)
            continue
        if language in RUN:
            line = text.count("\n", 0, match.start()) + 1
            found.append(Block(page, line, language, body, how, skipped, tuple(setup)))
            how, skipped, setup = (), "", []
    return found


def goes_on(page: str) -> bool:
    """Whether a page goes on in the folder of the tutorial."""
    return (ROOT / page).read_text().startswith("<!-- test: with tutorial -->")


def matches(shown: str, printed: str, about: bool) -> bool:
    """Whether what a page shows is what was printed: line by line, `...` for any lines."""
    want, have = (t.rstrip("\n").split("\n") for t in (shown, printed))
    return _matches([w.rstrip() for w in want], [h.rstrip() for h in have], about)


def _matches(want: list[str], have: list[str], about: bool) -> bool:
    if not want:
        return not "".join(have).strip()
    if want[0] == "...":
        return any(_matches(want[1:], have[n:], about) for n in range(len(have) + 1))
    return bool(have) and _same(want[0], have[0], about) and _matches(want[1:], have[1:], about)


def _same(want: str, have: str, about: bool) -> bool:
    if not about:
        return want == have
    number = re.compile(r"(?:more than |[<>-])?\d[\d,]*\.?\d*(?:e[+-]?\d+)?")
    if number.sub("#", " ".join(want.split())) != number.sub("#", " ".join(have.split())):
        return False
    pairs = zip(number.findall(want), number.findall(have), strict=True)
    return all(_near(*(_value(x) for x in pair)) for pair in pairs)


def _near(a: float, b: float) -> bool:
    return abs(a - b) <= 0.02 + 0.25 * max(abs(a), abs(b))


def _value(number: str) -> float:
    return float(re.sub(r"more than |[<>,]", "", number).rstrip("."))
