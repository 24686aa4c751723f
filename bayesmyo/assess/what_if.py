"""What is asked about those who left, and draws of everything that a study asks by one amount.

Amounts are handled as x, (level of the group,), in units: one for all outcomes where numbers were asked for, else a
usual difference between patients of each.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np

from bayesmyo.assess.estimate import tails
from bayesmyo.assess.responses import NONE, Levels, assigned
from bayesmyo.cohort.cohort import Exits
from bayesmyo.components.courses import COURSES, Course
from bayesmyo.components.estimands import Estimand
from bayesmyo.components.numbers import listing, significant
from bayesmyo.components.priors import Prior
from bayesmyo.errors import UsageError, did_you_mean
from bayesmyo.inference.fit import Fit
from bayesmyo.model.leaving import Events, Left, left, same_reasons
from bayesmyo.model.left import Departed
from bayesmyo.seeds import PREDICT, address
from bayesmyo.study.covariates import used
from bayesmyo.study.study import Study

Array = np.ndarray
STEPS = 50  # amounts of one group; of each of two groups
STEPS_OF_TWO = 7
DEATH = {"died", "dead", "death", "deceased"}
LEAVERS, DRAWN = 1, 2  # addresses of random numbers


def exits_of(fit: Fit) -> Exits:
    """When and why follow-up ended. Raises UsageError where a fit does not know, or nobody left."""
    exits = fit.cohort.exits
    if exits is None:
        mend = "declare the columns exit and reason in study.time, and fit again"
        raise UsageError("fit", "says of nobody when follow-up ended, and why", mend=mend)
    if not any(exits.reason):
        raise UsageError("fit", "has no patient who left for a stated reason")
    return exits


class WhatIf:
    """One question about those who left, whose arguments go together. Raises UsageError where they do not."""

    def __init__(
        self, fit: Fit, course: str, by: Sequence[float] | None, reasons: Sequence[str], outcomes: Sequence[str] | None,
        group: str | None, prior: str | None, hazard: str | None, steps: int | None,
    ):  # fmt: skip
        self.fit, self.study = fit, fit.study
        exits = exits_of(fit)
        self.course = _course(course)
        self.reasons = _reasons(self.study, exits, self.course, reasons)
        self.outcomes = _outcomes(self.study, outcomes)
        self.group = _group(self.study, self.course, group)
        self.levels: tuple[str, ...] = self.study.covariates[self.group].levels or () if self.group else ()
        self.prior = _prior(self.course, prior, by)
        self.by = _amounts(self.course, by)
        self.units = self._units(by is not None or prior is not None)
        self.asked = {n: e for n, e in self.study.estimands.items() if self._concerns(e)}
        self._something()
        self.groups = levels = max(1, len(self.levels))
        self.rate = _hazard(hazard)
        self.left = self._left(exits)
        self.departed = Departed(fit.prediction, self.left, self.course, self.group, {})
        self.steps = steps or (STEPS_OF_TWO if levels == 2 else STEPS)

    def _left(self, exits: Exits) -> Left:
        """Who left, and the hazard of new patients: of the events that are exits for these reasons, where there are
        such and no prior of a hazard is stated, else of the counts.
        """
        fit, group = self.fit, self.group
        position = fit.cohort.covariates[group].astype(int) if group else np.zeros(len(fit.cohort), dtype=int)
        rng = np.random.default_rng(address(fit.seed, PREDICT, 0, 0, LEAVERS))
        counted = left(exits, self.reasons, position, self.groups, fit.truth.shape, rng, self.rate)
        events = () if self.rate else same_reasons(self.study, exits, self.reasons)
        if not events:
            return counted
        times = [t for e in self.asked.values() for t in e.times()] + [r.at for r in self.study.responses.values()]
        until = max((t for t in times if t > 0), default=1.0)
        return replace(counted, hazard=Events(self.study, events, fit.truth, until))

    @property
    def leaving(self) -> str:
        """How a new patient leaves, in words; "" where everything is asked of these patients."""
        if all(e.population == "these patients" for e in self.asked.values()):
            return ""
        hazard = self.left.hazard
        if hazard.fitted:
            kinds = listing([self.study.events[name].hazard.kind for name in hazard.fitted])
            said = f"by the {kinds} hazard of {listing(hazard.fitted)}, as it was fitted"
            return f"{said}, jointly with the own course" if hazard.names else said
        each = f" in each {self.study.covariates[self.group].label or self.group}" if self.group else ""
        how = f"prior {self.rate}" if self.rate else "Jeffreys' prior"
        time = float(np.maximum(self.left.time, 0.0).sum())
        left = int(self.left.who.sum())
        counts = f"{left} {'exit' if left == 1 else 'exits'} in {significant(time)} {self.study.time.unit}s"
        return f"by a constant hazard{each}, from {counts} ({how})"

    def _something(self) -> None:
        if self.asked or self.study.responses:
            return
        if self.course.fails:
            what = "is for shares of patients and responses, of which the study has none"
            raise UsageError("course", what, f'"{self.course.kind}"')
        raise UsageError("outcomes", "have no estimand", ", ".join(self.outcomes))

    def _units(self, stated: bool) -> dict[str, float]:
        """What an amount of one is in each outcome, on the link scale."""
        if not stated or not self.course.amount:
            return {o: self.course.unit(self.study.scale(o)) for o in self.outcomes}
        kinds = {(self.study.outcomes[o].unit, self.study.outcomes[o].family.link_name) for o in self.outcomes}
        if len(kinds) > 1 and self.course.benefit:
            what = "is in the unit of one outcome, and several have different ones"
            raise UsageError(
                "by" if self.prior is None else "prior", what, ", ".join(self.outcomes), "name one in outcomes"
            )
        return dict.fromkeys(self.outcomes, 1.0)

    def _concerns(self, e: Estimand) -> bool:
        # a share that asks to be free of events has said what becomes of those who left
        return (
            not e.events
            and bool({*e.outcomes} & {*self.outcomes})
            and not (self.course.fails and e.amount_of is not None)
        )

    def values(self) -> list[float]:
        """Amounts of one group that are looked at; zero alone where the course takes none, or has a prior of it."""
        if self.prior is not None or not self.course.amount:
            return [0.0]
        if self.by is not None:
            return self.by
        return [float(v) for v in np.linspace(0.0, self.course.farthest, self.steps)]

    def grid(self) -> list[Array]:
        """The same of all groups together."""
        return [np.array(x) for x in product(self.values(), repeat=self.groups)]

    def drawn(self) -> Array:
        """(chain, draw, level) amounts of the prior; nothing, where the course takes none."""
        if self.prior is None:
            return np.zeros(self.groups)
        rng = np.random.default_rng(address(self.fit.seed, PREDICT, 0, 0, DRAWN))
        return self.prior.draw(rng, (*self.fit.truth.shape, self.groups))

    def draws(self, x: Array, moved: bool | None = None) -> "Draws":
        """Draws by one amount, not held; moved: whether the course is another, by default where x is not zero."""
        moved = bool(np.any(x != 0)) if moved is None else moved
        amounts = {o: unit * x for o, unit in self.units.items()} if moved else {}
        return Draws(self, self.departed.by(amounts), moved)

    def seen(self, x: Array) -> "Draws":
        """Draws by one amount, of which nothing is computed twice."""
        return self._seen.setdefault(tuple(x), self.draws(x))

    @cached_property
    def _seen(self) -> dict[tuple[float, ...], "Draws"]:
        return {}

    def unit(self, outcomes: Sequence[str]) -> float | None:
        """What an amount of one is in all of these outcomes that move; None where it differs."""
        units = {self.units[o] for o in outcomes if o in self.units}
        return units.pop() if len(units) == 1 else None

    def told(self, x: Array | None, outcomes: Sequence[str]) -> tuple[float | None, float | None]:
        """An amount on the link scale and in declared spreads, of outcomes together."""
        if x is None or not self.course.amount or np.ptp(x):
            return None, None
        unit, stated = self.unit(outcomes), self.by is not None or not self.course.benefit
        return None if unit is None else float(x[0] * unit) + 0.0, None if stated else float(x[0])


class Draws:
    """Draws of everything that is asked, by one amount; each is computed when it is asked for."""

    def __init__(self, asked: WhatIf, prediction: Departed, moved: bool):
        self.asked, self.prediction, self.moved = asked, prediction, moved
        self._known: dict[str, Array] = {}

    def of(self, name: str) -> Array:
        if name not in self._known:
            e = self.asked.asked[name]
            self._known[name] = e.of(self.prediction) if self.moved else self.asked.fit.estimands[name]
        return self._known[name]

    def conclusion(self, kind: str, name: str) -> str:
        """What is concluded, in words; "" where nothing is."""
        study = self.asked.study
        if kind == "decision":
            decision = study.decisions[name]
            return "met" if decision.judge(self.of(decision.estimand)).met else "not met"
        e = self.asked.asked[name]
        p, tail = self._probability(name), (1 - study.interval) / 2
        if p is None or tail < p < 1 - tail:
            return ""
        direction, threshold = e.threshold(study.outcomes[e.outcomes[0]].better) or ("", 0.0)
        side = direction if p >= 1 - tail else {"above": "not above", "below": "not below"}[direction]
        return f"{side} {significant(threshold)}"

    def _probability(self, name: str) -> float | None:
        e, draws = self.asked.asked[name], self.of(name)
        stated = e.threshold(self.asked.study.outcomes[e.outcomes[0]].better)
        if stated is None:
            return None
        return float((draws > stated[1]).mean() if stated[0] == "above" else (draws < stated[1]).mean())

    def numbers(self) -> list[tuple[str, str, tuple[str, ...], dict[str, Any]]]:
        """(kind, name, outcomes, numbers) of all that is asked."""
        study = self.asked.study
        rows: list[tuple[str, str, tuple[str, ...], dict[str, Any]]] = []
        for name, e in self.asked.asked.items():
            rows.append(
                (
                    "estimand",
                    name,
                    e.outcomes,
                    {**_summary(self.of(name), study), "probability": self._probability(name)},
                )
            )
        for name, decision in study.decisions.items():
            if decision.estimand in self.asked.asked:
                v = decision.judge(self.of(decision.estimand))
                outcomes = self.asked.asked[decision.estimand].outcomes
                rows.append(("decision", name, outcomes, {"probability": v.probability, "met": v.met}))
        levels: Levels = {}
        prediction = self.prediction if self.moved else self.asked.fit.prediction
        for rule, r in study.responses.items():
            position = assigned(self.asked.fit, r, prediction, levels)
            names = [*r.categories] + [NONE] * bool([*r.categories.values()][-1])
            for k, category in enumerate(names):
                counts = (position == k).sum(axis=-1)
                rows.append(("response", f"{rule}: {category}", r.outcomes, _summary(counts, study)))
        return rows


def _summary(draws: Array, study: Study) -> dict[str, float]:
    lower, median, upper = (float(q) for q in np.quantile(draws, tails(study)))
    return {"median": median, "lower": lower, "upper": upper, "mean": float(draws.mean())}


def _course(word: str) -> Course:
    words = {c.kind: c for c in COURSES}
    if word not in words:
        raise UsageError("course", "is not one of its words", f'"{word}"', did_you_mean(str(word), [*words]))
    return words[word]()


def is_death(study: Study, reason: str) -> bool:
    """Whether a reason names a death, after which there is no course, or is declared as one."""
    declared = any(reason in e.reasons for e in study.events.values() if e.terminal)
    return declared or bool({*re.findall(r"[a-z]+", reason.lower())} & DEATH)


def _reasons(study: Study, exits: Exits, course: Course, asked: Sequence[str]) -> tuple[str, ...]:
    known = tuple(dict.fromkeys(r for r in exits.reason if r))
    for reason in asked:
        if reason not in known:
            raise UsageError("reasons", "nobody left for it", f'"{reason}"', did_you_mean(str(reason), known))
        if is_death(study, reason) and not course.fails:
            what = "after a death there is no course"
            raise UsageError("reasons", what, f'"{reason}"', 'ask the course "never", which counts it as a failure')
    possible = tuple(r for r in known if course.fails or not is_death(study, r))
    if not asked and len(possible) != 1:
        what = "patients left for several" if possible else "are deaths, after which there is no course"
        raise UsageError("reasons", what, mend=f"name those to look at: {', '.join(possible or known)}")
    return tuple(asked) or possible


def _outcomes(study: Study, asked: Sequence[str] | None) -> tuple[str, ...]:
    for outcome in asked or ():
        if outcome not in study.outcomes:
            raise UsageError(
                "outcomes",
                "is not an outcome of this study",
                f'"{outcome}"',
                did_you_mean(str(outcome), [*study.outcomes]),
            )
    return tuple(asked or study.outcomes)


def _group(study: Study, course: Course, group: str | None) -> str:
    grouping = [n for n in used(study, "patients") if study.covariates[n].levels and not study.covariates[n].group]
    if not group:
        if course.compares:
            what = f'the course "{course.kind}" needs a covariate of treatment, whose first level is the reference'
            mend = f"name it: {', '.join(grouping)}" if grouping else "the study declares none with levels"
            raise UsageError("group", what, mend=mend)
        return ""
    if group not in grouping:
        raise UsageError(
            "group", "is not a covariate of patients with levels", f'"{group}"', did_you_mean(str(group), grouping)
        )
    if course.amount and len(study.covariates[group].levels or ()) > 2:
        raise UsageError("group", "has more than two levels: their amounts make no grid", f'"{group}"')
    return group


def _prior(course: Course, prior: str | None, by: Sequence[float] | None) -> Prior | None:
    if prior is None:
        return None
    if not course.amount or by is not None:
        what = "takes the place of amounts" if course.amount else f'the course "{course.kind}" has no amount'
        raise UsageError("prior", what, f'"{prior}"', "leave one of them out" if course.amount else "leave it out")
    return _parsed("prior", prior)


def _parsed(where: str, prior: str) -> Prior:
    try:
        return Prior.parse(prior)
    except ValueError as error:
        raise UsageError(where, "cannot be understood", f'"{prior}"', str(error)) from None


def _hazard(prior: str | None) -> Prior | None:
    """A prior of the hazard; a rate is positive."""
    if prior is None:
        return None
    rate = _parsed("hazard", prior)
    if rate.constant or not rate.fits("positive"):
        raise UsageError(
            "hazard", "is a rate: its prior is of a positive number", f'"{prior}"', 'such as "lognormal(-4.6, 1)"'
        )
    return rate


def _amounts(course: Course, by: Sequence[float] | None) -> list[float] | None:
    if by is None:
        return None
    if not course.amount:
        raise UsageError("by", f'the course "{course.kind}" has no amount', mend="leave it out")
    values = [float(v) for v in np.atleast_1d(np.asarray(by, dtype=float))]
    if not values or not np.all(np.isfinite(values)):
        raise UsageError("by", "must be finite numbers, at least one")
    return values


__all__ = ["Draws", "WhatIf", "exits_of", "is_death"]
