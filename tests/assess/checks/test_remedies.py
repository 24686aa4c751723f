"""What is advised fits the measurements: a scale with two ends, a dose, a laboratory value whose range only guards
against typing errors.
"""

from dataclasses import replace

import numpy as np
import pytest

from bayesmyo.assess.checks.remedies import at_end, crowded, is_scale, overdispersed, positive, scatter, skewed, turning
from bayesmyo.components.families import FAMILIES
from bayesmyo.components.trajectories import Linear, Plateau
from bayesmyo.study import find_study, parse_study
from tests.assess.checks.conftest import PLATEAU, PLATEAU_TRUTH, STUDY, changed, failing, lines, made

PAPER = find_study("ivig-paper").outcomes  # gaussian throughout, with a legal range each
GRADE = np.array([1.5, 2.5, 3.4, 3.9, 4.2, 4.6, 4.9, 5.0])
ENZYME = np.array([60.0, 90, 120, 300, 800, 2600])
DOSE = np.array([0.0, 0, 2.5, 5, 7.5, 10, 40, 120])

STEADY = 'typical = 50\nscale = 10\nfamily = { kind = "gaussian" }\ntrajectory = { kind = "linear" }'


def test_a_range_is_a_scale_where_measurements_fill_it():
    grade = replace(PAPER["mrc"], maximum=5)
    assert is_scale(grade, GRADE)
    assert not is_scale(PAPER["cpk"], ENZYME)  # 1 to 200,000 IU/L
    assert not is_scale(PAPER["steroid"], DOSE)  # 0 to 250 mg/d, most of them low
    assert not is_scale(replace(grade, minimum=None), GRADE)


@pytest.mark.parametrize(
    ("outcome", "y", "top", "advice"),
    [
        ("mrc", GRADE, True, "try the family ordered_beta"),
        ("cpk", ENZYME, False, "try the family lognormal or gamma"),
        ("steroid", DOSE, False, "try the family hurdle_lognormal"),
        ("steroid", DOSE, True, "declare a limit of measurement (censoring) if values are cut off there"),
    ],
)
def test_what_to_try_at_an_end(outcome, y, top, advice):
    assert at_end(PAPER[outcome], y, top).startswith(advice)


def test_a_family_that_knows_its_ends_is_not_advised_again():
    mrc = find_study("ivig").outcomes["mrc"]
    assert at_end(mrc, GRADE, True) == "try other effects, or another trajectory"


def test_zeros_ask_for_a_hurdle():
    assert positive(DOSE) == "hurdle_lognormal"
    assert positive(ENZYME) == "lognormal or gamma"
    assert skewed(ENZYME)
    assert not skewed(GRADE)
    assert not skewed(ENZYME - 100)


def test_measurements_crowd_below_a_ceiling_and_not_below_a_wild_one():
    many = np.linspace(30, 58, 100)
    assert crowded(np.minimum(many, 50))
    assert not crowded(np.append(many, 140))


def test_a_curve_that_turns_already_is_not_told_to_level_off():
    assert "plateau" in turning(Linear())
    assert "plateau" not in turning(Plateau())


def test_scatter_in_proportion_to_a_positive_level_asks_for_a_positive_family():
    """Not for a bounded one, though a range is declared that guards against typing errors."""
    _, cohort, _ = made(PLATEAU, PLATEAU_TRUTH)
    rng = np.random.default_rng(1)
    skewed = changed(cohort, lambda m: {"value": np.exp(m.value / 12) * np.exp(0.5 * rng.standard_normal(len(m)))})
    found = failing(lines(skewed, extra="\nminimum = 1\nmaximum = 200000"))
    assert "at high levels as at low ones" in found["variance"]
    assert found["variance"].endswith(
        "scatter in proportion to the level looks like this; try the family lognormal or gamma."
    )
    assert "ordered_beta" not in " ".join(found.values())


@pytest.mark.parametrize("kind", [f.kind for f in FAMILIES])
def test_the_parameter_of_scatter_is_the_one_that_is_positive(kind):
    """And a family that scatters more than another has one, which a study may give a table of its own."""
    family = next(f for f in FAMILIES if f.kind == kind)
    assert family.scatter() in {"", *(name for name, link in family.links.items() if link == "log")}
    if family.overdispersed:
        assert next(f for f in FAMILIES if f.kind == family.overdispersed).scatter()


def test_scatter_that_drifts_already_is_told_to_turn_in_its_own_table():
    moving = '\n[outcomes.y.sigma]\ntrajectory = { kind = "linear" }'
    before, after = (
        parse_study(STUDY.format(outcome=STEADY + extra, scenario="intercept = 50").split("[scenarios")[0])
        for extra in ("", moving)
    )
    assert scatter(before, "y", drifts=True) == 'write a table [outcomes.y.sigma] with trajectory = { kind = "linear" }'
    assert scatter(after, "y", drifts=True).startswith("in the table [outcomes.y.sigma] try a trajectory that")


def test_counts_that_scatter_more_are_sent_to_the_family_and_its_table():
    counts = STEADY.replace("gaussian", "poisson")
    study = parse_study(STUDY.format(outcome=counts, scenario="intercept = 50").split("[scenarios")[0])
    assert not scatter(study, "y")
    said = "try the family negative_binomial, whose scatter may have a table of its own, [outcomes.y.cv]"
    assert overdispersed(study, "y") == said
