"""Posteriors of the words that came later against exact ones, made apart: ../shared/reference/next."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bayesmyo.assess.checks import Convergence
from bayesmyo.assess.tip import tip
from bayesmyo.assess.what_if import WhatIf
from bayesmyo.cohort.cohort import Exits
from bayesmyo.cohort.frame import cohort_from_frame
from bayesmyo.inference.engines import Sampling
from bayesmyo.inference.fit import fit
from bayesmyo.study import read_study
from tests.inference.test_reference import HERE, SHARED, agree, close, parameters

NEXT = SHARED / "next"
pytestmark = [
    pytest.mark.sampling,
    pytest.mark.skipif(not NEXT.is_dir(), reason="the reference cohorts are not here (GPL data, not copied)"),
]


def exact(case):
    cases = json.loads((NEXT / "next.json").read_text())["cases"]
    return next(c for c in cases if c["id"] == case)["references"][0]


def exact_model(case):
    cases = json.loads((NEXT / "next.json").read_text())["cases"]
    return next(c for c in cases if c["id"] == case)["model"]


def fitted(study_file, frame):
    study = read_study(HERE / study_file)
    found = fit(study, cohort_from_frame(study, frame), seed=11, sampling=Sampling(draws=3000))
    assert Convergence().run(found).passed
    return found


def test_a_residual_sd_of_each_arm():
    names = {
        "intercept": "intercept", "age": "slope", "male": "male_male", "age_male": "slope_male_male",
        "sd_intercept": "sd_intercept",
        "sd_age": "sd_slope", "correlation": "correlation", "log_sigma_female": "sigma_intercept",
        "log_sigma_male_difference": "sigma_male_male",
    }  # fmt: skip
    found, case = fitted("sigma_by_arm.toml", pd.read_csv(NEXT / "sigma_by_arm.csv")), exact("sigma_by_arm")
    agree(parameters(found), case["params"], names)
    posterior = found.group("posterior")
    female = np.exp(posterior["distance.sigma_intercept"].values)
    ratio = np.exp(posterior["distance.sigma_male_male"].values)
    for name, draws in (("sigma_female", female), ("sigma_male", female * ratio), ("sigma_ratio", ratio)):
        close(draws, case["estimands"][name])


def test_an_own_effect_of_treatment_in_each_patient():
    names = {
        "intercept": "intercept", "effect": "on", "period_effect": "second", "sd_intercept": "sd_intercept",
        "sd_effect": "sd_on",
        "correlation": "correlation", "sigma": "sigma",
    }  # fmt: skip
    frame = pd.read_csv(NEXT / "crossover_12.csv")
    frame["visit"] = frame.groupby("patient").cumcount()
    found, case = fitted("crossover.toml", frame), exact("crossover_12")
    agree(parameters(found), case["params"], names)
    close(found.estimands["benefit"], case["estimands"]["mean_effect_these_12"])
    assert (found.estimands["new_patient"] < 0).mean() == pytest.approx(
        case["estimands"]["new_patient_p_benefit"]["mean"], abs=0.0117
    )
    posterior = found.group("posterior")
    own = posterior["pain.on"].values[..., None] + posterior["pain.effect_on"].values
    for i, patient in enumerate(found.cohort.patients):
        reference = case["patients"][patient]
        close(own[..., i], reference)
        assert (own[..., i] < 0).mean() == pytest.approx(reference["p_below_0"], abs=0.02)
    share = (own < 0).mean(axis=-1)
    assert share.mean() == pytest.approx(case["estimands"]["share_benefiting_these_12"]["mean"], abs=0.00903)


def test_zeros_that_are_no_counts():
    found, case = fitted("zi_nb.toml", pd.read_csv(NEXT / "zi_nb.csv")), exact("zi_nb_30")
    names = {
        "intercept": "intercept",
        "treated": "treated",
        "sd_intercept": "sd_intercept",
        "cv": "cv",
        "zi_logit": "zero_inflation_intercept",
    }
    agree(parameters(found), case["params"], names)
    posterior = found.group("posterior")
    close(posterior["count.slope"].values, case["params"]["month_per_5"], times=5.0)
    close(1 / (1 + np.exp(-posterior["count.zero_inflation_intercept"].values)), case["estimands"]["zi_probability"])
    close(found.estimands["control_0"], case["estimands"]["mean_count_month_0_control"])
    close(found.estimands["treated_5"], case["estimands"]["mean_count_month_5_treated"])


def test_residuals_that_drift():
    names = {"intercept": "intercept", "sd_intercept": "sd_intercept", "sd_ou": "sd_ou", "sigma": "sigma"}
    found, case = fitted("ou_residual.toml", pd.read_csv(NEXT / "ou_residual.csv")), exact("ou_residual_12")
    agree(parameters(found), case["params"], names)
    posterior = found.group("posterior")
    close(posterior["value.slope"].values, case["params"]["slope_per_12_months"], times=12.0)
    close(np.log(posterior["value.tau_ou"].values), case["estimands"]["log_tau"])
    close(np.exp(-1 / posterior["value.tau_ou"].values), case["estimands"]["correlation_of_ou_1_month"])
    close(found.estimands["at_24"], case["estimands"]["mean_24_population"])


def test_patients_in_sites():
    names = {n: n for n in ("intercept", "slope", "sd_site", "sd_intercept", "sd_slope", "correlation", "sigma")}
    found, case = fitted("site_level.toml", pd.read_csv(NEXT / "site_level.csv")), exact("site_level_24")
    agree(parameters(found), case["params"], names)
    posterior = found.group("posterior")
    for k in range(1, 7):
        close(posterior[f"score.site_s{k}"].values, case["estimands"][f"site_effect_S{k}"])
    close(found.estimands["at_6"], case["estimands"]["mean_6_months_population"])
    own, patients, error = (posterior[f"score.{n}"].values ** 2 for n in ("sd_site", "sd_intercept", "sigma"))
    close(own / (own + patients + error), case["estimands"]["share_of_baseline_variance_between_sites"])
    # a new site is as uncertain as an average one and what sites differ by, together
    new, average = found.estimands["new_site"], found.estimands["at_6"]
    assert new.var() == pytest.approx(average.var() + own.mean(), rel=0.1)
    assert found.estimands["first_site"].mean() == pytest.approx(
        average.mean() + posterior["score.site_s1"].values.mean(), abs=1e-9
    )


def test_what_if_those_who_were_lost_fared_worse():
    """These patients: the same posterior, moved by delta times the share that was lost. A population: by delta times a
    share with a posterior of its own."""
    posterior, case = fitted("delta_shift.toml", pd.read_csv(NEXT / "joint_value_23.csv")), exact("delta_shift_23")
    table = pd.read_csv(NEXT / "joint_value_23_patients.csv").set_index("patient").loc[list(posterior.cohort.patients)]
    reason = tuple("lost" if lost else "" for lost in table["lost"])
    exits = Exits(table["months_in_study"].to_numpy(), np.ones(len(table), bool), reason)
    posterior.__dict__["cohort"] = replace(posterior.cohort, exits=exits)
    asked = WhatIf(posterior, "shift", [0, -0.5, -1], (), None, None, None, "lognormal(-4.605170186, 1)", None)
    for d in (0.0, 0.5, 1.0):
        draws = asked.draws(np.array([-d]))
        close(np.log(draws.of("these")), case["estimands"][f"change_these_delta_{d:g}"])
        close(np.log(draws.of("everyone")), case["estimands"][f"change_population_modelled_share_delta_{d:g}"])
    share = 1 - np.exp(-24 * asked.left.hazard.rates)
    known = case["share_lost_by_24_modelled"]
    assert share.mean() == pytest.approx(known["share_mean"], abs=0.1 * known["share_sd"])
    assert share.std() == pytest.approx(known["share_sd"], rel=0.1)
    points = {p.name: p for p in tip(posterior, by=np.linspace(0, -4, 21)).points}
    expected = exact_model("delta_shift_23")["tipping_delta_these"]
    for name, probability in (("sure", "0.975"), ("likely", "0.95"), ("even", "0.5")):
        tolerance = 0.1 * case["estimands"]["change_these_delta_0"]["sd"] * 23 / 7
        assert -points[name].d == pytest.approx(expected[probability], abs=tolerance)
        assert points[name].left == 7


@pytest.mark.slow
def test_the_mixed_model_for_repeated_measures():
    table = pd.read_csv(SHARED / "extra" / "fev.csv").dropna(subset=["FEV1"])
    table["visit"] = table["AVISIT"].str.removeprefix("VIS").astype(float)
    table["gain"] = table["FEV1"] - table["FEV1_BL"]
    study = read_study(HERE / "fev.toml")
    columns = ["USUBJID", "visit", "gain", "ARMCD", "RACE", "SEX", "FEV1_BL"]
    found = fit(study, cohort_from_frame(study, table[columns]), seed=11, sampling=Sampling())
    cases = json.loads((SHARED / "reference.json").read_text())["cases"]
    published = next(
        r for c in cases if c["id"] == "fev_mmrm" for r in c["references"] if r["kind"] == "bayes_published"
    )
    p = {str(name).removeprefix("gain."): v.values for name, v in found.group("posterior").data_vars.items()}
    ours = {
        "fev1_bl": p["baseline"] / 10, "avisit2": p["change_2"], "avisit3": p["change_3"], "avisit4": p["change_4"],
        "female": p["sex_female"],
        "race_black": p["race_black_or_african_american"], "race_white": p["race_white"], "trt_v1": p["arm_trt"],
        "intercept": p["start"] - 4 * p["baseline"],
        **{f"trt_v{k}": p["arm_trt"] + p[f"change_{k}_arm_trt"] for k in (2, 3, 4)},
    }  # fmt: skip
    for name, r in published["params"].items():
        assert ours[name].mean() == pytest.approx(r["mean"], abs=r["tol_mean"]), name
        assert ours[name].std() == pytest.approx(r["sd"], rel=r["tol_sd_rel"]), name


@pytest.mark.slow
def test_jump_to_reference_in_a_trial():
    """rbmi's antidepressant trial, published: -2.156 (SE 1.113), by multiple imputation with Rubin's rules.

    Ours is a mixture: the effect times the share of the treated who stay. Its mean agrees, and its SD is that of the
    estimand. Rubin's SE holds what imputation adds (Cro, Carpenter and Kenward 2019): imputed from our own draws, by
    NumPy alone, patient by patient with the residuals that were seen, the same number and the same SE come out.
    """
    table = pd.read_csv(SHARED / "antidepressant.csv", dtype={"PATIENT": str})
    table["visit"] = table["VISIT"] - 4.0
    study = read_study(HERE / "antidepressant.toml")
    cohort = cohort_from_frame(study, table[["PATIENT", "visit", "CHANGE", "THERAPY", "BASVAL"]])
    last = table.groupby("PATIENT")["visit"].max().loc[list(cohort.patients)].to_numpy()
    exits = Exits(
        np.where(last < 3, last + 0.5, 3.0), np.ones(len(last), bool), tuple("left" if t < 3 else "" for t in last)
    )
    posterior = fit(study, replace(cohort, exits=exits), seed=11, sampling=Sampling())
    jumped = WhatIf(posterior, "reference", None, (), None, "therapy", None, None, None)
    ours = jumped.draws(jumped.drawn(), moved=True).of("effect")
    assert ours.mean() == pytest.approx(-2.156, abs=0.3 * 1.113)
    stay = np.mean(last[cohort.covariates["therapy"] == 1] == 3)
    assert ours.mean() == pytest.approx(stay * posterior.estimands["effect"].mean(), rel=0.05)
    effect, error = imputed(posterior, table)
    assert effect == pytest.approx(-2.156, abs=0.3 * 1.113)
    assert error == pytest.approx(1.113, rel=0.15)


def imputed(posterior, table, count=150):
    """Jump to reference by multiple imputation from the draws of a mixed model: the effect at the last visit, by
    analysis of covariance, and its standard error by Rubin's rules."""
    rng, p = np.random.default_rng(3), {str(k): v.values.reshape(-1) for k, v in posterior.group("posterior").items()}
    wide = table.pivot(index="PATIENT", columns="visit", values="CHANGE").to_numpy()
    first = table.groupby("PATIENT")[["THERAPY", "BASVAL"]].first()
    drug, base = (first["THERAPY"] == "DRUG").to_numpy(float), (first["BASVAL"].to_numpy() - 18) / 5
    effects, variances = [], []
    for k in np.linspace(0, len(p["change.start"]) - 1, count).astype(int):
        v = {name.removeprefix("change."): x[k] for name, x in p.items()}
        later = [""] + [f"change_{j}" for j in (2, 3, 4)]
        start = v["start"] + np.array([v[c] if c else 0 for c in later])
        slope = v["baseline"] + np.array([v[f"{c}_baseline"] if c else 0 for c in later])
        gain = v["therapy_drug"] + np.array([v[f"{c}_therapy_drug"] if c else 0 for c in later])
        sd = np.exp(v["sigma_start"] + np.array([v[f"sigma_{c}"] if c else 0 for c in later]))
        r = np.eye(4)
        for i in range(4):
            for j in range(i):
                r[i, j] = r[j, i] = v[f"residual_correlation_{j + 1}_{i + 1}"]
        cov, whole = r * np.outer(sd, sd), wide.copy()
        for i, y in enumerate(wide):
            seen = ~np.isnan(y)
            if seen.all():
                continue
            reference = start + slope * base[i]
            own = reference + gain * drug[i]
            mean = np.where(np.arange(4) <= np.flatnonzero(seen)[-1], own, reference)
            b = np.linalg.solve(cov[np.ix_(seen, seen)], cov[np.ix_(seen, ~seen)])
            centre = mean[~seen] + (y[seen] - own[seen]) @ b
            whole[i, ~seen] = rng.multivariate_normal(centre, cov[np.ix_(~seen, ~seen)] - cov[np.ix_(~seen, seen)] @ b)
        x = np.column_stack([np.ones(len(wide)), drug, base])
        coefficients, rest, *_ = np.linalg.lstsq(x, whole[:, 3], rcond=None)
        effects.append(coefficients[1])
        variances.append((rest[0] / (len(wide) - 3) * np.linalg.inv(x.T @ x))[1, 1])
    return np.mean(effects), np.sqrt(np.mean(variances) + (1 + 1 / count) * np.var(effects, ddof=1))
