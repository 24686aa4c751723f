"""Where the truth lies among the draws: uniform if they are exchangeable, and seen not to be if they are not."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from bayesmyo.components.estimands import Criterion, Share
from bayesmyo.inference.engines import ENGINES, Draws, Mock, Sampling
from bayesmyo.model import new_patients
from bayesmyo.simulation.calibration.ranks import joint, position
from bayesmyo.simulation.cell import Cell
from bayesmyo.simulation.replicate import JOINT, Replicator
from bayesmyo.study.parameters import all_parameters
from bayesmyo.study.predictors import effects

SAMPLING = Sampling(draws=50, tune=1, chains=2)


def uniform(shares):
    return stats.kstest(shares, "uniform").pvalue > 0.001


# --- one rank


@pytest.mark.parametrize("size", [(1, 9), (2, 50), (4, 250)])
@pytest.mark.parametrize("ess", [np.inf, 1e6, 37.5, 3.0, 0.2])
def test_the_position_of_an_exchangeable_truth_is_uniform(rng, size, ess):
    if not np.isfinite(ess):
        ess = float(np.prod(size))
    found = [position(rng.normal(), rng.normal(size=size), ess, rng) for _ in range(2000)]
    assert 0 < min(found) < max(found) < 1
    assert uniform(found)


@pytest.mark.parametrize("values", [1, 2, 5])
def test_ties_are_broken_at_random(rng, values):
    found = [position(rng.integers(values), rng.integers(values, size=(2, 20)), 40.0, rng) for _ in range(2000)]
    assert uniform(found)


def test_chains_of_copies_are_thinned_to_their_effective_number(rng):
    """Each value ten times: 20 draws worth of 200, with a truth that is exchangeable with them."""
    found = {20.0: [], 200.0: []}
    for _ in range(4000):
        true, drawn = rng.normal(), np.repeat(rng.normal(size=(2, 10)), 10, axis=1)
        for ess, positions in found.items():
            positions.append(position(true, drawn, ess, rng))
    assert uniform(found[20.0])
    assert not uniform(found[200.0])


def test_a_quantity_that_never_moves_has_a_rank_too(rng):
    found = [position(1.0, np.ones((2, 30)), float("nan"), rng) for _ in range(1000)]
    assert uniform(found)


@pytest.mark.parametrize("true", [-9.0, 9.0])
def test_a_truth_beyond_all_draws_is_at_the_end(rng, true):
    found = position(true, rng.normal(size=(2, 100)), 200.0, rng)
    assert found < 1 / 201 if true < 0 else found > 200 / 201


def test_draws_that_are_shifted_or_too_narrow_are_not_uniform(rng):
    shifted = [position(rng.normal() + 1, rng.normal(size=(2, 50)), 100.0, rng) for _ in range(500)]
    narrow = [position(rng.normal(), 0.5 * rng.normal(size=(2, 50)), 100.0, rng) for _ in range(500)]
    assert not uniform(shifted)
    assert not uniform(narrow)


# --- of a replicate


RECORD = ("parameter", "effect", "joint")


@pytest.fixture
def replicator(ivig):
    def make(truths=None, **options):
        chosen = {"seed": 3, "engine": "mock", "sampling": SAMPLING, "record": RECORD} | options
        return Replicator(Cell(ivig, truths, 4, ivig), **chosen)

    return make


def ranks(row):
    return {q.name: q.rank for q in row.quantities}


def quantities(study):
    found = {p.full_name for p in all_parameters(study)} | {JOINT}
    return found | {f"{e.full_name}[P01]" for o in study.outcomes for e in effects(study, o)}


def test_a_truth_from_the_priors_has_a_rank_of_every_quantity(replicator, ivig):
    row = replicator().run(0)
    assert (row.stage, row.reason) == ("done", "")
    assert ranks(row).keys() == quantities(ivig)
    assert {"correlations.mrc_start_cpk_asymptote", "steroid.effect_zero_intercept[P01]", JOINT} <= ranks(row).keys()
    assert all(0 < r < 1 for r in ranks(row).values())


def test_a_given_truth_has_no_ranks(replicator):
    assert set(ranks(replicator("paper").run(0)).values()) == {None}


def test_every_replicate_draws_a_truth_of_its_own_and_again_the_same(replicator):
    one, other = replicator(), replicator()
    truths = [float(one.simulate(n).truth.value("cpk", "start")) for n in range(3)]
    assert len(set(truths)) == 3
    assert [float(other.simulate(n).truth.value("cpk", "start")) for n in (2, 1, 0)] == truths[::-1]
    assert one.run(1) == other.run(1)


def test_the_joint_log_likelihood_is_the_sum_over_measurements(replicator, ivig):
    r = replicator()
    simulated = r.simulate(0)
    fit = r.fit(simulated, 0)
    listed = fit.group("log_likelihood").data_vars.values()
    np.testing.assert_allclose(joint(ivig, fit.cohort, fit.truth), sum(v.values.sum(axis=-1) for v in listed))
    assert joint(ivig, simulated.cohort, simulated.truth).shape == ()


class Shifted(Mock):
    """A mock engine whose draws of one parameter are too high."""

    def prepare(self, model, exchange=True):
        self.mock = super().prepare(model, exchange)
        return self

    def sample(self, *arguments):
        return [
            Draws({k: v + 2.0 if k == "cpk.start" else v for k, v in d.posterior.items()}, d.stats)
            for d in self.mock.sample(*arguments)
        ]


def calibration(study, engine, replicates):
    """Quantity -> ranks under an engine that draws from the priors, as the truths are: both are exchangeable."""
    r = Replicator(Cell(study, None, 2, study), seed=12, engine=engine, sampling=SAMPLING, record=RECORD)
    rows = [ranks(r.run(n)) for n in range(replicates)]
    return {name: [row[name] for row in rows] for name in rows[0]}


def test_truths_and_draws_from_the_priors_are_uniform_in_every_parameter_and_effect(small):
    found = calibration(small, "mock", 100)
    lowest = min(stats.kstest(v, "uniform").pvalue for name, v in found.items() if name != JOINT)
    assert lowest > 0.001 / len(found)
    assert not uniform(found[JOINT])  # the draws have not seen the data: their likelihood is too low


def test_draws_that_are_shifted_are_seen(small, monkeypatch):
    monkeypatch.setitem(ENGINES, "shifted", Shifted())
    found = calibration(small, "shifted", 60)
    assert stats.kstest(found["cpk.start"], "uniform").pvalue < 1e-6
    assert np.mean(found["cpk.start"]) < 0.4
    assert uniform(found["strength.intercept"])


def test_estimands_have_ranks_too_and_those_of_the_priors_are_uniform(small):
    r = Replicator(Cell(small, None, 2, small), seed=5, engine="mock", sampling=SAMPLING, record=("estimand",))
    found = [ranks(r.run(n))["cpk_ratio_12"] for n in range(100)]
    assert uniform(found)


def test_a_rare_share_is_counted_as_finely_for_the_truth_as_for_the_draws(small, monkeypatch):
    """Else a truth of one in a thousand lies above draws that cannot see one in a thousand."""
    monkeypatch.setattr(new_patients, "MOST", 2**14)
    rare = Share(criteria={"cpk": Criterion(at_most=40)}, at=12, population="population average")
    study = replace(small, estimands={"rare": rare}, decisions={})
    r = Replicator(Cell(study, None, 2, study), seed=5, engine="mock", sampling=SAMPLING, record=("estimand",))
    rows = [r.run(n).quantities[0] for n in range(200)]
    assert uniform([q.rank for q in rows])
