"""What if those who left fared worse: every estimand, decision and response where their course is another after exit.

A fit takes it that who left would have gone on as their own measurements and patients like them say (missing at
random). No data can tell. So the course after the exit is replaced by another, over a range of amounts, and the tipping
point is the least amount at which a conclusion changes.

References: Carpenter, Roger and Kenward (2013), https://doi.org/10.1080/10543406.2013.834911; ICH E9(R1) (2019); on
tipping points Yan, Lee and Li (2009), https://doi.org/10.1080/10543400903243025.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import pairwise, product
from typing import Any

import numpy as np
import pandas as pd

from bayesmyo.assess.estimate import tails
from bayesmyo.assess.responses import NONE, Levels, assigned
from bayesmyo.cohort.cohort import Exits
from bayesmyo.components.courses import COURSES, Course
from bayesmyo.components.estimands import Estimand
from bayesmyo.components.numbers import listing, significant
from bayesmyo.components.priors import Prior
from bayesmyo.errors import UsageError, did_you_mean
from bayesmyo.inference.fit import Fit, known_fit
from bayesmyo.model.left import Departed, left
from bayesmyo.seeds import PREDICT, address
from bayesmyo.study.covariates import used
from bayesmyo.study.study import Study

Array = np.ndarray
STEPS = 50  # amounts of one group; of each of two groups
STEPS_OF_TWO = 7
HALVINGS = 12  # between two of the amounts
OWN = "own"  # the course of who left, as a fit takes it
LEAVERS, DRAWN = 1, 2  # addresses of random numbers


@dataclass(frozen=True)
class Row:
    """One number by one amount.

    Attributes
    ----------
    course : str
        After the exit; "own" where it is the own, as a fit takes it.
    d, spreads : float, optional
        The amount, in the outcome's unit on the link scale, negative where it is worse (of a return the share of the
        way); and the same in declared spreads between patients, where no numbers were asked for. None where there is
        none, or not one for all outcomes of the row.
    by_group : dict of str to float
        The amount of each group, where each has one.
    kind, name : str
        "estimand", "decision" or "response", and its name; of a response the rule and the category.
    median, lower, upper, mean : float, optional
        Of the estimand, or of the count of patients with the category.
    probability, met : optional
        The probability beside the estimand, or of the decision's rule, and whether that is met.
    """

    course: str
    d: float | None
    spreads: float | None
    by_group: dict[str, float]
    kind: str
    name: str
    median: float | None = None
    lower: float | None = None
    upper: float | None = None
    mean: float | None = None
    probability: float | None = None
    met: bool | None = None


@dataclass(frozen=True)
class TippingPoint:
    """The least amount at which a conclusion changes.

    Attributes
    ----------
    kind, name : str
        "decision" or "estimand"; an estimand concludes where its interval lies on one side of its threshold.
    group : str
        The group whose leavers alone fare otherwise; "" for all.
    d, spreads : float, optional
        As in `Row`; None where no amount that was looked at changes it.
    left : int
        Of these patients, how many had left for the reasons asked about before the latest time it looks at.
    before, after : str
        The conclusion as the fit has it, and beyond the tipping point.
    """

    kind: str
    name: str
    estimand: str
    outcomes: tuple[str, ...]
    group: str
    d: float | None
    spreads: float | None
    left: int
    before: str
    after: str
    sentence: str
    withheld: bool = False


@dataclass(frozen=True)
class Tip:
    """What would change the answer, if those who left fared worse.

    Attributes
    ----------
    course, amount : str
        What became of those who left, and what its amount is called; "" where it takes none.
    reasons : tuple of str
        For which they left.
    left, patients : int
        How many did, of how many.
    prior : str
        Of the amount, where it has one.
    rows : tuple of Row
        Every number by every amount.
    points : tuple of TippingPoint
        Of every decision, and of every estimand that concludes.
    """

    course: str
    amount: str
    reasons: tuple[str, ...]
    left: int
    patients: int
    prior: str
    rows: tuple[Row, ...]
    points: tuple[TippingPoint, ...]

    def table(self) -> pd.DataFrame:
        """One row for each number by each amount."""
        return pd.DataFrame([_flat(r) for r in self.rows])

    def tipping_points(self) -> pd.DataFrame:
        """One row for each decision, and each estimand that concludes."""
        return pd.DataFrame([asdict(p) for p in self.points])


def tip(
    fit: Fit,
    course: str = "shift",
    by: Sequence[float] | None = None,
    reasons: Sequence[str] = (),
    outcomes: Sequence[str] | None = None,
    group: str | None = None,
    prior: str | None = None,
    hazard: str | None = None,
    steps: int | None = None,
) -> Tip:
    """What would change the answer, if those who left fared worse than patients like them.

    No refit, and no new draws: everything is a function of the fit.

    Parameters
    ----------
    fit : Fit
        With its patients, and exits with reasons.
    course : str
        "shift", "drift", "return", "stay", "reference", "copy increments" or "never".
    by : sequence of float, optional
        Amounts, in the unit of the one outcome on the link scale: -0.7 of a log-normal outcome for which lower is
        better doubles it. By default up to three declared spreads between patients, of every outcome at once; of a
        return all the way.
    reasons : sequence of str
        Of exits; may be left out where there is one.
    outcomes : sequence of str, optional
        Which outcomes follow another course after the exit (default: all).
    group : str, optional
        A covariate of patients with levels, the reference first: each has its own hazard and, of two, its own amount.
        The courses "reference" and "copy increments" need it.
    prior : str, optional
        In place of `by`, a prior of the amount, from which each draw has its own: one posterior.
    hazard : str, optional
        A prior of the rate per unit of time at which patients leave, on which populations depend (default: Jeffreys').
    steps : int, optional
        How many amounts are looked at, where `by` does not name them.

    Returns
    -------
    Tip
        Every number by every amount, and the tipping points, each with a sentence.

    Raises
    ------
    UsageError
        Where no exits are known, nobody left for the reasons, or arguments do not go together.
    StorageError
        For a shared copy, which has no patients.

    References
    ----------
    Carpenter, Roger and Kenward (2013), https://doi.org/10.1080/10543406.2013.834911.

    Examples
    --------
    >>> bayesmyo.tip(fit, "never")
    Traceback (most recent call last):
    ...
    bayesmyo.errors.UsageError: fit: says of nobody when follow-up ended, and why; declare the columns in study.time ...
    """
    known_fit(fit)
    return _Asked(fit, course, by, reasons, outcomes, group, prior, hazard, steps).answer()


def exits_of(fit: Fit) -> Exits:
    """When and why follow-up ended. Raises UsageError where a fit does not know, or nobody left."""
    exits = fit.cohort.exits
    if exits is None:
        mend = "declare the columns in study.time: exit and reason, and fit again"
        raise UsageError("fit", "says of nobody when follow-up ended, and why", mend=mend)
    if not any(exits.reason):
        raise UsageError("fit", "has no patient who left for a stated reason")
    return exits


class _Asked:
    """One question, and what it takes to answer it."""

    def __init__(
        self, fit: Fit, course: str, by: Sequence[float] | None, reasons: Sequence[str], outcomes: Sequence[str] | None,
        group: str | None, prior: str | None, hazard: str | None, steps: int | None,
    ):  # fmt: skip
        self.fit, self.study = fit, fit.study
        exits = exits_of(fit)
        self.course = _course(course)
        self.reasons = _reasons(exits, reasons)
        self.outcomes = _outcomes(self.study, outcomes)
        self.group = _group(self.study, self.course, group)
        self.levels: tuple[str, ...] = self.study.covariates[self.group].levels or () if self.group else ()
        self.prior = _prior(self.course, prior, by)
        self.by = _amounts(self.course, by)
        self.units = self._units(by is not None or prior is not None)
        self.asked = {n: e for n, e in self.study.estimands.items() if self._concerns(e)}
        if not self.asked and not self.study.responses:
            what = (
                "is for shares of patients and responses, of which the study has none"
                if self.course.fails
                else "asks nothing of them"
            )
            raise UsageError(
                "course" if self.course.fails else "outcomes", what, f'"{course}"' if self.course.fails else ""
            )
        levels = max(1, len(self.levels))
        position = fit.cohort.covariates[self.group].astype(int) if self.group else np.zeros(len(fit.cohort), dtype=int)
        rng = np.random.default_rng(address(fit.seed, PREDICT, 0, 0, LEAVERS))
        rate = _hazard(hazard)
        self.left = left(exits, self.reasons, position, levels, fit.truth.shape, rng, rate)
        self.departed = Departed(fit.prediction, self.left, self.course, self.group, {})
        self.steps = steps or (STEPS_OF_TWO if levels == 2 else STEPS)

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
        return bool({*e.outcomes} & {*self.outcomes}) and not (self.course.fails and e.amount_of is not None)

    # amounts are handled as x, (level,), in `units`

    def answer(self) -> Tip:
        grid = [np.zeros(max(1, len(self.levels)))] if self.prior or not self.course.amount else self._grid()
        rows = [r for x in grid for r in self.rows(x, self._seen(x), self.course.kind if self.course.amount else OWN)]
        if self.prior is not None or not self.course.amount:
            x = self._drawn() if self.prior is not None else grid[0]
            draws, label = self.draws(x, moved=True), self.course.kind
            rows += self.rows(None, draws, label)
            points = self._whether(draws)
        else:
            points = self._points()
        return Tip(
            self.course.kind, self.course.amount, self.reasons, int(self.left.who.sum()), len(self.fit.cohort),
            str(self.prior or ""), tuple(rows), tuple(points),
        )  # fmt: skip

    def _values(self) -> list[float]:
        if self.by is not None:
            return self.by
        return [float(v) for v in np.linspace(0.0, self.course.farthest, self.steps)]

    def _grid(self) -> list[Array]:
        n = max(1, len(self.levels))
        return [np.array(x) for x in product(self._values(), repeat=n)]

    def _drawn(self) -> Array:
        """(chain, draw, level) amounts of the prior."""
        assert self.prior is not None
        rng = np.random.default_rng(address(self.fit.seed, PREDICT, 0, 0, DRAWN))
        return self.prior.draw(rng, (*self.fit.truth.shape, max(1, len(self.levels))))

    def draws(self, x: Array, moved: bool | None = None) -> "_Draws":
        """Draws of everything that is asked; moved: whether the course is another, by default where an amount is not
        zero."""
        moved = bool(np.any(x != 0)) if moved is None else moved
        amounts = {o: unit * x for o, unit in self.units.items()} if moved else {}
        return _Draws(self, self.departed.by(amounts), moved)

    def rows(self, x: Array | None, draws: "_Draws", course: str) -> list[Row]:
        rows = []
        for kind, name, outcomes, numbers in draws.numbers():
            rows.append(Row(course, *self._told(x, outcomes), self._by_group(x, outcomes), kind, name, **numbers))
        return rows

    def _told(self, x: Array | None, outcomes: Sequence[str]) -> tuple[float | None, float | None]:
        """The amount on the link scale and in declared spreads, of outcomes together."""
        if x is None or not self.course.amount or np.ptp(x):
            return None, None
        units = {self.units[o] for o in outcomes if o in self.units}
        stated = self.by is not None or not self.course.benefit
        return float(x[0] * units.pop()) + 0.0 if len(units) == 1 else None, None if stated else float(x[0])

    def _by_group(self, x: Array | None, outcomes: Sequence[str]) -> dict[str, float]:
        units = {self.units[o] for o in outcomes if o in self.units}
        if x is None or not self.levels or not self.course.amount:
            return {}
        factor = units.pop() if len(units) == 1 else 1.0
        return {level: float(v * factor) for level, v in zip(self.levels, x, strict=True)}

    # tipping points

    def conclusions(self) -> list[tuple[str, str, str]]:
        """(kind, name, estimand) of what concludes."""
        asked = [("decision", n, d.estimand) for n, d in self.study.decisions.items() if d.estimand in self.asked]
        return asked + [("estimand", n, n) for n in self.asked]

    def _points(self) -> list[TippingPoint]:
        n = max(1, len(self.levels))
        start = self.draws(np.zeros(n))
        points = []
        for group, direction in zip(self.levels or ("",), np.eye(n), strict=True):
            sides = self._sides()
            for kind, name, estimand in self.conclusions():
                before = start.conclusion(kind, name)
                if not before:
                    continue
                tipped = [t for side in sides if (t := self._flip(kind, name, before, side, direction))]
                x, after = min(tipped, key=lambda t: abs(t[0])) if tipped else (None, before)
                points.append(self._point(kind, name, estimand, group, direction, x, before, after))
        return points

    def _sides(self) -> list[list[float]]:
        """Amounts from zero outwards, to either side."""
        values = sorted({0.0, *self._values()}, key=abs)
        return [s for s in ([v for v in values if v <= 0], [v for v in values if v >= 0]) if len(s) > 1]

    def _flip(
        self, kind: str, name: str, before: str, side: Sequence[float], direction: Array
    ) -> tuple[float, str] | None:
        """The least amount on one side by which a conclusion changes, and to what: by halving between two amounts."""

        def at(x: float) -> str:
            return self._seen(x * direction).conclusion(kind, name)

        for low, high in pairwise(side):
            if at(high) == before:
                continue
            for _ in range(HALVINGS):
                middle = (low + high) / 2
                low, high = (middle, high) if at(middle) == before else (low, middle)
            return high, at(high)
        return None

    def _seen(self, x: Array) -> "_Draws":
        key = tuple(x)
        if key not in self._kept:
            self._kept[key] = self.draws(x)
        return self._kept[key]

    @cached_property
    def _kept(self) -> dict[tuple[float, ...], "_Draws"]:
        return {}

    def _point(
        self, kind: str, name: str, estimand: str, group: str, direction: Array, x: float | None, before: str, after: str
    ) -> TippingPoint:  # fmt: skip
        e = self.study.estimands[estimand]
        gone, who = self._who(e, group)
        d, spreads = (None, None) if x is None else self._told(np.array([x]), e.outcomes)
        if gone == 0 and e.population == "these patients":
            text = f"{name}: {who}, so nothing about them changes the conclusion ({before})."
        elif x is None:
            far = max(self._sides(), key=lambda s: abs(s[-1]))[-1]
            text = f"{name}: no {self.course.kind} of {who} up to {self._amount(e, far, direction)} changes the conclusion ({before})."
        else:
            text = f"{name}: {who} would have had to be {self._amount(e, x, direction)} than patients like them for the conclusion to change ({before}, then {after})."
            if not self.course.benefit:
                text = f"{name}: {who} would have had to go {self._amount(e, x, direction)} for the conclusion to change ({before}, then {after})."
        return TippingPoint(
            kind, name, estimand, e.outcomes, group, d, spreads, gone, before, after, _capital(text, name)
        )

    def _whether(self, draws: "_Draws") -> list[TippingPoint]:
        """Does another course without an amount, or with one of a prior, change a conclusion?"""
        start, points = self.draws(np.zeros(max(1, len(self.levels)))), []
        for kind, name, estimand in self.conclusions():
            if not (before := start.conclusion(kind, name)):
                continue
            e = self.study.estimands[estimand]
            after = draws.conclusion(kind, name) or "no conclusion"
            gone, who = self._who(e, "")
            same = after == before
            what = f"the conclusion would {'be the same' if same else 'change'} ({before}{'' if same else f', then {after}'})"
            by = f", {self.course.amount} ~ {self.prior}" if self.prior else ""
            text = f"{name}: had {who} {self.course.sentence.replace('were moved', 'been moved').replace('went', 'gone')}{by}, {what}."
            points.append(
                TippingPoint(
                    kind, name, estimand, e.outcomes, "", None, None, gone, before, after, _capital(text, name)
                )
            )
        return points

    def _who(self, e: Estimand, group: str) -> tuple[int, str]:
        """How many had left before the latest time that an estimand looks at, and what they are called."""
        gone = self.left.by(max(e.times(), default=np.inf))
        if group:
            gone = gone & (self.fit.cohort.covariates[self.group] == self.levels.index(group))
        n, lost = int(gone.sum()), {*self.reasons} <= {"lost", "lost to follow-up"}
        how = "lost" if lost else f"gone ({listing(self.reasons, 'or')})"
        of = f" with {self.study.covariates[self.group].label or self.group} {group}" if group else ""
        if n == 0:
            return 0, f"none{of} was {how} by {self.study.time.unit} {max(e.times(), default=0):g}"
        return n, f"the one patient{of} who was {how}" if n == 1 else f"the {n}{of} who were {how}"

    def _amount(self, e: Estimand, x: float, direction: Array) -> str:
        """An amount as a reader understands it: in units, as a ratio, or what it makes of those who left on average."""
        if not self.course.benefit:
            return f"{abs(x):.0%} of the way back to their own start"
        word = "worse" if x < 0 else "better"
        own = [o for o in e.outcomes if o in self.units]
        said = [self._in_unit(e, o, x, direction) for o in own]
        if len(own) > 1:
            said = [f"{s} in {self.study.named[o].label}" for s, o in zip(said, own, strict=True)]
        each = f" with each {self.study.time.unit}" if self.course.per_time else ""
        return f"{listing(said)} {word}{each}"

    def _in_unit(self, e: Estimand, outcome: str, x: float, direction: Array) -> str:
        o, d = self.study.outcomes[outcome], abs(x * self.units[outcome])
        link = o.family.link_name
        if link == "identity":
            return f"{significant(d, 2)} {o.unit}"
        if link == "log":
            return f"a factor of {significant(float(np.exp(d)), 3)}"
        scale = f"{significant(d, 2)} on the {link} scale"
        gone, time = self.left.by(max(e.times())), max(e.times())
        if self.course.per_time or not gone.any():
            return scale
        moved = self.draws(x * direction).prediction.each(outcome, time)[..., gone]
        apart = abs(float(np.median((moved - self.fit.prediction.each(outcome, time)[..., gone]).mean(axis=-1))))
        return f"{significant(apart, 2)} {o.unit} ({scale})"


class _Draws:
    """Draws of everything that is asked, by one amount; each is computed when it is asked for."""

    def __init__(self, asked: _Asked, prediction: Departed, moved: bool):
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
        for rule, r in study.responses.items():
            position = assigned(self.asked.fit, r, self.prediction, levels)
            names = [*r.categories] + [NONE] * bool([*r.categories.values()][-1])
            for k, category in enumerate(names):
                counts = (position == k).sum(axis=-1)
                rows.append(("response", f"{rule}: {category}", r.outcomes, _summary(counts, study)))
        return rows


def _summary(draws: Array, study: Study) -> dict[str, float]:
    lower, median, upper = (float(q) for q in np.quantile(draws, tails(study)))
    return {"median": median, "lower": lower, "upper": upper, "mean": float(draws.mean())}


def _flat(row: Row) -> dict[str, Any]:
    plain = asdict(row)
    return {"course": plain.pop("course"), **{f"d_{k}": v for k, v in plain.pop("by_group").items()}, **plain}


def _capital(text: str, name: str) -> str:
    return text if text.startswith(name) else text[0].upper() + text[1:]


def _course(word: str) -> Course:
    words = {c.kind: c for c in COURSES}
    if word not in words:
        raise UsageError("course", "is not one of its words", f'"{word}"', did_you_mean(str(word), [*words]))
    return words[word]()


def _reasons(exits: Exits, asked: Sequence[str]) -> tuple[str, ...]:
    known = tuple(dict.fromkeys(r for r in exits.reason if r))
    if not asked and len(known) > 1:
        mend = f"name those to look at ({', '.join(known)}); after a death there is no course"
        raise UsageError("reasons", "patients left for several", mend=mend)
    for reason in asked:
        if reason not in known:
            raise UsageError("reasons", "nobody left for it", f'"{reason}"', did_you_mean(str(reason), known))
    return tuple(asked) or known


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


__all__ = ["Row", "Tip", "TippingPoint", "exits_of", "tip"]
