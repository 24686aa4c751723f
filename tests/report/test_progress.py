"""What is said while a simulation study goes on."""

import pytest

from bayesmyo.report import progress
from bayesmyo.simulation.run import State


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (State(0, 0, 400), "0 done, 0 failed, 400 left, waiting for workers"),
        (State(0, 0, 400, workers=2), "0 done, 0 failed, 400 left"),
        (
            State(1200, 3, 800, 754.2, 0.01234, 8),
            "1,200 done, 3 failed, 800 left, 13 min to go, Monte Carlo error 0.012",
        ),
        (State(400, 1, 0, 0.0, 0.02), "400 done, 1 failed, 0 left, Monte Carlo error 0.020"),
    ],
)
def test_how_far_it_is_in_words(state, words):
    assert progress.standing(state) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "0 s"), (59, "59 s"), (91, "2 min"), (5399, "90 min"), (7200, "2 hours"), (172800, "2 days")],
)
def test_seconds_as_a_reader_says_them(seconds, words):
    assert progress.duration(seconds) == words


def test_a_log_has_a_line_now_and_then_and_every_notice_once(capsys, monkeypatch):
    clock = iter([0.0, 1.0, 59.0, 61.0, 61.0, 62.0, 122.0, 122.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    with progress.replicates() as tell:
        for done, notices in ((1, ()), (2, ("a part is damaged",)), (3, ("a part is damaged",)), (4, ()), (5, ())):
            tell(State(done, 0, 10 - done, workers=1, notices=notices))
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == "a part is damaged\nReplicates: 3 done, 0 failed, 7 left\nReplicates: 5 done, 0 failed, 5 left\n"


def test_what_it_costs_is_said_once_and_as_soon_as_it_is_known(capsys):
    with progress.replicates() as tell:
        for done, seconds in ((1, float("nan")), (2, 355.0), (3, 354.0)):
            tell(State(done, 0, 720 - done, seconds, workers=2))
    assert capsys.readouterr().err == "720 cohorts, about 6 min to go on 2 cores.\n"
    with progress.replicates() as tell:  # who waits a moment need not be told
        for done, seconds in ((1, 40.0), (2, 80.0)):
            tell(State(done, 0, 720 - done, seconds, workers=1))
    assert capsys.readouterr().err == ""
