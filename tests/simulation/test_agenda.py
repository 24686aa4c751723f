"""What is to be done next, and where a cell stops: by the rows alone, not by the order in which they come."""

import math
import random

import pytest

from bayesmyo.simulation.agenda import STAGE, Agenda, monte_carlo_error, shares
from bayesmyo.simulation.plan import Plan
from bayesmyo.simulation.pool import Batch
from tests.simulation.plans import cell, plan


def outcome(plan, batch, replicate, met=True, stage="done"):
    return plan.cells[batch.cell].key, replicate, stage, {("halved", 5): met} if stage == "done" else {}


def drain(agenda, plan, met=lambda cell, replicate: True, rng=None, workers=("a", "b", "c"), size=4):
    """Do all there is to do, in whatever order; returns what was handed out."""
    handed, under_way = [], []
    while agenda.remaining:
        for worker in workers:
            if batch := agenda.take(worker, size, workers):
                handed.append((worker, batch))
                under_way.append(batch)
        if rng:
            rng.shuffle(under_way)
        batch = under_way.pop(0)
        for r in batch.replicates:
            agenda.collect(outcome(plan, batch, r, met(batch.cell, r)))
    return handed


def test_every_replicate_is_handed_out_once():
    p = plan(replicates=10, patients=(5, 8, 11))
    handed = drain(Agenda(p), p)
    assert sorted((b.cell, r) for _, b in handed for r in b.replicates) == [(c, r) for c in range(3) for r in range(10)]


def test_what_is_there_is_not_done_again():
    p = plan(replicates=5)
    present = [(p.cells[0].key, r, "done", {}) for r in (0, 3, 4)]
    agenda = Agenda(p, present)
    assert (agenda.done, agenda.remaining) == (3, 7)
    assert agenda.take("a", 9) == Batch(0, (1, 2))


def test_a_worker_stays_with_the_model_that_it_has_compiled():
    """Two cells of five patients are one model; two workers compile two models, not both of them each."""
    p = Plan("power", (cell(5), cell(8), cell(5, None)), 40, engine="mock")
    handed = drain(Agenda(p), p, workers=("a", "b"), size=4)
    alone = [[b.cell for w, b in handed[:12] if w == worker] for worker in ("a", "b")]
    assert set(alone[0]) <= {0, 2}
    assert set(alone[1]) == {1}


def test_who_is_gone_does_not_count_as_busy_with_a_model():
    p = plan(replicates=20)
    agenda = Agenda(p)
    assert agenda.take("a", 2, ["a"]).cell == 0
    assert agenda.take("b", 2, ["b"]).cell == 0  # "a" died


def test_a_batch_over_which_a_worker_died_is_taken_apart():
    p = plan(replicates=4)
    agenda = Agenda(p)
    batch = agenda.take("a", 3)
    agenda.again(batch, deaths=1)
    assert [agenda.take("a", 9) for _ in range(3)] == [Batch(0, (r,), tried=1) for r in range(3)]
    assert agenda.take("a", 9) == Batch(0, (3,))
    agenda.again(Batch(0, (3,)))
    assert agenda.take("a", 9) == Batch(0, (3,))


def test_failures_are_counted_among_the_done():
    p = plan(replicates=4, patients=(5,))
    agenda = Agenda(p)
    batch = agenda.take("a", 4)
    agenda.collect(outcome(p, batch, 2, stage="fit"))
    agenda.collect(outcome(p, batch, 2, stage="fit"))
    agenda.collect(outcome(p, batch, 0))
    assert (agenda.done, agenda.failed, agenda.remaining) == (2, 1, 2)


# --- the Monte Carlo error


def test_the_monte_carlo_error_is_that_of_a_share():
    assert monte_carlo_error(300, 1000) == pytest.approx(math.sqrt(0.3 * 0.7 / 1000), rel=1e-3)
    assert monte_carlo_error(0, 50) > 0.01
    assert monte_carlo_error(0, 50) == pytest.approx(monte_carlo_error(50, 50))


def test_the_running_error_is_the_worst_of_all_cells_and_decisions():
    p = plan(replicates=100)
    agenda = Agenda(p, [(p.cells[0].key, r, "done", {("a", 5): True, ("b", 5): r % 2 == 0}) for r in range(20)])
    assert agenda.error() == pytest.approx(math.sqrt(0.25 / 20))
    assert math.isnan(Agenda(p).error())


def met_of(shares):
    return lambda c, r: random.Random(f"{c} {r}").random() < shares[c]


def end(met, cell, error):
    """After which stage a cell stops, one stage after another by hand."""
    return next(n for n in range(50, 2000, 50) if monte_carlo_error(sum(met(cell, r) for r in range(n)), n) <= error)


@pytest.mark.parametrize("seed", range(6))
def test_which_replicates_a_cell_ends_with_does_not_depend_on_the_order(seed):
    p = plan(replicates=2000, mcse=0.03)
    rng = random.Random(seed)
    agenda = Agenda(p)
    met = met_of((0.5, 0.97))
    drain(agenda, p, met, rng, workers=[str(n) for n in range(1 + seed)], size=1 + 3 * seed)
    ends = [r.stop for r in agenda.asked().values()]
    assert ends == [end(met, 0, 0.03), end(met, 1, 0.03)]
    assert ends[0] == 300  # a half needs 278
    assert ends[1] < 300
    assert agenda.remaining == 0


@pytest.mark.parametrize("kept", [0, 37, 120, 299])
def test_a_study_that_stops_and_goes_on_ends_with_the_same_replicates(kept):
    p, met = plan(replicates=2000, mcse=0.03, patients=(5,)), met_of((0.5,))
    present = [
        (p.cells[0].key, r, "done", {("halved", 5): met(0, r)}) for r in random.Random(1).sample(range(300), kept)
    ]
    agenda = Agenda(p, present)
    drain(agenda, p, met, random.Random(2))
    assert [r.stop for r in agenda.asked().values()] == [300]


def test_a_cell_that_always_fails_stops_at_the_most():
    p = plan(replicates=120, mcse=0.2, patients=(5,))
    agenda = Agenda(p)
    while agenda.remaining:
        batch = agenda.take("a", 50)
        for r in batch.replicates:
            agenda.collect(outcome(p, batch, r, stage="fit"))
    assert agenda.asked()[p.cells[0].key] == range(120)
    assert STAGE < 120


def test_a_smaller_error_goes_on_from_where_it_was():
    p = plan(replicates=2000, mcse=0.02, patients=(5,))
    met = met_of((0.5,))
    there = [(p.cells[0].key, r, "done", {("halved", 5): met(0, r)}) for r in range(300)]
    agenda = Agenda(p, there)
    assert agenda.remaining == 50
    assert agenda.take("a", 1) == Batch(0, (300,))


# --- shards


@pytest.mark.parametrize("of", [1, 2, 3, 7, 40])
def test_shards_are_a_partition(of):
    p = plan(replicates=5, patients=(5, 8, 11))
    found = [(b.cell, r) for i in range(1, of + 1) for _, b in drain(Agenda(p, shard=(i, of)), p) for r in b.replicates]
    assert sorted(found) == [(c, r) for c in range(3) for r in range(5)]
    sizes = [sum(b - a for a, b in shares(["x", "y", "z"], 5, (i, of))) for i in range(1, of + 1)]
    assert max(sizes) - min(sizes) <= 1


def test_a_shard_has_cells_of_one_model_side_by_side():
    for shard, sizes in {(1, 2): [10, 0, 10, 0], (2, 2): [0, 10, 0, 10], (2, 4): [0, 0, 10, 0]}.items():
        assert [b - a for a, b in shares(["x", "y", "x", "y"], 10, shard)] == sizes
