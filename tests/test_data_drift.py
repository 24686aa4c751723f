"""data/simulated is what scripts/simulate_data.py writes."""

from importlib.util import module_from_spec, spec_from_file_location

import pytest

from tests.conftest import DATA, ROOT


@pytest.fixture(scope="module")
def written():
    spec = spec_from_file_location("simulate_data", ROOT / "scripts" / "simulate_data.py")
    script = module_from_spec(spec)
    spec.loader.exec_module(script)
    return {name: text.encode() for name, text in script.files().items()}


def test_the_files_are_byte_for_byte_those_of_the_script(written):
    assert {p.name: p.read_bytes() for p in DATA.iterdir()} == written
