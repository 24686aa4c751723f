"""All that a power study says, from its tables."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import pandas as pd

from bayesmyo.simulation.options import TARGET, Solve
from bayesmyo.simulation.power import operating, sequential, words
from bayesmyo.simulation.power.claims import Claim, Extreme, Weights, claims, extremes, weighed
from bayesmyo.simulation.power.differences import Difference, differences
from bayesmyo.simulation.power.drift import DRIFT, unit_of_drift
from bayesmyo.simulation.power.rates import flat
from bayesmyo.simulation.power.search import axis_of
from bayesmyo.simulation.power.smallest import NUMBER, Axis, Smallest, smallest_n
from bayesmyo.simulation.power.threshold import ThresholdOf, thresholds
from bayesmyo.simulation.store import Results

MOST = 12  # sentences that are read at one go


@dataclass(frozen=True)
class SmallestOf:
    """The smallest number of patients for one decision under one truth and design.

    Attributes
    ----------
    labels : mapping of str to str or float
        The truth and the design.
    decision : str
        Its name.
    number : Smallest
        How many patients it takes, or how long a follow-up.
    axis : str
        Which of the two: "patients" or "follow_up".
    """

    labels: Mapping[str, str | float]
    decision: str
    number: Smallest
    axis: str = "patients"

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        number = asdict(self.number)
        return {**self.labels, "decision": self.decision, self.axis: number.pop("value"), **number}


@dataclass(frozen=True, eq=False)
class PowerAnswer:
    """What a power study says.

    Attributes
    ----------
    decisions : tuple of DecisionPower
        How often each decision was met, by cell and look.
    estimands : tuple of EstimandPower
        How well each estimand was estimated, by cell, look and method.
    looks : tuple of Sequence
        When studies with interim looks would have stopped.
    smallest : tuple of SmallestOf
        The smallest numbers of patients with the target power.
    thresholds : tuple of ThresholdOf
        The probabilities that decisions should ask for, where they are solved for.
    differences : tuple of Difference
        What each schedule of visits gains over the first.
    sentences : tuple of str
        All of it in words: the decisions of `last()` in order, then looks, smallest numbers, thresholds, differences
        and what claims would be worth.
    about : tuple of (int, str) or None
        Of each sentence the number of patients and the design; None where it is about several.
    results : Results
        What it was counted from; `results.complete` says whether any replicate is missing.
    claims : tuple of Claim
        What each decision would be worth when it is met, by cell, and over scenarios with weights.
    extremes : tuple of Extreme
        The largest type I error and the smallest power of each decision.
    weights : mapping of str to float
        Of scenarios, as declared.
    solve : Solve or None
        What was solved for.
    """

    decisions: tuple[operating.DecisionPower, ...]
    estimands: tuple[operating.EstimandPower, ...]
    looks: tuple[sequential.Sequence, ...]
    smallest: tuple[SmallestOf, ...]
    thresholds: tuple[ThresholdOf, ...]
    differences: tuple[Difference, ...]
    sentences: tuple[str, ...]
    about: tuple[tuple[int, str] | None, ...]
    results: Results
    claims: tuple[Claim, ...] = ()
    extremes: tuple[Extreme, ...] = ()
    weights: Weights = field(default_factory=dict)
    solve: Solve | None = None

    def last(self) -> list[operating.DecisionPower]:
        """The decisions when all patients are analysed."""
        most = {d.cell: d.look for d in sorted(self.decisions, key=lambda d: d.look)}
        return [d for d in self.decisions if d.look == most[d.cell]]

    def chosen(self) -> tuple[str, ...]:
        """All sentences, or where they are many a choice of them.

        Returns
        -------
        tuple of str
            Of more than `MOST`, those of the first design and the middle number of patients, how many patients it
            takes, and the worst errors.
        """
        last = self.last()
        if len(self.sentences) <= MOST or not last:
            return self.sentences
        numbers = sorted({d.look for d in last})
        shown = numbers[len(numbers) // 2], words.designed(last[0].labels)
        return tuple(said for said, of in zip(self.sentences, self.about, strict=True) if of in (None, shown))

    def table(self) -> pd.DataFrame:
        """Every decision, in plain columns.

        Returns
        -------
        DataFrame
            One line for each cell, look and decision: `met` of `done`, their share `probability` with its Monte Carlo
            standard
            error `mcse` and exact 95 % interval, `worst` and `best` if all that failed had not met it, or had.
        """
        return pd.DataFrame([flat(d.as_dict()) for d in self.decisions])

    def estimand_table(self) -> pd.DataFrame:
        """Every estimand, in plain columns.

        Returns
        -------
        DataFrame
            One line for each cell, look, estimand and method: `bias_value` in outcome units with its Monte Carlo error
            `bias_mcse`, coverage, width, and errors of sign and magnitude.
        """
        return pd.DataFrame([flat(e.as_dict()) for e in self.estimands])

    def claim_table(self) -> pd.DataFrame:
        """What a claim would be worth, in plain columns: for a protocol.

        Returns
        -------
        DataFrame
            One line for each decision and cell, and for each design over scenarios with weights: `made_value`, the
            share of studies that end with the claim (power, type I error, or assurance); `true_value` and `false_value`
            of those, with `true_lower` and `true_upper`; bias and coverage over all studies and, `bias_made_value` and
            `coverage_made_value`, over those that end with the claim.
        """
        return pd.DataFrame([flat(c.as_dict()) for c in self.claims])


def power_answer(
    results: Results,
    target: float = TARGET,
    futility: float | None = None,
    weights: Weights | None = None,
    solve: Solve | None = None,
) -> PowerAnswer:
    """What a power study says, from its tables.

    Parameters
    ----------
    results : Results
        Of a plan of kind "power", finished or not.
    target : float
        The power of the smallest number of patients, in (0, 1).
    futility : float, optional
        The probability below which a study stops at an interim look.
    weights : mapping of str to float, optional
        How likely each scenario is held to be, adding up to one.
    solve : Solve, optional
        What is solved for.

    Returns
    -------
    PowerAnswer
        Shares are of the replicates that are there and could be fitted.
    """
    tables = results.plan, results.replicates, results.quantities
    weighed(weights or {}, results.plan)
    decisions = operating.decisions(*tables)
    looks = sequential.sequences(results.plan, results.quantities, futility)
    cells = {cell.key: cell for cell in results.plan.cells}
    last = [d for d in decisions if d.look == operating.looks(cells[d.cell])[-1]]
    axis = NUMBER if solve is None else axis_of(results.plan, solve)
    smallest = tuple(_smallest(last, target, axis))
    solved: tuple[ThresholdOf, ...] = ()
    if solve is not None and solve.what == "threshold":
        solved = tuple(thresholds(results.plan, results.quantities, last, solve.alpha))
    compared = tuple(differences(last))
    worth = claims(results.plan, results.quantities, futility, weights)
    worst = extremes(worth)
    spoken = [c for c in worth if c.over and c.true is not None]
    first = results.plan.cells[0]
    said: list[tuple[str, tuple[int, str] | None]] = [
        *((words.sentence(cells[d.cell].analysis, d), (d.look, words.designed(d.labels))) for d in last),
        *([(unit_of_drift(first.study), None)] if DRIFT in first.labels else []),
        *((words.sequence_sentence(s), None) for s in looks),
        *((f"{s.decision}, {words.called(s.labels)}: {s.number.sentence}", None) for s in smallest),
        *((words.threshold_sentence(t), None) for t in solved),
        *((words.difference_sentence(d), None) for d in compared),
        *((words.claim_sentence(c), (c.patients, words.designed(c.labels))) for c in spoken),
        *((words.extreme_sentence(x), None) for x in worst),
    ]
    return PowerAnswer(
        tuple(decisions),
        tuple(operating.estimands(*tables)),
        tuple(looks),
        smallest,
        solved,
        compared,
        tuple(s for s, _ in said),
        tuple(about for _, about in said),
        results,
        tuple(worth),
        tuple(worst),
        weights or {},
        solve,
    )


def _smallest(last: list[operating.DecisionPower], target: float, axis: Axis) -> Iterator[SmallestOf]:
    """For each decision, truth and design of which several numbers of patients (or follow-ups) were simulated, unless
    it ought not to be met.
    """
    groups: dict[tuple[Any, ...], list[operating.DecisionPower]] = {}
    for d in last:
        varied = {k: v for k, v in d.labels.items() if k != axis.name}
        groups.setdefault((d.decision, tuple(varied.items())), []).append(d)
    for (decision, varied_items), group in groups.items():
        usable = [d for d in group if d.rate.of > 0]
        n = [float(d.look if axis is NUMBER else d.labels[axis.name]) for d in usable]
        met, done = [d.rate.met for d in usable], [d.rate.of for d in usable]
        if len(set(n)) > 1 and not all(d.null for d in usable):
            word = "assurance" if usable[0].assurance else "power"
            yield SmallestOf(dict(varied_items), decision, smallest_n(n, met, done, target, word, axis), axis.name)
