"""What ArviZ and R are handed: the groups that they look for, under the names that they know."""

import arviz as az
import numpy as np
import pandas as pd
import pytest
from scipy import stats

import bayesmyo
from bayesmyo.assess.other_priors import log_prior
from bayesmyo.inference.store import load_fit, save_fit, share


def test_the_log_prior_is_that_of_the_priors(good_fit):
    group = good_fit.tree["log_prior"].to_dataset()
    assert sum(v.values for v in group.data_vars.values()) == pytest.approx(log_prior(good_fit))
    sigma = good_fit.tree["posterior"]["strength.sigma"].values
    assert group["strength.sigma"].values == pytest.approx(stats.halfnorm(scale=5).logpdf(sigma))


def test_arviz_takes_the_tree_as_it_stands(good_fit):
    sense = az.psense(good_fit.tree, var_names=["strength.intercept", "cpk.start"])
    assert np.isfinite([float(v) for v in sense.data_vars.values()]).all()
    loo = az.loo(good_fit.tree, var_name="cpk")
    assert loo.n_data_points == len(good_fit.cohort.measurements["cpk"])
    r2 = az.loo_r2(good_fit.posterior_predictive(), var_name="strength", round_to="none")
    assert float(r2.mean) < 1


def test_expected_values_are_those_of_each_patient(good_fit):
    tree, m = good_fit.expected_values(), good_fit.cohort.measurements["strength"]
    values = tree["expected_values"]["strength"].values
    visit = int(np.argmax(m.time))
    own = good_fit.prediction.each("strength", float(m.time[visit]))[..., m.patient[visit]]
    assert values[..., visit] == pytest.approx(own)
    r2 = az.residual_r2(tree, pred_mean="strength", obs_name="strength", group="expected_values", summary=False)
    left = m.value - values
    spread = values.var(axis=-1)
    assert np.asarray(r2) == pytest.approx((spread / (spread + left.var(axis=-1))).ravel(), rel=0.02)


def test_a_file_holds_none_of_it_and_gives_it_back(good_fit, tmp_path):
    for fit in (good_fit, share(good_fit)):
        save_fit(fit, tmp_path / "fit.nc", force=True)
        again = load_fit(tmp_path / "fit.nc")
        assert again.tree["log_prior"].to_dataset().identical(fit.tree["log_prior"].to_dataset())


@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_the_table_of_draws(run, good_fit, tmp_path, form):
    save_fit(good_fit, tmp_path / "fit.nc")
    assert run("export", "fit.nc", "--draws", f"draws.{form}").code == 0
    read = pd.read_parquet if form == "parquet" else pd.read_csv
    table = read(tmp_path / f"draws.{form}")
    assert table.columns[:3].tolist() == [".chain", ".iteration", ".draw"]
    row = table[(table[".chain"] == 2) & (table[".iteration"] == 7)].iloc[0]
    assert row[".draw"] == 1007
    assert row["cpk.start"] == pytest.approx(good_fit.truth.outcomes["cpk"].values["start"][1, 6])
    assert row["cpk.effect_start[3]"] == pytest.approx(good_fit.truth.outcomes["cpk"].effects["start"][1, 6, 2])
    assert row["estimand.cpk_ratio_12"] == pytest.approx(good_fit.estimands["cpk_ratio_12"][1, 6])
    assert run("export", "fit.nc", "--draws", "draws.txt").code == 2
    assert bayesmyo.draws_table(share(good_fit)).shape[0] == len(table)
