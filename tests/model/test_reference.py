"""Posteriors of the sampler against exact posteriors, maximum likelihood elsewhere, and themselves."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bayesmyo.assess.check import check
from bayesmyo.assess.estimate import parameter_estimates
from bayesmyo.cohort import read_cohort
from bayesmyo.cohort.read import cohort_of
from bayesmyo.cohort.table import parse_table
from bayesmyo.model.engines import Sampling
from bayesmyo.model.fit import fit
from bayesmyo.study import parse_study, read_study
from tests.conftest import ROOT

HERE = ROOT / "tests" / "reference"
SHARED = ROOT.parent / "shared" / "reference"
needs_shared = pytest.mark.skipif(
    not SHARED.is_dir(), reason="the reference cohorts are not here (GPL data, not copied)"
)
pytestmark = pytest.mark.sampling

SLEEP_NAMES = {"intercept": "intercept", "days": "slope", "sd_intercept": "sd_intercept", "sd_days": "sd_slope", "corr": "correlation", "sigma": "sigma"}  # fmt: skip
RATS_NAMES = {"mu_alpha": "intercept", "mu_beta": "slope", "sd_alpha": "sd_intercept", "sd_beta": "sd_slope", "sigma": "sigma"}  # fmt: skip


def exact(case):
    cases = json.loads((SHARED / "reference.json").read_text())["cases"]
    references = next(c for c in cases if c["id"] == case)["references"]
    return next(r for r in references if r["kind"] == "bayes_exact")["params"]


def fitted(study_file, data_file, **settings):
    study = read_study(HERE / study_file)
    return fit(study, read_cohort(study, SHARED / data_file), seed=11, sampling=Sampling(**settings))


def parameters(found):
    return {p.name.split(".")[1]: p for p in parameter_estimates(found)}


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
    assert all(c.passed for c in check(sleepstudy))


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
    assert all(c.passed for c in check(found))
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
    assert cohort.rows.cells["bilirubin"]["censored"] == reference["n_left"] + reference["n_right"]
    found = parameters(fit(study, cohort, seed=11))
    for name in ("intercept", "slope"):
        assert found[name].mean == pytest.approx(reference[name], abs=0.3 * reference[f"{name}_se"])
    for name in ("sd_intercept", "sd_slope", "sigma", "correlation"):
        assert found[name].mean == pytest.approx(reference[name], abs=0.3 * reference[f"{name}_se"])


SAME_BITS = """
import hashlib, sys
from bayesmyo.cohort import read_cohort
from bayesmyo.study import read_study
from bayesmyo.model.engines import Sampling
from bayesmyo.model.fit import fit
study = read_study(sys.argv[1])
found = fit(study, read_cohort(study, sys.argv[2]), seed=5, sampling=Sampling(draws=200, tune=200, cores=int(sys.argv[3])))
print(hashlib.sha256(b"".join(v.values.tobytes() for v in found.group("posterior").data_vars.values())).hexdigest())
"""


def bits(folder: Path, cores: int, data: Path, before: str = "") -> str:
    """Hash of the draws of a fit in a process of its own, with its compile cache in `folder`."""
    env = os.environ | {"PYTENSOR_FLAGS": f"base_compiledir={folder}", "NUMBA_CACHE_DIR": str(folder / "numba")}
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
