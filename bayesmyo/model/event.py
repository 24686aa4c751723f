"""When something happens to a patient: the submodel of one event.

h(t) = exp(log h0(t) + x'g + frailty + sum_k a_k m_k(t)), where m_k(t) is the expected course of outcome k in that
patient, in usual differences between patients (`Event`). The course is the patient's own, with the effects that the
outcome's measurements speak of: that is what joins the two. Given effects and parameters everything is a sum over the
looks that `hazards.py` chooses.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from bayesmyo.cohort.cohort import CENSORED, HAPPENED, INTERVAL, Cohort, Episodes
from bayesmyo.errors import UsageError
from bayesmyo.model.hazards import NODES, Looks, Rule, between, looks
from bayesmyo.model.submodel import Array, Arrays, Rows, Submodel, Values
from bayesmyo.model.truth import Truth
from bayesmyo.model.visits import columns_at, taken, trailing
from bayesmyo.study.predictors import Predictor, predictors
from bayesmyo.study.study import Event, Study

INDICES = ("patient", "bracket", "exact", "of")
MOMENT = 1e-4  # of a typical follow-up, over which a slope is taken
CELLS = 32  # into which a piece is cut to find when something happens
HALVINGS = 50
MOST_EVENTS = 1000  # of one patient
AT_ONCE = 2**23  # numbers in one array
CURVE, BETWEEN = 10, 4  # nodes of a curve of who is free of it, in a piece, and of its hazard from one to the next
AREA = 8  # nodes of a mean level since the start, in a piece
SMOOTH = 8  # times fewer patients are enough for the mean of what is smooth


@dataclass(frozen=True, eq=False)
class TimeToEvent(Submodel):
    """One event of a study, `[events.NAME]`.

    Its rows are looks at the hazard (`Looks`): the fields `patient`, `time`, `since`, `weight`, `bracket`, `exact`,
    `of`.
    """

    study: Study
    name: str

    @cached_property
    def event(self) -> Event:
        return self.study.events[self.name]

    @property
    def uses(self) -> tuple[str, ...]:
        return tuple(self.event.depends)

    @cached_property
    def rule(self) -> Rule:
        """How its hazard is integrated over time."""
        hazard = self.predictors[0].hazard
        courses = [self._course(outcome) for outcome in self.uses]
        bends = {*hazard.knots(), *(k for p in courses for k in kinks(p))}
        return Rule(tuple(sorted(bends)), hazard.pole, not hazard.pole and not courses)

    @property
    def _gap(self) -> bool:
        return self.event.clock == "gap"

    # --- data

    def looks(self, episodes: Episodes) -> Looks:
        e = episodes
        return looks(self.rule, e.patient, e.start, e.stop, e.end, e.status, self._gap)

    def arrays(self, cohort: Cohort) -> Arrays:
        if self.name not in cohort.events:
            mend = "read the table again with this study"
            raise UsageError(f"data of {self.name}", "the cohort does not say when it happened", mend=mend)
        at = self.looks(cohort.events[self.name])
        names = ("patient", "time", "since", "weight", "bracket", "exact", "of")
        return self.prefixed({name: getattr(at, name) for name in names})

    def validated(self, data: Mapping[str, Array], patients: int) -> Arrays:
        where, own = f"data of {self.name}", self.fields(data)
        valid = {
            name: np.ascontiguousarray(values, dtype=np.int64 if name in INDICES else np.float64)
            for name, values in own.items()
        }
        n, brackets = len(valid["time"]), len(valid["of"])
        if any(valid[name].shape != (n,) for name in ("patient", "since", "weight", "bracket")):
            raise UsageError(where, "the arrays must be vectors of one length")
        for name, least, most in (
            ("patient", 0, patients),
            ("exact", 0, n),
            ("bracket", -1, brackets),
            ("of", 0, patients),
        ):
            index = valid[name]
            if len(index) and (index.min() < least or index.max() >= most):
                raise UsageError(where, f"{name} must lie in {least}..{most - 1}", f"{index.min()}..{index.max()}")
        for name in ("time", "since", "weight"):
            if not np.all(np.isfinite(valid[name])):
                raise UsageError(where, f"every {name} must be finite")
        return self.prefixed(valid)

    def facts(self, data: Mapping[str, Array], how: str) -> Arrays:
        return {}

    # --- the hazard

    def log_hazard(
        self,
        t: Any,
        since: Any,
        values: Values,
        own: Mapping[str, Mapping[str, Any]],
        columns: Mapping[str, Any],
        xp: Any,
    ) -> Any:
        """The log hazard at times t, (..., look).

        since: when its clock began; values: parameters, own: effects, by submodel and name, columns: of the design; all
        of them as they are at each look, so that they broadcast against t
        """
        eta = self.predictors[0].eta(t - since, values[self.name], own.get(self.name, {}), columns, xp)
        for outcome, way in self.event.depends.items():
            m = self._standing(outcome, way, t, values[outcome], own[outcome], columns, xp)
            eta = eta + values[self.name][f"{outcome}_{way}"] * m
        return eta

    def _standing(
        self, outcome: str, way: str, t: Any, values: Mapping[str, Any], own: Mapping[str, Any],
        columns: Mapping[str, Any], xp: Any,
    ) -> Any:  # fmt: skip
        """Where a patient stands in the course of an outcome, in usual differences between patients."""
        p = self._course(outcome)
        spread, follow_up = p.scale.spread, p.scale.follow_up or 1.0

        def level(t: Any, deep: bool = False) -> Any:
            if deep:
                v, o, c = ({k: _deeper(x) for k, x in named.items()} for named in (values, own, columns))
                return (p.eta(t, v, o, c, xp) - p.scale.typical) / spread
            return (p.eta(t, values, own, columns, xp) - p.scale.typical) / spread

        if way == "level":
            return level(t)
        if way == "slope":
            moment = MOMENT * follow_up
            return (level(t + moment) - level(t - moment)) / (2 * MOMENT)
        if way == "area":
            times, weights = _means(p, t, xp)
            return (level(times, deep=True) * weights).sum(axis=-1)
        per = next(c.per for c in p.coefficients if c.name == way)
        return own.get(way, 0.0) * per / spread + 0.0 * t

    def _course(self, outcome: str) -> Predictor:
        return predictors(self.study, outcome)[0]

    # --- given parameters and effects, in NumPy

    def log_hazards(self, truth: Truth, patient: Array, time: Array, since: Array | float = 0.0) -> Array:
        """(..., look) the log hazard of these patients at these times."""
        names = [self.name, *self.uses]
        values = {name: trailing(truth.outcomes[name].values) for name in names}
        own = {
            name: {k: np.asarray(v)[..., patient] for k, v in truth.outcomes[name].effects.items()} for name in names
        }
        columns = columns_at(self.study, truth.covariates, {}, patient)
        return np.asarray(self.log_hazard(time, since, values, own, columns, np))

    def log_density(self, truth: Truth, cohort: Cohort) -> Array:
        """(..., episode) log density of the event times, or probability of not having one, or of one in between."""
        episodes = cohort.events[self.name]
        at, n = self.looks(episodes), len(episodes)
        eta = np.broadcast_to(self.log_hazards(truth, at.patient, at.time, at.since), (*truth.shape, len(at.time)))
        survived, amount = at.bracket < 0, np.exp(eta) * at.weight
        total = -_summed(amount * survived, at.episode, n)
        total[..., at.episode[at.exact]] += eta[..., at.exact]  # at most one to an episode
        inside = _summed(amount * ~survived, at.episode, n)
        between = episodes.status == INTERVAL
        total[..., between] += np.log(-np.expm1(-inside[..., between]))
        return total

    def log_likelihood(self, truth: Truth, own: Cohort, deviations: Mapping[str, Mapping[str, Array]]) -> Array:
        """(s, point) log density of what happened to one patient under some truths, (s,), with effects (s, point, 1).

        own: the episodes of that patient alone
        """
        at = self.looks(own.events[self.name])
        names = [self.name, *self.uses]
        values = {name: trailing(truth.outcomes[name].values, axes=2) for name in names}
        columns = {
            k: v[..., None, :] if np.ndim(v) > 1 else v
            for k, v in columns_at(self.study, truth.covariates, {}, at.patient).items()
        }
        here = {name: deviations.get(name, {}) for name in names}
        eta = self.log_hazard(at.time, at.since, values, here, columns, np)
        amount, survived = np.exp(eta) * at.weight, at.bracket < 0
        inside = _summed(amount[..., ~survived], at.bracket[~survived], len(at.of))
        total = eta[..., at.exact].sum(axis=-1) - (amount * survived).sum(axis=-1)
        return np.asarray(total + np.log(-np.expm1(-inside)).sum(axis=-1))

    def cumulative(self, truth: Truth, patient: Array, stop: float, start: float = 0.0) -> Array:
        """(..., patient) the hazard of these patients, integrated from start to stop, whatever happened before."""
        times, weights = self.rule.nodes(start, stop)
        who = np.repeat(patient, len(times))
        eta = self.log_hazards(truth, who, np.tile(times, len(patient)))
        amount = np.exp(eta).reshape(*eta.shape[:-1], len(patient), len(times)) * weights
        return np.asarray(amount.sum(axis=-1))

    @property
    def counts(self) -> bool:
        """Whether it has an expected number: that of a process in the time since zero."""
        return self.event.recurrent and not self._gap

    def _schedule(self, at: float, what: str) -> tuple[Array, Array, Array, Array]:
        """(look,) times and weights, and where the time without is asked, after which looks the curve is taken, and
        with which weights.
        """
        if what != "time":
            t, w = self.rule.nodes(0.0, at)
            return t, w, np.array([len(t) - 1]), np.ones(1)
        ends, share = Rule(self.rule.kinks).nodes(0.0, at, CURVE)
        edges = np.unique([0.0, *ends, *(k for k in self.rule.kinks if 0 < k < at)])
        first = self.rule.nodes(0.0, float(edges[1]))
        t, w = between(edges[1:-1], edges[2:], count=BETWEEN)
        after = len(first[0]) + BETWEEN * np.arange(len(edges) - 1) - 1
        taken_ = np.searchsorted(edges[1:], np.sort(ends))
        return (
            np.concatenate([first[0], t.ravel()]),
            np.concatenate([first[1], w.ravel()]),
            after[taken_],
            share[np.argsort(ends)],
        )

    def weight(self, at: float, what: str) -> int:
        """How much one patient costs beside one of whom a share is counted: what is averaged here is smooth, and needs
        fewer of them, but each takes many looks.
        """
        return max(1, SMOOTH * len(self._schedule(at, what)[0]) * self._deep // len(NODES))

    @property
    def _deep(self) -> int:
        """How many times each look at the hazard looks at an outcome."""
        return max([1, *(AREA for way in self.event.depends.values() if way == "area")])

    def summed(
        self, truth: Truth, at: float, what: str, own: Mapping[str, Mapping[str, Array]], columns: Mapping[str, Array]
    ) -> Array:
        """(...,) what `TruthPrediction.event` says of patients with these effects and columns, (..., patient) each,
        averaged over them; a few patients at a time.
        """
        patients, total = 0, np.zeros(truth.shape)
        cost = int(np.prod(truth.shape)) * self.weight(at, what) * len(NODES)
        for few, design in in_parts(cost, own, columns):
            each = self.of_each(truth, at, what, few, design)
            patients, total = patients + each.shape[-1], total + each.sum(axis=-1)
        return np.asarray(total / patients)

    def of_each(
        self, truth: Truth, at: float, what: str, own: Mapping[str, Mapping[str, Array]], columns: Mapping[str, Array]
    ) -> Array:
        """(..., patient) the same of each."""
        t, w, after, share = self._schedule(at, what)
        total = np.cumsum(self.hazard(truth, t, own, columns) * w, axis=-1)[..., after]
        return np.asarray(total[..., -1] if what == "number" else (np.exp(-total) * share).sum(axis=-1))

    def hazard(
        self, truth: Truth, t: Array, own: Mapping[str, Mapping[str, Array]], columns: Mapping[str, Array]
    ) -> Array:
        """(..., patient, node) the hazard of patients with these effects and columns at times (node,), or at those of
        each.
        """
        names = [self.name, *self.uses]
        values = {name: trailing(truth.outcomes[name].values, axes=2) for name in names}
        here = {name: {k: _deeper(np.asarray(v)) for k, v in own[name].items()} for name in names}
        design = {k: _deeper(np.asarray(v)) for k, v in columns.items()}
        eta = self.log_hazard(t, 0.0, values, here, design, np)
        return np.exp(np.broadcast_to(eta, np.broadcast_shapes((*truth.shape, 1, t.shape[-1]), eta.shape)))

    def happen(self, truth: Truth, until: Array, rng: np.random.Generator, first: Array | float = 0.0) -> list[Array]:
        """When it happens to each patient from a first time until an end, one array of times for each: none, one, or
        where it recurs several. truth: one; until: (patient,)

        A unit exponential number is the cumulative hazard at the next event (Bender, Augustin and Blettner 2005,
        https://doi.org/10.1002/sim.2059).
        """
        patients = len(until)
        times: list[list[float]] = [[] for _ in range(patients)]
        start = np.broadcast_to(np.asarray(first, dtype=float), patients)
        at_risk = until > start
        for _ in range(MOST_EVENTS):
            next_one = self._next(truth, start, until, rng.exponential(size=patients))
            happened = at_risk & (next_one <= until)
            for i in np.flatnonzero(happened):
                times[i].append(float(next_one[i]))
            start = np.where(happened, next_one, start)
            at_risk = happened if self.event.recurrent else np.zeros(patients, dtype=bool)
            if not at_risk.any():
                break
        return [np.array(t) for t in times]

    def _next(self, truth: Truth, start: Array, until: Array, wanted: Array) -> Array:
        """(patient,) when the hazard since `start` adds up to what is wanted; infinity where that is after `until`."""
        patients, zero = len(until), start if self._gap else np.zeros(len(until))
        cuts = np.array([*(self.rule.kinks), *(np.max(until) * 8.0 ** -np.arange(1, 12) if self.rule.pole else ())])
        even = start[:, None] + (until - start)[:, None] * np.linspace(0, 1, CELLS + 1)
        edges = np.sort(np.concatenate([even, np.clip(cuts + zero[:, None], start[:, None], until[:, None])], axis=1))

        def amount(a: Array, b: Array) -> Array:
            """(patient, cell) the hazard integrated from a to b."""
            t, w = between(a, b)
            who = np.broadcast_to(np.arange(patients)[:, None, None], t.shape)
            since = np.broadcast_to(zero[:, None, None], t.shape)
            eta = self.log_hazards(truth, who.ravel(), t.ravel(), since.ravel()).reshape(t.shape)
            return np.asarray((np.exp(eta) * w).sum(axis=-1))

        total = np.cumsum(amount(edges[:, :-1], edges[:, 1:]), axis=1)
        cell = (total < wanted[:, None]).sum(axis=1)
        late, inside = cell == total.shape[1], np.minimum(cell, total.shape[1] - 1)
        row = np.arange(patients)
        left = wanted - np.where(inside > 0, total[row, np.maximum(inside - 1, 0)], 0.0)
        begin, low, high = edges[row, inside], edges[row, inside], edges[row, inside + 1]
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            less = amount(begin[:, None], middle[:, None])[:, 0] < left
            low, high = np.where(less, middle, low), np.where(less, high, middle)
        return np.where(late, np.inf, (low + high) / 2)

    # --- inside a PyMC model

    def observe(
        self, pm: Any, rows: Rows, values: Values, own: Mapping[str, Mapping[str, Any]], how: str, xp: Any
    ) -> None:
        data, who = rows.data, rows.data["patient"]
        here = {name: {k: taken(v, who) for k, v in own[name].items()} for name in (self.name, *self.uses)}
        eta = self.log_hazard(data["time"], data["since"], values, here, rows.columns, xp) + xp.zeros_like(data["time"])
        amount, survived = xp.exp(eta) * data["weight"], xp.lt(data["bracket"], 0)
        total = xp.sum(eta[data["exact"]]) - xp.sum(xp.where(survived, amount, 0.0))
        inside = xp.zeros_like(data["of"], dtype="float64")
        place = xp.maximum(data["bracket"], 0)
        # where there is no bracket there is nothing to add to: one more place takes what is not inside of any
        padded = xp.concatenate([inside, xp.zeros(1)])
        place = xp.where(survived, inside.shape[0], place)
        brackets = padded[place].inc(amount)[:-1]
        pm.Potential(self.name, total + xp.sum(xp.log(-xp.expm1(-brackets))))


def in_parts(
    cost: int, own: Mapping[str, Mapping[str, Array]], columns: Mapping[str, Array]
) -> Iterator[tuple[dict[str, dict[str, Array]], dict[str, Array]]]:
    """Effects and columns, (..., patient) each, of a few patients at a time; cost: numbers that one patient takes."""
    sizes = {np.shape(v)[-1] for part in (*own.values(), columns) for v in part.values() if np.ndim(v)} - {1}
    patients, step = max(sizes, default=1), max(1, AT_ONCE // cost)
    for first in range(0, patients, step):
        some = slice(first, min(first + step, patients))

        def few(part: Mapping[str, Array], some: slice = some) -> dict[str, Array]:
            return {k: v[..., some] if np.shape(v)[-1:] == (patients,) else v for k, v in part.items()}

        yield {name: few(effects) for name, effects in own.items()}, few(columns)


def kinks(p: Predictor) -> tuple[float, ...]:
    """Times at which the course of an outcome may bend."""
    curve = p.trajectory
    return (*curve.knots(), *((curve.start,) if np.isfinite(curve.start) else ()), curve.origin)


def _means(p: Predictor, t: Any, xp: Any) -> tuple[Any, Any]:
    """(..., look, node) times and weights of the mean of a course since zero to each look."""
    ends = [0.0, *sorted(k for k in kinks(p) if k > 0), np.inf]
    times, weights = [], []
    stop = xp.maximum(t, 1e-9)
    nodes, share = between(np.zeros(1), np.ones(1), count=AREA)
    for a, b in pairwise(ends):
        low, high = xp.minimum(a, stop), xp.minimum(b, stop)
        length = (high - low)[..., None]
        times.append(low[..., None] + length * nodes[0])
        weights.append(length * share[0] / stop[..., None])
    return xp.concatenate(times, axis=-1), xp.concatenate(weights, axis=-1)


def _deeper(x: Any) -> Any:
    """With one more axis for nodes; what has no axis is the same everywhere."""
    return x[..., None] if getattr(x, "ndim", 0) else x


def _summed(x: Array, group: Array, n: int) -> Array:
    """(..., look) -> (..., group) sums."""
    total = np.zeros((*x.shape[:-1], n))
    if len(group):
        present, starts = np.unique(group, return_index=True)  # looks stand in the order of their groups
        total[..., present] = np.add.reduceat(x, starts, axis=-1)
    return total


def observed(
    submodel: TimeToEvent, times: Sequence[Array], until: Array, visits: Sequence[Array], by_visits: bool
) -> Episodes:
    """Events as a clinic knows them. times: of each patient's events; until: (patient,) the end of what is known;
    visits: of each patient, between which it is known where `by_visits` says so.
    """
    rows: list[tuple[int, float, float, float, int]] = []
    once = not submodel.event.recurrent
    for i, (own, end) in enumerate(zip(times, until, strict=True)):
        if by_visits:
            seen = np.unique(visits[i][visits[i] > 0])
            edges = np.concatenate([[0.0], seen])
            start = 0.0
            for a, b in pairwise(edges.tolist()):
                if np.any((own > a) & (own <= b)):
                    rows.append((i, start, a, b, INTERVAL))
                    start = b
                    if once:
                        break
            else:
                if edges[-1] > start:
                    rows.append((i, start, edges[-1], edges[-1], CENSORED))
            continue
        start = 0.0
        for t in own[:1] if once else own:
            rows.append((i, start, float(t), float(t), HAPPENED))
            start = float(t)
        if end > start and not (once and len(own)):
            rows.append((i, start, float(end), float(end), CENSORED))
    patient, start_, stop, ends, status = (np.array(c) for c in zip(*rows, strict=True)) if rows else [np.zeros(0)] * 5
    whole = np.int64
    return Episodes(
        patient.astype(whole), start_.astype(float), stop.astype(float), ends.astype(float), status.astype(whole),
        np.zeros(len(rows), dtype=whole),
    )  # fmt: skip


__all__ = ["TimeToEvent", "in_parts", "kinks", "observed"]
