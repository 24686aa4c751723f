"""Correlations between patients' starts and changes, against patients drawn by the hundred thousand."""

import numpy as np
import pandas as pd
import pytest

from bayesmyo.assess.correlations import (
    Correlation,
    correlation_estimates,
    horizon,
    patient_correlations,
    sentence,
)
from bayesmyo.assess.other_priors import log_lkj
from bayesmyo.assess.reweight import reweight
from bayesmyo.assess.said import correlations
from bayesmyo.assess.sensitivity import prior_sensitivities
from bayesmyo.assess.verdict import PRIOR
from bayesmyo.inference.engines import Sampling
from bayesmyo.inference.fit import fit
from bayesmyo.model import simulate_scenario
from bayesmyo.model.truth import from_priors, from_scenario, with_effects
from bayesmyo.study import parse_study
from tests.conftest import SMALL

MANY = 100_000
LINKED = SMALL.replace('title = "Small"', 'title = "Small"\ncorrelate = "across outcomes"') + (
    "[scenarios.improves.correlations]\nstrength_slope_cpk_asymptote = -0.5\nstrength_intercept_cpk_start = 0.3\n"
    "strength_slope_cpk_start = 0.2\n"
)
STUDY = parse_study(LINKED)


# --- numbers


@pytest.mark.parametrize("origin", [0, 6])
def test_correlations_are_those_of_drawn_patients(rng, origin):
    study = parse_study(LINKED.replace('kind = "plateau"', f'kind = "plateau", origin = {origin}'))
    truth = with_effects(study, from_scenario(study, "improves"), MANY, rng)
    strength, cpk = (truth.outcomes[o] for o in ("strength", "cpk"))
    slope = strength.values["slope"] + strength.effects["slope"]
    start, asymptote = (cpk.values[k] + cpk.effects[k] for k in ("start", "asymptote"))
    after = asymptote + (start - asymptote) * 0.5 ** (24 / cpk.values["half_time"])  # 24 months after the origin
    patients = {
        ("strength", "start"): strength.values["intercept"] + strength.effects["intercept"],
        ("strength", "change"): 24 * slope,
        ("cpk", "start"): start,
        ("cpk", "change"): after - start,
    }
    found = patient_correlations(study, truth)
    names = list(patients)
    assert list(found) == [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
    for (a, b), r in found.items():
        brute = np.corrcoef(patients[a], patients[b])[0, 1]
        assert float(r) == pytest.approx(brute, abs=5 * (1 - brute**2) / np.sqrt(MANY)), (a, b)


def test_every_draw_has_correlations_of_its_own(rng):
    truth = from_priors(STUDY, rng, (3, 40))
    for name, r in patient_correlations(STUDY, truth).items():
        assert r.shape == (3, 40), name
        assert len(np.unique(r)) == 120
        assert (np.abs(r) < 1).all()


def test_where_the_whole_curve_shifts_the_start_alone_is_told(rng):
    one = SMALL[: SMALL.index("[decisions")].replace(
        'trajectory = { kind = "linear" }', 'trajectory = { kind = "linear" }\neffects = ["intercept"]'
    )
    study = parse_study(one)
    found = patient_correlations(study, from_priors(study, rng, (5,)))
    assert {q for pair in found for q in pair} == {("strength", "start"), ("cpk", "start"), ("cpk", "change")}


ONLY_THE_END = [
    LINKED.replace('trajectory = { kind = "linear" }', 'trajectory = { kind = "linear" }\neffects = ["slope"]'),
    LINKED.replace('trajectory = { kind = "plateau" }', 'trajectory = { kind = "plateau" }\neffects = ["asymptote"]'),
]


@pytest.mark.parametrize("text", ONLY_THE_END)
def test_where_patients_start_alike_the_change_alone_is_told(rng, text):
    study = parse_study(text[: text.index("[decisions")])
    found = patient_correlations(study, from_priors(study, rng, (5,)))
    assert len({quantity for pair in found for quantity in pair}) == 3
    assert all(np.isfinite(r).all() for r in found.values())


def test_patients_who_differ_in_nothing_have_no_correlation(rng):
    text = SMALL[: SMALL.index("[decisions")].replace(
        'trajectory = { kind = "', 'effects = []\ntrajectory = { kind = "'
    )
    study = parse_study(text)
    assert patient_correlations(study, from_priors(study, rng, (5,))) == {}


# --- the horizon


@pytest.mark.parametrize(
    ("text", "time"),
    [
        (SMALL, 24),
        (SMALL.replace("typical = 24", "typical = 30"), 30),
        (SMALL.replace(', typical = 24 }', " }").replace("mean = 24", "mean = 20"), 20),
        (SMALL[: SMALL.index("[design]")].replace(', typical = 24 }', " }").replace('kind = "linear" }',
         'kind = "constant" }'), 12),
    ],
)  # fmt: skip
def test_a_change_is_meant_by_a_typical_follow_up_or_what_comes_closest(text, time):
    assert horizon(parse_study(text)) == time


# --- of a fit


def mock(study):
    cohort = simulate_scenario(study, "improves", seed=4).cohort
    return fit(study, cohort, engine="mock", sampling=Sampling(draws=100, tune=1, chains=2))


@pytest.mark.parametrize(
    ("correlate", "pairs"),
    [
        ("across outcomes", 6),
        ("within outcomes", 2),
        ("none", 0),
    ],
)
def test_only_what_the_model_correlates_is_told(correlate, pairs):
    text = (
        LINKED
        if correlate.startswith("across")
        else SMALL.replace('title = "Small"', f'title = "Small"\ncorrelate = "{correlate}"')
    )
    if correlate == "none":
        text = text.replace(", correlation = -0.4", "").replace("correlation = 0.3\n", "")
    found = correlation_estimates(mock(parse_study(text)))
    assert len(found) == pairs
    assert all(isinstance(c, Correlation) for c in found)
    if correlate.startswith("within"):
        assert [(c.first, c.second) for c in found] == [
            ("strength start", "strength change"),
            ("cpk start", "cpk change"),
        ]


def test_median_and_interval_are_those_of_the_draws_and_the_priors_stand_beside_them():
    study = parse_study(LINKED.replace('patient = "patient"', 'patient = "patient"\ninterval = 0.8'))
    done = mock(study)
    draws = patient_correlations(study, done.truth)
    rng = np.random.default_rng(1)
    before = patient_correlations(study, from_priors(study, rng, (40_000,)))
    for c, (pair, r) in zip(correlation_estimates(done), draws.items(), strict=True):
        assert (c.first, c.second) == tuple(map(" ".join, pair))
        assert (c.lower, c.median, c.upper) == pytest.approx(tuple(np.quantile(r, [0.1, 0.5, 0.9])))
        assert (c.prior_lower, c.prior_upper) == pytest.approx(tuple(np.quantile(before[pair], [0.1, 0.9])), abs=0.05)
        assert c.interval == 0.8


def test_the_table_has_a_row_for_each_and_the_same_seed_gives_the_same():
    done = mock(STUDY)
    one, again = correlations(done), correlations(done)
    assert len(one) == 6
    pd.testing.assert_frame_equal(one, again)


# --- sentences

HIGHER, LOWER = ("strength", "change"), ("cpk", "change")
STARTS = ("strength", "start"), ("cpk", "start")


@pytest.mark.parametrize(
    ("a", "b", "lower", "upper", "words", "number"),
    [
        # more strength gained, more CPK lost: the raw correlation is negative, and improvements come together
        (HIGHER, LOWER, -0.8, -0.2, "improve more in strength improve more in CPK: r = 0.50", "0.20 to 0.80"),
        (HIGHER, LOWER, 0.2, 0.8, "improve more in strength improve less in CPK: r = -0.50", "-0.80 to -0.20"),
        (HIGHER, HIGHER, 0.2, 0.8, "improve more in strength improve more in strength: r = 0.50", "0.20 to 0.80"),
        (LOWER, LOWER, 0.2, 0.8, "improve more in CPK improve more in CPK: r = 0.50", "0.20 to 0.80"),
        # starts are told as they are measured
        (*STARTS, 0.2, 0.8, "start higher in strength start higher in CPK: r = 0.50", "0.20 to 0.80"),
        (*STARTS, -0.8, -0.2, "start higher in strength start lower in CPK: r = -0.50", "-0.80 to -0.20"),
        # high CPK at the start, a large fall: the raw correlation is negative
        (("cpk", "start"), LOWER, -0.8, -0.2, "start higher in CPK improve more in CPK: r = 0.50", "0.20 to 0.80"),
        (("strength", "start"), HIGHER, -0.8, -0.2, "start higher in strength improve less in strength: r = -0.50",
         "-0.80 to -0.20"),
        (HIGHER, ("cpk", "start"), -0.8, -0.2, "improve more in strength start lower in CPK: r = -0.50",
         "-0.80 to -0.20"),
        # undecided
        (HIGHER, LOWER, -0.9, 0.1, "improve more in strength may improve more or less in CPK: r = 0.40",
         "-0.10 to 0.90"),
        (*STARTS, -0.1, 0.9, "start higher in strength may start higher or lower in CPK: r = 0.40", "-0.10 to 0.90"),
    ],
)  # fmt: skip
def test_r_is_positive_where_improvements_come_together(small, a, b, lower, upper, words, number):
    text = sentence(small, a, b, (lower + upper) / 2, lower, upper, -0.6, 0.1, 0.7)
    turned = (a[1] == "change" and a[0] == "cpk") != (b[1] == "change" and b[0] == "cpk")
    how = ", counted as improvements" if turned else ""
    assert text.startswith(f"Patients who {words}{how} (95% interval {number}; before the data ")
    before = "-0.10, -0.70 to 0.60" if turned else "0.10, -0.60 to 0.70"
    assert text.endswith(f"before the data {before}).")


def test_a_start_and_its_own_change_are_tied_by_construction(small):
    """Of CPK, which levels off: who starts higher falls further, whatever the data; the sentence says by how much."""
    text = sentence(small, ("cpk", "start"), LOWER, -0.57, -0.8, -0.2, -0.95, -0.78, -0.1)
    assert "r = 0.57" in text
    assert "the start is a part of its own change, so that r is 0.78, 0.10 to 0.95, by construction)." in text


def test_a_fit_tells_them_so():
    """Draws around the scenario, in which more strength goes with less CPK."""
    truth = patient_correlations(STUDY, from_scenario(STUDY, "improves"))[HIGHER, LOWER]
    assert truth < -0.3
    text = sentence(STUDY, HIGHER, LOWER, float(truth), float(truth) - 0.1, float(truth) + 0.1, -0.5, 0.0, 0.5)
    assert text.startswith("Patients who improve more in strength improve more in CPK: r = 0.")


# --- under other priors


def test_another_prior_of_correlations_is_that_of_lkj(small, rng):
    """Under LKJ(eta) the correlation of two effects is Beta(eta, eta) on (-1, 1), whose SD is 1 / sqrt(2 eta + 1)."""
    truth = from_priors(small, rng, (20_000,))
    ratio = log_lkj(small, truth, 2.0, ("cpk",))
    r = truth.outcomes["cpk"].values["correlation"]
    np.testing.assert_allclose(ratio, 2 * np.log1p(-(r**2)), rtol=1e-7, atol=1e-12)
    assert np.std(r) == pytest.approx(1 / np.sqrt(5), abs=0.01)
    for times, eta in ((2.0, 4), (0.5, 1)):
        chosen, _, k = reweight(log_lkj(small, truth, times, ("cpk",)))
        assert k < 0.7
        assert np.std(r[chosen]) == pytest.approx(1 / np.sqrt(2 * eta + 1), abs=0.02)


def test_a_correlation_that_is_its_prior_says_so():
    study = STUDY
    cohort = simulate_scenario(study, "improves", seed=4).cohort
    one = fit(study, cohort, engine="mock", sampling=Sampling(draws=1000, tune=1, chains=2))
    rows = {s.name: s for s in prior_sensitivities(one) if s.kind == "correlation"}
    assert len(rows) == 6
    told = rows["strength change with cpk change"]
    assert told.verdict == PRIOR
    assert abs(told.contraction) < 0.1
