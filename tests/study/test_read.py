"""TOML -> Study: what is accepted survives a round trip, what is not is named, all of it at once."""

import re
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bayesmyo.errors import StudyError
from bayesmyo.limits import STUDY_BYTES
from bayesmyo.study import find_study, parse_study, read_study, studies
from bayesmyo.study.predictors import effects
from bayesmyo.study.write import study_hash, to_toml
from tests.conftest import MODELS, SMALL
from tests.study.everything import EVERYTHING

BUNDLED = {path.stem: path.read_text() for path in sorted(MODELS.glob("*.toml"))}
EVERY = pytest.mark.parametrize("text", [*BUNDLED.values(), SMALL, EVERYTHING], ids=[*BUNDLED, "small", "everything"])


def faults(text):
    """The faults of a study as text, by where they are."""
    with pytest.raises(StudyError) as caught:
        parse_study(text)
    return {fault.where: str(fault) for fault in caught.value.faults}


def changed(old, new, text=SMALL):
    assert text.count(old) >= 1, f"{old} is not in the study"
    return text.replace(old, new, 1)


# --- what is accepted


@EVERY
def test_a_study_survives_a_round_trip(text):
    study = parse_study(text)
    again = parse_study(to_toml(study))
    assert again == study
    assert study_hash(again) == study_hash(study)


@EVERY
def test_comments_and_layout_do_not_change_the_hash(text):
    loose = "# first\n" + re.sub(r"(?m)^(\w+) = ", r"\1   =   ", text).replace("\n\n", "\n# between\n\n").replace(
        "\n", "\r\n"
    )
    assert study_hash(parse_study(loose)) == study_hash(parse_study(text))


def test_a_number_changes_the_hash():
    assert study_hash(parse_study(changed("typical = 1200", "typical = 1201"))) != study_hash(parse_study(SMALL))


def test_the_text_is_kept_word_for_word():
    assert parse_study(SMALL + "# last").text == SMALL + "# last"


def test_bundled_studies_are_found_by_name_and_by_path():
    assert set(studies()) == set(BUNDLED)
    assert find_study("ivig") == read_study(MODELS / "ivig.toml") == find_study(str(MODELS / "ivig.toml"))


def test_what_is_left_out_takes_its_default():
    study = parse_study(SMALL)
    assert (study.interval, study.correlate, study.data.missing) == (0.95, "within outcomes", ("NA",))
    assert (study.correlation_prior, study.covariates) == ("lkj(2)", {})
    assert [e.key for e in effects(study, "cpk")] == ["start", "asymptote"]
    assert study.estimands["cpk_ratio_12"].population == "population average"


def test_the_scale_of_a_log_outcome_is_on_the_log():
    scale = parse_study(SMALL).scale("cpk")
    assert (scale.typical, scale.spread) == (pytest.approx(7.0900768), pytest.approx(0.9162907))


# --- what is refused


MANY = """
colour = "red"

[study]
title = 2020-01-01
patient = "patient"
time = { column = "month", unit = "month", typical = "long" }
interval = 95
corelate = "none"

[data]
delimiter = ";;"
encoding = "klingon"

[outcomes.mrc]
column = "month"
unit = "grade"
better = "hihger"
typical = nan
scale = 0.7
family = { kind = "gausian" }
trajectory = { kind = "plateau", orign = 1 }

[outcomes.cpk]
column = "cpk"
unit = "IU/L"
better = "lower"
typical = 1200
scale = 0.5
minimum = 10
maximum = 5
family = { kind = "lognormal" }
trajectory = { kind = "plateau" }

[outcomes.Dose]
column = "dose"
unit = "mg"
better = "lower"
typical = inf
family = { kind = "student_t" }

[estimands.one]
kind = "chnage"
outcome = "cpk"

[estimands.two]
kind = "ratio"
outcome = "cpx"
from = 12
to = 0
predicts = "measurement"

[decisions.go]
kind = "probability"
estimand = "tow"
probability = 90

[design]
patients = 2.5
follow_up = { mean = 44, sd = 36 }
visits = { first = [0, 1], then_every = true }
"""

EVERY_FAULT = {
    "colour": "is not a key here; allowed: study, data",
    "study.title": "cannot be a date or a time",
    "study.time.typical": 'must be a number; got "long"',
    "study.interval": "must lie between 0 and 1; got 95",
    "study.corelate": 'did you mean "correlate"?',
    "data.delimiter": "must be one character",
    "data.encoding": "is not an encoding; got 'klingon'",
    "outcomes.mrc.better": 'did you mean "higher"?',
    "outcomes.mrc.typical": "must be a finite number; got NaN",
    "outcomes.mrc.family.kind": 'is unknown; got "gausian"; did you mean "gaussian"?',
    "outcomes.mrc.trajectory.orign": 'did you mean "origin"?',
    "outcomes.cpk.scale": "must be a ratio above 1",
    "outcomes.cpk.maximum": "must be above the minimum, 10; got 5",
    "outcomes.cpk.typical": "lies outside minimum to maximum",
    "outcomes.Dose": "is not a usable name",
    "outcomes.Dose.typical": "must be a finite number; got Infinity",
    "outcomes.Dose.scale": "is missing",
    "outcomes.Dose.trajectory": "is missing",
    "estimands.one.kind": 'did you mean "change"?',
    "estimands.two.outcome": 'is not an outcome of this study; got "cpx"; did you mean "cpk"?',
    "estimands.two.to": "must come after from, 12; got 0",
    "estimands.two.predicts": "a measurement is predicted for a new patient only",
    "decisions.go.estimand": 'did you mean "two"?',
    "decisions.go": "give exactly one of above and below",
    "decisions.go.probability": "must lie between 0 and 1; got 90",
    "design.patients": "must be a whole number; got 2.5",
    "design.follow_up.maximum": "is missing",
    "design.visits.then_every": "must be a number; got true",
}  # fmt: skip


def test_all_faults_of_a_study_are_named_at_once():
    found = faults(MANY)
    missed = {where: what for where, what in EVERY_FAULT.items() if what not in found.get(where, "")}
    assert not missed


def test_the_message_numbers_the_faults_and_names_the_file(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(changed("typical = 50", 'typical = "50"').replace("scale = 2.5", "scale = 1"))
    with pytest.raises(StudyError) as caught:
        read_study(path)
    first, second, third = str(caught.value).splitlines()
    assert first == "mine.toml: 2 faults"
    assert second.startswith('  1. outcomes.strength.typical: must be a number; got "50"')
    assert third.startswith("  2. outcomes.cpk.scale: must be a ratio above 1")


@pytest.mark.parametrize(
    ("old", "new", "where", "what"),
    [
        ("typical = 50", 'typical = "50"', "outcomes.strength.typical", 'must be a number; got "50"'),
        ("typical = 50", "typical = inf", "outcomes.strength.typical", "must be a finite number"),
        ("typical = 50", "typical = true", "outcomes.strength.typical", "must be a number"),
        ("typical = 50", "typical = 2020-01-01", "outcomes.strength.typical", "cannot be a date"),
        ("typical = 50", "typical = 1" + "0" * 400, "outcomes.strength.typical", "must be a finite number"),
        ("typical = 50", "typical = 101", "outcomes.strength.typical", "lies outside minimum to maximum"),
        ("typical = 1200", "typical = -1", "outcomes.cpk.typical", "must be a positive number"),
        ("scale = 10", "scale = 0", "outcomes.strength.scale", "must be positive"),
        ('label = "CPK"', "label = 5", "outcomes.cpk.label", "must be text"),
        ('label = "CPK"', 'labell = "CPK"', "outcomes.cpk.labell", 'did you mean "label"?'),
        ('better = "lower"', 'better = "down"', "outcomes.cpk.better", "allowed: higher, lower"),
        ('kind = "linear"', 'kind = "linaer"', "outcomes.strength.trajectory.kind", 'did you mean "linear"?'),
        ('{ kind = "linear" }', '{ origin = 1 }', "outcomes.strength.trajectory", "needs a kind"),
        ('{ kind = "linear" }', '"linear"', "outcomes.strength.trajectory", 'write { kind = "constant" }'),
        ('kind = "gaussian"', 'kind = ["gaussian"]', "outcomes.strength.family.kind", "is unknown"),
        ('kind = "ratio"', 'kind = "odds"', "estimands.cpk_ratio_12.kind", "allowed: level, change, ratio, slope"),
        ('outcome = "cpk"', 'outcome = "ck"', "estimands.cpk_ratio_12.outcome", 'did you mean "cpk"?'),
        ("from = 0\n", "", "estimands.cpk_ratio_12.from", "is missing"),
        ("to = 12", "to = 12\nat = 12", "estimands.cpk_ratio_12.at", "is not a key here"),
        ("to = 12", "to = 12\nabove = 1\nbelow = 1", "estimands.cpk_ratio_12", "above or below, not both"),
        ("below = 0.5", "below = 0.5\nabove = 1", "decisions.cpk_halved", "exactly one of above and below"),
        ("patients = 12", "patients = 0", "design.patients", "must be positive"),
        ("first = [0, 1, 3]", "first = [0, 3, 1]", "design.visits.first", "must list increasing times"),
        ("first = [0, 1, 3]", 'first = [0, "1", 3]', "design.visits.first.1", 'must be a number; got "1"'),
        ("jitter = 0.3", "jitter = -1", "design.visits.jitter", "must not be negative"),
        ('column = "cpk"', 'column = "strength"', "outcomes.cpk.column", "is the same column as outcomes.strength"),
        ("[outcomes.cpk]", "[outcomes.time]", "outcomes.time", "is a reserved word"),
        ("[outcomes.cpk]", '[outcomes."a/b"]', "outcomes.a/b", "is not a usable name"),
        ('time = { column = "month"', 'time = { colum = "month"', "study.time.colum", 'did you mean "column"?'),
        ("typical = 24", "typical = 0", "study.time.typical", "must be positive"),
        ("[study]", '[data]\nencoding = "rot13"\n[study]', "data.encoding", "is not an encoding"),
        ("[study]", '[data]\nencoding = "a\\u0000b"\n[study]', "data.encoding", "holds a control character"),
        ("[study]", '[data]\ndelimiter = ","\ndecimal = ","\n[study]', "data.decimal", "is also the delimiter"),
    ],
)  # fmt: skip
def test_one_fault(old, new, where, what):
    assert what in faults(changed(old, new)).get(where, "not found")


@pytest.mark.parametrize(
    ("line", "where", "what"),
    [
        ('effects = ["start", "origin"]', "effects", 'patients cannot differ in it; got "origin"'),
        ('effects = ["strat"]', "effects", 'did you mean "start"?'),
        ('effects = "start"', "effects", "must be a list"),
        ('priors = { start = "normal(0)" }', "priors.start", "normal takes 2 arguments"),
        ('priors = { start = 7 }', "priors.start", "must be text"),
        ('priors = { strat = "normal(0, 1)" }', "priors.strat", 'did you mean "start"?'),
        ('priors = { sigma = "normal(0, 1)" }', "priors.sigma", "has the wrong support"),
        ('priors = { sigma = "normal(0, 0.3)" }', "priors.sigma",
         'a positive one is needed; did you mean "halfnormal(0.3)"?'),
        ('priors = { sd_start = "student_t(3, 0, 2.5)" }', "priors.sd_start", 'did you mean "half_student_t(3, 2.5)"?'),
        ('priors = { sigma = "normal(1, 0.3)" }', "priors.sigma",
         'a positive one is needed, such as "normal(1, 0.3) T[0, ]"'),
        ('priors = { sigma = "half_normal(1)" }', "priors.sigma",
         'unknown distribution "half_normal" (did you mean "halfnormal"?)'),
        ('priors = { half_time = "normal(3, 1)" }', "priors.half_time",
         'a positive one is needed, such as "lognormal(1.1, 0.5)"'),
        ('priors = { correlation = "normal(0, 1)" }', "priors.correlation", 'write "lkj(2)"'),
        ('censoring = "yes"', "censoring", "is not one of the words it can be"),
    ],
)  # fmt: skip
def test_a_fault_in_effects_priors_or_censoring(line, where, what):
    text = changed('trajectory = { kind = "plateau" }', 'trajectory = { kind = "plateau" }\n' + line)
    found = " ".join(text for at, text in faults(text).items() if at.startswith(f"outcomes.cpk.{where}"))
    assert what in found


def test_a_positive_prior_may_describe_a_level():
    text = changed(
        'trajectory = { kind = "plateau" }', 'trajectory = { kind = "plateau" }\npriors = { start = "lognormal(2, 1)" }'
    )
    assert parse_study(text).outcomes["cpk"].priors == {"start": "lognormal(2, 1)"}


def test_student_t_may_be_censored_and_patients_may_differ_in_the_half_time():
    text = changed('family = { kind = "gaussian" }', 'family = { kind = "student_t" }\ncensoring = "as typed"')
    assert parse_study(text.split("[scenarios")[0]).outcomes["strength"].censoring == "as typed"
    text = changed('{ kind = "plateau" }', '{ kind = "plateau" }\neffects = ["start", "half_time"]')
    assert [e.key for e in effects(parse_study(text.split("[scenarios")[0]), "cpk")] == ["start", "half_time"]


def test_without_a_calendar_unit_and_a_typical_follow_up_the_half_time_needs_a_prior():
    found = faults(changed('unit = "month"', 'unit = "cycle"').replace(", typical = 24", "").split("[design]")[0])
    assert "has no default prior here" in found["outcomes.cpk.priors.half_time"]


def test_without_a_typical_follow_up_the_slope_needs_a_prior():
    text = changed(", typical = 24", "").split("[design]")[0]
    assert "study.time.typical" in faults(text)["outcomes.strength.priors.slope"]


def test_missing_tables_are_named():
    assert set(faults("")) == {"study", "outcomes"}
    assert {"study.title", "study.patient", "study.time", "outcomes"} <= set(faults("[study]\ninterval = 0.9"))


@pytest.mark.parametrize("name", ["outcomes", "estimands", "decisions", "scenarios"])
def test_a_list_is_no_table(name):
    assert "must hold tables" in faults(f"{name} = [1]\n[study]\ntitle = ''\npatient = ''")[name]


# --- scenarios


def scenario(text):
    return faults(SMALL + text)


def test_a_scenario_states_every_parameter():
    text = changed("sigma = 0.3\n", "") + "sgima = 0.3\n"
    found = faults(text)
    assert "is missing" in found["scenarios.improves.cpk.sigma"]
    assert 'did you mean "sigma"?' in found["scenarios.improves.cpk.sgima"]


@pytest.mark.parametrize(
    ("old", "new", "where", "what"),
    [
        ("start = 800", "start = -800", "start", "must be a positive number"),
        ("half_time = 3", "half_time = 0", "half_time", "must be positive"),
        ("sd_start = 0.8", "sd_start = -1", "sd_start", "must be positive"),
        ("correlation = 0.3", "correlation = 1", "correlation", "must lie between -1 and 1"),
        ("sigma = 0.3", 'sigma = "0.3"', "sigma", "must be a number"),
    ],
)  # fmt: skip
def test_a_scenario_states_what_can_be(old, new, where, what):
    assert what in faults(changed(old, new))[f"scenarios.improves.cpk.{where}"]


def test_a_change_on_the_log_scale_is_stated_as_a_positive_ratio():
    text = changed('kind = "plateau"', 'kind = "plateau", end = "change"').replace("asymptote", "change")
    assert parse_study(text.replace("change = 200", "change = 0.25"))
    found = faults(text.replace("change = 200", "change = -600"))
    assert "must be a positive ratio (1 is no change); got -600" in found["scenarios.improves.cpk.change"]


def test_a_scenario_takes_over_what_it_does_not_state():
    text = SMALL + '[scenarios.null]\nlike = "improves"\ncpk = { asymptote = 800 }\n'
    assert parse_study(text).scenarios["null"].values == {"cpk": {"asymptote": 800}}


def test_a_scenario_like_nobody():
    assert 'did you mean "improves"?' in scenario('[scenarios.null]\nlike = "improve"\n')["scenarios.null.like"]


def test_scenarios_that_go_round_in_a_circle():
    found = scenario('[scenarios.a]\nlike = "b"\n[scenarios.b]\nlike = "c"\n[scenarios.c]\nlike = "a"\n')
    assert "goes round in a circle; got a -> b -> c -> a" in found["scenarios.a.like"]
    assert "goes round in a circle; got a -> a" in scenario('[scenarios.a]\nlike = "a"\n')["scenarios.a.like"]


def test_a_scenario_like_a_faulty_one_has_no_fault_of_its_own():
    found = scenario('[scenarios.a]\nlike = "b"\n[scenarios.b]\nlike = "improves"\ncpk = { start = "x" }\n')
    assert set(found) == {"scenarios.b.cpk.start"}


def test_a_scenario_of_an_unknown_outcome():
    assert 'did you mean "cpk"?' in scenario("[scenarios.improves.cpkk]\nstart = 1\n")["scenarios.improves.cpkk"]


# --- files that are no study


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b'[study]\ntitle = "\xe9"', "byte 17 is not UTF-8; save it as UTF-8"),
        (b"#" * (STUDY_BYTES + 1), "is larger than 1,000,000 bytes"),
        (b"patient,month\n1,2\n", "TOML"),
        (b"a = " + b"[" * 5000, "TOML"),
        (b"a = " + b"1" * 5000, "TOML"),
        (b"\x00", "TOML"),
        (b"a = 1\na = 2\n", "TOML"),
    ],
    ids=["latin-1", "large", "csv", "deep", "long number", "NUL", "twice"],
)
def test_a_file_that_is_no_study(tmp_path, content, what):
    path = tmp_path / "x.toml"
    path.write_bytes(content)
    with pytest.raises(StudyError, match=re.escape(what)):
        read_study(path)


def test_a_byte_order_mark_is_no_fault(tmp_path):
    path = tmp_path / "x.toml"
    path.write_text(SMALL, encoding="utf-8-sig")
    assert read_study(path) == parse_study(SMALL)


def test_a_study_that_is_not_there(tmp_path):
    for name in (tmp_path / "none.toml", tmp_path, "ivgi.toml"):
        with pytest.raises(StudyError, match="is not a file that can be read"):
            find_study(name)
    with pytest.raises(StudyError, match='did you mean "ivig"'):
        find_study("ivgi")


# --- never a traceback

LINES = BUNDLED["ivig"].splitlines()
MORE_LINES = EVERYTHING.splitlines()
JUNK = st.sampled_from(
    ["", "x", '"', "[", "]", "{", "}", "=", "nan", "inf", "-1", "0", "1e999", "true", "2020-01-01", '"\\u0000"', "[]",
     "{}", '[["a"]]', "é", "[outcomes]", "[study]", 'kind = "level"', 'like = "null"']
)  # fmt: skip
EDIT = st.tuples(
    st.sampled_from(["delete", "repeat", "insert", "value", "character"]),
    st.integers(0, max(len(LINES), len(MORE_LINES)) - 1),
    st.integers(0, 60),
    JUNK,
)


def edited(lines, edits):
    lines = list(lines)
    for what, n, at, junk in edits:
        n %= len(lines)
        line = lines[n]
        lines[n] = {
            "delete": "",
            "repeat": line + "\n" + line,
            "insert": line + "\n" + junk,
            "value": line.split("=")[0] + "= " + junk,
            "character": line[:at] + junk + line[at + 1 :],
        }[what]
    return "\n".join(lines)


@settings(max_examples=150, derandomize=True, deadline=None, database=None)
@given(st.lists(EDIT, min_size=1, max_size=4))
def test_whatever_is_typed_there_is_a_study_or_a_message(edits):
    with suppress(StudyError):
        parse_study(edited(LINES, edits))
    with suppress(StudyError):
        parse_study(edited(MORE_LINES, edits))
