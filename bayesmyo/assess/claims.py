"""What may be said of a fit, decided here for everybody who asks: the verbs, the report, other models beside it.

A number is said where no check forbids it, the data hold something of it, and other priors leave it as it is (see
`sensitivity.py`). A decision is met where its rule is satisfied and the data say so. A fact of the data comes before a
failed check, which it may have caused.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace

import pandas as pd

from bayesmyo.assess.check import check
from bayesmyo.assess.checks import CheckResult, Convergence
from bayesmyo.assess.estimate import DecisionResult, Estimate, estimates, table, verdicts
from bayesmyo.assess.influence import Influence
from bayesmyo.assess.refits import Refits, affordable
from bayesmyo.assess.sensitivity import EMPTY, SILENT, UNKNOWN, PriorSensitivity, judged, prior_sensitivities
from bayesmyo.assess.withhold import withhold
from bayesmyo.components.decisions import concluding
from bayesmyo.inference.fit import Fit, known_fit
from bayesmyo.study.study import Study

WITHHELD = "withheld: "  # how a sentence begins that makes no claim
SHARED = "met, but whether the data or the prior say so is not judged: this is a shared copy without patients"


@dataclass(frozen=True)
class Claims:
    """What is said of every estimand and every decision, in the study's order: its sentence, or why there is none.

    sensitivities: prior against data, of all of them; none of a shared copy, which has no patients to ask the prior
        about
    """

    estimates: tuple[Estimate, ...]
    decisions: tuple[DecisionResult, ...]
    sensitivities: tuple[PriorSensitivity, ...]


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
    said, rules = estimates(fit), verdicts(fit)
    if fit.shared:
        return Claims(tuple(withhold(said, failed)), tuple(withhold([_unjudged(d) for d in rules], failed)), ())
    known = judged(said, [s for s in sensitivities if s.kind == "estimand"])
    ruled = _quoting(judged(rules, [s for s in sensitivities if s.kind == "decision"]), sensitivities, fit.study)
    return Claims(_withheld(known, failed), _withheld(ruled, failed), tuple(sensitivities))


def judge(
    fit: Fit, failed: Sequence[CheckResult], progress: Callable[[int, int], None] | None = None
) -> list[PriorSensitivity]:
    """Prior against data: by reweighting, or else by sampling again, if the fit is worth it and small enough."""
    if fit.shared:
        return []
    sound = not any(r.name == Convergence.name for r in failed)
    refits = Refits(fit, progress=progress) if sound and affordable(fit) else None
    return prior_sensitivities(fit, refits=refits, always=False)


def influential(influence: Influence, decisions: Sequence[DecisionResult]) -> Influence:
    """The same, but of a decision that is withheld, or not met though its rule is satisfied, its sentence is why."""
    rules = {d.name: d for d in decisions}
    met = {f.decision: f.met for f in influence.decisions}
    said = [
        s if not rules[name].withheld and rules[name].met == met[name] else f"{name}: {rules[name].sentence}"
        for name, s in zip(met, influence.sentences, strict=True)
    ]
    return replace(influence, sentences=tuple(said))


def estimate(fit: Fit) -> pd.DataFrame:
    """Every estimand as a table, and what of it may be said.

    All checks are run, and prior is set against data. Where reweighting the draws cannot tell, a small fit is sampled
    again under other priors, which takes two minutes at most.

    Parameters
    ----------
    fit : Fit
        A fit, or a shared copy of one, of which prior and data cannot be told apart.

    Returns
    -------
    pandas.DataFrame
        One row for each estimand: median and equal-tailed interval in `unit`, of the named population. `verdict` says
        whether prior or data speak, `withheld` is True of what is not to be reported, and `sentence` is what may be
        repeated, or why nothing may.

    Examples
    --------
    >>> bayesmyo.estimate(fit)[["unit", "population"]].loc["cpk_ratio_12"].tolist()
    ['ratio', 'population average']
    """
    known_fit(fit)
    return table([e.as_dict() for e in claims(fit).estimates])


def decisions(fit: Fit) -> pd.DataFrame:
    """Every decision as a table. One that the prior makes is not met.

    Parameters
    ----------
    fit : Fit
        A fit, or a shared copy of one.

    Returns
    -------
    pandas.DataFrame
        One row for each decision: whether it is `met`, with what probability, and by what margin.

    Examples
    --------
    >>> bayesmyo.decisions(fit)["met"].to_dict()
    {'cpk_halved': True}
    """
    known_fit(fit)
    return table([asdict(d) for d in claims(fit).decisions])


def _unjudged(d: DecisionResult) -> DecisionResult:
    return replace(d, verdict=UNKNOWN, sentence=concluding(d.sentence, SHARED)) if d.met else d


def _withheld[T: (Estimate, DecisionResult)](rows: list[T], failed: Sequence[CheckResult]) -> tuple[T, ...]:
    return tuple(row if row.verdict == EMPTY else held for row, held in zip(rows, withhold(rows, failed), strict=True))


def _quoting(
    rules: Sequence[DecisionResult], sensitivities: Sequence[PriorSensitivity], study: Study
) -> list[DecisionResult]:
    """A number that is not to be reported is not told by a decision about it either."""
    silent = {s.name: s.sentence for s in sensitivities if s.kind == "estimand" and s.verdict == SILENT}
    return [
        replace(d, sentence=WITHHELD + silent[d.estimand], withheld=True, met=False)
        if study.decisions[d.name].quotes and d.estimand in silent
        else d
        for d in rules
    ]
