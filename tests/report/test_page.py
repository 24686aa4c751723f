"""The page: what it says, what it withholds, and that it says the same in every form."""

import csv
import io
import json
import re
from dataclasses import replace

import numpy as np
import pytest

from bayesmyo.assess.checks import CHECKS, CheckResult
from bayesmyo.assess.estimate import estimates
from bayesmyo.assess.influence import Flip, Influence, PatientInfluence, sentence
from bayesmyo.errors import UsageError
from bayesmyo.inference.store import share
from bayesmyo.model import simulate_scenario
from bayesmyo.report.blocks import NOT_STATED, Code, Items, Number, Paragraph, Picture, Table, Terms
from bayesmyo.report.html import html, linked
from bayesmyo.report.markdown import inside, markdown, plain
from bayesmyo.report.page import page
from bayesmyo.report.results import rationale, results, statements
from bayesmyo.report.sections.answers import answers
from bayesmyo.report.sections.checklist import checklist
from bayesmyo.report.sections.influence import influence
from bayesmyo.report.sections.model import IN_R, elsewhere, model
from bayesmyo.report.sections.patients import patients
from bayesmyo.report.sections.planning import planning
from bayesmyo.report.sections.prior_or_data import prior_or_data
from bayesmyo.report.sections.question import question
from bayesmyo.report.sections.references import of_study
from bayesmyo.report.sections.summary import plain as plainly
from bayesmyo.report.sections.summary import summary, told
from bayesmyo.report.simulations import Simulated
from bayesmyo.report.standing import ABSENT, PASSED, UNJUDGED, standing, verdict
from bayesmyo.report.tables import csv_files, csv_text
from bayesmyo.study import find_study, parse_study
from bayesmyo.study.statements import StatedEstimand, Statements
from tests.conftest import MODELS, SMALL, fit_of, independent_draws
from tests.figures.test_groups import TRIAL
from tests.report.conftest import HOSTILE, Elements

EVERYTHING = Statements(
    **{f: f"said of {f}" for f in Statements.__dataclass_fields__ if f != "estimand"},
    estimand=StatedEstimand(**{f: f"said of {f}" for f in StatedEstimand.__dataclass_fields__}),
)


def blocks(page, kind):
    return [b for s in page.sections for b in s.blocks if isinstance(b, kind)]


def words(page):
    """Every text of a page."""
    found = []
    for b in [b for s in page.sections for b in s.blocks]:
        match b:
            case Terms(pairs, folded):
                found += [folded, *(t for pair in pairs for t in pair)]
            case Items(items):
                found += items
            case Table():
                found += [b.caption, *b.headers, *(str(c) for row in b.rows for c in row)]
            case Picture():
                found += [b.caption, b.alternative]
            case Code():
                found += [b.what]
            case _:
                found.append(b.text)
    return found


# --- what only the author knows


def test_what_is_missing_is_not_stated(good, good_page):
    author = next(s for s in good_page.sections if s.name == "question")
    said = [pair for b in author.blocks if isinstance(b, Terms) for pair in b.pairs]
    assert len(said) == 18  # all priors are defaults: nothing is to be said of them
    assert {answer for _, answer in said} == {NOT_STATED}
    stated = replace(good, stated=EVERYTHING)
    answers = dict(pair for b in question(stated).blocks if isinstance(b, Terms) for pair in b.pairs)
    assert len(answers) == 18
    assert NOT_STATED not in answers.values()


def test_the_checklist_has_28_items_and_counts_what_is_missing(good):
    def states(r):
        table = next(b for b in checklist(r).blocks if isinstance(b, Table))
        return {int(str(row[0])): str(row[3]) for row in table.rows}

    before, after = states(good), states(replace(good, stated=EVERYTHING))
    assert list(before) == list(range(1, 29))
    assert {n for n, state in before.items() if state == NOT_STATED} == {1, 2, 3, 6, 18, 19, 23, 26, 27, 28}
    assert {n for n, state in after.items() if state in (NOT_STATED, "NOT DONE")} == {19, 21, 22, 24, 28}
    some = states(replace(good, stated=Statements(goal="One"), power=POWER))
    assert some[1] == "partly"
    assert (some[19], some[28]) == ("partly", "given")  # power alone says nothing of errors
    null = replace(POWER, rows=(*POWER.rows, {**POWER.rows[0], "null": True}))
    assert states(replace(good, power=null))[19] == "given"


def test_a_stated_prior_needs_a_rationale():
    study = parse_study(
        SMALL.replace(
            'trajectory = { kind = "plateau" }',
            'trajectory = { kind = "plateau" }\npriors = { half_time = "lognormal(1, 0.1)" }',
        )
    )
    found = rationale(study, Statements())
    assert not found.passed
    assert found.outcomes == ("cpk",)
    assert rationale(study, Statements(priors="From a trial.")).passed
    assert rationale(parse_study(SMALL), Statements()).passed


def test_statements_may_come_from_a_later_file_of_the_same_study(good_fit):
    assert statements(good_fit, parse_study(SMALL + '[report]\ngoal = "Late"\n')).goal == "Late"
    with pytest.raises(UsageError, match="asks another question"):
        statements(good_fit, find_study("safety"))
    with pytest.raises(UsageError, match="has no table"):
        statements(good_fit, parse_study(SMALL))


# --- what is claimed, and what is not


def test_a_fit_that_passes_is_told(good_page):
    assert good_page.trusted
    assert not [p for p in blocks(good_page, Paragraph) if p.kind in ("withheld", "failed")]
    summary = " ".join(p.text for p in good_page.sections[0].blocks if isinstance(p, Paragraph))
    assert "CPK fell by" in summary
    assert "There is no control group" in summary
    assert "Not yet tested against other priors" not in summary
    assert good_page.standing == "9 checks passed; 3 do not apply (zeros, calibration of grades, censored cells)."
    assert good_page.standing in summary
    assert good_page.standing in html(good_page)
    assert {"figure-course-cpk", "figure-estimates", "figure-predictive-strength", "figure-pit-cpk"} <= {
        b.name for b in blocks(good_page, Picture)
    }


def test_a_fit_that_fails_claims_nothing_and_says_why(failed, failed_page):
    assert not failed_page.trusted
    assert not [p for p in blocks(failed_page, Paragraph) if p.kind == "claim"]
    (why,) = [p.text for p in failed_page.sections[0].blocks if isinstance(p, Paragraph) and p.kind == "failed"]
    assert "The engine mock does not draw from the posterior" in why
    assert not {"figure-estimates", "figure-course-mrc"} & {b.name for b in blocks(failed_page, Picture)}
    tables = {t.name: t for t in failed_page.tables}
    for name, columns in {"estimands": (2, 3, 4, 6, 8), "decisions": (3, 4, 5, 7), "priors_and_posteriors": (3, 4),
     "responses_standard": (2, 3, 4, 5),
                          "correlations": (2, 3), "prior_sensitivity": (2, 4, 5, 6, 7, 8, 9)}.items():  # fmt: skip
        assert {str(row[c]) for row in tables[name].rows for c in columns} == {"withheld"}, name
    everything = " ".join(words(failed_page))
    assert not any(e.sentence in everything for e in failed.estimates if not e.sentence.startswith("withheld"))


def test_divergences_withhold_the_answers_but_not_what_the_checks_saw(small, small_cohort):
    draws = independent_draws(small, small_cohort, draws=250)
    draws.stats["diverging"][0, ::50] = True
    one = page(results(fit_of(small, small_cohort, draws)))
    (why,) = [p.text for p in one.sections[0].blocks if isinstance(p, Paragraph) and p.kind == "failed"]
    assert "5 of 1,000 draws diverged" in why
    assert not [p for p in blocks(one, Paragraph) if p.kind == "claim"]
    names = {b.name for b in blocks(one, Picture)}
    assert "figure-predictive-cpk" in names
    assert not {"figure-estimates", "figure-course-cpk"} & names
    sampler = {str(row[0]): str(row[1]) for t in one.tables if t.name == "sampler" for row in t.rows}
    assert sampler["divergences (0 are allowed)"] == "5"


def test_nothing_is_called_an_effect_of_treatment(good_page, failed_page):
    for one in (good_page, failed_page):
        said = " ".join(p.text for p in blocks(one, Paragraph) if p.kind == "claim")
        assert "effect" not in said


def test_no_patient_is_shown_unless_asked(good, good_page, hostile_html):
    assert not re.search(r"\bP\d\d\b", " ".join(w for t in blocks(good_page, Paragraph) for w in [t.text]))
    assert not {"figure-patients-cpk", "figure-residuals-cpk"} & {b.name for b in blocks(good_page, Picture)}
    assert 'id="figure-patients-cpk"' in hostile_html
    assert "P01" in hostile_html


def test_a_shared_copy_has_a_page_without_patients(good_fit):
    one = page(results(share(good_fit), patient_level=True))
    assert "holds no patients" in " ".join(words(one))
    assert {"estimands", "decisions", "priors_and_posteriors", "convergence"} <= {t.name for t in one.tables}
    assert not {"cells", "follow_up"} & {t.name for t in one.tables}


CONTRAST = """
[covariates.sex]
levels = ["f", "m"]

[estimands.men_women]
kind = "level"
outcome = "cpk"
at = 0
contrast = { covariate = "sex", level = "m", reference = "f" }

[decisions.cpk_halved]"""


@pytest.fixture(scope="module")
def compared(small_cohort):
    """Two kinds of patients, who are what they are."""
    text = SMALL.replace('unit = "IU/L"', 'unit = "IU/L"\ncovariates = ["sex"]').replace(
        "[decisions.cpk_halved]", CONTRAST
    )
    study = parse_study(text.replace("sigma = 0.3", "sigma = 0.3\nsex_m = 0.1"))
    cohort = replace(small_cohort, covariates={"sex": (np.arange(len(small_cohort)) % 3 == 0).astype(float)})
    return results(fit_of(study, cohort, independent_draws(study, cohort, draws=250)))


def test_a_contrast_takes_no_caution_away(compared):
    first = " ".join(p.text for p in summary(compared).blocks if isinstance(p, Paragraph))
    below = " ".join(p.text for p in answers(compared).blocks if isinstance(p, Paragraph))
    assert "told of all patients together has no control group: it is a change over time" in first
    assert "Without a control group every change is a change over time" in below
    for said in (first, below):
        assert "Two kinds of patients are compared (sex: m and f)" in said
        assert "not by itself the effect of sex" in said
        assert "given" not in said.split("Two kinds of patients")[1].split(".")[1]


def test_a_check_that_could_not_judge_is_not_one_that_does_not_apply(good_fit):
    found = {c.name: verdict(c) for c in CHECKS for c in [c.run(good_fit)]}
    assert {n for n, v in found.items() if v == ABSENT} == {"zeros", "calibration of grades", "censored cells"}
    assert {v for n, v in found.items()} == {PASSED, ABSENT}
    left = CheckResult(
        "left out", True, "Not judged: CPK, 19% of its measurements decide too much to be left out.", unjudged="cannot"
    )
    held = CheckResult(
        "other", True, "not judged: there are only 10 draws, and at least 100 are needed.", unjudged="cannot"
    )
    assert verdict(left) == verdict(held) == UNJUDGED
    said = standing([left, held, CheckResult("bad", False, "Bad."), CheckResult("good", True, "Good.")])
    assert said == "1 check passed; 1 failed (bad); 2 could not be judged (left out, other)."


def test_what_is_not_judged_against_other_priors_is_said_first(good):
    unknown = replace(good, estimates=tuple(replace(e, verdict="not judged") for e in good.estimates))
    said = [p.text for p in summary(unknown).blocks if isinstance(p, Paragraph)]
    assert any(t.startswith("Not yet tested against other priors: what is said of CPK.") for t in said)


def test_prior_and_data_that_pull_apart_are_a_note(good):
    apart = replace(good.sensitivities[0], prior_sense=0.2, likelihood_sense=0.2)
    found = prior_or_data(replace(good, sensitivities=(apart, *good.sensitivities[1:]), refitted=True))
    (said,) = [p for p in found.blocks if isinstance(p, Paragraph) and "pull apart in" in p.text]
    assert said.kind == "note"
    assert "compromise of both" in said.text


def test_a_model_that_r_has_not_is_not_under_its_name(good):
    codes = {b.what: b.text for b in model(good).blocks if isinstance(b, Code)}
    assert not any("no equivalent" in text for text in codes.values())
    assert {IN_R, "d in R: the table that `bayesmyo validate --write CLEAN.csv` writes"} <= set(codes)
    bounded = elsewhere(find_study("ivig"), "mrc")  # an ordered beta with a plateau
    assert [b.kind for b in bounded if isinstance(b, Paragraph)] == ["note"]


def test_what_is_typed_is_code_and_nothing_else():
    shown = str(
        linked("see bayesmyo check --refit, <b>--x</b> and --beside SECOND_FIT; well-known a--b https://doi.org/a--b")
    )
    assert re.findall("<code>(.*?)</code>", shown) == ["bayesmyo check --refit", "--x", "--beside SECOND_FIT"]
    assert "<b>" not in shown
    assert 'href="https://doi.org/a--b"' in shown


# --- numbers of the cohort


def test_patients_and_visits_are_counted(good, good_page):
    tables = {t.name: t for t in good_page.tables}
    cohort = good.fit.cohort
    visits = {
        (p, t) for m in cohort.measurements.values() for p, t in zip(m.patient.tolist(), m.time.tolist(), strict=True)
    }
    assert sum(row[2].value for row in tables["missing"].rows) == len(visits)
    for column, m in enumerate(cohort.measurements.values(), 3):
        assert sum(row[column].value for row in tables["missing"].rows) == len(visits) - len(m)
    followed = [row[1].value for row in tables["follow_up"].rows]
    assert followed[0] == len(cohort)
    assert followed == sorted(followed, reverse=True)
    for row in tables["cells"].rows:
        assert row[1].value == row[2].value + sum(int(n) for n in re.findall(r": (\d+)", row[4]))


def test_patients_are_described_at_the_start(compared):
    cohort = compared.fit.cohort
    (table,) = [b for b in patients(compared).blocks if isinstance(b, Table) and b.name == "characteristics"]
    rows = {str(row[0]): row for row in table.rows}
    assert rows["patients"][2].value == len(cohort)
    assert rows["sex: f"][2].value + rows["sex: m"][2].value == len(cohort)
    assert rows["sex: m"][2].value == sum(i % 3 == 0 for i in range(len(cohort)))
    m = cohort.measurements["cpk"]
    first = [m.value[m.patient == i][np.argmin(m.time[m.patient == i])] for i in range(len(cohort))]
    assert [c.value for c in rows["CPK, first measurement"][3:]] == pytest.approx(
        [np.median(first), min(first), max(first)]
    )


# --- influence, power and calibration, given as plain tables

CELL = {
    "truth": "scenario paper", "patients": 23, "decision": "cpk_halved", "null": False, "replicates": 400, "failed": 3,
    "met": 310,
    "probability": 0.7809, "mcse": 0.0208, "lower": 0.737, "upper": 0.8207, "worst": 0.775, "best": 0.7825,
}  # fmt: skip
POWER = Simulated((CELL,))


def test_power_is_told_with_its_failed_fits(good):
    section = planning(replace(good, power=POWER))
    table = next(b for b in section.blocks if isinstance(b, Table))
    shown = ["cpk_halved", "scenario paper", "23", "400", "3", "310", "0.78", "0.021", "0.74 to 0.82", "0.78 to 0.78"]
    assert [str(c) for c in table.rows[0]] == shown
    said = "is met with probability 0.78 (exact 95% interval 0.74 to 0.82; 397 simulated studies; 3 more could not be fitted)"
    assert said in section.blocks[1].text
    assert "No calibration was given" in section.blocks[-1].text
    null = planning(replace(good, power=Simulated(({**CELL, "null": True},), complete=False)))
    assert "UNFINISHED" in null.blocks[1].text
    assert "wrongly met" in null.blocks[2].text


def test_calibration_is_told_with_its_verdict(good):
    row = {
        "quantity": "cpk.start",
        "patients": 23,
        "p": 0.00001,
        "coverage of 95%": 0.948,
        "shape": "",
        "passed": False,
    }
    section = planning(replace(good, calibration=Simulated((row,), True, False, ("Not calibrated.",))))
    table = next(b for b in section.blocks if isinstance(b, Table))
    assert [str(c) for c in table.rows[0]] == ["cpk.start", "23", "<0.0001", "0.95", "-", "no"]
    assert [b.text for b in section.blocks if isinstance(b, Paragraph) and b.kind == "failed"] == ["Not calibrated."]


def test_a_failed_calibration_withholds_everything(good_fit):
    r = results(good_fit, calibration=Simulated((), True, False, ("NOT calibrated.",)))
    assert [c.name for c in r.failed] == ["calibration"]
    assert all(e.sentence == "withheld: NOT calibrated." for e in (*r.estimates, *r.decisions))
    assert not results(good_fit, calibration=Simulated((), True, None, ("Too few.",))).failed


def test_influence_is_told_by_pseudonym_and_shown_when_asked(good):
    patient = PatientInfluence("P03", 6, 12.0, "cpk_ratio_12", -0.8, ("cpk_halved",), -31.2, 0.1, "refit", 1.0, 0)
    flip = Flip("cpk_halved", "P03", True, False, 0.95, 0.85, 0.05, -0.05, True, True)
    found = Influence((patient,), (flip,), ("cpk_halved is met with all patients, but not met without P03.",))
    shown = influence(replace(good, influence=found, refitted=True))
    assert [b.name for b in shown.blocks if isinstance(b, Table)] == ["flips"]
    assert any("without P03" in b.text for b in shown.blocks if isinstance(b, Paragraph))
    closer = influence(replace(good, influence=found, refitted=True, patient_level=True))
    assert [b.name for b in closer.blocks if isinstance(b, Table | Picture)] == [
        "flips",
        "influence",
        "figure-influence",
    ]


def test_a_withheld_decision_stays_withheld_without_each_patient(good):
    flip = Flip("cpk_halved", "P03", True, True, 0.95, 0.93, 0.05, 0.03, False, False)
    found = Influence((), (flip,), ("cpk_halved stays met whichever patient is left out (probability 0.930).",))
    held = replace(good.decisions[0], sentence="withheld: the prior decides.", withheld=True)
    shown = influence(replace(good, influence=found, refitted=True, decisions=(held,)))
    said = " ".join(b.text for b in shown.blocks if isinstance(b, Paragraph))
    assert "stays met" not in said
    assert "cpk_halved. the prior decides." in said
    (table,) = [b for b in shown.blocks if isinstance(b, Table)]
    assert [str(c) for c in table.rows[0]] == ["cpk_halved", *["withheld"] * 4]


def test_decisions_without_each_patient_are_written_as_with_all(good):
    """In the sentence and in its table, with the digits that the draws leave."""
    p = good.decisions[0].probability
    rows = [Flip("cpk_halved", f"P0{n}", True, True, p, p - 0.0123 * n, 0, 0, False, False) for n in (1, 2)]
    said = sentence("cpk_halved", rows, good.decisions[0].ess)
    shown = influence(replace(good, influence=Influence((), tuple(rows), (said,)), refitted=True))
    (table,) = [b for b in shown.blocks if isinstance(b, Table)]
    (decided,) = [b for b in answers(good).blocks if isinstance(b, Table) and b.name == "decisions"]
    assert str(table.rows[0][2]) == str(decided.rows[0][4])
    assert f"(probability {table.rows[0][3]!s})" in said


# --- forms


def test_the_same_fit_gives_the_same_bytes(good_fit, good_page):
    again = page(results(good_fit))
    assert html(again) == html(good_page)
    assert markdown(again) == markdown(good_page)


@pytest.mark.parametrize("which", ["good_page", "failed_page"])
def test_html_and_markdown_hold_every_word(which, request):
    one = request.getfixturevalue(which)
    parsed = " ".join("".join(Elements(html(one)).text).split())
    written = markdown(one)
    for said in words(one):
        said = " ".join(said.removeprefix("withheld: ").split())
        assert said in parsed
        assert inside(said) in written


def test_markdown_understands_nothing_of_a_label():
    for label in (*HOSTILE, "# head", "1. item", "- item", "a|b", "[x](y)", "**b**"):
        shown = plain(label)
        assert re.sub(r"\\([^\w\s])", r"\1", shown) == label
        assert not re.search(r"(?<!\\)[<>`*_|\[\]#{}$&]", shown)
        assert not re.match(r"\s*(-|\d+\.) ", shown)


def test_tables_are_written_whole_and_run_nowhere(good_page, tmp_path):
    files = csv_files(good_page)
    assert len(files) == len(good_page.tables)
    rows = list(csv.DictReader(io.StringIO(files["estimands.csv"])))
    table = next(t for t in good_page.tables if t.name == "estimands")
    assert [float(r["median"]) for r in rows] == [pytest.approx(row[2].value, rel=1e-9) for row in table.rows]
    risky = Table("t", "", ("=a", "b"), (("=cmd()", Number(-1.5, "-1.5")), ("@x", "+1"), ("-x", "plain")))
    assert csv_text(risky) == "'=a,b\n'=cmd(),-1.5\n'@x,'+1\n'-x,plain\n"


def test_hostile_text_is_text(hostile_html):
    found = Elements(hostile_html)
    assert {e.tag for e in found.found} <= {
        "html", "head", "meta", "title", "style", "body", "a", "header", "h1", "h2", "h3", "p", "nav", "ol", "ul",
        "li", "main", "section", "div", "dl",
        "dt", "dd", "table", "caption", "span", "thead", "tbody", "tr", "th", "td", "wbr", "figure", "figcaption",
        "svg", "desc", "defs", "g", "path",
        "use", "clippath", "rect", "text", "tspan", "pre", "code", "details", "summary", "footer", "strong", "pattern",
    }  # fmt: skip
    for e in found.found:
        assert not [name for name in e.attributes if name.startswith("on")]
        assert e.attributes.get("href", "#").startswith(("#", "https://doi.org/", "https://jmlr.org/"))
        assert "src" not in e.attributes
    shown = " ".join("".join(found.text).split())
    for label in HOSTILE:
        assert " ".join(label.split()) in shown
    assert "onerror=pwned()>0" not in shown  # the ids of patients are not told
    assert hostile_html.count("<style>") == 1


def test_every_id_is_there_once_and_every_reference_leads_somewhere(good_page):
    found = Elements(html(good_page)).found
    ids = [e.attributes["id"] for e in found if "id" in e.attributes]
    assert len(ids) == len(set(ids))
    referred = [r for e in found for r in e.attributes.get("aria-labelledby", "").split()]
    referred += [e.attributes["href"][1:] for e in found if e.attributes.get("href", "").startswith("#")]
    assert set(referred) <= set(ids)
    assert all(e.attributes.get("role") == "img" for e in found if e.tag == "svg")


def test_references_are_those_of_the_words_that_are_used():
    found = " ".join(of_study(find_study("ivig")))
    for doi in ("10.1017/pan.2022.20", "10.1177/1740774518770661", "10.1177/2515245918771304"):
        assert doi in found
    assert "10.1080/01621459.1986.10478275" not in found


# --- the command


def test_the_command_writes_a_page_and_tables(run, good_fit, tmp_path, files):
    from bayesmyo.inference.store import save_fit

    save_fit(good_fit, tmp_path / "fit.nc")
    (tmp_path / "later.toml").write_text(SMALL + '[report]\ngoal = "Told later"\n')
    done = run("report", "fit.nc", "-o", "r.html", "--tables", "tables", "--study", "later.toml")
    assert done.code == 0
    assert done.out.startswith("Wrote r.html and ")
    written = files()
    assert b"Told later" in written["r.html"]
    assert len([n for n in written if n.startswith("tables/")]) == int(re.search(r"and (\d+) tables", done.out)[1])
    assert run("report", "fit.nc", "-o", "r.html").code == 2
    assert (
        run("report", "fit.nc", "-o", "r.pdf").err
        == "r.pdf: is neither .html nor .md; name a file such as report.html.\n"
    )
    assert run("report", "fit.nc", "-o", "fit.nc").code == 2
    assert files() == written


def test_a_fit_that_fails_is_written_and_told_by_the_exit_code(run, mock_fit, tmp_path):
    from bayesmyo.inference.store import save_fit

    save_fit(mock_fit, tmp_path / "fit.nc")
    done = run("report", "fit.nc", "-o", "r.md", "--study", str(MODELS / "ivig.toml"))
    assert done.code == 1
    assert "does not draw from the posterior" in done.err
    text = (tmp_path / "r.md").read_text()
    assert "**FAILED.** Nothing is claimed here. The check of convergence failed:" in text
    assert json.dumps("SIMULATED")[1:-1] in text


ARMS = """[estimands.placebo_change]
kind = "change"
outcome = "strength"
from = 0
to = 12
given = { arm = "placebo" }

[estimands.baseline]
kind = "level"
outcome = "strength"
at = 0
contrast = { covariate = "arm", level = "active", reference = "placebo" }

[estimands.effect]
kind = "change"
outcome = "strength"
from = 0
to = 12
contrast = { covariate = "arm", level = "active", reference = "placebo" }

"""


def test_the_summary_of_a_trial_tells_the_contrast_of_changes_and_no_arm_alone():
    study = parse_study(TRIAL.replace("[design]", ARMS + "[design]"))
    cohort = simulate_scenario(study, "improves", seed=4, patients=16).cohort
    r = results(fit_of(study, cohort, independent_draws(study, cohort)))
    assert [e.name for e in told(r, "strength")] == ["effect"]
    both = parse_study(
        study.text.replace(
            "[estimands.baseline]",
            '[estimands.overall]\nkind = "change"\noutcome = "strength"\nfrom = 0\nto = 12\n\n[estimands.baseline]',
        )
    )
    r = results(fit_of(both, cohort, independent_draws(both, cohort)))
    assert [e.name for e in told(r, "strength")] == ["overall", "effect"]  # as the study asks
    (one,) = (e for e in estimates(r.fit) if e.name == "placebo_change")
    assert "with arm placebo" in plainly(r, one)
