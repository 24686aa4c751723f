"""Every command and snippet of the documentation works: typed page by page, in order, each page in a folder of its
own.
"""

import contextlib
import io
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest
import tomli_w

import bayesmyo
from bayesmyo import cli
from bayesmyo.study import parse_study, read_study
from tests.conftest import DATA, MOCK, MODELS, ROOT, SMALL
from tests.pages import Block, blocks, goes_on, matches, pages

TUTORIAL = "docs/tutorial.md"
WRITTEN = {"docs/input.md", "docs/vocabulary.md"}  # from code and cases, which have tests of their own
MOCK_REPLICATES = ("--engine", "mock", "--workers", 0, "--replicates", 20)
DRY = {"fit": MOCK, "power": MOCK_REPLICATES, "calibrate": MOCK_REPLICATES}
NOT_HERE = 17  # blocks that the pages say cannot be run in a test


@dataclass
class Typist:
    """Someone at a terminal in a folder, who types what a page shows; a session of Python lasts for the page."""

    folder: Path
    printed: str = ""

    def __post_init__(self) -> None:
        self.python: dict[str, object] = {"__name__": "page"}

    def run(self, block: Block) -> None:
        for command in block.setup:
            assert self.ours(shlex.split(command)[1:], dry=False) in (0, 1), (block.where, command, self.printed)
        if block.how[:1] == ("write",):
            (self.folder / block.how[1]).write_text(block.text)
        elif block.language == "text":
            if block.how[:1] == ("shows",):
                assert matches(block.text, self.printed, "about" in block.how), (block.where, self.printed)
        elif block.language == "toml":
            self.toml(block)
        elif block.language == "python":
            out = io.StringIO()
            with (
                contextlib.redirect_stdout(out),
                without_sampling() if "dry" in block.how else contextlib.nullcontext(),
            ):
                exec(compile(block.text, block.where, "exec"), self.python)
            self.printed = out.getvalue()
        else:
            code = int(block.how[block.how.index("exit") + 1]) if "exit" in block.how else 0
            self.bash(block.text, code, "dry" in block.how, block.where)

    def toml(self, block: Block) -> None:
        """A part of a study is understood when it is merged into a whole one."""
        assert block.how[:1] == ("merge",), f"{block.where}: say what it is a part of"
        part = tomllib.loads(block.text)
        if "at" in block.how:
            for name in reversed(block.how[block.how.index("at") + 1].split(".")):
                part = {name: part}
        whole = tomllib.loads((self.folder / block.how[1]).read_text())
        if "scenarios" not in part:  # which state every parameter, also those that the part adds
            whole.pop("scenarios", None)
        text = tomli_w.dumps(merged(whole, part))
        parse_study(text, block.where)
        if "kept" in block.how:
            (self.folder / block.how[1]).write_text(text)

    def bash(self, text: str, code: int, dry: bool, where: str) -> None:
        """Line by line; a command of ours in this process, anything else in a shell."""
        self.printed, codes = "", []
        for line in re.sub(r"\\\n\s*", " ", text).splitlines():
            for command in filter(None, map(str.strip, re.sub(r"(^|\s)#.*$", "", line).split(" && "))):
                words = shlex.split(command)
                words = words[2:] if words[:2] == ["uv", "run"] else words
                if words == ["pip", "install", "uv"]:
                    continue
                codes.append(self.ours(words[1:], dry) if words[0] == "bayesmyo" else self.other(command))
                assert codes[-1] in (0, code), (where, command, codes[-1], self.printed)
        assert code in codes or not codes, (where, codes, self.printed)

    def ours(self, words: list[str], dry: bool) -> int:
        if dry and words[0] in DRY:
            words = [*words, *map(str, DRY[words[0]])]
        out, err = io.StringIO(), io.StringIO()
        before = sys.argv, signal.getsignal(signal.SIGTERM)
        sys.argv = ["bayesmyo", *words]
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), pytest.raises(SystemExit) as stopped:
                cli.main()
        finally:
            sys.argv = before[0]
            signal.signal(signal.SIGTERM, before[1])
        assert "Traceback" not in err.getvalue()
        self.printed += out.getvalue() + (err.getvalue() if stopped.value.code == 2 else "")
        return int(stopped.value.code or 0)

    def other(self, command: str) -> int:
        done = subprocess.run(["bash", "-euc", command], cwd=self.folder, capture_output=True, text=True, timeout=300)
        self.printed += done.stdout + done.stderr
        return done.returncode


@contextlib.contextmanager
def without_sampling():
    """bayesmyo.fit draws from the priors, whatever a snippet asks for, and does not say so."""
    real = bayesmyo.fit
    sampling = bayesmyo.Sampling(draws=100, tune=1, chains=2)

    def dry(study, cohort, **options):
        found = real(study, cohort, engine="mock", sampling=sampling)
        found.tree.attrs["engine"] = "nuts"
        return found

    bayesmyo.fit = dry
    try:
        yield
    finally:
        del bayesmyo.fit


def merged(whole: dict, part: dict) -> dict:
    """A study with a part put in: tables are joined, values replaced."""
    both = {
        k: merged(whole[k], v) if isinstance(v, dict) and isinstance(whole.get(k), dict) else v for k, v in part.items()
    }
    return {**whole, **both}


@pytest.fixture(scope="module")
def tutorial(tmp_path_factory):
    """The folder in which the tutorial was typed."""
    folder = tmp_path_factory.mktemp("tutorial")
    typed(TUTORIAL, folder)
    return folder


def typed(page: str, folder: Path) -> None:
    here, environment = Path.cwd(), dict(os.environ)
    os.chdir(folder)
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "BAYESMYO_DEBUG"):
        os.environ.pop(name, None)
    try:
        typist = Typist(folder)
        for block in blocks(page):
            if not block.skipped:
                typist.run(block)
    finally:
        os.chdir(here)
        os.environ.clear()
        os.environ.update(environment)


@pytest.mark.sampling
@pytest.mark.parametrize("page", [p for p in pages() if p not in WRITTEN and any(not b.skipped for b in blocks(p))])
def test_the_page_can_be_typed(page, tmp_path, request):
    if page == TUTORIAL:
        request.getfixturevalue("tutorial")
        return
    if goes_on(page):
        shutil.copytree(request.getfixturevalue("tutorial"), tmp_path, dirs_exist_ok=True)
    shutil.copytree(DATA, tmp_path / "data" / "simulated", dirs_exist_ok=True)
    shutil.copytree(MODELS, tmp_path / "models", dirs_exist_ok=True)
    typed(page, tmp_path)


def test_the_fragments_of_the_vocabulary_are_understood():
    """Each is put into the small study of the tests: a table of the study beside the others, else in `strength`."""
    whole = {k: v for k, v in tomllib.loads(SMALL).items() if k != "scenarios"}
    whole["estimands"]["my_change"] = {"kind": "change", "outcome": "strength", "from": 0, "to": 12}
    found = [b for b in blocks("docs/vocabulary.md") if b.language == "toml"]
    for block in found:
        part = tomllib.loads(block.text)
        inside = {} if part.keys() & {*whole, "events"} else {"outcomes": {"strength": part}}
        parse_study(tomli_w.dumps(merged(whole, inside or part)), block.where)
    assert len(found) >= 4


def test_what_is_not_tested_is_counted_and_has_a_reason():
    skipped = [(b.where, b.skipped) for p in pages() for b in blocks(p) if b.skipped]
    assert len(skipped) == NOT_HERE, skipped
    assert all(len(why) > 10 for _, why in skipped)


def test_every_block_has_a_language():
    """A fence without one would be neither highlighted nor tested."""
    for page in pages():
        fences = re.findall(r"^(```\S*)", (ROOT / page).read_text(), re.MULTILINE)
        assert all(f != "```" for f in fences[::2]), page


def test_the_study_of_a_fresh_init_is_understood(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert Typist(tmp_path).ours(["init", "mine"], dry=False) == 0
    read_study("mine.toml")
