"""One patient of whom something is known: what is expected, what might be measured, and what may happen.

A residual that hangs together with those of other visits is predicted from them: with C the covariance of residuals at
the visits that are known, c that with a visit to come and v its variance, it is normal with mean c' C^-1 r and variance
v - c' C^-1 c.
"""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from bayesmyo.cohort.cohort import Cohort, Measurements
from bayesmyo.components.estimands.estimand import Given, Predicts
from bayesmyo.model.asked import known_event, known_given, known_outcome
from bayesmyo.model.event import TimeToEvent
from bayesmyo.model.joint import standard_residuals
from bayesmyo.model.measured import visit_predictors
from bayesmyo.model.prediction import TruthPrediction
from bayesmyo.model.residuals import with_errors
from bayesmyo.model.truth import Truth
from bayesmyo.model.visits import Etas, trailing
from bayesmyo.study.predictors import LOCATION
from bayesmyo.study.study import Study

Array = np.ndarray
MEASURED, VISITS, TOGETHER = 16, 17, 18  # addresses of random numbers


class OnePatient(TruthPrediction):
    """Predictions of one patient under draws of the population and of the patient's own effects.

    truth: (draw,) with one patient; own: what is known of the patient, alone; paths: by outcome, (draw, cell) residuals
        that are sampled, at the patient's measurements
    """

    def __init__(
        self, study: Study, truth: Truth, seed: int, own: Cohort, paths: Mapping[str, Array] = MappingProxyType({})
    ):
        super().__init__(study, truth, seed, events=own.events)
        self.own = own
        self.paths = paths

    def course(self, outcome: str, time: float, given: Given = MappingProxyType({})) -> Array:
        """(draw,) the expected level at a time, in outcome units as the family reports it."""
        known_outcome(self.study, outcome)
        known_given(self.study, given)
        return self._each(outcome, time, given, self._reported)[..., 0]

    def measurement(self, outcome: str, time: float, given: Given = MappingProxyType({})) -> Array:
        """(draw,) a measurement at a visit to come, in outcome units; of events per exposure, per unit of it."""
        known_outcome(self.study, outcome)
        known_given(self.study, given)
        exposure = self._exposure(outcome)
        etas = self._own(outcome, time, given)
        etas = {**etas, LOCATION: etas[LOCATION] + np.log(exposure)}
        when = np.array([time])
        whose, nothing = np.zeros(1, dtype=int), np.zeros(1)
        one = {n: Measurements(whose, when, nothing, nothing, nothing) for n in self.study.outcomes}
        standard = standard_residuals(
            self.study, self.truth, one, self._rng(TOGETHER, outcome_of_all(self.study), time)
        )
        rng = self._rng(MEASURED, outcome, time)
        return self._scattered(outcome, etas, when, None, rng, standard.get(outcome))[..., 0] / exposure

    def at_visits(self, outcome: str, m: Measurements, copies: int = 1) -> Array:
        """(copies * draw, cell) what might have been measured in place of cells that are not among those known, each by
        itself, with their covariates, exposures and errors.
        """
        etas = visit_predictors(self.study, self.truth, outcome, m)
        rng = self._rng(VISITS, outcome, float(m.time.max()))
        return np.concatenate([self._scattered(outcome, etas, m.time, m.error, rng) for _ in range(copies)])

    def judged(self, predicts: Predicts, outcome: str, time: float, given: Given = MappingProxyType({})) -> Array:
        """(draw,) what a criterion looks at: the expected level, or the measurement that is known, else one to come."""
        if predicts == "expected value":
            return self.course(outcome, time, given)
        m = self.own.measurements[outcome]
        known = m.value[(m.time == time) & (m.side == 0)]
        return np.full(self.truth.shape, known[-1]) if len(known) else self.measurement(outcome, time, given)

    def happens(self, event: str, until: float) -> Array:
        """(draw,) the probability that an event has happened by a time, given what is known; where it recurs, of one
        more since the last time at which that is known.
        """
        known_event(self.study, event)
        submodel, episodes = TimeToEvent(self.study, event), self.own.events[event]
        if not submodel.event.recurrent:
            return 1 - self.none_until(event, until)[..., 0]
        now = float(episodes.end.max(initial=0.0))
        if until <= now:
            return np.zeros(self.truth.shape)
        zero = float(episodes.end[episodes.status > 0].max(initial=0.0)) if submodel.event.clock == "gap" else 0.0
        t, weight = submodel.rule.nodes(now - zero, until - zero)
        eta = submodel.log_hazards(self.truth, np.zeros(len(t), dtype=int), t + zero, zero)
        return np.asarray(-np.expm1(-(np.exp(eta) * weight).sum(axis=-1)))

    def _exposure(self, outcome: str) -> float:
        exposure = self.own.measurements[outcome].exposure
        return 1.0 if exposure is None or not len(exposure) else float(np.median(exposure))

    def _scattered(
        self,
        outcome: str,
        etas: Etas,
        time: Array,
        error: Array | None,
        rng: np.random.Generator,
        standard: Array | None = None,
    ) -> Array:
        """(draw, cell) measurements around predictors (draw, cell).

        standard: (draw, cell) standardised residuals that were drawn together with those of other outcomes
        """
        o = self.study.outcomes[outcome]
        eta, aux = o.family.told(etas, with_errors(trailing(self.truth.outcomes[outcome].values), error), np)
        if standard is not None:
            moved = {**eta, LOCATION: eta[LOCATION] + aux["sigma"] * standard}
            return o.family.draw(rng, moved, {**aux, "sigma": np.zeros(1)})
        if o.residual is None:
            return o.family.draw(rng, eta, aux)
        mean, sd = self._residual(outcome, np.zeros(len(time)) if o.drifts else aux["sigma"], time)
        location = eta[LOCATION] + mean
        if o.drifts:
            return o.family.draw(rng, {**eta, LOCATION: location + sd * rng.standard_normal(sd.shape)}, aux)
        return o.family.draw(rng, {**eta, LOCATION: location}, {**aux, "sigma": sd})

    def _residual(self, outcome: str, sigma: Array, time: Array) -> tuple[Array, Array]:
        """(draw, cell) mean and SD of residuals at visits to come, given those that are known."""
        o, m, values = self.study.outcomes[outcome], self.own.measurements[outcome], self.truth.outcomes[outcome].values
        assert o.residual is not None
        known, draws = len(m), self.truth.shape
        if o.drifts:
            r, own_sigma = self.paths.get(outcome, np.zeros((*draws, known))), np.zeros((*draws, known))
        else:
            here = visit_predictors(self.study, self.truth, outcome, m)
            eta, aux = o.family.told(here, with_errors(trailing(values), m.error), np)
            r = np.asarray(o.family.on_link(o.family.encode(m.value), np)) - eta[LOCATION]
            own_sigma = np.broadcast_to(aux["sigma"], r.shape)
        times = np.concatenate([m.time, time])
        sigmas = np.concatenate([own_sigma, np.broadcast_to(sigma, (*draws, len(time)))], axis=-1)
        c = o.residual.covariance(times, sigmas, trailing(values, axes=2), o.trajectory, np)
        across = c[..., :known, known:]
        solved = np.linalg.solve(c[..., :known, :known], across)
        mean = np.swapaxes(solved, -1, -2) @ r[..., None]
        variance = np.diagonal(c, axis1=-2, axis2=-1)[..., known:] - (across * solved).sum(axis=-2)
        return mean[..., 0], np.sqrt(np.maximum(variance, 0.0))


def outcome_of_all(study: Study) -> str:
    """By which random numbers that outcomes share are addressed: the first."""
    return next(iter(study.outcomes))


__all__ = ["OnePatient"]
