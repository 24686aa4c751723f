"""What a study may declare about what happens to patients, and what it may not."""

import re

import numpy as np
import pytest

from bayesmyo.errors import StudyError
from bayesmyo.model.truth import from_scenario
from bayesmyo.report.understood import of_study
from bayesmyo.study import describe, parse_study
from bayesmyo.study.describe_events import event_words
from bayesmyo.study.parameters import parameters
from bayesmyo.study.write import study_hash, to_toml
from tests.conftest import SMALL

EXIT = 'exit = "left", reason = "why"'
LOST = '[events.lost]\nreasons = ["lost"]\ntypical = 0.2\nhazard = { kind = "constant" }\n'
AGE = "[covariates.age]\ntypical = 50\nscale = 10\n"
DOSE = '[covariates.dose]\ntypical = 50\nscale = 10\nvaries = "visits"\n'


def study(events="", time=EXIT, outcome="", cpk=""):
    """The small study with tables of events, more keys of study.time, and lines for the outcomes; where one is a death,
    it asks nothing by itself.
    """
    small = re.sub(r"(?s)\[estimands.*\[design\]", "[design]", SMALL) if "terminal" in events else SMALL
    text = small.replace('label = "Strength"', f'label = "Strength"\n{outcome}')
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
    stops = asked(LEVEL.replace("cpk", "strength"), 'lost = "while on treatment"')
    text = study(LOST + stops).text
    planned = text.replace('kind = "linear"', 'kind = "visits", at = [0, 6, 12, 24], window = 2')
    with pytest.raises(StudyError, match="stop a course at an event, and between planned visits there is none"):
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


# --- what an estimand says of events

ASIDE = 'after = "set aside"'
SHARE = 'kind = "share"\nat = 12\ncriteria = { cpk = { at_most = 200 } }'
LEVEL = 'kind = "level"\noutcome = "cpk"\nat = 12'
SLOPE = 'kind = "slope"\noutcome = "strength"\nfrom = 0\nto = 12'
TIME_TO = 'kind = "time to"\noutcome = "cpk"\nat_most = 200\nwithin = 12'
FREE = 'kind = "event free"\nevent = "relapse"\nat = 12'
DEATH = LOST.replace("lost", "died") + "terminal = true\n"


def asked(how, said="", name="well"):
    events = f"events = {{ {said} }}\n" if said else ""
    return f"[estimands.{name}]\n{how}\n{events}"


@pytest.mark.parametrize(
    ("events", "how", "said", "words"),
    [
        (LOST, LEVEL, 'lost = "hypothetical"', "the CPK at month 12 (had there been no lost)"),
        (event(ASIDE), LEVEL, 'relapse = "while on treatment"', "the CPK at month 12 (at relapse where that came first)"),
        (event(""), LEVEL, 'relapse = "treatment policy"', "the CPK at month 12 (with or without relapse)"),
        (LOST, SHARE, 'lost = "composite"', "the share of patients with CPK at most 200 IU/L at month 12, and no lost by month 12"),
        (LOST + DEATH, LEVEL, 'lost = "hypothetical", died = "while on treatment"', "(had there been no lost; at died where that came first)"),
        (LOST + event(ASIDE), LEVEL, 'lost = "while on treatment", relapse = "while on treatment"', "(at lost or relapse where that came first)"),
        (DEATH, FREE.replace("relapse", "died"), "", "the probability of no died by month 12"), (DEATH, SHARE + "\nfree = { died = 12 }", "", "no died by month 12"),
        (event(ASIDE), TIME_TO, 'relapse = "hypothetical"', "(had there been no relapse)"), (event(ASIDE) + LOST, SLOPE, 'lost = "hypothetical"', "(had there been no lost)"),
    ],
)  # fmt: skip
def test_an_estimand_says_what_is_done_about_events(events, how, said, words):
    read = study(events + asked(how, said))
    assert words in describe.number(read, read.estimands["well"])
    assert parse_study(to_toml(read)) == read


@pytest.mark.parametrize(
    ("events", "how", "said", "where", "what"),
    [
        (LOST, LEVEL, 'losst = "hypothetical"', "", 'is not an event of this study; got "losst"; did you mean "lost"?'),
        (LOST, LEVEL, 'losst = "while on treatment"', "", 'is not an event of this study; got "losst"; did you mean "lost"?'),
        (LOST, LEVEL, 'lost = "hypothetic"', ".lost", 'got "hypothetic"; did you mean "hypothetical"?'),
        (LOST, LEVEL, 'lost = "composite"', ".lost", 'meeting no criteria, which a level estimand has not; got "composite"; ask for a share'),
        (LOST, SLOPE, 'lost = "while on treatment"', ".lost", 'the level at one time, which a slope estimand has not; got "while on treatment"; ask for a level, change, ratio or share'),
        (LOST, TIME_TO, 'lost = "while on treatment"', ".lost", "which a time to estimand has not"), (LOST, TIME_TO, 'lost = "composite"', ".lost", "which a time to estimand has not"),
        (event("") + LOST, FREE, 'lost = "hypothetical"', ".lost", 'event free is of the event itself, as if no other happened; got "hypothetical"; leave it out'),
        (LOST, SHARE + "\nfree = { lost = 12 }", 'lost = "composite"', ".lost", "says a second time what is done about the event: free does"),
        (LOST, LEVEL, 'lost = "treatment policy"', ".lost", 'nobody is seen after it, whatever the policy; got "treatment policy"; write "while on treatment" or "hypothetical"'),
        (event(ASIDE), LEVEL, 'relapse = "treatment policy"', ".relapse", 'needs the visits after it, and after = "set aside" takes them out'),
        (event(""), LEVEL, 'relapse = "hypothetical"', ".relapse", 'visits after it are used; got "hypothetical"; write after = "set aside" in [events.relapse]: it holds for the whole study'),
        (event('after = "used"'), SHARE, 'relapse = "composite"', ".relapse", "visits after it are used"),
        (DEATH, LEVEL, "", "", 'says nothing of died, after which there is no course; write events = { died = "while on treatment" or "hypothetical" }'),
        (DEATH, SHARE, "", "", 'write events = { died = "composite" or "while on treatment" or "hypothetical" }'),
        (DEATH, LEVEL, 'died = "treatment policy"', ".died", "nobody is seen after it"),
    ],
)  # fmt: skip
def test_what_an_estimand_may_not_say_of_events(events, how, said, where, what):
    told = faults(events + asked(how, said))
    assert [*told] == [f"estimands.well.events{where}"]
    assert what in told[f"estimands.well.events{where}"]


def test_two_estimands_cannot_ask_for_visits_after_an_event_to_be_used_and_not():
    both = asked(LEVEL, 'relapse = "treatment policy"', "one") + asked(LEVEL, 'relapse = "hypothetical"', "two")
    assert [*faults(event("") + both)] == ["estimands.two.events.relapse"]
    assert [*faults(event(ASIDE) + both)] == ["estimands.one.events.relapse"]


@pytest.mark.parametrize(
    ("events", "where", "what"),
    [
        (LOST + ASIDE, "lost.after", 'nobody is seen after it; got "set aside"; leave it out'), (event('terminal = true\nafter = "used"'), "relapse.after", "nobody is seen after it"),
        (event("terminal = true\nrecurrent = true"), "relapse.terminal", "happens once; leave recurrent out"),
    ],
)  # fmt: skip
def test_what_cannot_come_after_an_event(events, where, what):
    assert [*(told := faults(events))] == [f"events.{where}"]
    assert what in told[f"events.{where}"]


RULE = "[responses.rule]\nat = 12\n{}\n[responses.rule.categories]\nwell = {{ cpk = {{ at_most = 200 }} }}\n"


@pytest.mark.parametrize(
    ("events", "free", "where", "what"),
    [
        (LOST, "free = { losst = 12 }", "", 'got "losst"; did you mean "lost"?'), (LOST, "free = { lost = 13 }", ".lost", "must come after zero, and not after at, 12; got 13"),
        (LOST, "free = { lost = 0 }", ".lost", "must come after zero"), (DEATH, "", "", "says nothing of died, after which there is no course; write free = { died = 12 }"),
    ],
)  # fmt: skip
def test_what_a_rule_of_response_may_not_say_of_events(events, free, where, what):
    assert [*(told := faults(events + RULE.format(free)))] == [f"responses.rule.free{where}"]
    assert what in told[f"responses.rule.free{where}"]


def test_validate_says_what_is_done_about_an_event():
    assert event_words(study(event(ASIDE)), "relapse").endswith("Visits after it are set aside.")
    read = study(DEATH + asked(LEVEL, 'died = "hypothetical"'))
    assert event_words(read, "died").endswith("There is no course after it.")
    assert any("had there been no died" in str(block) for block in of_study(read))
