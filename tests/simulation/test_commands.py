"""`calibrate` and `power` as they are typed: what they print, write and refuse."""

import pandas as pd
import pytest

from bayesmyo.errors import EngineError
from bayesmyo.inference.store import save_fit
from bayesmyo.simulation.replicate import Replicator
from bayesmyo.simulation.row import failures
from bayesmyo.simulation.store import read_results
from tests.conftest import ROOT, SMALL

HERE = ("--engine", "mock", "--workers", 0)
ONE_ARM = (ROOT / "tests" / "reference" / "one_arm.toml").read_text()


@pytest.fixture
def typed(run, tmp_path):
    """Type a command where two studies are."""
    (tmp_path / "one.toml").write_text(ONE_ARM)
    (tmp_path / "small.toml").write_text(SMALL)
    return run


POWER = ("power", "one.toml", "-o", "out", "--patients", "5,8", "--scenario", "four,null", "--replicates", 12, *HERE)


def test_power_from_a_study_file_to_sentences_tables_and_figures(typed, tmp_path, monkeypatch):
    said = typed(*POWER)
    assert said.code == 0
    assert (
        "With 5 patients, a true average slope of reaction time from day 0 to 9 of 4.00 ms per day would have met "
        "rises in" in said.out
    )
    assert "though the true value is 0 ms per day" in said.out
    assert "rises, four: A power of 80% is not reached with up to 8 patients" in said.out
    assert (
        "Wrote power.parquet, power.csv, estimands.parquet, estimands.csv, claims.parquet, claims.csv, power.svg, power.pdf, power.html into out."
        in said.out
    )
    table = pd.read_parquet(tmp_path / "out" / "power.parquet")
    assert table[["scenario", "patients", "replicates"]].to_numpy().tolist() == [
        ["four", 5, 12], ["four", 8, 12], ["null", 5, 12], ["null", 8, 12],
    ]  # fmt: skip
    assert table["null"].tolist() == [False, False, True, True]
    assert (tmp_path / "out" / "power.svg").read_text().startswith("<?xml")
    # a finished folder answers again, and computes nothing
    monkeypatch.setattr(Replicator, "run", lambda *_: pytest.fail("computed again"))
    again = typed(*POWER, "--json")
    assert again.code == 0
    assert again.json["complete"] is True
    first = again.json["cells"][0]
    assert {"scenario", "patients", "decision", "replicates", "failed", "met", "probability", "mcse"} <= first.keys()
    assert first["sentence"].startswith("With 5 patients, a true average slope")
    assert [c["null"] for c in again.json["cells"]] == [False, False, True, True]
    assert {e["method"] for e in again.json["estimands"]} == {"posterior", "t test", "mixed model"}
    assert again.json["smallest"][0]["reached"] == "nowhere"


@pytest.mark.parametrize("words", [("power", "one.toml", "--scenario", "four"), ("calibrate", "one.toml")])
def test_where_every_fit_failed_it_is_said_why(typed, tmp_path, monkeypatch, words):
    def failing(self, row, simulated):
        raise EngineError("sampling could not start" if row.replicate % 3 else "the tree is on fire")

    monkeypatch.setattr(Replicator, "_analysed", failing)
    said = typed(*words, "-o", "out", "--patients", 4, "--replicates", 30, *HERE)
    assert said.code == 1
    assert "20 failed (fit): sampling could not start." in said.err
    assert "10 failed (fit): the tree is on fire." in said.err
    assert not list((tmp_path / "out").glob("*.svg"))
    again = typed(*words, "-o", "out", "--patients", 4, "--replicates", 30, *HERE, "--json")
    assert again.code == 1
    assert again.json["complete"] is True


def test_reasons_are_counted_the_most_frequent_first():
    rows = (
        [("done", "")] * 9
        + [("timeout", "it took longer than 1 seconds")] * 3
        + [("fit", f"reason {n}") for n in range(7)]
    )
    said = failures(rows)
    assert said[0] == "3 failed (timeout): it took longer than 1 seconds."
    assert said[-1] == "3 failed for 3 other reasons."
    assert len(said) == 6
    assert failures(rows[:9]) == []


def test_power_with_looks_over_what_is_uncertain(typed):
    said = typed(
        "power",
        "one.toml",
        "-o",
        "out",
        "--patients",
        8,
        "--scenario",
        "hope",
        "--looks",
        5,
        "--futility",
        0.1,
        "--replicates",
        20,
        *HERE,
    )
    assert said.code == 0
    assert "over all that the scenario hope holds possible" in said.out
    assert "Looked at after 5, 8 patients (hope), rises would have been met in" in said.out
    found = typed(
        "power",
        "one.toml",
        "-o",
        "out",
        "--patients",
        8,
        "--scenario",
        "hope",
        "--looks",
        5,
        "--futility",
        0.1,
        "--replicates",
        20,
        *HERE,
        "--json",
    ).json
    assert [s["look"] for s in found["looks"][0]["stops"]] == [5, 8]
    assert found["cells"][0]["assurance"] is True


def test_a_shard_is_a_part_that_merge_joins(typed):
    words = ("--patients", 4, "--scenario", "four", "--replicates", 6, *HERE)
    for i in (1, 2):
        said = typed("power", "one.toml", "-o", f"part{i}", *words, "--shard", f"{i}/2")
        assert said.code == 0
        assert "replicates of this shard are there" in said.out
    assert typed("merge", "part1", "part2", "-o", "out").code == 0
    said = typed("power", "one.toml", "-o", "out", *words)
    assert said.code == 0
    assert "With 4 patients" in said.out


def test_calibration_of_draws_that_have_not_seen_the_data_fails(typed, tmp_path):
    words = ("calibrate", "small.toml", "-o", "out", "--patients", 3, "--replicates", 30, *HERE)
    said = typed(*words)
    assert said.code == 1
    assert "NOT calibrated over 30 replicates: joint log-likelihood (draws lie too low" in said.out
    table = pd.read_parquet(tmp_path / "out" / "calibration.parquet")
    assert {"strength.slope", "cpk_ratio_12", "joint log-likelihood", "cpk.effect_start[P01]"} <= set(table["name"])
    assert {"p", "adjusted", "passed", "coverage_0.5_value", "bias_value", "bias_mcse"} <= set(table.columns)
    found = typed(*words, "--json")
    assert found.code == 1
    assert found.json["passed"] is False
    assert found.json["cells"][0]["patients"] == 3


def test_truths_from_a_fit(typed, tmp_path, good_fit):
    save_fit(good_fit, tmp_path / "fit.nc")
    said = typed("power", "small.toml", "-o", "next", "--from-fit", "fit.nc", "--patients", 4, "--replicates", 5, *HERE)
    assert said.code == 0
    assert "over all that the posterior of the fit holds possible" in said.out
    said = typed("calibrate", "small.toml", "-o", "given", "--from-fit", "fit.nc", "--replicates", 20, *HERE)
    assert said.code == 1  # of a mock
    assert "With 12 patients" in said.out
    assert read_results(tmp_path / "given").plan.cells[0].cohort.patients[0] == "P01"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("power", "one.toml", "--patients", "5,x"),
         '--patients: must be whole numbers, separated by commas; got "x"; such as 10,23,50.'),
        (("power", "one.toml", "--patients", "5,5"), "--patients: names one value twice"),
        (("power", "one.toml", "--patients", ","), '--patients: names nothing; got ","'),
        (("power", "one.toml", "--scenario", "fours"),
         'this power study: --scenario: is not in this study; got "fours"; did you mean "four"?'),
        (("power", "one.toml", "--looks", "30"), "--looks: must be fewer than all patients, 23; got 30."),
        (("power", "one.toml", "--futility", "0.1"), "--futility: is a rule for interim looks; add --looks 10,15."),
        (("power", "one.toml", "--look-at", "12"), "--look-at: needs to know when patients enter; give --accrual"),
        (("power", "one.toml", "--look-at", "12", "--accrual", "0"), "--accrual: must be positive; got 0."),
        (("power", "one.toml", "--look-at", "99", "--accrual", "1"), "--look-at: is not before the end, expected at 31"),
        (("power", "one.toml", "--weights", "null=0.5"), "--weights: must add up to 1; got 0.5"),
        (("power", "one.toml", "--weights", "null:1"), '--weights: must name each scenario once with its share; got "null:1"'),
        (("power", "one.toml", "--weights", "none=0.5,null=0.5"), '--weights: names no scenario that is simulated; got "none"'),
        (("power", "one.toml", "--target", "80"), "--target: must lie between 0 and 1; got 80."),
        (("power", "one.toml", "--comparators", "anova"), 'comparator: is unknown; got "anova"'),
        (("power", "one.toml", "--visits", "0,3/6,3"), "--visits: must list increasing times"),
        (("power", "one.toml", "--engine", "nut"), 'engine: is unknown; got "nut"; did you mean "nuts"?'),
        (("power", "one.toml", "--analysis", "small.toml"), "--analysis outcome strength: is not simulated"),
        (("power", "one.toml", "--replicates", "none"),
         '--replicates: must be a whole number above zero, or auto; got "none".'),
        (("power", "one.toml", "--from-fit", "no.nc"), "no.nc"),
        (("calibrate", "one.toml", "--patients", "0"),
         "this calibration: --patients: must lie between 1 and 100,000; got 0."),
        (("calibrate", "one.toml", "--replicates", "10"),
         "--replicates: must be at least 20: fewer ranks say nothing; got 10"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_said_in_one_message_before_anything_is_computed(typed, files, monkeypatch, words, said):
    monkeypatch.setattr(Replicator, "__init__", lambda *_, **__: pytest.fail("something was prepared"))
    before = files()
    found = typed(*words, "-o", "out")
    assert found.code in (2, 4)
    assert said in found.err
    assert files() == before
