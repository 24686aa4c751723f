"""Bars on stderr while something long goes on; nothing where stderr is not a terminal."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn

from bayesmyo.report.terminal import console


@contextmanager
def steps(what: str) -> Iterator[Any]:
    """A bar of steps on stderr; nothing where stderr is not a terminal. Yields the callback (done, of)."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console(stderr=True), disable=not sys.stderr.isatty(), transient=True) as progress:
        bar: list[Any] = []

        def update(done: int, of: int) -> None:
            if not bar:
                bar.append(progress.add_task(what, total=of))
            progress.update(bar[0], completed=done)

        yield update


@contextmanager
def chains(chains: int, total: int) -> Iterator[Any]:
    """A bar per chain on stderr, with divergences; nothing where stderr is not a terminal. Yields the callback."""
    columns = (
        SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(),
        TextColumn("{task.fields[state]}"), TimeElapsedColumn(),
    )  # fmt: skip
    with Progress(*columns, console=console(stderr=True), disable=not sys.stderr.isatty(), transient=True) as progress:
        compiling = progress.add_task("Compiling the model (about a minute the first time)", total=None, state="")
        bars: list[Any] = []

        def update(states: Sequence[Any]) -> None:
            if not bars:
                progress.update(compiling, visible=False)
                bars.extend(progress.add_task(f"Chain {n}", total=total, state="") for n in range(1, chains + 1))
            for bar, s in zip(bars, states, strict=False):
                state = f"{'tuning' if s.tuning else 'drawing'}, {s.divergences} divergences"
                progress.update(bar, completed=s.finished, state=state)

        yield update
