"""The verb `check`."""

from collections.abc import Callable
from functools import lru_cache

from bayesmyo.assess.checks import CheckResult, checks_of
from bayesmyo.assess.checks.refitted import refitted
from bayesmyo.inference.fit import Fit


def check(fit: Fit, refit: bool = False, progress: Callable[[int, int], None] | None = None) -> list[CheckResult]:
    """Run every check on a fit. The fit is trustworthy only if all have passed.

    Parameters
    ----------
    fit : Fit
        A fit, or a shared copy of one, of which little can be judged.
    refit : bool
        Run also those that sample again, if the chains agree.
    progress : callable, optional
        Of these, called with patients done and patients in all.

    Returns
    -------
    list of CheckResult
        Each says whether it has passed, why, and what to try.

    Examples
    --------
    >>> [r.name for r in bayesmyo.check(fit) if not r.passed]
    []
    """
    results = list(_checked(fit))
    return [*results, *refitted(fit, progress)] if refit and results[0].passed else results


def failed(fit: Fit) -> list[CheckResult]:
    """The checks that forbid to say something of a fit."""
    return [r for r in check(fit) if not r.passed]


@lru_cache(maxsize=2)
def _checked(fit: Fit) -> tuple[CheckResult, ...]:
    """Once for each fit: every number and every figure of it asks."""
    return tuple(c.run(fit) for c in checks_of(fit))
