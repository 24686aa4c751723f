"""What was published as the prior of an estimand: what it comes to, and that truths are drawn from it."""

import numpy as np
import pytest
from scipy import special, stats

from bayesmyo.errors import UsageError
from bayesmyo.model.prediction import TruthPrediction
from bayesmyo.model.published import published
from bayesmyo.model.truth import from_priors
from bayesmyo.study import parse_study
from tests.conftest import SMALL
from tests.study.test_evidence import BINARY, CHANGE, RATIO

LEVEL = CHANGE.replace("smith", "start").replace('{ kind = "change", from = 0, to = 12 }', '{ kind = "level", at = 6 }')
LEVEL = LEVEL.replace("mean = 6.0", "mean = 45")
COVARIATE = """
[covariates.dm]
levels = ["no", "yes"]
"""


@pytest.mark.parametrize("text", [SMALL + CHANGE + RATIO + LEVEL, BINARY])
def test_the_estimand_is_that_of_a_prediction(text, rng):
    """The number as a function of parameters is what the house predicts under the same truths."""
    study = parse_study(text)
    truth = from_priors(study, rng, (200,))
    values = {name: o.values for name, o in truth.outcomes.items()}
    for p in published(study):
        predicted = p.estimand.of(TruthPrediction(study, truth))
        here = p.value(values, np)
        there = {"log": np.log, "logit": special.logit}.get(p.link.link_name, lambda x: x)(predicted)
        assert here == pytest.approx(there, rel=1e-6, abs=1e-9)


def test_a_difference_between_groups(rng):
    text = (
        SMALL.partition("[scenarios")[0].replace("maximum = 100\n", 'maximum = 100\ncovariates = ["dm"]\n') + COVARIATE
    )
    contrast = 'at = 6, contrast = { covariate = "dm", level = "yes", reference = "no" } }'
    study = parse_study(text + LEVEL.replace("at = 6 }", contrast).replace("mean = 45", "mean = 3"))
    (p,) = published(study)
    assert dict(p.default.per) == pytest.approx({"dm_yes": 1.0})
    of_one = parse_study(text + LEVEL + 'covariates = { dm = "yes" }\n')
    assert {*published(of_one)[0].default.per} == {"intercept", "slope", "dm_yes"}


def test_what_the_default_priors_say_in_closed_form():
    """A level at month 6 is intercept + 6 slope: normal(50, 10) and normal(0, 2 * 10 / 24)."""
    (p,) = published(parse_study(SMALL + LEVEL))
    assert p.default.distance == 0
    assert dict(p.default.per) == pytest.approx({"intercept": 1, "slope": 6})
    assert p.default.normals.mean == pytest.approx(50)
    assert p.default.normals.sd == pytest.approx(np.hypot(10, 6 * 20 / 24))


@pytest.mark.parametrize("weight", [0, 0.3, 1])
@pytest.mark.parametrize("name", ["smith", "start", "trial", "registry"])
def test_truths_are_drawn_from_the_robust_mixture(name, weight):
    text = {"smith": SMALL + CHANGE, "start": SMALL + LEVEL, "trial": SMALL + RATIO, "registry": BINARY}[name]
    study = parse_study(text + f"like_ours = {weight}\n")
    (p,) = published(study)
    truth = from_priors(study, np.random.default_rng(8), (4000,))
    drawn = p.value({o: t.values for o, t in truth.outcomes.items()}, np)
    exact = p.map.normals.mixed(weight, p.default.normals)
    assert stats.kstest(drawn, exact.below).pvalue > 0.01


def test_what_is_beside_the_estimand_stays_as_it_was():
    study = parse_study(SMALL + LEVEL + "like_ours = 1\n")
    truth = from_priors(study, np.random.default_rng(9), (4000,))
    v = truth.outcomes["strength"].values
    # normal, and independent of intercept + 6 slope under the default priors: variances 100 and 36 * (20 / 24)^2 = 25
    beside = v["intercept"] - 50 - 100 / 25 * 6 * v["slope"]
    assert stats.kstest(beside, stats.norm(0, np.sqrt(100 + 16 * 25)).cdf).pvalue > 0.01
    assert abs(np.corrcoef(beside, v["intercept"] + 6 * v["slope"])[0, 1]) < 0.05
    assert stats.kstest(v["sd_slope"], from_priors(parse_study(SMALL), np.random.default_rng(3), (4000,))
                        .outcomes["strength"].values["sd_slope"]).pvalue > 0.01  # fmt: skip


def test_two_estimands_of_one_parameter_are_both_met():
    """Change to month 12 and to month 6 are both of the slope: the density is the product, drawn by rejection."""
    other = CHANGE.replace("smith", "half").replace("to = 12", "to = 6").replace("mean = 6.0", "mean = 3.5")
    study = parse_study(SMALL + (CHANGE + other).replace("se = 1.5", 'se = 1.5\ntau = "constant(1)"\nlike_ours = 1'))
    truth = from_priors(study, np.random.default_rng(4), (4000,))
    slope = np.linspace(-3, 4, 7001)
    values = {"strength": {"intercept": 50.0, "slope": slope}}
    log = stats.norm(0, 20 / 24).logpdf(slope) + sum(p.log_density(values) for p in published(study))
    density = np.exp(log - log.max())
    below = np.cumsum(density) / density.sum()
    drawn = truth.outcomes["strength"].values["slope"]
    assert stats.kstest(drawn, lambda x: np.interp(x, slope, below)).pvalue > 0.01


def test_a_study_without_evidence_draws_what_it_always_drew():
    study, none = parse_study(SMALL), parse_study(SMALL + CHANGE + "like_ours = 0\n")
    one, other = (from_priors(s, np.random.default_rng(1), (5,)).outcomes["cpk"].values["start"] for s in (study, none))
    assert np.array_equal(one, other)


def test_evidence_that_the_priors_hold_impossible_is_said(monkeypatch):
    monkeypatch.setattr("bayesmyo.model.published.MOST", 50_000)
    text = (RATIO + RATIO.replace("trial", "other").replace("to = 12", "to = 6")).replace(
        "[0.2, 0.8]", "[0.0009, 0.0011]"
    )
    text = text.replace("median = 0.4", 'median = 0.001\ntau = "constant(0.01)"\nlike_ours = 1')
    study = parse_study(SMALL.replace('"plateau" }', '"plateau" }\npriors = { asymptote = "normal(7, 0.1)" }') + text)
    with pytest.raises(UsageError, match="hardly anything possible"):
        from_priors(study, np.random.default_rng(1), (4000,))


def test_evidence_about_what_is_known_is_refused():
    study = parse_study(SMALL.replace('"linear" }', '"linear" }\npriors = { slope = "constant(0.5)" }') + CHANGE)
    with pytest.raises(UsageError, match="hold as known"):
        from_priors(study, np.random.default_rng(1), (10,))
