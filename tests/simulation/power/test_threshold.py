"""The threshold of a rule, against closed forms: of a z test with a flat prior, P is uniform where nothing happens."""

import json

import numpy as np
import pytest
from scipy import stats

from bayesmyo.errors import InputError, UsageError
from bayesmyo.report import documents
from bayesmyo.simulation.cell import Cell
from bayesmyo.simulation.options import PowerOptions, Solve
from bayesmyo.simulation.plan import Plan
from bayesmyo.simulation.power.answer import power_answer
from bayesmyo.simulation.power.grid import power_plan
from bayesmyo.simulation.power.threshold import threshold
from bayesmyo.simulation.row import Quantity, Row
from bayesmyo.study import parse_study
from tests.conftest import ROOT
from tests.simulation.frames import results

TEXT = (ROOT / "tests" / "reference" / "one_arm.toml").read_text()
STUDY = parse_study(TEXT)


def test_of_uniform_probabilities_it_is_one_minus_alpha(rng):
    """E(threshold) = 1 - k / (n + 1), the mean of an order statistic; its type I error is a beta variable."""
    n, alpha = 400, 0.05
    solved = np.array([threshold([rng.random(n)], alpha)[0].value for _ in range(1000)])
    error = stats.beta(20, n - 20 + 1)
    assert abs(solved.mean() - (1 - 20 / (n + 1))) < 3 * error.std() / np.sqrt(1000)
    assert stats.kstest(1 - solved, error.cdf).pvalue > 0.001


@pytest.mark.parametrize("steps", [None, 600, 150])
@pytest.mark.parametrize("scenarios", [1, 3])
def test_its_interval_covers_whatever_the_distribution(rng, steps, scenarios):
    """True thresholds: continuous P, and P as a share of so many draws (uniform on 0..steps, as a flat prior has it)."""
    alpha, covered = 0.025, []
    true = 1 - alpha if steps is None else (steps + 1 - np.floor(alpha * (steps + 1))) / steps
    for _ in range(300):
        p = rng.random((scenarios, 800)) if steps is None else rng.integers(0, steps + 1, (scenarios, 800)) / steps
        number, _ = threshold(list(p), alpha)
        value, upper = number.value or 1.0, number.upper or 1.0  # with steps P may be 1 in too many
        assert number.lower <= value <= upper
        covered.append(number.lower <= true <= upper)
    assert stats.binomtest(sum(covered), 300, 0.95, alternative="less").pvalue > 0.001


def test_the_least_favourable_scenario_decides(rng):
    null = [rng.random(4000), rng.beta(2, 1, 4000), rng.beta(1, 2, 4000)]
    number, which = threshold(null, 0.05)
    assert which == 1
    assert number.lower < stats.beta(2, 1).ppf(0.95) < number.upper
    assert max((p >= number.value).mean() for p in null) == 0.05


def test_no_more_cohorts_than_alpha_allows_reach_it_where_some_are_equal():
    p = np.repeat([0.2, 0.5, 0.96, 0.985, 1.0], [50, 40, 6, 3, 1])
    assert threshold([p], 0.05)[0].value == 0.985
    assert threshold([p], 0.04)[0].value == 0.985
    assert threshold([p], 0.1)[0].value == 0.96
    assert threshold([p], 0.039)[0].value is None  # 3 of 100 may, but those of 0.985 are four with the one of 1
    assert threshold([np.full(1000, 0.7)], 0.05)[0].value is None
    ones = threshold([np.repeat([0.5, 1.0], [900, 100])], 0.05)[0]
    assert (ones.value, ones.upper) == (None, None)


@pytest.mark.parametrize(("alpha", "enough"), [(0.025, 221), (0.05, 110)])
def test_it_says_how_many_cohorts_would_do(rng, alpha, enough):
    few = threshold([rng.random(int(1 / alpha) - 1)], alpha)[0]
    assert (few.value, few.lower, few.upper, few.enough) == (None, None, None, enough)
    # Pr(at most one of n beyond the true threshold) = (1 - a)^n + n a (1 - a)^(n - 1)
    missed = [(1 - alpha) ** n + n * alpha * (1 - alpha) ** (n - 1) for n in (enough - 1, enough)]
    assert missed[0] >= 0.025 > missed[1]
    assert threshold([rng.random(enough - 1)], alpha)[0].upper is None
    assert threshold([rng.random(enough)], alpha)[0].upper is not None


# --- from rows


def cell(scenario, patients=20, looks=()):
    return Cell(STUDY, scenario, patients, STUDY, {"scenario": scenario, "patients": patients}, looks)


def rows(c, z, truth):
    """Cohorts of which the rule sees the probability of a z test, at each look: z (replicate, look)."""
    for i, values in enumerate(z):
        said = [
            Quantity("decision", "rises", look, truth=truth, probability=float(p), met=bool(p >= 0.975))
            for look, p in zip(c.looks or (c.patients,), stats.norm.cdf(values), strict=True)
        ]
        yield Row(c.key, i, rhat=1.0, ess=400.0, patients=c.patients, quantities=tuple(said))


def answered(cells, listed, alpha=0.025):
    return power_answer(
        results(Plan("power", tuple(cells), len(listed), engine="mock"), listed), solve=Solve("threshold", alpha)
    )


def test_power_at_the_threshold_is_that_of_the_z_test(rng):
    """A rule whose P is too large by half an SD: its type I error at the declared threshold, and its power at the one
    that is solved for, are those of the normal distribution.
    """
    cells, n = [cell("null"), cell("four")], 2000
    z = rng.standard_normal((2, n, 1)) + 0.5
    listed = [*rows(cells[0], z[0], 0.0), *rows(cells[1], z[1] + 2.8, 4.0)]
    (t,) = answered(cells, listed).thresholds
    assert t.number.lower < stats.norm.cdf(stats.norm.isf(0.025) + 0.5) < t.number.upper
    null, four = t.scenarios
    assert (t.least_favourable, null.null, four.null) == ("null", True, False)
    assert null.solved.met == 50
    assert abs(null.declared.value - stats.norm.sf(1.96 - 0.5)) < 3 * null.declared.mcse
    assert abs(four.solved.value - stats.norm.sf(1.96 - 2.8)) < 4 * four.solved.mcse
    assert json.loads(documents.document(part=t.as_dict()))


def test_with_looks_it_is_that_of_the_whole_procedure(rng):
    """Pocock's constant for two equal looks, one-sided 0.025: 2.178 (Pocock 1977, https://doi.org/10.1093/biomet/64.2.191)."""
    c = cell("null", looks=(10, 20))
    first, second = rng.standard_normal((2, 3000))
    z = np.stack([first, (first + second) / np.sqrt(2)], axis=-1)
    (t,) = answered([c], list(rows(c, z, 0.0))).thresholds
    assert t.number.lower < stats.norm.cdf(2.178) < t.number.upper
    below = stats.multivariate_normal([0, 0], [[1, np.sqrt(0.5)], [np.sqrt(0.5), 1]]).cdf([1.96, 1.96])
    declared = t.scenarios[0].declared
    assert abs(declared.value - (1 - below)) < 3 * declared.mcse


def about_a_threshold(answer):
    (said,) = (s for s in answer.sentences if "type I error of at most" in s or "no threshold" in s)
    return said


def test_the_sentence_is_one_for_a_protocol(rng):
    cells = [cell("null"), cell("four")]
    z = rng.standard_normal((2, 1000, 1))
    listed = [*rows(cells[0], z[0], 0.0), *rows(cells[1], z[1] + 2.8, 4.0)]
    found = answered(cells, listed)
    said = about_a_threshold(found)
    asked = "rises has a type I error of at most 2.5% when the probability that is asked for is at least 0.9"
    assert said.startswith(f"With 20 patients, {asked}")
    assert "1,000 cohorts under null); with the declared 0.975 it is" in said
    assert "Under four it would then be met in" in said
    few = answered(cells, [r for r in listed if r.replicate < 30])
    assert about_a_threshold(few).endswith("a type I error of at most 2.5%; 221 would do.")
    none = answered(cells[1:], listed[1000:])
    assert about_a_threshold(none).endswith("there is no scenario in which it ought not to be met.")


# --- what is refused before anything is compiled


def asked(study=STUDY, **options):
    return PowerOptions(study, "out", engine="mock", solve="threshold", **options)


def test_a_study_without_what_it_takes_is_refused():
    assert power_plan(asked(patients=(5,)))
    with pytest.raises(InputError, match="needs a scenario in which rises ought not to be met; got four; name"):
        power_plan(asked(scenarios=("four",)))
    precise = 'kind = "precision"\nestimand = "slope"\nwidth = 2'
    text = TEXT.replace('kind = "probability"\nestimand = "slope"\nabove = 0\nprobability = 0.975', precise)
    with pytest.raises(InputError, match="no decision is; write one with"):
        power_plan(asked(parse_study(text)))


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"solve": "treshold"}, 'solve: is unknown; got .treshold.; did you mean "threshold"'),
        ({"alpha": 0.05}, "--alpha: belongs to a threshold that is solved for; add --solve threshold"),
        ({"solve": "threshold", "alpha": 5}, "alpha: must lie between 0 and 1"),
        ({"solve": "threshold", "looks": (5,), "futility": 0.1}, "is for rules that stop for success alone"),
    ],
)
def test_options_that_do_not_go_together_are_refused(options, reason):
    with pytest.raises(UsageError, match=reason):
        PowerOptions(STUDY, "out", **options)
