"""`bayesmyo match`: truths rebuilt from an abstract, and what is written of them."""

from dataclasses import replace

import numpy as np
import pytest

from bayesmyo.errors import InputError, UsageError
from bayesmyo.model.truth import from_scenario
from bayesmyo.report.matched import added
from bayesmyo.report.matched import match as blocks
from bayesmyo.report.terminal import show
from bayesmyo.simulation.match import match
from bayesmyo.study import parse_study
from tests.conftest import SMALL

KNOWN = """
[published]
source = "Lindberg 2019"
patients = 40

[published.numbers]
start = { outcome = "strength", at = "first", mean = 50.0, sd = 9.0, rounded = 0.1 }
gain = { outcome = "strength", from = "first", at = 12, mean = 6.0, sd = 5.0, rounded = 0.1 }

[published.responders]
none = { criteria = { cpk = { at_most = 200 } }, count = 1, percent = 16 }
"""


@pytest.fixture(scope="module")
def asked():
    fixed = 'priors = { sigma = "constant(2)" }\n'
    text = SMALL.replace('trajectory = { kind = "linear" }\n', f'trajectory = {{ kind = "linear" }}\n{fixed}')
    design = text.replace("follow_up = { mean = 24, sd = 12, maximum = 60 }", "follow_up = 12")
    return parse_study(design.replace("first = [0, 1, 3], then_every = 6, jitter = 0.3", "first = [0, 6, 12]") + KNOWN)


@pytest.fixture(scope="module")
def found(asked):
    return match(asked, simulations=800)


def test_what_is_printed_of_a_line_follows_in_closed_form(found):
    """40 patients: the mean at the first visit is 50 with standard error 9 / sqrt(40), that of the change over 12 months
    6 with 5 / sqrt(40); the SD of starts is sqrt(9^2 - 2^2), that of slopes sqrt(5^2 - 2 * 2^2) / 12. Priors hardly tell.
    """
    of = {p.name: p.after for p in found.parameters}
    expected = {
        "strength.intercept": (50.0, 9 / 40**0.5),
        "strength.slope": (0.5, 5 / 40**0.5 / 12),
        "strength.sd_intercept": (77**0.5, 9 / 80**0.5),
        "strength.sd_slope": (17**0.5 / 12, 25 / 80**0.5 / 17**0.5 / 12),
    }
    for name, (median, error) in expected.items():
        assert of[name].median == pytest.approx(median, abs=0.5 * error), name
        assert of[name].upper - of[name].lower == pytest.approx(2 * 1.645 * error, rel=0.35), name


def test_what_the_abstract_does_not_tell_of_stays_as_the_prior(found):
    of = {p.name: p for p in found.parameters}
    assert of["strength.intercept"].left < 0.3
    assert 0.75 < of["cpk.sigma"].left < 1.25
    said = " ".join(found.sentences)
    assert "fixes strength.intercept" in said
    assert "leaves to the prior" in said
    assert found.impossible == ("none: 1 of 40 is 2.5 %, printed as 16 %; no count of 40 is.",)


def test_the_scenario_is_read_and_gives_the_truths_that_were_found(asked, found, rng):
    study = parse_study(added(asked.text, found))
    truths = [from_scenario(study, "published", rng) for _ in range(400)]
    for k, p in enumerate(found.parameters[:4]):
        outcome, name = p.name.split(".")
        drawn = np.array([float(t.value(outcome, name)) for t in truths])
        assert np.median(drawn) == pytest.approx(np.median(found.draws[:, k]), abs=0.25 * found.draws[:, k].std()), (
            p.name
        )
    assert float(truths[0].value("strength", "sigma")) == 2  # what the study holds as known
    assert added(study.text, found) == study.text.rstrip() + "\n"  # in place of an earlier one


def test_numbers_that_cannot_be_together_are_said(asked):
    """The same mean at month 0 and 12, of the same patients, and a gain of 14, each of which is possible."""
    more = asked.text.replace("mean = 6.0, sd = 5.0", "mean = 14.0, sd = 5.0")
    more += '[published.numbers.late]\noutcome = "strength"\nat = 12\nmean = 35.0\nrounded = 0.1\n'
    with pytest.raises(UsageError, match=r"together: .*month 12 .points., 14 and .*month 12 .points., 35"):
        match(parse_study(more), simulations=500)


def test_a_study_that_says_too_little(small, asked):
    with pytest.raises(InputError, match="no \\[published\\]"):
        match(small)
    with pytest.raises(InputError, match="no \\[design\\]"):
        match(replace(asked, design=None))
    with pytest.raises(UsageError, match="at least 500"):
        match(asked, simulations=10)


def test_what_no_truth_prints_is_refused(asked):
    text = asked.text.replace("mean = 50.0, sd = 9.0", "mean = 95.0, sd = 0.1").replace(
        "mean = 6.0, sd = 5.0", "mean = -90.0"
    )
    with pytest.raises(UsageError, match="no truth gives"):
        match(parse_study(text), simulations=500)


def test_what_is_found_is_shown(found, capsys):
    show(*blocks(found))
    out = " ".join(capsys.readouterr().out.split())
    assert "What was printed and cannot be" in out
    assert "mean change of strength from first visit to month 12 (points)" in out


def test_the_same_seed_gives_the_same_answer(asked, found):
    assert match(asked, simulations=800).scenario == found.scenario
