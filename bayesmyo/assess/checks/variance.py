"""Do measurements scatter as predicted: late and early, at high and low levels, in one patient and another?"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bayesmyo.assess.checks.findings import Finding, Predictive, finding, span
from bayesmyo.assess.checks.moments import free_effects, spread, subject
from bayesmyo.assess.checks.remedies import at_end, crowded, is_scale, overdispersed, positive, scatter
from bayesmyo.assess.replicated import Replicated
from bayesmyo.components.families import suited
from bayesmyo.components.families.family import BETWEEN_ENDS
from bayesmyo.inference.fit import Fit

FEWEST = 20  # measurements with a residual
FEW = 10  # of them in each of two parts that are compared
PATIENTS, EACH = 8, 4  # patients whose scatter is compared, and measurements of each
WILD = 3.0  # SDs: a residual further off counts as so far, or a single one would say that all around it scatter
STILL = 0.1  # SDs: smaller residuals on average, as of patients all at one end of a scale, count as alike
ELSE = 'try another family or trajectory, or a covariate with varies = "visits", and look for wild measurements'


@dataclass(frozen=True)
class Parts:
    """Cells whose residuals may spread more, or less, than those of others. what: time, level or a covariate's name"""

    what: str
    where: str
    first: np.ndarray
    last: np.ndarray
    covariate: str = ""


@dataclass(frozen=True)
class Variance(Predictive):
    """The spread of residuals: late and early, at high and low levels, at values of a covariate, by patient.

    Residuals are in SDs that the model predicts, so the ratios are about one where it is right. ratio: that matters,
    and by which patients differ (one SD of them) where that matters
    """

    name: str = "variance"
    ratio: float = 1.4
    told: ClassVar[str] = "Residual spread is"
    none: ClassVar[str] = "too few measurements have a spread of their own"
    lacking: ClassVar[bool] = True

    def judge(self, fit: Fit, r: Replicated) -> Iterator[Finding]:
        if len(np.unique(r.y)) > 2 and np.isfinite(r.expected).any(axis=0).sum() >= FEWEST:
            for parts in compared(fit, r):
                yield self._between(fit, r, parts)
            yield from self._patients(fit, r)

    def _between(self, fit: Fit, r: Replicated, parts: Parts) -> Finding:
        def ratio(z: np.ndarray) -> np.ndarray:
            z = np.clip(z, -WILD, WILD)
            first, last = (np.maximum(spread(z[:, cells]), 1e-6) for cells in (parts.first, parts.last))
            return np.log(last / first)

        data, drawn = ratio(r.residual), ratio(r.expected)
        difference = float(np.median(data) - np.median(drawn))
        early, late = (max(float(np.median(r.level[cells])), 1e-6) for cells in (parts.first, parts.last))
        follows = bool(np.log(late / early) * np.sign(difference) >= abs(difference) / 2)
        misfit = (
            f"Residuals of {subject(fit.study, r.outcome)} are {np.exp(np.median(data)):.2f} times as large "
            f"{parts.where} ({span(np.exp(drawn), '.2f')} is predicted): "
            f"{self._remedy(fit, r, parts, difference > 0, follows)}."
        )
        matters = abs(difference) > np.log(self.ratio)
        return finding(r.outcome, f"ratio of spreads over {parts.what}", data, drawn, matters, misfit, np.exp)

    def _patients(self, fit: Fit, r: Replicated) -> Iterator[Finding]:
        """By how much the logs of patients' own mean absolute residuals differ, where enough patients have enough."""
        there = np.isfinite(r.residual).all(axis=0)
        own = np.bincount(r.patient[there], minlength=len(fit.cohort))
        who = np.flatnonzero(own >= EACH)
        if len(who) < PATIENTS:
            return
        belongs = (r.patient[:, None] == who).astype(float)

        def apart(z: np.ndarray) -> np.ndarray:
            count = np.isfinite(z) @ belongs
            size = np.where(np.isfinite(z), np.minimum(np.abs(z), WILD), 0.0) @ belongs
            with np.errstate(divide="ignore", invalid="ignore"):
                logs = np.where(count >= EACH // 2, np.log(np.maximum(size / count, STILL)), np.nan)
            return np.nanstd(logs, axis=-1)

        data, drawn = apart(r.residual), apart(r.expected)
        excess = float(np.sqrt(max(np.median(data) ** 2 - np.median(drawn) ** 2, 0.0)))
        remedy = scatter(fit.study, r.outcome) or overdispersed(fit.study, r.outcome) or ELSE
        misfit = (
            f"In some patients {subject(fit.study, r.outcome)} scatters more than in others: from patient to patient "
            f"the size of residuals differs by a factor {np.exp(np.median(data)):.2f} "
            f"({span(np.exp(drawn), '.2f')} is predicted): {remedy}."
        )
        matters = excess > np.log(self.ratio)
        yield finding(r.outcome, "factor of spreads between patients", data, drawn, matters, misfit, np.exp)

    def _remedy(self, fit: Fit, r: Replicated, parts: Parts, grows: bool, in_proportion: bool) -> str:
        """in_proportion: the level changes as the spread does, in the same direction and at least half as much."""
        o = fit.study.outcomes[r.outcome]
        free = free_effects(fit.study, r.outcome)
        plain = o.family.additive
        level, time = parts.what == "level", parts.what == "time"
        if plain and level and not grows and crowded(r.y):
            return f"scatter that shrinks at high levels looks like a ceiling; {at_end(o, r.y, top=True)}"
        if plain and level and is_scale(o, r.y):
            return f"scatter that shrinks at low levels looks like a floor; try the family {suited(BETWEEN_ENDS)}"
        if plain and r.y.min() >= 0 and (grows if level else in_proportion):
            return f"scatter in proportion to the level looks like this; try the family {positive(r.y)}"
        if time and grows and free:
            return f'patients may drift apart; try adding "{free[0]}" to effects'
        own = scatter(fit.study, r.outcome, covariate=parts.covariate, drifts=time, correlate=level)
        return own or overdispersed(fit.study, r.outcome) or ELSE


def compared(fit: Fit, r: Replicated) -> Iterator[Parts]:
    """The last third of visits and the first, high levels and low ones, values of a covariate and all others."""
    unit = fit.study.time.unit
    there = np.isfinite(r.expected).any(axis=0)
    for what, by in (("time", r.time), ("level", r.level)):
        if thirds := _thirds(by, there):
            low, high, first, last = thirds
            when = f"from {unit} {high:.3g} as up to {unit} {low:.3g}"
            yield Parts(what, when if what == "time" else "at high levels as at low ones", first, last)
    visits = fit.cohort.measurements[r.outcome].covariates
    values = {c: v[r.patient] for c, v in fit.cohort.covariates.items()} | {c: v[r.cell] for c, v in visits.items()}
    for name, by in values.items():
        label = fit.study.covariates[name].label or name
        if levels := fit.study.covariates[name].levels:
            for k, level in list(enumerate(levels))[1 if len(levels) == 2 else 0 :]:
                first, last = (np.flatnonzero(there & chosen) for chosen in (by != k, by == k))
                if min(len(first), len(last)) >= FEW:
                    yield Parts(f"{label} {level}", f"where {label} is {level} as elsewhere", first, last, name)
        elif thirds := _thirds(by, there & np.isfinite(by)):
            yield Parts(label, f"at high values of {label} as at low ones", *thirds[2:], name)


def _thirds(by: np.ndarray, there: np.ndarray) -> tuple[float, float, np.ndarray, np.ndarray] | None:
    """The ends of the lowest and the highest third, and the cells of each; None where either has few."""
    if not there.any():
        return None
    low, high = (float(q) for q in np.quantile(by[there], [1 / 3, 2 / 3]))
    first = np.flatnonzero(there & (by <= low))
    last = np.flatnonzero(there & (by >= high if high > low else by > low))
    return (low, high, first, last) if min(len(first), len(last)) >= FEW else None
