"""Categories of response: how many of these patients, by a declared rule, at a stated time, the lost among them.

A patient's category is judged on expected trajectories, draw by draw. A patient in whom an outcome of the rule was last
measured before the time of the rule, because the patient left or because the cell is empty, is predicted from the
trajectory that was seen; that is right if patients do not leave because of what their next visits would have shown. The
bounds beside each count need no such belief: all those who are predicted have it, or none has. A visit shortly before
the time of the rule counts as one at it only where the rule declares a window.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from bayesmyo.assess.estimate import Said, tails
from bayesmyo.cohort.cohort import Cohort
from bayesmyo.components.estimands import all_met
from bayesmyo.components.numbers import listing
from bayesmyo.inference.fit import Fit
from bayesmyo.model.prediction import TruthPrediction
from bayesmyo.study import describe
from bayesmyo.study.predictors import predictors
from bayesmyo.study.study import MONTHS_PER, Response, Study

Levels = dict[tuple[str, float], np.ndarray]
UNEVEN = 3.0  # days by which months, or years, of the calendar differ from their mean
NONE = "none of these"  # where no category takes everyone else


@dataclass(frozen=True)
class Category:
    """How many patients have one category of response.

    Attributes
    ----------
    criteria, outcomes : str, tuple of str
        In words; and the outcomes of this category's criteria and of those before it.
    median, lower, upper, mean : int, int, int, float
        Of the count, over the draws; lower and upper at the ends of the study's interval.
    worst, best : int
        The median count if none, or all, of the patients who are predicted have it.
    sentence : str
        What may be repeated.
    verdict : str, optional
        Prior against data, as in `verdict.py`; None where it was not asked.
    withheld : bool
        A check has failed, or it turns on the prior: the counts are for whoever mends the model, not for a reader.
    """

    name: str
    criteria: str
    outcomes: tuple[str, ...]
    median: int
    lower: int
    upper: int
    mean: float
    worst: int
    best: int
    sentence: str
    verdict: str | None = None
    withheld: bool = False


@dataclass(frozen=True)
class PatientResponse:
    """One patient by pseudonym: the probability of each category.

    Attributes
    ----------
    last_seen : float, optional
        The time of the last measurement of any outcome of the study; None where there is none.
    missing : dict of str to float or None
        The outcomes of the rule that were not measured at its time or later, nor within its window before, each with
        the time at which it was last measured (None: never).
    seen : bool
        Whether none is missing, or an event is known that decides; otherwise the patient is predicted.
    probabilities : dict of str to float
        Of each category.
    """

    patient: str
    last_seen: float | None
    missing: dict[str, float | None]
    seen: bool
    probabilities: dict[str, float]


@dataclass(frozen=True)
class Responses(Said):
    """One rule's categories in these patients.

    Attributes
    ----------
    rule : bool
        Whether the study names it as its own.
    at, window, from_ : float
        The time of the rule, how long before it a visit counts, and the time with which it compares, in the study's
        unit.
    patients, not_seen : int
        All, and those in whom an outcome of the rule was last measured more than `window` before `at`, and no event
        that decides is known.
    categories, each : tuple
        By category, and by patient.
    notes : tuple of str
        What the trajectories of its outcomes cannot say.
    """

    name: str
    title: str
    rule: bool
    at: float
    window: float
    from_: float | None
    outcomes: tuple[str, ...]
    patients: int
    not_seen: int
    interval: float
    categories: tuple[Category, ...]
    each: tuple[PatientResponse, ...]
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """The JSON form: `from` is null where no criterion compares two times."""
        fields = super().as_dict()
        compared, each = fields.pop("from_"), fields.pop("each")
        return fields | {"from": compared, "by_patient": each}

    def table(self) -> pd.DataFrame:
        """One row for each category: counts over the draws, and their bounds."""
        return pd.DataFrame([asdict(c) for c in self.categories]).set_index("name")

    def by_patient(self) -> pd.DataFrame:
        """One row for each patient: when last seen, what is missing of the rule, the probability of each category."""
        first = ({"patient": p.patient, "last_seen": p.last_seen, "missing": ", ".join(p.missing)} for p in self.each)
        rows = [row | {"seen": p.seen, **p.probabilities} for row, p in zip(first, self.each, strict=True)]
        return pd.DataFrame(rows).set_index("patient")


def rules(fit: Fit) -> list[Responses]:
    """Every response rule of the study, the study's own first: how many of these patients have each category, whatever
    may be said of it. Raises StorageError for a shared copy, which has no patients."""
    study = fit.study
    own = study.rule or (next(iter(study.responses)) if len(study.responses) == 1 else "")
    ordered = sorted(study.responses, key=lambda name: name != own)
    return [_judged(fit, name, study.responses[name], name == own) for name in ordered]


def assigned(
    fit: Fit, response: Response, prediction: TruthPrediction | None = None, levels: Levels | None = None
) -> np.ndarray:
    """(chain, draw, patient) the position of each patient's category; one past the last where none is met.

    prediction: by default that of the fit
    levels: those of each patient by outcome and time, as far as they are known; what is asked beside is added
    """
    prediction, levels = prediction or fit.prediction, {} if levels is None else levels

    def level(outcome: str, time: float) -> np.ndarray:
        if (outcome, time) not in levels:
            levels[outcome, time] = prediction.each(outcome, time)
        return levels[outcome, time]

    positions = np.full((*prediction.truth.shape, len(fit.cohort)), len(response.categories))
    free = prediction.free(response.free)
    for position, criteria in reversed(list(enumerate(response.categories.values()))):
        met = all_met(criteria, response.at, response.from_, level)
        positions = np.where(met & free if criteria else met, position, positions)
    return positions


def decided(cohort: Cohort, response: Response) -> np.ndarray:
    """(patient,) who is known to have had an event of which the rule asks to be free."""
    had = np.zeros(len(cohort), dtype=bool)
    for event, until in response.free.items():
        had |= cohort.events[event].first(len(cohort))[1] <= until
    return had


def last_measured(cohort: Cohort, outcomes: Sequence[str]) -> dict[str, np.ndarray]:
    """Of each outcome, (patient,) the time at which it was last measured; -inf where it never was."""
    latest = {outcome: np.full(len(cohort), -np.inf) for outcome in outcomes}
    for outcome, last in latest.items():
        m = cohort.measurements[outcome]
        np.maximum.at(last, m.patient, m.time)
    return latest


def category_names(response: Response) -> list[str]:
    """Every category of a rule, and one for those who have none of them."""
    return [*response.categories] + [NONE] * bool([*response.categories.values()][-1])


def category_outcomes(response: Response, k: int) -> tuple[str, ...]:
    """The outcomes of the criteria of a category, and of those before it."""
    asked = [*response.categories.values()][: k + 1]
    return tuple(dict.fromkeys(o for criteria in asked for o in criteria))


def earliest(study: Study, response: Response) -> float:
    """From when on a visit counts as one at the time of a rule. Months of the calendar are not all alike: of dates, a
    visit on the day of an anniversary counts, though it may be days short of so many months of 30.44 days."""
    dated = study.time.date is not None
    return response.at - response.window - (UNEVEN * MONTHS_PER["day"] / MONTHS_PER[study.time.unit] if dated else 0.0)


def _judged(fit: Fit, name: str, response: Response, own: bool) -> Responses:
    study, cohort, since = fit.study, fit.cohort, earliest(fit.study, response)
    position = assigned(fit, response)
    every = last_measured(cohort, tuple(study.outcomes))
    last = {outcome: every[outcome] for outcome in response.outcomes}
    seen = np.all([times >= since for times in last.values()], axis=0) | decided(cohort, response)
    names = category_names(response)
    has = np.stack([position == k for k in range(len(names))])  # (category, chain, draw, patient)
    lost = _lost(study, response, {outcome: times[~seen] for outcome, times in last.items()})
    chance = has.mean(axis=(1, 2))
    each = tuple(
        PatientResponse(
            patient,
            _time(max(times[i] for times in every.values())),
            {o: _time(times[i]) for o, times in last.items() if times[i] < since},
            bool(seen[i]),
            {category: float(chance[k, i]) for k, category in enumerate(names)},
        )
        for i, patient in enumerate(cohort.pseudonyms())
    )
    return Responses(
        name=name,
        title=response.title,
        rule=own,
        at=response.at,
        window=response.window,
        from_=response.from_ if response.compares else None,
        outcomes=response.outcomes,
        patients=len(cohort),
        not_seen=int((~seen).sum()),
        interval=study.interval,
        categories=tuple(_category(study, name, response, k, names[k], has[k], seen, lost) for k in range(len(names))),
        each=each,
        notes=notes(study, response),
    )


def _category(
    study: Study, rule: str, response: Response, k: int, name: str, has: np.ndarray, seen: np.ndarray, lost: str
) -> Category:
    """has: (chain, draw, patient) whether a patient has the category; seen: (patient,) who is not predicted"""
    counts, among_seen, not_seen = has.sum(axis=-1), has[..., seen].sum(axis=-1), int((~seen).sum())
    lower, median, upper = (int(q) for q in np.quantile(counts, tails(study), method="inverted_cdf"))
    worst = int(np.quantile(among_seen, 0.5, method="inverted_cdf"))
    asked = [*response.categories.values()][: k + 1]
    outcomes = category_outcomes(response, k)
    criteria = describe.criteria(study, response, asked[k] if k < len(asked) else {})
    before = " or ".join(n.replace("_", " ") for n in [*response.categories][:k])
    judged = f"not {before}, and {criteria}" if k and k < len(asked) and asked[k] else criteria
    title = name.replace("_", " ")
    text = (
        f"{title[0].upper()}{title[1:]} at {study.time.unit} {response.at:g} by the rule {rule} ({judged}): "
        f"{median} of {len(seen)} patients ({study.interval:.0%} interval {lower} to {upper})"
    )
    best = worst + not_seen
    if not_seen:
        few = "without or with that patient" if not_seen == 1 else "none or all of them"
        text += f"; {lost} ({few}: {worst} to {best})"
    return Category(name, criteria, outcomes, median, lower, upper, float(counts.mean()), worst, best, f"{text}.")


def _time(last: float) -> float | None:
    return float(last) if np.isfinite(last) else None


def _lost(study: Study, response: Response, last: dict[str, np.ndarray]) -> str:
    """Which outcomes were last measured before the time of a rule, in how many patients, and how close to it.

    last: of each outcome, (patient,) when it was last measured in those who are predicted; -inf for never
    """
    since, when = earliest(study, response), f"{study.time.unit} {response.at - response.window:g}"
    earlier = {o: int((times < since).sum()) for o, times in last.items() if (times < since).any()}
    n = len(next(iter(last.values())))
    if n == 0:
        return ""
    named = {o: study.named[o].label for o in earlier}
    together = set(earlier.values()) == {n}
    subject = listing([named[o] if together else f"{named[o]} in {k}" for o, k in earlier.items()])
    limiting = np.min([*last.values()], axis=0)
    latest = ""
    if np.isfinite(limiting.max()):
        then = f"at {study.time.unit} {np.floor(100 * limiting.max()) / 100:g}"  # never rounded up to the time itself
        latest = f" ({then})" if n == 1 else f" (the latest {then})"
    text = f"{subject} {'was' if len(earlier) == 1 else 'were'} last measured before {when}"
    people = "one patient" if n == 1 else f"{n} patients"
    text += f" in {n}{latest}" if together else f"{latest}: {people}"
    text += f", who {'is predicted from its own trajectory' if n == 1 else 'are predicted from their own trajectories'}"
    if never := int(np.isneginf(limiting).sum()):
        without = [named[o] for o, times in last.items() if np.isneginf(times).any()]
        text += f", {never} of them without any measurement of {listing(without, 'or')}"
    return text


def notes(study: Study, response: Response) -> tuple[str, ...]:
    """What the trajectories of a rule's outcomes cannot say."""
    level = [o for o in response.outcomes if any(p.trajectory.levels_off for p in predictors(study, o))]
    if not level:
        return ()
    listed = listing([study.named[outcome].label for outcome in level])
    return (
        f"A plateau cannot relapse: the trajectory of {listed} approaches a level and stays there, so a patient "
        "who relapses after the last visit is counted as one who does not.",
    )
