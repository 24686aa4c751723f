"""Whatever is typed as a study: a Study that can be described, written and simulated, or a StudyError. Never a
traceback or a hang.
"""

import copy
import random
import time
import tomllib
import tracemalloc

import pytest
import tomli_w
from hypothesis import event, given, settings
from hypothesis import strategies as st

from bayesmyo.errors import BayesmyoError, StudyError
from bayesmyo.limits import STUDY_BYTES
from bayesmyo.model import simulate_scenario
from bayesmyo.report.documents import study_part
from bayesmyo.study import parse_study, read_study
from bayesmyo.study.write import study_hash, to_toml
from tests.conftest import MODELS, ROOT, SMALL
from tests.study.everything import EVERYTHING

TEXTS = [SMALL, SMALL, EVERYTHING, *(p.read_text() for p in sorted(MODELS.glob("*.toml")))]
TEXTS += [p.read_text() for p in sorted((ROOT / "tests" / "reference").glob("*.toml"))]
VALUES = (
    0, 1, -1, 2, 0.5, -0.0, 1e-300, 1e300, 1e308, float("nan"), float("inf"), 10**30, True, False, "", " ", "x", "a/b",
    "..", "chain", "posterior", "cpk", "strength",
    "month", "\x1b[31m", "\u202e", "<b>", "=1", "é" * 50, "x" * 5000, "normal(0, 1)", "normal(0", "normal(nan, 1)",
    "halfnormal(-1)", "lognormal(1e308, 1e308)", "lkj(0)",
    "YYYY-MM-DD", [], [1], [0, 0], [3, 1, 2], ["a"], ["a", "a"], ["DM", "PM"], list(range(50)), [[1]], {},
    {"kind": "linear"}, {"kind": "plateau"},
    {"kind": "spline", "knots": [0, 1, 2]}, {"kind": "piecewise", "knots": [1]}, {"kind": "gaussian"},
    {"kind": "lognormal"}, {"kind": "bernoulli"}, {"kind": "ordered_beta", "lower": 0, "upper": 5},
    {"kind": "cumulative", "categories": ["a", "b", "c"]}, {"kind": "poisson"}, {"kind": "x"},
    {"above": 1, "below": 2}, {"factors": {"a": 0}}, {"a": {"b": {"c": 1}}},
)  # fmt: skip
KEYS = (
    "title",
    "kind",
    "unit",
    "scale",
    "typical",
    "family",
    "trajectory",
    "effects",
    "priors",
    "covariates",
    "moderators",
    "zero",
    "exposure",
    "censoring",
    "map",
    "recorded",
    "time",
    "data",
    "x",
    "",
    "é",
    "a.b",
)


def places(document):
    """Every table of a document with the keys that lead to it."""
    found = [document]
    for value in document.values():
        if isinstance(value, dict):
            found += places(value)
    return found


def slipped(document, rng):
    """One slip in a document: a key dropped, renamed, copied from elsewhere, or with another value."""
    tables = places(document)
    table = rng.choice(tables)
    keys = list(table)
    what = rng.choice(["value", "value", "drop", "rename", "copy", "add"])
    if what == "add" or not keys:
        table[rng.choice(KEYS)] = copy.deepcopy(rng.choice(VALUES))
    elif what == "value":
        table[rng.choice(keys)] = copy.deepcopy(rng.choice(VALUES))
    elif what == "drop":
        del table[rng.choice(keys)]
    elif what == "rename":
        table[rng.choice(KEYS)] = table.pop(rng.choice(keys))
    else:
        other = rng.choice(tables)
        if other:
            key = rng.choice(list(other))
            table[key] = copy.deepcopy(other[key])


@st.composite
def texts(draw):
    """The text of a real study after a few slips in its tables, or in its characters."""
    rng = random.Random(draw(st.integers(0, 2**32)))
    text = rng.choice(TEXTS)
    if draw(st.integers(0, 3)):
        document = tomllib.loads(text)
        for _ in range(draw(st.integers(1, 3))):
            slipped(document, rng)
        return tomli_w.dumps(document)
    for _ in range(draw(st.integers(1, 4))):
        a, b = sorted(rng.randrange(len(text) + 1) for _ in range(2))
        b = min(b, a + rng.choice([1, 5, 60]))
        text = rng.choice(
            [text[:a] + text[b:], text[:b] + text[a:], text[:a] + rng.choice('\0\n"=[]{}#.,\u2028é') + text[a:]]
        )
    return text


def holds(text):
    """The property: a Study of which everything can be said, or a StudyError that can be printed."""
    try:
        study = parse_study(text)
    except StudyError as error:
        said = str(error)
    else:
        said = ""
        again = parse_study(to_toml(study))
        assert study_hash(again) == study_hash(study)
        assert study_part(study)["outcomes"]
        for name in list(study.scenarios)[:1] if study.design else []:
            simulated(study, name)
    event("refused" if said else "read")
    assert "\x1b" not in said
    assert "\u202e" not in said


def simulated(study, scenario):
    try:
        cohort = simulate_scenario(study, scenario, patients=3).cohort
    except BayesmyoError:
        return
    assert len(cohort) <= 3


@settings(max_examples=150, derandomize=True, deadline=5000, database=None)
@given(texts())
def test_a_study_is_read_or_refused(text):
    holds(text)


@pytest.mark.slow
@settings(max_examples=10_000, derandomize=True, deadline=10_000, database=None)
@given(texts())
def test_ten_thousand_studies_are_read_or_refused(text):
    holds(text)


HEAD = '[study]\ntitle = "x"\npatient = "p"\ntime = { column = "t", unit = "month" }\n'
OUTCOME = 'column = "c{n}"\nunit = "u"\nbetter = "lower"\ntypical = 10\nscale = 2\nfamily = {{ kind = "gaussian" }}\ntrajectory = {{ kind = "linear" }}\n'
LARGE = {
    "many keys": HEAD + "".join(f"k{n} = 1\n" for n in range(60_000)),
    "many outcomes": HEAD + "".join(f"[outcomes.o{n}]\n" + OUTCOME.format(n=n) for n in range(3000)),
    "many covariates": HEAD + "".join(f"[covariates.c{n}]\ntypical = 1\nscale = 2\n" for n in range(15_000)),
    "one long list": HEAD + "[covariates.c]\nlevels = [" + ", ".join(f'"l{n}"' for n in range(60_000)) + "]\n",
    "deep": HEAD + "x = " + "[" * 5000 + "]" * 5000,
    "deep tables": HEAD + "[" + ".".join("a" * 3000) + "]\n",
    "long numbers": HEAD + "interval = " + "9" * 4000,
    "long text": HEAD + 'treatment = "' + "x" * 900_000 + '"\n',
    "many knots": HEAD + "[outcomes.o]\n" + OUTCOME.format(n=1).replace('"linear"',
     '"spline", knots = [' + ", ".join(map(str, range(50_000))) + "]"),
    "many faults": HEAD + "".join(f"[outcomes.o{n}]\nx = 1\n" for n in range(20_000)),
}  # fmt: skip


LARGE["as many outcomes as are allowed"] = (
    HEAD
    + "".join(f"[covariates.c{n}]\ntypical = 1\nscale = 2\n" for n in range(100))
    + "".join(
        f"[outcomes.o{n}]\n{OUTCOME.format(n=n)}covariates = [{', '.join(f'"c{k}"' for k in range(100))}]\n"
        for n in range(30)
    )
    + "[decisions.d]\nx = 1\n"
)
LARGE["as many knots as are allowed"] = (
    HEAD
    + "[outcomes.o]\n"
    + OUTCOME.format(n=1).replace('"linear"', '"spline", knots = [' + ", ".join(map(str, range(200))) + "]")
    + "x = 1\n"
)


@pytest.mark.parametrize("name", LARGE)
def test_a_study_of_any_size_is_answered_soon_and_in_bounds(name, tmp_path):
    (tmp_path / "large.toml").write_text(LARGE[name])
    assert (tmp_path / "large.toml").stat().st_size < STUDY_BYTES
    began = time.monotonic()
    tracemalloc.start()
    with pytest.raises(StudyError) as refused:
        read_study(tmp_path / "large.toml")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 200e6
    assert time.monotonic() - began < 30
    assert len(str(refused.value)) < 20_000
