"""Pages written from the code say what the code says."""

import runpy

from bayesmyo._version import __version__
from tests.conftest import ROOT


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
