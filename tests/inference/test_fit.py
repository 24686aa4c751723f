"""The verb `fit` and the Fit: what is in the tree, and that it is right."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

from bayesmyo.assess.estimate import parameters as parameters_of
from bayesmyo.assess.said import decisions, estimate
from bayesmyo.cohort.cohort import LEFT, RIGHT
from bayesmyo.errors import UsageError
from bayesmyo.inference.engines import Sampling
from bayesmyo.inference.fit import fit
from bayesmyo.inference.store import share
from bayesmyo.model.versions import versions
from bayesmyo.study import parse_study
from tests.conftest import DATA, SMALL, fit_of, independent_draws

GROUPS = {"posterior", "sample_stats", "log_likelihood", "log_prior", "observed_data", "constant_data"}
OUTCOMES = ("mrc", "cpk", "steroid")
FEW = Sampling(draws=5, tune=1, chains=2)


def table():
    with (DATA / "ivig.csv").open() as file:
        return list(csv.DictReader(file))


def parameters(fit, outcome, chain, draw):
    """One draw of an outcome's parameters and effects, by name."""
    return {k.removeprefix(f"{outcome}."): v.values[chain, draw] for k, v in fit.group("posterior").data_vars.items()}


def eta(fit, outcome, chain, draw):
    """(visit,) predictor of one draw at every measurement, by hand."""
    p, data = parameters(fit, outcome, chain, draw), fit.group("constant_data")
    patient, time = data[f"{outcome}.patient"].values, data[f"{outcome}.time"].values
    start, asymptote = (p[k] + p[f"effect_{k}"][patient] for k in ("start", "asymptote"))
    return asymptote + (start - asymptote) * 2 ** (-time / p["half_time"])


def log_chances(fit, outcome, chain, draw):
    """(visit,) the logs of the probabilities of the outcome's lower end and of its upper end, by hand."""
    p, data = parameters(fit, outcome, chain, draw), fit.group("constant_data")
    if outcome == "mrc":
        location = eta(fit, outcome, chain, draw)
        return special.log_expit(-location - p["cut_floor"]), special.log_expit(location - p["cut_ceiling"])
    patient, time = data[f"{outcome}.patient"].values, data[f"{outcome}.time"].values
    none = p["zero_intercept"] + p["effect_zero_intercept"][patient] + p["zero_slope"] * np.log(1 + time)
    return special.log_expit(none), np.full(len(time), -np.inf)


def log_density(fit, outcome, chain, draw, y):
    """(visit,) by hand, in outcome units."""
    p, location = parameters(fit, outcome, chain, draw), eta(fit, outcome, chain, draw)
    if outcome == "cpk":
        return stats.lognorm(p["sigma"], scale=np.exp(location)).logpdf(y)
    lower, upper = log_chances(fit, outcome, chain, draw)
    inside = np.log1p(-np.exp(lower) - np.exp(upper))
    if outcome == "steroid":
        dose = stats.norm(location, p["sigma"]).logpdf(np.log(np.where(y > 0, y, 1)))
        return np.where(y == 0, lower, inside + dose - np.log(np.where(y > 0, y, 1)))
    mu = special.expit(location)
    share = np.where((y > 0) & (y < 5), y / 5, 0.5)
    between = stats.beta(mu * p["precision"], (1 - mu) * p["precision"]).logpdf(share) - np.log(5)
    return np.select([y == 0, y == 5], [lower, upper], inside + between)


def distribution(fit, outcome, chain, draw, y):
    """(visit,) the probabilities of less than y, and of at most y, by hand."""
    p, location = parameters(fit, outcome, chain, draw), eta(fit, outcome, chain, draw)
    if outcome == "cpk":
        below = stats.norm.cdf((np.log(y) - location) / p["sigma"])
        return below, below
    lower, upper = map(np.exp, log_chances(fit, outcome, chain, draw))
    mu = special.expit(location)
    with np.errstate(divide="ignore"):
        positive = (
            stats.norm.cdf((np.log(y) - location) / p["sigma"])
            if outcome == "steroid"
            else stats.beta(mu * p["precision"], (1 - mu) * p["precision"]).cdf(y / 5)
        )
    top = np.inf if outcome == "steroid" else 5
    below = np.where(y <= 0, 0.0, lower + (1 - lower - upper) * positive)
    return below, np.where(y >= top, 1.0, lower + (1 - lower - upper) * positive)


# --- the tree


def test_groups(mock_fit):
    assert set(mock_fit.tree.children) == GROUPS


def test_parameters_are_by_draw_and_effects_by_patient(mock_fit):
    posterior = mock_fit.group("posterior")
    assert len(posterior.data_vars) == (9 + 2) + (7 + 2) + (7 + 2) + (3 + 1) + 12  # the zero part, and between outcomes
    for name, array in posterior.data_vars.items():
        by_patient = ".effect_" in str(name)
        assert array.dims == (("chain", "draw", "patient") if by_patient else ("chain", "draw"))
        assert array.shape == ((2, 200, 23) if by_patient else (2, 200))
        assert np.isfinite(array.values).all()
    assert list(posterior["patient"].values) == list(mock_fit.cohort.patients)


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_measurements_have_a_dimension_for_each_outcome(mock_fit, outcome):
    visit = f"{outcome}.visit"
    n = len(mock_fit.cohort.measurements[outcome])
    assert mock_fit.group("observed_data")[outcome].sizes == {visit: n}
    assert mock_fit.group("log_likelihood")[outcome].sizes == {"chain": 2, "draw": 200, visit: n}


def test_units_and_priors_are_attributes(mock_fit):
    posterior, data = mock_fit.group("posterior"), mock_fit.group("observed_data")
    assert posterior["cpk.start"].attrs["units"] == "log IU/L"
    assert posterior["cpk.effect_start"].attrs == {"outcome": "cpk", "units": "log IU/L"}
    assert posterior["mrc.half_time"].attrs == {"outcome": "mrc", "units": "month", "prior": "lognormal(1.09861, 0.5)"}
    assert data["cpk"].attrs == {"units": "IU/L", "long_name": "Creatine phosphokinase"}
    assert mock_fit.group("constant_data")["mrc.time"].attrs == {"units": "month"}


def test_the_fit_says_how_it_was_made(mock_fit, ivig):
    assert (mock_fit.engine, mock_fit.seed) == ("mock", 1)
    asked = {"draws": 200, "tune": 1, "chains": 2, "target_accept": 0.95, "adaptation": "diag"}
    assert mock_fit.sampling == asked | {"every": 1, "attempts": 1}
    assert mock_fit.versions == versions()
    assert mock_fit.tree.attrs["study"] == ivig.text
    assert mock_fit.tree.attrs["data_source"] == "ivig.csv"
    how = json.loads(mock_fit.tree.attrs["parameterisation"])
    assert how == {"mrc": "informed", "cpk": "integrated", "steroid": "integrated"}


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_observed_data_are_the_table(mock_fit, outcome):
    rows = [row for row in table() if row[outcome]]
    m = mock_fit.cohort.measurements[outcome]
    assert m.value.tolist() == [float(row[outcome]) for row in rows]
    assert m.time.tolist() == [float(row["month"]) for row in rows]
    assert [mock_fit.cohort.patients[i] for i in m.patient] == [row["patient"] for row in rows]


# --- the likelihood and what it predicts


@pytest.mark.parametrize("draw", [(0, 0), (0, 117), (1, 199)])
@pytest.mark.parametrize("outcome", OUTCOMES)
def test_log_likelihood_is_the_density_of_each_measurement_in_outcome_units(mock_fit, outcome, draw):
    value = mock_fit.group("observed_data")[outcome].values
    found = mock_fit.group("log_likelihood")[outcome].values[draw]
    np.testing.assert_allclose(found, log_density(mock_fit, outcome, *draw, value), rtol=1e-8, atol=1e-8)


def test_a_limit_counts_with_its_probability(small_cohort):
    study = parse_study(SMALL.replace('label = "CPK"', 'label = "CPK"\ncensoring = "as typed"'))
    m = small_cohort.measurements["cpk"]
    limits = replace(m, side=np.array([LEFT, RIGHT] + [0] * (len(m) - 2), dtype=np.int8))
    cohort = replace(small_cohort, measurements={**small_cohort.measurements, "cpk": limits})
    found = fit_of(study, cohort, independent_draws(study, cohort, draws=4))
    location, sigma = eta(found, "cpk", 0, 0), parameters(found, "cpk", 0, 0)["sigma"]
    oracle = stats.norm(location[:3], sigma)
    value = np.log(m.value[:3])
    expected = [oracle.logcdf(value)[0], oracle.logsf(value)[1], oracle.logpdf(value)[2] - value[2]]
    np.testing.assert_allclose(found.group("log_likelihood")["cpk"].values[0, 0, :3], expected, rtol=1e-10)


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_replicated_measurements_scatter_around_each_patients_own_curve(mock_fit, outcome):
    replicated = mock_fit.posterior_predictive().children["posterior_predictive"][outcome]
    assert replicated.dims == ("chain", "draw", f"{outcome}.visit")
    assert replicated.shape == mock_fit.group("log_likelihood")[outcome].shape
    rng, shares = np.random.default_rng(1), []
    for draw in [(c, d) for c in range(2) for d in range(0, 200, 20)]:
        below, most = distribution(mock_fit, outcome, *draw, replicated.values[draw])
        shares.append(below + (most - below) * rng.uniform(size=below.shape))  # uniform at the ends too, where many are
    assert stats.kstest(np.concatenate(shares), "uniform").pvalue > 0.001


def test_replicated_measurements_have_a_seed_and_leave_the_fit_as_it_was(mock_fit):
    one, again, other = (
        mock_fit.posterior_predictive(seed)["posterior_predictive"]["cpk"].values for seed in (None, None, 9)
    )
    np.testing.assert_array_equal(one, again)
    assert (one != other).all()
    assert set(mock_fit.tree.children) == GROUPS


# --- seeds and settings


def test_the_same_seed_gives_the_same_draws_and_another_gives_others(small, small_cohort):
    one, again, other = (
        fit(small, small_cohort, engine="mock", seed=seed, sampling=FEW).group("posterior") for seed in (5, 5, 6)
    )
    assert one.identical(again)
    assert not any((one[name].values == other[name].values).any() for name in one.data_vars)


def test_cores_are_not_recorded_because_they_change_no_draw(small, small_cohort):
    one, two = (
        fit(small, small_cohort, engine="mock", sampling=Sampling(draws=5, chains=2, cores=n)).tree for n in (1, 2)
    )
    assert one.identical(two)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"engine": "nutz"}, 'engine: is unknown; got "nutz"; did you mean "nuts"?'),
        ({"engine": "gibbs"}, 'engine: is unknown; got "gibbs"; allowed: nuts, laplace, mock.'),
        ({"seed": -1}, "seed: must not be negative; got -1."),
        ({"sampling": Sampling(draws=0)}, "draws: must be at least 4; got 0."),
        ({"sampling": Sampling(tune=0)}, "tune: must be at least 1; got 0."),
        ({"sampling": Sampling(chains=0)}, "chains: must be at least 1; got 0."),
        ({"sampling": Sampling(cores=0)}, "cores: must be at least 1; got 0."),
        ({"sampling": Sampling(adaptation="full")}, 'adaptation: is unknown; got "full"; allowed: diag, low_rank.'),
        ({"sampling": Sampling(target_accept=2)}, "target_accept: must lie between 0 and 1; got 2."),
        ({"sampling": Sampling(target_accept=float("nan"))}, "target_accept: must lie between 0 and 1; got nan."),
        ({"sampling": Sampling(draws=10.5)}, "draws: must be a whole number; got 10.5."),
        ({"seed": "one"}, "seed: must be a whole number; got 'one'."),
        (
            {"sampling": {"draws": 100, "chains": 2}},
            "sampling: must be a Sampling; got a dict; write sampling=bayesmyo.Sampling(draws=100, chains=2).",
        ),
        ({"draws": 100}, "draws: is a setting of the sampling; write sampling=bayesmyo.Sampling(draws=100)."),
        ({"sampel": 1}, 'sampel: is no argument of fit; did you mean "sampling"?'),
    ],
)
def test_settings_out_of_range_are_refused_before_any_work(small, small_cohort, options, message):
    with pytest.raises(UsageError) as refused:
        fit(small, small_cohort, **options)
    assert str(refused.value) == message


def test_a_path_or_a_frame_is_refused_with_the_call_that_reads_it(small, small_cohort):
    for study, cohort, message in (
        ("rct.toml", "rct.csv",
         'study: must be a Study; got "rct.toml"; read it first: bayesmyo.find_study("rct.toml").'),
        (Path("a.toml"), small_cohort, 'got "a.toml"; read it first: bayesmyo.find_study("a.toml").'),
        (small, "rct.csv", 'cohort: must be a Cohort; got "rct.csv"; read it first: bayesmyo.read_cohort(study, '
         '"rct.csv").'),
        (small, pd.DataFrame({"patient": ["a"]}),
         "got a DataFrame; read it first: bayesmyo.cohort_from_frame(study, frame)."),
        (small_cohort, small, "study: must be a Study; got a Cohort"),
    ):  # fmt: skip
        with pytest.raises(UsageError) as refused:
            fit(study, cohort)
        assert message in str(refused.value)


@pytest.mark.parametrize("verb", [estimate, parameters_of, decisions])
def test_the_path_of_a_fit_is_refused_with_the_call_that_reads_it(verb):
    with pytest.raises(UsageError) as refused:
        verb("fit.nc")
    assert str(refused.value) == 'fit: must be a Fit; got "fit.nc"; read it first: bayesmyo.load_fit("fit.nc").'


def test_a_group_that_there_is_not(good_fit):
    with pytest.raises(UsageError, match='group: is not in this fit; got "posteriors"; did you mean "posterior"'):
        good_fit.group("posteriors")


def test_a_fit_shows_itself(good_fit):
    told = repr(good_fit)
    assert told.splitlines()[0] == "Fit of Small"
    assert f"12 patients; measurements: {len(good_fit.cohort.measurements['strength'])} of Strength" in told
    assert "4 chains of 1,000 draws by nuts, seed 1" in told
    assert all(word in told for word in ("cpk_ratio_12", "cpk_halved", "bayesmyo.check(fit)"))
    assert not set(good_fit.cohort.patients) & set(told.split())
    assert "a shared copy without patient data, of 12 patients" in repr(share(good_fit))


def test_a_notebook_shows_a_fit_without_markup_of_its_own(small, small_cohort):
    title = "<script>alert(1)</script>"
    study = parse_study(small.text.replace('title = "Small"', f'title = "{title}"'))
    html = fit_of(study, small_cohort, independent_draws(study, small_cohort))._repr_html_()
    assert "<script" not in html
    assert "&lt;script&gt;" in html
