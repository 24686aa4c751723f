"""What tests share: a seeded generator, the paths of the checkout, and a small valid study."""

from pathlib import Path

import numpy as np
import pytest

from bayesmyo.study import Study, parse_study, read_study

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "bayesmyo"
MODELS = ROOT / "models"

SMALL = """
[study]
title = "Small"
patient = "patient"
time = { column = "month", unit = "month", label = "Months", typical = 24 }

[outcomes.strength]
column = "strength"
label = "Strength"
unit = "points"
better = "higher"
typical = 50
scale = 10
minimum = 0
maximum = 100
family = { kind = "gaussian" }
trajectory = { kind = "linear" }

[outcomes.cpk]
column = "cpk"
label = "CPK"
unit = "IU/L"
better = "lower"
typical = 1200
scale = 2.5
family = { kind = "lognormal" }
trajectory = { kind = "plateau" }

[estimands.cpk_ratio_12]
kind = "ratio"
outcome = "cpk"
from = 0
to = 12

[decisions.cpk_halved]
kind = "probability"
estimand = "cpk_ratio_12"
below = 0.5
probability = 0.9

[design]
patients = 12
follow_up = { mean = 24, sd = 12, maximum = 60 }
visits = { first = [0, 1, 3], then_every = 6, jitter = 0.3 }

[scenarios.improves]
strength = { intercept = 50, slope = 0.5, sd_intercept = 8, sd_slope = 0.25, correlation = -0.4, sigma = 4 }

[scenarios.improves.cpk]
start = 800
asymptote = 200
half_time = 3
sd_start = 0.8
sd_asymptote = 0.5
correlation = 0.3
sigma = 0.3
"""


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20210)


@pytest.fixture
def study_text() -> str:
    """A study of two outcomes: strength is gaussian and linear, cpk log-normal with a plateau."""
    return SMALL


@pytest.fixture(scope="session")
def small() -> Study:
    return parse_study(SMALL)


@pytest.fixture(scope="session")
def ivig() -> Study:
    return read_study(MODELS / "ivig.toml")
