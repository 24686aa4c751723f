"""What docs/cluster.md tells batch systems to run: their scripts under stand-ins, and what each job then types."""

import os
import shlex
import subprocess

import pytest
import yaml

from tests.conftest import ROOT
from tests.pages import FENCE

PAGE = (ROOT / "docs" / "cluster.md").read_text()
TYPED = '#!/bin/bash\necho "$@" >> "$TYPED"\n'  # in place of bayesmyo
SBATCH = """#!/bin/bash
array=$(sed -n "s/^#SBATCH --array=1-//p" "$1")
for i in $(seq 1 "$array"); do
    SLURM_ARRAY_TASK_ID=$i SLURM_ARRAY_TASK_COUNT=$array bash "$1" || exit 1
done
"""


def block(language, holds):
    """The block of the page in this language that holds some words."""
    (body,) = (body for kind, body, _ in FENCE.findall(PAGE) if kind == language and holds in body)
    return body


@pytest.fixture
def typed(tmp_path, monkeypatch):
    """What `bayesmyo` was asked, a list of arguments for each call; `sbatch` runs the jobs of an array one by one."""
    for name, text in (("bayesmyo", TYPED), ("sbatch", SBATCH)):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    log = tmp_path / "typed"
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("TYPED", str(log))
    return lambda: [shlex.split(line) for line in log.read_text().splitlines()]


def shards(calls):
    """The shards and folders that were asked for; all else is one command."""
    asked = [(c[c.index("--shard") + 1], c[c.index("-o") + 1]) for c in calls]
    assert len({tuple(w for w in c if w not in pair) for c, pair in zip(calls, asked, strict=True)}) == 1
    return zip(*asked, strict=True)


def test_a_job_array_of_slurm_does_every_shard_once(typed, tmp_path):
    (tmp_path / "job.sh").write_text(block("bash", "#SBATCH"))
    subprocess.run(["sbatch", str(tmp_path / "job.sh")], check=True)
    numbers, folders = shards(typed())
    assert numbers == tuple(f"{i}/40" for i in range(1, 41))
    assert len(set(folders)) == 40


def test_an_indexed_job_of_kubernetes_does_every_shard_once(typed):
    job = yaml.safe_load(block("yaml", "completionMode: Indexed"))["spec"]
    (container,) = job["template"]["spec"]["containers"]
    for index in range(job["completions"]):
        command = [*container["command"], *container["args"]]
        subprocess.run(command, check=True, env={**os.environ, "JOB_COMPLETION_INDEX": str(index)})
    numbers, folders = shards(typed())
    assert numbers == tuple(f"{i}/{job['completions']}" for i in range(1, job["completions"] + 1))
    assert len(set(folders)) == job["completions"]
    mounted = {m["mountPath"] for m in container["volumeMounts"]}
    assert all(folder.rsplit("/", 1)[0] in mounted for folder in folders)
