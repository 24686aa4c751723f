"""The verb `check`."""

from collections.abc import Callable

from bayesmyo.assess.checks import CHECKS, CheckResult
from bayesmyo.assess.checks.refitted import refitted
from bayesmyo.inference.fit import Fit


def check(fit: Fit, refit: bool = False, progress: Callable[[int, int], None] | None = None) -> list[CheckResult]:
    """Run every check on a fit. The fit is trustworthy only if all have passed.

    refit: also those that sample again, if the chains agree; progress: of these, patients done and patients in all

    >>> [r.name for r in bayesmyo.check(fit) if not r.passed]
    []
    """
    found = [c.run(fit) for c in CHECKS]
    return [*found, *refitted(fit, progress)] if refit and found[0].passed else found
