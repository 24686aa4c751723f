"""What the values of a sheet do not tell: hidden rows and columns, merged cells, and formulas that were never computed.

The reader of values passes over them, so the sheet's XML is walked once more, element by element, and nothing of it is
kept.
"""

import io
import re
import zipfile
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

from openpyxl.utils import column_index_from_string, range_boundaries

SHARED = "sharedstrings.xml"
PLACE = re.compile(r"([A-Za-z]{1,3})([0-9]{1,7})")


@dataclass(frozen=True)
class Markup:
    """uncomputed: (row, column) of formulas without a result; an empty text is one
    hidden_rows: by number; hidden_columns: (first, last); merged: (first column, first row, last column, last row)
    struck: (row, column) of texts of which a part is struck out"""

    uncomputed: tuple[tuple[int, int], ...]
    hidden_rows: frozenset[int]
    hidden_columns: tuple[tuple[int, int], ...]
    merged: tuple[tuple[int, int, int, int], ...]
    struck: frozenset[tuple[int, int]]

    def covered(self, filled: Mapping[int, Collection[int]], width: int) -> Iterator[tuple[int, int]]:
        """(row, column) of cells that are empty because merged with one that is filled; filled: row -> columns."""
        for left, top, right, bottom in self.merged:
            for row in filled if left in filled.get(top, ()) else ():
                if top <= row <= bottom:
                    yield from ((row, c) for c in range(left, min(right, width) + 1) if (row, c) != (top, left))


def markup(raw: bytes, sheet: Any) -> Markup:
    """The markup of an opened sheet of a workbook whose bytes are known to be sound."""
    uncomputed: list[tuple[int, int]] = []
    hidden: set[int] = set()
    columns: list[tuple[int, int]] = []
    merged: list[tuple[int, int, int, int]] = []
    struck: set[tuple[int, int]] = set()
    row = column = 0
    with zipfile.ZipFile(io.BytesIO(raw)) as parts, parts.open(sheet._worksheet_path) as opened:
        shared = _struck_texts(parts)
        for event, element in ElementTree.iterparse(opened, ("start", "end")):
            name, said = element.tag.rpartition("}")[2], element.attrib
            if event == "start" and name == "row":
                row, column = int(said.get("r", row + 1)), 0
                if _true(said.get("hidden")) or _nothing(said.get("ht")):
                    hidden.add(row)
            elif event == "end" and name == "c":
                place = PLACE.fullmatch(said.get("r", ""))
                column = column_index_from_string(place[1]) if place else column + 1
                parts_of = {child.tag.rpartition("}")[2]: child for child in element}
                result = parts_of.get("v")
                if "f" in parts_of and said.get("t") != "str" and (result is None or not result.text):
                    uncomputed.append((row, column))
                if _struck(element) or (said.get("t") == "s" and result is not None and result.text in shared):
                    struck.add((row, column))
                element.clear()
            elif event == "end" and name == "col" and (_true(said.get("hidden")) or _nothing(said.get("width"))):
                columns.append((int(said.get("min", 0)), int(said.get("max", 0))))
            elif event == "end" and name == "mergeCell":
                merged.append(range_boundaries(said.get("ref", "A1")))
            elif event == "end" and name == "row":
                element.clear()
    return Markup(tuple(uncomputed), frozenset(hidden), tuple(columns), tuple(merged), frozenset(struck))


def _struck_texts(parts: zipfile.ZipFile) -> set[str]:
    """The numbers, as cells name them, of the workbook's texts of which a part is struck out."""
    numbers: set[str] = set()
    for part in (name for name in parts.namelist() if name.lower().endswith(SHARED)):
        count = 0
        with parts.open(part) as opened:
            for _, element in ElementTree.iterparse(opened):
                if element.tag.rpartition("}")[2] == "si":
                    if _struck(element):
                        numbers.add(str(count))
                    count += 1
                    element.clear()
    return numbers


def _struck(text: ElementTree.Element) -> bool:
    """Whether a part of a text is struck out."""
    return any(
        part.tag.rpartition("}")[2] == "strike" and part.get("val") not in ("0", "false") for part in text.iter()
    )


def _nothing(said: str | None) -> bool:
    """Whether a height or a width is zero, which hides what has it."""
    return said is not None and float(said) == 0


def _true(said: str | None) -> bool:
    return said in ("1", "true")
