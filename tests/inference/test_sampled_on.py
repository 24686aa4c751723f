"""`fit` samples on where draws are merely too few, says so, and keeps as many draws as were asked for."""

from types import SimpleNamespace

import numpy as np
import pytest

from bayesmyo.assess.checks import Convergence
from bayesmyo.inference.engines import ENGINES, Draws, Mock, Sampling
from bayesmyo.inference.fit import fit
from bayesmyo.inference.store import load_fit, save_fit
from bayesmyo.inference.verify import verify
from bayesmyo.report.sections.checks import sampler
from tests.conftest import independent_draws
from tests.inference.test_mixing import chains, worth


class Slow(Mock):
    """Independent draws, but of one parameter.

    ess: what 4,000 draws of its chains are worth; apart: how far the chains lie from each other; stubborn: more draws
        make it no better; diverging: draws of the first chain
    """

    posterior = True

    def __init__(self, ess, apart=0.0, diverging=(), stubborn=False):
        self.ess, self.apart, self.diverging, self.stubborn, self.asked = ess, apart, diverging, stubborn, []

    def prepare(self, model, exchange=True):
        self.model = model
        return self

    def sample(self, datasets, seeds, sampling, progress=None):
        self.asked.append((sampling.draws, sampling.every, seeds[0]))
        found = independent_draws(self.model.study, self.cohort, sampling.chains, sampling.draws)
        rng = np.random.default_rng(seeds[0])
        slow = chains(rng, 1, worth(self.ess), sampling.draws, 1 if self.stubborn else sampling.every)["q0"][
            : sampling.chains
        ]
        found.posterior["cpk.start"] = 6 + 0.02 * (slow + self.apart * np.arange(sampling.chains)[:, None])
        shape = sampling.chains, sampling.draws * sampling.every
        diverging = np.zeros(shape, dtype=bool)
        for draw in self.diverging:
            if draw < shape[1]:
                diverging[0, draw] = True
        return [Draws(found.posterior, {"diverging": diverging, "energy": rng.standard_normal(shape)})]


@pytest.fixture
def fitted(small, small_cohort, monkeypatch):
    """A fit of the small study by a slow engine, and what the engine was asked."""

    def run(ess, sampling=None, **how):
        engine = Slow(ess, **how)
        engine.cohort = small_cohort
        monkeypatch.setitem(ENGINES, "nuts", engine)
        return fit(small, small_cohort, seed=3, sampling=sampling), engine.asked

    return run


def test_draws_that_are_enough_are_sampled_once(fitted):
    found, asked = fitted(4000)
    assert [a[:2] for a in asked] == [(1000, 1)]
    assert (found.sampling["every"], found.sampling["attempts"]) == (1, 1)
    assert "Sampled twice" not in Convergence().run(found).sentence


def test_draws_that_are_too_few_are_sampled_on_under_the_same_seed(fitted):
    found, asked = fitted(300)
    assert [a[:2] for a in asked] == [(1000, 1), (1000, 4)]
    assert asked[0][2] == asked[1][2]
    assert (found.sampling["draws"], found.sampling["every"], found.sampling["attempts"]) == (1000, 4, 2)
    result = Convergence().run(found)
    assert result.passed
    said = " Sampled twice: 1,000 draws of each chain were too few; of 4,000 one in 4 is kept."
    assert result.sentence.endswith(said)


def test_as_many_draws_are_kept_as_were_asked_for_and_nothing_of_the_sampler_is_lost(fitted):
    found, _ = fitted(300)
    posterior, stats = found.group("posterior"), found.group("sample_stats")
    assert (posterior.sizes["draw"], found.group("log_likelihood").sizes["draw"]) == (1000, 1000)
    assert stats.sizes["draw"] == 4000
    assert posterior["draw"].values[:3].tolist() == [3, 7, 11]
    assert stats["draw"].values[-1] == posterior["draw"].values[-1] == 3999


def test_a_divergence_among_draws_that_are_not_kept_is_not_lost(fitted):
    found, asked = fitted(300, diverging=[1, 2001])
    assert len(asked) == 1, "a divergence is not mended by more draws"
    found, asked = fitted(300, diverging=[2001])
    assert len(asked) == 2
    assert "1 of 16,000 draws diverged" in Convergence().run(found).sentence


@pytest.mark.parametrize("how", [{"ess": 4000, "apart": 5.0}, {"ess": 15}])
def test_what_more_draws_would_not_mend_is_told_at_once(fitted, how):
    found, asked = fitted(**how)
    assert len(asked) == 1
    assert not Convergence().run(found).passed


def test_what_stays_too_few_fails_and_says_that_it_was_sampled_on(fitted):
    found, asked = fitted(150, stubborn=True)
    assert len(asked) == 2
    result = Convergence().run(found)
    assert not result.passed
    assert "(least: cpk.start, " in result.sentence
    assert "Sampled twice: 1,000 draws of each chain were too few" in result.sentence


def test_a_single_chain_is_not_sampled_on(fitted):
    found, asked = fitted(300, sampling=Sampling(chains=1))
    assert len(asked) == 1
    assert "A single chain" in Convergence().run(found).sentence


def test_a_fit_that_was_sampled_on_is_stored_verified_and_reported_as_it_is(fitted, tmp_path):
    found, _ = fitted(300)
    save_fit(found, tmp_path / "fit.nc")
    again = load_fit(tmp_path / "fit.nc")
    assert again.sampling == found.sampling
    assert again.group("sample_stats").sizes["draw"] == 4000
    assert verify(tmp_path / "fit.nc").passed
    assert Convergence().run(again) == Convergence().run(found)
    rows = {str(what): str(value) for what, value in sampler(SimpleNamespace(fit=again)).rows}
    assert rows["draws of each chain, one in 4 of those sampled"] == "1,000"
