"""The checks that sample again: does a decision rest on one patient, would another prior say something else?

They cost minutes, so they run when asked for.
"""

from collections.abc import Callable
from dataclasses import asdict
from typing import Literal

from bayesmyo.assess.checks.check import CheckResult
from bayesmyo.assess.influence import Influence
from bayesmyo.assess.influence import influence as of_each
from bayesmyo.assess.refits import Refits
from bayesmyo.assess.sensitivity import prior_sensitivities
from bayesmyo.assess.verdict import SILENT, PriorSensitivity
from bayesmyo.inference.fit import Fit


def refitted(fit: Fit, progress: Callable[[int, int], None] | None = None) -> list[CheckResult]:
    """Influence and prior sensitivity, with one compilation for both."""
    refits = Refits(fit)
    return [
        influence_result(fit, of_each(fit, refits=refits, progress=progress)),
        sensitivity_result(prior_sensitivities(fit, refits=refits, power_scaling=True)),
    ]


def influence_result(fit: Fit, influence: Influence) -> CheckResult:
    """Fails where leaving out one patient clearly changes a decision."""
    flipped = {f.decision for f in influence.decisions if f.flips and f.clear}
    first = influence.patients[0] if influence.patients else None
    sentence = " ".join(influence.sentences)
    if not sentence and first is not None:
        most = f"{first.patient} moves {first.moved} most, by {first.shift:.2f} posterior SDs"
        sentence = f"No decision is declared. {most}."
    unjudged: Literal["", "cannot"] = "" if sentence else "cannot"
    sentence = sentence or "Not judged: no patient has measurements."
    alone = [p.patient for p in influence.patients if p.method == "impossible"]
    if alone:
        sentence += f" {', '.join(alone)} cannot be left out: nobody else has a measurement of some outcome."
    if flipped:
        sentence += " Report it with and without that patient, and look at the patient's record."
    rows = tuple(asdict(p) for p in influence.patients)
    return CheckResult("influence", not flipped, sentence, rows, numbers=tuple(sorted(flipped)), unjudged=unjudged)


def sensitivity_result(rows: list[PriorSensitivity]) -> CheckResult:
    """Fails where half or twice as wide priors change a decision or a probability."""
    silent = [r for r in rows if r.verdict == SILENT]
    if silent:
        sentence = " ".join(r.sentence for r in silent)
    elif rows:
        counts = {v: sum(r.verdict == v for r in rows) for v in dict.fromkeys(r.verdict for r in rows)}
        said = ", ".join(f"{verdict} {n} of {len(rows)}" for verdict, n in counts.items())
        sentence = f"Other priors change nothing that matters ({said})."
    else:
        sentence = "Not judged: nothing is asked."
    conflicts = [r.name for r in rows if r.conflict]
    if conflicts:
        sentence += f" Prior and data pull apart in {', '.join(conflicts)}: look at the priors."
    names, table = tuple(r.name for r in silent), tuple(asdict(r) for r in rows)
    unjudged: Literal["", "nothing"] = "" if rows else "nothing"
    return CheckResult("prior sensitivity", not silent, sentence, table, numbers=names, unjudged=unjudged)
