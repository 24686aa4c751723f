"""Which effects are sampled, which are integrated, and in which order a block holds them."""

import numpy as np
import pytest

from bayesmyo.cohort.read import cohort_of
from bayesmyo.cohort.table import parse_table
from bayesmyo.inference import effects as fx
from bayesmyo.study import parse_study
from bayesmyo.study.predictors import effects
from tests.inference.density import HEAD, random_correlation, rows

COUNTS = [3, 0, 5, 1, 2, 2, 8, 4, 1]


def outcome(family, trajectory="constant", more="", name="y"):
    table = f'[outcomes.{name}]\ncolumn = "y"\nunit = "u"\nbetter = "higher"\nscale = 2\n'
    return (
        table
        + f'{"" if "cumulative" in family else "typical = 5"}\nfamily = {{ kind = {family} }}\ntrajectory = {{ kind = "{trajectory}" }}\n{more}'
    )


def study_and_cohort(text, y=COUNTS):
    study = parse_study(HEAD + text)
    return study, cohort_of(study, parse_table(rows(y=y).encode(), "t.csv", study.data))


@pytest.mark.parametrize(
    ("text", "how"),
    [
        (outcome('"gaussian"'), "integrated"),
        (outcome('"lognormal"', "plateau", 'priors = { start = "normal(1, 1)" }\n').replace("typical = 5",
         "typical = 5.5"), "integrated"),
        (outcome('"gaussian"', "plateau", 'effects = ["start", "half_time"]\n'), "non-centred"),  # not linear
        (outcome('"gaussian"', more="effects = []\n"), "centred"),  # nothing to integrate
        (outcome('"student_t"'), "centred"),  # three measurements for one effect; an outlier would inform wrongly
        (outcome('"student_t"', "linear"), "non-centred"),  # three for two
        (outcome('"poisson"'), "informed"),
        (outcome('"poisson"', "plateau", 'effects = ["start", "half_time"]\n'), "non-centred"),
        (outcome('"cumulative", levels = ["0", "1", "2", "3", "4", "5", "8"]', more='effects = ["intercept"]\n'),
         "non-centred"),
        (outcome('"student_t"', more='parameterisation = "non-centred"\n'), "non-centred"),
        (outcome('"gaussian"', more='parameterisation = "centred"\n'), "centred"),
    ],
)  # fmt: skip
def test_effects_are_sampled_as_declared_or_as_fits(text, how):
    study, cohort = study_and_cohort(text, [max(y, 1) for y in COUNTS] if "lognormal" in text else COUNTS)
    assert fx.parameterisation(study, cohort, "y") == how


HURDLE = outcome('"hurdle_lognormal"', "plateau", 'effects = ["start", "asymptote", "half_time"]\n') + (
    '[outcomes.y.zero]\ntypical = 0.2\nscale = 0.1\ntrajectory = { kind = "constant" }\ncorrelate = true\n'
)


def test_a_zero_part_is_informed_unless_another_way_is_declared():
    study = parse_study(HEAD + HURDLE)
    for way in ("integrated", "informed"):
        how = {e.key: fx.how_sampled(study, e, {"y": way}) for e in effects(study, "y")}
        assert how["zero_intercept"] == "informed"
    how = {e.key: fx.how_sampled(study, e, {"y": "centred"}) for e in effects(study, "y")}
    assert (how["start"], how["asymptote"], how["zero_intercept"]) == ("centred", "centred", "non-centred")
    assert {fx.how_sampled(study, e, {"y": "non-centred"}) for e in effects(study, "y")} == {"non-centred"}


def test_a_zero_part_that_bends_is_not_informed():
    bent = HURDLE.replace('"constant" }', '"plateau" }\neffects = ["start", "half_time"]')
    study = parse_study(HEAD + bent)
    how = {e.key: fx.how_sampled(study, e, {"y": "integrated"}) for e in effects(study, "y")}
    assert how["zero_start"] == how["zero_half_time"] == "non-centred"


def test_a_half_time_is_always_non_centred():
    study = parse_study(HEAD + HURDLE)
    how = {e.key: fx.how_sampled(study, e, {"y": "centred"}) for e in effects(study, "y")}
    assert how["half_time"] == "non-centred"


A = '[outcomes.a]\ncolumn = "a"\nunit = "u"\nbetter = "higher"\ntypical = 5\nscale = 2\nfamily = { kind = "gaussian" }\n'
MIXED = 'correlate = "across outcomes"\n' + A + 'trajectory = { kind = "linear" }\n' + outcome('"poisson"', "linear")


def test_in_a_block_the_sampled_effects_come_first():
    study = parse_study(HEAD + MIXED)
    (found,) = fx.ordered(study, {"a": "integrated", "y": "centred"})
    assert [e.full_name for e in found.sampled] == ["y.effect_intercept", "y.effect_slope"]
    assert [e.full_name for e in found.integrated] == ["a.effect_intercept", "a.effect_slope"]
    assert found.effects == found.sampled + found.integrated
    assert set(found.effects) == set(found.block.effects)


def test_correlations_keep_their_names_whatever_the_order(rng):
    study = parse_study(HEAD + MIXED)
    (found,) = fx.ordered(study, {"a": "integrated", "y": "centred"})
    r = random_correlation(rng, 4)  # in the order of the factor: y first
    named = found.correlations(np.linalg.cholesky(r).tolist())
    expected = {
        ("a", "correlation"): r[2, 3],
        ("y", "correlation"): r[0, 1],
        ("correlations", "a_intercept_y_intercept"): r[0, 2],
        ("correlations", "a_intercept_y_slope"): r[1, 2],
        ("correlations", "a_slope_y_intercept"): r[0, 3],
        ("correlations", "a_slope_y_slope"): r[1, 3],
    }
    assert named == pytest.approx(expected)
