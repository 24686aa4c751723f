"""Each site left out, with all its patients."""

import numpy as np
import pytest

from bayesmyo.assess.influence import influence
from bayesmyo.errors import UsageError
from bayesmyo.inference.engines import Sampling
from bayesmyo.inference.fit import fit
from bayesmyo.model.simulate import simulate
from bayesmyo.model.truth import from_scenario
from bayesmyo.study import parse_study
from tests.conftest import ROOT

DECISION = """
[decisions.high]
kind = "probability"
estimand = "at_6"
above = 55
probability = 0.9
"""
STUDY = (ROOT / "tests" / "reference" / "site_level.toml").read_text() + DECISION


@pytest.fixture(scope="module")
def fitted():
    study = parse_study(STUDY)
    cohort = simulate(study, from_scenario(study, "truth", np.random.default_rng(8)), np.random.default_rng(8)).cohort
    return fit(study, cohort, seed=2, sampling=Sampling(draws=500, tune=500, chains=2, target_accept=0.95))


@pytest.mark.sampling
def test_a_site_left_out_is_a_fit_to_the_others(fitted):
    found = influence(fitted, by="site")
    assert sorted(p.patient for p in found.patients) == ["S1", "S2", "S3", "S4", "S5", "S6"]
    assert sum(p.measurements for p in found.patients) == len(fitted.cohort.measurements["score"])
    assert "whichever site is left out" in found.sentences[0] or "without S" in found.sentences[0]
    own = np.flatnonzero(fitted.cohort.covariates["site"] == 0)
    others = fit(
        fitted.study,
        fitted.cohort.without(*own.tolist()),
        seed=9,
        sampling=Sampling(draws=500, tune=500, chains=2, target_accept=0.95),
    )
    at_6 = others.estimands["at_6"]
    flip = next(f for f in found.decisions if f.patient == "S1")
    assert flip.probability_without == pytest.approx((at_6 > 55).mean(), abs=0.06)


def test_only_groups_of_the_study_can_be_left_out(fitted_mock):
    with pytest.raises(
        UsageError, match='is not a group that an outcome of this study names; got "ward"; groups: site'
    ):
        influence(fitted_mock, by="ward")


@pytest.fixture
def fitted_mock():
    study = parse_study(STUDY)
    cohort = simulate(study, from_scenario(study, "truth", np.random.default_rng(8)), np.random.default_rng(8)).cohort
    return fit(study, cohort, engine="mock", sampling=Sampling(draws=20, tune=1, chains=2))
