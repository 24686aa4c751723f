"""The verb `check`."""

from bayesmyo.assess.checks import CHECKS, CheckResult
from bayesmyo.model.fit import Fit


def check(fit: Fit) -> list[CheckResult]:
    """Run every check on a fit. The fit is trustworthy only if all have passed."""
    return [c.run(fit) for c in CHECKS]
