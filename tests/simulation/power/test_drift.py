"""Power where published numbers and the truth disagree: cells, what their evidence says, and what is refused."""

import numpy as np
import pytest

from bayesmyo import figures
from bayesmyo.errors import BayesmyoError, UsageError
from bayesmyo.model.published import published
from bayesmyo.simulation.options import Axes, PowerOptions
from bayesmyo.simulation.power.drift import DRIFT, FULL, NONE, STATED, TRUST, drifted, unit_of_drift
from bayesmyo.simulation.power.grid import cells, power_plan
from bayesmyo.simulation.studies import power
from bayesmyo.study import parse_study
from bayesmyo.study.write import to_toml
from tests.conftest import SMALL
from tests.study.test_evidence import BINARY, CHANGE, RATIO

GAIN = """
[estimands.gain_12]
kind = "change"
outcome = "strength"
from = 0
to = 12
[decisions.gain]
kind = "probability"
estimand = "gain_12"
above = 0
probability = 0.975
[scenarios.null]
like = "improves"
strength = { slope = 0 }
"""
LEVEL = """
[scenarios.all]
remission = { intercept = 0.3, slope = 0.05, sd_intercept = 1, sd_slope = 0.02, correlation = 0 }
"""


@pytest.fixture(scope="module")
def known():
    return parse_study(SMALL + GAIN + CHANGE + "patients = 36\n" + RATIO)


def test_every_drift_is_analysed_with_either_trust_and_beside_without(known):
    listed = cells(known, Axes(scenarios=("null",), drift=(0.0, 2.0)))
    assert [(c.labels[DRIFT], c.labels[TRUST]) for c in listed] == [
        ("-", NONE), (0.0, STATED), (0.0, FULL), (2.0, STATED), (2.0, FULL)
    ]  # fmt: skip
    assert not listed[0].analysis.evidence
    assert {e.like_ours for e in listed[2].analysis.evidence.values()} == {1.0}
    assert all(c.study is listed[0].study or to_toml(c.study) == to_toml(listed[0].study) for c in listed)
    assert len({c.key for c in listed}) == 5


@pytest.mark.parametrize("drift", [-1.0, 0.0, 2.0])
def test_the_sources_predict_what_lies_so_far_from_the_truth(known, drift):
    """On the scale of each: the change is 6 in truth, the ratio follows from 800, 200 and a half-time of 3."""
    spread = [p.analysis.predictive.sd for p in published(known)]
    moved = list(drifted(known, "improves", [drift]))[1][1]
    truths = 6.0, np.log((200 * (800 / 200) ** (2**-4)) / 800)
    for p, truth, sd in zip(published(moved), truths, spread, strict=True):
        assert p.analysis.predictive.mean == pytest.approx(truth + drift * sd, abs=2e-3 * sd)
        assert p.like_ours == 0.8
    assert parse_study(to_toml(moved)) == parse_study(to_toml(parse_study(to_toml(moved))))


def test_counts_drift_on_the_logit():
    study = parse_study(BINARY + LEVEL)
    (before,) = published(study)
    (after,) = published(list(drifted(study, "all", [1.0]))[1][1])
    values = {"intercept": np.log(3 / 7), "slope": 0.05, "sd_intercept": 1.0, "sd_slope": 0.02, "correlation": 0.0}
    true = float(before.value({"remission": values}, np))
    assert after.analysis.predictive.mean == pytest.approx(true + before.analysis.predictive.sd, abs=0.02)
    assert after.told[0].about[1] == pytest.approx(before.told[0].about[1])  # its standard error stays


def test_what_a_drift_of_one_is_stands_in_a_sentence(known):
    sd = published(known)[0].analysis.predictive.sd
    assert f"{sd:.3g}"[:3] in unit_of_drift(known)
    assert "of the change in strength" in unit_of_drift(known)


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        (SMALL + GAIN, {}, "states no [evidence]"),
        (SMALL + GAIN + CHANGE, {"drift": (1.0, 1.0)}, "one value twice"),
        (
            SMALL + GAIN + CHANGE + '[scenarios.hope]\nlike = "null"\nstrength = { slope = "normal(0, 1)" }',
            {},
            "is drawn",
        ),
        (SMALL + GAIN + CHANGE, {"solve": "threshold"}, "do not go together"),
    ],
)
def test_what_cannot_drift_is_refused(text, options, words, tmp_path):
    with pytest.raises(BayesmyoError) as error:
        power_plan(PowerOptions(parse_study(text), tmp_path, **{"drift": (0.0,), "engine": "mock", **options}))
    assert words in str(error.value)


def test_a_power_study_over_drift_says_its_worst_by_trust(known, tmp_path):
    answer = power(
        known, tmp_path / "drift", scenarios=("null",), drift=(-1.0, 1.0), engine="mock", replicates=4, workers=0,
        comparators=(),
    )  # fmt: skip
    worst = [x for x in answer.extremes if x.decision == "gain"]
    assert [x.labels[TRUST] for x in worst] == [NONE, STATED, FULL]
    said = " ".join(answer.sentences)
    assert "Drift is how far above the truth the sources predict" in said
    assert "simulated cells with trust full" in said
    figure = figures.drift_curves(answer.decisions)
    assert [a.get_title("left").splitlines()[0] for a in figure.axes] == ["cpk_halved", "gain"]
    full = next(line for line in figure.axes[1].lines if line.get_color() == figures.colours.VERMILLION)
    own = [d for d in answer.decisions if d.decision == "gain" and d.labels[TRUST] == FULL]
    np.testing.assert_allclose(full.get_ydata(), [100 * d.rate.value for d in own])
    with pytest.raises(UsageError, match="over drift"):
        figures.drift_curves([])
