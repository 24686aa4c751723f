"""Pages written from the code say what the code says."""

import re
import runpy

from bayesmyo._version import __version__
from tests.conftest import PACKAGE, ROOT


def test_the_vocabulary_page_has_not_drifted():
    script = runpy.run_path(str(ROOT / "scripts" / "vocabulary.py"))
    assert (ROOT / "docs" / "vocabulary.md").read_text() == script["page"](), "run scripts/vocabulary.py"


def test_the_page_of_tables_has_not_drifted():
    script = runpy.run_path(str(ROOT / "scripts" / "corpus.py"))
    assert (ROOT / "docs" / "input.md").read_text() == script["page"](), "run scripts/corpus.py"


def test_the_citation_has_the_version_of_the_package():
    lines = dict(line.split(": ", 1) for line in (ROOT / "CITATION.cff").read_text().splitlines() if ": " in line)
    assert lines["version"] == __version__
    assert {"cff-version", "message", "title", "type", "license"} <= lines.keys()


def test_the_modules_that_how_it_flows_names_are_there():
    page = (ROOT / "docs" / "how-it-flows.md").read_text()
    named = {path for path in re.findall(r"`([a-z_]+/[a-z_/]+(?:\.py)?)`", page) if path != "tests/test_layers"}
    assert len(named) > 20
    missing = {path for path in named if not (PACKAGE / path).exists() and not (ROOT / path).exists()}
    assert not missing
