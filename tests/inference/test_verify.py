"""`verify` says what a stored fit is worth as a file; a shared copy holds no patient."""

import hashlib
import json

import numpy as np
import pytest
import xarray as xr

from bayesmyo.assess.check import check
from bayesmyo.assess.estimate import estimates, parameter_estimates, verdicts
from bayesmyo.errors import StorageError, UsageError
from bayesmyo.inference.fit import FORMAT, Fit
from bayesmyo.inference.store import load_fit, save_fit, share
from bayesmyo.inference.verify import verify
from tests.conftest import DATA, MOCK
from tests.hostile_fits import edited, sealed, stored


def failures(found):
    return {c.name: c.sentence for c in found.checks if not c.passed}


# --- verify


def test_a_good_fit_passes_and_names_its_content(mock_fit, tmp_path):
    digest = save_fit(mock_fit, tmp_path / "fit.nc")
    found = verify(tmp_path / "fit.nc", DATA / "ivig.csv")
    assert found.passed
    assert [c.name for c in found.checks] == ["content", "study", "data", "rows", "draws", "table"]
    assert found.sha256 == digest == hashlib.sha256((tmp_path / "fit.nc").read_bytes()[:-82]).hexdigest()
    assert all(wrote == now for wrote, now in found.versions.values())
    sentences = {c.name: c.sentence for c in found.checks}
    assert "23 patients, 939 measurements" in sentences["data"]
    assert "327 in = 327 used + 0 set aside" in sentences["rows"]


def test_another_table_is_not_the_one_that_was_fitted(mock_fit, tmp_path):
    save_fit(mock_fit, tmp_path / "fit.nc")
    (tmp_path / "other.csv").write_bytes((DATA / "ivig.csv").read_bytes() + b"\n")
    assert "is not the table" in failures(verify(tmp_path / "fit.nc", tmp_path / "other.csv"))["table"]
    assert "cannot be read" in failures(verify(tmp_path / "fit.nc", tmp_path / "none.csv"))["table"]


def change(fit, group, name, edit):
    tree = fit.tree.copy(deep=True)
    dataset = tree[group].to_dataset()
    tree[group] = xr.DataTree(dataset.assign({name: (dataset[name].dims, edit(dataset[name].values.copy()))}))
    return tree


def at(index, value):
    def edit(values):
        values.flat[index] = value
        return values

    return edit


@pytest.mark.parametrize(
    ("group", "name", "edit", "check", "says"),
    [
        ("constant_data", "cpk.patient", at(3, 23), "data", "0..22"),
        ("constant_data", "cpk.patient", at(3, -1), "data", "0..22"),
        ("constant_data", "cpk.time", at(0, np.nan), "data", "finite"),
        ("observed_data", "cpk", at(0, np.nan), "data", "finite"),
        ("posterior", "cpk.start", at(7, np.inf), "draws", "cpk.start are not all finite"),
    ],
)
def test_what_does_not_hang_together_is_named(mock_fit, tmp_path, group, name, edit, check, says):
    found = failures(verify(stored(change(mock_fit, group, name, edit), tmp_path / "bad.nc")))
    assert set(found) == {check}
    assert says in found[check]


def test_another_study_is_not_the_one_that_was_fitted(mock_fit, tmp_path):
    tree = mock_fit.tree.copy()
    tree.attrs = {**tree.attrs, "study_sha256": "0" * 64}
    assert "its hash differs" in failures(verify(stored(tree, tmp_path / "bad.nc")))["study"]


@pytest.mark.parametrize(
    ("attribute", "value"), [("study", "[study"), ("rows", "[]"), ("versions", "3"), ("sampling", "{}")]
)
def test_what_cannot_be_understood_is_named(mock_fit, tmp_path, attribute, value):
    save_fit(mock_fit, tmp_path / "fit.nc")
    raw = edited((tmp_path / "fit.nc").read_bytes(), lambda doc: doc["attributes"].update({attribute: value}))
    (tmp_path / "bad.nc").write_bytes(raw)
    with pytest.raises(StorageError, match=f"{attribute} cannot be understood"):
        verify(tmp_path / "bad.nc")


def test_rows_that_do_not_add_up(mock_fit, tmp_path):
    tree = mock_fit.tree.copy()
    tree.attrs = {**tree.attrs, "rows": tree.attrs["rows"].replace('"rows": 327', '"rows": 328')}
    assert "does not add up" in failures(verify(stored(tree, tmp_path / "bad.nc")))["rows"]


@pytest.mark.parametrize("index", [-1, 23, 2**40])
def test_an_index_out_of_bounds_is_not_loaded(mock_fit, tmp_path, index):
    tree = change(mock_fit, "constant_data", "cpk.patient", at(3, index))
    with pytest.raises(StorageError, match=r"data do not hang together: .* must lie in 0\.\.22"):
        load_fit(stored(tree, tmp_path / "bad.nc"))


# --- files that only claim to be a fit


@pytest.mark.parametrize("group", ["posterior", "sample_stats", "observed_data", "constant_data"])
def test_a_missing_group(mock_fit, tmp_path, group):
    save_fit(mock_fit, tmp_path / "fit.nc")
    raw = edited((tmp_path / "fit.nc").read_bytes(), lambda doc: doc["arrays"].pop(group) and None)
    (tmp_path / "bad.nc").write_bytes(raw)
    if group == "sample_stats":  # an engine may have none
        assert "sample_stats" not in load_fit(tmp_path / "bad.nc").tree
        return
    with pytest.raises(StorageError, match=f"not whole: {group}/.* is missing"):
        load_fit(tmp_path / "bad.nc")


@pytest.mark.parametrize(("written", "says"), [(FORMAT + 1, "newer"), (FORMAT - 1, "earlier"), (0, "its format")])
def test_another_format(mock_fit, tmp_path, written, says):
    tree = mock_fit.tree.copy()
    tree.attrs = {**tree.attrs, "bayesmyo_format": written}
    with pytest.raises(StorageError, match=says):
        load_fit(stored(tree, tmp_path / "bad.nc"))


def test_netcdf_with_a_checksum_alone_is_of_an_earlier_bayesmyo_or_of_another_program(mock_fit, tmp_path):
    (tmp_path / "bad.nc").write_bytes(sealed(bytes(mock_fit.tree.to_netcdf(engine="h5netcdf"))))
    with pytest.raises(StorageError, match="no table of contents: it was written by an earlier bayesmyo; fit again"):
        load_fit(tmp_path / "bad.nc")


def test_what_no_fit_holds_is_not_stored(mock_fit, tmp_path):
    tree = mock_fit.tree.copy()
    tree["posterior_predictive"] = xr.DataTree(xr.Dataset({"cpk": ("i", [1.0])}))
    with pytest.raises(UsageError, match="holds what no fit of its study holds: posterior_predictive/cpk"):
        save_fit(Fit(tree), tmp_path / "fit.nc")


# --- a copy without patient data


@pytest.fixture(scope="module")
def copy(mock_fit, tmp_path_factory):
    path = tmp_path_factory.mktemp("shared") / "shared.nc"
    save_fit(share(mock_fit), path)
    return path


def test_a_shared_copy_verifies_and_can_be_shared_again(copy, tmp_path):
    assert verify(copy).passed
    save_fit(share(load_fit(copy)), tmp_path / "again.nc")
    assert load_fit(tmp_path / "again.nc").tree.identical(load_fit(copy).tree)


def test_what_a_shared_copy_says_is_what_the_fit_says(mock_fit, copy):
    shared = load_fit(copy)
    assert parameter_estimates(shared) == parameter_estimates(mock_fit)
    assert [e.as_dict() for e in estimates(shared)] == [e.as_dict() for e in estimates(mock_fit)]
    assert verdicts(shared) == verdicts(mock_fit)
    assert [r.passed for r in check(shared)] == [r.passed for r in check(mock_fit)]
    assert shared.study == mock_fit.study


def test_nothing_of_a_patient_is_in_a_shared_copy(mock_fit, copy):
    raw, tree = copy.read_bytes(), load_fit(copy).tree
    for patient in mock_fit.cohort.patients:
        assert patient.encode() not in raw
    assert b"ivig.csv" not in raw
    assert mock_fit.cohort.sha256.encode() not in raw
    for m in mock_fit.cohort.measurements.values():
        for values in (m.value, m.time):
            assert values.tobytes()[:64] not in raw
    assert set(tree.children) == {"posterior", "sample_stats", "estimands", "log_prior"}  # of population parameters
    sizes = {dim for group in tree.children.values() for v in group.data_vars.values() for dim in v.dims}
    assert sizes == {"chain", "draw"}
    assert json.loads(tree.attrs["bayesmyo_shared"]) == {
        "patients": 23,
        "rows": 327,
        "mrc": 313,
        "cpk": 318,
        "steroid": 308,
    }
    assert "#" in mock_fit.study.text
    assert "#" not in tree.attrs["study"]


def test_what_needs_the_patients_says_so(copy, run):
    shared = load_fit(copy)
    for ask in (lambda: shared.cohort, lambda: shared.truth, lambda: shared.prediction, shared.posterior_predictive):
        with pytest.raises(StorageError, match="a shared copy without patient data"):
            ask()
    result = run("estimate", copy, "--correlations")
    assert (result.code, result.out) == (4, "")
    assert "a shared copy without patient data: ask its owner" in result.err


def test_the_other_commands_work_on_a_shared_copy(copy, run):
    for words in (["check"], ["estimate"], ["estimate", "--parameters"], ["estimate", "--decisions"]):
        assert run(words[0], copy, *words[1:], "--json").code == 1  # drawn by the mock engine


# --- the command


def test_verify_and_share_as_typed(run, files):
    assert run("fit", "ivig", DATA / "ivig.csv", "-o", "fit.nc", *MOCK).code == 1
    result = run("verify", "fit.nc", "--data", DATA / "ivig.csv", "--share", "shared.nc")
    assert (result.code, result.err) == (0, "")
    assert result.out.count("passed") == 6
    assert "Wrote shared.nc: the same fit without patient data" in result.out
    as_json = run("verify", "shared.nc", "--json").json
    assert as_json["passed"] is True
    assert as_json.keys() == {"schema_version", "path", "sha256", "passed", "checks", "versions", "shared"}
    assert files().keys() == {"fit.nc", "shared.nc"}
    assert run("verify", "fit.nc", "--share", "shared.nc").code == 2
    assert run("verify", "fit.nc", "--share", "fit.nc", "--force").code == 2


def test_what_does_not_verify_has_the_exit_code_4_and_is_not_shared(mock_fit, run, files, tmp_path):
    stored(change(mock_fit, "constant_data", "cpk.patient", at(0, 99)), tmp_path / "bad.nc")
    result = run("verify", "bad.nc", "--share", "shared.nc")
    assert result.code == 4
    assert "FAILED  data: " in result.out
    assert files().keys() == {"bad.nc"}
    (tmp_path / "cut.nc").write_bytes((tmp_path / "bad.nc").read_bytes()[:1000])
    assert run("verify", "cut.nc").code == 4
    assert Fit(mock_fit.tree).shared is False
