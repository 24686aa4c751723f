"""One new patient: the same as a fit that contains the patient, the same at every call, and silent where it cannot tell."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import bayesmyo
from bayesmyo import figures
from bayesmyo.assess.checks import CheckResult
from bayesmyo.assess.diagnostics import diagnose, quantile_errors
from bayesmyo.assess.predict import predict
from bayesmyo.assess.predicted import PatientPrediction
from bayesmyo.assess.unlike import RARE, far_off
from bayesmyo.cohort.write import to_csv
from bayesmyo.errors import UsageError
from bayesmyo.inference.compiled import Compiled
from bayesmyo.inference.engines import Sampling
from bayesmyo.inference.store import save_fit, share
from bayesmyo.model.prediction import TruthPrediction
from bayesmyo.model.simulate import simulate, simulate_scenario
from bayesmyo.report.one_patient import NO_DEVICE
from bayesmyo.study import parse_study
from tests.conftest import SMALL, fit_of, independent_draws, scenario_truth

ASKS = """
[estimands.both_better]
kind = "share"
criteria = { strength = { of = "change", at_least = 5 }, cpk = { at_most = 300 } }
at = 12
population = "these patients"
[responses.rule]
at = 12
[responses.rule.categories.complete]
cpk = { at_most = 200 }
[responses.rule.categories.partial]
cpk = { of = "ratio", at_most = 0.5 }
[responses.rule.categories.none]
"""
TIMES = (12.0, 60.0)


@pytest.fixture(scope="module")
def asking():
    return parse_study(SMALL + ASKS)


@pytest.fixture(scope="module")
def known(asking):
    cohort = simulate(asking, scenario_truth(asking, 12, np.random.default_rng(7)), np.random.default_rng(4)).cohort
    return fit_of(asking, cohort, independent_draws(asking, cohort))


@pytest.fixture(scope="module")
def newcomer(asking):
    simulated = simulate(asking, scenario_truth(asking, 1, np.random.default_rng(77)), np.random.default_rng(44))
    return replace(simulated.cohort, patients=("somebody",))


@pytest.fixture(scope="module")
def told(known, newcomer) -> PatientPrediction:
    return predict(known, newcomer, TIMES, checks=())[0]


def test_the_same_call_gives_the_same_bits(known, newcomer, told):
    again = predict(known, newcomer, TIMES, checks=())[0]
    assert json.dumps(again.as_dict()) == json.dumps(told.as_dict())
    assert (told.patient, len(told.basis)) == ("N01", len(set(newcomer.measurements["cpk"].time)) + 1)


def test_before_any_visit_stands_what_a_new_patient_has(known, told):
    prediction = TruthPrediction(known.study, known.truth, 99)
    for row in (r for r in told.levels if r.known == 0):
        for predicts, numbers in (
            ("expected value", (row.median, row.lower, row.upper)),
            ("measurement", (row.measured_median, row.measured_lower, row.measured_upper)),
        ):
            draws = prediction.level(row.outcome, row.time, "new patient", predicts=predicts)
            place = [np.mean(draws < x) for x in numbers]
            assert place == pytest.approx([0.5, 0.025, 0.975], abs=0.04)


def test_what_is_known_narrows_what_is_expected(told):
    for outcome in ("strength", "cpk"):
        rows = [r for r in told.levels if (r.outcome, r.time) == (outcome, 12.0)]
        assert rows[-1].upper - rows[-1].lower < 0.4 * (rows[0].upper - rows[0].lower)


def test_probabilities_are_those_of_the_draws(told):
    state, last = told.states[-1], told.last.known
    said = {(c.name, c.time): c for c in told.chances if c.known == last}
    at, start = ({o: state.course(o, t) for o in ("strength", "cpk")} for t in (12.0, 0.0))
    both = np.mean((at["strength"] - start["strength"] >= 5) & (at["cpk"] <= 300))
    complete = at["cpk"] <= 200
    partial = ~complete & (at["cpk"] / start["cpk"] <= 0.5)
    assert said["both_better", 12.0].probability == pytest.approx(both)
    assert said["rule: complete", 12.0].probability == pytest.approx(complete.mean())
    assert said["rule: partial", 12.0].probability == pytest.approx(partial.mean())
    for time in TIMES:
        assert sum(c.probability for (name, t), c in said.items() if t == time and "rule" in name) == pytest.approx(1)


def test_a_patient_of_the_cohort_is_seldom_called_unlike_it(known, asking, rng):
    truth = scenario_truth(asking, 20, rng)
    others = simulate(asking, truth, rng).cohort
    others = replace(others, patients=tuple(f"new {i}" for i in range(20)))
    p = np.array([one.p for one in predict(known, others, (12,), checks=())])
    assert (p < 0.5).any()
    assert (p < RARE).sum() <= 1  # 0.2 are expected


def test_a_patient_who_is_far_off_is_called_so(known, newcomer):
    m = newcomer.measurements["cpk"]
    value = m.value.copy()
    value[3] *= 40
    odd = replace(newcomer, measurements={**newcomer.measurements, "cpk": replace(m, value=value)})
    one = predict(known, odd, TIMES, checks=())[0]
    assert one.p < RARE
    assert f"month {m.time[3]:g}" in one.unlike[0]
    assert far_off([0.001] * 20) == pytest.approx(0.02)


def test_nothing_is_said_where_the_weights_cannot_be_trusted(known, newcomer):
    m = newcomer.measurements["strength"]
    odd = replace(newcomer, measurements={**newcomer.measurements, "strength": replace(m, value=m.value + 300)})
    one = predict(known, odd, TIMES, checks=())[0]
    assert not one.last.reliable
    row = one.as_dict()["levels"][-1]
    assert row["withheld"]
    assert row["median"] is None
    assert row["sentence"].startswith("withheld: the draws of the fit are worth")


def test_a_failed_check_withholds(known, newcomer):
    failed = CheckResult("some", False, "The curve does not fit.", outcomes=("cpk",))
    one = predict(known, newcomer, TIMES, checks=(failed,))[0]
    assert all(r.withheld == (r.outcome == "cpk") for r in one.levels)


def test_a_shared_copy_predicts_the_same(known, newcomer, told):
    one = predict(share(known), newcomer, TIMES, checks=())[0]
    assert one.as_dict()["levels"] == told.as_dict()["levels"]


def test_what_cannot_be_asked(known, newcomer):
    with pytest.raises(UsageError, match="is in the fit already, under the same id, as P03"):
        predict(known, replace(newcomer, patients=(known.cohort.patients[2],)), TIMES)
    for times, said in (([], "at least one"), (["x"], "must be numbers"), ([np.nan], "finite")):
        with pytest.raises(UsageError, match=said):
            predict(known, newcomer, times or np.array([]), checks=())
    with pytest.raises(UsageError, match="must be a Cohort"):
        predict(known, "new.csv", TIMES)


def test_one_patient_without_an_outcome_can_be_read(asking):
    rows = pd.DataFrame({"patient": ["a", "a"], "month": [0, 3], "strength": [40, 45], "cpk": [None, None]})
    with pytest.raises(bayesmyo.BayesmyoError, match="holds no measurement"):
        bayesmyo.cohort_from_frame(asking, rows)
    assert len(bayesmyo.cohort_from_frame(asking, rows, alone=True).measurements["cpk"]) == 0


def test_the_command(run, known, newcomer, tmp_path):
    save_fit(known, tmp_path / "fit.nc")
    (tmp_path / "new.csv").write_text(to_csv(known.study, newcomer))
    result = run("predict", "fit.nc", "new.csv", "--times", "12,60", "-o", "patient.html", "--json")
    assert result.code == 0
    assert result.json["patients"][0]["patient"] == "N01"
    page = (tmp_path / "patient.html").read_text()
    assert NO_DEVICE in page
    assert "somebody" not in page + result.out
    assert "<script" not in page
    assert run("predict", "fit.nc", "new.csv", "--times", "soon").code == 2
    assert NO_DEVICE in run("predict", "fit.nc", "new.csv").out


def test_the_figure_shows_every_measurement_before_and_after(told):
    figure = figures.new_patient(told, "cpk")
    panels = [axes for axes in figure.axes if axes.axison]
    m = told.states[-1].own.measurements["cpk"]
    for axes in panels:
        drawn = sorted(float(y) for line in axes.lines if line.get_marker() == "o" for y in line.get_ydata())
        assert drawn == pytest.approx(sorted(m.value.tolist()))
    with pytest.raises(UsageError, match="is not in this study"):
        figures.new_patient(told, "crp")


@pytest.mark.sampling
def test_equal_to_a_fit_that_contains_the_patient():
    text = (
        SMALL[: SMALL.index("[outcomes.cpk]")]
        + SMALL[SMALL.index("[design]") : SMALL.index("[scenarios.improves.cpk]")]
    )
    study = parse_study(text)
    cohort = simulate_scenario(study, "improves", seed=4).cohort
    last = len(cohort) - 1
    compiled = Compiled(study, "nuts", Sampling(draws=2000, tune=500, chains=2))
    others = cohort.first(last)
    without = fit_of(study, others, compiled.draws(others, 3))
    whole = fit_of(study, cohort, compiled.draws(cohort, 4))
    one = predict(without, cohort.alone(last), (6, 36), checks=())[0]
    tails = (0.5, 0.025, 0.975)
    for row in (r for r in one.levels if r.known == one.last.known):
        draws = whole.prediction.each("strength", row.time)[..., last]
        errors = quantile_errors({"x": draws}, tails)["x"]
        for p, here, mcse, there in zip(tails, (row.median, row.lower, row.upper), row.mcse, errors, strict=True):
            assert abs(here - np.quantile(draws, p)) < 2 * np.hypot(mcse, there)
    truth = one.states[-1].truth.outcomes["strength"]
    for name in ("intercept", "slope"):
        mcse = diagnose({"x": whole.truth.outcomes["strength"].values[name]})["x"].mcse
        mean, own = whole.truth.outcomes["strength"].values[name].mean(), truth.values[name]
        assert abs(own.mean() - mean) < 2 * np.hypot(mcse, own.std() / np.sqrt(one.last.effective))
