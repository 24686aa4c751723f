"""Shares of patients who meet criteria together, against patients counted one by one."""

import dataclasses

import numpy as np
import pytest
from scipy import special, stats

from bayesmyo.components.estimands import Criterion, Share
from bayesmyo.model import simulate_scenario
from bayesmyo.model.new_patients import POINTS, draw_new_patients
from bayesmyo.model.prediction import TruthPrediction
from bayesmyo.model.truth import OutcomeTruth, Truth, from_scenario, with_effects
from bayesmyo.study import parse_study
from tests.conftest import SMALL
from tests.study.everything import EVERYTHING

MANY = 20_000
IMPROVED = {"strength": Criterion(of="change", at_least=3), "cpk": Criterion(of="ratio", at_most=0.3)}
LEVELS = {"strength": Criterion(at_least=50), "cpk": Criterion(at_most=200)}


def near(found, share, n, more=0.0):
    """Whether a share is the one of n patients, as far as so many can tell."""
    return abs(found - share) < 4.5 * np.sqrt(share * (1 - share) / n) + more


def posterior(truth, shape):
    """The same truth as if it were so many posterior draws."""
    return Truth(
        {
            name: OutcomeTruth(
                {k: np.broadcast_to(v, shape).copy() for k, v in o.values.items()},
                {k: np.broadcast_to(v, (*shape, *np.shape(v))).copy() for k, v in o.effects.items()},
            )
            for name, o in truth.outcomes.items()
        },
        {k: np.broadcast_to(v, shape).copy() for k, v in truth.correlations.items()},
        truth.covariates,
    )


# --- the scenario of the bundled study: what the simulator draws is what the estimand says


def composite(study, truth, predicts="expected value", population="population average"):
    share = study.estimands["response_12"]
    return dataclasses.replace(share, predicts=predicts, population=population).of(TruthPrediction(study, truth))


def ivig_response(study, simulated):
    """(patient,) who meets the composite at month 12, with the formulas of the study written out here."""
    values = {name: o.values for name, o in simulated.truth.outcomes.items()}
    effects = {name: o.effects for name, o in simulated.truth.outcomes.items()}

    def eta(name, t):
        v, b = values[name], effects[name]
        left = 0.5 ** (t / v["half_time"])
        return (v["start"] + b["start"]) * left + (v["asymptote"] + b["asymptote"]) * (1 - left)

    def grade(t):
        v, x = values["mrc"], eta("mrc", t)
        floor, ceiling = special.expit(-x - v["cut_floor"]), special.expit(x - v["cut_ceiling"])
        return 5 * ceiling + 5 * special.expit(x) * (1 - floor - ceiling)

    def dose(t):
        v, b = values["steroid"], effects["steroid"]
        none = v["zero_intercept"] + b["zero_intercept"] + v["zero_slope"] * np.log1p(t)
        return np.exp(eta("steroid", t) + v["sigma"] ** 2 / 2) / (1 + np.exp(none))

    return (grade(12) - grade(0) >= 0.5) & (np.exp(eta("cpk", 12)) <= 200) & (dose(12) <= 7.5)


@pytest.fixture(scope="module")
def simulated(ivig):
    return simulate_scenario(ivig, "paper", seed=12, patients=MANY)


def test_the_scenarios_truth_is_the_share_of_the_patients_that_it_draws(ivig, simulated):
    counted = ivig_response(ivig, simulated)
    truth = from_scenario(ivig, "paper")
    assert near(composite(ivig, truth), counted.mean(), MANY, more=0.001)
    these = composite(ivig, simulated.truth, population="these patients")
    assert these == pytest.approx(counted.mean(), abs=1e-12)


def test_outcomes_that_hang_together_are_met_together(ivig):
    """With its correlations set to zero the same margins give another joint probability."""
    truth = from_scenario(ivig, "paper")
    apart = {k: np.zeros_like(v) for k, v in truth.correlations.items()}
    joint, independent = composite(ivig, truth), composite(ivig, dataclasses.replace(truth, correlations=apart))
    prediction = TruthPrediction(ivig, truth)
    alone = [
        prediction.share({name: c}, 12, 0, "population average")
        for name, c in ivig.estimands["response_12"].criteria.items()
    ]
    print(
        f"joint {joint:.4f}, with independent outcomes {independent:.4f}, product of the margins {np.prod(alone):.4f}"
    )
    assert independent == pytest.approx(np.prod(alone), abs=0.002)
    assert joint - independent > 0.05


def test_measurements_meet_criteria_as_those_of_simulated_patients_do(ivig, simulated, rng):
    counted = np.ones(MANY, dtype=bool)
    prediction = TruthPrediction(ivig, simulated.truth)
    for name, c in ivig.estimands["response_12"].criteria.items():
        family, aux = ivig.outcomes[name].family, ivig_aux(simulated.truth, name)
        later, earlier = (family.draw(rng, prediction.patients(name, t), aux) for t in (12.0, 0.0))
        counted &= c.met(later, earlier)
    found = composite(ivig, from_scenario(ivig, "paper"), predicts="measurement")
    assert near(found, counted.mean(), MANY, more=0.003)
    these = composite(ivig, simulated.truth, predicts="measurement", population="these patients")
    assert near(these, counted.mean(), MANY)


def ivig_aux(truth, name):
    return {k: np.asarray(v)[..., None] for k, v in truth.outcomes[name].values.items()}


# --- closed forms


def normal_share(truth, study):
    """P(strength change >= 3 and log CPK ratio <= log 0.3) at month 12: independent, each a normal tail."""
    strength = stats.norm(12 * 0.5, 12 * 0.25).sf(3)
    left = 1 - 2**-4
    spread = left * np.sqrt(0.8**2 + 0.5**2 - 2 * 0.3 * 0.8 * 0.5)
    return strength * stats.norm(left * np.log(0.25), spread).cdf(np.log(0.3))


@pytest.mark.parametrize("shape", [(), (4, 1000), (2, 20)], ids=str)
def test_the_population_share_is_the_closed_form(small, shape):
    truth = from_scenario(small, "improves")
    found = TruthPrediction(small, posterior(truth, shape) if shape else truth).share(
        IMPROVED, 12, 0, "population average"
    )
    assert np.shape(found) == shape
    assert found.mean() == pytest.approx(normal_share(truth, small), abs=0.002)
    assert found.std() < (0.03 if np.prod(shape) > 1000 else 0.01)


@pytest.mark.parametrize("seed", range(4))
def test_any_seed_gives_the_same_share_and_one_seed_the_very_same(small, seed):
    truth = posterior(from_scenario(small, "improves"), (4, 1000))
    one, again = (TruthPrediction(small, truth, seed=seed).share(LEVELS, 12, 0, "population average") for _ in range(2))
    np.testing.assert_array_equal(one, again)
    level = stats.norm(56, np.sqrt(64 + 9 - 2 * 0.4 * 8 * 3)).sf(50)
    assert 0.05 < one.mean() < level
    assert one.mean() == pytest.approx(
        float(TruthPrediction(small, from_scenario(small, "improves"), seed=99).share(LEVELS, 12, 0,
         "population average")),
        abs=0.002,
    )  # fmt: skip


def test_correlated_outcomes_follow_the_bivariate_normal():
    study = parse_study(SMALL.replace('patient = "patient"', 'patient = "patient"\ncorrelate = "across outcomes"'))
    truth = from_scenario(study, "improves")
    for r in (-0.8, 0.0, 0.6):
        known = dict.fromkeys(truth.correlations, np.asarray(0.0))
        name = "strength_intercept_cpk_start"
        tied = dataclasses.replace(truth, correlations=known | {name: np.asarray(r)})
        found = TruthPrediction(study, tied).share(
            {"strength": Criterion(at_least=55), "cpk": Criterion(at_least=1000)}, 0, 0, "population average"
        )
        z = [(50 - 55) / 8, (np.log(800) - np.log(1000)) / 0.8]
        expected = stats.multivariate_normal([0, 0], [[1, r], [r, 1]]).cdf(z)
        assert found == pytest.approx(expected, abs=0.001)


# --- these patients


def test_these_patients_are_counted_each_with_all_outcomes(small):
    truth = with_effects(small, from_scenario(small, "improves"), 7, np.random.default_rng(3))
    prediction = TruthPrediction(small, truth)
    strength, cpk = (prediction.each(name, 12) for name in ("strength", "cpk"))
    share = prediction.share(LEVELS, 12, 0, "these patients")
    assert share == pytest.approx(np.mean((strength >= 50) & (cpk <= 200)))
    draws = TruthPrediction(small, posterior(truth, (2, 3))).share(LEVELS, 12, 0, "these patients")
    np.testing.assert_allclose(draws, np.full((2, 3), share))


def test_measurements_of_these_patients_scatter_around_their_own_levels(small):
    truth = with_effects(small, from_scenario(small, "improves"), 7, np.random.default_rng(3))
    prediction = TruthPrediction(small, truth)
    found = prediction.share({"strength": Criterion(at_least=50)}, 12, 0, "these patients", "measurement")
    expected = stats.norm(prediction.each("strength", 12), 4).sf(50).mean()
    assert found == pytest.approx(expected, abs=0.003)


# --- covariates


@pytest.fixture(scope="module")
def everything():
    study = parse_study(EVERYTHING)
    return study, simulate_scenario(study, "one", seed=5, patients=300).truth


def test_new_patients_have_these_patients_covariates_or_those_given(everything):
    study, truth = everything
    criteria = {"power": Criterion(at_least=38), "falls": Criterion(at_most=0.5)}
    prediction = TruthPrediction(study, truth)
    names = ("DM", "PM", "IBM")
    given = [prediction.share(criteria, 12, 0, "population average", given={"diagnosis": name}) for name in names]
    own = prediction.share(criteria, 12, 0, "population average")
    dm = np.stack([truth.covariates[f"diagnosis_{name}"] for name in ("pm", "ibm")]).sum(axis=0) == 0
    shares = np.array([dm.mean(), truth.covariates["diagnosis_pm"].mean(), truth.covariates["diagnosis_ibm"].mean()])
    assert own == pytest.approx(shares @ given, abs=0.01)
    assert given[0] - given[2] > 0.1
    contrast = {"covariate": "diagnosis", "level": "DM", "reference": "IBM"}
    text = (
        EVERYTHING
        + '\n[estimands.s]\nkind = "share"\nat = 12\ncriteria = { power = { at_least = 38 }, falls = { at_most = 0.5 '
        "} }\n"
    )
    text += f'contrast = {{ covariate = "{contrast["covariate"]}", level = "DM", reference = "IBM" }}\n'
    e = parse_study(text).estimands["s"]
    assert isinstance(e, Share)
    assert e.of(prediction) == pytest.approx(given[0] - given[2])


# --- the points


def test_every_draw_has_patients_of_its_own_with_the_covariance_that_was_stated(ivig):
    truth = posterior(from_scenario(ivig, "paper"), (2, 500))
    batches = list(draw_new_patients(ivig, truth, ("mrc", "cpk"), seed=3, among=int(np.prod(truth.shape))))
    start, cpk = (
        np.concatenate([b.effects[o][k] for b in batches], axis=-1)
        for o, k in (("mrc", "asymptote"), ("cpk", "asymptote"))
    )
    assert start.shape == (2, 500, 2**20 // 1000)
    sd = [float(truth.outcomes[o].values["sd_asymptote"][0, 0]) for o in ("mrc", "cpk")]
    assert [start.std(), cpk.std()] == pytest.approx(sd, rel=0.005)
    assert np.corrcoef(start.ravel(), cpk.ravel())[0, 1] == pytest.approx(-0.5, abs=0.01)
    assert not np.isclose(start[0, 0, 0], start[0, 1, 0])


def test_a_truth_without_draws_has_all_the_points_once(ivig):
    (batch,) = draw_new_patients(ivig, from_scenario(ivig, "paper"), ("mrc", "cpk", "steroid"), seed=3, among=1)
    assert batch.place.shape == (POINTS,)
    assert len(np.unique(batch.place)) == POINTS
    assert stats.kstest(batch.place, "uniform").statistic < 1e-3
    assert batch.chosen(7).min() == 0
    assert batch.chosen(7).max() == 6
