"""The same question, asked of the same measurements by another model: would it have said something else?

The answers stand side by side (BARG 5, Kruschke 2021, https://doi.org/10.1038/s41562-021-01177-7); which model predicts
patients better is the question of `compare`, which cannot rank a likelihood of probabilities against one of densities.
Here any two may stand.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bayesmyo.assess.check import check
from bayesmyo.assess.checks import CheckResult
from bayesmyo.assess.claims import claims
from bayesmyo.assess.compare import same_measurements
from bayesmyo.assess.estimate import DecisionResult, Estimate
from bayesmyo.errors import UsageError
from bayesmyo.inference.fit import Fit
from bayesmyo.study import describe
from bayesmyo.study.asks import modelled_otherwise


@dataclass(frozen=True)
class Beside:
    """Another fit's answers to the questions that both ask in the same words.

    Attributes
    ----------
    title : str
        Of its study.
    differs : tuple of str
        How it models the outcomes that it models otherwise, in words.
    failed : tuple of CheckResult
        Its checks that withhold.
    estimates, decisions : tuple
        By their names in this fit's study.
    apart : tuple of str
        Estimands of the same name that ask something else there, which are not compared.
    """

    title: str
    differs: tuple[str, ...]
    failed: tuple[CheckResult, ...]
    estimates: tuple[Estimate, ...]
    decisions: tuple[DecisionResult, ...]
    apart: tuple[str, ...]


def beside(fit: Fit, others: Sequence[Fit]) -> list[Beside]:
    """Other fits of the same measurements.

    Raises
    ------
    UsageError
        Where one is of other patients or measurements, or asks nothing that this fit asks.
    """
    for other in others:
        _may_stand(fit, other)
    return [_answers(fit, other) for other in others]


def _may_stand(fit: Fit, other: Fit) -> None:
    where = f'"{fit.study.title}" and "{other.study.title}"'
    if not modelled_otherwise(fit.study, other.study):
        raise UsageError(where, "are of one model", mend="fit a study with another family, trajectory or prior")
    if fit.cohort.patients != other.cohort.patients:
        raise UsageError(where, "are fits of different patients", mend="fit both to the same table")
    asked = _asked_alike(fit, other)
    if not asked:
        raise UsageError(where, "ask nothing alike", mend="give both the same estimands, under the same names")
    for outcome in dict.fromkeys(o for name in asked for o in fit.study.estimands[name].outcomes):
        same_measurements(fit, other, outcome, where)


def _asked_alike(fit: Fit, other: Fit) -> list[str]:
    return [name for name, e in fit.study.estimands.items() if other.study.estimands.get(name) == e]


def _answers(fit: Fit, other: Fit) -> Beside:
    failed = tuple(r for r in check(other) if not r.passed)
    said = claims(other, failed)
    asked = _asked_alike(fit, other)
    decisions = fit.study.decisions.items()
    ruled = [name for name, d in decisions if d.estimand in asked and other.study.decisions.get(name) == d]
    words = {o: describe.words(other.study, o) for o in fit.study.outcomes if o in other.study.outcomes}
    differs = tuple(f"{fit.study.label(o)}: {w}" for o, w in words.items() if w != describe.words(fit.study, o))
    return Beside(
        other.study.title,
        differs,
        failed,
        tuple(e for e in said.estimates if e.name in asked),
        tuple(d for d in said.decisions if d.name in ruled),
        tuple(name for name in fit.study.estimands if name in other.study.estimands and name not in asked),
    )
