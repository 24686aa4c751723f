"""Curves of events, against published tables, closed forms, and R's package survival."""

import json
import shutil
import subprocess
from itertools import pairwise

import numpy as np
import pytest

from bayesmyo.assess.curves import at_risk, cumulative_incidence, kaplan_meier, mean_count, turnbull

# weeks in remission under 6-mercaptopurine, Freireich et al. (1963), Blood 21, 699-716
WEEKS = np.array([6, 6, 6, 7, 10, 13, 16, 22, 23, 6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35], dtype=float)
RELAPSED = np.arange(21) < 9
# cosmetic deterioration after radiotherapy with chemotherapy, Beadle et al. (1984): between two visits
LEFT = np.array(
    [
        0,
        0,
        0,
        4,
        5,
        8,
        8,
        10,
        11,
        11,
        11,
        12,
        13,
        14,
        14,
        16,
        16,
        17,
        18,
        19,
        19,
        22,
        24,
        30,
        5,
        48,
        31,
        32,
        34,
        11,
        13,
        16,
        13,
        32,
        44,
        10,
        18,
        35,
        40,
        21,
        23,
        34,
        24,
        48,
        16,
        17,
        36,
        15,
    ],
    dtype=float,
)
RIGHT = np.array(
    [
        22,
        5,
        8,
        9,
        8,
        12,
        21,
        35,
        13,
        17,
        20,
        20,
        39,
        17,
        19,
        20,
        24,
        23,
        25,
        32,
        26,
        32,
        30,
        34,
        12,
        np.inf,
        np.inf,
        np.inf,
        np.inf,
        np.inf,
        np.inf,
        np.inf,
        39,
        np.inf,
        48,
        17,
        24,
        np.inf,
        np.inf,
        np.inf,
        32,
        np.inf,
        31,
        np.inf,
        24,
        27,
        44,
        22,
    ],
    dtype=float,
)


def test_the_textbook_table_of_leukaemia():
    curve = kaplan_meier(np.zeros(21), WEEKS, RELAPSED)
    assert curve.time.tolist() == [6, 7, 10, 13, 16, 22, 23]
    assert curve.at_risk.tolist() == [21, 17, 15, 12, 11, 7, 6]
    assert curve.events.tolist() == [3, 1, 1, 1, 1, 1, 1]
    assert np.round(curve.value, 3).tolist() == [0.857, 0.807, 0.753, 0.690, 0.627, 0.538, 0.448]
    assert curve.at(np.array([0.0, 5.9, 6.0, 40.0])).round(3).tolist() == [1, 1, 0.857, 0.448]


def test_who_comes_late_is_not_at_risk_before():
    start, stop = np.array([0.0, 0.0, 3.0, 5.0]), np.array([4.0, 5.0, 6.0, 8.0])
    curve = kaplan_meier(start, stop, np.array([True, True, True, False]))
    assert curve.at_risk.tolist() == [3, 2, 2]  # who begins at 5 is not at risk at 5
    assert curve.value == pytest.approx([2 / 3, 1 / 3, 1 / 6])
    assert at_risk(start, stop, np.array([1.0, 5.0, 9.0])).tolist() == [2, 2, 0]


def test_reasons_add_up_and_one_alone_is_kaplan_and_meier():
    stop, reason = np.array([1.0, 2.0, 3.0, 4.0, 5.0]), np.array([0, 1, -1, 0, 1])
    first, second = cumulative_incidence(np.zeros(5), stop, reason, 2)
    assert first.value == pytest.approx([1 / 5, 1 / 5, 1 / 5 + 3 / 5 / 2, 1 / 2])
    assert second.value == pytest.approx([0, 1 / 5, 1 / 5, 1 / 2])
    rest = kaplan_meier(np.zeros(5), stop, reason >= 0)
    assert first.value + second.value + rest.value == pytest.approx(np.ones(4))
    alone = cumulative_incidence(np.zeros(5), stop, np.where(reason >= 0, 0, -1), 1)[0]
    assert alone.value == pytest.approx(1 - rest.value)


def test_the_mean_count_without_censoring_is_the_mean():
    """Two patients seen to 10, with 3 and 1 events; one seen to 4, with none."""
    start, stop = np.array([0, 2, 5, 9, 0, 6, 0.0]), np.array([2, 5, 9, 10, 6, 10, 4.0])
    happened = np.array([True, True, True, False, True, False, False])
    curve = mean_count(start, stop, happened)
    assert curve.time.tolist() == [2, 5, 6, 9]
    assert curve.at_risk.tolist() == [3, 2, 2, 2]
    assert curve.value == pytest.approx([1 / 3, 1 / 3 + 1 / 2, 1 / 3 + 1, 1 / 3 + 3 / 2])


def test_turnbull_of_exact_times_is_kaplan_and_meier():
    known = turnbull(WEEKS, np.where(RELAPSED, WEEKS, np.inf))
    expected = kaplan_meier(np.zeros(21), WEEKS, RELAPSED)
    times = np.arange(0.0, 35.0) + 0.5
    assert known.at(times) == pytest.approx(expected.at(times), abs=1e-6)


def test_turnbull_by_hand():
    """Two intervals that overlap: all mass where they do."""
    curve = turnbull(np.array([0.0, 2.0]), np.array([3.0, 5.0]))
    assert (curve.since.tolist(), curve.time.tolist()) == ([2.0], [3.0])
    assert curve.at(np.array([2.0, 2.5, 3.0])) == pytest.approx([1.0, 0.5, 0.0])


def test_nobody_had_it():
    none = kaplan_meier(np.zeros(3), np.ones(3), np.zeros(3, dtype=bool))
    assert none.at(np.array([0.5, 2.0])).tolist() == [1, 1]
    assert turnbull(np.ones(3), np.full(3, np.inf)).at(np.array([0.5, 2.0])).tolist() == [1, 1]


def in_r(script, **data):
    lines = "; ".join(
        f"{k} <- c({', '.join(map(str, v)).replace('-inf', 'NA').replace('inf', 'NA')})" for k, v in data.items()
    )
    said = subprocess.run(
        ["Rscript", "-e", f"suppressMessages(library(survival)); {lines}; {script}"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return [np.array(json.loads(f"[{','.join(line.split())}]")) for line in said.strip().splitlines()]


SAY = 'say <- function(x) cat(formatC(x, digits=12), "\\n"); '


@pytest.mark.oracle
class TestAgainstR:
    @pytest.fixture(autouse=True)
    def _r(self):
        if not shutil.which("Rscript"):
            pytest.skip("R is not installed")

    def test_kaplan_and_meier_with_late_entry(self):
        rng = np.random.default_rng(1)
        start = rng.uniform(0, 3, 40).round(2)
        stop = (start + 0.1 + rng.exponential(4, 40)).round(2)
        happened = rng.random(40) < 0.6
        script = (
            SAY
            + "f <- survfit(Surv(a, b, d) ~ 1); k <- f$n.event > 0; say(f$time[k]); say(f$surv[k]); say(f$n.risk[k])"
        )
        time, value, risk = in_r(script, a=start, b=stop, d=happened.astype(int))
        curve = kaplan_meier(start, stop, happened)
        assert curve.time == pytest.approx(time)
        assert curve.value == pytest.approx(value)
        assert curve.at_risk == pytest.approx(risk)

    def test_competing_reasons(self):
        rng = np.random.default_rng(2)
        stop, reason = rng.exponential(4, 40).round(1) + 0.1, rng.integers(-1, 2, 40)
        script = SAY + "f <- survfit(Surv(b, factor(r)) ~ 1); say(f$time); say(f$pstate[, 2]); say(f$pstate[, 3])"
        time, *expected = in_r(script, b=stop, r=reason + 1)
        for curve, value in zip(cumulative_incidence(np.zeros(40), stop, reason, 2), expected, strict=True):
            assert curve.at(time + 1e-9) == pytest.approx(value)

    def test_mean_count(self):
        rng = np.random.default_rng(3)
        rows = []
        for i in range(15):
            times = np.cumsum(rng.exponential(3, 4)).round(2) + 0.01
            end = round(float(rng.uniform(2, 12)), 2)
            edges = [0.0, *times[times < end], end]
            rows += [(i, a, b, int(b < end)) for a, b in pairwise(edges)]
        who, start, stop, happened = map(np.array, zip(*rows, strict=True))
        script = SAY + "f <- survfit(Surv(a, b, d) ~ 1, id=i); k <- f$n.event > 0; say(f$time[k]); say(f$cumhaz[k])"
        time, value = in_r(script, i=who, a=start, b=stop, d=happened)
        curve = mean_count(start, stop, happened == 1)
        assert curve.time == pytest.approx(time)
        assert curve.value == pytest.approx(value)

    def test_turnbull_of_breast_cosmesis(self):
        times = np.array([3.5, 10.5, 15.5, 21.5, 29.5, 33.0, 47.0])
        script = (
            SAY
            + f"f <- survfit(Surv(l, r, type='interval2') ~ 1); say(summary(f, c({', '.join(map(str, times))}))$surv)"
        )
        (value,) = in_r(script, l=np.where(LEFT == 0, -np.inf, LEFT), r=RIGHT)
        curve = turnbull(LEFT, RIGHT)
        plain = ~np.any((curve.since[:, None] < times) & (times < curve.time[:, None]), axis=0)
        assert plain.sum() >= 4
        assert curve.at(times)[plain] == pytest.approx(value[plain], abs=1e-3)
