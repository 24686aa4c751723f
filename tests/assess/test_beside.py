"""Other models of the same measurements: what may stand beside a fit, and what is said of it."""

from dataclasses import replace

import numpy as np
import pytest

from bayesmyo.assess.beside import beside
from bayesmyo.errors import UsageError
from bayesmyo.model import simulate_scenario
from bayesmyo.report.blocks import Paragraph, Table
from bayesmyo.report.results import results
from bayesmyo.report.sections.checklist import items
from bayesmyo.report.sections.other_models import other_models
from bayesmyo.study import parse_study
from tests.conftest import SMALL, fit_of, independent_draws

ROBUST = (
    SMALL.replace('title = "Small"', 'title = "Robust"')
    .replace('kind = "gaussian"', 'kind = "student_t"')
    .replace("sigma = 4 }", "sigma = 4, nu = 8 }")
)


def fitted(text, cohort):
    study = parse_study(text)
    return fit_of(study, cohort, independent_draws(study, cohort))


@pytest.fixture(scope="module")
def robust(small_cohort):
    return fitted(ROBUST, small_cohort)


@pytest.fixture(scope="module")
def told(good_fit, robust):
    return results(good_fit, others=[robust])


def texts(section, kind):
    return [b.text for b in section.blocks if isinstance(b, Paragraph) and b.kind == kind]


def test_the_answers_of_another_model_are_those_of_its_own_draws(good_fit, robust, told):
    (other,) = told.beside
    assert other.title == "Robust"
    assert len(other.differs) == 1
    assert other.differs[0].startswith("Strength: ")
    (table,) = (b for b in other_models(told).blocks if isinstance(b, Table))
    row, rule = table.rows
    quantiles = [np.quantile(f.estimands["cpk_ratio_12"], [0.5, 0.025, 0.975]) for f in (good_fit, robust)]
    assert [c.value for c in row[2:8]] == pytest.approx(np.concatenate(quantiles))
    sd = (quantiles[0][2] - quantiles[0][1]) / (2 * 1.959964)
    assert row[8].value == pytest.approx((quantiles[1][0] - quantiles[0][0]) / sd, rel=1e-5)
    assert (rule[2], rule[5]) == ("met", "met")
    assert texts(other_models(told), "passed") == ["Both models come to the same decision: cpk_halved."]


def test_a_decision_that_depends_on_the_model_is_said_first(told):
    (other,) = told.beside
    (rule,) = other.decisions
    turned = replace(told, beside=(replace(other, decisions=(replace(rule, met=False),)),))
    (said,) = texts(other_models(turned), "withheld")
    assert said == "The decision cpk_halved depends on the model: it is met here, and not met under the other."
    assert not texts(other_models(turned), "passed")


def test_a_model_that_fails_its_checks_claims_nothing(good_fit, small_cohort):
    study = parse_study(ROBUST)
    draws = independent_draws(study, small_cohort)
    draws.stats["diverging"][:] = True
    told = results(good_fit, others=[fit_of(study, small_cohort, draws)])
    section = other_models(told)
    assert any("4,000 of 4,000 draws diverged" in t for t in texts(section, "failed"))
    (table,) = (b for b in section.blocks if isinstance(b, Table))
    assert [row[5] for row in table.rows] == ["withheld", "withheld"]
    assert not texts(section, "passed")


def test_the_checklist_knows_whether_it_was_done(good, told):
    state = {what: state for what, _, state, _ in items(good)}
    assert state["Sensitivity to the likelihood"] == "NOT DONE"
    assert {what: s for what, _, s, _ in items(told)}["Sensitivity to the likelihood"] == "given"
    assert "NOT DONE" in texts(other_models(good), "note")[0]


@pytest.fixture(scope="module")
def good(good_fit):
    return results(good_fit)


def test_what_cannot_stand_beside_is_refused(good_fit, robust, small_cohort):
    with pytest.raises(UsageError, match="are of one model"):
        beside(good_fit, [good_fit])
    fewer = simulate_scenario(parse_study(ROBUST), "improves", seed=3, patients=6).cohort
    with pytest.raises(UsageError, match="fits of different patients"):
        beside(good_fit, [fitted(ROBUST, fewer)])
    others = simulate_scenario(parse_study(ROBUST), "improves", seed=77).cohort
    assert others.patients == small_cohort.patients
    with pytest.raises(UsageError, match="has different measurements"):
        beside(good_fit, [fitted(ROBUST, others)])
    with pytest.raises(UsageError, match="ask nothing alike"):
        beside(good_fit, [fitted(ROBUST.replace("to = 12", "to = 24"), small_cohort)])
