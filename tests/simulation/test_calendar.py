"""A study in calendar time: what is known at a date, when patients come, and what many looks cost."""

import re
from dataclasses import fields, replace

import numpy as np
import pytest
from scipy import stats

import bayesmyo
from bayesmyo.cohort.cohort import CENSORED, HAPPENED, INTERVAL, Episodes
from bayesmyo.errors import InputError, StudyError
from bayesmyo.inference.engines import Sampling
from bayesmyo.model.data import arrays
from bayesmyo.model.schedule import draw_entries
from bayesmyo.model.simulate import simulate
from bayesmyo.model.truth import from_scenario
from bayesmyo.simulation import calendar
from bayesmyo.simulation.cell import Cell
from bayesmyo.simulation.options import Axes
from bayesmyo.simulation.plan import Plan
from bayesmyo.simulation.power import sequential, words
from bayesmyo.simulation.power.grid import cells
from bayesmyo.simulation.power.predictive import Predictive
from bayesmyo.simulation.replicate import Replicator
from bayesmyo.simulation.row import Quantity, Row
from bayesmyo.simulation.run import run
from bayesmyo.simulation.store import read_results
from bayesmyo.study import find_study, parse_study, read_study, studies
from bayesmyo.study.design import Loss
from tests.conftest import ROOT, SMALL
from tests.simulation.frames import frames
from tests.simulation.plans import final

ONE_ARM = read_study(ROOT / "tests" / "reference" / "one_arm.toml")
COMES = replace(ONE_ARM, design=replace(ONE_ARM.design, accrual=0.5))


def drawn(study, scenario, patients, seed=1):
    rng = np.random.default_rng(seed)
    return simulate(study, from_scenario(study, scenario, rng), rng, patients)


# --- when patients come


def test_patients_enter_as_a_poisson_process_that_begins_with_the_first(rng):
    """Gaps are exponential, and the number by a date Poisson: its variance is its mean."""
    entries = np.array([draw_entries(COMES.design, 40, rng) for _ in range(2000)])
    assert (entries[:, 0] == 0).all()
    assert stats.kstest(np.diff(entries).ravel(), stats.expon(scale=2).cdf).pvalue > 0.01
    later = (entries[:, 1:] <= 20).sum(axis=1)  # 10 are expected
    observed = np.bincount(np.clip(later, 4, 17), minlength=18)[4:]
    exact = np.array([stats.poisson.pmf(k, 10) for k in range(5, 17)])
    exact = np.array([stats.poisson.cdf(4, 10), *exact, stats.poisson.sf(16, 10)])
    assert stats.chisquare(observed, 2000 * exact / exact.sum()).pvalue > 0.01


def test_the_same_cohort_comes_with_and_without_an_accrual():
    """Entries are drawn last, so that no other number depends on them."""
    here, there = (drawn(s, "four", 6).cohort.measurements["reaction"] for s in (ONE_ARM, COMES))
    np.testing.assert_array_equal(here.value, there.value)


# --- what is known at a date


@pytest.mark.parametrize("date", [0.0, 7.3, 15.0, 400.0])
def test_a_cohort_at_a_date_has_the_visits_until_then_and_no_others(date):
    s = drawn(COMES, "four", 12)
    now, whole = calendar.seen(COMES, s, date).cohort.measurements["reaction"], s.cohort.measurements["reaction"]
    kept = s.entry[whole.patient] + whole.time <= date
    for name in ("patient", "time", "value"):
        np.testing.assert_array_equal(getattr(now, name), getattr(whole, name)[kept])
    assert calendar.enrolled(s, date) == len(set(now.patient)) == (s.entry <= date).sum()
    assert calendar.end(s) == pytest.approx((s.entry[whole.patient] + whole.time).max())


def test_what_has_not_happened_by_a_date_is_censored():
    """Exact: happened at 5 and at 12, free until 20; between visits: seen at 6 to have happened since 3, at 15 since 9."""
    e = Episodes(
        patient=np.arange(5), start=np.zeros(5), stop=np.array([5.0, 12, 20, 3, 9]), end=np.array([5.0, 12, 20, 6, 15]),
        status=np.array([HAPPENED, HAPPENED, CENSORED, INTERVAL, INTERVAL]), line=np.zeros(5, dtype=int),
    )  # fmt: skip
    now = calendar.until(e, np.array([10.0, 10, 10, 9, 9]))  # of events between visits, the last visit by then
    assert now.stop.tolist() == [5, 10, 10, 3, 9]
    assert now.end.tolist() == [5, 10, 10, 6, 9]
    assert now.status.tolist() == [HAPPENED, CENSORED, CENSORED, INTERVAL, CENSORED]
    assert calendar.until(e, np.zeros(5)).patient.tolist() == []
    assert calendar.until(e, np.array([10.0, 0, 3, 3, 3])).patient.tolist() == [0, 2, 3, 4]
    assert calendar.until(e, np.array([10.0, 0, 3, 3, 3])).status.tolist() == [HAPPENED, CENSORED, CENSORED, CENSORED]


@pytest.mark.parametrize("name", [n for n in studies() if find_study(n).design is not None])
def test_at_the_end_everything_is_known_and_before_nothing_later(name):
    """Of every study that comes along, with its events: at the end a cohort is the whole one, to the last bit."""
    study = find_study(name)
    study = replace(study, design=replace(study.design, accrual=1.0))
    s = drawn(study, next(iter(study.scenarios)), 12)
    whole = calendar.seen(study, s, calendar.end(s)).cohort
    for kind in ("measurements", "events"):
        for key, one in getattr(s.cohort, kind).items():
            other = getattr(whole, kind)[key]
            for f in fields(one):
                np.testing.assert_array_equal(getattr(one, f.name), getattr(other, f.name))
    date = 0.5 * calendar.end(s)
    now, own = calendar.seen(study, s, date).cohort, date - s.entry
    for one in now.measurements.values():
        assert (one.time <= own[one.patient]).all()
    for one in now.events.values():
        assert (one.end <= own[one.patient]).all()
    assert arrays(study, now)  # and it can be analysed


def test_exits_after_a_date_have_not_happened_yet():
    study = parse_study(SMALL)
    design = replace(study.design, accrual=1.0, loss=Loss(hazard=0.05))
    study = replace(study, design=design)
    s = drawn(study, "improves", 30)
    now = calendar.seen(study, s, 10.0)
    own = 10.0 - s.entry
    assert (now.lost == (s.lost & (s.follow_up <= own))).all()
    assert now.lost.sum() < s.lost.sum()
    there = own >= 0
    np.testing.assert_allclose(now.follow_up[there], np.minimum(s.follow_up, own)[there])


# --- looks in calendar time


def dated(patients=20, looks=(), dates=(), scenario="null"):
    labels = {"scenario": scenario, "patients": patients}
    return Cell(COMES, scenario, patients, COMES, labels, looks, dates=dates)


def test_looks_before_there_are_two_patients_or_after_the_end_do_not_take_place():
    s = drawn(COMES, "four", 12)
    late = calendar.end(s) + 1
    kept = calendar.held(dated(12, dates=(s.entry[1] / 2, s.entry[1] + 0.1, late)), s)
    assert kept == [(2, s.entry[1] + 0.1)]
    assert calendar.held(dated(12, looks=(5, 8, 12)), s) == [(5, s.entry[4]), (8, s.entry[7])]


def test_a_row_says_when_it_was_looked_at_and_is_the_same_alone():
    cell = dated(8, dates=(6.0, 14.0), scenario="four")
    one, two = (Replicator(cell, seed=3, engine="mock", record=("estimand", "decision")) for _ in range(2))
    rows = [one.run(r) for r in range(4)]
    assert two.run(3) == rows[3]
    for row in rows:
        assert row.stage == "done"
        s = one.simulate(row.replicate)
        said = {(q.look, q.name): q.mean for q in row.quantities if q.kind == "look"}
        assert said[8, "patients"] == 8
        assert said[8, "date"] == pytest.approx(calendar.end(s))
        for look, date in calendar.held(cell, s):
            assert said[look, "date"] == date
            assert said[look, "patients"] == (s.entry <= date).sum()
    again = Cell.from_dict(cell.as_dict())
    assert (again.key, again.dates) == (cell.key, cell.dates)
    assert Plan.from_json(Plan("power", (cell,), 3).to_json()).cells[0].key == cell.key


def test_a_folder_in_calendar_time_has_the_same_bytes_for_any_workers_resumed_or_not(tmp_path):
    """With looks ahead too: this process at once, this process twice, and one of its own."""
    short = Sampling(draws=20, tune=1, chains=2, cores=1)
    cell = dated(6, dates=(5.0, 9.0), scenario="four")
    whole = Plan("power", (cell,), 4, engine="mock", sampling=short, predictive=Predictive(0.4, 6))
    run(whole, tmp_path / "here", workers=0)
    run(replace(whole, replicates=2), tmp_path / "twice", workers=0)
    run(whole, tmp_path / "twice", workers=0)
    run(whole, tmp_path / "there", workers=1)
    assert final(tmp_path / "here") == final(tmp_path / "twice") == final(tmp_path / "there")
    kinds = set(read_results(tmp_path / "here").quantities["kind"])
    assert {"decision", "look", "predictive"} <= kinds


@pytest.mark.sampling
def test_patients_to_come_say_nothing_of_those_who_are_there():
    """The posterior at a date, with places for patients to come, is that of a cohort without such places."""
    cell = dated(10, looks=(6, 10), scenario="four")
    r = Replicator(cell, seed=5, record=("estimand", "decision"))
    row, s = r.run(0), r.simulate(0)
    told = calendar.seen(COMES, s, s.entry[5]).cohort.first(6)
    fitted = bayesmyo.fit(COMES, told, seed=1)
    theirs = bayesmyo.estimate(fitted)
    (ours,) = (q for q in row.quantities if q.kind == "estimand" and q.name == "slope" and q.look == 6)
    slope = theirs.loc["slope"]
    assert ours.median == pytest.approx(slope["median"], abs=0.25 * ours.sd)


def looked(c, replicate, answers, entered, dates):
    """A row: look -> posterior probability of no effect as a z score, who had entered, and when."""
    quantities = []
    for look, z in answers.items():
        p = float(stats.norm.cdf(z))
        quantities.append(Quantity("decision", "rises", look, truth=0.0, probability=p, met=p >= 0.975))
        quantities.append(Quantity("look", "patients", look, mean=entered[look]))
        quantities.append(Quantity("look", "date", look, mean=dates[look]))
    return Row(c.key, replicate, rhat=1.0, ess=400.0, patients=c.patients, quantities=tuple(quantities))


def test_type_1_error_of_looks_at_dates_is_the_multivariate_normal_integral(rng):
    """A known variance and a flat prior: z at each look is that of an information, whose correlations are
    sqrt(I_j / I_k). Three looks at 8, 14 and 20 patients' worth, each at one-sided 0.025.
    """
    c, n, information = dated(20, dates=(12.0, 24.0)), 3000, np.array([8.0, 14, 20])
    steps = rng.standard_normal((n, 3)) * np.sqrt(np.diff([0, *information]))
    z = np.cumsum(steps, axis=1) / np.sqrt(information)
    at, entered, dates = c.stages, {1: 8.0, 2: 14.0, 20: 20.0}, {1: 12.0, 2: 24.0, 20: 50.0}
    rows = [looked(c, i, dict(zip(at, own, strict=True)), entered, dates) for i, own in enumerate(z)]
    (s,) = sequential.sequences(Plan("power", (c,), 10, engine="mock"), frames(rows)[1])
    correlation = np.sqrt(np.minimum.outer(information, information) / np.maximum.outer(information, information))
    below = stats.multivariate_normal(np.zeros(3), correlation).cdf(np.full(3, stats.norm.ppf(0.975)))
    assert s.null
    assert abs(s.success.value - (1 - below)) < 3 * s.success.mcse
    first, second = s.stops[0].success.value, s.stops[1].success.value
    assert s.patients.value == pytest.approx(8 * first + 14 * second + 20 * (1 - first - second))
    assert s.duration.value == pytest.approx(12 * first + 24 * second + 50 * (1 - first - second))
    assert (s.longest.value, [stop.date for stop in s.stops]) == (50, [12, 24, None])
    text = words.sequence_sentence(s)
    assert text.startswith("Looked at day 12 and 24 and when all 20 patients are through (null), rises would")
    assert re.search(r"patients are expected instead of 20, and \d\d\.\d days instead of 50\.0\.$", text)


def test_a_look_that_did_not_take_place_stops_nothing():
    c = dated(20, dates=(12.0, 24.0))
    rows = [looked(c, 0, {2: 0.0, 20: 3.0}, {2: 9.0, 20: 20.0}, {2: 24.0, 20: 50.0})]
    (s,) = sequential.sequences(Plan("power", (c,), 10, engine="mock"), frames(rows)[1], futility=0.1)
    assert [(stop.success.met, stop.futility.met) for stop in s.stops] == [(0, 0), (0, 0), (1, 0)]


# --- what is asked


def test_dates_are_those_before_the_end_of_each_cell():
    few, many = cells(ONE_ARM, Axes(scenarios=("four",), patients=(6, 20), accrual=(1.0,), look_at=(20.0, 8.0)))
    assert (few.dates, many.dates) == ((8.0,), (8.0, 20.0))  # 6 are expected to be through at 5 + 9
    assert few.labels == {"scenario": "four", "accrual": 1.0, "patients": 6}


@pytest.mark.parametrize(
    ("axes", "said"),
    [
        ({"look_at": (12.0,)}, "--look-at: needs to know when patients enter; give --accrual, or accrual in [design]"),
        ({"look_at": (12.0,), "accrual": (0.0,)}, "--accrual: must be positive; got 0"),
        ({"look_at": (500.0,), "accrual": (1.0,)}, "--look-at: is not before the end, expected at"),
        ({"look_at": (0.5,), "accrual": (1.0,)}, "--look-at: is before two patients are expected, at 1; got 0.5"),
        ({"look_at": (12.0,), "looks": (5,), "accrual": (1.0,)}, "--look-at: and --looks do not go together"),
        ({"look_at": (12.0, 12.0), "accrual": (1.0,)}, "--look-at: names one value twice"),
    ],
)
def test_looks_that_cannot_be(axes, said):
    with pytest.raises(InputError) as error:
        cells(ONE_ARM, Axes(scenarios=("four",), **axes))
    assert said in str(error.value)
    assert len(error.value.faults) == 1


def test_an_accrual_of_nobody_is_a_fault_of_the_study():
    text = (
        (ROOT / "tests" / "reference" / "one_arm.toml")
        .read_text()
        .replace("patients = 23", "patients = 23\naccrual = 0")
    )
    with pytest.raises(StudyError, match=r"design.accrual: must be positive; got 0"):
        parse_study(text)
