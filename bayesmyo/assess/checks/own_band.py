"""Who was far outside the own band, when: a relapse, a mistyped cell, a visit that is another patient's.

A measurement's standardised residual is taken around the curves that the other measurements give, those of the patient
among them: draws are weighted by one over the measurement's own likelihood, Pareto-smoothed (leave-one-out), so that a
curve that leans towards the measurement does not hide it. It is set beside the largest residual of a whole replicated
cohort, draw by draw; being the largest of all, that needs no other correction for how many there are, but one for the
number of outcomes (Bonferroni). A measurement is told where so large a residual comes in fewer cohorts than the
declared rate says.

A patient who stands out is no fault of the model, which is judged by the other checks: this one withholds nothing.

References: Gelman, Meng and Stern (1996), Statistica Sinica 6, 733-760; Vehtari, Gelman and Gabry (2017),
https://doi.org/10.1007/s11222-016-9696-4.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bayesmyo.assess.checks.check import CheckResult
from bayesmyo.assess.replicated import Replicated, replicated
from bayesmyo.components.numbers import in_sentence, listing, significant
from bayesmyo.inference.fit import Fit, log_likelihood
from bayesmyo.inference.weights import smoothed

RATE = 0.05  # of cohorts in which somebody is told though nobody stands out
MOST = 8  # measurements that are named


@dataclass(frozen=True)
class OwnBand:
    """Measurements far outside the band in which the patient's own course expects them."""

    name: str = "visits outside the patient's own band"

    def run(self, fit: Fit) -> CheckResult:
        """Which patient, when, which outcome: in `who`, by pseudonym, and with the numbers in the table."""
        replicates = replicated(fit)
        if replicates.reason:
            return CheckResult(self.name, True, f"not judged: {replicates.reason}.", unjudged="cannot")
        if not replicates.outcomes:
            what = "; ".join(f"{fit.study.label(o)}, {why}" for o, why in replicates.unjudged.items())
            return CheckResult(self.name, True, f"not judged: {what}.", unjudged="cannot")
        count = len(replicates.outcomes)
        rows = [row for r in replicates.outcomes.values() for row in _outside(fit, r, replicates.chosen, count)]
        rows.sort(key=lambda row: -abs(float(str(row["residual"]))))
        if not rows:
            what = (
                "No measurement lies so far outside the patient's own band as one in "
                f"{1 / RATE:.0f} such cohorts has any."
            )
            return CheckResult(self.name, True, what)
        who = tuple(_told(fit, row) for row in rows[:MOST])
        patients, labels = {row["patient"] for row in rows}, {row["outcome"] for row in rows}
        named = listing([in_sentence(fit.study.label(o)) for o in fit.study.outcomes if o in labels])
        some = f"{len(rows)} {'measurement lies' if len(rows) == 1 else 'measurements lie'}"
        of = "one patient" if len(patients) == 1 else f"{len(patients)} patients"
        sentence = (
            f"{some} far outside the own band of {of} ({named}), "
            f"as in fewer than one of {1 / RATE:.0f} such cohorts by "
            "chance: a relapse, a slip of the pen, or another patient's visit? Look at the chart; a relapse may be "
            "declared as an event."
        )
        return CheckResult(self.name, True, sentence, tuple(rows), who=who)


def _outside(fit: Fit, r: Replicated, chosen: np.ndarray, outcomes: int) -> Iterator[dict[str, object]]:
    """Rows of what is told of one outcome."""
    p = np.minimum(1.0, outcomes * chances(r, left_out_weights(fit, r, chosen)))
    names = fit.cohort.pseudonyms()
    tail = (1 - fit.study.interval) / 2
    for cell in np.flatnonzero(p < RATE):
        lower, upper = np.quantile(r.drawn[:, cell], [tail, 1 - tail])
        yield {
            "patient": names[r.patient[cell]], "outcome": r.outcome, "time": float(r.time[cell]),
            "measured": float(r.y[cell]), "lower": float(lower), "upper": float(upper),
            "residual": float(np.nanmedian(r.residual[:, cell])), "p": float(p[cell]),
        }  # fmt: skip


def left_out_weights(fit: Fit, r: Replicated, chosen: np.ndarray) -> np.ndarray:
    """(draw, n) weights that make the draws those of a fit without each measurement; equal where they cannot."""
    log = log_likelihood(fit.study, fit.cohort, fit.truth.take(chosen), r.outcome)[:, r.cell]
    weights = np.full(log.shape, 1 / len(log))
    for cell in np.flatnonzero(np.isfinite(log).all(axis=0)):
        smooth, _ = smoothed(-log[:, cell])
        own = np.exp(smooth - smooth.max())
        weights[:, cell] = own / own.sum()
    return weights


def chances(r: Replicated, weights: np.ndarray) -> np.ndarray:
    """(n,) how often the largest residual of a cohort is as large as that of each measurement."""
    largest = np.sort(np.where(np.isfinite(r.expected), np.abs(r.expected), 0.0).max(axis=1))
    reached = np.where(np.isfinite(r.residual), np.abs(r.residual), 0.0)
    beyond = 1 - np.searchsorted(largest, reached) / len(largest)
    return np.asarray((weights * beyond).sum(axis=0))


def _told(fit: Fit, row: dict[str, object]) -> str:
    study, o = fit.study, fit.study.outcomes[str(row["outcome"])]
    value, lower, upper = (significant(float(str(row[k]))) for k in ("measured", "lower", "upper"))
    unit = f" {o.unit}" if o.unit else ""
    return (
        f"{row['patient']}, {study.time.unit} {float(str(row['time'])):g}: "
        f"{in_sentence(study.label(str(row['outcome'])))} "
        f"{value}{unit}, where the own course has {lower} to {upper}."
    )
