"""Bars on stderr while something long goes on; nothing where stderr is not a terminal."""

import math
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich import progress as shown

from bayesmyo.report.blocks import counted
from bayesmyo.report.terminal import console, say


def _bars(*columns: shown.ProgressColumn) -> shown.Progress:
    """Bars on stderr with these columns, and the time that has passed; nothing where stderr is not a terminal."""
    out, off = console(stderr=True), not sys.stderr.isatty()
    return shown.Progress(
        shown.SpinnerColumn(), *columns, shown.TimeElapsedColumn(), console=out, disable=off, transient=True
    )


@contextmanager
def steps(what: str) -> Iterator[Any]:
    """A bar of steps on stderr. Yields the callback (done, of)."""
    with _bars(shown.TextColumn("{task.description}"), shown.BarColumn(), shown.TaskProgressColumn()) as progress:
        bar: list[Any] = []

        def update(done: int, of: int) -> None:
            if not bar:
                bar.append(progress.add_task(what, total=of))
            progress.update(bar[0], completed=done)

        yield update


@contextmanager
def chains(chains: int, total: int) -> Iterator[Any]:
    """A bar per chain on stderr, with divergences. Yields the callback."""
    state = shown.TextColumn("{task.fields[state]}")
    with _bars(
        shown.TextColumn("{task.description}"), shown.BarColumn(), shown.TaskProgressColumn(), state
    ) as progress:
        compiling = progress.add_task("Compiling the model (about a minute the first time)", total=None, state="")
        bars: list[Any] = []

        def update(states: Sequence[Any]) -> None:
            if not bars:
                progress.update(compiling, visible=False)
                bars.extend(progress.add_task(f"Chain {n}", total=total, state="") for n in range(1, chains + 1))
            for bar, s in zip(bars, states, strict=False):
                state = f"{'tuning' if s.tuning else 'drawing'}, {s.divergences} divergences"
                longer = ", sampled again for longer" if s.total > total else ""
                progress.update(bar, completed=s.finished, total=s.total, state=state + longer)

        yield update


EVERY = 60.0  # seconds between two lines in a log


@contextmanager
def replicates() -> Iterator[Any]:
    """A bar of replicates on stderr: done, failed, left, the time left and the Monte Carlo error. Yields the callback
    (state).

    What it costs to look ahead is said before, and how long it will take once, where that is a minute or more and as soon as cohorts have been timed. Where
    stderr is no terminal, a line once a minute. What is to be known (a part that was damaged) is said in either
    case, once.
    """
    columns = (
        shown.TextColumn("Replicates"),
        shown.BarColumn(),
        shown.TaskProgressColumn(),
        shown.TextColumn("{task.description}"),
    )
    with _bars(*columns) as progress:
        bar = progress.add_task("starting workers", total=None)
        said, last, announced, begun = 0, time.monotonic(), False, False

        def update(state: Any) -> None:
            nonlocal said, last, announced, begun
            for notice in state.notices[said:]:
                say(notice, "yellow", stderr=True)
            if not begun and state.nested:
                say(looking_ahead(state), stderr=True)
            said, begun = len(state.notices), True
            if not announced and state.seconds >= EVERY:
                say(cost(state), stderr=True)
            announced = announced or math.isfinite(state.seconds)
            progress.update(bar, completed=state.done, total=state.done + state.remaining, description=standing(state))
            if not sys.stderr.isatty() and time.monotonic() - last >= EVERY:
                last = time.monotonic()
                say(f"Replicates: {standing(state)}", stderr=True)

        yield update


def cost(state: Any) -> str:
    """How much a simulation study is, and how long it takes, in a sentence."""
    whole = f"{state.done + state.remaining:,} cohorts"
    return f"{whole}, about {duration(state.seconds)} to go on {counted(state.workers, 'core')}."


def looking_ahead(state: Any) -> str:
    """How much it is to look ahead at interim looks, in a sentence."""
    cohorts = f"{state.done + state.remaining:,} cohorts"
    return f"At their interim looks these {cohorts} are completed and analysed up to {state.nested:,} times in all."


def standing(state: Any) -> str:
    """How far a simulation study is, in words."""
    parts = [f"{state.done:,} done", f"{state.failed:,} failed", f"{state.remaining:,} left"]
    if not state.workers and state.remaining:
        parts.append("waiting for workers")
    elif math.isfinite(state.seconds) and state.remaining:
        parts.append(f"{duration(state.seconds)} to go")
    if math.isfinite(state.error):
        parts.append(f"Monte Carlo error {state.error:.3f}")
    return ", ".join(parts)


def duration(seconds: float) -> str:
    """Seconds as a reader says them."""
    minutes, hours = seconds / 60, seconds / 3600
    if hours >= 48:
        return f"{hours / 24:.0f} days"
    if minutes >= 90:
        return f"{hours:.0f} hours"
    return f"{minutes:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"
