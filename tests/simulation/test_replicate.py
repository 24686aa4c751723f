"""The one loop of every simulation study: rows have addresses, and a failure is a row."""

from dataclasses import asdict

import numpy as np
import pytest

from bayesmyo.cohort.truth import from_scenario
from bayesmyo.errors import EngineError
from bayesmyo.model.engines import ENGINES, Mock, Sampling
from bayesmyo.simulation.replicate import Interval, Replicator
from bayesmyo.study import parse_study
from tests.conftest import SMALL

SAMPLING = Sampling(draws=60, tune=1, chains=2)


@pytest.fixture
def replicator(small):
    """A Replicator of the small study's scenario `improves`, with the mock engine unless another is named."""

    def make(**options):
        chosen = {"seed": 3, "engine": "mock", "sampling": SAMPLING} | options
        return Replicator(small, from_scenario(small, "improves"), **chosen)

    return make


class Sometimes(Mock):
    """An engine that fails at the cohorts after the first, and counts how often it had to compile."""

    def __init__(self, error):
        self.error, self.prepared, self.sampled = error, 0, 0

    def prepare(self, model):
        self.prepared += 1
        self.mock = super().prepare(model)
        return self

    def sample(self, *arguments):
        self.sampled += 1
        if self.sampled > 1:
            raise self.error
        return self.mock.sample(*arguments)


def test_a_replicate_can_be_made_again_alone_and_in_any_order(replicator):
    in_order = replicator()
    rows = [in_order.run(n) for n in range(3)]
    backwards = replicator()
    assert [backwards.run(n) for n in (2, 1, 0)] == rows[::-1]
    assert replicator().run(1) == rows[1]


@pytest.mark.parametrize("other", [{"seed": 4}, {"cell": 1}])
def test_another_address_is_another_cohort_and_other_draws(replicator, other):
    one, two = replicator(), replicator(**other)
    assert one.run(0).intervals != two.run(0).intervals
    values = [r.simulate(0).cohort.measurements["cpk"].value[0] for r in (one, two)]
    assert values[0] != values[1]


def test_a_row_holds_every_estimand_with_its_true_value(replicator):
    row = replicator(cell=2).run(5)
    assert (row.cell, row.replicate, row.stage, row.reason) == (2, 5, "done", "")
    assert row.intervals.keys() == {"cpk_ratio_12"}
    i = row.intervals["cpk_ratio_12"]
    assert i.truth == pytest.approx((200 / 800) ** (1 - 2**-4))
    assert i.lower < i.median < i.upper
    assert row.divergences == 0
    assert row.rhat > 1
    assert 0 < row.ess <= 240
    assert asdict(row)["intervals"]["cpk_ratio_12"]["truth"] == i.truth


def test_an_interval_covers_what_lies_in_it():
    assert [Interval(truth, 0.0, -1.0, 2.0).covers for truth in (-1.1, -1, 0, 2, 2.1)] == [
        False,
        True,
        True,
        True,
        False,
    ]


def test_the_number_of_patients_can_be_asked_for(replicator):
    assert len(replicator(patients=5).simulate(0).cohort) == 5
    assert len(replicator().simulate(0).cohort) == 12
    assert replicator(patients=5).run(0).stage == "done"


def test_the_fit_is_of_the_replicates_own_cohort_under_its_own_seed(replicator):
    r = replicator()
    fits = [r.fit(r.simulate(n), n) for n in range(2)]
    for n, fit in enumerate(fits):
        np.testing.assert_array_equal(
            fit.cohort.measurements["cpk"].value, r.simulate(n).cohort.measurements["cpk"].value
        )
    assert fits[0].seed != fits[1].seed


def test_a_failing_engine_is_a_row_with_its_reason(replicator, monkeypatch):
    engine = Sometimes(EngineError("sampling could not start: no memory"))
    monkeypatch.setitem(ENGINES, "sometimes", engine)
    rows = [(r := replicator(engine="sometimes")).run(0), r.run(1), r.run(2)]
    assert [row.stage for row in rows] == ["done", "fit", "fit"]
    assert rows[1].reason == "sampling could not start: no memory"
    assert rows[1].intervals == {}
    assert engine.prepared == 1


def test_a_bug_is_not_a_row(replicator, monkeypatch):
    monkeypatch.setitem(ENGINES, "sometimes", Sometimes(ZeroDivisionError()))
    r = replicator(engine="sometimes")
    r.run(0)
    with pytest.raises(ZeroDivisionError):
        r.run(1)


def test_a_cohort_that_cannot_be_simulated_is_a_row_with_its_reason():
    study = parse_study(SMALL[: SMALL.index("[design]")] + SMALL[SMALL.index("[scenarios") :])
    row = Replicator(study, from_scenario(study, "improves"), seed=3, engine="mock").run(0)
    assert (row.stage, row.replicate) == ("simulate", 0)
    assert "the study has no [design]" in row.reason
