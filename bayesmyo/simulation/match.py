"""The verb `match`: from what an abstract prints to the truths that could have printed it."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy import special, stats

from bayesmyo.components.numbers import listing, significant
from bayesmyo.errors import Fault, InputError, UsageError
from bayesmyo.model.printed import Printed, printed
from bayesmyo.model.unknowns import Unknowns
from bayesmyo.simulation.design_prior import design_prior
from bayesmyo.simulation.given import NO_DESIGN
from bayesmyo.simulation.rebuild import Found, Table
from bayesmyo.study.abstract import contradictions
from bayesmyo.study.study import Study

Array = np.ndarray
SIMULATIONS, FEWEST = 4000, 500
MASS = 0.9
FIXED, LEFT = 0.6, 0.9  # of a parameter's SD before, what is left of it: said by the abstract, and left to the prior
APART = 0.05  # between distribution functions, which is said
LEAST = 0.15  # correlation that is written down: less is noise of a thousand draws
HARDLY = 0.02  # how often what was printed is as far out in cohorts of the truths that fit
STEADY = 1e-3  # the least eigenvalue of the correlations that are written
NAME = "published"  # of the scenario


@dataclass(frozen=True)
class Range:
    """Median and 90 % interval, equal-tailed."""

    median: float
    lower: float
    upper: float


@dataclass(frozen=True)
class MatchedNumber:
    """One printed number beside what is printed of simulated cohorts.

    Attributes
    ----------
    name, words : str
        Its place under [published], and what it is.
    value : float
        As printed.
    before, rebuilt : Range
        What cohorts print under the priors, and under the truths that were rebuilt.
    tail : float
        How often those truths print a number as far out, on either side.
    """

    name: str
    words: str
    value: float
    before: Range
    rebuilt: Range
    tail: float


@dataclass(frozen=True)
class MatchedParameter:
    """One parameter of the truth, or of the design, in the unit of scenarios.

    Attributes
    ----------
    name : str
        `mrc.start`, or of the design `loss.hazard`.
    before, after : Range
        By the priors alone, and with the abstract.
    left : float
        Its SD after over that before, on the scale on which it is sampled: 1 where the abstract says nothing of it.
    prior : str
        The design prior that says the same by itself; its mean, where it has its prior together with others (thresholds,
        correlations of three effects or more); empty of the design.
    distance : float
        The largest difference between the distribution functions of the two.
    """

    name: str
    before: Range
    after: Range
    left: float
    prior: str
    distance: float


@dataclass(frozen=True, eq=False)
class Match:
    """What an abstract says of the truth.

    Attributes
    ----------
    source : str
        Of the abstract.
    simulated, kept : int
        Cohorts in all, and those of which the answer is made.
    numbers, parameters, design : tuple
        Printed numbers; parameters of the truth; and what it says of follow-up and loss.
    impossible : tuple of str
        What was printed and cannot be true, alone or together.
    draws : Array
        (draw, parameter) truths in the unit of scenarios, in the order of `parameters`.
    sentences : tuple of str
        All that a reader should repeat.
    scenario : str
        The truths as [scenarios.published], in TOML.
    """

    source: str
    simulated: int
    kept: int
    numbers: tuple[MatchedNumber, ...]
    parameters: tuple[MatchedParameter, ...]
    design: tuple[MatchedParameter, ...]
    impossible: tuple[str, ...]
    draws: Array
    sentences: tuple[str, ...]
    scenario: str

    def as_dict(self) -> dict[str, Any]:
        """As plain values, for JSON; without the draws."""
        return {k: v for k, v in asdict(self).items() if k != "draws"}


def match(
    study: Study, *, simulations: int = SIMULATIONS, seed: int = 1, progress: Callable[[int, int], None] | None = None
) -> Match:
    """Which truths could have printed an abstract: from [published] to a scenario.

    Truths are drawn from the study's priors, follow-up and loss around what the design says (by a factor, log-normal with
    SD 0.5); a cohort is simulated of each, and reduced to the numbers of the abstract with the paper's rounding. Those
    that print about what was printed, by regression moved to where they print just that, are the posterior over truths.

    Parameters
    ----------
    study : Study
        With [published] and a [design].
    simulations : int
        Cohorts, 500 at least.
    seed : int
        The same seed, the same answer.
    progress : callable, optional
        Called with (done, of).

    Returns
    -------
    Match
        `scenario` is [scenarios.published]; `sentences` say what the abstract fixes, what it leaves open, and what cannot be
        true together.

    Raises
    ------
    InputError, UsageError
        Before anything is simulated where there is no [published] or [design]; after it where no truth gives what was
        printed.

    References
    ----------
    Beaumont, Zhang and Balding (2002), https://doi.org/10.1093/genetics/162.4.2025; Blum and Francois (2010),
    https://doi.org/10.1007/s11222-009-9116-0; Sisson, Fan and Beaumont (2018), https://doi.org/10.1201/9781315117195.

    Examples
    --------
    >>> match = bayesmyo.match(bayesmyo.find_study("ivig"))  # doctest: +SKIP
    >>> print(*match.sentences, sep="\\n")  # doctest: +SKIP
    """
    checked(study, simulations)
    assert study.published is not None
    numbers = printed(study)
    table = Table(study, np.random.default_rng(seed), simulations, progress or _silent)
    rebuilt = table.given(np.array([p.value for p in numbers]))
    again, count = table.printed_again(rebuilt.draws), len(table.unknowns.parameters)
    said = tuple(
        MatchedNumber(p.name, p.words, p.value, _range(table.numbers[:, k]), _range(again[:, k]), _tail(again[:, k], p))
        for k, p in enumerate(numbers)
    )
    every = tuple(_parameters(table, rebuilt))
    impossible = (*contradictions(study.published), *_apart(said))
    return Match(
        study.published.source, table.simulated, rebuilt.kept, said, every[:count], every[count:], impossible,
        table.unknowns.stated(rebuilt.draws)[:, :count], tuple(_sentences(every)),
        _scenario(table.unknowns, every[:count], rebuilt.draws[:, :count]),
    )  # fmt: skip


def checked(study: Study, simulations: int = SIMULATIONS) -> None:
    """Raises InputError where the study says too little, UsageError for too few simulations."""
    faults = []
    if study.published is None:
        mend = "write what an abstract prints: source, patients, follow_up, lost, numbers, responders"
        faults.append(Fault("study", "has no [published]: there is nothing to match", mend=mend))
    if study.design is None:
        faults.append(NO_DESIGN)
    if faults:
        raise InputError("match", faults)
    if simulations < FEWEST:
        raise UsageError("--simulations", f"must be at least {FEWEST}", str(simulations))


def _silent(done: int, of: int) -> None:
    """Nobody watches."""


def _range(values: Array) -> Range:
    tail = (1 - MASS) / 2
    return Range(*(float(np.quantile(values, q)) for q in (0.5, tail, 1 - tail)))


def _parameters(table: Table, rebuilt: Found) -> Iterator[MatchedParameter]:
    """Every unknown before and after, those of the design last."""
    before, after = table.unknowns.stated(table.vectors), table.unknowns.stated(rebuilt.draws)
    left = rebuilt.draws.std(axis=0) / table.vectors.std(axis=0)
    parameters = table.unknowns.parameters
    for k, name in enumerate(table.unknowns.names):
        prior, distance = "", 0.0
        if k < len(parameters) and parameters[k].own is not None:
            prior, distance = design_prior(parameters[k], after[:, k])
        elif k < len(parameters):  # of a joint prior
            prior = f"{after[:, k].mean():.3g}"
        yield MatchedParameter(name, _range(before[:, k]), _range(after[:, k]), float(left[k]), prior, distance)


def _tail(again: Array, p: Printed) -> float:
    return float(min(1.0, 2 * min(np.mean(again <= p.value), np.mean(again >= p.value))))


def _apart(numbers: Sequence[MatchedNumber]) -> Iterator[str]:
    """Printed numbers that the truths that fit them all hardly ever print."""
    bad = [p for p in numbers if p.tail < HARDLY]
    if bad:
        said = listing([f"{p.words}: {p.value:g}, where they print {_said(p.rebuilt)}" for p in bad])
        yield f"Together, the numbers can hardly be true: even the truths that fit best do not print {said}."


def _said(r: Range) -> str:
    return f"{significant(r.lower)} to {significant(r.upper)}"


def _sentences(parameters: Sequence[MatchedParameter]) -> Iterator[str]:
    fixed = [p for p in parameters if p.left < FIXED]
    open_ = [p for p in parameters if p.left > LEFT]
    partly = [p for p in parameters if FIXED <= p.left <= LEFT]
    yield f"The abstract fixes {_named(fixed)}." if fixed else "The abstract fixes no parameter by itself."
    if partly:
        yield f"It narrows {_named(partly)}."
    if open_:
        yield f"It leaves to the prior {_named(open_)}: what is planned with these hangs on the study's priors."
    if joint := [p for p in parameters if _joint(p)]:
        yield f"The scenario states one number, the mean, for each of {_named(joint)}, which are only possible together."
    if rough := [f"{p.name} ({p.distance:.2f})" for p in parameters if p.distance > APART]:
        yield (
            f"Its design priors are only roughly what was found (largest difference of the distribution function): {listing(rough)}."
        )


def _joint(p: MatchedParameter) -> bool:
    """Whether its prior is one together with others."""
    return bool(p.prior) and "(" not in p.prior


def _named(parameters: Sequence[MatchedParameter]) -> str:
    """Parameters by name; of those that have their prior together how many there are."""
    joint = sum(map(_joint, parameters))
    names = [p.name for p in parameters if not _joint(p)]
    return listing([*names, *([f"{joint} correlation{'s' if joint > 1 else ''} or thresholds"] if joint else [])])


def _scenario(unknowns: Unknowns, parameters: Sequence[MatchedParameter], draws: Array) -> str:
    """The truths as a scenario: a design prior for each parameter, and the correlations of their normal scores."""
    source = json.dumps(f"rebuilt from what was printed: {_source(unknowns.study)}", ensure_ascii=False)
    values: dict[str, dict[str, str]] = {}
    stated = {p.name: f'"{p.prior}"' if "(" in p.prior else p.prior for p in parameters}
    for full_name, text in {**stated, **_constants(unknowns)}.items():
        outcome, _, name = full_name.partition(".")
        values.setdefault(outcome, {})[name] = text
    tables = {f"scenarios.{NAME}": {"title": source}}
    tables |= {f"scenarios.{NAME}.{outcome}": listed for outcome, listed in values.items()}
    drawn = [k for k, p in enumerate(parameters) if "(" in p.prior]
    tables[f"scenarios.{NAME}.together"] = _together([parameters[k].name for k in drawn], draws[:, drawn])
    blocks = ["\n".join([f"[{name}]", *(f"{k} = {v}" for k, v in of.items())]) for name, of in tables.items() if of]
    return "\n\n".join(blocks) + "\n"


def _source(study: Study) -> str:
    assert study.published is not None
    return study.published.source


def _constants(unknowns: Unknowns) -> dict[str, str]:
    """What the study holds as known, which a scenario states too."""
    return {p.full_name: f"{float(p.in_scenario(value)):.6g}" for p, value in unknowns.constants}


def _together(names: Sequence[str], draws: Array) -> dict[str, str]:
    """Correlations of normal scores as they are written, but those that are noise."""
    scores = special.ndtri((stats.rankdata(draws, axis=0) - 0.5) / len(draws))
    matrix = np.corrcoef(scores, rowvar=False).reshape(len(names), -1)
    matrix = np.where(np.abs(matrix) < LEAST, 0.0, np.round(matrix, 2))
    while np.linalg.eigvalsh(matrix).min() < STEADY:  # what was left out, or rounded
        matrix = np.round(0.95 * matrix + 0.05 * np.eye(len(names)), 4)
    said: dict[str, str] = {}
    for i, name in enumerate(names):
        pairs = [f'"{names[j]}" = {matrix[i, j]:.4g}' for j in range(i + 1, len(names)) if matrix[i, j]]
        said |= {f'"{name}"': f"{{ {', '.join(pairs)} }}"} if pairs else {}
    return said
