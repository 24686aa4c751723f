"""All that a report says, computed once, before a word is written."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from bayesmyo.assess.beside import Beside, beside
from bayesmyo.assess.check import check
from bayesmyo.assess.checks import CheckResult
from bayesmyo.assess.checks.refitted import influence_result, sensitivity_result
from bayesmyo.assess.claims import Claims, claims, influential
from bayesmyo.assess.correlations import Correlation
from bayesmyo.assess.estimate import DecisionResult, Estimate, ParameterEstimate, parameter_estimates
from bayesmyo.assess.influence import Influence, influence
from bayesmyo.assess.prior import PriorBelief, check_prior, prior_beliefs
from bayesmyo.assess.refits import Refits
from bayesmyo.assess.responses import Responses
from bayesmyo.assess.sensitivity import prior_sensitivities
from bayesmyo.assess.tip import Tip, tip
from bayesmyo.assess.verdict import PriorSensitivity
from bayesmyo.assess.what_if import is_death
from bayesmyo.assess.withhold import reasons, withhold
from bayesmyo.errors import UsageError
from bayesmyo.inference.fit import Fit
from bayesmyo.report.simulations import Simulated
from bayesmyo.study import describe
from bayesmyo.study.statements import Statements
from bayesmyo.study.study import Study
from bayesmyo.study.write import study_hash

Progress = Callable[[int, int], None]
DEFAULTS = (
    "Every prior is a default of the tool, which follows from the typical value and the spread that the study declares."
)


@dataclass(frozen=True, eq=False)
class Results:
    """What the checks found, and what may be said of a fit.

    stated: what only the author knows; checks: all of them, `failed` those that withhold; influence: None where no
        patient was left out
    estimates, decisions, responses, correlations: each with its sentence, or why there is none
    patient_level: whether figures and tables show single patients, by pseudonym
    power, calibration: of simulation studies; None where none was given; beside: other models of the same measurements
    tips: what those who left could change, reason by reason

    """

    fit: Fit
    stated: Statements
    checks: tuple[CheckResult, ...]
    estimates: tuple[Estimate, ...]
    decisions: tuple[DecisionResult, ...]
    sensitivities: tuple[PriorSensitivity, ...]
    responses: tuple[Responses, ...]
    correlations: tuple[Correlation, ...]
    parameters: tuple[ParameterEstimate, ...]
    prior_check: CheckResult
    beliefs: tuple[PriorBelief, ...]
    influence: Influence | None
    refitted: bool
    patient_level: bool
    power: Simulated | None = None
    calibration: Simulated | None = None
    beside: tuple[Beside, ...] = ()
    tips: tuple[Tip, ...] = ()

    @property
    def study(self) -> Study:
        return self.fit.study

    @property
    def failed(self) -> tuple[CheckResult, ...]:
        return tuple(r for r in self.checks if not r.passed)

    @property
    def claims(self) -> Claims:
        """What may be said, for whoever draws it."""
        return Claims(self.estimates, self.decisions, self.sensitivities, self.correlations, self.responses)

    def held(self, *outcomes: str) -> str:
        """Why nothing is claimed of these outcomes; empty where it may be."""
        return reasons(outcomes, self.failed)

    def says(self, row: Estimate | DecisionResult) -> bool:
        """Whether an estimand or a decision may be claimed."""
        return not row.withheld

    @property
    def contrasts(self) -> tuple[tuple[str, str, str], ...]:
        """(covariate, level, reference) of each two kinds of patients that are compared, in words."""
        labels = {name: c.label or name for name, c in self.study.covariates.items()}
        asked = (e.contrast for e in self.study.estimands.values() if e.contrast)
        return tuple(dict.fromkeys((labels[c.covariate], _level(c.level), _level(c.reference)) for c in asked))


def results(
    fit: Fit, *, stated: Statements | None = None, refit: bool = False, patient_level: bool = False,
    power: Simulated | None = None, calibration: Simulated | None = None, others: Sequence[Fit] = (), progress: Progress | None = None,
) -> Results:  # fmt: skip
    """Compute everything that a page says.

    Parameters
    ----------
    fit : Fit
        What is told.
    stated : Statements, optional
        What only the author knows; by default what the study states.
    refit : bool
        Leave out patients and change priors by sampling again (minutes).
    patient_level : bool
        Show single patients, by pseudonym.
    power, calibration : Simulated, optional
        Of simulation studies of the same study.
    others : sequence of Fit
        Fits of the same measurements by other models.
    progress : callable, optional
        Called with (done, of) while the model is sampled again.

    Returns
    -------
    Results
        Read `failed` first: what is claimed of an outcome is withheld where a check of it failed.
    """
    models = tuple(beside(fit, others))
    stated = stated or fit.study.report or Statements()
    checks = [*check(fit), rationale(fit.study, stated)]
    left_out, sensitivities = None, None
    if refit and checks[0].passed and not fit.shared:
        refits = Refits(fit)
        left_out = influence(fit, refits=refits, progress=progress)
        sensitivities = prior_sensitivities(fit, refits=refits, power_scaling=True)
        checks += [influence_result(fit, left_out), sensitivity_result(sensitivities)]
    if calibration is not None:
        few: Literal["", "cannot"] = "cannot" if calibration.passed is None else ""
        said_of_it = " ".join(calibration.sentences)
        checks.append(CheckResult("calibration", calibration.passed is not False, said_of_it, unjudged=few))
    failed = [c for c in checks if not c.passed]
    said = claims(fit, failed, sensitivities, progress)
    left_out = left_out and influential(left_out, said.decisions)
    return Results(
        fit, stated, tuple(checks), said.estimates, said.decisions, said.sensitivities,
        said.responses, said.correlations, tuple(parameter_estimates(fit)),
        check_prior(fit.study), tuple(prior_beliefs(fit.study)), left_out, left_out is not None, patient_level and not fit.shared,
        power, calibration, models, tuple(_tips(fit, failed)),
    )  # fmt: skip


def _tips(fit: Fit, failed: Sequence[CheckResult]) -> list[Tip]:
    """What those who left for each reason could change, but for death, after which nothing is asked."""
    exits = None if fit.shared else fit.cohort.exits
    of_outcomes = fit.study.responses or not all(e.of_event for e in fit.study.estimands.values())
    if exits is None or not of_outcomes:
        return []
    reasons = [r for r in dict.fromkeys(exits.reason) if r and not is_death(fit.study, r)]
    told = (tip(fit, reasons=[reason]) for reason in reasons)
    return [replace(t, points=tuple(withhold(list(t.points), failed))) for t in told]


def _level(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def statements(fit: Fit, study: Study) -> Statements:
    """What another file of the same study states. Raises UsageError where it asks another question, or states
    nothing."""
    if study_hash(study) != study_hash(fit.study):
        mend = "only [report] may differ; fit it anew"
        raise UsageError("--study", "asks another question than the fit", f'"{study.title}"', mend)
    if study.report is None:
        raise UsageError("--study", "has no table [report]", f'"{study.title}"', "write one, as `bayesmyo init` shows")
    return study.report


def rationale(study: Study, stated: Statements) -> CheckResult:
    """Priors that an author has stated decide with the data: nothing is claimed of their outcomes until it is said
    why."""
    own = {p.outcome: p for p in describe.priors(study) if p.stated and p.outcome in study.outcomes}
    if not own or stated.priors:
        return CheckResult("prior rationale", True, "Every stated prior comes with a rationale." if own else DEFAULTS)
    labels = ", ".join(study.label(o) for o in own)
    sentence = (
        f"Priors are stated for {labels}, and nothing says why: "
        'write priors = "..." in the table [report] of the study, and the report again.'
    )
    return CheckResult("prior rationale", False, sentence, outcomes=tuple(own))
