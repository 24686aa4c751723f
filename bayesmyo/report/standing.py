"""How the checks stand: which passed, which failed, which could not judge, and which have nothing to do with a study."""

from collections.abc import Sequence

from bayesmyo.assess.checks import CheckResult
from bayesmyo.report.blocks import counted

PASSED, FAILED, UNJUDGED, ABSENT = "passed", "FAILED", "could not be judged", "does not apply"
NOTHING = tuple(  # how a check says that a study has nothing of the kind that it looks at
    f"not judged: {words}" for words in ("no outcome is ", "no cell is ", "two values have ", "the study declares no ")
)


def verdict(c: CheckResult) -> str:
    """Of a check; one that could not judge has not passed anything."""
    words = c.sentence[:1].lower() + c.sentence[1:]
    if not c.passed:
        return FAILED
    if words.startswith(NOTHING):
        return ABSENT
    return UNJUDGED if words.startswith("not judged") else PASSED


def standing(checks: Sequence[CheckResult]) -> str:
    """All of them in a sentence; those that did not pass by name."""
    names = {v: [c.name for c in checks if verdict(c) == v] for v in (PASSED, FAILED, UNJUDGED, ABSENT)}
    parts = [f"{counted(len(names[PASSED]), 'check')} passed"]
    for kind, words in ((FAILED, "failed"), (UNJUDGED, UNJUDGED), (ABSENT, ABSENT)):
        if own := names[kind]:
            several = "do not apply" if kind == ABSENT and len(own) > 1 else words
            parts.append(f"{len(own)} {several} ({', '.join(own)})")
    return "; ".join(parts) + "."
