"""How the checks stand: which passed, which failed, which could not judge, and which have nothing to do with a
study."""

from collections.abc import Sequence

from bayesmyo.assess.checks import CheckResult
from bayesmyo.report.blocks import counted

PASSED, FAILED, UNJUDGED, ABSENT = "passed", "FAILED", "could not be judged", "does not apply"
HOW = {"": PASSED, "cannot": UNJUDGED, "nothing": ABSENT}


def verdict(c: CheckResult) -> str:
    """Of a check; one that could not judge has not passed anything."""
    return HOW[c.unjudged] if c.passed else FAILED


def standing(checks: Sequence[CheckResult]) -> str:
    """All of them in a sentence; those that did not pass by name."""
    names = {v: [c.name for c in checks if verdict(c) == v] for v in (PASSED, FAILED, UNJUDGED, ABSENT)}
    parts = [f"{counted(len(names[PASSED]), 'check')} passed"]
    for kind, words in ((FAILED, "failed"), (UNJUDGED, UNJUDGED), (ABSENT, ABSENT)):
        if own := names[kind]:
            several = "do not apply" if kind == ABSENT and len(own) > 1 else words
            parts.append(f"{len(own)} {several} ({', '.join(own)})")
    return "; ".join(parts) + "."
