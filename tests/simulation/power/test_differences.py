"""Schedules of visits compared, against the normal approximation of two independent shares."""

import numpy as np
import pytest

from bayesmyo.simulation.power.differences import differences
from bayesmyo.simulation.power.operating import DecisionPower
from bayesmyo.simulation.power.rates import Mean, rate
from bayesmyo.simulation.power.words import difference_sentence


def met(share, n, schedule, scenario="improves", null=False, **labels):
    """A decision that was met in a share of cohorts."""
    verdicts = np.arange(n) < round(share * n)
    labels = {"scenario": scenario, "visits": schedule, "patients": 15, **labels}
    true = 0 if null else n
    return DecisionPower(
        schedule, labels, "gain", "change", 15, n, {}, rate(verdicts), None, None, true, None, None, 1.0, False, False, Mean(0.9, 0.01), {}
    )  # fmt: skip


def test_a_difference_has_the_errors_of_both():
    (d,) = differences([met(0.65, 400, "0 6 12"), met(0.72, 300, "0 3 6 12")])
    assert (d.schedule, d.than) == ("visits 0 3 6 12", "visits 0 6 12")
    assert d.value == pytest.approx(0.07)
    assert d.mcse == pytest.approx(np.sqrt(0.65 * 0.35 / 400 + 0.72 * 0.28 / 300), rel=0.005)
    said = "With 15 patients (improves), visits 0 3 6 12 instead of visits 0 6 12 would have met gain 7.0 points more often"
    assert difference_sentence(d) == f"{said} (Monte Carlo error 3.5 points, that of two sets of cohorts)."


def test_two_powers_of_one_do_not_claim_to_be_the_same():
    (d,) = differences([met(1.0, 50, "0 6 12"), met(1.0, 50, "0 3 6 12")])
    assert (d.value, d.mcse > 0.01) == (0.0, True)


def test_only_what_shares_all_else_is_compared():
    cells = [met(0.5, 50, v, s, s == "null") for s in ("improves", "null") for v in ("0 6", "0 12", "0 3")]
    listed = list(differences(cells))
    assert [(d.labels["scenario"], d.schedule, d.null) for d in listed] == [
        ("improves", "visits 0 12", False),
        ("improves", "visits 0 3", False),
        ("null", "visits 0 12", True),
        ("null", "visits 0 3", True),
    ]
    assert not list(differences([met(0.5, 50, "0 6"), met(0.5, 50, "0 6", loss=0.1)]))
