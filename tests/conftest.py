"""What tests share: a seeded generator, paths, a small valid study, two fits that cost nothing, and a way to type a
command.
"""

from __future__ import annotations

import json
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from bayesmyo import cli
from bayesmyo.cohort import Cohort, read_cohort
from bayesmyo.model.simulate import simulate
from bayesmyo.model.truth import Truth, from_scenario, with_effects
from bayesmyo.study import Study, parse_study, read_study

if TYPE_CHECKING:  # the rest of the house takes seconds to load: only tests that need it do
    from bayesmyo.inference.engines import Draws
    from bayesmyo.inference.fit import Fit

ROOT = Path(__file__).parents[1]
DATA = ROOT / "data" / "simulated"
PACKAGE = ROOT / "bayesmyo"
MODELS = ROOT / "models"
PATIENTS = 12  # of the small study
MOCK = ("--engine", "mock", "--draws", 40, "--chains", 2)  # words of a fit that costs nothing

LONG = (
    "test_notebooks.py",
    "test_reference.py",
    "test_leave_one_out.py",
    "test_reference_next.py",
    "test_run.py",
    "test_hostile.py",
    "test_snippets.py",
    "test_cli_faults.py",
    "test_remedies_work.py",
    "test_cluster.py",
    "test_calibration.py",
    "test_browser.py",
    "test_store_faults.py",
    "test_help.py",
)


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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files that take minutes come first, so that no worker is left with one of them at the end."""
    items.sort(key=lambda item: LONG.index(item.path.name) if item.path.name in LONG else len(LONG))


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


@pytest.fixture(scope="session")
def small_cohort(small: Study) -> Cohort:
    """The patients around whose effects `independent_draws` scatters."""
    return simulate(small, scenario_truth(small, PATIENTS, np.random.default_rng(7)), np.random.default_rng(4)).cohort


@pytest.fixture(scope="session")
def mock_fit(ivig: Study) -> Fit:
    """The study ivig and its simulated cohort under draws from the priors: two chains of 200. It passes no check."""
    from bayesmyo.inference.engines import Sampling
    from bayesmyo.inference.fit import fit

    cohort = read_cohort(ivig, DATA / "ivig.csv")
    return fit(ivig, cohort, engine="mock", sampling=Sampling(draws=200, tune=1, chains=2))


@pytest.fixture(scope="session")
def good_fit(small: Study, small_cohort: Cohort) -> Fit:
    """Independent draws close around the scenario `improves` of the small study. It passes every check."""
    return fit_of(small, small_cohort, independent_draws(small, small_cohort))


def independent_draws(study: Study, cohort: Cohort, chains: int = 4, draws: int = 1000) -> Draws:
    """Draws that scatter around the study's first scenario, each independent of all others."""
    from bayesmyo.inference.engines import Draws

    rng, shape = np.random.default_rng(7), (chains, draws)
    truth = scenario_truth(study, len(cohort), rng)
    posterior = {}
    for name, o in truth.outcomes.items():
        posterior |= {f"{name}.{k}": v + 0.02 * rng.standard_normal(shape) for k, v in o.values.items()}
        posterior |= {
            f"{name}.effect_{k}": v + 0.02 * rng.standard_normal((*shape, len(cohort))) for k, v in o.effects.items()
        }
    stats = {
        "diverging": np.zeros(shape, dtype=bool),
        "reached_max_treedepth": np.zeros(shape, dtype=bool),
        "energy": rng.standard_normal(shape),
    }
    return Draws(posterior, stats)


def scenario_truth(study: Study, patients: int, rng: np.random.Generator) -> Truth:
    """The study's first scenario, with the effects of patients drawn."""
    return with_effects(study, from_scenario(study, next(iter(study.scenarios))), patients, rng)


def fit_of(study: Study, cohort: Cohort, draws: Draws) -> Fit:
    """Draws as a fit of the engine nuts, which did not make them."""
    from bayesmyo.inference.engines import Sampling
    from bayesmyo.inference.fit import wrap

    return wrap(study, cohort, draws, engine="nuts", seed=1, sampling=Sampling(), how={})


@dataclass(frozen=True)
class Result:
    """The exit code of a command, and all that it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        """What was printed, as one strict JSON document."""
        return json.loads(self.out, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Type a command in an empty folder."""
    monkeypatch.chdir(tmp_path)
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "BAYESMYO_DEBUG"):
        monkeypatch.delenv(name, raising=False)

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["bayesmyo", *map(str, words)])
        before = signal.getsignal(signal.SIGTERM)
        try:
            with pytest.raises(SystemExit) as stopped:
                cli.main()
        finally:
            signal.signal(signal.SIGTERM, before)
        captured = capsys.readouterr()
        assert "Traceback" not in captured.out + captured.err
        return Result(stopped.value.code, captured.out, captured.err)

    return run


@pytest.fixture
def files(tmp_path):
    """Name -> bytes of every file that is there now."""
    return lambda: {str(p.relative_to(tmp_path)): p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
