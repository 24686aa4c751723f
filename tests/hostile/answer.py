"""Hostile files, each answered by a process of its own whose seconds and memory are measured.

To start Python and load what reads tables takes longer than most answers: it is done once, by a process that is forked
for each file.
"""

import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.hostile.case import MOST_BYTES, Case

START = 4  # seconds of the 20 that go to Python and what it loads, which are not measured here
SECONDS, MEMORY = 20 - START, 1_500_000_000  # that an answer may take
GIVEN_UP = 2  # times as much: then it is killed
VISITS = b"patient,month,strength,cpk\nS01,0,50,900\nS01,3,55,700\nS02,0,48,1200\nS02,3,58,800\n"


@dataclass(frozen=True)
class Answer:
    """code: the exit code, below 0 where a signal ended it; seconds: of processor time; memory: bytes at most"""

    code: int
    seconds: float
    memory: int
    said: str

    @property
    def wrong(self) -> str:
        """Why this is no answer; nothing where it is one."""
        if self.code not in (0, 2):
            return f"exit code {self.code}: {self.said[-500:]}"
        if "Traceback" in self.said or len(self.said) > 2_000_000:
            return f"{len(self.said)} characters: {self.said[-500:]}"
        if self.seconds > SECONDS or self.memory > MEMORY:
            return f"{self.seconds:.1f} s, {self.memory / 1e6:.0f} MB"
        return ""


class Answering:
    """A process that has loaded what it takes, and is forked for each command."""

    def __init__(self, process: Any) -> None:
        self._process = process

    def case(self, case: Case, folder: Path) -> Answer:
        """What `bayesmyo validate` says of a case."""
        made = case.make()
        assert len(made) < MOST_BYTES, f"{case.name}: {len(made):,} bytes"
        (folder / case.file).write_bytes(made)
        if case.kind == "study":
            return self.command(folder, "validate", case.file)
        (folder / "study.toml").write_text(case.study)
        (folder / "visits.csv").write_bytes(VISITS)
        words = ["visits.csv", "--patients", case.file] if case.patients else [case.file]
        return self.command(folder, "validate", "study.toml", *words)

    def command(self, folder: Path, *words: str) -> Answer:
        """What a command says in a folder."""
        self._process.stdin.write(json.dumps([str(folder), *words]) + "\n")
        self._process.stdin.flush()
        return Answer(
            **json.loads(self._process.stdout.readline()), said=(folder / "said.txt").read_text(errors="replace")
        )


@contextmanager
def answering() -> Iterator[Answering]:
    """A process that answers, until the end of the context."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.hostile.answer"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "NO_COLOR": "1", "OPENBLAS_NUM_THREADS": "1"}, cwd=Path(__file__).parents[2],
    ) as process:  # fmt: skip
        yield Answering(process)
        process.communicate()


def _answer(folder: str, words: list[str]) -> dict[str, float]:
    """Run a command in a fork of this process."""
    if (child := os.fork()) == 0:
        os.chdir(folder)
        said = os.open("said.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(said, 1)
        os.dup2(said, 2)
        resource.setrlimit(resource.RLIMIT_CPU, (GIVEN_UP * SECONDS, GIVEN_UP * SECONDS + 5))
        resource.setrlimit(resource.RLIMIT_AS, (GIVEN_UP * MEMORY, GIVEN_UP * MEMORY))
        sys.argv = ["bayesmyo", *words]
        import_module("bayesmyo.cli").command()
    _, status, used = os.wait4(child, 0)
    seconds = used.ru_utime + used.ru_stime
    return {"code": os.waitstatus_to_exitcode(status), "seconds": seconds, "memory": used.ru_maxrss * 1024}


def main() -> None:
    for name in ("cli", "cohort.read", "cohort.workbook", "report.understood", "report.terminal", "report.documents"):
        import_module(f"bayesmyo.{name}")
    for line in sys.stdin:
        folder, *words = json.loads(line)
        print(json.dumps(_answer(folder, words)), flush=True)


if __name__ == "__main__":
    main()
