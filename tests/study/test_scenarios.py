"""Scenarios that leave some of the truth uncertain: each simulated cohort draws its own, and power over it is
assurance.
"""

import numpy as np
import pytest
from scipy import stats

from bayesmyo.errors import StudyError, UsageError
from bayesmyo.model import simulate_scenario
from bayesmyo.model.truth import from_scenario
from bayesmyo.study import parse_study
from bayesmyo.study.scenarios import design_priors
from bayesmyo.study.write import study_hash, to_toml
from tests.conftest import SMALL

HOPE = """
[scenarios.hope]
like = "improves"
strength = { slope = "normal(0.5, 0.2)", sd_slope = "halfnormal(0.3)" }
cpk = { asymptote = "lognormal(5.3, 0.3)" }
"""


@pytest.fixture(scope="module")
def hope():
    return parse_study(SMALL + HOPE)


def faults(text):
    with pytest.raises(StudyError) as error:
        parse_study(text)
    return {f.where: str(f) for f in error.value.faults}


def test_a_truth_is_drawn_from_the_design_priors_in_the_units_of_scenarios(hope, rng):
    truths = [from_scenario(hope, "hope", rng) for _ in range(1500)]
    drawn = {
        k: np.array([t.value(*k.split(".")) for t in truths])
        for k in ("strength.slope", "strength.sd_slope", "cpk.asymptote")
    }
    assert stats.kstest(drawn["strength.slope"], stats.norm(0.5, 0.2).cdf).pvalue > 0.001
    assert stats.kstest(drawn["strength.sd_slope"], stats.halfnorm(0, 0.3).cdf).pvalue > 0.001
    # stated in IU/L, log-normal; kept on the link scale, normal
    assert stats.kstest(drawn["cpk.asymptote"], stats.norm(5.3, 0.3).cdf).pvalue > 0.001
    assert abs(np.corrcoef(drawn["strength.slope"], drawn["cpk.asymptote"])[0, 1]) < 0.1
    assert {float(t.value("cpk", "start")) for t in truths} == {float(np.log(800))}


def test_what_is_stated_as_a_number_draws_nothing(hope):
    rng = np.random.default_rng(1)
    from_scenario(hope, "improves", rng)
    assert rng.random() == np.random.default_rng(1).random()


def test_a_scenario_with_design_priors_needs_a_generator(hope):
    with pytest.raises(UsageError, match=r"leaves strength.slope, strength.sd_slope, cpk.asymptote uncertain"):
        from_scenario(hope, "hope")
    assert design_priors(hope, "improves") == {}


def test_a_simulated_cohort_draws_its_own_truth(hope):
    slopes = [float(simulate_scenario(hope, "hope", seed).truth.value("strength", "slope")) for seed in (1, 2, 1)]
    assert slopes[0] == slopes[2] != slopes[1]


def test_it_is_written_as_it_was_read(hope):
    again = parse_study(to_toml(hope))
    assert again == hope
    assert again.scenarios["hope"].values["strength"]["slope"] == "normal(0.5, 0.2)"
    assert study_hash(again) == study_hash(hope)


def test_it_can_be_taken_over(hope):
    study = parse_study(SMALL + HOPE + '[scenarios.sure]\nlike = "hope"\nstrength = { slope = 0.4 }\n')
    assert design_priors(study, "sure").keys() == {"strength.sd_slope", "cpk.asymptote"}


@pytest.mark.parametrize(
    ("stated", "where", "what"),
    [
        ('sd_slope = "normal(0.3, 0.2)"', "strength.sd_slope",
         "is a design prior of what must be positive, and 0.5% of it lies below -0.2152"),
        ('sd_slope = "halfnorm(1)"', "strength.sd_slope", 'unknown distribution "halfnorm"'),
        ('sd_slope = "normal(1)"', "strength.sd_slope", "normal takes 2 arguments: normal(mean, sd)"),
        ('sd_slope = "0.3"', "strength.sd_slope", 'must be a number, or a design prior; got "0.3"; such as'),
        ('correlation = "normal(0, 0.5)"', "strength.correlation",
         "must lie between -1 and 1, and 0.5% of it lies below -1.288"),
        ('slop = "normal(0, 1)"', "strength.slop", 'did you mean "slope"?'),
        ("slope = true", "strength.slope", "must be a number"),
    ],
)  # fmt: skip
def test_a_design_prior_of_what_cannot_be(stated, where, what):
    text = SMALL + HOPE.replace('slope = "normal(0.5, 0.2)", sd_slope = "halfnormal(0.3)"', stated)
    assert what in faults(text)[f"scenarios.hope.{where}"]


def test_all_faults_are_found_at_once():
    text = SMALL + HOPE.replace("halfnormal(0.3)", "halfnormal(0)").replace("lognormal(5.3, 0.3)", "normal(100, 60)")
    assert faults(text).keys() == {"scenarios.hope.strength.sd_slope", "scenarios.hope.cpk.asymptote"}


def test_a_prior_that_cannot_be_read_is_no_crash_beside_a_design_prior_that_cannot():
    text = SMALL.replace("[estimands", 'priors = { sigma = "zzz" }\n\n[estimands', 1) + HOPE.replace(
        "lognormal(5.3, 0.3)", "zzz"
    )
    assert [where for where in faults(text) if where.startswith("outcomes")] == ["outcomes.cpk.priors.sigma"]


def test_what_is_taken_over_is_a_fault_of_the_scenario_that_states_it():
    text = SMALL + HOPE.replace("halfnormal(0.3)", "halfnormal(0)") + '[scenarios.sure]\nlike = "hope"\n'
    assert faults(text).keys() == {"scenarios.hope.strength.sd_slope"}


def test_a_grade_may_nearly_reach_its_ceiling_and_draws_beyond_are_drawn_again(ivig, rng):
    study = parse_study(
        to_toml(ivig) + '\n[scenarios.hope]\nlike = "paper"\nmrc = { asymptote = "normal(4.4, 0.2)" }\n'
    )
    family = study.outcomes["mrc"].family
    drawn = np.array([family.inverse(from_scenario(study, "hope", rng).value("mrc", "asymptote")) for _ in range(2000)])
    assert drawn.max() < 5
    assert stats.kstest(drawn, stats.truncnorm(-np.inf, 3, 4.4, 0.2).cdf).pvalue > 0.001


TOGETHER = '\n[scenarios.hope]\nlike = "paper"\ncorrelations = { %s }\n'
THREE = "mrc_asymptote_cpk_asymptote = %s, mrc_asymptote_steroid_asymptote = %s, cpk_asymptote_steroid_asymptote = %s"


def test_correlations_that_no_patients_can_have_together(ivig):
    never = TOGETHER % (THREE % ('"normal(-0.8, 0.05)"', '"normal(-0.8, 0.05)"', "-0.8"))
    assert "impossible together in 100% of draws" in faults(to_toml(ivig) + never)["scenarios.hope"]
    rng = np.random.default_rng(3)
    study = parse_study(to_toml(ivig) + TOGETHER % (THREE % ('"normal(-0.5, 0.1)"', "-0.4", '"lkj(40)"')))
    assert -1 < from_scenario(study, "hope", rng).correlations["mrc_asymptote_cpk_asymptote"] < 0


def test_validate_says_it(run, tmp_path):
    (tmp_path / "hope.toml").write_text(SMALL + HOPE)
    said = run("validate", "hope.toml")
    assert said.code == 0
    assert (
        "hope is uncertain, and every simulated cohort draws its own truth: strength.slope ~ normal(0.5, 0.2)"
        in said.out
    )
    assert (
        run("validate", "hope.toml", "--json").json["study"]["design_priors"]["hope"]["cpk.asymptote"]
        == "lognormal(5.3, 0.3)"
    )
