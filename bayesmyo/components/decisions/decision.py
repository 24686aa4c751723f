"""The contract of a decision."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bayesmyo.components.component import Component
from bayesmyo.components.numbers import PLAIN, Written

ROUNDING = 1e-9
ENDINGS = {True: ": met.", False: ": not met."}  # of every verdict's sentence


@dataclass(frozen=True)
class Verdict:
    """Whether a rule is met.

    Attributes
    ----------
    probability
        What the posterior gives, None where the rule asks for none.
    margin
        By how much the rule is satisfied, negative where it is not: of a probability, what the posterior gives minus
        what was asked (the smaller margin of two conditions); of a precision, the width asked minus the interval's.
    """

    met: bool
    probability: float | None
    margin: float
    sentence: str


@dataclass(frozen=True)
class OneSided:
    """A claim that a one-sided test against the threshold can make too, at the level 1 - probability."""

    above: bool
    threshold: float
    probability: float


@dataclass(frozen=True, kw_only=True)
class Decision(Component):
    """A rule on the draws of one estimand, set before the data are seen."""

    estimand: str

    quotes: ClassVar[bool] = True  # its sentence tells the number, and is withheld with it

    @property
    def one_sided(self) -> OneSided | None:
        """What it claims, if that is that the number lies on one side of a threshold, and nothing else."""
        return None

    @property
    def least_probability(self) -> float | None:
        """The probability that is enough, where that is all the rule asks for: `Verdict.probability` is then at least
        it."""
        return None

    def terms(self, unit: str) -> str:
        """What it asks of the number, for a lay reader; `unit` follows each value and begins with a space, or is
        empty."""
        return f"a rule of the kind {self.kind}"

    @abstractmethod
    def rule(self, subject: str = "") -> str:
        """When it is met, in words; `subject` is what they call the estimand (default: its name)."""

    @abstractmethod
    def judge(self, draws: np.ndarray, subject: str = "", written: Written = PLAIN) -> Verdict:
        """Whether the rule is met.

        Parameters
        ----------
        draws
            (chain, draw) values of the estimand, in its unit.
        subject
            What the sentence calls the estimand (default: its name).
        written
            How its numbers are written.
        """

    def faults(self) -> tuple[tuple[str, str, str], ...]:
        """(key, what is wrong, what was got) of numbers that do not go together; empty where the rule can be used."""
        return ()

    def thresholds(self) -> dict[str, float]:
        """The values of the estimand that the rule names, by their TOML keys; each must be one that it can take."""
        return {}

    def right(self, truth: np.ndarray) -> np.ndarray | None:
        """Whether the rule is right to be met: whether it would be met if true values were known exactly.

        Parameters
        ----------
        truth
            (n,) true values; one that differs from a threshold by rounding alone is the threshold.

        Returns
        -------
        ndarray of shape (n,) or None
            None where the rule has no truth, as a precision has not.
        """
        for threshold in self.thresholds().values():
            truth = np.where(np.isclose(truth, threshold, rtol=ROUNDING, atol=ROUNDING), threshold, truth)
        values, where = np.unique(truth, return_inverse=True)
        verdicts = [self.judge(np.full((1, 1), v)) for v in values]
        if any(v.probability is None for v in verdicts):
            return None
        return np.array([v.met for v in verdicts], dtype=bool)[where]


def concluding(sentence: str, instead: str) -> str:
    """A sentence that ends with "met", or says so before a remark, ending otherwise; the remark stays."""
    before, _, remark = sentence.rpartition(ENDINGS[True])
    return f"{before}: {instead}.{remark}"


def share_faults(**shares: float) -> tuple[tuple[str, str, str], ...]:
    """Faults of keys that must lie strictly between 0 and 1."""
    return tuple((k, "must lie between 0 and 1", f"{v:g}") for k, v in shares.items() if not 0 < v < 1)
