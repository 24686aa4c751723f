"""Curves of groups: the level of every patient as if in that group, and what was measured of those who are."""

import numpy as np
import pytest

from bayesmyo import figures
from bayesmyo.errors import UsageError
from bayesmyo.model import simulate_scenario
from bayesmyo.study import parse_study
from tests.conftest import SMALL, fit_of, independent_draws

TRIAL = (
    SMALL.replace('unit = "points"', 'unit = "points"\ncovariates = ["arm"]\nmoderators = ["arm"]')
    .replace(
        "[estimands.",
        '[covariates.arm]\nlabel = "Arm"\nlevels = ["placebo", "active"]\nshares = [0.5, 0.5]\n\n[estimands.',
        1,
    )
    .replace("sigma = 4 }", "sigma = 4, arm_active = 2, slope_arm_active = 0.5 }")
)


@pytest.fixture(scope="module")
def trial():
    study = parse_study(TRIAL)
    cohort = simulate_scenario(study, "improves", seed=4, patients=16).cohort
    return fit_of(study, cohort, independent_draws(study, cohort))


def test_each_curve_is_the_level_of_all_as_if_they_were_of_that_group(trial):
    axes = figures.groups(trial, "strength", "arm").axes[0]
    drawn = {found.get_label(): found for found in axes.lines}
    posterior = trial.group("posterior")
    mean = {k: posterior[f"strength.{k}"].values for k in ("intercept", "slope", "arm_active", "slope_arm_active")}
    times = drawn["median active"].get_xdata()
    for level, x in (("placebo", 0), ("active", 1)):
        by_hand = (
            mean["intercept"]
            + x * mean["arm_active"]
            + (mean["slope"] + x * mean["slope_arm_active"]) * times[:, None, None]
        )
        assert drawn[f"median {level}"].get_ydata() == pytest.approx(
            np.median(by_hand, axis=(1, 2)), rel=1e-3
        )  # of fewer draws
    m, arm = trial.cohort.measurements["strength"], trial.cohort.covariates["arm"]
    for k, level in enumerate(("placebo", "active")):
        first = drawn[f"measured {level}"].get_ydata()[0]
        assert m.value[arm[m.patient] == k].min() <= first <= m.value[arm[m.patient] == k].max()


def test_only_groups_of_which_the_outcome_knows_are_drawn(trial):
    with pytest.raises(UsageError, match="did you mean"):
        figures.groups(trial, "strength", "arms")
    with pytest.raises(UsageError, match="no categorical covariate enters it"):
        figures.groups(trial, "cpk", "arm")
    with pytest.raises(UsageError, match="is not in this study"):
        figures.groups(trial, "force", "arm")
