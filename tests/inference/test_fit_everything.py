"""A fit of a study that uses every word at once: kept on disk, its likelihood by hand, and every table of it."""

from dataclasses import fields, replace

import numpy as np
import pytest
from scipy import stats

from bayesmyo.assess.estimate import parameters
from bayesmyo.assess.said import correlations, decisions, estimate
from bayesmyo.cohort.cohort import LEFT, RIGHT, Measurements
from bayesmyo.inference.build import build
from bayesmyo.inference.engines import Sampling
from bayesmyo.inference.fit import fit
from bayesmyo.inference.store import load_fit, save_fit
from bayesmyo.model import simulate_scenario
from bayesmyo.study import parse_study
from bayesmyo.study.parameters import all_parameters
from tests.study.everything import EVERYTHING

SHAPE = (2, 30)
ABSENT = [0, 7, 8]  # patients whose age nobody knows


@pytest.fixture(scope="module")
def everything():
    study = parse_study(EVERYTHING)
    cohort = simulate_scenario(study, "one", seed=5, patients=25).cohort
    age = cohort.covariates["age"].copy()
    age[ABSENT] = np.nan
    cohort = replace(cohort, covariates={**cohort.covariates, "age": age})
    return fit(study, cohort, engine="mock", seed=3, sampling=Sampling(draws=SHAPE[1], tune=1, chains=SHAPE[0]))


@pytest.fixture(scope="module")
def draws(everything):
    return {str(k): v.values for k, v in everything.group("posterior").data_vars.items()}


def columns(fit, draws, outcome):
    """Design columns at every measurement of an outcome, by hand; age (chain, draw, visit)."""
    m, own = fit.cohort.measurements[outcome], fit.cohort.covariates
    age = np.broadcast_to((own["age"] - 55) / 12, (*SHAPE, len(fit.cohort))).copy()
    age[..., ABSENT] = draws["covariates.age"]
    found = {
        "age": age[..., m.patient],
        "pm": 1.0 * (own["diagnosis"] == 1)[m.patient],
        "ibm": 1.0 * (own["diagnosis"] == 2)[m.patient],
        "male": own["sex"][m.patient],
        "titre": (np.log(own["titre"] / 100) / np.log(4))[m.patient],
        "winter": m.covariates["season"],
    }
    return found, m


# --- kept


def test_it_builds(everything):
    """Nothing is compiled: four outcomes, three of them sampled, and what is missing a parameter."""
    built = build(everything.study, everything.cohort)
    assert built.how["dose"] == "integrated"
    names = {v.name for v in built.pymc.free_RVs}
    assert {"correlations_half", "covariates.age.imputed", "grade.thresholds_first", "dose.raw_zero_intercept"} <= names
    assert not any(name.startswith("dose.raw_intercept") for name in names)
    assert set(built.facts(built.data)) == {"age: patients without a value"}


def test_it_comes_back_from_disk_as_it_was(everything, tmp_path):
    save_fit(everything, tmp_path / "fit.nc")
    loaded = load_fit(tmp_path / "fit.nc")
    assert loaded.tree.identical(everything.tree)
    assert loaded.study == everything.study
    ours, theirs = loaded.cohort, everything.cohort
    np.testing.assert_equal(ours.covariates, theirs.covariates)
    for outcome in everything.study.outcomes:
        for f in fields(Measurements):
            np.testing.assert_equal(*(getattr(c.measurements[outcome], f.name) for c in (ours, theirs)))
    np.testing.assert_equal(loaded.truth.correlations, everything.truth.correlations)
    np.testing.assert_equal(loaded.truth.covariates, everything.truth.covariates)


def test_imputed_values_have_a_dimension_of_their_own(everything, draws):
    assert everything.group("posterior")["covariates.age"].dims == ("chain", "draw", "covariates.age.missing")
    assert draws["covariates.age"].shape == (*SHAPE, len(ABSENT))
    age = everything.truth.covariates["age"]
    np.testing.assert_array_equal(age[..., ABSENT], draws["covariates.age"])
    known = np.setdiff1d(range(25), ABSENT)
    expected = (everything.cohort.covariates["age"][known] - 55) / 12
    np.testing.assert_allclose(age[..., known], np.broadcast_to(expected, (*SHAPE, len(known))))


# --- the likelihood


def test_every_measurement_has_a_log_likelihood(everything):
    for name, array in everything.group("log_likelihood").data_vars.items():
        assert array.shape == (*SHAPE, len(everything.cohort.measurements[str(name)]))
        assert np.isfinite(array.values).all()


def test_a_straight_line_with_covariates_moderators_and_limits(everything, draws):
    x, m = columns(everything, draws, "power")
    p = {k.removeprefix("power."): v[..., None] for k, v in draws.items() if k.startswith("power.") and v.ndim == 2}
    b = {k: draws[f"power.effect_{k}"][..., m.patient] for k in ("intercept", "slope")}
    level = p["intercept"] + b["intercept"] + p["diagnosis_pm"] * x["pm"] + p["diagnosis_ibm"] * x["ibm"]
    level = level + p["age"] * x["age"] + p["season_winter"] * x["winter"]
    slope = p["slope"] + b["slope"] + p["slope_sex_m"] * x["male"] + p["slope_age_sex"] * x["age"] * x["male"]
    d = stats.t(p["nu"], level + slope * m.time, p["sigma"])
    found = everything.group("log_likelihood")["power"].values
    sides = {LEFT: d.logcdf(m.value), RIGHT: d.logsf(m.value)}
    assert {LEFT, RIGHT} & set(m.side.tolist())
    expected = np.select([m.side == LEFT, m.side == RIGHT], [sides[LEFT], sides[RIGHT]], d.logpdf(m.value))
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-7)


def test_a_plateau_of_counts_per_exposure(everything, draws):
    x, m = columns(everything, draws, "falls")
    p = {k.removeprefix("falls."): v[..., None] for k, v in draws.items() if k.startswith("falls.") and v.ndim == 2}
    b = {k: draws[f"falls.effect_{k}"][..., m.patient] for k in ("start", "asymptote", "half_time")}
    start = p["start"] + b["start"]
    end = (
        p["asymptote"]
        + b["asymptote"]
        + p["asymptote_diagnosis_pm"] * x["pm"]
        + p["asymptote_diagnosis_ibm"] * x["ibm"]
    )
    eta = end + (start - end) * 0.5 ** (m.time / (p["half_time"] * np.exp(b["half_time"]))) + p["titre"] * x["titre"]
    expected = stats.poisson(m.exposure * np.exp(eta)).logpmf(m.value)
    found = everything.group("log_likelihood")["falls"].values
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-7)


def test_replicated_measurements_are_possible_ones(everything):
    replicated = everything.posterior_predictive()["posterior_predictive"]
    for name, o in everything.study.outcomes.items():
        values = replicated[name].values
        assert values.shape == everything.group("log_likelihood")[name].shape
        assert o.family.check(values).all()
    assert (replicated["dose"].values == 0).any()
    assert (replicated["dose"].values > 0).any()
    assert set(np.unique(replicated["grade"].values)) <= {1.0, 3.0, 3.67, 4.0, 4.33, 5.0}  # 0, 1 and 2 are one


# --- tables


def test_every_parameter_has_a_row(everything):
    table = parameters(everything)
    assert list(table.index) == [p.full_name for p in all_parameters(everything.study)]
    assert "correlations.power_slope_dose_zero_intercept" in table.index
    assert np.isfinite(table[["median", "lower", "upper", "prior_lower", "prior_upper"]].to_numpy(dtype=float)).all()


def test_estimands_and_decisions_have_a_row(everything):
    table = estimate(everything)
    assert list(table.index) == ["power_pm", "falls_by_sex"]
    assert np.isfinite(table[["median", "lower", "upper"]].to_numpy(dtype=float)).all()
    assert (table["lower"] < table["upper"]).all()
    assert list(decisions(everything).index) == ["go"]


def test_an_estimand_for_given_covariates_is_the_line_at_them(everything, draws):
    """The change of power in 12 months under a student's t: the slope, moderated by these patients' sex and the
    given age.
    """
    male = everything.cohort.covariates["sex"].mean()
    slope = (
        draws["power.slope"] + draws["power.slope_sex_m"] * male + draws["power.slope_age_sex"] * male * (60 - 55) / 12
    )
    assert estimate(everything).loc["power_pm", "median"] == pytest.approx(np.median(12 * slope), rel=1e-6)


def test_every_two_quantities_of_patients_have_a_correlation(everything):
    """Falls have half-times of patients' own: their change is not linear in a patient's effects, and they are left
    out.
    """
    table = correlations(everything).reset_index()
    starts = [("power", 2), ("grade", 1), ("dose", 1)]
    quantities = [f"{o} {q}" for o, n in starts for q in ("start", "change")[:n]]
    expected = [(a, b) for i, a in enumerate(quantities) for b in quantities[i + 1 :]]
    assert list(zip(table["first"], table["second"], strict=True)) == expected
    numbers = table[["lower", "median", "upper", "prior_lower", "prior_upper"]].to_numpy(dtype=float)
    assert (np.abs(numbers) <= 1).all()
    assert (numbers[:, 0] < numbers[:, 1]).all()
    assert (numbers[:, 1] < numbers[:, 2]).all()
