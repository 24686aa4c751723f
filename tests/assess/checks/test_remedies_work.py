"""What a check advises mends what it complains of: a cohort with a planted misfit, fitted, then fitted with the
advice itself.
"""

import re

import numpy as np
import pytest

from bayesmyo.assess.checks.variance import Variance
from bayesmyo.assess.checks.zeros import Zeros
from bayesmyo.inference.engines import Sampling
from bayesmyo.inference.fit import fit
from bayesmyo.model.simulate import simulate
from bayesmyo.model.truth import from_scenario
from bayesmyo.study import parse_study
from tests.assess.checks.conftest import GAUSSIAN_TRUTH, STUDY, changed

pytestmark = pytest.mark.sampling

ARM = '\n[covariates.arm]\nlevels = ["control", "treated"]\n'
STEADY = (
    'typical = 50\nscale = 10\nfamily = { kind = "gaussian" }\ntrajectory = { kind = "linear" }\ncovariates = ["arm"]'
)
STEADY_TRUTH = GAUSSIAN_TRUTH + "\narm_treated = 2"
COUNTS = 'typical = 4\nscale = 2\nfamily = { kind = "%s" }\ntrajectory = { kind = "constant" }'
COUNTS_TRUTH = "intercept = 4\nsd_intercept = 0.3"


def planted(outcome, scenario, edit, extra="", seed=3):
    """The text of a study, and a cohort of its scenario whose measurements were changed."""
    study = parse_study(STUDY.format(outcome=outcome, scenario=scenario) + extra)
    cohort = simulate(study, from_scenario(study, "truth"), np.random.default_rng(seed)).cohort
    text = STUDY.format(outcome=outcome, scenario=scenario).split("[scenarios")[0] + extra
    rng = np.random.default_rng(seed + 100)
    return text, changed(cohort, lambda m: {"value": edit(rng, m, cohort)})


def judged(check, text, cohort):
    return check.run(fit(parse_study(text), cohort, seed=7, sampling=Sampling(draws=400, tune=600, chains=2)))


def advised(sentence, outcome="y"):
    """The table that a sentence advises, as TOML, with what it says to write into it."""
    table, keys = re.search(r"(\[outcomes\.\w+\.\w+\])(?: with)? (.*?)(?:, or |\.$)", sentence).groups()
    return f"\n{table}\n" + "\n".join(key for key in keys.split(" and ") if "=" in key)


def noisy(factor):
    """Residual noise added that is as large as `factor(measurements, cohort)` says."""
    return lambda rng, m, cohort: m.value + factor(m, cohort) * rng.standard_normal(len(m))


@pytest.mark.parametrize(
    ("factor", "advice"),
    [
        (lambda m, c: np.where(c.covariates["arm"][m.patient] == 1, 12.0, 0.0), 'covariates = ["arm"]'),
        (lambda m, c: 12.0 * np.maximum(1 - m.time / 24, 0.0), 'trajectory = { kind = "linear" }'),
        (lambda m, c: np.where(m.patient % 4 == 0, 16.0, 0.0), 'effects = ["intercept"]'),
    ],
    ids=["arm", "time", "patients"],
)
def test_measurements_that_scatter_unalike(factor, advice):
    text, cohort = planted(STEADY, STEADY_TRUTH, noisy(factor), ARM)
    first = judged(Variance(), text, cohort)
    assert not first.passed
    assert first.sentence.endswith(f"write a table [outcomes.y.sigma] with {advice}.")
    second = judged(Variance(), text + advised(first.sentence), cohort)
    assert second.passed, second.sentence


def test_zeros_that_are_no_counts():
    """A family of overdispersed counts is named first; where its zeros are too few as well, a table of their own."""
    edit = lambda rng, m, cohort: np.where(rng.random(len(m)) < 0.35, 0.0, m.value)  # noqa: E731
    text, cohort = planted(COUNTS % "poisson", COUNTS_TRUTH, edit)
    first = judged(Zeros(), text, cohort)
    assert "try the family negative_binomial; if its zeros are too few as well, write a table" in first.sentence
    mended = text + advised(first.sentence) + "\ntypical = 0.3\nscale = 0.1"
    second = judged(Zeros(), mended, cohort)
    assert second.passed, second.sentence


def test_zeros_that_are_too_few():
    """Who is seen at a visit at all has had one event: counts without zeros, which only a hurdle allows."""
    edit = lambda rng, m, cohort: np.maximum(m.value, rng.random(len(m)) < 0.95)  # noqa: E731
    text, cohort = planted(
        (COUNTS % "negative_binomial").replace("= 4", "= 1.5"), "intercept = 1.5\nsd_intercept = 0.3\ncv = 0.5", edit
    )
    first = judged(Zeros(), text, cohort)
    assert not first.passed
    assert "fewer than the family negative_binomial allows: write a table [outcomes.y.zero] with" in first.sentence
    second = judged(Zeros(), text + advised(first.sentence) + "\ntypical = 0.1\nscale = 0.05", cohort)
    assert second.passed, second.sentence


def test_zeros_that_come_late():
    edit = lambda rng, m, cohort: np.where(rng.random(len(m)) < 0.5 * m.time / 24, 0.0, m.value)  # noqa: E731
    text, cohort = planted(COUNTS % "poisson", COUNTS_TRUTH, edit)
    text += "\n[outcomes.y.zero_inflation]\ntypical = 0.3\nscale = 0.1\n"
    first = judged(Zeros(), text, cohort)
    assert not first.passed
    assert (
        'give the table [outcomes.y.zero_inflation] trajectory = { kind = "linear" }, or covariates' in first.sentence
    )
    second = judged(Zeros(), text + advised(first.sentence).split("]\n")[1], cohort)
    assert second.passed, second.sentence
