"""Faults of cells, gathered so that one mistake in two hundred rows is one message with its lines."""

from collections import defaultdict

from bayesmyo.cohort.table import lines_text
from bayesmyo.errors import Fault


class FaultBook:
    """Faults as they are found; `whole` holds those that belong to no single column."""

    def __init__(self) -> None:
        self._lines: dict[tuple[str, str, str], list[tuple[int, str]]] = defaultdict(list)
        self.whole: list[Fault] = []

    def add(self, line: int, column: str, what: str, got: str, mend: str = "") -> None:
        self._lines[column, what, mend].append((line, got))

    def faults(self) -> list[Fault]:
        found = list(self.whole)
        for (column, what, mend), places in sorted(self._lines.items(), key=lambda item: item[1][0][0]):
            gots = list(dict.fromkeys(got for _, got in places if got))
            shown = ", ".join(typed(g) for g in gots[:3]) + (" ..." if len(gots) > 3 else "")
            found.append(Fault(f'{lines_text([n for n, _ in places])}, column "{column}"', what, shown, mend))
        return found


def typed(text: str) -> str:
    """A cell as it may be shown in a message: in quotes, cut short, invisible characters made visible."""
    text = text if len(text) <= 40 else text[:37] + "..."
    return '"' + "".join(c if c.isprintable() else repr(c)[1:-1] for c in text) + '"'
