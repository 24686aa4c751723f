"""Do events happen when, to whom and as often as the model predicts?"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from bayesmyo.assess.checks.check import CheckResult
from bayesmyo.assess.checks.findings import BesideReplicates, Finding, finding, span
from bayesmyo.assess.curves import at_risk, kaplan_meier, observed_curve
from bayesmyo.assess.replicated import not_drawn
from bayesmyo.assess.replicated_events import Looked, ReplicatedEvents, looked, replicated_events
from bayesmyo.cohort.cohort import CENSORED, HAPPENED, INTERVAL, Episodes
from bayesmyo.components.numbers import in_sentence
from bayesmyo.inference.fit import Fit
from bayesmyo.model.event import TimeToEvent
from bayesmyo.model.truth import OutcomeTruth, Truth
from bayesmyo.study.study import Study

FEWEST = 5  # events, below which times alone say nothing of the hazard
UNDER_RISK = 5  # patients, until when a curve is compared
QUARTERS = 4  # of the time until then
FURTHEST = 5.0  # of a log hazard ratio


@dataclass(frozen=True)
class OfEvents(BesideReplicates, ABC):
    """The contract of a check of events: what it finds in each, and the verdict on all."""

    none: ClassVar[str] = "the study has no event that this looks at"

    @abstractmethod
    def judge(self, fit: Fit, r: ReplicatedEvents) -> Iterable[Finding | str]:
        """What an event shows; a text says why something of it is not judged."""

    def run(self, fit: Fit) -> CheckResult:
        """Judge every event of a fit."""
        reason = not_drawn(fit)
        events = () if reason else fit.study.events
        said = [(e, one) for e in events for one in self.judge(fit, replicated_events(fit, e))]
        return self.verdict(fit, reason, said)


@dataclass(frozen=True)
class EventCurve(OfEvents):
    """The observed curve of an event beside the same curve in replicates of these patients.

    Kaplan and Meier's, Turnbull's where it is known between two visits, or the mean number where it recurs; at each
    quarter of the time in which at least 5 patients are at risk. Where the event ends the follow-up, a replicate
    follows its patients as long as `could_last` says.
    share: the difference that matters, of patients or of events in a patient
    """

    name: str = "event curve"
    share: float = 0.1
    told: ClassVar[str] = "Events happen over time"

    def judge(self, fit: Fit, r: ReplicatedEvents) -> Iterator[Finding | str]:
        e, event = r.episodes, r.submodel.event
        ends = np.unique(e.end)
        enough = ends[at_risk(e.start, e.end, ends) >= UNDER_RISK]
        if not len(enough):
            yield f"fewer than {UNDER_RISK} patients are at risk of it"
            return
        times = enough[-1] * np.arange(1, QUARTERS + 1) / QUARTERS
        data = observed_curve(e, event.recurrent).at(times)
        drawn = np.array([observed_curve(again, event.recurrent).at(times) for again in r.drawn])
        what = (
            f"mean number of {label(fit.study, r.name)}"
            if event.recurrent
            else f"share without {label(fit.study, r.name)}"
        )
        for k, t in enumerate(times):
            when = f"by {fit.study.time.unit} {t:.3g}"
            difference = abs(data[k] - float(np.median(drawn[:, k])))
            matters = difference > self.share * (max(1.0, float(np.median(drawn[:, k]))) if event.recurrent else 1.0)
            form = ".2f" if event.recurrent else ".0%"
            misfit = (
                f"The {what} {when} is {data[k]:{form}} ({span(drawn[:, k], form)} is predicted): "
                f"{another_hazard(r.submodel)}."
            )
            yield finding(
                r.name,
                f"{'mean number' if event.recurrent else 'share without'} {when}",
                data[k],
                drawn[:, k],
                matters,
                misfit,
            )


@dataclass(frozen=True)
class HazardResiduals(OfEvents):
    """Cumulative hazards between a patient's events, which are unit exponential where the hazard is right.

    How far their Kaplan-Meier curve lies from that of the unit exponential at most; and of events that recur, how much
    patients' numbers scatter around their cumulative hazards. Of an event that is known between two visits, the residual
    is drawn from between their cumulative hazards, in data and replicates alike.
    distance: of curves, and ratio: of SDs, that matter

    References
    ----------
    Cox and Snell (1968), https://doi.org/10.1111/j.2517-6161.1968.tb00724.x.
    """

    name: str = "residuals of the hazard"
    distance: float = 0.1
    ratio: float = 1.4
    told: ClassVar[str] = "Cumulative hazards between events are"

    def judge(self, fit: Fit, r: ReplicatedEvents) -> Iterator[Finding | str]:
        if r.episodes.happened < FEWEST:
            yield few(r.episodes)
            return
        rng = np.random.default_rng(r.seed)
        own = [hazards(r.submodel, truth, r.episodes, rng) for truth in r.truths]
        again = [hazards(r.submodel, truth, e, rng) for truth, e in r.pairs()]
        data = np.array([from_exponential(h, r.episodes) for h in own])
        drawn = np.array([from_exponential(h, e) for h, e in zip(again, r.drawn, strict=True)])
        observed = float(np.median(data))
        misfit = (
            f"Cumulative hazards between {label(fit.study, r.name)} lie up to {observed:.2f} from those of the model's "
            f"own events ({span(drawn, '.2f')} is predicted): {another_hazard(r.submodel)}."
        )
        matters = observed - float(np.median(drawn)) > self.distance
        yield finding(r.name, "distance from the unit exponential", data, drawn, matters, misfit)
        if r.submodel.event.recurrent:
            yield self._scatter(fit, r, own, again)

    def _scatter(self, fit: Fit, r: ReplicatedEvents, own: list[np.ndarray], again: list[np.ndarray]) -> Finding:
        """Of numbers of events around cumulative hazards, in SDs of Poisson counts."""
        data = np.array([scatter(h, r.episodes) for h in own])
        drawn = np.array([scatter(h, e) for h, e in zip(again, r.drawn, strict=True)])
        more = bool(np.median(data) > np.median(drawn))
        ways = "frailty = true" if not r.submodel.event.effects else "covariates that tell who has many"
        remedy = f"try {ways}" if more else another_hazard(r.submodel)
        misfit = (
            f"Patients' numbers of {label(fit.study, r.name)} scatter {np.median(data):.2f} times as much as their "
            f"hazards allow ({span(drawn, '.2f')} is predicted): {remedy}."
        )
        matters = abs(float(np.log(np.median(data) / np.median(drawn)))) > np.log(self.ratio)
        return finding(r.name, "scatter of numbers between patients", data, drawn, matters, misfit)


@dataclass(frozen=True)
class AssociationByPeriod(OfEvents):
    """Whether an event depends on an outcome as much late as early.

    The step that the score would take from the fitted log hazard ratio, in the later half of the events less that in
    the earlier half.
    ratio: of hazard ratios, that matters

    References
    ----------
    Grambsch and Therneau (1994), https://doi.org/10.1093/biomet/81.3.515 (score residuals over time).
    """

    name: str = "association by period"
    ratio: float = 1.5
    told: ClassVar[str] = "Events depend on outcomes late and early"
    none: ClassVar[str] = "no event depends on an outcome"

    def judge(self, fit: Fit, r: ReplicatedEvents) -> Iterator[Finding | str]:
        for outcome, way in r.submodel.event.depends.items():
            if r.episodes.happened < 2 * FEWEST:
                yield few(r.episodes)
                return
            yield self._ratio(fit, r, outcome, way)

    def _ratio(self, fit: Fit, r: ReplicatedEvents, outcome: str, way: str) -> Finding:
        e, study = r.episodes, fit.study
        middle = float(np.median((e.stop + e.end)[e.status != CENSORED] / 2))
        coefficient = f"{outcome}_{way}"
        data = np.array([late_less_early(r.submodel, truth, e, coefficient, middle) for truth in r.truths])
        drawn = np.array([late_less_early(r.submodel, truth, again, coefficient, middle) for truth, again in r.pairs()])
        other = "level" if way == "slope" else "slope"
        misfit = (
            f"The hazard ratio of {label(study, r.name)} by {label(study, outcome)} ({way}) is after "
            f"{study.time.unit} {middle:.3g} {np.exp(np.median(data)):.2f} times that before "
            f'({span(np.exp(drawn), ".2f")} is predicted): try {outcome} = "{other}" in `depends` in place of '
            f'"{way}", and {r.submodel.event.hazard.elsewhere}.'
        )
        matters = abs(float(np.median(data) - np.median(drawn))) > np.log(self.ratio)
        what = f"ratio of hazard ratios by {label(study, outcome)}, late over early"
        return finding(r.name, what, data, drawn, matters, misfit, np.exp)


def label(study: Study, name: str) -> str:
    return in_sentence(study.label(name))


def few(e: Episodes) -> str:
    return "nobody had it" if not e.happened else f"only {e.happened} event{'s' * (e.happened > 1)}"


def another_hazard(submodel: TimeToEvent) -> str:
    """What to try where events come sooner or later than predicted."""
    return f"try {submodel.event.hazard.elsewhere}, or a covariate"


def hazards(submodel: TimeToEvent, truth: Truth, e: Episodes, rng: np.random.Generator) -> np.ndarray:
    """(episode,) Cox and Snell's residuals: hazards accumulated since the start of each, up to the event or the end."""
    everyone, between = np.arange(len(e)), np.flatnonzero(e.status == INTERVAL)
    survived = looked(submodel, truth, e, e.start, e.stop, everyone).amount.sum(axis=1)
    inside = np.zeros(len(e))
    inside[between] = looked(submodel, truth, e, e.stop, e.end, between).amount.sum(axis=1)
    within = -np.log1p(rng.random(len(e)) * np.expm1(-inside))  # of an exponential that ends inside
    return np.asarray(survived + np.where(e.status == INTERVAL, within, 0.0))


def from_exponential(residuals: np.ndarray, e: Episodes) -> float:
    """How far the Kaplan-Meier curve of residuals lies from exp(-r) at most, while a tenth of them are at risk."""
    curve = kaplan_meier(np.zeros(len(e)), residuals, e.status != CENSORED)
    enough = curve.at_risk >= max(2, len(e) / 10)
    after, before = curve.value[enough], np.concatenate([[1.0], curve.value[:-1]])[enough]
    expected = np.exp(-curve.time[enough])
    return float(np.max(np.maximum(np.abs(after - expected), np.abs(before - expected)), initial=0.0))


def scatter(residuals: np.ndarray, e: Episodes) -> float:
    """The SD of patients' numbers of events around their cumulative hazards, in that of Poisson counts."""
    number = np.bincount(e.patient, e.status != CENSORED)
    expected = np.bincount(e.patient, residuals)
    return float(np.sqrt(np.sum((number - expected) ** 2) / max(float(expected.sum()), 1e-9)))


def late_less_early(submodel: TimeToEvent, truth: Truth, e: Episodes, coefficient: str, middle: float) -> float:
    """The score's step from a log hazard ratio, after a time less before it."""
    raised = _raised(truth, submodel.name, coefficient)

    def standing(start: np.ndarray, stop: np.ndarray, rows: np.ndarray) -> tuple[Looked, np.ndarray]:
        """The hazard, and the course that multiplies the coefficient."""
        own = looked(submodel, truth, e, start, stop, rows)
        return own, looked(submodel, raised, e, start, stop, rows).log_hazard - own.log_hazard

    at_risk, m = standing(e.start, e.stop, np.arange(len(e)))
    exact, between = np.flatnonzero(e.status == HAPPENED), np.flatnonzero(e.status == INTERVAL)
    happened, there = standing(e.stop, e.stop, exact)
    inside, within = standing(e.stop, e.end, between)  # an event between two visits counts where it is likely
    likely = inside.amount / np.maximum(inside.amount.sum(axis=1, keepdims=True), 1e-300)
    steps = []
    for late in (1, 0):
        risk, hit, span = ((x.time > middle) == late for x in (at_risk, happened, inside))
        compensator, information = (np.sum((m**k * at_risk.amount)[risk]) for k in (1, 2))
        score = np.mean(there * hit, axis=1).sum() + np.sum(within * likely * span) - compensator
        steps.append(float(score / max(information, 1e-9)))
    return float(np.clip(steps[0] - steps[1], -FURTHEST, FURTHEST))


def _raised(truth: Truth, event: str, coefficient: str) -> Truth:
    """The same with a log hazard ratio larger by one."""
    own = truth.outcomes[event]
    values = {**own.values, coefficient: np.asarray(own.values[coefficient]) + 1.0}
    return replace(truth, outcomes={**truth.outcomes, event: OutcomeTruth(values, own.effects)})


__all__ = ["AssociationByPeriod", "EventCurve", "HazardResiduals"]
