"""Posteriors of the sampler against exact posteriors, maximum likelihood elsewhere, and themselves."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bayesmyo.assess.checks import Convergence
from bayesmyo.assess.diagnostics import diagnose
from bayesmyo.assess.estimate import parameter_estimates
from bayesmyo.cohort import read_cohort
from bayesmyo.cohort.read import cohort_of
from bayesmyo.cohort.table import parse_table
from bayesmyo.inference.engines import Sampling
from bayesmyo.inference.fit import fit
from bayesmyo.study import parse_study, read_study
from tests.conftest import ROOT

HERE = ROOT / "tests" / "reference"
SHARED = ROOT.parent / "shared" / "reference"
needs_shared = pytest.mark.skipif(
    not SHARED.is_dir(), reason="the reference cohorts are not here (GPL data, not copied)"
)
pytestmark = pytest.mark.sampling

SLEEP_NAMES = {
    "intercept": "intercept",
    "days": "slope",
    "sd_intercept": "sd_intercept",
    "sd_days": "sd_slope",
    "corr": "correlation",
    "sigma": "sigma",
}
RATS_NAMES = {
    "mu_alpha": "intercept",
    "mu_beta": "slope",
    "sd_alpha": "sd_intercept",
    "sd_beta": "sd_slope",
    "sigma": "sigma",
}


def reference(case, kind, part=""):
    cases = json.loads((SHARED / "reference.json").read_text())["cases"]
    references = next(c for c in cases if c["id"] == case)["references"]
    return next(r for r in references if r["kind"] == kind and part in r.get("part", ""))["params"]


def exact(case, part=""):
    return reference(case, "bayes_exact", part)


def fitted(study_file, data_file, **settings):
    study = read_study(HERE / study_file)
    return fit(study, read_cohort(study, SHARED / data_file), seed=11, sampling=Sampling(**settings))


def parameters(found):
    return {p.name.split(".")[1]: p for p in parameter_estimates(found)}


def close(draws, r, times=1.0):
    """Draws of a quantity of our own making against an exact posterior."""
    assert diagnose({"q": draws})["q"].ess_bulk > 1000
    assert times * draws.mean() == pytest.approx(r["mean"], abs=r["tol_mean"])
    assert times * draws.std(ddof=1) == pytest.approx(r["sd"], rel=r["tol_sd_rel"])


def agree(found, reference, names):
    for theirs, ours in names.items():
        r = reference[theirs]
        assert found[ours].ess_bulk > 1000, ours
        assert found[ours].mean == pytest.approx(r["mean"], abs=r["tol_mean"]), ours
        assert found[ours].sd == pytest.approx(r["sd"], rel=r["tol_sd_rel"]), ours


@pytest.fixture(scope="module")
def sleepstudy():
    return fitted("sleepstudy.toml", "sleepstudy.csv")


@needs_shared
def test_sleepstudy_is_the_exact_posterior(sleepstudy):
    agree(parameters(sleepstudy), exact("sleepstudy_rs"), SLEEP_NAMES)
    assert Convergence().run(sleepstudy).passed


@needs_shared
def test_these_patients_and_the_population_are_not_equally_certain(sleepstudy):
    prediction = sleepstudy.prediction
    sd = {name: e.of(prediction).std() for name, e in sleepstudy.study.estimands.items()}
    assert sd["slope_these"] == pytest.approx(0.66, rel=0.1)
    assert sd["slope_population"] == pytest.approx(1.73, rel=0.1)


@needs_shared
def test_rats_is_the_exact_posterior():
    found = fitted("rats.toml", "rats_bugs.csv")
    agree(parameters(found), exact("rats_bugs"), RATS_NAMES)
    birth = found.study.estimands["weight_at_birth"].of(found.prediction)
    reference = exact("rats_bugs")["alpha0"]
    assert birth.mean() == pytest.approx(reference["mean"], abs=reference["tol_mean"])
    assert birth.std() == pytest.approx(reference["sd"], rel=reference["tol_sd_rel"])


@needs_shared
def test_every_parameterisation_has_the_same_posterior(sleepstudy):
    text = (HERE / "sleepstudy.toml").read_text()
    declared = text.replace("effects = [", 'parameterisation = "centred"\neffects = [')
    study = parse_study(declared)
    found = fit(study, sleepstudy.cohort, seed=11, sampling=Sampling(target_accept=0.95))
    agree(parameters(found), exact("sleepstudy_rs"), SLEEP_NAMES)
    ours, theirs = (f.group("posterior")["reaction.effect_slope"].values for f in (sleepstudy, found))
    assert ours.mean(axis=(0, 1)) == pytest.approx(theirs.mean(axis=(0, 1)), abs=0.3)
    assert ours.std(axis=(0, 1)) == pytest.approx(theirs.std(axis=(0, 1)), rel=0.1)


@needs_shared
def test_pbc2_bilirubin_agrees_with_lme4():
    found = fitted("pbc2.toml", "pbc2.csv")
    assert Convergence().run(found).passed
    reference = json.loads((HERE / "pbc2.json").read_text())["lme4"]
    ours = parameters(found)
    for name in ("intercept", "slope"):
        assert ours[name].mean == pytest.approx(reference[name], abs=0.3 * reference[f"{name}_se"])
    for name in ("sd_intercept", "sd_slope", "sigma", "correlation"):
        assert ours[name].mean == pytest.approx(reference[name], abs=0.3 * ours[name].sd)


@needs_shared
def test_pbc2_with_an_assay_limit_agrees_with_maximum_likelihood_by_quadrature():
    reference = json.loads((HERE / "pbc2.json").read_text())["censored_ml"]
    text = (HERE / "pbc2.toml").read_text().replace("scale = 3\n", 'scale = 3\ncensoring = "as typed"\n')
    study = parse_study(text)
    whole = read_cohort(study, SHARED / "pbc2.csv")
    m = whole.measurements["bilirubin"]
    cells = [
        f"<{reference['lower']}"
        if v < reference["lower"]
        else f">{reference['upper']}"
        if v > reference["upper"]
        else v
        for v in m.value
    ]
    rows = [f"{p},{t!r},{c}" for p, t, c in zip(m.patient.tolist(), m.time.tolist(), cells, strict=True)]
    cohort = cohort_of(study, parse_table("\n".join(["id,year,serBilir", *rows]).encode(), "censored.csv", study.data))
    assert cohort.rows.outcomes["bilirubin"].censored == reference["n_left"] + reference["n_right"]
    found = parameters(fit(study, cohort, seed=11, sampling=Sampling(draws=400, tune=400)))
    for name in ("intercept", "slope"):
        assert found[name].ess_bulk > 1000  # an error of a tenth of what is allowed
        assert found[name].mean == pytest.approx(reference[name], abs=0.3 * reference[f"{name}_se"])
    for name in ("sd_intercept", "sd_slope", "sigma", "correlation"):
        assert found[name].mean == pytest.approx(reference[name], abs=0.3 * reference[f"{name}_se"])


WINE = {f"threshold_{k}": f"threshold_{k}" for k in range(1, 5)} | {
    "tempwarm": "temp_warm", "contactyes": "contact_yes", "sd_subject": "sd_intercept",
}  # fmt: skip
EPIL = {
    "intercept": "intercept", "log_base4": "base", "progabide": "treatment_progabide", "log_age": "age",
    "V4": "fourth_1",
    "log_base4_progabide": "base_by_treatment", "sd_subject": "sd_intercept",
}  # fmt: skip
HURDLE_ZERO = {"intercept": "zero_intercept", "sexfemale": "zero_sex_female", "sd_id": "sd_zero_intercept"}
HURDLE_POSITIVE = {
    "intercept": "intercept", "sexfemale": "sex_female", "time": "slope", "sexfemale_time": "slope_sex_female",
    "sd_intercept": "sd_intercept", "sd_time": "sd_slope", "sigma": "sigma",
}  # fmt: skip
SCHIZOPHRENIA = {"TxDrug": "drug_1", "SqrtWeek": "slope", "TxSWeek": "slope_drug_1"}
THRESHOLDS_3 = {f"threshold_{k}": f"threshold_{k}" for k in range(1, 4)}
TOENAIL = {
    "intercept": "intercept", "terbinafine": "treatment_terbinafine", "time": "slope",
    "terbinafine_time": "slope_treatment_terbinafine", "sd_patient": "sd_intercept",
}  # fmt: skip


@needs_shared
def test_ordinal_grades_of_few_judges_are_the_exact_posterior():
    agree(parameters(fitted("wine.toml", "wine.csv", draws=2000)), exact("wine_ordinal"), WINE)


@needs_shared
def test_counts_with_covariates_and_their_product_are_the_exact_posterior():
    agree(parameters(fitted("epil.toml", "epil.csv", adaptation="low_rank")), exact("epil_poisson_ri"), EPIL)


@needs_shared
def test_counts_with_an_effect_of_each_observation_are_the_exact_posterior():
    """Covariates are centred here, and the coefficients brought back to the reference's."""
    posterior = fitted("epil_observations.toml", "epil.csv", draws=2000).group("posterior")
    own = {k: posterior[f"seizures.{k}"].values for k in [*EPIL.values(), "sd_observation"]}
    base, age, r = np.log(22 / 4), np.log(28), exact("epil_bugs_III")
    close(own["intercept"] - base * own["base"] - age * own["age"], r["alpha0"])
    close(own["treatment_progabide"] - base * own["base_by_treatment"], r["alpha_Trt"])
    same = {"alpha_Base": "base", "alpha_Age": "age", "alpha_V4": "fourth_1", "alpha_BT": "base_by_treatment",
            "sigma_b1": "sd_intercept", "sigma_b": "sd_observation"}  # fmt: skip
    for theirs, ours in same.items():
        close(own[ours], r[theirs])


@pytest.fixture(scope="module")
def hurdle():
    return parameters(fitted("hurdle.toml", "hurdle_lognormal_sim.csv", draws=1500))


@needs_shared
@pytest.mark.parametrize(("part", "names"), [("zero", HURDLE_ZERO), ("positive", HURDLE_POSITIVE)])
def test_both_parts_of_a_hurdle_are_the_exact_posterior(hurdle, part, names):
    agree(hurdle, exact("hurdle_lognormal_sim", part), names)


@needs_shared
def test_both_parts_of_a_hurdle_cover_the_truth(hurdle):
    truth = reference("hurdle_lognormal_sim", "truth")
    names = HURDLE_POSITIVE | {
        "zero_intercept": "zero_intercept",
        "zero_sexfemale": "zero_sex_female",
        "zero_sd_id": "sd_zero_intercept",
    }
    for theirs, ours in names.items():
        assert hurdle[ours].lower < truth[theirs] < hurdle[ours].upper, ours


@needs_shared
def test_a_score_that_stops_at_its_ceiling_is_the_exact_posterior():
    posterior = fitted("paquid.toml", "paquid.csv").group("posterior")
    names = {"intercept": ("intercept", 1), "age65": ("slope", 10), "male": ("male_1", 1),
     "age65_male": ("slope_male_1", 10),
             "sigma": ("sigma", 1), "sd_ID": ("sd_intercept", 1)}  # fmt: skip
    for theirs, (ours, times) in names.items():
        close(posterior[f"mmse.{ours}"].values, exact("paquid_ceiling")[theirs], times)


@needs_shared
def test_a_moderated_slope_agrees_with_reml():
    found, r = parameters(fitted("aids.toml", "extra/aids.csv")), reference("aids_lmm", "ml_recomputed")
    for theirs, ours in {"intercept": "intercept", "obstime": "slope", "obstime_ddI": "slope_drug_ddi"}.items():
        assert found[ours].mean == pytest.approx(r[theirs]["est"], abs=0.3 * r[theirs]["se"])
    for theirs, ours in {
        "sd_intercept": "sd_intercept",
        "sd_obstime": "sd_slope",
        "sigma": "sigma",
        "corr": "correlation",
    }.items():
        assert found[ours].mean == pytest.approx(r[theirs]["est"], abs=0.5 * found[ours].sd)


@needs_shared
@pytest.mark.slow
def test_ordinal_grades_of_437_patients_are_the_exact_posterior():
    found = parameters(fitted("schizophrenia.toml", "schizophrenia.csv", draws=3000))
    names = SCHIZOPHRENIA | THRESHOLDS_3 | {"sd_subject": "sd_intercept"}
    agree(found, exact("schizophrenia_ordinal_ri"), names)


@needs_shared
@pytest.mark.slow
def test_ordinal_grades_with_patients_own_slopes_agree_with_maximum_likelihood():
    text = (HERE / "schizophrenia.toml").read_text()
    text = text.replace('effects = ["intercept"]', 'effects = ["intercept", "slope"]').replace('correlate = "none"', "")
    text = text.replace('sd_intercept = "halfnormal(2)"', 'sd_intercept = "halfnormal(5)"\nsd_slope = "halfnormal(5)"')
    study = parse_study(text)
    found = parameters(
        fit(study, read_cohort(study, SHARED / "schizophrenia.csv"), seed=11, sampling=Sampling(draws=3000))
    )
    r = reference("schizophrenia_ordinal_rs", "ml_published")
    for theirs, ours in SCHIZOPHRENIA.items():
        assert found[ours].mean == pytest.approx(r[theirs]["est"], abs=0.3 * r[theirs]["se"]), ours


@needs_shared
@pytest.mark.slow
def test_yes_or_no_with_patients_far_apart_is_the_exact_posterior():
    agree(parameters(fitted("toenail.toml", "toenail.csv", draws=2500)), exact("toenail_binary"), TOENAIL)


SAME_BITS = """
import hashlib, sys
from bayesmyo.cohort import read_cohort
from bayesmyo.study import read_study
from bayesmyo.inference.engines import Sampling
from bayesmyo.inference.fit import fit
study = read_study(sys.argv[1])
found = fit(study, read_cohort(study, sys.argv[2]), seed=5, sampling=Sampling(draws=200, tune=200, cores=int(sys.argv[3])))
print(hashlib.sha256(b"".join(v.values.tobytes() for v in found.group("posterior").data_vars.values())).hexdigest())
"""


def bits(folder: Path, cores: int, data: Path, before: str = "") -> str:
    """Hash of the draws of a fit in a process of its own, with its compile cache in `folder`, and its temporary
    folder beside.
    """
    temporary = folder.parent / "temporary"
    temporary.mkdir(exist_ok=True)
    own = {"PYTENSOR_FLAGS": f"base_compiledir={folder}", "NUMBA_CACHE_DIR": str(folder / "numba")}
    env = os.environ | own | {"TMPDIR": str(temporary)}
    command = [sys.executable, "-c", before + SAME_BITS, str(HERE / "rats.toml"), str(data), str(cores)]
    return subprocess.run(command, env=env, check=True, capture_output=True, text=True).stdout.strip()


def test_same_seed_same_bits_cold_and_warm_on_one_core_and_two(tmp_path):
    rng = np.random.default_rng(3)
    rows = [f"{p},{d},{240 + 6 * (d - 22) + 10 * rng.normal():.1f}" for p in range(8) for d in (8, 15, 22, 29, 36)]
    data = tmp_path / "rats.csv"
    data.write_text("\n".join(["rat,day,weight", *rows]))
    cold = bits(tmp_path / "cache", 1, data)
    assert len(cold) == 64
    assert bits(tmp_path / "cache", 2, data) == cold
    assert bits(tmp_path / "cache", 2, data, before="import pymc\n") == cold
    assert not list((tmp_path / "temporary").iterdir())  # the source that was compiled is in the cache, once
    assert list((tmp_path / "cache" / "source").iterdir())


def test_visits_before_treatment_tell_the_level_at_its_start():
    """A spline that ran on backwards bent with 30 such visits: a gain of 6.7 (3.8 to 9.8) where 13.6 is true."""
    study = read_study(HERE / "before_treatment.toml")
    cohort = read_cohort(study, HERE / "before_treatment.csv")
    prediction = fit(study, cohort, seed=11, sampling=Sampling(draws=750, tune=750)).prediction
    later, start = (prediction.level("mmt8", t, "population average") for t in (6, 0))
    draws = later - start
    assert draws.mean() == pytest.approx(13.6, abs=draws.std(ddof=1))
    assert 1 < draws.std(ddof=1) < 3
