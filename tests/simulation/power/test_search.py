"""The search for the smallest number of patients, against exact numbers of z and t tests; what it adds to a folder."""

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

import bayesmyo
from bayesmyo.errors import Incomplete, InputError, StorageError, UsageError
from bayesmyo.report import documents
from bayesmyo.simulation import studies
from bayesmyo.simulation.options import PowerOptions, Solve
from bayesmyo.simulation.power import search, smallest
from bayesmyo.simulation.power.grid import power_plan
from bayesmyo.simulation.power.smallest import smallest_n
from bayesmyo.simulation.row import Quantity, Row
from bayesmyo.simulation.run import run as carried_out
from bayesmyo.study import parse_study
from tests.conftest import ROOT
from tests.simulation import light
from tests.simulation.plans import final

TEXT = (ROOT / "tests" / "reference" / "one_arm.toml").read_text()
HOPE = TEXT.index("[scenarios.hope]")
STUDY = parse_study(TEXT[:HOPE])
SEARCHES = 25


def searched(power, start, rng, target=0.8, replicates=400):
    """A whole search, of cohorts that meet the decision with a known chance."""
    counts = {}
    value = float(start)
    while value is not None:
        counts[value] = int(rng.binomial(replicates, power(value)))
        values, met = list(counts), list(counts.values())
        value = search.further(values, met, [replicates] * len(values), target, (2.0, 2000.0))
    return counts, smallest_n(list(counts), met, [replicates] * len(values), target)


def z_test(exact, target=0.8, level=0.025):
    """The power of a one-sided z test that needs so many patients for a target."""
    unit = (stats.norm.ppf(target) + stats.norm.isf(level)) / np.sqrt(exact)
    return lambda n: stats.norm.sf(stats.norm.isf(level) - unit * np.sqrt(n))


@pytest.mark.parametrize(("start", "exact"), [(15, 24), (50, 9), (10, 150), (30, 31)])
def test_the_number_of_a_z_test_is_solved_for_from_anywhere(rng, monkeypatch, start, exact):
    """The number, the cover of its interval, and what it costs."""
    monkeypatch.setattr(smallest, "BOOTSTRAP", 400)
    ended = [searched(z_test(exact - 0.5), start, rng) for _ in range(SEARCHES)]
    numbers = [s for _, s in ended]
    assert all(s.reached == "within" for s in numbers)
    assert abs(np.mean([s.value for s in numbers]) - exact) < 0.02 * exact + 0.5
    covered = sum(s.lower <= exact <= s.upper for s in numbers if s.lower and s.upper)
    assert stats.binomtest(covered, SEARCHES, 0.93, alternative="less").pvalue > 0.001
    narrow = [s.upper - s.lower <= max(2, 0.1 * s.value) for s in numbers if s.lower and s.upper]
    assert np.mean(narrow) > 0.9
    assert np.mean([len(counts) for counts, _ in ended]) <= 9
    assert max(len(counts) for counts, _ in ended) <= search.MOST


def test_the_number_of_a_t_test_is_solved_for_though_its_power_is_no_line(rng, monkeypatch):
    """Paired t test, effect of 0.6 SD, two-sided 5 %: 24 patients have 80 % (Cohen 1988, noncentral t)."""

    monkeypatch.setattr(smallest, "BOOTSTRAP", 400)

    def power(n):
        limit, shift = stats.t.isf(0.025, n - 1), 0.6 * np.sqrt(n)
        return stats.nct.sf(limit, n - 1, shift)

    assert power(23) < 0.8 <= power(24)
    numbers = [searched(power, 8, rng)[1].value for _ in range(SEARCHES)]
    assert abs(np.mean(numbers) - 24) < 0.6


def test_a_target_that_is_never_reached_ends_the_search(rng):
    counts, s = searched(lambda n: 0.5, 15, rng)
    assert s.reached == "nowhere"
    assert (max(counts), len(counts) < search.MOST) == (2000, True)
    counts, s = searched(lambda n: 0.99, 15, rng)
    assert (s.reached, min(counts)) == ("everywhere", 2)


# --- in a folder: cohorts that meet the decision as a z test does, from their address alone


def work(text, cell, replicates):
    """Rows of a z test that needs 24 patients, or 8 days; under the null it is met in 2.5 %."""
    c, key = json.loads(text)["cells"][cell], light.keys(text)[cell]
    labels = c["labels"]
    truth = 0.0 if labels["scenario"] == "null" else 4.0
    enough = 24.0 if "follow_up" not in labels else 8.0
    x = labels.get("follow_up", labels["patients"])
    chance = 0.025 if truth == 0 else z_test(enough - 0.5 * (enough == 24))(x)
    rows = []
    for r in replicates:
        met = bool(np.random.default_rng([int(key[:8], 16), r]).random() < chance)
        rule = Quantity("decision", "rises", c["patients"], truth=truth, probability=float(met), met=met)
        rows.append(Row(key, r, rhat=1.0, ess=400.0, patients=c["patients"], quantities=(rule,)).as_dict())
    return rows


@pytest.fixture
def cheap(monkeypatch):
    """Fits that cost nothing."""
    monkeypatch.setattr(studies, "run", lambda *a, **k: carried_out(*a, **k, work=work))


def solved(folder, what="patients", **asked):
    asked = {"scenarios": ("four", "null"), "replicates": 200, "workers": 0, "engine": "mock"} | asked
    return bayesmyo.power(STUDY, folder, solve=what, comparators=(), **asked)


def test_a_search_adds_cells_of_truths_under_which_there_is_power(cheap, tmp_path):
    answer = solved(tmp_path / "out", patients=(15,))
    (s,) = answer.smallest
    assert s.number.lower <= 24 <= s.number.upper
    assert s.number.upper - s.number.lower <= max(2, 0.1 * s.number.value)
    cells = answer.results.plan.cells
    assert sorted({c.labels["scenario"] for c in cells[2:]}) == ["four"]
    assert [c.labels["patients"] for c in cells if c.labels["scenario"] == "null"] == [15]
    again = power_plan(PowerOptions(STUDY, "x", scenarios=("four",), patients=tuple(c.patients for c in cells[2:])))
    assert {c.key for c in cells[2:]} == {c.key for c in again.cells}
    assert f"A power of 80% takes {s.number.value:g} patients (95% interval" in " ".join(answer.sentences)
    assert json.loads(documents.document(part=s.as_dict()))["part"]["patients"] == s.number.value


def test_a_search_over_follow_up(cheap, tmp_path):
    answer = solved(tmp_path / "out", "follow-up", follow_up=(4.0,), scenarios=("four",))
    (s,) = answer.smallest
    assert (s.axis, s.labels["patients"]) == ("follow_up", 23)
    assert s.number.lower <= 8 <= s.number.upper
    assert f"A power of 80% takes a follow-up of {s.number.value:g} days (95% interval" in " ".join(answer.sentences)
    said = s.as_dict()
    assert (said["follow_up"], said["patients"]) == (s.number.value, 23)


def test_wherever_it_is_stopped_a_search_ends_with_the_same_bytes(cheap, tmp_path, monkeypatch):
    solved(tmp_path / "whole", patients=(15,))
    left = 0

    def fails(text, cell, replicates):
        nonlocal left
        left -= 1
        if left < 0:
            raise Incomplete("stopped")
        return work(text, cell, replicates)

    with monkeypatch.context() as m:
        m.setattr(studies, "run", lambda *a, **k: carried_out(*a, **k, work=fails))
        for batches in (2, 9, 14, 3, 11):
            left = batches
            with pytest.raises(Incomplete):
                solved(tmp_path / "stopped", patients=(15,))
    solved(tmp_path / "stopped", patients=(15,))
    assert final(tmp_path / "stopped") == final(tmp_path / "whole")
    before = final(tmp_path / "whole")
    solved(tmp_path / "whole", patients=(15,))  # nothing is left to do
    assert final(tmp_path / "whole") == before


def test_a_folder_of_another_question_is_refused(cheap, tmp_path):
    solved(tmp_path / "out", patients=(15,))
    with pytest.raises(StorageError, match="holds what this command does not ask for"):
        solved(tmp_path / "out", patients=(15,), scenarios=("four",))


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"looks": (5,)}, "--solve patients: and --looks do not go together; leave --looks out"),
        ({"shard": (1, 2)}, "--solve patients: and --shard do not go together"),
        ({"scenarios": ("null",)}, "needs a scenario in which a decision ought to be met; got null; name one in which"),
        ({"alpha": 0.05}, "belongs to a threshold"),
    ],
)
def test_what_cannot_be_searched_for_is_refused(tmp_path, asked, reason):
    with pytest.raises((UsageError, InputError), match=reason):
        solved(tmp_path / "out", **asked)
    assert not (tmp_path / "out").exists()


def test_two_workers_search_as_one_does(tmp_path, monkeypatch):
    """The mock engine draws from the prior, whose decisions are met now and then: a search that reaches nothing."""
    monkeypatch.setattr(search, "MOST", 2)
    study = replace(STUDY, decisions={"rises": replace(STUDY.decisions["rises"], probability=0.6)})
    asked = {"scenarios": ("four",), "patients": (4,), "replicates": 10, "engine": "mock", "comparators": ()}
    first = bayesmyo.power(study, tmp_path / "one", solve="patients", target=0.5, workers=0, **asked)
    bayesmyo.power(study, tmp_path / "two", solve="patients", target=0.5, workers=2, **asked)
    assert len(first.results.plan.cells) > 1
    assert final(tmp_path / "one") == final(tmp_path / "two")
    assert first.solve == Solve("patients", start=(4.0,))
