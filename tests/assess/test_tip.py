"""What if those who left fared worse: tipping points against those read off the draws, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import optimize

from bayesmyo import figures
from bayesmyo.assess.estimate import verdicts
from bayesmyo.assess.responses import assigned
from bayesmyo.assess.tip import amounts, tip
from bayesmyo.cohort.cohort import Exits
from bayesmyo.errors import UsageError
from bayesmyo.inference.engines import Sampling
from bayesmyo.inference.fit import wrap
from bayesmyo.inference.store import load_fit, save_fit, share
from bayesmyo.model.simulate import simulate
from bayesmyo.report.page import page
from bayesmyo.report.results import results
from bayesmyo.study import parse_study
from tests.conftest import SMALL, independent_draws, scenario_truth

LOST, REST = (1, 4, 6, 9), 12
TEXT = (
    SMALL.replace("typical = 24 }", 'typical = 24, exit = "exit", reason = "reason" }', 1)
    + """
[estimands.gain_these]
kind = "change"
outcome = "strength"
from = 0
to = 12
population = "these patients"

[estimands.gain]
kind = "change"
outcome = "strength"
from = 0
to = 12

[estimands.responders]
kind = "share"
at = 12
criteria = { strength = { at_least = 50 } }
population = "these patients"

[decisions.gained]
kind = "probability"
estimand = "gain_these"
above = 2
probability = 0.9

[decisions.gains]
kind = "probability"
estimand = "gain"
above = 2
probability = 0.9

[responses.rule]
at = 12

[responses.rule.categories]
better = { strength = { of = "change", at_least = 5 } }
other = {}
"""
)


ARMS = (
    TEXT.replace("[outcomes.strength]", '[covariates.arm]\nlevels = ["control", "treated"]\n\n[outcomes.strength]')
    .replace('trajectory = { kind = "linear" }', 'trajectory = { kind = "linear" }\nmoderators = ["arm"]')
    .replace("slope = 0.5, sd", "slope = 0.1, slope_arm_treated = 0.6, sd")
    + """
[estimands.effect]
kind = "change"
outcome = "strength"
from = 0
to = 12
contrast = { covariate = "arm", level = "treated", reference = "control" }
"""
)


def fit_with(reasons=("lost",) * 4, text=TEXT, latest=11.0):
    study = parse_study(text)
    cohort = simulate(study, scenario_truth(study, 12, np.random.default_rng(7)), np.random.default_rng(4)).cohort
    exits = np.full(12, 30.0)
    exits[list(LOST)] = [3.0, 6.0, 9.0, latest]
    reason = [""] * 12
    for i, why in zip(LOST, reasons, strict=True):
        reason[i] = why
    cohort = replace(cohort, exits=Exits(exits, np.ones(12, bool), tuple(reason)))
    draws = independent_draws(study, cohort)
    return wrap(study, cohort, draws, engine="nuts", seed=1, sampling=Sampling(), how={})


@pytest.fixture(scope="module")
def lost():
    return fit_with()


@pytest.fixture(scope="module")
def shifted(lost):
    return tip(lost, outcomes=["strength"], by=np.linspace(0, -30, 16))


def test_a_decision_tips_where_its_draws_say(lost, shifted):
    """Of these patients a shift d moves the mean by d 4/12, so the quantile that decides reaches 2 at one d."""
    (point,) = [p for p in shifted.points if p.name == "gained"]
    exact = -(np.quantile(lost.estimands["gain_these"], 0.1) - 2) * 12 / 4
    assert point.d == pytest.approx(exact, abs=0.01)
    assert (point.before, point.after, point.left) == ("met", "not met", 4)
    assert point.sentence.startswith("gained: the 4 who were lost would have had to be ")
    assert "points worse than patients like them for the conclusion to change (met, then not met)." in point.sentence


def test_a_population_tips_later_or_earlier_by_the_share_that_leaves(lost, shifted):
    (point,) = [p for p in shifted.points if p.name == "gains"]
    hazard = np.random.default_rng(99).gamma(4.5, 1 / (3 + 6 + 9 + 11 + 8 * 30), (4, 1000))
    share = 1 - np.exp(-12 * hazard)
    exact = optimize.brentq(lambda d: np.quantile(lost.estimands["gain"] + d * share, 0.1) - 2, -30, 0)
    assert point.d == pytest.approx(exact, rel=0.05)


def test_the_row_of_zero_is_the_fit(lost, shifted):
    rows = shifted.table()
    zero = rows[(rows.d == 0) & (rows.kind == "estimand")].set_index("name")
    for name in ("gain", "gain_these", "responders"):
        assert zero.loc[name, "median"] == pytest.approx(np.median(lost.estimands[name]), abs=1e-12)
    met = {d.name: d.met for d in verdicts(lost)}
    decided = rows[(rows.d == 0) & (rows.kind == "decision")].set_index("name").met
    assert decided.to_dict() == {name: met[name] for name in ("gained", "gains")}


def test_each_amount_moves_these_patients_by_their_share(shifted):
    rows = shifted.table().query("name == 'gain_these' and kind == 'estimand'")
    np.testing.assert_allclose(np.diff(rows["median"]) / np.diff(rows.d), 4 / 12)


def test_responses_count_those_who_left_by_their_course(lost):
    never = tip(lost, "never").table()
    position = assigned(lost, lost.study.responses["rule"])
    counts = (position[..., [i for i in range(12) if i not in LOST]] == 0).sum(axis=-1)
    row = never[(never.course == "never") & (never.name == "rule: better")]
    assert row["mean"].item() == pytest.approx(counts.mean())
    own = never[(never.course == "own") & (never.name == "rule: better")]
    assert own["mean"].item() == pytest.approx((position == 0).sum(axis=-1).mean())
    assert set(never[never.kind == "estimand"].name) == {"responders"}


def test_by_default_every_outcome_goes_by_declared_spreads(lost):
    rows = tip(lost, steps=3).table().query("kind == 'estimand'")
    assert sorted(rows.spreads.unique()) == [-3, -1.5, 0]
    of = rows[rows.spreads == -3].set_index("name").d
    assert of["gain"] == pytest.approx(-30)
    assert of["cpk_ratio_12"] == pytest.approx(-3 * np.log(2.5))


def test_a_shift_that_tips_nothing_says_how_far_was_looked(lost):
    told = tip(lost, outcomes=["strength"], by=[0, -0.1])
    (said,) = [p.sentence for p in told.points if p.name == "gained"]
    like = "than patients like them, the conclusion would be the same (met)."
    assert said == f"gained: even had the 4 who were lost been 0.10 points worse {like}"


def with_event(reasons='"lost"', depends="", value=""):
    event = f'[events.lost]\nreasons = [{reasons}]\ntypical = 0.3\nhazard = {{ kind = "constant" }}\n{depends}\n'
    return f"{TEXT}\n{event}\n[scenarios.improves.lost]\nhazard = 0.02\n{value}"


@pytest.mark.parametrize(
    ("depends", "value", "more"),
    [("", "", ""), ('depends = { strength = "slope" }', "strength_slope = 0.6", ", jointly with the own course")],
)
def test_a_population_leaves_by_the_event_that_the_study_has(depends, value, more):
    fit = fit_with(text=with_event(depends=depends, value=value))
    told = tip(fit, outcomes=["strength"], by=[0, -6])
    assert told.leaving == f"by the constant hazard of lost, as it was fitted{more}"
    gone = 1 - fit.prediction.event("lost", 12.0, "free", "population average")
    rows = told.table().query("name == 'gain' and kind == 'estimand'").set_index("d")["mean"]
    assert rows[-6.0] - rows[0.0] == pytest.approx(-6 * gone.mean(), abs=0.01)
    stated = tip(fit, outcomes=["strength"], by=[0, -6], hazard="lognormal(-4.6, 1)").leaving
    assert stated == "by a constant hazard, from 4 exits in 269 months (prior lognormal(-4.6, 1))"


def test_it_is_said_how_a_new_patient_leaves(lost, shifted):
    assert shifted.leaving == "by a constant hazard, from 4 exits in 269 months (Jeffreys' prior)"
    one = fit_with(text=with_event('"lost", "moved away"'))
    assert tip(one, steps=2).leaving == "by the constant hazard of lost, as it was fitted"
    several = fit_with(("lost", "moved away") * 2, with_event('"lost", "moved away"'))
    assert tip(several, reasons=["lost"], steps=2).leaving.startswith("by a constant hazard, from 2 exits")


def test_a_prior_of_the_amount_gives_one_posterior(lost):
    told = tip(lost, outcomes=["strength"], prior="normal(-6, 3)")
    row = told.table().query("course == 'shift' and name == 'gain_these' and kind == 'estimand'")
    own = lost.estimands["gain_these"]
    assert row["mean"].item() == pytest.approx(own.mean() - 6 * 4 / 12, abs=0.1)
    half = (row.upper - row.lower).item() / 2
    assert half == pytest.approx(1.96 * np.hypot(own.std(), 1.0), rel=0.06)
    assert any("been moved by d from their own course, d ~ normal(-6, 3)" in p.sentence for p in told.points)


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"course": "shif"}, 'did you mean "shift"'),
        ({"reasons": ["losst"]}, 'did you mean "lost"'),
        ({"outcomes": ["strenght"]}, 'did you mean "strength"'),
        ({"by": [0, -1]}, "several have different ones"),
        ({"course": "stay", "by": [0, -1]}, "has no amount"),
        ({"course": "reference"}, "needs a covariate of treatment"),
        ({"group": "arm"}, "is not a covariate of patients with levels"),
        ({"prior": "normal(0"}, "cannot be understood"),
        ({"hazard": "normal(0, 1)"}, "a rate"),
        ({"outcomes": ["strength"], "by": [0, np.nan]}, "finite"),
    ],
)
def test_what_is_refused(lost, how, words):
    with pytest.raises(UsageError, match=words):
        tip(lost, **how)


@pytest.fixture(scope="module")
def arms():
    return fit_with(text=ARMS)


def shares(fit, arm):
    """The share of an arm that has left by month 12, with the prior that the product has."""
    own = fit.cohort.covariates["arm"] == arm
    exits, lost = fit.cohort.exits, np.isin(np.arange(12), LOST)
    hazard = np.random.default_rng(50 + arm).gamma((own & lost).sum() + 0.5, 1 / exits.time[own].sum(), 20_000)
    return (1 - np.exp(-12 * hazard)).mean()


def test_two_arms_are_a_grid_and_tip_each_alone(arms):
    told = tip(arms, outcomes=["strength"], by=[0, -4, -8], group="arm")
    rows = told.table().query("name == 'effect' and kind == 'estimand'").set_index(["d_control", "d_treated"])["mean"]
    assert len(rows) == 9
    for d in (-4.0, -8.0):
        assert rows[0.0, d] - rows[0.0, 0.0] == pytest.approx(d * shares(arms, 1), rel=0.05)
        assert rows[d, 0.0] - rows[0.0, 0.0] == pytest.approx(-d * shares(arms, 0), rel=0.05)
    assert {p.group for p in told.points} == {"control", "treated"}


def test_jump_to_reference_takes_the_effect_from_those_who_leave(arms):
    told = tip(arms, "reference", outcomes=["strength"], group="arm").table()
    effect = told[(told.name == "effect") & (told.kind == "estimand")].set_index("course")["mean"]
    assert effect["reference"] == pytest.approx(effect["own"] * (1 - shares(arms, 1)), rel=0.02)


def test_a_death_is_no_loss():
    fit = fit_with(("lost", "lost", "died", "moved away"))
    with pytest.raises(UsageError, match="several"):
        tip(fit)
    with pytest.raises(UsageError, match="no course"):
        tip(fit, reasons=["died"])
    assert tip(fit, "never", reasons=["died"]).left == 1
    assert tip(fit, "stay", reasons=["lost", "moved away"]).left == 3


def test_nobody_left_and_nobody_knows(good_fit):
    with pytest.raises(UsageError, match="says of nobody"):
        tip(good_fit)
    with pytest.raises(UsageError, match="no patient who left"):
        tip(fit_with(("",) * 4))


def test_exits_are_kept_in_a_fit(lost, tmp_path):
    save_fit(lost, tmp_path / "fit.nc")
    exits = load_fit(tmp_path / "fit.nc").cohort.exits
    assert exits.reason == lost.cohort.exits.reason
    assert np.array_equal(exits.time, lost.cohort.exits.time)
    assert exits.stated.dtype == bool
    assert "exits" not in share(lost).tree.attrs


def test_the_command_says_it_in_text_and_json(lost, run, tmp_path):
    save_fit(lost, tmp_path / "fit.nc")
    words = ("tip", "fit.nc", "--outcome", "strength", "--to", "-30", "--steps", "16")
    text, document = run(*words), run(*words, "--json")
    assert text.code == document.code == 0
    assert "4 of 12 patients left (lost); what if they were moved by d from their own course" in text.out
    assert "would have had to be" in " ".join(text.out.split())
    leaves = "In a population a new patient leaves by a constant hazard, from 4 exits in 269 months (Jeffreys' prior)."
    assert leaves in " ".join(text.out.split())
    points = {p["name"]: p for p in document.json["tip"]["points"]}
    exact = -(np.quantile(lost.estimands["gain_these"], 0.1) - 2) * 12 / 4
    assert points["gained"]["d"] == pytest.approx(exact, abs=0.01)
    assert run(*words, "--tables").out.count("gain_these") >= 16
    assert "rule: better" in run("tip", "fit.nc", "--course", "never").out  # nothing concludes: the numbers are told
    assert run("tip", "fit.nc", "--from", "0").code == 2
    assert amounts(None, -3, 4) == [0, -1, -2, -3]


def test_the_figure_marks_the_tipping_point(lost, shifted):
    (axes,) = [a for a in figures.tipping_curve(lost, of=shifted).axes if a.axison]
    dashed = [line for line in axes.lines if line.get_linestyle() == "--"]
    (d,) = {p.d for p in shifted.points if p.name == "gained"}
    assert any(np.allclose(line.get_xdata(), d) for line in dashed)
    assert "points" in axes.get_xlabel()
    with pytest.raises(UsageError, match="no estimand by amounts"):
        figures.tipping_curve(lost, of=tip(lost, "stay"))


def test_the_report_has_a_section_where_the_study_says_who_left(lost, good_fit):
    told = {s.name: s for s in page(results(lost)).sections}
    text = str(told["left"])
    assert "the 4 who were lost would have had to be" in text
    assert "figure-left-lost" in text
    assert "left" not in {s.name for s in page(results(good_fit)).sections}
    nobody = {s.name: s for s in page(results(fit_with(("",) * 4))).sections}
    assert "Nobody left for a stated reason" in str(nobody["left"])


def test_who_had_not_left_yet_is_not_counted():
    """The one who was lost after the time that is asked about changes nothing there."""
    told = tip(fit_with(latest=20.0), outcomes=["strength"], by=[0, -30])
    assert told.left == 4
    assert "gained: the 3 who were lost by month 12 would have had to be" in " ".join(p.sentence for p in told.points)


def test_the_report_draws_what_who_left_can_change():
    """A decision about an event is none of theirs, though it comes first."""
    text = TEXT.replace(
        "[decisions.cpk_halved]",
        """[events.lost]
reasons = ["lost"]
typical = 0.2
hazard = { kind = "constant" }

[estimands.stays]
kind = "event free"
event = "lost"
at = 12

[decisions.stays]
kind = "probability"
estimand = "stays"
above = 0.5
probability = 0.9

[decisions.cpk_halved]""",
    ).replace("[scenarios.improves]", "[scenarios.improves]\nlost = { hazard = 0.01 }", 1)
    left = str({s.name: s for s in page(results(fit_with(text=text))).sections}["left"])
    assert "cpk_ratio_12, if 4 patients" in left
