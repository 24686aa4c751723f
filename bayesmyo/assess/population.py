"""One patient whom a fit does not know, before and after each of the own visits.

Nothing is fitted again. The draws of the population are weighted by how likely they make what is known of the patient,
and the patient's effects are drawn given both (`model/conditional.py`); draws in proportion to the weights are those of
a fit that contains the patient. Where a few draws carry all the weight, which Pareto k tells, the patient has more to
say than the draws can answer, and no number is printed.

What is measured at a visit is compared with what was predicted of it from the visits before. Under the model each such
comparison is uniform, whatever came before (Rosenblatt 1952, https://doi.org/10.1214/aoms/1177729394); the least of
their p-values, times their number, says whether the patient is one of this cohort.

References: Rizopoulos (2011), https://doi.org/10.1111/j.1541-0420.2010.01546.x (dynamic prediction); Vehtari et al.
(2024), https://www.jmlr.org/papers/v25/19-556.html.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.special import logsumexp

from bayesmyo.assess.checks import CheckResult
from bayesmyo.assess.predicted import Basis, Chance, Expected, Kind, PatientPrediction, Seen
from bayesmyo.assess.reweight import TRUSTED, evenly
from bayesmyo.assess.unlike import far_off, unlike
from bayesmyo.assess.withhold import reasons
from bayesmyo.assess.words_of_one import notes, of_chance, of_level, untrusted
from bayesmyo.cohort.cohort import LEFT, MEASURED, RIGHT, Cohort, Measurements
from bayesmyo.components.estimands import Criteria, all_met, free_words, in_words
from bayesmyo.components.estimands.estimand import Given, Predicts
from bayesmyo.components.numbers import chance_error
from bayesmyo.inference.fit import Fit
from bayesmyo.inference.weights import smoothed
from bayesmyo.model.conditional import Conditional, conditional
from bayesmyo.model.one_patient import OnePatient
from bayesmyo.model.truth import OutcomeTruth, Truth, patient_columns
from bayesmyo.seeds import PREDICT, address
from bayesmyo.study import describe
from bayesmyo.study.parameters import inventory
from bayesmyo.study.predictors import CORRELATIONS
from bayesmyo.study.study import Study

Array = np.ndarray
FIRST, MOST = 512, 4096  # truths that are weighted at first; and where they are worth too few
POINTS = 4  # effects under each of them
DRAWS = 2000  # of equal weight, on which everything is computed
FEWEST = 100  # independent draws that they must be worth
COPIES = 20  # measurements under each draw, where one is compared with what was predicted of it
CELL = 19  # the address of random numbers


@dataclass(frozen=True, eq=False)
class Population:
    """What is asked of every patient of one fit."""

    fit: Fit
    times: tuple[float, ...]
    given: Given
    failed: Sequence[CheckResult]

    @property
    def study(self) -> Study:
        return self.fit.study

    @cached_property
    def truths(self) -> tuple[Truth, ...]:
        """Some draws of the population, and more of them, without patients."""
        posterior = self.fit.group("posterior")
        values = {
            o: {n: np.asarray(posterior[p.full_name].values) for n, p in own.items()}
            for o, own in inventory(self.study).items()
        }
        whole = Truth({n: OutcomeTruth(values[n]) for n in self.study.declared}, values.get(CORRELATIONS, {}))
        size = int(np.prod(whole.shape))
        return tuple(whole.take(evenly(size, most)) for most in ((FIRST, MOST) if size > FIRST else (FIRST,)))

    def predict(self, own: Cohort, name: str) -> PatientPrediction:
        """What is predicted of one patient."""
        columns = patient_columns(self.study, own.covariates)
        truths = tuple(replace(t, covariates=columns) for t in self.truths)
        visits = _visits(own)
        basis: list[Basis] = []
        states: list[OnePatient] = []
        levels: list[Expected] = []
        chances: list[Chance] = []
        seen: list[Seen] = []
        before: Conditional | None = None
        for known, time in enumerate((None, *visits)):
            told = own.until(-np.inf if time is None else time)
            state, one, before = self._known(truths, told, known, before)
            basis.append(replace(one, time=time))
            states.append(state)
            levels += self._levels(name, state, basis[-1])
            chances += self._chances(name, state, basis[-1])
            if known < len(visits):
                seen += self._seen(state, own, visits[known], basis[-1])
        p = far_off([s.p for s in seen if not s.withheld])
        return PatientPrediction(
            name, self.study.interval, self.times, tuple(basis), tuple(levels), tuple(chances), tuple(seen), p,
            unlike(self.fit, own, seen, p), notes(self.study, self.times, self.given, max([*visits, 0.0])), tuple(states),
        )  # fmt: skip

    def _known(
        self, truths: Sequence[Truth], told: Cohort, known: int, before: Conditional | None
    ) -> tuple[OnePatient, Basis, Conditional]:
        """The patient after so many visits: under as few draws of the population as can be trusted."""
        seed = address(self.fit.seed, PREDICT, CELL, known)
        for truth in truths:
            near = before if before and len(before.log_weight) == truth.shape[0] else None
            drawn = conditional(self.study, told, truth, POINTS, seed, near)
            weight, k, effective = _weights(drawn.log_weight)
            reliable = k <= TRUSTED and effective >= min(FEWEST, truth.shape[0])
            if reliable:
                break
        at = (np.arange(DRAWS) + 0.5) / DRAWS
        chosen = np.minimum(np.searchsorted(np.cumsum(weight.ravel()), at), weight.size - 1)
        row, point = np.divmod(chosen, POINTS)
        some = truth.take(row)
        outcomes = {
            n: OutcomeTruth(o.values, {k: v[row, point, None] for k, v in drawn.effects[n].items()})
            for n, o in some.outcomes.items()
        }
        paths = {n: v[row, point] for n, v in drawn.paths.items()}
        state = OnePatient(self.study, replace(some, outcomes=outcomes), seed, told, paths)
        return state, Basis(known, None, float(k), effective, bool(reliable)), drawn

    def _why(self, about: Sequence[str], basis: Basis) -> str:
        """Why nothing is said of these outcomes; empty where it may be."""
        return reasons(about, self.failed) or ("" if basis.reliable else untrusted(basis))

    def _levels(self, name: str, state: OnePatient, basis: Basis) -> Iterator[Expected]:
        tail = (1 - self.study.interval) / 2
        ends = (0.5, tail, 1 - tail)
        for outcome, o in self.study.outcomes.items():
            for time in self.times:
                course, measured = state.course(outcome, time, self.given), state.measurement(outcome, time, self.given)
                median, lower, upper = map(float, np.quantile(course, ends))
                middle, low, high = map(float, np.quantile(measured, ends))
                texts = o.family.texts() or ({"yes": 1.0} if o.family.binary else {})
                share = {text: float(np.mean(np.isclose(measured, value))) for text, value in texts.items()}
                first, second, third = (quantile_error(course, p, basis.effective) for p in ends)
                row = Expected(
                    known=basis.known, outcome=outcome, time=time, unit=o.unit, median=median, lower=lower, upper=upper,
                    mcse=(first, second, third), measured_median=middle, measured_lower=low, measured_upper=high,
                    categories=share, sentence="",
                )  # fmt: skip
                why = self._why((outcome,), basis)
                yield replace(row, withheld=bool(why), sentence=why or of_level(self.study, name, row, basis))

    def _chances(self, name: str, state: OnePatient, basis: Basis) -> Iterator[Chance]:
        for what, time, kind, words, about, draws in self._asked(state):
            p = float(draws.mean())
            row = Chance(basis.known, kind, what, time, words, p, chance_error(p, basis.effective), about, "")
            why = self._why(about, basis)
            yield replace(row, withheld=bool(why), sentence=why or of_chance(self.study, name, row, basis))

    def _asked(self, state: OnePatient) -> Iterator[tuple[str, float, Kind, str, tuple[str, ...], Array]]:
        """Everything that may be so at each time: name, time, kind, words, what it looks at, (draw,) whether it is."""
        study, named, unit = self.study, self.study.named, self.study.time.unit

        def called(outcome: str) -> tuple[str, str]:
            return named[outcome].label, named[outcome].unit

        for time in self.times:
            for name, e in study.estimands.items():
                from_ = e.when().get("from", 0.0)
                if not e.counted_by or e.contrast is not None or (e.compares and from_ >= time):
                    continue
                free = dict.fromkeys(e.must_be_free, time)
                met = self._met(state, e.counted_by, time, from_, e.predicts, {**self.given, **e.given}, free)
                words = in_words(e.counted_by, called, f"{unit} {from_:g}")
                words = f"measured {words}" if e.predicts == "measurement" else words
                yield name, time, "criterion", words + free_words(free, study.label, unit), (*e.outcomes, *free), met
            for rule, r in study.responses.items():
                if r.compares and r.from_ >= time:
                    continue
                moved, left = replace(r, at=time, free=dict.fromkeys(r.free, time)), np.ones(state.truth.shape)
                for category, criteria in r.categories.items():
                    need = moved.free if criteria else {}
                    met = left * self._met(state, criteria, time, r.from_, "expected value", self.given, need)
                    left = left - met
                    words = describe.criteria(study, moved, criteria)
                    yield f"{rule}: {category}", time, "category", words, (*r.outcomes, *r.free), met
            for event in study.events:
                about = (event, *study.events[event].depends)
                words = f"{named[event].label} by then"
                yield event, time, "event", words, about, state.happens(event, time)

    def _met(
        self, state: OnePatient, criteria: Criteria, at: float, from_: float, predicts: Predicts, given: Given,
        free: Mapping[str, float],
    ) -> Array:  # fmt: skip
        """(draw,) the probability that criteria are met and no event has happened, under each draw."""

        def level(outcome: str, time: float) -> Array:
            return state.judged(predicts, outcome, time, given)

        met = np.broadcast_to(np.asarray(all_met(criteria, at, from_, level), dtype=float), state.truth.shape)
        for event, until in free.items():
            met = met * state.none_until(event, until)[..., 0]
        return met

    def _seen(self, state: OnePatient, own: Cohort, time: float, basis: Basis) -> Iterator[Seen]:
        tail = (1 - self.study.interval) / 2
        for outcome, whole in own.measurements.items():
            m = whole.take(whole.time == time)
            drawn = state.at_visits(outcome, m, COPIES) if len(m) else np.zeros((0, 0))
            for cell in range(len(m)):
                median, lower, upper = np.quantile(drawn[:, cell], (0.5, tail, 1 - tail))
                limit = {LEFT: "below", MEASURED: "", RIGHT: "above"}.get(int(m.side[cell]), "between")
                numbers = (float(m.value[cell]), limit, float(median), float(lower), float(upper))
                held = bool(self._why((outcome,), basis))
                yield Seen(basis.known, outcome, time, *numbers, two_sided(drawn[:, cell], m, cell), held)


def _visits(own: Cohort) -> tuple[float, ...]:
    """When something new is known of a patient: at each visit, and when what happened later is."""
    times = {float(t) for m in own.measurements.values() for t in m.time}
    last = max([float(e.end.max()) for e in own.events.values() if len(e)], default=-np.inf)
    return tuple(sorted(times | ({last} if last > max(times, default=-np.inf) else set())))


def _weights(log_weight: Array) -> tuple[Array, float, float]:
    """(s, point) weights that add up to one, Pareto k, and how many independent truths they are worth.

    The weight of a truth is smoothed; its effects share it as they share it unsmoothed.
    """
    of_truth = logsumexp(log_weight, axis=1)
    if not np.isfinite(of_truth).all():
        of_truth = np.where(np.isfinite(of_truth), of_truth, -1e300)
    smooth, k = smoothed(of_truth)
    share = np.exp(smooth - logsumexp(smooth))
    within = np.exp(log_weight - of_truth[:, None])
    return share[:, None] * within, k, float(1 / (share**2).sum())


def two_sided(drawn: Array, m: Measurements, cell: int) -> float:
    """How often a measurement lies as far off as this one, on either side; of a limit, as far as is known.

    At least one in as many as were drawn, so that a p-value is never zero. Of counts and grades it is somewhat too large.
    """
    low = -np.inf if m.side[cell] == LEFT else m.value[cell]
    high = np.inf if m.side[cell] == RIGHT else m.value[cell] if m.end is None or np.isnan(m.end[cell]) else m.end[cell]
    below, above = np.count_nonzero(drawn <= high), np.count_nonzero(drawn >= low)
    return float(min(1.0, 2 * (min(below, above) + 1) / (len(drawn) + 1)))


def quantile_error(draws: Array, p: float, effective: float) -> float:
    """The Monte Carlo error of a quantile: half of what it moves when its probability moves by an error of its own."""
    error = np.sqrt(p * (1 - p) / max(effective, 1.0))
    low, high = np.quantile(draws, np.clip([p - error, p + error], 0.0, 1.0))
    return float(high - low) / 2


__all__ = ["Population"]
