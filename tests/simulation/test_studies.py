"""Simulation studies called from Python: the same rows, tables and refusals as those of the commands."""

import pandas as pd
import pytest

import bayesmyo
from bayesmyo.errors import InputError, UsageError
from bayesmyo.figures import power_curves, rank_differences
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
    with pytest.raises(UsageError, match=r"patients: must be a list of values; got 15; write \(15,\)"):
        bayesmyo.power(ONE_ARM, tmp_path / "out", patients=15)
    with pytest.raises(UsageError, match="scenarios: must be a list of values"):
        bayesmyo.power(ONE_ARM, tmp_path / "out", scenarios="four")
    assert not (tmp_path / "out").exists()
