"""Covariates, exposure, grades and limits in a table: what is read, and every reason why it cannot be."""

from dataclasses import replace

import numpy as np
import pytest

from bayesmyo.cohort.covariates import level_counts, visit_columns
from bayesmyo.cohort.read import cohort_of
from bayesmyo.cohort.table import parse_table
from bayesmyo.cohort.write import to_csv
from bayesmyo.errors import CohortError, StudyError
from bayesmyo.model.truth import draw_covariate
from bayesmyo.study import describe, parse_study

TEXT = """
[study]
title = "Covariates"
patient = "patient"
time = { column = "month", unit = "month", typical = 24 }

[covariates.dx]
levels = ["DM", "PM"]
[covariates.age]
typical = 50
scale = 10
[covariates.titre]
column = "titre0"
typical = 100
scale = 4
transform = "log"
missing = "imputed"
[covariates.season]
levels = ["summer", "winter"]
varies = "visits"
[covariates.dx_age]
product = ["dx", "age"]

[outcomes.strength]
column = "strength"
unit = "points"
better = "higher"
typical = 50
scale = 10
family = { kind = "gaussian" }
trajectory = { kind = "linear" }
covariates = ["dx", "age", "titre", "season", "dx_age"]
"""
STUDY = parse_study(TEXT)
HEAD = "patient,month,strength,dx,age,titre0,season\n"
ROWS = (
    "A,0,50,DM,40,100,summer",
    "A,3,55,,,,winter",
    "B,0,40,PM,60,400,winter",
    "C,0,45,DM,70,25,summer",
    "D,0,45,PM,45,100,winter",
    "E,0,52,DM,55,150,winter",
    "F,0,38,PM,33,900,summer",
    "G,0,61,DM,47,60,winter",
    "H,0,44,PM,71,20,summer",
)


def read(content, study=STUDY):
    return cohort_of(study, parse_table(content.encode(), "cohort.csv", study.data))


def faults(content, study=STUDY):
    with pytest.raises(CohortError) as caught:
        read(content, study)
    return [str(fault) for fault in caught.value.faults]


def table(**rows):
    """The table with other rows: `line_3="A,3,..."`; line 2 is the first of A."""
    lines = list(ROWS)
    for name, row in rows.items():
        n = int(name.removeprefix("line_")) - 2
        lines[n : n + 1] = [row]
    return HEAD + "\n".join(lines) + "\n"


# --- of patients and of visits


def test_a_patients_covariate_may_be_stated_once():
    cohort = read(table())
    assert cohort.covariates["dx"].tolist() == [0, 1, 0, 1, 0, 1, 0, 1]
    assert cohort.covariates["age"].tolist() == [40, 60, 70, 45, 55, 33, 47, 71]
    assert cohort.covariates["titre"].tolist() == [100, 400, 25, 100, 150, 900, 60, 20]
    assert cohort.measurements["strength"].covariates["season"].tolist() == [0, 1, 1, 0, 1, 1, 0, 1, 0]
    assert "season" not in cohort.covariates


def test_it_may_be_stated_again_in_another_way_or_in_a_row_without_an_outcome():
    assert read(table(line_3="A,3,55,DM,40.0,1e2,winter")).covariates["age"].tolist()[:4] == [40, 60, 70, 45]
    text = table(line_2="A,0,50,,,,summer") + "A,-1,,DM,40,100,\n"
    assert read(text).covariates["age"].tolist()[:4] == [40, 60, 70, 45]


def test_columns_of_the_design_are_by_hand():
    found = {k: v[:5] for k, v in visit_columns(STUDY, read(table()), "strength").items()}
    np.testing.assert_array_equal(found["dx_pm"], [0, 0, 1, 0, 1])
    np.testing.assert_allclose(found["age"], [-1, -1, 1, 2, -0.5])
    np.testing.assert_allclose(found["titre"], [0, 0, 1, -1, 0])
    np.testing.assert_allclose(found["dx_age"], [0, 0, 1, 0, -0.5])
    np.testing.assert_array_equal(found["season_winter"], [0, 1, 1, 0, 1])


def test_what_may_be_imputed_is_nan():
    cohort = read(table(line_5="C,0,45,DM,70,NA,summer"))
    np.testing.assert_array_equal(cohort.covariates["titre"], [100, 400, np.nan, 100, 150, 900, 60, 20])
    assert np.flatnonzero(np.isnan(visit_columns(STUDY, cohort, "strength")["titre"])).tolist() == [3]


def test_a_level_may_be_a_word_that_elsewhere_means_missing():
    study = parse_study(TEXT.replace('["DM", "PM"]', '["DM", "PM", "NA"]'))
    text = table(line_5="C,0,45,NA,70,25,summer", line_8="F,0,38,NA,33,900,summer")
    assert read(text, study).covariates["dx"].tolist() == [0, 1, 2, 1, 0, 2, 0, 1]


LEVELS = 'levels = ["DM", "PM"]\nmap = { d = "DM", "pm?" = "PM", NA = "PM" }'


def test_a_map_says_which_levels_other_texts_stand_for():
    study = parse_study(TEXT.replace('levels = ["DM", "PM"]', LEVELS))
    text = table(line_2="A,0,50, d ,40,100,summer", line_5="C,0,45,pm?,70,25,summer", line_8="F,0,38,NA,33,900,summer")
    found = read(text, study)
    assert found.covariates["dx"].tolist() == [0, 1, 1, 1, 0, 1, 0, 1]
    assert (
        'dx: 3 cells read by map (line 2: "d" -> DM; line 5: "pm?" -> PM; line 8: "NA" -> PM). [D68]' in found.notices
    )
    assert not any("[D68]" in n for n in read(table(), study).notices)
    assert (
        "dx (column dx, of patients): DM (reference), PM; d stands for DM, pm? stands for PM and NA stands for PM"
        in describe.covariates(study)
    )
    (refused,) = faults(text, STUDY)[:1]
    assert 'covariates.dx.map = { "..." = "DM" }' in refused


@pytest.mark.parametrize(
    ("texts", "what"),
    [
        ('{ d = "dm" }', '"d" stands for no level; got "dm"; levels: DM, PM'),
        ('{ DM = "PM" }', 'is itself a level; got "DM"'),
        ('{ " d" = "DM" }', 'without white space around it; got " d"'), ('{ "" = "DM" }', "an empty cell is missing"),
        ("{ d = 1 }", "must be text"),
    ],
)  # fmt: skip
def test_what_a_map_may_not_be(texts, what):
    with pytest.raises(StudyError) as caught:
        parse_study(TEXT.replace('levels = ["DM", "PM"]', f'levels = ["DM", "PM"]\nmap = {texts}'))
    found = caught.value.faults[0]
    assert found.where.startswith("covariates.dx.map")
    assert what in str(found)


def test_numbers_have_no_map():
    with pytest.raises(StudyError, match=r"covariates\.age\.map: is not a key of a covariate that is numeric"):
        parse_study(TEXT.replace("[covariates.age]", '[covariates.age]\nmap = { a = "b" }'))


def test_patients_and_visits_of_each_level_are_counted():
    counts = level_counts(STUDY, read(table()))
    assert counts["dx"] == {"DM": 4, "PM": 4}
    assert counts["season"] == {"summer": 4, "winter": 5}


CONTRAST = '\n[estimands.gap]\nkind = "level"\noutcome = "strength"\nat = 0\ncontrast = { covariate = "dx", level = "PM", reference = "DM" }\n'


def test_a_contrast_of_few_patients_is_noted():
    """Four patients have each diagnosis; where a fifth has, nothing is said of them."""
    few = (
        "4 patients have dx {}, which gap contrasts: the answer rests on them and, for much of it, on the prior. [D40]"
    )
    study = parse_study(TEXT + CONTRAST)
    assert {n for n in read(table(), study).notices if "[D40]" in n} == {few.format("DM"), few.format("PM")}
    more = read(table() + "Z,0,51,DM,44,90,winter\n", study)
    assert [n for n in more.notices if "[D40]" in n] == [few.format("PM")]
    assert not any("[D40]" in n for n in read(table()).notices)


def test_a_declared_covariate_that_no_outcome_uses_needs_no_column():
    study = parse_study(TEXT + '\n[covariates.sex]\nlevels = ["f", "m"]\n')
    assert "sex" not in read(table(), study).covariates


def test_columns_that_are_used_are_not_called_unused():
    assert not any("Columns not used" in n for n in read(table()).notices)


@pytest.mark.parametrize(
    ("rows", "fragments"),
    [
        pytest.param({"line_3": "A,3,55,PM,,,winter"},
         ['lines 2, 3, column "dx"', "one patient has several values of dx", 'varies = "visits"'],
         id="contradiction of levels"),
        pytest.param({"line_3": "A,3,55,,41,,winter"},
         ['lines 2, 3, column "age"', "one patient has several values of age"], id="contradiction of numbers"),
        pytest.param({"line_5": "C,0,45,DM,,25,summer"},
         ['line 5, column "age"', "1 of 8 patients have no age", 'declare missing = "imputed"'], id="missing number"),
        pytest.param({"line_5": "C,0,45,NA,70,25,summer"},
         ['line 5, column "dx"', "1 of 8 patients have no dx", 'declare a level such as "unknown"'],
         id="missing level"),
        pytest.param({"line_5": "C,0,45,dm,70,25,summer"},
         ['line 5, column "dx"', "differs from the level", "only in case", 'got "dm"', "write DM"], id="unknown level"),
        pytest.param({"line_2": "A,0,50,DM,40,100,sumer"},
         ['line 2, column "season"', "is no level of season", 'did you mean "summer"?'], id="misspelt level"),
        pytest.param({"line_5": "C,0,45,DM,old,25,summer"}, ['line 5, column "age"', "is not a number", 'got "old"'],
         id="text"),
        pytest.param({"line_5": "C,0,45,DM,>70,25,summer"}, ['line 5, column "age"', "is a limit, not a measurement"],
         id="limit"),
        pytest.param({"line_5": 'C,0,45,DM,"70,5",25,summer'}, ['line 5, column "age"', "uses a decimal comma"],
         id="decimal comma"),
        pytest.param({"line_5": "C,0,45,DM,70,0,summer"},
         ['line 5, column "titre0"', "has no log", 'got "0"', "declared in the study"], id="zero has no log"),
        pytest.param({"line_5": "C,0,45,DM,70,-3,summer"}, ['line 5, column "titre0"', "has no log", 'got "-3"'],
         id="a negative number has no log"),
        pytest.param({"line_5": "C,0,45,DM,70,25,"},
         ['line 5, column "season"', "the covariate season of a visit is missing", "fill it in"],
         id="missing at a visit"),
        pytest.param({"line_5": "C,0,45,DM,70,25,spring"},
         ['line 5, column "season"', "is no level of season", "levels: summer, winter"], id="unknown at a visit"),
    ],
)  # fmt: skip
def test_a_covariate_that_cannot_be_used(rows, fragments):
    (found,) = faults(table(**rows))
    assert all(f in found for f in fragments), found


def test_a_negative_number_has_no_square_root():
    study = parse_study(TEXT.replace('scale = 4\ntransform = "log"', 'scale = 4\ntransform = "sqrt"'))
    assert "has no sqrt" in faults(table(line_5="C,0,45,DM,70,-3,summer"), study)[0]
    assert read(table(line_5="C,0,45,DM,70,0,summer"), study).covariates["titre"].tolist()[:4] == [100, 400, 0, 100]


def test_a_number_outside_its_declared_range():
    study = parse_study(
        TEXT.replace("[covariates.age]", '[covariates.age]\nunit = "years"\nminimum = 18\nmaximum = 90')
    )
    found = faults(
        table(line_5="C,0,45,DM,840,25,summer", line_7="E,0,52,DM,99,150,winter", line_8="F,0,38,PM,-9,900,summer"),
        study,
    )
    assert found == [
        'line 5, column "age": is above the declared maximum 90; got "840"; correct it if it is a typing error; is '
        'the unit, years, right? [D36]',
        'line 7, column "age": is above the declared maximum 90; got "99"; if it means missing, add it to '
        'data.missing. [D34]',
        'line 8, column "age": is below the declared minimum 18; got "-9"; if it means missing, add it to '
        'data.missing. [D34]',
    ]  # fmt: skip
    assert read(table(line_5="C,0,45,DM,18,25,summer", line_7="E,0,52,DM,90,150,winter"), study).covariates["age"][
        2:5
    ].tolist() == [18, 45, 90]


def test_simulated_covariates_lie_in_their_declared_range(rng):
    study = parse_study(TEXT.replace("[covariates.age]", "[covariates.age]\nminimum = 44.512345\nmaximum = 50.512345"))
    drawn = draw_covariate(study, "age", 500, rng)
    assert (drawn.min(), drawn.max()) == (44.512345, 50.512345)
    assert (
        0.23 < np.mean(drawn == 44.512345) < 0.35
    )  # P(z < -0.55) = 0.29, give or take three SDs: typical 50, scale 10
    text = to_csv(
        study,
        replace(
            read(table()), covariates=read(table()).covariates | {"age": np.r_[drawn.min(), drawn.max(), drawn[:6]]}
        ),
    )
    lowest, highest = read(text, study).covariates["age"][
        :2
    ]  # what is written to four digits does not round beyond an end
    assert 44.512345 <= lowest <= 44.5124
    assert 50.5 <= highest <= 50.512345


def test_numbers_that_may_mean_missing_are_noted():
    notices = read(table(line_5="C,0,45,DM,999,25,summer")).notices
    assert [n for n in notices if n.startswith("age")] == [
        "age: 999 occurs once (line 5); if it means missing, add it to data.missing. [D34]"
    ]
    assert not any(n.startswith("age") for n in read(table()).notices)


def test_one_patients_number_in_another_unit_is_noted():
    (found,) = [n for n in read(table(line_5="C,0,45,DM,840,25,summer")).notices if n.startswith("age")]
    assert found == "age: 1 cell (line 5) would be like the others if divided by 12: is it in another unit? [D64]"


def test_a_visit_without_an_outcome_needs_no_covariate():
    assert len(read(table() + "A,9,,,,,\n").measurements["strength"]) == 9


def test_a_missing_column_is_named_with_its_covariate():
    found = faults(table().replace("titre0", "titer0"))
    assert 'column "titre0" (covariate titre) is missing; did you mean "titer0"?' in found[0]


# --- covariates that say nothing


@pytest.mark.parametrize(
    ("rows", "what"),
    [
        (("A,0,50,DM,40,100,summer", "B,0,40,DM,60,400,winter", "C,0,45,DM,70,25,summer"),
         'column "dx": dx has a single value, "DM"; a covariate that does not vary says nothing'),
        (("A,0,50,DM,40,100,summer", "B,0,40,PM,40,400,winter", "C,0,45,DM,40,25,summer"),
         'column "age": age has a single value, 40;'),
        (("A,0,50,DM,40,,summer", "B,0,40,PM,60,,winter", "C,0,45,DM,70,,summer"),
         'column "titre0": titre has no value;'),
        (("A,0,50,DM,40,100,summer", "B,0,40,PM,60,400,summer", "C,0,45,DM,70,25,summer"),
         'column "season": season has a single value, "summer"'),
    ],
)  # fmt: skip
def test_a_covariate_that_does_not_vary(rows, what):
    (found,) = faults(HEAD + "\n".join(rows))
    assert found.startswith(what)


def test_a_level_that_nobody_has():
    study = parse_study(TEXT.replace('["DM", "PM"]', '["DM", "PM", "IBM", "NM"]'))
    (found,) = faults(table(), study)
    assert found.startswith('column "dx": no patient or visit has the level "IBM", "NM" of dx; remove the level')


def test_covariates_of_which_one_follows_from_the_others():
    rows = ("A,0,50,DM,40,100,summer", "B,0,40,PM,60,400,winter", "C,0,45,DM,40,25,summer", "D,0,45,PM,60,100,summer")
    found = faults(HEAD + "\n".join(rows))  # age is 40 wherever the diagnosis is DM, and 60 otherwise
    assert found == [
        "covariates of strength: age is a combination of the covariates named before it; remove one of them. [D40]"
    ]


def test_moderators_of_which_one_follows_from_the_others():
    study = parse_study(
        TEXT.replace('covariates = ["dx", "age", "titre", "season", "dx_age"]', 'moderators = ["dx", "age"]')
    )
    rows = ("A,0,50,DM,40", "B,0,40,PM,60", "C,0,45,DM,40", "D,0,45,PM,60")
    found = faults("patient,month,strength,dx,age\n" + "\n".join(rows), study)
    assert found == [
        "moderators of strength: age is a combination of the moderators named before it; remove one of them. [D40]"
    ]


@pytest.mark.parametrize("trajectory", ['kind = "piecewise", knots = [2, 6]', 'kind = "spline", knots = [0, 2, 6]'])
def test_a_knot_outside_the_data(trajectory):
    text = TEXT.replace('kind = "linear"', trajectory).replace(
        'covariates = ["dx", "age", "titre", "season", "dx_age"]', ""
    )
    (found,) = faults(table(), parse_study(text))
    assert 'column "month": the knot 6 lies outside the times of strength, 0 to 3; move the knot' in found
    assert read(table() + "D,6,40,,,,\n", parse_study(text)).patients == tuple("ABCDEFGH")


# --- other kinds of outcome


def outcome(lines, head="typical = 2\nscale = 2"):
    """A study of one outcome, in the column `x`."""
    study = TEXT.split("[covariates.dx]")[0]
    return parse_study(
        f'{study}[outcomes.x]\ncolumn = "x"\nunit = "points"\nbetter = "higher"\n{head}\n{lines}\n'
        'trajectory = { kind = "linear" }\n'
    )


def values(study, *texts, extra=""):
    """Measurements of a table with these cells, and more columns of the same in every row."""
    header, cell = extra.split("=") if extra else ("", "")
    rows = [f"P{n},0,{text}" + (f",{cell}" if extra else "") for n, text in enumerate(texts)]
    return "patient,month,x" + (f",{header}" if extra else "") + "\n" + "\n".join(rows) + "\n"


COUNTS = outcome('family = { kind = "poisson" }\nexposure = "weeks"')
SCORE = outcome('family = { kind = "ordered_beta", lower = 0, upper = 5 }')
POINTS = outcome('family = { kind = "beta_binomial", trials = 10 }')
YES = outcome('family = { kind = "bernoulli" }', head="typical = 0.4\nscale = 0.2")
HURDLE = outcome(
    'family = { kind = "hurdle_lognormal" }\nzero = { typical = 0.2, scale = 0.1, trajectory = { kind = "constant" } '
    '}\n'
    "map = { none = 0, \"half a tablet\" = 2.5 }"
)  # fmt: skip
GRADES = outcome('family = { kind = "cumulative", coding = "mrc_plus" }', head="scale = 2")
MERGED = outcome(
    'family = { kind = "cumulative", coding = "mrc_plus", merge = [["0", "1", "2"], ["4", "4+"]] }', head="scale = 2"
)
WORDS = outcome(
    'family = { kind = "cumulative", levels = ["none", "mild", "severe"], scores = [0, 1, 4] }', head="scale = 2"
)
TYPED = outcome('family = { kind = "gaussian" }\ncensoring = "as typed"')
PLAIN = outcome('family = { kind = "gaussian" }')
LIMITED = outcome('family = { kind = "student_t" }\ncensoring = { above = 30, below = -5 }')
MAPPED = outcome('family = { kind = "gaussian" }\nmap = { "4+" = 4.33, "4-" = 3.67, trace = 1 }\nmaximum = 5')


def test_counts_and_their_exposure():
    m = read("patient,month,x,weeks\nA,0,0,4\nB,0,3,2.5\nC,0,,\nD,0,,0\n", COUNTS).measurements["x"]
    assert (m.value.tolist(), m.exposure.tolist()) == ([0, 3], [4, 2.5])


@pytest.mark.parametrize(
    ("row", "fragments"),
    [
        ("A,0,3,0", ['line 2, column "weeks"', "the exposure must be positive", 'got "0"',
         "nothing can be counted per nothing: leave x empty"]),
        ("A,0,3,-1", ['line 2, column "weeks"', "the exposure must be positive", 'got "-1"']),
        ("A,0,3,", ['line 2, column "weeks"', "the exposure of a count is missing", "fill it in, or leave x empty"]),
        ("A,0,3,many", ['line 2, column "weeks"', "is not a number"]),
        ("A,0,3,<4", ['line 2, column "weeks"', "is a limit"]),
        ("A,0,2.5,4", ['line 2, column "x"', "must be a whole number, zero or more (family poisson)"]),
        ("A,0,-1,4", ['line 2, column "x"', "must be a whole number, zero or more"]),
    ],
)  # fmt: skip
def test_a_count_or_an_exposure_that_cannot_be(row, fragments):
    (found,) = faults("patient,month,x,weeks\n" + row + "\n", COUNTS)
    assert all(f in found for f in fragments), found


def test_a_missing_exposure_column_is_named():
    assert 'column "weeks" (exposure of x) is missing' in faults("patient,month,x\nA,0,3\n", COUNTS)[0]


@pytest.mark.parametrize(
    ("study", "good"),
    [
        (SCORE, {"0": 0, "5": 5, "4.99": 4.99}),
        (POINTS, {"0": 0, "10": 10, "7.0": 7}),
        (YES, {"0": 0, "1": 1}),
        (HURDLE, {"0": 0, "none": 0, "half a tablet": 2.5, "12.5": 12.5, " none ": 0}),
        (GRADES, {"4-": 3.67, "4": 4, "4+": 4.33, "5": 5, "0": 0, " 3 ": 3}),
        (MERGED, {"0": 1, "1": 1, "2": 1, "3": 3, "4": 4.165, "4+": 4.165, "5": 5, "4-": 3.67}),
        (WORDS, {"mild": 1, "severe": 4, "none": 0}),
        (MAPPED, {"4+": 4.33, "4-": 3.67, "trace": 1, "3.5": 3.5}),
    ],
    ids=["score", "points", "yes", "hurdle", "grades", "merged", "words", "map"],
)
def test_cells_that_are_read(study, good):
    found = read(values(study, *good), study).measurements["x"].value
    np.testing.assert_allclose(found, list(good.values()))


@pytest.mark.parametrize(
    ("study", "text", "fragments"),
    [
        (SCORE, "5.1", ["must be a number from 0 to 5 (family ordered_beta)", 'got "5.1"']),
        (SCORE, "-0.1", ["must be a number from 0 to 5"]),
        (POINTS, "11", ["must be a whole number from 0 to 10"]),
        (POINTS, "2.5", ["must be a whole number from 0 to 10"]),
        (YES, "2", ["must be 0 or 1 (family bernoulli)"]),
        (YES, "yes", ["is not a number"]),
        (HURDLE, "-1", ["must be zero or a positive number"]),
        (HURDLE, "nonw", ["is not a number"]),
        (GRADES, "4.5", ["is not one of the declared levels", 'got "4.5"']),
        (GRADES, "4/5", ["is not one of the declared levels"]),
        (GRADES, "6", ["is not one of the declared levels", "levels: 0, 1, 2, 3, 4-, 4, 4+, 5"]),
        (GRADES, "<4", ["is not one of the declared levels"]),
        (WORDS, "Mild", ["is not one of the declared levels", 'did you mean "mild"?']),
        (WORDS, "1", ["is not one of the declared levels", "levels: none, mild, severe"]),
        (MAPPED, "3+", ["is a grade, not a number", "declare what it stands for: a map"]),
        (MAPPED, "44", ["is above the declared maximum"]),
        (PLAIN, "20..50", ["is an interval, not a measurement", 'declares censoring = "as typed"']),
        (TYPED, "50..20", ["is no interval", "the lower limit comes first"]),
        (TYPED, "20..20", ["is no interval"]),
        (TYPED, "20..", ["is not a number", "an interval is written 20..50"]),
        (TYPED, "..50", ["is not a number", "an interval is written 20..50"]),
        (TYPED, "20..50..70", ["is not a number", "an interval is written 20..50"]),
        (TYPED, "<20..50", ["is not a number", "an interval is written 20..50"]),
        (LIMITED, "31", ["lies beyond the declared limit of what can be measured", 'got "31"']),
        (LIMITED, "-5.01", ["lies beyond the declared limit"]),
        (LIMITED, ">30", ["is a limit, not a measurement"]),
        (LIMITED, "20..30", ["is an interval, not a measurement"]),
    ],
)  # fmt: skip
def test_a_cell_that_cannot_be_used(study, text, fragments):
    (found,) = faults(values(study, text), study)
    assert found.startswith('line 2, column "x": ')
    assert all(f in found for f in fragments), found


def test_intervals_are_read_when_they_are_declared():
    m = read(values(TYPED, "20..50", "-3 .. -1", "<20", ">50", "30"), TYPED).measurements["x"]
    assert m.side.tolist() == [2, 2, -1, 1, 0]
    assert m.value.tolist() == [20, -3, 20, 50, 30]
    np.testing.assert_array_equal(m.end, [50, -1, np.nan, np.nan, np.nan])
    assert m.censored == 4


def test_without_an_interval_no_cell_has_two_limits():
    assert read(values(TYPED, "<20", "30"), TYPED).measurements["x"].end is None


def test_an_interval_is_read_with_a_decimal_comma():
    text = TEXT.split("[covariates.dx]")[0].replace("[study]", '[data]\ndelimiter = ";"\ndecimal = ","\n[study]')
    text += '[outcomes.x]\ncolumn = "x"\nunit = "points"\nbetter = "higher"\ntypical = 2\nscale = 2\ncensoring = "as typed"\n'
    study = parse_study(text + 'family = { kind = "gaussian" }\ntrajectory = { kind = "linear" }\n')
    m = read("patient;month;x\nA;0;2,5..7,25\n", study).measurements["x"]
    assert (m.value[0], m.end[0]) == (2.5, 7.25)


def test_both_ends_of_an_interval_must_be_possible():
    study = outcome('family = { kind = "lognormal" }\ncensoring = "as typed"\nmaximum = 100')
    assert "must be a positive number" in faults(values(study, "-3..5"), study)[0]
    assert "is above the declared maximum" in faults(values(study, "3..500"), study)[0]


def test_a_value_at_a_declared_limit_is_known_only_to_lie_beyond_it():
    m = read(values(LIMITED, "30", "29.9", "-5", "-4.9", "0"), LIMITED).measurements["x"]
    assert m.side.tolist() == [1, 0, -1, 0, 0]
    assert m.value.tolist() == [30, 29.9, -5, -4.9, 0]
    assert m.censored == 2


def test_all_faults_of_covariates_at_once():
    found = faults(table(line_2="A,0,50,DX,40,-1,summer", line_4="B,0,40,PM,60y,400,", line_5="C,0,45,DM,70,25,spring"))
    starts = [
        'line 2, column "dx"',
        'line 2, column "titre0"',
        'line 4, column "age"',
        'line 4, column "season"',
        'line 5, column "season"',
    ]
    assert sorted(f.split(":")[0] for f in found) == starts
