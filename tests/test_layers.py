"""The architecture: who may import whom, and what stays unloaded."""

import ast
import re
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from pathlib import Path

import pytest

from bayesmyo.components.courses import COURSES, Course
from bayesmyo.components.decisions import DECISIONS, Decision
from bayesmyo.components.distributions import LANGUAGE
from bayesmyo.components.estimands import ESTIMANDS, Estimand
from bayesmyo.components.families import FAMILIES, Family
from bayesmyo.components.hazards import HAZARDS, Hazard
from bayesmyo.components.residuals import RESIDUALS, Residual
from bayesmyo.components.trajectories import TRAJECTORIES, Trajectory
from tests.conftest import PACKAGE

FLOORS = [
    "_version",
    "limits",
    "errors",
    "files",
    "seeds",
    "machine",
    "components",
    "meta",
    "study",
    "cohort",
    "model",
    "inference",
    "assess",
    "simulation",
    "figures",
    "report",
    "cli",
]
FACE = {"bayesmyo", "bayesmyo.__main__"}
HEAVY = {
    "pymc",
    "pytensor",
    "nutpie",
    "arviz",
    "arviz_stats",
    "xarray",
    "pandas",
    "openpyxl",
    "pyarrow",
    "distributed",
    "dask",
    "scipy.stats",
    "scipy.optimize",
}


def module_name(path: Path) -> str:
    parts = ["bayesmyo", *path.relative_to(PACKAGE).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


TREES = {module_name(p): ast.parse(p.read_text()) for p in sorted(PACKAGE.rglob("*.py"))}
INSIDE = sorted(TREES.keys() - FACE)


def targets(node: ast.AST) -> list[str]:
    """The modules that an import names; `from package import module` names the module."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        assert node.level == 0, "imports are absolute"
        deeper = [f"{node.module}.{alias.name}" for alias in node.names]
        return [name if name in TREES else node.module or "" for name in deeper]
    return []


def imports(module: str) -> set[str]:
    """The modules of bayesmyo that a module imports."""
    named = {name for node in ast.walk(TREES[module]) for name in targets(node)}
    return {name for name in named if name.split(".")[0] == "bayesmyo"}


def room(module: str) -> str:
    return module.split(".")[1]


def test_every_room_has_a_floor():
    assert {room(m) for m in INSIDE} <= set(FLOORS)


@pytest.mark.parametrize("module", INSIDE)
def test_a_room_imports_only_from_lower_floors_or_itself(module):
    above = {i for i in imports(module) - {"bayesmyo"} if FLOORS.index(room(i)) > FLOORS.index(room(module))}
    assert not above


@pytest.mark.parametrize("module", INSIDE)
def test_nothing_inside_imports_the_face(module):
    assert not imports(module) & FACE


@pytest.mark.parametrize("module", sorted(m for m in TREES if m in FACE or room(m) != "cli"))
def test_no_imports_inside_functions(module):
    functions = [
        n for n in ast.walk(TREES[module]) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
    ]
    assert not [name for f in functions for n in ast.walk(f) for name in targets(n)]


# the face and the door, and the reader of files, which loads what reads workbooks and Parquet when it is handed one
ON_DEMAND = {"bayesmyo", "bayesmyo.cli", "bayesmyo.cohort.sources"}


@pytest.mark.parametrize("module", sorted(TREES.keys() - ON_DEMAND))
def test_nothing_else_imports_on_demand(module):
    names = {
        n.id if isinstance(n, ast.Name) else n.attr
        for n in ast.walk(TREES[module])
        if isinstance(n, ast.Name | ast.Attribute)
    }
    assert not names & {"import_module", "__import__"}


def test_subrooms_of_the_vocabulary_import_only_what_every_word_shares():
    shared = {f"bayesmyo.components.{m}" for m in ("component", "in_r", "numbers", "priors")}
    strangers = {}
    for subroom in ("families", "trajectories", "estimands", "decisions"):
        own = f"bayesmyo.components.{subroom}"
        members = [m for m in TREES if m == own or m.startswith(own + ".")]
        assert members
        strangers |= {m: i for m in members for i in imports(m) - shared if i != own and not i.startswith(own + ".")}
    assert not strangers


# --- facts of a word live in the word

CONTRACTS = {
    "families": "family",
    "trajectories": "trajectory",
    "residuals": "residual",
    "hazards": "hazard",
    "courses": "course",
    "estimands": "estimand",
    "decisions": "decision",
}
OPEN = {  # modules of the vocabulary that the rest of the house may know
    *(f"bayesmyo.components.{c}" for c in ("component", "correlation", "in_r", "numbers", "priors")),
    *(f"bayesmyo.components.{room}" for room in CONTRACTS),
    *(f"bayesmyo.components.{room}.{contract}" for room, contract in CONTRACTS.items()),
    "bayesmyo.components.estimands.criteria",
    "bayesmyo.components.families.link",
}
WORDS = (*FAMILIES, *TRAJECTORIES, *RESIDUALS, *HAZARDS, *COURSES, *ESTIMANDS, *DECISIONS)
KINDS = {word.kind for word in WORDS}
# kinds that are words of other keys too: beside anything but a `kind` they tell nothing of a word
ELSEWHERE = {
    "change", "drift", "level", "log", "probability", "ratio", "reference", "return", "share", "shift", "slope", "stay", "visits",
}  # fmt: skip
PLAIN = re.compile("|".join(sorted({f.kind for f in FAMILIES} - LANGUAGE.keys() - {"cumulative"})))
WHOLE_STUDIES = {"bayesmyo.study.template", "bayesmyo.inference.trial"}  # texts of study files
LENT = {"ndim", "strerror", "_inheriting"}  # attributes that objects of others may have or not
# what tells a parameter's own prior from one that several have together, and what reads a question typed in Python
TOLD_APART = {
    "bayesmyo.study.parameters": {"Prior", "Joint", "Alone"},
    "bayesmyo.study.study": {"Prior"},
    "bayesmyo.model.asked": {"Criterion"},
}


def below(cls: type) -> set[str]:
    """The names of all classes that are of a kind of word."""
    return {name for own in cls.__subclasses__() for name in (own.__name__, *below(own))}


CONTRACT = (Family, Trajectory, Residual, Hazard, Course, Estimand, Decision)
CONCRETE = set().union(*map(below, CONTRACT)) - {"Never"}  # a word of typing, too


def is_kind(node: ast.AST) -> bool:
    """Whether something in the source is the kind of a word: `family.kind`, or a variable of that name."""
    return (isinstance(node, ast.Attribute) and node.attr == "kind") or (
        isinstance(node, ast.Name) and node.id == "kind"
    )


def is_link(node: ast.AST) -> bool:
    """Whether something is the name of a link, or of the scale on which an estimand is a difference."""
    return isinstance(node, ast.Attribute) and node.attr in ("link_name", "difference_on")


def told_in_text(tree: ast.AST) -> set[str]:
    """Families in texts, but for docstrings: advice comes from the families themselves."""
    holders = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    documented = {
        id(n.body[0].value) for n in ast.walk(tree) if isinstance(n, holders) and isinstance(n.body[0], ast.Expr)
    }
    texts = (n for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str))
    return {name for n in texts if id(n) not in documented for name in PLAIN.findall(n.value)}


def kinds(node: ast.AST, constants: dict[str, ast.AST]) -> set[str]:
    """The kinds of words in a literal, or in the literal that a constant of the module stands for."""
    node = constants.get(node.id, node) if isinstance(node, ast.Name) else node
    if not isinstance(node, ast.Constant | ast.Tuple | ast.List | ast.Set | ast.Dict):
        return set()
    return {n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str)} & KINDS


def told_outside(module: str) -> set[str]:
    """What a module knows of single words: the words it names, and the kinds that it asks for."""
    tree = TREES[module]
    constants = {
        t.id: n.value for n in ast.walk(tree) if isinstance(n, ast.Assign) for t in n.targets if isinstance(t, ast.Name)
    }
    told = {t for t in imports(module) if t.startswith("bayesmyo.components.")} - OPEN
    told |= set() if module in WHOLE_STUDIES else told_in_text(tree)
    lent = {
        alias.asname or alias.name
        for n in ast.walk(tree)
        if isinstance(n, ast.ImportFrom)
        and (n.module or "").startswith("bayesmyo.components")
        and n.module != "bayesmyo.components.numbers"
        for alias in n.names
    } - TOLD_APART.get(module, set())
    for node in ast.walk(tree):
        match node:
            case ast.alias(name=name) | ast.Name(id=name) | ast.Attribute(attr=name) if name in CONCRETE:
                told.add(name)
            case ast.Compare(left=left, comparators=others):
                sides = [left, *others]
                named = set().union(*(kinds(side, constants) for side in sides))
                told |= named if any(map(is_kind, sides)) else named - ELSEWHERE and named
                if any(map(is_link, sides)) and any(isinstance(side, ast.Constant) and side.value for side in sides):
                    told.add(ast.unparse(node))
                if any("predictors" in ast.dump(s) for s in sides if isinstance(s, ast.Call) and not s.keywords):
                    told.add("how many predictors")
            case ast.MatchValue(value=value):
                told |= kinds(value, constants)
            case ast.Subscript(value=table, slice=key) if is_kind(key):
                told |= kinds(table, constants)
            case ast.Call(func=ast.Attribute(value=table, attr="get"), args=[key, *_]) if is_kind(key):
                told |= kinds(table, constants)
            case ast.Call(func=ast.Attribute(value=ast.Dict(), attr="get"), args=[key, *_]) if is_link(key):
                told.add(ast.unparse(node))
            case ast.Call(func=ast.Name(id="hasattr")):
                told.add(ast.unparse(node))
            case ast.Call(func=ast.Name(id="getattr"), args=[_, ast.Constant(value=name), _]) if name not in LENT:
                told.add(ast.unparse(node))
            case ast.Call(func=ast.Name(id="isinstance" | "issubclass"), args=[_, classes]):
                told |= {n.id for n in ast.walk(classes) if isinstance(n, ast.Name)} & lent
    return told


@pytest.mark.parametrize("module", [m for m in INSIDE if room(m) != "components"])
def test_facts_of_a_word_live_in_the_word(module):
    """No word is named outside the vocabulary, no kind or class of one is asked for, and nothing is asked whether it
    has an attribute: what the house wants to know of a word is an attribute or a method of its contract."""
    assert not told_outside(module)


def test_no_circles_between_modules():
    try:
        TopologicalSorter({m: imports(m) - {m} for m in INSIDE}).prepare()
    except CycleError as error:
        pytest.fail(" imports ".join(a for a, _ in pairwise([*error.args[1], ""])))


def test_the_light_rooms_load_nothing_heavy():
    light = [m for m in INSIDE if room(m) in ("components", "meta", "study", "model")] + [
        "bayesmyo",
        "bayesmyo.cohort",
    ]
    code = f"import sys, {', '.join(light)}; print(*sorted({HEAVY!r} & sys.modules.keys()))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == ""


@pytest.mark.parametrize("module", sorted(TREES))
def test_nothing_is_called_found(module):
    """A name says what something is, not that it was looked for."""
    names = [n for n in ast.walk(TREES[module]) if isinstance(n, ast.Name | ast.arg | ast.Attribute)]
    called = {n.id if isinstance(n, ast.Name) else n.arg if isinstance(n, ast.arg) else n.attr for n in names}
    assert "found" not in called
