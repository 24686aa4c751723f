"""Categories of response in patients whose courses are known, those who were lost among them."""

import dataclasses

import numpy as np
import pytest

from bayesmyo.assess.checks import CheckResult
from bayesmyo.assess.responses import assigned, earliest, last_measured
from bayesmyo.assess.responses import rules as responses
from bayesmyo.assess.withhold import withhold
from bayesmyo.cohort import Cohort, Measurements
from bayesmyo.cohort.cohort import OutcomeRows, RowAccount
from bayesmyo.errors import StorageError
from bayesmyo.inference.engines import Draws
from bayesmyo.inference.store import share
from bayesmyo.report import documents
from bayesmyo.report.answered import responses as shown_responses
from bayesmyo.report.terminal import show
from bayesmyo.study import parse_study
from tests.conftest import SMALL, fit_of, independent_draws

RULES = """
[responses.plain]
title = "strength alone"
at = 12

[responses.plain.categories]
remission = { strength = { at_least = 60 } }
refractory = {}

[responses.both]
at = 12
from = 1

[responses.both.categories]
remission = { strength = { at_least = 60 }, cpk = { at_most = 250 } }
partial_response = { cpk = { of = "ratio", at_most = 0.6 } }
"""
STUDY = parse_study(SMALL.replace('patient = "patient"', 'patient = "patient"\nrule = "both"') + RULES)
PATIENTS, SEEN, WELL, LOST_AND_WELL = 23, 17, 10, 2


def cohort():
    """23 patients; the first 17 are measured at month 12, the others at months 0 and 6; the last never had a CPK."""
    who, when = [], []
    for i in range(PATIENTS):
        times = [0.0, 6.0, 12.0] if i < SEEN else [0.0, 6.0]
        who += [i] * len(times)
        when += times
    patient, time = np.array(who), np.array(when)

    def of(kept):
        n = int(kept.sum())
        return Measurements(patient[kept], time[kept], np.full(n, 50.0), np.zeros(n, dtype=np.int8), np.arange(n))

    measured = {"strength": of(patient >= 0), "cpk": of(patient < PATIENTS - 1)}
    rows = RowAccount(len(time), len(time), {}, {k: OutcomeRows(len(m)) for k, m in measured.items()})
    return Cohort(tuple(f"id{i}" for i in range(PATIENTS)), measured, rows)


@pytest.fixture(scope="module")
def fit():
    """Ten of those who were seen, and two of those who were lost, are surely strong at month 12; the others are surely
    not.

    CPK is 200 IU/L at month 12 in even patients, and does not fall in odd ones.
    """
    people = cohort()
    draws = independent_draws(STUDY, people, draws=100)
    well = np.zeros(PATIENTS, dtype=bool)
    well[:WELL] = well[SEEN : SEEN + LOST_AND_WELL] = True
    even = np.arange(PATIENTS) % 2 == 0
    p = draws.posterior
    p["strength.intercept"][:], p["strength.slope"][:] = 50, 0
    p["strength.effect_intercept"][:], p["strength.effect_slope"][:] = np.where(well, 20, -20), 0
    p["cpk.start"][:] = p["cpk.asymptote"][:] = np.log(800)
    p["cpk.half_time"][:] = 1.0
    p["cpk.effect_start"][:] = 0
    p["cpk.effect_asymptote"][:] = np.where(even, np.log(200 / 800), 0)
    return fit_of(STUDY, people, draws)


@pytest.fixture(scope="module")
def found(fit):
    return {r.name: r for r in responses(fit)}


def counts(r):
    return {c.name: (c.median, c.lower, c.upper, c.mean, c.worst, c.best) for c in r.categories}


def test_the_studys_own_rule_comes_first(found):
    assert [(name, r.rule) for name, r in found.items()] == [("both", True), ("plain", False)]


def test_remission_lies_between_none_and_all_of_those_who_were_lost(found):
    """23 patients, 17 seen and 10 of them in remission: 10 to 16, and 12 by their own trajectories."""
    plain = found["plain"]
    assert (plain.patients, plain.not_seen) == (23, 6)
    assert counts(plain) == {"remission": (12, 12, 12, 12.0, 10, 16), "refractory": (11, 11, 11, 11.0, 7, 13)}


def test_categories_are_judged_in_order_and_those_in_none_are_counted(found):
    """Twelve are strong, six of them even or seven; other even patients respond in part; odd weak patients have
    neither.
    """
    strong = {*range(WELL), *range(SEEN, SEEN + LOST_AND_WELL)}
    even = {i for i in range(PATIENTS) if i % 2 == 0}
    n = {"remission": len(strong & even), "partial_response": len(even - strong)}
    n["none of these"] = PATIENTS - sum(n.values())
    assert {k: v[0] for k, v in counts(found["both"]).items()} == n
    assert sum(v[0] for v in counts(found["both"]).values()) == PATIENTS


def test_each_patient_has_a_category_in_each_draw(fit):
    for response in STUDY.responses.values():
        position = assigned(fit, response)
        assert position.shape == (4, 100, PATIENTS)
        assert position.min() >= 0
        assert position.max() <= len(response.categories)


def test_a_patient_is_seen_who_was_measured_in_every_outcome_of_the_rule(fit, found):
    last = last_measured(fit.cohort, ("strength", "cpk"))
    assert [(times[0], times[SEEN], times[-1]) for times in last.values()] == [(12, 6, 6), (12, 6, -np.inf)]
    patients = {p.patient: p for p in found["both"].each}
    assert list(patients) == [f"P{i:02d}" for i in range(1, PATIENTS + 1)]
    told = {name: (p.last_seen, p.missing, p.seen) for name, p in patients.items()}
    assert told["P01"] == (12, {}, True)
    assert told["P18"] == (6, {"strength": 6, "cpk": 6}, False)
    assert told["P23"] == (6, {"strength": 6, "cpk": None}, False)
    plain = {p.patient: p for p in found["plain"].each}["P23"]
    assert (plain.last_seen, plain.missing) == (6, {"strength": 6})


def without_cpk_of_the_first_at_month_12(fit):
    """The fit of a cohort in which the first patient came at month 12, and only the CPK was not measured then."""
    cpk = fit.cohort.measurements["cpk"]
    kept = cpk.take(~((cpk.patient == 0) & (cpk.time == 12)))
    people = dataclasses.replace(fit.cohort, measurements={**fit.cohort.measurements, "cpk": kept})
    draws = Draws({str(k): v.values for k, v in fit.group("posterior").data_vars.items()}, {})
    return fit_of(STUDY, people, draws)


def test_an_empty_cell_at_a_visit_is_not_called_a_lost_patient(fit, capsys):
    both = responses(without_cpk_of_the_first_at_month_12(fit))[0]
    first = both.each[0]
    assert (first.last_seen, first.missing, first.seen) == (12, {"cpk": 6}, False)
    assert (
        "; strength in 6 and CPK in 7 were last measured before month 12 (the latest at month 6): 7 patients, who are "
        "predicted" in both.categories[0].sentence
    )
    show(*shown_responses([both], STUDY))
    shown = " ".join(capsys.readouterr().out.split())
    assert "P01 12 CPK 6 predicted" in shown
    assert "P02 12 measured" in shown
    assert "P18 6 all 6 predicted" in shown
    assert "P23 6 Strength 6, CPK predicted" in shown  # and in the next line of the cell
    assert "never none of these" in shown


def test_each_patients_probabilities_sum_to_one(found):
    for r in found.values():
        assert all(sum(p.probabilities.values()) == pytest.approx(1) for p in r.each)
    assert found["plain"].each[0].probabilities == {"remission": 1.0, "refractory": 0.0}


def test_counts_and_probabilities_are_those_of_the_draws(fit):
    """Patient 1 is strong in half of the draws."""
    tree = fit.tree.copy()
    posterior = tree["posterior"].to_dataset().copy(deep=True)
    posterior["strength.effect_intercept"].values[:, ::2, 0] = -20
    tree["posterior"] = type(tree)(posterior)
    plain = next(r for r in responses(type(fit)(tree)) if r.name == "plain")
    assert counts(plain)["remission"][1:4] == (11, 12, 11.5)
    assert plain.each[0].probabilities["remission"] == 0.5


def test_sentences(found, snapshot):
    assert [c.sentence for r in found.values() for c in r.categories] == snapshot


def test_where_all_were_seen_nothing_is_said_of_the_lost(fit):
    early = parse_study(STUDY.text.replace("at = 12\n\n[responses.plain", "at = 6\n\n[responses.plain"))
    draws = Draws({str(k): v.values for k, v in fit.group("posterior").data_vars.items()}, {})
    plain = next(r for r in responses(fit_of(early, fit.cohort, draws)) if r.name == "plain")
    assert plain.not_seen == 0
    remission = plain.categories[0]
    assert (remission.worst, remission.median, remission.best) == (12, 12, 12)
    assert remission.sentence.endswith("12 of 23 patients (95% interval 12 to 12).")


@pytest.mark.parametrize(("window", "seen", "bounds"), [(0, 17, (10, 16)), (5.9, 17, (10, 16)), (6, 23, (12, 12))])
def test_a_visit_shortly_before_counts_where_the_rule_has_a_window(fit, window, seen, bounds):
    """Six patients were last measured at month 6, and the rule judges at month 12."""
    text = STUDY.text.replace('title = "strength alone"\nat = 12', f"at = 12\nwindow = {window}")
    draws = Draws({str(k): v.values for k, v in fit.group("posterior").data_vars.items()}, {})
    plain = next(r for r in responses(fit_of(parse_study(text), fit.cohort, draws)) if r.name == "plain")
    assert (plain.window, sum(p.seen for p in plain.each)) == (window, seen)
    remission = plain.categories[0]
    assert (remission.median, remission.worst, remission.best) == (12, *bounds)
    before = "; strength was last measured before month 6.1 in 6 (the latest at month 6), who are predicted"
    assert (before in remission.sentence) is (window == 5.9)


def test_a_visit_on_the_anniversary_counts_where_times_are_dates():
    """27 September 2021 to 27 September 2022: 365 days are 11.99 months of 30.44 days."""
    dated = dataclasses.replace(STUDY, time=dataclasses.replace(STUDY.time, date="YYYY-MM-DD"))
    rule = dated.responses["both"]
    assert earliest(dated, rule) <= rule.at - rule.window - 12 + 365 / 30.4375
    assert earliest(STUDY, rule) == rule.at - rule.window


def test_the_last_visit_of_the_lost_is_never_rounded_up_to_the_time_of_the_rule(fit):
    strength = fit.cohort.measurements["strength"]
    late = np.where((strength.patient == SEEN) & (strength.time == 6), 11.998, strength.time)
    people = dataclasses.replace(
        fit.cohort, measurements={**fit.cohort.measurements, "strength": dataclasses.replace(strength, time=late)}
    )
    draws = Draws({str(k): v.values for k, v in fit.group("posterior").data_vars.items()}, {})
    plain = next(r for r in responses(fit_of(STUDY, people, draws)) if r.name == "plain")
    assert "strength was last measured before month 12 in 6 (the latest at month 11.99)" in plain.categories[0].sentence


def test_a_plateau_is_said_not_to_relapse(found):
    assert found["plain"].notes == ()
    assert found["both"].notes[0].startswith("A plateau cannot relapse: the trajectory of CPK approaches a level")


def withheld_rules(rows, failed):
    return [dataclasses.replace(r, categories=tuple(withhold(list(r.categories), failed))) for r in rows]


def test_a_failed_check_withholds_the_categories_that_look_at_its_outcomes(fit, found):
    rows = list(found.values())
    failed = [CheckResult("time", False, "CPK is off.", outcomes=("cpk",))]
    held = {r.name: [c.sentence for c in r.categories] for r in withheld_rules(rows, failed)}
    assert held["both"] == ["withheld: CPK is off."] * 3
    assert held["plain"] == [c.sentence for c in found["plain"].categories]
    everything = withheld_rules(rows, [CheckResult("rhat", False, "Chains apart.")])
    assert {c.sentence for r in everything for c in r.categories} == {"withheld: Chains apart."}
    assert withheld_rules(rows, []) == rows
    withheld = {(r.name, c.withheld) for r in withheld_rules(rows, failed) for c in r.categories}
    assert withheld == {("both", True), ("plain", False)}


def test_tables_and_json(found):
    both = found["both"]
    assert list(both.table().index) == ["remission", "partial_response", "none of these"]
    assert both.by_patient().loc["P18", ["last_seen", "missing"]].tolist() == [6, "strength, cpk"]
    document = documents.document(responses=[r.as_dict() for r in found.values()])
    assert '"from": 1.0' in document
    assert '"cpk": null' in document
    assert found["plain"].as_dict()["from"] is None


def test_a_shared_copy_has_no_patients_to_judge(fit):
    with pytest.raises(StorageError, match="without patient data"):
        responses(share(fit))


def test_the_bundled_rules_are_nested(ivig, mock_fit):
    """Who is in remission by a stricter rule is so by a more lenient one."""
    strict, standard, lenient = (assigned(mock_fit, ivig.responses[n]) == 0 for n in ("strict", "standard", "lenient"))
    assert ivig.rule == "standard"
    assert (strict <= standard).all()
    assert (standard <= lenient).all()
    found = responses(mock_fit)
    assert [r.name for r in found] == ["standard", "strict", "lenient"]
    assert all(dataclasses.replace(r).notes for r in found)
