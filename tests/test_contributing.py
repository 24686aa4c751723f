"""The worked example of the contributor's guide works: one new file and one line."""

import re
import sys
from types import ModuleType

import numpy as np
import pytest
from scipy import stats

from bayesmyo.cohort import to_csv
from bayesmyo.cohort.read import cohort_of
from bayesmyo.cohort.table import parse_table
from bayesmyo.components.families import FAMILIES, Cells, Family
from bayesmyo.model import simulate_scenario
from bayesmyo.study import parse_study, read
from tests.conftest import ROOT

STUDY = """
[study]
title = "Counts"
patient = "patient"
time = { column = "month", unit = "month", typical = 12 }

[outcomes.falls]
column = "falls"
unit = "falls"
better = "lower"
typical = 3
scale = 2
family = { kind = "plain_poisson" }
trajectory = { kind = "linear" }

[estimands.falls_12]
kind = "level"
outcome = "falls"
at = 12

[design]
patients = 6
follow_up = { mean = 12, sd = 1, maximum = 24 }
visits = { first = [0, 1, 3], then_every = 3 }

[scenarios.truth]
falls = { intercept = 4, slope = 0.95, sd_intercept = 0.4, sd_slope = 0.02, correlation = 0.2 }
"""


@pytest.fixture
def family(monkeypatch):
    """The family of the guide's first block of Python, in the catalogue by one line."""
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text(), re.DOTALL)
    code = next(b for b in blocks if "class PlainPoisson" in b)
    module = ModuleType("plain_poisson")
    monkeypatch.setitem(sys.modules, "plain_poisson", module)
    exec(compile(code, "CONTRIBUTING.md", "exec"), module.__dict__)
    monkeypatch.setitem(read.CATALOGUES, Family, (*FAMILIES, module.PlainPoisson))
    return module.PlainPoisson()


def test_a_study_can_name_it_simulate_it_and_read_it_back(family):
    study = parse_study(STUDY)
    assert type(study.outcomes["falls"].family) is type(family)
    cohort = simulate_scenario(study).cohort
    again = cohort_of(study, parse_table(to_csv(study, cohort).encode(), "falls.csv", study.data))
    np.testing.assert_array_equal(again.measurements["falls"].value, cohort.measurements["falls"].value)


def test_its_density_is_scipys_and_its_draws_follow_it(family, rng):
    y = np.arange(8)
    found = family.log_density(Cells(y), {"location": np.log(2.5)}, {})
    np.testing.assert_allclose(found, stats.poisson(2.5).logpmf(y))
    drawn = family.draw(rng, {"location": np.full(20_000, np.log(2.5))}, {})
    assert drawn.mean() == pytest.approx(2.5, abs=4 * np.sqrt(2.5 / 20_000))


@pytest.mark.sampling
def test_it_can_be_fitted_and_asked(family):
    from bayesmyo.assess.estimate import estimates
    from bayesmyo.inference.engines import Sampling
    from bayesmyo.inference.fit import fit

    study = parse_study(STUDY)
    found = fit(study, simulate_scenario(study, patients=20).cohort, sampling=Sampling(draws=300, tune=300, chains=2))
    (falls,) = estimates(found)
    assert falls.lower < 4 * 0.95**12 * np.exp((0.4**2 + (0.02 * 12) ** 2 + 2 * 0.2 * 0.4 * 0.24) / 2) < falls.upper
