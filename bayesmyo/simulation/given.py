"""Truths from a fit: is it one of this study's model, and worth believing?"""

import numpy as np

from bayesmyo.assess.checks import Convergence
from bayesmyo.assess.reweight import evenly
from bayesmyo.errors import Fault, InputError
from bayesmyo.inference.arguments import known_study
from bayesmyo.inference.fit import Fit, known_fit
from bayesmyo.model.truth import Truth
from bayesmyo.study.asks import modelled_otherwise
from bayesmyo.study.parameters import all_parameters
from bayesmyo.study.study import Study

DRAWS = 1000  # at most: all that a plan holds of a posterior
NO_DESIGN = Fault(
    "study", "has no [design]: nobody knows whom to simulate", mend="declare patients, follow_up and visits"
)


def known(study: object, fit: object, analysis: object = None) -> None:
    """Raises UsageError for a path where what it holds is wanted."""
    known_study(study)
    if analysis is not None:
        known_study(analysis, "analysis")
    if fit is not None:
        known_fit(fit)


def posterior_draws(fit: Fit, study: Study, *, same_model: bool) -> Truth:
    """At most a thousand draws of a fit, evenly spread, as truths with their patients' effects.

    same_model: whether the study must be that of the fit word for word where the model is concerned; else only its
        parameters must be
    Raises InputError where it is not, where the chains have not converged, or where it is a shared copy without
    patients.
    """
    if fit.shared:
        raise _refused("is a shared copy without patient data", "ask its owner for the fit")
    if same_model:
        if differing := modelled_otherwise(fit.study, study):
            what = f"is of another model: not the study's {' and '.join(differing)}"
            raise _refused(what, "name the study that was fitted")
    else:
        ours, theirs = ({p.full_name: (p.role, p.unit) for p in all_parameters(s)} for s in (study, fit.study))
        if missing := [name for name, kind in ours.items() if theirs.get(name) != kind]:
            what = f"does not have all parameters of the study, each in the same unit: {', '.join(missing[:5])}"
            raise _refused(what, "name a study with the model that was fitted")
    checked = Convergence().run(fit)
    if not checked.passed:
        raise _refused(f"is not to be trusted: {checked.sentence}", "fit it again")
    total = int(np.prod(fit.truth.shape))
    return fit.truth.take(evenly(total, DRAWS))


def _refused(what: str, mend: str) -> InputError:
    return InputError("usage", [Fault("--from-fit", what, mend=mend)])
