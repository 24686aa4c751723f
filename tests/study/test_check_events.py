"""What a study may declare about what happens to patients, and what it may not."""

import numpy as np
import pytest

from bayesmyo.errors import StudyError
from bayesmyo.model.truth import from_scenario
from bayesmyo.study import parse_study
from bayesmyo.study.parameters import parameters
from bayesmyo.study.write import study_hash, to_toml
from tests.conftest import SMALL

EXIT = 'exit = "left", reason = "why"'
LOST = '[events.lost]\nreasons = ["lost"]\ntypical = 0.2\nhazard = { kind = "constant" }\n'
AGE = "[covariates.age]\ntypical = 50\nscale = 10\n"
DOSE = '[covariates.dose]\ntypical = 50\nscale = 10\nvaries = "visits"\n'


def study(events="", time=EXIT, outcome="", cpk=""):
    """The small study with tables of events, more keys of study.time, and lines for the outcomes."""
    text = SMALL.replace('label = "Strength"', f'label = "Strength"\n{outcome}')
    text = text.replace('label = "CPK"', f'label = "CPK"\n{cpk}')
    text = text.replace("typical = 24 }", f"typical = 24, {time} }}" if time else "typical = 24 }", 1)
    return parse_study(text.split("[scenarios", 1)[0] + events)


def event(line, name="relapse", how='at = "relapsed"'):
    return f'[events.{name}]\n{how}\ntypical = 0.2\nhazard = {{ kind = "constant" }}\n{line}\n'


def faults(*how, **declared):
    with pytest.raises(StudyError) as caught:
        study(*how, **declared)
    return {fault.where: str(fault) for fault in caught.value.faults}


@pytest.mark.parametrize(
    "events",
    [
        LOST, event("recurrent = true"), event('recurrent = true\nclock = "gap"'), event("", how='column = "relapsed"'),
        event("", how="when = { cpk = { at_most = 200 } }\nconfirmed = true"),
        event("", how='when = { cpk = { of = "ratio", at_most = 0.5 } }'),
        event('depends = { cpk = "level", strength = "slope" }'),
        event('depends = { cpk = "area", strength = "intercept" }'),
        event('depends = { cpk = "asymptote" }'), event('covariates = ["age"]') + AGE, event("frailty = true"),
        event('priors = { hazard = "normal(-4, 1)" }').replace("typical = 0.2", ""),
        LOST + event("", "died", 'reasons = ["died"]'),
        event('hazard = { kind = "weibull" }').replace('hazard = { kind = "constant" }\n', "", 1),
        event('hazard = { kind = "piecewise", knots = [3, 12] }').replace('hazard = { kind = "constant" }\n', "", 1),
    ],
)  # fmt: skip
def test_what_an_event_may_be_is_written_as_it_was_read(events):
    asked = study(events)
    again = parse_study(to_toml(asked))
    assert again == asked
    assert study_hash(again) == study_hash(asked) != study_hash(study(""))


@pytest.mark.parametrize(
    ("events", "where", "what"),
    [
        (event("").replace("relapse]", "cpk]"), "cpk", "is a name in outcomes too; choose another name"),
        (event("", "age") + AGE, "age", "is a name in covariates too"),
        (event("", "Relapse"), "Relapse", "is not a usable name"),
        (event("", "patient"), "patient", "is a reserved word"),
        (event("", how=""), "relapse", "needs exactly one of reasons, at, column and when"),
        (event('column = "again"'), "relapse", "got at, column"),
        (LOST + event("", "gone", 'reasons = ["lost"]'), "gone.reasons", 'of events.lost too; got "lost"'),
        (event("", how='reasons = ["lost "]'), "relapse.reasons", "without white space around it"),
        (event("", how='reasons = ["NA"]'), "relapse.reasons", 'no reason is known; got "NA"'),
        (event("recurrent = true", how='reasons = ["lost"]'), "relapse.recurrent", "follow-up ends once"),
        (event('clock = "gap"'), "relapse.clock", "with exact times (at) alone"),
        (event('recurrent = true\nclock = "gap"', how='column = "relapsed"'), "relapse.clock", "at"),
        (event("confirmed = true"), "relapse.confirmed", "is of criteria (when) alone"),
        (event("").replace("0.2", "1.0"), "relapse.typical", "between 0 and 1; got 1"),
        (event("").replace("0.2", "0.0"), "relapse.typical", "between 0 and 1; got 0"),
        (event("").replace('kind = "constant"', 'kind = "piecewise", knots = [3, 1]'), "relapse.hazard.knots",
         "in increasing order"),
        (event("").replace('kind = "constant"', 'kind = "weibull", over = 0'), "relapse.hazard.over",
         "must be positive"),
        (event("", how="when = { cpkk = { at_most = 200 } }"), "relapse.when.cpkk", 'did you mean "cpk"?'),
        (event("", how="when = { cpk = {} }"), "relapse.when.cpk", "asks nothing"),
        (event("", how="when = { cpk = { at_most = -1 } }"), "relapse.when.cpk.at_most", "everyone or nobody"),
        (event('depends = { cpkk = "level" }'), "relapse.depends.cpkk", 'did you mean "cpk"?'),
        (event('depends = { cpk = "levl" }'), "relapse.depends.cpk", 'did you mean "level"?'),
        (event('depends = { cpk = "half_time" }'), "relapse.depends.cpk", 'got "half_time"'),
        (event('covariates = ["age"]'), "relapse.covariates", "is no covariate of this study"),
        (event('covariates = ["dose"]') + DOSE, "relapse.covariates",
         'varies between visits, and nobody knows it between them; got "dose"'),
        (event('priors = { hazzard = "normal(-4, 1)" }'), "relapse.priors.hazzard",
         'is not a parameter of this event; did you mean "hazard"?'),
        (event('priors = { hazard = "normal(-4)" }'), "relapse.priors.hazard", "normal takes 2 arguments"),
        (event('frailty = true\npriors = { sd_frailty = "normal(0, 1)" }'), "relapse.priors.sd_frailty",
         'has the wrong support; got "normal(0, 1)"'),
        (event("").replace("typical = 0.2", ""), "relapse.priors.hazard",
         "declare typical (the share of patients to whom it happens within a typical follow-up)"),
    ],
)  # fmt: skip
def test_what_an_event_may_not_be(events, where, what):
    assert [*(told := faults(events))] == [f"events.{where}"]
    assert what in told[f"events.{where}"]


@pytest.mark.parametrize(
    ("declared", "where", "what"),
    [
        ({"time": ""}, "events.lost.reasons", "needs the columns exit and reason"),
        ({"time": 'exit = "left"'}, "events.lost.reasons", "needs the columns"),
        ({"time": EXIT.replace("why", "left")}, "study.time.reason", "is the same column as study.time.exit"),
    ],
)  # fmt: skip
def test_what_the_times_of_an_event_may_not_be(declared, where, what):
    assert what in faults(LOST, **declared)[where]


def test_a_reason_needs_the_time_of_the_exit():
    assert [*(told := faults(time='reason = "why"'))] == ["study.time.reason"]
    assert "no column says when" in told["study.time.reason"]


@pytest.mark.parametrize(("key", "column"), [("at", "cpk"), ("column", "left"), ("at", "month"), ("column", "why")])
def test_no_column_serves_twice(key, column):
    assert any("is the same column as" in text for text in faults(event("", how=f'{key} = "{column}"')).values())


def test_nothing_depends_on_what_is_known_at_visits_alone():
    told = faults(event('depends = { cpk = "level" }') + DOSE, cpk='covariates = ["dose"]')
    assert "depends on dose, which nobody knows between visits" in told["events.relapse.depends.cpk"]
    text = study(event('depends = { strength = "level" }')).text
    planned = text.replace('kind = "linear"', 'kind = "visits", at = [0, 6, 12, 24], window = 2')
    with pytest.raises(StudyError, match="has a level at each planned visit, and no course between them"):
        parse_study(planned)


def scenario(relapse):
    text = SMALL + event('recurrent = true\ndepends = { cpk = "level" }')
    return text.replace("[scenarios.improves]\n", f"[scenarios.improves]\nrelapse = {{ {relapse} }}\n")


def test_a_scenario_states_a_hazard_as_events_per_month_and_a_coefficient_as_a_hazard_ratio():
    asked = parse_study(scenario("hazard = 0.01, cpk_level = 1.5, sd_frailty = 0.4"))
    truth = from_scenario(asked, "improves")
    stated = {name: float(truth.value("relapse", name)) for name in parameters(asked, "relapse")}
    assert stated == pytest.approx({"hazard": np.log(0.01), "cpk_level": np.log(1.5), "sd_frailty": 0.4})


@pytest.mark.parametrize(
    ("relapse", "where", "what"),
    [
        ("hazard = 0, cpk_level = 1.5, sd_frailty = 0.4", ".hazard", "must be a positive number"),
        ("hazard = 0.1, cpk_level = -1, sd_frailty = 0.4", ".cpk_level", "must be a positive ratio"),
        ("hazard = 0.1, cpk_level = 1", ".sd_frailty", "a scenario states every parameter"),
        ("hasard = 0.1, hazard = 0.1, cpk_level = 1, sd_frailty = 1", ".hasard",
         'is not a parameter of this event; did you mean "hazard"?'),
    ],
)  # fmt: skip
def test_a_scenario_may_not_state_what_cannot_be(relapse, where, what):
    with pytest.raises(StudyError) as caught:
        parse_study(scenario(relapse))
    told = {fault.where: str(fault) for fault in caught.value.faults}
    assert [*told] == [f"scenarios.improves.relapse{where}"]
    assert what in told[f"scenarios.improves.relapse{where}"]


def test_a_share_may_ask_to_be_free_of_events():
    asked = '[estimands.well]\nkind = "share"\nat = 12\ncriteria = {{ cpk = {{ at_most = 200 }} }}\nfree = {{ {} }}\n'
    assert study(LOST + asked.format("lost = 12")).estimands["well"].events == ("lost",)
    told = faults(LOST + asked.format("losst = 12"))
    assert "is not an event of this study" in told["estimands.well.free"]
    assert "must come after zero" in faults(LOST + asked.format("lost = 0"))["estimands.well.free.lost"]
