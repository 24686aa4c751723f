"""One set of events, four right answers: simulated in NumPy alone, with a course that changes at the event, and fitted.

Strength falls by 0.2 a month, and by 1.4 from the switch on; who switches does so at a constant rate. It is measured at
months 0 and 12, so that the straight line of a fit is right of the course without the switch, where later visits are set
aside, and of all courses at month 12, where they are used.
"""

import numpy as np
import pytest
from scipy import stats

import bayesmyo
from bayesmyo.inference.engines import Sampling

PATIENTS, RATE, AT, LIMIT = 300, 0.07, 12.0, 27.0
BEFORE, AFTER, SD, SIGMA = -0.2, -1.4, 4.0, 1.0
STUDY = """
[study]
title = "Strategies"
patient = "patient"
time = { column = "month", unit = "month", typical = 12 }
[outcomes.strength]
column = "strength"
unit = "kg"
better = "higher"
typical = 30
scale = 5
family = { kind = "gaussian" }
trajectory = { kind = "linear" }
effects = ["intercept"]
[events.switch]
at = "switched"
typical = 0.5
hazard = { kind = "constant" }
"""
ASKED = """
[estimands.NAME_level]
kind = "level"
outcome = "strength"
at = 12
events = { switch = "STRATEGY" }
---
[estimands.NAME_share]
kind = "share"
criteria = { strength = { at_least = 27 } }
at = 12
events = { switch = "STRATEGY" }
"""


def asked(*strategies):
    """A study that asks for the level and the share by each strategy; a level has no criteria that one could fail."""
    text = STUDY if "treatment policy" in strategies else STUDY + 'after = "set aside"\n'
    for strategy in strategies:
        tables = ASKED.replace("STRATEGY", strategy).replace("NAME", strategy.replace(" ", "_"))
        level, share = tables.split("---\n")
        text += share if strategy == "composite" else level + share
    return bayesmyo.parse_study(text)


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    rng = np.random.default_rng(20)
    even = (np.arange(PATIENTS) + 0.5) / PATIENTS  # patients spread as evenly as can be, so that few are enough
    start = 30 + SD * rng.permutation(stats.norm.ppf(even))
    switch = -np.log(rng.permutation(even)) / RATE
    stop = np.minimum(switch, AT)
    last = start + BEFORE * stop + AFTER * (AT - stop)
    first, last = (level + SIGMA * rng.standard_normal(PATIENTS) for level in (start, last))
    lines = ["patient,month,strength,switched"]
    for i in range(PATIENTS):
        when = f"{switch[i]:.4f}" if switch[i] < AT else ""
        lines += [f"{i},0,{first[i]:.3f},{when}", f"{i},12,{last[i]:.3f},{when}"]
    path = tmp_path_factory.mktemp("strategies") / "table.csv"
    path.write_text("\n".join(lines))
    return path


def draws(study, table):
    cohort = bayesmyo.read_cohort(study, table)
    sampling = Sampling(draws=500, tune=500, chains=2)
    return bayesmyo.fit(study, cohort, sampling=sampling, seed=3).estimands


def exact():
    """Of many patients, from the closed form of the mean time before the switch, and by quadrature over that time."""
    mean = -np.expm1(-RATE * AT) / RATE
    t = np.linspace(0, AT, 20_001)
    stays, density = np.exp(-RATE * AT), RATE * np.exp(-RATE * t)

    def well(level):
        return stats.norm.sf((LIMIT - level) / SD)

    stayed = well(30 + BEFORE * AT)
    return {
        "hypothetical_level": 30 + BEFORE * AT,
        "while_on_treatment_level": 30 + BEFORE * mean,
        "treatment_policy_level": 30 + BEFORE * mean + AFTER * (AT - mean),
        "hypothetical_share": stayed,
        "composite_share": stays * stayed,
        "while_on_treatment_share": stays * stayed + np.trapezoid(density * well(30 + BEFORE * t), t),
    }


@pytest.mark.slow
def test_the_same_events_give_four_right_answers(table):
    found = draws(asked("hypothetical", "while on treatment", "composite"), table)
    found |= {k: v for k, v in draws(asked("treatment policy"), table).items() if k.endswith("level")}
    for name, value in exact().items():
        assert found[name].mean() == pytest.approx(value, abs=1.5 * found[name].std()), name
        assert found[name].std() < (0.04 if name.endswith("share") else 0.4), name
    levels = [v for k, v in exact().items() if k.endswith("level")]
    assert np.min(np.diff(np.sort(levels))) > 2 * found["hypothetical_level"].std()
