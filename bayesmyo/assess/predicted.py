"""What is predicted of one new patient, as plain data."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

import pandas as pd

from bayesmyo.components.numbers import Number, chance, probability_text
from bayesmyo.model.one_patient import OnePatient

Kind = Literal["criterion", "category", "event"]


@dataclass(frozen=True)
class Expected:
    """One outcome at one time.

    Attributes
    ----------
    known : int
        At how many visits the patient had been seen.
    outcome, time, unit : str, float, str
        The time in the study's unit.
    median, lower, upper : float
        Of the expected course.
    mcse : tuple of float
        Monte Carlo errors of these three.
    measured_median, measured_lower, measured_upper : float
        Of a measurement at a visit then.
    categories : dict of str to float
        The probability of each category of the measurement, where it has names; of a yes, where it is yes or no.
    sentence : str
        What may be repeated.
    withheld : bool
        The sentence says why no number is.
    """

    known: int
    outcome: str
    time: float
    unit: str
    median: float
    lower: float
    upper: float
    mcse: tuple[float, float, float]
    measured_median: float
    measured_lower: float
    measured_upper: float
    categories: dict[str, float]
    sentence: str
    withheld: bool = False

    @property
    def outcomes(self) -> tuple[str, ...]:
        return (self.outcome,)


@dataclass(frozen=True)
class Chance:
    """The probability that something is so.

    Attributes
    ----------
    known : int
        At how many visits the patient had been seen.
    kind, name : str
        A "criterion" is an estimand of kind share, a "category" one of a rule of [responses] ("rule: category"), an
        "event" one of [events].
    time : float
        At which it is so; by which an event has happened.
    words : str
        What is so.
    probability, mcse : float
        And its Monte Carlo error.
    about : tuple of str
        Outcomes and events that it looks at.
    """

    known: int
    kind: Kind
    name: str
    time: float
    words: str
    probability: float
    mcse: float
    about: tuple[str, ...]
    sentence: str
    withheld: bool = False

    @property
    def outcomes(self) -> tuple[str, ...]:
        return self.about

    @property
    def number(self) -> Number:
        return chance(self.probability, self.mcse)


@dataclass(frozen=True)
class Seen:
    """One measurement of the patient beside what was predicted of it before the visit.

    Attributes
    ----------
    known : int
        At how many visits the patient had been seen before.
    value, limit : float, str
        In the outcome's unit; "below", "above" or "between" where it is known only to a limit.
    median, lower, upper : float
        Of the measurement that was predicted, on the visit's own covariates.
    p : float
        How often a measurement of such a patient lies so far off, on either side.
    """

    known: int
    outcome: str
    time: float
    value: float
    limit: str
    median: float
    lower: float
    upper: float
    p: float
    withheld: bool = False


@dataclass(frozen=True)
class Basis:
    """How far the numbers can be believed, after so many visits.

    Attributes
    ----------
    known, time : int, float or None
        Visits, and the last of them; None before the first.
    pareto_k : float
        Of the weights by which draws of the cohort become draws that know the patient: above 0.7 they are not trusted.
    effective : float
        How many independent draws they are worth.
    reliable : bool
        Whether numbers are printed.
    """

    known: int
    time: float | None
    pareto_k: float
    effective: float
    reliable: bool


@dataclass(frozen=True)
class PatientPrediction:
    """One new patient: before any visit, and after each of them.

    Attributes
    ----------
    patient : str
        A pseudonym, N01, N02 ... in the order of the table.
    times : tuple of float
        That were asked.
    basis : tuple of Basis
        Before any visit, and after each.
    levels, chances : tuple of Expected, tuple of Chance
        Of each of them.
    seen : tuple of Seen
        Every measurement beside what was predicted of it.
    p : float
        How often a patient of this cohort has a measurement as far off as the worst of these: below 0.01 the patient is
        unlike the cohort.
    unlike, notes : tuple of str
        In which way the patient is unlike the cohort, in sentences; and what else a reader should know.
    states : tuple of OnePatient
        The draws behind, one for each basis.
    """

    patient: str
    interval: float
    times: tuple[float, ...]
    basis: tuple[Basis, ...]
    levels: tuple[Expected, ...]
    chances: tuple[Chance, ...]
    seen: tuple[Seen, ...]
    p: float
    unlike: tuple[str, ...]
    notes: tuple[str, ...]
    states: tuple[OnePatient, ...] = field(repr=False, compare=False)

    @property
    def last(self) -> Basis:
        """When all visits are known."""
        return self.basis[-1]

    def as_dict(self) -> dict[str, Any]:
        """The JSON form; what is withheld has no number."""
        return {
            "patient": self.patient, "interval": self.interval, "times": self.times, "p": self.p,
            "unlike": self.unlike, "notes": self.notes, "basis": [asdict(b) for b in self.basis],
            **{k: [_shown(r) for r in rows] for k, rows in (("levels", self.levels), ("chances", self.chances), ("seen", self.seen))},
        }  # fmt: skip

    def table(self) -> pd.DataFrame:
        """One row for each outcome, time and state of knowledge."""
        return pd.DataFrame([_shown(level) for level in self.levels])

    def probabilities(self) -> pd.DataFrame:
        """One row for each criterion, category or event, time and state of knowledge."""
        return pd.DataFrame([_shown(row) for row in self.chances])


NUMBERS = {
    "median", "lower", "upper", "mcse", "measured_median", "measured_lower", "measured_upper", "categories",
    "probability", "p",
}  # fmt: skip


def _shown(row: Expected | Chance | Seen) -> dict[str, Any]:
    """A row as plain values, without the numbers that are withheld."""
    return {f.name: None if row.withheld and f.name in NUMBERS else getattr(row, f.name) for f in fields(row)}


def likely(categories: Sequence[tuple[str, float]], error: float) -> str:
    """Categories with their probabilities, in a sentence."""
    return ", ".join(f"{name} {probability_text(p, error)}" for name, p in categories)


__all__ = ["Basis", "Chance", "Expected", "PatientPrediction", "Seen", "likely"]
