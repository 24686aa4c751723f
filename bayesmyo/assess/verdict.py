"""Would other priors change it? Three verdicts on every number that is printed, each explained once.

They say nothing of how large or how sure a number is: its interval does.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Protocol

from bayesmyo.assess.estimate import DecisionResult
from bayesmyo.components.decisions import concluding

DATA, PRIOR, SILENT = "robust to the prior", "mostly the prior", "turns on the prior"
UNKNOWN = "not judged"
MEANINGS = {
    DATA: "priors half or twice as wide, or centred elsewhere, would not change the number; how large and how sure it "
    "is, its interval says",
    PRIOR: "the data have hardly narrowed what was held likely before them, or hold nothing of it: it is no finding in "
    "these patients",
    SILENT: "another sensible prior would give another answer, so none is told",
    UNKNOWN: "nobody has looked whether other priors would change it",
}
DISAGREE = "sampled again under other priors, the chains disagree; a simpler model, or more data, would tell"
WITHHELD = "withheld: "  # how a sentence begins that makes no claim


@dataclass(frozen=True)
class PriorSensitivity:
    """One number under priors half and twice as wide, and centred elsewhere.

    Attributes
    ----------
    kind : str
        "estimand", "decision", "correlation", "response" (how many patients have a category) or "each patient".
    contraction : float
        Near 1 the data have said all, near 0 nothing; negative where the prior was sure of something else.
    median, probability : float
        Of the number, and of its threshold or the decision's rule; each also under the other priors.
    method : str
        "importance", "refit", or "none" where there is nothing to judge.
    pareto_k : float, optional
        The worse of the two reweightings of widths; None for a refit.
    prior_sense, likelihood_sense : float, optional
        Change under power-scaling of prior and likelihood, above 0.05 sensitive; None where not computed.
    verdict : str
        "robust to the prior", "mostly the prior", "turns on the prior", or "not judged".
    prior_meets : bool, optional
        Whether the prior alone would meet the decision; None of anything else.
    led_by : str, optional
        The parameter whose prior alone moves the number most, where the verdict is "turns on the prior".
    fact : str
        Why no measurement tells anything of the number, whatever the model; empty where some may.
    """

    SENSITIVE: ClassVar[float] = 0.05

    name: str
    kind: str
    outcomes: tuple[str, ...]
    contraction: float
    median: float
    median_half: float | None
    median_double: float | None
    probability: float | None
    probability_half: float | None
    probability_double: float | None
    method: str
    pareto_k: float | None
    prior_sense: float | None
    likelihood_sense: float | None
    verdict: str
    sentence: str
    prior_meets: bool | None = None
    led_by: str | None = None
    fact: str = ""

    @property
    def conflict(self) -> bool:
        """Prior and data pull apart: the number follows both (Kallioinen et al. 2024)."""
        senses = (self.prior_sense, self.likelihood_sense)
        return all(sense is not None and sense > self.SENSITIVE for sense in senses)


class Judged(Protocol):
    """Any result that is told in a sentence, with its verdict."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def sentence(self) -> str: ...

    @property
    def withheld(self) -> bool: ...

    @property
    def verdict(self) -> str | None: ...


def judged[T: Judged](rows: Sequence[T], sensitivities: Sequence[PriorSensitivity]) -> list[T]:
    """The same rows, each with its verdict, which its sentence then says.

    One that turns on the prior, or of which the data hold nothing, is withheld. A decision is met only where the data
    say so or nobody has judged it.
    sensitivities: of the same kind as the rows, in the same order
    """
    said = []
    for row, s in zip(rows, sensitivities, strict=True):
        rule = isinstance(row, DecisionResult) and row.met
        text, withheld = with_verdict(row.sentence, s, rule), s.verdict == SILENT or bool(s.fact)
        changed: dict[str, Any] = {"verdict": s.verdict, "sentence": text, "withheld": withheld}
        if isinstance(row, DecisionResult):
            changed["met"] = rule and s.verdict in (DATA, UNKNOWN)
        said.append(replace(row, **changed))
    return said


def with_verdict(sentence: str, s: PriorSensitivity, rule: bool = False) -> str:
    """The sentence of a number, or of a decision whose rule the draws satisfy or not, with what was judged of it."""
    if s.fact:
        return f"{WITHHELD}{'not met: ' if s.kind == 'decision' else ''}{s.fact}"
    if s.verdict == SILENT:
        return f"{WITHHELD}{s.sentence}"
    if s.verdict == PRIOR:
        if rule:
            return concluding(sentence, f"not met: this is mostly the prior, not the data ({width(s.contraction)})")
        return f"{sentence} This is mostly the prior: {width(s.contraction)}."
    if s.verdict == UNKNOWN:
        what_to_do = DISAGREE if s.method == "refit" else "check with --refit"
        unjudged = f"hether other priors would change this is not judged: {what_to_do}"
        return concluding(sentence, f"met, but w{unjudged}") if rule else f"{sentence} W{unjudged}."
    return f"{sentence} Other priors would not change this."


def width(contraction: float) -> str:
    """How wide an interval is, beside what it was before the data."""
    wide = math.sqrt(1 - contraction)
    return f"the interval is {'' if wide >= 0.995 else f'{wide:.0%} '}as wide as before the data"


def explained(verdicts: Iterable[str | None]) -> list[str]:
    """What each of these verdicts means, once, in their order."""
    there = set(verdicts)
    return [f"{name.capitalize()}: {said}." for name, said in MEANINGS.items() if name in there]
