"""The face: every name it promises is there, typed, and costs nothing until it is used."""

import ast
import subprocess
import sys

import pytest

import bayesmyo
from tests.conftest import PACKAGE
from tests.test_layers import HEAVY

STUB = ast.parse((PACKAGE / "__init__.pyi").read_text())
STUBBED = {
    alias.asname: f"{node.module}.{alias.name}"
    for node in STUB.body
    if isinstance(node, ast.ImportFrom)
    for alias in node.names
}


@pytest.mark.parametrize("name", bayesmyo.__all__)
def test_every_name_resolves(name):
    assert getattr(bayesmyo, name) is not None


def test_the_typed_stub_names_exactly_what_the_face_has():
    assert len(STUB.body) == len(STUBBED)
    assert set(STUBBED) == set(bayesmyo.__all__)


@pytest.mark.parametrize("name", sorted(STUBBED))
def test_the_stub_points_where_the_face_does(name):
    where = bayesmyo._WHERE.get(name, "bayesmyo._version")
    assert STUBBED[name] == f"{where}.{name}"


def test_dir_lists_the_names():
    assert dir(bayesmyo) == sorted(bayesmyo.__all__)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'bayesmyo' has no attribute 'fitt'"):
        _ = bayesmyo.fitt


def test_importing_the_face_loads_nothing_but_itself():
    code = "import sys, bayesmyo; print(*(m for m in sys.modules if m.startswith('bayesmyo.')), *({} & sys.modules.keys()))"
    run = subprocess.run(
        [sys.executable, "-c", code.format(HEAVY | {"numpy", "pydantic", "typer"})],
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.split() == ["bayesmyo._version"]
