"""What a report says of events: numbers counted again here, and nothing where a study has none."""

from dataclasses import replace

import numpy as np
import pytest

from bayesmyo.cohort.cohort import CENSORED, HAPPENED
from bayesmyo.inference.store import share
from bayesmyo.report.blocks import Paragraph, Picture, Table
from bayesmyo.report.html import html
from bayesmyo.report.page import page
from bayesmyo.report.results import results
from bayesmyo.report.sections.events import events, verdict
from bayesmyo.report.sections.patients import patients
from tests.assess.checks.event_fits import CONSTANT, LEVEL, cohort_of, fitted, with_events
from tests.report.conftest import Elements

EVENT = 'reasons = ["lost"]' + CONSTANT + LEVEL


@pytest.fixture(scope="module")
def fit():
    return fitted(EVENT, *cohort_of(EVENT, "hazard = 0.05\ny_level = 1.1", 40), hazard=0.05, y_level=1.1)


@pytest.fixture(scope="module")
def told(fit):
    return results(fit, patient_level=True)


def of(section, kind):
    return [b for b in section.blocks if isinstance(b, kind)]


def test_a_study_without_events_has_no_section(good):
    assert events(good) is None
    assert not any(b.name == "figure-swimmer" for b in of(patients(replace(good, patient_level=True)), Picture))


def test_how_many_had_it_and_how_often(fit, told):
    e = fit.cohort.events["attack"]
    sentence = of(events(told), Paragraph)[1].text
    assert sentence.startswith(f"{e.happened} of 40 patients had it, from month ")
    assert f"{e.happened / e.stop.sum():.3g} per patient-month" in sentence


def test_numbers_at_risk_and_hazard_ratios_with_their_prior(fit, told):
    over_time, ratios = of(events(told), Table)
    e = fit.cohort.events["attack"]
    for row in over_time.rows:
        t = float(row[0].removeprefix("month "))
        assert row[1].value == np.sum(e.stop >= t)
    (row,) = ratios.rows
    assert row[0] == "Score, level"
    draws = np.exp(fit.group("posterior")["attack.y_level"].values)
    assert row[1].value == pytest.approx(np.median(draws))
    assert str(row[3]) == "0.38 to 2.66"  # exp of -0.98 and 0.98, of a normal(0, 0.5)
    assert row[4] == "robust to the prior"


def test_a_posterior_that_is_its_prior_is_the_priors():
    rng = np.random.default_rng(1)
    ninety, same = (-0.5 * 1.645, 0.5 * 1.645), {2.0: np.zeros(4000)}
    assert verdict(rng.normal(0, 0.5, 4000), *ninety, same) == "mostly the prior"
    assert verdict(rng.normal(0, 0.2, 4000), *ninety, same) == "robust to the prior"
    assert verdict(rng.normal(2, 0.5, 4000), *ninety, same) == "robust to the prior"  # elsewhere than the prior


def test_a_ratio_that_other_priors_move_is_the_priors():
    """A normal likelihood at 1.5 with SD 0.5 under a normal(0, 0.5) prior: one twice as wide moves it from 0.75 to 1.2,
    by more than half of 0.35.
    """
    draws = np.random.default_rng(2).normal(0.75, 0.5 / 2**0.5, 4000)
    wider = {2.0: draws**2 / 2 * (1 / 0.25 - 1)}
    assert verdict(draws, -0.5 * 1.645, 0.5 * 1.645, wider) == "turns on the prior"


def test_single_patients_are_shown_only_where_asked(told):
    assert any(b.name == "figure-swimmer" for b in of(patients(told), Picture))
    assert not any(b.name == "figure-swimmer" for b in of(patients(replace(told, patient_level=False)), Picture))
    drawn = of(events(replace(told, patient_level=False)), Picture)[0].svg
    assert "last seen" not in drawn
    assert "last seen" in of(events(told), Picture)[0].svg


def test_nobody_had_it(fit, told):
    e = fit.cohort.events["attack"]
    exits = replace(fit.cohort.exits, reason=("",) * len(fit.cohort))
    none = replace(e, status=np.full(len(e), CENSORED))
    again = replace(told, fit=with_events(fit, replace(fit.cohort, events={"attack": none}, exits=exits)))
    assert of(events(again), Paragraph)[1].text.startswith("None of 40 patients had it in ")
    one = replace(e, status=np.where(np.arange(len(e)) == 0, HAPPENED, CENSORED))
    again = replace(told, fit=with_events(fit, replace(fit.cohort, events={"attack": one})))
    assert of(events(again), Paragraph)[1].text.startswith("1 of 40 patients had it, at month ")


def test_a_check_that_failed_withholds_the_curve(told):
    from bayesmyo.assess.checks import CheckResult

    failed = CheckResult("event curve", False, "It falls too late.", outcomes=("attack",))
    section = events(replace(told, checks=(*told.checks, failed)))
    assert not of(section, Picture)
    assert any(b.kind == "withheld" for b in of(section, Paragraph))


def test_a_shared_copy_says_why_there_is_nothing(told):
    (only,) = events(replace(told, fit=share(told.fit))).blocks
    assert "shared copy" in only.text


def test_the_page_has_every_picture_with_a_name_and_a_text(told):
    shown = html(page(told))
    elements = Elements(shown).found
    pictures = [e for e in elements if e.tag == "svg"]
    assert all(e.attributes.get("role") == "img" and e.attributes.get("aria-labelledby") for e in pictures)
    ids = [e.attributes["id"] for e in elements if "id" in e.attributes]
    assert len(ids) == len(set(ids))
    assert {"figure-event-attack-title", "figure-swimmer-title"} <= set(ids)
