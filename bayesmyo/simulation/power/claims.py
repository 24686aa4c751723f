"""What a claim would be worth: how often it is made, how often it is then true, and what its estimate is then worth.

A claim is a decision that is met when a study ends, at whichever look. How often it is true asks for a design prior: a
scenario whose truths are drawn, or scenarios with declared weights. How often it is made though nothing is there, or
though something is, depends on what nobody knows (the patients who come, who is lost, how much patients differ): it is
judged at its worst over all cells that were simulated.

References: U.S. Food and Drug Administration (2026), Use of Bayesian Methodology in Clinical Trials of Drug and
Biological Products, draft guidance; Spiegelhalter, Abrams and Myles (2004), https://doi.org/10.1002/0470092602, chapter
6; O'Hagan, Stevens and Campbell (2005), https://doi.org/10.1002/pst.175 (assurance); Sidak (1967),
https://doi.org/10.1080/01621459.1967.10482935 (simultaneous limits).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from bayesmyo.components.numbers import listing
from bayesmyo.errors import UsageError, did_you_mean
from bayesmyo.simulation.cell import Cell
from bayesmyo.simulation.plan import Plan
from bayesmyo.simulation.power.drift import TRUST
from bayesmyo.simulation.power.rates import Labelled, Mean, Rate, among, mean_among, numbers, opposite
from bayesmyo.simulation.power.sequential import JUDGED, Ends, ends

Array = np.ndarray
Weights = Mapping[str, float]  # of scenarios; they add up to one
CONFIDENCE = 0.95
POSTERIOR = "posterior"  # what truths from a fit are called


@dataclass(frozen=True)
class Claim(Labelled):
    """What one decision would be worth under one truth and design.

    Attributes
    ----------
    labels : mapping of str to str or float
        The truth and the design; under weights the scenario names them all.
    decision, estimand : str
        The rule, and what it is about.
    patients : int
        How many are planned.
    over : str
        What truths were drawn from, in words; empty where all studies have one truth. Over several of them `made` is
        assurance, the prior predictive probability of success.
    made : Rate
        The share of studies that end with the claim.
    right : bool or None
        Whether it is true in all of them (`made` is then power) or in none (type I error); None where studies differ.
    true, false : Rate or None
        The share of claims that are true, or not; None where the rule has no truth.
    bias, bias_made : Mean
        Of the posterior median at the end of a study, in outcome units: over all studies, and over those that end
        with the claim.
    coverage, coverage_made : Rate
        Of the study's interval, likewise.
    """

    labels: Mapping[str, str | float]
    decision: str
    estimand: str
    patients: int
    over: str
    made: Rate
    right: bool | None
    true: Rate | None
    false: Rate | None
    bias: Mean
    bias_made: Mean
    coverage: Rate
    coverage_made: Rate

    @property
    def which(self) -> str:
        """What the share of studies that end with the claim is called."""
        return "assurance" if self.over else "-" if self.right is None else "power" if self.right else "type I error"


@dataclass(frozen=True)
class Extreme(Labelled):
    """The type I error, or the power, of one decision at its worst over the cells that were simulated.

    Attributes
    ----------
    decision : str
        The rule.
    error : bool
        Whether it is the largest type I error, over cells in which the claim is never true; else the smallest power,
        over cells in which it always is.
    labels : mapping of str to str or float
        The cell in which it is worst.
    rate : Rate
        There, with an interval of its own, which does not allow for having been chosen.
    cells : int
        How many were compared.
    limit : float
        Simultaneous 95 % limit: whatever cell is truly the worst, its rate is not beyond it (Clopper and Pearson in
        each cell, at the level 0.95 ** (1 / cells), Sidak 1967; Monte Carlo error alone).
    """

    decision: str
    error: bool
    labels: Mapping[str, str | float]
    rate: Rate
    cells: int
    limit: float


@dataclass(frozen=True, eq=False)
class _Ended:
    """The studies of one cell as one decision ends them, (replicate,) each. right: None where the rule has no truth."""

    cell: Cell
    made: Array
    right: Array | None
    miss: Array
    covered: Array
    answered: Array

    @property
    def certain(self) -> bool | None:
        """Whether the claim is true in all of them, or in none; None where that differs, or is not known."""
        if self.right is None or not len(self.right) or self.right.any() != self.right.all():
            return None
        return bool(self.right.all())


def claims(
    plan: Plan, quantities: pd.DataFrame, futility: float | None = None, weights: Weights | None = None
) -> list[Claim]:
    """Every decision of every cell; then, of every design, over scenarios with weights."""
    listed = []
    decisions = dict.fromkeys(d for cell in plan.cells for d in cell.analysis.decisions)
    for decision in decisions:
        ended = [_ended(cell, quantities, decision, futility) for cell in plan.cells]
        listed += [_claim(decision, dict(e.cell.labels), (1.0,), (e,)) for e in ended]
        for labels, group in _mixtures(ended, weights or {}):
            listed.append(_claim(decision, labels, tuple((weights or {}).values()), group))
    return listed


def extremes(listed: Iterable[Claim]) -> list[Extreme]:
    """The largest type I error and the smallest power of every decision, where there are cells to compare; over drift with
    each trust by itself.
    """
    groups: dict[tuple[str, bool, Any], list[Claim]] = {}
    for c in listed:
        if c.made.of and (c.right is False or (c.right and not c.over)):
            groups.setdefault((c.decision, not c.right, c.labels.get(TRUST)), []).append(c)
    return [_extreme(decision, error, group) for (decision, error, _), group in groups.items()]


def weighed(weights: Weights, plan: Plan) -> None:
    """Raises UsageError where weights are not those of scenarios that are simulated."""
    names = list(dict.fromkeys(c.truths for c in plan.cells if isinstance(c.truths, str)))
    for name in weights:
        if name not in names:
            raise UsageError("--weights", "names no scenario that is simulated", f'"{name}"', did_you_mean(name, names))


def _ended(cell: Cell, quantities: pd.DataFrame, decision: str, futility: float | None) -> _Ended:
    here = quantities[quantities["cell"] == cell.key]
    rule = cell.analysis.decisions[decision]
    e = ends(cell, here[here["kind"].isin(JUDGED) & (here["name"] == decision)], futility)
    answers = here[(here["kind"] == "estimand") & (here["name"] == rule.estimand)]
    known = np.isfinite(e.truth)
    right = rule.right(e.truth) if len(e.truth) and known.all() else None
    median, lower, upper = _at_the_end(e, answers)
    covered = (lower <= e.truth) & (e.truth <= upper)
    return _Ended(cell, e.met, right, median - e.truth, covered, known & np.isfinite(median))


def _at_the_end(e: Ends, answers: pd.DataFrame) -> Iterator[Array]:
    """The median and the ends of the interval of each study, at the look at which it ended."""
    rows = answers.set_index(["replicate", "look"]).reindex(pd.MultiIndex.from_arrays([e.replicate, e.look]))
    return (numbers(rows[column]) for column in ("median", "lower", "upper"))


def _mixtures(ended: Sequence[_Ended], weights: Weights) -> Iterator[tuple[dict[str, str | float], list[_Ended]]]:
    """Of every design, its cells of the scenarios with weights, and what to call them all."""
    designs: dict[tuple[Any, ...], dict[str, _Ended]] = {}
    for e in ended:
        design = tuple((k, v) for k, v in e.cell.labels.items() if k != "scenario")
        designs.setdefault(design, {})[str(e.cell.labels.get("scenario"))] = e
    called = ", ".join(f"{name} {w:g}" for name, w in weights.items())
    for design, of in designs.items():
        if weights and weights.keys() <= of.keys() and all(len(of[name].made) for name in weights):
            yield {"scenario": called, **dict(design)}, [of[name] for name in weights]


def _claim(decision: str, labels: dict[str, str | float], w: Sequence[float], group: Sequence[_Ended]) -> Claim:
    first = group[0].cell
    made, answered = [e.made for e in group], [e.answered for e in group]
    every = [np.ones(len(m), dtype=bool) for m in made]
    rights = [e.right for e in group if e.right is not None]
    true = None
    if len(rights) == len(group):
        true = among(w, made, rights, [e.certain for e in group])
    covered, missed = [e.covered for e in group], [e.miss for e in group]
    met = [m & a for m, a in zip(made, answered, strict=True)]
    return Claim(
        labels, decision, first.analysis.decisions[decision].estimand, first.patients,
        _over(w, group), among(w, every, made),
        group[0].certain if len(group) == 1 else None, true,
        None if true is None else opposite(true), mean_among(w, answered, missed), mean_among(w, met, missed),
        among(w, answered, covered), among(w, met, covered),
    )  # fmt: skip


def _over(w: Sequence[float], group: Sequence[_Ended]) -> str:
    """What truths were drawn from, in words; empty where there is one truth."""
    names = [str(e.cell.labels.get("scenario", POSTERIOR)) for e in group]
    if len(group) > 1:
        return f"the scenarios {listing([f'{name} ({share:g})' for name, share in zip(names, w, strict=True)])}"
    of = "the posterior of the fit" if names[0] == POSTERIOR else f"the scenario {names[0]}"
    return "" if group[0].cell.fixed else f"all that {of} holds possible"


def _extreme(decision: str, error: bool, group: Sequence[Claim]) -> Extreme:
    """The worst of several cells, and a limit that holds for all of them together."""
    level = CONFIDENCE ** (1 / len(group))
    worst = (max if error else min)(group, key=lambda c: c.made.value or 0.0)
    beyond = [_beyond(c.made, level, error) for c in group]
    limit = max(beyond) if error else min(beyond)
    return Extreme(decision, error, worst.labels, worst.made, len(group), limit)


def _beyond(r: Rate, level: float, upper: bool) -> float:
    """The exact one-sided limit of a share, upper or lower (Clopper and Pearson 1934)."""
    if upper:
        return 1.0 if r.met == r.of else float(stats.beta.ppf(level, r.met + 1, r.of - r.met))
    return 0.0 if r.met == 0 else float(stats.beta.ppf(1 - level, r.met, r.of - r.met + 1))
