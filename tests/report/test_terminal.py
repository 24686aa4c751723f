"""What comes out of a terminal: colour there alone and not where NO_COLOR is set, lines broken at words, tables that
fit.
"""

import os
import pty
import re
import subprocess
import sys

import pytest

from bayesmyo.inference.store import save_fit
from tests.conftest import DATA

COLOUR = re.compile(r"\x1b\[[0-9;]*3[0-9][0-9;]*m")
STUDY_WITH_NOTE = ("validate", "ivig", "late.csv")


@pytest.fixture(scope="module")
def late(tmp_path_factory):
    """A table that is legal but odd: a note is printed, in yellow on a terminal."""
    folder = tmp_path_factory.mktemp("late")
    lines = (DATA / "ivig.csv").read_text().splitlines()
    (folder / "late.csv").write_text("\n".join([f"{lines[0]},remark", *(f"{line},x" for line in lines[1:])]))
    return folder


def typed(folder, *words, columns=80, **environment):
    """What a command prints on a terminal of so many columns."""
    ours, theirs = pty.openpty()
    unset = {"FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE", "COLUMNS", "LINES"}
    env = {k: v for k, v in os.environ.items() if k not in unset} | {"TERM": "xterm-256color", "COLUMNS": str(columns)}
    process = subprocess.Popen(
        [sys.executable, "-m", "bayesmyo", *words],
        cwd=folder,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=env | environment,
    )
    os.close(theirs)
    parts = []
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        parts.append(part)
    process.wait()
    os.close(ours)
    return b"".join(parts).decode().replace("\r\n", "\n")


def test_colour_on_a_terminal_and_lines_that_fit_it(late):
    shown = typed(late, *STUDY_WITH_NOTE)
    assert COLOUR.search(shown)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", shown).splitlines()
    assert max(len(line) for line in plain if "| cens(" not in line) <= 80
    assert "Traceback" not in shown


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}], ids=["NO_COLOR", "dumb"])
def test_no_colour_where_it_is_not_wanted(late, environment):
    assert not COLOUR.search(typed(late, *STUDY_WITH_NOTE, **environment))


def test_no_escape_code_in_a_file(run, late):
    result = run("validate", "ivig", late / "late.csv")
    assert "Note: " in result.out
    assert "\x1b" not in result.out


@pytest.fixture(scope="module")
def good_file(good_fit, tmp_path_factory):
    path = tmp_path_factory.mktemp("fits") / "good.nc"
    save_fit(good_fit, path)
    return path


@pytest.mark.parametrize(
    "words", [(), ("--decisions",), ("--parameters",), ("--correlations",)], ids=lambda w: "".join(w) or "estimands"
)
def test_the_tables_of_a_fit(run, good_file, words, snapshot):
    result = run("estimate", good_file, *words)
    table = [line for line in result.out.splitlines() if not line.startswith("- ")]
    assert max(map(len, table)) <= 80
    assert "\n".join(table) == snapshot
