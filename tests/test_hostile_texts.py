"""Whatever a study calls its title, outcomes, units, levels and people: every verb shows it as it stands, and
nothing runs.
"""

import re
from html.parser import HTMLParser

import pytest

from bayesmyo.cohort.write import to_csv
from bayesmyo.model.simulate import simulate_scenario
from bayesmyo.study import parse_study
from tests.conftest import MOCK, SMALL

TEXTS = {
    "a format": "{0} {outcome!r:>{width}} %s %(a)d $x ${y} {{}}",
    "HTML": "<script>alert(1)</script><img src=x onerror=alert(1)> & &amp; \"'",
    "markup of a terminal": "[bold red]x[/bold red] [/] [link=file:///etc/passwd]y[/link] :warning:",
    "Markdown": "**x** | y | `z` # [a](b) <b> _c_ ~~d~~ \\n \\",
    "mathematics": "$x^2_{a$ $$ \\frac{1}{2} \\LaTeX ^_{",
    "many letters": "é ß Ω 漢字 🙂 a\u0301 \u05e9\u05dc\u05d5\u05dd",
    "long": "verylongword" * 15,
    "nothing to see": "- . , ; : ? ! / 0 nan inf None",
}
LEVELS = ("{0}<b>", "[bold]|*_$")
VERBS = (
    ("validate", "s.toml", "t.csv"),
    ("validate", "s.toml", "t.csv", "--json"),
    ("check", "s.toml", "--prior"),
    ("fit", "s.toml", "t.csv", "-o", "fit.nc", *MOCK),
    ("check", "fit.nc"),
    ("estimate", "fit.nc"),
    ("estimate", "fit.nc", "--decisions"),
    ("estimate", "fit.nc", "--responses"),
    ("estimate", "fit.nc", "--parameters"),
    ("estimate", "fit.nc", "--correlations"),
    ("estimate", "fit.nc", "--json"),
    ("influence", "fit.nc", "--quick"),
    ("fit", "s.toml", "t.csv", "-o", "fit2.nc", "--seed", 2, *MOCK),
    ("compare", "fit.nc", "fit2.nc"),
    ("verify", "fit.nc", "--share", "copy.nc"),
    ("report", "fit.nc", "-o", "r.html"),
    ("report", "fit.nc", "-o", "r.md"),
    ("simulate", "s.toml", "-o", "new.csv"),
    ("power", "s.toml", "-o", "power", "--engine", "mock", "--replicates", "2", "--workers", "0"),
)


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def study_of(texts):
    """The small study with another text in each place that takes any."""
    title, treatment, months, strength, points, cpk, rule = map(quoted, texts)
    levels = ", ".join(quoted(level) for level in LEVELS)
    study = SMALL.replace('title = "Small"', f"title = {title}\ntreatment = {treatment}")
    study = study.replace('label = "Months"', f"label = {months}")
    study = study.replace("[outcomes.strength]", f"[covariates.arm]\nlevels = [{levels}]\n\n[outcomes.strength]", 1)
    study = study.replace(
        'label = "Strength"\nunit = "points"', f'label = {strength}\ncovariates = ["arm"]\nunit = {points}'
    )
    study = study.replace('label = "CPK"', f"label = {cpk}").replace("sigma = 4 }", "sigma = 4, arm_bold = 1 }")
    responses = (
        f"[responses.rule]\ntitle = {rule}\nat = 12\n[responses.rule.categories]\n"
        '"better" = { strength = { at_least = 50 } }\n"other" = {}\n\n'
    )
    return study.replace("[design]", responses + "[design]")


class Page(HTMLParser):
    """The texts of a page, and what would run or load something."""

    def __init__(self):
        super().__init__()
        self.texts, self.harm = [], []

    def handle_starttag(self, tag, attrs):
        self.harm += [tag] if tag in ("script", "iframe", "object") else []
        self.harm += [
            f"{tag} {k}" for k, v in attrs if k.startswith("on") or (k == "src" and not v.startswith("data:"))
        ]

    def handle_data(self, data):
        self.texts.append(data)


@pytest.mark.parametrize("first", [0, 3, 6])
def test_texts_go_through_every_verb_as_they_stand(run, tmp_path, first):
    """Each text is in two places or three."""
    texts = [list(TEXTS.values())[(first + k) % len(TEXTS)] for k in range(7)]
    (tmp_path / "s.toml").write_text(study_of(texts))
    study = parse_study(study_of(texts))
    (tmp_path / "t.csv").write_text(to_csv(study, simulate_scenario(study, "improves", 1).cohort))
    said = {}
    for words in VERBS:
        result = run(*words)  # which fails where a traceback is shown
        assert result.code in (0, 1), (words, result.out, result.err)
        assert "\x1b" not in result.out + result.err, words
        said[words] = result.out
    page = Page()
    page.feed((tmp_path / "r.html").read_text())
    assert not page.harm
    squeezed = re.sub(r"\s+", " ", " ".join(page.texts))
    for text in texts[:-1]:
        assert re.sub(r"\s+", " ", text) in squeezed, text
    if len(texts[0]) < 60:  # a terminal breaks lines
        assert texts[0] in said[VERBS[0]]
