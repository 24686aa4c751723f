"""Kinds of faults that many tables share, each said once.

A check is a generator of faults: it goes on after the first, so that one does not hide another.
"""

from collections.abc import Collection, Iterable, Iterator

from bayesmyo.errors import Fault, did_you_mean

Faults = Iterator[Fault]


def unknown(where: str, name: str, known: Collection[str], what: str, mend: str | None = None) -> Faults:
    """A value that must be one of the `known` names and is none."""
    if name not in known:
        yield Fault(where, what, f'"{name}"', did_you_mean(name, list(known)) if mend is None else mend)


def unknown_keys(where: str, keys: Iterable[str], known: Collection[str], what: str = "is not a key here") -> Faults:
    """Keys of the table `where` that are none of the `known` names."""
    for key in keys:
        if key not in known:
            yield Fault(f"{where}.{key}" if where else key, what, mend=did_you_mean(key, list(known)))


def positive(where: str, /, **numbers: float | None) -> Faults:
    """Numbers of the table `where`, by key, that must be positive where they are stated."""
    for key, value in numbers.items():
        if value is not None and value <= 0:
            yield Fault(f"{where}.{key}", "must be positive", f"{value:g}")


def negative(where: str, value: float) -> Faults:
    """A number that must not be negative."""
    if value < 0:
        yield Fault(where, "must not be negative", f"{value:g}")


def upside_down(where: str, minimum: float | None, maximum: float | None) -> Faults:
    """A legal range of the table `where` whose maximum is not above its minimum."""
    if minimum is not None and maximum is not None and minimum >= maximum:
        yield Fault(f"{where}.maximum", f"must be above the minimum, {minimum:g}", f"{maximum:g}")
