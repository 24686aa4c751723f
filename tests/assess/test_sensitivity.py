"""Prior against data where the answer is known: posteriors of a normal mean, written down; and what has no patients
to ask.
"""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from bayesmyo.assess import sensitivity
from bayesmyo.assess.asked import asked_of
from bayesmyo.assess.estimate import estimates, verdicts
from bayesmyo.assess.other_priors import OtherPriors
from bayesmyo.assess.sensitivity import _mend, prior_sensitivities
from bayesmyo.assess.verdict import DATA, PRIOR, SILENT, UNKNOWN, judged
from bayesmyo.errors import StorageError
from bayesmyo.inference.engines import Sampling
from bayesmyo.inference.fit import fit
from bayesmyo.inference.store import save_fit, share
from bayesmyo.report import answered
from bayesmyo.report.terminal import show
from bayesmyo.study import find_study, parse_study
from bayesmyo.study.parameters import parameters
from tests.conftest import SMALL

LEVEL = '[estimands.{name}]\nkind = "level"\noutcome = "strength"\nat = 12\npopulation = "{population}"\n'
SHAPE = (4, 2500)


def asked(population, decision=""):
    """A study whose one estimand is the level of strength in a population."""
    text = SMALL[: SMALL.index("[outcomes.cpk]")] + LEVEL.format(name="number", population=population) + decision
    return parse_study(text)


@pytest.fixture(scope="module")
def cohort(small_cohort):
    return replace(small_cohort, measurements={"strength": small_cohort.measurements["strength"]})


def normal(rng, mean, sd, shape=SHAPE):
    return mean + sd * rng.standard_normal(shape)


def posterior(prior_sd, data_mean, measurements):
    """Mean and SD of a normal mean with prior Normal(0, prior_sd), after measurements with an SD of one."""
    weight = measurements * prior_sd**2 / (1 + measurements * prior_sd**2)
    return weight * data_mean, prior_sd / np.sqrt(1 + measurements * prior_sd**2)


@cache
def mocked(text, cohort):
    return fit(parse_study(text), cohort, engine="mock", sampling=Sampling(draws=10, tune=1, chains=2))


def row_of(study, cohort, monkeypatch, *, draws, half, double, before):
    """The verdict on a number whose draws, also under other priors and before any data, are these."""
    one = mocked(study.text, cohort)
    object.__setattr__(one, "__dict__", {**one.__dict__, "estimands": {"number": draws}})
    said = OtherPriors({"number": half}, {"number": double}, "importance", 0.1)
    monkeypatch.setattr(sensitivity, "asked_of", lambda fit, each="": [a for a in asked_of(fit) if not a.own])
    monkeypatch.setattr(sensitivity, "reweighted", lambda *_: said)
    monkeypatch.setattr(sensitivity, "prior_draws", lambda *_: {"number": before})
    return prior_sensitivities(one)[0], one


@pytest.mark.parametrize(
    ("data_mean", "measurements", "verdict"),
    [
        (3.0, 1, SILENT),  # from 1.5 (SD 0.71) to 0.6 under half the prior: by 1.3 SD
        (1.0, 4, SILENT),  # from 0.80 (SD 0.45) to 0.50: by 0.67 SD
        (0.6, 4, DATA),  # from 0.48 to 0.30: by 0.40 SD, which is less than half
        (3.0, 100, SILENT),  # from 2.97 (SD 0.10) to 2.88: the data are many, and the prior is wrong
        (0.5, 100, DATA),
        (0.0, 4, DATA),  # the prior is where the data are
    ],
)
def test_a_number_that_moves_by_more_than_half_an_sd_is_not_reported(
    cohort, rng, monkeypatch, data_mean, measurements, verdict
):
    under = {c: normal(rng, *posterior(c, data_mean, measurements)) for c in (0.5, 1.0, 2.0)}
    row, one = row_of(
        asked("population average"), cohort, monkeypatch,
        draws=under[1.0], half=under[0.5], double=under[2.0], before=normal(rng, 0, 1),
    )  # fmt: skip
    assert row.verdict == verdict
    assert row.contraction == pytest.approx(1 - 1 / (1 + measurements), abs=0.05)
    (estimate,) = judged(estimates(one), [row])
    assert estimate.withheld is (verdict == SILENT)
    if verdict == SILENT:
        assert estimate.sentence.startswith(
            "withheld: number: it turns on the prior; with priors half or twice as wide it moves from "
        )
    else:
        assert estimate.sentence.endswith("Other priors would not change this.")


SHARE = """
[estimands.number]
kind = "share"
at = 12
criteria = { strength = { at_least = 55 } }
population = "these patients"
"""


@pytest.mark.parametrize(("fewer", "verdict"), [(0.46, DATA), (0.54, DATA), (0.95, SILENT)])
def test_a_share_of_few_patients_is_judged_by_its_mean_for_its_median_goes_in_steps(
    cohort, rng, monkeypatch, fewer, verdict
):
    """Four or five of twelve patients: where four become a little more likely than five, the median moves by a whole
    patient, 1.0 SD.
    """
    study = parse_study(SMALL[: SMALL.index("[outcomes.cpk]")] + SHARE)

    def share_of(p):
        return np.where(rng.random(SHAPE) < p, 4, 5) / 12

    row, _ = row_of(
        study, cohort, monkeypatch,
        draws=share_of(0.46), half=share_of(fewer), double=share_of(0.46), before=rng.random(SHAPE),
    )  # fmt: skip
    assert (row.median == row.median_half) is (fewer < 0.5)
    assert row.verdict == verdict


def test_noise_alone_moves_no_probability(cohort, rng, monkeypatch):
    """Four hundred draws of one posterior, three times over: P(above 50) differs by more than 0.05 in a third of
    them, by chance alone.
    """
    study = parse_study(asked("population average").text + "above = 50\n")
    apart = claimed = 0
    for _ in range(60):
        draws, half, double = (normal(rng, 50, 1, (2, 200)) for _ in range(3))
        row, _ = row_of(study, cohort, monkeypatch, draws=draws, half=half, double=double, before=normal(rng, 50, 9))
        apart += max(abs((other > 50).mean() - (draws > 50).mean()) for other in (half, double)) > 0.05
        claimed += row.verdict == SILENT
    assert apart >= 12
    assert claimed <= apart / 2


@pytest.mark.parametrize(("population", "verdict"), [("population average", PRIOR), ("new patient", DATA)])
def test_the_prior_does_not_say_what_a_new_patient_will_be(cohort, rng, monkeypatch, population, verdict):
    """An interval as wide as the prior's: of an average, nothing was learnt; of a patient to come, patients differ."""
    alike = [normal(rng, 50, 10) for _ in range(4)]
    row, one = row_of(
        asked(population), cohort, monkeypatch, draws=alike[0], half=alike[1], double=alike[2], before=alike[3]
    )  # fmt: skip
    assert abs(row.contraction) < 0.1
    assert row.verdict == verdict
    (estimate,) = judged(estimates(one), [row])
    assert ("This is mostly the prior: the interval is " in estimate.sentence) is (verdict == PRIOR)


def test_the_prior_says_nothing_where_the_posterior_lies_elsewhere(cohort, rng, monkeypatch):
    """As wide as the prior, and beyond its 90 % interval: the data have moved it there."""
    moved = [normal(rng, 90, 10) for _ in range(3)]
    row, _ = row_of(
        asked("population average"), cohort, monkeypatch,
        draws=moved[0], half=moved[1], double=moved[2], before=normal(rng, 50, 10),
    )  # fmt: skip
    assert row.verdict == DATA


@pytest.mark.parametrize(
    ("shift", "verdict"),
    [
        (0.0, DATA),
        (0.12, DATA),
        (0.5, SILENT),
    ],  # of the mean, where P(above 50) is 0.5: by nothing, by 0.05 or so, by 0.19
)
def test_a_probability_that_moves_beyond_a_twentieth_is_not_reported(cohort, rng, monkeypatch, shift, verdict):
    study = parse_study(asked("population average").text + "above = 50\n")
    row, _ = row_of(
        study, cohort, monkeypatch,
        draws=normal(rng, 50, 1), half=normal(rng, 50 + shift, 1), double=normal(rng, 50, 1), before=normal(rng, 50, 9),
    )  # fmt: skip
    assert row.verdict == verdict
    assert ("with priors half or twice as wide its probability moves from 0." in row.sentence) is (verdict == SILENT)


def test_what_cannot_be_reweighted_is_not_judged(cohort, rng, monkeypatch):
    draws = normal(rng, 50, 1)
    row, one = row_of(
        asked("population average"), cohort, monkeypatch, draws=draws, half=draws, double=draws,
        before=normal(rng, 50, 9)
    )  # fmt: skip
    assert row.verdict == DATA
    unknown = OtherPriors({"number": draws}, None, "importance", 0.9)
    monkeypatch.setattr(sensitivity, "reweighted", lambda *_: unknown)
    row = prior_sensitivities(one)[0]
    assert row.verdict == UNKNOWN
    (estimate,) = judged(estimates(one), [row])
    assert estimate.sentence.endswith("Whether other priors would change this is not judged: check with --refit.")
    assert not estimate.withheld


def test_a_withheld_number_is_not_in_the_table_either(good_fit, capsys):
    """Beside it stands why: the priors decide, or nothing where a check has failed."""
    (estimate,) = estimates(good_fit)
    told = replace(estimate, name="told", verdict=DATA)
    unsure = replace(estimate, name="unsure", verdict=SILENT, withheld=True)
    failed = replace(estimate, name="failed", verdict=DATA, withheld=True)
    show(*answered.estimates([told, unsure, failed], good_fit.study))
    table = capsys.readouterr().out.split("\n\n")[0]
    said = {name: table[table.index(name) :].split("\n  ", 2) for name in ("told", "unsure", "failed")}
    assert "withheld" not in said["told"][0]
    assert DATA in table[table.index("told") : table.index("unsure")]
    for name in ("unsure", "failed"):
        assert said[name][0].split()[1:3] == ["withheld", "-"]
        assert f"{estimate.median:.2g}" not in table[table.index(name) :]
    assert SILENT in table[table.index("unsure") : table.index("failed")]
    assert DATA not in table[table.index("failed") :]
    decisions = [replace(d, withheld=True) for d in verdicts(good_fit)]
    show(*answered.decisions(decisions, good_fit.study))
    row = next(line.split() for line in capsys.readouterr().out.splitlines() if line.startswith("cpk_halved"))
    assert row[row.index("withheld") + 1 :][:2] == ["-", "-"]


def test_a_shared_copy_tells_its_numbers_and_has_no_patients_to_ask(run, good_fit, tmp_path):
    """Estimates are those of the fit; nothing can be left out, sampled again or asked of the prior."""
    whole, copy = tmp_path / "whole.nc", tmp_path / "copy.nc"
    save_fit(good_fit, whole)
    save_fit(share(good_fit), copy)
    ours, theirs = (run("estimate", path, "--json").json["estimates"] for path in (whole, copy))
    assert [r["verdict"] for r in ours] == [DATA]
    assert [r["verdict"] for r in theirs] == [None]
    for a, b in zip(ours, theirs, strict=True):
        assert b["sentence"] in a["sentence"]
        assert (a["median"], a["lower"], a["upper"]) == (b["median"], b["lower"], b["upper"])
    with pytest.raises(StorageError, match="without patient data"):
        prior_sensitivities(share(good_fit))
    checked = run("check", copy)
    assert checked.code == 0
    assert checked.out.count("not judged: a shared copy has no patient data.") == 10
    for words in (("influence", copy), ("check", copy, "--refit"), ("compare", copy, whole)):
        refused = run(*words)
        assert refused.code == StorageError.exit_code
        assert "without patient data" in refused.err


def test_the_mend_of_a_prior_names_the_table_it_is_written_in():
    study = find_study("safety-events")
    assert "[events.headache]" in _mend(parameters(study, "headache")["migraine_yes"])
    assert "[outcomes.reactions]" in _mend(parameters(study, "reactions")["migraine_yes"])
