"""A claim is judged where it is printed: what the prior makes is never met, in the command line, in JSON, in Python
and on the page.
"""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

import bayesmyo
from bayesmyo.assess import sensitivity
from bayesmyo.assess.asked import Asked, asked_of, beyond
from bayesmyo.assess.claims import claims, influential
from bayesmyo.assess.estimate import verdicts
from bayesmyo.assess.influence import Flip, Influence
from bayesmyo.assess.other_priors import OtherPriors, leading, reweighted
from bayesmyo.assess.refits import AFFORDABLE, Refits, affordable
from bayesmyo.assess.sensitivity import _apart, prior_sensitivities
from bayesmyo.assess.verdict import DATA, PRIOR, SILENT, UNKNOWN, judged
from bayesmyo.assess.withhold import withhold
from bayesmyo.cohort import read_cohort
from bayesmyo.components.decisions import concluding
from bayesmyo.components.priors import Prior
from bayesmyo.inference.engines import Draws, Sampling
from bayesmyo.inference.fit import fit
from bayesmyo.inference.store import load_fit, save_fit, share
from bayesmyo.report.markdown import markdown
from bayesmyo.report.page import page
from bayesmyo.report.results import results
from bayesmyo.study import parse_study
from tests.conftest import MOCK, SMALL, fit_of

YES = """
[study]
title = "All of them, at every visit"
patient = "id"
time = { column = "month", unit = "month", typical = 12 }
[outcomes.walks]
column = "walks"
unit = "probability"
better = "higher"
typical = 0.5
scale = 0.2
family = { kind = "bernoulli" }
trajectory = { kind = "linear" }
[estimands.change]
kind = "change"
outcome = "walks"
from = 0
to = 12
[estimands.level12]
kind = "level"
outcome = "walks"
at = 12
[decisions.better]
kind = "probability"
estimand = "change"
above = -0.5
probability = 0.6
"""
FACT = "every measurement of walks is 1: these data hold no change; what is computed comes from the prior."


def table(value, patients=20, months=(0, 3, 6, 9, 12)):
    rows = [f"P{p:02d},{t},{value}" for p in range(1, patients + 1) for t in months]
    return "\n".join(["id,month,walks", *rows]) + "\n"


@pytest.fixture(scope="module")
def unchanged(tmp_path_factory):
    """A fit of twenty patients who walk at every visit, under draws from the priors, half of which meet the
    decision's rule and more.
    """
    folder = tmp_path_factory.mktemp("unchanged")
    (folder / "table.csv").write_text(table(1))
    study = parse_study(YES)
    cohort = read_cohort(study, folder / "table.csv")
    found = fit(study, cohort, engine="mock", sampling=Sampling(draws=100, tune=1, chains=2))
    assert verdicts(found)[0].met  # by its rule: nothing falls by a half
    return found


def test_a_decision_on_an_outcome_that_never_changes_is_not_met_wherever_it_is_printed(run, unchanged, tmp_path):
    path = tmp_path / "fit.nc"
    save_fit(unchanged, path)
    (typed,) = run("estimate", path, "--decisions", "--json").json["decisions"]
    python = bayesmyo.decisions(unchanged).loc["better"]
    for row in (typed, python):
        assert not row["met"]
        assert row["withheld"]
        assert row["verdict"] == PRIOR
        assert row["sentence"] == f"withheld: not met: {FACT}"
    printed = run("estimate", path, "--decisions").out
    assert f"- withheld: not met: {FACT}" in printed
    assert ": met." not in printed
    written = markdown(page(results(unchanged)))
    assert FACT in written
    assert ": met." not in written
    rows = run("estimate", path, "--json").json["estimates"]
    numbers = bayesmyo.estimate(unchanged)
    for listed in ({r["name"]: r for r in rows}, numbers.to_dict("index")):
        assert listed["change"]["sentence"] == f"withheld: {FACT}"
        assert listed["change"]["withheld"]
        assert FACT not in listed["level12"]["sentence"]


def test_a_fact_of_the_data_is_told_before_the_check_that_it_fails(unchanged):
    """Advice to sample longer would be a dead end."""
    said = claims(unchanged)
    assert [e.sentence for e in said.estimates] == [
        f"withheld: {FACT}",
        "withheld: The engine mock does not draw from the posterior: fit again with --engine nuts.",
    ]
    assert not said.decisions[0].met


def test_correlations_of_a_change_that_there_is_not_are_withheld(unchanged):
    found = bayesmyo.correlations(unchanged)
    assert found["withheld"].tolist() == [True]
    assert found["sentence"].tolist() == [f"withheld: {FACT}"]


RULES = {
    "probability": "above = 0\nprobability = 0.9",
    "dual": "null = 0\nrelevant = 40\nprobability = 0.9",
    "equivalence": "low = 0\nhigh = 100\nprobability = 0.9",
    "precision": "width = 60",
}
DECIDED = """
[estimands.number]
kind = "level"
outcome = "strength"
at = 12
population = "{population}"
[decisions.rule]
kind = "{kind}"
estimand = "number"
{rule}
"""


def decided(kind, population, cohort, monkeypatch, *, draws, before, other=None, known=True):
    """What is said of a decision whose number has these draws, and had those before any data; other: its draws under
    other priors.
    """
    text = SMALL[: SMALL.index("[outcomes.cpk]")] + DECIDED.format(kind=kind, population=population, rule=RULES[kind])
    measured = replace(cohort, measurements={"strength": cohort.measurements["strength"]})
    one = fit(parse_study(text), measured, engine="mock", sampling=Sampling(draws=10, tune=1, chains=2))
    object.__setattr__(one, "__dict__", {**one.__dict__, "estimands": {"number": draws}})
    other = draws if other is None else other
    said = OtherPriors({"number": draws}, {"number": other} if known else None, "importance", 0.1)
    monkeypatch.setattr(sensitivity, "asked_of", lambda fit, each="": [a for a in asked_of(fit) if not a.own])
    monkeypatch.setattr(sensitivity, "reweighted", lambda *_: said)
    monkeypatch.setattr(sensitivity, "prior_draws", lambda *_: {"number": before})
    rows = [s for s in prior_sensitivities(one) if s.kind == "decision"]
    (rule,), (d,) = verdicts(one), judged(verdicts(one), rows)
    return rule, d, rows[0]


@pytest.mark.parametrize("population", ["population average", "new patient"])
@pytest.mark.parametrize("kind", RULES)
@pytest.mark.parametrize("width", [1.0, 0.9, 0.75])
def test_a_decision_met_by_the_prior_alone_is_never_met(small_cohort, rng, monkeypatch, kind, population, width):
    """The posterior is the prior, or not much narrower; no other prior would change the answer."""
    before, draws = 50 + 10 * rng.standard_normal(4000), 50 + 10 * width * rng.standard_normal((4, 1000))
    rule, d, s = decided(kind, population, small_cohort, monkeypatch, draws=draws, before=before)
    assert rule.met
    assert s.prior_meets
    assert (d.met, d.verdict) == (False, PRIOR)
    assert ": not met: this is mostly the prior, not the data (the interval is " in d.sentence
    assert ": met." not in d.sentence


@pytest.mark.parametrize("kind", RULES)
def test_a_decision_that_the_data_make_is_met_though_the_prior_alone_would_meet_it_too(
    small_cohort, rng, monkeypatch, kind
):
    before, draws = 50 + 10 * rng.standard_normal(4000), 50 + rng.standard_normal((4, 1000))
    rule, d, s = decided(kind, "population average", small_cohort, monkeypatch, draws=draws, before=before)
    assert s.prior_meets
    assert (d.met, d.verdict) == (True, DATA)
    assert d.sentence == f"{rule.sentence} Other priors would not change this."


def test_a_decision_that_a_wider_prior_would_not_meet_is_not_met(small_cohort, rng, monkeypatch):
    """P(above 0) is 0.977 with the prior and 0.84 with one twice as wide; the prior alone would not meet it."""
    before, draws = 10 * rng.standard_normal(4000), 2 + rng.standard_normal((4, 1000))
    wider = 1 + rng.standard_normal((4, 1000))
    rule, d, s = decided(
        "probability", "population average", small_cohort, monkeypatch, draws=draws, before=before, other=wider
    )
    assert rule.met
    assert not s.prior_meets
    assert (d.met, d.withheld, d.verdict) == (False, True, SILENT)
    assert "the decision becomes not met" in d.sentence
    assert "write priors = { " in d.sentence  # and what to do


def test_a_decision_that_nobody_has_judged_says_so_where_it_is_met(small_cohort, rng, monkeypatch):
    before, draws = 10 * rng.standard_normal(4000), 3 + rng.standard_normal((4, 1000))
    rule, d, _ = decided(
        "probability", "population average", small_cohort, monkeypatch, draws=draws, before=before, known=False
    )
    assert (d.met, d.verdict) == (True, UNKNOWN)
    assert d.sentence == rule.sentence.replace(
        ": met.", ": met, but whether other priors would change this is not judged: check with --refit."
    )


def test_a_shared_copy_says_that_its_decisions_are_not_judged(good_fit):
    (d,) = claims(share(good_fit)).decisions
    assert d.met
    assert d.verdict == UNKNOWN
    assert d.sentence.endswith(
        ": met, but whether other priors would change this is not judged: this is a shared copy without patients."
    )


def test_a_remark_stays_behind_another_conclusion():
    assert concluding("It is: met. A remark: met. Draw more.", "not met") == "It is: met. A remark: not met. Draw more."


LEVELS = """
[estimands.start]
kind = "level"
outcome = "strength"
at = 0
population = "average patient"
[estimands.gain]
kind = "change"
outcome = "strength"
from = 0
to = 12
population = "average patient"
"""


@pytest.fixture(scope="module")
def from_priors(small_cohort):
    """Strength alone, under draws from the priors: the posterior is the prior."""
    study = parse_study(SMALL[: SMALL.index("[outcomes.cpk]")] + LEVELS)
    measured = replace(small_cohort, measurements={"strength": small_cohort.measurements["strength"]})
    return fit(study, measured, engine="mock", sampling=Sampling(draws=1000, tune=1, chains=4))


@pytest.mark.parametrize(("asked", "parameter"), [("start", "strength.intercept"), ("gain", "strength.slope")])
def test_the_prior_that_moves_a_number_most_is_named(from_priors, asked, parameter):
    """The level at the start of the average patient is the intercept, and the change over a year twelve slopes."""
    e, draws = from_priors.study.estimands[asked], from_priors.estimands[asked]
    number = Asked(asked, "estimand", asked, ("strength",), partial(beyond, None), relative=e.relative)
    lead = leading(from_priors, ("strength",), partial(_apart_in_width, draws), draws)
    assert lead.full_name == parameter
    assert _apart(number, draws, draws) == 0


def _apart_in_width(draws, other):
    """A prior twice as wide around the same centre moves no median; it widens."""
    return abs(float(np.std(other) - np.std(draws)))


@pytest.mark.parametrize(
    ("prior", "moved"),
    [
        ("normal(1, 2)", "normal(2, 2)"),
        ("student_t(3, 1, 2)", "student_t(3, 2, 2)"),
        ("halfnormal(2)", "halfnormal(2)"),
        ("lognormal(0, 1)", "lognormal(0, 1)"),
        ("lkj(2)", "lkj(2)"),
        ("exponential(2)", "exponential(2)"),
    ],
)
def test_a_centre_is_moved_by_half_a_spread(prior, moved):
    assert str(Prior.parse(prior).moved(0.5)) == moved


def test_levels_centred_elsewhere_are_asked_for_by_weights(from_priors):
    """Where the posterior is the prior, Normal(50, 10), its centre follows: 45 and 55. The change has no centre to
    move.
    """
    other = reweighted(from_priors, ("strength",))
    spread = float(np.std(from_priors.estimands["start"]))
    assert spread == pytest.approx(10, rel=0.05)
    assert float(np.mean(other.lower["start"])) == pytest.approx(45, abs=1)
    assert float(np.mean(other.higher["start"])) == pytest.approx(55, abs=1)
    assert float(np.mean(other.higher["gain"] - 0)) == pytest.approx(
        float(np.mean(from_priors.estimands["gain"])), abs=2
    )


def test_only_small_fits_of_a_sampler_are_sampled_again_unasked(good_fit, mock_fit):
    assert affordable(good_fit)  # 12 patients, two outcomes
    assert not affordable(mock_fit)  # draws from the priors are no posterior
    m = good_fit.cohort.measurements["cpk"]
    many = replace(
        good_fit.cohort, measurements={**good_fit.cohort.measurements, "cpk": m.take(np.zeros(AFFORDABLE, int))}
    )
    large = replace(good_fit)
    object.__setattr__(large, "__dict__", {**good_fit.__dict__, "cohort": many})
    assert not affordable(large)


def test_one_patient_left_out_does_not_confirm_a_decision_that_is_not_met(good_fit):
    flips = [Flip("cpk_halved", f"P{n:02d}", True, True, 0.99, 0.98, 0.09, 0.08, False, False) for n in (1, 2)]
    found = Influence((), tuple(flips), ("cpk_halved stays met whichever patient is left out.",))
    (d,) = claims(good_fit, []).decisions
    assert influential(found, [d]).sentences == found.sentences
    not_met = replace(d, met=False, sentence="It is: not met: this is mostly the prior, not the data.")
    assert influential(found, [not_met]).sentences == (
        "cpk_halved: It is: not met: this is mostly the prior, not the data.",
    )


def test_constant_draws_break_nothing(small, small_cohort, tmp_path, run):
    """One point, a thousand times: every likelihood is the same in all draws, as where every measurement is one
    value and sigma is zero.
    """
    draws = fit_of(small, small_cohort, _frozen(small, small_cohort))
    assert all(np.ptp(v) == 0 for v in draws.estimands.values())
    path = tmp_path / "frozen.nc"
    save_fit(draws, path)
    assert load_fit(path).estimands.keys() == draws.estimands.keys()
    for words in (
        ("check", path),
        ("estimate", path),
        ("estimate", path, "--decisions"),
        ("estimate", path, "--correlations"),
    ):
        assert run(*words).code == 1
    assert run("report", path, "-o", tmp_path / "page.html").code == 1


def _frozen(study, cohort):
    from tests.conftest import independent_draws

    found = independent_draws(study, cohort, chains=2, draws=200)
    return Draws({k: np.broadcast_to(v[:1, :1], v.shape).copy() for k, v in found.posterior.items()}, found.stats)


def test_hard_tables_go_through_every_verb(run, tmp_path):
    """All alike, all zero, all below a limit, one patient: no verb breaks, and the exit code is that of a fit that
    fails its checks.
    """
    constant = YES.replace('"bernoulli"', '"gaussian"').replace(
        "typical = 0.5\nscale = 0.2", "typical = 50\nscale = 10"
    )
    hurdle = YES.replace('"bernoulli"', '"hurdle_lognormal"').replace(
        "typical = 0.5\nscale = 0.2", "typical = 20\nscale = 2"
    )
    hurdle = hurdle.replace(
        "[estimands.change]",
        '[outcomes.walks.zero]\ntypical = 0.1\nscale = 0.05\ntrajectory = { kind = "linear" }\n[estimands.change]',
    )
    censored = YES.replace('"bernoulli"', '"lognormal"').replace(
        "typical = 0.5\nscale = 0.2", 'typical = 50\nscale = 2.5\ncensoring = "as typed"'
    )
    cases = {
        "same": (constant, table(50)),
        "zero": (hurdle, table(0)),
        "below": (censored, table("<10")),
        "one": (YES, table(1, 1)),
    }
    for name, (study, data) in cases.items():
        (tmp_path / "study.toml").write_text(study)
        (tmp_path / "table.csv").write_text(data)
        path = f"{name}.nc"
        assert run("fit", "study.toml", "table.csv", "-o", path, *MOCK).code == 1
        for words in (
            ("estimate",), ("estimate", "--parameters"), ("estimate", "--decisions"), ("estimate", "--responses"),
            ("estimate", "--correlations"), ("estimate", "--json"), ("check",), ("influence", "--quick"),
        ):  # fmt: skip
            assert run(words[0], path, *words[1:]).code == 1, (name, words)
        assert run("report", path, "-o", f"{name}.html").code == 1
        assert run("verify", path).code == 0
        (d,) = run("estimate", path, "--decisions", "--json").json["decisions"]
        assert (d["met"], d["verdict"]) == (False, PRIOR)


def test_withholding_for_a_check_keeps_the_verdict(good_fit):
    said = claims(good_fit, [])
    assert [d.met for d in said.decisions] == [True]
    assert [e.withheld for e in withhold(list(said.estimates), [])] == [False]


def test_what_cannot_be_reweighted_is_sampled_again_once(from_priors, monkeypatch):
    """Both widths in one go, for whatever asks; the progress tells how many are done."""
    told = []
    monkeypatch.setattr(sensitivity, "reweighted", lambda *_: OtherPriors(None, None, "importance", 0.9))
    refits = Refits(from_priors, progress=lambda done, of: told.append((done, of)))
    rows = prior_sensitivities(from_priors, refits=refits, always=False)
    assert {r.method for r in rows} == {"refit"}
    assert UNKNOWN not in {r.verdict for r in rows}
    assert told == [(0, 2), (1, 2)]
    assert {r.method for r in prior_sensitivities(from_priors)} == {"importance"}
    assert {r.verdict for r in prior_sensitivities(from_priors)} <= {UNKNOWN, PRIOR}
