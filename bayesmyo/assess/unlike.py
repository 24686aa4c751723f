"""In which way a new patient is unlike the cohort from which is predicted."""

from collections.abc import Iterator, Sequence

import numpy as np

from bayesmyo.assess.predicted import Seen
from bayesmyo.cohort.cohort import Cohort
from bayesmyo.components.numbers import in_sentence, significant
from bayesmyo.inference.fit import Fit
from bayesmyo.study.covariates import used

RARE = 0.01  # of patients of the cohort who are called unlike it


def far_off(p: Sequence[float]) -> float:
    """How often the least of so many p-values is so small (Bonferroni); 1 where there is none."""
    return min(1.0, len(p) * min(p)) if p else 1.0


def unlike(fit: Fit, own: Cohort, seen: Sequence[Seen], p: float) -> tuple[str, ...]:
    """Sentences; none where nothing tells the patient from those of the cohort.

    p: of `far_off`
    """
    return (*_covariates(fit, own), *_measured(fit, [s for s in seen if not s.withheld], p))


def _measured(fit: Fit, seen: Sequence[Seen], p: float) -> Iterator[str]:
    if p >= RARE:
        return
    worst, study = min(seen, key=lambda s: s.p), fit.study
    o, visits = study.outcomes[worst.outcome], f"{worst.known} earlier {'visit' if worst.known == 1 else 'visits'}"
    value, low, high = (significant(x) for x in (worst.value, worst.lower, worst.upper))
    side = {"below": "below ", "above": "above "}.get(worst.limit, "")
    after = f"after {visits}" if worst.known else "before any visit"
    yield (
        f"Unlike the cohort: {in_sentence(study.label(worst.outcome))} was {side}{value} {o.unit} at {study.time.unit} "
        f"{worst.time:g}, where {low} to {high} was predicted {after}; fewer than 1 in {1 / RARE:.0f} patients of this "
        "cohort would ever be so far off. What is predicted leans on patients who are not like this one."
    )


def _covariates(fit: Fit, own: Cohort) -> Iterator[str]:
    """Values that no patient of the cohort has."""
    if fit.shared:
        return
    for name in used(fit.study, "patients"):
        c, there, value = fit.study.covariates[name], fit.cohort.covariates[name], float(own.covariates[name][0])
        there = there[np.isfinite(there)]
        label = in_sentence(c.label or name)
        if c.levels and not (there == value).any():
            yield f"Unlike the cohort: none of its patients has {label} {c.levels[int(value)]}."
        elif not c.levels and len(there) and not there.min() <= value <= there.max():
            span = f"{there.min():g} to {there.max():g}"
            yield f"Unlike the cohort: {label} is {value:g}, and in its patients {span}: what is predicted is an extrapolation."


__all__ = ["far_off", "unlike"]
