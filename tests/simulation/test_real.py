"""The real engine through real workers: the same bits from a cold cache, a warm one, and this process."""

import pytest

from bayesmyo.inference.engines import Sampling
from bayesmyo.simulation.run import run
from tests.simulation.plans import final, plan

pytestmark = [pytest.mark.slow, pytest.mark.sampling]


def test_one_worker_two_and_this_process_draw_the_same(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    monkeypatch.setenv("PYTENSOR_FLAGS", f"numba__fastmath=False,base_compiledir={tmp_path / 'cold'}")
    p = plan(replicates=3, patients=(5,), engine="nuts", sampling=Sampling(draws=60, tune=60, chains=2, cores=1))
    for name, workers in {"cold": 1, "warm and cold": 2, "here": 0}.items():
        found = run(p, tmp_path / name, workers=workers)
        assert found.complete
        assert (found.replicates["stage"] == "done").all()
    assert final(tmp_path / "cold") == final(tmp_path / "warm and cold") == final(tmp_path / "here")
    assert list((tmp_path / "caches").rglob("*.nbi"))  # what was compiled is kept for the next run
