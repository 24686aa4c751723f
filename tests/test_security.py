"""What SECURITY.md promises: nothing read from disk is run, nothing leaves the machine, no cell is told to anybody
who did not ask.
"""

import ast
import re
import socket
import subprocess
import sys

import pytest

from bayesmyo import limits
from bayesmyo.cohort import read, read_cohort, to_csv
from bayesmyo.cohort.read import cohort_of
from bayesmyo.cohort.table import parse_table
from bayesmyo.model import simulate_scenario
from bayesmyo.study import parse_study
from tests.conftest import DATA, MOCK, PACKAGE, ROOT, SMALL

SOURCES = {str(p.relative_to(PACKAGE)): ast.parse(p.read_text()) for p in sorted(PACKAGE.rglob("*.py"))}
RUNS = {
    "eval",
    "exec",
    "compile",
    "system",
    "popen",
    "Popen",
    "check_output",
    "getoutput",
    "mktemp",
    "literal_eval",
    "to_pickle",
    "read_pickle",
}
FORBIDDEN = {
    "pickle", "cPickle", "cloudpickle", "dill", "joblib", "marshal", "shelve", "subprocess", "yaml", "code", "codeop",
    "ctypes",
    "socket", "ssl", "http", "urllib", "urllib3", "requests", "httpx", "ftplib", "smtplib", "telnetlib", "webbrowser",
    "xmlrpc",
}  # fmt: skip


def imported(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").split(".")[0]


# --- nothing is run


@pytest.mark.parametrize("name", SOURCES)
def test_nothing_that_runs_or_unpickles_or_calls_out_is_imported(name):
    assert not set(imported(SOURCES[name])) & FORBIDDEN


@pytest.mark.parametrize("name", SOURCES)
def test_nothing_is_evaluated(name):
    called = {
        (n.func.id if isinstance(n.func, ast.Name) else n.func.attr,
         isinstance(n.func, ast.Attribute) and ast.unparse(n.func.value))
        for n in ast.walk(SOURCES[name])
        if isinstance(n, ast.Call) and isinstance(n.func, ast.Name | ast.Attribute)
    }  # fmt: skip
    harmless = {("compile", "re")} | {
        (w, o) for w, o in called if w == "eval" and o and o.startswith("pm.")
    }  # of a tensor
    found = {(word, owner) for word, owner in called if word in RUNS} - harmless
    assert not found
    text = (PACKAGE / name).read_text()
    assert "allow_pickle=True" not in text
    assert not re.search(r"show_locals\s*=\s*True|\|\s*safe\b", text)


def test_a_formula_in_a_study_or_a_table_is_a_text(tmp_path):
    planted = tmp_path / "planted"
    code = f"__import__('pathlib').Path({str(planted)!r}).touch()"
    study = SMALL.replace('label = "CPK"', f'label = "{code}"\npriors = {{ start = "{code}" }}')
    with pytest.raises(Exception, match=r"prior|normal"):
        parse_study(study)
    with pytest.raises(Exception, match="no number has"):
        cohort_of(
            parse_study(SMALL),
            parse_table(f'patient,month,strength,cpk\nA,0,50,"{code}"\n'.encode(), "t.csv", parse_study(SMALL).data),
        )
    assert not planted.exists()


# --- nothing leaves the machine


def test_commands_need_no_network(run, monkeypatch):
    def refuse(*_args, **_kwargs):
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert run("studies").code == 0
    assert run("validate", "ivig", DATA / "ivig.csv").code == 0
    assert run("simulate", "ivig", "-o", "new.csv").code == 0
    assert run("fit", "ivig", "new.csv", "-o", "fit.nc", *MOCK).code == 1
    assert run("verify", "fit.nc").code == 0


# --- no path leads out of the folder


@pytest.mark.parametrize("name", ["../x", "/tmp/x", "a/b", ".hidden", "..", ".", "a\\b", "x\0y", 'a"b', "a\nb", ""])
def test_a_study_is_not_written_elsewhere(run, files, name):
    result = run("init", name)
    assert (result.code, files()) == (2, {})


@pytest.mark.parametrize(
    "name", ["a/b", "..", "../../etc/passwd", "chain", "draw", "patient", "A", "a b", "é", "", "<b>"]
)
def test_names_in_a_study_are_plain_words(name):
    with pytest.raises(Exception, match=r"outcomes\.|TOML") as refused:
        parse_study(SMALL.replace("[outcomes.cpk]", f'[outcomes."{name}"]'))
    assert "not a usable name" in str(refused.value) or "reserved word" in str(refused.value)


# --- nothing that is typed runs elsewhere: terminal, spreadsheet, browser

RISKY_LEVELS = ["=cmd()", "+1", "-x", "@SUM(A1)", "plain"]


def risky_study():
    levels = ", ".join(f'"{level}"' for level in RISKY_LEVELS)
    text = SMALL.replace("[outcomes.strength]", f"[covariates.arm]\nlevels = [{levels}]\n\n[outcomes.strength]", 1)
    text = text.replace('label = "Strength"', 'label = "Strength"\ncovariates = ["arm"]')
    return parse_study(text[: text.index("[scenarios")].replace('column = "cpk"', 'column = "=cpk"'))


def test_no_cell_that_we_write_is_a_formula_and_all_are_read_back():
    study = risky_study()
    rows = "".join(
        f"{p},{t},50,900,{RISKY_LEVELS[k]}\n" for k, p in enumerate(["=A", "+B", "-C", "@D", "E"]) for t in (0, 3)
    )
    cohort = cohort_of(study, parse_table(f"patient,month,strength,=cpk,arm\n{rows}".encode(), "t.csv", study.data))
    written = to_csv(study, cohort)
    for cell in re.split(r"[,\n]", written):
        assert not cell.startswith(("=", "+", "@", "\t"))
        assert not cell.startswith("-") or re.fullmatch(r"-[\d.]+", cell)
    again = cohort_of(study, parse_table(written.encode(), "t.csv", study.data))
    assert again.patients == cohort.patients
    assert again.covariates["arm"].tolist() == cohort.covariates["arm"].tolist()


def test_a_negative_number_stays_a_number():
    study = parse_study(SMALL.replace("minimum = 0\n", ""))
    cohort = cohort_of(study, parse_table(b"patient,month,strength,cpk\nA,-1,-3,900\nA,1,4,90\n", "t.csv", study.data))
    assert "A,-1,-3.000,900.0" in to_csv(study, cohort)


@pytest.mark.parametrize("where", ['levels = ["a\\u001b[31m", "b"]', 'levels = ["a", "b\\u202e"]'])
def test_a_level_with_a_control_character_is_refused(where):
    with pytest.raises(Exception, match="holds a control character"):
        parse_study(SMALL.replace("[outcomes.strength]", f"[covariates.arm]\n{where}\n\n[outcomes.strength]", 1))


def test_markup_is_text_everywhere_it_is_shown(run, tmp_path):
    bold = "[bold red]<script>alert(1)</script>[/bold red]"
    study = SMALL.replace('title = "Small"', f'title = "{bold}"').replace('label = "CPK"', f'label = "{bold}"')
    (tmp_path / "mine.toml").write_text(study)
    table = to_csv(parse_study(SMALL), simulate_scenario(parse_study(SMALL), "improves", 1).cohort)
    (tmp_path / "t.csv").write_text(table)
    result = run("validate", "mine.toml", "t.csv")
    assert result.code == 0
    assert result.out.count(bold) >= 2
    assert "\x1b" not in result.out
    assert run("validate", "mine.toml", "t.csv", "--json").out.isascii()


# --- no cell is told

SECRET = "Mustermann-1961-05-04"


@pytest.mark.parametrize("debug", ["", "1"])
def test_a_bug_of_ours_shows_no_cell(tmp_path, debug):
    (tmp_path / "t.csv").write_text(f"patient,month,mrc,cpk,steroid,note\n{SECRET},0,3,900,40,{SECRET}\n")
    code = (
        "import bayesmyo.cohort.read as r, bayesmyo.cohort as c, sys\n"
        "def broken(*a, **k): raise RuntimeError(open(sys.argv[-1]).read()) from KeyError(open(sys.argv[-1]).read())\n"
        "r.account = broken\n"
        f"sys.argv = ['bayesmyo', 'validate', 'ivig', {str(tmp_path / 't.csv')!r}]\n"
        "from bayesmyo.cli import main; main()"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False,
        env={"BAYESMYO_DEBUG": debug, "PATH": ""}, cwd=ROOT
    )  # fmt: skip
    assert run.returncode == 70
    assert "(RuntimeError)" in run.stderr
    assert ("in broken" in run.stderr) == bool(debug)
    assert ("Traceback" in run.stderr) == bool(debug)
    assert SECRET not in run.stdout + run.stderr
    assert read.account is not None


def test_identifying_columns_are_refused_and_once_allowed_never_shown(tmp_path):
    text = f"patient,month,strength,cpk,surname,contact\nA,0,50,900,{SECRET},a@b.org\nA,1,x,90,{SECRET},\n"
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(Exception, match=r'column "surname" identifies people') as refused:
        read_cohort(parse_study(SMALL), tmp_path / "t.csv")
    assert 'column "contact" holds e-mail addresses' in str(refused.value)
    allowed = parse_study(SMALL.replace("[study]", '[data]\nidentifying = ["surname", "contact"]\n[study]'))
    with pytest.raises(Exception, match='got "x"') as shown:
        read_cohort(allowed, tmp_path / "t.csv")
    assert SECRET not in str(refused.value) + str(shown.value)
    assert "a@b.org" not in str(refused.value) + str(shown.value)


def test_no_date_is_kept(run, files, tmp_path):
    text = (ROOT / "models" / "ivig.toml").read_text()
    dated = re.sub(
        r'time = \{ column = "month"', 'time = { date = "DD/MM/YYYY", since = "began", column = "visit"', text
    )
    assert dated != text
    (tmp_path / "mine.toml").write_text(dated)
    days = ["17/03/2019", "21/06/2019", "30/09/2019"]
    rows = "".join(f"P{n},{day},3.{n},{900 + n},{40 - n},11/03/2019\n" for n in range(4) for day in days)
    (tmp_path / "t.csv").write_text("patient,visit,mrc,cpk,steroid,began\n" + rows)
    fitted = run("fit", "mine.toml", "t.csv", "-o", "fit.nc", *MOCK)
    assert fitted.code == 1
    stored = files()["fit.nc"]
    for day in [*days, "11/03/2019", "2019", "737"]:
        assert day not in fitted.out + fitted.err
    for day in [*days, "2019-03", "11/03"]:
        assert day.encode() not in stored


def test_the_limits_that_security_states_are_those_that_are_held():
    page = (ROOT / "SECURITY.md").read_text()
    row = next(line for line in page.splitlines() if line.startswith("| a file that exhausts the machine"))
    stated = [int(number.replace(",", "")) for number in re.findall(r"[0-9]{1,3}(?:,[0-9]{3})+", row)]
    assert stated == [
        limits.TABLE_BYTES, limits.CELLS, limits.COLUMNS, limits.CELL, limits.WORKBOOK_CELLS, limits.WORKBOOK_INFLATED,
        limits.PARQUET_CELLS, limits.PARQUET_INFLATED, limits.STUDY_BYTES, limits.FIT_BYTES,
    ]  # fmt: skip
    assert f"at most {limits.STUDY_MOST_OF['outcomes']} outcomes" in row
    assert f"greets within {limits.ANSWER} seconds" in page


FORMATS = {  # texts of ours
    ("report/paper/word.py", "PAGE"),
    ("report/protocol/looks.py", "AHEAD"),
    ("study/template.py", "TEMPLATE"),
}


@pytest.mark.parametrize("name", SOURCES)
def test_no_text_of_the_user_is_a_format(name):
    """`format` and `%` are only asked of texts that stand in the source, as they stand there."""
    for node in ast.walk(SOURCES[name]):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in ("format", "format_map")
        ):
            text = node.func.value
            if isinstance(text, ast.Call):  # Markup("...")
                (text,) = text.args
            assert isinstance(text, ast.Constant) or (name, ast.unparse(text)) in FORMATS, ast.unparse(node)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
            assert not isinstance(node.left, ast.Constant | ast.JoinedStr) or isinstance(
                node.left.value, int | float
            ), ast.unparse(node)
    assert not {"Template", "from_string"} & {
        n.attr if isinstance(n, ast.Attribute) else n.id
        for n in ast.walk(SOURCES[name])
        if isinstance(n, ast.Attribute | ast.Name)
    }


def test_every_test_that_security_names_is_there():
    page = (ROOT / "SECURITY.md").read_text()
    named = set(re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", page))
    assert len(named) > 10
    for path, test in named:
        assert (ROOT / path).is_file(), path
        assert f"def {test}" in (ROOT / path).read_text() or not test, test
