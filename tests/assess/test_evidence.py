"""`bayesmyo evidence`: its numbers against closed forms, what it prints, and whether data contradict it."""

import numpy as np
import pytest
from scipy import stats

import bayesmyo
from bayesmyo import figures
from bayesmyo.assess.checks import checks_of
from bayesmyo.assess.checks.published import PublishedNumbers, after
from bayesmyo.assess.evidence import box, evidence
from bayesmyo.components.priors import Prior
from bayesmyo.errors import UsageError
from bayesmyo.meta.normals import Normals
from bayesmyo.study import parse_study
from tests.conftest import SMALL, fit_of, independent_draws
from tests.study.test_evidence import BINARY, CHANGE, RATIO

# one source of which tau is known: all that is said of it is normal
KNOWN = CHANGE + 'patients = 36\nlike_ours = 1\ntau = "constant(2)"\n'
DEFAULT = 12 * 20 / 24  # the SD of 12 slopes, before
PRECISION = 1 / DEFAULT**2 + 1 / (1.5**2 + 2**2)
MEAN, SD = 6 / (1.5**2 + 2**2) / PRECISION, np.sqrt(1 / PRECISION + 2**2)


@pytest.fixture(scope="module")
def known():
    (one,) = evidence(parse_study(SMALL + KNOWN))
    return one


def test_ranges_in_closed_form(known):
    z = stats.norm.ppf(0.975)
    for of, mean, sd in (
        (known.sources[0].estimate, 6, 1.5),
        (known.mean, MEAN, PRECISION**-0.5),
        (known.next_study, MEAN, SD),
        (known.default, 0, DEFAULT),
    ):
        assert (of.median, of.lower, of.upper) == pytest.approx((mean, mean - z * sd, mean + z * sd), abs=2e-3)
    assert known.tau.median == known.tau.upper == 2


def test_worth_in_closed_form(known):
    """One patient tells with SD 1.5 * sqrt(36) = 9; the default prior is worth (9 / 10)^2 of one."""
    assert known.moments == pytest.approx((9 / SD) ** 2, rel=1e-3)
    assert known.elir == pytest.approx((9 / SD) ** 2, rel=0.01)
    full = next(t for t in known.trusted if t.like_ours == 1)
    assert full.worth == pytest.approx((9 / SD) ** 2 - (9 / DEFAULT) ** 2, rel=1e-2)
    assert [t.like_ours for t in known.trusted] == [1, 0.5]


def test_the_line_that_may_be_pasted_is_the_prior_of_the_estimand(known):
    assert known.parameter == "strength.slope"
    prior = Prior.parse(known.prior)
    assert 12 * prior.quantile(0.5) == pytest.approx(MEAN, rel=1e-3)
    assert 12 * (prior.quantile(0.975) - prior.quantile(0.5)) == pytest.approx(stats.norm.ppf(0.975) * SD, rel=1e-3)
    (ratio,) = evidence(parse_study(SMALL + RATIO))
    assert (ratio.parameter, ratio.prior, ratio.moments) == ("", "", None)
    assert "no source says" in " ".join(ratio.sentences)


def test_box_of_a_normal_distribution_is_its_two_tails(rng):
    of = Normals.one(3, 2)
    for value in (3.5, 7, -2):
        p = 2 * stats.norm.sf(abs(value - 3) / 2)
        assert box(of, value, rng) == pytest.approx(p, abs=4 * np.sqrt(p * (1 - p) / 20_000))


def test_a_source_that_the_default_priors_hold_unlikely_is_said():
    (far,) = evidence(parse_study(SMALL + CHANGE.replace("mean = 6.0", "mean = 40")))
    assert any("hold the number of Smith 2020 unlikely" in s for s in far.sentences)
    assert far.sources[0].box < 0.01


@pytest.mark.parametrize("text", [SMALL + KNOWN + RATIO, BINARY, SMALL])
def test_what_is_printed(run, tmp_path, snapshot, text):
    (tmp_path / "study.toml").write_text(text)
    result = run("evidence", "study.toml")
    assert (result.code, result.err) == (0, "")
    assert result.out == snapshot
    assert len(run("evidence", "study.toml", "--json").json["evidence"]) == len(parse_study(text).evidence)


def test_sources_are_said_wherever_they_count(run, tmp_path, small_cohort):
    (tmp_path / "study.toml").write_text(SMALL + CHANGE)
    assert "Smith 2020; like_ours 0.8" in run("validate", "study.toml").out
    study = parse_study(SMALL + CHANGE)
    fitted = fit_of(study, small_cohort, independent_draws(study, small_cohort))
    bayesmyo.save_fit(fitted, tmp_path / "fit.nc")
    result = run("estimate", "fit.nc")
    assert "Note: published numbers count: the change in strength from month 0 to 12: Smith 2020" in result.out
    assert "Smith 2020" in run("estimate", "fit.nc", "--json").json["evidence"][0]


def test_the_forest_shows_every_source():
    study = parse_study(SMALL + KNOWN + RATIO)
    first, second = figures.evidence(study).axes
    assert next(t.get_text() for t in first.get_yticklabels()) == "Smith 2020"
    assert second.get_xscale() == "log"
    (mark,) = [a for a in first.lines if a.get_label() == "published"]
    assert list(mark.get_xdata()) == [6.0]
    with pytest.raises(UsageError, match="no evidence"):
        figures.evidence(parse_study(SMALL))


@pytest.mark.parametrize(("like_ours", "mean"), [(0.8, 50.0), (0.8, 57.0), (1, 50.0), (1, 44.0)])
def test_how_much_data_speak_for_the_sources(small_cohort, like_ours, mean, rng):
    """Draws of the exact posterior of the intercept: the Bayes factor is a ratio of two normal densities."""
    level = CHANGE.replace('"change", from = 0, to = 12', '"level", at = 0').replace("mean = 6.0", "mean = 50.0")
    study = parse_study(SMALL + level + f'tau = "constant(1)"\nlike_ours = {like_ours}\n')
    error = 1.2  # of what data say of the intercept
    precision = 1 / 100 + 1 / (1.5**2 + 1)
    parts = [(like_ours, 50.0, 1 / precision + 1), (1 - like_ours, 50.0, 100.0)]
    likely = [stats.norm(m, np.sqrt(v + error**2)).pdf(mean) for _, m, v in parts]
    weights = np.array([w * p for (w, *_), p in zip(parts, likely, strict=True)])
    draws = independent_draws(study, small_cohort)
    which = rng.choice(2, (4, 1000), p=weights / weights.sum())
    variance = np.array([1 / (1 / v + 1 / error**2) for _, _, v in parts])[which]
    centre = variance * (np.array([m / v for _, m, v in parts])[which] + mean / error**2)
    draws.posterior["strength.intercept"] = centre + np.sqrt(variance) * rng.standard_normal((4, 1000))
    fitted = fit_of(study, small_cohort, draws)
    (check,) = [c for c in checks_of(fitted) if isinstance(c, PublishedNumbers)]
    result = check.run(fitted)
    exact = likely[0] / likely[1]
    assert result.table[0]["bayes factor"] == pytest.approx(exact, rel=0.25)
    assert result.passed == (like_ours < 1 or exact > 0.1)
    assert after(0.8, exact) == pytest.approx(0.8 * likely[0] / (0.8 * likely[0] + 0.2 * likely[1]))
