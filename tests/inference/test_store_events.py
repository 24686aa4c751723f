"""A stored fit keeps who left when and why, and every episode; and refuses those that cannot be."""

import json

import numpy as np
import pytest

from bayesmyo.cohort import read_cohort
from bayesmyo.errors import StorageError
from bayesmyo.inference.engines import Sampling
from bayesmyo.inference.fit import fit
from bayesmyo.inference.store import load_fit, save_fit, share
from bayesmyo.study import parse_study
from tests.cohort.test_write import EVENTS, TIMED, typed_at_random
from tests.hostile_fits import edited, stored

FIELDS = ("patient", "start", "stop", "end", "status", "line")


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    study = parse_study(TIMED + EVENTS)
    path = tmp_path_factory.mktemp("events") / "typed.csv"
    path.write_text(typed_at_random(study, np.random.default_rng(3), patients=12))
    return fit(study, read_cohort(study, path), engine="mock", sampling=Sampling(draws=20, chains=2))


@pytest.fixture
def tree(fitted):
    return fitted.tree.copy(deep=True)


def test_exits_and_episodes_come_back_bit_for_bit(fitted, tmp_path):
    save_fit(fitted, tmp_path / "fit.nc")
    again, cohort = load_fit(tmp_path / "fit.nc").cohort, fitted.cohort
    assert {*again.events} == {*fitted.study.events}
    for name, e in cohort.events.items():
        for field in FIELDS:
            np.testing.assert_array_equal(getattr(again.events[name], field), getattr(e, field))
    np.testing.assert_array_equal(again.exits.time, cohort.exits.time)
    np.testing.assert_array_equal(again.exits.stated, cohort.exits.stated)
    assert again.exits.reason == cohort.exits.reason
    assert {*cohort.exits.reason} > {"", "lost"}


def test_the_effects_of_events_are_kept(fitted):
    assert fitted.group("posterior")["flare.effect_frailty"].dims == ("chain", "draw", "patient")
    assert fitted.truth.outcomes["flare"].effects["frailty"].shape == (2, 20, 12)


def test_an_event_at_whose_risk_nobody_was_is_kept_as_such(tmp_path):
    study = parse_study(TIMED + EVENTS)
    path = tmp_path / "typed.csv"
    head = "patient,month,strength,cpk,left,why,rescued,flared,relapsed,infected"
    path.write_text(f"{head}\na,0,50,90,9,lost,2,4,,\na,6,51,80,,,,5,,\nb,0,50,70,,,,,,\nb,3,50,90,,,,,,\n")
    dry = fit(study, read_cohort(study, path), engine="mock", sampling=Sampling(draws=5, chains=2))
    save_fit(dry, tmp_path / "fit.nc")
    again = load_fit(tmp_path / "fit.nc")
    assert [len(again.cohort.events[name]) for name in ("remission", "relapse", "lost")] == [0, 0, 2]


def test_a_shared_copy_has_neither_exits_nor_episodes_nor_reasons(fitted, tmp_path):
    save_fit(share(fitted), tmp_path / "shared.nc")
    raw = (tmp_path / "shared.nc").read_bytes()
    assert "died" in fitted.cohort.exits.reason  # which the study does not say
    assert b"died" not in raw
    copy = load_fit(tmp_path / "shared.nc")
    assert "reasons" not in copy.tree.attrs
    assert "constant_data" not in copy.tree


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("lost.patient", 99), ("lost.patient", -1), ("relapse.status", 7), ("lost.stop", np.nan), ("lost.stop", -5.0),
        ("relapse.end", -1.0), ("patient.exit", np.nan), ("lost.end", 999.0), ("rescue.start", np.inf),
    ],
)  # fmt: skip
def test_episodes_that_cannot_be_are_refused(tree, name, value, tmp_path):
    tree["constant_data"][name].values[0] = value
    with pytest.raises(StorageError):
        load_fit(stored(tree, tmp_path / "fit.nc"))


@pytest.mark.parametrize("name", ["lost.patient", "lost.status", "flare.end", "patient.exit", "patient.exit_stated"])
def test_a_part_of_an_event_or_of_exits_is_refused(tree, name, tmp_path):
    tree["constant_data"] = tree["constant_data"].to_dataset().drop_vars(name)
    with pytest.raises(StorageError):
        load_fit(stored(tree, tmp_path / "fit.nc"))


@pytest.mark.parametrize("reasons", ["[]", '["lost"]', "[1]", "null"])
def test_reasons_that_are_not_one_of_each_patient_are_refused(fitted, reasons, tmp_path):
    path = tmp_path / "fit.nc"
    save_fit(fitted, path)
    path.write_bytes(edited(path.read_bytes(), lambda doc: doc["attributes"].update(reasons=reasons)))
    with pytest.raises(StorageError):
        load_fit(path)
    assert len(json.loads(fitted.tree.attrs["reasons"])) == 12
