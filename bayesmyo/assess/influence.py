"""The verb `influence`: which patient carries the conclusion.

Every decision is judged again without each patient: one that flips rests on a single person. Patients are ranked by how
far they move an estimand, in posterior SDs.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from bayesmyo.assess.diagnostics import batch_error, diagnose, shift
from bayesmyo.assess.leave_one_out import WithoutPatient, leave_one_out
from bayesmyo.assess.refits import Refits
from bayesmyo.components.numbers import chance_error, probability_text
from bayesmyo.inference.fit import Fit

Draws = Mapping[str, np.ndarray]
CLEAR = 3.0  # Monte Carlo errors: many patients are looked at
GENERAL = ("population average", "average patient")


@dataclass(frozen=True)
class PatientInfluence:
    """One patient, or one level of a group, left out.

    Attributes
    ----------
    measurements, last : int, float
        How many there are, and the time of the latest, in the study's unit.
    moved, shift : str, float
        The estimand that moves most, and by how many posterior SDs.
    flips : tuple of str
        The decisions whose verdict changes.
    score, mcse : float
        Log predictive density of the patient's measurements given the others, and its Monte Carlo error.
    method, rhat, divergences, rough
        How the others' posterior was computed, and how well; rough: not well.
    """

    patient: str
    measurements: int
    last: float
    moved: str
    shift: float
    flips: tuple[str, ...]
    score: float
    mcse: float
    method: str
    rhat: float | None
    divergences: int
    rough: bool = False


@dataclass(frozen=True)
class Flip:
    """One decision without one patient, beside the verdict on all.

    Attributes
    ----------
    flips : bool
        The verdict changes.
    clear : bool
        Its margin moves by more than three times the Monte Carlo error of the difference.
    """

    decision: str
    patient: str
    met: bool
    met_without: bool
    probability: float | None
    probability_without: float | None
    margin: float
    margin_without: float
    flips: bool
    clear: bool


@dataclass(frozen=True)
class Influence:
    """What leaving out each patient, or each level of a group, does.

    Attributes
    ----------
    patients : tuple of PatientInfluence
        The most influential first.
    decisions : tuple of Flip
        Every decision without every patient.
    sentences : tuple of str
        One for each decision.
    """

    patients: tuple[PatientInfluence, ...]
    decisions: tuple[Flip, ...]
    sentences: tuple[str, ...]

    def table(self) -> pd.DataFrame:
        """Patients as a table, the most influential first."""
        return pd.DataFrame([asdict(p) for p in self.patients]).set_index("patient")

    def flips(self) -> pd.DataFrame:
        """Decisions by patients: the flip table."""
        return pd.DataFrame([asdict(f) for f in self.decisions])


def influence(
    fit: Fit,
    *,
    exact: bool = True,
    by: str = "",
    refits: Refits | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Influence:
    """Leave out each patient, or each level of a group with all its patients, and see what is said then.

    Parameters
    ----------
    fit : Fit
        A fit, with its patients.
    exact : bool
        Sample again without each patient; False reweights the draws wherever that can be trusted, never for a group.
    by : str
        A group of the study, whose levels are left out in place of patients.
    refits : Refits, optional
        Refits that are compiled already.
    progress : callable, optional
        Called with patients done and patients in all.

    Returns
    -------
    Influence
        Patients, the most influential first; every decision without each of them; and a sentence for each decision.

    Raises
    ------
    StorageError
        For a fit without patient data.
    UsageError
        For what is no group of the study.

    Examples
    --------
    >>> influence = bayesmyo.influence(fit, exact=False)
    >>> len(influence.patients), influence.sentences[0][:35]
    (12, 'cpk_halved stays met whichever pati')
    """
    return of_left_out(fit, leave_one_out(fit, exact=exact, by=by, refits=refits, progress=progress), by)


def of_left_out(fit: Fit, left_out: Sequence[WithoutPatient], by: str = "") -> Influence:
    """The same from patients left out before."""
    flips = [f for name in fit.study.decisions for f in _flips(fit, name, left_out)]
    patients = [_patient(_ranked_by(fit), one, flips) for one in left_out]
    patients.sort(key=lambda p: -abs(p.shift))
    known, sentences = diagnose(fit.estimands), []
    for name, decision in fit.study.decisions.items():
        if rows := [f for f in flips if f.decision == name]:
            sentences.append(sentence(name, rows, known[decision.estimand].ess_bulk, by or "patient"))
    return Influence(tuple(patients), tuple(flips), tuple(sentences))


def _ranked_by(fit: Fit) -> Draws:
    """The estimands that speak of patients in general, if any do: of these patients, one fewer is another question."""
    general = {n: d for n, d in fit.estimands.items() if fit.study.estimands[n].population in GENERAL}
    return general or fit.estimands


def _patient(said: Draws, one: WithoutPatient, flips: Sequence[Flip]) -> PatientInfluence:
    shifts = {name: shift(said[name], one.estimands[name]) for name in said if name in one.estimands}
    moved = max(shifts, key=lambda name: abs(shifts[name]), default="")
    own = tuple(f.decision for f in flips if f.patient == one.patient and f.flips)
    rhat = one.rhat if np.isfinite(one.rhat) else None
    who = one.patient, one.measurements, one.last, moved, shifts.get(moved, 0.0), own
    return PatientInfluence(*who, one.score, one.mcse, one.method, rhat, one.divergences, one.rough)


def _flips(fit: Fit, name: str, left_out: Sequence[WithoutPatient]) -> list[Flip]:
    decision = fit.study.decisions[name]

    def margin(draws: np.ndarray) -> float:
        return decision.judge(draws).margin

    draws = fit.estimands[decision.estimand]
    whole, error = decision.judge(draws), batch_error(margin, draws)
    rows = []
    for one in (one for one in left_out if one.estimands):
        others = one.estimands[decision.estimand]
        verdict = decision.judge(others)
        apart, sure = abs(verdict.margin - whole.margin), CLEAR * float(np.hypot(error, batch_error(margin, others)))
        asked = (whole.met, verdict.met, whole.probability, verdict.probability, whole.margin, verdict.margin)
        rows.append(Flip(name, one.patient, *asked, flips=verdict.met != whole.met, clear=apart > sure))
    return rows


def sentence(name: str, rows: Sequence[Flip], ess: float = math.inf, who: str = "patient") -> str:
    """What leaving out one patient does to a decision; ess: effective draws of its estimand, for the digits."""

    def chance(p: float) -> str:
        return probability_text(p, chance_error(p, ess))

    state, other = ("met", "not met") if rows[0].met else ("not met", "met")
    sign = 1 if rows[0].met else -1
    flipping = sorted((f for f in rows if f.flips), key=lambda f: sign * f.margin_without)
    if not flipping:
        chances = [f.probability_without for f in rows if f.probability_without is not None]
        text = f"{name} stays {state} whichever {who} is left out"
        span = dict.fromkeys((chance(min(chances)), chance(max(chances)))) if chances else {}
        return f"{text} (probability {' to '.join(span)})." if span else f"{text}."
    clear = [f for f in flipping if f.clear]
    first = (clear or flipping)[0]
    text = f"{name} is {state} with all patients, but {other} without {first.patient}"
    p, q = first.probability, first.probability_without
    if p is not None and q is not None and chance(p) != chance(q):
        text += f" (probability {chance(q)} instead of {chance(p)})"
    if len(clear) > 1:
        text += f", and also without {', '.join(f.patient for f in clear[1:])}"
    unsure = [f.patient for f in flipping if not f.clear]
    if not clear:
        return text + ", within Monte Carlo error."
    return text + (f"; perhaps also without {', '.join(unsure)}." if unsure else ".")
