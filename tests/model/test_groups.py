"""Groups to which patients belong: told, read, simulated and asked of."""

import numpy as np
import pytest

from bayesmyo.cohort.covariates import level_counts
from bayesmyo.cohort.evidence import lacking
from bayesmyo.errors import StudyError
from bayesmyo.model.prediction import TruthPrediction
from bayesmyo.model.simulate import simulate
from bayesmyo.model.truth import from_priors, from_scenario
from bayesmyo.study import describe, in_r, parse_study
from bayesmyo.study.parameters import parameters
from tests.conftest import ROOT

TEXT = (ROOT / "tests" / "reference" / "site_level.toml").read_text()
STUDY = parse_study(TEXT)


def test_sites_of_a_scenario_are_drawn_with_the_sd_that_it_states():
    rng = np.random.default_rng(1)
    drawn = [from_scenario(STUDY, "truth", rng).outcomes["score"].values for _ in range(400)]
    sites = np.array([[v[f"site_s{k}"] for k in range(1, 7)] for v in drawn])
    assert sites.std() == pytest.approx(4, rel=0.05)
    assert np.abs(np.corrcoef(sites.T) - np.eye(6)).max() < 0.2
    alike = from_scenario(STUDY, "truth").outcomes["score"].values  # without a generator: an average site
    assert {float(alike[f"site_s{k}"]) for k in range(1, 7)} == {0.0}


def test_priors_of_sites_follow_their_sd():
    values = from_priors(STUDY, np.random.default_rng(2), (20_000,)).outcomes["score"].values
    assert np.std(values["site_new"] / values["sd_site"]) == pytest.approx(1, rel=0.02)
    prior = parameters(STUDY, "score")["site_s1"].prior
    assert str(prior) == "normal(0, sd_site)"
    assert prior.quantile(0.5) == pytest.approx(0, abs=0.02)
    assert prior.quantile(0.9) == pytest.approx(np.quantile(values["site_s1"], 0.9), rel=0.05)


def test_a_new_site_differs_from_an_average_one_by_what_sites_differ_by():
    rng = np.random.default_rng(3)
    found = simulate(STUDY, from_scenario(STUDY, "truth", rng), rng)
    values = found.truth.outcomes["score"].values
    prediction = TruthPrediction(STUDY, found.truth)

    def at(given, population="population average"):
        return float(prediction.level("score", 6.0, population, given=given))

    average = float(values["intercept"] + 6 * values["slope"])
    assert at({}, "average patient") == pytest.approx(average)
    for site in ("S1", "S6", "new"):
        assert at({"site": site}) == pytest.approx(average + float(values[f"site_{site.lower()}"]))
    own = np.mean([float(values[f"site_s{int(k) + 1}"]) for k in found.cohort.covariates["site"]])
    assert at({}) == pytest.approx(average + own)  # patients of these sites, as many as each has
    assert set(found.cohort.covariates["site"]) == {0, 1, 2, 3, 4, 5}  # and none of a new one
    assert level_counts(STUDY, found.cohort)["site"] == dict.fromkeys(("S1", "S2", "S3", "S4", "S5", "S6"), 4)
    assert not lacking(STUDY, found.cohort, STUDY.estimands["new_site"])


def test_it_is_told_in_words_formula_and_r():
    assert "site[k] ~ Normal(0, sd_site)" in describe.formula(STUDY, "score")
    assert "(1 | site)" in in_r.likelihood(STUDY, "score")
    assert "(1 | site)" in in_r.brms(STUDY, "score")
    moved = parse_study(
        TEXT.replace('covariates = ["site"]', 'moderators = ["site"]')
        .split("[scenarios")[0]
        .replace("sd_site", "sd_slope_site")
    )
    assert "(0 + month | site)" in in_r.likelihood(moved, "score")
    assert "slope[i] = slope + slope_site[site[i]] + b_slope[i]" in describe.formula(moved, "score")


@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        ('"S6"]', '"new"]', "groups.site.levels: is the level of every group that is not in the table"),
        (
            'levels = ["S1", "S2", "S3", "S4", "S5", "S6"]',
            'levels = ["S1"]',
            "groups.site.levels: needs two levels or more",
        ),
        ("[groups.site]", '[covariates.site]\nlevels = ["a", "b"]\n[groups.site]', "groups.site: is a covariate too"),
        (
            'sd_site = "halfnormal(10)"',
            'site_s1 = "normal(0, 1)"',
            "outcomes.score.priors.site_s1: has no prior of its own",
        ),
        ("[groups.site]", "[groups.site]\nshares = [1]", "groups.site.shares: is not a key here"),
    ],
)
def test_faults_of_groups(before, after, fault):
    assert before in TEXT
    with pytest.raises(StudyError) as error:
        parse_study(TEXT.replace(before, after))
    assert fault in str(error.value)
