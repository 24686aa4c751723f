"""Every figure of a fit by its name: what it shows, of what it can be drawn, and whether it shows single patients.

The command `figure`, `report --figures` and their help read it. To add a figure: its function, and its line here.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from bayesmyo.assess.checks import CheckResult
from bayesmyo.assess.each_patient import asked
from bayesmyo.assess.tip import Tip, tip
from bayesmyo.assess.what_if import is_death
from bayesmyo.errors import UsageError, did_you_mean
from bayesmyo.figures.calibration import calibration
from bayesmyo.figures.each_patient import each_patient
from bayesmyo.figures.estimates import estimates
from bayesmyo.figures.events import cumulative_incidence, event_curve
from bayesmyo.figures.evidence import evidence
from bayesmyo.figures.forest import forest, grouped
from bayesmyo.figures.groups import groups, tells_apart
from bayesmyo.figures.overview import overview
from bayesmyo.figures.parts import warned
from bayesmyo.figures.patients import patients
from bayesmyo.figures.pit import pit
from bayesmyo.figures.predictive import predictive
from bayesmyo.figures.prior_and_posterior import prior_and_posterior
from bayesmyo.figures.priors import priors
from bayesmyo.figures.residuals import residuals
from bayesmyo.figures.responses import responses
from bayesmyo.figures.responses_by_visit import responses_by_visit
from bayesmyo.figures.shares import shares
from bayesmyo.figures.style import Drawing, title
from bayesmyo.figures.swimmer import swimmer
from bayesmyo.figures.time_course import time_course
from bayesmyo.figures.tipping_curve import tipping_curve
from bayesmyo.figures.trajectories import trajectories
from bayesmyo.figures.waterfall import changing, waterfall
from bayesmyo.inference.fit import Fit

Of = Literal["", "outcome", "estimand", "event", "rule"]
Single = Literal["never", "behind", "only"]
Key = tuple[str, ...]  # of what a figure is: nothing, one name, or a name and what it is told apart by


@dataclass(frozen=True)
class Entry:
    """One figure of the catalogue.

    Attributes
    ----------
    name : str
        That of its function in `bayesmyo.figures`.
    shows : str
        In a few words.
    of : str
        Of what it is drawn: an outcome, an estimand, an event, a rule, or ("") the whole fit.
    keys : callable
        Fit -> of what it can be drawn, each the arguments of `draw`.
    draw : callable
        (fit, key, whether single patients are shown) -> the figure.
    single : str
        Whether it shows single patients, by pseudonym: "never", "behind" where that is asked for, or "only".
    answers : bool
        Whether it shows what a fit answers, which failed checks forbid to say; not what they look at, or what was known
        before.
    """

    name: str
    shows: str
    of: Of
    keys: Callable[[Fit], Iterable[Key]]
    draw: Callable[[Fit, Key, bool], Drawing]
    single: Single = "never"
    answers: bool = True


@dataclass(frozen=True)
class Drawn:
    """A figure, and the name of a file for it, without its ending."""

    name: str
    drawing: Drawing


def _whole(fit: Fit) -> list[Key]:
    return [()]


def _outcomes(fit: Fit) -> list[Key]:
    return [(name,) for name in fit.study.outcomes]


def _estimands(fit: Fit) -> list[Key]:
    """Those that a patient can be asked."""
    names: list[Key] = []
    for name in fit.study.estimands:
        try:
            asked(fit.study, name)
        except UsageError:
            continue
        names.append((name,))
    return names


def _by_group(fit: Fit) -> list[Key]:
    return [(o, c) for o in fit.study.outcomes for c in fit.study.covariates if tells_apart(fit.study, o, c)]


def _events(fit: Fit) -> list[Key]:
    known = {n for n, c in fit.study.covariates.items() if c.levels and c.varies == "patients" and not c.group}
    return [(e, *by) for e, ev in fit.study.events.items() for by in [(), *((c,) for c in ev.named if c in known)]]


def _left(fit: Fit) -> list[Key]:
    """Estimands of decisions, or else the first, by each reason for which patients left."""
    study, exits = fit.study, fit.cohort.exits
    reasons = [r for r in dict.fromkeys(exits.reason if exits else ()) if r and not is_death(study, r)]
    names = [n for n, e in study.estimands.items() if not e.of_event]
    decided = [n for n in names if n in {d.estimand for d in study.decisions.values()}]
    return [(name, reason) for reason in reasons for name in decided or names[:1]]


@lru_cache(maxsize=4)
def _tip(fit: Fit, reason: str) -> Tip:
    return tip(fit, reasons=[reason])


def _ends(fit: Fit) -> list[Key]:
    return [()] if any(event.reasons for event in fit.study.events.values()) else []


CATALOGUE = {
    entry.name: entry
    for entry in (
        Entry("overview", "every outcome over time, a panel each, with exits and events", "", _whole,
              lambda fit, key, single: overview(fit, single), "behind"),
        Entry("trajectories", "the population over time, with its interval; patients behind it", "outcome", _outcomes,
              lambda fit, key, single: trajectories(fit, key[0], single), "behind"),
        Entry("patients", "a panel for each patient: measurements and the own curve", "outcome", _outcomes,
              lambda fit, key, single: patients(fit, key[0]), "only"),
        Entry("groups", "the population over time, group by group", "outcome", _by_group,
              lambda fit, key, single: groups(fit, key[0], key[1])),
        Entry("swimmer", "each patient a lane: visits, events, how follow-up ended", "", _whole,
              lambda fit, key, single: swimmer(fit.study, fit.cohort), "only", answers=False),
        Entry("event_curve", "Kaplan and Meier's curve beside the model, with numbers at risk", "event", _events,
              lambda fit, key, single: event_curve(fit, key[0], key[1] if len(key) > 1 else None, single), "behind"),
        Entry("cumulative_incidence", "for which reasons patients have left by each time", "", _ends,
              lambda fit, key, single: cumulative_incidence(fit.study, fit.cohort), answers=False),
        Entry("estimates", "every answer with its interval, what was believed before behind it", "",
              lambda fit: [()] if fit.study.estimands else [], lambda fit, key, single: estimates(fit)),
        Entry("forest", "an answer in each group of patients, beside that of all", "estimand",
              lambda fit: [(name,) for name in grouped(fit.study)], lambda fit, key, single: forest(fit, key[0])),
        Entry("waterfall", "how much each patient changed, the best first", "estimand",
              lambda fit: [(name,) for name in changing(fit.study)],
              lambda fit, key, single: waterfall(fit, key[0]), "only"),
        Entry("each_patient", "an answer in each patient, one below the other", "estimand", _estimands,
              lambda fit, key, single: each_patient(fit, key[0]), "only"),
        Entry("responses_by_visit", "shares of patients by category of response over time, with the lost", "rule",
              lambda fit: [(name,) for name in fit.study.responses],
              lambda fit, key, single: responses_by_visit(fit, key[0])),
        Entry("responses", "the probability of each category of response in each patient", "rule",
              lambda fit: [(name,) for name in fit.study.responses],
              lambda fit, key, single: responses(fit, key[0]), "only"),
        Entry("tipping_curve", "an answer, if those who left fared worse", "estimand", _left,
              lambda fit, key, single: tipping_curve(fit, key[0], _tip(fit, key[1]))),
        Entry("prior_and_posterior", "every parameter before the data and after, in clinical units", "outcome",
              _outcomes, lambda fit, key, single: prior_and_posterior(fit, key[0])),
        Entry("priors", "one new patient by the priors alone", "", _whole,
              lambda fit, key, single: priors(fit.study), answers=False),
        Entry("evidence", "what was published before, and the prior that it makes", "",
              lambda fit: [()] if fit.study.evidence else [],
              lambda fit, key, single: evidence(fit.study), answers=False),
        Entry("predictive", "the measurements against replicates", "outcome", _outcomes,
              lambda fit, key, single: predictive(fit, key[0]), answers=False),
        Entry("time_course", "quantiles over time against new patients", "outcome", _outcomes,
              lambda fit, key, single: time_course(fit, key[0], single), "behind", answers=False),
        Entry("shares", "zeros, ends and limits against replicates", "outcome", _outcomes,
              lambda fit, key, single: shares(fit, key[0]), answers=False),
        Entry("pit", "each measurement in its prediction from all others", "outcome", _outcomes,
              lambda fit, key, single: pit(fit, key[0]), answers=False),
        Entry("residuals", "residuals over time, and from visit to visit", "outcome", _outcomes,
              lambda fit, key, single: residuals(fit, key[0]), "only", answers=False),
        Entry("calibration", "grades, and yes and no, against their probabilities", "outcome",
              lambda fit: [(n,) for n, o in fit.study.outcomes.items() if o.family.ordinal or o.family.binary],
              lambda fit, key, single: calibration(fit, key[0]), answers=False),
    )
}  # fmt: skip


def entry_of(name: str) -> Entry:
    """The figure of that name. Raises UsageError for one that is not in the catalogue."""
    if name not in CATALOGUE:
        mend = did_you_mean(name, list(CATALOGUE)) or f"one of {', '.join(CATALOGUE)}"
        raise UsageError("NAME", "is no figure of a fit", f'"{name}"', mend)
    return CATALOGUE[name]


def keys_of(fit: Fit, entry: Entry, of: str = "", by: str = "") -> list[Key]:
    """Of what a figure of this fit is drawn, as far as it is named. Raises UsageError where there is none such."""
    keys = list(entry.keys(fit))
    if not keys:
        raise UsageError(
            "NAME", "cannot be drawn of this fit", f'"{entry.name}"', "see `bayesmyo figure` without a name"
        )
    for place, (option, asked_for) in enumerate((("--of", of), ("--by", by))):
        known = list(dict.fromkeys(key[place] for key in keys if len(key) > place))
        if asked_for and asked_for not in known:
            mend = did_you_mean(asked_for, known) or (f"one of {', '.join(known)}" if known else "leave it out")
            raise UsageError(option, f"is nothing of which {entry.name} is drawn", f'"{asked_for}"', mend)
        keys = [key for key in keys if not asked_for or (len(key) > place and key[place] == asked_for)]
    return keys


def draw(fit: Fit, entry: Entry, key: Key, single: bool = False, checks: Sequence[CheckResult] = ()) -> Drawn:
    """A figure of this fit.

    Parameters
    ----------
    single : bool
        Whether single patients are shown, by pseudonym.
    checks : sequence of CheckResult
        That have failed beside those of the fit itself, as of its prior rationale.

    Raises
    ------
    UsageError
        Where there is nothing to draw, or where the figure shows single patients alone and they are not to be shown.
    """
    if entry.single == "only" and not single:
        raise UsageError("NAME", "shows single patients, by pseudonym", f'"{entry.name}"', "add --patient-level")
    made = entry.draw(fit, key, single)
    if entry.answers and (why := warned(_about(fit, entry, key), checks)):
        title(made, made.get_suptitle(), why)
    return Drawn("-".join([entry.name, *key]), made)


def _about(fit: Fit, entry: Entry, key: Key) -> tuple[str, ...]:
    """Outcomes and events of which a figure speaks."""
    study = fit.study
    if entry.of == "estimand":
        return study.estimands[key[0]].outcomes
    if entry.of == "rule":
        return study.responses[key[0]].outcomes
    return key[:1] if entry.of else tuple(study.declared)


def every(fit: Fit, single: bool = False, checks: Sequence[CheckResult] = ()) -> Iterable[Drawn]:
    """Every figure of this fit for which there is something to draw."""
    for entry in CATALOGUE.values():
        if entry.single == "only" and not single:
            continue
        for key in entry.keys(fit):
            try:
                yield draw(fit, entry, key, single, checks)
            except UsageError:
                continue
