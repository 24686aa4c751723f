"""The one loop of every simulation study: rows have addresses, and a failure is a row."""

import json
from dataclasses import replace

import numpy as np
import pytest

from bayesmyo.errors import EngineError
from bayesmyo.inference.engines import ENGINES, Certificate, Mock, Sampling
from bayesmyo.model.truth import from_priors
from bayesmyo.simulation.beside import compared
from bayesmyo.simulation.cell import Cell, population
from bayesmyo.simulation.plan import Plan
from bayesmyo.simulation.replicate import Replicator, first, longer, trusted, work
from bayesmyo.simulation.row import Quantity
from bayesmyo.study import parse_study
from tests.conftest import SMALL
from tests.simulation.frames import of, row_of

SAMPLING = Sampling(draws=60, tune=1, chains=2)


def cell_of(study, truths="improves", patients=12, analysis=None, **more):
    return Cell(study, truths, patients, analysis or study, **more)


@pytest.fixture
def replicator(small):
    """A Replicator of the small study's scenario `improves`, with the mock engine unless another is named."""

    def make(patients=12, looks=(), **options):
        chosen = {"seed": 3, "engine": "mock", "sampling": SAMPLING} | options
        return Replicator(cell_of(small, patients=patients, looks=looks), **chosen)

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
        if self.error and self.sampled > 1:
            raise self.error
        return self.mock.sample(*arguments)


def test_a_replicate_can_be_made_again_alone_and_in_any_order(replicator):
    in_order = replicator()
    rows = [in_order.run(n) for n in range(3)]
    backwards = replicator()
    assert [backwards.run(n) for n in (2, 1, 0)] == rows[::-1]
    assert replicator().run(1) == rows[1]


@pytest.mark.parametrize("other", [{"seed": 4}, {"place": 1}])
def test_another_address_is_another_cohort_and_other_draws(replicator, other):
    one, two = replicator(), replicator(**other)
    assert one.run(0).quantities != two.run(0).quantities
    values = [r.simulate(0).cohort.measurements["cpk"].value[0] for r in (one, two)]
    assert values[0] != values[1]


def test_a_row_holds_every_estimand_with_its_true_value(replicator):
    row = replicator().run(5)
    assert (row.replicate, row.stage, row.reason, row.attempts) == (5, "done", "", 1)
    assert of(row, "estimand").keys() == {"cpk_ratio_12"}
    q = of(row, "estimand")["cpk_ratio_12"]
    assert q.truth == pytest.approx((200 / 800) ** (1 - 2**-4))
    assert q.lower < q.median < q.upper
    assert q.rank is None
    assert row.divergences == 0
    assert row.rhat > 1
    assert 0 < row.ess <= 240


def test_a_decision_is_judged_on_the_draws_of_its_estimand(replicator, small):
    r = replicator(record=("decision",))
    row = r.run(2)
    assert [q.kind for q in row.quantities] == ["decision"]
    fit = r.fit(r.simulate(2), 2)
    drawn = fit.estimands["cpk_ratio_12"]
    q = of(row, "decision")["cpk_halved"]
    assert q.probability == pytest.approx((drawn < 0.5).mean(), abs=1e-12)
    assert q.met == (q.probability >= 0.9)


def test_a_row_survives_json(replicator, small):
    row = Replicator(cell_of(small, None), seed=3, engine="mock", sampling=SAMPLING).run(1)
    assert {q.kind for q in row.quantities} == {"estimand", "decision", "parameter", "effect", "joint"}
    assert row_of(json.loads(json.dumps(row.as_dict(), allow_nan=False))) == row


def test_what_is_not_finite_is_not_there():
    q = Quantity("estimand", "change", 12, truth=float("nan"), mean=float("inf"), median=np.float64(1.5))
    assert (q.truth, q.mean, q.median, type(q.median)) == (None, None, 1.5, float)


# --- cells


def test_the_key_of_a_cell_names_all_that_its_rows_depend_on(small):
    other = parse_study(SMALL.replace("scale = 10", "scale = 11"))
    later = parse_study(SMALL.replace("then_every = 6", "then_every = 5"))
    drawn = population(from_priors(small, np.random.default_rng(1), (2, 3)))
    cells = [
        cell_of(small), cell_of(small, None), cell_of(small, drawn), cell_of(small, patients=13),
        cell_of(small, looks=(6, 12)),
        cell_of(small, analysis=other), cell_of(other), cell_of(later),
    ]  # fmt: skip
    assert len({c.key for c in cells}) == len(cells)
    assert {len(c.key) for c in cells} == {16}
    told = parse_study(SMALL + '\n[report]\ngoal = "To learn"\n')
    assert cell_of(told).key == cell_of(small).key
    assert cell_of(small, labels={"patients": 12}).key == cell_of(parse_study(SMALL + "\n# a comment\n")).key


def test_a_plan_survives_json_to_the_bit(small):
    drawn = population(from_priors(small, np.random.default_rng(1), (2, 3)))
    other = parse_study(SMALL.replace("scale = 10", "scale = 11"))
    cells = (
        cell_of(small, labels={"n": 12}),
        cell_of(small, drawn),
        cell_of(small, None, analysis=other, looks=(6, 12)),
    )
    plan = Plan("power", cells, 4, seed=8, engine="mock", sampling=SAMPLING, mcse=0.02)
    again = Plan.from_json(plan.to_json())
    assert again.to_json() == plan.to_json()
    assert [c.key for c in again.cells] == [c.key for c in cells]
    np.testing.assert_array_equal(again.cells[1].truths.value("cpk", "start"), np.ravel(drawn.value("cpk", "start")))
    assert plan.key == replace(plan, replicates=400, mcse=None, cells=cells[:1]).key
    assert plan.key != replace(plan, seed=9).key


def test_a_worker_is_told_all_by_the_plan(small):
    cells = (cell_of(small, None), cell_of(small))
    plan = Plan("power", cells, 4, seed=8, engine="mock", sampling=SAMPLING, record=("estimand", "decision"))
    rows = [row_of(r) for r in work(plan.to_json(), 1, [3, 0])]
    alone = Replicator(cells[1], seed=8, engine="mock", sampling=SAMPLING, record=plan.record)
    assert rows == [alone.run(3), alone.run(0)]


def test_cells_that_differ_in_the_truth_alone_share_a_model(small, monkeypatch):
    engine = Sometimes(None)
    monkeypatch.setitem(ENGINES, "sometimes", engine)
    cells = (cell_of(small, None), cell_of(small), cell_of(small, patients=5))
    plan = Plan("power", cells, 2, engine="sometimes", sampling=SAMPLING)
    for n in range(3):
        work(plan.to_json(), n, [0, 1])
    assert engine.prepared == 2


def test_a_posterior_lends_each_replicate_one_of_its_draws(small):
    drawn = population(from_priors(small, np.random.default_rng(1), (2, 3)))
    r = Replicator(cell_of(small, drawn), seed=3, engine="mock", sampling=SAMPLING)
    listed = np.ravel(drawn.value("cpk", "start"))
    found = {float(r.simulate(n).truth.value("cpk", "start")) for n in range(60)}
    assert found == set(listed.tolist())
    truth = r.simulate(0).truth
    i = int(np.flatnonzero(listed == float(truth.value("cpk", "start")))[0])
    assert float(truth.value("strength", "slope")) == np.ravel(drawn.value("strength", "slope"))[i]


def test_another_study_may_analyse(small):
    """The true values of estimands are those of the study that simulates; its parameters are not the other one's."""
    text = SMALL[: SMALL.index("[scenarios")].replace("scale = 2.5", "scale = 900")
    other = parse_study(text.replace('family = { kind = "lognormal" }', 'family = { kind = "student_t" }'))
    row = Replicator(cell_of(small, analysis=other), seed=3, engine="mock", sampling=SAMPLING).run(0)
    assert row.stage == "done"
    assert of(row, "estimand")["cpk_ratio_12"].truth == pytest.approx((200 / 800) ** (1 - 2**-4))
    assert not of(row, "effect")
    assert {q.truth for q in of(row, "parameter").values()} == {None}


# --- looks


def test_the_first_patients_are_looked_at_alone(small, replicator):
    simulated = replicator().simulate(0)
    part = first(simulated, 5)
    assert part.cohort.patients == simulated.cohort.patients[:5]
    for name, m in part.cohort.measurements.items():
        whole = simulated.cohort.measurements[name]
        np.testing.assert_array_equal(m.value, whole.value[whole.patient < 5])
        np.testing.assert_array_equal(
            part.truth.outcomes[name].effects["start" if name == "cpk" else "slope"],
            simulated.truth.outcomes[name].effects["start" if name == "cpk" else "slope"][:5],
        )
    assert part.cohort.rows.outcomes["cpk"].used == len(part.cohort.measurements["cpk"])


def test_every_look_is_in_the_row_and_the_last_is_the_whole_cohort(replicator):
    row = replicator(looks=(5, 12)).run(0)
    assert [q.look for q in row.quantities if q.kind == "decision"] == [5, 12]
    assert of(row, "decision")["cpk_halved"].look == 12
    assert of(row, "decision").keys() == of(replicator().run(0), "decision").keys()


# --- trust


def test_short_chains_that_are_not_to_be_trusted_are_sampled_once_more_longer(small, monkeypatch):
    asked = []

    class Stuck(Mock):
        posterior = True

        def prepare(self, model, exchange=True):
            self.mock = super().prepare(model)
            return self

        def sample(self, datasets, seeds, sampling, progress=None):
            asked.append((sampling, seeds[0]))
            (draws,) = self.mock.sample(datasets, seeds, sampling)
            apart = np.arange(sampling.chains)[:, None] * 50.0
            draws.posterior["cpk.start"] = draws.posterior["cpk.start"] + apart
            return [draws]

    monkeypatch.setitem(ENGINES, "stuck", Stuck())
    row = Replicator(cell_of(small), seed=3, engine="stuck", sampling=SAMPLING).run(0)
    assert (row.stage, row.attempts) == ("done", 2)
    assert not trusted(row)
    assert [s for s, _ in asked] == [SAMPLING, longer(SAMPLING)]
    assert asked[0][1] != asked[1][1]
    assert longer(SAMPLING) == replace(SAMPLING, draws=180, tune=3)


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
    assert rows[1].quantities == ()
    assert engine.prepared == 1


def test_a_bug_is_not_a_row(replicator, monkeypatch):
    monkeypatch.setitem(ENGINES, "sometimes", Sometimes(ZeroDivisionError()))
    r = replicator(engine="sometimes")
    r.run(0)
    with pytest.raises(ZeroDivisionError):
        r.run(1)


def test_a_cohort_that_cannot_be_simulated_is_a_row_with_its_reason():
    study = parse_study(SMALL[: SMALL.index("[design]")] + SMALL[SMALL.index("[scenarios") :])
    row = Replicator(cell_of(study), seed=3, engine="mock").run(0)
    assert (row.stage, row.replicate) == ("simulate", 0)
    assert "the study has no [design]" in row.reason


class Certified(Mock):
    """Draws as the mock engine, and says that it has corrected them."""

    def prepare(self, model, exchange=True):
        self.mock = super().prepare(model)
        return self

    def sample(self, *arguments):
        return [replace(d, certificate=Certificate("importance", k=0.2)) for d in self.mock.sample(*arguments)]


@pytest.fixture
def certified(replicator, monkeypatch):
    """Replicates of an engine with a certificate, of which each has the reference engine beside; a name is that engine's."""

    def with_reference(engine):
        monkeypatch.setitem(ENGINES, "certified", Certified())
        monkeypatch.setitem(ENGINES, "reference", engine)
        monkeypatch.setattr("bayesmyo.simulation.replicate.SHARE", 1.0)
        monkeypatch.setattr("bayesmyo.simulation.replicate.REFERENCE", "reference")
        return replicator(engine="certified", sampling=Sampling(draws=500, tune=1, chains=2, cores=1))

    return with_reference


def test_the_reference_beside_says_the_same_of_the_same_distribution(certified):
    row = certified(Mock()).run(0)
    assert (row.stage, row.step, row.k) == ("done", "importance", 0.2)
    assert (
        0 < row.apart < 0.1
    )  # the largest of a few medians of 1,000 draws, of which each is 1 % of an interval uncertain
    assert row.wider == pytest.approx(1, abs=0.1)


def test_a_reference_that_fails_takes_nothing_from_the_answer(certified):
    class Fails(Mock):
        def sample(self, *arguments):
            raise EngineError("sampling could not start")

        def prepare(self, model, exchange=True):
            return self

    row = certified(Fails()).run(0)
    assert (row.stage, row.step, row.apart, row.wider) == ("done", "importance", None, None)
    assert row.quantities == certified(Mock()).run(0).quantities


def test_a_shift_and_a_width_are_measured_as_shares_of_the_interval():
    """Of normal draws: a shift of one SD is 1/3.92 of a 95 % interval, and half the SD is half its width."""
    z = np.random.default_rng(5).normal(size=(4, 50_000))
    ours = Quantity("estimand", "x", 9, lower=1 - 0.98, median=1.0, upper=1 + 0.98)
    apart, wider = compared([ours], {"x": z}, 0.95)
    assert apart == pytest.approx(1 / 3.92, abs=0.005)
    assert wider == pytest.approx(0.5, abs=0.005)
