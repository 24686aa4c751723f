"""The truths that scenarios state: every parameter a number, or a design prior from which each simulated cohort draws
its own.

A design prior is text of the prior language, in the units of the numbers of scenarios. It is cut off where no truth can
be: draws that are impossible, alone or together, are drawn again, all of them. Power over a design prior is assurance.
Design priors may be correlated (`together`): their normal scores are, a Gaussian copula.

References: O'Hagan, Stevens and Campbell (2005), https://doi.org/10.1002/pst.175; Nelsen (2006),
https://doi.org/10.1007/0-387-28678-0 (copulas).
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import islice
from typing import Any

import numpy as np
from scipy import special

from bayesmyo.components.priors import Prior
from bayesmyo.study.design import Scenario
from bayesmyo.study.parameters import LINEAR_ROLES, Parameter, inventory
from bayesmyo.study.predictors import CORRELATIONS, correlated, correlation_matrix
from bayesmyo.study.study import Study

Stated = Mapping[str, Mapping[str, float | str]]
Values = dict[str, dict[str, float]]
BEYOND = 0.005  # the share of a design prior that may be impossible, on either side
TRIES = 400


def stated_values(scenarios: Mapping[str, Scenario], name: str) -> dict[str, dict[str, float | str]]:
    """The values of a scenario as typed, with what it takes over by `like`."""
    scenario = scenarios[name]
    values = stated_values(scenarios, scenario.like) if scenario.like else {}
    return {o: {**values.get(o, {}), **scenario.values.get(o, {})} for o in {**values, **scenario.values}}


def design_priors(study: Study, name: str) -> dict[str, str]:
    """The design priors of a scenario: parameter -> text, `mrc.asymptote` -> `normal(4.4, 0.2)`; empty where all is
    fixed."""
    stated = stated_values(study.scenarios, name)
    return {f"{o}.{key}": v for o, values in stated.items() for key, v in values.items() if isinstance(v, str)}


def together(scenarios: Mapping[str, Scenario], name: str) -> dict[tuple[str, str], float]:
    """Correlations between the design priors of a scenario, with those that it takes over by `like`, of what is no
    number in it: two full names, in alphabetical order -> correlation.
    """
    scenario, stated = scenarios[name], stated_values(scenarios, name)
    pairs = together(scenarios, scenario.like) if scenario.like else {}
    pairs |= {(min(a, b), max(a, b)): r for a, listed in scenario.together.items() for b, r in listed.items()}
    drawn = {f"{o}.{key}" for o, values in stated.items() for key, v in values.items() if isinstance(v, str)}
    return {pair: r for pair, r in pairs.items() if {*pair} <= drawn}


def copula(pairs: Mapping[tuple[str, str], float]) -> tuple[list[str], np.ndarray]:
    """Names in alphabetical order, and the correlation matrix of their normal scores."""
    names = sorted({name for pair in pairs for name in pair})
    matrix = np.eye(len(names))
    for (a, b), r in pairs.items():
        i, j = names.index(a), names.index(b)
        matrix[i, j] = matrix[j, i] = r
    return names, matrix


def draw_stated(
    study: Study, stated: Stated, rng: np.random.Generator, pairs: Mapping[tuple[str, str], float] | None = None
) -> Values | None:
    """One truth of a scenario.

    Parameters
    ----------
    stated
        Outcome -> parameter -> a number, or the text of a design prior; in the units of scenarios.
    pairs
        Correlations between design priors (`together`).

    Returns
    -------
    dict or None
        The same with a number for each; None where TRIES draws were all impossible.
    """
    for values in islice(draws(stated, rng, pairs or {}), TRIES):
        if possible(study, values):
            return values
    return None


def draws(stated: Stated, rng: np.random.Generator, pairs: Mapping[tuple[str, str], float]) -> Iterator[Values]:
    """Truths without end, impossible ones among them; arguments as of `draw_stated`."""
    names, matrix = copula(pairs)
    factor = np.linalg.cholesky(matrix)
    while True:
        shares = dict(zip(names, special.ndtr(factor @ rng.standard_normal(len(names))), strict=True))
        yield {
            o: {k: number(v, rng, shares.get(f"{o}.{k}")) for k, v in listed.items()} for o, listed in stated.items()
        }


def number(value: float | str, rng: np.random.Generator, share: float | None = None) -> float:
    """A value as stated, or a draw from its design prior: that below which such a share of it lies, if one is given."""
    if not isinstance(value, str):
        return float(value)
    prior = _prior(value)
    return float(prior.draw(rng)) if share is None else prior.quantile(share)


@lru_cache(maxsize=1000)
def _prior(text: str) -> Prior:
    """A design prior, which is drawn from again and again."""
    return Prior.parse(text)


def possible(study: Study, values: Values) -> bool:
    """Whether values can be a truth, each alone and all together."""
    for outcome, listed in inventory(study).items():
        known = values.get(outcome, {})
        if any(impossible(p, known[name]) for name, p in listed.items() if name in known):
            return False
        if disordered(listed, known):
            return False
    return not contradictory(study, values)


def impossible(p: Parameter, value: float) -> str:
    """Why a parameter cannot have this value; empty where it can."""
    if p.role == "correlation" and not -1 < value < 1:
        return "must lie between -1 and 1"
    if p.support == "positive" and value <= 0:
        return "must be positive"
    if p.role in LINEAR_ROLES and p.link.multiplicative and value <= 0:
        return "must be a positive ratio (1 is no change)"
    if p.role == "level" and not p.link.anchored and not p.link.check_expected(value):
        return f"must be {p.link.expected()}"
    return ""


def uncertain(p: Parameter, text: str) -> tuple[str, str]:
    """(why a parameter cannot have this design prior, how to mend it); two empty texts where it can."""
    if "(" not in text:
        return "must be a number, or a design prior", 'such as "normal(1, 0.2)"'
    try:
        prior = Prior.parse(text)
    except ValueError as error:
        return str(error), ""
    for q, side in ((prior.quantile(BEYOND), "below"), (prior.quantile(1 - BEYOND), "above")):
        if what := impossible(p, q):
            why = f"is a design prior of what {what}, and {BEYOND:.1%} of it lies {side} {q:.4g}"
            return why, "narrow it: nearly all of it must be possible"
    return "", ""


def disordered(listed: Mapping[str, Parameter], values: Mapping[str, float]) -> list[float]:
    """The thresholds of an outcome where they do not increase."""
    thresholds = [values[key] for key, p in listed.items() if p.role == "threshold" and key in values]
    return thresholds if thresholds != sorted(set(thresholds)) else []


def contradictory(study: Study, values: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether no patients can be correlated as all correlations together say."""
    every = [e for block in correlated(study) for e in block.effects]
    if not every:
        return False

    def value(outcome: str, name: str) -> Any:
        return values.get(outcome, {}).get(name, 0.0) if outcome == CORRELATIONS else values[outcome][name]

    return bool(np.linalg.eigvalsh(correlation_matrix(study, every, value)).min() < 1e-6)
