"""Faults of cells, gathered so that one mistake in two hundred rows is one message with its lines."""

from collections import Counter, defaultdict
from collections.abc import Collection

from bayesmyo.cohort.table import Table, lines_text
from bayesmyo.errors import Fault
from bayesmyo.limits import SUGGESTIONS

SHOWN = 3  # texts of one mistake


class FaultBook:
    """The faults of one table as they are told; `whole` holds those that belong to no single column.

    hidden: columns whose cells are never shown, because they identify people
    inside: how to name the table in a message, where there is more than one
    """

    def __init__(self, table: Table, hidden: Collection[str] = (), inside: str = "") -> None:
        self._lines: dict[tuple[str, str, str, str], list[tuple[int, str]]] = defaultdict(list)
        self._count: Counter[str] = Counter()
        self._hidden = frozenset(hidden)
        self._inside = f"{inside}, " if inside else ""
        self._word = table.word
        self.whole: list[Fault] = []

    def add(self, line: int, column: str, what: str, got: str, mend: str = "", code: str = "") -> None:
        """A fault of one cell."""
        self._count[column] += 1
        self._lines[column, what, mend, code].append((line, "" if column in self._hidden else got))

    def few(self, column: str) -> bool:
        """Whether so few faults of a column are known that it is worth looking for what one more was meant to be."""
        return self._count[column] < SUGGESTIONS

    def rows(
        self, lines: Collection[int], what: str, got: str = "", mend: str = "", code: str = "", column: str = ""
    ) -> None:
        """A fault of several rows together."""
        self.whole.append(Fault(self.where(lines, column), what, "" if column in self._hidden else got, mend, code))

    def where(self, lines: Collection[int], column: str = "") -> str:
        """`lines 3, 9, column "arm"`."""
        place = f"{self._inside}{lines_text(sorted(lines), word=self._word)}"
        return f'{place}, column "{column}"' if column else place

    def faults(self) -> list[Fault]:
        """All of them: those of rows first, then those of cells in the order of their first lines."""
        faults = list(self.whole)
        for (column, what, mend, code), places in sorted(self._lines.items(), key=lambda item: item[1][0][0]):
            gots = list(dict.fromkeys(got for _, got in places if got))
            shown = ", ".join(typed(g) for g in gots[:SHOWN]) + (" ..." if len(gots) > SHOWN else "")
            faults.append(Fault(self.where([n for n, _ in places], column), what, shown, mend, code))
        return faults


def typed(text: str) -> str:
    """A cell as it may be shown in a message: in quotes, cut short, invisible characters made visible."""
    text = text if len(text) <= 40 else text[:37] + "..."
    return '"' + "".join(c if c.isprintable() else repr(c)[1:-1] for c in text) + '"'
