"""One corrupted cell never slips past: it is refused or noticed with its line, or it is a legal value."""

import json
import runpy
from collections import Counter

import pytest

from tests.conftest import ROOT

SCRIPT = runpy.run_path(str(ROOT / "scripts" / "corruption.py"))
NEVER = ("MISSED", "FALSE", "FALSE LINE")


@pytest.mark.parametrize("seed", [11, 12])
def test_no_single_slip_gets_past(seed):
    found = SCRIPT["run"](100, seed)
    assert not [f for f in found if f["outcome"] in NEVER]
    assert Counter(f["outcome"] for f in found)["refused"] > 40


def test_the_kept_result_is_of_two_thousand_without_a_miss():
    kept = json.loads((ROOT / "docs" / "evidence" / "corruption.json").read_text())
    assert kept["corruptions"] == sum(kept["outcomes"].values()) == 2000
    assert not kept["odd"]
    assert not set(NEVER) & set(kept["outcomes"])
    assert min(sum(of.values()) for of in kept["by kind of table"].values()) > 600
