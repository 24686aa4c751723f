"""Each patient's own number: the estimand of that patient alone, of the right patient, and refused where one cannot
be asked.
"""

import json

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

import bayesmyo
from bayesmyo import figures
from bayesmyo.assess.each_patient import alone, each_draws
from bayesmyo.errors import StorageError, UsageError
from bayesmyo.inference.store import load_fit, save_fit, share
from bayesmyo.model.simulate import simulate
from bayesmyo.report.page import page
from bayesmyo.report.results import results
from bayesmyo.study import parse_study, read_study
from bayesmyo.study.describe import own_number
from tests.conftest import ROOT, SMALL, fit_of, independent_draws, scenario_truth

TRIALS = """
[study]
title = "On and off"
patient = "patient"
time = { column = "week", unit = "week" }

[covariates.drug]
varies = "visits"
levels = ["off", "on"]

[covariates.diet]
varies = "visits"
levels = ["usual", "strict"]

[covariates.sex]
levels = ["female", "male"]

[outcomes.pain]
column = "pain"
label = "Pain"
unit = "points"
better = "lower"
typical = 50
scale = 10
family = { kind = "gaussian" }
trajectory = { kind = "constant" }
effects = ["intercept", "drug"]
covariates = ["drug", "diet", "sex"]

[estimands.benefit]
kind = "level"
outcome = "pain"
at = 0
population = "these patients"
contrast = { covariate = "drug", level = "on", reference = "off" }

[estimands.by_diet]
kind = "level"
outcome = "pain"
at = 0
population = "these patients"
contrast = { covariate = "diet", level = "strict", reference = "usual" }

[estimands.by_sex]
kind = "level"
outcome = "pain"
at = 0
contrast = { covariate = "sex", level = "male", reference = "female" }

[estimands.measured]
kind = "level"
outcome = "pain"
at = 0
population = "new patient"
predicts = "measurement"

[estimands.relieved]
kind = "share"
criteria = { pain = { at_most = 40 } }
at = 0

[design]
patients = 12
follow_up = { mean = 20, sd = 3, maximum = 24 }
visits = { first = [0, 1, 2], then_every = 2, jitter = 0.1 }

[scenarios.mixed.pain]
intercept = 50
drug_on = -1
diet_strict = 1
sex_male = 2
sd_intercept = 6
sd_drug_on = 4
correlation = 0
sigma = 3
"""
CURVES = SMALL.replace(
    "[decisions",
    """[estimands.stronger]
kind = "time to"
outcome = "strength"
at_least = 55
within = 60

[decisions""",
    1,
)


def fit_to(text):
    study = parse_study(text)
    cohort = simulate(study, scenario_truth(study, 12, np.random.default_rng(7)), np.random.default_rng(4)).cohort
    return fit_of(study, cohort, independent_draws(study, cohort, draws=500))


@pytest.fixture(scope="module")
def trials():
    return fit_to(TRIALS)


@pytest.fixture(scope="module")
def curves():
    return fit_to(CURVES)


@pytest.fixture
def file(trials, tmp_path):
    save_fit(trials, tmp_path / "trials.nc")
    return tmp_path / "trials.nc"


def own(fit):
    """(chain, draw, patient) the effect of the drug in each patient, from the draws themselves."""
    posterior = fit.group("posterior")
    return posterior["pain.drug_on"].values[..., None] + posterior["pain.effect_drug_on"].values


def test_an_own_effect_is_the_coefficient_and_what_the_patient_adds(trials):
    found, effect = bayesmyo.each_patient(trials, "benefit"), own(trials)
    assert tuple(found.index) == trials.cohort.pseudonyms()
    assert found["mean"].to_numpy() == pytest.approx(effect.mean(axis=(0, 1)))
    assert found["sd"].to_numpy() == pytest.approx(effect.std(axis=(0, 1)), rel=1e-3)
    assert found["probability"].to_numpy() == pytest.approx((effect < 0).mean(axis=(0, 1)))
    for name, q in (("lower", 0.025), ("median", 0.5), ("upper", 0.975)):
        assert found[name].to_numpy() == pytest.approx(np.quantile(effect, q, axis=(0, 1)))
    assert found["measurements"].tolist() == np.bincount(trials.cohort.measurements["pain"].patient).tolist()
    assert found.attrs == {
        "estimand": "benefit", "unit": "points", "direction": "below", "threshold": 0.0, "interval": 0.95,
    }  # fmt: skip
    assert found["sentence"].iloc[2].startswith("P03: ")
    assert not found["withheld"].any()


def test_their_average_is_the_estimand_of_these_patients(trials):
    every = np.stack([*each_draws(trials, "benefit").values()])
    assert every.mean(axis=0) == pytest.approx(trials.estimands["benefit"])


def test_a_ratio_is_that_of_the_patients_own_curve(curves):
    """On the log, the average over patients is that of their logs."""
    every = np.stack([*each_draws(curves, "cpk_ratio_12").values()])
    levels = {t: curves.prediction.each("cpk", t) for t in (0.0, 12.0)}
    assert np.moveaxis(every, 0, -1) == pytest.approx(levels[12.0] / levels[0.0])


def test_a_time_is_that_at_which_the_patients_own_line_crosses(curves):
    posterior = curves.group("posterior")
    level, slope = (
        posterior[f"strength.{k}"].values[..., None] + posterior[f"strength.effect_{k}"].values
        for k in ("intercept", "slope")
    )
    expected = np.where(level >= 55, 0.0, np.where(slope > 0, (55 - level) / np.where(slope > 0, slope, 1.0), 60.0))
    found = np.moveaxis(np.stack([*each_draws(curves, "stronger").values()]), 0, -1)
    assert found == pytest.approx(np.minimum(expected, 60.0), abs=1e-6)
    assert "time until the curve of strength" in own_number(curves.study, curves.study.estimands["stronger"])


def test_one_patient_alone_keeps_the_own_effects_and_covariates(trials):
    one = alone(trials.truth, 4)
    assert one.patients == 1
    assert one.outcomes["pain"].effects["drug_on"][..., 0] == pytest.approx(
        trials.truth.outcomes["pain"].effects["drug_on"][..., 4]
    )
    assert one.covariates["sex_male"] == pytest.approx(trials.truth.covariates["sex_male"][..., [4]])


@pytest.mark.parametrize(
    ("estimand", "why"),
    [
        ("benefits", r'estimand: is not in this study; got "benefits"; did you mean "benefit"\?'),
        (
            "by_diet",
            r'compares what patients do not differ in: diet moves all .* name "diet" among the effects of \[outcomes.pain\]',
        ),
        ("by_sex", "compares groups of patients, and no patient is in both; contrast a covariate of visits"),
        ("measured", "is of a measurement of a new patient; ask an estimand of expected values"),
        ("relieved", r"counts patients, and one patient has no share; declare a rule of \[responses\]"),
    ],
)
def test_what_one_patient_cannot_be_asked(trials, estimand, why):
    with pytest.raises(UsageError, match=why):
        bayesmyo.each_patient(trials, estimand)


def test_a_shared_copy_has_no_patients(file):
    save_fit(share(load_fit(file)), file.with_name("shared.nc"))
    with pytest.raises(StorageError, match="without patient data"):
        bayesmyo.each_patient(load_fit(file.with_name("shared.nc")), "benefit")


def test_the_command_prints_a_row_for_each_patient(run, file):
    text, document = (run("estimate", file, "--each-patient", "benefit", *more) for more in ((), ("--json",)))
    assert (text.code, document.code) == (0, 0)
    assert text.out.startswith("In each patient: the pain at week 0 with drug on minus that with drug off")
    assert max(map(len, text.out.splitlines()[1:])) <= 80
    assert [line.split()[0] for line in text.out.splitlines()[2:]] == [f"P{n:02d}" for n in range(1, 13)]
    assert document.json["estimand"] == "benefit"
    assert [r["name"] for r in document.json["each_patient"]] == [f"P{n:02d}" for n in range(1, 13)]
    assert {r["population"] for r in document.json["each_patient"]} == {"each patient"}
    refused = run("estimate", file, "--each-patient", "by_sex")
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.startswith("estimands.by_sex: compares groups of patients")


def test_where_a_check_fails_no_number_is_said(run, mock_fit, tmp_path):
    save_fit(mock_fit, tmp_path / "mock.nc")
    name = next(n for n, e in mock_fit.study.estimands.items() if e.amount_of and e.predicts != "measurement")
    result = run("estimate", "mock.nc", "--each-patient", name)
    assert result.code == 1
    assert result.out.count("withheld") == len(mock_fit.cohort) + 1
    assert bayesmyo.each_patient(mock_fit, name)["withheld"].all()


def test_the_figure_is_in_order_of_the_medians(trials):
    found = bayesmyo.each_patient(trials, "benefit").sort_values("median")
    figure = figures.each_patient(trials, "benefit")
    assert isinstance(figure, Figure)
    (axes,) = [a for a in figure.axes if a.axison]
    assert [t.get_text() for t in axes.get_yticklabels()] == [*found.index, "average"]
    drawn = [float(one.get_xdata()[0]) for one in axes.lines if one.get_label() == "median"]
    assert drawn == pytest.approx(found["median"].tolist())
    assert axes.get_xlabel() == "points"


def test_the_report_shows_single_patients_where_it_is_asked_to(trials, good_fit):
    def blocks(fit, **how):
        (section,) = [s for s in page(results(fit, **how)).sections if s.name == "answers"]
        return section.blocks

    def said(found):
        return " ".join(getattr(b, "text", "") for b in found)

    with_patients, without = blocks(trials, patient_level=True), blocks(trials)
    effect = own(trials)
    likely = int(((effect < 0).mean(axis=(0, 1)) > 0.5).sum())
    for found in (with_patients, without):
        assert f"It is more likely than not below 0 points in {likely} of 12 patients" in said(found)
    names = [getattr(b, "name", "") for b in with_patients]
    assert "each_patient_benefit" in names
    assert "figure-each-patient-benefit" in names
    assert not any("each_patient" in getattr(b, "name", "") for b in without)
    assert "Each patient" not in said(blocks(good_fit, patient_level=True))


NEXT = ROOT.parent / "shared" / "reference" / "next"


@pytest.mark.sampling
@pytest.mark.skipif(not NEXT.is_dir(), reason="the reference cohort is not here")
def test_each_patient_of_a_crossover_is_the_exact_posterior():
    """Effects integrated out and population parameters by importance sampling, without MCMC: twelve patients, one of
    them harmed.
    """
    cases = json.loads((NEXT / "next.json").read_text())["cases"]
    exact = next(c for c in cases if c["id"] == "crossover_12")["references"][0]["patients"]
    frame = pd.read_csv(NEXT / "crossover_12.csv")
    frame["visit"] = frame.groupby("patient").cumcount()
    study = read_study(ROOT / "tests" / "reference" / "crossover.toml")
    cohort = bayesmyo.cohort_from_frame(study, frame)
    found = bayesmyo.each_patient(
        bayesmyo.fit(study, cohort, seed=11, sampling=bayesmyo.Sampling(draws=2000)), "benefit"
    )
    assert found["ess"].min() > 2000
    for name, patient in zip(found.index, cohort.patients, strict=True):
        row, r = found.loc[name], exact[patient]
        assert row["mean"] == pytest.approx(r["mean"], abs=r["tol_mean"])
        assert row["sd"] == pytest.approx(r["sd"], rel=r["tol_sd_rel"])
        assert row["probability"] == pytest.approx(r["p_below_0"], abs=0.02)
