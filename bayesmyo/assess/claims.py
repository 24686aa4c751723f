"""What may be said of a fit, decided here for everybody who asks: the verbs, the report, other models beside it.

A number is said where no check forbids it, the data hold something of it, and other priors leave it as it is (see
`sensitivity.py`); each by itself. A decision is met where its rule is satisfied and the data say so. A fact of the data comes before a
failed check, which it may have caused.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from weakref import WeakKeyDictionary

from bayesmyo.assess.check import check
from bayesmyo.assess.checks import CheckResult, Convergence
from bayesmyo.assess.correlations import Correlation, correlation_estimates
from bayesmyo.assess.each_patient import each_estimate
from bayesmyo.assess.estimate import DecisionResult, Estimate, estimates, verdicts
from bayesmyo.assess.influence import Influence
from bayesmyo.assess.refits import Refits, affordable
from bayesmyo.assess.responses import Responses, rules
from bayesmyo.assess.sensitivity import prior_sensitivities
from bayesmyo.assess.verdict import SILENT, UNKNOWN, WITHHELD, PriorSensitivity, judged
from bayesmyo.assess.withhold import Sentenced, withhold
from bayesmyo.components.decisions import concluding
from bayesmyo.inference.fit import Fit
from bayesmyo.study.study import Study

SHARED = "met, but whether other priors would change this is not judged: this is a shared copy without patients"

KINDS = ("estimand", "decision", "correlation", "response")
_KNOWN: WeakKeyDictionary[Fit, "Claims"] = WeakKeyDictionary()


@dataclass(frozen=True)
class Claims:
    """What is said of every number, in the study's order: its sentence, or why there is none.

    correlations, responses: none of a shared copy, which has no patients
    sensitivities: prior against data, of all of them; none of a shared copy
    """

    estimates: tuple[Estimate, ...]
    decisions: tuple[DecisionResult, ...]
    sensitivities: tuple[PriorSensitivity, ...]
    correlations: tuple[Correlation, ...] = ()
    responses: tuple[Responses, ...] = ()


def claims(
    fit: Fit,
    failed: Sequence[CheckResult] | None = None,
    sensitivities: Sequence[PriorSensitivity] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Claims:
    """What may be said of a fit.

    Parameters
    ----------
    failed : sequence of CheckResult, optional
        The checks that have failed; without it every check is run.
    sensitivities : sequence of PriorSensitivity, optional
        Prior against data, where it is known.
    progress : callable, optional
        Called with refits done and refits in all, where the model is sampled again.
    """
    if failed is None:
        failed = [r for r in check(fit) if not r.passed]
    if sensitivities is None:
        sensitivities = judge(fit, failed, progress)
    said, ruled = estimates(fit), verdicts(fit)
    if fit.shared:
        return Claims(tuple(withhold(said, failed)), tuple(withhold([_unjudged(d) for d in ruled], failed)), ())
    of = {kind: [s for s in sensitivities if s.kind == kind] for kind in KINDS}
    known, tied = judged(said, of["estimand"]), judged(correlation_estimates(fit), of["correlation"])
    ruled = _quoting(judged(ruled, of["decision"]), sensitivities, fit.study)
    return Claims(
        tuple(_withheld(known, of["estimand"], failed)),
        tuple(_withheld(ruled, of["decision"], failed)),
        tuple(sensitivities),
        tuple(_withheld(tied, of["correlation"], failed)),
        tuple(_of_rule(r, of["response"], failed) for r in rules(fit)),
    )


def known_claims(fit: Fit) -> Claims:
    """What may be said of a fit by its own checks; computed once."""
    if fit not in _KNOWN:
        _KNOWN[fit] = claims(fit)
    return _KNOWN[fit]


def _of_rule(r: Responses, sensitivities: Sequence[PriorSensitivity], failed: Sequence[CheckResult]) -> Responses:
    """A rule of response with what may be said of each of its categories."""
    of = {s.name: s for s in sensitivities}
    own = [of[f"{r.name}: {c.name}"] for c in r.categories]
    return replace(r, categories=tuple(_withheld(judged(r.categories, own), own, failed)))


def judge(
    fit: Fit, failed: Sequence[CheckResult], progress: Callable[[int, int], None] | None = None
) -> list[PriorSensitivity]:
    """Prior against data: by reweighting, or else by sampling again, if the fit is worth it and small enough."""
    if fit.shared:
        return []
    return prior_sensitivities(fit, refits=_refits(fit, failed, progress), always=False)


def _refits(
    fit: Fit, failed: Sequence[CheckResult], progress: Callable[[int, int], None] | None = None
) -> Refits | None:
    """What samples again where reweighting cannot tell; None where that is not worth it, or takes long."""
    sound = not any(r.name == Convergence.name for r in failed)
    return Refits(fit, progress=progress) if sound and affordable(fit) else None


def influential(influence: Influence, decisions: Sequence[DecisionResult]) -> Influence:
    """The same, but of a decision that is withheld, or not met though its rule is satisfied, its sentence is why."""
    of = {d.name: d for d in decisions}
    met = {f.decision: f.met for f in influence.decisions}
    said = [
        s if not of[name].withheld and of[name].met == met[name] else f"{name}: {of[name].sentence}"
        for name, s in zip(met, influence.sentences, strict=True)
    ]
    return replace(influence, sentences=tuple(said))


def each_claims(
    fit: Fit,
    estimand: str,
    failed: Sequence[CheckResult] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[Estimate]:
    """What may be said of an estimand in each of these patients; `failed` and `progress` as of `claims`."""
    rows = each_estimate(fit, estimand)
    if failed is None:
        failed = [r for r in check(fit) if not r.passed]
    sensitivities = prior_sensitivities(fit, refits=_refits(fit, failed, progress), always=False, each=estimand)
    return _withheld(judged(rows, sensitivities), sensitivities, failed)


def _unjudged(d: DecisionResult) -> DecisionResult:
    return replace(d, verdict=UNKNOWN, sentence=concluding(d.sentence, SHARED)) if d.met else d


def _withheld[T: Sentenced](
    rows: list[T], sensitivities: Sequence[PriorSensitivity], failed: Sequence[CheckResult]
) -> list[T]:
    """What a failed check forbids; but where the data hold nothing of a number, that is why."""
    held = zip(rows, withhold(rows, failed), sensitivities, strict=True)
    return [row if s.fact else other for row, other, s in held]


def _quoting(
    ruled: Sequence[DecisionResult], sensitivities: Sequence[PriorSensitivity], study: Study
) -> list[DecisionResult]:
    """A number that is not to be reported is not told by a decision about it either."""
    silent = {s.name: s.sentence for s in sensitivities if s.kind == "estimand" and s.verdict == SILENT}
    return [
        replace(d, sentence=WITHHELD + silent[d.estimand], withheld=True, met=False)
        if study.decisions[d.name].quotes and d.estimand in silent
        else d
        for d in ruled
    ]
