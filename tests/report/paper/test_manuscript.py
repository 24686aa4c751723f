"""What a manuscript takes: Table 1 by hand, counts that cannot be found again, a flow that adds up, honest methods."""

import csv
import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest

import bayesmyo
from bayesmyo.cohort import read_cohort
from bayesmyo.errors import CohortError, UsageError
from bayesmyo.inference.store import save_fit
from bayesmyo.report.blocks import Items, Paragraph, Table
from bayesmyo.report.paper.baseline import baseline, suppressed
from bayesmyo.report.paper.flow import flow
from bayesmyo.report.paper.latex import latex
from bayesmyo.report.paper.manuscript import manuscript
from bayesmyo.report.paper.methods import methods, of_the_study
from bayesmyo.report.paper.sample_size import sample_size
from bayesmyo.report.paper.word import word
from bayesmyo.study import find_study, parse_study, studies
from tests.conftest import SMALL
from tests.report.conftest import HOSTILE
from tests.report.test_protocol import AXES, STUDY

DECLARED = """
[covariates.sex]
label = "Sex"
levels = ["f", "m"]

[covariates.age]
label = "Age"
unit = "years"
typical = 50
scale = 15

[covariates.nt]
label = "Antibody"
levels = ["none", "Mi2", "Jo1"]
missing = "refused"
"""
TEXT = SMALL.replace(
    'label = "Months", typical = 24 }', 'label = "Months", typical = 24, exit = "last", reason = "why" }'
).replace("[estimands.", DECLARED + "\n[estimands.", 1)
TABLE = """patient,month,strength,cpk,sex,age,nt,last,why
a,0,40,1000,f,30,Mi2,12,
a,6,50,500,f,30,Mi2,12,
b,0,60,,m,50,none,8,moved
b,3,66,300,m,50,none,8,moved
c,-1,50,800,f,,Jo1,9,
c,2,,700,f,,Jo1,9,
d,1,70,900,m,70,,4,died
e,0,,,m,44,none,1,
"""


@pytest.fixture(scope="module")
def study():
    return parse_study(TEXT)


@pytest.fixture
def cohort(study, tmp_path):
    (tmp_path / "t.csv").write_text(TABLE)
    return read_cohort(study, tmp_path / "t.csv")


def cells(table):
    return {row[0]: [str(c) for c in row[1:]] for row in table.rows}


def test_table_one_describes_what_no_model_uses(study, cohort):
    table = baseline(study, cohort, by="sex")
    assert table.headers == ("characteristic", "all (n = 4)", "f (n = 2)", "m (n = 2)")
    shown = cells(table)
    first, third = np.quantile([30, 50, 70], [0.25, 0.75])
    assert shown["Age, years"] == [f"50.0 ({first:.1f} to {third:.1f})", "30.0 (30.0 to 30.0)", "60.0 (55.0 to 65.0)"]
    assert shown["Age: missing"] == ["1", "1", "0"]
    assert shown["Antibody: Mi2"] == ["1 (33%)", "1 (50%)", "0 (0%)"]
    assert shown["Antibody: missing"] == ["1", "0", "1"]
    assert "Sex: f" not in shown  # it is the columns
    assert shown["Strength at baseline, points"][1] == "45.0 (42.5 to 47.5)"  # a at month 0, c at month -1
    assert shown["CPK at baseline, IU/L"][0] == "900 (850 to 950)"  # d came at month 1, b's is empty at 0
    assert shown["CPK: missing" if "CPK: missing" in shown else "CPK at baseline: missing"] == ["2", "0", "2"]


def test_a_group_that_is_none_is_refused(study, cohort):
    with pytest.raises(UsageError, match="sex"):
        baseline(study, cohort, by="sx")
    with pytest.raises(UsageError, match="does not tell groups"):
        baseline(study, cohort, by="age")


def test_a_declared_covariate_is_read_as_declared(study, tmp_path):
    (tmp_path / "t.csv").write_text(TABLE.replace("Jo1", "Jo7"))
    with pytest.raises(CohortError, match="is no level of nt"):
        read_cohort(study, tmp_path / "t.csv")


def test_small_counts_are_not_shown(study, cohort):
    shown = cells(baseline(study, cohort, by="sex", smallest=3))
    every = [text for row in shown.values() for text in row]
    assert not [text for text in every if re.match(r"[12]( |$)", text)]
    assert shown["Antibody: Mi2"][0] == "<3"
    assert shown["Age, years"][1:] == ["-", "-"]


def test_no_suppressed_count_follows_from_sums(rng):
    """Of tables of chance: a hidden count has company in its row and in its column, so that no sum tells it."""
    for _ in range(300):
        groups = rng.poisson(rng.uniform(1, 12), (rng.integers(2, 4), rng.integers(2, 5)))
        counts = np.vstack([groups.sum(axis=0), groups])
        hidden = suppressed(counts, 5)
        assert hidden[(counts > 0) & (counts < 5)].all()
        for lines, own in ((counts, hidden), (counts.T, hidden.T)):
            for line, gone in zip(lines, own, strict=True):
                assert gone.sum() != 1 or (line[~gone] == 0).all()


def test_every_patient_of_the_table_is_in_the_flow(study, cohort):
    steps = {row[0].strip(): row[1].value for row in flow(study, cohort).rows}
    assert steps["in the table"] == 5
    out = sum(n for step, n in steps.items() if step.startswith("left out"))
    assert (steps["used in the analysis"], out) == (4, 1)
    ends = sum(n for step, n in steps.items() if step.startswith(("left:", "still")))
    assert ends == 4
    assert (steps["left: moved"], steps["left: died"]) == (1, 1)


@pytest.mark.parametrize("name", studies())
def test_the_methods_of_a_bundled_study(name, snapshot):
    assert "\n\n".join(of_the_study(find_study(name))) == snapshot


def words(blocks):
    return " ".join(b.text for b in blocks if isinstance(b, Paragraph))


def test_methods_have_the_numbers_of_the_fit(good_fit):
    blocks = methods(good_fit)
    said = words(blocks)
    n = sum(len(m) for m in good_fit.cohort.measurements.values())
    assert f"in 12 patients with {n} measurements" in said
    assert "4 chains of 1,000 draws" in said
    assert "below 0.5 with a probability of at least 0.9" in said
    assert f"Of {len(bayesmyo.priors(good_fit.study))} priors, 0 are stated by the study" in said
    cited = next(b.items for b in blocks if isinstance(b, Items))
    assert any(c.startswith("Sampling") for c in cited)
    assert not any(c.startswith(("Prior sensitivity", "Prior predictive")) for c in cited)  # neither was done


def test_a_dry_run_is_told_as_one(mock_fit):
    blocks = methods(mock_fit)
    assert "dry run" in words(blocks)
    assert "failed (convergence" in words(blocks)
    assert not any(c.startswith("Sampling") for b in blocks if isinstance(b, Items) for c in b.items)


def test_a_sample_size_has_the_shares_of_the_power_study(tmp_path):
    bayesmyo.power(STUDY, tmp_path / "p", **(AXES | {"scenarios": ("hope",), "loss": (0.0,), "looks": ()}), replicates=12,
                   seed=3, engine="mock", workers=0)  # fmt: skip
    said = words(sample_size(tmp_path / "p"))
    assert said.startswith("DRY RUN")
    assert "5 and 8 patients" in said
    assert said.count("12 simulated studies") == 2 * len(STUDY.decisions)
    with pytest.raises(bayesmyo.BayesmyoError):
        sample_size(tmp_path)


def test_latex_understands_nothing_of_a_text():
    table = Table("t", HOSTILE[0], ("a", r"b & \input{x}"), ((r"50 % \\ $x_1$ #{~^", "<5"),))
    made = latex([Paragraph(" ".join(HOSTILE)), table])
    lines = [line for line in made.splitlines() if line.endswith(r"\\")]
    assert [len(re.findall(r"(?<!\\)&", line)) for line in lines] == [1, 1]
    assert not re.search(r"(?<!\\)[%$#_]", made.replace("$-$", ""))
    assert r"\input" not in made
    assert r"\textless{}5" in made


class Cells(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.data = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)

    def handle_data(self, data):
        self.data.append(data)


def test_a_page_for_word_is_plain_tables(study, cohort):
    table = baseline(study, cohort)
    seen = Cells(word(HOSTILE[0], [Paragraph(HOSTILE[1]), table]))
    assert not {"script", "img", "svg", "link", "style"} & {*seen.tags}
    assert seen.tags.count("tr") == len(table.rows) + 1
    assert HOSTILE[1] in seen.data
    assert {str(c) for row in table.rows for c in row[1:]} <= {*seen.data}


def test_files_hold_the_same_table(study, cohort):
    made = manuscript(study, cohort, by="sex")
    read = list(csv.reader(io.StringIO(made.files()["baseline.csv"])))
    assert read[0] == list(made.parts["baseline"][0].headers)
    assert len(read) == len(made.parts["baseline"][0].rows) + 1
    assert {"manuscript.tex", "manuscript.html", "flow.csv"} <= made.files().keys()


def test_the_command_prints_and_writes(run, good_fit, small, tmp_path, files):
    (tmp_path / "s.toml").write_text(SMALL)
    (tmp_path / "t.csv").write_text(bayesmyo.to_csv(small, good_fit.cohort))
    save_fit(good_fit, tmp_path / "fit.nc")
    shown = run("paper", "s.toml", "t.csv", "--fit", "fit.nc", "-o", "out")
    assert (shown.code, shown.err) == (0, "")
    assert {"out/manuscript.html", "out/methods.txt", "out/baseline.csv"} <= files().keys()
    told = run("paper", "s.toml", "t.csv", "--json").json
    assert told["parts"]["flow"]["tables"][0]["rows"][0] == ["in the table", "12"]
    again = run("paper", "s.toml", "t.csv", "-o", "out")
    assert again.code == 2
    assert "--force" in again.err


def test_a_fit_of_another_model_is_refused(study, cohort, mock_fit):
    with pytest.raises(UsageError, match="is of another model"):
        manuscript(study, cohort, fit=mock_fit)
