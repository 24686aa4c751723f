"""Simulation studies called from Python: the same rows, tables and refusals as those of the commands."""

import inspect
import multiprocessing

import numpy as np
import pandas as pd
import pytest

import bayesmyo
from bayesmyo.cli.simulations import calibrate, power
from bayesmyo.errors import InputError, UsageError
from bayesmyo.figures import power_curves, rank_differences
from bayesmyo.simulation import workers
from bayesmyo.simulation.merge import merge
from tests.conftest import ROOT, SMALL
from tests.simulation.plans import final

ONE_ARM = bayesmyo.parse_study((ROOT / "tests" / "reference" / "one_arm.toml").read_text())
HERE = {"engine": "mock", "workers": 0}


def test_power_is_that_of_the_command(run, tmp_path):
    found = bayesmyo.power(ONE_ARM, tmp_path / "python", scenarios=("four",), patients=(5, 8), replicates=12, **HERE)
    where = tmp_path / "command"
    words = ("--scenario", "four", "--patients", "5,8", "--replicates", 12, "--engine", "mock", "--workers", 0)
    said = run("power", ROOT / "tests" / "reference" / "one_arm.toml", "-o", where, *words)
    assert said.code == 0
    assert final(tmp_path / "python") == final(where)
    pd.testing.assert_frame_equal(
        found.table().reset_index(drop=True), pd.read_parquet(where / "power.parquet"), check_dtype=False
    )
    assert all(" ".join(sentence.split()[:6]) in said.out for sentence in found.sentences)
    assert power_curves(found.decisions).axes


def test_a_calibration_is_that_of_the_command(run, tmp_path):
    study = bayesmyo.parse_study(SMALL)
    found = bayesmyo.calibrate(study, tmp_path / "python", patients=(3,), replicates=30, **HERE)
    (tmp_path / "small.toml").write_text(SMALL)
    words = ("--patients", 3, "--replicates", 30, "--engine", "mock", "--workers", 0)
    said = run("calibrate", tmp_path / "small.toml", "-o", tmp_path / "command", *words)
    assert said.code == 1
    assert found.passed is False  # the mock engine draws from the prior
    assert final(tmp_path / "python") == final(tmp_path / "command")
    pd.testing.assert_frame_equal(
        found.table(), pd.read_parquet(tmp_path / "command" / "calibration.parquet"), check_dtype=False
    )
    assert rank_differences(found.cells, found.quantities).axes


def test_what_cannot_be_asked_is_refused_before_a_folder_is_made(tmp_path):
    with pytest.raises(UsageError, match="is a rule for interim looks"):
        bayesmyo.power(ONE_ARM, tmp_path / "out", futility=0.1)
    with pytest.raises(UsageError, match="must lie between 0 and 1"):
        bayesmyo.power(ONE_ARM, tmp_path / "out", target=80)
    with pytest.raises(InputError, match="is not in this study"):
        bayesmyo.power(ONE_ARM, tmp_path / "out", scenarios=("fuor",))
    with pytest.raises(InputError, match="at least 20"):
        bayesmyo.calibrate(ONE_ARM, tmp_path / "out", replicates=5)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"patients": 15}, r"patients: must be a list of whole numbers; got 15; write \(15,\)"),
        ({"patients": "15"}, r"patients: must be a list of whole numbers; got '15'\.$"),
        ({"patients": None}, r"patients: must be a list of whole numbers; got None\.$"),
        ({"patients": np.array(15)}, r"patients: must be a list of whole numbers; got array\(15\)\.$"),
        ({"patients": (10.5,)}, r"patients: must be whole numbers; got 10.5"),
        ({"patients": (True,)}, r"patients: must be whole numbers; got True"),
        ({"scenarios": "four"}, r"scenarios: must be a list of texts; got 'four'; write \('four',\)"),
        ({"scenarios": (4,)}, "scenarios: must be texts; got 4"),
        ({"comparators": "t test"}, "comparators: must be a list of texts"),
        ({"loss": ("none",)}, "loss: must be finite numbers; got 'none'"),
        ({"follow_up": (float("nan"),)}, "follow_up: must be finite numbers; got nan"),
        (
            {"visits": (0, 6)},
            r"visits: must be a list of schedules, each a list of times; got \(0, 6\); write \(\(0, 6\),\)",
        ),
        ({"visits": [(0, 6), 12]}, r"visits: must be schedules, each a list of times; got 12\.$"),
        ({"visits": [()]}, r"visits: must be schedules, each a list of times; got \(\)"),
        ({"target": "0.8"}, "target: must lie between 0 and 1; got '0.8'"),
        ({"visits": "0 6"}, "visits: must be a list of schedules"),
        (
            {"replicates": "auto"},
            r"replicates: must be a whole number; got \"auto\"; with mcse=0.02 a cell stops before",
        ),
        ({"replicates": 10.0}, "replicates: must be a whole number; got 10.0"),
        ({"mcse": 2}, "mcse: must lie between 0 and 0.5; got 2"),
        ({"seed": -1}, "seed: must be a whole number, not negative; got -1"),
        ({"analysis": "ivig"}, r'analysis: must be a Study; got "ivig"; read it first: bayesmyo.find_study\("ivig"\)'),
        ({"fit": "fit.nc"}, r'fit: must be a Fit; got "fit.nc"; read it first: bayesmyo.load_fit\("fit.nc"\)'),
        (
            {"study": "plan.toml"},
            r'study: must be a Study; got "plan.toml"; read it first: bayesmyo.find_study\("plan.toml"\)',
        ),
    ],
)
def test_what_is_handed_over_is_checked_and_the_call_that_was_meant_is_named(tmp_path, asked, reason):
    with pytest.raises(UsageError, match=reason):
        bayesmyo.power(**{"study": ONE_ARM, "folder": tmp_path / "out"} | asked)
    shared = {k: v for k, v in asked.items() if k in ("study", "patients", "replicates", "seed", "fit")}
    if shared:
        with pytest.raises(UsageError, match=reason):
            bayesmyo.calibrate(**{"study": ONE_ARM, "folder": tmp_path / "out"} | shared)
    assert not (tmp_path / "out").exists()


def test_arrays_are_lists_too(tmp_path):
    asked = {
        "patients": np.array([5, 8]),
        "scenarios": ["four"],
        "visits": [np.arange(0.0, 12.0, 3.0)],
        "loss": np.array([0.0]),
    }
    settings = {"replicates": np.int64(2), "seed": np.int64(1), "mcse": np.float32(0.1)}
    found = bayesmyo.power(ONE_ARM, tmp_path / "out", **asked, **settings, comparators=(), **HERE)
    assert [d.labels["patients"] for d in found.decisions] == [5, 8]


def test_a_script_without_a_guard_is_told_and_its_workers_end(tmp_path, monkeypatch):
    """Workers read the script that started them: where that starts workers again, they would for ever."""
    monkeypatch.setattr(multiprocessing.current_process(), "_inheriting", True, raising=False)
    with pytest.raises(SystemExit):
        bayesmyo.power(ONE_ARM, tmp_path / "out")
    assert bayesmyo.power(
        ONE_ARM, tmp_path / "alone", scenarios=("four",), patients=(5,), replicates=1, **HERE
    ).decisions
    monkeypatch.undo()

    def failed(**asked):
        raise RuntimeError("Nanny failed to start.") from OSError("Too many open files")

    monkeypatch.setattr(workers, "LocalCluster", failed)
    with pytest.raises(
        UsageError, match=r"do not start \(Too many open files\); a script that calls this must do so under"
    ):
        bayesmyo.power(ONE_ARM, tmp_path / "out", replicates=1, engine="mock", workers=2)


@pytest.mark.parametrize(("function", "command"), [(bayesmyo.power, power), (bayesmyo.calibrate, calibrate)])
def test_the_function_and_the_command_take_the_same_options(function, command):
    """All of one are options of the other, but for what cannot be typed, and how the command prints."""
    taken, typed = (inspect.signature(f).parameters for f in (function, command))
    assert taken.keys() - {"security", "progress"} == typed.keys() - {"json"}
    for name, parameter in taken.items():
        assert f"\n{name} : " in function.__doc__
        assert parameter.kind == (inspect.Parameter.KEYWORD_ONLY if name not in ("study", "folder") else 1)


def test_a_shard_can_be_asked_for_from_python(tmp_path):
    asked = {"scenarios": ("four",), "patients": (5,), "replicates": 4, **HERE}
    answers = [bayesmyo.power(ONE_ARM, tmp_path / str(i), shard=(i, 2), **asked) for i in (1, 2)]
    assert [(a.results.complete, len(a.results.replicates)) for a in answers] == [(False, 2), (False, 2)]
    merge([tmp_path / "1", tmp_path / "2"], tmp_path / "whole")
    whole = bayesmyo.power(ONE_ARM, tmp_path / "whole", **asked)
    assert whole.results.complete
    assert [d.replicates for d in whole.decisions] == [4]
