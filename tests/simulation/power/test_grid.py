"""The cells of a power study, and everything that can be wrong with what is asked for, said at once."""

from dataclasses import replace

import numpy as np
import pytest

from bayesmyo.errors import InputError, UsageError
from bayesmyo.model.simulate import simulate
from bayesmyo.simulation.cell import Cell
from bayesmyo.simulation.options import Axes, PowerOptions
from bayesmyo.simulation.plan import Plan
from bayesmyo.simulation.power.grid import POSTERIOR, cells, power_plan
from bayesmyo.study import parse_study, read_study
from tests.conftest import ROOT, SMALL


@pytest.fixture(scope="module")
def one_arm():
    return read_study(ROOT / "tests" / "reference" / "one_arm.toml")


def faults(study, axes, **options):
    with pytest.raises(InputError) as error:
        cells(study, axes, **options)
    return {f.where: str(f) for f in error.value.faults}


def test_every_combination_is_a_cell(ivig):
    found = cells(ivig, Axes(scenarios=("paper", "null"), patients=(10, 23), follow_up=(22.0, 44.0), loss=(0.0, 0.02)))
    assert len(found) == 16
    assert len({c.key for c in found}) == 16
    assert [c.labels for c in found[:2]] == [
        {"scenario": "paper", "follow_up": 22.0, "loss": 0.0, "patients": 10},
        {"scenario": "paper", "follow_up": 22.0, "loss": 0.0, "patients": 23},
    ]
    f = found[0].study.design.follow_up
    assert (f.mean, f.sd, f.maximum) == (22, 18, 48)  # half of everything
    assert found[-1].study.design.loss.hazard == 0.02
    assert len({id(c.analysis) for c in found}) == 1  # one model for each number of patients


def test_the_follow_up_of_a_protocol_is_a_number_in_every_cell(ivig):
    study = replace(ivig, design=replace(ivig.design, follow_up=12.0))
    found = cells(study, Axes(scenarios=("paper",), follow_up=(6.0, 24.0)))
    assert [c.study.design.follow_up for c in found] == [6, 24]
    again = Cell.from_dict(found[0].as_dict())
    assert (again.study.design.follow_up, again.key) == (6, found[0].key)


def test_without_axes_the_study_is_as_it_is(ivig):
    found = cells(ivig, Axes())
    assert [c.truths for c in found] == list(ivig.scenarios)
    assert {c.patients for c in found} == {23}
    assert found[0].study == replace(ivig, text="")


def test_visits_are_spaced_or_scheduled(one_arm, rng):
    spaced, scheduled = cells(one_arm, Axes(scenarios=("four",), every=(3.0,), visits=((0.0, 4.0, 8.0),)))
    assert spaced.study.design.visits.then_every == 3
    assert scheduled.labels["visits"] == "0 4 8"
    times = simulate(scheduled.study, scheduled.truth(rng), rng, 5).cohort.measurements["reaction"].time
    assert sorted(set(times)) == [0, 4, 8]


def test_the_priors_of_the_analysis_do_not_follow_the_design_that_is_tried():
    """A study that declares no typical follow-up takes that of its design; a shorter one must not make its slopes'
    priors wider.
    """
    text = SMALL.replace(", typical = 24 }\n", " }\n", 1)
    found = cells(parse_study(text), Axes(follow_up=(6.0, 24.0)))
    assert {c.analysis.time.typical for c in found} == {24.0}
    assert {c.analysis.scale("strength").follow_up for c in found} == {24.0}


def test_looks_are_those_before_the_last(one_arm):
    found = cells(one_arm, Axes(scenarios=("four",), patients=(10, 23), looks=(15, 10)))
    assert [c.looks for c in found] == [(), (10, 15, 23)]


def test_another_study_analyses(one_arm):
    narrow = replace(
        one_arm,
        outcomes={"reaction": replace(one_arm.outcomes["reaction"], priors={"sd_slope": "halfnormal(3)"})},
        text="",
    )
    found = cells(one_arm, Axes(scenarios=("four",)), analysis=narrow)
    assert found[0].analysis == narrow
    assert found[0].study.outcomes == one_arm.outcomes
    assert not found[0].alike


def test_truths_from_a_posterior_leave_its_patients_behind(small, good_fit, rng):
    (c,) = cells(small, Axes(patients=(8,)), posterior=good_fit.truth)
    assert c.labels == {"scenario": POSTERIOR, "patients": 8}
    assert c.truth(rng).patients is None
    assert not c.fixed
    drawn = {float(c.truth(rng).value("cpk", "start")) for _ in range(20)}
    assert len(drawn) > 10
    assert np.std(list(drawn)) < 0.05


def test_a_plan_is_the_same_after_its_json(one_arm):
    plan = power_plan(
        PowerOptions(one_arm, "out", scenarios=("four", "hope"), patients=(6, 10), replicates=100, mcse=0.02, seed=3)
    )
    again = Plan.from_json(plan.to_json())
    assert again.to_json() == plan.to_json()
    assert again.comparators == ("t test", "mixed model")
    assert [c.key for c in again.cells] == [c.key for c in plan.cells]


def test_all_faults_at_once(one_arm):
    found = faults(
        one_arm,
        Axes(
            scenarios=("fours",),
            patients=(1, 10, 10),
            follow_up=(0.0,),
            every=(-1.0,),
            visits=((3.0, 1.0),),
            loss=(-0.1,),
            looks=(10,),
        ),
    )
    assert 'did you mean "four"?' in found["--scenario"]
    assert "twice" in found["--patients"]
    assert "must be positive" in found["--follow-up"]
    assert "must be positive" in found["--every"]
    assert "must list increasing times" in found["--visits"]
    assert "must not be negative" in found["--loss"]
    assert "must be fewer than all patients, 10" in found["--looks"]


def test_a_study_without_what_is_needed(one_arm):
    found = faults(replace(one_arm, design=None, decisions={}, scenarios={}), Axes())
    assert len(found) == 1  # all are of the study
    with pytest.raises(InputError) as error:
        cells(replace(one_arm, design=None, decisions={}, scenarios={}), Axes())
    said = str(error.value)
    assert "3 faults" in said
    assert "has no [design]" in said
    assert "has no decisions" in said
    assert "has no scenario" in said


def test_an_analysis_of_something_else(one_arm, small):
    found = faults(one_arm, Axes(), analysis=small)
    assert "is not simulated" in found["--analysis outcome strength"]
    assert "shares no estimand" in found["--analysis"]


def test_grades_are_not_analysed_as_numbers(one_arm):
    text = (ROOT / "tests" / "reference" / "one_arm.toml").read_text().split("[scenarios")[0]
    text = text.replace('family = { kind = "gaussian" }', 'family = { kind = "cumulative", coding = "mrc" }').replace(
        "typical = 250\n", ""
    )
    text = text[: text.index("priors =")] + text[text.index("[estimands") :]
    found = faults(one_arm, Axes(), analysis=parse_study(text))
    assert "is cumulative, and gaussian is simulated" in found["--analysis outcome reaction"]


def test_a_grid_that_is_too_large(one_arm):
    assert "more than 500 cells; got 900" in faults(one_arm, Axes(patients=tuple(range(2, 302))))["this grid"]


def test_an_unknown_engine_or_comparator(one_arm):
    with pytest.raises(UsageError, match='did you mean "nuts"'):
        power_plan(PowerOptions(one_arm, "out", engine="nut"))
    with pytest.raises(UsageError, match='did you mean "t test"'):
        power_plan(PowerOptions(one_arm, "out", comparators=("t-test",)))
