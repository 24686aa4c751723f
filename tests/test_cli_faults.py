"""The door when something is wrong: one message, the right exit code, and nothing written."""

import os
import signal
import subprocess
import sys

import pytest

from bayesmyo import cli
from bayesmyo.inference.engines.mock import PreparedMock
from tests.conftest import DATA, MOCK, MODELS, Result

HEAD = "patient,month,mrc,cpk,steroid\n"
TABLE = HEAD + "A,0,3.5,900,40\nA,3,4.0,400,20\nB,0,3.0,1500,60\nB,3,,800,30\n"


def stop(error):
    """Something that stops a command where it is called."""

    def raise_it(*_, **__):
        raise error

    return raise_it


# --- files that are there already, and folders that are not


@pytest.mark.parametrize(
    ("words", "name", "work"),
    [
        (("init", "mine"), "mine.csv", "bayesmyo.cli.tables.write_bytes"),
        (("simulate", "ivig", "-o", "out.csv"), "out.csv", "bayesmyo.model.simulate_scenario"),
        (("fit", "ivig", DATA / "ivig.csv", "-o", "out.nc", *MOCK), "out.nc", "bayesmyo.inference.fit.fit"),
    ],
)
def test_a_file_that_is_there_is_refused_before_any_work_and_overwritten_with_force(
    run, files, monkeypatch, words, name, work
):
    with open(name, "wb") as out:
        out.write(b"old")
    with monkeypatch.context() as patched:
        patched.setattr(work, stop(AssertionError("worked")))
        result = run(*words)
    assert result.code == 2
    assert result.err == f"{name}: exists already; choose another name, or overwrite it with --force.\n"
    assert files() == {name: b"old"}
    assert run(*words, "--force").code in (0, 1)
    assert files()[name] != b"old"


@pytest.mark.parametrize(
    ("folder", "reason"), [("nowhere", "does not exist"), ("table.csv", "is a file, not a folder")]
)
@pytest.mark.parametrize("words", [("simulate", "ivig"), ("fit", "ivig", "table.csv", *MOCK)])
def test_where_nothing_can_be_written_the_exit_code_is_4(run, files, tmp_path, words, folder, reason):
    (tmp_path / "table.csv").write_text(TABLE)
    result = run(*words, "-o", f"{folder}/out")
    assert result.code == 4
    assert result.err == f"{folder}/out: the folder {folder} {reason}.\n"
    assert files().keys() == {"table.csv"}


@pytest.mark.parametrize("command", ["check", "estimate"])
def test_a_file_that_is_no_fit_has_the_exit_code_4(run, tmp_path, command):
    (tmp_path / "table.csv").write_text(TABLE)
    assert run(command, "table.csv") == Result(4, "", "table.csv: is not a fit; `bayesmyo fit` writes one.\n")
    assert run(command, "fit.nc") == Result(4, "", "fit.nc: cannot be read: No such file or directory.\n")


@pytest.mark.parametrize(
    "words", [("validate",), ("validate", "ivig"), ("check",), ("simulate", "ivig", "-o"), ("init",)]
)
def test_a_name_that_no_disk_takes_is_no_bug_of_ours(run, words):
    result = run(*words, "a" * 300)
    assert (result.code, result.out) == (4, "")
    assert result.err.endswith("File name too long.\n")


# --- input that cannot be used


def test_unknown_study(run):
    result = run("validate", "ivgi")
    assert result == Result(2, "", 'ivgi: study: is neither a bundled study nor a file; did you mean "ivig"?\n')


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("fit", "ivig", "table.csv", "-o", "out.nc", "--colour"), "No such option: --colour"),
        (("frobnicate",), "No such command 'frobnicate'."),
        (("fit", "ivig", "table.csv"), "Missing option '-o' / '--output'"),
        (("fit", "ivig", "table.csv", "-o", "out.nc", "--draws", "0"), "Invalid value for '--draws'"),
        (("fit", "ivig", "table.csv", "-o", "out.nc", "--draws", "many"), "Invalid value for '--draws'"),
        (("fit", "ivig", "table.csv", "-o", "out.nc", "--seed", "-1"), "Invalid value for '--seed'"),
        (("simulate", "ivig", "-o", "out.csv", "--patients", "0"), "Invalid value for '--patients'"),
        (
            ("fit", "ivig", "table.csv", "-o", "out.nc", "--engine", "nutz"),
            'engine: is unknown; got "nutz"; did you mean',
        ),
        (("fit", "ivig", "table.csv", "-o", "out.nc", "--target-accept", "2"), "must lie between 0 and 1; got 2."),
        (
            ("fit", "ivig", "table.csv", "-o", "out.nc", "--adaptation", "nonsense", *MOCK),
            'adaptation: is unknown; got "nonsense"; allowed: diag, low_rank.',
        ),
        (("simulate", "ivig", "-o", "out.csv", "--scenario", "papre"), 'did you mean "paper"?'),
    ],
)
def test_a_command_that_cannot_be_understood(run, files, tmp_path, words, message):
    (tmp_path / "table.csv").write_text(TABLE)
    result = run(*words)
    assert result.code == 2
    assert message in result.err
    assert files().keys() == {"table.csv"}


FAULTS = {
    "missing column": "patient,month,mrc,CK,steroid\nA,0,3.5,900,40\n",
    "text in a number column": TABLE.replace("900", "high"),
    "duplicate visit": TABLE.replace("A,3,", "A,0,"),
    "negative CPK": TABLE.replace("900", "-900"),
    "empty file": "",
    "only a header": HEAD,
    "decimal comma": TABLE.replace("3.5", '"3,5"'),
    "beyond the score": TABLE.replace("3.5", "35"),
    "out of range": TABLE.replace("900", "0.9"),
    "several": TABLE.replace("3.5", "35").replace("900", "high").replace("1500", "high"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_table_that_cannot_be_used_is_one_message_and_nothing_is_written(run, files, tmp_path, snapshot, fault):
    (tmp_path / "table.csv").write_text(FAULTS[fault])
    fitted, validated, as_json = (
        run("fit", "ivig", "table.csv", "-o", "fit.nc", *MOCK),
        run("validate", "ivig", "table.csv"),
        run("validate", "ivig", "table.csv", "--json"),
    )
    assert fitted == validated
    assert (as_json.code, as_json.err, as_json.json["usable"]) == (2, fitted.err, False)
    assert all(fault["what"] in fitted.err and fault["code"] in fitted.err for fault in as_json.json["faults"])
    assert (fitted.code, fitted.out) == (2, "")
    assert fitted.err == snapshot
    assert files().keys() == {"table.csv"}


IVIG = (MODELS / "ivig.toml").read_text()
STUDIES = {
    "unknown key": IVIG.replace('unit = "grade"', 'unit = "grade"\nbeter = "higher"'),
    "unknown family": IVIG.replace('family = { kind = "lognormal" }', 'family = { kind = "lognormall" }'),
    "text for a number": IVIG.replace("typical = 3.6", 'typical = "3.6"'),
    "not TOML": IVIG.replace("[study]", "[study"),
    "empty": "",
    "several": IVIG.replace('unit = "grade"', "").replace("interval = 0.95", "interval = 95").replace("_half", "-half"),
}


@pytest.mark.parametrize("fault", STUDIES)
def test_a_study_that_cannot_be_used_is_one_message_and_nothing_is_written(run, files, tmp_path, snapshot, fault):
    (tmp_path / "mine.toml").write_text(STUDIES[fault])
    as_json = run("validate", "mine.toml", "--json")
    assert (as_json.code, as_json.json["usable"]) == (2, False)
    results = [
        run("validate", "mine.toml"),
        run("simulate", "mine.toml", "-o", "out.csv"),
        run("fit", "mine.toml", DATA / "ivig.csv", "-o", "fit.nc", *MOCK),
    ]
    assert len(set(results)) == 1
    assert (results[0].code, results[0].out) == (2, "")
    assert results[0].err == snapshot
    assert files().keys() == {"mine.toml"}


# --- what stops a command from outside, or from inside


def test_an_unexpected_exception_is_a_bug_of_ours(run, monkeypatch):
    monkeypatch.setattr("bayesmyo.study.find_study", stop(RuntimeError("secret of a patient")))
    result = run("validate", "ivig")
    assert (result.code, result.out) == (70, "")
    assert result.err.startswith("bayesmyo stopped on a bug of its own (RuntimeError).")
    assert "secret" not in result.err


def test_with_debugging_on_a_bug_says_where_and_no_more(run, monkeypatch):
    monkeypatch.setattr("bayesmyo.study.find_study", stop(RuntimeError("details")))
    monkeypatch.setenv("BAYESMYO_DEBUG", "1")
    monkeypatch.setattr(sys, "argv", ["bayesmyo", "validate", "ivig"])
    before = signal.getsignal(signal.SIGTERM)
    try:
        with pytest.raises(SystemExit) as stopped:
            cli.main()
    finally:
        signal.signal(signal.SIGTERM, before)
    assert stopped.value.code == 70


@pytest.mark.parametrize(
    ("stopped", "code"),
    [
        (stop(KeyboardInterrupt()), 130),
        (lambda *_: os.kill(os.getpid(), signal.SIGINT), 130),
        (lambda *_: os.kill(os.getpid(), signal.SIGTERM), 143),
    ],
)
def test_a_signal_while_sampling_leaves_nothing_behind(run, files, monkeypatch, stopped, code):
    monkeypatch.setattr(PreparedMock, "sample", stopped)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a process started in the background ignores it
    try:
        result = run("fit", "ivig", DATA / "ivig.csv", "-o", "fit.nc", *MOCK)
    finally:
        signal.signal(signal.SIGINT, before)
    assert (result.code, result.err) == (code, "")
    assert not files()


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        (("fit", "mine.toml", "table.csv", "-o", "table.csv", "--force", *MOCK), "table.csv"),
        (("simulate", "mine.toml", "-o", "mine.toml", "--force"), "mine.toml"),
    ],
)
def test_an_input_is_never_overwritten(run, tmp_path, words, kept):
    (tmp_path / "mine.toml").write_text(IVIG)
    (tmp_path / "table.csv").write_text(TABLE)
    before = (tmp_path / kept).read_bytes()
    result = run(*words)
    assert result.code == 2
    assert "is what this command reads" in result.err
    assert (tmp_path / kept).read_bytes() == before


# --- nothing that a file says drives the terminal

ESCAPES = "\x1b[31m", "\x9b31m", "\x07", "\r", "\u202e"


@pytest.fixture
def hostile(tmp_path):
    """A study, and a table with control characters wherever text can stand."""
    (tmp_path / "mine.toml").write_text(IVIG)
    rows = [line.split(",") for line in TABLE.splitlines()]
    noted = [[*row, "x"] if n else [*row, f'"note{"".join(ESCAPES)}"'] for n, row in enumerate(rows)]
    text = "\n".join(",".join(row) for row in noted).replace("A,", f'"A{"".join(ESCAPES)}",')
    (tmp_path / "table.csv").write_text(text, newline="")


def test_escape_codes_come_out_inert(run, hostile):
    run("fit", "mine.toml", "table.csv", "-o", "fit.nc", *MOCK)
    for words in (
        ("validate", "mine.toml", "table.csv"),
        ("fit", "mine.toml", "table.csv", "-o", "again.nc", *MOCK, "--force"),
        ("check", "fit.nc"),
        ("estimate", "fit.nc"),
        ("estimate", "fit.nc", "--parameters"),
        ("estimate", "fit.nc", "--decisions"),
        ("estimate", "fit.nc", "--correlations"),
        ("check", "mine.toml", "--prior"),
    ):
        for form in ((), ("--json",)):
            result = run(*words, *form)
            assert result.code in (0, 1)
            assert (result.out + result.err).replace("\n", "").isprintable()


@pytest.mark.parametrize("word", ["IVIG in", "Mean MRC grade", '"grade', '"IVIG', "Months", "what the published"])
def test_a_study_with_control_characters_is_refused(run, tmp_path, word):
    codes = "".join(f"\\u{ord(c):04x}" for escape in ESCAPES for c in escape)
    (tmp_path / "mine.toml").write_text(IVIG.replace(word, word + codes))
    result = run("validate", "mine.toml")
    assert result.code == 2
    assert "holds a control character" in result.err
    assert result.err.replace("\n", "").isprintable()


def test_escape_codes_in_what_is_typed_come_out_inert(run):
    for words in (("validate", "\x1b[31mx"), ("check", "\x1b[31mx"), ("simulate", "ivig", "-o", "no\x1b[31m/x")):
        result = run(*words)
        assert result.code in (2, 4)
        assert "\\x1b[31m" in result.err
        assert "\x1b" not in result.err


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux has a full disk at hand")
def test_a_full_disk_under_stdout_has_the_exit_code_4(tmp_path):
    with open("/dev/full", "w") as full:
        run = subprocess.run(
            [sys.executable, "-m", "bayesmyo", "studies"], stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert run.returncode == 4
    assert run.stderr == "output: cannot be read or written: No space left on device.\n"


# --- where the output goes

COMMAND = "import sys; sys.argv[0] = 'bayesmyo'; from bayesmyo.cli import command; command()"


def typed(*words, **more):
    return subprocess.run(
        [sys.executable, "-c", COMMAND, *map(str, words)], stderr=subprocess.PIPE, check=False, **more
    )


@pytest.mark.parametrize(
    "words", [("studies",), ("--help",), ("--version",), ("validate", "ivig", DATA / "ivig.csv", "--json")]
)
def test_a_pipe_that_nobody_reads_ends_a_command_quietly_with_a_code_of_its_own(words):
    read, write = os.pipe()
    os.close(read)
    done = typed(*words, stdout=write)
    os.close(write)
    assert (done.returncode, done.stderr) == (141, b"")


def test_closed_streams_lead_nowhere_and_never_into_a_file(tmp_path):
    code = f"import os; os.close(0); os.close(1); os.execv({sys.executable!r}, [{sys.executable!r}, '-c', {COMMAND!r}, 'simulate', 'ivig', '-o', 'out.csv'])"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert (tmp_path / "out.csv").read_bytes().startswith(b"patient,month,")


@pytest.mark.parametrize(
    "settings", [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}]
)
def test_a_terminal_of_few_letters_shows_signs_instead(tmp_path, settings):
    study = (MODELS / "ivig.toml").read_text().replace('title = "', 'title = "\u03b2 M\u00fcdigkeit \u2264 ', 1)
    (tmp_path / "mine.toml").write_text(study, encoding="utf-8")
    done = typed("check", "mine.toml", "--prior", cwd=tmp_path, stdout=subprocess.PIPE, env={**os.environ, **settings})
    assert done.returncode in (0, 1)
    assert b"Traceback" not in done.stderr
    assert done.stdout.isascii()
    missing = typed(
        "validate", "M\u00fcdigkeit.toml", "x.csv", cwd=tmp_path, stdout=subprocess.PIPE, env={**os.environ, **settings}
    )
    assert missing.returncode == 2
    assert missing.stderr.isascii()
