"""What a table cannot tell whatever the model: by outcomes that never change, and by near ones that do."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from bayesmyo.cohort import Cohort, Measurements
from bayesmyo.cohort.cohort import RowAccount
from bayesmyo.cohort.evidence import lacking, unchanging
from bayesmyo.study import parse_study

MONTHS = (0.0, 6.0, 12.0)
STUDY = """
[study]
title = "Evidence"
patient = "id"
time = {{ column = "month", unit = "month", typical = 12 }}
[covariates.arm]
levels = ["a", "b"]
[outcomes.y]
column = "y"
unit = "points"
better = "higher"
typical = {typical}
scale = {scale}
{family}
trajectory = {{ kind = "linear" }}
moderators = ["arm"]
{more}
[estimands.change]
kind = "change"
outcome = "y"
from = 0
to = 12
[estimands.ratio]
kind = "ratio"
outcome = "y"
from = 0
to = 12
[estimands.slope]
kind = "slope"
outcome = "y"
from = 0
to = 12
[estimands.until]
kind = "time to"
outcome = "y"
at_least = {level}
within = 12
[estimands.improved]
kind = "share"
at = 12
criteria = {{ y = {{ of = "change", at_least = {step} }} }}
[estimands.between]
kind = "change"
outcome = "y"
from = 0
to = 12
contrast = {{ covariate = "arm", level = "b", reference = "a" }}
[estimands.level]
kind = "level"
outcome = "y"
at = 12
[estimands.apart]
kind = "level"
outcome = "y"
at = 12
contrast = {{ covariate = "arm", level = "b", reference = "a" }}
[estimands.reached]
kind = "share"
at = 12
criteria = {{ y = {{ at_least = {level} }} }}
"""
OVER_TIME = ("change", "ratio", "slope", "until", "improved", "between")
FAMILIES = {
    "gaussian": ("gaussian", 50, 10, ""),
    "censored": ("lognormal", 50, 2.5, 'censoring = "as typed"'),
    "bernoulli": ("bernoulli", 0.5, 0.2, ""),
    "hurdle": ("hurdle_lognormal", 20, 2,
     "[outcomes.y.zero]\ntypical = 0.1\nscale = 0.05\ntrajectory = { kind = \"linear\" }"),
    "poisson": ("poisson", 2, 2, ""),
}  # fmt: skip


def study_of(family):
    kind, typical, scale, more = FAMILIES[family]
    key = f'family = {{ kind = "{kind}" }}' + (f"\n{more}" if family == "censored" else "")
    more = "" if family == "censored" else more
    level, step = (0.6, 0.1) if family == "bernoulli" else (60, 5)
    text = STUDY.format(family=key, typical=typical, scale=scale, more=more, level=level, step=step)
    return parse_study(text)


def cohort_of(values, times=MONTHS, sides=0, ends=None, exposure=None, arms=(0, 1, 0, 1)):
    """Four patients, each with a row of values at the times."""
    values = np.array(np.broadcast_to(values, (4, len(times))), dtype=float)
    n = values.size
    m = Measurements(
        patient=np.repeat(np.arange(4), len(times)),
        time=np.tile(np.array(times), 4),
        value=values.reshape(-1),
        side=np.array(np.broadcast_to(sides, n), dtype=np.int64),
        line=np.zeros(n, dtype=np.int64),
        end=None if ends is None else np.array(np.broadcast_to(ends, n), dtype=float),
        exposure=None if exposure is None else np.array(exposure, dtype=float).reshape(-1),
    )
    patients = ("P01", "P02", "P03", "P04")
    return Cohort(patients, {"y": m}, RowAccount(n, n), covariates={"arm": np.array(arms, dtype=float)})


def said(family, cohort):
    study = study_of(family)
    return {name: lacking(study, cohort, e) for name, e in study.estimands.items()}


@dataclass(frozen=True)
class Case:
    """A table, the fact that is told of it, and what it holds something of."""

    family: str
    cohort: Cohort
    fact: str
    holds: tuple[str, ...]


OWN = np.array([[40.0], [50.0], [60.0], [70.0]])
CASES = {
    "one value": Case("gaussian", cohort_of(50.0), "every measurement of y is 50", ("level", "reached")),
    "all yes": Case("bernoulli", cohort_of(1.0), "every measurement of y is 1", ("level", "reached")),
    "all no": Case("bernoulli", cohort_of(0.0), "every measurement of y is 0", ("level", "reached")),
    "no event": Case("poisson", cohort_of(0.0), "every measurement of y is 0", ("level", "reached")),
    "no dose": Case("hurdle", cohort_of(0.0), "every measurement of y is 0", ("reached",)),
    "below one limit": Case("censored", cohort_of(10.0, sides=-1), "every measurement of y lies below 10",
     ("reached",)),
    "above one limit": Case("censored", cohort_of(90.0, sides=1), "every measurement of y lies above 90", ("reached",)),
    "below limits": Case(
        "censored", cohort_of([10.0, 20.0, 10.0], sides=-1), "every measurement of y lies below a limit", ("reached",)
    ),
    "between two limits": Case(
        "censored", cohort_of(20.0, sides=2, ends=40.0), "every measurement of y lies between 20 and 40",
        ("level", "reached")
    ),
    "own values": Case("gaussian", cohort_of(OWN), "y never changes in any patient", ("level", "apart", "reached")),
    "own answers": Case(
        "bernoulli", cohort_of([[0.0], [1.0], [1.0], [0.0]]), "y never changes in any patient",
        ("level", "apart", "reached")
    ),
    "once, at the start": Case("gaussian", cohort_of(OWN, times=(0.0,)), "every measurement of y is at month 0", ()),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_table_without_change_says_so_of_everything_that_asks_for_one(case):
    found = said(case.family, case.cohort)
    for name, sentence in found.items():
        if name in case.holds:
            assert sentence == "", name
        else:
            assert sentence.startswith(f"{case.fact}: these data hold n"), name
            assert sentence.endswith("; what is computed comes from the prior."), name
    assert all(found[name] for name in OVER_TIME)


CHANGED = {
    "one cell": ("gaussian", cohort_of(50.0 + np.eye(4, 3))),
    "one answer": ("bernoulli", cohort_of(np.eye(4, 3))),
    "one dose": ("hurdle", cohort_of(5 * np.eye(4, 3))),
    "a limit at which one is measured": ("censored", cohort_of(10.0, sides=[-1] * 11 + [0])),
    "limits on both sides": ("censored", cohort_of(10.0, sides=[-1, 1] * 6)),
    "counts of unequal exposure": ("poisson", cohort_of(2.0, exposure=np.arange(1, 13))),
}


@pytest.mark.parametrize(("family", "cohort"), CHANGED.values(), ids=CHANGED.keys())
def test_a_single_cell_that_differs_is_a_change(family, cohort):
    assert set(said(family, cohort).values()) == {""}


def test_patients_seen_once_at_several_times_are_compared_with_one_another():
    one = cohort_of(OWN, times=(0.0,))
    m = replace(one.measurements["y"], time=np.array([0.0, 3.0, 6.0, 12.0]))
    assert set(said("gaussian", replace(one, measurements={"y": m})).values()) == {""}


def test_a_group_that_was_never_measured_or_never_followed_holds_nothing():
    whole = cohort_of(50.0 + np.arange(12).reshape(4, 3))
    m = whole.measurements["y"]
    first = whole.covariates["arm"][m.patient] == 0
    found = said("gaussian", replace(whole, measurements={"y": m.take(first)}))
    assert {n for n, why in found.items() if why} == {"between", "apart"}
    assert found["apart"].startswith("y was never measured with arm b: these data hold nothing of it")
    found = said("gaussian", replace(whole, measurements={"y": m.take(first | (m.time == 0))}))
    assert {n for n, why in found.items() if why} == {"between"}
    assert found["between"].startswith(
        "every measurement of y with arm b is at month 0: these data hold no change there"
    )


def test_an_outcome_that_moves_is_not_unchanging():
    study = study_of("gaussian")
    assert unchanging(study, cohort_of(50.0), "y") == "every measurement of y is 50"
    assert unchanging(study, cohort_of(50.0 + np.eye(4, 3)), "y") == ""
