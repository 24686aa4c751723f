"""The door, as a user meets it: what is typed, what is printed, what is written, and the exit code."""

import re
import subprocess
import sys
from itertools import pairwise

import pytest

from bayesmyo._version import __version__
from bayesmyo.assess.checks import CHECKS
from bayesmyo.inference.store import load_fit, save_fit
from bayesmyo.report import answered
from bayesmyo.report.terminal import show
from tests.conftest import DATA, MOCK, MODELS, Result
from tests.test_layers import HEAVY

ESTIMATE_KEYS = {
    "name",
    "kind",
    "outcome",
    "unit",
    "population",
    "mean",
    "sd",
    "median",
    "lower",
    "upper",
    "interval",
    "mcse",
    "ess",
    "probability",
    "sentence",
    "withheld",
    "verdict",
    "predicts",
    "summary",
    "given",
    "contrast",
    "outcomes",
    "mcse_median",
    "mcse_lower",
    "mcse_upper",
}
TIME_KEYS = {"level": {"at"}, "share": {"from", "at"}, "time to": {"within"}}  # fmt: skip


@pytest.fixture(scope="module")
def mock_file(mock_fit, tmp_path_factory):
    path = tmp_path_factory.mktemp("fits") / "mock.nc"
    save_fit(mock_fit, path)
    return path


@pytest.fixture(scope="module")
def good_file(good_fit, tmp_path_factory):
    path = tmp_path_factory.mktemp("fits") / "good.nc"
    save_fit(good_fit, path)
    return path


# --- help and version


def test_without_words_the_door_explains_itself(run):
    result = run()
    assert result.code == 2
    assert "Usage: bayesmyo [OPTIONS] COMMAND" in result.out + result.err


def test_version(run):
    assert run("--version") == Result(0, f"{__version__}\n", "")


@pytest.mark.parametrize("command", ["studies", "init", "validate", "simulate", "fit", "check", "estimate"])
def test_every_command_has_help(run, command):
    result = run(command, "--help")
    assert result.code == 0
    assert result.out.startswith(f"Usage: bayesmyo {command} ")
    assert result.err == ""


# --- studies, validate


def test_studies(run, snapshot):
    result = run("studies")
    assert (result.code, result.err) == (0, "")
    assert result.out == snapshot


def test_studies_as_json(run):
    result = run("studies", "--json")
    assert (result.code, result.err) == (0, "")
    assert result.json.keys() == {"schema_version", "studies"}
    found = {s["name"]: s for s in result.json["studies"]}
    assert found.keys() == {p.stem for p in MODELS.glob("*.toml")}
    assert found["ivig"].keys() == {"name", "title", "outcomes", "scenarios"}
    assert found["ivig"]["scenarios"] == ["paper", "half", "null", "published"]


def test_validate_a_study(run, snapshot):
    result = run("validate", "ivig")
    assert (result.code, result.err) == (0, "")
    assert result.out == snapshot


def test_validate_a_table(run):
    result = run("validate", "ivig", DATA / "ivig.csv")
    assert (result.code, result.err) == (0, "")
    assert "ivig.csv: 327 rows in = 327 used + 0 set aside; 23 patients." in result.out


def test_validate_as_json(run):
    alone, with_data = run("validate", "ivig", "--json"), run("validate", "ivig", DATA / "ivig.csv", "--json")
    assert (alone.code, with_data.code, alone.err, with_data.err) == (0, 0, "", "")
    assert alone.json.keys() == with_data.json.keys() == {"schema_version", "usable", "study", "cohort"}
    assert alone.json["study"] == with_data.json["study"]
    assert alone.json["cohort"] is None
    cohort = with_data.json["cohort"]
    assert cohort.keys() == {
        "source",
        "sha256",
        "patients",
        "rows",
        "used",
        "set_aside",
        "outcomes",
        "word",
        "levels",
        "notices",
    }
    assert (cohort["patients"], cohort["rows"], cohort["used"]) == (23, 327, 327)
    assert [o["name"] for o in alone.json["study"]["outcomes"]] == ["mrc", "cpk", "steroid"]


def test_validate_writes_the_table_as_it_was_read(run, files):
    result = run("validate", "ivig", DATA / "ivig.csv", "--write", "clean.csv")
    assert (result.code, result.err) == (0, "")
    assert result.out.endswith("Wrote clean.csv: 23 patients as they were read, by their pseudonyms.\n")
    written = files()["clean.csv"].decode().splitlines()
    assert written[0] == "patient,month,mrc,cpk,cpk_value,cpk_censored,cpk_upper,steroid"
    assert len(written) == 328
    assert run("validate", "ivig", "clean.csv").code == 0


def test_validate_overwrites_no_table(run, tmp_path):
    table = tmp_path / "ivig.csv"
    table.write_bytes((DATA / "ivig.csv").read_bytes())
    before = table.read_bytes()
    for words in (("--write", table), ("--write", table, "--force")):
        assert run("validate", "ivig", table, *words).code == 2
    (tmp_path / "there.csv").write_text("mine")
    assert "exists already" in run("validate", "ivig", table, "--write", tmp_path / "there.csv").err
    assert (tmp_path / "there.csv").read_text() == "mine"
    assert table.read_bytes() == before
    assert "writes a table as it was read" in run("validate", "ivig", "--write", "new.csv").err


def test_nothing_is_written_of_a_table_that_cannot_be_used(run, files, tmp_path):
    (tmp_path / "bad.csv").write_text("patient,month,mrc,cpk,steroid\nA,0,9,100,0\n")
    assert run("validate", "ivig", tmp_path / "bad.csv", "--write", "clean.csv").code == 2
    assert "clean.csv" not in files()


# --- from an empty folder to a fit


def test_the_way_from_init_to_a_fit(run, files):
    assert run("init", "mine").code == 0
    assert files().keys() == {"mine.toml", "mine.csv"}
    assert run("validate", "mine.toml", "mine.csv").code == 0
    result = run("simulate", "mine.toml", "-o", "new.csv", "--patients", 9, "--seed", 5)
    assert result.code == 0
    assert result.out.startswith("Wrote new.csv: 9 patients, ")
    assert run("validate", "mine.toml", "new.csv", "--json").json["cohort"]["patients"] == 9
    result = run("fit", "mine.toml", "new.csv", "-o", "fit.nc", *MOCK)
    assert result.code == 1
    assert files().keys() == {"mine.toml", "mine.csv", "new.csv", "fit.nc"}
    assert run("check", "fit.nc").code == 1
    assert run("estimate", "fit.nc").code == 1


def test_init_takes_the_name_with_or_without_its_ending(run, files):
    assert run("init", "mine.toml").out == run("init", "mine", "--force").out
    assert files().keys() == {"mine.toml", "mine.csv"}


@pytest.mark.parametrize("name", ["", "..", "../mine", "/tmp/mine", ".mine", 'a"b', "a\\b", "a\nb", "a\x1b[31mb"])
def test_init_refuses_what_is_no_plain_name(run, files, name):
    result = run("init", name)
    assert result.code == 2
    assert result.err.startswith("NAME: must be a plain file name")
    assert not result.err.count("\x1b")
    assert not files()


def test_simulate_again_gives_the_same_table_and_another_seed_another(run, files):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        run("simulate", "ivig", "-o", f"{name}.csv", "--seed", seed)
    found = files()
    assert found["a.csv"] == found["b.csv"] != found["c.csv"]


def test_simulate_says_what_no_clinic_could_have_recorded_and_validate_reads_it(run):
    said = run("simulate", "ivig-paper", "-o", "new.csv", "--seed", 18)
    assert said.code == 0
    assert (
        "\nNote: Mean MRC grade: 7 of 393 simulated values lay outside 0 to 7 grade, which the family gaussian allows"
        in said.out
    )
    assert run("validate", "ivig-paper", "new.csv").code == 0


def test_simulate_takes_the_first_scenario_unless_another_is_named(run, files):
    for name, words in (("a", ()), ("b", ("--scenario", "paper")), ("c", ("--scenario", "null"))):
        run("simulate", "ivig", "-o", f"{name}.csv", *words)
    found = files()
    assert found["a.csv"] == found["b.csv"] != found["c.csv"]


def test_simulate_writes_in_the_format_that_the_study_declares(run, files):
    run("init", "mine")
    text = files()["mine.toml"].decode()
    form = '[data]\ndelimiter = ";"\ndecimal = ","\nencoding = "utf-16"\n'
    with open("other.toml", "w") as out:
        out.write(form + text)
    assert run("simulate", "other.toml", "-o", "other.csv").code == 0
    assert run("validate", "other.toml", "other.csv").code == 0


# --- fit, check, estimate


def test_a_mock_fit_withholds_its_numbers_and_its_sentences(run):
    result = run("fit", "ivig", DATA / "ivig.csv", "-o", "fit.nc", *MOCK)
    reason = "The engine mock does not draw from the posterior: fit again with --engine nuts."
    assert result.code == 1
    assert result.err == f"Not trustworthy (convergence): {reason}\n"
    lines = result.out.splitlines()
    assert lines[0] == "ivig.csv: 327 rows in = 327 used + 0 set aside; 23 patients."
    for name in ("mrc_change_12 ", "cpk_12_new "):  # no number but the effective draws
        assert any(re.match(rf"{name} *withheld +- ", line) for line in lines)
    below = {line.split()[0]: following for line, following in pairwise(lines) if line}
    assert "population average" in below["mrc_change_12"]
    assert "measurement" in below["cpk_12_new"]
    assert [line for line in lines if line.startswith("- ")] == [f"- withheld: {reason}"]


def test_a_fit_as_json(run):
    result = run("fit", "ivig", DATA / "ivig.csv", "-o", "fit.nc", *MOCK, "--json")
    assert result.code == 1
    assert result.err.startswith("Not trustworthy (convergence)")
    assert result.json.keys() == {"schema_version", "fit", "passed", "estimates"}
    assert result.json["passed"] is False
    assert result.json["fit"]["path"] == "fit.nc"
    assert load_fit("fit.nc").sampling["draws"] == 40
    assert result.json["fit"]["sampling"] == load_fit("fit.nc").sampling
    assert result.json["estimates"] == run("estimate", "fit.nc", "--json").json["estimates"]


def test_options_of_a_fit_reach_it(run):
    run(
        "fit",
        "ivig",
        DATA / "ivig.csv",
        "-o",
        "fit.nc",
        *MOCK,
        "--seed",
        7,
        "--tune",
        3,
        "--target-accept",
        0.8,
        "--adaptation",
        "low_rank",
    )
    fit = load_fit("fit.nc")
    assert (fit.engine, fit.seed) == ("mock", 7)
    asked = {"draws": 40, "tune": 3, "chains": 2, "target_accept": 0.8, "adaptation": "low_rank"}
    assert fit.sampling == asked | {"every": 1, "attempts": 1}


def test_check_of_a_good_fit(run, good_file):
    result = run("check", good_file, "--tables")
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith("passed  convergence: The chains agree: R-hat at most 1.00")
    assert re.search(r"^cpk.start +parameter +1\.00\d ", result.out, re.MULTILINE), (
        "three significant digits hide an R-hat"
    )


def test_check_of_a_mock_fit(run, mock_file):
    result = run("check", mock_file)
    assert result.code == 1
    assert result.out.startswith("FAILED  convergence: The engine mock does not draw")


@pytest.mark.parametrize(("file", "passed"), [("good_file", True), ("mock_file", False)])
def test_check_as_json(run, request, file, passed):
    result = run("check", request.getfixturevalue(file), "--json")
    assert (result.code, result.err) == (int(not passed), "")
    assert result.json.keys() == {"schema_version", "passed", "checks"}
    assert result.json["passed"] is passed
    checks = result.json["checks"]
    assert [c["name"] for c in checks] == [c.name for c in CHECKS]
    assert all(c.keys() == {"name", "passed", "sentence", "who", "table"} for c in checks)
    assert checks[0]["table"][0].keys() == {"quantity", "kind", "rhat", "ess_bulk", "ess_tail"}


def test_estimate_of_a_good_fit(run, good_file):
    result = run("estimate", good_file)
    assert (result.code, result.err) == (0, "")
    assert (
        "- On average over all such patients (geometric mean), the ratio of CPK at month 12 to month 0 is 0.2"
        in result.out
    )


@pytest.mark.parametrize(
    ("words", "what", "keys"),
    [
        ((), "estimates", ESTIMATE_KEYS),
        (
            ("--parameters",),
            "parameters",
            {"name", "outcome", "unit", "mean", "sd", "median", "lower", "upper", "mcse", "ess_bulk", "ess_tail",
             "rhat",
             "prior", "prior_lower", "prior_upper", "mcse_sd", "mcse_median", "mcse_lower", "mcse_upper"},
        ),
        (("--decisions",), "decisions",
         {"name", "kind", "estimand", "outcomes", "met", "probability", "margin", "mcse", "ess", "sentence", "verdict",
          "withheld"}),
        (
            ("--correlations",),
            "correlations",
            {"first", "second", "median", "lower", "upper", "interval", "prior_lower", "prior_upper",
             "prior_median", "verdict", "sentence",
             "withheld"},
        ),
    ],
)  # fmt: skip
@pytest.mark.parametrize(("file", "passed"), [("good_file", True), ("mock_file", False)])
def test_estimate_as_json(run, request, file, passed, words, what, keys):
    result = run("estimate", request.getfixturevalue(file), *words, "--json")
    assert result.code == int(not passed)
    assert (result.err == "") is passed
    assert result.json.keys() == {"schema_version", "passed", what}
    assert result.json["schema_version"] == 1
    assert result.json["passed"] is passed
    for row in result.json[what]:
        assert row.keys() - {"at", "from", "to", "within"} == keys
        if what == "estimates":
            assert row.keys() - keys == TIME_KEYS.get(row["kind"], {"from", "to"})
        assert "sentence" not in keys or row["sentence"].startswith("withheld: ") is row["withheld"] is not passed


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (("--parameters",), r"prior's 95% interval"),
        (("--decisions",), r"^- The probability that"),
        (("--correlations",), r"^patients' own +and +r +95% interval +prior's 95% interval$"),
        (
            ("--correlations",),
            r"^strength start +strength change +-0\.4\d* +-0\.4\d* to -0\.3\d* +-0\.8\d* to 0\.8\d* *$",
        ),
        (("--correlations",), r"^- Patients who start higher in strength improve less in strength: r = -0\.4"),
    ],
)
def test_parameters_decisions_and_correlations_as_text(run, good_file, words, shown):
    result = run("estimate", good_file, *words)
    assert (result.code, result.err) == (0, "")
    assert re.search(shown, result.out, re.MULTILINE)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("parameters", "decisions"),
        ("parameters", "correlations"),
        ("decisions", "correlations"),
        ("decisions", "responses"),
        ("correlations", "responses"),
    ],
)
def test_parameters_decisions_and_correlations_are_asked_for_one_at_a_time(run, good_file, first, second):
    for words in ((f"--{first}", f"--{second}"), (f"--{second}", f"--{first}", "--json")):
        result = run("estimate", good_file, *words)
        assert (result.code, result.out) == (2, "")
        assert result.err == f"--{first}: and --{second} do not go together; ask for one at a time.\n"


def test_responses_as_text_and_as_json(run, mock_file):
    text, document = run("estimate", mock_file, "--responses"), run("estimate", mock_file, "--responses", "--json")
    assert (text.code, document.code) == (1, 1)
    assert "standard (the study's own rule): near-normal strength, normal CPK, low dose" in text.out
    assert "- withheld: " in text.out
    assert text.out.count("Note: A plateau cannot relapse") == 1
    tables = [line.rstrip() for line in text.out.splitlines() if not line.startswith(("- ", "Note: "))]
    assert max(map(len, tables)) <= 80
    assert re.search(r"^remission +withheld +- +- +- *$", text.out, re.MULTILINE)
    assert re.search(r"^P01 +\d\S* +(measured|\S.* predicted) +withheld( +-){2} *$", text.out, re.MULTILINE)
    rules = {r["name"]: r for r in document.json["responses"]}
    assert rules.keys() == {"standard", "strict", "lenient"}
    for r in rules.values():
        assert [c["name"] for c in r["categories"]] == ["remission", "partial", "refractory"]
        assert len(r["by_patient"]) == r["patients"] == 23
        assert all(c["best"] - c["worst"] == r["not_seen"] for c in r["categories"])
        assert all(c["withheld"] for c in r["categories"])


def test_a_study_without_estimands_says_what_else_can_be_printed(small, capsys):
    show(*answered.estimates([], small))
    said = "The study declares no estimands; `bayesmyo estimate FIT --parameters` prints the parameters."
    assert " ".join(capsys.readouterr().out.split()) == said


def test_a_study_without_rules_of_response_says_so(run, good_file):
    assert "The study declares no responses." in run("estimate", good_file, "--responses").out
    assert run("estimate", good_file, "--responses", "--json").json["responses"] == []


def test_correlations_across_outcomes_are_withheld_where_a_check_fails(run, mock_file):
    result = run("estimate", mock_file, "--correlations", "--json")
    assert result.code == 1
    rows = result.json["correlations"]
    assert len(rows) == 15  # of a start and a change in each of three outcomes
    assert {(r["first"], r["second"]) for r in rows} >= {("mrc change", "cpk change"), ("cpk start", "steroid change")}
    assert all(-1 <= r["lower"] <= r["median"] <= r["upper"] <= 1 for r in rows)
    assert all(-1 <= r["prior_lower"] < r["prior_upper"] <= 1 for r in rows)
    assert {r["interval"] for r in rows} == {0.95}


# --- what the priors believe


def test_check_of_priors(run, snapshot):
    result = run("check", "ivig", "--prior")
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith("passed  prior predictive: At least 85% of patients drawn from the priors look like")
    assert result.out == snapshot


def test_check_of_priors_as_json(run):
    result = run("check", "ivig", "--prior", "--json")
    assert (result.code, result.err) == (0, "")
    assert result.json.keys() == {"schema_version", "passed", "checks"}
    (check,) = result.json["checks"]
    assert (check["name"], check["passed"]) == ("prior predictive", True)
    assert [(r["outcome"], r["time"]) for r in check["table"]] == [
        (o, t) for o in ("mrc", "cpk", "steroid") for t in (0, 6, 24)
    ]
    assert check["table"][0].keys() == {
        "outcome", "time", "unit", "median", "lower", "upper", "plausible", "at_lower", "at_upper",
    }  # fmt: skip
    assert [r["at_lower"] is None for r in check["table"]] == [False] * 3 + [True] * 3 + [False] * 3


def test_check_of_priors_has_a_seed(run):
    one, again, other = (run("check", "ivig", "--prior", "--seed", seed).out for seed in (1, 1, 2))
    assert one == again != other


@pytest.mark.parametrize("wide", ["scale = 15  ", 'scale = 2.5\npriors = { start = "normal(7, 1000)" }  '])
def test_check_of_priors_that_no_patient_has(run, tmp_path, wide):
    text = (MODELS / "ivig.toml").read_text()
    (tmp_path / "mine.toml").write_text(text.replace("scale = 2.5  ", wide))
    result, as_json = run("check", "mine.toml", "--prior"), run("check", "mine.toml", "--prior", "--json")
    assert (result.code, as_json.code, result.err, as_json.err) == (1, 1, "", "")
    assert result.out.startswith("FAILED  prior predictive: Only ")
    assert as_json.json["passed"] is False


def test_check_of_priors_takes_a_study_and_no_fit(run, good_file):
    assert run("check", "ivgi", "--prior").code == 2
    assert run("check", good_file, "--prior").code == 2
    assert run("check", "ivig").code == 4


# --- in a process of its own

LIGHT = f"""
import sys
from bayesmyo.cli import main
try:
    main()
except SystemExit as stopped:
    print(stopped.code, *sorted({HEAVY!r} & sys.modules.keys()), file=sys.stderr)
"""


@pytest.mark.parametrize(
    "words",
    [["--help"], ["fit", "--help"], ["studies"], ["init", "mine"], ["validate", "ivig", DATA / "ivig.csv"],
     ["simulate", "ivig", "-o", "out.csv"]],
)  # fmt: skip
def test_what_needs_no_fit_loads_nothing_heavy(tmp_path, words):
    run = subprocess.run(
        [sys.executable, "-c", LIGHT, *words], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert run.stderr == "0\n"


def test_python_m_bayesmyo_is_the_same_door(tmp_path):
    run = subprocess.run(
        [sys.executable, "-m", "bayesmyo", "--help"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert run.stdout.startswith("Usage: bayesmyo [OPTIONS] COMMAND [ARGS]...")
