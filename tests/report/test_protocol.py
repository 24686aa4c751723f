"""A power study as a page: does it say what the rows say, to the last number, and how to do it again?"""

import re
import shlex
from dataclasses import replace
from types import SimpleNamespace

import pandas as pd
import pytest

import bayesmyo
from bayesmyo.errors import StorageError, UsageError
from bayesmyo.inference.engines import ENGINES
from bayesmyo.report.blocks import Code, Table
from bayesmyo.report.html import html
from bayesmyo.report.protocol import power_page
from bayesmyo.report.sections.planning import UNFINISHED
from bayesmyo.report.simulations import dry_run
from bayesmyo.simulation.power.answer import power_answer
from bayesmyo.simulation.store import read_results
from bayesmyo.study import parse_study
from tests.conftest import ROOT

ONE_ARM = (ROOT / "tests" / "reference" / "one_arm.toml").read_text()
STUDY = parse_study(ONE_ARM)
AXES = {
    "scenarios": ("four", "null", "hope"),
    "patients": (5, 8),
    "looks": (4,),
    "loss": (0.0, 0.05),
    "visits": ((0.0, 4.0, 9.0),),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    there = tmp_path_factory.mktemp("power") / "out"
    bayesmyo.power(STUDY, there, **AXES, replicates=12, seed=3, engine="mock", workers=0)
    return there


@pytest.fixture(scope="module")
def page(folder):
    found = read_results(folder)
    return power_page(found, power_answer(found), 0.8)


def rows(page, name):
    """A table as dictionaries of what a reader sees."""
    (table,) = (b for s in page.sections for b in s.blocks if isinstance(b, Table) and b.name == name)
    return [dict(zip(table.headers, map(str, row), strict=True)) for row in table.rows]


def test_every_share_is_that_of_the_rows(folder, page):
    quantities, plan = pd.read_parquet(folder / "quantities.parquet"), read_results(folder).plan
    found = rows(page, "power")
    assert len(found) == len(plan.cells) == 12
    for cell, said in zip(plan.cells, found, strict=True):
        here = quantities[(quantities["cell"] == cell.key) & (quantities["look"] == cell.patients)]
        own = here[here["kind"] == "decision"]
        assert said["patients"] == str(cell.patients)
        assert said["met"] == f"{own['met'].astype(float).mean():.2f}"
        assert float(said["mean probability"]) == pytest.approx(own["probability"].mean(), abs=0.005)
        beside = here[(here["kind"] == "comparator") & (here["name"] == "t test for rises")]
        assert said["by t test"] == f"{beside['met'].astype(float).mean():.2f}"
        assert ("not right to be met" in said["truth and design"]) == (cell.truths == "null")


def test_what_a_claim_would_be_worth_is_that_of_the_answer(folder):
    found = read_results(folder)
    answer = power_answer(found, weights={"four": 0.25, "null": 0.75})
    made = power_page(found, answer, 0.8)
    said = rows(made, "claims")
    assert [r["claimed"] for r in said] == [f"{c.made.value:.2f}" for c in answer.claims]
    assert len(said) == len(found.plan.cells) + 4  # a mixture for each number of patients and loss
    assert {r["what it is"] for r in said} == {"power", "type I error", "assurance"}
    (command,) = (b.text for s in made.sections for b in s.blocks if isinstance(b, Code) and b.what == "Command")
    assert "--weights four=0.25,null=0.75" in command


def test_what_is_true_is_said_for_every_scenario(page):
    said = {r["scenario"].split(" (")[0]: r for r in rows(page, "truths") if r["right to be met"] != "-"}
    column = "true value (the median, where it varies)"
    assert {k: v[column] for k, v in said.items() if k != "hope"} == {"four": "4.00", "null": "0"}
    assert {k: v["right to be met"] for k, v in said.items()} == {
        "four": "rises: yes",
        "null": "rises: no",
        "hope": said["hope"]["right to be met"],
    }
    assert re.fullmatch(r"rises: in \d\d%", said["hope"]["right to be met"])


def test_designs_are_described_with_what_they_come_to(page):
    found = rows(page, "designs")
    assert [r["design"] for r in found] == ["loss 0, visits 0 4 9", "loss 0.05, visits 0 4 9"]
    assert found[0]["lost before the end"] == "0.00"
    assert float(found[1]["lost before the end"]) == pytest.approx(1 - 2.718281828 ** (-0.05 * 9), abs=0.03)


def test_the_command_on_the_page_asks_for_the_same(run, tmp_path, folder, page):
    listed = {b.what: b.text for s in page.sections for b in s.blocks if isinstance(b, Code)}
    (tmp_path / "study.toml").write_text(listed["The study (study.toml)"])
    code = listed["Command"]
    words = shlex.split(code)
    assert words[:2] == ["bayesmyo", "power"]
    assert run(*words[1:], "--workers", "0").code == 0
    assert read_results(tmp_path / "power").plan.to_json() == read_results(folder).plan.to_json()
    assert (tmp_path / "power" / "power.html").read_text() == html(page)


def test_a_dry_run_and_an_unfinished_one_say_so_first(page, tmp_path, monkeypatch):
    dry = dry_run("mock")
    assert page.standing == dry
    assert (page.sections[0].blocks[0].text, page.sections[0].blocks[0].kind) == (dry, "failed")
    bayesmyo.power(STUDY, tmp_path / "out", scenarios=("four",), patients=(5,), replicates=4, engine="mock", workers=0)
    (tmp_path / "out" / "SHA256SUMS").unlink()
    for part in (tmp_path / "out" / "parts").iterdir():
        part.unlink()
    monkeypatch.setitem(ENGINES, "mock", SimpleNamespace(posterior=True))  # what is said of a real one
    written = bayesmyo.write_power_report(tmp_path / "out", tmp_path / "plan.html").read_text()
    assert written.index(UNFINISHED) < written.index("In plain language")


def test_the_page_needs_nothing_and_runs_nothing(folder, tmp_path):
    study = parse_study(ONE_ARM.replace('title = "', 'title = "<script>alert(1)</script> '))
    bayesmyo.power(study, tmp_path / "out", scenarios=("four",), patients=(5,), replicates=3, engine="mock", workers=0)
    written = bayesmyo.write_power_report(tmp_path / "out", tmp_path / "plan.html").read_text()
    assert "<script" not in written
    assert not re.search(r"(?:src|href)=\"(?!#|https://)", written)
    markdown = bayesmyo.write_power_report(folder, tmp_path / "plan.md").read_text()
    assert markdown.startswith("# ")
    assert "## Power" in markdown


def test_statements_of_the_author_are_told(folder, tmp_path):
    study = parse_study(ONE_ARM + '\n[report]\ngoal = "Plan the next one."\npriors = "Those of the last trial."\n')
    written = bayesmyo.write_power_report(folder, tmp_path / "plan.html", study=study).read_text()
    assert "Plan the next one." in written
    assert "Those of the last trial." in written


def test_what_cannot_be_a_page_is_refused(folder, tmp_path):
    with pytest.raises(UsageError, match=r"neither \.html nor \.md"):
        bayesmyo.write_power_report(folder, tmp_path / "plan.pdf")
    with pytest.raises(UsageError, match="--target: must lie between 0 and 1; got 80"):
        bayesmyo.write_power_report(folder, tmp_path / "plan.html", target=80)
    with pytest.raises(StorageError, match="is not a folder of results"):
        bayesmyo.write_power_report(tmp_path / "nothing", tmp_path / "plan.html")
    (tmp_path / "plan.html").write_text("mine")
    with pytest.raises(UsageError, match="exists"):
        bayesmyo.write_power_report(folder, tmp_path / "plan.html")


def test_a_threshold_that_is_solved_for_is_on_the_page_with_the_command(run, tmp_path):
    asked = {"scenarios": ("four", "null"), "patients": (5,), "replicates": 300, "seed": 3}
    answer = bayesmyo.power(STUDY, tmp_path / "out", **asked, solve="threshold", alpha=0.05, engine="mock", workers=0)
    page = power_page(answer.results, answer, 0.8)
    (t,) = answer.thresholds
    four, null = rows(page, "thresholds")
    assert (null["truth"], null["met with that"]) == (
        "null (not right to be met)",
        f"{t.scenarios[1].solved.value:.2f}",
    )
    assert t.scenarios[1].solved.value <= 0.05
    assert float(four["solved for"]) == pytest.approx(t.number.value, abs=1e-4)
    said = next(s for s in answer.sentences if "the probability that is asked for" in s)
    assert said not in html(page)  # a dry run says nothing
    sampled = replace(answer.results, plan=replace(answer.results.plan, engine="laplace"))
    assert said in html(power_page(sampled, answer, 0.8))
    code = next(b.text for s in page.sections for b in s.blocks if isinstance(b, Code) and b.what == "Command")
    assert code.endswith("--solve threshold --alpha 0.05")
    (tmp_path / "study.toml").write_text(ONE_ARM)
    assert run(*shlex.split(code)[1:], "--workers", "0").code == 0
    assert (tmp_path / "power" / "power.html").read_text() == html(
        power_page(answer.results, answer, 0.8, None, STUDY.report)
    )
