"""Questions that come after a fit: the same draws, asked by another study of the same model."""

import numpy as np
import pytest

from bayesmyo.assess.estimate import estimates
from bayesmyo.errors import UsageError
from bayesmyo.inference.store import save_fit, share
from bayesmyo.study import parse_study
from bayesmyo.study.asks import added
from tests.conftest import SMALL, fit_of, independent_draws

LATER = '[estimands.cpk_24]\nkind = "level"\noutcome = "cpk"\nat = 24\n[decisions.low]\nkind = "probability"\nestimand = "cpk_24"\nbelow = 400\nprobability = 0.9\n'


@pytest.fixture(scope="module")
def later():
    return parse_study(SMALL.replace("[design]", LATER + "[design]"))


def test_the_answer_is_that_of_a_fit_that_was_asked_before(good_fit, later, small_cohort):
    before = fit_of(later, small_cohort, independent_draws(later, small_cohort))
    now = good_fit.asking(later)
    assert list(now.estimands) == ["cpk_ratio_12", "cpk_24"]
    for name in now.estimands:
        np.testing.assert_array_equal(now.estimands[name], before.estimands[name])
    assert [e.sentence for e in estimates(now)] == [e.sentence for e in estimates(before)]
    assert list(good_fit.estimands) == ["cpk_ratio_12"]  # the fit itself is as it was
    assert added(good_fit.study, later) == ["cpk_24", "low"]
    assert added(good_fit.study, good_fit.study) == []


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ('kind = "gaussian"', 'kind = "student_t"', "outcomes"),
        ("typical = 24", "typical = 36", "time"),
        ('patient = "patient"', 'patient = "patient"\ncorrelate = "across outcomes"', "correlate"),
    ],
)
def test_another_model_cannot_ask(good_fit, old, new, what):
    text = SMALL[: SMALL.index("[scenarios")].replace(old, new)
    with pytest.raises(UsageError, match=rf"is of another model: not the fit's {what}"):
        good_fit.asking(parse_study(text))


def test_a_shared_copy_answers_only_what_it_holds(good_fit, later):
    copy = share(good_fit)
    assert list(copy.asking(parse_study(SMALL)).estimands) == ["cpk_ratio_12"]
    with pytest.raises(UsageError, match="without patients cannot tell: cpk_24"):
        copy.asking(later)


def test_the_command_says_what_was_asked_later(good_fit, later, run, tmp_path):
    save_fit(good_fit, tmp_path / "fit.nc")
    (tmp_path / "later.toml").write_text(later.text)
    said = run("estimate", tmp_path / "fit.nc", "--study", tmp_path / "later.toml")
    assert said.code == 0
    assert said.err == "Note: asked after the fit was made: cpk_24, low.\n"
    assert "cpk_24" in said.out
    assert "cpk_24" not in run("estimate", tmp_path / "fit.nc").out
