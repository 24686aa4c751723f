"""Residuals of two outcomes that are correlated at a visit, against the multivariate normal distribution written by
hand.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from bayesmyo.cohort.frame import cohort_from_frame
from bayesmyo.errors import StudyError
from bayesmyo.inference.build import build
from bayesmyo.inference.recover import recover
from bayesmyo.model.joint import standard_residuals, visits
from bayesmyo.model.marginal import log_marginal
from bayesmyo.model.truth import of_values
from bayesmyo.study import parse_study
from bayesmyo.study.parameters import all_parameters
from bayesmyo.study.write import to_toml
from tests.inference.density import Density, half, total

STUDY = """
[study]
title = "T"
patient = "p"
time = {{ column = "t", unit = "month", typical = 12 }}
correlate = "{correlate}"
correlate_residuals = ["x", "y"]

[outcomes.x]
column = "x"
unit = "points"
better = "higher"
typical = 0
scale = 10
family = {{ kind = "gaussian" }}
trajectory = {{ kind = "constant" }}
effects = {effects}
priors = {{ intercept = "normal(0, 5)", sigma = "halfnormal(3)"{more} }}

[outcomes.y]
column = "y"
unit = "IU"
better = "higher"
typical = 100
scale = 2
family = {{ kind = "lognormal" }}
trajectory = {{ kind = "linear" }}
effects = ["intercept"]
priors = {{ intercept = "normal(4, 2)", slope = "normal(0, 0.1)", sd_intercept = "halfnormal(1)", sigma = "halfnormal(1)" }}
"""
WHO = np.repeat([0, 1, 2], 3)
T = np.array([0, 1, 3, 0, 2, 5, 0, 4, 6.0])
X = np.array([1.0, np.nan, 2, -3, 4, 5, np.nan, 0.5, -1])  # not at every visit
Y = np.array([50.0, 60, np.nan, 80, 40, 30, 90, 70, np.nan])
PRIORS = {
    "x.intercept": stats.norm(0, 5),
    "x.sigma": half(3),
    "y.intercept": stats.norm(4, 2),
    "y.slope": stats.norm(0, 0.1),
    "y.sd_intercept": half(1),
    "y.sigma": half(1),
    "correlations.x_residual_y_residual": stats.uniform(-1, 2),
}
R = "correlations.x_residual_y_residual"
CASES = {  # what the patients' effects are: of both outcomes, correlated or not, or of one
    "both": ('["intercept"]', "within outcomes"),
    "correlated": ('["intercept"]', "across outcomes"),
    "one": ("[]", "within outcomes"),
}


def study_of(case):
    effects, correlate = CASES[case]
    more = ', sd_intercept = "halfnormal(2)"' if effects != "[]" else ""
    return parse_study(STUDY.format(effects=effects, more=more, correlate=correlate))


def table(missing=""):
    frame = pd.DataFrame({"p": np.array(list("abc"))[WHO], "t": T, "x": X, "y": Y})
    return frame.astype(object).where(frame.notna(), missing)


def point(rng, case):
    priors = dict(PRIORS)
    if case != "one":
        priors["x.sd_intercept"] = half(2)
    if case == "correlated":
        priors["correlations.x_intercept_y_intercept"] = stats.uniform(-1, 2)
    return {k: np.asarray(d.rvs(random_state=rng)) for k, d in priors.items()}, priors


def halved(p, priors):
    """The point and its priors as the model samples it: LKJ(2) of two is Beta(2, 2) of (1 + r) / 2."""
    sampled = {
        f"{k}_half" if k.startswith("corr") else k: (1 + v) / 2 if k.startswith("corr") else v for k, v in p.items()
    }
    return sampled, {k: stats.beta(2, 2) if k.startswith("corr") else priors[k] for k in sampled}


def patient(p, i):
    """Mean and covariance of a patient's cells on the link scale: those of x, then those of y; and the cells."""
    sd = np.array([p.get("x.sd_intercept", 0.0), p["y.sd_intercept"]])
    between = p.get("correlations.x_intercept_y_intercept", 0.0)
    b = np.outer(sd, sd) * np.array([[1, between], [between, 1]])
    sigma = np.array([p["x.sigma"], p["y.sigma"]])
    e = np.outer(sigma, sigma) * np.array([[1, p[R]], [p[R], 1]])
    cells = [(0, t, x) for t, x in zip(T[i == WHO], X[i == WHO], strict=True) if np.isfinite(x)]
    cells += [(1, t, np.log(y)) for t, y in zip(T[i == WHO], Y[i == WHO], strict=True) if np.isfinite(y)]
    mean = np.array([p["x.intercept"] if o == 0 else p["y.intercept"] + p["y.slope"] * t for o, t, _ in cells])
    cov = np.array([[b[o, q] + (e[o, q] if t == u else 0.0) for q, u, _ in cells] for o, t, _ in cells])
    return mean, cov, np.array([v for *_, v in cells])


@pytest.mark.parametrize("case", CASES)
def test_the_model_is_the_one_written_by_hand(rng, case):
    text = study_of(case).text
    density = Density(text, table().to_csv(index=False))
    for _ in range(2):
        p, priors = point(rng, case)
        sampled, priors = halved(p, priors)
        truth = total(priors, sampled)
        for i in range(3):
            mean, cov, v = patient(p, i)
            truth += stats.multivariate_normal(mean, cov).logpdf(v)
        assert density(sampled) == pytest.approx(truth, rel=1e-8)


@pytest.mark.parametrize("case", CASES)
def test_a_patient_left_out_is_scored_jointly(rng, case):
    study = study_of(case)
    cohort = cohort_from_frame(study, table(np.nan))
    p, _ = point(rng, case)
    values = {}
    for k, v in p.items():
        outcome, name = k.split(".")
        values.setdefault(outcome, {})[name] = v
    truth = of_values(values)
    for i in range(3):
        mean, cov, v = patient(p, i)
        units = -np.log(Y[(i == WHO) & np.isfinite(Y)]).sum()  # the density of y, not of log y
        expected = stats.multivariate_normal(mean, cov).logpdf(v) + units
        assert log_marginal(study, cohort, truth, i) == pytest.approx(expected, abs=1e-6)


def test_effects_are_drawn_back_from_their_exact_distribution(rng):
    study = study_of("both")
    built = build(study, cohort_from_frame(study, table(np.nan)))
    p, _ = point(rng, "both")
    n = 40_000
    drawn = recover(built, {k: np.full((1, n), v) for k, v in p.items()}, built.data, rng)
    for i in range(3):
        mean, cov, v = patient(p, i)
        first = np.arange(len(v)) < np.isfinite(X[i == WHO]).sum()
        prior = np.diag([p["x.sd_intercept"] ** 2, p["y.sd_intercept"] ** 2])
        gain = prior @ np.array([first, ~first]).astype(float) @ np.linalg.inv(cov)
        expected, left = gain @ (v - mean), prior - gain @ np.array([first, ~first]).T @ prior
        b = np.stack([drawn[f"{o}.effect_intercept"][0, :, i] for o in "xy"])
        sd = np.sqrt(np.diag(left))
        assert np.all(np.abs(b.mean(axis=1) - expected) < 5 * sd / np.sqrt(n))
        assert np.abs((np.cov(b) - left) / np.outer(sd, sd)).max() < 5 * np.sqrt(2 / n)


def test_a_study_that_says_so_is_written_and_read_again():
    study = study_of("both")
    assert parse_study(to_toml(study)) == study
    assert "correlate_residuals" not in to_toml(replace(study, correlate_residuals=()))


def test_what_is_drawn_has_the_correlation_at_a_visit_and_nowhere_else(rng):
    study = study_of("both")
    cohort = cohort_from_frame(study, table(np.nan))
    n, r = 20_000, 0.7
    values = {p.outcome: {} for p in all_parameters(study)}
    values["correlations"]["x_residual_y_residual"] = np.full(n, r)
    values["x"] = values["y"] = {"sigma": np.ones(n)}
    z = standard_residuals(study, of_values(values), cohort.measurements, rng)
    x, y = cohort.measurements["x"], cohort.measurements["y"]
    same = (x.patient[:, None] == y.patient) & (x.time[:, None] == y.time)
    crossed = z["x"].T @ z["y"] / n
    assert np.abs(crossed - r * same).max() < 5 / np.sqrt(n)
    assert z["x"].std(axis=0) == pytest.approx(1, abs=0.03)


def test_visits_are_those_of_one_patient_at_one_time_and_a_second_measurement_is_one_of_its_own():
    own, patient = visits(
        [np.array([1, 0, 0, 0]), np.array([0, 1, 0])], [np.array([2.0, 1, 1, 3]), np.array([1.0, 2, 9])]
    )
    assert own.tolist() == [[1, 4], [2, -1], [3, -1], [-1, 6], [0, 5]]
    assert patient.tolist() == [0, 0, 0, 0, 1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (('["x", "y"]', '["x"]'), "names one outcome alone"),
        (('["x", "y"]', '["x", "z"]'), 'is not an outcome of this study; got "z"'),
        (('["x", "y"]', '["x", "x"]'), "names an outcome twice"),
        (('{ kind = "gaussian" }', '{ kind = "student_t" }'), "whose residuals cannot be correlated"),
    ],
)
def test_what_cannot_be_correlated_is_refused(change, message):
    text = study_of("one").text.replace(*change)
    with pytest.raises(StudyError, match=message):
        parse_study(text)
