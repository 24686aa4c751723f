"""Shards, joined: the whole to the last bit, or what is missing, or why they are not of one plan."""

import pytest

from bayesmyo.errors import StorageError, UsageError
from bayesmyo.simulation.agenda import Agenda
from bayesmyo.simulation.header import Header
from bayesmyo.simulation.merge import merge
from bayesmyo.simulation.store import opened, part_paths
from tests.simulation import light
from tests.simulation.plans import VERSIONS, final, header, plan

OTHER = VERSIONS | {"pymc": "7.0.0"}


def fill(folder, plan, shard=None, versions=VERSIONS, made=light.row):
    with opened(folder, Header(plan, versions, shard)) as store:
        agenda = Agenda(plan, store.present, shard)
        rows = [made(key, r) for key, asked in agenda.asked().items() for r in asked]
        store.add(rows)
        if shard is None:
            store.finish(agenda.asked())


@pytest.fixture
def shards(tmp_path):
    """Three shards of six replicates of two cells, in folders 1, 2, 3."""
    for i in (1, 2, 3):
        fill(tmp_path / str(i), plan(), (i, 3))
    return [tmp_path / str(i) for i in (1, 2, 3)]


def test_shards_merged_are_the_whole_to_the_last_bit(shards, tmp_path):
    fill(tmp_path / "whole", plan())
    merged = merge(shards[::-1], tmp_path / "out")
    assert (merged.complete, merged.missing, merged.mixed) == (True, 0, False)
    assert final(tmp_path / "out") == final(tmp_path / "whole")


def test_what_is_missing_is_counted_and_the_next_merge_goes_on(shards, tmp_path):
    first = merge(shards[:2], tmp_path / "out")
    assert (first.complete, first.missing, len(first.replicates)) == (False, 4, 8)
    parts = part_paths(tmp_path / "out")
    again = merge(shards, tmp_path / "out")
    assert again.complete
    assert len(part_paths(tmp_path / "out")) == len(parts) + 1
    assert merge([shards[0]], tmp_path / "out").complete


def test_what_was_merged_goes_on_without_a_shard(shards, tmp_path):
    merge(shards[:2], tmp_path / "out")
    fill(tmp_path / "out", plan())
    fill(tmp_path / "whole", plan())
    assert final(tmp_path / "out") == final(tmp_path / "whole")


def test_a_replicate_in_two_shards_must_have_the_same_bits(shards, tmp_path):
    fill(tmp_path / "same", plan())
    assert merge([*shards, tmp_path / "same"], tmp_path / "out").complete

    def otherwise(key, replicate):
        return light.row(key, replicate) | {"visits": 41 if replicate == 2 else 40}

    fill(tmp_path / "other", plan(), made=otherwise)
    with pytest.raises(StorageError, match=r"Replicate 2 of cell .* is there twice and not the same \(visits\)"):
        merge([*shards, tmp_path / "other"], tmp_path / "new")
    assert not (tmp_path / "new" / "SHA256SUMS").exists()


@pytest.mark.parametrize(
    ("other", "what"), [({"seed": 2}, "seed"), ({"replicates": 7}, "replicates"), ({"patients": (5,)}, "cells")]
)
def test_folders_of_other_plans_are_refused(shards, tmp_path, other, what):
    fill(tmp_path / "other", plan(**other))
    with pytest.raises(StorageError, match=rf"other: is not of the same plan as .*1 \(another {what}\)"):
        merge([*shards, tmp_path / "other"], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_other_versions_are_refused_unless_they_may_be_mixed(shards, tmp_path):
    fill(tmp_path / "other", plan(), versions=OTHER)
    with pytest.raises(StorageError, match=r"pymc absent there, 7\.0\.0 here"):
        merge([*shards, tmp_path / "other"], tmp_path / "out")
    assert merge([*shards, tmp_path / "other"], tmp_path / "out", mixed=True).mixed


def test_versions_need_not_be_those_of_now(shards, tmp_path):
    merge(shards, tmp_path / "out")
    assert Header.read(tmp_path / "out").versions == VERSIONS


def test_a_damaged_shard_is_named(shards, tmp_path):
    path = part_paths(shards[1])[0]
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(StorageError, match=rf"{path}: is not what was written"):
        merge(shards, tmp_path / "out")


def test_the_result_is_none_of_the_shards(shards):
    with pytest.raises(UsageError, match="is one of the folders to be merged"):
        merge(shards, shards[0])


# --- the command


def test_the_command_says_what_it_wrote(run, shards, tmp_path):
    result = run("merge", *shards, "-o", "out")
    assert (result.code, result.err) == (0, "")
    failed = sum(light.row(c.key, r)["stage"] != "done" for c in plan().cells for r in range(6))
    assert result.out == f"Wrote out: 12 replicates of 2 cells, {failed} failed, 0 missing.\n"
    assert run("merge", *shards, "-o", "out", "--json").json == {
        "schema_version": 1, "path": "out", "complete": True, "mixed": False, "replicates": 12, "failed": failed,
        "missing": 0,
    }  # fmt: skip


def test_the_exit_code_is_3_while_replicates_are_missing(run, shards):
    result = run("merge", *shards[:2], "-o", "out")
    assert result.code == 3
    assert result.err.startswith(
        "out: 4 replicates are missing. Merge again when all shards are done, or give the command"
    )


def test_what_is_no_folder_of_results_has_the_exit_code_4(run, shards, tmp_path):
    result = run("merge", *shards, tmp_path / "nowhere", "-o", "out")
    assert result.code == 4
    assert result.err.endswith("nowhere: is not a folder of results; `bayesmyo calibrate` and `power` write one.\n")
    assert header(plan()).shard is None
