"""Pages of two fits that cost nothing: one that passes every check, and one that passes none."""

import re
from dataclasses import dataclass, replace
from html.parser import HTMLParser

import numpy as np
import pytest

from bayesmyo.report.html import html
from bayesmyo.report.page import page
from bayesmyo.report.results import results
from bayesmyo.study import parse_study
from tests.conftest import SMALL, fit_of, independent_draws

HOSTILE = (
    '"><script>pwned()</script>',
    "<img src=x onerror=pwned()>",
    "</svg><svg onload=pwned()>",
    "javascript:pwned()",
    "{{ 7 * 7 }}{% raw %}",
    "$\\frac$ & <b>",
    "]]></style></title><script>pwned()//",
)


@pytest.fixture(scope="session")
def good(good_fit):
    return results(good_fit)


@pytest.fixture(scope="session")
def good_page(good):
    return page(good)


@pytest.fixture(scope="session")
def failed(mock_fit):
    return results(mock_fit)


@pytest.fixture(scope="session")
def failed_page(failed):
    return page(failed)


def hostile_study():
    """Hostile text wherever a study may hold text of its own."""
    title, label, unit, treatment, level, strength, goal = (re.sub(r'(["\\])', r"\\\1", text) for text in HOSTILE)
    text = SMALL[: SMALL.index("[design]")]
    text = text.replace('title = "Small"', f'title = "{title}"\ntreatment = "{treatment}"')
    text = text.replace('label = "CPK"\nunit = "IU/L"', f'label = "{label}"\nunit = "{unit}"\ncovariates = ["arm"]')
    text = text.replace('label = "Strength"', f'label = "{strength}"')
    text += f'[covariates.arm]\nlabel = "{label}"\nlevels = ["plain", "{level}"]\n'
    text += f'[report]\ngoal = "{goal}"\ndata = "{title}"\n'
    text += f'[responses.rule]\ntitle = "{title}"\nat = 12\n[responses.rule.categories]\ngood = {{ cpk = {{ at_most = 300 }} }}\nrest = {{}}\n'
    return parse_study(text + SMALL[SMALL.index("[design]") :].replace("sigma = 0.3", "sigma = 0.3\narm_7_7_raw = 1"))


@pytest.fixture(scope="session")
def hostile_fit(small_cohort):
    study = hostile_study()
    ids = tuple(f"<img src=x onerror=pwned()>{n}" for n in range(len(small_cohort)))
    cohort = replace(small_cohort, patients=ids, covariates={"arm": np.arange(len(ids)) % 2.0})
    return fit_of(study, cohort, independent_draws(study, cohort, draws=250))


@pytest.fixture(scope="session")
def hostile_html(hostile_fit):
    return html(page(results(hostile_fit, patient_level=True)))


@dataclass
class Element:
    tag: str
    attributes: dict


class Elements(HTMLParser):
    """Every element of a page, and its text."""

    def __init__(self, text):
        super().__init__()
        self.found, self.text = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append(Element(tag, dict(attrs)))

    def handle_data(self, data):
        self.text.append(data)
