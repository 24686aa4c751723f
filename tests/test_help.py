"""What --help says: its text, that it fits a terminal, and that every example in it can be typed."""

import re
import shlex

import pytest

from bayesmyo.cli import COMMANDS
from bayesmyo.cli.examples import EXAMPLES
from tests.conftest import MOCK

NAMES = [c.__name__ for c in COMMANDS]
EXIT = {
    "calibrate": 1,
    "report": 1,
    "figure": 1,
    "paper": 1,
    "check": 1,
    "estimate": 1,
    "influence": 1,
    "compare": 1,
    "predict": 1,
    "tip": 2,  # the table of `init` says of nobody when follow-up ended
}  # of a dry run, whose draws are no posterior


@pytest.mark.parametrize("command", ["", *NAMES])
def test_the_text_of_help(run, command, snapshot):
    result = run(*filter(None, [command]), "--help")
    assert (result.code, result.err) == (0, "")
    assert result.out == snapshot
    assert max(map(len, result.out.splitlines())) <= 80


def test_the_list_of_commands_is_not_cut(run):
    listed = run("--help").out.partition("Commands:")[2].partition("Exit codes:")[0]
    assert [line.split()[0] for line in listed.strip().splitlines()] == NAMES
    assert "..." not in listed


def test_every_command_has_an_example_of_its_own():
    assert EXAMPLES.keys() == set(NAMES)
    assert all(
        e.startswith(f"bayesmyo {command} ") or e == f"bayesmyo {command}"
        for command in EXAMPLES
        for e in EXAMPLES[command]
    )


def test_exit_codes_are_listed_in_full(run):
    said = " ".join(run("--help").out.partition("Exit codes:")[2].split())
    assert re.findall(r"(?:^|; |and )(\d+)\b", said) == ["0", "1", "2", "3", "4", "70", "130", "143"]


def test_every_example_can_be_typed(run, tmp_path):
    """In their order in one folder, fits dry: what they read and write fits together."""
    for command, examples in EXAMPLES.items():
        if command == "predict":
            (tmp_path / "new.csv").write_text("patient,month,strength,enzyme\nnew,0,41.5,2100\nnew,3,44,980\n")
        if command == "compare":
            assert run("fit", "my-study.toml", "my-study.csv", "-o", "other.nc", *MOCK).code == 1
        for example in examples:
            words = shlex.split(example.partition(" >")[0], comments=True)[1:]
            dry = [*MOCK, *(["--force"] if "--force" not in words else [])] if command == "fit" else []
            if command in ("calibrate", "power"):
                dry = ["--engine", "mock", "--workers", 0, "--replicates", 20]
            unjudged = "--prior" in words or (command == "figure" and words[2:3] in ([], ["swimmer"]))
            unjudged |= command == "paper" and "--fit" not in words
            expected = 0 if unjudged else EXIT.get(command, int(command == "fit"))
            if words == ["doctor", "--compile"]:
                continue  # it samples: see tests/test_doctor.py
            if "--from-fit" in words:
                continue  # a dry fit is no posterior: see tests/simulation
            result = run(*words, *dry)
            assert result.code == expected, (example, result)
