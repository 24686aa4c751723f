"""The predictive probability of success: against its closed forms, with a posterior that is exact."""

from dataclasses import replace
from itertools import product
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import integrate, special, stats

from bayesmyo.errors import UsageError
from bayesmyo.inference.fit import posterior_truth
from bayesmyo.model.completed import completed, refused
from bayesmyo.model.simulate import simulate
from bayesmyo.model.truth import from_scenario
from bayesmyo.simulation import calendar
from bayesmyo.simulation.ahead import Ahead
from bayesmyo.simulation.cell import Cell
from bayesmyo.simulation.options import PowerOptions
from bayesmyo.simulation.plan import QUICK, Plan
from bayesmyo.simulation.power import sequential, words
from bayesmyo.simulation.power.predictive import Count, Predictive
from bayesmyo.simulation.replicate import Replicator, first
from bayesmyo.simulation.row import Quantity, Row
from bayesmyo.study import find_study, parse_study, read_study
from tests.conftest import ROOT
from tests.simulation.frames import frames


def reference(name):
    return read_study(ROOT / "tests" / "reference" / f"{name}.toml")


ONE_ARM = reference("one_arm")
HEAD = """
[study]
title = "Measured once or twice"
patient = "patient"
time = { column = "month", unit = "month", typical = 6 }

[outcomes.y]
column = "y"
unit = "points"
better = "higher"
"""
ASKED = """
[estimands.level]
kind = "level"
outcome = "y"
at = 0
population = "average patient"

[design]
patients = 30
"""
RESPONSE = parse_study(
    HEAD
    + """
typical = 0.5
scale = 0.2
family = { kind = "bernoulli" }
trajectory = { kind = "constant" }
effects = []
priors = { intercept = "normal(0, 1.5)" }
"""
    + ASKED
    + """
follow_up = 1
visits = { first = [0] }

[decisions.works]
kind = "probability"
estimand = "level"
above = 0.5
probability = 0.95

[scenarios.some]
y = { intercept = 0.65 }
"""
)
SPREAD, NOISE, PRIOR = 1.0, 1.5, 3.0  # SDs between patients, of a measurement, and of the prior
NORMAL = parse_study(
    HEAD
    + f"""
typical = 0
scale = 1
family = {{ kind = "gaussian" }}
trajectory = {{ kind = "constant" }}
priors = {{ intercept = "normal(0, {PRIOR})" }}
"""
    + ASKED
    + f"""
follow_up = 6
visits = {{ first = [0, 6] }}
accrual = 2.0

[decisions.works]
kind = "probability"
estimand = "level"
above = 0
probability = 0.975

[scenarios.some]
y = {{ intercept = 0.5, sd_intercept = {SPREAD}, sigma = {NOISE} }}
"""
)


class Conjugate:
    """The posterior of a share with a uniform prior, as its quantiles."""

    def draws(self, cohort, seed, sampling=None):
        y = cohort.measurements["y"].value
        share = stats.beta(1 + y.sum(), 1 + len(y) - y.sum()).ppf((np.arange(4000) + 0.5) / 4000)
        return SimpleNamespace(posterior={"y.intercept": special.logit(share)[None]})


class Normal:
    """The posterior of the mean and the effects of patients, whose variances are known."""

    def draws(self, cohort, seed, sampling=None):
        mean, covariance = self.posterior(cohort)
        drawn = np.random.default_rng(seed).multivariate_normal(mean, covariance, (1, 3000))
        known = {"y.sd_intercept": SPREAD, "y.sigma": NOISE}
        told = {k: np.full((1, 3000), v) for k, v in known.items()}
        return SimpleNamespace(posterior={"y.intercept": drawn[..., 0], "y.effect_intercept": drawn[..., 1:], **told})

    def posterior(self, cohort):
        m = cohort.measurements["y"]
        design = np.column_stack([np.ones(len(m)), m.patient[:, None] == np.arange(len(cohort))])
        prior = np.diag([PRIOR**-2, *[SPREAD**-2] * len(cohort)])
        covariance = np.linalg.inv(prior + design.T @ design / NOISE**2)
        return covariance @ design.T @ m.value / NOISE**2, covariance


def drawn(study, seed=1, patients=None):
    rng = np.random.default_rng(seed)
    return simulate(study, from_scenario(study, "some", rng), rng, patients)


def looking(study, engine, rule, looks=(), dates=()):
    cell = Cell(study, "some", study.design.patients, study, {}, looks, dates=dates)
    return Ahead(cell, rule, lambda patients: engine, QUICK, 7, 1)


def ahead(a, s, told, clock, engine):
    posterior = posterior_truth(a.cell.analysis, told, engine.draws(told, 5).posterior)
    posterior = posterior.without(*range(len(clock), len(told)))
    (q,) = a.predicted(s, 0, len(clock), clock, posterior, ["works"])
    return q


# --- closed forms


@pytest.mark.parametrize("responses", [10, 13, 15])
def test_of_a_share_it_is_the_beta_binomial_tail(responses):
    """20 of 30 patients are known; success asks for P(share > 0.5) >= 0.95 under a uniform prior."""
    s, n, rest = drawn(RESPONSE), 20, 10
    value = s.whole.measurements["y"].value.copy()
    value[:n] = np.arange(n) < responses
    cohort = replace(s.whole, measurements={"y": replace(s.whole.measurements["y"], value=value)})
    s = replace(s, cohort=cohort, whole=cohort)
    needed = next(y for y in range(31) if stats.beta(1 + y, 31 - y).sf(0.5) >= 0.95)
    exact = stats.betabinom(rest, 1 + responses, 1 + n - responses).sf(needed - responses - 1)
    a = looking(RESPONSE, Conjugate(), Predictive(min(max(exact, 0.02), 0.98), 300), looks=(20, 30))
    q = ahead(a, s, cohort.first(n), np.full(n, np.inf), Conjugate())
    assert abs(q.probability - exact) < 3 * np.sqrt(max(exact * (1 - exact), 0.01) / q.ess)
    assert (q.kind, q.look) == ("predictive", 20)


def test_of_a_mean_it_is_the_normal_tail_whoever_has_been_seen_once_twice_or_never():
    """The mean at the end is normal around the mean now, and its variance is what is still to be learnt."""
    s, engine = drawn(NORMAL, seed=4), Normal()
    date = 7.0
    clock = calendar.clocks(s, date)
    clock = clock[: calendar.enrolled(s, date)]
    told = calendar.seen(NORMAL, s, date).cohort
    seen = np.bincount(told.measurements["y"].patient, minlength=30)
    assert set(seen) == {0, 1, 2}
    mean, covariance = engine.posterior(told)
    last = 1 / (PRIOR**-2 + 30 / (SPREAD**2 + NOISE**2 / 2))
    exact = stats.norm.cdf((mean[0] - 1.959964 * np.sqrt(last)) / np.sqrt(covariance[0, 0] - last))
    assert 0.1 < exact < 0.9
    a = looking(NORMAL, engine, Predictive(exact, 300), dates=(date,))
    q = ahead(a, s, told, clock, engine)
    assert abs(q.probability - exact) < 3 * np.sqrt(exact * (1 - exact) / q.ess)


@pytest.mark.sampling
def test_the_fast_engine_agrees_with_the_integral():
    """The same share with the normal prior of the study, integrated by quadrature."""
    cell = Cell(RESPONSE, "some", 30, RESPONSE, {}, (20, 30))
    r = Replicator(cell, seed=2, engine="laplace", record=("decision",), predictive=Predictive(0.5, 120))

    def posterior(y, n):
        """Of logit(share), up to a factor."""
        return lambda x: np.exp(stats.norm.logpdf(x, 0, 1.5) + y * x - n * np.logaddexp(0, x))

    def share(y, n):
        f = posterior(y, n)
        return integrate.quad(f, 0, 9)[0] / integrate.quad(f, -9, 9)[0]

    needed = next(y for y in range(31) if share(y, 30) >= 0.95)
    s, row = r.simulate(0), r.run(0)
    y = int(s.cohort.measurements["y"].value[:20].sum())
    f = posterior(y, 20)
    weighted = integrate.quad(lambda x: f(x) * stats.binom(10, special.expit(x)).sf(needed - y - 1), -9, 9)[0]
    exact = weighted / integrate.quad(f, -9, 9)[0]
    (q,) = (q for q in row.quantities if q.kind == "predictive")
    assert q.ess > 60
    assert abs(q.probability - exact) < 3 * np.sqrt(max(exact * (1 - exact), 0.02) / q.ess)


# --- counting


@pytest.mark.parametrize(("below", "cohorts"), [(0.25, 8), (0.5, 7), (0.9, 6)])
def test_a_curtailed_count_decides_as_a_whole_one_and_is_unbiased(below, cohorts):
    """Over all sequences of verdicts, each with its probability."""
    for p in (0.1, 0.4, 0.8):
        expected = 0.0
        for verdicts in product([False, True], repeat=cohorts):
            count = Count(Predictive(below, cohorts))
            for met in verdicts:
                count.add(met)
            assert count.known
            assert count.goes_on == (sum(verdicts) / cohorts >= below - 1e-12)
            expected += count.probability * p ** sum(verdicts) * (1 - p) ** (cohorts - sum(verdicts))
        assert expected == pytest.approx(p)


# --- in rows, tables and words


def row_of(c, replicate, met, ahead):
    """A row: look -> met, and look -> (predictive probability, whether it is enough)."""
    listed = [Quantity("decision", "rises", k, truth=0.0, probability=0.5, met=m) for k, m in met.items()]
    listed += [Quantity("predictive", "rises", k, probability=p, met=m, ess=9.0) for k, (p, m) in ahead.items()]
    return Row(c.key, replicate, rhat=1.0, ess=400.0, patients=c.patients, quantities=tuple(listed))


def test_a_study_stops_where_it_is_not_expected_to_succeed_and_its_error_is_stated_without_that_too():
    c = Cell(ONE_ARM, "null", 20, ONE_ARM, {"scenario": "null", "patients": 20}, (10, 20))
    rows = [
        row_of(c, 0, {10: False, 20: True}, {10: (0.02, False)}),  # futile, and met if it had gone on
        row_of(c, 1, {10: False, 20: True}, {10: (0.4, True)}),
        row_of(c, 2, {10: True, 20: True}, {}),
        row_of(c, 3, {10: False, 20: False}, {10: (0.3, True)}),
    ]
    plan = Plan("power", (c,), 4, predictive=Predictive(0.05, 100))
    (s,) = sequential.sequences(plan, frames(rows)[1])
    assert [(stop.success.met, stop.futility.met) for stop in s.stops] == [(1, 1), (1, 1)]
    assert (s.success.met, s.unbound.met, s.futility, s.ahead) == (2, 3, 0.05, True)
    assert s.stops[0].predictive.value == pytest.approx((0.02 + 0.4 + 0.3) / 3)
    assert s.patients.value == pytest.approx((10 + 20 + 10 + 20) / 4)
    said = words.sequence_sentence(s)
    assert "25% after 10 would have stopped for futility (predictive probability of success below 5%)" in said
    assert "without which it would have been met in 75%, the type I error where futility does not bind" in said
    again = Plan.from_json(plan.to_json())
    assert (again.predictive, again.key, again.nested) == (plan.predictive, plan.key, 400)
    assert plan.key != replace(plan, predictive=None).key


def test_a_row_looks_ahead_of_decisions_that_are_open_and_is_the_same_alone():
    cell = Cell(ONE_ARM, "four", 8, ONE_ARM, {}, (3, 5, 8))
    chosen = {"engine": "mock", "record": ("estimand", "decision"), "predictive": Predictive(0.3, 10)}
    one, two = (Replicator(cell, seed=3, **chosen) for _ in range(2))
    rows = [one.run(r) for r in range(4)]
    assert two.run(3) == rows[3]
    for row in rows:
        assert row.stage == "done"
        met = {q.look: q.met for q in row.quantities if q.kind == "decision"}
        said = {q.look: q for q in row.quantities if q.kind == "predictive"}
        assert set(said) == ({3, 5} if not met[3] and said[3].met and not met[5] else set() if met[3] else {3})
        assert all(2 <= q.ess <= 10 for q in said.values())


@pytest.mark.parametrize("date", [4.0, 9.0])
def test_a_completed_cohort_keeps_what_has_happened(date, rng):
    study = find_study("ivig")
    study = replace(study, design=replace(study.design, accrual=2.0))
    name = next(iter(study.scenarios))
    s = simulate(study, from_scenario(study, name, rng), rng, 12)
    clock = calendar.clocks(s, date)[: calendar.enrolled(s, date)]
    told = calendar.seen(study, s, date).cohort
    whole = completed(study, s, clock, first(s, len(clock)).truth, rng)
    assert len(whole) == 12
    for outcome, now in told.measurements.items():
        m = whole.measurements[outcome]
        known = np.append(clock, np.full(12 - len(clock), -np.inf))[m.patient]
        before = m.take(m.time <= known)
        np.testing.assert_array_equal(before.value, now.value)
        np.testing.assert_array_equal(before.time, now.time)
        assert set(m.patient) == set(range(12))
        assert len(m) > len(now)


# --- what is asked


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"predictive": 100, "looks": (5,)}, "--predictive: needs to know below which probability a study stops"),
        (
            {"predictive": 20, "futility": 0.05, "looks": (5,)},
            "--predictive: is too few completed cohorts to tell 0.05 from 0; got 20",
        ),
        ({"predictive": 100, "futility": 0.05}, "--futility: is a rule for interim looks"),
    ],
)
def test_a_look_ahead_that_cannot_be(asked, said):
    with pytest.raises(UsageError) as error:
        PowerOptions(ONE_ARM, "power", **asked)
    assert said in str(error.value)


def test_what_hangs_together_over_time_is_refused():
    said = [str(f) for name in ("ou_residual", "recurrent") for f in refused(reference(name), "--predictive")]
    assert "the residuals of" in said[0]
    assert "happens again and again" in said[1]
