"""The examples in the docstrings of the face run, and every name has one."""

import doctest
import inspect
from operator import attrgetter

import pytest

import bayesmyo

NAMES = [n for n in bayesmyo.__all__ if n not in ("__version__", "figures")]
MEMBERS = [
    "Fit.asking",
    "Fit.estimands",
    "Fit.expected_values",
    "Fit.posterior_predictive",
    "Fit.prediction",
    "Fit.truth",
    "model.prediction.TruthPrediction",
]
ELSEWHERE = {"Study"}  # whose docstring is the page of the vocabulary, tested there


@pytest.mark.parametrize("name", [*NAMES, *MEMBERS])
def test_the_example_runs(name, small, small_cohort, good_fit, tmp_path, monkeypatch):
    """With a study `study`, a table of 12 patients `cohort`, and a fit `fit` of both that passes every check."""
    monkeypatch.chdir(tmp_path)
    found = attrgetter(name)(bayesmyo)
    names = {"bayesmyo": bayesmyo, "study": small, "cohort": small_cohort, "fit": good_fit}
    test = doctest.DocTestParser().get_doctest(inspect.getdoc(found), names, name, None, None)
    assert bool(test.examples) is (name not in ELSEWHERE)
    said: list[str] = []
    failed, _ = doctest.DocTestRunner(verbose=False).run(test, out=said.append)
    assert not failed, "".join(said)
